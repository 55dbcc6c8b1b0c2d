//! `earmark engines install`: an environment for each engine that is named, or nothing.

use super::wanted::{all, home_here, named};
use crate::cli::arguments::InstallArguments;
use crate::cli::exit::{ExitStatus, Failure, print, say};
use crate::cli::run::surroundings;
use crate::clock::wall_time;
use crate::engine::bridge::{
    EngineHome, EnvironmentState, Installation, Installed, Step, Tool, progress_of,
};
use crate::engine::{LaunchSpec, child_environment, find_on_path};
use crate::exec::{Cancellation, Program, RunContext, listen_for_signals, run_program};
use crate::model::units::show_bytes;
use crate::model::{Outcome, Phase, Plan};
use crate::ui::printable;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How often a lock that another installer holds is tried.
const POLL: Duration = Duration::from_millis(100);
/// The names of a Python that an environment may be made of, the first that is new enough.
const PYTHONS: [&str; 5] = [
    "python3",
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
];
/// How many lines of a tool's output are shown when it fails.
const TAIL_LINES: usize = 15;

/// Why an environment was not made.
enum Trouble {
    /// Somebody does not want to wait.
    Cancelled,
    /// A step went wrong: the reason, the end of what its tool said, and the remedy.
    Failed {
        reason: String,
        tail: String,
        remedy: String,
    },
}

impl Trouble {
    fn failed(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Failed {
            reason: reason.into(),
            tail: String::new(),
            remedy: remedy.into(),
        }
    }
}

pub(super) fn run(arguments: &InstallArguments) -> Result<ExitStatus, Failure> {
    let home = home_here()?;
    let environments = if arguments.all {
        all()
    } else {
        named(&arguments.names)?
    };
    let scratch = tempfile::tempdir().map_err(Failure::internal)?;
    let context = surroundings(Plan::default(), scratch.path())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::internal)?;
    runtime.block_on(async {
        let cancel = listen_for_signals(&context.live).map_err(Failure::internal)?;
        let installer = Installer {
            context: &context,
            home: &home,
            cancel,
            ends: Instant::now() + arguments.deadline,
            deadline: arguments.deadline,
        };
        for (environment, engines) in &environments {
            let engines = engines.join(", ");
            match installer.install(environment, &engines).await {
                Ok((found, fresh)) => tell(&engines, &found, fresh)?,
                Err(trouble) => return Ok(tell_trouble(&engines, trouble)),
            }
        }
        Ok(ExitStatus::Success)
    })
}

/// One run of the verb.
struct Installer<'a> {
    context: &'a RunContext,
    home: &'a EngineHome,
    cancel: Cancellation,
    /// When all of it has to be over.
    ends: Instant,
    deadline: Duration,
}

