//! Where this program keeps what it has fetched.

use std::ffi::OsString;
use std::path::PathBuf;

/// Returns the folder: `$EARMARK_HOME`, else `$XDG_CACHE_HOME/earmark`, else `~/.cache/earmark`. `None` if
/// none of the variables is set to an absolute folder.
pub fn earmark_home(get: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folder = |name: &str| {
        get(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    folder("EARMARK_HOME")
        .or_else(|| folder("XDG_CACHE_HOME").map(|cache| cache.join("earmark")))
        .or_else(|| folder("HOME").map(|home| home.join(".cache/earmark")))
}
