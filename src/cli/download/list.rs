//! `earmark download --list`: which models are known, what is here of them, what the rest costs.
//!
//! It looks at names and sizes on this machine: no network, no process, no content is read.

use super::disk::{Room, rooms};
use crate::catalog::Catalog;
use crate::cli::arguments::{Selection, TableFormat};
use crate::cli::catalogs::catalog_of;
use crate::cli::exit::{ExitStatus, Failure, print, tell_diagnostics};
use crate::cli::load::plan_of;
use crate::diagnostic::Diagnostics;
use crate::model::units::show_bytes;
use crate::model::{Artifact, JobSpec, Model, Plan, Source, Verdict, VerifyFinding};
use crate::store::{Store, find};
use crate::ui::Table;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;

pub(super) fn run(
    matrix: Option<&Path>,
    selection: &Selection,
    format: TableFormat,
) -> Result<ExitStatus, Failure> {
    let store = Store::from_environment(|name| std::env::var_os(name)).map_err(Failure::Usage)?;
    let listed: Vec<Listed> = match matrix {
        Some(matrix) => {
            let plan = plan_of(matrix, selection)?;
            of_plan(&plan)
                .into_iter()
                .map(|(model, artifact)| Listed::look(model, artifact, &store))
                .collect()
        }
        None => of_catalog(&catalog(selection)?)
            .into_iter()
            .map(|(model, artifact)| Listed::look(model, artifact, &store))
            .collect(),
    };
    let rooms = rooms(&store);
    let text = match format {
        TableFormat::Table => table(&listed, &rooms),
        TableFormat::Json => document(&listed, &rooms)?,
    };
    print(&text)?;
    Ok(ExitStatus::Success)
}

fn catalog(selection: &Selection) -> Result<Catalog, Failure> {
    let needs_plan = [
        (!selection.filter.is_empty(), "--filter"),
        (selection.verify_method.is_some(), "--verify-method"),
        (selection.strict, "--strict"),
    ];
    if let Some((_, option)) = needs_plan.iter().find(|(is_given, _)| *is_given) {
        return Err(Failure::Usage(format!(
            "{option} is about the jobs of a matrix: name one"
        )));
    }
    let mut problems = Diagnostics::default();
    let catalog = catalog_of(&selection.catalog, &mut problems)?;
    if problems.has_errors() {
        return Err(Failure::Input(problems));
    }
    tell_diagnostics(&problems);
    Ok(catalog)
}

fn of_catalog(catalog: &Catalog) -> Vec<(&Model, &Artifact)> {
    let mut all = Vec::new();
    for model in catalog.models.values() {
        all.extend(model.artifacts.values().map(|artifact| (model, artifact)));
    }
    all
}

/// Returns the artifacts that the benchmarks of a plan read, each once, in their order; those of
/// engines that cannot run here too.
fn of_plan(plan: &Plan) -> Vec<(&Model, &Artifact)> {
    let mut seen = BTreeSet::new();
    plan.jobs
        .iter()
        .filter_map(|job| match &job.spec {
            JobSpec::Benchmark(spec) => {
                let model = plan.models.get(spec.model.as_str())?;
                let artifact = model.artifacts.get(spec.artifact.as_deref()?)?;
                seen.insert((&model.id, &artifact.id))
                    .then_some((model, artifact))
            }
            _ => None,
        })
        .collect()
}

/// Looks for an artifact by names and sizes.
fn look(artifact: &Artifact, store: &Store) -> VerifyFinding {
    find(artifact, store).finding
}

/// What is still to be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cost {
    /// So many bytes.
    Bytes(u64),
    /// About so many.
    About(u64),
    /// Nobody knows before the repository is asked.
    Unknown,
}

/// An artifact with what was found of it.
struct Listed {
    model: String,
    parameters: Option<u64>,
    artifact: String,
    sources: Vec<Source>,
    state: String,
    reason: String,
    here: u64,
    cost: Cost,
}

impl Listed {
    fn look(model: &Model, artifact: &Artifact, store: &Store) -> Self {
        let finding = look(artifact, store);
        Self {
            model: model.id.clone(),
            parameters: model.parameters,
            artifact: artifact.id.clone(),
            sources: artifact.sources.clone(),
            state: state(&finding),
            here: finding.bytes_present,
            cost: cost(artifact, &finding),
            reason: finding.reason,
        }
    }
}

