//! The conformance kit: drives an engine through the protocol as a run does, and as no run would.
//!
//! The engine is started as for a benchmark: the same launch, under the same shim, behind the same
//! wall, under the same limits. Each case asks one thing and says what came and what was expected. An
//! engine that dies or hangs is started again, so that one fault does not hide the next.

mod cases;
mod clips;
mod ends;
mod kit;
mod loading;
mod refusals;
mod session;
mod speech;

pub use cases::{Case, CaseResult, CaseVerdict};

use super::context::RunContext;
use crate::engine::LaunchSpec;
use crate::model::{EngineFacts, Value};
use kit::Kit;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// An engine that is to be checked.
#[derive(Clone, Debug)]
pub struct Subject {
    /// What is declared of it.
    pub facts: EngineFacts,
    /// How a run would start it.
    pub launch: LaunchSpec,
    /// What it loads.
    pub model: SubjectModel,
    /// The folder that it is started in; `None`: the runner's own.
    pub directory: Option<PathBuf>,
    /// What it is told with each load beside what a case asks for.
    pub settings: BTreeMap<String, Value>,
    /// The threads that it is told to use.
    pub threads: u32,
    /// The longest that any answer may take, if that is less than the run's own limits.
    pub limit: Option<Duration>,
}

/// What an engine loads in the cases that need a model.
#[derive(Clone, Debug)]
pub enum SubjectModel {
    /// It reads no artifact.
    NoneNeeded,
    /// A whole artifact.
    Here {
        /// The model's id.
        id: String,
        /// The artifact's folder.
        folder: PathBuf,
        /// The names of its files.
        files: Vec<String>,
    },
    /// None is here.
    Missing {
        /// The model's id.
        id: String,
        /// The names that its files would have, as far as they are known.
        files: Vec<String>,
        /// Why, and what would help.
        reason: String,
    },
}

impl SubjectModel {
    /// Returns the model's id.
    fn id(&self) -> &str {
        match self {
            Self::NoneNeeded => "none",
            Self::Here { id, .. } | Self::Missing { id, .. } => id,
        }
    }

    /// Returns the names of the artifact's files, as far as they are known.
    fn files(&self) -> &[String] {
        match self {
            Self::NoneNeeded => &[],
            Self::Here { files, .. } | Self::Missing { files, .. } => files,
        }
    }
}

/// Drives an engine through all cases. `tell` hears each result as soon as it is there.
///
/// # Errors
///
/// Fails with the reason if the recordings cannot be prepared or the engine's program cannot be
/// started at all: the kit then knows nothing.
pub async fn check_conformance(
    context: &RunContext,
    subject: &Subject,
    tell: impl FnMut(&CaseResult),
) -> Result<Vec<CaseResult>, String> {
    // Orphans of a shim that was killed come to this process, as in a run.
    let _ = crate::shim::become_subreaper();
    let mut kit = Kit::new(context, subject, tell).await?;
    kit.run().await;
    Ok(kit.into_results())
}
