//! The jobs of a plan: what combinations ask for, equal specs once, and what has to be there first.

mod artifact;
mod distinct;
mod meaning;

use super::expected::expected_seconds;
use super::planner::Inputs;
use super::requirements::of_benchmark;
use crate::matrix::Matrix;
use crate::model::{
    Adaptive, Artifact, AudioDefinition, Availability, BenchmarkSpec, ChosenSettings, Combinations,
    DownloadPolicy, DownloadSpec, EngineFacts, Job, JobId, JobSpec, Model, Recipe, Source, Stage,
    Text, VerifyMethod, VerifySpec,
};
use artifact::{choose_artifact, language_skip};
use distinct::{Distinct, Key, distinct};
use indexmap::{IndexMap, IndexSet};
use meaning::{METHODS, Meanings, Repeat, method_number};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, HashMap};

/// What the combinations made.
pub(super) struct Made {
    pub(super) jobs: Vec<Job>,
    pub(super) models: IndexMap<String, Model>,
    pub(super) recipes: IndexMap<String, Recipe>,
    pub(super) audio: IndexMap<String, AudioDefinition>,
    pub(super) engines: IndexMap<String, EngineFacts>,
}

/// Returns the jobs that combinations ask for, needs before those who need them, and what they name.
pub(super) fn jobs(matrix: &Matrix, inputs: &Inputs<'_>, combinations: &Combinations) -> Made {
    let meanings = Meanings::new(matrix, inputs, combinations);
    let found = distinct(&meanings, combinations);
    let mut benchmarks: Vec<Job> = (0..found.len())
        .into_par_iter()
        .with_min_len(1024)
        .map(|job| {
            benchmark(
                found.key(job),
                found.counts[job] as usize,
                &meanings,
                inputs,
            )
        })
        .collect();
    let mut checks = Checks::new(matrix, inputs, &meanings);
    let bases = checks.bases(&benchmarks, &found);
    for (position, job) in found.job_of.iter().enumerate() {
        let Some(benchmark) = benchmarks.get_mut(*job as usize) else {
            continue;
        };
        benchmark.combinations.push(position);
        if benchmark.skip.is_some() {
            continue;
        }
        let engine = meanings.engines[found.key(*job as usize).asked().engine as usize];
        let method = inputs.verify_method.map_or_else(
            || meanings.method(combinations.row(position)),
            method_number,
        );
        let method = method_of(engine, method);
        let after = checks.ask(position, &bases[*job as usize], method);
        if !benchmark.needs.contains(after) {
            // Nearly all need one; the room that a list makes for more would be lost a million times.
            benchmark.needs.reserve_exact(1);
            benchmark.needs.push(after.clone());
        }
    }
    let mut made = Made {
        jobs: Vec::new(),
        models: IndexMap::new(),
        recipes: IndexMap::new(),
        audio: IndexMap::new(),
        engines: (inputs.chosen.iter())
            .filter_map(|id| Some((id.clone(), inputs.engines.get(id)?.clone())))
            .collect(),
    };
    let mut named = vec![(false, false); meanings.audio.len().max(meanings.texts.len())];
    for job in 0..found.len() {
        let asked = found.key(job).asked();
        if !std::mem::replace(&mut named[asked.audio as usize].0, true) {
            let audio = &meanings.audio[asked.audio as usize];
            made.audio.insert(audio.id.clone(), audio.clone());
        }
        if !std::mem::replace(&mut named[asked.model as usize].1, true) {
            let id = meanings.texts[asked.model as usize].as_str();
            if let Some(model) = inputs.catalog.models.get(id) {
                made.models.insert(id.to_owned(), model.clone());
            }
        }
    }
    made.recipes = (checks.recipes.keys().chain(&checks.later_recipes))
        .filter_map(|id| Some((id.clone(), inputs.catalog.recipes.get(id)?.clone())))
        .collect();
    let first = checks.finish();
    // In place: a second list of a million jobs would be the largest thing here.
    benchmarks.reserve_exact(first.len());
    benchmarks.splice(0..0, first);
    made.jobs = benchmarks;
    made
}