/// Names sources in a few words, in the order in which they are tried.
fn in_words(sources: &[Source]) -> String {
    let word = |source: &Source| match source {
        Source::Path(path) => path.display().to_string(),
        Source::Hub {
            repository,
            revision,
            ..
        } if revision == "main" => format!("hub {repository}"),
        Source::Hub {
            repository,
            revision,
            ..
        } => format!("hub {repository} at {revision}"),
        Source::Url(url) => format!("url {}", shortened(url)),
        Source::Recipe(recipe) => format!("recipe {recipe}"),
    };
    sources.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// Leaves out what lies between the host and the file of a URL.
fn shortened(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let file = rest.trim_end_matches('/').rsplit('/').next();
    match (rest.split_once('/'), file) {
        (Some((host, path)), Some(file)) if path.contains('/') => format!("{host}/…/{file}"),
        _ => rest.to_owned(),
    }
}

/// Returns a source in the form that a matrix writes it in.
fn as_written(source: &Source) -> serde_json::Value {
    match source {
        Source::Path(path) => json!({ "path": path }),
        Source::Hub {
            repository,
            revision,
            ..
        } => json!({ "hub": repository, "revision": revision }),
        Source::Url(url) => json!({ "url": url }),
        Source::Recipe(recipe) => json!({ "recipe": recipe }),
    }
}

fn state(finding: &VerifyFinding) -> String {
    match finding.verdict {
        Verdict::Complete => "here".into(),
        Verdict::Missing => "not here".into(),
        Verdict::Incomplete => {
            let whole = finding.files.iter();
            let whole = whole.filter(|file| file.verdict == "complete").count();
            format!("partial {whole} of {}", finding.files.len())
        }
        other => other.word().into(),
    }
}

/// Returns what is still to be fetched, from the first source that things are fetched from.
fn cost(artifact: &Artifact, finding: &VerifyFinding) -> Cost {
    let is_fetched = |source: &&Source| !matches!(source, Source::Path(_));
    let expected = match artifact.sources.iter().find(is_fetched) {
        Some(source) if artifact.names_all_files() => {
            let files = artifact.files_from(source);
            files.values().map(|file| file.bytes).sum()
        }
        _ => artifact.expected_bytes(),
    };
    let missing = |whole: u64| whole.saturating_sub(finding.bytes_present);
    match (finding.verdict, expected, artifact.approximate_bytes) {
        (Verdict::Complete, ..) => Cost::Bytes(0),
        // What is wrong is fetched anew.
        (Verdict::Corrupt, Some(bytes), _) => Cost::Bytes(bytes),
        (_, Some(bytes), _) => Cost::Bytes(missing(bytes)),
        (_, None, Some(bytes)) => Cost::About(missing(bytes)),
        (_, None, None) => Cost::Unknown,
    }
}

fn table(listed: &[Listed], rooms: &[Room]) -> String {
    if listed.is_empty() {
        return "no model is read: the engines of this matrix need none\n".into();
    }
    let mut table = Table::new(&["model", "artifact", "where", "state", "here", "to fetch"]);
    for column in [4, 5] {
        table.align_right(column);
        table.keep_whole(column);
    }
    table.keep_whole(0);
    for row in listed {
        table.row([
            row.model.clone(),
            row.artifact.clone(),
            in_words(&row.sources),
            row.state.clone(),
            show_some(row.here),
            match row.cost {
                Cost::Bytes(bytes) => show_some(bytes),
                Cost::About(bytes) => format!("~ {}", show_bytes(bytes)),
                Cost::Unknown => "?".into(),
            },
        ]);
    }
    let mut text = table.render() + "\n";
    text.push_str(&format!("\nto fetch all: {}\n", total(listed)));
    for room in rooms {
        let folders: Vec<String> = room
            .folders
            .iter()
            .map(|folder| crate::ui::printable(&folder.display().to_string()))
            .collect();
        text.push_str(&format!(
            "free: {} for {}\n",
            show_bytes(room.free),
            folders.join(" and ")
        ));
    }
    text
}

/// Returns bytes as text, and nothing for none, so that what there is can be seen.
fn show_some(bytes: u64) -> String {
    if bytes == 0 {
        String::new()
    } else {
        show_bytes(bytes)
    }
}

/// Returns in words what fetching everything that is not here brings.
fn total(listed: &[Listed]) -> String {
    let mut bytes = 0_u64;
    let mut about = false;
    let mut unknown = 0;
    for row in listed {
        match row.cost {
            Cost::Bytes(some) => bytes = bytes.saturating_add(some),
            Cost::About(some) => {
                bytes = bytes.saturating_add(some);
                about = true;
            }
            Cost::Unknown => unknown += 1,
        }
    }
    let mark = if about { "~ " } else { "" };
    let mut text = format!("{mark}{}", show_bytes(bytes));
    if unknown > 0 {
        text.push_str(&format!(", and {unknown} of a size that is not known"));
    }
    text
}

fn document(listed: &[Listed], rooms: &[Room]) -> Result<String, Failure> {
    let artifacts: Vec<serde_json::Value> = listed
        .iter()
        .map(|row| {
            let (to_fetch, approximate) = match row.cost {
                Cost::Bytes(bytes) => (Some(bytes), false),
                Cost::About(bytes) => (Some(bytes), true),
                Cost::Unknown => (None, false),
            };
            json!({
                "model": row.model,
                "parameters": row.parameters,
                "artifact": row.artifact,
                "sources": row.sources.iter().map(as_written).collect::<Vec<_>>(),
                "state": row.state,
                "reason": row.reason,
                "bytes_present": row.here,
                "bytes_to_fetch": to_fetch,
                "approximate": approximate,
            })
        })
        .collect();
    let text = serde_json::to_string_pretty(&json!({ "artifacts": artifacts, "free": rooms }));
    Ok(text.map_err(Failure::internal)? + "\n")
}
