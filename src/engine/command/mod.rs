//! Engines that a matrix or a catalog file defines: any command-line program, one process for each
//! trial; or a program that speaks the protocol, as the bridges do.
//!
//! Here is only what a definition means: what is filled into its command, what it can be told, and
//! where its text stands. Nothing in here starts a process.

mod failure;
mod output;
mod place;
mod protocol;
mod template;

#[cfg(test)]
mod tests;

pub use output::MOST_OUTPUT_BYTES;
pub use place::Place;
pub use protocol::protocol_launch;

use super::launch::{LaunchSpec, offline_environment};
use super::program::find_program;
use crate::model::{
    Availability, BackendDefinition, EngineFacts, SettingDeclaration, Value, fill_environment,
};
use minijinja::context;
use output::OutputReader;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use template::Word;

/// The part of a definition that a mistake is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendPart {
    /// The whole command.
    Command,
    /// A word of the command, counted from 0.
    CommandWord(usize),
    /// The rule for its text.
    Output,
    /// What counts as failure.
    Fails,
    /// The whole command that tells the version.
    Version,
    /// A word of that command, counted from 0.
    VersionWord(usize),
    /// The declarations of settings.
    Settings,
}

/// What is wrong with a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendMistake {
    /// Where.
    pub part: BackendPart,
    /// The reason.
    pub message: String,
    /// The remedy.
    pub hint: String,
}

impl fmt::Display for BackendMistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}; {}", self.message, self.hint)
    }
}

/// Returns what the planner has to know of a definition. The program is looked for and not executed;
/// `get` is the runner's own environment.
///
/// # Errors
///
/// Returns every mistake in the definition.
pub fn definition_facts(
    definition: &BackendDefinition,
    get: impl Fn(&str) -> Option<OsString>,
) -> Result<EngineFacts, Vec<BackendMistake>> {
    if definition.speaks_protocol() {
        return protocol::facts(definition, get);
    }
    let backend = CommandBackend::new(definition)?;
    let settings = backend.places.iter().filter_map(Place::setting).collect();
    Ok(EngineFacts {
        command: true,
        ..facts_with(definition, settings, get)
    })
}

/// Returns the facts that all definitions have.
fn facts_with(
    definition: &BackendDefinition,
    settings: Vec<SettingDeclaration>,
    get: impl Fn(&str) -> Option<OsString>,
) -> EngineFacts {
    let written = definition.command.first().map_or("", String::as_str);
    let lookup = |name: &str| get(name)?.into_string().ok();
    let found = fill_environment(written, &lookup).and_then(|name| {
        let search = get("PATH");
        find_program(&name, written, &definition.directory, search.as_deref())
    });
    EngineFacts {
        id: definition.id.clone(),
        description: definition.command.join(" "),
        version: None,
        availability: match found {
            Ok(_) => Availability::Ready,
            Err(reason) => Availability::Unavailable(reason),
        },
        artifacts: definition
            .artifact
            .iter()
            .map(|artifact| {
                let quantization = artifact.rsplit('-').next().unwrap_or(artifact);
                (quantization.to_owned(), artifact.clone())
            })
            .collect(),
        settings,
        families: Vec::new(),
        requires: definition.requires.clone(),
        any_model: definition.artifact.is_none(),
        synthetic: false,
        command: false,
    }
}

/// Returns the words of a command with a program that lies beside the file of its definition as a
/// path, whatever the folder of the runner.
fn in_its_folder(definition: &BackendDefinition, mut command: Vec<String>) -> Vec<OsString> {
    if let Some(program) = command.first_mut().filter(|program| program.contains('/')) {
        let path = definition.directory.join(program.as_str());
        if let Some(path) = path.to_str() {
            path.clone_into(program);
        }
    }
    command.into_iter().map(Into::into).collect()
}

/// What one process is told: the values of the places that a command may name.
#[derive(Clone, Debug, Default)]
pub struct CommandInputs {
    /// The artifact's folder; `None` for a backend that reads none.
    pub model_directory: Option<PathBuf>,
    /// The names of the artifact's files.
    pub model_files: Vec<String>,
    /// The model's id.
    pub model_id: String,
    /// The recording as WAV, if the command names it.
    pub audio_wav: Option<PathBuf>,
    /// The recording as raw samples, if the command names it.
    pub audio_samples: Option<PathBuf>,
    /// The recording's id.
    pub audio_id: String,
    /// The language code: the one that was asked for, else the recording's own; `None`: detection.
    pub language: Option<String>,
    /// How many threads the command may use.
    pub threads: u32,
    /// A fresh, empty folder of this process.
    pub output: PathBuf,
    /// The settings that were asked for.
    pub settings: BTreeMap<String, Value>,
}

