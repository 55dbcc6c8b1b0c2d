//! What a file system is: whether others write to it from elsewhere, and whether it has locks.

use std::io::{self, ErrorKind};
use std::path::Path;

/// File systems that several machines may write to, by the numbers that Linux calls them by: NFS, SMB
/// and CIFS, Lustre, GPFS, `BeeGFS`, Ceph, AFS, OCFS2, GFS2, 9P, `WekaFS`, and FUSE, behind which any of
/// them may be.
#[cfg(target_os = "linux")]
const SHARED: [u64; 14] = [
    0x6969,
    0x517B,
    0xFE53_4D42,
    0xFF53_4D42,
    0x0BD0_0BD0,
    0x4750_4653,
    0x1983_0326,
    0x00C3_6400,
    0x5346_414F,
    0x7461_636F,
    0x0116_1970,
    0x0102_1997,
    0x4157_454B,
    0x6573_5546,
];

/// Returns whether other machines may write to where a path lies, or to where it would lie. What the
/// system does not tell is taken for a file system of this machine.
#[must_use]
pub fn is_shared(path: &Path) -> bool {
    path.ancestors()
        .map(|place| {
            // A relative name without a folder is in the current one.
            if place.as_os_str().is_empty() {
                Path::new(".")
            } else {
                place
            }
        })
        .find_map(kind_of)
        .is_some_and(is_shared_kind)
}

#[cfg(target_os = "linux")]
fn kind_of(path: &Path) -> Option<u64> {
    let found = rustix::fs::statfs(path).ok()?;
    // The kernel's numbers have 32 bits; a signed word holds some of them as negative ones.
    #[expect(
        clippy::cast_sign_loss,
        reason = "the width and the sign of the field differ between architectures; the low 32 bits do not"
    )]
    Some(found.f_type as u64 & 0xFFFF_FFFF)
}

#[cfg(target_os = "linux")]
fn is_shared_kind(kind: u64) -> bool {
    SHARED.contains(&kind)
}

/// Elsewhere nobody knows the kind by a number, so locks decide.
#[cfg(not(target_os = "linux"))]
fn kind_of(_: &Path) -> Option<u64> {
    Some(0)
}

#[cfg(not(target_os = "linux"))]
fn is_shared_kind(_: u64) -> bool {
    false
}

/// Returns whether an error says that a file system has no locks.
#[must_use]
pub fn has_no_locks(error: &io::Error) -> bool {
    let numbers = [
        rustix::io::Errno::NOLCK,
        rustix::io::Errno::NOSYS,
        rustix::io::Errno::OPNOTSUPP,
    ];
    error.kind() == ErrorKind::Unsupported
        || numbers
            .iter()
            .any(|number| error.raw_os_error() == Some(number.raw_os_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_this_machine_is_not_shared_and_need_not_be_there() {
        let place = tempfile::tempdir().unwrap();
        assert!(!is_shared(place.path()));
        assert!(!is_shared(&place.path().join("not/yet/there")));
        assert!(!is_shared(Path::new("/proc/self")));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn network_file_systems_are_known_by_their_numbers() {
        // NFS, Lustre, CIFS; ext4, tmpfs, overlay.
        for (kind, shared) in [
            (0x6969, true),
            (0x0BD0_0BD0, true),
            (0xFF53_4D42, true),
            (0xEF53, false),
            (0x0102_1994, false),
            (0x794C_7630, false),
        ] {
            assert_eq!(is_shared_kind(kind), shared, "{kind:x}");
        }
    }

    #[test]
    fn every_way_of_having_no_locks_is_known() {
        for number in [rustix::io::Errno::NOLCK, rustix::io::Errno::NOSYS] {
            assert!(has_no_locks(&io::Error::from_raw_os_error(
                number.raw_os_error()
            )));
        }
        let other = io::Error::from_raw_os_error(rustix::io::Errno::ACCESS.raw_os_error());
        assert!(!has_no_locks(&other));
    }
}
