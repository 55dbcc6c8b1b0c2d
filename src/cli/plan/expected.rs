//! How long a plan is expected to take: as long as its rows took when this machine last measured them, and
//! for the rest a guess.

use crate::history::{History, TrendQuery, history_path};
use crate::machine::machine_facts;
use crate::model::units::show_seconds;
use crate::model::{BenchmarkSpec, Job, JobSpec, Plan};
use std::collections::HashMap;

/// The most benchmarks whose earlier times are looked up; a larger plan is guessed.
const MOST_LOOKED_UP: usize = 10_000;

/// Returns in words what a plan is expected to take on any machine: a guess.
pub(super) fn guessed(plan: &Plan) -> String {
    in_words(plan, &HashMap::new())
}

/// Returns in words what a plan is expected to take on this machine.
pub(super) fn here(plan: &Plan) -> String {
    in_words(plan, &measured(plan))
}

fn in_words(plan: &Plan, measured: &HashMap<String, (f64, f64)>) -> String {
    let (mut total, mut known, mut count) = (0.0, 0, 0);
    for job in plan.jobs.iter().filter(|job| job.skip.is_none()) {
        let JobSpec::Benchmark(spec) = &job.spec else {
            continue;
        };
        count += 1;
        total += match measured.get(job.id.0.as_str()) {
            Some(times) => {
                known += 1;
                as_measured(spec, *times)
            }
            None => job.expected_seconds.unwrap_or(0.0),
        };
    }
    let time = show_seconds(total);
    match (count, known) {
        (0, _) => "nothing is measured".into(),
        (_, 0) => format!("about {time}, guessed from sizes and lengths"),
        (count, known) if known == count => {
            format!("{time}, as this machine last measured all of it")
        }
        (count, known) => format!(
            "about {time}: {known} of {count} benchmarks as this machine last measured them, the rest guessed"
        ),
    }
}

/// Returns how long a benchmark takes whose load and one pass over its audio take so long.
fn as_measured(spec: &BenchmarkSpec, (load, pass): (f64, f64)) -> f64 {
    let trials = f64::from(spec.warmup.saturating_add(spec.repeat));
    f64::from(spec.most_launches()) * (load + trials * pass)
}

/// Returns load and median pass of the benchmarks that this machine has measured, in seconds. Where there is
/// no history, or it cannot be read, nothing was measured; none is made for this.
fn measured(plan: &Plan) -> HashMap<String, (f64, f64)> {
    let is_benchmark = |job: &&Job| matches!(job.spec, JobSpec::Benchmark(_));
    let jobs: Vec<String> = plan
        .jobs
        .iter()
        .filter(is_benchmark)
        .map(|job| job.id.0.to_string())
        .collect();
    let path = history_path(None, |name| std::env::var_os(name))
        .ok()
        .filter(|path| path.exists());
    let Some(path) = path.filter(|_| jobs.len() <= MOST_LOOKED_UP) else {
        return HashMap::new();
    };
    let query = TrendQuery {
        jobs: Some(jobs),
        machine: Some(machine_facts().id),
        run: None,
    };
    let trends = History::with(&path, |history| history.trends(&query)).unwrap_or_default();
    let newest = trends.into_iter().filter_map(|trend| {
        let row = &trend
            .nights
            .iter()
            .rev()
            .find(|night| night.row.seconds.is_some())?
            .row;
        Some((
            trend.job.clone(),
            (row.load_seconds.unwrap_or(0.0), row.seconds?),
        ))
    });
    newest.collect()
}
