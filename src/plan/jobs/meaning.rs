//! What each value of a combination means for each engine, worked out once for each value and not
//! once for each combination.

use super::super::expected::Length;
use super::super::planner::Inputs;
use super::super::settings::{requires_setting, runner_settings};
use crate::matrix::{Matrix, NAMED_AXES};
use crate::model::{
    Adaptive, Affects, AudioDefinition, ChosenSetting, Combinations, EngineFacts, REQUIRES,
    SettingDeclaration, Text, Value, VerifyMethod,
};
use indexmap::IndexMap;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// What the value of a setting means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The engine's default, or nothing to this engine.
    Nothing,
    /// A setting, by its number.
    Setting(u32),
    /// One of the runner's own counts.
    Count(u32),
}

/// A name under which combinations or `settings:` may have a value.
pub(super) struct SettingName {
    /// The column, if combinations have one.
    pub(super) column: Option<usize>,
    /// Which of the runner's counts it is.
    pub(super) count: Option<usize>,
    /// For each engine, what each number of the column means.
    cells: Vec<Vec<Meaning>>,
    /// For each engine, what it means that a combination has none.
    absent: Vec<Meaning>,
    is_language: bool,
}

impl SettingName {
    /// Returns what a combination's cell means for an engine.
    pub(super) fn meaning(&self, engine: usize, row: &[u32]) -> Meaning {
        self.column
            .and_then(|column| self.cells[engine].get(row[column] as usize))
            .copied()
            .unwrap_or(self.absent[engine])
    }
}

/// How often a benchmark is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Repeat {
    /// So often in each launch.
    Fixed(u32),
    /// Until a rule ends it.
    Until(Adaptive),
}

/// From this count on, what is left is the number of a rule. No count is so large.
const FIRST_RULE: u32 = 1 << 31;

/// Everything that can be known before combinations are looked at.
pub(super) struct Meanings<'a> {
    /// The engines, by number.
    pub(super) engines: Vec<&'a EngineFacts>,
    /// Names of settings, sorted.
    pub(super) names: Vec<SettingName>,
    /// The settings that specs name, by number.
    pub(super) settings: Vec<Arc<ChosenSetting>>,
    /// Which of them affect loading.
    pub(super) affects_load: Vec<bool>,
    /// Why an engine refuses a setting.
    pub(super) refusals: FxHashMap<(usize, u32), String>,
    /// Ids of the engines, by number.
    pub(super) engine_ids: Vec<Text>,
    /// Ids of the recordings, by number.
    pub(super) audio_ids: Vec<Text>,
    /// Ids of artifacts that engines read.
    artifacts: FxHashMap<String, Text>,
    /// Models and quantizations, by number.
    pub(super) texts: Vec<Text>,
    /// Recordings, by number.
    pub(super) audio: Vec<AudioDefinition>,
    /// How long each of them is.
    pub(super) lengths: Vec<Length>,
    /// Defaults of the runner's counts.
    pub(super) counts: Vec<u32>,
    /// The rules that stand in the place of a count.
    rules: Vec<Adaptive>,
    default_languages: FxHashSet<(u32, u32)>,
    backend: Cells,
    model: Cells,
    recording: Cells,
    method: Cells,
    quantization: Option<usize>,
    /// For each engine and number of the column, the number of the text; the last is for none.
    quantizations: Vec<Vec<u32>>,
}

/// A column of ids, with what each of its numbers stands for.
struct Cells {
    column: Option<usize>,
    stands_for: Vec<Option<u32>>,
}

impl Cells {
    fn get(&self, row: &[u32]) -> Option<u32> {
        let number = *row.get(self.column?)?;
        self.stands_for.get(number as usize).copied().flatten()
    }
}

/// What a combination asks for, apart from its settings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) engine: u32,
    pub(super) model: u32,
    pub(super) quantization: u32,
    pub(super) audio: u32,
}

struct Builder {
    settings: Vec<Arc<ChosenSetting>>,
    affects_load: Vec<bool>,
    refusals: FxHashMap<(usize, u32), String>,
    setting_numbers: FxHashMap<String, u32>,
    rules: Vec<Adaptive>,
    texts: Vec<Text>,
    text_numbers: FxHashMap<String, u32>,
}

impl Builder {
    fn text(&mut self, text: &str) -> u32 {
        if let Some(number) = self.text_numbers.get(text) {
            return *number;
        }
        let number = count(self.texts.len());
        self.texts.push(text.into());
        self.text_numbers.insert(text.to_owned(), number);
        number
    }

    fn setting(&mut self, name: &str, value: Value, affects_load: bool) -> u32 {
        let json = serde_json::to_string(&value).unwrap_or_default();
        let key = format!("{name}\0{json}\0{affects_load}");
        if let Some(number) = self.setting_numbers.get(&key) {
            return *number;
        }
        let number = count(self.settings.len());
        self.settings.push(Arc::new(ChosenSetting {
            name: name.into(),
            value,
        }));
        self.affects_load.push(affects_load);
        self.setting_numbers.insert(key, number);
        number
    }

