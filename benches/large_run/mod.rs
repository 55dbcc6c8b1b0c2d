//! Run folders as large as one wants, made without running anything; the same numbers always make the
//! same files.

use earmark::model::{
    BenchmarkSpec, ChosenSetting, ChosenSettings, Column, Combinations, Job, JobSpec, Plan, Value,
};
use serde_json::{Value as Json, json};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

/// What a run is to hold: every engine with every model, beam and recording.
#[derive(Clone, Copy)]
pub struct Size {
    pub engines: usize,
    pub models: usize,
    pub beams: usize,
    /// Recordings; single clips, or as many utterances of one data set.
    pub recordings: usize,
    pub data_set: bool,
    /// Measured trials of each recording.
    pub trials: usize,
}

impl Size {
    /// Returns the number of benchmarks.
    pub fn rows(self) -> usize {
        let recordings = if self.data_set { 1 } else { self.recordings };
        self.engines * self.models * self.beams * recordings
    }

    /// Returns the number of trials.
    pub fn samples(self) -> usize {
        let recordings = if self.data_set { self.recordings } else { 1 };
        self.rows() * recordings * self.trials
    }
}

/// Numbers that look random, and are the same everywhere.
pub struct Numbers(pub u64);

impl Numbers {
    /// Returns the next one, below a limit.
    pub fn below(&mut self, limit: usize) -> usize {
        // The generator and the mixing of SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let share = (mixed ^ (mixed >> 31)) % limit as u64;
        usize::try_from(share).expect("it is less than the limit")
    }
}

/// Words of which some are much more frequent than others, as in speech.
pub struct Vocabulary(Vec<String>);

impl Vocabulary {
    pub fn new(numbers: &mut Numbers) -> Self {
        let syllables = [
            "a", "be", "con", "der", "est", "fi", "go", "in", "ly", "ment", "or", "per", "st",
            "the", "un",
        ];
        let mut word = |_| -> String {
            let count = 1 + numbers.below(3);
            (0..count)
                .map(|_| syllables[numbers.below(syllables.len())])
                .collect()
        };
        Self((0..3000).map(&mut word).collect())
    }

    /// Returns a word: the smaller of three random ones, so that the first are frequent.
    pub fn word(&self, numbers: &mut Numbers) -> &str {
        let place = (0..3).map(|_| numbers.below(self.0.len())).min();
        &self.0[place.unwrap_or(0)]
    }

    /// Returns a sentence of so many words.
    pub fn sentence(&self, numbers: &mut Numbers, words: usize) -> String {
        let words: Vec<&str> = (0..words).map(|_| self.word(numbers)).collect();
        words.join(" ")
    }

    /// Returns what a recognizer makes of a sentence that gets so many of a thousand words wrong: most
    /// of them replaced, some left out, some put in.
    pub fn heard(&self, numbers: &mut Numbers, sentence: &str, wrong: usize) -> String {
        let mut heard: Vec<&str> = Vec::new();
        for word in sentence.split(' ') {
            if numbers.below(1000) >= wrong {
                heard.push(word);
                continue;
            }
            match numbers.below(5) {
                0 => {}
                1 => heard.extend([word, self.word(numbers)]),
                _ => heard.push(self.word(numbers)),
            }
        }
        heard.join(" ")
    }
}

/// Writes plan and journal of a run.
pub fn write(folder: &Path, size: Size) {
    fs::create_dir_all(folder).expect("a folder");
    let mut numbers = Numbers(7);
    let vocabulary = Vocabulary::new(&mut numbers);
    let references: Vec<String> = (0..size.recordings)
        .map(|_| {
            let words = 5 + numbers.below(36);
            vocabulary.sentence(&mut numbers, words)
        })
        .collect();
    let plan = plan(size, &references);
    let text = serde_json::to_string_pretty(&plan).expect("a plan");
    fs::write(folder.join("plan.json"), text + "\n").expect("plan.json");
    let file = File::create(folder.join("journal.jsonl")).expect("journal.jsonl");
    let mut journal = Journal {
        file: BufWriter::new(file),
        sequence: 0,
    };
    journal.say(json!({
        "event": "run-started", "run-id": "large", "plan-digest": plan.digest, "earmark-version": "0",
        "build-profile": "release", "command-line": ["earmark", "run"], "jobs": plan.jobs.len(),
        "machine": serde_json::to_value(earmark::model::MachineFacts::default()).expect("facts"),
    }));
    for recording in 0..size.recordings {
        journal.say(json!({
            "event": "audio-prepared", "utterance": utterance(size, recording),
            "sha256": "0".repeat(64), "seconds": 7.5,
        }));
    }
    for (position, job) in plan.jobs.iter().enumerate() {
        let recordings = if size.data_set {
            0..size.recordings
        } else {
            let recording = position % size.recordings;
            recording..recording + 1
        };
        journal.say(json!({
            "event": "attempt-started", "job": job.id, "kind": "benchmark", "launch": 0, "attempt": 1,
            "limit-seconds": 60.0, "load": [0.1, 0.1, 0.1], "governor": "performance",
        }));
        journal.say(json!({
            "event": "engine-ready", "job": job.id, "launch": 0, "version": "1.0",
            "start-seconds": 0.1, "settings": {},
        }));
        journal.say(json!({
            "event": "model-loaded", "job": job.id, "launch": 0, "load-seconds": 0.25,
        }));
        for recording in recordings {
            let wrong = 20 + 10 * (position % 7);
            let text = vocabulary.heard(&mut numbers, &references[recording], wrong);
            for trial in 0..size.trials {
                let seconds = 0.5 + Json::from(numbers.below(1000)).as_f64().unwrap_or(0.0) / 1e4;
                journal.say(json!({
                    "event": "trial-ended", "job": job.id, "sample": {
                        "launch": 0, "utterance": utterance(size, recording), "trial": trial,
                        "attempt": 1, "warmup": false, "audio-seconds": 7.5,
                        "transcribe-seconds": seconds, "wall-seconds": seconds + 0.001,
                        "first-segment-seconds": seconds / 2.0, "cpu-seconds": seconds * 1.9,
                        "text": text, "language": "en",
                        "segments": [{"start-seconds": 0.0, "end-seconds": 7.5, "text": text}],
                    },
                }));
            }
        }
        journal.say(json!({
            "event": "attempt-ended", "job": job.id, "launch": 0, "attempt": 1,
            "outcome": {"status": "completed"}, "process": {"exit-code": 0, "signal": null},
            "usage": {"wall-seconds": 6.0, "cpu-seconds": 11.0, "peak-rss-bytes": 300_000_000,
                "peak-anonymous-bytes": 200_000_000, "leaked-processes": 0, "network-wall": "seccomp"},
            "stderr-tail": "", "load": [0.2, 0.1, 0.1],
        }));
        journal.say(json!({
            "event": "job-ended", "job": job.id, "outcome": {"status": "completed"},
            "finding": null, "seconds": 6.0, "bytes": 0,
        }));
    }
    journal.say(json!({ "event": "run-ended", "interrupted": false, "seconds": 60.0 }));
    journal.file.flush().expect("journal.jsonl");
}

