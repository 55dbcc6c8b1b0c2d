//! The jobs of a plan, gathered combination by combination: equal specs become one job.

use super::planner::Inputs;
use super::settings::runner_settings;
use crate::matrix::Matrix;
use crate::model::{
    Affects, Artifact, AudioDefinition, Availability, BenchmarkSpec, Combination, DownloadPolicy,
    DownloadSpec, EngineFacts, Job, JobId, JobSpec, Model, Recipe, Source, Stage, Value,
    VerifyMethod, VerifySpec,
};
use indexmap::IndexMap;
use std::collections::BTreeMap;

/// What the combinations made.
pub(super) struct Made {
    pub(super) jobs: Vec<Job>,
    pub(super) models: IndexMap<String, Model>,
    pub(super) recipes: IndexMap<String, Recipe>,
    pub(super) audio: IndexMap<String, AudioDefinition>,
    pub(super) engines: IndexMap<String, EngineFacts>,
}

/// The jobs so far.
pub(super) struct Jobs<'a> {
    matrix: &'a Matrix,
    inputs: &'a Inputs<'a>,
    before: IndexMap<JobId, Job>,
    downloads: IndexMap<JobId, Job>,
    after: IndexMap<JobId, Job>,
    benchmarks: IndexMap<JobId, Job>,
    /// For each recipe, the artifacts that are wanted of it.
    recipes: IndexMap<String, Vec<(String, String)>>,
    audio: IndexMap<String, AudioDefinition>,
    models: IndexMap<String, Model>,
    engines: IndexMap<String, EngineFacts>,
}

/// Settings of one combination, sorted out.
struct Chosen {
    settings: BTreeMap<String, Value>,
    load_settings: BTreeMap<String, Value>,
    measurement: BTreeMap<String, u32>,
    refused: Option<String>,
}

impl<'a> Jobs<'a> {
    pub(super) fn new(matrix: &'a Matrix, inputs: &'a Inputs<'a>) -> Self {
        let mut jobs = Self {
            matrix,
            inputs,
            before: IndexMap::new(),
            downloads: IndexMap::new(),
            after: IndexMap::new(),
            benchmarks: IndexMap::new(),
            recipes: IndexMap::new(),
            audio: IndexMap::new(),
            models: IndexMap::new(),
            engines: IndexMap::new(),
        };
        jobs.engines.extend(
            inputs
                .chosen
                .iter()
                .filter_map(|id| Some((id.clone(), inputs.engines.get(id)?.clone()))),
        );
        jobs
    }

    /// Adds what one combination asks for.
    pub(super) fn add(&mut self, position: usize, combination: Combination<'_>) {
        let text = |axis: &str| {
            combination
                .get(axis)
                .map_or("", |value| value.written.as_str())
        };
        let Some(engine) = self.inputs.engines.get(text("backend")) else {
            return;
        };
        let model_id = text("model");
        let model = self.inputs.catalog.models.get(model_id);
        let Some(audio) = self.inputs.corpus.definition(text("audio")) else {
            return;
        };
        let chosen = self.choose(combination, engine, &audio);
        let quantization = self.setting_value(combination, "quantization");
        let (quantization, artifact, missing_pair) =
            choose_artifact(engine, model, model_id, quantization.as_deref());
        let skip = chosen
            .refused
            .clone()
            .or(missing_pair)
            .or_else(|| match &engine.availability {
                Availability::Ready => None,
                Availability::Unavailable(reason) => Some(reason.clone()),
            })
            .or_else(|| language_skip(model, &audio, chosen.settings.get("language")));
        let count = |name: &str| chosen.measurement.get(name).copied().unwrap_or(1);
        let benchmark = Job::new(JobSpec::Benchmark(BenchmarkSpec {
            backend: engine.id.clone(),
            model: model_id.to_owned(),
            artifact: artifact.map(|artifact| artifact.id.clone()),
            quantization,
            audio: audio.id.clone(),
            settings: chosen.settings.clone(),
            warmup: count("warmup"),
            repeat: count("repeat"),
            launches: count("launches"),
        }));
        self.audio.insert(audio.id.clone(), audio);
        if let Some(model) = model {
            self.models
                .entry(model.id.clone())
                .or_insert_with(|| model.clone());
        }
        let benchmark_id = benchmark.id.clone();
        let needs = if skip.is_none() {
            self.add_checks(position, combination, &chosen, artifact)
        } else {
            Vec::new()
        };
        let entry = self.benchmarks.entry(benchmark_id).or_insert(benchmark);
        entry.skip = skip;
        entry.combinations.push(position);
        for need in needs {
            if !entry.needs.contains(&need) {
                entry.needs.push(need);
            }
        }
    }

