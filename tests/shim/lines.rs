//! Output of a child, line by line, without ever waiting for good.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::support::LIMIT;

/// Lines from a pipe; waits for each, but not for ever.
pub struct Lines(BufReader<File>);

impl Lines {
    pub fn new(pipe: impl Into<OwnedFd>) -> Self {
        Self(BufReader::new(File::from(pipe.into())))
    }

    /// Returns the next line without its end; `None` at end-of-file.
    pub fn next(&mut self) -> Option<String> {
        let mut line = Vec::new();
        while !line.ends_with(b"\n") {
            self.await_data();
            let bytes = self.0.fill_buf().unwrap();
            if bytes.is_empty() {
                break;
            }
            let length = bytes
                .iter()
                .position(|byte| *byte == b'\n')
                .map_or(bytes.len(), |at| at + 1);
            line.extend_from_slice(&bytes[..length]);
            self.0.consume(length);
        }
        let text = String::from_utf8(line).unwrap();
        (!text.is_empty()).then(|| text.trim_end_matches('\n').to_owned())
    }

    fn await_data(&self) {
        if self.0.buffer().is_empty() {
            assert!(
                readable_within(self.0.get_ref(), LIMIT),
                "nothing came within {LIMIT:?}"
            );
        }
    }

    /// Returns what is left up to end-of-file.
    pub fn rest(&mut self) -> String {
        let mut text = Vec::new();
        self.0.read_to_end(&mut text).unwrap();
        String::from_utf8_lossy(&text).into_owned()
    }
}

fn readable_within(descriptor: impl AsFd, limit: Duration) -> bool {
    let limit = Timespec {
        tv_sec: limit.as_secs().cast_signed(),
        tv_nsec: limit.subsec_nanos().into(),
    };
    let mut polled = [PollFd::new(&descriptor, PollFlags::IN)];
    poll(&mut polled, Some(&limit)).unwrap() > 0
}
