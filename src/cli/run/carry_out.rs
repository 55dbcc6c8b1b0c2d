//! Carrying out a plan in a run folder.

use super::part;
use super::present::present;
use super::repository::repository_of;
use super::sinks::{Sinks, Telling};
use super::unmet::unmet;
use crate::cli::exit::{Failure, say};
use crate::cli::lock::refuse_other_versions;
use crate::cli::secrets::Secrets;
use crate::engine::bridge::KEY_VARIABLE;
use crate::exec::{
    Fence, Live, Part, RunContext, RunOptions, RunSummary, listen_for_signals, probe_versions,
    run as execute, tree_probe,
};
use crate::machine::machine_facts;
use crate::model::{JobSpec, Plan};
use crate::plan::fill_plan;
use crate::record::{JournalWriter, RecordError, Rerun, RunFolder, RunRecord, progress};
use crate::store::{HubCache, Store};
use crate::ui::{Progress, printable};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::Duration;

/// What is to be carried out, where, and how.
pub(in crate::cli) struct Errand<'a> {
    /// The plan.
    pub(in crate::cli) plan: Plan,
    /// The matrix or the kept plan that it was read from, if that is known.
    pub(in crate::cli) source: Option<&'a Path>,
    /// The run folder.
    pub(in crate::cli) path: &'a Path,
    /// The part of the plan; `None` = all of it, or what the resumed run does.
    pub(in crate::cli) part: Option<Part>,
    /// Which attempt at that it is, from 1.
    pub(in crate::cli) attempt: u32,
    /// What tells that another attempt has taken its place.
    pub(in crate::cli) fence: Option<Fence>,
    /// The folder holds a run that is to go on.
    pub(in crate::cli) resumption: Option<Resumption<'a>>,
    /// How faults are treated.
    pub(in crate::cli) options: RunOptions,
    /// The command line, for the record.
    pub(in crate::cli) command_line: &'a [OsString],
    /// How it is told.
    pub(in crate::cli) telling: Telling,
}

/// How a run goes on.
pub(in crate::cli) struct Resumption<'a> {
    /// What is done again although it ended.
    pub(in crate::cli) rerun: &'a [Rerun],
}

/// A run folder that is ours now.
struct Opened {
    folder: RunFolder,
    journal: JournalWriter,
    /// What an earlier run left in it.
    record: Option<RunRecord>,
}

