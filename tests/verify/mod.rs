//! Verifies from outside: what is wrong with a model is told, by each method as far as it sees, and
//! nothing is asked of a network for it.

mod by_engine;
mod faults;
mod hub_cache;
mod remembered;
pub mod sockets;
