//! Who hears what happens in a run: the journal first, then whoever watches.

use crate::cli::exit::print;
use crate::cli::secrets::Secrets;
use crate::event::{EventSink, Stamped};
use crate::record::{JournalWriter, RunFolder};
use crate::ui::Progress;
use std::io;
use std::time::Duration;

/// How a run is told while it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Telling {
    /// Progress on standard error.
    Progress,
    /// Events on standard output.
    Events,
    /// Nothing.
    Nothing,
}

/// Everybody who hears.
pub(super) struct Sinks {
    pub(super) secrets: Secrets,
    pub(super) journal: JournalWriter,
    /// The folder that gets another plan once the journal names it.
    pub(super) adopt: Option<RunFolder>,
    pub(super) progress: Option<Progress>,
    pub(super) events: bool,
}

impl EventSink for Sinks {
    fn emit(&mut self, event: &Stamped) -> io::Result<()> {
        let clean = self.secrets.event(event);
        let event = clean.as_ref().unwrap_or(event);
        self.journal.emit(event)?;
        if let Some(folder) = self.adopt.take() {
            folder.adopt_plan().map_err(io::Error::other)?;
        }
        if let Some(progress) = &mut self.progress {
            progress.emit(event)?;
        }
        if self.events
            && let Ok(line) = serde_json::to_string(event)
        {
            // A reader that has gone costs the screen, not the run.
            let _ = print(&(line + "\n"));
        }
        Ok(())
    }

    fn settle(&mut self) -> io::Result<Option<Duration>> {
        self.journal.settle()
    }
}
