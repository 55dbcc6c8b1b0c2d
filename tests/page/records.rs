//! Records made by hand: of every outcome, of engines as they might be, and of very many rows.

use crate::support::journal::{Journal, Start, plan};
use earmark::event::RunEvent;
use earmark::model::{
    BenchmarkSpec, ChildUsage, Combinations, Job, JobId, JobSpec, MachineFacts, Outcome, Plan,
    Value, Verdict, VerifyFinding,
};
use earmark::report::{LevelChange, RunHistory};
use indexmap::IndexMap;
use serde_json::json;

/// What is said in the clips.
const SAID: [(&str, f64, &str); 6] = [
    (
        "speech",
        11.0,
        "and so my fellow citizens ask not what the harbour can do for you",
    ),
    (
        "letters",
        7.5,
        "she had been writing letters all morning and not one of them was to him",
    ),
    (
        "garden",
        5.0,
        "they planted the apple trees too close to the southern wall",
    ),
    (
        "ferry",
        5.4,
        "tickets for the evening ferry are sold at the kiosk by the pier",
    ),
    (
        "weather",
        4.2,
        "gales are expected in the northern isles before midnight",
    ),
    (
        "numbers",
        6.0,
        "the train at half past nine has eleven carriages and no kitchen",
    ),
];

/// An engine with what it makes of a model.
struct Engine {
    name: &'static str,
    /// Times real time with the small model.
    speed: f64,
    start: f64,
    load: f64,
    tells_first: bool,
    /// Anonymous and file-backed bytes with the small model.
    memory: (u64, u64),
    /// Words that it takes for others: with the small model all of them, with the large one the first.
    confuses: &'static [(&'static str, &'static str)],
}

const ENGINES: [Engine; 3] = [
    Engine {
        name: "whisper-cpp",
        speed: 9.5,
        start: 0.012,
        load: 0.14,
        tells_first: true,
        memory: (180 << 20, 78 << 20),
        confuses: &[("harbour", "arbor"), ("isles", "aisles"), ("half", "")],
    },
    Engine {
        name: "candle",
        speed: 21.0,
        start: 0.02,
        load: 0.31,
        tells_first: false,
        memory: (120 << 20, 151 << 20),
        confuses: &[
            ("harbour", "arbor"),
            ("gales", "gails"),
            ("eleven", "a lemon"),
        ],
    },
    Engine {
        name: "faster-whisper",
        speed: 16.0,
        start: 1.9,
        load: 0.7,
        tells_first: true,
        memory: (420 << 20, 60 << 20),
        confuses: &[
            ("isles", "aisles"),
            ("harbour", "arbor"),
            ("him", "him him"),
        ],
    },
];

/// Numbers that look random and are the same each time.
pub struct Noise(pub u64);

impl Noise {
    /// Returns a number from −1 to 1, mostly near 0.
    fn next(&mut self) -> f64 {
        let mut draw = || {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            f64::from(u32::try_from(self.0 >> 33).unwrap()) / f64::from(1_u32 << 31) - 0.5
        };
        (draw() + draw()) * draw().abs() * 2.0
    }
}

/// A benchmark of a record by hand.
pub fn benchmark(backend: &str, model: &str, audio: &str, threads: i64) -> BenchmarkSpec {
    BenchmarkSpec {
        backend: backend.into(),
        model: model.into(),
        artifact: Some("weights".into()),
        quantization: "f16".into(),
        audio: audio.into(),
        settings: serde_json::from_value(json!({"threads": threads})).unwrap(),
        warmup: 1,
        repeat: 4,
        launches: 3,
        adaptive: None,
    }
}

/// Adds a clip to a plan.
pub fn clip(plan: &mut Plan, id: &str, seconds: f64, reference: &str) {
    plan.audio.insert(
        id.to_owned(),
        serde_json::from_value(json!({
            "id": id, "data-set": false, "manifest": null,
            "utterances": [{"id": id, "source": {"builtin": id}, "reference": reference,
                "language": "en", "seconds": seconds, "sha256": null}],
        }))
        .unwrap(),
    );
}

