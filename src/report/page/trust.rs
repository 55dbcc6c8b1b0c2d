//! Which verify can be trusted: what each method said against what the benchmark then did.

use super::{MOST_ROWS, is_synthetic};
use crate::model::units::show_seconds;
use crate::model::{
    Job, JobKind, JobSpec, Outcome, Stage, Verdict, VerifyFinding, VerifyMethod, VerifyPolicy,
};
use crate::record::{AttemptRecord, JobRecord, RunRecord};
use crate::report::job_columns::job_rows;
use crate::score::statistics::{median, range};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// What a run shows of its verify methods.
#[derive(Serialize, JsonSchema)]
pub(super) struct TrustView {
    /// The answer.
    sentence: String,
    /// What it does not show.
    limits: Vec<String>,
    methods: Vec<MethodRow>,
    /// The verdicts that were wrong, the first of them.
    wrong: Vec<WrongRow>,
    /// How many of them are not shown.
    hidden: usize,
}

/// A verify method with what its verdicts were worth.
#[derive(Serialize, JsonSchema)]
struct MethodRow {
    method: String,
    /// Each verdict with its count, as text. One that another verify took over is not counted again.
    verdicts: String,
    /// Median and largest time of those that looked, in seconds; null where there are several machines.
    median: Option<f64>,
    largest: Option<f64>,
    /// Verdicts that were remembered and cost nothing.
    remembered: usize,
    /// Complete, and the benchmark completed; not complete, and it went wrong.
    right: usize,
    /// Verdicts on models with which a benchmark was then tried.
    judged: usize,
    /// Complete, and the benchmark went wrong.
    false_trust: usize,
    /// Not complete, and the benchmark completed.
    false_alarm: usize,
    /// Benchmarks that nobody tried.
    untried: usize,
}

/// A verdict that the benchmark did not bear out.
#[derive(Serialize, JsonSchema)]
struct WrongRow {
    method: String,
    verdict: &'static str,
    benchmark: String,
    status: &'static str,
    reason: String,
}

/// What verdicts by one method came to.
#[derive(Default)]
struct Tally {
    verdicts: BTreeMap<&'static str, usize>,
    times: Vec<f64>,
    remembered: usize,
    /// Right verdicts by whether they said complete.
    right: (usize, usize),
    false_trust: usize,
    false_alarm: usize,
    untried: usize,
}

impl Tally {
    fn right(&self) -> usize {
        self.right.0 + self.right.1
    }

    /// Returns how many verdicts a benchmark has judged.
    fn judged(&self) -> usize {
        self.right() + self.false_trust + self.false_alarm
    }

    fn is_always_right(&self) -> bool {
        self.judged() > 0 && self.right() == self.judged()
    }
}

/// Returns what the verdicts of a run were worth; `None` if none was about an engine that is more
/// than a stand-in.
pub(super) fn trust(record: &RunRecord) -> Option<TrustView> {
    let mut tallies: BTreeMap<VerifyMethod, Tally> = BTreeMap::new();
    ask(record, &mut tallies);
    let mut wrong = judge(record, &mut tallies);
    if tallies.is_empty() {
        return None;
    }
    let hidden = wrong.len().saturating_sub(MOST_ROWS);
    wrong.truncate(MOST_ROWS);
    Some(TrustView {
        sentence: sentence(&tallies, load_seconds(record)),
        limits: limits(&tallies, record.plan.verify_policy),
        methods: tallies.iter().map(method_row).collect(),
        wrong,
        hidden,
    })
}

/// Counts verdicts and times. A verify after the downloads that took over the verdict from before
/// them is no second one, and one that was remembered took no time. Times of several machines are not
/// put together.
fn ask(record: &RunRecord, tallies: &mut BTreeMap<VerifyMethod, Tally>) {
    let is_of_several = record.machines().len() > 1;
    for row in job_rows(record) {
        let (JobSpec::Verify(spec), Some(found)) = (&row.job.spec, row.found) else {
            continue;
        };
        let has_looked = !matches!(
            found.outcome,
            None | Some(Outcome::NotNeeded { .. } | Outcome::Skipped { .. })
        );
        if !has_looked || is_synthetic(record, &spec.backend) {
            continue;
        }
        let tally = tallies.entry(spec.method).or_default();
        let finding = found.finding.as_ref();
        let word = finding.map_or("no verdict", |finding| finding.verdict.word());
        *tally.verdicts.entry(word).or_default() += 1;
        if finding.is_some_and(|finding| finding.remembered) {
            tally.remembered += 1;
        } else if !is_of_several {
            tally.times.push(found.seconds);
        }
    }
}

