//! A record as XML for `JUnit`: a test case for each job and for each gate, as services for
//! continuous integration show them.

use crate::model::{JobKind, JobSpec, Outcome, SpecDigest, Stage, Verdict, VerifySpec};
use crate::record::RunRecord;
use crate::report::gates::gate_verdicts;
use crate::report::job_columns::{JobRow, job_rows};
use crate::report::machine_names::MachineNames;
use crate::report::not_run::NotRun;
use crate::report::rows::{ResultRow, result_rows};
use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

pub(super) fn junit(record: &RunRecord) -> Result<Vec<u8>, SerializeError> {
    let rows = result_rows(record);
    let names = MachineNames::of(record);
    // What several machines did of one job are several rows, each of its own record.
    let by_record: HashMap<(&str, Option<usize>), &ResultRow<'_>> = rows
        .iter()
        .map(|row| {
            let session = row.record.map(|found| found.session);
            ((row.job.id.0.as_str(), session), row)
        })
        .collect();
    let after: HashSet<SpecDigest> = record
        .plan
        .jobs
        .iter()
        .filter(|job| job.stage == Some(Stage::After))
        .map(|job| job.digest)
        .collect();
    let mut report = Report::new(clean(&record.plan.name));
    if let Some(time) = record.seconds.and_then(duration) {
        report.set_time(time);
    }
    for kind in [JobKind::Verify, JobKind::Download, JobKind::Benchmark] {
        let mut suite = TestSuite::new(kind.to_string());
        let mut seconds = 0.0;
        for job in job_rows(record)
            .into_iter()
            .filter(|row| row.job.kind == kind)
        {
            seconds += job.found.map_or(0.0, |found| found.seconds);
            let session = job.found.map(|found| found.session);
            let measured = by_record.get(&(job.job.id.0.as_str(), session)).copied();
            let asked_again = asked_again(&job, &after);
            suite.add_test_case(case(record, &names, &job, measured, asked_again));
        }
        if suite.test_cases.is_empty() {
            continue;
        }
        if let Some(time) = duration(seconds) {
            suite.set_time(time);
        }
        suite.add_properties(
            [
                ("run_id", clean(&record.run_id)),
                ("started_at", clean(&record.started_at)),
                ("earmark_version", clean(&record.earmark_version)),
                ("plan_digest", clean(&record.plan.digest)),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        for machine in record.machines() {
            suite.add_property((
                "machine",
                format!(
                    "{} {}, {}",
                    machine.id,
                    clean(&machine.host),
                    clean(&machine.cpu)
                )
                .as_str(),
            ));
        }
        report.add_test_suite(suite);
    }
    let mut gates = TestSuite::new("gates");
    for verdict in gate_verdicts(record, &rows) {
        let status = if verdict.passed {
            TestCaseStatus::success()
        } else {
            with_reason(NonSuccessKind::Failure, "gate", &verdict.message, "")
        };
        let name = if verdict.subject.is_empty() {
            clean(&verdict.gate)
        } else {
            format!("{}: {}", clean(&verdict.gate), clean(&verdict.subject))
        };
        let mut case = TestCase::new(name, status);
        case.set_classname("gates");
        if verdict.passed {
            case.add_property(("found", clean(&verdict.message).as_str()));
        }
        gates.add_test_case(case);
    }
    if !gates.test_cases.is_empty() {
        report.add_test_suite(gates);
    }
    let mut bytes = Vec::new();
    report.serialize(&mut bytes)?;
    Ok(bytes)
}

/// Whether a verify is asked again after the downloads: then what it found is their reason, and no
/// fault.
fn asked_again(job: &JobRow<'_>, after: &HashSet<SpecDigest>) -> bool {
    match &job.job.spec {
        JobSpec::Verify(spec) if spec.stage == Stage::Before => {
            let later = VerifySpec {
                stage: Stage::After,
                ..spec.clone()
            };
            after.contains(&JobSpec::Verify(later).digest())
        }
        _ => false,
    }
}

fn case(
    record: &RunRecord,
    names: &MachineNames,
    job: &JobRow<'_>,
    measured: Option<&ResultRow<'_>>,
    asked_again: bool,
) -> TestCase {
    let tail = job
        .found
        .and_then(|found| found.current_attempts().next_back())
        .map_or("", |attempt| attempt.stderr_tail.trim());
    let mut name = job.job.id.to_string();
    // A job of several machines is several cases.
    if record.job_everywhere(&job.job.id).len() > 1
        && let Some(session) = job.found.and_then(|found| record.session_of(found))
    {
        name.push_str(&format!(" on {}", names.name(Some(&session.machine.id))));
    }
    let status = match NotRun::of(record, job.job, job.found) {
        Some(reason) if reason.is_loss() => {
            with_reason(NonSuccessKind::Error, "not-run", reason.words(), tail)
        }
        Some(reason) => skipped(reason.words()),
        None => status(job, tail, asked_again),
    };
    let mut case = TestCase::new(clean(&name), status);
    case.set_classname(format!("earmark.{}", job.job.kind));
    if let Some(time) = job.found.and_then(|found| duration(found.seconds)) {
        case.set_time(time);
    }
    if !tail.is_empty() && !job.outcome().is_some_and(Outcome::is_good) {
        case.set_system_err(clean(tail));
    }
    if let Some(row) = measured {
        let numbers = [
            ("wer", row.score.map(|score| score.rates.wer)),
            ("rtfx", row.rtfx),
            (
                "transcribe_seconds_median",
                row.transcribe.map(|spread| spread.median),
            ),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                case.add_property((name, format!("{number:.6}").as_str()));
            }
        }
    }
    case
}

/// Returns the status of a job that has an end. One that said that it failed, and a model that is not
/// whole, are failures; what ended in a way that nobody meant it to, errors.
fn status(job: &JobRow<'_>, tail: &str, asked_again: bool) -> TestCaseStatus {
    let Some(outcome) = job.outcome() else {
        return skipped("not run");
    };
    let reason = outcome.reason();
    match outcome {
        Outcome::Completed | Outcome::NotNeeded { .. } => {
            let finding = job.found.and_then(|found| found.finding.as_ref());
            match finding {
                Some(finding) if !asked_again && finding.verdict != Verdict::Complete => {
                    with_reason(
                        NonSuccessKind::Failure,
                        finding.verdict.word(),
                        &finding.in_words(),
                        tail,
                    )
                }
                _ => TestCaseStatus::success(),
            }
        }
        Outcome::Skipped { because_of, .. } => {
            let mut skipped = skipped(&reason);
            skipped.set_type(if because_of.is_some() {
                "because of another job"
            } else {
                "planned"
            });
            skipped
        }
        Outcome::Failed { .. } => {
            with_reason(NonSuccessKind::Failure, outcome.status(), &reason, tail)
        }
        _ => with_reason(NonSuccessKind::Error, outcome.status(), &reason, tail),
    }
}

fn skipped(message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(clean(message));
    status
}

fn with_reason(kind: NonSuccessKind, word: &str, message: &str, tail: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(word).set_message(clean(message));
    if !tail.is_empty() {
        status.set_description(clean(tail));
    }
    status
}

fn duration(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok()
}

/// Takes out what XML cannot hold and the crate lets through: two code points that are no
/// characters, and controls beyond ASCII, which readers of XML 1.0 choke on.
fn clean(text: &str) -> String {
    text.chars()
        .filter(|letter| {
            !matches!(letter, '\u{fffe}' | '\u{ffff}' | '\u{7f}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        })
        .collect()
}