/// A backend that a matrix defines, understood.
#[derive(Clone, Debug)]
pub struct CommandBackend {
    definition: BackendDefinition,
    words: Vec<Word>,
    version: Vec<Word>,
    output: OutputReader,
    places: BTreeSet<Place>,
}

impl CommandBackend {
    /// Reads a definition.
    ///
    /// # Errors
    ///
    /// Returns every mistake in it: an empty command, a program that is to be filled in, bad syntax, a
    /// place that nothing has or that has no value here, a file outside the folder of the process, a
    /// JSON path that is none.
    pub fn new(definition: &BackendDefinition) -> Result<Self, Vec<BackendMistake>> {
        let mut mistakes = Vec::new();
        let mut places = BTreeSet::new();
        let words = read_words(
            &definition.command,
            BackendPart::Command,
            BackendPart::CommandWord,
            &mut places,
            &mut mistakes,
        );
        if definition.artifact.is_none() {
            tell_model_places(&definition.command, &mut mistakes);
        }
        let version = definition
            .version
            .as_ref()
            .map_or_else(Vec::new, |command| {
                let mut named = BTreeSet::new();
                let words = read_words(
                    command,
                    BackendPart::Version,
                    BackendPart::VersionWord,
                    &mut named,
                    &mut mistakes,
                );
                if let Some(place) = named.first() {
                    mistakes.push(BackendMistake {
                        part: BackendPart::Version,
                        message: format!("`{place}` has no value when a version is asked for"),
                        hint: "write the command without places".into(),
                    });
                }
                words
            });
        let output = match OutputReader::read(&definition.output) {
            Ok(output) => {
                if output.is_file() && !places.contains(&Place::Output) && mistakes.is_empty() {
                    mistakes.push(BackendMistake {
                        part: BackendPart::Output,
                        message: "the command is not told the folder that its file is read from"
                            .into(),
                        hint: "name `{{ output }}` in the command".into(),
                    });
                }
                Some(output)
            }
            Err((message, hint)) => {
                mistakes.push(BackendMistake {
                    part: BackendPart::Output,
                    message,
                    hint,
                });
                None
            }
        };
        mistakes.extend(failure::mistakes(definition));
        if !definition.settings.is_empty() {
            mistakes.push(BackendMistake {
                part: BackendPart::Settings,
                message: "the settings of a command are those that it names".into(),
                hint: "write `{{ settings.NAME }}` in the command, or `output: protocol` for an \
                       engine that speaks the protocol"
                    .into(),
            });
        }
        match output {
            Some(output) if mistakes.is_empty() => Ok(Self {
                definition: definition.clone(),
                words,
                version,
                output,
                places,
            }),
            _ => Err(mistakes),
        }
    }

    /// Returns what the command names: whether a WAV has to be made, for example.
    #[must_use]
    pub fn places(&self) -> &BTreeSet<Place> {
        &self.places
    }