struct Journal {
    file: BufWriter<File>,
    sequence: u64,
}

impl Journal {
    fn say(&mut self, mut event: Json) {
        event["v"] = json!(1);
        event["sequence"] = json!(self.sequence);
        event["at"] = json!("2026-01-01T00:00:00Z");
        event["elapsed-seconds"] = Json::from(self.sequence);
        self.sequence += 1;
        writeln!(self.file, "{event}").expect("journal.jsonl");
    }
}

fn utterance(size: Size, recording: usize) -> String {
    if size.data_set {
        format!("set/{recording}")
    } else {
        format!("clip-{recording}")
    }
}

fn plan(size: Size, references: &[String]) -> Plan {
    let utterances = |range: std::ops::Range<usize>| -> Vec<Json> {
        range
            .map(|recording| {
                let id = utterance(size, recording);
                json!({"id": id, "source": {"builtin": id}, "reference": references[recording],
                    "language": "en", "seconds": 7.5, "sha256": null})
            })
            .collect()
    };
    let definitions: Vec<(String, Json)> = if size.data_set {
        vec![("set".to_owned(), json!(utterances(0..size.recordings)))]
    } else {
        (0..size.recordings)
            .map(|recording| {
                let utterances = json!(utterances(recording..recording + 1));
                (utterance(size, recording), utterances)
            })
            .collect()
    };
    let mut plan = Plan {
        version: 1,
        name: "large".into(),
        digest: "plan-of-a-large-run".into(),
        normalizers: vec!["whisper-en".into(), "basic".into()],
        axes: ["backend", "model", "beam-size", "audio"]
            .map(String::from)
            .into(),
        ..Plan::default()
    };
    for (id, utterances) in &definitions {
        let definition = json!({"id": id, "data-set": size.data_set, "manifest": null,
            "utterances": utterances});
        let definition = serde_json::from_value(definition).expect("a recording");
        plan.audio.insert(id.clone(), definition);
    }
    let values = |count: usize, name: &str| -> Vec<Value> {
        (0..count)
            .map(|number| Value::text(format!("{name}-{number}")))
            .collect()
    };
    let audio = definitions.iter().map(|(id, _)| Value::text(id.as_str()));
    let columns = [
        ("backend", values(size.engines, "engine")),
        ("model", values(size.models, "model")),
        (
            "beam-size",
            (1..).take(size.beams).map(Value::integer).collect(),
        ),
        ("audio", audio.collect()),
    ];
    let threads = Arc::new(ChosenSetting {
        name: "threads".into(),
        value: Value::integer(2),
    });
    let mut cells = Vec::new();
    for position in 0..size.rows() {
        // The last axis is the fastest.
        let mut rest = position;
        let mut row = Vec::new();
        for (_, values) in columns.iter().rev() {
            row.push(rest % values.len());
            rest /= values.len();
        }
        row.reverse();
        let value = |axis: usize| &columns[axis].1[row[axis]];
        let beam = Arc::new(ChosenSetting {
            name: "beam-size".into(),
            value: value(2).clone(),
        });
        let mut job = Job::new(JobSpec::Benchmark(BenchmarkSpec {
            backend: value(0).written.as_str().into(),
            model: value(1).written.as_str().into(),
            artifact: Some("ggml-f16".into()),
            quantization: "f16".into(),
            audio: value(3).written.as_str().into(),
            settings: ChosenSettings::new(vec![Arc::clone(&threads), beam]),
            warmup: 0,
            repeat: u32::try_from(size.trials).expect("a number of trials"),
            launches: 1,
            adaptive: None,
        }));
        job.combinations = vec![position];
        plan.jobs.push(job);
        cells.extend(
            row.into_iter()
                .map(|cell| u32::try_from(cell).expect("a position")),
        );
    }
    let columns = columns.map(|(name, values)| Column {
        name: name.into(),
        values,
    });
    plan.combinations = Combinations::new(columns.into(), cells, size.rows());
    plan
}
