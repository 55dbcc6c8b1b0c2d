//! The timeline: when each job ran.

use super::scale::{clock_ticks, rounded};
use crate::model::units::show_seconds;
use crate::model::{JobKind, Outcome};
use crate::record::{AttemptRecord, JobRecord, RunRecord};
use crate::report::machine_names::MachineNames;
use schemars::JsonSchema;
use serde::Serialize;

/// Up to so many jobs, each has a line of its own with its name.
const NAMED_LANES: usize = 40;
/// How many attempts are drawn; the longest, if there are more.
const MOST_SPANS: usize = 1000;
/// Height of a named line and of one without a name, in pixels.
const LANE: (f64, f64) = (30.0, 12.0);

/// A timeline, laid out for one width. Coordinates are in pixels from the upper left.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct TimelineView {
    /// `wide` or `narrow`.
    class: &'static str,
    width: f64,
    height: f64,
    ticks: Vec<TimelineTick>,
    names: Vec<LaneName>,
    bars: Vec<Bar>,
    /// Whether a bar is of an attempt that does not count any more, or whose end nobody saw.
    has_pale_bars: bool,
    /// Lines across all lanes.
    marks: Vec<Mark>,
}

/// A moment of the whole run.
#[derive(Debug, Serialize, JsonSchema)]
struct Mark {
    at: f64,
    /// `session` or `stopped`.
    class: &'static str,
    title: String,
}

