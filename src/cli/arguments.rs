//! The arguments of every verb.

use super::cluster::AttachArguments;
use super::history::{HistoryArguments, Indexing};
use super::load::Ready;
use super::run::RunArguments;
use super::score::InputFormat;
use crate::model::{DownloadPolicy, NormalizerId, Share, VerifyMethod};
use crate::plan::Filter;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use std::path::PathBuf;
use std::time::Duration;

/// What a manual page says beside the options.
const AFTER_HELP: &str = "\
Exit status: 0 all is well; 1 a gate failed or something became worse; 2 the input or the command line is wrong and nothing was \
started; 3 a job went wrong, a model is not complete, or a merge lacks runs; 4 a fault of the program or its \
surroundings; 130 interrupted.

Environment: EARMARK_MACHINE names this machine in records (default: the host's name; 100 characters are shown), EARMARK_LABELS says what it has (\
`label:bench,gpu:cuda`). EARMARK_HOME is the folder of models, remembered verdicts and decoded recordings (default: \
earmark in $XDG_CACHE_HOME or ~/.cache), and of the history unless EARMARK_HISTORY names its file. Models of Hugging Face hubs lie in the cache that all programs for \
them share: HF_HUB_CACHE, or hub in HF_HOME. Where several machines share these folders, EARMARK_LEASE_SECONDS is how long a \
holder may not be heard of before its work is taken over (default: 90); set, it also has leases held where the kernel's locks would do. NO_COLOR turns colours off.";

/// Which speech recognizer, which model, which quantization, on this machine, at what accuracy.
#[derive(Debug, Parser)]
#[command(name = "earmark", version, about, long_about = None, after_long_help = AFTER_HELP)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Look for mistakes in matrix files; nothing is run.
    Check(CheckArguments),
    /// Show what a matrix would do; nothing is run.
    Plan(PlanArguments),
    /// Write down which bytes, engines and recordings a matrix means, for `--locked`.
    Lock(LockArguments),
    /// Verify, fetch, measure, report.
    Run(Box<RunArguments>),
    /// Are the models there? Nothing is fetched.
    #[command(alias = "check-models")]
    Verify(VerifyArguments),
    /// Fetch the models that are missing, or list those that are known; nothing is measured.
    Download(DownloadArguments),
    /// Make the reports again from a run's record.
    Report(ReportArguments),
    /// Hold runs against each other: which rows became faster, slower, more or less accurate.
    Compare(CompareArguments),
    /// Measure one thing twice, to see how small a change this machine can show.
    Calibrate(CalibrateArguments),
    /// Put runs of one plan together, such as those of several machines.
    Merge(MergeArguments),
    /// Look after a run that a scheduler has: see how it goes on, and report it when it is over.
    Attach(AttachArguments),
    /// List runs, show trends, tell what has changed; keep or remove what is old.
    History(HistoryArguments),
    /// Score transcripts against references: by line, or by id.
    Score(ScoreArguments),
    /// List the engines: ready or not, version, settings; or check that they keep to the protocol.
    Engines(EnginesArguments),
    /// Look at machine, caches and engines, and say what to mend; nothing is changed.
    Doctor(DoctorArguments),
    /// Print the JSON Schema of a file format.
    Schema(SchemaArguments),
    /// Write a commented matrix that runs here.
    Init(InitArguments),
    /// Print the completions of a shell.
    Completions(CompletionsArguments),
    /// Print the manual page.
    Man(ManArguments),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum CheckFormat {
    /// For people, on standard error.
    Text,
    /// One JSON document.
    Json,
    /// Annotations for a pull request on GitHub.
    Github,
}

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    /// Matrix files.
    #[arg(required = true)]
    pub(super) matrices: Vec<PathBuf>,
    /// How what is found is told.
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: CheckFormat,
    /// Take warnings and planned skips for errors.
    #[arg(long)]
    pub(super) strict: bool,
    /// A file of models, recipes and backends, laid over the built-in catalog and under the matrix's own;
    /// repeatable.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) catalog: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PlanFormat {
    /// For people.
    Table,
    /// The whole plan; `earmark run` takes it.
    Json,
    /// For a pull request.
    Markdown,
    /// A graph for Graphviz.
    Dot,
    /// A graph that code forges draw in Markdown.
    Mermaid,
    /// A job matrix of GitHub Actions: `{"include": […]}`, an entry for each combination; with --shards or
    /// --site, or if there would be more than 256, for each part.
    Github,
    /// Indexed jobs for Kubernetes, out of a saved plan.
    Kubernetes,
    /// A pipeline for Buildkite, out of a saved plan.
    Buildkite,
    /// A batch job for Nomad, out of a saved plan.
    Nomad,
    /// A script that starts parts on hosts by ssh, out of a saved plan.
    Ssh,
}