/// Holds each verdict that a benchmark waited for against what the benchmark did. Returns those
/// that were wrong.
fn judge(record: &RunRecord, tallies: &mut BTreeMap<VerifyMethod, Tally>) -> Vec<WrongRow> {
    let jobs: HashMap<&str, &Job> = (record.plan.jobs.iter())
        .filter(|job| job.kind == JobKind::Verify && job.stage == Some(Stage::After))
        .map(|job| (job.id.0.as_str(), job))
        .collect();
    let mut wrong = Vec::new();
    for benchmark in &record.plan.jobs {
        let JobSpec::Benchmark(spec) = &benchmark.spec else {
            continue;
        };
        if benchmark.skip.is_some() || is_synthetic(record, &spec.backend) {
            continue;
        }
        let everywhere = record.job_everywhere(&benchmark.id);
        let everywhere: Vec<Option<&JobRecord>> = if everywhere.is_empty() {
            vec![None]
        } else {
            everywhere.into_iter().map(Some).collect()
        };
        let each = everywhere
            .into_iter()
            .flat_map(|done| benchmark.needs.iter().map(move |need| (done, need)));
        for (done, need) in each {
            let Some(JobSpec::Verify(verify)) = jobs.get(need.0.as_str()).map(|job| &job.spec)
            else {
                continue;
            };
            let Some(finding) = finding(record, need, done) else {
                continue;
            };
            let tally = tallies.entry(verify.method).or_default();
            let outcome = done.and_then(|done| done.outcome.as_ref());
            let is_complete = finding.verdict == Verdict::Complete;
            match (is_complete, outcome.and_then(has_worked)) {
                (_, None) => tally.untried += 1,
                (true, Some(true)) => tally.right.0 += 1,
                (false, Some(false)) => tally.right.1 += 1,
                (true, Some(false)) => tally.false_trust += 1,
                (false, Some(true)) => tally.false_alarm += 1,
            }
            let is_wrong =
                |outcome| has_worked(outcome).is_some_and(|worked| worked != is_complete);
            if let Some(outcome) = outcome.filter(|outcome| is_wrong(outcome)) {
                wrong.push(WrongRow {
                    method: verify.method.to_string(),
                    verdict: finding.verdict.word(),
                    benchmark: benchmark.spec.slug(),
                    status: outcome.status(),
                    reason: if is_complete {
                        outcome.reason()
                    } else {
                        finding.reason.clone()
                    },
                });
            }
        }
    }
    wrong
}

/// Returns what a verify found on the machine that did a benchmark.
fn finding<'r>(
    record: &'r RunRecord,
    verify: &crate::model::JobId,
    done: Option<&JobRecord>,
) -> Option<&'r VerifyFinding> {
    let machine = |job: &JobRecord| {
        let session = record.session_of(job)?;
        Some(session.machine.id.as_str())
    };
    let here = done.and_then(machine);
    let found = record.job_everywhere(verify);
    let same = found
        .iter()
        .find(|found| here.is_none() || machine(found) == here);
    same?.finding.as_ref()
}

/// Returns whether a benchmark worked, if it was tried.
fn has_worked(outcome: &Outcome) -> Option<bool> {
    match outcome {
        Outcome::Completed => Some(true),
        Outcome::Failed { .. }
        | Outcome::TimedOut { .. }
        | Outcome::Crashed { .. }
        | Outcome::ProtocolViolation { .. } => Some(false),
        Outcome::NotNeeded { .. } | Outcome::Cancelled { .. } | Outcome::Skipped { .. } => None,
    }
}

/// Returns the median time that engines took to load in benchmarks, in seconds; none of several machines,
/// whose times are never put together.
fn load_seconds(record: &RunRecord) -> Option<f64> {
    if record.machines().len() > 1 {
        return None;
    }
    let times: Vec<f64> = (record.plan.jobs.iter())
        .filter(|job| match &job.spec {
            JobSpec::Benchmark(spec) => !is_synthetic(record, &spec.backend),
            _ => false,
        })
        .flat_map(|job| record.job_everywhere(&job.id))
        .flat_map(JobRecord::current_attempts)
        .filter_map(|attempt: &AttemptRecord| attempt.load_seconds)
        .collect();
    median(&times)
}

