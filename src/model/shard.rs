//! A part of a plan, for one machine of several.

use super::requirement::Requirements;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The `index`th of `count` parts of a plan, or of what in it requires one kind of machine.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub struct Shard {
    /// Which part, from 1.
    pub index: u32,
    /// Of how many.
    pub count: u32,
    /// Of the benchmarks with just these requirements; `None`: of all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires: Option<Requirements>,
    /// Of the jobs that a list named, and not of all: the SHA-256 digest of that list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.index, self.count)?;
        match &self.requires {
            Some(requirements) => write!(formatter, " of {requirements}"),
            None => Ok(()),
        }
    }
}

impl Shard {
    /// The largest number of parts.
    pub const MOST: u32 = 10_000;

    /// Returns a part of all that a plan has.
    #[must_use]
    pub fn new(index: u32, count: u32) -> Self {
        Self {
            index,
            count,
            requires: None,
            list: None,
        }
    }
}

impl FromStr for Shard {
    type Err = String;

    /// Reads `K/N`.
    ///
    /// # Errors
    ///
    /// Returns reason and remedy in words if it is none, or K is not among the N.
    fn from_str(text: &str) -> Result<Self, String> {
        let remedy = "write K/N with K from 1 to N, such as `1/4` for the first of four";
        let numbers = text.split_once('/').and_then(|(index, count)| {
            let number = |part: &str| {
                let is_plain = part.bytes().all(|byte| byte.is_ascii_digit());
                part.parse::<u32>().ok().filter(|_| is_plain)
            };
            Some((number(index)?, number(count)?))
        });
        let Some((index, count)) = numbers else {
            return Err(format!("`{text}` is no shard; {remedy}"));
        };
        let reason = match (index, count) {
            (_, 0) => "a plan has at least one shard".to_owned(),
            (_, count) if count > Self::MOST => {
                format!("a plan has at most {} shards", Self::MOST)
            }
            (0, _) => "shards are counted from 1".to_owned(),
            (index, 1) if index > 1 => "there is only one".to_owned(),
            (index, count) if index > count => format!("there are only {count}"),
            _ => return Ok(Self::new(index, count)),
        };
        Err(format!("`{text}` is no shard: {reason}; {remedy}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_read_as_it_is_shown() {
        for text in ["1/1", "3/3", "2/10000", "10000/10000"] {
            assert_eq!(
                text.parse::<Shard>().map(|shard| shard.to_string()),
                Ok(text.into())
            );
        }
    }

    #[test]
    fn what_is_none_is_told_with_reason_and_remedy() {
        for (text, reason) in [
            ("", "is no shard;"),
            ("1", "is no shard;"),
            ("a/b", "is no shard;"),
            ("-1/2", "is no shard;"),
            ("+1/2", "is no shard;"),
            (" 1/2", "is no shard;"),
            ("1/2/3", "is no shard;"),
            ("99999999999/2", "is no shard;"),
            ("0/2", "counted from 1"),
            ("3/2", "there are only 2"),
            ("2/1", "there is only one"),
            ("0/0", "at least one"),
            ("1/10001", "at most 10000"),
        ] {
            let told = text.parse::<Shard>().unwrap_err();
            assert!(
                told.contains(reason) && told.contains("write K/N"),
                "{told}"
            );
        }
    }
}