    /// Adds the verifies and the download of a combination. Returns what the benchmark needs.
    fn add_checks(
        &mut self,
        position: usize,
        combination: Combination<'_>,
        chosen: &Chosen,
        artifact: Option<&Artifact>,
    ) -> Vec<JobId> {
        let method = self.inputs.verify_method.or_else(|| {
            combination
                .get("verify-method")
                .and_then(|value| value.written.parse().ok())
        });
        let method = method.unwrap_or(VerifyMethod::CacheCheck);
        let text = |axis: &str| {
            let value = combination.get(axis);
            value.map_or_else(String::new, |value| value.written.clone())
        };
        let asks_engine = matches!(method, VerifyMethod::Load | VerifyMethod::Transcribe);
        let verify = |stage| {
            Job::new(JobSpec::Verify(VerifySpec {
                stage,
                backend: text("backend"),
                model: text("model"),
                artifact: artifact.map(|artifact| artifact.id.clone()),
                method,
                settings: if asks_engine {
                    chosen.load_settings.clone()
                } else {
                    BTreeMap::new()
                },
            }))
        };
        let before = verify(Stage::Before);
        let mut after = verify(Stage::After);
        after.needs.push(before.id.clone());
        if let Some(download) = artifact.and_then(|artifact| self.download_of(artifact)) {
            let entry = self
                .downloads
                .entry(download.id.clone())
                .or_insert(download);
            push_new(&mut entry.needs, before.id.clone());
            push_new(&mut entry.combinations, position);
            after.needs.push(entry.id.clone());
        }
        let after_id = after.id.clone();
        for (job, map) in [(before, &mut self.before), (after, &mut self.after)] {
            let entry = map.entry(job.id.clone()).or_insert(job);
            push_new(&mut entry.combinations, position);
        }
        vec![after_id]
    }

    /// Returns the job that would fetch an artifact, if anything may be fetched and there is
    /// something to fetch it from. One run of a recipe serves all that is wanted of it.
    fn download_of(&mut self, artifact: &Artifact) -> Option<Job> {
        if self.matrix.download == DownloadPolicy::Never {
            return None;
        }
        let first = artifact
            .sources
            .iter()
            .find(|source| !matches!(source, Source::Path(_)))?
            .clone();
        let wanted = (artifact.model.clone(), artifact.id.clone());
        let spec = match first {
            Source::Recipe(recipe) => {
                push_new(self.recipes.entry(recipe.clone()).or_default(), wanted);
                // The list of what is wanted grows; it is filled in at the end.
                DownloadSpec {
                    recipe: Some(recipe),
                    artifacts: Vec::new(),
                }
            }
            _ => DownloadSpec {
                recipe: None,
                artifacts: vec![wanted],
            },
        };
        Some(Job::new(JobSpec::Download(spec)))
    }

    fn setting_value(&self, combination: Combination<'_>, name: &str) -> Option<String> {
        combination
            .get(name)
            .or_else(|| {
                let entry = self
                    .matrix
                    .settings
                    .iter()
                    .find(|entry| entry.name == name)?;
                Some(&entry.value.value)
            })
            .map(|value| value.written.clone())
    }

    /// Sorts out the settings of a combination: those of the engine without its defaults, those
    /// that affect loading, and the runner's own. What the engine refuses stays in the spec, so
    /// that the skipped job is not taken for the one that can run.
    fn choose(
        &self,
        combination: Combination<'_>,
        engine: &EngineFacts,
        audio: &AudioDefinition,
    ) -> Chosen {
        let mut chosen = Chosen {
            settings: BTreeMap::new(),
            load_settings: BTreeMap::new(),
            measurement: BTreeMap::new(),
            refused: None,
        };
        let own = combination.iter().map(|(name, value)| (name, value, true));
        let shared = self
            .matrix
            .settings
            .iter()
            .filter(|entry| combination.get(&entry.name).is_none())
            .map(|entry| (entry.name.as_str(), &entry.value.value, false));
        let runner = runner_settings();
        for declaration in &runner {
            let default = declaration
                .default
                .as_ref()
                .and_then(Value::as_integer)
                .unwrap_or(1);
            chosen
                .measurement
                .insert(declaration.name.clone(), to_count(default));
        }
        for (name, value, is_own) in own.chain(shared) {
            let is_other = crate::matrix::NAMED_AXES.contains(&name)
                || name == "quantization"
                || name.starts_with("tag.");
            if is_other {
                continue;
            }
            if let Some(declaration) = runner.iter().find(|known| known.name == name) {
                // What is refused has been told, and no plan is made of it.
                if let Ok(value) = declaration.accept(value) {
                    let count = to_count(value.as_integer().unwrap_or(1));
                    chosen.measurement.insert(name.to_owned(), count);
                }
                continue;
            }
            let Some(declaration) = engine.setting(name) else {
                if is_own {
                    let reason = format!("`{}` has no setting `{name}`", engine.id);
                    chosen.refused.get_or_insert(reason);
                    chosen.settings.insert(name.to_owned(), value.clone());
                }
                continue;
            };
            match declaration.accept(value) {
                Ok(value) => {
                    if declaration.default.as_ref() == Some(&value) {
                        continue;
                    }
                    if name == "language" && is_language_of_all(&value, audio) {
                        continue;
                    }
                    if declaration.affects == Affects::Load {
                        chosen.load_settings.insert(name.to_owned(), value.clone());
                    }
                    chosen.settings.insert(name.to_owned(), value);
                }
                Err(reason) => {
                    chosen
                        .refused
                        .get_or_insert(format!("`{}`: {reason}", engine.id));
                    chosen.settings.insert(name.to_owned(), value.clone());
                }
            }
        }
        chosen
    }

