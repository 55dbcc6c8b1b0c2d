//! The processes below this one: finding, signalling, ending and reaping them.

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitIdOptions, WaitOptions, kill_process, waitpid};
use std::collections::{HashMap, HashSet};
use std::fs;

/// A process below this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Descendant {
    pub(super) pid: Pid,
    /// It has ended and waits to be reaped by its parent.
    pub(super) zombie: bool,
}

/// Returns every process below this one, as `/proc` shows it at this moment.
///
/// Orphans are below this process too, because it is their subreaper.
pub(super) fn descendants() -> Vec<Descendant> {
    let mut children: HashMap<i32, Vec<(i32, bool)>> = HashMap::new();
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    for entry in entries.flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<i32>().ok())
        else {
            continue;
        };
        if let Some((parent, zombie)) = parent_of(pid) {
            children.entry(parent).or_default().push((pid, zombie));
        }
    }
    let own = i32::try_from(std::process::id()).unwrap_or(0);
    let mut found = Vec::new();
    let mut seen = HashSet::from([own]);
    let mut open = vec![own];
    while let Some(parent) = open.pop() {
        for (pid, zombie) in children.get(&parent).into_iter().flatten() {
            if seen.insert(*pid) {
                open.push(*pid);
                found.extend(Pid::from_raw(*pid).map(|pid| Descendant {
                    pid,
                    zombie: *zombie,
                }));
            }
        }
    }
    found
}

/// Reads a process's parent and whether it is a zombie out of `/proc/PID/stat`. The program's name
/// stands in parentheses and may hold anything, so the fields are counted from the last one.
fn parent_of(pid: i32) -> Option<(i32, bool)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.get(stat.rfind(')')? + 2..)?.split(' ');
    let state = fields.next()?;
    Some((fields.next()?.parse().ok()?, matches!(state, "Z" | "X")))
}

/// Sends a signal to every living process below this one.
pub(super) fn signal_all(signal: Signal) {
    for descendant in descendants().iter().filter(|descendant| !descendant.zombie) {
        // It may have ended in between; then there is nothing to signal.
        let _ = kill_process(descendant.pid, signal);
    }
}

/// Ends every process below this one and returns when none is left.
///
/// A tree that forks faster than it can be listed is stopped first: a stopped process cannot fork,
/// and the listing is repeated until it shows no process that has not been stopped.
pub(super) fn end_all() {
    let mut stopped = HashSet::new();
    loop {
        let living: Vec<Pid> = descendants()
            .iter()
            .filter(|d| !d.zombie)
            .map(|d| d.pid)
            .collect();
        let fresh: Vec<Pid> = living
            .iter()
            .copied()
            .filter(|pid| stopped.insert(*pid))
            .collect();
        for pid in &fresh {
            let _ = kill_process(*pid, Signal::STOP);
        }
        if fresh.is_empty() {
            for pid in &living {
                let _ = kill_process(*pid, Signal::KILL);
            }
            if reap_until_living_are_gone(&living) {
                return;
            }
            // A process id may be used again by a child of the next round.
            stopped.clear();
        }
    }
}

/// Waits until a child can be reaped, reaps, and returns whether there is no child at all.
fn reap_until_living_are_gone(living: &[Pid]) -> bool {
    let mut left = living.len().max(1);
    while left > 0 {
        // Killed processes end in any order, and their orphans come to this process, so waiting
        // for any child makes progress as long as one of them is alive.
        match waitpid(None, WaitOptions::empty()) {
            Ok(Some(_)) => left -= 1,
            Ok(None) | Err(Errno::INTR) => {}
            // No child, and orphans would be children: nothing is left.
            Err(_) => return true,
        }
        if !any_child_waits() {
            break;
        }
    }
    matches!(waitpid(None, WaitOptions::NOHANG), Err(Errno::CHILD))
}

/// Whether a child has ended and waits to be reaped.
fn any_child_waits() -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    matches!(
        rustix::process::waitid(rustix::process::WaitId::All, options),
        Ok(Some(_))
    )
}

/// Reaps what has ended and returns whether there is no child at all.
pub(super) fn reap_ended() -> bool {
    loop {
        match waitpid(None, WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) => return false,
            Err(_) => return true,
        }
    }
}
