//! Accuracy against speed, as places on a picture.
//!
//! A picture is laid out twice, wide and narrow, because text that is scaled down with a picture
//! cannot be read on a telephone.

use super::scale::{linear_ticks, logarithmic_ticks, rounded};
use super::templates::{show_percent, show_times};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;

/// A configuration with both numbers.
#[derive(Clone, Debug)]
pub(super) struct Point {
    /// Its number in the table beside the picture.
    pub(super) number: usize,
    /// What tells it from the others.
    pub(super) label: String,
    /// Chooses a colour.
    pub(super) colour: usize,
    /// Times real time.
    pub(super) speed: f64,
    /// Word error rate, from 0.
    pub(super) error_rate: f64,
    /// Ends of the interval of its speed.
    pub(super) interval: Option<(f64, f64)>,
    /// Ends of the interval of its error rate.
    pub(super) error_interval: Option<(f64, f64)>,
    /// Whether it was measured on all recordings.
    pub(super) whole: bool,
    /// Whether it is no measurement.
    pub(super) synthetic: bool,
    /// Whether it is no measurement while others are: it beats none of them, and answers nothing.
    pub(super) stands_in: bool,
}

/// A picture, laid out for one width. Coordinates are in pixels from the upper left.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ChartView {
    /// `wide` or `narrow`.
    pub(super) class: &'static str,
    width: f64,
    height: f64,
    /// The area of the plot.
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
    points: Vec<PointView>,
    /// The Pareto line, as the data of an SVG path: below it and to the right of it lies nothing. Empty
    /// for fewer than two points on it.
    front: String,
    /// What it shows, in words.
    description: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Tick {
    at: f64,
    /// Empty where there is no room for it.
    label: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct PointView {
    x: f64,
    y: f64,
    /// The number of its row in the table of configurations.
    number: usize,
    /// Left and right end of the interval of its speed.
    whisker: Option<(f64, f64)>,
    /// Lower and upper end of the interval of its error rate, as places: the lower rate lies lower.
    error_whisker: Option<(f64, f64)>,
    colour: usize,
    /// Measured on all recordings, and no stand-in beside real ones.
    whole: bool,
    /// Empty where there are too many.
    label: String,
    label_x: f64,
    label_y: f64,
    anchor: &'static str,
    title: String,
}

/// A rectangle that is taken: left, top, right, bottom.
type Taken = (f64, f64, f64, f64);

/// Mean width of a letter of the labels, in pixels.
const LETTER: f64 = 6.6;
/// Height of a line of the labels, in pixels.
const LINE: f64 = 15.0;
/// Radius of a marker, in pixels.
const RADIUS: f64 = 5.5;

/// Returns the pictures of some points; none if there is none.
pub(super) fn charts(points: &[Point]) -> Vec<ChartView> {
    if points.is_empty() {
        return Vec::new();
    }
    let points = readable(points);
    vec![
        chart(&points, "wide", (960.0, 380.0)),
        chart(&points, "narrow", (340.0, 320.0)),
    ]
}

/// Returns the points that a picture has room for: those that nothing beats, and the first others.
fn readable(points: &[Point]) -> Vec<Point> {
    let front: BTreeSet<usize> = front(points).iter().map(|point| point.number).collect();
    points
        .iter()
        .enumerate()
        .filter(|(position, point)| *position < MOST_POINTS || front.contains(&point.number))
        .map(|(_, point)| point.clone())
        .collect()
}

fn chart(points: &[Point], class: &'static str, (width, height): (f64, f64)) -> ChartView {
    let (right, top, bottom) = (width - 26.0, 14.0, height - 42.0);
    // An interval holds the speed that it is of.
    let speeds = points.iter().flat_map(|point| {
        let ends = point.interval.unwrap_or((point.speed, point.speed));
        [ends.0, ends.1]
    });
    let (least, most) = speeds.fold((f64::INFINITY, 0.0_f64), |(least, most), speed| {
        (least.min(speed), most.max(speed))
    });
    // Room at both ends, so that no point lies on the frame.
    let x_values = logarithmic_ticks(least * 0.85, most * 1.15);
    // One that loops has a rate of several hundred percent, and would press all others to the ground.
    let most_shown = if points.iter().any(|point| point.error_rate <= 1.0) {
        1.0
    } else {
        f64::INFINITY
    };
    let is_beyond = |point: &Point| point.error_rate > most_shown;
    let worst = points
        .iter()
        .filter(|point| !is_beyond(point))
        .map(|point| (point.error_interval).map_or(point.error_rate, |ends| ends.1))
        .fold(0.0, f64::max)
        .min(most_shown);
    let y_values = linear_ticks((worst * 1.1).max(0.01), 4.0);
    let (x_first, x_last) = ends(&x_values);
    let (_, y_last) = ends(&y_values);
    let y_labels: Vec<String> = y_values
        .iter()
        .map(|rate| format!("{} %", short(rate * 100.0)))
        .collect();
    let left = left_of(&y_labels);
    let x = |speed: f64| {
        let share = (speed / x_first).ln() / (x_last / x_first).ln();
        rounded(left + share * (right - left))
    };
    let y = |rate: f64| rounded(bottom - rate.min(y_last) / y_last * (bottom - top));
    let mut taken: Vec<Taken> = points
        .iter()
        .map(|point| {
            let ends = point.interval.unwrap_or((point.speed, point.speed));
            around(x(ends.0), x(ends.1), x(point.speed), y(point.error_rate))
        })
        .collect();
    // A label may lie beside the interval of an error rate, and not on it.
    taken.extend(points.iter().filter_map(|point| {
        let (low, high) = point.error_interval?;
        let at = x(point.speed);
        Some((at - 3.0, y(high), at + 3.0, y(low)))
    }));
    let frame = (left, top, right, bottom);
    // Hundreds of numbers would be one band.
    let on_front: BTreeSet<usize> = front(points).iter().map(|point| point.number).collect();
    let is_crowded = points.len() > MOST_LABELLED && !on_front.is_empty();
    let points_shown = points
        .iter()
        .map(|point| {
            let at = (x(point.speed), y(point.error_rate));
            // Where the whole label finds no room, its number in the table stands for it.
            let beyond = if is_beyond(point) {
                format!(" ↑ {}", show_percent(point.error_rate))
            } else {
                String::new()
            };
            let mut whole = format!("{}{beyond}", point.label);
            let mut number = format!("{}{beyond}", point.number);
            if is_crowded && !on_front.contains(&point.number) {
                (whole, number) = (String::new(), String::new());
            }
            let (label, (label_x, label_y, anchor, place)) =
                match label_place(at, text_width(&whole), frame, &taken) {
                    Some(place) => (&whole, place),
                    None => (
                        &number,
                        label_place(at, text_width(&number), frame, &taken)
                            .unwrap_or_else(|| candidate(at, text_width(&number), 0)),
                    ),
                };
            if !label.is_empty() {
                taken.push(place);
            }
            PointView {
                x: x(point.speed),
                y: y(point.error_rate),
                number: point.number,
                whisker: point.interval.map(|(low, high)| (x(low), x(high))),
                error_whisker: point.error_interval.map(|(low, high)| (y(low), y(high))),
                colour: point.colour % 8,
                whole: point.whole && !point.stands_in,
                label: label.clone(),
                label_x: rounded(label_x),
                label_y: rounded(label_y),
                anchor,
                title: title(point),
            }
        })
        .collect();
    ChartView {
        class,
        width,
        height,
        left,
        right,
        top,
        bottom,
        x_ticks: x_ticks(&x_values, x),
        y_ticks: y_values
            .iter()
            .zip(y_labels)
            .map(|(rate, label)| Tick {
                at: y(*rate),
                label,
            })
            .collect(),
        front: stairs(points, x, y),
        points: points_shown,
        description: described(points),
    }
}

/// Returns where the plot begins, so that the labels left of it have room.
fn left_of(labels: &[String]) -> f64 {
    let longest = labels.iter().map(|label| text_width(label));
    (longest.fold(0.0, f64::max) + 15.0).max(48.0)
}

/// Returns the lines of some speeds. Where their labels would lie on one another, powers of ten have theirs.
fn x_ticks(speeds: &[f64], x: impl Fn(f64) -> f64) -> Vec<Tick> {
    let mut ticks: Vec<Tick> = speeds
        .iter()
        .map(|speed| Tick {
            at: x(*speed),
            label: format!("{} ×", short(*speed)),
        })
        .collect();
    if has_room(&ticks) {
        return ticks;
    }
    let is_power = |speed: f64| (speed.log10() - speed.log10().round()).abs() < 1e-9;
    for (tick, speed) in ticks.iter_mut().zip(speeds) {
        if !is_power(*speed) {
            tick.label.clear();
        }
    }
    if !has_room(&ticks) {
        let mut labelled = ticks.iter_mut().filter(|tick| !tick.label.is_empty());
        while labelled.next().is_some() {
            if let Some(every_second) = labelled.next() {
                every_second.label.clear();
            }
        }
    }
    ticks
}

/// Returns whether labels lie beside one another, with some room between.
fn has_room(ticks: &[Tick]) -> bool {
    let labelled: Vec<&Tick> = ticks.iter().filter(|tick| !tick.label.is_empty()).collect();
    labelled.windows(2).all(|pair| match pair {
        [one, other] => {
            let half = f64::midpoint(text_width(&one.label), text_width(&other.label));
            other.at - one.at >= half + 4.0
        }
        _ => true,
    })
}

/// Returns the Pareto line: the edge of what some configuration beats. From one that is accurate it
/// goes straight up, because with more errors allowed nothing is faster until the next one is.
fn stairs(points: &[Point], x: impl Fn(f64) -> f64, y: impl Fn(f64) -> f64) -> String {
    let front = front(points);
    let [first, rest @ ..] = front.as_slice() else {
        return String::new();
    };
    if rest.is_empty() {
        return String::new();
    }
    let mut path = format!("M{},{}", x(first.speed), y(first.error_rate));
    for point in rest {
        path.push_str(&format!("V{}H{}", y(point.error_rate), x(point.speed)));
    }
    path
}

fn ends(values: &[f64]) -> (f64, f64) {
    let first = values.first().copied().unwrap_or(0.0);
    (first, values.last().copied().unwrap_or(first))
}

/// Returns what a picture shows, in words; of very many points what nothing beats.
fn described(points: &[Point]) -> String {
    let front = front(points);
    let told: Vec<String> = if points.len() <= MOST_TOLD {
        points.iter().map(title).collect()
    } else {
        let first = format!("{} configurations, of which nothing beats", points.len());
        let best = front.into_iter().take(MOST_TOLD).map(title);
        std::iter::once(first).chain(best).collect()
    };
    told.join("; ")
}

fn title(point: &Point) -> String {
    let interval = point.interval.map_or_else(String::new, |(low, high)| {
        format!(" (interval {} to {})", show_times(low), show_times(high))
    });
    let rates = point
        .error_interval
        .map_or_else(String::new, |(low, high)| {
            format!(
                " (interval {} to {})",
                show_percent(low),
                show_percent(high)
            )
        });
    let whole = if point.whole {
        ""
    } else {
        ", not on all recordings"
    };
    let synthetic = if point.synthetic {
        ", synthetic: no measurement"
    } else {
        ""
    };
    format!(
        "{}: WER {}{rates}, {} real time{interval}{whole}{synthetic}",
        point.label,
        show_percent(point.error_rate),
        show_times(point.speed),
    )
}

/// Returns a number without digits that say nothing.
fn short(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Returns the points that no other beats in both speed and accuracy, from slow to fast; of equal ones
/// all.
pub(super) fn front(points: &[Point]) -> Vec<&Point> {
    let is_of_them = |point: &&Point| point.whole && !point.stands_in;
    let mut whole: Vec<&Point> = points.iter().filter(is_of_them).collect();
    // From fast to slow: what comes later has to be more accurate than all before it.
    whole.sort_by(|one, other| {
        let accuracy = one.error_rate.total_cmp(&other.error_rate);
        other.speed.total_cmp(&one.speed).then(accuracy)
    });
    let mut best: Vec<&Point> = Vec::new();
    for point in whole {
        let beaten = best.last().is_some_and(|last| {
            let same = last.speed.total_cmp(&point.speed).is_eq()
                && last.error_rate.total_cmp(&point.error_rate).is_eq();
            point.error_rate >= last.error_rate && !same
        });
        if !beaten {
            best.push(point);
        }
    }
    best.reverse();
    best
}

/// Returns what a point takes with its whisker from `low` to `high`.
fn around(low: f64, high: f64, x: f64, y: f64) -> Taken {
    (
        low.min(x - RADIUS),
        y - RADIUS,
        high.max(x + RADIUS),
        y + RADIUS,
    )
}

#[expect(clippy::cast_precision_loss, reason = "a label is short")]
fn text_width(text: &str) -> f64 {
    text.chars().count() as f64 * LETTER
}

/// A label's x, the y of its base line, its anchor, and what it takes.
type Place = (f64, f64, &'static str, Taken);

/// How many points a picture tells of in words.
const MOST_TOLD: usize = 16;

/// How many points a picture has room for.
const MOST_POINTS: usize = 300;

/// Beyond how many points only those are labelled that nothing beats.
const MOST_LABELLED: usize = 30;

/// How many places about a point there are.
const CANDIDATES: usize = 10;

/// Returns a place for a label about a point, the preferred ones first.
fn candidate((x, y): (f64, f64), width: f64, number: usize) -> Place {
    let gap = RADIUS + 4.0;
    let rise = LINE * 0.33;
    let below = gap + 2.0 * rise;
    let (x, y, anchor) = match number {
        0 => (x + gap, y + rise, "start"),
        1 => (x - gap, y + rise, "end"),
        2 => (x, y - gap, "middle"),
        3 => (x, y + below, "middle"),
        4 => (x + gap, y - gap, "start"),
        5 => (x + gap, y + below, "start"),
        6 => (x - gap, y - gap, "end"),
        7 => (x - gap, y + below, "end"),
        8 => (x + gap, y - gap - LINE, "start"),
        _ => (x - gap, y - gap - LINE, "end"),
    };
    let left = match anchor {
        "start" => x,
        "end" => x - width,
        _ => x - width / 2.0,
    };
    (
        x,
        y,
        anchor,
        (left, y - LINE * 0.8, left + width, y + LINE * 0.2),
    )
}

/// Returns the first place about a point that is free and within the frame.
fn label_place(at: (f64, f64), width: f64, frame: Taken, taken: &[Taken]) -> Option<Place> {
    let fits = |place: &Taken| {
        let inside = place.0 >= frame.0
            && place.2 <= frame.2
            && place.1 >= frame.1 - RADIUS
            && place.3 <= frame.3;
        inside && !taken.iter().any(|other| overlap(place, other))
    };
    (0..CANDIDATES)
        .map(|number| candidate(at, width, number))
        .find(|place| fits(&place.3))
}

fn overlap(one: &Taken, other: &Taken) -> bool {
    one.0 < other.2 && other.0 < one.2 && one.1 < other.3 && other.1 < one.3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(label: &str, speed: f64, error_rate: f64) -> Point {
        Point {
            number: 1,
            label: label.into(),
            colour: 0,
            speed,
            error_rate,
            interval: Some((speed * 0.9, speed * 1.1)),
            error_interval: Some((error_rate * 0.5, error_rate * 1.5)),
            whole: true,
            synthetic: false,
            stands_in: false,
        }
    }

    #[test]
    fn the_front_holds_what_nothing_beats_in_both() {
        let points = [
            point("slow but right", 5.0, 0.05),
            point("beaten", 6.0, 0.20),
            point("fast", 20.0, 0.10),
        ];
        let labels: Vec<_> = front(&points).iter().map(|p| p.label.as_str()).collect();
        assert_eq!(labels, ["slow but right", "fast"]);
    }

    #[test]
    fn a_stand_in_beats_nothing_that_was_measured() {
        let fake = Point {
            synthetic: true,
            stands_in: true,
            ..point("fake", 5000.0, 0.0)
        };
        let points = [point("slow", 5.0, 0.05), point("fast", 20.0, 0.10), fake];
        let labels: Vec<_> = front(&points).iter().map(|p| p.label.as_str()).collect();
        assert_eq!(labels, ["slow", "fast"]);
        let chart = &charts(&points)[0];
        assert!(!chart.points[2].whole && chart.points[0].whole, "{chart:?}");
        assert!(
            chart.points[2].title.ends_with("synthetic: no measurement"),
            "{chart:?}"
        );
    }

    #[test]
    fn one_that_loops_leaves_the_others_their_room() {
        let points = [
            point("loops", 6.0, 2.9),
            point("a", 9.0, 0.06),
            point("b", 20.0, 0.08),
        ];
        for chart in charts(&points) {
            assert!(chart.points[0].label.contains("↑ 290.0 %"), "{chart:?}");
            let apart = chart.points[1].y - chart.points[2].y;
            let height = chart.bottom - chart.top;
            assert!(apart > height * 0.05, "{apart} of {height}");
        }
    }

    #[test]
    fn labels_of_axes_neither_overlap_nor_are_cut() {
        let points = [point("a", 25.0, 15.0), point("b", 17_000.0, 9.0)];
        for chart in charts(&points) {
            assert!(has_room(&chart.x_ticks), "{chart:?}");
            let labelled = chart.x_ticks.iter().filter(|tick| !tick.label.is_empty());
            assert!(labelled.count() >= 2, "{chart:?}");
            for tick in &chart.y_ticks {
                assert!(text_width(&tick.label) + 6.0 <= chart.left, "{chart:?}");
            }
        }
    }

    #[test]
    fn of_very_many_points_those_are_labelled_that_nothing_beats() {
        let mut points: Vec<Point> = (1..=40_u32)
            .map(|number| Point {
                number: number as usize,
                ..point("beaten", 10.0 + f64::from(number), 0.3)
            })
            .collect();
        points.push(Point {
            number: 41,
            ..point("best", 400.0, 0.1)
        });
        for chart in charts(&points) {
            let labels: Vec<&str> = chart
                .points
                .iter()
                .map(|point| point.label.as_str())
                .filter(|label| !label.is_empty())
                .collect();
            assert_eq!(labels, ["best"], "{chart:?}");
        }
    }

    #[test]
    fn everything_lies_within_the_picture() {
        let points = [
            point("a", 0.3, 0.0),
            point("b", 400.0, 1.7),
            point("c", 21.0, 0.05),
        ];
        for chart in charts(&points) {
            for point in &chart.points {
                let (low, high) = point.whisker.unwrap();
                assert!(low >= chart.left && high <= chart.right, "{chart:?}");
                assert!(point.y >= chart.top && point.y <= chart.bottom, "{chart:?}");
                let (low, high) = point.error_whisker.unwrap();
                assert!(high >= chart.top && low <= chart.bottom, "{chart:?}");
            }
        }
    }

    #[test]
    fn labels_of_neighbours_do_not_cover_each_other() {
        let points = [
            point("candle · f16", 20.0, 0.083),
            point("candle · q8_0", 20.5, 0.083),
            point("whisper-cpp · f16", 9.7, 0.069),
        ];
        let wide = &charts(&points)[0];
        let places: Vec<Taken> = wide
            .points
            .iter()
            .map(|point| {
                let width = text_width(&point.label);
                let left = match point.anchor {
                    "start" => point.label_x,
                    "end" => point.label_x - width,
                    _ => point.label_x - width / 2.0,
                };
                (
                    left,
                    point.label_y - 12.0,
                    left + width,
                    point.label_y + 3.0,
                )
            })
            .collect();
        for (position, one) in places.iter().enumerate() {
            for other in &places[position + 1..] {
                assert!(!overlap(one, other), "{wide:?}");
            }
        }
    }

    #[test]
    fn one_point_is_a_picture_too() {
        assert_eq!(charts(&[point("a", 1.0, 0.0)]).len(), 2);
        assert!(charts(&[]).is_empty());
    }
}
