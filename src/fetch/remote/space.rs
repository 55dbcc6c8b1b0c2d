//! Is there room for what is to come?

use crate::fetch::failure::Failure;
use crate::model::units::show_bytes;
use std::io;
use std::path::Path;

/// What is left free for everything else that writes there, journals and reports among it.
const MARGIN: u64 = 32 << 20;

/// Refuses a fetch that the disk has no room for. A file system that does not say how much room it
/// has is tried.
///
/// # Errors
///
/// Returns the reason, with the numbers, if there is too little.
pub(super) fn check_space(folder: &Path, missing: u64) -> Result<(), Failure> {
    let Ok(found) = rustix::fs::statvfs(folder) else {
        return Ok(());
    };
    if found.f_blocks == 0 {
        return Ok(());
    }
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    if missing == 0 || missing.saturating_add(MARGIN) <= free {
        return Ok(());
    }
    Err(Failure::lasting(format!(
        "no room: {} are to come, and the disk of {} has {} free, of which {} are kept free; make \
         room, or choose another folder by HF_HOME or EARMARK_HOME",
        show_bytes(missing),
        folder.display(),
        show_bytes(free),
        show_bytes(MARGIN)
    )))
}

/// Returns a failure to write in words.
pub(super) fn write_failure(path: &Path, arrived: u64, error: &io::Error) -> Failure {
    let folder = path.parent().unwrap_or(path).display();
    Failure::lasting(match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => format!(
            "the disk is full: {folder} took {}; make room, and the next run goes on from there",
            show_bytes(arrived)
        ),
        _ => format!("{} cannot be written: {error}", path.display()),
    })
}
