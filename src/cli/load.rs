//! From a path on the command line to a plan.

use super::arguments::Selection;
use super::backends::engines_of;
use super::catalogs::catalog_of;
use super::exit::{Failure, tell_diagnostics};
use super::lock::{hold, refuse_unlocked};
use super::run::variable;
use crate::corpus::{Corpus, DefinitionError};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity, SourceText, Span, split_remedy};
use crate::lockfile::is_lock_file;
use crate::machine::machine_facts;
use crate::matrix::{self, Facts, Matrix};
use crate::model::{AudioSource, Availability, DownloadPolicy, Plan};
use crate::plan::{Inputs, fill_path, plan, restrict, seal, set_downloads};
use crate::yaml::MAXIMUM_BYTES;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::string::FromUtf8Error;
use std::sync::Arc;

/// Which engines are taken for ready when a plan is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ready {
    /// Those that are here.
    #[default]
    Here,
    /// Those too that require something of their machine: others carry the plan out.
    Elsewhere,
    /// All of them.
    All,
}

/// Reads a matrix file and makes its plan. Lints are told; mistakes are the failure.
pub(super) fn plan_of(path: &Path, selection: &Selection) -> Result<Plan, Failure> {
    let (planned, problems) = look_at(path, selection)?;
    match planned {
        Some(planned) => {
            tell_diagnostics(&problems);
            Ok(planned)
        }
        None => Err(Failure::Input(problems)),
    }
}

/// Makes the plan of a matrix that is written nowhere, out of its text.
pub(super) fn plan_of_text(text: String, selection: &Selection) -> Result<Plan, Failure> {
    let mut problems = Diagnostics::default();
    let source = SourceText {
        path: "(command line)".into(),
        text,
    };
    let planned = plan_source(Arc::new(source), selection, &mut problems)?;
    match planned.filter(|_| !problems.has_errors()) {
        Some(mut planned) => {
            filter_plan(&mut planned, selection)?;
            Ok(planned)
        }
        None => Err(Failure::Input(problems)),
    }
}

/// Reads a matrix file and makes its plan, if it has no mistakes, and returns what is wrong or odd
/// in the order of the file.
pub(super) fn look_at(
    path: &Path,
    selection: &Selection,
) -> Result<(Option<Plan>, Diagnostics), Failure> {
    let mut problems = Diagnostics::default();
    let read = if is_lock_file(path) {
        let message = format!("{} is a lock file, and no matrix", path.display());
        let hint = "name the matrix that it belongs to; --locked finds its lock file";
        Err(Box::new(Diagnostic::error(None, message).hint(hint)))
    } else {
        read_text(path, "matrix")
    };
    let mut planned = match read {
        Ok(source) => plan_source(Arc::new(source), selection, &mut problems)?,
        Err(problem) => {
            problems.push(*problem);
            None
        }
    };
    if let Some(planned) = &mut planned {
        filter_plan(planned, selection)?;
        if selection.locked {
            hold(path, planned)?;
        }
        if selection.strict {
            be_strict(planned, &mut problems);
        }
    }
    problems.sort_by_place();
    Ok((planned.filter(|_| !problems.has_errors()), problems))
}

fn be_strict(planned: &Plan, problems: &mut Diagnostics) {
    for diagnostic in &mut problems.0 {
        diagnostic.severity = Severity::Error;
    }
    push_skips(planned, problems);
}

/// Makes the plan of a matrix file out of its bytes, as `earmark check` does; `path` says what its
/// paths are relative to, and need not be there. What is wrong, and what is odd, goes into
/// `problems`; with mistakes there is no plan.
///
/// # Errors
///
/// Fails only if what is built into this program is broken.
pub fn check_bytes(
    path: &Path,
    bytes: Vec<u8>,
    problems: &mut Diagnostics,
) -> Result<Option<Plan>, Failure> {
    let planned = match text_of(path, bytes) {
        Ok(source) => plan_source(Arc::new(source), &Selection::default(), problems)?,
        Err(problem) => {
            problems.push(*problem);
            None
        }
    };
    problems.sort_by_place();
    Ok(planned)
}

