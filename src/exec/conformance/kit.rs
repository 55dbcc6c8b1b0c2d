//! The state of a check: the process that is driven, what was seen on the way, what it came to.

use super::cases::{Case, CaseResult, CaseVerdict};
use super::clips::Clips;
use super::session::{Came, Session};
use super::{Subject, SubjectModel};
use crate::exec::attempt::Limits;
use crate::exec::context::RunContext;
use crate::exec::supervise::Ended;
use crate::model::Value;
use crate::protocol::{AudioInput, Reply, Request};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

/// How long an engine may take to refuse something.
const ANSWER: Duration = Duration::from_secs(10);

/// A check in progress.
pub(super) struct Kit<'a, Tell> {
    pub(super) context: &'a RunContext,
    pub(super) subject: &'a Subject,
    pub(super) clips: Clips,
    /// Where broken models are made.
    pub(super) folder: TempDir,
    pub(super) session: Option<Session>,
    /// What the engine wants to be handed a recording as.
    pub(super) audio: AudioInput,
    /// The number of the trial that is asked for next.
    pub(super) trial: u32,
    pub(super) seen: Seen,
    tell: Tell,
    results: Vec<CaseResult>,
}

/// What was seen of all processes together.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The first bytes that came on standard output.
    pub(super) printed: Vec<u8>,
    /// How many processes were left behind.
    pub(super) left: u32,
    /// What kept them from a network.
    pub(super) wall: Option<String>,
}

