//! A run that a scheduler has: the whole way with a stand-in for Slurm's commands, which runs jobs on this
//! machine. The real one is in `tests/cluster`.

mod attempts;
mod parts;
mod slurm;
mod stops;