    /// Returns the folder that the process starts in: that of the file that defines the backend.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.definition.directory
    }

    /// Returns how the process of one trial is started: in [`directory`](Self::directory), without a
    /// network. `get` is the runner's own environment.
    ///
    /// # Errors
    ///
    /// Returns the reason in words if a place has no value, or a path is no text.
    pub fn launch(
        &self,
        inputs: &CommandInputs,
        get: impl Fn(&str) -> Option<OsString>,
    ) -> Result<LaunchSpec, String> {
        let values = self.values(inputs)?;
        let command = self
            .words
            .iter()
            .map(|word| word.fill(&values))
            .collect::<Result<_, _>>()?;
        Ok(self.spec(command, inputs.threads, get))
    }

    /// Returns how the version is asked for, if the definition says how. The version is the first line
    /// of what the process writes.
    ///
    /// # Errors
    ///
    /// Returns the reason in words if a word cannot be filled in.
    pub fn version_launch(
        &self,
        get: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Option<LaunchSpec>, String> {
        if self.version.is_empty() {
            return Ok(None);
        }
        let values = context! {};
        let command = self
            .version
            .iter()
            .map(|word| word.fill(&values))
            .collect::<Result<_, _>>()?;
        Ok(Some(self.spec(command, 1, get)))
    }

    /// Returns the transcript of a process that ended well, without blanks around it. `output` is the
    /// folder that the process was given.
    ///
    /// # Errors
    ///
    /// Returns the reason in words if there is none: a file that was not written, no JSON, a path that
    /// selects nothing or no text, bytes that are not UTF-8.
    pub fn text_of(&self, stdout: &[u8], output: &Path) -> Result<String, String> {
        self.output.text_of(stdout, output)
    }

    /// Returns which text that counts as failure stands in a line of standard error.
    #[must_use]
    pub fn complaint_in(&self, line: &str) -> Option<&str> {
        failure::first_in(&self.definition.fails.stderr, line)
    }

    /// Returns why a process that ended with status 0 and gave a text failed all the same, in words.
    #[must_use]
    pub fn failure_of(&self, stdout: &[u8], text: &str) -> Option<String> {
        failure::of(&self.definition.fails, stdout, text)
    }

    fn spec(
        &self,
        command: Vec<String>,
        threads: u32,
        get: impl Fn(&str) -> Option<OsString>,
    ) -> LaunchSpec {
        LaunchSpec {
            command: in_its_folder(&self.definition, command),
            environment: offline_environment(threads, get),
            network: false,
            protocol: false,
        }
    }

    /// Returns what templates are filled with. What has no value is left out, and missed by the word
    /// that names it.
    fn values(&self, inputs: &CommandInputs) -> Result<minijinja::Value, String> {
        let text = |path: &Path| {
            path.to_str()
                .map(str::to_owned)
                .ok_or_else(|| format!("{} is no UTF-8, and words of commands are", path.display()))
        };
        let path =
            inputs
                .model_directory
                .as_ref()
                .map(|folder| match inputs.model_files.as_slice() {
                    [only] => folder.join(only),
                    _ => folder.clone(),
                });
        let named = |id: &str, paths: [(&'static str, Option<&Path>); 2]| {
            let mut values = BTreeMap::from([("id", id.to_owned())]);
            for (name, path) in paths {
                if let Some(path) = path {
                    values.insert(name, text(path)?);
                }
            }
            Ok::<_, String>(values)
        };
        let model = named(
            &inputs.model_id,
            [
                ("path", path.as_deref()),
                ("directory", inputs.model_directory.as_deref()),
            ],
        )?;
        let audio = named(
            &inputs.audio_id,
            [
                ("wav", inputs.audio_wav.as_deref()),
                ("samples", inputs.audio_samples.as_deref()),
            ],
        )?;
        let language = inputs.language.as_deref().unwrap_or("auto");
        let threads = inputs.threads;
        let mut settings: BTreeMap<String, String> = BTreeMap::new();
        for declaration in self.places.iter().filter_map(Place::setting) {
            let given = inputs.settings.get(&declaration.name);
            let value = match declaration.name.as_str() {
                "language" => Some(language.to_owned()),
                "threads" => Some(threads.to_string()),
                _ => given
                    .or(declaration.default.as_ref())
                    .map(|value| value.written.clone()),
            };
            if let Some(value) = value {
                settings.insert(declaration.name.replace('-', "_"), value);
            }
        }
        Ok(context! {
            model,
            audio,
            language,
            threads,
            output => text(&inputs.output)?,
            settings,
        })
    }
}

/// Reads the words of a command; what is wrong goes into `mistakes`.
fn read_words(
    command: &[String],
    whole: BackendPart,
    word: impl Fn(usize) -> BackendPart,
    places: &mut BTreeSet<Place>,
    mistakes: &mut Vec<BackendMistake>,
) -> Vec<Word> {
    if command.first().is_none_or(String::is_empty) {
        mistakes.push(BackendMistake {
            part: whole,
            message: "the command names no program".into(),
            hint: "write the program and its arguments as a list: `[program, argument]`".into(),
        });
        return Vec::new();
    }
    let mut words = Vec::new();
    for (position, written) in command.iter().enumerate() {
        if position == 0 && written.contains("{{") {
            mistakes.push(BackendMistake {
                part: word(position),
                message: "the program itself cannot be filled in".into(),
                hint: "write its name or its path; what differs goes into the arguments".into(),
            });
            continue;
        }
        match Word::read(written, places) {
            Ok(read) => words.push(read),
            Err(found) => {
                mistakes.extend(found.into_iter().map(|(message, hint)| BackendMistake {
                    part: word(position),
                    message,
                    hint,
                }));
            }
        }
    }
    words
}

/// Tells words that name a model's files although the backend reads no artifact.
fn tell_model_places(command: &[String], mistakes: &mut Vec<BackendMistake>) {
    for (position, written) in command.iter().enumerate() {
        let mut named = BTreeSet::new();
        if Word::read(written, &mut named).is_err() {
            continue;
        }
        let files = [Place::ModelPath, Place::ModelDirectory];
        if let Some(place) = files.iter().find(|place| named.contains(place)) {
            mistakes.push(BackendMistake {
                part: BackendPart::CommandWord(position),
                message: format!("`{place}` has no value: the backend reads no artifact"),
                hint: "say which one it reads: `artifact: ggml-f16`".into(),
            });
        }
    }
}
