//! How far a transfer is, in numbers; whoever shows it makes text of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How far a transfer is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TransferProgress {
    /// Bytes that are here, those of earlier attempts among them.
    pub bytes_done: u64,
    /// Bytes of the whole, if that is known.
    pub bytes_total: Option<u64>,
    /// Bytes that arrived in a second, over the last few.
    pub bytes_per_second: f64,
    /// Seconds until the rest is here, if it goes on like that.
    pub seconds_left: Option<f64>,
}
