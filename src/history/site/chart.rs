//! A series as a drawing: where its points, levels and changes are.

use crate::history::{ChangePoint, Metric, Series, Trend};
use serde::Serialize;

/// The size of a drawing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
    /// What stays free on each side.
    pub(super) margin: f64,
}

/// As it stands in a table.
pub(super) const SMALL: Size = Size {
    width: 160.0,
    height: 36.0,
    margin: 4.0,
};

/// As it stands on the page of its group.
pub(super) const LARGE: Size = Size {
    width: 640.0,
    height: 150.0,
    margin: 10.0,
};

/// A series as a drawing.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Chart {
    width: f64,
    height: f64,
    /// The line, as points of a polyline.
    line: String,
    dots: Vec<Dot>,
    levels: Vec<Level>,
    changes: Vec<Mark>,
}

#[derive(Clone, Debug, Serialize)]
struct Dot {
    x: String,
    y: String,
    /// Upper and lower end of its interval, if it has one.
    whisker: Option<(String, String)>,
    text: String,
}

#[derive(Clone, Debug, Serialize)]
struct Level {
    x1: String,
    x2: String,
    y: String,
}

#[derive(Clone, Debug, Serialize)]
struct Mark {
    x: String,
    worse: bool,
    text: String,
}

fn show(number: f64) -> String {
    format!("{number:.1}")
}

impl Chart {
    /// Draws a series.
    pub(super) fn of(
        trend: &Trend,
        metric: Metric,
        series: &Series,
        points: &[ChangePoint],
        size: Size,
    ) -> Self {
        let interval = |night: usize| {
            let row = &trend.nights[night].row;
            row.low.zip(row.high).filter(|_| metric == Metric::Seconds)
        };
        // Whiskers belong to large drawings, and must fit in.
        let whiskers: Vec<Option<(f64, f64)>> = series
            .nights
            .iter()
            .map(|night| interval(*night).filter(|_| size.height > SMALL.height))
            .collect();
        let ends = whiskers
            .iter()
            .flatten()
            .flat_map(|(low, high)| [*low, *high]);
        let all: Vec<f64> = series.values.iter().copied().chain(ends).collect();
        let lowest = all.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // What does not matter looks small: the drawing is as high as two changes that matter, at least.
        let middle = f64::midpoint(lowest, highest);
        let matters = metric.least();
        let half =
            ((highest - lowest) / 2.0).max(matters.absolute.max(matters.relative * middle.abs()));
        let (lowest, highest) = (middle - half, middle + half);
        let x = |position: usize| {
            let last = series.values.len().saturating_sub(1);
            if last == 0 {
                return size.width / 2.0;
            }
            size.margin + (size.width - 2.0 * size.margin) * share(position, last)
        };
        let y = |value: f64| {
            let spread = highest - lowest;
            // What does not change runs through the middle.
            let height = if spread > 0.0 {
                (value - lowest) / spread
            } else {
                0.5
            };
            size.height - size.margin - (size.height - 2.0 * size.margin) * height
        };
        let dots = series
            .values
            .iter()
            .enumerate()
            .map(|(position, value)| {
                let night = &trend.nights[series.nights[position]];
                Dot {
                    x: show(x(position)),
                    y: show(y(*value)),
                    whisker: whiskers[position].map(|(low, high)| (show(y(high)), show(y(low)))),
                    text: format!(
                        "{} UTC, {}: {}",
                        super::view::minute(&night.row.started),
                        night.run_id,
                        metric.show(*value)
                    ),
                }
            })
            .collect::<Vec<_>>();
        let line: Vec<String> = dots
            .iter()
            .map(|dot| format!("{},{}", dot.x, dot.y))
            .collect();
        Self {
            width: size.width,
            height: size.height,
            line: line.join(" "),
            dots,
            levels: levels(series, points)
                .into_iter()
                .map(|(first, last, value)| Level {
                    x1: show(x(first)),
                    x2: show(x(last)),
                    y: show(y(value)),
                })
                .collect(),
            changes: points
                .iter()
                .map(|point| Mark {
                    x: show(x(point.position)),
                    worse: is_worse(metric, point),
                    text: describe(trend, metric, series, point),
                })
                .collect(),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "series are short")]
fn share(position: usize, last: usize) -> f64 {
    position as f64 / last as f64
}

/// Returns the levels between changes: the first and the last position of each, and its median.
fn levels(series: &Series, points: &[ChangePoint]) -> Vec<(usize, usize, f64)> {
    let mut levels = Vec::new();
    let mut first = 0;
    for point in points {
        levels.push((first, point.position - 1, point.before));
        first = point.position;
    }
    if let Some(last) = points.last() {
        levels.push((first, series.values.len() - 1, last.after));
    }
    levels
}

pub(super) fn is_worse(metric: Metric, point: &ChangePoint) -> bool {
    (point.after > point.before) == metric.more_is_worse()
}

/// Returns a change in words.
pub(super) fn describe(
    trend: &Trend,
    metric: Metric,
    series: &Series,
    point: &ChangePoint,
) -> String {
    let night = &trend.nights[series.nights[point.position]];
    format!(
        "{} {} since {} UTC",
        metric.title(),
        metric.show_change(point.before, point.after),
        super::view::minute(&night.row.started)
    )
}
