//! What is measured against itself.

use crate::catalog::Catalog;
use crate::cli::arguments::{CalibrateArguments, Selection};
use crate::cli::exit::Failure;
use crate::cli::load::{plan_of, plan_of_text};
use crate::cli::run::store_here;
use crate::engine;
use crate::model::{Availability, DownloadPolicy, EngineFacts, Job, JobSpec, Model, Plan};
use crate::plan::seal;
use crate::store::{Store, find};
use serde_json::json;
use std::collections::BTreeSet;

/// The recording that is heard without a matrix.
const AUDIO: &str = "jfk";

/// Returns the plan of what is measured: the benchmarks of a matrix, or a small one of what is
/// here, each in so many launches and without gates.
///
/// # Errors
///
/// Fails if the matrix has mistakes, or nothing is here to be measured.
pub(super) fn plan(arguments: &CalibrateArguments, launches: u32) -> Result<Plan, Failure> {
    let mut plan = match &arguments.matrix {
        Some(matrix) => plan_of(matrix, &arguments.selection)?,
        None => {
            let selection = Selection {
                download: Some(DownloadPolicy::Never),
                ..arguments.selection.clone()
            };
            plan_of_text(matrix(arguments)?, &selection)?
        }
    };
    relaunch(&mut plan, launches);
    if !plan.jobs.iter().any(is_measured) {
        return Err(Failure::Usage(
            "the matrix measures nothing here; `earmark plan MATRIX --why` says what keeps it from \
             it"
            .into(),
        ));
    }
    Ok(plan)
}

fn is_measured(job: &Job) -> bool {
    matches!(job.spec, JobSpec::Benchmark(_)) && job.skip.is_none()
}

/// Spreads every benchmark over so many launches. What differed in nothing else becomes one job.
fn relaunch(plan: &mut Plan, launches: u32) {
    let mut seen = BTreeSet::new();
    let jobs = std::mem::take(&mut plan.jobs).into_iter();
    plan.jobs = jobs
        .map(|job| match job.spec {
            JobSpec::Benchmark(mut spec) => {
                spec.launches = launches;
                Job {
                    needs: job.needs,
                    combinations: job.combinations,
                    skip: job.skip,
                    expected_seconds: job.expected_seconds,
                    ..Job::new(JobSpec::Benchmark(spec))
                }
            }
            _ => job,
        })
        .filter(|job| seen.insert(job.id.clone()))
        .collect();
    plan.gates.clear();
    plan.name = format!("calibrate-{}", plan.name);
    seal(plan);
}

/// Returns a matrix of one benchmark: the engine that was named, or the first that is ready and
/// whose smallest model is here.
fn matrix(arguments: &CalibrateArguments) -> Result<String, Failure> {
    let (backend, model) = chosen(arguments)?;
    let matrix = json!({
        "version": 1,
        "name": backend,
        "description": "A against A: how small a change can be seen here?",
        "matrix": {
            "backend": backend,
            "model": model,
            "audio": AUDIO,
            "verify-method": "cache-check",
        },
        "settings": { "warmup": 1, "repeat": arguments.repeat },
    });
    // JSON is YAML.
    Ok(matrix.to_string())
}

fn chosen(arguments: &CalibrateArguments) -> Result<(String, String), Failure> {
    let catalog = Catalog::builtin().map_err(|problems| {
        Failure::internal(format!("the built-in catalog is broken: {problems}"))
    })?;
    let store = store_here()?;
    let named = arguments.backend.as_deref();
    let engines = engine::facts();
    let mut candidates = engines.values().filter(|facts| match named {
        Some(name) => facts.id == name,
        None => facts.availability == Availability::Ready && !facts.synthetic,
    });
    let found = candidates.find_map(|facts| {
        let model = match &arguments.model {
            Some(model) => model.clone(),
            None if facts.any_model => "tiny.en".to_owned(),
            None => smallest_here(facts, &catalog, &store)?,
        };
        Some((facts.id.clone(), model))
    });
    found.ok_or_else(|| {
        Failure::Usage(match named {
            Some(name) if !engines.contains_key(name) => {
                format!("there is no engine `{name}`; `earmark engines` lists them")
            }
            Some(name) => format!(
                "no model that {name} reads is here; `earmark download MATRIX` fetches what a matrix \
                 names, and --model names one"
            ),
            None => "no engine is ready with a model that is here; `earmark engines` and `earmark \
                     download --list` say what there is, and `--backend fake` tries this without"
                .to_owned(),
        })
    })
}

/// Returns the smallest model that an engine reads in its own quantization and that is here.
fn smallest_here(facts: &EngineFacts, catalog: &Catalog, store: &Store) -> Option<String> {
    let (_, artifact) = facts.artifacts.first()?;
    let is_here = |model: &&Model| {
        let artifact = model.artifacts.get(artifact);
        artifact.is_some_and(|artifact| find(artifact, store).is_complete())
    };
    let models = catalog.models.values().filter(is_here);
    models
        .min_by_key(|model| model.size)
        .map(|model| model.id.clone())
}
