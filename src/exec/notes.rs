//! What the tasks of a run tell the dispatcher, which is the only one that says anything.

use super::supervise::{Ended, Heard};
use crate::event::RunEvent;
use crate::model::JobId;
use crate::protocol::Reply;
use std::time::Duration;
use tokio::sync::mpsc;

/// What a task tells.
#[derive(Debug)]
pub(super) enum Note {
    /// Something happened.
    Event(RunEvent),
    /// A process that serves several jobs is done with one of them, which ended so, and goes on to the
    /// next. What is told before this is of the one, what is told after it is of the other.
    NextJob(Box<Ended>),
}

/// Where tasks tell the dispatcher what happens.
#[derive(Clone)]
pub(super) struct Notes(pub(super) mpsc::UnboundedSender<Note>);

impl Notes {
    pub(super) fn tell(&self, event: RunEvent) {
        self.note(Note::Event(event));
    }

    /// Tells that the process goes on to its next job.
    pub(super) fn next_job(&self, ended: Ended) {
        self.note(Note::NextJob(Box::new(ended)));
    }

    fn note(&self, note: Note) {
        // The dispatcher outlives its tasks; if it is gone, so is the run.
        let _ = self.0.send(note);
    }

    /// Tells what an attempt lets others hear; `line` says what a line of a program stands for.
    /// Returns a reply, which is for the one who asked.
    pub(super) fn hear(
        &self,
        job: &JobId,
        launch: u32,
        heard: Heard,
        line: impl FnOnce(String) -> Option<RunEvent>,
    ) -> Option<(Reply, Duration)> {
        match heard {
            Heard::Reply(reply, took) => return Some((reply, took)),
            Heard::Line(text) => {
                if let Some(event) = line(text) {
                    self.tell(event);
                }
            }
            Heard::Wall(_) => {}
            Heard::Slow {
                phase,
                taken,
                limit,
            } => self.tell(RunEvent::Slow {
                job: job.clone(),
                launch,
                phase,
                seconds: taken.as_secs_f64(),
                limit_seconds: limit.as_secs_f64(),
            }),
        }
        None
    }
}
