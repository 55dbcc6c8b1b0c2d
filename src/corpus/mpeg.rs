//! Does an MP3 file end in the middle of a frame?
//!
//! An MPEG audio stream has no end mark, and the decoder library stops without a word at a frame
//! that is cut short. What follows the last whole frame tells.

use std::io;

use super::source::Source;

/// Longer than any MPEG audio frame with the tags that may follow it.
const TAIL: u64 = 64 * 1024;
/// The first byte of a frame header.
const SYNC: u8 = 0xff;
/// The rest of the sync word, version and layer in the second byte.
const SYNC_AND_VERSION: u8 = 0xfe;
/// The sample rate in the third byte.
const SAMPLE_RATE: u8 = 0x0c;

/// Returns whether the beginning of another frame, of the same kind, follows `last_frame` at the
/// end of the file.
pub(super) fn ends_within_a_frame(source: &Source<'_>, last_frame: &[u8]) -> io::Result<bool> {
    let tail = source.tail(TAIL)?;
    Ok(starts_a_frame_after(&tail, last_frame))
}

fn starts_a_frame_after(tail: &[u8], last_frame: &[u8]) -> bool {
    if last_frame.len() < 4 || tail.len() < last_frame.len() {
        return false;
    }
    let found = tail
        .windows(last_frame.len())
        .rposition(|window| window == last_frame);
    let Some(rest) = found.and_then(|at| tail.get(at + last_frame.len()..)) else {
        return false;
    };
    let same = |at: usize, mask: u8| {
        let pair = rest.get(at).zip(last_frame.get(at));
        pair.is_some_and(|(next, last)| next & mask == last & mask)
    };
    // The fields of a frame header that stay the same throughout a stream.
    rest.len() >= 3 && same(0, SYNC) && same(1, SYNC_AND_VERSION) && same(2, SAMPLE_RATE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: [u8; 6] = [0xff, 0xfb, 0x90, 0x00, 0x11, 0x22];

    #[test]
    fn half_a_frame_after_the_last_whole_one_is_seen() {
        let mut tail = vec![1, 2, 3];
        tail.extend(FRAME);
        assert!(!starts_a_frame_after(&tail, &FRAME));
        tail.extend([0xff, 0xfb, 0xa0, 0x00]);
        assert!(starts_a_frame_after(&tail, &FRAME));
    }

    #[test]
    fn a_tag_after_the_last_frame_is_no_frame() {
        let mut tail = FRAME.to_vec();
        tail.extend(b"TAGtitle");
        assert!(!starts_a_frame_after(&tail, &FRAME));
    }
}
