//! The cases, and what they come to.

use serde::Serialize;

macro_rules! cases {
    ($($(#[doc = $what:literal])+ $name:ident = $word:literal,)+) => {
        /// One thing that is asked of an engine.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Case {
            $($(#[doc = $what])+ $name,)+
        }

        impl Case {
            /// All cases, in the order in which they are told.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Returns its name.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// Returns what it asks, in words.
            #[must_use]
            pub fn what(self) -> &'static str {
                match self { $(Self::$name => concat!($($what),+).trim_ascii(),)+ }
            }
        }
    };
}

cases! {
    /// The engine says `hello` within the limit of a start, in this version of the protocol.
    Hello = "hello",
    /// Id, version, artifacts and settings are those that are declared.
    Facts = "facts",
    /// Asked whether it can run here, it says yes.
    Probe = "probe",
    /// Without a model, transcribing is refused, and the engine goes on.
    TranscribeBeforeLoad = "transcribe-before-load",
    /// A request that does not exist is refused, and the engine goes on.
    UnknownRequest = "unknown-request",
    /// A line that is no message is refused, or ends the engine in order.
    GarbageLine = "garbage-line",
    /// A setting that it does not have is an error of kind `setting`.
    UnknownSetting = "unknown-setting",
    /// A value out of a setting's range is an error of kind `setting`.
    SettingOutOfRange = "setting-out-of-range",
    /// A folder that is not there is an error of kind `model`.
    MissingModel = "missing-model",
    /// A folder without files is an error of kind `model`.
    EmptyModel = "empty-model",
    /// Files of noise are an error of kind `model`, or end the engine; it never hangs.
    GarbageModel = "garbage-model",
    /// Files that begin well and go on as noise are an error of kind `model`, or end the engine.
    DamagedModel = "damaged-model",
    /// A whole model is loaded, within the limit of a load.
    Load = "load",
    /// After loading it names the settings in effect, all that have a default, in their types.
    SettingsInEffect = "settings-in-effect",
    /// It transcribes speech of eleven seconds to its known words.
    Speech = "speech",
    /// Segments come in order, within the recording, and before the whole.
    Segments = "segments",
    /// Its times are positive, in order, and fit the runner's own clock.
    Times = "times",
    /// Decoding greedily, the same recording gives the same text.
    SameAgain = "same-again",
    /// It transcribes a recording of two seconds.
    TwoSeconds = "two-seconds",
    /// A recording of 50 milliseconds is transcribed or refused.
    FiftyMilliseconds = "fifty-milliseconds",
    /// A recording without samples is transcribed or refused.
    NoSamples = "no-samples",
    /// Silence is transcribed or refused.
    Silence = "silence",
    /// Samples that are no numbers are transcribed or refused.
    NotANumber = "not-a-number",
    /// A file that ends within a sample is an error of kind `audio`.
    TornFile = "torn-file",
    /// A file that is not there is an error of kind `audio`.
    MissingFile = "missing-file",
    /// A language that nobody speaks is an answer or an error, and the engine goes on.
    UnknownLanguage = "unknown-language",
    /// A model can be loaded a second time, or that is refused, and the engine goes on.
    LoadTwice = "load-twice",
    /// Asked to end, it ends within its limit, with status 0.
    Shutdown = "shutdown",
    /// It ends when its connection does.
    Disconnected = "disconnected",
    /// Ended in the middle of a trial, it is gone within grace and drain.
    Cancelled = "cancelled",
    /// Nothing arrives on standard output, which is not the protocol's.
    StandardOutput = "standard-output",
    /// It was behind a wall that had refused its canary, unless it needs a network.
    Wall = "wall",
    /// No process was left behind by any of its ends.
    NothingLeft = "nothing-left",
}

/// What a case came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum CaseVerdict {
    /// It is as it should be.
    Ok {
        /// What came, where that is worth knowing; empty otherwise.
        note: String,
    },
    /// It is not, and a run copes with it.
    Tolerated {
        /// What came.
        came: String,
    },
    /// It is not.
    Failed {
        /// What came.
        came: String,
        /// What was expected.
        expected: String,
    },
    /// It was not asked.
    Skipped {
        /// Why.
        reason: String,
    },
}

/// A case with what it came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseResult {
    /// The case.
    pub case: Case,
    /// What it came to.
    pub verdict: CaseVerdict,
}

impl CaseResult {
    /// Whether something has to be mended.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        matches!(self.verdict, CaseVerdict::Failed { .. })
    }
}