/// Returns how an engine is asked, by the number of the method. A command loads a model only to
/// transcribe with it, so what would have it load looks at the files.
fn method_of(engine: &EngineFacts, method: u32) -> u32 {
    match METHODS.get(method as usize) {
        Some(VerifyMethod::Load | VerifyMethod::Transcribe) if engine.command => {
            method_number(VerifyMethod::CacheCheck)
        }
        _ => method,
    }
}

fn settings_of(key: Key<'_>, meanings: &Meanings<'_>, load_only: bool) -> ChosenSettings {
    let chosen = key
        .settings(meanings)
        .filter(|number| !load_only || meanings.affects_load[*number as usize])
        .map(|number| meanings.settings[number as usize].clone());
    ChosenSettings::new(chosen.collect())
}

/// Why a command cannot be filled in, if a setting that it names has no value.
fn missing_setting(engine: &EngineFacts, settings: &ChosenSettings) -> Option<String> {
    let missing = engine
        .needed_settings()
        .find(|name| settings.get(name).is_none())?;
    Some(format!(
        "`{}` names `settings.{missing}` in its command, and nothing gives it a value: write \
         `{missing}` under `settings:` or as an axis",
        engine.id
    ))
}

/// Why a rule cannot be kept, if one trial in each launch is more than it allows.
fn too_many_launches(adaptive: Option<Adaptive>, launches: u32) -> Option<String> {
    let rule = adaptive.filter(|rule| rule.most_sets(launches) == 0)?;
    Some(format!(
        "`repeat` allows at most {} trials, and {launches} launches have {} at least: write a larger \
         `max`, or fewer `launches`",
        rule.max,
        launches.saturating_mul(rule.trials_in_launch(launches))
    ))
}

/// Makes a benchmark. What it needs, and who asks for it, is filled in later.
fn benchmark(
    key: Key<'_>,
    combinations: usize,
    meanings: &Meanings<'_>,
    inputs: &Inputs<'_>,
) -> Job {
    let asked = key.asked();
    let engine = meanings.engines[asked.engine as usize];
    let model_id = &meanings.texts[asked.model as usize];
    let quantization = &meanings.texts[asked.quantization as usize];
    let audio = &meanings.audio[asked.audio as usize];
    let model = inputs.catalog.models.get(model_id.as_str());
    let settings = settings_of(key, meanings, false);
    let artifact = choose_artifact(engine, model, model_id, quantization);
    let counts = key.counts(meanings);
    let count = |position: usize| counts.get(position).copied().unwrap_or(1);
    let launches = count(2);
    let (repeat, adaptive) = match meanings.repeat(count(1)) {
        Repeat::Fixed(repeat) => (repeat, None),
        Repeat::Until(rule) => (rule.trials_in_launch(launches), Some(rule)),
    };
    let refused = key
        .settings(meanings)
        .find_map(|number| meanings.refusals.get(&(asked.engine as usize, number)));
    let skip = refused
        .cloned()
        .or_else(|| artifact.as_ref().err().cloned())
        .or_else(|| match &engine.availability {
            Availability::Ready => None,
            Availability::Unavailable(reason) => Some(reason.clone()),
        })
        .or_else(|| missing_setting(engine, &settings))
        .or_else(|| language_skip(model, audio, settings.get("language")))
        .or_else(|| too_many_launches(adaptive, launches));
    let spec = BenchmarkSpec {
        backend: meanings.engine_ids[asked.engine as usize].clone(),
        model: model_id.clone(),
        artifact: (artifact.ok().flatten()).map(|artifact| meanings.artifact_id(&artifact.id)),
        quantization: quantization.clone(),
        audio: meanings.audio_ids[asked.audio as usize].clone(),
        settings,
        warmup: count(0),
        repeat,
        launches,
        adaptive,
    };
    let skip = skip.or_else(|| of_benchmark(&spec, Some(engine), model).err());
    let expected = skip.is_none().then(|| {
        let length = meanings.lengths[asked.audio as usize];
        expected_seconds(&spec, engine, model.map(|model| model.size), length)
    });
    let mut job = Job::new(JobSpec::Benchmark(spec));
    job.skip = skip;
    job.expected_seconds = expected;
    job.combinations.reserve_exact(combinations);
    job
}