/// A moment of the whole run, in seconds.
struct Moment {
    at: f64,
    class: &'static str,
    title: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct TimelineTick {
    at: f64,
    label: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct LaneName {
    y: f64,
    text: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Bar {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    /// The kind of the job, and behind it `bad` if the attempt went wrong, `lost` if nobody saw its
    /// end, `again` if another one counts instead.
    class: String,
    /// Whether it left processes behind.
    leaks: bool,
    title: String,
}

/// An attempt of a job.
struct Span<'a> {
    job: usize,
    from: f64,
    to: f64,
    name: &'a str,
    class: String,
    leaks: bool,
    title: String,
}

/// Returns the timeline for wide and for narrow screens; none if nothing was begun.
pub(super) fn timelines(record: &RunRecord) -> Vec<TimelineView> {
    let names = MachineNames::of(record);
    let slugs: Vec<String> = record.plan.jobs.iter().map(|job| job.spec.slug()).collect();
    let mut spans: Vec<Span<'_>> = Vec::new();
    for (position, job) in record.plan.jobs.iter().enumerate() {
        for found in record.job_everywhere(&job.id) {
            let session = record.session_of(found);
            let machine = names.told(session.map(|session| session.machine.id.as_str()));
            let name = machine.map_or_else(
                || slugs[position].clone(),
                |machine| format!("{} on {machine}", slugs[position]),
            );
            for attempt in &found.attempts {
                let to = end_of(attempt, record).max(attempt.started_at);
                let leaked = attempt.leaked_processes().unwrap_or(0);
                spans.push(Span {
                    job: position,
                    from: attempt.started_at,
                    to,
                    name: &slugs[position],
                    class: class(job.kind, attempt, found),
                    leaks: leaked > 0,
                    title: title(&name, attempt, found, to),
                });
            }
        }
    }
    if spans.is_empty() {
        return Vec::new();
    }
    if spans.len() > MOST_SPANS {
        // What takes long is what a timeline is looked at for.
        spans.sort_by(|one, other| (other.to - other.from).total_cmp(&(one.to - one.from)));
        spans.truncate(MOST_SPANS);
    }
    spans.sort_by(|one, other| one.from.total_cmp(&other.from));
    let moments = moments(record);
    vec![
        timeline(&spans, &moments, "wide", 1000.0),
        timeline(&spans, &moments, "narrow", 340.0),
    ]
}

/// Returns where resumed sessions begin and where the runner was stopped.
fn moments(record: &RunRecord) -> Vec<Moment> {
    let mut moments = Vec::new();
    for session in &record.sessions {
        if session.resumed {
            moments.push(Moment {
                at: session.started_elapsed,
                class: "session",
                title: format!("resumed at {}", session.started_at),
            });
        }
        moments.extend(session.suspensions.iter().map(|stop| Moment {
            at: stop.at,
            class: "stopped",
            title: format!(
                "the runner was stopped for {}; its clock stood still",
                show_seconds(stop.seconds)
            ),
        }));
    }
    moments
}

/// Returns how an attempt ended, by its own word or its job's.
fn outcome_of<'a>(attempt: &'a AttemptRecord, found: &'a JobRecord) -> Option<&'a Outcome> {
    if attempt.lost || attempt.superseded {
        return attempt.outcome.as_ref();
    }
    attempt.outcome.as_ref().or(found.outcome.as_ref())
}

fn title(slug: &str, attempt: &AttemptRecord, found: &JobRecord, to: f64) -> String {
    let word = match outcome_of(attempt, found) {
        Some(outcome) => outcome.status(),
        None if attempt.lost => "lost: the run ended before it",
        None => "not ended",
    };
    let mut text = format!(
        "{slug}: {word}, {} at {}",
        show_seconds(to - attempt.started_at),
        show_seconds(attempt.started_at),
    );
    if attempt.attempt > 1 {
        text.push_str(&format!("; attempt {}", attempt.attempt));
    }
    if let Some(retry) = attempt.retry {
        let delay = show_seconds(retry.delay_seconds);
        text.push_str(&format!("; tried again after {delay}"));
    }
    if attempt.superseded {
        text.push_str("; a resumed run did it anew");
    }
    for slow in &attempt.slow {
        text.push_str(&format!(
            "; slow: {} took {} of {}",
            slow.phase,
            show_seconds(slow.seconds),
            show_seconds(slow.limit_seconds)
        ));
    }
    if let Some(leaked) = attempt.leaked_processes().filter(|leaked| *leaked > 0) {
        text.push_str(&format!("; processes left behind: {leaked}"));
    }
    text
}

fn end_of(attempt: &AttemptRecord, record: &RunRecord) -> f64 {
    attempt
        .ended_at
        .or(record.seconds)
        .unwrap_or(attempt.started_at)
}

fn class(kind: JobKind, attempt: &AttemptRecord, found: &JobRecord) -> String {
    let bad = outcome_of(attempt, found).is_none_or(Outcome::is_fault);
    let how = if attempt.lost {
        " lost"
    } else if attempt.superseded || attempt.retry.is_some() {
        " again"
    } else if bad {
        " bad"
    } else {
        ""
    };
    format!("{kind}{how}")
}

fn timeline(
    spans: &[Span<'_>],
    moments: &[Moment],
    class: &'static str,
    width: f64,
) -> TimelineView {
    let (left, right, top) = (24.0, width - 44.0, 24.0);
    let last = spans.iter().map(|span| span.to).fold(0.0, f64::max);
    let ticks = clock_ticks(last.max(0.1), if width > 600.0 { 8.0 } else { 3.0 });
    let whole = ticks.last().copied().unwrap_or(last).max(last);
    let x = |seconds: f64| rounded(left + seconds / whole * (right - left));
    let (lanes, has_names) = lanes(spans);
    let lane_height = if has_names { LANE.0 } else { LANE.1 };
    let lane_top = |lane: usize| {
        #[expect(clippy::cast_precision_loss, reason = "lanes are few")]
        let lane = lane as f64;
        top + lane * lane_height
    };
    let count = lanes.iter().max().map_or(0, |lane| lane + 1);
    let mut names: Vec<LaneName> = Vec::new();
    if has_names {
        let mut seen = Vec::new();
        for (span, lane) in spans.iter().zip(&lanes) {
            if !seen.contains(lane) {
                seen.push(*lane);
                names.push(LaneName {
                    y: lane_top(*lane) + 12.0,
                    text: span.name.to_owned(),
                });
            }
        }
    }
    let bar_top = if has_names { 16.0 } else { 2.0 };
    TimelineView {
        class,
        width,
        height: lane_top(count) + 6.0,
        ticks: ticks
            .iter()
            .map(|seconds| TimelineTick {
                at: x(*seconds),
                label: show_seconds(*seconds),
            })
            .collect(),
        names,
        bars: spans
            .iter()
            .zip(&lanes)
            .map(|(span, lane)| Bar {
                x: x(span.from),
                y: lane_top(*lane) + bar_top,
                // A job of no length is still seen.
                width: rounded((x(span.to) - x(span.from)).max(2.0)),
                height: 8.0,
                class: span.class.clone(),
                leaks: span.leaks,
                title: span.title.clone(),
            })
            .collect(),
        has_pale_bars: spans
            .iter()
            .any(|span| span.class.ends_with(" again") || span.class.ends_with(" lost")),
        marks: moments
            .iter()
            .map(|moment| Mark {
                at: x(moment.at.min(whole)),
                class: moment.class,
                title: moment.title.clone(),
            })
            .collect(),
    }
}

/// Returns the lane of each span and whether lanes have names: one for each job if those are few,
/// else the first lane that is free.
fn lanes(spans: &[Span<'_>]) -> (Vec<usize>, bool) {
    let mut jobs: Vec<usize> = Vec::new();
    for span in spans {
        if !jobs.contains(&span.job) {
            jobs.push(span.job);
        }
    }
    if jobs.len() <= NAMED_LANES {
        let lanes = spans
            .iter()
            .map(|span| jobs.iter().position(|job| *job == span.job).unwrap_or(0))
            .collect();
        return (lanes, true);
    }
    let mut free_from: Vec<f64> = Vec::new();
    let lanes = spans
        .iter()
        .map(|span| {
            let lane = free_from
                .iter()
                .position(|free| *free <= span.from)
                .unwrap_or_else(|| {
                    free_from.push(0.0);
                    free_from.len() - 1
                });
            free_from[lane] = span.to;
            lane
        })
        .collect();
    (lanes, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(job: usize, from: f64, to: f64) -> Span<'static> {
        Span {
            job,
            from,
            to,
            name: "a",
            class: String::new(),
            leaks: false,
            title: String::new(),
        }
    }

    #[test]
    fn few_jobs_have_a_lane_each_and_launches_share_theirs() {
        let (lanes, named) = lanes(&[span(3, 0.0, 1.0), span(5, 1.0, 2.0), span(3, 2.0, 3.0)]);
        assert!(named);
        assert_eq!(lanes, [0, 1, 0]);
    }

    #[test]
    fn many_jobs_share_lanes_where_they_do_not_overlap() {
        let mut spans: Vec<Span<'_>> = (0..50)
            .map(|job| span(job, f64::from(u32::try_from(job).unwrap()), 100.0))
            .take(2)
            .collect();
        spans.extend((2..60).map(|job| {
            let at = 100.0 + f64::from(u32::try_from(job).unwrap());
            span(job, at, at + 1.0)
        }));
        let (lanes, named) = lanes(&spans);
        assert!(!named);
        assert_eq!(lanes.iter().max(), Some(&1));
    }
}
