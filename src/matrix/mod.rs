//! The matrix file: what it says, what it means, and the combinations it makes.
//!
//! [`MatrixFile`] is what the file says, in the types that also make the schema; [`Matrix`] is
//! what it means, with what it takes from the files that it extends; [`expand`] turns axes and
//! the lists beside them into combinations. Ids of models, clips and engines are checked by the
//! planner, which knows them.

mod axes;
mod condition;
mod deadlines;
mod duration_text;
mod environment;
mod expand;
mod extends;
mod policies;
mod repetition;
mod requirement;
mod resolve;
mod wire;
mod wire_deadlines;
mod wire_matrix;
mod wire_policies;

pub use axes::{Axis, AxisValue, Entry, EntryKey, NAMED_AXES, ZipGroup};
pub use condition::{Condition, Facts};
pub use expand::{Alone, Expansion, expand};
pub use resolve::{Matrix, SettingEntry, read};
pub use wire::MatrixFile;
