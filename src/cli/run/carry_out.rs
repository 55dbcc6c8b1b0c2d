//! Carrying out a plan in a run folder.

use super::sinks::{Sinks, Telling};
use crate::cli::exit::Failure;
use crate::cli::secrets::Secrets;
use crate::exec::{Live, RunContext, RunOptions, RunSummary, listen_for_signals, run as execute};
use crate::machine::machine_facts;
use crate::model::Plan;
use crate::plan::fill_plan;
use crate::record::RunFolder;
use crate::store::Store;
use crate::ui::{Progress, printable};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::Duration;

/// What is to be carried out, where, and how.
pub(in crate::cli) struct Errand<'a> {
    /// The plan.
    pub(in crate::cli) plan: &'a Plan,
    /// The run folder.
    pub(in crate::cli) path: &'a Path,
    /// How faults are treated.
    pub(in crate::cli) options: RunOptions,
    /// The command line, for the record.
    pub(in crate::cli) command_line: &'a [OsString],
    /// How it is told.
    pub(in crate::cli) telling: Telling,
}

/// Carries out a plan in a run folder.
pub(in crate::cli) fn carry_out(errand: Errand<'_>) -> Result<RunSummary, Failure> {
    let Errand { plan, path, .. } = errand;
    let filled = fill_plan(plan, &variable).map_err(Failure::Input)?;
    let secrets = Secrets::new(&plan.environment, variable);
    // What is kept names the variables; what is carried out has their values.
    let (folder, journal) =
        RunFolder::create(path, plan).map_err(|error| Failure::Usage(error.to_string()))?;
    let context = context(filled, &folder, &errand)?;
    let telling = errand.telling;
    let mut sinks = Sinks {
        secrets,
        journal,
        progress: (telling == Telling::Progress).then(|| Progress::new(io::stderr().is_terminal())),
        events: telling == Telling::Events,
    };
    // One thread beside this one: the dispatcher writes the journal here, and what has limits is
    // watched over there, so that a slow disk holds up no limit.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(Failure::internal)?;
    let ended = runtime.block_on(async {
        let cancel = listen_for_signals(&context.live).map_err(Failure::internal)?;
        execute(context, &mut sinks, cancel).await.map_err(|error| {
            Failure::internal(format!(
                "the journal {} cannot be written: {error}",
                folder.journal().display()
            ))
        })
    });
    sinks.secrets.logs(&folder.logs());
    // A decoder or a hash that is still at work must not hold the program back.
    runtime.shutdown_background();
    ended
}

/// Returns a variable of the environment, if it is text.
pub(in crate::cli) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn context(plan: Plan, folder: &RunFolder, errand: &Errand<'_>) -> Result<RunContext, Failure> {
    let store = Store::from_environment(|name| std::env::var_os(name)).map_err(Failure::Usage)?;
    let store = Store {
        root: std::path::absolute(&store.root).map_err(Failure::internal)?,
    };
    let audio_cache = store.root.with_file_name("audio");
    let run_id = errand.path.file_name().map_or_else(
        || plan.name.clone(),
        |name| name.to_string_lossy().into_owned(),
    );
    Ok(RunContext {
        run_id,
        plan,
        part: None,
        attempt: 1,
        resumed: None,
        program: std::env::current_exe().map_err(Failure::internal)?,
        store,
        audio_cache,
        logs: std::path::absolute(folder.logs()).map_err(Failure::internal)?,
        work: std::path::absolute(folder.work()).map_err(Failure::internal)?,
        cgroup: None,
        versions: BTreeMap::new(),
        machine: machine_facts(),
        command_line: errand
            .command_line
            .iter()
            .map(|argument| printable(&argument.to_string_lossy()))
            .collect(),
        environment: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .collect(),
        options: errand.options,
        live: Live::starting_at(Duration::ZERO),
    })
}
