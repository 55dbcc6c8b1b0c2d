//! The record of a run: a journal that is written as things happen, and what it folds into.

mod fold;
mod folder;
mod journal;

pub use fold::{AttemptRecord, JobRecord, RunRecord, fold};
pub use folder::{RecordError, RunFolder};
pub use journal::{JournalWriter, read_journal};