#[derive(Debug, Args)]
pub(super) struct PlanArguments {
    /// A matrix file, or a plan that `--format json` wrote.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(super) matrix: PathBuf,
    /// How the plan is shown.
    #[arg(long, value_enum, default_value = "table")]
    pub(super) format: PlanFormat,
    /// For each job: who asked for it, what it waits for, what keeps it from running.
    #[arg(long, conflicts_with = "diff")]
    pub(super) why: bool,
    /// What changes against OLD, a matrix file or a plan that was saved.
    #[arg(long, value_name = "OLD", value_hint = ValueHint::FilePath)]
    pub(super) diff: Option<PathBuf>,
    /// Plan as if every built-in engine were ready here, for a machine that has them.
    #[arg(long)]
    pub(super) assume_ready: bool,
    /// For other machines: into how many parts the plan is divided, over all kinds of machine that it
    /// requires; default: parts of about ten minutes.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000), conflicts_with = "diff")]
    pub(super) shards: Option<u32>,
    /// For other machines: what a scheduler is told for each requirement. Engines that require something
    /// are planned as if they were ready.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "diff")]
    pub(super) site: Option<PathBuf>,
    #[command(flatten)]
    pub(super) selection: Selection,
}

#[derive(Debug, Args)]
pub(super) struct LockArguments {
    /// The matrix file.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(super) matrix: PathBuf,
    /// Ask hubs which commits branches and tags are now, even where the cache knows what they were.
    #[arg(long)]
    pub(super) update: bool,
    /// The lock file; default: the matrix's name with `.lock.yaml`, beside it.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) out: Option<PathBuf>,
}

/// What every verb that makes a plan takes.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Selection {
    /// Only jobs that match, such as `backend=candle`, `model~large` or `kind=verify`; repeatable.
    #[arg(long, value_name = "EXPR")]
    pub(super) filter: Vec<Filter>,
    /// Verify by this method, whatever the matrix says.
    #[arg(long, value_name = "METHOD", value_parser = verify_method())]
    pub(super) verify_method: Option<VerifyMethod>,
    /// Take warnings and planned skips for errors.
    #[arg(long)]
    pub(super) strict: bool,
    /// Refuse models, engines and recordings that are not those of the lock file beside the matrix.
    #[arg(long)]
    pub(super) locked: bool,
    /// A file of models and recipes, laid over the built-in catalog and under the matrix's own;
    /// repeatable.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) catalog: Vec<PathBuf>,
    /// Whether anything may be fetched, whatever the matrix says.
    #[arg(skip)]
    pub(super) download: Option<DownloadPolicy>,
    /// Which engines are taken for ready.
    #[arg(skip)]
    pub(super) ready: Ready,
}

/// Reads a verify method; its words are known to completions.
fn verify_method() -> impl TypedValueParser<Value = VerifyMethod> {
    PossibleValuesParser::new(VerifyMethod::WORDS).try_map(|word| word.parse::<VerifyMethod>())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum TableFormat {
    /// For people.
    Table,
    /// One JSON document.
    Json,
}

#[derive(Debug, Args)]
pub(super) struct VerifyArguments {
    /// The matrix file; without one, what `--model` names.
    #[arg(value_hint = ValueHint::FilePath, required_unless_present = "model")]
    pub(super) matrix: Option<PathBuf>,
    /// Without a matrix: for this engine; repeatable. Default: every engine that can run here.
    #[arg(
        long,
        value_name = "BACKEND",
        requires = "model",
        conflicts_with = "matrix"
    )]
    pub(super) backend: Vec<String>,
    /// Without a matrix: this model; repeatable.
    #[arg(long, value_name = "MODEL", conflicts_with = "matrix")]
    pub(super) model: Vec<String>,
    /// Without a matrix: in this quantization; repeatable. Default: the engine's own.
    #[arg(
        long,
        value_name = "QUANTIZATION",
        requires = "model",
        conflicts_with = "matrix"
    )]
    pub(super) quantization: Vec<String>,
    /// Fetch what is missing (`earmark download` does).
    #[arg(long)]
    pub(super) download: bool,
    /// Ask again: take no verdict that is remembered.
    #[arg(long)]
    pub(super) fresh: bool,
    /// How the findings are shown.
    #[arg(long, value_enum, default_value = "table")]
    pub(super) format: TableFormat,
    /// Show each file.
    #[arg(long, short)]
    pub(super) verbose: bool,
    #[command(flatten)]
    pub(super) selection: Selection,
}

