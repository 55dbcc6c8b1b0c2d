//! The versions of the crates that do the work: those of the engines, of decoding and of fetching.
//!
//! They are read out of the lock file that this program was built with, so that no second list has to
//! be kept.

use std::collections::BTreeMap;

/// The lock file of this build.
const LOCK: &str = include_str!("../../Cargo.lock");

/// The crates that are told, by the feature that brings them.
const TOLD: [(bool, &[&str]); 4] = [
    (true, &["rubato", "symphonia", "symphonia-adapter-libopus"]),
    (
        cfg!(feature = "whisper-cpp"),
        &["whisper-rs", "whisper-rs-sys"],
    ),
    (
        cfg!(feature = "candle"),
        &["candle-core", "candle-nn", "half", "rustfft", "tokenizers"],
    ),
    (cfg!(feature = "hub"), &["hf-hub", "reqwest"]),
];

/// Returns the crates that this build does its work with, with their versions.
#[must_use]
pub fn crate_versions() -> BTreeMap<String, String> {
    let built_in: Vec<&str> = (TOLD.iter())
        .filter(|(is_built_in, _)| *is_built_in)
        .flat_map(|(_, names)| names.iter().copied())
        .collect();
    let mut versions: BTreeMap<String, String> = BTreeMap::new();
    let mut name = "";
    for line in LOCK.lines() {
        if let Some(value) = value_of(line, "name") {
            name = value;
        } else if let Some(version) = value_of(line, "version")
            && built_in.contains(&name)
        {
            let known = versions.entry(name.to_owned()).or_default();
            if !known.is_empty() {
                known.push_str(", ");
            }
            known.push_str(version);
        }
    }
    versions
}

fn value_of<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let value = line.strip_prefix(key)?.strip_prefix(" = \"")?;
    value.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_crate_that_is_told_is_one_that_this_build_has() {
        let versions = crate_versions();
        let wanted: Vec<&str> = (TOLD.iter())
            .filter(|(is_built_in, _)| *is_built_in)
            .flat_map(|(_, names)| names.iter().copied())
            .collect();
        assert_eq!(versions.len(), wanted.len(), "{versions:?}");
        let digits = |text: &String| text.starts_with(|first: char| first.is_ascii_digit());
        assert!(versions.values().all(digits), "{versions:?}");
    }

    #[test]
    fn pinned_crates_are_those_that_the_manifest_pins() {
        let manifest = include_str!("../../Cargo.toml");
        let versions = crate_versions();
        for name in ["whisper-rs", "candle-core", "hf-hub"] {
            let pinned = manifest.lines().find_map(|line| {
                let rest = line
                    .strip_prefix(name)?
                    .strip_prefix(" = { version = \"=")?;
                Some(rest.split('"').next()?.to_owned())
            });
            assert!(pinned.is_some(), "{name} is not pinned");
            if let Some(built_in) = versions.get(name) {
                assert_eq!(Some(built_in), pinned.as_ref(), "{name}");
            }
        }
    }
}
