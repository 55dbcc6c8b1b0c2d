//! Where the time of a configuration goes, stage by stage, and what its memory holds.

use super::scale::rounded;
use crate::record::AttemptRecord;
use crate::report::summary::SummaryRow;
use crate::score::statistics::median;
use schemars::JsonSchema;
use serde::Serialize;

/// Width of a bar of the largest value, in pixels.
const WIDTH: f64 = 140.0;

/// The stages of a configuration, in seconds.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub(super) struct StagesView {
    /// Spawn to hello; median over launches.
    start: Option<f64>,
    /// Load to ready; median over launches.
    load: Option<f64>,
    /// Samples handed over to first segment: the median of each recording, summed over them. Empty if
    /// the engine does not tell for all of them.
    first_segment: Option<f64>,
    /// Samples handed over to full text: the median of each recording, summed over them.
    transcribe: Option<f64>,
    /// The same as bars, in pixels: start, load, to the first segment, and the rest. Filled when all
    /// configurations are known.
    bars: Vec<BarView>,
}

/// A part of a bar, in pixels.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(super) struct BarView {
    /// What it stands for, as the name of a class.
    class: &'static str,
    x: f64,
    width: f64,
}

/// The memory of a configuration, in bytes.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub(super) struct MemoryView {
    /// Peak resident bytes of the process tree.
    peak: Option<u64>,
    /// Peak of its anonymous part, which is sampled.
    anonymous: Option<u64>,
    /// The rest of the peak: pages of files, such as mapped weights, and of shared memory.
    file_backed: Option<u64>,
    /// The same as bars, in pixels. Filled when all configurations are known.
    bars: Vec<BarView>,
}

impl StagesView {
    pub(super) fn of(summary: &SummaryRow<'_>) -> Self {
        let attempts = || summary.rows.iter().flat_map(|row| row.attempts());
        let middle = |field: fn(&AttemptRecord) -> Option<f64>| {
            median(&attempts().filter_map(field).collect::<Vec<f64>>())
        };
        let measured = || {
            let all = summary.utterances.iter();
            all.filter(|result| !result.samples.is_empty())
        };
        let transcribe: Option<f64> = measured()
            .map(|result| {
                let times = result.samples.iter().map(|s| s.transcribe_seconds);
                median(&times.collect::<Vec<f64>>())
            })
            .sum();
        let first_segment: Option<f64> = measured()
            .map(|result| {
                let times = result.samples.iter().map(|s| s.first_segment_seconds);
                median(&times.collect::<Option<Vec<f64>>>()?)
            })
            .sum();
        let some = measured().next().is_some();
        Self {
            start: middle(|attempt| attempt.start_seconds),
            load: middle(|attempt| attempt.load_seconds),
            first_segment: first_segment.filter(|_| some),
            transcribe: transcribe.filter(|_| some),
            bars: Vec::new(),
        }
    }

    fn total(&self) -> f64 {
        [self.start, self.load, self.transcribe]
            .into_iter()
            .flatten()
            .sum()
    }
}

impl MemoryView {
    pub(super) fn of(summary: &SummaryRow<'_>) -> Self {
        let peak = summary.peak_rss_bytes();
        let attempts = summary.rows.iter().flat_map(|row| row.attempts());
        let anonymous = attempts
            .filter_map(|attempt| attempt.usage.as_ref()?.peak_anonymous_bytes)
            .max();
        Self {
            peak,
            anonymous,
            file_backed: peak
                .zip(anonymous)
                .map(|(peak, part)| peak.saturating_sub(part)),
            bars: Vec::new(),
        }
    }
}

/// Draws the bars of all configurations to one scale each.
pub(super) fn draw<'a>(rows: impl Iterator<Item = (&'a mut StagesView, &'a mut MemoryView)>) {
    let mut rows: Vec<_> = rows.collect();
    let longest = rows
        .iter()
        .map(|(stages, _)| stages.total())
        .fold(0.0, f64::max);
    let largest = rows
        .iter()
        .filter_map(|(_, memory)| memory.peak)
        .max()
        .map_or(0.0, bytes);
    for (stages, memory) in &mut rows {
        let transcribe = stages.transcribe.unwrap_or(0.0);
        let first = stages.first_segment.unwrap_or(0.0).min(transcribe);
        stages.bars = bars(
            &[
                ("start", stages.start.unwrap_or(0.0)),
                ("load", stages.load.unwrap_or(0.0)),
                ("first", first),
                ("rest", transcribe - first),
            ],
            longest,
        );
        let peak = memory.peak.map_or(0.0, bytes);
        let anonymous = memory.anonymous.map_or(0.0, bytes).min(peak);
        // Where only the whole is known, it is not said to be of one kind.
        memory.bars = if memory.anonymous.is_some() {
            bars(
                &[("anonymous", anonymous), ("mapped", peak - anonymous)],
                largest,
            )
        } else {
            bars(&[("whole", peak)], largest)
        };
    }
}

#[expect(clippy::cast_precision_loss, reason = "for a bar of some pixels")]
fn bytes(count: u64) -> f64 {
    count as f64
}

fn bars(parts: &[(&'static str, f64)], whole: f64) -> Vec<BarView> {
    let mut at = 0.0;
    let mut bars = Vec::new();
    for (class, value) in parts {
        if *value <= 0.0 || whole <= 0.0 {
            continue;
        }
        let width = value / whole * WIDTH;
        bars.push(BarView {
            class,
            x: rounded(at),
            // What is there is seen, however short.
            width: rounded(width.max(0.5)),
        });
        at += width;
    }
    bars
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_one_behind_the_other_and_share_a_scale() {
        let mut rows = [
            StagesView {
                start: Some(1.0),
                load: Some(3.0),
                first_segment: Some(2.0),
                transcribe: Some(6.0),
                ..StagesView::default()
            },
            StagesView {
                transcribe: Some(5.0),
                ..StagesView::default()
            },
        ];
        let mut memory = [MemoryView::default(), MemoryView::default()];
        memory[0].peak = Some(100);
        memory[0].anonymous = Some(25);
        memory[1].peak = Some(50);
        draw(rows.iter_mut().zip(&mut memory));
        let shown: Vec<(&str, f64, f64)> = rows[0]
            .bars
            .iter()
            .map(|bar| (bar.class, bar.x, bar.width))
            .collect();
        assert_eq!(
            shown,
            [
                ("start", 0.0, 14.0),
                ("load", 14.0, 42.0),
                ("first", 56.0, 28.0),
                ("rest", 84.0, 56.0)
            ]
        );
        assert_eq!(rows[1].bars.len(), 1);
        assert_eq!(memory[0].bars[1].class, "mapped");
        assert!((memory[0].bars[1].width - 105.0).abs() < 1e-9);
        assert_eq!(memory[1].bars[0].class, "whole");
    }
}