/// The two verifies of one question, by their positions, and the download between them.
struct Pair {
    before: usize,
    after: usize,
    download: Option<usize>,
}

/// What a benchmark asks of its model: without and with the settings that affect loading.
#[derive(Clone, Copy, Default)]
struct Bases {
    plain: usize,
    loading: usize,
}

/// A question about a model, but for the method.
struct Base<'a> {
    engine: &'a EngineFacts,
    model: Text,
    artifact: Option<&'a Artifact>,
    settings: ChosenSettings,
    /// What was made of it, by the number of the method.
    pairs: [Option<usize>; METHODS.len()],
}

/// Numbers in a question without settings: engine, model and quantization.
const PLAIN: usize = 3;

/// Questions that were asked already. The last one is most often asked again.
#[derive(Default)]
struct Questions {
    known: FxHashMap<Vec<u32>, usize>,
    last: Option<(Vec<u32>, usize)>,
}

impl Questions {
    fn find(&mut self, question: &[u32]) -> Option<usize> {
        if let Some((last, base)) = &self.last
            && last == question
        {
            return Some(*base);
        }
        let base = *self.known.get(question)?;
        self.last = Some((question.to_vec(), base));
        Some(base)
    }

    fn add(&mut self, question: &[u32], base: usize) {
        self.known.insert(question.to_vec(), base);
        self.last = Some((question.to_vec(), base));
    }
}

/// The verifies and downloads so far.
struct Checks<'a> {
    matrix: &'a Matrix,
    inputs: &'a Inputs<'a>,
    meanings: &'a Meanings<'a>,
    bases: Vec<Base<'a>>,
    pairs: Vec<Pair>,
    /// The pair of each first verify that was made.
    made: HashMap<JobId, usize>,
    before: Vec<Job>,
    downloads: IndexMap<JobId, Job>,
    after: Vec<Job>,
    /// For each recipe, the artifacts that are wanted of it.
    recipes: IndexMap<String, Vec<(String, String)>>,
    /// Recipes that are run if sources before them fail.
    later_recipes: IndexSet<String>,
}

impl<'a> Checks<'a> {
    fn new(matrix: &'a Matrix, inputs: &'a Inputs<'a>, meanings: &'a Meanings<'a>) -> Self {
        Self {
            matrix,
            inputs,
            meanings,
            bases: Vec::new(),
            pairs: Vec::new(),
            made: HashMap::new(),
            before: Vec::new(),
            downloads: IndexMap::new(),
            after: Vec::new(),
            recipes: IndexMap::new(),
            later_recipes: IndexSet::new(),
        }
    }

    /// Returns for each benchmark what it asks of its model. Those that cannot run ask nothing.
    fn bases(&mut self, benchmarks: &[Job], found: &Distinct) -> Vec<Bases> {
        let mut plain = Questions::default();
        let mut loading = Questions::default();
        let mut scratch = Vec::new();
        let mut all = vec![Bases::default(); benchmarks.len()];
        for (job, bases) in all.iter_mut().enumerate() {
            if benchmarks[job].skip.is_some() {
                continue;
            }
            let key = found.key(job);
            let asked = key.asked();
            scratch.clear();
            scratch.extend([asked.engine, asked.model, asked.quantization]);
            bases.plain = self.base(&scratch, key, true, &mut plain);
            scratch.extend(
                key.settings(self.meanings)
                    .filter(|number| self.meanings.affects_load[*number as usize]),
            );
            bases.loading = if scratch.len() == PLAIN {
                bases.plain
            } else {
                self.base(&scratch, key, false, &mut loading)
            };
        }
        all
    }

    fn base(
        &mut self,
        question: &[u32],
        key: Key<'_>,
        plain: bool,
        questions: &mut Questions,
    ) -> usize {
        if let Some(base) = questions.find(question) {
            return base;
        }
        let asked = key.asked();
        let engine = self.meanings.engines[asked.engine as usize];
        let model = self.meanings.texts[asked.model as usize].clone();
        let quantization = &self.meanings.texts[asked.quantization as usize];
        let known_model = self.inputs.catalog.models.get(model.as_str());
        let artifact = choose_artifact(engine, known_model, &model, quantization);
        self.bases.push(Base {
            engine,
            model,
            artifact: artifact.ok().flatten(),
            settings: if plain {
                ChosenSettings::default()
            } else {
                settings_of(key, self.meanings, true)
            },
            pairs: [None; METHODS.len()],
        });
        questions.add(question, self.bases.len() - 1);
        self.bases.len() - 1
    }