/// Carries out a plan in a run folder.
pub(in crate::cli) fn carry_out(mut errand: Errand<'_>) -> Result<RunSummary, Failure> {
    let filled = if errand.plan.environment.is_empty() {
        None
    } else {
        Some(fill_plan(&errand.plan, &variable).map_err(Failure::Input)?)
    };
    let secrets = Secrets::new(&secret_names(&errand.plan), variable);
    let opened = open(&errand)?;
    if let Some(record) = &opened.record {
        take_over_part(&mut errand, record)?;
    }
    let Opened {
        folder,
        journal,
        record,
    } = opened;
    let elapsed = record.as_ref().map_or(0.0, |record| record.elapsed_seconds);
    let changes_plan = record
        .as_ref()
        .is_some_and(|record| record.plan.digest != errand.plan.digest);
    if changes_plan {
        folder
            .propose_plan(&errand.plan)
            .map_err(|error| usage(&error))?;
    }
    let telling = errand.telling;
    let source = errand.source.map(Path::to_owned);
    let rerun = errand
        .resumption
        .as_ref()
        .map(|resumption| resumption.rerun);
    let mut context = context(errand, filled, &folder, elapsed)?;
    let mut sinks = Sinks {
        secrets,
        journal,
        adopt: changes_plan.then(|| folder.clone()),
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
    let work = context.work.clone();
    // A runner that was killed may have left something.
    remove(&work);
    let ended = runtime.block_on(async {
        let cancel = listen_for_signals(&context.live).map_err(Failure::internal)?;
        let (versions, complaints) = probe_versions(&context, cancel.clone()).await;
        refuse_other_versions(&context.plan, &versions)?;
        context.versions = versions;
        if let Some(source) = &source {
            context.repository = repository_of(&context, source).await;
        }
        for complaint in complaints {
            say(&format!("warning: {}", printable(&complaint)));
        }
        if let (Some(record), Some(rerun)) = (&record, rerun) {
            let present = present(&context, record);
            let plan = &context.plan;
            context.resumed = Some(progress(record, plan, &present, rerun));
        }
        drop(record);
        Box::pin(execute(context, &mut sinks, cancel)).await.map_err(|error| {
            Failure::internal(format!(
                "the journal {} cannot be written: {error}; what it holds already is whole, and \
                 `earmark run --resume {}` goes on with it",
                folder.journal().display(),
                folder.path.display()
            ))
        })
    });
    sinks.secrets.logs(&folder.logs());
    // A decoder or a hash that is still at work must not hold the program back.
    runtime.shutdown_background();
    remove(&work);
    ended
}

/// Returns the names of the variables whose values are kept and shown nowhere: those that are filled
/// in, and those that engines find a key in.
fn secret_names(plan: &Plan) -> Vec<String> {
    let mut names = plan.environment.clone();
    for job in &plan.jobs {
        if let JobSpec::Benchmark(spec) = &job.spec
            && let Some(name) = spec.settings.get(KEY_VARIABLE)
            && !names.contains(&name.written)
        {
            names.push(name.written.clone());
        }
    }
    names
}

fn usage(error: &RecordError) -> Failure {
    Failure::Usage(error.to_string())
}

fn open(errand: &Errand<'_>) -> Result<Opened, Failure> {
    if errand.resumption.is_some() {
        let (folder, journal, record) =
            RunFolder::reopen(errand.path).map_err(|error| usage(&error))?;
        Ok(Opened {
            folder,
            journal,
            record: Some(record),
        })
    } else {
        let (folder, journal) =
            RunFolder::create(errand.path, &errand.plan).map_err(|error| usage(&error))?;
        Ok(Opened {
            folder,
            journal,
            record: None,
        })
    }
}

/// A run that did a part of its plan goes on with that part.
fn take_over_part(errand: &mut Errand<'_>, record: &RunRecord) -> Result<(), Failure> {
    let Some(last) = record.sessions.last() else {
        return Ok(());
    };
    errand.attempt = last.attempt;
    let Some(shard) = last.shard.clone() else {
        return Ok(());
    };
    if record.plan.digest != errand.plan.digest {
        return Err(Failure::Usage(format!(
            "{} holds shard {shard} of another plan; go on with it without naming a matrix, or run \
             the new plan in a folder of its own",
            errand.path.display()
        )));
    }
    errand.part = part::again(&errand.plan, &shard)?;
    if errand.part.is_none() {
        return Err(Failure::Usage(format!(
            "{} holds shard {shard} of a list of jobs, and not of all; go on with it by a further \
             attempt: `earmark run PLAN --shard K/N --jobs FILE`",
            errand.path.display()
        )));
    }
    Ok(())
}

/// Removes a folder of what nobody keeps, if it is there.
fn remove(work: &Path) {
    // What cannot be removed is in nobody's way.
    let _ = std::fs::remove_dir_all(work);
}

/// Returns a variable of the environment, if it is text.
pub(in crate::cli) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Returns where models live on this machine.
pub(in crate::cli) fn store_here() -> Result<Store, Failure> {
    let store = Store::from_environment(|name| std::env::var_os(name)).map_err(Failure::Usage)?;
    let absolute = |path: &Path| std::path::absolute(path).map_err(Failure::internal);
    Ok(Store {
        root: absolute(&store.root)?,
        hub: HubCache {
            root: absolute(&store.hub.root)?,
        },
    })
}

/// Asks the command backends of a plan for their versions, as a run does. One that gives none is
/// told.
pub(in crate::cli) fn backend_versions(plan: &Plan) -> Result<BTreeMap<String, String>, Failure> {
    if plan
        .backends
        .values()
        .all(|backend| backend.version.is_none())
    {
        return Ok(BTreeMap::new());
    }
    let place = tempfile::tempdir().map_err(Failure::internal)?;
    let filled = fill_plan(plan, &variable).map_err(Failure::Input)?;
    let context = surroundings(filled, place.path())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::internal)?;
    let (versions, complaints) = runtime.block_on(async {
        let cancel = listen_for_signals(&context.live).map_err(Failure::internal)?;
        Ok(probe_versions(&context, cancel).await)
    })?;
    for complaint in complaints {
        say(&format!("warning: {}", printable(&complaint)));
    }
    Ok(versions)
}

/// Returns what a process needs that is started for a question, and not for a run: nothing of it is
/// kept. `place` is a folder for what is written meanwhile.
pub(in crate::cli) fn surroundings(plan: Plan, place: &Path) -> Result<RunContext, Failure> {
    let folder = RunFolder::at(place);
    let errand = Errand {
        plan,
        source: None,
        path: place,
        part: None,
        attempt: 1,
        fence: None,
        resumption: None,
        options: RunOptions::default(),
        command_line: &[],
        telling: Telling::Nothing,
    };
    context(errand, None, &folder, 0.0)
}

/// Returns what the run is given. `filled` is the plan with values of the environment, if it names
/// some: what is kept names the variables, what is carried out has their values.
fn context(
    errand: Errand<'_>,
    filled: Option<Plan>,
    folder: &RunFolder,
    elapsed: f64,
) -> Result<RunContext, Failure> {
    let plan = filled.unwrap_or(errand.plan);
    let store = store_here()?;
    let absolute = |path: &Path| std::path::absolute(path).map_err(Failure::internal);
    let run_id = errand.path.file_name().map_or_else(
        || plan.name.clone(),
        |name| name.to_string_lossy().into_owned(),
    );
    let elapsed = Duration::try_from_secs_f64(elapsed).unwrap_or_default();
    let machine = machine_facts();
    let unmet = unmet(&plan, errand.part.as_ref(), &machine);
    Ok(RunContext {
        run_id,
        plan,
        part: errand.part,
        attempt: errand.attempt,
        fence: errand.fence,
        unmet,
        resumed: None,
        program: std::env::current_exe().map_err(Failure::internal)?,
        audio_cache: store.root.with_file_name("audio"),
        store,
        logs: absolute(&folder.logs())?,
        work: absolute(&folder.work())?,
        cgroup: tree_probe(),
        versions: BTreeMap::new(),
        machine,
        command_line: errand
            .command_line
            .iter()
            .map(|argument| printable(&argument.to_string_lossy()))
            .collect(),
        repository: None,
        environment: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .collect(),
        options: errand.options,
        live: Live::starting_at(elapsed),
    })
}
