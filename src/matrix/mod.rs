//! The matrix file: what it says, what it means, and the combinations it makes.
//!
//! [`MatrixFile`] is what the file says, in the types that also make the schema; [`Matrix`] is
//! what it means; [`expand`] turns axes, `exclude` and `include` into combinations. Ids of models,
//! clips and engines are checked by the planner, which knows them.

mod expand;
mod resolve;
mod wire;
mod wire_matrix;

pub use expand::{Expansion, expand};
pub use resolve::{Axis, Entry, EntryKey, Matrix, NAMED_AXES, QuietGate, SettingEntry, read};
pub use wire::MatrixFile;