#[derive(Debug, Args)]
pub(super) struct DownloadArguments {
    /// The matrix file; `--list` does without one.
    #[arg(value_hint = ValueHint::FilePath, required_unless_present = "list")]
    pub(super) matrix: Option<PathBuf>,
    /// List models with what is here of them and what the rest costs; nothing is fetched. Without a
    /// matrix, all that are known.
    #[arg(long)]
    pub(super) list: bool,
    /// How the findings or the list are shown.
    #[arg(long, value_enum, default_value = "table")]
    pub(super) format: TableFormat,
    /// Show each file.
    #[arg(long, short, conflicts_with = "list")]
    pub(super) verbose: bool,
    /// Ask every verify again, whatever is remembered.
    #[arg(long, conflicts_with = "list")]
    pub(super) fresh: bool,
    #[command(flatten)]
    pub(super) selection: Selection,
}

#[derive(Debug, Args)]
pub(super) struct ReportArguments {
    /// Run folders.
    #[arg(required = true, value_hint = ValueHint::DirPath)]
    pub(super) runs: Vec<PathBuf>,
    /// Where the reports go; default: into the run folder.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) out: Option<PathBuf>,
    /// A folder with templates of one's own for the page.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) template: Option<PathBuf>,
    /// The reports that are written, such as `csv,html,junit`; default: csv,html.
    #[arg(long, value_name = "LIST", value_enum, value_delimiter = ',')]
    pub(super) to: Vec<ReportTo>,
}

/// What a record can be written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportTo {
    /// The tables: results.csv and the others.
    Csv,
    /// The page: report.html.
    Html,
    /// A test case for each job and gate: junit.xml.
    Junit,
    /// The answer and the summary, for a comment or a step's summary: report.md.
    Markdown,
    /// Rows, summaries, jobs and gates in one document: report.json.
    Json,
    /// What was heard in each trial, for other scorers: hypotheses.jsonl.
    Hypotheses,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum CompareFormat {
    /// For people.
    Text,
    /// For a comment on a pull request, or a step's summary.
    Markdown,
    /// A page that loads nothing.
    Html,
    /// One JSON document.
    Json,
}

#[derive(Debug, Args)]
pub(super) struct CompareArguments {
    /// Run folders, or `latest`: the base first, then what is compared with it.
    #[arg(required = true, num_args = 1.., value_name = "RUN", value_hint = ValueHint::DirPath)]
    pub(super) runs: Vec<PathBuf>,
    /// Compare each configuration with itself on other machines, in one merged run or several: which
    /// machine is faster, and what differs between them. MACHINE, by its name or id, is the one that the
    /// others are held against; default: the first.
    #[arg(long, value_name = "MACHINE", num_args = 0..=1, require_equals = true, default_missing_value = "", conflicts_with = "gate")]
    pub(super) across_machines: Option<String>,
    /// How the comparison is shown.
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: CompareFormat,
    /// End with status 1 if a gate of the compared run's matrix is not passed; without gates on what
    /// became worse, if a row is worse.
    #[arg(long)]
    pub(super) gate: bool,
    /// The smallest change of a time that matters, such as `2%`; default: 5%.
    #[arg(long, value_name = "SHARE")]
    pub(super) minimum_effect: Option<Share>,
    /// The smallest change of a word error rate that matters, in points, such as `1%`; default: 0.5%.
    #[arg(long, value_name = "SHARE")]
    pub(super) minimum_wer_effect: Option<Share>,
    /// The seed of the resamples; default: 1.
    #[arg(long, value_name = "NUMBER")]
    pub(super) seed: Option<u64>,
}

