//! Clips and data sets: what a recording is, before anything is read from it.

use std::fmt;
use std::path::PathBuf;

/// Where the bytes of a recording are.
#[derive(Clone, PartialEq, Eq)]
pub enum Origin {
    /// Inside this binary.
    Builtin {
        /// Name of the file in the project's `corpus` folder.
        file: &'static str,
        /// The whole encoded file.
        bytes: &'static [u8],
    },
    /// A file on disk.
    File(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin { file, .. } => write!(formatter, "built-in {file}"),
            Self::File(path) => write!(formatter, "{}", path.display()),
        }
    }
}

impl fmt::Debug for Origin {
    /// Writes the name and the size, never the bytes.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin { file, bytes } => formatter
                .debug_struct("Builtin")
                .field("file", file)
                .field("bytes", &bytes.len())
                .finish(),
            Self::File(path) => formatter.debug_tuple("File").field(path).finish(),
        }
    }
}

/// One recording with what is known about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Clip {
    /// The id by which a matrix selects it: `jfk`, or `my-set/a` for an utterance of a manifest.
    pub id: String,
    /// Where its bytes are.
    pub origin: Origin,
    /// The words that are spoken, for scoring. A clip without them is timed but not scored.
    pub reference: Option<String>,
    /// Language code as Whisper writes it (`en`, `es`, `ja`); `None` leaves it to detection.
    pub language: Option<String>,
    /// Licence of the recording, where known.
    pub licence: Option<String>,
    /// Where the recording comes from, where known.
    pub source: Option<String>,
    /// Facts that were recorded for a built-in clip.
    pub recorded: Option<RecordedFacts>,
}

/// What the built-in manifest states about a file. A test compares it with the file itself.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedFacts {
    /// SHA-256 of the encoded file, 64 hexadecimal digits in lower case.
    pub sha256: String,
    /// Length of the audio in seconds.
    pub seconds: f64,
}

/// A named list of clips.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSet {
    /// The id by which a matrix selects it.
    pub id: String,
    /// Ids of its clips, in the order of the manifest.
    pub clips: Vec<String>,
    /// The manifest that a matrix names; `None` for what is built in.
    pub manifest: Option<PathBuf>,
}
