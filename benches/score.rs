//! How fast transcripts are scored, beside jiwer in the same run: 100,000 pairs of 5 to 40 words with
//! error rates from 0 to 20 %, without a normalizer.
//!
//! jiwer is called as its users call it, once with lists of all pairs: `process_words`, and for
//! characters `process_characters`. `score_all` finds both and repeat loops, on the threads of rayon
//! (`RAYON_NUM_THREADS`, two in `make bench`). The program is timed as a process that reads two files
//! and prints. What both count is compared. `EARMARK_BENCH_PAIRS` is the number of pairs,
//! `EARMARK_BENCH_ROUNDS` how often all is repeated, interleaved (default 3); medians are shown. Needs
//! Python 3.11 or newer, and installs jiwer into an environment of the target folder.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on panics")]

#[path = "../tests/oracle/environment.rs"]
mod environment;
#[expect(dead_code, reason = "of large runs only the words are used")]
mod large_run;
mod usage;

use earmark::score::{Normalizer, TextPair, score_all, score_set};
use large_run::{Numbers, Vocabulary};
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;
use usage::usage;

/// Words in a thousand that are wrong, one after the other.
const WRONG: [usize; 5] = [0, 20, 50, 100, 200];

/// Seconds that something took.
#[derive(Clone, Copy)]
struct Cost {
    wall: f64,
    cpu: f64,
}

fn main() {
    let number = |name: &str, default: usize| {
        let told = std::env::var(name).ok();
        told.and_then(|told| told.parse().ok()).unwrap_or(default)
    };
    let count = number("EARMARK_BENCH_PAIRS", 100_000);
    let rounds = number("EARMARK_BENCH_ROUNDS", 3);
    let texts = texts(count);
    let place = tempfile::tempdir().unwrap();
    let [reference, hypothesis] = ["r.txt", "h.txt"].map(|name| place.path().join(name));
    let lines = |text: fn(&(String, String)) -> &str| -> String {
        texts
            .iter()
            .map(|pair| format!("{}\n", text(pair)))
            .collect()
    };
    std::fs::write(&reference, lines(|pair| &pair.0)).unwrap();
    std::fs::write(&hypothesis, lines(|pair| &pair.1)).unwrap();
    let python = environment::interpreter();
    let mut costs: [Vec<Cost>; 5] = Default::default();
    for _ in 0..rounds {
        let (words, characters) = jiwer(&python, &texts);
        costs[0].push(words);
        costs[1].push(characters);
        costs[2].push(ours(&texts));
        for (place, format) in [(3, "text"), (4, "json")] {
            costs[place].push(program(&reference, &hypothesis, format));
        }
    }
    let median = |place: usize| {
        let middle = |pick: fn(&Cost) -> f64| {
            let mut values: Vec<f64> = costs[place].iter().map(pick).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        Cost {
            wall: middle(|cost| cost.wall),
            cpu: middle(|cost| cost.cpu),
        }
    };
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!(
        "{count} pairs, median of {rounds} rounds, load {}",
        load.trim()
    );
    let words = median(0);
    for (place, name) in [
        "jiwer.process_words",
        "jiwer.process_characters",
        "score_all: words, characters and loops",
        "earmark score, as text",
        "earmark score, as JSON with every utterance",
    ]
    .iter()
    .enumerate()
    {
        let cost = median(place);
        println!(
            "  {name:<44} {:>8.3} s wall {:>8.3} s CPU; jiwer's words take {:>6.1} × the wall, {:>6.1} × the CPU",
            cost.wall,
            cost.cpu,
            words.wall / cost.wall,
            words.cpu / cost.cpu
        );
    }
}

fn texts(count: usize) -> Vec<(String, String)> {
    let mut numbers = Numbers(11);
    let vocabulary = Vocabulary::new(&mut numbers);
    (0..count)
        .map(|position| {
            let words = 5 + numbers.below(36);
            let said = vocabulary.sentence(&mut numbers, words);
            let heard = vocabulary.heard(&mut numbers, &said, WRONG[position % WRONG.len()]);
            (said, heard)
        })
        .collect()
}

/// Asks jiwer, and compares what it counts with what we count.
fn jiwer(python: &Path, texts: &[(String, String)]) -> (Cost, Cost) {
    let mut child = Command::new(python)
        .arg("-B")
        .arg(environment::script())
        .arg("time")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    for pair in texts {
        writeln!(input, "{}", serde_json::to_string(pair).unwrap()).unwrap();
    }
    drop(input);
    let told = child.wait_with_output().unwrap();
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    let total = score_set(&score_all(&pairs(texts), Normalizer::None)).unwrap();
    assert_eq!(told["words"]["errors"], total.words.errors());
    assert_eq!(
        told["characters"]["errors"],
        total.characters.character_errors
    );
    let cost = |what: &str| Cost {
        wall: told[what]["wall"].as_f64().unwrap(),
        cpu: told[what]["cpu"].as_f64().unwrap(),
    };
    (cost("words"), cost("characters"))
}

fn pairs(texts: &[(String, String)]) -> Vec<TextPair<'_>> {
    texts
        .iter()
        .map(|(reference, hypothesis)| TextPair {
            reference,
            hypothesis,
            language: "en",
        })
        .collect()
}

fn ours(texts: &[(String, String)]) -> Cost {
    let pairs = pairs(texts);
    timed(|| {
        std::hint::black_box(score_all(&pairs, Normalizer::None));
    })
}

fn program(reference: &Path, hypothesis: &Path, format: &str) -> Cost {
    timed(|| {
        let ended = Command::new(env!("CARGO_BIN_EXE_earmark"))
            .args(["score", "--format", format, "--reference"])
            .arg(reference)
            .arg("--hypothesis")
            .arg(hypothesis)
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(ended.success());
    })
}

fn timed(work: impl FnOnce()) -> Cost {
    let (wall, cpu) = (Instant::now(), usage());
    work();
    Cost {
        wall: wall.elapsed().as_secs_f64(),
        cpu: usage() - cpu,
    }
}
