//! Everything of a plan that is neither combination nor job, under the names that a matrix file
//! has for it.

use super::change::FieldChange;
use crate::model::{AudioSource, Plan};
use serde_json::{Value as Json, json};

/// Returns limits, policies, gates and definitions of a plan.
pub(super) fn definitions(plan: &Plan) -> Json {
    let deadlines = &plan.deadlines;
    let seconds = |duration: std::time::Duration| Json::from(duration.as_secs_f64());
    let overrides: Vec<Json> = deadlines
        .overrides
        .iter()
        .map(|entry| {
            let limits = [
                ("start", entry.start),
                ("verify", entry.verify),
                ("load", entry.load),
                ("benchmark", entry.benchmark),
                ("job", entry.job),
            ];
            let names = [("backend", &entry.backend), ("model", &entry.model)];
            let names = names
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), Json::from(value.clone()?))));
            let limits = limits
                .into_iter()
                .filter_map(|(name, limit)| Some((name.to_owned(), seconds(limit?))));
            Json::Object(names.chain(limits).collect())
        })
        .collect();
    let verify = deadlines.verify;
    json!({
        "name": plan.name,
        "description": plan.description,
        "axes": plan.axes,
        "deadlines": {
            "start": seconds(deadlines.start),
            "verify": {
                "tiny": seconds(verify.tiny),
                "base": seconds(verify.base),
                "small": seconds(verify.small),
                "medium": seconds(verify.medium),
                "large": seconds(verify.large),
            },
            "load": seconds(deadlines.load),
            "benchmark": {
                "floor": seconds(deadlines.benchmark_floor),
                "per-audio-second": seconds(deadlines.benchmark_per_audio_second),
            },
            "download": {
                "stall": seconds(deadlines.download_stall),
                "total": seconds(deadlines.download_total),
            },
            "job": deadlines.job.map(seconds),
            "grace": seconds(deadlines.grace),
            "slow": deadlines.slow,
            "overrides": overrides,
        },
        "order": plan.order,
        "seed": plan.seed,
        "isolation": plan.isolation,
        "download": plan.download,
        "verify-policy": plan.verify_policy,
        "quiet": plan.quiet,
        "retries": plan.retries,
        "pin-cpus": plan.pin_cpus,
        "score": {"normalizers": plan.normalizers},
        "gates": plan.gates,
        "models": plan.models,
        "recipes": plan.recipes,
        "audio": plan.audio,
        "backends": plan.backends,
        "engines": plan
            .engines
            .iter()
            .map(|(id, facts)| {
                let known = json!({"version": facts.version, "availability": facts.availability});
                (id.clone(), known)
            })
            .collect::<serde_json::Map<_, _>>(),
    })
}

/// Returns whether a change is worth telling: that a built-in definition is named now, or is not
/// any more, is told by the jobs already.
pub(super) fn is_worth_telling(field: &FieldChange, old: &Plan, new: &Plan) -> bool {
    let Some((section, id)) = field.path.split_once('.') else {
        return true;
    };
    // Only the path of a whole entry ends in its id.
    let is_built_in = |plan: &Plan| match section {
        "engines" => plan.engines.contains_key(id),
        "models" => plan
            .models
            .get(id)
            .is_some_and(|model| model.artifacts.values().all(|artifact| artifact.built_in)),
        "recipes" => plan
            .recipes
            .get(id)
            .is_some_and(|recipe| recipe.directory.is_none()),
        "audio" => plan.audio.get(id).is_some_and(|audio| {
            audio
                .utterances
                .iter()
                .all(|utterance| matches!(utterance.source, AudioSource::Builtin(_)))
        }),
        _ => false,
    };
    let comes_or_goes = field.old.is_none() != field.new.is_none();
    !(comes_or_goes && (is_built_in(old) || is_built_in(new)))
}
