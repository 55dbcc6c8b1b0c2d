//! A run that a real Slurm has: three nodes on this machine, made by `slurm-up.sh`.
//!
//! Left out of the ordinary tests, because they install Slurm, need root and take minutes: `make
//! cluster-test` runs them, one after the other.

mod faults;
mod lab;
mod landing;
mod scale;
