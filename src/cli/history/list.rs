//! `earmark history`: the runs, the newest first.

use super::arguments::{ListArguments, ListFormat};
use super::with;
use crate::cli::exit::{ExitStatus, Failure, print, say};
use crate::history::{ListedRun, RunQuery};
use crate::model::units::show_seconds;
use crate::ui::Table;
use serde_json::{Value, json};

/// So many runs a table shows, where nobody says another number.
const SHOWN: u32 = 30;

pub(super) fn run(arguments: &ListArguments) -> Result<ExitStatus, Failure> {
    let query = RunQuery {
        name: arguments.name.clone(),
        since: arguments.since.as_ref().map(|when| when.0.clone()),
        limit: arguments
            .limit
            .or((arguments.format == ListFormat::Table).then_some(SHOWN)),
    };
    let (runs, count) = with(&arguments.place, |history| {
        Ok((history.runs(&query)?, history.count()?))
    })?;
    match arguments.format {
        ListFormat::Json => {
            let runs: Vec<Value> = runs.iter().map(json_of).collect();
            print(&format!("{:#}\n", json!({"runs": runs})))?;
        }
        ListFormat::Table if runs.is_empty() => say(if count == 0 {
            "no run is known yet; `earmark run` puts each there, `earmark history rebuild FOLDER` older ones"
        } else {
            "no run is like that"
        }),
        ListFormat::Table => print_table(&runs, arguments.limit.is_none(), count)?,
    }
    Ok(ExitStatus::Success)
}

fn json_of(run: &ListedRun) -> Value {
    json!({
        "key": run.key,
        "run_id": run.run_id,
        "name": run.name,
        "folder": run.folder,
        "gone": run.is_gone,
        "started": run.started,
        "seconds": run.seconds,
        "interrupted": run.interrupted,
        "machines": run.machines.iter().map(|machine| {
            json!({"id": machine.id, "host": machine.host, "cpu": machine.cpu})
        }).collect::<Vec<_>>(),
        "plan_digest": run.plan_digest,
        "git_commit": run.git_commit,
        "earmark_version": run.earmark_version,
        "outcomes": run.outcomes,
        "rows": run.rows,
        "synthetic": run.synthetic,
    })
}

fn print_table(runs: &[ListedRun], is_cut: bool, count: u64) -> Result<(), Failure> {
    let mut table = Table::new(&["started", "name", "machine", "took", "outcomes", "folder"]);
    table.keep_whole(0);
    for run in runs {
        let machines: Vec<&str> = run
            .machines
            .iter()
            .map(|machine| machine.host.as_str())
            .collect();
        let took = match (run.seconds, run.interrupted) {
            (Some(seconds), false) => show_seconds(seconds),
            (Some(seconds), true) => format!("{}, interrupted", show_seconds(seconds)),
            (None, _) => "did not end".into(),
        };
        let mut name = run.name.clone();
        if run.synthetic {
            name.push_str(" (synthetic)");
        }
        let mut folder = run.folder.display().to_string();
        if run.is_gone {
            folder.push_str(" (gone)");
        }
        table.row([
            minute(&run.started),
            name,
            machines.join(", "),
            took,
            outcomes(run),
            folder,
        ]);
    }
    print(&(table.render() + "\n"))?;
    let shown = runs.len() as u64;
    if is_cut && shown == u64::from(SHOWN) && count > shown {
        say(&format!(
            "the newest {SHOWN} of {count}; --limit shows more"
        ));
    }
    Ok(())
}

fn outcomes(run: &ListedRun) -> String {
    let words: Vec<String> = run
        .outcomes
        .iter()
        .map(|(status, number)| format!("{number} {status}"))
        .collect();
    words.join(", ")
}

/// Returns a date and time in UTC as people read it, to the minute.
pub(super) fn minute(stamp: &str) -> String {
    stamp.chars().take(16).collect::<String>().replace('T', " ")
}
