//! The hub's wrong answers.

use super::connection::{Connection, Over};
use super::fault::Fault;
use super::server::Asked;
use std::io::Read;
use std::sync::atomic::Ordering;
use std::time::Duration;

impl Connection<'_> {
    /// Gives an answer that is wrong.
    pub(super) fn misbehave(
        &mut self,
        asked: &Asked,
        status: u16,
        body: &[u8],
        headers: &str,
        fault: &Fault,
    ) -> Result<(), Over> {
        let with_length = format!("{headers}Content-Length: {}\r\n", body.len());
        let some = |count: usize| &body[..count.min(body.len())];
        match *fault {
            Fault::Silence => return self.hold(),
            Fault::Reset(0) => return self.reset(),
            Fault::Stall(count) => {
                self.head(status, &with_length)?;
                self.body(some(count))?;
                return self.hold();
            }
            Fault::Drip(count) => {
                self.head(status, &with_length)?;
                for piece in body.chunks(count) {
                    self.body(piece)?;
                    self.pause()?;
                }
            }
            Fault::Cut(count) => {
                self.head(status, &with_length)?;
                self.body(some(count))?;
            }
            Fault::Reset(count) => {
                self.head(status, &with_length)?;
                self.body(some(count))?;
                // What has not been read is lost with a reset; the client should see some of it.
                self.pause()?;
                return self.reset();
            }
            Fault::ShortWithoutLength(count) => {
                self.head(status, headers)?;
                self.body(some(count))?;
            }
            Fault::LongWithoutLength => {
                self.head(status, headers)?;
                self.body(body)?;
                self.body(b"and more")?;
            }
            Fault::WrongLength(count) => {
                let headers = format!("{headers}Content-Length: {count}\r\n");
                self.head(status, &headers)?;
                self.body(some(count))?;
            }
            Fault::Page => {
                let page = b"<html>Please log in to this network</html>";
                return self.send(asked, 200, "Content-Type: text/html\r\n", page);
            }
            Fault::Status(status, more, body) => {
                return self.send(asked, status, more, body.as_bytes());
            }
            Fault::Circle => {
                let url = if self.of_cdn {
                    &self.shared.cdn
                } else {
                    &self.shared.url
                };
                let way = format!("Location: {url}{}\r\n", asked.target);
                return self.send(asked, 302, &way, b"");
            }
            Fault::WrongByte => {
                let mut wrong = body.to_vec();
                let middle = wrong.len() / 2;
                wrong[middle] ^= 1;
                return self.bytes(asked, status, headers, &wrong);
            }
            Fault::Compressed => {
                let headers = format!("{headers}Content-Encoding: gzip\r\n");
                return self.bytes(asked, status, &headers, body);
            }
            Fault::RangeIgnored
            | Fault::OtherRange
            | Fault::LyingRange
            | Fault::Lie
            | Fault::Garbage => unreachable!("{fault:?} is no fault of this answer"),
        }
        Err(Over)
    }

    /// Keeps the connection open and says nothing until the client leaves.
    fn hold(&mut self) -> Result<(), Over> {
        let moment = Duration::from_millis(50);
        self.stream.set_read_timeout(Some(moment)).unwrap();
        while !self.shared.closing.load(Ordering::SeqCst) {
            match self.stream.read(&mut [0]) {
                Ok(0) => break,
                Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => break,
                _ => {}
            }
        }
        Err(Over)
    }

    /// Waits 20 ms, or until the client leaves.
    fn pause(&mut self) -> Result<(), Over> {
        let moment = Duration::from_millis(20);
        self.stream.set_read_timeout(Some(moment)).unwrap();
        match self.stream.read(&mut [0]) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(()),
            _ => Err(Over),
        }
    }

    fn reset(&mut self) -> Result<(), Over> {
        rustix::net::sockopt::set_socket_linger(&self.stream, Some(Duration::ZERO)).unwrap();
        Err(Over)
    }
}
