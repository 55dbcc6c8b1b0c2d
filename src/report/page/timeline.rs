//! The timeline: when each job ran.

use super::scale::{clock_ticks, rounded};
use crate::model::units::show_seconds;
use crate::model::{JobKind, Outcome};
use crate::record::{AttemptRecord, RunRecord};
use serde::Serialize;

/// Up to so many jobs, each has a line of its own with its name.
const NAMED_LANES: usize = 40;
/// Height of a named line and of one without a name, in pixels.
const LANE: (f64, f64) = (30.0, 12.0);

/// A timeline, laid out for one width. Coordinates are in pixels from the upper left.
#[derive(Debug, Serialize)]
pub(super) struct TimelineView {
    /// `wide` or `narrow`.
    class: &'static str,
    width: f64,
    height: f64,
    ticks: Vec<TimelineTick>,
    names: Vec<LaneName>,
    bars: Vec<Bar>,
}

#[derive(Debug, Serialize)]
struct TimelineTick {
    at: f64,
    label: String,
}

#[derive(Debug, Serialize)]
struct LaneName {
    y: f64,
    text: String,
}

#[derive(Debug, Serialize)]
struct Bar {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    /// The kind of the job, and `bad` behind it if the attempt went wrong.
    class: String,
    title: String,
}

/// An attempt of a job.
struct Span<'a> {
    job: usize,
    from: f64,
    to: f64,
    name: &'a str,
    class: String,
    title: String,
}

/// Returns the timeline for wide and for narrow screens; none if nothing was begun.
pub(super) fn timelines(record: &RunRecord) -> Vec<TimelineView> {
    let slugs: Vec<String> = record.plan.jobs.iter().map(|job| job.spec.slug()).collect();
    let mut spans: Vec<Span<'_>> = Vec::new();
    for (position, job) in record.plan.jobs.iter().enumerate() {
        let Some(found) = record.job(&job.id) else {
            continue;
        };
        for attempt in &found.attempts {
            let outcome = attempt.outcome.as_ref().or(found.outcome.as_ref());
            let to = end_of(attempt, record).max(attempt.started_at);
            spans.push(Span {
                job: position,
                from: attempt.started_at,
                to,
                name: &slugs[position],
                class: class(job.kind, outcome),
                title: format!(
                    "{}: {}, {} at {}",
                    slugs[position],
                    outcome.map_or("not ended", Outcome::status),
                    show_seconds(to - attempt.started_at),
                    show_seconds(attempt.started_at),
                ),
            });
        }
    }
    if spans.is_empty() {
        return Vec::new();
    }
    spans.sort_by(|one, other| one.from.total_cmp(&other.from));
    vec![
        timeline(&spans, "wide", 1000.0),
        timeline(&spans, "narrow", 340.0),
    ]
}

fn end_of(attempt: &AttemptRecord, record: &RunRecord) -> f64 {
    attempt
        .ended_at
        .or(record.seconds)
        .unwrap_or(attempt.started_at)
}

fn class(kind: JobKind, outcome: Option<&Outcome>) -> String {
    let bad = outcome.is_none_or(Outcome::is_fault);
    format!("{kind}{}", if bad { " bad" } else { "" })
}

fn timeline(spans: &[Span<'_>], class: &'static str, width: f64) -> TimelineView {
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
                title: span.title.clone(),
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
