//! The commit that is checked out where a file lies, read without git.

use std::fs;
use std::path::{Path, PathBuf};

/// Symbolic references that are followed; git itself makes no longer chains.
const MOST_STEPS: usize = 5;

/// Returns the commit that is checked out in the repository that a folder lies in; `None` if it lies
/// in none, or nothing is committed there. Source: `gitrepository-layout(5)`.
#[must_use]
pub fn checked_out_commit(folder: &Path) -> Option<String> {
    let folder = std::path::absolute(folder).ok()?;
    let own = folder.ancestors().find_map(git_folder)?;
    // A further work tree has its own `HEAD`, and shares branches with the repository.
    let shared = read(&own.join("commondir")).map_or_else(|| own.clone(), |name| own.join(name));
    let mut found = read(&own.join("HEAD"))?;
    for _ in 0..MOST_STEPS {
        let Some(name) = found.strip_prefix("ref:") else {
            return is_commit(&found).then_some(found);
        };
        let name = name.trim().to_owned();
        found = [&own, &shared]
            .iter()
            .find_map(|place| read(&place.join(&name)))
            .or_else(|| packed(&shared, &name))?;
    }
    None
}

/// Returns where the repository of a work tree keeps its things.
fn git_folder(folder: &Path) -> Option<PathBuf> {
    let place = folder.join(".git");
    if place.is_dir() {
        return Some(place);
    }
    let name = read(&place)?;
    Some(folder.join(name.strip_prefix("gitdir:")?.trim()))
}

fn read(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned())
}

/// Returns what a reference stands for, among those that were packed into one file.
fn packed(shared: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(shared.join("packed-refs")).ok()?;
    text.lines().find_map(|line| {
        let (commit, reference) = line.split_once(' ')?;
        (reference.trim() == name).then(|| commit.to_owned())
    })
}

fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
