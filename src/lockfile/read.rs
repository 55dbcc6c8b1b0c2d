//! From the text of a lock file to what it holds.

use super::file::LockFile;
use crate::diagnostic::{Diagnostic, Diagnostics, SourceText};
use crate::yaml::{Document, decode};
use std::sync::Arc;

/// The version of the format that is read and written.
pub(super) const VERSION: u64 = 1;

/// Reads a lock file. Returns nothing if it has mistakes, which are then in `problems`.
pub fn read(source: Arc<SourceText>, problems: &mut Diagnostics) -> Option<LockFile> {
    let mut document = match Document::parse(source) {
        Ok(document) => document,
        Err(problem) => {
            problems.push(problem.hint("write it again: `earmark lock MATRIX`"));
            return None;
        }
    };
    let lock: LockFile = decode(&mut document, problems)?;
    if lock.version != VERSION {
        problems.push(
            Diagnostic::error(
                Some(document.start()),
                format!(
                    "this is a lock file of version {}, and this program reads version {VERSION}",
                    lock.version
                ),
            )
            .hint("write it again with this program: `earmark lock MATRIX`"),
        );
    }
    for (model, artifacts) in &lock.artifacts {
        for (id, artifact) in artifacts {
            for (name, file) in &artifact.files {
                if file.sha256.is_none() && file.git_blob.is_none() {
                    problems.push(
                        Diagnostic::error(
                            Some(document.start()),
                            format!("`{name}` of `{model}/{id}` has no digest"),
                        )
                        .path(format!("artifacts.{model}.{id}.files.{name}"))
                        .hint("write the lock file again: `earmark lock MATRIX`"),
                    );
                }
            }
        }
    }
    (!problems.has_errors()).then_some(lock)
}