#[derive(Debug, Args)]
pub(super) struct CalibrateArguments {
    /// A matrix, each benchmark of which is measured against itself; default: one recording, with the
    /// first engine that is ready and has a model here.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(super) matrix: Option<PathBuf>,
    /// Launches on each side.
    #[arg(long, value_name = "N", default_value = "6", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(super) launches: u32,
    /// Pairs of sides: so many times as long, and as many comparisons that share nothing.
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(super) pairs: u32,
    /// Without a matrix: this engine.
    #[arg(long, value_name = "BACKEND", conflicts_with = "matrix")]
    pub(super) backend: Option<String>,
    /// Without a matrix: this model; default: the smallest that is here.
    #[arg(long, value_name = "MODEL", conflicts_with = "matrix")]
    pub(super) model: Option<String>,
    /// Without a matrix: measured trials in each launch.
    #[arg(long, value_name = "N", default_value = "5", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(super) repeat: u32,
    /// The run folder; default: runs/<date>-calibrate-<name>.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) out: Option<PathBuf>,
    /// The smallest change of a time that matters, such as `2%`; default: 5%.
    #[arg(long, value_name = "SHARE")]
    pub(super) minimum_effect: Option<Share>,
    /// How the findings are shown.
    #[arg(long, value_enum, default_value = "table")]
    pub(super) format: TableFormat,
    #[command(flatten)]
    pub(super) selection: Selection,
}

#[derive(Debug, Args)]
pub(super) struct MergeArguments {
    /// Run folders of one plan, or folders that hold such; their order does not matter.
    #[arg(required = true, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub(super) folders: Vec<PathBuf>,
    /// The run folder that is made of them.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) out: PathBuf,
    /// Take the place of an earlier merge in that folder; what it holds is merged as well.
    #[arg(long)]
    pub(super) replace: bool,
    /// The reports that are written, such as `csv,html,markdown`; default: csv,html.
    #[arg(long, value_name = "LIST", value_enum, value_delimiter = ',')]
    pub(super) to: Vec<ReportTo>,
    #[command(flatten)]
    pub(super) indexing: Indexing,
}

#[derive(Debug, Args)]
#[command(after_help = super::score::RATES_HELP)]
pub(super) struct ScoreArguments {
    /// A table with both texts in each row: CSV or JSON Lines, such as `hypotheses.jsonl` of a report.
    #[arg(value_name = "PAIRS", required_unless_present = "reference", conflicts_with_all = ["reference", "hypothesis"])]
    pub(super) pairs: Option<PathBuf>,
    /// What was said: plain text (one utterance a line, blank lines too), `trn`, CSV or JSON Lines,
    /// as the extension tells; `-` is standard input.
    #[arg(long, value_name = "FILE", requires = "hypothesis")]
    pub(super) reference: Option<PathBuf>,
    /// What was heard: as many lines, or the same ids; `-` is standard input.
    #[arg(long, value_name = "FILE", requires = "reference")]
    pub(super) hypothesis: Option<PathBuf>,
    /// How the files are written, whatever they are called.
    #[arg(long, value_enum)]
    pub(super) input_format: Option<InputFormat>,
    /// The column or key of ids; default: `id`, `utterance`, `utterance_id`, `audio_filepath` or
    /// `audio`, the first that is there.
    #[arg(long, value_name = "NAME")]
    pub(super) id_column: Option<String>,
    /// The column or key of references; default: `reference`, `text`, `transcript` or `sentence`.
    #[arg(long, value_name = "NAME")]
    pub(super) reference_column: Option<String>,
    /// The column or key of hypotheses; default: `hypothesis`, `pred_text`, `prediction`, and, where
    /// no references stand beside them, those of references.
    #[arg(long, value_name = "NAME")]
    pub(super) hypothesis_column: Option<String>,
    /// Only rows with this value in this column, such as one job of a run: `job_id=ID`.
    #[arg(long, value_name = "COLUMN=VALUE", value_parser = column_and_value)]
    pub(super) select: Vec<(String, String)>,
    /// Where an id has no hypothesis, nothing was heard; without this it is a mistake.
    #[arg(long)]
    pub(super) missing_as_empty: bool,
    /// How both are made comparable before they are compared.
    #[arg(long, default_value = "none")]
    pub(super) normalizer: NormalizerId,
    /// Language of texts without a column `language`; languages without spaces are scored on
    /// characters.
    #[arg(long, value_name = "CODE", default_value = "en")]
    pub(super) language: String,
    /// Show the utterances with the most errors word by word, and what was confused in them.
    #[arg(long, value_name = "COUNT", num_args = 0..=1, default_missing_value = "10")]
    pub(super) alignment: Option<usize>,
    /// How the scores are shown.
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: ScoreFormat,
}

