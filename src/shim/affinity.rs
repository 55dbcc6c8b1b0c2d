//! Which CPUs a tree may use.

use std::io;

/// Binds this process, and so everything that it starts, to some CPUs; none = leaves it as it is.
#[cfg(target_os = "linux")]
pub(super) fn bind(cpus: &[u32]) -> io::Result<()> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    if cpus.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = cpus.iter().map(u32::to_string).collect();
    let refused = |reason: String| {
        io::Error::other(format!(
            "it cannot be bound to the CPUs {}: {reason}; name some that this machine has and lets \
             us use",
            list.join(", ")
        ))
    };
    let numbers: Vec<usize> = cpus
        .iter()
        .map(|cpu| usize::try_from(*cpu).unwrap_or(usize::MAX))
        .collect();
    let mut set = CpuSet::new();
    for number in &numbers {
        if *number >= CpuSet::MAX_CPU {
            return Err(refused(format!("there is no CPU {number}")));
        }
        set.set(*number);
    }
    sched_setaffinity(None, &set).map_err(|error| refused(error.to_string()))?;
    // The kernel leaves out in silence what is not there, as long as one is.
    let bound = sched_getaffinity(None)?;
    match numbers.iter().find(|number| !bound.is_set(**number)) {
        Some(missing) => Err(refused(format!("there is no CPU {missing} for us"))),
        None => Ok(()),
    }
}

/// This system binds threads, not processes: refused, unless there is nothing to do.
#[cfg(not(target_os = "linux"))]
pub(super) fn bind(cpus: &[u32]) -> io::Result<()> {
    if cpus.is_empty() {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "this system cannot bind a process to CPUs; leave `pin-cpus` out",
    ))
}
