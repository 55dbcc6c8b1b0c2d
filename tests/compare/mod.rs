//! `earmark compare`: runs held against each other.

mod gates;
mod machine_facts;
mod machines;
mod machines_page;
mod program;
mod simulated;

use crate::support::Place;
use crate::support::journal::{Journal, Start, benchmark, plan};
use earmark::event::RunEvent;
use earmark::model::{Job, JobId, JobSpec, Outcome, Plan, Sample};

/// What a run made by hand measured.
pub struct Made {
    /// Times as a share of half a second.
    pub factor: f64,
    /// How much longer the second and the third of three launches take than the one before.
    pub launches_differ: f64,
    /// What is heard instead of `a b c`.
    pub text: &'static str,
    pub machine: &'static str,
    pub weights: &'static str,
    pub audio: &'static str,
    pub engine: &'static str,
    pub outcome: Outcome,
}

impl Default for Made {
    fn default() -> Self {
        Self {
            factor: 1.0,
            launches_differ: 0.01,
            text: "a b c",
            machine: "here",
            weights: "sha256:aaaa",
            audio: "bbbb",
            engine: "1",
            outcome: Outcome::Completed,
        }
    }
}

/// A plan of benchmarks of some clips, in several launches, with gates.
pub fn plan_of(clips: usize, launches: u32, gates: &str) -> Plan {
    let mut planned = plan(clips);
    for job in &mut planned.jobs {
        if let JobSpec::Benchmark(spec) = &job.spec {
            *job = benchmark(&spec.audio, launches);
        }
    }
    planned.gates = serde_json::from_str(gates).unwrap();
    planned.digest = format!("{clips} {launches} {gates}");
    planned
}

/// Writes a run of a plan.
pub fn make(place: &Place, folder: &str, plan: &Plan, made: &Made) {
    let mut journal = Journal::at(0);
    journal.start(
        plan,
        &Start {
            run_id: folder.into(),
            machine: made.machine.into(),
            ..Start::default()
        },
    );
    journal.artifact(made.weights);
    for job in &plan.jobs {
        let JobSpec::Benchmark(spec) = &job.spec else {
            continue;
        };
        journal.audio(&spec.audio, made.audio);
        for launch in 0..spec.launches {
            begin(&mut journal, &job.id, launch, made);
            for trial in 0..4 {
                measure(&mut journal, job, launch, trial, made);
            }
            journal.finish(&job.id, launch, 1, &made.outcome);
        }
        journal.end(&job.id, &made.outcome, None);
    }
    journal.over(false);
    journal.write(&place.path().join(folder), plan);
}

fn begin(journal: &mut Journal, job: &JobId, launch: u32, made: &Made) {
    journal.begin(job, launch, 1);
    if let Some(RunEvent::EngineReady { version, .. }) =
        journal.events.last_mut().map(|event| &mut event.event)
    {
        made.engine.clone_into(version);
    }
}

fn measure(journal: &mut Journal, job: &Job, launch: u32, trial: u32, made: &Made) {
    let JobSpec::Benchmark(spec) = &job.spec else {
        return;
    };
    // Trials differ by one in a thousand.
    let noise = 1.0 + made.launches_differ * f64::from(launch % 3) + 0.001 * f64::from(trial);
    let seconds = 0.5 * made.factor * noise;
    journal.say(RunEvent::TrialEnded {
        job: job.id.clone(),
        sample: Sample {
            launch,
            utterance: spec.audio.to_string(),
            trial,
            attempt: 1,
            warmup: trial == 0,
            audio_seconds: 1.0,
            transcribe_seconds: seconds,
            wall_seconds: seconds,
            first_segment_seconds: None,
            cpu_seconds: None,
            text: made.text.into(),
            segments: Vec::new(),
            language: Some("en".into()),
            tokens: None,
        },
    });
}