    /// Returns the jobs, needs before those who need them, and what they name.
    pub(super) fn finish(mut self) -> Made {
        let mut renamed: BTreeMap<JobId, JobId> = BTreeMap::new();
        let mut downloads = Vec::new();
        for (id, job) in std::mem::take(&mut self.downloads) {
            let JobSpec::Download(DownloadSpec {
                recipe: Some(recipe),
                ..
            }) = &job.spec
            else {
                downloads.push(job);
                continue;
            };
            let artifacts = self.recipes.get(recipe).cloned().unwrap_or_default();
            let spec = DownloadSpec {
                recipe: Some(recipe.clone()),
                artifacts,
            };
            let mut complete = Job::new(JobSpec::Download(spec));
            complete.needs = job.needs;
            complete.combinations = job.combinations;
            renamed.insert(id, complete.id.clone());
            downloads.push(complete);
        }
        let mut jobs: Vec<Job> = self.before.into_values().collect();
        jobs.extend(downloads);
        jobs.extend(self.after.into_values());
        jobs.extend(self.benchmarks.into_values());
        for job in &mut jobs {
            for need in &mut job.needs {
                if let Some(name) = renamed.get(need) {
                    *need = name.clone();
                }
            }
        }
        Made {
            jobs,
            models: self.models,
            recipes: self
                .recipes
                .keys()
                .filter_map(|id| Some((id.clone(), self.inputs.catalog.recipes.get(id)?.clone())))
                .collect(),
            audio: self.audio,
            engines: self.engines,
        }
    }
}

fn push_new<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

fn to_count(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(1)
}

/// Whether a language is the own one of every utterance, and so the default.
fn is_language_of_all(language: &Value, audio: &AudioDefinition) -> bool {
    audio
        .utterances
        .iter()
        .all(|utterance| utterance.language.as_ref() == Some(&language.written))
}

/// Returns the quantization, the artifact, and why there is none if there should be one.
fn choose_artifact<'m>(
    engine: &EngineFacts,
    model: Option<&'m Model>,
    model_id: &str,
    quantization: Option<&str>,
) -> (String, Option<&'m Artifact>, Option<String>) {
    let Some(default) = engine.artifacts.keys().next() else {
        return (quantization.unwrap_or("").to_owned(), None, None);
    };
    let quantization = quantization.unwrap_or(default);
    let Some(id) = engine.artifacts.get(quantization) else {
        let known: Vec<&str> = engine.artifacts.keys().map(String::as_str).collect();
        let reason = format!(
            "`{}` does not read `{quantization}`; it reads {}",
            engine.id,
            known.join(", ")
        );
        return (quantization.to_owned(), None, Some(reason));
    };
    match model.and_then(|model| model.artifacts.get(id)) {
        Some(artifact) => (quantization.to_owned(), Some(artifact), None),
        None => {
            let reason = format!("the catalog has no `{id}` of `{model_id}`");
            (quantization.to_owned(), None, Some(reason))
        }
    }
}

/// Why a model cannot do a recording's language, if it cannot.
fn language_skip(
    model: Option<&Model>,
    audio: &AudioDefinition,
    given: Option<&Value>,
) -> Option<String> {
    let model = model.filter(|model| !model.languages.is_empty())?;
    audio.utterances.iter().find_map(|utterance| {
        let language = given
            .map(|value| &value.written)
            .or(utterance.language.as_ref())?;
        (!model.languages.contains(language)).then(|| {
            format!(
                "`{}` knows only {}, and `{}` is in `{language}`",
                model.id,
                model.languages.join(", "),
                utterance.id
            )
        })
    })
}
