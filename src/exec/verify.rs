//! Verify jobs: look at files; if they are right and the method asks for it, let the engine load.

use super::attempt::TrialRequest;
use super::context::{Cancellation, RunContext};
use super::engine::{EngineTask, run_engine};
use super::known_clip;
use super::notes::Notes;
use super::supervise::{Cancel, Ended};
use crate::clock::Clock;
use crate::corpus::{DecodeLimits, DecodedCache, clip_of};
use crate::model::{
    Artifact, AudioSource, Job, ModelSize, Outcome, Phase, Utterance, Verdict, VerifyFinding,
    VerifyMethod, VerifySpec,
};
use crate::protocol::{Reply, Request};
use crate::store::{candidates, check_until};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a verify came to.
pub(super) struct Verified {
    pub(super) ended: Ended,
    pub(super) finding: VerifyFinding,
    /// Where the artifact was found complete.
    pub(super) folder: Option<PathBuf>,
}

impl Verified {
    /// A verify that started no process.
    fn plainly(outcome: Outcome, finding: VerifyFinding, folder: Option<PathBuf>) -> Self {
        Self {
            ended: Ended::without_process(outcome),
            finding,
            folder,
        }
    }
}

/// Carries out one verify.
pub(super) async fn verify(
    context: Arc<RunContext>,
    job: Job,
    spec: VerifySpec,
    notes: Notes,
    cancel: Cancellation,
) -> Verified {
    let artifact = spec.artifact.as_ref().and_then(|id| {
        let model = context.plan.models.get(spec.model.as_str())?;
        model.artifacts.get(id.as_str()).cloned()
    });
    let Some(artifact) = artifact else {
        // An engine that reads no model has nothing to verify.
        let finding = VerifyFinding::plain(Verdict::Complete, "");
        return Verified::plainly(Outcome::Completed, finding, None);
    };
    let (finding, folder) = match look(&context, &spec, artifact.clone(), cancel.clone()).await {
        Ok(found) => found,
        Err(outcome) => {
            let verdict = match outcome {
                Outcome::TimedOut { .. } => Verdict::TimedOut,
                _ => Verdict::Error,
            };
            let finding = VerifyFinding::plain(verdict, outcome.reason());
            return Verified::plainly(outcome, finding, None);
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
        folder => Verified::plainly(Outcome::Completed, finding, folder),
    }
}

/// Looks at the files, for as long as they may take. Returns the finding and, if they are right,
/// their folder; else how the job ended.
async fn look(
    context: &RunContext,
    spec: &VerifySpec,
    artifact: Artifact,
    cancel: Cancellation,
) -> Result<(VerifyFinding, Option<PathBuf>), Outcome> {
    let digests = spec.method == VerifyMethod::Checksum;
    let bytes = artifact.expected_bytes().filter(|_| digests);
    let limit = context.plan.deadlines.files_of(
        &spec.backend,
        &spec.model,
        size_of(context, spec),
        bytes.unwrap_or(0),
    );
    let folders = candidates(&artifact, &context.store);
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let looking = tokio::task::spawn_blocking(move || {
        for folder in &folders {
            let finding = check_until(&artifact, std::slice::from_ref(folder), digests, &stopped);
            if finding.verdict == Verdict::Complete {
                return (finding, Some(folder.clone()));
            }
        }
        (check_until(&artifact, &folders, digests, &stopped), None)
    });
    let deadline = context.live.clock.now().saturating_add(limit);
    let mut cancel = Cancel(cancel);
    let phase = Phase::Verify;
    let ended = tokio::select! {
        biased;
        reason = cancel.wait() => Err(Outcome::Cancelled { reason }),
        looked = looking => looked.map_err(|error| Outcome::Failed {
            phase,
            reason: format!("looking at the files failed: {error}"),
        }),
        () = context.live.sleep_until(deadline) => Err(Outcome::TimedOut {
            phase,
            limit_seconds: limit.as_secs_f64(),
        }),
    };
    // A file system that does not answer keeps its thread; one that does lets it go at once.
    stop.store(true, Ordering::Relaxed);
    ended
}

fn size_of(context: &RunContext, spec: &VerifySpec) -> ModelSize {
    let model = context.plan.models.get(spec.model.as_str());
    model.map_or(ModelSize::Large, |model| model.size)
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
    let limit =
        context
            .plan
            .deadlines
            .verify_of(&spec.backend, &spec.model, size_of(context, spec));
    let trials = if spec.method == VerifyMethod::Transcribe {
        match prepare_known_clip(context).await {
            Ok(samples) => vec![TrialRequest {
                number: 0,
                request: Request::Transcribe {
                    trial: 0,
                    samples,
                    file: None,
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
                return Verified::plainly(outcome, finding, None);
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
        timed: false,
    };
    let mut heard = String::new();
    let mut ended = run_engine(context, task, &notes, cancel, |reply, _| {
        if let Reply::Done { text, .. } = reply {
            heard = text;
        }
    })
    .await;
    if let Some(usage) = &ended.usage {
        finding.network_wall.clone_from(&usage.network_wall);
    }
    let (outcome, verdict, reason) = judge(ended.outcome);
    ended.outcome = outcome;
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
        ended,
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
