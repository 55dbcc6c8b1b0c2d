//! The shim from outside: the real program over children that behave as badly as they can.

mod accounting;
mod cgroups;
mod ending;
mod every_end;
mod fork_loops;
mod hostile;
mod inheritance;
mod lines;
mod one_socket;
mod processes;
mod start;
mod stopping;
mod support;
mod sweeping;
pub mod users;
pub mod wall;
