//! The control pipe or socket: what the runner asks of a running shim.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What the runner asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// SIGTERM to every descendant.
    Terminate,
    /// SIGSTOP to every descendant.
    Stop,
    /// SIGCONT to every descendant.
    Continue,
    /// The end of everything, now.
    Kill,
    /// The pipe is closed: the end of everything, now.
    Closed,
}

/// Read end of the control pipe, or the control socket.
pub(super) struct Control(OwnedFd);

impl Control {
    pub(super) fn new(descriptor: OwnedFd) -> Self {
        Self(descriptor)
    }

    /// Reads what has arrived, oldest first. Waits if nothing has, so ask `Waiter` first. A pipe
    /// that cannot be read counts as closed.
    pub(super) fn read(&self) -> Vec<Request> {
        let mut bytes = [0; 64];
        match rustix::io::read(&self.0, &mut bytes) {
            Ok(0) => vec![Request::Closed],
            Ok(length) => bytes
                .iter()
                .take(length)
                .filter_map(|byte| request(*byte))
                .collect(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Vec::new(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Vec::new(),
            Err(_) => vec![Request::Closed],
        }
    }
}

impl AsFd for Control {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn request(byte: u8) -> Option<Request> {
    match byte {
        b'T' => Some(Request::Terminate),
        b'S' => Some(Request::Stop),
        b'C' => Some(Request::Continue),
        b'K' => Some(Request::Kill),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn requests_come_in_order_and_end_with_the_pipe() {
        let (reader, mut writer) = io::pipe().unwrap();
        let control = Control::new(reader.into());
        writer.write_all(b"S\n?CTK").unwrap();
        assert_eq!(
            control.read(),
            [
                Request::Stop,
                Request::Continue,
                Request::Terminate,
                Request::Kill
            ]
        );
        drop(writer);
        assert_eq!(control.read(), [Request::Closed]);
    }

    #[test]
    fn a_pipe_that_cannot_be_read_counts_as_closed() {
        let (_reader, writer) = io::pipe().unwrap();
        assert_eq!(Control::new(writer.into()).read(), [Request::Closed]);
    }
}
