//! Whether a program is there. Nothing is executed to find out.

use rustix::fs::{Access, access};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Finds a program: a name with a slash is relative to `directory`, another is looked up in the
/// folders of `search`, which is the variable `PATH`. `written` is the name as the matrix has it, for
/// messages.
///
/// # Errors
///
/// Returns the reason and the remedy in words if it is not there or may not be executed.
pub(super) fn find_program(
    name: &str,
    written: &str,
    directory: &Path,
    search: Option<&OsStr>,
) -> Result<PathBuf, String> {
    if name.contains('/') {
        let path = directory.join(name);
        return if can_run(&path) {
            Ok(path)
        } else if path.is_file() {
            Err(format!(
                "`{written}` may not be executed: `chmod +x` allows it"
            ))
        } else {
            Err(format!(
                "there is no program `{written}`, seen from the folder of the file that names it: \
                 put it there, or write its path"
            ))
        };
    }
    find_on_path(name, search).ok_or_else(|| {
        format!("no folder of PATH has a program `{written}`: install it, or write its path")
    })
}

/// Looks a program up in the folders of `search`, which is the variable `PATH`.
#[must_use]
pub fn find_on_path(name: &str, search: Option<&OsStr>) -> Option<PathBuf> {
    let folders = search.map(std::env::split_paths).into_iter().flatten();
    folders
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|path| can_run(path))
}

fn can_run(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}