    /// Adds that a combination asks by a method. Returns the verify that its benchmark waits for.
    fn ask(&mut self, position: usize, bases: &Bases, method: u32) -> &JobId {
        let method = method as usize;
        let loads = matches!(
            METHODS[method],
            VerifyMethod::Load | VerifyMethod::Transcribe
        );
        let base = if loads { bases.loading } else { bases.plain };
        let pair = match self.bases[base].pairs[method] {
            Some(pair) => pair,
            None => self.make(base, method),
        };
        let pair = &self.pairs[pair];
        self.before[pair.before].combinations.push(position);
        self.after[pair.after].combinations.push(position);
        if let Some(download) = pair.download {
            let asking = &mut self.downloads[download].combinations;
            if asking.last() != Some(&position) {
                asking.push(position);
            }
        }
        &self.after[pair.after].id
    }

    fn make(&mut self, base: usize, method: usize) -> usize {
        let asked = &self.bases[base];
        let verify = |stage| {
            Job::new(JobSpec::Verify(VerifySpec {
                stage,
                backend: asked.engine.id.as_str().into(),
                model: asked.model.clone(),
                artifact: asked.artifact.map(|artifact| artifact.id.as_str().into()),
                method: METHODS[method],
                settings: asked.settings.clone(),
            }))
        };
        let before = verify(Stage::Before);
        let mut after = verify(Stage::After);
        let artifact = asked.artifact;
        // Two quantizations may read one artifact, and then they ask one question.
        let pair = if let Some(same) = self.made.get(&before.id) {
            let same = &self.pairs[*same];
            Pair {
                before: same.before,
                after: same.after,
                download: same.download,
            }
        } else {
            self.made.insert(before.id.clone(), self.pairs.len());
            after.needs.push(before.id.clone());
            let download = artifact.and_then(|artifact| self.download_of(artifact));
            let download = download.map(|download| {
                let entry = self.downloads.entry(download.id.clone());
                let position = entry.index();
                let job = entry.or_insert(download);
                if !job.needs.contains(&before.id) {
                    job.needs.push(before.id.clone());
                }
                after.needs.push(job.id.clone());
                position
            });
            self.before.push(before);
            self.after.push(after);
            Pair {
                before: self.before.len() - 1,
                after: self.after.len() - 1,
                download,
            }
        };
        self.pairs.push(pair);
        self.bases[base].pairs[method] = Some(self.pairs.len() - 1);
        self.pairs.len() - 1
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
            .find(|source| !matches!(source, Source::Path(_)))?;
        for source in &artifact.sources {
            if let Source::Recipe(recipe) = source {
                self.later_recipes.insert(recipe.clone());
            }
        }
        let wanted = (artifact.model.clone(), artifact.id.clone());
        let spec = match first {
            Source::Recipe(recipe) => {
                let all = self.recipes.entry(recipe.clone()).or_default();
                if !all.contains(&wanted) {
                    all.push(wanted);
                }
                // The list of what is wanted grows; it is filled in at the end.
                DownloadSpec {
                    recipe: Some(recipe.clone()),
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

    /// Returns the verifies and downloads, needs before those who need them.
    fn finish(mut self) -> Vec<Job> {
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
            let spec = DownloadSpec {
                recipe: Some(recipe.clone()),
                artifacts: self.recipes.get(recipe).cloned().unwrap_or_default(),
            };
            let mut complete = Job::new(JobSpec::Download(spec));
            complete.needs = job.needs;
            complete.combinations = job.combinations;
            renamed.insert(id, complete.id.clone());
            downloads.push(complete);
        }
        for need in self.after.iter_mut().flat_map(|job| &mut job.needs) {
            if let Some(name) = renamed.get(need) {
                *need = name.clone();
            }
        }
        let mut jobs = self.before;
        jobs.append(&mut downloads);
        jobs.append(&mut self.after);
        jobs
    }
}