fn column_and_value(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(column, value)| (column.to_owned(), value.to_owned()))
        .ok_or_else(|| "write it as COLUMN=VALUE".to_owned())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ScoreFormat {
    /// For people: the total, and the utterances with the most errors.
    Text,
    /// One JSON document with every utterance.
    Json,
    /// A row for each utterance.
    Csv,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct EnginesArguments {
    /// How they are shown.
    #[arg(long, value_enum, default_value = "table")]
    pub(super) format: TableFormat,
    /// A file whose backends are listed too, with their mistakes; repeatable.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) catalog: Vec<PathBuf>,
    /// What is done with them; without it, they are listed.
    #[command(subcommand)]
    pub(super) verb: Option<EnginesVerb>,
}

#[derive(Debug, Subcommand)]
pub(super) enum EnginesVerb {
    /// Install what engines need, in a folder of our own; a run never does that.
    Install(InstallArguments),
    /// Remove what was installed for engines.
    Remove(RemoveArguments),
    /// Drive engines through the protocol with good, bad and hostile input, and say what fails.
    Check(EngineCheckArguments),
}

#[derive(Debug, Args)]
pub(super) struct InstallArguments {
    /// The engines, such as `faster-whisper`.
    #[arg(value_name = "NAME", required_unless_present = "all")]
    pub(super) names: Vec<String>,
    /// All that can run on this system.
    #[arg(long, conflicts_with = "names")]
    pub(super) all: bool,
    /// What all of it may take.
    #[arg(long, value_name = "DURATION", default_value = "30m", value_parser = humantime::parse_duration)]
    pub(super) deadline: Duration,
}

#[derive(Debug, Args)]
pub(super) struct RemoveArguments {
    /// The engines; those that share an environment go together.
    #[arg(value_name = "NAME", required = true)]
    pub(super) names: Vec<String>,
}

/// Reads a setting and its value.
fn setting_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or("write the setting's name, `=` and its value, such as `beam-size=5`")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[derive(Debug, Args)]
pub(super) struct EngineCheckArguments {
    /// Engines by their ids.
    #[arg(required = true, value_name = "ENGINE")]
    pub(super) engines: Vec<String>,
    /// The model that is loaded; default: the first that the engine reads and that is here.
    #[arg(long, value_name = "MODEL")]
    pub(super) model: Option<String>,
    /// In this quantization; default: the engine's own.
    #[arg(long, value_name = "QUANTIZATION")]
    pub(super) quantization: Option<String>,
    /// A file that defines engines of one's own, with `output: protocol`; repeatable.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) catalog: Vec<PathBuf>,
    /// What the engine is told with each load, such as `url=http://127.0.0.1:8080`; repeatable.
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting_value)]
    pub(super) setting: Vec<(String, String)>,
    /// The longest that any answer may take, if that is less than a run's own limits, such as `5s`.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub(super) limit: Option<Duration>,
    /// How the findings are shown.
    #[arg(long, value_enum, default_value = "table")]
    pub(super) format: TableFormat,
}

#[derive(Debug, Args)]
pub(super) struct DoctorArguments {
    /// How the findings are shown.
    #[arg(long, value_enum, default_value = "table")]
    pub(super) format: TableFormat,
}

#[derive(Debug, Args)]
pub(super) struct SchemaArguments {
    /// Which schema; without it, the names are listed.
    pub(super) name: Option<String>,
}

/// The matrices that `init` can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum InitPattern {
    /// Does everything but the engines work? Takes seconds.
    Smoke,
    /// How much accuracy do smaller weights cost?
    CompareQuantization,
    /// Has anything become slower, less accurate or broken?
    Nightly,
}

#[derive(Debug, Args)]
pub(super) struct InitArguments {
    /// The file to write; default: earmark.yaml, or the pattern's name.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(super) file: Option<PathBuf>,
    /// The pattern; without it, one that compares the engines that are here.
    #[arg(long, value_enum, value_name = "PATTERN")]
    pub(super) from: Option<InitPattern>,
    /// Overwrite the file if it is there.
    #[arg(long)]
    pub(super) force: bool,
}

/// Where packages put completions.
const COMPLETIONS_HELP: &str = "\
Packages put them where the shell looks, under their prefix (/usr or /usr/local):
  bash  share/bash-completion/completions/earmark
  zsh   share/zsh/site-functions/_earmark
  fish  share/fish/vendor_completions.d/earmark.fish
For yourself, in bash: source <(earmark completions bash)";

#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS_HELP)]
pub(super) struct CompletionsArguments {
    /// The shell.
    #[arg(value_enum)]
    pub(super) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(super) struct ManArguments {
    /// Write the page and one for each verb into this folder; packages put them into share/man/man1.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) out: Option<PathBuf>,
}
