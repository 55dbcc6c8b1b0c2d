//! whisper.cpp through Earmark against the same binding driven alone, interleaved in one run.
//!
//! `EARMARK_BENCH_ROUNDS` sets the number of pairs (default 5). The figure to look at is the ratio
//! of medians; absolute times on a shared machine mean little.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use whisper_rs::{FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters};

/// Set for the process that drives the binding alone.
const ALONE: &str = "EARMARK_BENCH_ALONE";
const TRIALS: usize = 4;

const MATRIX: &str = "version: 1\nname: bench\nmatrix:\n  backend: [whisper-cpp]\n  model: [tiny.en]\n  \
    audio: [jfk]\n  verify-method: [cache-check]\nsettings: {repeat: 4, warmup: 1, threads: 2}\n";

fn main() {
    if let Ok(arguments) = std::env::var(ALONE) {
        let (model, samples) = arguments.split_once('\n').expect("two paths");
        println!("{}", drive_alone(Path::new(model), Path::new(samples)));
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("earmark-home");
    std::fs::write(folder.path().join("m.yaml"), MATRIX).expect("a matrix");
    let through = |name: &str| -> f64 {
        let status = Command::new(env!("CARGO_BIN_EXE_earmark"))
            .args(["run", "m.yaml", "--out", name])
            .current_dir(folder.path())
            .env("EARMARK_HOME", &home)
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
    through("warm-up");
    let model = home.join("models/tiny.en/ggml-f16/ggml-tiny.en.bin");
    let samples: PathBuf = std::fs::read_dir(home.join("audio"))
        .expect("decoded audio")
        .flatten()
        .map(|entry| entry.path())
        .find(|path| {
            // The clip is 11 s of 16 kHz float32.
            path.extension().is_some_and(|extension| extension == "f32")
                && path
                    .metadata()
                    .is_ok_and(|metadata| metadata.len() == 704_000)
        })
        .expect("the decoded clip");
    let alone = || -> f64 {
        let output = Command::new(std::env::current_exe().expect("this program"))
            .env(ALONE, format!("{}\n{}", model.display(), samples.display()))
            .env("OMP_NUM_THREADS", "2")
            .env("OMP_WAIT_POLICY", "active")
            .output()
            .expect("the binding alone runs");
        let text = String::from_utf8(output.stdout).expect("text");
        text.trim().parse().expect("a number")
    };
    let rounds: usize = std::env::var("EARMARK_BENCH_ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(5);
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
        "speed of whisper.cpp through Earmark: {:.3} × the binding alone (medians of {rounds})",
        median(&mut theirs) / median(&mut ours)
    );
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Transcribes the clip a few times after a warm-up and returns the median of the seconds.
fn drive_alone(model: &Path, samples: &Path) -> f64 {
    whisper_rs::install_logging_hooks();
    let mut parameters = WhisperContextParameters::default();
    parameters.use_gpu(false).flash_attn(false);
    let context = WhisperContext::new_with_params(model, parameters).expect("a model");
    let mut state = context.create_state().expect("a state");
    let samples: Vec<f32> = std::fs::read(samples)
        .expect("samples")
        .chunks_exact(4)
        .map(|quad| f32::from_le_bytes([quad[0], quad[1], quad[2], quad[3]]))
        .collect();
    let mut times = Vec::new();
    for _ in 0..=TRIALS {
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
        state.full(parameters, &samples).expect("a transcript");
        times.push(started.elapsed().as_secs_f64());
    }
    median(&mut times[1..])
}
