//! The record of a run: a journal that is written as things happen, and what it folds into.

mod combine;
mod error;
mod fold;
mod folder;
mod journal;
mod lock;
mod merge;
mod parts;
mod progress;
mod reader;
mod run_record;

pub use combine::is_end;
pub use error::RecordError;
pub use fold::fold;
pub use folder::RunFolder;
pub use journal::JournalWriter;
pub use merge::{MergeError, MergeSource, Merged, ReplaceError, cut_short, ended, merge, missing};
pub use parts::{ATTEMPT, begin_attempt, file_name, part_name, parts_name, set_name};
pub use progress::{Present, Rerun, progress};
pub use reader::JournalReader;
pub use run_record::{
    AttemptRecord, JobRecord, Leak, QuietWait, Reopening, Retry, RoundsLeftOut, RunRecord, Session,
    SlowWarning, Suspension,
};
