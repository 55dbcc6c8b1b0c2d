//! The network wall: a seccomp filter that everything below this process inherits for good.

use rustix::net::{AddressFamily, SocketType, socket};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};
use std::collections::BTreeMap;

/// The name of this kind of wall.
pub(super) const NAME: &str = "seccomp";

/// Refuses every socket that is not local to the machine, and `io_uring`, which could open one
/// past the filter; then tries one, which must be refused.
pub(super) fn raise() -> Result<(), String> {
    let program = filter().map_err(|error| format!("the filter cannot be built: {error}"))?;
    seccompiler::apply_filter(&program)
        .map_err(|error| format!("the filter cannot be applied: {error}"))?;
    match socket(AddressFamily::INET, SocketType::STREAM, None) {
        Err(rustix::io::Errno::ACCESS) => Ok(()),
        Err(error) => Err(format!("the canary socket failed, but with {error}")),
        Ok(_) => Err("the canary socket was opened: the wall does not hold".into()),
    }
}

fn filter() -> Result<BpfProgram, seccompiler::BackendError> {
    let not_local = SeccompCondition::new(
        0,
        SeccompCmpArgLen::Dword,
        SeccompCmpOp::Ne,
        u64::from(libc::AF_UNIX.unsigned_abs()),
    )?;
    let mut rules = BTreeMap::from([(libc::SYS_socket, vec![SeccompRule::new(vec![not_local])?])]);
    for call in [
        libc::SYS_io_uring_setup,
        libc::SYS_io_uring_enter,
        libc::SYS_io_uring_register,
    ] {
        rules.insert(call, Vec::new());
    }
    SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EACCES.unsigned_abs()),
        std::env::consts::ARCH.try_into()?,
    )?
    .try_into()
}
