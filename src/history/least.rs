//! The smallest change that matters.

use std::str::FromStr;

/// The smallest change that matters: the larger of a share of the level before and an absolute one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Least {
    /// As a share of the level before.
    pub relative: f64,
    /// In the metric's unit.
    pub absolute: f64,
}

impl Least {
    /// Returns how many times the smallest change that matters a change is. Where any change matters,
    /// one that is none is 0 times it, and any other one is without bound.
    #[must_use]
    pub fn times(&self, before: f64, after: f64) -> f64 {
        let change = (after - before).abs();
        let least = self.absolute.max(self.relative * before.abs());
        if least > 0.0 {
            change / least
        } else if change > 0.0 {
            f64::INFINITY
        } else {
            0.0
        }
    }
}

/// Reads `5%` as a share of the level before, and `0.005` as a number in the metric's unit.
impl FromStr for Least {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, is_share) = match text.strip_suffix('%') {
            Some(number) => (number, true),
            None => (text, false),
        };
        let number: f64 = number
            .trim()
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite() && *number >= 0.0)
            .ok_or_else(|| {
                format!(
                    "`{text}` is no change; write a share such as `5%`, or a number such as `0.005`"
                )
            })?;
        Ok(if is_share {
            Self {
                relative: number / 100.0,
                absolute: 0.0,
            }
        } else {
            Self {
                relative: 0.0,
                absolute: number,
            }
        })
    }
}
