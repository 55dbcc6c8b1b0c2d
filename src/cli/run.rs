//! `earmark run`: verify, fetch, measure, report.

use super::arguments::{Downloads, RunArguments, RunFormat};
use super::exit::{ExitStatus, Failure, print, say};
use super::load::{narrow, plan_of};
use super::saved::{keep, read_saved, refuse_if_stale};
use super::secrets::Secrets;
use crate::event::{EventSink, Stamped};
use crate::exec::{RunContext, RunOptions, RunSummary, run as execute};
use crate::machine::machine_facts;
use crate::model::{DownloadPolicy, Plan};
use crate::plan::fill_plan;
use crate::record::{JournalWriter, RunFolder};
use crate::report::{gate_failures, write_reports};
use crate::store::Store;
use crate::ui::{Progress, printable};
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

pub(super) fn run(
    arguments: &RunArguments,
    command_line: &[OsString],
) -> Result<ExitStatus, Failure> {
    let mut selection = arguments.selection.clone();
    selection.download = arguments.download.map(|downloads| match downloads {
        Downloads::Never => DownloadPolicy::Never,
        Downloads::Missing => DownloadPolicy::Missing,
    });
    let plan = match read_saved(&arguments.matrix)? {
        Some(mut plan) => {
            refuse_if_stale(&arguments.matrix, &mut plan)?;
            narrow(&mut plan, &selection)?;
            plan
        }
        None => {
            let mut plan = plan_of(&arguments.matrix, &selection)?;
            if !arguments.dry_run {
                keep(&mut plan);
            }
            plan
        }
    };
    if arguments.dry_run {
        print(&super::plan::table(&plan))?;
        return Ok(ExitStatus::Success);
    }
    let path = arguments
        .out
        .clone()
        .unwrap_or_else(|| default_folder(&plan));
    let options = RunOptions {
        fail_fast: arguments.fail_fast,
        max_failures: arguments.max_failures.map(|most| most as usize),
    };
    let telling = match arguments.format {
        RunFormat::Text => Telling::Progress,
        RunFormat::Json => Telling::Events,
    };
    let summary = carry_out(&plan, &path, options, command_line, telling)?;
    let record = RunFolder::read(&path).map_err(Failure::internal)?;
    write_reports(&record, &path).map_err(Failure::internal)?;
    let gates = gate_failures(&record);
    for failure in &gates {
        say(&format!("gate: {}", printable(&failure.0)));
    }
    say(&format!("\n{}", path.join("report.html").display()));
    Ok(match status_of(&summary) {
        ExitStatus::Success if !gates.is_empty() => ExitStatus::Gate,
        status => status,
    })
}

/// Returns the exit status that a run's end stands for.
pub(super) fn status_of(summary: &RunSummary) -> ExitStatus {
    if summary.interrupted {
        ExitStatus::Interrupted
    } else if summary.faults > 0 || summary.not_complete > 0 {
        ExitStatus::Fault
    } else {
        ExitStatus::Success
    }
}

fn default_folder(plan: &Plan) -> PathBuf {
    let now = jiff::Timestamp::now()
        .strftime("%Y%m%dT%H%M%SZ")
        .to_string();
    let name: String = plan
        .name
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') {
                c
            } else {
                '-'
            }
        })
        .collect();
    Path::new("runs").join(format!("{now}-{name}"))
}

/// How a run is told while it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Telling {
    /// Progress on standard error.
    Progress,
    /// Events on standard output.
    Events,
    /// Nothing.
    Nothing,
}

/// Carries out a plan in a run folder, with progress on standard error.
pub(super) fn carry_out(
    plan: &Plan,
    path: &Path,
    options: RunOptions,
    command_line: &[OsString],
    telling: Telling,
) -> Result<RunSummary, Failure> {
    let filled = fill_plan(plan, &variable).map_err(Failure::Input)?;
    let secrets = Secrets::new(&plan.environment, variable);
    // What is kept names the variables; what is carried out has their values.
    let (folder, journal) =
        RunFolder::create(path, plan).map_err(|error| Failure::Usage(error.to_string()))?;
    let run_id = path.file_name().map_or_else(
        || plan.name.clone(),
        |name| name.to_string_lossy().into_owned(),
    );
    let context = context(filled, &folder, run_id, options, command_line)?;
    let mut sinks = Sinks {
        secrets,
        journal,
        progress: (telling == Telling::Progress).then(|| Progress::new(io::stderr().is_terminal())),
        events: telling == Telling::Events,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::internal)?;
    let ended = runtime.block_on(async {
        let cancel = listen_for_signals().map_err(Failure::internal)?;
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
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn context(
    plan: Plan,
    folder: &RunFolder,
    run_id: String,
    options: RunOptions,
    command_line: &[OsString],
) -> Result<RunContext, Failure> {
    let store = Store::from_environment(|name| std::env::var_os(name)).map_err(Failure::Usage)?;
    let store = Store {
        root: std::path::absolute(&store.root).map_err(Failure::internal)?,
    };
    let audio_cache = store.root.with_file_name("audio");
    Ok(RunContext {
        run_id,
        plan,
        program: std::env::current_exe().map_err(Failure::internal)?,
        store,
        audio_cache,
        logs: std::path::absolute(folder.logs()).map_err(Failure::internal)?,
        machine: machine_facts(),
        command_line: command_line
            .iter()
            .map(|argument| printable(&argument.to_string_lossy()))
            .collect(),
        environment: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .collect(),
        options,
    })
}

/// Turns signals into reasons to cancel: the first ends in order, the second at once.
fn listen_for_signals() -> io::Result<watch::Receiver<Option<String>>> {
    let (sender, receiver) = watch::channel(None);
    for (kind, name) in [
        (SignalKind::interrupt(), "SIGINT"),
        (SignalKind::terminate(), "SIGTERM"),
        (SignalKind::hangup(), "SIGHUP"),
    ] {
        if name == "SIGHUP" && is_ignored(libc::SIGHUP) {
            continue;
        }
        let mut signals = signal(kind)?;
        let sender = sender.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                sender.send_replace(Some(format!("interrupted by {name}")));
            }
        });
    }
    Ok(receiver)
}

/// Whether a signal was ignored when this program was started, as under `nohup`.
fn is_ignored(number: i32) -> bool {
    #[expect(
        unsafe_code,
        reason = "no safe wrapper asks for a signal's disposition"
    )]
    // SAFETY: with no new action given, the call only writes the old one into the local struct.
    unsafe {
        let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
        libc::sigaction(number, std::ptr::null(), action.as_mut_ptr()) == 0
            && action.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

/// The journal first, then whoever watches.
struct Sinks {
    secrets: Secrets,
    journal: JournalWriter,
    progress: Option<Progress>,
    events: bool,
}

impl EventSink for Sinks {
    fn emit(&mut self, event: &Stamped) -> io::Result<()> {
        let clean = self.secrets.event(event);
        let event = clean.as_ref().unwrap_or(event);
        self.journal.emit(event)?;
        if let Some(progress) = &mut self.progress {
            progress.emit(event)?;
        }
        if self.events
            && let Ok(line) = serde_json::to_string(event)
        {
            // A reader that has gone costs the screen, not the run.
            let _ = print(&(line + "\n"));
        }
        Ok(())
    }
}
