//! Sources of artifacts, checked.

use super::models::resolve_files;
use super::wire_definitions::SourceWire;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::Source;
use crate::yaml::{Document, Located};
use std::path::{Path, PathBuf};

/// Makes a source of what is written; `base` is the folder that relative paths start from.
pub(super) fn resolve_source(
    source: &Located<SourceWire>,
    document: &Document,
    base: &Path,
    problems: &mut Diagnostics,
) -> Option<Source> {
    let wire = &source.value;
    let named = [
        wire.path.is_some(),
        wire.hub.is_some(),
        wire.url.is_some(),
        wire.recipe.is_some(),
    ];
    let mut refuse = |message: &str, hint: &str| {
        problems.push(
            Diagnostic::error(Some(document.span(source.node)), message)
                .path(document.path(source.node))
                .hint(hint),
        );
        None
    };
    if document.is_damaged(source.node) {
        return None;
    }
    if named.iter().filter(|is_named| **is_named).count() != 1 {
        return refuse(
            "a source is exactly one of `path`, `hub`, `url` and `recipe`",
            "write one entry of the list for each place",
        );
    }
    if wire.revision.is_some() && wire.hub.is_none() {
        return refuse("`revision` belongs to a `hub` source", "take it out");
    }
    if !wire.files.is_empty() && wire.hub.is_none() {
        return refuse(
            "`files` belongs to a `hub` source",
            "write what is expected of files under `files` of the artifact",
        );
    }
    if let Some(path) = &wire.path {
        return Some(Source::Path(place(base, path)));
    }
    if let Some(repository) = &wire.hub {
        let parts = repository.split('/').filter(|part| !part.is_empty());
        if parts.count() != 2 && !repository.contains("${env:") {
            return refuse(
                &format!("`{repository}` is no repository of a hub"),
                "write `owner/name`, such as `ggerganov/whisper.cpp`",
            );
        }
        let revision = wire.revision.clone().unwrap_or_else(|| "main".into());
        return Some(Source::Hub {
            repository: repository.clone(),
            revision,
            files: resolve_files(&wire.files, document, problems),
        });
    }
    if let Some(url) = &wire.url {
        if !(url.starts_with("https://") || url.starts_with("http://") || url.starts_with("${env:"))
        {
            return refuse(&format!("`{url}` is no http(s) URL"), "write `https://…`");
        }
        return Some(Source::Url(url.clone()));
    }
    wire.recipe
        .as_ref()
        .map(|recipe| Source::Recipe(recipe.value.clone()))
}

/// Returns where a path that a file names is. One that begins with a value of the environment stays
/// as it is written: the value is filled in when it is used, and must then be absolute.
pub(super) fn place(folder: &Path, written: &str) -> PathBuf {
    if written.starts_with("${env:") {
        PathBuf::from(written)
    } else {
        folder.join(written)
    }
}
