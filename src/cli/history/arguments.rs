//! The arguments of `earmark history`.

use crate::history::{Least, Metric};
use crate::model::units::parse_duration;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand, ValueEnum, ValueHint};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// Where the history is, for every verb that uses it.
#[derive(Clone, Debug, Default, Args)]
pub(in crate::cli) struct HistoryPlace {
    /// The history's database; default: `$EARMARK_HISTORY`, else `history.db` in `$EARMARK_HOME`.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) history: Option<PathBuf>,
}

/// Whether a run goes into the history.
#[derive(Clone, Debug, Default, Args)]
pub(in crate::cli) struct Indexing {
    #[command(flatten)]
    pub(in crate::cli) place: HistoryPlace,
    /// Leave the run out of the history.
    #[arg(long, conflicts_with = "history")]
    pub(in crate::cli) no_history: bool,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct HistoryArguments {
    #[command(flatten)]
    pub(in crate::cli) list: ListArguments,
    /// What is done with it; without it, runs are listed, the newest first.
    #[command(subcommand)]
    pub(in crate::cli) verb: Option<HistoryVerb>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum HistoryVerb {
    /// Show the trend of jobs over runs, each machine apart.
    Show(ShowArguments),
    /// Has anything changed? Tells each change point once, in the run in which it is first seen.
    Check(CheckArguments),
    /// Make the index anew from run folders.
    Rebuild(RebuildArguments),
    /// Remove old run folders; their trends are kept. The newest run of each matrix always stays, and so does
    /// what in a folder is not of its run.
    Prune(PruneArguments),
    /// Write a small static site: the trend of every row, with links to the reports.
    Site(SiteArguments),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ListArguments {
    /// Only runs of the matrix of this name.
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// The newest runs, so many; a table shows 30 unless this says otherwise.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) limit: Option<u32>,
    /// Only runs that started since: a date such as 2026-11-29, or a time ago such as 30d.
    #[arg(long, value_name = "WHEN")]
    pub(super) since: Option<When>,
    /// How they are shown.
    #[arg(long, value_enum, default_value = "table")]
    pub(super) format: ListFormat,
    #[command(flatten)]
    pub(super) place: HistoryPlace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ListFormat {
    /// For people.
    Table,
    /// One JSON document.
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ShowFormat {
    /// For people.
    Table,
    /// One JSON document.
    Json,
    /// One line for each number of each run.
    Csv,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ShowArguments {
    /// Jobs: an id or the beginning of one, or a filter such as `backend=candle` or `model~large`;
    /// all that are named must hold.
    #[arg(required = true, value_name = "JOB")]
    pub(super) jobs: Vec<String>,
    /// Only this number, by its column's name; repeatable.
    #[arg(long, value_name = "METRIC", value_parser = metric())]
    pub(super) metric: Vec<Metric>,
    /// Only on the machine of this id or host name.
    #[arg(long, value_name = "MACHINE")]
    pub(super) machine: Option<String>,
    /// The newest runs, so many; a table shows 20 unless this says otherwise.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) limit: Option<u32>,
    /// How it is shown.
    #[arg(long, value_enum, default_value = "table")]
    pub(super) format: ShowFormat,
    #[command(flatten)]
    pub(super) looking: Looking,
    #[command(flatten)]
    pub(super) place: HistoryPlace,
}

/// How change points are looked for.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Looking {
    /// The smallest change of a number that matters, such as `transcribe_seconds_median=5%` or
    /// `wer=0.005`; repeatable. With it, that number is watched too.
    #[arg(long, value_name = "METRIC=CHANGE")]
    pub(super) least: Vec<LeastOf>,
    /// How often, at most, a series without a change may seem to have one.
    #[arg(long, value_name = "SHARE", default_value_t = crate::history::Search::default().significance, value_parser = significance)]
    pub(super) significance: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum AlertFormat {
    /// For people.
    Text,
    /// For an issue or a summary.
    Markdown,
    /// One JSON document.
    Json,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CheckArguments {
    /// Also change points that were first seen in earlier runs since: a date such as 2026-11-29, or a
    /// time ago such as 7d. Default: those of the newest run of each machine.
    #[arg(long, value_name = "WHEN")]
    pub(super) since: Option<When>,
    /// Status 1 on improvements too.
    #[arg(long)]
    pub(super) both: bool,
    /// How they are told.
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: AlertFormat,
    #[command(flatten)]
    pub(super) looking: Looking,
    #[command(flatten)]
    pub(super) place: HistoryPlace,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RebuildArguments {
    /// Run folders, folders that hold some, or a history.jsonl, beside what is known already.
    #[arg(value_name = "FOLDER", value_hint = ValueHint::AnyPath)]
    pub(super) folders: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) place: HistoryPlace,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PruneArguments {
    /// Keep the folders of runs that started within this time, such as 90d.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, required_unless_present = "keep_runs")]
    pub(super) keep: Option<Duration>,
    /// Keep the folders of the newest runs of each matrix, so many.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) keep_runs: Option<u32>,
    /// Only remove what lies below this folder.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, default_value = "runs")]
    pub(super) runs: PathBuf,
    /// Forget the values of what is removed too, and of runs as old whose folders are gone.
    #[arg(long)]
    pub(super) forget: bool,
    /// Say what would be removed, and remove nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) place: HistoryPlace,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SiteArguments {
    /// The folder of the site. It is replaced whole; only a site that this verb has made is.
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) folder: PathBuf,
    /// What the site is called.
    #[arg(long, value_name = "TEXT", default_value = "Earmark: history")]
    pub(super) title: String,
    /// Keep the reports of the newest runs, so many, also where their folders are gone.
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub(super) reports: u32,
    #[command(flatten)]
    pub(super) looking: Looking,
    #[command(flatten)]
    pub(super) place: HistoryPlace,
}

/// A moment, as runs are stamped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct When(pub(super) String);

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(ago) = parse_duration(text) {
            return moment_before(ago).map(Self);
        }
        if let Ok(moment) = text.parse::<jiff::Timestamp>() {
            return Ok(Self(stamp(moment)));
        }
        text.parse::<jiff::civil::Date>()
            .map(|date| Self(date.to_string()))
            .map_err(|_| {
                format!("`{text}` is no moment; write a date such as `2026-11-29`, or a time ago such as `7d`")
            })
    }
}

/// Returns the moment so long ago, as runs are stamped.
pub(super) fn moment_before(ago: Duration) -> Result<String, String> {
    jiff::SignedDuration::try_from(ago)
        .and_then(|ago| jiff::Timestamp::now().checked_sub(ago))
        .map(stamp)
        .map_err(|error| error.to_string())
}

fn stamp(moment: jiff::Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// The smallest change of a number that matters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LeastOf(pub(super) Metric, pub(super) Least);

impl FromStr for LeastOf {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (metric, least) = text
            .split_once('=')
            .ok_or_else(|| format!("`{text}`: write `METRIC=CHANGE`, such as `wer=0.005`"))?;
        Ok(Self(metric.parse()?, least.parse()?))
    }
}

/// Reads a metric; its words are known to completions.
fn metric() -> impl TypedValueParser<Value = Metric> {
    PossibleValuesParser::new(Metric::ALL.map(Metric::column))
        .try_map(|word| word.parse::<Metric>())
}

fn significance(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|share| (0.001..=0.5).contains(share))
        .ok_or_else(|| format!("`{text}` is not from 0.001 to 0.5"))
}
