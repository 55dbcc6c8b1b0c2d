//! From a path on the command line to a plan.

use super::arguments::Selection;
use super::exit::{Failure, tell_diagnostics};
use crate::catalog::Catalog;
use crate::corpus::{Corpus, DefinitionError};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity, SourceText};
use crate::engine;
use crate::machine::cores;
use crate::matrix::{self, Matrix};
use crate::model::{Availability, DownloadPolicy, EngineFacts, Plan};
use crate::plan::{Inputs, plan, restrict, set_downloads};
use indexmap::IndexMap;
use std::path::Path;
use std::sync::Arc;

/// Reads a matrix file and makes its plan. Lints are told; mistakes are the failure.
pub(super) fn plan_of(path: &Path, selection: &Selection) -> Result<Plan, Failure> {
    let mut problems = Diagnostics::default();
    let planned = plan_with(path, selection, &mut problems)?;
    let Some(planned) = planned else {
        return Err(Failure::Input(problems));
    };
    if selection.strict {
        for diagnostic in &mut problems.0 {
            diagnostic.severity = Severity::Error;
        }
        push_skips(&planned, &mut problems);
        if problems.has_errors() {
            return Err(Failure::Input(problems));
        }
    }
    tell_diagnostics(&problems);
    Ok(planned)
}

/// Makes the plan and leaves the telling to the caller.
pub(super) fn plan_with(
    path: &Path,
    selection: &Selection,
    problems: &mut Diagnostics,
) -> Result<Option<Plan>, Failure> {
    let source = Arc::new(read_text(path)?);
    let Some(mut matrix) = matrix::read(source, problems) else {
        return Ok(None);
    };
    if let Some(policy) = selection.download {
        matrix.download = policy;
    }
    let mut catalog = Catalog::builtin().map_err(|problems| {
        Failure::internal(format!("the built-in catalog is broken: {problems}"))
    })?;
    catalog.overlay(&matrix.definitions);
    let corpus = corpus_of(&matrix, problems);
    let mut engines = engines_of(&matrix, problems);
    if selection.assume_ready {
        for facts in engines.values_mut().filter(|facts| !facts.command) {
            facts.availability = Availability::Ready;
        }
    }
    let mut chosen: Vec<String> = Vec::new();
    let axis = matrix
        .axes
        .iter()
        .filter(|axis| axis.name == "backend")
        .flat_map(|a| &a.values);
    let included = matrix
        .include
        .iter()
        .flat_map(|entry| &entry.keys)
        .filter(|key| key.name == "backend")
        .flat_map(|key| &key.values);
    for value in axis.chain(included) {
        if !chosen.contains(&value.value.written) {
            chosen.push(value.value.written.clone());
        }
    }
    let inputs = Inputs {
        catalog: &catalog,
        corpus: &corpus,
        engines: &engines,
        chosen,
        cores: cores().0,
        verify_method: selection.verify_method,
    };
    let Some(mut planned) = plan(&matrix, &inputs, problems) else {
        return Ok(None);
    };
    filter_plan(&mut planned, selection)?;
    Ok(Some(planned))
}

/// Adds an error for every planned skip.
fn push_skips(plan: &Plan, problems: &mut Diagnostics) {
    for job in &plan.jobs {
        let Some(reason) = &job.skip else { continue };
        problems.push(
            Diagnostic::error(None, format!("{} cannot run here: {reason}", job.id))
                .hint("leave it out of the matrix, or do without --strict"),
        );
    }
}

/// Applies what the command line asks of a plan to one that was saved.
pub(super) fn narrow(plan: &mut Plan, selection: &Selection) -> Result<(), Failure> {
    let again = "make it again from its matrix";
    if selection.verify_method.is_some() {
        return Err(Failure::Usage(format!(
            "--verify-method cannot change a saved plan; {again}"
        )));
    }
    if selection.assume_ready {
        return Err(Failure::Usage(format!(
            "--assume-ready cannot change a saved plan; {again}"
        )));
    }
    match (selection.download, plan.download) {
        (Some(DownloadPolicy::Missing), DownloadPolicy::Never) => {
            return Err(Failure::Usage(format!(
                "the plan was made without downloads, and --download cannot add any; {again}"
            )));
        }
        (Some(DownloadPolicy::Never), DownloadPolicy::Missing) => {
            set_downloads(plan, DownloadPolicy::Never);
        }
        _ => {}
    }
    filter_plan(plan, selection)?;
    if selection.strict {
        let mut problems = Diagnostics::default();
        push_skips(plan, &mut problems);
        if problems.has_errors() {
            return Err(Failure::Input(problems));
        }
    }
    Ok(())
}

