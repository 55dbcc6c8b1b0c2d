//! When a part of a run stops before all of it is done.

use humantime::format_duration;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// When a part stops before all of it is done. It knows its own faults and its own time, and nothing of
/// other parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct StopRules {
    /// At its first fault.
    pub fail_fast: bool,
    /// After so many faults.
    pub max_failures: Option<u32>,
    /// Before whole rounds of launches that would end later than so long after it began.
    pub time_budget: Option<Duration>,
}

impl StopRules {
    /// Returns these rules with what was asked for anew in their place; what was not stays. How faults are
    /// treated is one rule: asking for a number of them, for the first one or, by `keeps_going`, for none to
    /// end a part leaves nothing of what was asked for before.
    #[must_use]
    pub fn renewed(self, anew: Self, keeps_going: bool) -> Self {
        let asks_for_faults = keeps_going || anew.fail_fast || anew.max_failures.is_some();
        let faults = if asks_for_faults { anew } else { self };
        Self {
            fail_fast: faults.fail_fast,
            max_failures: faults.max_failures,
            time_budget: anew.time_budget.or(self.time_budget),
        }
    }

    /// Returns whether nothing stops a part.
    #[must_use]
    pub fn are_none(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the words of the command line that ask for it.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let mut words = Vec::new();
        if self.fail_fast {
            words.push("--fail-fast".to_owned());
        }
        if let Some(most) = self.max_failures {
            words.extend(["--max-failures".to_owned(), most.to_string()]);
        }
        if let Some(budget) = self.time_budget {
            words.extend(["--time-budget".to_owned(), show(budget)]);
        }
        words
    }
}

/// As people would write it on the command line.
impl fmt::Display for StopRules {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.arguments().join(" "))
    }
}

/// Returns a duration as one word that the command line takes back: `1h30m`.
fn show(duration: Duration) -> String {
    format_duration(duration).to_string().replace(' ', "")
}

/// The rules as they stand in a file: a time as people write it.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Written {
    fail_fast: bool,
    max_failures: Option<u32>,
    time_budget: Option<String>,
}

impl From<StopRules> for Written {
    fn from(rules: StopRules) -> Self {
        Self {
            fail_fast: rules.fail_fast,
            max_failures: rules.max_failures,
            time_budget: rules.time_budget.map(show),
        }
    }
}

impl TryFrom<Written> for StopRules {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let read = |text: String| {
            humantime::parse_duration(&text)
                .map_err(|error| format!("`{text}` is no duration: {error}"))
        };
        Ok(Self {
            fail_fast: written.fail_fast,
            max_failures: written.max_failures,
            time_budget: written.time_budget.map(read).transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(fail_fast: bool, max_failures: Option<u32>, seconds: Option<u64>) -> StopRules {
        StopRules {
            fail_fast,
            max_failures,
            time_budget: seconds.map(Duration::from_secs),
        }
    }

    #[test]
    fn what_is_asked_for_anew_replaces_and_what_is_not_stays() {
        let before = rules(true, None, Some(60));
        let none = StopRules::default();
        assert_eq!(before.renewed(none, false), before);
        assert_eq!(
            before.renewed(rules(false, Some(3), None), false),
            rules(false, Some(3), Some(60)),
            "the first fault would end it before the third"
        );
        assert_eq!(
            before.renewed(rules(false, None, Some(5)), false),
            rules(true, None, Some(5))
        );
        assert_eq!(before.renewed(none, true), rules(false, None, Some(60)));
    }

    #[test]
    fn what_is_written_down_is_read_back_and_older_submissions_have_none() {
        for time_budget in [
            None,
            Some(1),
            Some(1_500),
            Some(5_400_000),
            Some(90_061_001),
        ] {
            let written = StopRules {
                max_failures: Some(2),
                time_budget: time_budget.map(Duration::from_millis),
                ..StopRules::default()
            };
            let text = serde_json::to_string(&written).unwrap();
            assert_eq!(serde_json::from_str::<StopRules>(&text).unwrap(), written);
            assert!(written.arguments().iter().all(|word| !word.contains(' ')));
        }
        let read: StopRules = serde_json::from_str("{}").unwrap();
        assert!(read.are_none());
        let wrong = serde_json::from_str::<StopRules>(r#"{"time-budget": "soon"}"#);
        assert!(wrong.unwrap_err().to_string().contains("`soon`"));
    }
}
