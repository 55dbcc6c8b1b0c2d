//! Heat maps: an error rate and a speed for each pair of values of two axes.
//!
//! A cell is a sum over a sum, over all measured benchmarks behind it, as everywhere. What several
//! machines or languages measured is never put into one map, and what is no measurement never into one
//! cell with what is.

use super::axes::AxisView;
use super::benchmarks::BenchmarkView;
use super::templates::{show_percent, show_times};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The most values of an axis that a map shows by itself: rows and columns.
const MOST: (usize, usize) = (40, 12);
/// The most maps of a page.
const MOST_MAPS: usize = 6;
/// How many tints there are beyond none.
const TINTS: f64 = 6.0;
/// Axes that say nothing of what was measured.
const NO_AXES: [&str; 4] = ["status", "verify-method", "language", "machine"];

/// The maps of what one machine measured in one language.
#[derive(Serialize, JsonSchema)]
pub(super) struct HeatMapView {
    /// The language, and the machine where there are several.
    pub(super) title: String,
    /// The positions of the axes of rows and of columns.
    axes: (usize, usize),
    /// The names of the axes of rows and of columns.
    names: (String, String),
    /// The values of the columns.
    columns: Vec<String>,
    /// One map for the error rate, one for the speed.
    metrics: Vec<MetricView>,
    /// Whether a cell does not hold all recordings that others hold.
    has_partial: bool,
    /// Whether a cell is no measurement.
    has_synthetic: bool,
}

/// A map of one metric.
#[derive(Serialize, JsonSchema)]
struct MetricView {
    /// `WER` or `RTFx`.
    name: &'static str,
    rows: Vec<HeatRowView>,
}

/// A row of a map.
#[derive(Serialize, JsonSchema)]
struct HeatRowView {
    /// The value of the axis of rows.
    name: String,
    /// A cell for each column; null where nothing was measured.
    cells: Vec<Option<HeatCellView>>,
}

/// A cell of a map.
#[derive(Serialize, JsonSchema)]
struct HeatCellView {
    /// The value as it is shown.
    text: String,
    /// From 0, the worst of the map, to 6, the best.
    tint: u8,
    /// It is the best of the map.
    best: bool,
    /// It does not hold all recordings that others hold.
    partial: bool,
    /// It is no measurement.
    synthetic: bool,
}

/// What the benchmarks behind a cell come to.
#[derive(Default)]
struct Sums<'a> {
    errors: u64,
    words: u64,
    audio: f64,
    time: f64,
    recordings: BTreeSet<&'a str>,
}

/// A cell by its numbers.
struct Pooled {
    rate: Option<f64>,
    speed: Option<f64>,
    partial: bool,
    synthetic: bool,
}

/// One of the numbers of a cell.
type Number = fn(&Pooled) -> Option<f64>;

impl Sums<'_> {
    #[expect(clippy::cast_precision_loss, reason = "counts of words")]
    fn rate(&self) -> Option<f64> {
        (self.words > 0).then(|| self.errors as f64 / self.words as f64)
    }

    fn speed(&self) -> Option<f64> {
        (self.time > 0.0).then(|| self.audio / self.time)
    }
}

/// Returns the maps, a pair of axes chosen for each: none where fewer than two axes have several
/// values.
pub(super) fn heat_maps(axes: &[AxisView], rows: &[BenchmarkView]) -> Vec<HeatMapView> {
    let mut kinds: Vec<&str> = Vec::new();
    for row in rows.iter().filter(|row| row.n > 0) {
        if !kinds.contains(&row.kind.as_str()) {
            kinds.push(&row.kind);
        }
    }
    kinds
        .iter()
        .take(MOST_MAPS)
        .filter_map(|kind| {
            let of_kind: Vec<&BenchmarkView> = (rows.iter())
                .filter(|row| row.n > 0 && row.kind == *kind)
                .collect();
            let pair = choose(axes, &of_kind)?;
            Some(heat_map(kind, axes, pair, &of_kind))
        })
        .collect()
}

fn values<'a>(rows: &[&'a BenchmarkView], axis: usize) -> Vec<&'a str> {
    let mut found: Vec<&str> = Vec::new();
    for row in rows {
        let value = row.axes.get(axis).map_or("", String::as_str);
        if !found.contains(&value) {
            found.push(value);
            if found.len() > MOST.0 {
                break;
            }
        }
    }
    found
}

/// Chooses the axes of rows and of columns: the first two with several values, of which the one with
/// more makes the rows. Recordings are what is pooled, so they come last.
fn choose(axes: &[AxisView], rows: &[&BenchmarkView]) -> Option<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = (axes.iter().enumerate())
        .filter(|(_, axis)| !NO_AXES.contains(&axis.name.as_str()))
        .map(|(position, _)| (position, values(rows, position).len()))
        .filter(|(_, count)| (2..=MOST.0).contains(count))
        .collect();
    found.sort_by_key(|(position, _)| axes[*position].name == "audio");
    let [first, second, ..] = found.as_slice() else {
        return None;
    };
    let (rows, columns) = if second.1 > first.1 {
        (second, first)
    } else {
        (first, second)
    };
    (columns.1 <= MOST.1).then_some((rows.0, columns.0))
}

