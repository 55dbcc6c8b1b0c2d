//! What Slurm says of jobs: read from its parsable texts, because its JSON changes with each release.

use std::collections::BTreeMap;

/// What `squeue` is asked for: array, task, state, reason, nodes.
pub(super) const QUEUE_FORMAT: &str = "%F|%K|%j|%T|%r|%N";

/// What `sacct` is asked for.
pub(super) const ACCOUNTS_FORMAT: &str = "JobID,JobName,State,ExitCode,NodeList";

/// What may still come of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It waits.
    Waiting,
    /// It runs.
    Running,
    /// Nothing more comes of it.
    Over,
}

/// A task of an array, or a job by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskState {
    /// The job's name.
    pub name: String,
    /// What may still come of it.
    pub standing: Standing,
    /// Slurm's word for its state.
    pub state: String,
    /// Why it waits, if it is said; how it ended (`exit:signal`), if it is over and that is said.
    pub reason: String,
    /// The nodes that it has.
    pub nodes: String,
}

/// What the scheduler knows, by array and task (0: a job by itself). What is not in it is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Liveness {
    /// The tasks.
    pub tasks: BTreeMap<(String, u32), TaskState>,
}

impl Liveness {
    /// Returns the arrays and jobs that the scheduler knows under a name.
    #[must_use]
    pub fn ids_of(&self, name: &str) -> Vec<&str> {
        let mut ids: Vec<&str> = self
            .tasks
            .iter()
            .filter(|(_, task)| task.name == name)
            .map(|((id, _), _)| id.as_str())
            .collect();
        ids.dedup();
        ids
    }

    /// Takes over what another answer says. A task that was started again stands in the accounts several
    /// times, and the last one counts.
    pub fn take(&mut self, other: Self) {
        self.tasks.extend(other.tasks);
    }
}

/// Reads what `squeue` says. Lines that are none are passed over.
#[must_use]
pub fn parse_squeue(text: &str) -> Liveness {
    let mut found = Liveness::default();
    for line in text.lines() {
        let fields: Vec<&str> = line.trim().split('|').collect();
        let [array, task, name, state, reason, nodes] = fields.as_slice() else {
            continue;
        };
        let Some(standing) = standing_of(state) else {
            continue;
        };
        // A job by itself has no task.
        let task = task.parse().unwrap_or(0);
        found.tasks.insert(
            ((*array).to_owned(), task),
            TaskState {
                name: (*name).to_owned(),
                standing,
                state: (*state).to_owned(),
                reason: if *reason == "None" {
                    String::new()
                } else {
                    (*reason).to_owned()
                },
                nodes: (*nodes).to_owned(),
            },
        );
    }
    found
}

/// Reads what `sacct` says. Tasks that wait together (`12_[3-9]`) are passed over: the queue knows them.
#[must_use]
pub fn parse_sacct(text: &str) -> Liveness {
    let mut found = Liveness::default();
    for line in text.lines() {
        let fields: Vec<&str> = line.trim().split('|').collect();
        let [id, name, state, exit, nodes] = fields.as_slice() else {
            continue;
        };
        let (array, task) = match id.split_once('_') {
            Some((array, task)) => match task.parse() {
                Ok(task) => (array, task),
                Err(_) => continue,
            },
            None => (*id, 0),
        };
        // Such as `CANCELLED by 1000`.
        let state = state.split_whitespace().next().unwrap_or_default();
        let Some(standing) = standing_of(state) else {
            continue;
        };
        found.tasks.insert(
            (array.to_owned(), task),
            TaskState {
                name: (*name).to_owned(),
                standing,
                state: state.to_owned(),
                reason: (*exit).to_owned(),
                nodes: (*nodes).to_owned(),
            },
        );
    }
    found
}

/// Returns what a state of Slurm's means. A state that is not known here says nothing.
fn standing_of(state: &str) -> Option<Standing> {
    Some(match state {
        "PENDING" | "REQUEUED" | "REQUEUE_HOLD" | "REQUEUE_FED" | "RESV_DEL_HOLD"
        | "SPECIAL_EXIT" | "CONFIGURING" => Standing::Waiting,
        "RUNNING" | "COMPLETING" | "SUSPENDED" | "STOPPED" | "SIGNALING" | "STAGE_OUT"
        | "RESIZING" => Standing::Running,
        "COMPLETED" | "FAILED" | "TIMEOUT" | "CANCELLED" | "NODE_FAIL" | "OUT_OF_MEMORY"
        | "BOOT_FAIL" | "DEADLINE" | "PREEMPTED" | "REVOKED" | "LAUNCH_FAILED"
        | "RECONFIG_FAIL" => Standing::Over,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_queue_says_is_read() {
        let told = "7|1|e.g1|RUNNING|None|n1\n7|2|e.g1|PENDING|Priority|\n8|N/A|e.merge|PENDING|Dependency|\n\
                    9|1|e.g2|NEW_STATE|None|n2\nslurm_load_jobs error: x\n";
        let found = parse_squeue(told);
        let standing = |id: &str, task| {
            found
                .tasks
                .get(&(id.to_owned(), task))
                .map(|task| task.standing)
        };
        assert_eq!(standing("7", 1), Some(Standing::Running));
        assert_eq!(standing("7", 2), Some(Standing::Waiting));
        assert_eq!(standing("8", 0), Some(Standing::Waiting));
        assert_eq!(
            standing("9", 1),
            None,
            "a state that is not known says nothing"
        );
        assert_eq!(found.ids_of("e.g1"), ["7"]);
        assert_eq!(found.tasks[&("7".to_owned(), 2)].reason, "Priority");
        assert!(parse_squeue("").tasks.is_empty());
    }

    #[test]
    fn what_the_accounts_say_is_read_and_the_last_word_counts() {
        let told = "7_1|e.g1|NODE_FAIL|0:0|n1\n7_1|e.g1|COMPLETED|0:0|n2\n7_[2-9]|e.g1|PENDING|0:0|None assigned\n\
                    8|e.merge|CANCELLED by 1000|0:15|n1\n";
        let found = parse_sacct(told);
        assert_eq!(found.tasks[&("7".to_owned(), 1)].state, "COMPLETED");
        assert_eq!(found.tasks[&("7".to_owned(), 1)].nodes, "n2");
        assert_eq!(found.tasks[&("8".to_owned(), 0)].state, "CANCELLED");
        assert_eq!(found.tasks.len(), 2);
    }
}
