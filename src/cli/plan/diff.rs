//! `earmark plan NEW --diff OLD`: what a change of the file adds and removes.

use super::totals::{bytes_of_all, longest};
use super::{diff_text, markdown};
use crate::cli::arguments::{PlanFormat, Selection};
use crate::cli::exit::Failure;
use crate::cli::load::{narrow, plan_of};
use crate::cli::saved::{keep, read_saved};
use crate::model::{AudioSource, Job, Plan, Source};
use crate::plan::{FieldChange, PlanChange};
use serde_json::{Map, Value as Json, json};
use std::path::{Path, PathBuf};

/// Two plans and what lies between them.
pub(super) struct Compared {
    pub(super) old: Plan,
    pub(super) new: Plan,
    pub(super) change: PlanChange,
}

/// Compares two plans or matrix files and returns the result as text.
pub(super) fn diff(
    old: &Path,
    new: &Path,
    selection: &Selection,
    format: PlanFormat,
) -> Result<String, Failure> {
    if !matches!(
        format,
        PlanFormat::Table | PlanFormat::Json | PlanFormat::Markdown
    ) {
        return Err(Failure::Usage(
            "--diff is shown with `--format table`, `json` or `markdown`".into(),
        ));
    }
    let (mut old, old_is_saved) = load(old, selection)?;
    let (mut new, new_is_saved) = load(new, selection)?;
    // Two checkouts of one repository lie in different folders and mean the same files. A saved
    // plan does not know its folder.
    if !old_is_saved && !new_is_saved {
        for (plan, folder) in [(&mut old.plan, old.folder), (&mut new.plan, new.folder)] {
            shorten_paths(plan, &folder);
        }
    }
    let change = PlanChange::between(&old.plan, &new.plan);
    let compared = Compared {
        old: old.plan,
        new: new.plan,
        change,
    };
    match format {
        PlanFormat::Json => {
            let text = serde_json::to_string_pretty(&document(&compared));
            Ok(text.map_err(Failure::internal)? + "\n")
        }
        PlanFormat::Markdown => Ok(markdown::diff(&compared)),
        _ => Ok(diff_text::text(&compared)),
    }
}

struct Loaded {
    plan: Plan,
    folder: PathBuf,
}

/// Reads a saved plan or plans a matrix. Returns whether it was saved.
fn load(path: &Path, selection: &Selection) -> Result<(Loaded, bool), Failure> {
    let saved = read_saved(path)?;
    let is_saved = saved.is_some();
    let plan = match saved {
        Some(mut plan) => {
            narrow(&mut plan, selection)?;
            plan
        }
        None => {
            let mut plan = plan_of(path, selection)?;
            keep(&mut plan);
            plan
        }
    };
    let absolute = std::path::absolute(path).map_err(Failure::internal)?;
    let folder = absolute.parent().map(Path::to_path_buf).unwrap_or_default();
    let folder = folder.canonicalize().unwrap_or(folder);
    Ok((Loaded { plan, folder }, is_saved))
}

/// Makes the paths of a plan relative to the folder of its matrix.
fn shorten_paths(plan: &mut Plan, folder: &Path) {
    let shorten = |path: &mut PathBuf| {
        if let Ok(rest) = path.strip_prefix(folder) {
            *path = rest.to_path_buf();
        }
    };
    let artifacts = plan
        .models
        .values_mut()
        .flat_map(|model| model.artifacts.values_mut());
    for source in artifacts.flat_map(|artifact| &mut artifact.sources) {
        if let Source::Path(path) = source {
            shorten(path);
        }
    }
    for recipe in plan.recipes.values_mut() {
        recipe.directory.iter_mut().for_each(shorten);
    }
    for backend in plan.backends.values_mut() {
        shorten(&mut backend.directory);
    }
    for audio in plan.audio.values_mut() {
        audio
            .manifest
            .iter_mut()
            .for_each(|file| shorten(&mut file.path));
        for utterance in &mut audio.utterances {
            if let AudioSource::File(path) = &mut utterance.source {
                shorten(path);
            }
        }
    }
}

/// Returns the comparison as one JSON document.
fn document(compared: &Compared) -> Json {
    let Compared { old, new, change } = compared;
    let head = |plan: &Plan| {
        json!({
            "name": plan.name,
            "digest": plan.digest,
            "combinations": plan.combinations.len(),
            "jobs": plan.jobs.len(),
            "bytes": bytes_of_all(plan),
            "longest_seconds": longest(plan).as_secs_f64(),
        })
    };
    let combinations = |plan: &Plan, positions: &[usize]| -> Vec<Json> {
        let one = |position: &usize| {
            let values = plan.values(*position).into_iter();
            let values = values.map(|(name, value)| (name.to_owned(), json!(value)));
            Json::Object(values.collect::<Map<_, _>>())
        };
        positions.iter().map(one).collect()
    };
    let job = |job: &Job| {
        json!({
            "id": job.id,
            "kind": job.kind,
            "stage": job.stage,
            "skip": job.skip,
            "spec": job.spec,
        })
    };
    let jobs = |plan: &Plan, positions: &[usize]| -> Vec<Json> {
        positions
            .iter()
            .filter_map(|position| plan.jobs.get(*position).map(job))
            .collect()
    };
    let changed: Vec<Json> = change
        .changed_jobs
        .iter()
        .filter_map(|changed| {
            let (was, is) = (old.jobs.get(changed.old)?, new.jobs.get(changed.new)?);
            Some(json!({
                "old": was.id,
                "new": is.id,
                "kind": is.kind,
                "stage": is.stage,
                "changes": fields(&changed.fields),
            }))
        })
        .collect();
    json!({
        "same": change.is_empty(),
        "old": head(old),
        "new": head(new),
        "combinations": {
            "added": combinations(new, &change.added_combinations),
            "removed": combinations(old, &change.removed_combinations),
            "kept": change.kept_combinations,
        },
        "jobs": {
            "added": jobs(new, &change.added_jobs),
            "removed": jobs(old, &change.removed_jobs),
            "changed": changed,
            "kept": change.kept_jobs,
        },
        "changes": fields(&change.fields),
    })
}

fn fields(list: &[FieldChange]) -> Vec<Json> {
    list.iter()
        .map(|field| json!({"path": field.path, "old": field.old, "new": field.new}))
        .collect()
}
