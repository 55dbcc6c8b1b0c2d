//! The shim's own command line, read by hand: it is written by the runner only.

use std::ffi::OsString;
use std::time::Duration;

/// The hidden verb.
pub const VERB: &str = "__shim";

/// What a shim is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// Keep the child from a network.
    pub wall: bool,
    /// The child gets descriptor 3.
    pub protocol: bool,
    /// End everything after this, whatever the runner does.
    pub backstop: Option<Duration>,
    /// How often memory is looked at.
    pub sample: Duration,
    /// Program and arguments.
    pub command: Vec<OsString>,
}

impl Arguments {
    /// Reads the arguments that follow the verb.
    ///
    /// # Errors
    ///
    /// Returns what is wrong, for the log: only a mistake in the runner can cause it.
    pub fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let mut parsed = Self {
            wall: false,
            protocol: false,
            backstop: None,
            sample: Duration::from_millis(100),
            command: Vec::new(),
        };
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            match argument.to_str() {
                Some("--wall") => parsed.wall = true,
                Some("--protocol") => parsed.protocol = true,
                Some("--backstop-ms") => parsed.backstop = Some(milliseconds(arguments.next())?),
                Some("--sample-ms") => parsed.sample = milliseconds(arguments.next())?,
                Some("--") => {
                    parsed.command = arguments.collect();
                    break;
                }
                _ => return Err(format!("unknown argument {}", argument.display())),
            }
        }
        if parsed.command.is_empty() {
            return Err("no program after `--`".into());
        }
        Ok(parsed)
    }

    /// Returns the arguments as [`Arguments::parse`] reads them, with the verb before them.
    #[must_use]
    pub fn to_command_line(&self) -> Vec<OsString> {
        let mut line: Vec<OsString> = vec![VERB.into()];
        if self.wall {
            line.push("--wall".into());
        }
        if self.protocol {
            line.push("--protocol".into());
        }
        if let Some(backstop) = self.backstop {
            line.push("--backstop-ms".into());
            line.push(backstop.as_millis().to_string().into());
        }
        line.push("--sample-ms".into());
        line.push(self.sample.as_millis().to_string().into());
        line.push("--".into());
        line.extend(self.command.iter().cloned());
        line
    }
}

fn milliseconds(argument: Option<OsString>) -> Result<Duration, String> {
    argument
        .and_then(|text| text.to_str()?.parse().ok())
        .map(Duration::from_millis)
        .ok_or_else(|| "a number of milliseconds is missing".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let arguments = Arguments {
            wall: true,
            protocol: true,
            backstop: Some(Duration::from_secs(3)),
            sample: Duration::from_millis(20),
            command: vec!["sh".into(), "-c".into(), "--".into()],
        };
        let line = arguments.to_command_line();
        assert_eq!(Arguments::parse(line.into_iter().skip(1)), Ok(arguments));
    }
}