    /// Returns the number by which a rule stands in the place of a count.
    fn rule(&mut self, rule: Adaptive) -> u32 {
        let known = self.rules.iter().position(|known| *known == rule);
        let number = known.unwrap_or_else(|| {
            self.rules.push(rule);
            self.rules.len() - 1
        });
        FIRST_RULE + count(number)
    }

    fn refuse(&mut self, engine: usize, name: &str, value: &Value, reason: String) -> Meaning {
        // It stays in the spec, so that the skipped job is not taken for one that can run.
        let number = self.setting(name, value.clone(), false);
        self.refusals.insert((engine, number), reason);
        Meaning::Setting(number)
    }

    /// Works out a value. `own` tells whether the combination has it, and not only `settings:`.
    fn meaning(
        &mut self,
        (number, engine): (usize, &EngineFacts),
        runner: Option<&SettingDeclaration>,
        name: &str,
        value: &Value,
        own: bool,
    ) -> Meaning {
        if let Some(declaration) = runner {
            // What is refused has been told, and no plan is made of it.
            let accepted = declaration.accept(value).ok();
            if let Some(rule) = accepted
                .as_ref()
                .and_then(|value| Adaptive::parse(&value.written))
            {
                return Meaning::Count(self.rule(rule));
            }
            let whole = accepted.as_ref().and_then(Value::as_integer);
            return whole.map_or(Meaning::Nothing, |whole| Meaning::Count(to_count(whole)));
        }
        let requires = (name == REQUIRES).then(requires_setting);
        let Some(declaration) = requires.as_ref().or_else(|| engine.setting(name)) else {
            if own {
                let reason = format!("`{}` has no setting `{name}`", engine.id);
                return self.refuse(number, name, value, reason);
            }
            return Meaning::Nothing;
        };
        match declaration.accept(value) {
            Ok(value) if declaration.default.as_ref() == Some(&value) => Meaning::Nothing,
            Ok(value) => {
                let affects_load = declaration.affects == Affects::Load;
                Meaning::Setting(self.setting(name, value, affects_load))
            }
            Err(reason) => {
                let reason = format!("`{}`: {reason}", engine.id);
                self.refuse(number, name, value, reason)
            }
        }
    }
}