/// Returns a machine as a report would show it.
pub fn machine(name: &str) -> MachineFacts {
    MachineFacts {
        id: name.into(),
        host: format!("host-{name}"),
        system: "Linux 6.1".into(),
        kernel: "6.1.0".into(),
        cpu: "Example CPU 3.2 GHz".into(),
        cores: 4,
        physical_cores: 2,
        memory_bytes: 8 << 30,
        governor: Some("performance".into()),
        ..MachineFacts::default()
    }
}

/// Returns an event as it stands in a journal: what is not said is as the format's older versions meant
/// it, so that a new field is no reason to change these records.
pub fn event(written: serde_json::Value) -> RunEvent {
    serde_json::from_value(written).unwrap()
}

/// What the history might have said of a run in which a row became slower.
pub fn history(job: &JobId) -> RunHistory {
    RunHistory {
        version: RunHistory::VERSION,
        rows: 2,
        known_rows: 2,
        watched: ["time to transcribe", "WER"].map(str::to_owned).to_vec(),
        trends: 4,
        long_trends: 3,
        fewest_runs: 6,
        significance: 0.005,
        changes: vec![LevelChange {
            job: job.to_string(),
            machine: "here".into(),
            host: "host-here".into(),
            metric: "transcribe_seconds_median".into(),
            title: "time to transcribe".into(),
            worse: true,
            before: 0.5,
            after: 0.65,
            shown_before: "500 ms".into(),
            shown_after: "650 ms".into(),
            shown_change: "+30.0 %".into(),
            since_run: "night-020".into(),
            since: "2026-01-21T00:00:00.000Z".into(),
            last_run_before: "night-019".into(),
            last_before: "2026-01-20T00:00:00.000Z".into(),
            changed_there: vec!["engine's version: 1 → 2".into()],
            values: [[0.5, 0.51, 0.49, 0.5].as_slice(), &[0.65, 0.66, 0.64]].concat(),
            position: 4,
            synthetic: true,
        }],
        more_changes: 0,
    }
}

/// Begins a journal of a plan on the example machine.
pub fn begin(plan: &Plan) -> Journal {
    let line = ["earmark", "run", "my matrix.yaml", "--out", "runs/night"];
    begin_as(plan, &machine("here"), "run", &line)
}

/// Begins a journal of a plan on a machine, by a command line.
pub fn begin_as(plan: &Plan, machine: &MachineFacts, run: &str, line: &[&str]) -> Journal {
    let mut journal = Journal::at(0);
    journal.say(event(json!({
        "event": "run-started", "run-id": run, "plan-digest": plan.digest, "earmark-version": "0",
        "build-profile": "release", "command-line": line, "machine": machine, "jobs": plan.jobs.len(),
        "shard": null, "attempt": 1, "resumed": false,
    })));
    journal
}

/// Begins an attempt of a benchmark.
pub fn attempt(journal: &mut Journal, job: &JobId, launch: u32, governor: &str) {
    journal.say(event(json!({
        "event": "attempt-started", "job": job, "kind": "benchmark", "launch": launch, "attempt": 1,
        "limit-seconds": 60.0, "load": [0.9, 0.5, 0.3], "governor": governor,
    })));
}

/// Ends an attempt, with what its process cost and what it logged.
pub fn attempt_ended(
    journal: &mut Journal,
    job: &JobId,
    launch: u32,
    outcome: &Outcome,
    (usage, log): (Option<&ChildUsage>, &str),
) {
    journal.say(event(json!({
        "event": "attempt-ended", "job": job, "launch": launch, "attempt": 1, "outcome": outcome,
        "usage": usage, "stderr-tail": log,
    })));
}

/// A measured launch: what it was like, and what was heard in each trial.
pub struct Launch<'a> {
    pub number: u32,
    pub start: f64,
    pub load: f64,
    pub memory: (u64, u64),
    /// Seconds of each trial, the warm-up first, and of its first segment.
    pub times: Vec<(f64, Option<f64>)>,
    pub audio: (&'a str, f64),
    pub text: &'a str,
}

