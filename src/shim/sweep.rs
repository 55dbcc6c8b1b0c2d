//! What the runner does beside its shims: tries once what a tree can be held with, and ends what
//! a shim has left behind that was itself killed.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::report::{LeakedProcess, MOST_LEAKS_NAMED};
use super::tree::{self, Cgroup, Orphans};

/// Longest time that a sweep takes.
const LIMIT: Duration = Duration::from_secs(2);

/// Time between two passes: grows from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LAST_PAUSE: Duration = Duration::from_millis(20);

/// What is known of a shim that is gone without its last report.
#[derive(Clone, Copy, Debug, Default)]
pub struct Remains<'report> {
    /// `pid` of its [`Report::Started`](super::Report::Started). Needed where there is no
    /// subreaper.
    pub main_child: Option<i32>,
    /// `cgroup` of its [`Report::Started`](super::Report::Started).
    pub cgroup: Option<&'report Path>,
}

/// What a sweep has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many processes it has ended; those that were born and killed within a control group
    /// between two looks are not counted.
    pub ended: usize,
    /// The first of these.
    pub named: Vec<LeakedProcess>,
    /// Whether nothing is left, as far as the system tells; `false` if time ran out.
    pub is_complete: bool,
}

/// Makes this process the parent of whoever loses its parent below it, so that [`sweep`] finds what
/// a killed shim has left. To be called once, before the first shim is started.
///
/// # Errors
///
/// Where there is no such thing (macOS) or the system refuses it. A sweep then finds less.
pub fn become_subreaper() -> io::Result<()> {
    Orphans::adopt()
}

/// Returns the directory to give to shims as `--cgroup`, if control groups can be made, filled and
/// killed. Tries it with an empty one; starts nothing. Also removes the empty groups of shims that
/// were killed together with their runner.
#[must_use]
pub fn tree_probe() -> Option<PathBuf> {
    tree::probe()
}

/// Ends what a shim has left behind that is gone without its last report, be it that somebody
/// killed it. To be called when the shim has been waited for: before that its descendants may not
/// have come to this process. Takes at most two seconds, so it is nothing for a thread that has to
/// answer.
///
/// Kills everything in the control group and every descendant of this process, but for the
/// children that it has started itself and has not taken out of its session, for those that
/// `is_shim` returns `true` for, and for whoever is below one of these. Reaps what came to this
/// process as an orphan, each by its own id.
///
/// `is_shim` is asked for children of this process. It has to return `true` for the id of every
/// shim that the caller has started and not yet waited for, be it alive or dead. A shim that was
/// started this moment has to be known as well: let `is_shim` and whoever starts shims share a
/// lock that is held from before the start until the id is noted.
///
/// Without [`become_subreaper`] orphans are found in the control group only. On macOS it kills the
/// process group of the main child and what descends from this process, which is less: orphans are
/// adopted by process 1 there.
pub fn sweep(remains: &Remains<'_>, is_shim: &dyn Fn(i32) -> bool) -> Swept {
    let start = Instant::now();
    let cgroup = remains.cgroup.and_then(|path| Cgroup::open(path).ok());
    let orphans = Orphans::new(remains.main_child);
    let mut killed = BTreeMap::new();
    let mut pause = FIRST_PAUSE;
    // A list of children that changes while it is read may lack one: only twice nobody is nobody.
    let mut empty_passes = 0;
    let is_complete = loop {
        let known = killed.len();
        let mut found = 0;
        if let Some(cgroup) = &cgroup {
            let members = cgroup.members();
            cgroup.kill();
            found += members.len();
            for pid in members {
                let name = || orphans.name(pid).unwrap_or_default();
                killed.entry(pid).or_insert_with(name);
            }
        }
        found += orphans.end(is_shim, &mut killed);
        if found == 0 {
            empty_passes += 1;
            if empty_passes == 2 {
                break true;
            }
            continue;
        }
        empty_passes = 0;
        if start.elapsed() >= LIMIT {
            break false;
        }
        // Where somebody new came up there may be more of them at once; who is only on the way out
        // needs time.
        pause = if killed.len() > known {
            FIRST_PAUSE
        } else {
            (2 * pause).min(LAST_PAUSE)
        };
        rest(pause);
    };
    if let Some(cgroup) = &cgroup {
        cgroup.remove();
    }
    Swept {
        ended: killed.len(),
        named: killed
            .into_iter()
            .take(MOST_LEAKS_NAMED)
            .map(|(pid, name)| LeakedProcess { pid, name })
            .collect(),
        is_complete,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "orphans are born, handed on and die without an event that tells of all of them"
)]
fn rest(pause: Duration) {
    std::thread::sleep(pause);
}