fn heat_map(
    kind: &str,
    axes: &[AxisView],
    pair: (usize, usize),
    rows: &[&BenchmarkView],
) -> HeatMapView {
    let (down, across) = (values(rows, pair.0), values(rows, pair.1));
    // By whether it is a measurement too.
    let mut sums: BTreeMap<(&str, &str, bool), Sums<'_>> = BTreeMap::new();
    for row in rows {
        let cell = sums
            .entry((
                row.axes[pair.0].as_str(),
                row.axes[pair.1].as_str(),
                row.synthetic,
            ))
            .or_default();
        cell.errors += row.errors.unwrap_or(0);
        cell.words += row.reference_words.unwrap_or(0);
        cell.audio += row.audio_seconds;
        cell.time += row.transcribe_seconds;
        cell.recordings.insert(&row.audio);
    }
    let is_recording = |axis: usize| axes[axis].name == "audio";
    let pools = !is_recording(pair.0) && !is_recording(pair.1);
    let all: BTreeSet<&str> = rows.iter().map(|row| row.audio.as_str()).collect();
    let mut pooled: BTreeMap<(&str, &str), Pooled> = BTreeMap::new();
    // What was measured comes first, and a stand-in has a cell where there is nothing else.
    for ((one, other, synthetic), sums) in sums {
        pooled.entry((one, other)).or_insert_with(|| Pooled {
            rate: sums.rate(),
            speed: sums.speed(),
            partial: pools && sums.recordings.len() < all.len(),
            synthetic,
        });
    }
    let is_measured = pooled.values().any(|cell| !cell.synthetic);
    let is_comparable = |cell: &Pooled| !(cell.partial || is_measured && cell.synthetic);
    let map = |name, number: Number, show: fn(f64) -> String, less_is_better: bool| {
        let whole = pooled.values().filter(|cell| is_comparable(cell));
        let numbers: Vec<f64> = whole.filter_map(number).collect();
        let scale = Scale::of(&numbers, less_is_better);
        let cell = |one: &str, other: &str| {
            let cell = pooled.get(&(one, other))?;
            let number = number(cell)?;
            let is_comparable = is_comparable(cell);
            Some(HeatCellView {
                text: show(number),
                tint: if is_comparable { scale.tint(number) } else { 0 },
                best: is_comparable && !cell.synthetic && scale.is_best(number),
                partial: cell.partial,
                synthetic: cell.synthetic,
            })
        };
        MetricView {
            name,
            rows: (down.iter())
                .map(|one| {
                    let cells = across.iter().map(|other| cell(one, other));
                    HeatRowView {
                        name: (*one).to_owned(),
                        cells: cells.collect(),
                    }
                })
                .collect(),
        }
    };
    let metrics = vec![
        map("WER", |cell| cell.rate, show_percent, true),
        map("RTFx", |cell| cell.speed, show_times, false),
    ];
    HeatMapView {
        title: kind.to_owned(),
        axes: pair,
        names: (axes[pair.0].name.clone(), axes[pair.1].name.clone()),
        columns: across.iter().map(|value| (*value).to_owned()).collect(),
        has_partial: pooled.values().any(|cell| cell.partial),
        has_synthetic: pooled.values().any(|cell| cell.synthetic),
        metrics: metrics
            .into_iter()
            .filter(|metric| {
                let mut cells = metric.rows.iter().flat_map(|row| &row.cells);
                cells.any(Option::is_some)
            })
            .collect(),
    }
}

/// From values to tints: even steps of error rates, even ratios of speeds.
pub(super) struct Scale {
    best: f64,
    worst: f64,
    less_is_better: bool,
}

impl Scale {
    pub(super) fn of(numbers: &[f64], less_is_better: bool) -> Self {
        let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
        let most = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (best, worst) = if less_is_better {
            (least, most)
        } else {
            (most, least)
        };
        Self {
            best,
            worst,
            less_is_better,
        }
    }

