//! Messages as lines, and lines out of a stream of bytes.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The longest line that is taken. A day of speech has about a million letters, which stand in
/// `done` twice, each of up to six bytes where it is escaped.
pub const MAXIMUM_LINE_BYTES: usize = 16 * 1024 * 1024;

/// How much of a line is shown to people.
const SHOWN_CHARACTERS: usize = 200;

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
        format!(
            "expected a message, found `{}` ({error})",
            shown(line.trim_ascii_end()).escape_default()
        )
    })
}

/// Returns the start of a line.
fn shown(line: &[u8]) -> String {
    // A character has four bytes at most.
    let start = &line[..line.len().min(4 * SHOWN_CHARACTERS)];
    String::from_utf8_lossy(start)
        .chars()
        .take(SHOWN_CHARACTERS)
        .collect()
}

/// Bytes that have arrived and are not yet whole lines. What a line costs depends on its length
/// alone, however it arrives.
#[derive(Debug, Default)]
pub struct LineBuffer {
    bytes: Vec<u8>,
    /// How many of them are known to hold no line feed.
    searched: usize,
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
        let mut begin = 0;
        while let Some(offset) = line_feed(&self.bytes[self.searched..]) {
            let end = self.searched + offset;
            lines.push(self.bytes[begin..end].to_vec());
            begin = end + 1;
            self.searched = begin;
        }
        self.bytes.drain(..begin);
        self.searched = self.bytes.len();
        let longest = lines.iter().map(Vec::len).max().unwrap_or_default();
        if longest.max(self.bytes.len()) > MAXIMUM_LINE_BYTES {
            let long = lines
                .iter()
                .find(|line| line.len() > MAXIMUM_LINE_BYTES)
                .map_or(self.bytes.as_slice(), Vec::as_slice);
            return Err(format!(
                "a line is longer than {MAXIMUM_LINE_BYTES} bytes; it begins with `{}`",
                shown(long).escape_default()
            ));
        }
        Ok(lines)
    }
}

fn line_feed(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == b'\n')
}

#[cfg(test)]
mod tests {
    use super::super::{Reply, Request};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn garbage_is_shown() {
        let problem = decode::<Reply>(b"Loading model\x1b[2J...").unwrap_err();
        assert!(problem.contains("Loading model\\u{1b}[2J"), "{problem}");
        let long = decode::<Reply>(&vec![b'x'; 1 << 20]).unwrap_err();
        assert!(long.len() < 400, "{}", long.len());
    }

    #[test]
    fn a_line_without_end_is_refused_and_its_start_is_shown() {
        let mut buffer = LineBuffer::default();
        let piece = vec![b'z'; 1 << 20];
        let problem = (0..=16)
            .find_map(|_| buffer.push(&piece).err())
            .expect("seventeen of them are too many");
        assert!(problem.contains("16777216 bytes"), "{problem}");
        assert!(problem.contains("`zzz"), "{problem}");
    }

    /// Bytes that are looked at again and again would make this take minutes.
    #[test]
    fn a_long_line_in_small_pieces_and_many_lines_in_one_cost_what_they_weigh() {
        let mut buffer = LineBuffer::default();
        for _ in 0..(8 << 20) / 64 {
            assert!(buffer.push(&[b'a'; 64]).unwrap().is_empty());
        }
        assert_eq!(buffer.push(b"\n").unwrap()[0].len(), 8 << 20);
        let many = b"ab\n".repeat(1 << 20);
        assert_eq!(buffer.push(&many).unwrap().len(), 1 << 20);
    }

    fn any_line() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(
            any::<u8>().prop_filter("no line feed", |byte| *byte != b'\n'),
            0..40,
        )
    }

    proptest! {
        #[test]
        fn lines_come_out_as_they_went_in_however_the_bytes_arrive(
            lines in proptest::collection::vec(any_line(), 0..20),
            rest in any_line(),
            cuts in proptest::collection::vec(1usize..60, 1..30),
        ) {
            let mut bytes: Vec<u8> = lines.iter().flat_map(|line| [line.as_slice(), b"\n"].concat()).collect();
            bytes.extend(&rest);
            let mut buffer = LineBuffer::default();
            let mut heard = Vec::new();
            let mut left = bytes.as_slice();
            for cut in cuts.iter().cycle() {
                if left.is_empty() {
                    break;
                }
                let (piece, others) = left.split_at((*cut).min(left.len()));
                heard.extend(buffer.push(piece).unwrap());
                left = others;
            }
            prop_assert_eq!(&heard, &lines);
            prop_assert_eq!(buffer.push(b"\n").unwrap(), vec![rest]);
        }

        #[test]
        fn no_bytes_make_a_message_of_garbage_panic(line in any_line()) {
            let _ = decode::<Reply>(&line);
            let _ = decode::<Request>(&line);
        }

        #[test]
        fn a_message_is_one_line_and_comes_back(
            trial in any::<u32>(),
            samples in ".*",
            language in proptest::option::of(".*"),
        ) {
            let request = Request::Transcribe { trial, samples, file: None, language };
            let line = encode(&request);
            prop_assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
            prop_assert_eq!(decode::<Request>(&line).unwrap(), request);
        }
    }
}
