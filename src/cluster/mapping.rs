//! From what is required to the words of a scheduler.

use crate::model::{Requirement, Requirements};

/// What a site says of one scheduler: words for everything, and words for each requirement.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping<W> {
    entries: Vec<(Requirements, W)>,
}

impl<W> Default for Mapping<W> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
        }
    }
}

impl<W> Mapping<W> {
    /// Makes a mapping. An entry may be for several requirements together, such as `os:linux,gpu:cuda`,
    /// where the words for them are not those for each of them.
    #[must_use]
    pub fn new(mut entries: Vec<(Requirements, W)>) -> Self {
        // The largest first; of amounts of memory the smallest that is enough. What is left keeps the
        // order of the file.
        entries.sort_by_key(|(requirements, _)| {
            (
                std::cmp::Reverse(requirements.iter().count()),
                memory(requirements),
            )
        });
        Self { entries }
    }

    /// Returns the words for what is required, those of the largest entries first, and what of it no entry
    /// covers.
    #[must_use]
    pub fn cover<'m>(&'m self, wanted: &Requirements) -> (Vec<&'m W>, Vec<Requirement>) {
        let mut missing: Vec<Requirement> = wanted.iter().cloned().collect();
        let mut words = Vec::new();
        for (requirements, entry) in &self.entries {
            let is_wanted = |held: &Requirement| wanted.iter().any(|wanted| held.covers(wanted));
            let adds = requirements
                .iter()
                .any(|held| missing.iter().any(|wanted| held.covers(wanted)));
            if adds && requirements.iter().all(is_wanted) {
                missing.retain(|wanted| !requirements.iter().any(|held| held.covers(wanted)));
                words.push(entry);
            }
        }
        (words, missing)
    }
}

/// Returns the memory that is required, in bytes.
fn memory(requirements: &Requirements) -> u64 {
    let memory = requirements
        .iter()
        .find_map(|requirement| match requirement {
            Requirement::Memory(bytes) => Some(*bytes),
            _ => None,
        });
    memory.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(wanted: &str) -> Result<Vec<&'static str>, String> {
        let entry = |key: &str, words| (key.parse().unwrap(), words);
        let mapping = Mapping::new(vec![
            entry("os:linux", "hosted"),
            entry("gpu:cuda", "cuda"),
            entry("memory:64GiB", "big"),
            entry("memory:16GiB", "small"),
            entry("os:linux,gpu:cuda", "own"),
        ]);
        let (words, missing) = mapping.cover(&wanted.parse().unwrap());
        match missing.first() {
            Some(missing) => Err(missing.to_string()),
            None => Ok(words.into_iter().copied().collect()),
        }
    }

    #[test]
    fn the_largest_entry_that_is_wanted_counts() {
        assert_eq!(words("none"), Ok(vec![]));
        assert_eq!(words("os:linux"), Ok(vec!["hosted"]));
        assert_eq!(words("gpu:cuda"), Ok(vec!["cuda"]));
        assert_eq!(words("os:linux,gpu:cuda"), Ok(vec!["own"]));
        assert_eq!(words("os:linux,memory:8GiB"), Ok(vec!["hosted", "small"]));
        assert_eq!(words("memory:32GiB"), Ok(vec!["big"]));
    }

    #[test]
    fn what_no_entry_covers_is_told() {
        assert_eq!(words("memory:65GiB"), Err("memory:65GiB".into()));
        assert_eq!(words("os:linux,gpu:metal"), Err("gpu:metal".into()));
    }
}
