//! The shim from outside: the real program over children that behave as badly as they can.

mod accounting;
mod ending;
mod fork_loops;
mod hostile;
mod inheritance;
mod lines;
mod processes;
mod start;
mod support;
pub mod users;
mod wall;