impl Installer<'_> {
    /// Makes an environment unless it is there. Returns what it holds, and whether it was made now.
    async fn install(
        &self,
        environment: &str,
        engines: &str,
    ) -> Result<(Installed, bool), Trouble> {
        if let EnvironmentState::Ready(installed) = self.home.state(environment) {
            return Ok((*installed, false));
        }
        let installation = self.claim(environment, engines).await?;
        // Whoever was at it may have done it.
        if let EnvironmentState::Ready(installed) = self.home.state(environment) {
            return Ok((*installed, false));
        }
        let tool = self.tool(&installation).await?;
        for step in installation.steps(&tool) {
            self.run(step, engines, &installation).await?;
        }
        let asked = installation.ask_versions();
        let answer = self.run(asked, engines, &installation).await?;
        let remedy =
            "nothing was changed; this is a fault of the lock, or of what the index served";
        installation
            .finish(&answer, wall_time())
            .map(|installed| (installed, true))
            .map_err(|reason| Trouble::failed(reason, remedy))
    }

    /// Begins an installation; while another installer is at the same environment, waits for it.
    async fn claim(&self, environment: &str, engines: &str) -> Result<Installation, Trouble> {
        let mut told = false;
        loop {
            match Installation::begin(self.home, environment) {
                Ok(Some(installation)) => return Ok(installation),
                Ok(None) => {}
                Err(reason) => return Err(Trouble::failed(reason, "nothing was changed")),
            }
            if !told {
                say(&format!(
                    "{engines}: another program is installing it; waiting for that"
                ));
                told = true;
            }
            if self.cancel.borrow().is_some() {
                return Err(Trouble::Cancelled);
            }
            if Instant::now() >= self.ends {
                return Err(self.too_late("the other installer"));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Finds what makes environments here: uv, else a Python that is new enough.
    async fn tool(&self, installation: &Installation) -> Result<Tool, Trouble> {
        let path = self.context.variable("PATH");
        let find = |name: &str| find_on_path(name, path.as_deref());
        if let Some(uv) = find("uv") {
            return Ok(Tool::Uv(uv));
        }
        let mut seen: Vec<PathBuf> = Vec::new();
        for python in PYTHONS.iter().filter_map(|name| find(name)) {
            let program = self.program(Step::ask_python(&python), installation);
            let ended = self.until_its_end(program, |_| {}).await;
            match ended.outcome {
                Outcome::Completed if Step::is_new_enough(&ended.answer) => {
                    return Ok(Tool::Pip(python));
                }
                Outcome::Cancelled { .. } => return Err(Trouble::Cancelled),
                _ => seen.push(python),
            }
        }
        let seen: Vec<String> = seen
            .iter()
            .map(|python| python.display().to_string())
            .collect();
        Err(Trouble::failed(
            if seen.is_empty() {
                "there is neither `uv` nor `python3` on PATH".to_owned()
            } else {
                format!("no Python on PATH is 3.11 or newer: {}", seen.join(", "))
            },
            "install Python 3.11 or newer with its venv module, or uv",
        ))
    }

    /// Runs a step and returns its answer.
    async fn run(
        &self,
        step: Step,
        engines: &str,
        installation: &Installation,
    ) -> Result<Vec<u8>, Trouble> {
        say(&format!("{engines}: {}", step.doing));
        let name = step.name;
        let program = self.program(step, installation);
        let ended = self
            .until_its_end(program, |line| {
                if let Some(progress) = progress_of(line) {
                    say(&format!("  {}", printable(&progress)));
                }
            })
            .await;
        match ended.outcome {
            Outcome::Completed => Ok(ended.answer),
            Outcome::Cancelled { .. } => Err(Trouble::Cancelled),
            Outcome::TimedOut { .. } => Err(self.too_late(name)),
            other => Err(Trouble::Failed {
                reason: other.reason(),
                tail: ended.tail,
                remedy: "nothing was changed; when that is mended, run the same again: what was \
                         fetched is still in the tool's cache"
                    .into(),
            }),
        }
    }

    fn program(&self, step: Step, installation: &Installation) -> Program {
        let get = |name: &str| self.context.variable(name);
        let mut environment = child_environment(step.network, get);
        // What its tools leave behind when they are killed goes with the rest.
        environment.insert("TMPDIR".into(), installation.temporary().into());
        Program {
            name: step.name,
            phase: Phase::Download,
            launch: LaunchSpec {
                command: step.command,
                environment,
                network: step.network,
                protocol: false,
            },
            limit: self.ends.saturating_duration_since(Instant::now()),
            answers: step.answers,
        }
    }

    async fn until_its_end(
        &self,
        program: Program,
        hear: impl FnMut(&str),
    ) -> crate::exec::ProgramEnd {
        run_program(self.context, program, self.cancel.clone(), hear).await
    }

    fn too_late(&self, name: &str) -> Trouble {
        let limit = humantime::format_duration(self.deadline);
        Trouble::failed(
            format!("{name} was not done within the {limit} that all of it may take"),
            "nothing was changed; `--deadline 2h` allows more, and what was fetched is still in the \
             tool's cache",
        )
    }
}

fn tell(engines: &str, installed: &Installed, fresh: bool) -> Result<(), Failure> {
    let word = if fresh { "installed" } else { "already there" };
    let versions: Vec<String> = installed
        .distributions
        .iter()
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    print(&printable(&format!(
        "{engines}: {word}; {}, Python {}: {}",
        show_bytes(installed.bytes),
        installed.python,
        versions.join(", ")
    )))?;
    print("\n")
}

fn tell_trouble(engines: &str, trouble: Trouble) -> ExitStatus {
    match trouble {
        Trouble::Cancelled => {
            say(&format!(
                "{engines}: interrupted; nothing of it was installed"
            ));
            ExitStatus::Interrupted
        }
        Trouble::Failed {
            reason,
            tail,
            remedy,
        } => {
            say(&format!("error: {engines}: {}", printable(&reason)));
            let lines: Vec<&str> = tail.lines().collect();
            for line in &lines[lines.len().saturating_sub(TAIL_LINES)..] {
                say(&format!("  | {}", printable(line)));
            }
            say(&format!("help: {remedy}"));
            ExitStatus::Fault
        }
    }
}
