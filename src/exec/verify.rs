//! Verify jobs: look at files; if they are right and the method asks for it, let the engine load.

use super::attempt::TrialRequest;
use super::benchmark::{EngineTask, run_engine};
use super::context::{Cancellation, RunContext};
use super::dispatcher::Notes;
use super::known_clip;
use crate::corpus::{DecodeLimits, DecodedCache, clip_of};
use crate::model::{
    Artifact, AudioSource, Job, ModelSize, Outcome, Phase, Utterance, Verdict, VerifyFinding,
    VerifyMethod, VerifySpec,
};
use crate::protocol::{Reply, Request};
use crate::store::{candidates, check};
use std::path::PathBuf;
use std::sync::Arc;

/// What a verify came to.
pub(super) struct Verified {
    pub(super) outcome: Outcome,
    pub(super) finding: VerifyFinding,
    /// Where the artifact was found complete.
    pub(super) folder: Option<PathBuf>,
}

/// Carries out one verify.
pub(super) async fn verify(
    context: Arc<RunContext>,
    job: Job,
    spec: VerifySpec,
    notes: Notes,
    cancel: Cancellation,
) -> Verified {
    let artifact = spec
        .artifact
        .as_ref()
        .and_then(|id| {
            context
                .plan
                .models
                .get(spec.model.as_str())?
                .artifacts
                .get(id.as_str())
        })
        .cloned();
    let Some(artifact) = artifact else {
        // An engine that reads no model has nothing to verify.
        let finding = VerifyFinding::plain(Verdict::Complete, "");
        return Verified {
            outcome: Outcome::Completed,
            finding,
            folder: None,
        };
    };
    let digests = spec.method == VerifyMethod::Checksum;
    let (finding, folder) = match look(&context, artifact.clone(), digests).await {
        Ok(found) => found,
        Err(reason) => {
            return Verified {
                outcome: Outcome::Failed {
                    phase: Phase::Verify,
                    reason: reason.clone(),
                },
                finding: VerifyFinding::plain(Verdict::Error, reason),
                folder: None,
            };
        }
    };
    let asks_engine = matches!(spec.method, VerifyMethod::Load | VerifyMethod::Transcribe);
    match folder {
        Some(folder) if asks_engine => {
            ask_engine(
                &context, job, &spec, &artifact, folder, finding, notes, cancel,
            )
            .await
        }
        folder => Verified {
            outcome: Outcome::Completed,
            finding,
            folder,
        },
    }
}

/// Looks at the files. Returns the finding and, if they are right, their folder.
async fn look(
    context: &RunContext,
    artifact: Artifact,
    digests: bool,
) -> Result<(VerifyFinding, Option<PathBuf>), String> {
    let folders = candidates(&artifact, &context.store);
    tokio::task::spawn_blocking(move || {
        for folder in &folders {
            let finding = check(&artifact, std::slice::from_ref(folder), digests);
            if finding.verdict == Verdict::Complete {
                return (finding, Some(folder.clone()));
            }
        }
        (check(&artifact, &folders, digests), None)
    })
    .await
    .map_err(|error| format!("looking at the files failed: {error}"))
}

#[expect(
    clippy::too_many_arguments,
    reason = "one call site; a struct would only rename them"
)]
async fn ask_engine(
    context: &Arc<RunContext>,
    job: Job,
    spec: &VerifySpec,
    artifact: &Artifact,
    folder: PathBuf,
    mut finding: VerifyFinding,
    notes: Notes,
    cancel: Cancellation,
) -> Verified {
    let size = context
        .plan
        .models
        .get(spec.model.as_str())
        .map_or(ModelSize::Large, |model| model.size);
    let limit = context
        .plan
        .deadlines
        .verify_of(&spec.backend, &spec.model, size);
    let trials = if spec.method == VerifyMethod::Transcribe {
        match prepare_known_clip(context).await {
            Ok(samples) => vec![TrialRequest {
                request: Request::Transcribe {
                    trial: 0,
                    samples,
                    language: Some("en".into()),
                },
                limit,
            }],
            Err(reason) => {
                finding.verdict = Verdict::Error;
                finding.reason.clone_from(&reason);
                let outcome = Outcome::Failed {
                    phase: Phase::Verify,
                    reason,
                };
                return Verified {
                    outcome,
                    finding,
                    folder: None,
                };
            }
        }
    } else {
        Vec::new()
    };
    let task = EngineTask {
        job: job.id,
        backend: spec.backend.to_string(),
        model: spec.model.to_string(),
        folder: Some((folder.clone(), artifact.files.keys().cloned().collect())),
        settings: spec.settings.to_map(),
        launch: 0,
        load_limit: limit,
        trials,
    };
    let mut heard = String::new();
    let ended = run_engine(context, task, &notes, cancel, |reply, _| {
        if let Reply::Done { text, .. } = reply {
            heard = text;
        }
    })
    .await;
    if let Some(usage) = &ended.usage {
        finding.network_wall.clone_from(&usage.network_wall);
    }
    let (outcome, verdict, reason) = judge(ended.outcome);
    finding.verdict = verdict;
    finding.reason = reason;
    if verdict == Verdict::Complete
        && spec.method == VerifyMethod::Transcribe
        && let Err(reason) = known_clip::compare(&heard)
    {
        finding.verdict = Verdict::Corrupt;
        finding.reason = reason;
    }
    let folder = (finding.verdict == Verdict::Complete).then_some(folder);
    Verified {
        outcome,
        finding,
        folder,
    }
}

/// Returns the verdict that an engine's end stands for. That an engine says no is an answer, and
/// so a completed job; that it dies or hangs is the job's own end too.
fn judge(outcome: Outcome) -> (Outcome, Verdict, String) {
    let reason = outcome.reason();
    match outcome {
        Outcome::Completed => (Outcome::Completed, Verdict::Complete, String::new()),
        Outcome::Failed {
            phase: Phase::Load | Phase::Trial,
            reason,
        } => (Outcome::Completed, Verdict::Error, reason),
        Outcome::TimedOut { .. } => (outcome, Verdict::TimedOut, reason),
        other => (other, Verdict::Error, reason),
    }
}

async fn prepare_known_clip(context: &RunContext) -> Result<String, String> {
    let cache = DecodedCache::new(&context.audio_cache, DecodeLimits::default());
    tokio::task::spawn_blocking(move || {
        let utterance = Utterance {
            id: known_clip::ID.into(),
            source: AudioSource::Builtin(known_clip::ID.into()),
            reference: None,
            language: Some("en".into()),
            seconds: None,
            sha256: None,
        };
        let prepared = cache
            .prepare(&clip_of(&utterance)?)
            .map_err(|error| error.to_string())?;
        Ok(prepared.path.display().to_string())
    })
    .await
    .map_err(|error| error.to_string())?
}