    fn is_best(&self, number: f64) -> bool {
        number.total_cmp(&self.best).is_eq() && self.best.total_cmp(&self.worst).is_ne()
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a step from 0 to 6"
    )]
    pub(super) fn tint(&self, number: f64) -> u8 {
        let share = if self.less_is_better {
            (self.worst - number) / (self.worst - self.best)
        } else {
            (number / self.worst).ln() / (self.best / self.worst).ln()
        };
        if share.is_finite() {
            (share.clamp(0.0, 1.0) * TINTS).round() as u8
        } else {
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(axes: &[&str], audio: &str, (errors, words): (u64, u64), time: f64) -> BenchmarkView {
        BenchmarkView {
            axes: axes.iter().map(|value| (*value).to_owned()).collect(),
            audio: audio.into(),
            kind: "en".into(),
            n: 1,
            errors: Some(errors),
            reference_words: Some(words),
            audio_seconds: 10.0,
            transcribe_seconds: time,
            ..BenchmarkView::default()
        }
    }

    fn axes(names: &[&str]) -> Vec<AxisView> {
        let axis = |name: &&str| AxisView {
            name: (*name).to_owned(),
            values: 2,
        };
        names.iter().map(axis).collect()
    }

    #[test]
    fn cells_are_sums_over_sums_and_the_best_is_marked() {
        let rows = [
            row(&["a", "1", "x"], "x", (1, 10), 1.0),
            row(&["a", "1", "y"], "y", (3, 30), 4.0),
            row(&["b", "1", "x"], "x", (0, 10), 10.0),
            row(&["b", "1", "y"], "y", (2, 30), 10.0),
            row(&["b", "2", "x"], "x", (0, 10), 1.0),
        ];
        let maps = heat_maps(&axes(&["backend", "threads", "audio"]), &rows);
        assert_eq!(maps.len(), 1);
        assert_eq!(maps[0].names, ("backend".into(), "threads".into()));
        let [wer, speed] = maps[0].metrics.as_slice() else {
            panic!("two metrics");
        };
        let cell = |metric: &'static str, down: usize, across: usize| {
            let map = if metric == "WER" { wer } else { speed };
            let cell = map.rows[down].cells[across].as_ref();
            cell.map(|cell| (cell.text.clone(), cell.best, cell.partial))
        };
        assert_eq!(cell("WER", 0, 0), Some(("10.0 %".into(), false, false)));
        assert_eq!(cell("WER", 1, 0), Some(("5.0 %".into(), true, false)));
        assert_eq!(cell("RTFx", 0, 0), Some(("4.00 ×".into(), true, false)));
        // One recording of two is no equal of both.
        assert_eq!(cell("WER", 1, 1), Some(("0.0 %".into(), false, true)));
        assert_eq!(cell("WER", 0, 1), None);
        assert!(maps[0].has_partial);
    }

    #[test]
    fn a_stand_in_is_marked_and_never_the_best() {
        let fake = |axes: &[&str], time: f64| BenchmarkView {
            synthetic: true,
            ..row(axes, "x", (0, 10), time)
        };
        let rows = [
            row(&["a", "1", "x"], "x", (1, 10), 1.0),
            row(&["b", "1", "x"], "x", (3, 10), 4.0),
            fake(&["fake", "1", "x"], 0.01),
            row(&["b", "2", "x"], "x", (2, 10), 2.0),
            // The same cell as a real one, which it adds nothing to.
            fake(&["a", "1", "x"], 0.01),
        ];
        let maps = heat_maps(&axes(&["backend", "threads", "audio"]), &rows);
        for metric in &maps[0].metrics {
            let stand_in = metric.rows[2].cells[0].as_ref().unwrap();
            assert!(stand_in.synthetic && !stand_in.best && stand_in.tint == 0);
            let best = metric.rows[0].cells[0].as_ref().unwrap();
            assert!(
                best.best && best.tint == 6 && !best.synthetic,
                "{}",
                metric.name
            );
        }
        assert!(maps[0].has_synthetic);
        // Alone they are held against each other, and none is called the best.
        let alone = [
            fake(&["a", "1", "x"], 1.0),
            fake(&["b", "1", "x"], 2.0),
            fake(&["a", "2", "x"], 3.0),
        ];
        let maps = heat_maps(&axes(&["backend", "threads", "audio"]), &alone);
        let cells = maps[0].metrics[1].rows.iter().flat_map(|row| &row.cells);
        let cells: Vec<&HeatCellView> = cells.flatten().collect();
        assert!(cells.iter().all(|cell| cell.synthetic && !cell.best));
        assert!(cells.iter().any(|cell| cell.tint == 6));
    }

    #[test]
    fn one_axis_makes_no_map_and_machines_are_kept_apart() {
        let mut rows = vec![
            row(&["a", "x"], "x", (1, 10), 1.0),
            row(&["b", "x"], "x", (1, 10), 1.0),
        ];
        assert!(heat_maps(&axes(&["backend", "audio"]), &rows).is_empty());
        rows.push(row(&["a", "y"], "y", (1, 10), 1.0));
        rows.push(row(&["b", "y"], "y", (1, 10), 1.0));
        let mut elsewhere = row(&["a", "x"], "x", (9, 10), 1.0);
        elsewhere.kind = "en · other".into();
        rows.push(elsewhere);
        let maps = heat_maps(&axes(&["backend", "audio"]), &rows);
        assert_eq!(maps.len(), 1);
        assert_eq!(maps[0].metrics[0].rows[0].cells.len(), 2);
    }

    #[test]
    fn tints_go_from_worst_to_best() {
        let scale = Scale::of(&[0.1, 0.2, 0.4], true);
        assert_eq!([0.1, 0.25, 0.4].map(|n| scale.tint(n)), [6, 3, 0]);
        let scale = Scale::of(&[1.0, 100.0], false);
        assert_eq!([1.0, 10.0, 100.0].map(|n| scale.tint(n)), [0, 3, 6]);
        assert_eq!(Scale::of(&[0.0, 0.0], true).tint(0.0), 0);
    }
}
