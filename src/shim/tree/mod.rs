//! The tree of processes below the shim: who is in it, and how it is ended.
//!
//! Two kinds with one interface: on Linux the shim is a subreaper and walks `/proc`; elsewhere it
//! knows the child's process group only.

#[cfg(not(target_os = "linux"))]
mod process_group;
#[cfg(target_os = "linux")]
mod process_table;
#[cfg(target_os = "linux")]
mod subreaper;

#[cfg(not(target_os = "linux"))]
pub(super) use process_group::Tree;
#[cfg(target_os = "linux")]
pub(super) use subreaper::Tree;

/// Resident memory of one process, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Memory {
    /// Now.
    pub resident: u64,
    /// Highest since its last `exec`.
    pub peak_resident: u64,
    /// Of what is resident now, the part that no file stands behind.
    pub anonymous: u64,
}
