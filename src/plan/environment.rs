//! Values of the environment: named in the plan, filled in only when it is carried out.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{AudioSource, Plan, Source, fill_environment};
use std::path::{Path, PathBuf};

/// Finds the value of a variable.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Fills every `${env:NAME}` of a plan in: in sources, recordings and commands.
///
/// What comes of it is for carrying out only. What is written and shown is the plan as it was.
///
/// # Errors
///
/// Returns a diagnostic for each variable that is not set, and for each path that is not absolute
/// once it is filled in.
pub fn fill_plan(plan: &Plan, lookup: Lookup<'_>) -> Result<Plan, Diagnostics> {
    let mut filler = Filler {
        lookup,
        problems: Diagnostics::default(),
    };
    let mut plan = plan.clone();
    for model in plan.models.values_mut() {
        for source in model
            .artifacts
            .values_mut()
            .flat_map(|artifact| &mut artifact.sources)
        {
            match source {
                Source::Path(path) => filler.path(path),
                Source::Hub {
                    repository,
                    revision,
                    ..
                } => {
                    filler.text(repository);
                    filler.text(revision);
                }
                Source::Url(url) => filler.text(url),
                Source::Recipe(_) => {}
            }
        }
    }
    for utterance in plan
        .audio
        .values_mut()
        .flat_map(|audio| &mut audio.utterances)
    {
        if let AudioSource::File(path) = &mut utterance.source {
            filler.path(path);
        }
    }
    let recipes = plan.recipes.values_mut().map(|recipe| &mut recipe.command);
    let backends = plan
        .backends
        .values_mut()
        .flat_map(|backend| std::iter::once(&mut backend.command).chain(backend.version.as_mut()));
    for argument in recipes.chain(backends).flatten() {
        filler.text(argument);
    }
    if filler.problems.has_errors() {
        return Err(filler.problems);
    }
    Ok(plan)
}

/// Returns a path with its variables filled in.
///
/// # Errors
///
/// Returns the reason in words if one is not set, or the path is not absolute.
pub fn fill_path(path: &Path, lookup: Lookup<'_>) -> Result<PathBuf, String> {
    let Some(text) = path.to_str() else {
        return Ok(path.to_path_buf());
    };
    let filled = PathBuf::from(fill_environment(text, lookup)?);
    if filled.is_absolute() {
        Ok(filled)
    } else {
        Err(format!("`{text}` is no absolute path once it is filled in"))
    }
}

struct Filler<'a> {
    lookup: Lookup<'a>,
    problems: Diagnostics,
}

impl Filler<'_> {
    fn text(&mut self, text: &mut String) {
        match fill_environment(text, self.lookup) {
            Ok(filled) => *text = filled,
            Err(reason) => self.refuse(reason),
        }
    }

    fn path(&mut self, path: &mut PathBuf) {
        match fill_path(path, self.lookup) {
            Ok(filled) => *path = filled,
            Err(reason) => self.refuse(reason),
        }
    }

    fn refuse(&mut self, reason: String) {
        let told = |known: &Diagnostic| known.message == reason;
        if !self.problems.0.iter().any(told) {
            self.problems.push(
                Diagnostic::error(None, reason)
                    .hint("set it for this command; its value is not recorded"),
            );
        }
    }
}