fn plan_source(
    source: Arc<SourceText>,
    selection: &Selection,
    problems: &mut Diagnostics,
) -> Result<Option<Plan>, Failure> {
    let mut catalog = catalog_of(&selection.catalog, problems)?;
    let Some(mut matrix) = matrix::read(source, problems) else {
        return Ok(None);
    };
    if let Some(policy) = selection.download {
        matrix.download = policy;
    }
    for id in matrix.backends() {
        if let Some(entry) = catalog.backends.get(&id) {
            let defined = matrix.definitions.backends.entry(id);
            defined.or_insert_with(|| entry.clone());
        }
    }
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
    for facts in engines.values_mut() {
        let is_ready = match selection.ready {
            Ready::Here => false,
            Ready::Elsewhere => !facts.requires.is_empty(),
            Ready::All => true,
        };
        if is_ready {
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
    let mut planned = plan(&matrix, &inputs, problems);
    if let Some(planned) = &mut planned {
        audio_paths.name_again(planned);
    }
    Ok(planned)
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
    if !selection.catalog.is_empty() {
        return Err(Failure::Usage(format!(
            "--catalog cannot change a saved plan, which has its own copies; {again}"
        )));
    }
    if selection.ready == Ready::All {
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
    if selection.locked {
        refuse_unlocked(plan)?;
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

/// Reads the text of a file of some kind, and no more of it than such a file may have.
pub(super) fn read_text(path: &Path, kind: &str) -> Result<SourceText, Box<Diagnostic>> {
    let mut bytes = Vec::new();
    let read = File::open(path)
        .and_then(|file| file.take(MAXIMUM_BYTES as u64 + 1).read_to_end(&mut bytes));
    if let Err(error) = read {
        let hint = if path.is_dir() {
            format!("name a {kind} file in this folder")
        } else {
            format!("name a {kind} file that is there and may be read")
        };
        let message = format!("{} cannot be read: {error}", path.display());
        return Err(Box::new(Diagnostic::error(None, message).hint(hint)));
    }
    text_of(path, bytes)
}

fn text_of(path: &Path, bytes: Vec<u8>) -> Result<SourceText, Box<Diagnostic>> {
    match String::from_utf8(bytes) {
        Ok(text) => Ok(SourceText {
            path: path.to_path_buf(),
            text,
        }),
        Err(error) => Err(Box::new(not_utf8(path, &error))),
    }
}

/// Tells the first byte that is no UTF-8, in its line.
fn not_utf8(path: &Path, error: &FromUtf8Error) -> Diagnostic {
    let start = error.utf8_error().valid_up_to();
    let bytes = error.as_bytes();
    let byte = bytes.get(start).copied().unwrap_or_default();
    // What comes before is the same in both texts, so the place is the same as well.
    let source = Arc::new(SourceText {
        path: path.to_path_buf(),
        text: String::from_utf8_lossy(bytes).into_owned(),
    });
    let end = start + char::REPLACEMENT_CHARACTER.len_utf8();
    let span = Span {
        source,
        range: start..end,
    };
    let hint = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            "the file is in UTF-16: save it as UTF-8 in your editor"
        }
        _ => "save the file as UTF-8 in your editor",
    };
    Diagnostic::error(
        Some(span),
        format!("the text is not UTF-8: the byte 0x{byte:02x} does not belong here"),
    )
    .label("not UTF-8 from here")
    .hint(hint)
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
        let reasons = match error {
            DefinitionError::Manifest {
                problems: found, ..
            } => found.iter().map(ToString::to_string).collect(),
            other => vec![other.to_string()],
        };
        for reason in reasons {
            // The reasons of this room end with their remedy.
            let (reason, remedy) = split_remedy(&reason);
            problems.push(
                Diagnostic::error(Some(entry.span.clone()), reason)
                    .path(format!("audio.{id}"))
                    .hint(remedy.unwrap_or("check the recording and its entry")),
            );
        }
    }
    (corpus, paths)
}
