//! The arguments of `earmark run`.

use crate::cli::arguments::{ReportTo, Selection};
use crate::cli::cluster::Scheduler;
use crate::cli::history::Indexing;
use crate::cluster::StopRules;
use crate::model::{Requirements, Shard};
use crate::plan::Filter;
use clap::{Args, ValueEnum, ValueHint};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Downloads {
    /// Fetch nothing.
    Never,
    /// Fetch what is missing.
    Missing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum RunFormat {
    /// For people, on standard error.
    Text,
    /// Events as JSON Lines on standard output.
    Json,
}

/// What a resumed run does again although it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum RerunWish {
    /// What failed, crashed or broke the protocol.
    Failed,
    /// What ran into a limit.
    TimedOut,
    /// What a filter matches.
    Matching(Filter),
}

impl FromStr for RerunWish {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "failed" => Ok(Self::Failed),
            "timed-out" => Ok(Self::TimedOut),
            _ => text
                .parse()
                .map(Self::Matching)
                .map_err(|reason: String| format!("{reason}; or `failed`, or `timed-out`")),
        }
    }
}

#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(in crate::cli) struct RunArguments {
    /// A matrix file, or a plan that `earmark plan --format json` wrote.
    #[arg(value_hint = ValueHint::FilePath, required_unless_present = "resume")]
    pub(in crate::cli) matrix: Option<PathBuf>,
    /// The run folder; default: runs/<date>-<name>.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "resume")]
    pub(in crate::cli) out: Option<PathBuf>,
    /// Go on with a run: its folder, or `latest` for the newest under `runs`. What is done stays;
    /// verdicts are asked for again. Without a matrix, by the plan that the run has.
    #[arg(long, value_name = "RUN", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) resume: Option<PathBuf>,
    /// With --resume, also do again what `failed`, what `timed-out`, or what a filter such as
    /// `backend=candle` matches; repeatable.
    #[arg(long, value_name = "WHAT", requires = "resume")]
    pub(in crate::cli) rerun: Vec<RerunWish>,
    /// Do the Kth of N parts of a saved plan, in a folder of its own. In a folder named
    /// `….attempt-2` the parts' second attempt does what the first, beside it, has not done, and ends it.
    #[arg(long, value_name = "K/N", conflicts_with = "resume")]
    pub(in crate::cli) shard: Option<Shard>,
    /// With --shard, deal only the benchmarks that require just this, such as `os:linux,gpu:cuda` or
    /// `none`, for the machines that have it.
    #[arg(long, value_name = "SET", requires = "shard")]
    pub(in crate::cli) requires: Option<Requirements>,
    /// With --shard, deal only the benchmarks whose ids a file has, one a line.
    #[arg(long, value_name = "FILE", requires = "shard", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) jobs: Option<PathBuf>,
    /// With --shard, start nothing more once this file is there.
    #[arg(long, value_name = "FILE", requires = "shard", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) stand_down: Option<PathBuf>,
    /// Hand the plan over to a scheduler, in parts by what its rows require, and look after it. Each part has
    /// --fail-fast, --max-failures and --time-budget for itself: it knows only its own faults and its own time.
    #[arg(long, value_enum, value_name = "SCHEDULER", conflicts_with_all = ["shard", "resume", "format"])]
    pub(in crate::cli) on: Option<Scheduler>,
    /// The site file: what the scheduler is told for each requirement.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) site: Option<PathBuf>,
    /// Do not wait for it: `earmark attach RUN` looks after it later.
    #[arg(long)]
    pub(in crate::cli) detach: bool,
    /// With --on, plan as if every engine were ready, because the machines that have it are others.
    #[arg(long, requires = "on")]
    pub(in crate::cli) assume_ready: bool,
    /// Whether anything may be fetched, whatever the matrix says.
    #[arg(long, value_enum)]
    pub(in crate::cli) download: Option<Downloads>,
    /// Stop at the first fault; with --on, the part that has it.
    #[arg(long, conflicts_with = "keep_going")]
    pub(in crate::cli) fail_fast: bool,
    /// Go on after faults (default). When a run that a scheduler has is resumed, also its parts that stopped
    /// at faults before.
    #[arg(long)]
    pub(in crate::cli) keep_going: bool,
    /// Stop after so many faults; with --on, so many of a part.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) max_failures: Option<u32>,
    /// Leave out whole rounds of launches that would end later than this, such as `2h`; with --on, later than
    /// this after the part began.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub(in crate::cli) time_budget: Option<Duration>,
    /// Ask every verify again: take no verdict that is remembered.
    #[arg(long)]
    pub(in crate::cli) fresh: bool,
    /// A run that the allowed regressions of the matrix's gates are judged against: its folder, or
    /// `latest`.
    #[arg(long, value_name = "RUN", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) base: Option<PathBuf>,
    /// The reports that are written in the end, such as `csv,html,junit`; default: csv,html.
    #[arg(long, value_name = "LIST", value_enum, value_delimiter = ',')]
    pub(in crate::cli) to: Vec<ReportTo>,
    /// Show the plan and stop; with --on, what would be handed over.
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// How the run is told.
    #[arg(long, value_enum, default_value = "text")]
    pub(in crate::cli) format: RunFormat,
    #[command(flatten)]
    pub(in crate::cli) indexing: Indexing,
    #[command(flatten)]
    pub(in crate::cli) selection: Selection,
}

impl RunArguments {
    /// Returns when a part that is handed over stops before all of it is done, as far as it is asked for here.
    pub(in crate::cli) fn stops(&self) -> StopRules {
        StopRules {
            fail_fast: self.fail_fast,
            max_failures: self.max_failures,
            time_budget: self.time_budget,
        }
    }
}
