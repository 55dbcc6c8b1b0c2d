//! `extends:`: a matrix file laid over another, axis by axis.

use crate::diagnostic::{Diagnostic, Diagnostics, SourceText};
use crate::yaml::{Document, MAXIMUM_BYTES};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many files may stand on one another.
const MAXIMUM_FILES: usize = 16;

/// What a file keeps for itself.
const OWN: [&str; 3] = ["version", "name", "extends"];

/// Lays a document over the files that it extends. Returns those files, the nearest first, or
/// `None` if one cannot be used; the reason is in `problems`.
pub(super) fn lay_over_bases(
    document: &mut Document,
    problems: &mut Diagnostics,
) -> Option<Vec<Arc<SourceText>>> {
    let mut chain = Chain {
        files: vec![identity(&document.source.path)],
        sources: Vec::new(),
    };
    chain.resolve(document, problems)?;
    Some(chain.sources)
}

struct Chain {
    /// The files on the way here, by what tells them apart.
    files: Vec<PathBuf>,
    sources: Vec<Arc<SourceText>>,
}

impl Chain {
    fn resolve(&mut self, document: &mut Document, problems: &mut Diagnostics) -> Option<()> {
        let Some(node) = document.top_level("extends") else {
            return Some(());
        };
        let refuse = |problems: &mut Diagnostics, message: String, hint: &str| {
            problems.push(
                Diagnostic::error(Some(document.span(node)), message)
                    .path("extends")
                    .hint(hint),
            );
        };
        // Whatever is no text is told where the types are made.
        let named = &document.scalar(node)?.written;
        let path = document
            .source
            .path
            .parent()
            .unwrap_or(Path::new(""))
            .join(named);
        let file = identity(&path);
        if self.files.contains(&file) {
            refuse(
                problems,
                format!("`{named}` extends this file, which extends it"),
                "take one `extends:` out of the circle",
            );
            return None;
        }
        if self.files.len() >= MAXIMUM_FILES {
            refuse(
                problems,
                format!("more than {MAXIMUM_FILES} files extend one another"),
                "put some of them together",
            );
            return None;
        }
        let text = match read(&path) {
            Ok(text) => text,
            Err(reason) => {
                refuse(
                    problems,
                    format!("`{named}` cannot be read: {reason}"),
                    "the path is relative to the file that names it",
                );
                return None;
            }
        };
        let source = Arc::new(SourceText { path, text });
        let mut base = match Document::parse(Arc::clone(&source)) {
            Ok(base) => base,
            Err(problem) => {
                problems.push(*problem);
                return None;
            }
        };
        let version = base.top_level("version");
        if version
            .and_then(|node| base.scalar(node))
            .and_then(crate::model::Value::as_integer)
            != Some(1)
        {
            let span = version.map_or_else(|| base.root_span(), |node| base.span(node));
            problems.push(
                Diagnostic::error(Some(span), "a file that is extended says `version: 1` too")
                    .path("version")
                    .hint("write `version: 1` at its top"),
            );
            return None;
        }
        self.files.push(file);
        self.sources.push(source);
        self.resolve(&mut base, problems)?;
        document.lay_over(base, &OWN, &is_merged);
        Some(())
    }
}

/// Which mappings are taken key by key.
fn is_merged(path: &[&str]) -> bool {
    matches!(
        path,
        ["matrix" | "settings" | "models" | "audio" | "backends" | "recipes" | "deadlines"]
            | ["deadlines", "verify" | "benchmark" | "download"]
    )
}

/// What tells files apart, whichever way they are named.
fn identity(path: &Path) -> PathBuf {
    fs::canonicalize(path)
        .or_else(|_| std::path::absolute(path))
        .unwrap_or_else(|_| path.to_path_buf())
}

fn read(path: &Path) -> Result<String, String> {
    // A pipe or a device would never end.
    let facts = fs::metadata(path).map_err(|error| error.to_string())?;
    if !facts.is_file() {
        return Err("it is no file".into());
    }
    if facts.len() > MAXIMUM_BYTES as u64 {
        return Err(format!("it is larger than {} MiB", MAXIMUM_BYTES >> 20));
    }
    fs::read_to_string(path).map_err(|error| error.to_string())
}
