//! What a command may name between `{{` and `}}`, and the settings that follow from it.

use crate::diagnostic::closest;
use crate::engine::declaration::{beam_size, language, threads};
use crate::model::{Affects, SettingDeclaration, SettingKind};
use std::fmt;

/// Something that is filled into a command.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// `model.path`: the artifact's only file; its folder, if it has several.
    ModelPath,
    /// `model.directory`: the artifact's folder.
    ModelDirectory,
    /// `model.id`: the model's id.
    ModelId,
    /// `audio.wav`: the recording as a WAV file, 16 kHz, mono, 16 bits.
    AudioWav,
    /// `audio.samples`: the recording as raw little-endian 32-bit floating point, 16 kHz, mono.
    AudioSamples,
    /// `audio.id`: the recording's id.
    AudioId,
    /// `language`: the language code, or `auto` where it is to be detected.
    Language,
    /// `threads`: how many threads the command may use.
    Threads,
    /// `output`: a fresh, empty folder of this one process.
    Output,
    /// `settings.NAME`: the value of a setting.
    Setting(String),
}

/// The places that are no settings, with their names.
const NAMED: [(&str, Place); 9] = [
    ("model.path", Place::ModelPath),
    ("model.directory", Place::ModelDirectory),
    ("model.id", Place::ModelId),
    ("audio.wav", Place::AudioWav),
    ("audio.samples", Place::AudioSamples),
    ("audio.id", Place::AudioId),
    ("language", Place::Language),
    ("threads", Place::Threads),
    ("output", Place::Output),
];

/// Names that are no settings of an engine, with what to do instead.
pub(super) const NO_SETTINGS: [(&str, &str); 9] = [
    ("backend", "a command belongs to one backend: take it out"),
    ("model", "write `{{ model.id }}` or `{{ model.path }}`"),
    ("audio", "write `{{ audio.wav }}` or `{{ audio.id }}`"),
    ("verify-method", "the runner itself verifies: take it out"),
    (
        "quantization",
        "it chooses the artifact: write `{{ model.path }}`",
    ),
    ("warmup", "the runner itself repeats trials: take it out"),
    ("repeat", "the runner itself repeats trials: take it out"),
    ("launches", "the runner itself repeats trials: take it out"),
    (
        "requires",
        "the runner itself looks what the machine has: take it out",
    ),
];

impl Place {
    /// Reads a name as a template has it, with `_` for `-`.
    ///
    /// # Errors
    ///
    /// Returns the reason and the remedy if nothing has this name.
    pub(super) fn read(name: &str) -> Result<Self, (String, String)> {
        if let Some((_, place)) = NAMED.iter().find(|(known, _)| *known == name) {
            return Ok(place.clone());
        }
        let Some(setting) = name.strip_prefix("settings.") else {
            return Err(if name == "settings" {
                (
                    "settings are named one by one".into(),
                    "write `{{ settings.NAME }}`".into(),
                )
            } else {
                let names = NAMED.iter().map(|(known, _)| *known);
                let meant = closest(name, names).map(|meant| format!("did you mean `{meant}`? "));
                (
                    format!("`{name}` is nothing that a command can name"),
                    meant.unwrap_or_default() + &Self::known(),
                )
            });
        };
        let setting = setting.replace('_', "-");
        if setting.contains('.') {
            return Err((
                format!("`{setting}` is no name of a setting"),
                "write `{{ settings.NAME }}`".into(),
            ));
        }
        if let Some((_, remedy)) = NO_SETTINGS.iter().find(|(known, _)| *known == setting) {
            return Err((
                format!("`{setting}` is no setting of a command"),
                (*remedy).to_owned(),
            ));
        }
        // The two spellings of one thing are one place.
        Ok(match setting.as_str() {
            "language" => Self::Language,
            "threads" => Self::Threads,
            _ => Self::Setting(setting),
        })
    }

    /// Returns all that can be named, in words.
    fn known() -> String {
        let names: Vec<String> = NAMED.iter().map(|(name, _)| format!("`{name}`")).collect();
        format!("known: {}, `settings.NAME`", names.join(", "))
    }

    /// Returns the setting that a command has because it names this place.
    pub(super) fn setting(&self) -> Option<SettingDeclaration> {
        Some(match self {
            Self::Language => language(),
            Self::Threads => threads(),
            Self::Setting(name) if name == "beam-size" => beam_size(1024),
            Self::Setting(name) => SettingDeclaration {
                name: name.clone(),
                kind: SettingKind::Text,
                affects: Affects::Decode,
                default: None,
                description: format!("What the command gets for `{{{{ settings.{name} }}}}`."),
            },
            _ => return None,
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Setting(name) = self {
            return write!(formatter, "settings.{name}");
        }
        let named = NAMED.iter().find(|(_, place)| place == self);
        formatter.write_str(named.map_or("", |(name, _)| name))
    }
}
