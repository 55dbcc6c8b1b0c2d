//! The repository that a matrix lies in: which commit is checked out, and whether it is clean.

use crate::exec::{RunContext, try_program};
use crate::machine::checked_out_commit;
use crate::model::RepositoryFacts;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

/// The longest that `git` may take. A run does not wait longer for what it can do without.
const LIMIT: Duration = Duration::from_secs(2);

/// Returns what is known of the repository that a file lies in; `None` if it lies in none. The commit
/// is read without `git`; whether something was changed since is what only `git` knows.
pub(super) async fn repository_of(context: &RunContext, file: &Path) -> Option<RepositoryFacts> {
    let file = std::path::absolute(file).ok()?;
    let commit = checked_out_commit(file.parent()?)?;
    Some(RepositoryFacts {
        commit: Some(commit),
        clean: is_clean(context, &file).await,
    })
}

/// Returns whether every file of the commit is as it was committed, and `file` is one of them.
async fn is_clean(context: &RunContext, file: &Path) -> Option<bool> {
    let changes = ["status", "--porcelain", "--untracked-files=no"].map(OsString::from);
    let tracked = ["ls-files".into(), "--".into(), file.into()];
    let (changes, tracked) = tokio::join!(
        ask(context, file, changes.into()),
        ask(context, file, tracked.into())
    );
    Some(changes?.is_empty() && !tracked?.is_empty())
}

/// Asks `git`; `None` if it is not there, refuses, or gives no answer in time. It takes no locks, and
/// starts nothing that the repository's own settings name.
async fn ask(context: &RunContext, file: &Path, question: Vec<OsString>) -> Option<String> {
    let mut command: Vec<OsString> = vec![
        "git".into(),
        "--no-optional-locks".into(),
        "-c".into(),
        "core.fsmonitor=false".into(),
        "-C".into(),
        file.parent()?.into(),
    ];
    command.extend(question);
    let ended = try_program(context, command, LIMIT).await.ok()?;
    Some(ended.answer)
}
