//! Matrix files that nobody would write, through the whole path from bytes to plan: no crash, no
//! hang, little memory.
//!
//! `EARMARK_MUTATIONS` says how many files are made, `EARMARK_MUTATION_FIRST` the number of the
//! first. A number always makes the same file, so that a failure can be looked at alone.

use crate::support::invalid::{as_json, validator};
use crate::support::mutate::Mutator;
use earmark::cli::check_bytes;
use earmark::diagnostic::{Diagnostics, Severity, SourceText};
use earmark::matrix;
use earmark::ui::{diagnostic_json, github_annotation, render_diagnostics};
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// What the whole child may allocate, the program itself included.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// What one file may take of the processor, in seconds.
const MOST_SECONDS: f64 = 1.0;

/// After this time by the clock a file is taken for one that hangs.
const LONGEST: Duration = Duration::from_mins(2);

/// A sound matrix may ask for millions of combinations, and what those cost is no matter of a
/// parser: files that ask for more than this are read, and not planned.
const MOST_COMBINATIONS: usize = 20_000;

fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn no_file_crashes_or_hangs_or_fills_the_memory() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "mutations::child", "--ignored", "--nocapture"])
        .env("EARMARK_MUTATION_FOLDER", folder.path())
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let last = fs::read_to_string(folder.path().join("case")).unwrap_or_default();
    let told = String::from_utf8_lossy(&output.stdout);
    let summary = told.lines().find(|line| line.starts_with("mutations: "));
    println!("{}", summary.unwrap_or("no summary"));
    assert!(
        output.status.success() && summary.is_some(),
        "{} at or after case {last}\n{told}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
#[ignore = "the child of the test above"]
fn child() {
    let Some(folder) = std::env::var_os("EARMARK_MUTATION_FOLDER") else {
        return;
    };
    let limit = Rlimit {
        current: Some(MOST_BYTES),
        maximum: Some(MOST_BYTES),
    };
    setrlimit(Resource::Data, limit).unwrap();
    let (tick, ticks) = channel();
    std::thread::spawn(move || {
        while ticks.recv_timeout(LONGEST) != Err(RecvTimeoutError::Timeout) {}
        // There is no other end for code that does not return.
        std::process::abort();
    });
    let first = variable("EARMARK_MUTATION_FIRST", 0);
    let count = variable("EARMARK_MUTATIONS", 3000);
    let mutator = Mutator::new();
    let schema = validator("matrix");
    let path = Path::new(&folder).join("case.yaml");
    let mut failures = Vec::new();
    let mut slowest = (0.0, 0);
    let mut sound = 0_u64;
    for number in first..first + count {
        fs::write(Path::new(&folder).join("case"), number.to_string()).unwrap();
        tick.send(()).unwrap();
        let bytes = mutator.case(number);
        let before = processor_seconds();
        let checked = catch_unwind(AssertUnwindSafe(|| check(&path, &bytes, &schema)));
        let seconds = processor_seconds() - before;
        if seconds > slowest.0 {
            slowest = (seconds, number);
        }
        match checked {
            Ok(Ok(is_sound)) => sound += u64::from(is_sound),
            Ok(Err(reason)) => failures.push(format!("{number}: {reason}")),
            Err(_) => failures.push(format!("{number}: it panics")),
        }
        if seconds > MOST_SECONDS {
            failures.push(format!("{number}: it takes {seconds:.2} s"));
        }
        if failures.len() > 20 {
            break;
        }
    }
    println!(
        "\nmutations: {count} from {first}, {sound} of them sound; slowest {:.3} s (case {}); peak {}",
        slowest.0,
        slowest.1,
        peak()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Checks one file; returns whether it is sound, or what does not hold.
fn check(path: &Path, bytes: &[u8], schema: &jsonschema::Validator) -> Result<bool, String> {
    if asks_for_much(path, bytes) {
        return Ok(false);
    }
    let mut problems = Diagnostics::default();
    let plan = check_bytes(path, bytes.to_vec(), &mut problems).map_err(|f| format!("{f:?}"))?;
    let text = render_diagnostics(&problems, false);
    if text
        .chars()
        .any(|letter| letter.is_control() && letter != '\n')
    {
        return Err("a control character reaches the terminal".into());
    }
    for problem in &problems.0 {
        let line = github_annotation(problem, "case.yaml");
        if line.lines().count() != 1 {
            return Err(format!("an annotation of several lines: {line}"));
        }
        let json = diagnostic_json(problem, "case.yaml");
        if problem.message.is_empty() || !json["file"].is_string() {
            return Err(format!("a problem without words or file: {json}"));
        }
        if problem.severity == Severity::Error && problem.hints.is_empty() {
            return Err(format!("an error without a remedy: {}", problem.message));
        }
    }
    if plan.is_none() {
        return if problems.has_errors() {
            Ok(false)
        } else {
            Err("no plan, and no reason".into())
        };
    }
    if problems.has_errors() {
        return Err("a plan in spite of mistakes".into());
    }
    // What the schema rejects the parser rejects.
    let json = std::str::from_utf8(bytes).ok().and_then(as_json);
    match json.and_then(|json| schema.validate(&json).err().map(|error| error.to_string())) {
        Some(error) => Err(format!("only the schema rejects it: {error}")),
        None => Ok(true),
    }
}

fn asks_for_much(path: &Path, bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let source = Arc::new(SourceText {
        path: path.to_path_buf(),
        text: text.to_owned(),
    });
    let Some(matrix) = matrix::read(source, &mut Diagnostics::default()) else {
        return false;
    };
    // A glob stands for a handful of recordings.
    let combinations = matrix
        .axes
        .iter()
        .map(|axis| axis.values.len().max(1) * if axis.name == "audio" { 20 } else { 1 })
        .fold(1, usize::saturating_mul);
    combinations > MOST_COMBINATIONS
}

fn processor_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    #[expect(clippy::cast_precision_loss, reason = "seconds of a test")]
    let seconds = time.tv_sec as f64 + time.tv_nsec as f64 / 1e9;
    seconds
}

/// Returns the most memory that this process had resident, as the kernel tells it.
fn peak() -> String {
    fs::read_to_string("/proc/self/status")
        .unwrap_or_default()
        .lines()
        .find_map(|line| {
            line.strip_prefix("VmHWM:")
                .map(|rest| rest.trim().to_owned())
        })
        .unwrap_or_else(|| "unknown".into())
}
