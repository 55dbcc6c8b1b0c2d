//! What `/proc` tells of processes. Formats: `proc_pid_stat(5)`, `proc_pid_status(5)`,
//! `proc_tid_children(5)`, `proc_loadavg(5)`.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::str::FromStr;

use super::{Memory, printable};

/// How many fields stand between `session` and `num_threads`.
const FIELDS_FROM_SESSION_TO_THREADS: usize = 13;

/// One process that has not been reaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub pid: i32,
    pub parent: i32,
    pub group: i32,
    pub session: i32,
    /// Whether it has ended and only waits to be reaped. One whose first thread alone has ended has
    /// the state of a dead process and is none.
    pub ended: bool,
}

/// A mounted process table.
pub(super) struct ProcessTable {
    root: PathBuf,
}

impl ProcessTable {
    /// Returns the table of this system.
    pub(super) fn of_system() -> Self {
        Self {
            root: PathBuf::from("/proc"),
        }
    }

    /// Calls `visit` for every descendant of `ancestor`, each once, as early as it is known: a
    /// visitor that kills must not come later than it has to. What `visit` returns says whether to
    /// go on below that descendant. The table changes while it is read, so a process that is being
    /// born or handed to a new parent can be missed.
    pub(super) fn visit_descendants(&self, ancestor: i32, visit: &mut dyn FnMut(&Process) -> bool) {
        // The kernel offers lists of children only if built with CONFIG_PROC_CHILDREN.
        if self
            .root
            .join(format!("{ancestor}/task/{ancestor}/children"))
            .exists()
        {
            self.walk_children(ancestor, visit);
        } else {
            self.scan_all(ancestor, visit);
        }
    }

    /// Goes from parent to child: costs as much as the tree is large.
    fn walk_children(&self, ancestor: i32, visit: &mut dyn FnMut(&Process) -> bool) {
        let mut seen = BTreeSet::from([ancestor]);
        let mut to_do = vec![ancestor];
        while let Some(pid) = to_do.pop() {
            // The newest first: it is the least likely to be gone by the time it is looked at.
            for child in self.children(pid).into_iter().rev() {
                if seen.insert(child)
                    && let Some(process) = self.process(child)
                    && visit(&process)
                    && !process.ended
                {
                    to_do.push(child);
                }
            }
        }
    }

    /// Reads every process of the system: costs as much as the system is busy.
    fn scan_all(&self, ancestor: i32, visit: &mut dyn FnMut(&Process) -> bool) {
        let mut tree = BTreeSet::from([ancestor]);
        let mut others = Vec::new();
        for pid in self.numbered_entries("") {
            let Some(process) = self.process(pid) else {
                continue;
            };
            // Ids mostly grow from parent to child and the table is sorted by them.
            if tree.contains(&process.parent) && pid != ancestor {
                if visit(&process) {
                    tree.insert(pid);
                }
            } else {
                others.push(process);
            }
        }
        loop {
            let size = tree.len();
            others.retain(|process| {
                let below = tree.contains(&process.parent) && process.pid != ancestor;
                if below && visit(process) {
                    tree.insert(process.pid);
                }
                !below
            });
            if tree.len() == size {
                return;
            }
        }
    }

    /// Returns one process; `None` if there is none of this id.
    pub(super) fn process(&self, pid: i32) -> Option<Process> {
        let mut bytes = [0; 512];
        parse_stat(pid, self.read(&format!("{pid}/stat"), &mut bytes)?)
    }

    /// Returns the name of the program that a process runs, or what the program calls itself, as
    /// printable text; `None` if there is no such process.
    pub(super) fn name(&self, pid: i32) -> Option<String> {
        let mut bytes = [0; 512];
        parse_name(self.read(&format!("{pid}/stat"), &mut bytes)?)
    }

    /// Returns the memory of one process; `None` if it has ended.
    pub(super) fn memory(&self, pid: i32) -> Option<Memory> {
        let mut bytes = [0; 4096];
        parse_status(self.read(&format!("{pid}/status"), &mut bytes)?)
    }

    /// Returns the newest process or thread id that the system has given out. As long as it stays
    /// the same, no process was started.
    pub(super) fn newest_pid(&self) -> Option<i32> {
        let mut bytes = [0; 128];
        last_number(self.read("loadavg", &mut bytes)?)
    }

