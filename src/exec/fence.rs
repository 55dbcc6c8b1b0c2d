//! What ends an attempt that another one has taken the place of.
//!
//! A scheduler that lost sight of a machine starts a job again elsewhere, while the first one goes on. Both
//! would be right, but only the later one counts, and the earlier one keeps a machine busy for nothing. So
//! an attempt looks, before each launch, whether there is a later one, and stands down if so.

use std::fs;
use std::path::PathBuf;

/// Where a later attempt at the same work shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fence {
    /// The folder in which the folders of attempts lie, the name of them all up to the number of the
    /// attempt, and our own number.
    pub attempts: Option<(PathBuf, String, u32)>,
    /// A file, by its absolute path, that is there once other work has taken the place of ours.
    pub file: Option<PathBuf>,
}

impl Fence {
    /// Returns why nothing new may be started, if a later attempt is there. What cannot be looked at is
    /// not there.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        if let Some(file) = &self.file
            && is_there(file)
        {
            return Some(format!(
                "what was left of this work was handed out again ({} is there)",
                file.display()
            ));
        }
        let (folder, name, own) = self.attempts.as_ref()?;
        let later = numbers(folder, name).filter(|number| number > own).max()?;
        Some(format!("attempt {later} has taken the place of this one"))
    }
}

/// Returns the numbers of the attempts whose folders lie in a folder under one name.
pub(crate) fn numbers<'a>(
    folder: &std::path::Path,
    name: &'a str,
) -> impl Iterator<Item = u32> + use<'a> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(move |entry| {
        let entry = entry.file_name();
        entry.to_str()?.strip_prefix(name)?.parse().ok()
    })
}

/// Whether a file is there. The folder is listed, because a network file system may remember for a while
/// that a name was not there.
fn is_there(file: &std::path::Path) -> bool {
    let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else {
        return false;
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name())
        .any(|entry| entry == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_later_attempt_at_the_same_work_ends_one() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().to_path_buf();
        let fence = Fence {
            attempts: Some((folder.clone(), "g1-s2.attempt-".into(), 3)),
            file: Some(folder.join("submission-2.json")),
        };
        assert_eq!(fence.reason(), None);
        for other in [
            "g1-s2.attempt-2",
            "g1-s2.attempt-3",
            "g1-s1.attempt-9",
            "g1-s2.attempt-x",
        ] {
            fs::create_dir(folder.join(other)).unwrap();
            assert_eq!(fence.reason(), None, "{other}");
        }
        fs::create_dir(folder.join("g1-s2.attempt-12")).unwrap();
        let reason = fence.reason().unwrap();
        assert!(reason.contains("attempt 12"), "{reason}");
        fs::write(folder.join("submission-2.json"), "").unwrap();
        let reason = fence.reason().unwrap();
        assert!(reason.contains("handed out again"), "{reason}");
    }
}