/// Returns the answer: the cheapest method that was never wrong, and what it saves.
fn sentence(tallies: &BTreeMap<VerifyMethod, Tally>, load: Option<f64>) -> String {
    let judged = || tallies.iter().filter(|(_, tally)| tally.judged() > 0);
    let score = |(method, tally): (&VerifyMethod, &Tally)| {
        format!("{method} in {} of {}", tally.right(), tally.judged())
    };
    let Some((method, best)) = judged().find(|(_, tally)| tally.is_always_right()) else {
        let all: Vec<String> = judged().map(score).collect();
        return if all.is_empty() {
            "No benchmark was tried, so nothing shows whether a verdict can be trusted.".into()
        } else {
            format!("No method was always right: {}.", all.join(", "))
        };
    };
    let mut text = format!(
        "{method} was right in {} of {}",
        best.right(),
        best.judged()
    );
    if let Some(time) = median(&best.times) {
        let dearer = tallies.iter().rev().find(|(other, _)| *other > method);
        let against = dearer
            .and_then(|(other, tally)| Some((median(&tally.times)?, other.to_string())))
            .or_else(|| Some((load?, "loading in the benchmark".into())));
        text.push_str(&format!("; it took {}", show_seconds(time)));
        if let Some((other, what)) = against {
            text.push_str(&format!(" against {} for {what}", show_seconds(other)));
        }
    }
    text.push('.');
    let worse: Vec<String> = judged()
        .filter(|(_, tally)| !tally.is_always_right())
        .map(score)
        .collect();
    if !worse.is_empty() {
        text.push_str(&format!(" Not always right: {}.", worse.join(", ")));
    }
    text
}

/// Returns what the run cannot show.
fn limits(tallies: &BTreeMap<VerifyMethod, Tally>, policy: VerifyPolicy) -> Vec<String> {
    let mut limits = Vec::new();
    let judged: usize = tallies.values().map(Tally::judged).sum();
    let refused: usize = tallies
        .values()
        .map(|tally| tally.right.1 + tally.false_alarm)
        .sum();
    let untried: usize = tallies.values().map(|tally| tally.untried).sum();
    if judged > 0 && refused == 0 {
        limits.push(
            "no benchmark was tried with a model that a verdict refused, so nothing shows whether \
             one would have worked"
                .into(),
        );
    }
    if untried > 0 && policy != VerifyPolicy::Ignore {
        limits.push("`verify-policy: ignore` would have tried all of them".into());
    }
    limits
}

fn method_row((method, tally): (&VerifyMethod, &Tally)) -> MethodRow {
    let verdicts = tally.verdicts.iter();
    MethodRow {
        method: method.to_string(),
        verdicts: verdicts
            .map(|(word, count)| format!("{count} {word}"))
            .collect::<Vec<_>>()
            .join(", "),
        median: median(&tally.times),
        largest: range(&tally.times).map(|(_, largest)| largest),
        remembered: tally.remembered,
        right: tally.right(),
        judged: tally.judged(),
        false_trust: tally.false_trust,
        false_alarm: tally.false_alarm,
        untried: tally.untried,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(right: (usize, usize), false_trust: usize, times: &[f64]) -> Tally {
        Tally {
            times: times.to_vec(),
            right,
            false_trust,
            ..Tally::default()
        }
    }

    #[test]
    fn the_cheapest_method_that_was_never_wrong_is_named_with_what_it_saves() {
        let tallies = BTreeMap::from([
            (VerifyMethod::CacheCheck, tally((12, 0), 0, &[0.0003])),
            (VerifyMethod::Load, tally((12, 0), 0, &[1.2, 1.2])),
        ]);
        assert_eq!(
            sentence(&tallies, Some(9.0)),
            "cache-check was right in 12 of 12; it took 0.3 ms against 1.20 s for load."
        );
        let alone = BTreeMap::from([(VerifyMethod::CacheCheck, tally((2, 0), 0, &[0.0003]))]);
        assert_eq!(
            sentence(&alone, Some(0.5)),
            "cache-check was right in 2 of 2; it took 0.3 ms against 500 ms for loading in the \
             benchmark."
        );
    }

    #[test]
    fn a_method_that_was_wrong_is_not_recommended() {
        let tallies = BTreeMap::from([
            (VerifyMethod::CacheCheck, tally((10, 0), 2, &[0.0003])),
            (VerifyMethod::Checksum, tally((10, 2), 0, &[0.9])),
        ]);
        assert_eq!(
            sentence(&tallies, None),
            "checksum was right in 12 of 12; it took 900 ms. Not always right: cache-check in 10 \
             of 12."
        );
        let none = BTreeMap::from([(VerifyMethod::CacheCheck, tally((10, 0), 2, &[]))]);
        assert_eq!(
            sentence(&none, None),
            "No method was always right: cache-check in 10 of 12."
        );
    }

    #[test]
    fn what_was_not_tried_is_no_proof() {
        let mut untried = tally((0, 0), 0, &[0.1]);
        untried.untried = 3;
        let tallies = BTreeMap::from([(VerifyMethod::CacheCheck, untried)]);
        assert!(sentence(&tallies, None).starts_with("No benchmark was tried"));
        assert_eq!(limits(&tallies, VerifyPolicy::All).len(), 1);
        assert!(limits(&tallies, VerifyPolicy::Ignore).is_empty());
    }
}
