//! Where the history is.

use crate::model::earmark_home;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The variable that names the database.
pub const VARIABLE: &str = "EARMARK_HISTORY";

/// Returns the database's file: the one that is named, else `$EARMARK_HISTORY`, else `history.db` in
/// `$EARMARK_HOME`, `$XDG_CACHE_HOME/earmark` or `~/.cache/earmark`, beside the models.
///
/// # Errors
///
/// Returns the reason if nothing says where it is.
pub fn history_path(
    named: Option<&Path>,
    get: impl Fn(&str) -> Option<OsString>,
) -> Result<PathBuf, String> {
    if let Some(named) = named {
        return Ok(named.to_path_buf());
    }
    let variable = get(VARIABLE).filter(|value| !value.is_empty());
    variable
        .map(PathBuf::from)
        .or_else(|| Some(earmark_home(get)?.join("history.db")))
        .ok_or_else(|| {
            format!(
                "no place for the history: set {VARIABLE} to a file, or EARMARK_HOME (or HOME) to \
                 an absolute folder"
            )
        })
}