/// Writes a launch into a journal.
pub fn launch(journal: &mut Journal, job: &JobId, launch: &Launch<'_>) {
    attempt(journal, job, launch.number, "performance");
    journal.say(RunEvent::EngineReady {
        job: job.clone(),
        launch: launch.number,
        version: "1.2.3".into(),
        start_seconds: Some(launch.start),
        settings: std::collections::BTreeMap::new(),
    });
    journal.say(RunEvent::ModelLoaded {
        job: job.clone(),
        launch: launch.number,
        load_seconds: launch.load,
    });
    for (trial, (seconds, first)) in launch.times.iter().enumerate() {
        journal.say(event(json!({"event": "trial-ended", "job": job, "sample": {
            "launch": launch.number, "utterance": launch.audio.0, "trial": trial, "attempt": 1,
            "warmup": trial == 0, "audio-seconds": launch.audio.1, "transcribe-seconds": seconds,
            "wall-seconds": seconds, "first-segment-seconds": first, "cpu-seconds": seconds * 1.8,
            "text": launch.text, "segments": [], "language": "en",
        }})));
    }
    let usage = ChildUsage {
        wall_seconds: launch.times.iter().map(|(seconds, _)| seconds).sum(),
        cpu_seconds: Some(1.0),
        peak_rss_bytes: Some(launch.memory.0 + launch.memory.1),
        peak_anonymous_bytes: Some(launch.memory.0),
        network_wall: "seccomp".into(),
        ..ChildUsage::default()
    };
    attempt_ended(
        journal,
        job,
        launch.number,
        &Outcome::Completed,
        (Some(&usage), ""),
    );
}

/// A run of three engines with two models on four clips, with a label, one failure and one thing left
/// over: what a page looks like that somebody reads.
pub fn engines() -> (Plan, Journal) {
    let mut made = plan(0);
    made.name = "which-engine".into();
    made.description = "Which engine reads these recordings fastest, and at what accuracy?".into();
    made.matrix_text = "version: 1\nname: which-engine\n".into();
    let mut rows: Vec<IndexMap<String, Value>> = Vec::new();
    let mut jobs: Vec<(Job, &Engine, bool, usize)> = Vec::new();
    for (id, seconds, said) in SAID {
        clip(&mut made, id, seconds, said);
    }
    for engine in &ENGINES {
        for model in ["tiny.en", "base.en"] {
            for (position, (audio, _, _)) in SAID.iter().enumerate() {
                let mut job = Job::new(JobSpec::Benchmark(benchmark(engine.name, model, audio, 2)));
                job.combinations = vec![rows.len()];
                let home = if engine.name == "faster-whisper" {
                    "python"
                } else {
                    "built in"
                };
                rows.push(
                    [
                        ("backend", engine.name),
                        ("model", model),
                        ("audio", audio),
                        ("tag.home", home),
                    ]
                    .map(|(name, value)| (name.to_owned(), Value::text(value)))
                    .into_iter()
                    .collect(),
                );
                jobs.push((job, engine, model == "base.en", position));
            }
        }
    }
    made.axes = ["backend", "model", "audio"].map(String::from).to_vec();
    made.combinations = rows.into_iter().collect::<Combinations>();
    made.jobs.extend(jobs.iter().map(|(job, ..)| job.clone()));
    let mut journal = begin(&made);
    let complete = VerifyFinding::plain(Verdict::Complete, "");
    journal.end(&made.jobs[0].id, &Outcome::Completed, Some(complete));
    for (id, seconds, _) in SAID {
        journal.say(RunEvent::AudioPrepared {
            utterance: id.into(),
            sha256: "0".repeat(64),
            seconds,
        });
    }
    let mut noise = Noise(7);
    let failing = jobs.len() - 1;
    for number in 0..3 {
        for (position, (job, engine, large, audio)) in jobs.iter().enumerate() {
            if position == failing {
                continue;
            }
            let (id, seconds, said) = SAID[*audio];
            let factor = if *large { 0.52 } else { 1.0 };
            let slow = if engine.name == "faster-whisper" {
                0.2
            } else {
                0.08
            };
            let errors = if *large { 1 } else { engine.confuses.len() };
            let text = engine.confuses[..errors]
                .iter()
                .fold(said.to_owned(), |text, (from, to)| text.replace(from, to));
            let times = (0..5)
                .map(|trial| {
                    let warm = if trial == 0 { 1.4 } else { 1.0 };
                    let time =
                        seconds / (engine.speed * factor) * warm * (1.0 + slow * noise.next());
                    (time, engine.tells_first.then_some(time * 0.4))
                })
                .collect();
            let grown = if *large { 2 } else { 1 };
            launch(
                &mut journal,
                &job.id,
                &Launch {
                    number,
                    start: engine.start,
                    load: engine.load / factor,
                    memory: (engine.memory.0 * grown, engine.memory.1 * grown),
                    times,
                    audio: (id, seconds),
                    text: &text,
                },
            );
        }
    }
    for (position, (job, ..)) in jobs.iter().enumerate() {
        if position != failing {
            journal.end(&job.id, &Outcome::Completed, None);
        }
    }
    let job = &jobs[failing].0;
    let crashed = Outcome::Crashed {
        phase: earmark::model::Phase::Load,
        signal: Some(9),
        exit_code: None,
        stderr_tail: "RuntimeError: out of memory".into(),
    };
    journal.begin(&job.id, 0, 1);
    let log = "loading base.en (float16)\nRuntimeError: out of memory";
    attempt_ended(&mut journal, &job.id, 0, &crashed, (None, log));
    journal.end(&job.id, &crashed, None);
    journal.over(false);
    (made, journal)
}

