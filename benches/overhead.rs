//! What Earmark itself costs for each job: CPU time of whole runs of a command backend that does
//! nothing, beside bare spawns of the same programs in the same run.
//!
//! `EARMARK_BENCH_JOBS` is the number of jobs (default 1,000), `EARMARK_BENCH_ROUNDS` how often all
//! is repeated, interleaved (default 5); medians are shown.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on panics")]

mod processes;
mod usage;

use processes::{Cost, cost, median, number, per};
use rustix::event::{Timespec, poll};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use usage::usage;

/// The program that is run: it does nothing.
const TRUE: &str = "/bin/true";

fn main() {
    let jobs = number("EARMARK_BENCH_JOBS", 1000);
    let rounds = number("EARMARK_BENCH_ROUNDS", 5);
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let few = jobs / 10;
    for count in [10, few, jobs, 10 * jobs] {
        fs::write(place.join(format!("{count}.yaml")), matrix(count)).unwrap();
    }
    let mut bare = Vec::new();
    let mut shims = Vec::new();
    let mut product = Vec::new();
    let mut runner = Vec::new();
    for round in 0..rounds {
        bare.push(bare_spawns(TRUE, &[], jobs) / per(jobs));
        shims.push(bare_spawns(earmark(), &["__shim"], jobs) / per(jobs));
        let small = run(place, few, &format!("{few}-{round}"), &[]);
        let large = run(place, jobs, &format!("{jobs}-{round}"), &[]);
        // What a run costs whatever it does is left out.
        product.push((large.tree - small.tree) / per(jobs - few));
        runner.push((large.own - small.own) / per(jobs - few));
    }
    let (bare, shims) = (median(&mut bare), median(&mut shims));
    let (product, runner) = (median(&mut product), median(&mut runner));
    println!("CPU time for each of {jobs} jobs of {TRUE}, median of {rounds} rounds:");
    println!(
        "  bare spawn of {TRUE}                       {:7.1} µs",
        bare * 1e6
    );
    println!(
        "  bare spawn of this program, which refuses  {:7.1} µs",
        shims * 1e6
    );
    println!(
        "  a job, with its shim and its program       {:7.1} µs",
        product * 1e6
    );
    println!(
        "  of that in the runner itself               {:7.1} µs",
        runner * 1e6
    );
    println!(
        "a job = {:.2} x bare spawns of both programs, {:.2} x two of {TRUE}",
        product / (bare + shims),
        product / (2.0 * bare)
    );
    println!(
        "the runner's part = {:.2} x one bare spawn of {TRUE}",
        runner / bare
    );

    let many = 10 * jobs;
    let small = run(place, jobs, "flat-small", &[]);
    let mut command = command(place, many, "flat-large", &[]);
    let (large, peak) = watched(&mut command, &place.join("runs/flat-large/journal.jsonl"));
    println!(
        "{many} jobs: {:.2} x as much for each as {jobs}; while they run, the runner has {:.1} MiB \
         at most",
        (large.tree / per(many)) / (small.tree / per(jobs)),
        peak / 1024.0
    );
    let ten = run(place, 10, "ten", &[]);
    let again = run(place, many, "flat-large", &["--resume"]);
    println!(
        "resuming over {many} finished jobs: {:.0} ms, {:.2} x a run of ten ({:.0} ms)",
        again.tree * 1e3,
        again.tree / ten.tree,
        ten.tree * 1e3
    );
}

/// A matrix of so many jobs that differ in their model, which the command does not read.
fn matrix(jobs: usize) -> String {
    let mut text = format!(
        "version: 1\nname: overhead\nbackends:\n  nothing: {{command: [{TRUE}], output: text}}\n\
         settings: {{warmup: 0, repeat: 1, launches: 1}}\norder: matrix\nmatrix:\n  \
         backend: [nothing]\n  audio: [jfk]\n  verify-method: [cache-check]\n  model:\n"
    );
    for job in 0..jobs {
        let _ = writeln!(text, "    - m{job}");
    }
    text
}

fn earmark() -> &'static str {
    env!("CARGO_BIN_EXE_earmark")
}

/// Runs the whole product path, or resumes a run.
fn run(place: &Path, jobs: usize, name: &str, resume: &[&str]) -> Cost {
    let mut child = command(place, jobs, name, resume).spawn().unwrap();
    cost(&mut child)
}

/// Runs a command, and returns what it cost and the most resident memory that it had while the
/// journal was not at its end, in KiB: what comes behind is the report.
fn watched(command: &mut Command, journal: &Path) -> (Cost, f64) {
    let mut child = command.spawn().unwrap();
    let mut peak = 0.0;
    let is_over = || {
        let text = fs::read(journal).unwrap_or_default();
        let tail = &text[text.len().saturating_sub(300)..];
        String::from_utf8_lossy(tail).contains("\"run-ended\"")
    };
    while !is_over() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        peak = status
            .lines()
            .find_map(|line| {
                line.strip_prefix("VmHWM:")?
                    .trim()
                    .split(' ')
                    .next()?
                    .parse()
                    .ok()
            })
            .unwrap_or(peak);
        // A look from time to time; nothing tells of the peak of another process.
        let second = Timespec {
            tv_sec: 1,
            tv_nsec: 0,
        };
        poll(&mut [], Some(&second)).unwrap();
    }
    (cost(&mut child), peak)
}

fn command(place: &Path, jobs: usize, name: &str, resume: &[&str]) -> Command {
    let matrix = format!("{jobs}.yaml");
    let folder = format!("runs/{name}");
    let mut arguments = vec!["run", matrix.as_str()];
    arguments.extend(resume);
    if resume.is_empty() {
        arguments.push("--out");
    }
    arguments.push(&folder);
    let mut command = Command::new(earmark());
    command
        .args(&arguments)
        .current_dir(place)
        .env("EARMARK_HOME", place.join("home"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Spawns a program so many times, one after the other, and returns the CPU seconds of all of it:
/// of the spawning, too.
fn bare_spawns(program: &str, arguments: &[&str], count: usize) -> f64 {
    let before = usage();
    for _ in 0..count {
        // Without hooks, the standard library uses posix_spawn.
        let _ = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .and_then(|mut child| child.wait());
    }
    usage() - before
}
