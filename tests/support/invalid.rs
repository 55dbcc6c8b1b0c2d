//! The files of `matrices/invalid`, and files as the schema sees them.

use super::project;
use serde_json::Value;
use std::fs;

/// One file that is wrong, as its first two lines describe it.
pub struct InvalidFile {
    /// Its name without the ending.
    pub kind: String,
    pub bytes: Vec<u8>,
    /// `schema` or `parser`.
    pub found_by: String,
    /// What is wrong with it, in words.
    pub what: String,
}

/// Returns all of them by name.
pub fn invalid_files() -> Vec<InvalidFile> {
    let mut files: Vec<InvalidFile> = fs::read_dir(project().join("matrices/invalid"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .map(|path| {
            let bytes = fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let mut lines = text.lines();
            let comment = |line: Option<&str>, start: &str| {
                line.and_then(|line| line.strip_prefix(start))
                    .unwrap_or_else(|| panic!("{} does not begin with `{start}`", path.display()))
                    .to_owned()
            };
            InvalidFile {
                kind: path.file_stem().unwrap().to_str().unwrap().to_owned(),
                found_by: comment(lines.next(), "# found by: "),
                what: comment(lines.next(), "# "),
                bytes,
            }
        })
        .collect();
    files.sort_by(|left, right| left.kind.cmp(&right.kind));
    files
}

/// Returns a YAML text as the JSON that an editor's schema check sees, if there is any.
pub fn as_json(text: &str) -> Option<Value> {
    let options = serde_yaml::options! { strict_booleans: true, with_snippet: false };
    serde_yaml::from_str_with_options(text, options).ok()
}

/// Returns a validator of a schema; that the shipped file is the same is another test's matter.
pub fn validator(name: &str) -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(&earmark::schema::schema(name).unwrap()).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
}
