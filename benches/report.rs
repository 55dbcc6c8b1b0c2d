//! What reading and reporting a large run costs: CPU time, and the peak of resident memory of a
//! process that does nothing else, beside reading each line of the same journal as JSON.
//!
//! `EARMARK_BENCH_ROWS` is the number of benchmarks (default 10,000), of ten trials each, or of one
//! trial of each of a thousand recordings in a data set; `EARMARK_BENCH_ROUNDS` how often all is
//! repeated, interleaved (default 3). Medians are shown. The largest run must take at most 10 s of CPU
//! and 500 MiB.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on panics")]

mod large_run;

use earmark::record::RunFolder;
use earmark::report::{render_html, result_rows, write_reports};
use large_run::Size;
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Command;

/// What a child process does; each does what is before it too.
const STAGES: [&str; 4] = ["values", "rows", "page", "reports"];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, stage, folder] = arguments.as_slice()
        && flag == "--stage"
    {
        println!("{}", do_stage(stage, Path::new(folder)));
        return;
    }
    let number = |name: &str, default: usize| {
        let told = std::env::var(name).ok();
        told.and_then(|told| told.parse().ok()).unwrap_or(default)
    };
    let rows = number("EARMARK_BENCH_ROWS", 10_000);
    let rounds = number("EARMARK_BENCH_ROUNDS", 3);
    let place = tempfile::tempdir().unwrap();
    for (name, size) in [
        (
            "clips",
            Size {
                engines: 4,
                models: 5,
                beams: 10,
                recordings: rows / 200,
                data_set: false,
                trials: 10,
            },
        ),
        (
            "data set",
            Size {
                engines: 4,
                models: 5,
                beams: rows / 2000,
                recordings: 1000,
                data_set: true,
                trials: 1,
            },
        ),
    ] {
        let folder = place.path().join(name);
        large_run::write(&folder, size);
        println!(
            "{} benchmarks, {} trials ({name}), journal {:.1} MiB, median of {rounds} rounds:",
            size.rows(),
            size.samples(),
            mebibytes(
                std::fs::metadata(folder.join("journal.jsonl"))
                    .unwrap()
                    .len()
            ),
        );
        measure(&folder, rounds);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a display")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn measure(folder: &Path, rounds: usize) {
    let mut told: Vec<Vec<Value>> = vec![Vec::new(); STAGES.len()];
    for _ in 0..rounds {
        for (stage, told) in STAGES.iter().zip(&mut told) {
            let child = Command::new(std::env::current_exe().unwrap())
                .args(["--stage", stage])
                .arg(folder)
                .output()
                .unwrap();
            assert!(child.status.success(), "{stage}: {child:?}");
            told.push(serde_json::from_slice(&child.stdout).unwrap());
        }
    }
    let median = |stage: usize, what: &str| {
        let mut values: Vec<f64> = told[stage]
            .iter()
            .filter_map(|told| told[what].as_f64())
            .collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let plain = median(0, "values");
    let show = |what: &str, seconds: f64, peak: Option<f64>| {
        let peak = peak.map_or_else(String::new, |peak| format!("{peak:>8.1} MiB"));
        println!(
            "  {what:<46} {seconds:>7.2} s CPU {:>6.2} ×{peak}",
            seconds / plain
        );
    };
    show(
        "each line as JSON, and forgotten",
        plain,
        Some(median(0, "peak")),
    );
    show("read into a record", median(1, "fold"), None);
    show("rows, scored", median(1, "rows"), Some(median(1, "peak")));
    show("the page", median(2, "page"), Some(median(2, "peak")));
    let tables = median(3, "reports") - median(2, "page");
    show("the tables", tables, None);
    show(
        "record, tables and page together",
        median(3, "fold") + median(3, "reports"),
        Some(median(3, "peak")),
    );
}

/// Does a stage and returns the CPU seconds of its parts, and the peak of resident memory in MiB.
fn do_stage(stage: &str, folder: &Path) -> Value {
    let start = cpu_seconds();
    if stage == "values" {
        let file = std::fs::File::open(folder.join("journal.jsonl")).unwrap();
        for line in BufReader::new(file).lines() {
            black_box(serde_json::from_str::<Value>(&line.unwrap()).unwrap());
        }
        return json!({ "values": cpu_seconds() - start, "peak": peak() });
    }
    let record = RunFolder::read(folder).unwrap();
    let fold = cpu_seconds() - start;
    let start = cpu_seconds();
    match stage {
        "rows" => {
            black_box(result_rows(&record));
        }
        "page" => {
            black_box(render_html(&record).unwrap());
        }
        _ => {
            let out = tempfile::tempdir().unwrap();
            write_reports(&record, out.path()).unwrap();
        }
    }
    json!({ "fold": fold, stage: cpu_seconds() - start, "peak": peak() })
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    #[expect(clippy::cast_precision_loss, reason = "nanoseconds of a bench")]
    let seconds = time.tv_sec as f64 + time.tv_nsec as f64 / 1e9;
    seconds
}

/// Returns the peak of this process's own resident memory in MiB; it begins anew with the program.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix("kB"));
    let kibibytes = kibibytes.and_then(|text| text.trim().parse::<f64>().ok());
    kibibytes.unwrap_or(f64::NAN) / 1024.0
}
