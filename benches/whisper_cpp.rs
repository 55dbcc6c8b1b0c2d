//! whisper.cpp through Earmark against the same binding driven alone, over the English recordings,
//! interleaved in one run.
//!
//! `EARMARK_BENCH_ROUNDS` sets the number of pairs (default 5). The figure to look at is the ratio
//! of medians; absolute times on a shared machine mean little.

mod material;

use material::{median, prepare, rounds, samples};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use whisper_rs::{FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters};

/// Set for the process that drives the binding alone.
const ALONE: &str = "EARMARK_BENCH_ALONE";
/// Passes over the recordings that are measured, after one that is not.
const PASSES: usize = 3;

const MATRIX: &str = "version: 1\nname: bench\nmatrix:\n  backend: [whisper-cpp]\n  model: [tiny.en]\n  \
    audio: [english]\n  verify-method: [cache-check]\nsettings: {repeat: 3, warmup: 1, threads: 2}\n";

fn main() {
    if let Ok(arguments) = std::env::var(ALONE) {
        let mut paths = arguments.lines().map(PathBuf::from);
        let model = paths.next().expect("the model's path");
        println!("{}", drive_alone(&model, &paths.collect::<Vec<_>>()));
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let material = prepare();
    std::fs::write(folder.path().join("m.yaml"), MATRIX).expect("a matrix");
    let through = |name: &str| -> f64 {
        let status = Command::new(env!("CARGO_BIN_EXE_earmark"))
            .args(["run", "m.yaml", "--out", name])
            .current_dir(folder.path())
            .env("EARMARK_HOME", &material.home)
            .stderr(std::process::Stdio::null())
            .status()
            .expect("earmark runs");
        assert!(status.success());
        let mut table =
            csv::Reader::from_path(folder.path().join(name).join("results.csv")).expect("a table");
        let header = table.headers().expect("a header").clone();
        let column = header
            .iter()
            .position(|name| name == "transcribe_seconds_median")
            .expect("the column of the median");
        let row = table.records().next().expect("a row").expect("a whole row");
        row[column].parse().expect("a number")
    };
    let model = material
        .home
        .join("models/tiny.en/ggml-f16/ggml-tiny.en.bin");
    let alone = || -> f64 {
        let mut paths = vec![model.display().to_string()];
        paths.extend(
            material
                .recordings
                .iter()
                .map(|path| path.display().to_string()),
        );
        let output = Command::new(std::env::current_exe().expect("this program"))
            .env(ALONE, paths.join("\n"))
            .env("OMP_NUM_THREADS", "2")
            .env("OMP_WAIT_POLICY", "active")
            .output()
            .expect("the binding alone runs");
        let text = String::from_utf8(output.stdout).expect("text");
        text.trim().parse().expect("a number")
    };
    let rounds = rounds();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        theirs.push(alone());
        ours.push(through(&format!("run-{round}")));
        println!(
            "round {round}: alone {:.3} s, through Earmark {:.3} s",
            theirs[round], ours[round]
        );
    }
    println!(
        "speed of whisper.cpp through Earmark over {} recordings: {:.3} × the binding alone (medians of {rounds})",
        material.recordings.len(),
        median(&mut theirs) / median(&mut ours)
    );
}

/// Transcribes the recordings a few times after a warm-up and returns the median of the seconds of a
/// pass.
fn drive_alone(model: &Path, recordings: &[PathBuf]) -> f64 {
    whisper_rs::install_logging_hooks();
    let mut parameters = WhisperContextParameters::default();
    parameters.use_gpu(false).flash_attn(false);
    let context = WhisperContext::new_with_params(model, parameters).expect("a model");
    let mut state = context.create_state().expect("a state");
    let recordings: Vec<Vec<f32>> = recordings.iter().map(|path| samples(path)).collect();
    let mut times = Vec::new();
    for _ in 0..=PASSES {
        let mut pass = 0.0;
        for samples in &recordings {
            let mut parameters = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
            parameters.set_n_threads(2);
            parameters.set_language(Some("en"));
            parameters.set_no_context(true);
            parameters.set_temperature_inc(0.0);
            parameters.set_print_progress(false);
            parameters.set_print_realtime(false);
            parameters.set_print_special(false);
            parameters.set_print_timestamps(false);
            let started = Instant::now();
            state.full(parameters, samples).expect("a transcript");
            pass += started.elapsed().as_secs_f64();
        }
        times.push(pass);
    }
    median(&mut times[1..])
}
