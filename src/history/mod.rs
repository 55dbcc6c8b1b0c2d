//! Runs over time: an index of them, the trends of their rows, where these changed, what is kept.
//!
//! The database is a cache. The run folders are the truth, and where they are gone a line for each
//! run in `history.jsonl` beside the database.

mod change_points;
mod database;
mod energy;
mod entry;
mod error;
mod index;
mod least;
mod lines;
mod metric;
mod of_run;
mod place;
mod prune;
mod rebuild;
mod site;
mod sparkline;
mod steps;
mod trends;
mod watch;

pub use change_points::{ChangePoint, Search, change_points, change_positions};
pub use database::History;
pub use entry::{MachineEntry, RowEntry, RunEntry, key_of};
pub use error::HistoryError;
pub use index::{ListedRun, Put, RunQuery};
pub use least::Least;
pub use metric::Metric;
pub use place::{VARIABLE, history_path};
pub use prune::{Pruned, Retention};
pub use rebuild::Rebuilt;
pub use site::SiteOptions;
pub use sparkline::sparkline;
pub use steps::changes_of;
pub use trends::{KnownJob, Night, Series, Trend, TrendQuery};
pub use watch::{Alert, Seen, Watch};
