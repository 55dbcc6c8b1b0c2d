//! Downloads as they go: a line that moves for each on a terminal, a line now and then elsewhere.

use crate::model::printable;
use crate::model::units::{show_bytes, show_seconds};
use crate::model::{JobId, TransferProgress};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::HashMap;

/// Seconds between two lines of the same download where nothing moves: a log is read later.
const BETWEEN_LINES: f64 = 10.0;

/// The downloads that are going on.
#[derive(Debug)]
pub(super) struct Transfers {
    bars: Option<MultiProgress>,
    running: HashMap<JobId, Running>,
}

#[derive(Debug)]
struct Running {
    bar: Option<ProgressBar>,
    /// When a line was shown of it, or would have been.
    told_at: f64,
    /// What no line has shown yet.
    untold: Option<TransferProgress>,
}

impl Transfers {
    /// Begins; `bars` are those of the terminal, if there is one.
    pub(super) fn new(bars: Option<MultiProgress>) -> Self {
        Self {
            bars,
            running: HashMap::new(),
        }
    }

    /// A download has come so far, at so many seconds of the run. Returns a line, if it is time for
    /// one.
    pub(super) fn moved(
        &mut self,
        job: &JobId,
        progress: &TransferProgress,
        now: f64,
    ) -> Option<String> {
        let bars = self.bars.as_ref();
        let running = self.running.entry(job.clone()).or_insert_with(|| Running {
            bar: bars.map(new_bar),
            told_at: now,
            untold: None,
        });
        let text = line(job, progress);
        if let Some(bar) = &running.bar {
            bar.set_message(printable(&text));
            return None;
        }
        if now - running.told_at < BETWEEN_LINES {
            running.untold = Some(*progress);
            return None;
        }
        running.told_at = now;
        running.untold = None;
        Some(text)
    }

    /// An attempt is over. Returns the last line of its download, if it had one.
    pub(super) fn ended(&mut self, job: &JobId) -> Option<String> {
        let running = self.running.remove(job)?;
        if let (Some(bar), Some(bars)) = (&running.bar, &self.bars) {
            bar.finish_and_clear();
            bars.remove(bar);
        }
        running.untold.map(|progress| line(job, &progress))
    }
}

fn new_bar(bars: &MultiProgress) -> ProgressBar {
    let bar = bars.insert(0, ProgressBar::new_spinner());
    if let Ok(style) = ProgressStyle::with_template("  {wide_msg}") {
        bar.set_style(style);
    }
    bar
}

/// Returns how far a download is, with its name: the job's without its kind and digest.
fn line(job: &JobId, progress: &TransferProgress) -> String {
    let name = job
        .0
        .rsplit_once('/')
        .map_or(job.0.as_str(), |(slug, _)| slug);
    let name = name.strip_prefix("download/").unwrap_or(name);
    format!("{name}: {}", text(progress))
}

fn text(progress: &TransferProgress) -> String {
    let mut text = show_bytes(progress.bytes_done);
    if let Some(total) = progress.bytes_total {
        text.push_str(&format!(" of {}", show_bytes(total)));
        if let Some(percent) = progress.bytes_done.saturating_mul(100).checked_div(total) {
            text.push_str(&format!(" ({percent} %)"));
        }
    }
    if progress.bytes_per_second > 0.0 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive; a display saturates"
        )]
        let rate = progress.bytes_per_second as u64;
        text.push_str(&format!(", {}/s", show_bytes(rate)));
    }
    if let Some(left) = progress.seconds_left.filter(|left| *left > 0.0) {
        text.push_str(&format!(", {} left", show_seconds(left)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(done: u64) -> TransferProgress {
        TransferProgress {
            bytes_done: done,
            bytes_total: Some(148_000_000),
            bytes_per_second: 12_300_000.0,
            seconds_left: Some(8.2),
        }
    }

    #[test]
    fn without_a_terminal_a_line_comes_every_ten_seconds_and_at_the_end() {
        let job = JobId("download/tiny/ggml-f16/0123456789".into());
        let mut transfers = Transfers::new(None);
        let mut lines = Vec::new();
        for second in 0..25_u32 {
            let done = u64::from(second) * 1_000_000;
            lines.extend(transfers.moved(&job, &progress(done), f64::from(second)));
        }
        lines.extend(transfers.ended(&job));
        assert_eq!(
            lines,
            [
                "tiny/ggml-f16: 10.0 MB of 148.0 MB (6 %), 12.3 MB/s, 8.20 s left",
                "tiny/ggml-f16: 20.0 MB of 148.0 MB (13 %), 12.3 MB/s, 8.20 s left",
                "tiny/ggml-f16: 24.0 MB of 148.0 MB (16 %), 12.3 MB/s, 8.20 s left",
            ]
        );
        assert_eq!(transfers.ended(&job), None);
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let unknown = TransferProgress {
            bytes_done: 12,
            bytes_total: None,
            bytes_per_second: 0.0,
            seconds_left: None,
        };
        assert_eq!(text(&unknown), "12 B");
        let empty = TransferProgress {
            bytes_total: Some(0),
            bytes_done: 0,
            ..unknown
        };
        assert_eq!(text(&empty), "0 B of 0 B");
    }
}
