//! Plans and journals made by hand, for what a real run would take too long to do.

use earmark::event::{RunEvent, Stamped};
use earmark::model::{
    BenchmarkSpec, ChosenSettings, Job, JobId, JobKind, JobSpec, MachineFacts, MachineState,
    Outcome, Plan, ProcessEnd, Sample, Shard, Stage, VerifyFinding, VerifyMethod, VerifySpec,
};
use serde_json::json;
use std::fs;
use std::path::Path;

/// Returns a plan of the fake engine: a verify, and a benchmark for each of some clips.
pub fn plan(clips: usize) -> Plan {
    let mut plan: Plan = serde_json::from_value(json!({
        "version": 1, "name": "by hand", "description": "", "digest": format!("plan-of-{clips}"),
        "axes": [], "combinations": [], "jobs": [], "order": "matrix", "seed": 1, "isolation": "job",
        "deadlines": deadlines(), "download": "never", "verify-policy": "all", "normalizers": [],
        "gates": [], "models": {}, "recipes": {}, "audio": {}, "engines": {}, "backends": {},
        "matrix-text": "",
    }))
    .unwrap();
    plan.jobs.push(Job::new(JobSpec::Verify(VerifySpec {
        stage: Stage::Before,
        backend: "fake".into(),
        model: "tiny.en".into(),
        artifact: Some("ggml-f16".into()),
        method: VerifyMethod::CacheCheck,
        settings: ChosenSettings::default(),
    })));
    for clip in 0..clips {
        let id = format!("clip-{clip}");
        plan.audio.insert(
            id.clone(),
            serde_json::from_value(json!({
                "id": id, "data-set": false, "manifest": null,
                "utterances": [{"id": id, "source": {"builtin": id}, "reference": "a b c",
                    "language": "en", "seconds": 1.0, "sha256": null}],
            }))
            .unwrap(),
        );
        plan.jobs.push(benchmark(&id, 1));
    }
    plan
}

/// Returns a benchmark of a clip.
pub fn benchmark(clip: &str, launches: u32) -> Job {
    Job::new(JobSpec::Benchmark(BenchmarkSpec {
        backend: "fake".into(),
        model: "tiny.en".into(),
        artifact: Some("ggml-f16".into()),
        quantization: "f16".into(),
        audio: clip.into(),
        settings: ChosenSettings::default(),
        warmup: 1,
        repeat: 2,
        launches,
        adaptive: None,
    }))
}

fn deadlines() -> serde_json::Value {
    serde_json::to_value(earmark::model::Deadlines::default()).unwrap()
}

/// A journal as it is written.
pub struct Journal {
    pub events: Vec<Stamped>,
    date: u32,
    elapsed: f64,
}

/// What a session is told of itself.
#[derive(Clone, Debug)]
pub struct Start {
    pub run_id: String,
    pub machine: String,
    pub attempt: u32,
    pub shard: Option<Shard>,
    pub resumed: bool,
}

impl Default for Start {
    fn default() -> Self {
        Self {
            run_id: "run".into(),
            machine: "here".into(),
            attempt: 1,
            shard: None,
            resumed: false,
        }
    }
}

impl Journal {
    /// Begins an empty journal at some second of a day.
    pub fn at(date: u32) -> Self {
        Self {
            events: Vec::new(),
            date,
            elapsed: 0.0,
        }
    }

    /// Begins a journal with the start of a run of a plan.
    pub fn of(plan: &Plan) -> Self {
        let mut journal = Self::at(0);
        journal.start(plan, &Start::default());
        journal
    }

    pub fn say(&mut self, event: RunEvent) {
        let date = self.date;
        self.events.push(Stamped {
            v: 1,
            sequence: self.events.len() as u64,
            at: format!(
                "2026-01-01T{:02}:{:02}:{:02}.000Z",
                date / 3600,
                date / 60 % 60,
                date % 60
            ),
            elapsed_seconds: self.elapsed,
            event,
        });
        self.date += 1;
        self.elapsed += 1.0;
    }