impl<'a> Meanings<'a> {
    pub(super) fn new(
        matrix: &Matrix,
        inputs: &'a Inputs<'a>,
        combinations: &Combinations,
    ) -> Self {
        let columns = combinations.columns();
        let column = |name: &str| columns.iter().position(|column| column.name == name);
        let engines: Vec<&EngineFacts> = inputs.engines.values().collect();
        let mut builder = Builder {
            settings: Vec::new(),
            affects_load: Vec::new(),
            refusals: FxHashMap::default(),
            setting_numbers: FxHashMap::default(),
            rules: Vec::new(),
            texts: Vec::new(),
            text_numbers: FxHashMap::default(),
        };
        let cells = |name: &str, stands_for: &mut dyn FnMut(&str) -> Option<u32>| {
            let column = column(name);
            let values = column.map_or(&[][..], |column| &columns[column].values);
            let stands_for = values
                .iter()
                .map(|value| stands_for(&value.written))
                .collect();
            Cells { column, stands_for }
        };
        let backend = cells("backend", &mut |id| {
            inputs.engines.get_index_of(id).map(count)
        });
        let model = cells("model", &mut |id| Some(builder.text(id)));
        let mut audio: IndexMap<String, AudioDefinition> = IndexMap::new();
        let recording = cells("audio", &mut |id| {
            if let Some(number) = audio.get_index_of(id) {
                return Some(count(number));
            }
            let definition = inputs.corpus.definition(id)?;
            Some(count(audio.insert_full(id.to_owned(), definition).0))
        });
        let method = cells("verify-method", &mut |word| {
            let method = word.parse::<VerifyMethod>().ok()?;
            Some(method_number(method))
        });
        let shared = |name: &str| {
            let entry = matrix.settings.iter().find(|entry| entry.name == name)?;
            Some(&entry.value.value)
        };
        let quantization = column("quantization");
        let quantizations = engines
            .iter()
            .map(|engine| {
                let default = || engine.artifacts.keys().next().map_or("", String::as_str);
                let none = shared("quantization").map_or_else(default, |value| &value.written);
                quantization
                    .map_or(&[][..], |column| &columns[column].values)
                    .iter()
                    .map(|value| value.written.as_str())
                    .chain([none])
                    .map(|text| builder.text(text))
                    .collect()
            })
            .collect();
        let runner = runner_settings();
        let mut names: Vec<&str> = columns
            .iter()
            .map(|column| column.name.as_str())
            .chain(matrix.settings.iter().map(|entry| entry.name.as_str()))
            .filter(|name| {
                !NAMED_AXES.contains(name) && *name != "quantization" && !name.starts_with("tag.")
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        let names: Vec<SettingName> = names
            .into_iter()
            .map(|name| {
                let column = column(name);
                let values = column.map_or(&[][..], |column| &columns[column].values);
                let position = runner.iter().position(|known| known.name == name);
                let declaration = position.map(|position| &runner[position]);
                let numbered = || engines.iter().copied().enumerate();
                SettingName {
                    column,
                    count: position,
                    is_language: name == "language",
                    cells: numbered()
                        .map(|engine| {
                            let meaning =
                                |value| builder.meaning(engine, declaration, name, value, true);
                            values.iter().map(meaning).collect()
                        })
                        .collect(),
                    absent: numbered()
                        .map(|engine| {
                            shared(name).map_or(Meaning::Nothing, |value| {
                                builder.meaning(engine, declaration, name, value, false)
                            })
                        })
                        .collect(),
                }
            })
            .collect();
        let audio: Vec<AudioDefinition> = audio.into_values().collect();
        let default_languages = default_languages(&audio, &builder.settings);
        Self {
            counts: runner
                .iter()
                .map(|known| known.default.as_ref().and_then(Value::as_integer))
                .map(|default| to_count(default.unwrap_or(1)))
                .collect(),
            engine_ids: engines
                .iter()
                .map(|engine| Text::from(&engine.id))
                .collect(),
            audio_ids: audio.iter().map(|audio| Text::from(&audio.id)).collect(),
            artifacts: engines
                .iter()
                .flat_map(|engine| engine.artifacts.values())
                .map(|id| (id.clone(), Text::from(id)))
                .collect(),
            engines,
            names,
            settings: builder.settings,
            affects_load: builder.affects_load,
            refusals: builder.refusals,
            rules: builder.rules,
            texts: builder.texts,
            lengths: audio.iter().map(Length::of).collect(),
            audio,
            default_languages,
            backend,
            model,
            recording,
            method,
            quantization,
            quantizations,
        }
    }

    /// Returns what a count of repetitions stands for.
    pub(super) fn repeat(&self, count: u32) -> Repeat {
        let rule = count.checked_sub(FIRST_RULE);
        match rule.and_then(|number| self.rules.get(number as usize)) {
            Some(rule) => Repeat::Until(*rule),
            None => Repeat::Fixed(count),
        }
    }

    /// Returns an artifact's id as a shared text.
    pub(super) fn artifact_id(&self, id: &str) -> Text {
        self.artifacts.get(id).cloned().unwrap_or_else(|| id.into())
    }

    /// Returns what a combination asks for, if engine and recording are known.
    pub(super) fn asked(&self, row: &[u32]) -> Option<Asked> {
        let engine = self.backend.get(row)?;
        let quantizations = &self.quantizations[engine as usize];
        let quantization = self
            .quantization
            .and_then(|column| {
                let number = row[column] as usize;
                // The last one stands for none.
                (number + 1 < quantizations.len()).then(|| quantizations[number])
            })
            .or(quantizations.last().copied())?;
        Some(Asked {
            engine,
            model: self.model.get(row)?,
            quantization,
            audio: self.recording.get(row)?,
        })
    }

    /// Returns the number of the method by which a combination asks.
    pub(super) fn method(&self, row: &[u32]) -> u32 {
        let default = method_number(VerifyMethod::CacheCheck);
        self.method.get(row).unwrap_or(default)
    }

    /// Returns what a combination's value means, the recording's own language being the default.
    pub(super) fn setting(&self, name: &SettingName, asked: Asked, row: &[u32]) -> Meaning {
        match name.meaning(asked.engine as usize, row) {
            Meaning::Setting(number)
                if name.is_language
                    && self.default_languages.contains(&(asked.audio, number))
                    && !self.refusals.contains_key(&(asked.engine as usize, number)) =>
            {
                Meaning::Nothing
            }
            meaning => meaning,
        }
    }
}

/// Returns the recordings with the languages that are the own ones of all their utterances.
fn default_languages(
    audio: &[AudioDefinition],
    settings: &[Arc<ChosenSetting>],
) -> FxHashSet<(u32, u32)> {
    let mut found = FxHashSet::default();
    for (setting, number) in settings.iter().zip(0u32..) {
        if setting.name != "language" {
            continue;
        }
        let written = &setting.value.written;
        for (definition, recording) in audio.iter().zip(0u32..) {
            let mut utterances = definition.utterances.iter();
            if utterances.all(|utterance| utterance.language.as_ref() == Some(written)) {
                found.insert((recording, number));
            }
        }
    }
    found
}

/// The methods by number.
pub(super) const METHODS: [VerifyMethod; 4] = [
    VerifyMethod::CacheCheck,
    VerifyMethod::Checksum,
    VerifyMethod::Load,
    VerifyMethod::Transcribe,
];

/// Returns the number of a method.
pub(super) fn method_number(method: VerifyMethod) -> u32 {
    METHODS
        .iter()
        .zip(0u32..)
        .find_map(|(known, number)| (*known == method).then_some(number))
        .unwrap_or(0)
}

fn to_count(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(1)
}

/// Numbers here count values that a file of at most 16 MiB holds.
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
