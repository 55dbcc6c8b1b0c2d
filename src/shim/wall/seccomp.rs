//! The wall on Linux: a seccomp filter, which needs no privileges and costs less than a
//! microsecond a system call.
//!
//! | call | answer |
//! |---|---|
//! | `socket` with a family other than `AF_UNIX` | `EACCES` |
//! | `io_uring_setup`, `io_uring_enter`, `io_uring_register` | `EACCES`: a ring opens sockets unseen |
//! | any of these by its x32 number on x86-64 | `EACCES`: same architecture to a filter, other number |
//! | any call of another architecture (32-bit x86 or ARM) | SIGSYS kills the process |
//!
//! The last one means that a 32-bit program does not run behind the wall at all: its `socketcall`
//! passes addresses by pointer, which a filter cannot look behind. `socketpair` and inherited
//! sockets are left alone: the first cannot leave the machine, the second are the runner's choice.

use std::collections::BTreeMap;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, socket};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

use super::{Options, WallError};

/// What the numbers of the x32 interface have set beside those of x86-64.
const X32_BIT: i64 = 0x4000_0000;

/// Raises the wall around this process and all that it will start.
pub(super) fn raise(_options: &Options) -> Result<&'static str, WallError> {
    let filter = filter().map_err(|error| WallError::Build(error.to_string()))?;
    // Also gives up the right to gain privileges by exec, without which no filter is allowed.
    seccompiler::apply_filter(&filter).map_err(|error| WallError::Refused(error.to_string()))?;
    judge_canary(socket(AddressFamily::INET, SocketType::STREAM, None).map(drop))?;
    Ok("seccomp")
}

fn filter() -> Result<BpfProgram, seccompiler::BackendError> {
    let family = u64::from(AddressFamily::UNIX.as_raw());
    let not_local = || {
        // The kernel looks at the lower half of the argument only, so the filter does too.
        SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, family)
            .and_then(|condition| SeccompRule::new(vec![condition]))
    };
    let interfaces = if cfg!(target_arch = "x86_64") {
        &[0, X32_BIT][..]
    } else {
        &[0][..]
    };
    let mut rules = BTreeMap::new();
    for interface in interfaces {
        rules.insert(libc::SYS_socket | interface, vec![not_local()?]);
        for call in [
            libc::SYS_io_uring_setup,
            libc::SYS_io_uring_enter,
            libc::SYS_io_uring_register,
        ] {
            // No rule: whatever the arguments.
            rules.insert(call | interface, Vec::new());
        }
    }
    let denied = SeccompAction::Errno(Errno::ACCESS.raw_os_error().unsigned_abs());
    let architecture = TargetArch::try_from(std::env::consts::ARCH)?;
    SeccompFilter::new(rules, SeccompAction::Allow, denied, architecture)?.try_into()
}

fn judge_canary(outcome: rustix::io::Result<()>) -> Result<(), WallError> {
    match outcome {
        Err(Errno::ACCESS) => Ok(()),
        Err(other) => Err(WallError::CanaryLives(format!(
            "failed for another reason ({other})"
        ))),
        Ok(()) => Err(WallError::CanaryLives("was opened".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_by_the_wall_kills_the_canary() {
        assert!(judge_canary(Err(Errno::ACCESS)).is_ok());
        for alive in [Ok(()), Err(Errno::AFNOSUPPORT), Err(Errno::MFILE)] {
            let message = judge_canary(alive).unwrap_err().to_string();
            assert!(message.contains("without a network wall"), "{message}");
        }
    }
}