    pub fn start(&mut self, plan: &Plan, start: &Start) {
        self.say(RunEvent::RunStarted {
            run_id: start.run_id.clone(),
            plan_digest: plan.digest.clone(),
            earmark_version: "0".into(),
            build_profile: "release".into(),
            crates: std::collections::BTreeMap::new(),
            command_line: vec!["earmark".into()],
            repository: None,
            machine: Box::new(MachineFacts {
                id: start.machine.clone(),
                host: format!("host-{}", start.machine),
                ..MachineFacts::default()
            }),
            jobs: plan.jobs.len(),
            shard: start.shard.clone(),
            attempt: start.attempt,
            resumed: start.resumed,
        });
    }

    pub fn artifact(&mut self, digest: &str) {
        self.say(RunEvent::ArtifactIdentified {
            model: "tiny.en".into(),
            artifact: "ggml-f16".into(),
            digest: digest.into(),
        });
    }

    pub fn audio(&mut self, clip: &str, digest: &str) {
        self.say(RunEvent::AudioPrepared {
            utterance: clip.into(),
            sha256: digest.into(),
            seconds: 1.0,
        });
    }

    pub fn begin(&mut self, job: &JobId, launch: u32, attempt: u32) {
        self.say(RunEvent::AttemptStarted {
            job: job.clone(),
            kind: JobKind::Benchmark,
            launch,
            attempt,
            limit_seconds: Some(9.0),
            load: None,
            governor: None,
            state: MachineState::default(),
        });
        self.say(RunEvent::EngineReady {
            job: job.clone(),
            launch,
            version: "1".into(),
            start_seconds: Some(0.1),
            settings: std::collections::BTreeMap::new(),
        });
    }

    pub fn trial(&mut self, job: &JobId, clip: &str, (launch, attempt, trial): (u32, u32, u32)) {
        self.say(RunEvent::TrialEnded {
            job: job.clone(),
            sample: Sample {
                launch,
                utterance: clip.into(),
                trial,
                attempt,
                warmup: trial == 0,
                audio_seconds: 1.0,
                transcribe_seconds: 0.5,
                wall_seconds: 0.5,
                first_segment_seconds: None,
                cpu_seconds: None,
                text: "a b c".into(),
                segments: Vec::new(),
                language: Some("en".into()),
                tokens: None,
            },
        });
    }

    pub fn finish(&mut self, job: &JobId, launch: u32, attempt: u32, outcome: &Outcome) {
        self.say(RunEvent::AttemptEnded {
            job: job.clone(),
            launch,
            attempt,
            outcome: outcome.clone(),
            process: ProcessEnd::default(),
            usage: None,
            stderr_tail: String::new(),
            load: None,
            governor: None,
            state: MachineState::default(),
        });
    }

    pub fn end(&mut self, job: &JobId, outcome: &Outcome, finding: Option<VerifyFinding>) {
        self.say(RunEvent::JobEnded {
            job: job.clone(),
            outcome: outcome.clone(),
            finding,
            seconds: 1.0,
            bytes: 0,
        });
    }

    /// A benchmark of one launch from beginning to end.
    pub fn measure(&mut self, job: &Job, outcome: &Outcome) {
        let JobSpec::Benchmark(spec) = &job.spec else {
            panic!("{} is no benchmark", job.id);
        };
        self.begin(&job.id, 0, 1);
        for trial in 0..3 {
            self.trial(&job.id, &spec.audio, (0, 1, trial));
        }
        self.finish(&job.id, 0, 1, outcome);
        self.end(&job.id, outcome, None);
    }

    pub fn over(&mut self, interrupted: bool) {
        self.say(RunEvent::RunEnded {
            interrupted,
            seconds: self.elapsed,
        });
    }

    /// Returns it as it stands in a file.
    pub fn text(&self) -> String {
        let lines = self
            .events
            .iter()
            .map(|event| serde_json::to_string(event).unwrap() + "\n");
        lines.collect()
    }

    /// Writes a run folder.
    pub fn write(&self, folder: &Path, plan: &Plan) {
        fs::create_dir_all(folder).unwrap();
        fs::write(
            folder.join("plan.json"),
            serde_json::to_string_pretty(plan).unwrap() + "\n",
        )
        .unwrap();
        fs::write(folder.join("journal.jsonl"), self.text()).unwrap();
    }
}
