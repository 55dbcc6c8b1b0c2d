//! What earlier runs say of this one: which rows have changed their level, or that none has.

use super::MOST_ROWS;
use super::scale::rounded;
use crate::report::run_history::{LevelChange, RunHistory};
use schemars::JsonSchema;
use serde::Serialize;

/// The size of the drawing of a trend, in pixels.
const SIZE: (f64, f64) = (140.0, 28.0);
/// What is left free at its edges, so that no mark is cut off.
const EDGE: f64 = 4.0;

/// What is told of earlier runs.
#[derive(Serialize, JsonSchema)]
pub(super) struct ChangesView<'a> {
    /// The answer.
    sentence: String,
    /// What it rests on; empty where there is nothing to rest on.
    detail: String,
    /// What changed, the first of them.
    changes: Vec<ChangeView<'a>>,
    /// How many of them are not shown.
    hidden: usize,
}

/// A row that has changed.
#[derive(Serialize, JsonSchema)]
struct ChangeView<'a> {
    worse: bool,
    /// The job, without its kind.
    job: &'a str,
    host: &'a str,
    /// What changed.
    title: &'a str,
    /// Both levels and the change, as text.
    before: &'a str,
    after: &'a str,
    change: &'a str,
    /// The first run of the new level, and when it was, UTC.
    since_run: &'a str,
    since: String,
    /// The last run of the level before, and when it was, UTC.
    last_run_before: &'a str,
    last_before: String,
    /// What else changed between those two, in words.
    changed_there: &'a [String],
    synthetic: bool,
    trend: TrendView,
}

/// A trend as a drawing, in pixels.
#[derive(Serialize, JsonSchema)]
struct TrendView {
    width: f64,
    height: f64,
    /// The values as the data of an SVG path.
    line: String,
    /// Where the new level begins.
    change: f64,
    /// The newest value.
    newest: (f64, f64),
    /// For who does not see the drawing.
    label: String,
}

/// Returns what a stored history says, as the page shows it.
pub(super) fn changes(history: &RunHistory) -> ChangesView<'_> {
    let all = history.changes.len().saturating_add(history.more_changes);
    let changes: Vec<ChangeView<'_>> = history.changes.iter().take(MOST_ROWS).map(change).collect();
    ChangesView {
        sentence: sentence(history, all),
        detail: detail(history),
        hidden: all - changes.len(),
        changes,
    }
}

fn sentence(history: &RunHistory, all: usize) -> String {
    if history.known_rows == 0 {
        return "No earlier run of these rows on the same machine is known, so nothing can have \
                changed yet."
            .into();
    }
    let among = format!(
        "among {} of {}",
        counted(history.trends, "trend", "trends"),
        counted(history.known_rows, "row", "rows")
    );
    if all == 0 {
        return format!("No change of level is new in this run, {among}.");
    }
    let worse = history.changes.iter().filter(|change| change.worse).count();
    let better = history.changes.len() - worse;
    let directions = match (worse, better, history.more_changes) {
        (_, _, 1..) => String::new(),
        (worse, 0, _) if worse > 0 => ", for the worse".to_owned(),
        (0, _, _) => ", for the better".to_owned(),
        (worse, better, _) => format!(", {worse} for the worse and {better} for the better"),
    };
    format!(
        "{} first seen in this run{directions}, {among}.",
        counted(all, "change of level was", "changes of level were")
    )
}

fn detail(history: &RunHistory) -> String {
    if history.known_rows == 0 {
        return String::new();
    }
    let mut text = format!("Followed over runs: {}.", history.watched.join(", "));
    let short = history.trends.saturating_sub(history.long_trends);
    if short > 0 {
        text.push_str(&format!(
            " {} fewer than {} runs so far, too few for a change to be seen.",
            counted(short, "trend has", "trends have"),
            history.fewest_runs
        ));
    }
    if history.rows > history.known_rows {
        text.push_str(&format!(
            " {} measured for the first time.",
            counted(history.rows - history.known_rows, "row was", "rows were")
        ));
    }
    text
}

fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn change(change: &LevelChange) -> ChangeView<'_> {
    ChangeView {
        worse: change.worse,
        job: change.job.strip_prefix("benchmark/").unwrap_or(&change.job),
        host: &change.host,
        title: &change.title,
        before: &change.shown_before,
        after: &change.shown_after,
        change: &change.shown_change,
        since_run: &change.since_run,
        since: minute(&change.since),
        last_run_before: &change.last_run_before,
        last_before: minute(&change.last_before),
        changed_there: &change.changed_there,
        synthetic: change.synthetic,
        trend: trend(change),
    }
}

/// Returns a date and time in UTC as people read it, to the minute.
fn minute(stamp: &str) -> String {
    stamp.chars().take(16).collect::<String>().replace('T', " ")
}

