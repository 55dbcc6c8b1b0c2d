//! Verify jobs: look at files; if they are right and the method asks for it, let the engine load.

use super::attempt::TrialRequest;
use super::context::{Cancellation, RunContext};
use super::engine::{EngineTask, run_engine, wants_file};
use super::known_clip;
use super::look::{Looked, artifact_of, look, note, size_of};
use super::notes::Notes;
use super::supervise::Ended;
use crate::corpus::{DecodeLimits, DecodedCache, clip_of};
use crate::model::{
    AudioSource, Job, Outcome, Phase, Utterance, Verdict, VerifyFinding, VerifyMethod, VerifySpec,
};
use crate::protocol::{Reply, Request};
use crate::store::{Found, Place};
use std::sync::Arc;

/// What a verify came to.
pub(super) struct Verified {
    pub(super) ended: Ended,
    pub(super) finding: VerifyFinding,
    /// Where the artifact was found complete.
    pub(super) place: Option<Place>,
}

impl Verified {
    /// A verify that started no process.
    fn plainly(outcome: Outcome, finding: VerifyFinding, place: Option<Place>) -> Self {
        Self {
            ended: Ended::without_process(outcome),
            finding,
            place,
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
    let Some(artifact) = artifact_of(&context, &spec) else {
        // An engine that reads no model has nothing to verify.
        let finding = VerifyFinding::plain(Verdict::Complete, "");
        return Verified::plainly(Outcome::Completed, finding, None);
    };
    match look(&context, &spec, artifact, cancel.clone()).await {
        Ok(Looked::Answered(found)) => {
            let place = found.is_complete().then_some(found.place);
            Verified::plainly(Outcome::Completed, found.finding, place)
        }
        Ok(Looked::Right(found, inquiry)) => {
            let verified = ask_engine(&context, job, &spec, *found, notes, cancel).await;
            note(inquiry, &verified.finding).await;
            verified
        }
        Err(outcome) => {
            let verdict = match outcome {
                Outcome::TimedOut { .. } => Verdict::TimedOut,
                _ => Verdict::Error,
            };
            let finding = VerifyFinding::plain(verdict, outcome.reason());
            Verified::plainly(outcome, finding, None)
        }
    }
}

/// Has the engine load what was found, and transcribe if that is asked.
async fn ask_engine(
    context: &Arc<RunContext>,
    job: Job,
    spec: &VerifySpec,
    found: Found,
    notes: Notes,
    cancel: Cancellation,
) -> Verified {
    let Found { mut finding, place } = found;
    let limit =
        context
            .plan
            .deadlines
            .verify_of(&spec.backend, &spec.model, size_of(context, spec));
    let trials = if spec.method == VerifyMethod::Transcribe {
        match prepare_known_clip(context, wants_file(context, &spec.backend)).await {
            Ok((samples, file)) => vec![TrialRequest {
                number: 0,
                request: Request::Transcribe {
                    trial: 0,
                    samples,
                    file,
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
        folder: Some((place.folder.clone(), place.names())),
        settings: spec.settings.to_map(),
        launch: 0,
        load_limit: limit,
        trials,
        timed: false,
        shared: false,
        keep: None,
    };
    let mut heard = String::new();
    let (mut ended, _) = run_engine(context, task, None, &notes, cancel, |reply, _| {
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
    let place = (finding.verdict == Verdict::Complete).then_some(place);
    Verified {
        ended,
        finding,
        place,
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

/// Returns the path of the clip's samples and, if it is wanted, of the same as a WAV file.
async fn prepare_known_clip(
    context: &RunContext,
    wants_file: bool,
) -> Result<(String, Option<String>), String> {
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
        let wav = wants_file.then(|| cache.prepare_wav(&prepared));
        let wav = wav.transpose().map_err(|error| error.to_string())?;
        Ok((
            prepared.path.display().to_string(),
            wav.map(|path| path.display().to_string()),
        ))
    })
    .await
    .map_err(|error| error.to_string())?
}
