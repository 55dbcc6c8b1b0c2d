//! How fast an engine may talk.

use std::time::Duration;

/// Lines and bytes of which each second so many more are taken, and which may be ahead by so many.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    most: f64,
    a_second: f64,
    words: &'static str,
}

impl Bucket {
    const fn full(most: f64, a_second: f64, words: &'static str) -> Self {
        Self {
            left: most,
            most,
            a_second,
            words,
        }
    }

    fn take(&mut self, amount: f64, waited: f64) -> Result<(), String> {
        self.left = (self.left + waited * self.a_second).min(self.most) - amount;
        if self.left >= 0.0 {
            return Ok(());
        }
        Err(format!(
            "it floods: {} {} at once and {} a second after them are taken, and it sent more",
            self.most, self.words, self.a_second
        ))
    }
}

/// What an engine may send: a day of speech at once, in segments of some seconds; after that, more
/// than any engine hears in a second. An engine that sends more costs the runner time that others
/// are measured with.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    lines: Bucket,
    bytes: Bucket,
    /// When something was taken last.
    at: Option<Duration>,
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            lines: Bucket::full(20_000.0, 1_000.0, "lines"),
            bytes: Bucket::full(33_554_432.0, 4_194_304.0, "bytes"),
            at: None,
        }
    }
}

impl Allowance {
    /// Takes what has arrived at a time of a clock that does not go back.
    ///
    /// # Errors
    ///
    /// Returns what is taken, in words, if it was too much. It stays too much.
    pub fn take(&mut self, lines: usize, bytes: usize, now: Duration) -> Result<(), String> {
        let waited = now.saturating_sub(self.at.unwrap_or(now)).as_secs_f64();
        self.at = Some(now);
        #[expect(
            clippy::cast_precision_loss,
            reason = "what fits into memory is below 2^53"
        )]
        let (lines, bytes) = (lines as f64, bytes as f64);
        self.lines.take(lines, waited)?;
        self.bytes.take(bytes, waited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_day_of_segments_at_once_is_taken_and_a_flood_is_named() {
        let mut allowance = Allowance::default();
        assert_eq!(allowance.take(17_280, 8 << 20, SECOND), Ok(()));
        let reason = allowance.take(17_280, 8 << 20, SECOND).unwrap_err();
        assert!(
            reason.contains("20000 lines at once and 1000 a second"),
            "{reason}"
        );
        let mut allowance = Allowance::default();
        let reason = allowance.take(3, 40 << 20, SECOND).unwrap_err();
        assert!(reason.contains("33554432 bytes at once"), "{reason}");
    }

    proptest! {
        #[test]
        fn a_slow_engine_is_never_refused_and_a_fast_one_always(rate in 1usize..20_000, seconds in 30u32..90) {
            let mut allowance = Allowance::default();
            let taken = (0..seconds * 10).all(|tenth| {
                allowance.take(rate / 10, rate, Duration::from_millis(u64::from(tenth) * 100)).is_ok()
            });
            if rate <= 1_000 {
                prop_assert!(taken);
            }
            if rate >= 2_000 {
                prop_assert!(!taken);
            }
        }
    }
}