/// Keeps the jobs that every `--filter` accepts, with what they need.
fn filter_plan(plan: &mut Plan, selection: &Selection) -> Result<(), Failure> {
    for filter in &selection.filter {
        if let Some(key) = filter.unknown_key(plan) {
            return Err(Failure::Usage(format!(
                "--filter: no job has `{key}`; it may be kind, id, or one of {}",
                plan.axes.join(", ")
            )));
        }
    }
    if !selection.filter.is_empty() {
        restrict(plan, &selection.filter, |_| true);
    }
    Ok(())
}

fn read_text(path: &Path) -> Result<SourceText, Failure> {
    let bytes = std::fs::read(path).map_err(|error| {
        Failure::Usage(format!(
            "{} cannot be read: {error}; name a matrix file",
            path.display()
        ))
    })?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(SourceText {
            path: path.to_path_buf(),
            text,
        }),
        Err(error) => {
            let good = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..good]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count()
                + 1;
            Err(Failure::Usage(format!(
                "{} line {line}: the text is not UTF-8; save the file as UTF-8",
                path.display()
            )))
        }
    }
}

/// Returns the built-in recordings and the matrix's own.
fn corpus_of(matrix: &Matrix, problems: &mut Diagnostics) -> Corpus {
    let mut corpus = Corpus::builtin();
    for (id, entry) in &matrix.definitions.audio {
        let added = match (&entry.file, &entry.manifest) {
            (Some(file), _) => corpus.add_file(
                id,
                file,
                entry.reference.as_deref(),
                entry.language.as_deref(),
            ),
            (None, Some(manifest)) => corpus.add_manifest(id, manifest).map(|_| ()),
            (None, None) => Ok(()),
        };
        let Err(error) = added else { continue };
        let path = format!("audio.{id}");
        match error {
            DefinitionError::Manifest {
                problems: found, ..
            } => {
                for problem in found {
                    problems.push(
                        Diagnostic::error(Some(entry.span.clone()), problem.to_string())
                            .path(path.clone()),
                    );
                }
            }
            other => {
                let text = other.to_string();
                let (message, hint) = text.split_once("; ").unwrap_or((&text, ""));
                let diagnostic =
                    Diagnostic::error(Some(entry.span.clone()), message.to_owned()).path(path);
                problems.push(if hint.is_empty() {
                    diagnostic
                } else {
                    diagnostic.hint(hint)
                });
            }
        }
    }
    corpus
}

/// Returns the built-in engines and the matrix's own.
fn engines_of(matrix: &Matrix, problems: &mut Diagnostics) -> IndexMap<String, EngineFacts> {
    let mut engines = engine::facts();
    for (id, (backend, span)) in &matrix.definitions.backends {
        if engines.contains_key(id) {
            problems.push(
                Diagnostic::error(Some(span.clone()), format!("`{id}` is a built-in engine"))
                    .path(format!("backends.{id}"))
                    .hint("give yours another id"),
            );
            continue;
        }
        let facts = EngineFacts {
            id: id.clone(),
            description: backend.command.join(" "),
            version: None,
            availability: Availability::Unavailable(
                "this version does not run command backends yet".into(),
            ),
            artifacts: backend
                .artifact
                .iter()
                .map(|artifact| {
                    let quantization = artifact.rsplit('-').next().unwrap_or(artifact);
                    (quantization.to_owned(), artifact.clone())
                })
                .collect(),
            settings: Vec::new(),
            any_model: backend.artifact.is_none(),
            synthetic: false,
            command: true,
        };
        engines.insert(id.clone(), facts);
    }
    engines
}
