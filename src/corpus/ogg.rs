//! Does an Ogg file end where its stream ends? (RFC 3533, section 6.)
//!
//! The decoder library reads as many whole pages as there are and then reports the end, so that
//! half a file would pass for a short recording.

use std::io::{self, BufReader, Read, Seek};

/// Bytes before the segment table.
const HEADER_LENGTH: usize = 27;
const MAGIC: &[u8; 4] = b"OggS";
/// The bit of the header type that marks the last page of a stream.
const LAST_PAGE: u8 = 0x04;

/// Returns whether the file ends with a whole page that is marked as the last of its stream.
pub(super) fn ends_with_its_stream(file: impl Read + Seek, length: u64) -> io::Result<bool> {
    let mut file = BufReader::new(file);
    let mut at = 0_u64;
    let mut last_seen = false;
    let mut header = [0; HEADER_LENGTH];
    while at < length {
        if file.read_exact(&mut header).is_err() {
            return Ok(false);
        }
        let [m0, m1, m2, m3, _, kind, .., segments] = header;
        if [m0, m1, m2, m3] != *MAGIC {
            // Bytes after the last page, such as a tag, are no part of the stream.
            return Ok(last_seen);
        }
        let mut table = vec![0; usize::from(segments)];
        if file.read_exact(&mut table).is_err() {
            return Ok(false);
        }
        let body: i64 = table.iter().copied().map(i64::from).sum();
        at += (HEADER_LENGTH + table.len()) as u64 + body.unsigned_abs();
        if at > length {
            return Ok(false);
        }
        file.seek_relative(body)?;
        last_seen = kind & LAST_PAGE != 0;
    }
    Ok(last_seen)
}
