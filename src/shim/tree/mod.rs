//! The tree of processes below the shim: who is in it, and how it is ended.
//!
//! Two kinds with one interface: on Linux the shim is a subreaper, walks `/proc` and may have a
//! control group; elsewhere it knows the child's process group, and on macOS whose child is whose.

#[cfg_attr(target_os = "linux", path = "cgroup.rs")]
#[cfg_attr(not(target_os = "linux"), path = "no_cgroup.rs")]
mod cgroup;
#[cfg(not(target_os = "linux"))]
#[cfg_attr(target_os = "macos", path = "child_lists.rs")]
#[cfg_attr(not(target_os = "macos"), path = "no_child_lists.rs")]
mod child_lists;
#[cfg(target_os = "linux")]
mod orphans;
#[cfg(not(target_os = "linux"))]
mod process_group;
#[cfg(target_os = "linux")]
mod process_table;
#[cfg(target_os = "linux")]
mod subreaper;

pub(super) use cgroup::{Cgroup, probe};
#[cfg(target_os = "linux")]
pub(super) use orphans::Orphans;
#[cfg(not(target_os = "linux"))]
pub(super) use process_group::{Orphans, Tree};
#[cfg(target_os = "linux")]
pub(super) use subreaper::Tree;

/// Longest name of a process that is told, in bytes.
const LONGEST_NAME: usize = 64;

/// Resident memory of one process, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Memory {
    /// Now.
    pub resident: u64,
    /// Highest since its last `exec`.
    pub peak_resident: u64,
    /// Of what is resident now, the part that no file stands behind.
    pub anonymous: u64,
}

/// Returns the name of a process as text of at most `LONGEST_NAME` bytes without control
/// characters: it goes into reports and to terminals, and is whatever the program likes.
fn printable(name: &[u8]) -> String {
    let mut text: String = String::from_utf8_lossy(name)
        .chars()
        .map(|letter| if letter.is_control() { '?' } else { letter })
        .collect();
    text.truncate(text.floor_char_boundary(LONGEST_NAME));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_end_between_two_letters() {
        assert_eq!(printable("é".repeat(50).as_bytes()), "é".repeat(32));
        assert_eq!(
            printable(format!("a{}", "é".repeat(50)).as_bytes()).len(),
            63
        );
    }
}
