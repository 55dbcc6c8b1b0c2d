//! What can go wrong between a folder of weights and a transcript.

use std::path::{Path, PathBuf};

/// Why a model could not be loaded or a recording could not be transcribed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of the model is absent or cannot be read.
    #[error("{}: cannot be read: {source}; fetch the model again, or name a folder that has this file", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A file of the model was read and is not what it should be.
    #[error("{}: {reason}; fetch the model again, or convert it again from its source", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        reason: String,
    },
    /// The weights do not have the shape that `config.json` announces.
    #[error("{}: tensor {tensor}: {reason}; take weights and config.json from the same model", path.display())]
    Mismatch {
        /// The file that holds the weights.
        path: PathBuf,
        /// The name of the tensor.
        tensor: String,
        /// How it differs from what `config.json` says.
        reason: String,
    },
    /// The request asks for something that this engine does not do.
    #[error("{what} is not supported by the candle engine; {remedy}")]
    Unsupported {
        /// What was asked for.
        what: String,
        /// What to ask for instead.
        remedy: String,
    },
    /// An operation of candle failed, as when memory or a shape does not suffice.
    #[error("candle failed: {0}; load the model again, and report this if it stays")]
    Inference(#[from] candle_core::Error),
}

impl Error {
    /// Returns an error about the content of a file.
    pub(super) fn malformed(path: &Path, reason: impl Into<String>) -> Self {
        Self::Malformed {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }

    /// Returns an error about one tensor.
    pub(super) fn mismatch(path: &Path, tensor: &str, reason: impl Into<String>) -> Self {
        Self::Mismatch {
            path: path.to_owned(),
            tensor: tensor.to_owned(),
            reason: reason.into(),
        }
    }
}

/// Returns the bytes of a file, or an error that names it.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::Unreadable {
        path: path.to_owned(),
        source,
    })
}
