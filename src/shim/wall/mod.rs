//! The network wall: the tree can reach processes of its own machine, and nobody else.
//!
//! A wall is raised in the shim before anything is started, is inherited by the whole tree and
//! cannot be taken down. It is then tried: a socket that must fail, the canary. A wall that lets
//! the canary live is no wall, and nothing is started behind it.
//!
//! It guards against software that downloads although it was told not to, not against a
//! determined opponent: local sockets stay open, so a local service may still carry data out.

#[cfg_attr(target_os = "linux", path = "seccomp.rs")]
#[cfg_attr(target_os = "macos", path = "sandbox_exec.rs")]
#[cfg_attr(
    not(any(target_os = "linux", target_os = "macos")),
    path = "unsupported.rs"
)]
mod platform;

use super::arguments::Options;

/// Name of having no wall.
const NO_WALL: &str = "none";

/// Why the wall that was asked for does not stand.
#[derive(Debug, thiserror::Error)]
pub(super) enum WallError {
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    #[error("the wall could not be built: {0}; run without a network wall to go on")]
    Build(String),
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    #[error("the system refused the wall: {0}; run without a network wall to go on")]
    Refused(String),
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    #[error(
        "the canary socket {0} although the wall was raised; run without a network wall to go on"
    )]
    CanaryLives(String),
    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    #[error("this system offers no network wall; run without one to go on")]
    Unsupported,
}

/// Raises the wall if one is asked for and returns the name of what stands.
pub(super) fn raise(options: &Options) -> Result<&'static str, WallError> {
    if options.wall {
        platform::raise(options)
    } else {
        Ok(NO_WALL)
    }
}
