//! Run folders of many nights, made by hand.

use crate::support::journal::{Journal, Start, plan};
use earmark::event::RunEvent;
use earmark::history::{History, RunEntry};
use earmark::model::{JobSpec, Outcome, Plan};
use std::path::{Path, PathBuf};

/// What a night measures.
#[derive(Clone, Debug)]
pub struct Night {
    /// Days after the first of January 2026.
    pub day: u32,
    pub seconds: f64,
    pub text: String,
    pub machine: String,
    pub version: String,
    pub outcome: Outcome,
}

impl Default for Night {
    fn default() -> Self {
        Self {
            day: 0,
            seconds: 0.5,
            text: "a b c".into(),
            machine: "here".into(),
            version: "1".into(),
            outcome: Outcome::Completed,
        }
    }
}

impl Night {
    pub fn of(day: u32, seconds: f64) -> Self {
        Self {
            day,
            seconds,
            ..Self::default()
        }
    }

    /// Writes a run folder of a plan, in which every benchmark measures the same.
    pub fn write_plan(&self, folder: &Path, plan: &Plan) {
        let mut journal = Journal::at(0);
        let name = folder.file_name().unwrap().to_string_lossy();
        journal.start(
            plan,
            &Start {
                run_id: name.into_owned(),
                machine: self.machine.clone(),
                ..Start::default()
            },
        );
        for job in &plan.jobs {
            match &job.spec {
                JobSpec::Benchmark(_) => journal.measure(job, &self.outcome),
                _ => journal.end(&job.id, &Outcome::Completed, None),
            }
        }
        journal.over(false);
        let date = jiff::civil::date(2026, 1, 1)
            .checked_add(jiff::Span::new().days(self.day))
            .unwrap()
            .to_string();
        for event in &mut journal.events {
            event.at.replace_range(..10, &date);
            match &mut event.event {
                RunEvent::TrialEnded { sample, .. } => {
                    sample.transcribe_seconds = self.seconds;
                    sample.wall_seconds = self.seconds;
                    sample.text.clone_from(&self.text);
                }
                RunEvent::EngineReady { version, .. } => version.clone_from(&self.version),
                _ => {}
            }
        }
        journal.write(folder, plan);
    }

    /// Writes a run folder of one benchmark.
    pub fn write(&self, folder: &Path) {
        self.write_plan(folder, &plan(1));
    }
}

/// Returns values that go up and down a little, the same for the same number.
pub fn noise(number: u32) -> f64 {
    f64::from(number.wrapping_mul(2_654_435_761) >> 16) / 65_536.0 - 0.5
}

/// Writes nights with these times, named `night-000` and so on, and returns their folders.
pub fn nights(place: &Path, seconds: &[f64]) -> Vec<PathBuf> {
    seconds
        .iter()
        .zip(0..)
        .map(|(seconds, day)| {
            let folder = place.join(format!("night-{day:03}"));
            Night::of(day, *seconds).write(&folder);
            folder
        })
        .collect()
}

/// Puts a run into a history, as `run` does at its end.
pub fn put(database: &Path, folder: &Path) -> String {
    let entry = RunEntry::read(folder).unwrap();
    History::with(database, |history| history.put(&entry)).unwrap();
    entry.key
}
