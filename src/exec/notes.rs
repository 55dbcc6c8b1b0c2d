//! What the tasks of a run tell the dispatcher, which is the only one that says anything.

use super::supervise::Heard;
use crate::event::RunEvent;
use crate::model::JobId;
use crate::protocol::Reply;
use std::time::Duration;
use tokio::sync::mpsc;

/// Where tasks tell the dispatcher what happens.
#[derive(Clone)]
pub(super) struct Notes(pub(super) mpsc::UnboundedSender<RunEvent>);

impl Notes {
    pub(super) fn tell(&self, event: RunEvent) {
        // The dispatcher outlives its tasks; if it is gone, so is the run.
        let _ = self.0.send(event);
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