    /// Returns the children of every thread of a process.
    fn children(&self, pid: i32) -> Vec<i32> {
        let mut children = Vec::new();
        for thread in self.numbered_entries(&format!("{pid}/task")) {
            let path = self.root.join(format!("{pid}/task/{thread}/children"));
            let list = std::fs::read_to_string(path).unwrap_or_default();
            children.extend(
                list.split_ascii_whitespace()
                    .filter_map(|id| id.parse::<i32>().ok()),
            );
        }
        children
    }

    fn numbered_entries(&self, directory: &str) -> impl Iterator<Item = i32> {
        let entries = std::fs::read_dir(self.root.join(directory))
            .into_iter()
            .flatten();
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
    }

    /// Reads the head of a small file in one go.
    fn read<'b>(&self, name: &str, bytes: &'b mut [u8]) -> Option<&'b [u8]> {
        let length = File::open(self.root.join(name)).ok()?.read(bytes).ok()?;
        bytes.get(..length)
    }
}

/// Reads `pid (name) state ppid pgrp session …`, and the number of threads further on. The name is
/// whatever the program likes, brackets, spaces and newlines included, so what follows is found from
/// the last bracket.
fn parse_stat(pid: i32, bytes: &[u8]) -> Option<Process> {
    let name_end = bytes.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(bytes.get(name_end + 1..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    let mut number = || fields.next()?.parse().ok();
    let (parent, group, session) = (number()?, number()?, number()?);
    let threads = fields.nth(FIELDS_FROM_SESSION_TO_THREADS);
    let has_other_threads = threads.is_some_and(|count| !matches!(count, "0" | "1"));
    Some(Process {
        pid,
        parent,
        group,
        session,
        ended: matches!(state, "Z" | "X" | "x") && !has_other_threads,
    })
}

/// Reads what stands between the first bracket and the last.
fn parse_name(bytes: &[u8]) -> Option<String> {
    let start = bytes.iter().position(|byte| *byte == b'(')? + 1;
    let end = bytes.iter().rposition(|byte| *byte == b')')?;
    Some(printable(bytes.get(start..end)?))
}

/// Reads the lines `VmHWM`, `VmRSS` and `RssAnon` (in KiB); a process that has ended has none.
fn parse_status(bytes: &[u8]) -> Option<Memory> {
    let mut memory = Memory::default();
    let mut found = false;
    for line in bytes.split(|byte| *byte == b'\n') {
        let mut words = line
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty());
        let field = match words.next() {
            Some(b"VmHWM:") => &mut memory.peak_resident,
            Some(b"VmRSS:") => &mut memory.resident,
            Some(b"RssAnon:") => &mut memory.anonymous,
            _ => continue,
        };
        *field = 1024 * words.next().and_then(parse_number::<u64>)?;
        found = true;
    }
    found.then_some(memory)
}

/// Reads the last field of `/proc/loadavg`.
fn last_number(bytes: &[u8]) -> Option<i32> {
    let text = bytes.trim_ascii_end();
    text.rsplit(|byte| *byte == b' ')
        .next()
        .and_then(parse_number)
}

fn parse_number<N: FromStr>(bytes: &[u8]) -> Option<N> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fs;

    /// Writes a process table with the given (pid, parent) pairs.
    fn table(pairs: &[(i32, i32)], lists_of_children: bool) -> (tempfile::TempDir, ProcessTable) {
        let directory = tempfile::tempdir().unwrap();
        fs::write(
            directory.path().join("loadavg"),
            "0.20 0.18 0.12 1/80 11206\n",
        )
        .unwrap();
        for (pid, parent) in pairs {
            let task = directory.path().join(format!("{pid}/task/{pid}"));
            fs::create_dir_all(&task).unwrap();
            let stat = format!("{pid} (a) b) S {parent} {pid} 1 0 -1 4194560 0");
            fs::write(directory.path().join(format!("{pid}/stat")), stat).unwrap();
            if lists_of_children {
                let children = pairs.iter().filter(|(_, of)| of == pid);
                let list: Vec<String> = children.map(|(child, _)| child.to_string()).collect();
                fs::write(task.join("children"), list.join(" ")).unwrap();
            }
        }
        let root = directory.path().to_path_buf();
        (directory, ProcessTable { root })
    }

    fn descendants(table: &ProcessTable, ancestor: i32) -> Vec<i32> {
        let mut found = Vec::new();
        table.visit_descendants(ancestor, &mut |process| {
            found.push(process.pid);
            true
        });
        found.sort_unstable();
        found
    }

    #[test]
    fn descendants_are_found_with_and_without_lists_of_children() {
        // 5 is the child of 90: ids start again from the bottom when the top is reached.
        let pairs = [
            (1, 0),
            (10, 1),
            (20, 10),
            (21, 20),
            (30, 1),
            (90, 21),
            (5, 90),
        ];
        for lists in [true, false] {
            let (_directory, table) = table(&pairs, lists);
            assert_eq!(
                descendants(&table, 10),
                [5, 20, 21, 90],
                "lists of children: {lists}"
            );
            assert_eq!(
                descendants(&table, 30),
                Vec::<i32>::new(),
                "lists of children: {lists}"
            );
        }
    }

    #[test]
    fn nobody_is_looked_for_below_who_is_not_wanted() {
        for lists in [true, false] {
            let (_directory, table) = table(&[(1, 0), (20, 1), (21, 20), (22, 1), (5, 21)], lists);
            let mut found = Vec::new();
            table.visit_descendants(1, &mut |process| {
                found.push(process.pid);
                process.pid != 20
            });
            found.sort_unstable();
            assert_eq!(found, [20, 22], "lists of children: {lists}");
        }
    }

    #[test]
    fn a_process_with_a_living_thread_has_not_ended() {
        let stat = |threads: u32| format!("7 (a) Z 1 7 7 0 -1 4 0 0 0 0 0 0 0 0 20 0 {threads} 0");
        assert!(parse_stat(7, stat(1).as_bytes()).unwrap().ended);
        assert!(!parse_stat(7, stat(2).as_bytes()).unwrap().ended);
    }

    #[test]
    fn names_are_printable_and_whole() {
        let name = |bytes: &[u8]| parse_name(bytes).unwrap();
        assert_eq!(name(b"7 (a b) c) S 1"), "a b) c");
        assert_eq!(name(b"7 (a\n\x1b[\xff) S 1"), "a??[\u{fffd}");
        assert_eq!(parse_name(b"7 )(").as_deref(), None);
        let pid = i32::try_from(std::process::id()).unwrap();
        assert!(!ProcessTable::of_system().name(pid).unwrap().is_empty());
    }

    #[test]
    fn the_newest_process_id_is_the_last_field() {
        assert_eq!(table(&[], false).1.newest_pid(), Some(11206));
    }

    #[test]
    fn memory_is_in_bytes_and_missing_for_the_dead() {
        let alive = b"Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\nRssAnon:\t     100 kB\n";
        let memory = parse_status(alive).unwrap();
        assert_eq!(memory.peak_resident, 2048 * 1024);
        assert_eq!(memory.resident, 1024 * 1024);
        assert_eq!(memory.anonymous, 100 * 1024);
        assert_eq!(parse_status(b"Name:\tx\nState:\tZ (zombie)\n"), None);
    }

    #[test]
    fn this_process_is_in_the_table_of_the_system() {
        let table = ProcessTable::of_system();
        let pid = i32::try_from(std::process::id()).unwrap();
        let process = table.process(pid).unwrap();
        assert_eq!(
            process.parent,
            i32::try_from(std::os::unix::process::parent_id()).unwrap()
        );
        assert!(!process.ended);
        let memory = table.memory(pid).unwrap();
        assert!(memory.resident > 0 && memory.peak_resident >= memory.anonymous);
    }

    proptest! {
        #[test]
        fn no_name_of_a_program_hides_its_parent(name in "(?s).{0,16}") {
            let stat = format!("7 ({name}) Z 3 4 5 0 -1");
            let expected = Process { pid: 7, parent: 3, group: 4, session: 5, ended: true };
            prop_assert_eq!(parse_stat(7, stat.as_bytes()), Some(expected));
        }

        #[test]
        fn no_bytes_upset_the_readers(bytes: Vec<u8>) {
            let _ = (parse_stat(1, &bytes), parse_name(&bytes));
            let _ = (parse_status(&bytes), last_number(&bytes));
        }
    }
}