fn trend(change: &LevelChange) -> TrendView {
    let values = &change.values;
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    #[expect(clippy::cast_precision_loss, reason = "a position among a few values")]
    let across = |position: usize| {
        let share = position as f64 / values.len().saturating_sub(1).max(1) as f64;
        rounded(EDGE + share * (SIZE.0 - 2.0 * EDGE))
    };
    let up = |value: f64| {
        // Where all are the same, or too far apart for a difference, there is no height to tell.
        let share = Some((value - least) / (largest - least));
        let share = share.filter(|share| share.is_finite()).unwrap_or(0.5);
        rounded(SIZE.1 - EDGE - share * (SIZE.1 - 2.0 * EDGE))
    };
    let mut line = String::new();
    for (position, value) in values.iter().enumerate() {
        let step = if position == 0 { 'M' } else { 'L' };
        line.push_str(&format!("{step}{},{}", across(position), up(*value)));
    }
    let end = values.len().saturating_sub(1);
    let first = change.position.min(end);
    // Between the two runs.
    let change_at = f64::midpoint(across(first.saturating_sub(1)), across(first));
    TrendView {
        width: SIZE.0,
        height: SIZE.1,
        line,
        change: rounded(change_at),
        newest: (across(end), up(values.last().copied().unwrap_or_default())),
        label: format!(
            "{} over {} runs: {} until {}, then {}",
            change.title,
            values.len(),
            change.shown_before,
            change.last_run_before,
            change.shown_after
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(changes: Vec<LevelChange>) -> RunHistory {
        RunHistory {
            version: RunHistory::VERSION,
            rows: 3,
            known_rows: 2,
            watched: vec!["time to transcribe".into(), "WER".into()],
            trends: 4,
            long_trends: 3,
            fewest_runs: 6,
            significance: 0.005,
            changes,
            more_changes: 0,
        }
    }

    fn changed(worse: bool, values: Vec<f64>, position: usize) -> LevelChange {
        LevelChange {
            job: "benchmark/a/b".into(),
            machine: "m".into(),
            host: "h".into(),
            metric: "transcribe_seconds_median".into(),
            title: "time to transcribe".into(),
            worse,
            before: 1.0,
            after: 2.0,
            shown_before: "1 s".into(),
            shown_after: "2 s".into(),
            shown_change: "+100 %".into(),
            since_run: "r2".into(),
            since: "2026-01-02T03:04:05.000Z".into(),
            last_run_before: "r1".into(),
            last_before: "2026-01-01T03:04:05.000Z".into(),
            changed_there: Vec::new(),
            values,
            position,
            synthetic: false,
        }
    }

    #[test]
    fn nothing_changed_is_told_with_what_it_is_true_of() {
        let view = |history| {
            let told: RunHistory = history;
            let view = changes(&told);
            (view.sentence, view.detail)
        };
        assert_eq!(
            view(history(Vec::new())),
            (
                "No change of level is new in this run, among 4 trends of 2 rows.".into(),
                "Followed over runs: time to transcribe, WER. 1 trend has fewer than 6 runs so far, \
                 too few for a change to be seen. 1 row was measured for the first time."
                    .into()
            )
        );
        let first = RunHistory {
            known_rows: 0,
            trends: 0,
            long_trends: 0,
            ..history(Vec::new())
        };
        let (sentence, detail) = view(first);
        assert!(sentence.starts_with("No earlier run of these rows"));
        assert_eq!(detail, "");
    }

    #[test]
    fn changes_are_counted_by_their_direction() {
        let one = || changed(true, vec![1.0, 1.0, 2.0], 2);
        let says = |changes_of: Vec<LevelChange>| changes(&history(changes_of)).sentence;
        assert_eq!(
            says(vec![one()]),
            "1 change of level was first seen in this run, for the worse, among 4 trends of 2 rows."
        );
        let better = LevelChange {
            worse: false,
            ..one()
        };
        assert_eq!(
            says(vec![one(), better]),
            "2 changes of level were first seen in this run, 1 for the worse and 1 for the better, \
             among 4 trends of 2 rows."
        );
    }

    /// Whatever stands in the file, the drawing stays within its size.
    #[test]
    fn every_trend_can_be_drawn() {
        for (values, position) in [
            (vec![], 0),
            (vec![], 7),
            (vec![1.0], 0),
            (vec![1.0], usize::MAX),
            (vec![1.0, 1.0], 1),
            (vec![-f64::MAX, f64::MAX, 0.0], 2),
            (vec![1.0, 5.0, 2.0], 1),
        ] {
            let view = trend(&changed(true, values, position));
            assert!((0.0..=SIZE.0).contains(&view.change), "{}", view.change);
            assert!((0.0..=SIZE.0).contains(&view.newest.0));
            assert!((0.0..=SIZE.1).contains(&view.newest.1));
            assert!(!view.line.contains("NaN") && !view.line.contains("inf"));
        }
    }
}