/// A run of very many short benchmarks, of `rows` configurations of two engines on one clip.
pub fn many(rows: usize) -> (Plan, Journal) {
    let mut made = plan(0);
    let (id, seconds, said) = SAID[0];
    clip(&mut made, id, seconds, said);
    made.axes = ["backend", "model", "audio", "beam-size"]
        .map(String::from)
        .to_vec();
    let mut table: Vec<IndexMap<String, Value>> = Vec::new();
    for row in 0..rows {
        let backend = ["one", "two"][row % 2];
        let model = format!("model-{}", row / 2 % 40);
        let beam = i64::try_from(row / 80 + 1).unwrap();
        let mut spec = benchmark(backend, &model, id, 2);
        spec.settings = serde_json::from_value(json!({"beam-size": beam})).unwrap();
        spec.repeat = 6;
        spec.launches = 1;
        let mut job = Job::new(JobSpec::Benchmark(spec));
        job.combinations = vec![row];
        table.push(
            [
                ("backend", Value::text(backend)),
                ("model", Value::text(model)),
                ("audio", Value::text(id)),
                ("beam-size", Value::integer(beam)),
            ]
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect(),
        );
        made.jobs.push(job);
    }
    made.combinations = table.into_iter().collect::<Combinations>();
    let mut journal = begin(&made);
    let mut noise = Noise(11);
    for (row, job) in made.jobs.iter().skip(1).enumerate() {
        let speed = 5.0 + f64::from(u32::try_from(row * 7919 % rows).unwrap()) / 100.0;
        let words: Vec<&str> = said.split(' ').collect();
        let text = words[row % 5..].join(" ");
        launch(
            &mut journal,
            &job.id,
            &Launch {
                number: 0,
                start: 0.1,
                load: 0.2,
                memory: (100 << 20, 50 << 20),
                times: (0..7)
                    .map(|_| (seconds / speed * (1.0 + 0.02 * noise.next()), None))
                    .collect(),
                audio: (id, seconds),
                text: &text,
            },
        );
        journal.end(&job.id, &Outcome::Completed, None);
    }
    journal.over(false);
    (made, journal)
}

/// A session's start on another machine.
pub fn on(machine: &str, run: &str) -> Start {
    Start {
        run_id: run.into(),
        machine: machine.into(),
        ..Start::default()
    }
}
