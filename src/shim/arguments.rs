//! The command line of the shim, read by hand: a parser library would cost more than the shim.

use std::ffi::{OsStr, OsString};
use std::os::fd::RawFd;
use std::path::PathBuf;
use std::time::Duration;

use super::descriptors::{CONTROL, PROTOCOL};

/// How often memory is looked at when `--sample-ms` is not given.
const DEFAULT_SAMPLE_INTERVAL: Duration = Duration::from_millis(100);

/// Where reports go when `--report-fd` is not given.
const DEFAULT_REPORT_DESCRIPTOR: RawFd = 4;

/// What the runner asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Options {
    /// Whether the tree is cut off from the network.
    pub wall: bool,
    /// Whether this process already is the one that macOS' `sandbox-exec` started again.
    pub behind_wall: bool,
    /// Time since the start after which the tree is killed although nobody asked; `None` = never.
    pub backstop: Option<Duration>,
    /// Time between two looks at the memory of the tree; `None` = never.
    pub sample_interval: Option<Duration>,
    /// Whether descriptor 3 is a protocol socket for the child.
    pub protocol: bool,
    /// Number of the descriptor that reports are written to; 0 = the control socket.
    pub report_descriptor: RawFd,
    /// Where to make a control group for the tree; `None` = nowhere.
    pub cgroup: Option<PathBuf>,
    /// Numbers of the CPUs that the tree is bound to; empty = whatever the shim may use.
    pub cpus: Vec<u32>,
    /// What to start; looked up in `PATH` if it holds no slash.
    pub program: OsString,
    /// Its arguments, without its name.
    pub arguments: Vec<OsString>,
}

/// Why a command line is not one of the shim's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ArgumentError {
    #[error("unknown option {0:?}; put `--` before the program to start")]
    UnknownOption(OsString),
    #[error("{0} needs a value; add it as the next argument")]
    MissingValue(&'static str),
    #[error("{option} does not take {value:?}; give {expected}")]
    WrongValue {
        option: &'static str,
        value: OsString,
        expected: &'static str,
    },
    #[error("nothing to start; give a program after `--`")]
    NoProgram,
    #[error("--report-fd {0} is taken by the child; give 0, 4 or above, or 3 without --protocol")]
    ReportDescriptorTaken(RawFd),
}

impl Options {
    /// Reads the arguments that follow the verb.
    pub(super) fn parse(
        mut arguments: impl Iterator<Item = OsString>,
    ) -> Result<Self, ArgumentError> {
        let mut options = Self {
            wall: false,
            behind_wall: false,
            backstop: None,
            sample_interval: Some(DEFAULT_SAMPLE_INTERVAL),
            protocol: false,
            report_descriptor: DEFAULT_REPORT_DESCRIPTOR,
            cgroup: None,
            cpus: Vec::new(),
            program: OsString::new(),
            arguments: Vec::new(),
        };
        loop {
            let Some(argument) = arguments.next() else {
                return Err(ArgumentError::NoProgram);
            };
            match argument.to_str() {
                Some("--") => break,
                Some("--wall") => options.wall = wall(&mut arguments)?,
                Some("--behind-wall") => options.behind_wall = true,
                Some("--backstop-ms") => {
                    options.backstop = Some(milliseconds("--backstop-ms", &mut arguments)?);
                }
                Some("--sample-ms") => {
                    let interval = milliseconds("--sample-ms", &mut arguments)?;
                    options.sample_interval = (!interval.is_zero()).then_some(interval);
                }
                Some("--protocol") => options.protocol = true,
                Some("--report-fd") => {
                    options.report_descriptor =
                        number("--report-fd", "the number of a descriptor", &mut arguments)?;
                }
                Some("--cpus") => options.cpus = cpus(&mut arguments)?,
                Some("--cgroup") => {
                    let directory = arguments.next();
                    options.cgroup = Some(
                        directory
                            .ok_or(ArgumentError::MissingValue("--cgroup"))?
                            .into(),
                    );
                }
                _ => return Err(ArgumentError::UnknownOption(argument)),
            }
        }
        let first_free = PROTOCOL + RawFd::from(options.protocol);
        if options.report_descriptor < first_free && options.report_descriptor != CONTROL {
            return Err(ArgumentError::ReportDescriptorTaken(
                options.report_descriptor,
            ));
        }
        options.program = arguments.next().ok_or(ArgumentError::NoProgram)?;
        options.arguments = arguments.collect();
        Ok(options)
    }
}

