//! What holds engines: a shim around their processes, a wall before the network.

use super::finding::Finding;
use crate::exec::{RunContext, try_program};
use std::time::Duration;

/// What a probe may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Tries both with this program itself, which tells its version.
pub(super) async fn findings(context: &RunContext) -> Vec<Finding> {
    let command = vec![context.program.clone().into(), "--version".into()];
    let tried = match try_program(context, command, LIMIT).await {
        Ok(tried) => tried,
        Err(reason) => {
            return vec![Finding::problem(
                "holding",
                "network wall",
                reason,
                "no engine can be started behind it: ask whether seccomp is allowed here",
            )];
        }
    };
    let cgroup = match &context.cgroup {
        Some(folder) => Finding::ok("holding", "control groups", folder.display().to_string()),
        None => Finding::note(
            "holding",
            "control groups",
            "none can be made: trees of processes are ended one process after the other",
            "that is sure, too, and slower; `systemd-run --user --scope earmark …` may lend one",
        ),
    };
    vec![
        Finding::ok(
            "holding",
            "network wall",
            format!("{}: it refused its canary", tried.network_wall),
        ),
        subreaper(),
        cgroup,
    ]
}

fn subreaper() -> Finding {
    let name = "orphans";
    match crate::exec::become_subreaper() {
        Ok(()) => Finding::ok("holding", name, "come to the shim, which ends them"),
        Err(error) => Finding::note(
            "holding",
            name,
            format!("are ended by their process group alone: {error}"),
            "an engine that leaves its group may leave processes behind",
        ),
    }
}
