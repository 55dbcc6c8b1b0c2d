//! The part of a verify that starts no process: looking at files within their limit, and what is
//! remembered of an earlier look.

use super::context::{Cancellation, RunContext};
use super::supervise::Cancel;
use crate::clock::Clock;
use crate::model::{
    Artifact, ModelSize, Outcome, Phase, Verdict, VerifyFinding, VerifyMethod, VerifySpec,
};
use crate::sharing::{boot_id, is_shared};
use crate::store::{
    EngineTerms, FileStamp, Found, Inquiry, Place, Terms, check_place, find_by, places,
};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long it may take to write down a verdict that is to be remembered.
const NOTE: Duration = Duration::from_secs(1);

/// What a look came to.
pub(super) enum Looked {
    /// The answer.
    Answered(Box<Found>),
    /// The files are right as far as sizes tell; an engine has to be asked.
    Right(Box<Found>, Option<Box<Inquiry>>),
}

/// Looks at the files of an artifact, for as long as they may take. Returns how the job ended, if
/// that was too long.
pub(super) async fn look(
    context: &RunContext,
    spec: &VerifySpec,
    artifact: Artifact,
    cancel: Cancellation,
) -> Result<Looked, Outcome> {
    let begun = context.live.clock.now();
    let limit = |bytes| {
        let size = size_of(context, spec);
        let deadlines = &context.plan.deadlines;
        deadlines.files_of(&spec.backend, &spec.model, size, bytes)
    };
    let store = context.store.clone();
    let sizes = Looking {
        context,
        begun,
        limit: limit(0),
        cancel,
    };
    let looked = sizes.run(move |stop| {
        let places = places(&artifact, &store);
        let found = find_by(places.clone(), |place| check_place(place, false, stop));
        (places, found)
    });
    let (places, found) = looked.await?;
    let terms = terms(context, spec);
    let folder = context.store.verdicts();
    let fresh = context.options.fresh;
    match spec.method {
        VerifyMethod::Checksum => {}
        VerifyMethod::Load | VerifyMethod::Transcribe if found.is_complete() => {
            let asked = sizes.run(move |_| ask_again(&folder, fresh, found, terms));
            return asked.await;
        }
        _ => return Ok(Looked::Answered(Box::new(found))),
    }
    // At worst it is read in one place after the other.
    let reads = u64::try_from(places.len()).unwrap_or(u64::MAX);
    let contents = Looking {
        limit: limit(found.finding.bytes_present.saturating_mul(reads)),
        ..sizes
    };
    let found = contents.run(move |stop| {
        find_by(places, |place| {
            checksum(&folder, fresh, place, terms.clone(), stop)
        })
    });
    Ok(Looked::Answered(Box::new(found.await?)))
}

/// Hashes the files of a place, unless that was done and nothing has changed since.
fn checksum(
    folder: &Path,
    fresh: bool,
    place: &Place,
    terms: Terms,
    stop: &AtomicBool,
) -> VerifyFinding {
    let inquiry = Inquiry::new(folder, place, terms);
    let earlier = inquiry.as_ref().filter(|_| !fresh);
    if let Some(earlier) = earlier.and_then(Inquiry::earlier) {
        return earlier;
    }
    let finding = check_place(place, true, stop);
    if let Some(inquiry) = inquiry {
        inquiry.keep(&finding);
    }
    finding
}

/// Finds out whether an engine has said yes to these files before.
fn ask_again(folder: &Path, fresh: bool, mut found: Found, terms: Terms) -> Looked {
    let inquiry = Inquiry::new(folder, &found.place, terms);
    let earlier = inquiry.as_ref().filter(|_| !fresh);
    if let Some(earlier) = earlier.and_then(Inquiry::earlier) {
        found.finding = earlier;
        return Looked::Answered(Box::new(found));
    }
    Looked::Right(Box::new(found), inquiry.map(Box::new))
}

/// Keeps what an engine said. A disk that does not answer holds nobody up for long.
pub(super) async fn note(inquiry: Option<Box<Inquiry>>, finding: &VerifyFinding) {
    let Some(inquiry) = inquiry.filter(|_| finding.verdict == Verdict::Complete) else {
        return;
    };
    let finding = finding.clone();
    let noting = tokio::task::spawn_blocking(move || inquiry.keep(&finding));
    let _ = tokio::time::timeout(NOTE, noting).await;
}

/// Returns what the answer to a verify depends on beside the files.
fn terms(context: &RunContext, spec: &VerifySpec) -> Terms {
    let asks_engine = matches!(spec.method, VerifyMethod::Load | VerifyMethod::Transcribe);
    let engine = context.plan.engines.get(spec.backend.as_str());
    let limit =
        context
            .plan
            .deadlines
            .verify_of(&spec.backend, &spec.model, size_of(context, spec));
    Terms {
        method: spec.method,
        machine: context.machine.id.clone(),
        boot: is_shared(&context.store.verdicts()).then(boot_id).flatten(),
        engine: asks_engine.then(|| EngineTerms {
            id: spec.backend.to_string(),
            version: engine.and_then(|engine| engine.version.clone()),
            program: FileStamp::of(&context.program),
            settings: spec.settings.clone(),
            limit_seconds: limit.as_secs_f64(),
        }),
    }
}

/// Returns the artifact that a verify asks about.
pub(super) fn artifact_of(context: &RunContext, spec: &VerifySpec) -> Option<Artifact> {
    let model = context.plan.models.get(spec.model.as_str())?;
    let id = spec.artifact.as_ref()?;
    model.artifacts.get(id.as_str()).cloned()
}

/// Returns the size class of the model that a verify asks about.
pub(super) fn size_of(context: &RunContext, spec: &VerifySpec) -> ModelSize {
    let model = context.plan.models.get(spec.model.as_str());
    model.map_or(ModelSize::Large, |model| model.size)
}

/// Work on files beside everything else, within a limit.
struct Looking<'a> {
    context: &'a RunContext,
    begun: Duration,
    /// From `begun`.
    limit: Duration,
    cancel: Cancellation,
}

impl Looking<'_> {
    /// Does the work in a thread that may block; it is told when nobody waits for it any more.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&AtomicBool) -> T + Send + 'static,
    ) -> Result<T, Outcome> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let working = tokio::task::spawn_blocking(move || work(&stopped));
        let deadline = self.begun.saturating_add(self.limit);
        let mut cancel = Cancel(self.cancel.clone());
        let phase = Phase::Verify;
        let ended = tokio::select! {
            biased;
            reason = cancel.wait() => Err(Outcome::Cancelled { reason }),
            worked = working => worked.map_err(|error| Outcome::Failed {
                phase,
                reason: format!("looking at the files failed: {error}"),
            }),
            () = self.context.live.sleep_until(deadline) => Err(Outcome::TimedOut {
                phase,
                limit_seconds: self.limit.as_secs_f64(),
            }),
        };
        // A file system that does not answer keeps its thread; one that does lets it go at once.
        stop.store(true, Ordering::Relaxed);
        ended
    }
}
