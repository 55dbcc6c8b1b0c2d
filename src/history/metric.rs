//! What is followed over runs: the numbers of a row, by the names of their columns.

use super::least::Least;
use crate::model::units::{show_bytes, show_seconds};
use std::fmt;
use std::str::FromStr;

/// A number of a row that is followed over runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// `transcribe_seconds_median`.
    Seconds,
    /// `rtfx`.
    Rtfx,
    /// `wer`.
    Wer,
    /// `cer`.
    Cer,
    /// `load_seconds`.
    LoadSeconds,
    /// `peak_rss_bytes`.
    PeakBytes,
}

impl Metric {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 6] = [
        Self::Seconds,
        Self::Rtfx,
        Self::Wer,
        Self::Cer,
        Self::LoadSeconds,
        Self::PeakBytes,
    ];

    /// Those whose changes are told. `rtfx` is the length of the audio over the first, and `cer` moves
    /// with `wer`: a change would be told twice.
    pub const WATCHED: [Self; 4] = [Self::Seconds, Self::Wer, Self::LoadSeconds, Self::PeakBytes];

    /// Returns the column of `results.csv` that it is.
    #[must_use]
    pub const fn column(self) -> &'static str {
        match self {
            Self::Seconds => "transcribe_seconds_median",
            Self::Rtfx => "rtfx",
            Self::Wer => "wer",
            Self::Cer => "cer",
            Self::LoadSeconds => "load_seconds",
            Self::PeakBytes => "peak_rss_bytes",
        }
    }

    /// Returns what it is called in a sentence.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Seconds => "time to transcribe",
            Self::Rtfx => "RTFx",
            Self::Wer => "WER",
            Self::Cer => "CER",
            Self::LoadSeconds => "time to load",
            Self::PeakBytes => "peak memory",
        }
    }

    /// Returns whether more of it is worse.
    #[must_use]
    pub const fn more_is_worse(self) -> bool {
        !matches!(self, Self::Rtfx)
    }

    /// Returns whether its changes are told as differences, in points, and not as shares.
    #[must_use]
    pub const fn is_share(self) -> bool {
        matches!(self, Self::Wer | Self::Cer)
    }

    /// Returns the smallest change of it that matters, where nobody says another: 5 % of a time or a
    /// size and half a point of an error rate; loading is read from a disk and gets 20 %. Below a
    /// millisecond, or a mebibyte, nothing matters.
    #[must_use]
    pub const fn least(self) -> Least {
        let (relative, absolute) = match self {
            Self::Seconds => (0.05, 0.001),
            Self::Rtfx => (0.05, 0.0),
            Self::Wer | Self::Cer => (0.0, 0.005),
            Self::LoadSeconds => (0.2, 0.01),
            Self::PeakBytes => (0.05, 1_048_576.0),
        };
        Least { relative, absolute }
    }

    /// Returns a value as people read it.
    #[must_use]
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Seconds | Self::LoadSeconds => show_seconds(value),
            Self::Rtfx => format!("{value:.2} ×"),
            Self::Wer | Self::Cer => format!("{:.2} %", value * 100.0),
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "bytes of memory are not negative and fit"
            )]
            Self::PeakBytes => show_bytes(value.round() as u64),
        }
    }

    /// Returns a change as people read it: `+12.3 %`, or `+0.60 points` of an error rate.
    #[must_use]
    pub fn show_change(self, before: f64, after: f64) -> String {
        let text = if self.is_share() {
            format!("{:+.2} points", (after - before) * 100.0)
        } else if before == 0.0 {
            format!("from 0 to {}", self.show(after))
        } else {
            format!("{:+.1} %", (after / before - 1.0) * 100.0)
        };
        text.replace('-', "−")
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.column())
    }
}

impl FromStr for Metric {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|metric| metric.column() == text)
            .ok_or_else(|| {
                let names: Vec<&str> = Self::ALL.iter().map(|metric| metric.column()).collect();
                format!(
                    "`{text}` is not followed over runs; write one of {}",
                    names.join(", ")
                )
            })
    }
}
