//! What it costs to have engines in processes of their own: the time from a spawn to `hello` beside a
//! bare spawn of the same binary, and the CPU time of the runner, the shim and the protocol beside that
//! of the engine.
//!
//! `EARMARK_BENCH_LAUNCHES` is the number of launches (default 20), `EARMARK_BENCH_TRIALS` that of
//! trials (default 10).

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on panics")]

#[expect(dead_code, reason = "other benches need more of it")]
mod material;
#[expect(dead_code, reason = "other benches need more of it")]
mod processes;

use processes::{cost, median, number, per};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

fn main() {
    let home = material::prepare().home;
    let place = tempfile::tempdir().unwrap();
    let place = Place {
        folder: place.path(),
        home: &home,
    };
    start(place, number("EARMARK_BENCH_LAUNCHES", 20));
    overhead(place, number("EARMARK_BENCH_TRIALS", 10));
}

/// Where matrices and runs lie, and where models do.
#[derive(Clone, Copy)]
struct Place<'a> {
    folder: &'a Path,
    home: &'a Path,
}

/// Compares the time to `hello`, on the runner's clock, with a spawn of the binary that ends at once.
fn start(place: Place<'_>, launches: usize) {
    let launch = format!(
        "version: 1\nname: start\nmatrix:\n  backend: [fake]\n  model: [m]\n  audio: [jfk]\n  \
         verify-method: [cache-check]\nsettings: {{warmup: 0, repeat: 1, launches: {launches}}}\n"
    );
    fs::write(place.folder.join("start.yaml"), launch).unwrap();
    let mut bare = Vec::new();
    for _ in 0..launches {
        bare.push(bare_spawn());
    }
    run(place, "start.yaml", "start");
    for _ in 0..launches {
        bare.push(bare_spawn());
    }
    let hello: f64 = cell(&place.folder.join("start/results.csv"), "start_seconds");
    let bare = median(&mut bare);
    println!(
        "spawn to hello {:.2} ms = {:.2} x a bare spawn of the binary ({:.2} ms), medians of {launches} \
         and {}",
        hello * 1e3,
        hello / bare,
        bare * 1e3,
        2 * launches
    );
}

/// Compares the CPU time of all but the engine with that of the engine, for each trial of 53 seconds.
fn overhead(place: Place<'_>, trials: usize) {
    let few = 2;
    for (name, repeat) in [("few", few), ("many", few + trials)] {
        let matrix = format!(
            "version: 1\nname: {name}\nmatrix:\n  backend: [whisper-cpp]\n  model: [tiny.en]\n  audio: \
             [sonnet-1]\n  verify-method: [cache-check]\nsettings: {{warmup: 0, repeat: {repeat}, \
             launches: 1, wait-policy: passive}}\ndownload: never\n"
        );
        fs::write(place.folder.join(format!("{name}.yaml")), matrix).unwrap();
    }
    let mut costs = Vec::new();
    for name in ["few", "many"] {
        let tree = run(place, &format!("{name}.yaml"), name).tree;
        let results = place.folder.join(name).join("results.csv");
        if text(&results, "status") != "completed" {
            println!("the engine did not run: {}", text(&results, "error"));
            return;
        }
        let engine: f64 = cell(&results, "process_cpu_seconds");
        let seconds: f64 = cell(&results, "audio_seconds");
        costs.push((tree, engine, seconds));
    }
    // What a run costs whatever it does is left out.
    let engine = costs[1].1 - costs[0].1;
    let all = costs[1].0 - costs[0].0;
    println!(
        "a trial of {:.1} s of audio: {:.3} s of CPU in the engine, {:.1} ms in runner, shim and \
         protocol = {:.2} %",
        costs[0].2,
        engine / per(trials),
        (all - engine) / per(trials) * 1e3,
        (all - engine) / engine * 100.0
    );
}

fn bare_spawn() -> f64 {
    let begun = Instant::now();
    let mut child = Command::new(earmark())
        .args(["__worker", "nothing"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.wait().unwrap();
    begun.elapsed().as_secs_f64()
}

fn run(place: Place<'_>, matrix: &str, out: &str) -> processes::Cost {
    let mut child = Command::new(earmark())
        .args(["run", matrix, "--out", out])
        .current_dir(place.folder)
        .env("EARMARK_HOME", place.home)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    cost(&mut child)
}

fn text(results: &Path, column: &str) -> String {
    let mut reader = csv::Reader::from_path(results).unwrap();
    let position = reader
        .headers()
        .unwrap()
        .iter()
        .position(|name| name == column);
    let row = reader.records().next().unwrap().unwrap();
    row[position.unwrap()].to_owned()
}

fn cell(results: &Path, column: &str) -> f64 {
    text(results, column).parse().unwrap()
}

fn earmark() -> &'static str {
    env!("CARGO_BIN_EXE_earmark")
}
