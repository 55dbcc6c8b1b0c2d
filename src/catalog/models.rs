//! Models and their artifacts, checked.

use super::sources::resolve_source;
use super::wire_definitions::{ArtifactFileWire, ArtifactWire, ModelWire};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{Artifact, ArtifactFile, Model};
use crate::yaml::{Document, Located};
use globset::Glob;
use indexmap::IndexMap;
use std::path::{Component, Path};

/// Makes a model of what is written. `directory` is that of its file; `None` for what is built into
/// this program.
pub(super) fn resolve_model(
    id: &str,
    wire: &ModelWire,
    document: &Document,
    directory: Option<&Path>,
    problems: &mut Diagnostics,
) -> Model {
    let artifacts = wire
        .artifacts
        .iter()
        .map(|(artifact_id, artifact)| {
            let name = (id, artifact_id.as_str());
            let resolved = resolve_artifact(name, artifact, document, directory, problems);
            (artifact_id.clone(), resolved)
        })
        .collect();
    Model {
        id: id.to_owned(),
        family: wire.family.clone().unwrap_or_else(|| "whisper".into()),
        size: wire.size,
        parameters: wire.parameters,
        languages: wire.languages.clone(),
        requires: wire.requires.clone(),
        artifacts,
        built_in: directory.is_none(),
    }
}

fn resolve_artifact(
    (model, id): (&str, &str),
    artifact: &Located<ArtifactWire>,
    document: &Document,
    directory: Option<&Path>,
    problems: &mut Diagnostics,
) -> Artifact {
    let wire = &artifact.value;
    let files = resolve_files(&wire.files, document, problems);
    let patterns = wire
        .patterns
        .iter()
        .filter(|pattern| !document.is_damaged(pattern.node))
        .inspect(|pattern| check_pattern(pattern, document, problems))
        .map(|pattern| pattern.value.clone())
        .collect();
    let mut refuse = |message: String, hint: &str| {
        problems.push(
            Diagnostic::error(Some(document.span(artifact.node)), message)
                .path(document.path(artifact.node))
                .hint(hint),
        );
    };
    if !document.is_damaged(artifact.node) {
        if files.is_empty() && wire.patterns.is_empty() {
            refuse(
                format!("the artifact `{id}` names no file"),
                "list its files: `files: {ggml-tiny.en.bin: {bytes: 77704715}}`, or those of a \
                 repository by `patterns`",
            );
        }
        let is_listed = |source: &Located<_>| is_hub(source) || document.is_damaged(source.node);
        let in_repository = !wire.sources.is_empty() && wire.sources.iter().all(is_listed);
        if !wire.patterns.is_empty() && !in_repository {
            refuse(
                format!("the artifact `{id}` has `patterns`, and a source that lists no files"),
                "only a repository says what a pattern stands for: give it `hub` sources, and list \
                 under `files` what comes from elsewhere",
            );
        }
    }
    let base = directory.unwrap_or(Path::new(""));
    let sources = wire
        .sources
        .iter()
        .filter_map(|source| resolve_source(source, document, base, problems))
        .collect();
    Artifact {
        model: model.to_owned(),
        id: id.to_owned(),
        files,
        patterns,
        approximate_bytes: wire.approximate_bytes,
        sources,
        built_in: directory.is_none(),
        locked: false,
    }
}

fn is_hub(source: &Located<super::wire_definitions::SourceWire>) -> bool {
    source.value.hub.is_some()
}

/// Makes what is expected of files of what is written, and tells names and digests that are none.
pub(super) fn resolve_files(
    files: &IndexMap<String, Located<ArtifactFileWire>>,
    document: &Document,
    problems: &mut Diagnostics,
) -> IndexMap<String, ArtifactFile> {
    files
        .iter()
        .map(|(name, file)| {
            if !is_safe_name(name) {
                problems.push(
                    Diagnostic::error(
                        Some(document.span(file.node)),
                        format!("`{name}` is no name inside the artifact's folder"),
                    )
                    .path(document.path(file.node))
                    .hint("names of files are relative, without `..`"),
                );
            }
            let wire = &file.value;
            let sha256 = digest(wire.sha256.as_ref(), 64, document, problems);
            let git_blob = digest(wire.git_blob.as_ref(), 40, document, problems);
            let expected = ArtifactFile {
                bytes: wire.bytes,
                sha256,
                git_blob,
            };
            (name.clone(), expected)
        })
        .collect()
}

/// Returns a digest of so many hexadecimal digits in lower case, and tells what is none.
fn digest(
    written: Option<&Located<String>>,
    digits: usize,
    document: &Document,
    problems: &mut Diagnostics,
) -> Option<String> {
    let written = written?;
    let text = &written.value;
    if text.len() != digits || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let (kind, hint) = if digits == 64 {
            (
                "SHA-256 digest",
                "write the 64 hexadecimal digits that `sha256sum` prints",
            )
        } else {
            (
                "id of a git blob",
                "write the 40 hexadecimal digits that `git hash-object` prints",
            )
        };
        problems.push(
            Diagnostic::error(
                Some(document.span(written.node)),
                format!("`{text}` is no {kind}"),
            )
            .path(document.path(written.node))
            .hint(hint),
        );
    }
    Some(text.to_ascii_lowercase())
}

/// Tells a pattern that cannot match anything inside of a repository.
fn check_pattern(pattern: &Located<String>, document: &Document, problems: &mut Diagnostics) {
    let text = &pattern.value;
    let (message, hint) = if !is_safe_name(text) {
        (
            format!("`{text}` is no pattern inside the repository"),
            "patterns are relative, without `..`",
        )
    } else if let Err(error) = Glob::new(text) {
        (
            format!("`{text}` is no glob: {}", error.kind()),
            "`*` stands for any text, `?` for one character, `[ab]` for one of a few",
        )
    } else {
        return;
    };
    problems.push(
        Diagnostic::error(Some(document.span(pattern.node)), message)
            .path(document.path(pattern.node))
            .hint(hint),
    );
}

/// Whether a name stays inside its folder.
fn is_safe_name(name: &str) -> bool {
    !name.is_empty()
        && !name.contains('\\')
        && Path::new(name)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}
