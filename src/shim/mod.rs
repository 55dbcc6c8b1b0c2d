//! The hidden verb that every child process runs under.
//!
//! One shim stands above each child. It keeps the child from a network, adopts everything the
//! child leaves behind, counts what the tree costs, and ends all of it when it is told to, when
//! the runner dies, or when its own backstop passes. It has one thread and no runtime, because
//! every job pays for its start.
//!
//! Descriptors it is given: 0 the control pipe, 1 and 2 the child's output, 3 the child's end of
//! the protocol socket (with `--protocol`), 4 the report pipe. On the control pipe `T` asks the
//! tree to end, `S` and `C` stop and continue it, `K` or the end of the file ends it at once.

mod accounting;
mod arguments;
mod report;
mod run;
mod tree;
#[cfg(target_os = "linux")]
#[path = "wall_linux.rs"]
mod wall;
#[cfg(not(target_os = "linux"))]
#[path = "wall_other.rs"]
mod wall;

pub use arguments::{Arguments, VERB};
pub use report::{EndedBy, Report};
pub use run::main;
