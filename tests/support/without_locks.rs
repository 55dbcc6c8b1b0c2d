//! A system whose file systems have no locks, as the kernel itself would say it: `flock` is refused to a
//! program and all that it starts.

use rustix::io::Errno;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};
use std::collections::BTreeMap;
use std::process::{Child, Command};

/// Starts a program to which `flock` answers with an error. The filter is that of the thread that starts
/// it, so nobody else has it.
pub fn spawn_without_locks(command: &mut Command, error: Errno) -> Child {
    let answer = SeccompAction::Errno(error.raw_os_error().unsigned_abs());
    let rules = BTreeMap::from([(libc::SYS_flock, Vec::new())]);
    let architecture = TargetArch::try_from(std::env::consts::ARCH).unwrap();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, answer, architecture).unwrap();
    let program: BpfProgram = filter.try_into().unwrap();
    std::thread::scope(|scope| {
        let starting = scope.spawn(|| {
            seccompiler::apply_filter(&program).unwrap();
            command.spawn().unwrap()
        });
        starting.join().unwrap()
    })
}
