//! Messages as lines, and lines out of a stream of bytes.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The longest line that is taken; a transcript of hours fits many times over.
pub const MAXIMUM_LINE_BYTES: usize = 16 * 1024 * 1024;

/// Returns a message as one line with its line feed.
#[must_use]
pub fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    let mut line = serde_json::to_vec(message).expect("messages have string keys");
    line.push(b'\n');
    line
}

/// Reads a message from a line.
///
/// # Errors
///
/// Returns what is wrong, with the start of the line, for people.
pub fn decode<T: DeserializeOwned>(line: &[u8]) -> Result<T, String> {
    serde_json::from_slice(line).map_err(|error| {
        let shown: String = String::from_utf8_lossy(line).chars().take(200).collect();
        format!(
            "expected a message, found `{}` ({error})",
            shown.escape_default()
        )
    })
}

/// Bytes that have arrived and are not yet whole lines.
#[derive(Debug, Default)]
pub struct LineBuffer {
    bytes: Vec<u8>,
}

impl LineBuffer {
    /// Adds bytes and returns the lines that are whole now, without their line feeds.
    ///
    /// # Errors
    ///
    /// Returns the reason if a line grows past [`MAXIMUM_LINE_BYTES`].
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Vec<u8>>, String> {
        self.bytes.extend_from_slice(bytes);
        let mut lines = Vec::new();
        while let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
            let mut line: Vec<u8> = self.bytes.drain(..=end).collect();
            line.pop();
            lines.push(line);
        }
        if self.bytes.len() > MAXIMUM_LINE_BYTES {
            return Err(format!("a line is longer than {MAXIMUM_LINE_BYTES} bytes"));
        }
        Ok(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Reply, Request};
    use super::*;

    #[test]
    fn lines_come_out_whole_however_the_bytes_arrive() {
        let mut bytes = encode(&Request::Shutdown);
        bytes.extend(encode(&Request::Shutdown));
        let mut buffer = LineBuffer::default();
        let lines: Vec<Vec<u8>> = bytes
            .chunks(3)
            .flat_map(|chunk| buffer.push(chunk).unwrap())
            .collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(decode::<Request>(&lines[1]).unwrap(), Request::Shutdown);
    }

    #[test]
    fn garbage_is_shown() {
        let problem = decode::<Reply>(b"Loading model\x1b[2J...").unwrap_err();
        assert!(problem.contains("Loading model\\u{1b}[2J"), "{problem}");
    }
}