impl<'a, Tell: FnMut(&CaseResult)> Kit<'a, Tell> {
    /// Prepares a check.
    pub(super) async fn new(
        context: &'a RunContext,
        subject: &'a Subject,
        tell: Tell,
    ) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let path = folder.path().to_path_buf();
        let surroundings = context.clone();
        let clips = tokio::task::spawn_blocking(move || Clips::prepare(&surroundings, &path))
            .await
            .map_err(|error| error.to_string())??;
        Ok(Self {
            context,
            subject,
            clips,
            folder,
            session: None,
            audio: AudioInput::default(),
            trial: 0,
            seen: Seen::default(),
            tell,
            results: Vec::new(),
        })
    }

    /// Goes through all cases.
    pub(super) async fn run(&mut self) {
        if self.greet().await {
            self.refusals().await;
            self.loading().await;
            self.speech().await;
            self.ends().await;
        } else {
            self.drop_session().await;
        }
        self.observations();
        for case in Case::ALL {
            if !self.results.iter().any(|result| result.case == *case) {
                self.skip(*case, "the engine did not say `hello`");
            }
        }
    }

    /// Returns the results.
    pub(super) fn into_results(self) -> Vec<CaseResult> {
        self.results
    }

    pub(super) fn ok(&mut self, case: Case, note: impl Into<String>) {
        self.note(case, CaseVerdict::Ok { note: note.into() });
    }

    pub(super) fn fail(&mut self, case: Case, observed: impl Into<String>, expected: &str) {
        let verdict = CaseVerdict::Failed {
            came: observed.into(),
            expected: expected.to_owned(),
        };
        self.note(case, verdict);
    }

    pub(super) fn tolerate(&mut self, case: Case, observed: impl Into<String>) {
        self.note(
            case,
            CaseVerdict::Tolerated {
                came: observed.into(),
            },
        );
    }

    pub(super) fn skip(&mut self, case: Case, reason: &str) {
        let reason = reason.to_owned();
        self.note(case, CaseVerdict::Skipped { reason });
    }

    fn note(&mut self, case: Case, verdict: CaseVerdict) {
        let result = CaseResult { case, verdict };
        (self.tell)(&result);
        self.results.push(result);
    }

    /// Returns the limits of a run, or less.
    pub(super) fn limits(&self) -> Limits {
        let deadlines = &self.context.plan.deadlines;
        let (backend, model) = (&self.subject.facts.id, self.subject.model.id());
        let mut limits = Limits::of_engine(
            deadlines,
            deadlines.start_of(backend, model),
            deadlines.load_of(backend, model),
            None,
        );
        for limit in [&mut limits.start, &mut limits.load, &mut limits.close] {
            *limit = self.at_most(*limit);
        }
        limits
    }

    /// Returns the limit of a trial.
    pub(super) fn trial_limit(&self, audio_seconds: f64) -> Duration {
        let deadlines = &self.context.plan.deadlines;
        let (backend, model) = (&self.subject.facts.id, self.subject.model.id());
        self.at_most(deadlines.trial_of(backend, model, audio_seconds))
    }

    /// Returns the limit of a refusal.
    pub(super) fn answer_limit(&self) -> Duration {
        self.at_most(ANSWER)
    }

    fn at_most(&self, limit: Duration) -> Duration {
        self.subject.limit.map_or(limit, |most| most.min(limit))
    }

    /// Starts a process and waits for its hello.
    pub(super) async fn start(&mut self) -> Result<Reply, Came> {
        let limits = self.limits();
        let started = Session::start(self.context, self.subject, limits);
        let session = match started {
            Ok(session) => self.session.insert(session),
            Err(error) => return Err(Came::Garbage(format!("no process: {error}"))),
        };
        match session.hear(limits.start).await {
            Came::Reply(hello @ Reply::Hello { .. }) => {
                if let Reply::Hello { audio, .. } = &hello {
                    self.audio = *audio;
                }
                Ok(hello)
            }
            other => Err(other),
        }
    }

    /// Returns the running process, and starts one if there is none.
    pub(super) async fn running(&mut self) -> Result<&mut Session, Came> {
        if self.session.as_ref().is_none_or(Session::is_gone) {
            self.drop_session().await;
            self.start().await?;
        }
        self.session
            .as_mut()
            .ok_or_else(|| Came::Garbage("no process".into()))
    }

    /// Returns the running process with a loaded model.
    pub(super) async fn loaded(&mut self) -> Result<&mut Session, Came> {
        let request = self.right_load();
        let limit = self.limits().load;
        let session = self.running().await?;
        if !session.loaded {
            session.say(&request).await;
            match session.hear(limit).await {
                Came::Reply(Reply::Loaded { .. }) => session.loaded = true,
                other => return Err(other),
            }
        }
        Ok(session)
    }

    /// Returns the request to load the model that is here.
    pub(super) fn right_load(&self) -> Request {
        let folder = match &self.subject.model {
            SubjectModel::Here { folder, .. } => Some(folder.clone()),
            _ => None,
        };
        self.load_of(folder, BTreeMap::new())
    }

    /// Returns a request to load what lies in a folder under the names of the artifact's files.
    pub(super) fn load_of(
        &self,
        folder: Option<PathBuf>,
        mut settings: BTreeMap<String, Value>,
    ) -> Request {
        for (name, value) in &self.subject.settings {
            settings
                .entry(name.clone())
                .or_insert_with(|| value.clone());
        }
        settings
            .entry("threads".into())
            .or_insert_with(|| Value::integer(i64::from(self.subject.threads)));
        Request::Load {
            directory: folder.map(|folder| folder.display().to_string()),
            files: self.subject.model.files().to_vec(),
            model: self.subject.model.id().to_owned(),
            settings,
        }
    }

    /// Ends the process, if there is one, and notes what was seen of it.
    pub(super) async fn drop_session(&mut self) {
        if let Some(session) = self.session.take() {
            let ended = session.end().await;
            self.observe(&ended);
        }
    }

    /// Notes what was seen of a process.
    pub(super) fn observe(&mut self, ended: &Ended) {
        if self.seen.printed.is_empty() {
            self.seen.printed.clone_from(&ended.answer);
        }
        self.seen.left = self.seen.left.saturating_add(ended.leaked_count);
        if let Some(usage) = &ended.usage {
            self.seen.wall = Some(usage.network_wall.clone());
        }
    }
}