fn wall(arguments: &mut impl Iterator<Item = OsString>) -> Result<bool, ArgumentError> {
    let value = arguments
        .next()
        .ok_or(ArgumentError::MissingValue("--wall"))?;
    match value.to_str() {
        Some("network") => Ok(true),
        Some("none") => Ok(false),
        _ => Err(ArgumentError::WrongValue {
            option: "--wall",
            value,
            expected: "`network` or `none`",
        }),
    }
}

fn cpus(arguments: &mut impl Iterator<Item = OsString>) -> Result<Vec<u32>, ArgumentError> {
    let value = arguments
        .next()
        .ok_or(ArgumentError::MissingValue("--cpus"))?;
    let list = value.to_str().map(|text| text.split(','));
    let numbers: Option<Vec<u32>> =
        list.and_then(|numbers| numbers.map(|number| number.parse().ok()).collect());
    numbers.ok_or(ArgumentError::WrongValue {
        option: "--cpus",
        value,
        expected: "numbers of CPUs such as `0,1`",
    })
}

fn milliseconds(
    option: &'static str,
    arguments: &mut impl Iterator<Item = OsString>,
) -> Result<Duration, ArgumentError> {
    number(option, "a whole number of milliseconds", arguments).map(Duration::from_millis)
}

fn number<N: std::str::FromStr>(
    option: &'static str,
    expected: &'static str,
    arguments: &mut impl Iterator<Item = OsString>,
) -> Result<N, ArgumentError> {
    let value = arguments
        .next()
        .ok_or(ArgumentError::MissingValue(option))?;
    let parsed = OsStr::to_str(&value).and_then(|text| text.parse().ok());
    parsed.ok_or(ArgumentError::WrongValue {
        option,
        value,
        expected,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, ArgumentError> {
        Options::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn every_option_is_understood() {
        let options = parse(
            "--wall network --backstop-ms 2500 --sample-ms 20 --protocol --report-fd 9 --cgroup /a/b --cpus 0,3 -- ls -l --",
        )
        .unwrap();
        assert!(options.wall && options.protocol);
        assert_eq!(options.backstop, Some(Duration::from_millis(2500)));
        assert_eq!(options.sample_interval, Some(Duration::from_millis(20)));
        assert_eq!(options.report_descriptor, 9);
        assert_eq!(options.cgroup, Some("/a/b".into()));
        assert_eq!(options.cpus, [0, 3]);
        assert_eq!(options.program, "ls");
        assert_eq!(options.arguments, ["-l", "--"]);
    }

    #[test]
    fn without_options_there_is_no_wall_and_no_backstop() {
        let options = parse("-- true").unwrap();
        assert!(!options.wall && !options.protocol);
        assert_eq!(options.backstop, None);
        assert_eq!(options.sample_interval, Some(Duration::from_millis(100)));
        assert_eq!(options.report_descriptor, 4);
        assert_eq!(options.cgroup, None);
    }

    #[test]
    fn reports_may_go_back_through_the_control_socket() {
        for line in ["--report-fd 0 -- true", "--protocol --report-fd 0 -- true"] {
            assert_eq!(parse(line).unwrap().report_descriptor, 0);
        }
    }

    #[test]
    fn a_sample_interval_of_zero_turns_sampling_off() {
        assert_eq!(
            parse("--sample-ms 0 -- true").unwrap().sample_interval,
            None
        );
    }

    #[test]
    fn misuse_names_the_argument_and_the_remedy() {
        for (line, words) in [
            ("--walls none -- true", vec!["--walls", "--"]),
            ("true", vec!["\"true\"", "`--`"]),
            ("--wall", vec!["--wall", "needs a value"]),
            ("--cgroup", vec!["--cgroup", "needs a value"]),
            ("--cpus 1,,2 -- true", vec!["1,,2", "`0,1`"]),
            ("--report-fd -1 -- true", vec!["--report-fd -1", "taken"]),
            (
                "--wall internet -- true",
                vec!["internet", "`network` or `none`"],
            ),
            ("--backstop-ms -5 -- true", vec!["-5", "milliseconds"]),
            ("--backstop-ms 1.5 -- true", vec!["1.5", "milliseconds"]),
            ("--protocol", vec!["nothing to start"]),
            ("--protocol --", vec!["nothing to start"]),
            ("--report-fd 2 -- true", vec!["--report-fd 2", "taken"]),
            (
                "--protocol --report-fd 3 -- true",
                vec!["--report-fd 3", "taken"],
            ),
        ] {
            let message = parse(line).unwrap_err().to_string();
            for word in words {
                assert!(message.contains(word), "{line}: {message}");
            }
        }
    }
}
