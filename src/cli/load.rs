//! From a path on the command line to a plan.

use super::arguments::Selection;
use super::exit::{Failure, tell_diagnostics};
use super::run::variable;
use crate::catalog::Catalog;
use crate::corpus::{Corpus, DefinitionError};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity, SourceText};
use crate::engine;
use crate::machine::machine_facts;
use crate::matrix::{self, Facts, Matrix};
use crate::model::{AudioSource, Availability, DownloadPolicy, EngineFacts, Plan};
use crate::plan::{Inputs, fill_path, plan, restrict, seal, set_downloads};
use indexmap::IndexMap;
use std::path::{Path, PathBuf};
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
    let (corpus, audio_paths) = corpus_of(&matrix, problems);
    if problems.has_errors() && !audio_paths.complete {
        // Recordings that are somewhere else would be told as unknown ones.
        return Ok(None);
    }
    for (name, span) in &matrix.environment {
        if variable(name).is_none_or(|value| value.is_empty()) {
            problems.push(
                Diagnostic::warning(
                    Some(span.clone()),
                    format!("the environment variable `{name}` is not set here"),
                )
                .hint("a plan can be made without it; to carry it out, it must be set"),
            );
        }
    }
    let mut engines = engines_of(&matrix, problems);
    if selection.assume_ready {
        for facts in engines.values_mut().filter(|facts| !facts.command) {
            facts.availability = Availability::Ready;
        }
    }
    let inputs = Inputs {
        catalog: &catalog,
        corpus: &corpus,
        engines: &engines,
        chosen: matrix.backends(),
        facts: facts_here(),
        verify_method: selection.verify_method,
    };
    let Some(mut planned) = plan(&matrix, &inputs, problems) else {
        return Ok(None);
    };
    audio_paths.name_again(&mut planned);
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

/// Paths of recordings that hold values of the environment: as they are, and as they are named.
struct AudioPaths {
    /// Whether all of them could be filled in.
    complete: bool,
    named: Vec<(PathBuf, PathBuf)>,
}

impl AudioPaths {
    /// Returns a path filled in, so that it can be looked at.
    fn fill(&mut self, path: &Path) -> Result<PathBuf, String> {
        let is_named = path.to_str().is_some_and(|text| text.contains("${env:"));
        if !is_named {
            return Ok(path.to_path_buf());
        }
        let filled = fill_path(path, &variable).inspect_err(|_| self.complete = false)?;
        self.named.push((filled.clone(), path.to_path_buf()));
        // The recordings of a data set lie beside its manifest.
        if let (Some(folder), Some(named)) = (filled.parent(), path.parent()) {
            self.named.push((folder.to_path_buf(), named.to_path_buf()));
        }
        Ok(filled)
    }

    /// Puts the names back, because a plan never holds a value of the environment.
    fn name_again(&self, plan: &mut Plan) {
        let paths = plan.audio.values_mut().flat_map(|audio| {
            let manifest = audio.manifest.as_mut().map(|manifest| &mut manifest.path);
            let files =
                audio
                    .utterances
                    .iter_mut()
                    .filter_map(|utterance| match &mut utterance.source {
                        AudioSource::File(path) => Some(path),
                        AudioSource::Builtin(_) => None,
                    });
            manifest.into_iter().chain(files)
        });
        for path in paths {
            let found = self.named.iter().find_map(|(filled, named)| {
                let rest = path.strip_prefix(filled).ok()?;
                Some(if rest.as_os_str().is_empty() {
                    named.clone()
                } else {
                    named.join(rest)
                })
            });
            if let Some(named) = found {
                *path = named;
            }
        }
        if !self.named.is_empty() {
            seal(plan);
        }
    }
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

/// Returns what conditions may ask of this machine.
fn facts_here() -> Facts {
    let machine = machine_facts();
    Facts {
        os: std::env::consts::OS.into(),
        arch: std::env::consts::ARCH.into(),
        cores: machine.cores,
        physical_cores: machine.physical_cores,
        memory_bytes: machine.memory_bytes,
    }
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
fn corpus_of(matrix: &Matrix, problems: &mut Diagnostics) -> (Corpus, AudioPaths) {
    let mut corpus = Corpus::builtin();
    let mut paths = AudioPaths {
        complete: true,
        named: Vec::new(),
    };
    for (id, entry) in &matrix.definitions.audio {
        let filled = (entry.file.as_deref().or(entry.manifest.as_deref()))
            .map(|path| paths.fill(path))
            .transpose();
        let path = match filled {
            Ok(path) => path,
            Err(reason) => {
                problems.push(
                    Diagnostic::error(Some(entry.span.clone()), reason)
                        .path(format!("audio.{id}"))
                        .hint("recordings are looked up when a plan is made: set it to an absolute path"),
                );
                continue;
            }
        };
        let added = match (path, &entry.file) {
            (Some(file), Some(_)) => corpus.add_file(
                id,
                &file,
                entry.reference.as_deref(),
                entry.language.as_deref(),
            ),
            (Some(manifest), None) => corpus.add_manifest(id, &manifest).map(|_| ()),
            (None, _) => Ok(()),
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
    (corpus, paths)
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
