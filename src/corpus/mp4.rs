//! The edit list of an MP4 file: which part of the decoded audio is meant to be heard.
//!
//! AAC encoders put a lead-in of 1024 or more frames before the recording. The container says so
//! in `moov/trak/edts/elst` (ISO/IEC 14496-12, section 8.6.6).

use std::io::{self, Read, Seek, SeekFrom};

/// Boxes looked at before a file is given up as malicious.
const MOST_BOXES: u32 = 10_000;

/// The part of a track that is presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edit {
    /// Where the presented part starts, in ticks of `media_timescale`.
    pub media_start: u64,
    /// Ticks per second of the track.
    pub media_timescale: u32,
    /// Length of the presented part in ticks of `movie_timescale`; zero means up to the end.
    pub length: u64,
    /// Ticks per second of the movie.
    pub movie_timescale: u32,
}

impl Edit {
    /// Returns the first presented frame at `rate` hertz.
    pub fn start_frames(&self, rate: u32) -> u64 {
        scale(self.media_start, rate, self.media_timescale)
    }

    /// Returns the number of presented frames at `rate` hertz, out of `decoded` frames in all
    /// (`None` where unknown).
    ///
    /// The movie's clock is often as coarse as a millisecond. Where the edit and the end of the
    /// track agree within one such tick, the end of the track is the exact answer.
    pub fn length_frames(&self, rate: u32, decoded: Option<u64>) -> Option<u64> {
        let to_the_end = decoded.map(|frames| frames.saturating_sub(self.start_frames(rate)));
        if self.length == 0 {
            return to_the_end;
        }
        let stated = scale(self.length, rate, self.movie_timescale);
        let tick = scale(1, rate, self.movie_timescale) + 1;
        match to_the_end {
            Some(frames) if frames.abs_diff(stated) <= tick => Some(frames),
            Some(frames) => Some(frames.min(stated)),
            None => Some(stated),
        }
    }
}

fn scale(ticks: u64, rate: u32, timescale: u32) -> u64 {
    let scaled = u128::from(ticks) * u128::from(rate) / u128::from(timescale.max(1));
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

/// Reads the edit of track `track_id`. Returns `None` where the file has none, has several, or
/// does not follow the format: then nothing is cut.
pub(super) fn read_edit(file: &mut (impl Read + Seek), length: u64, track_id: u32) -> Option<Edit> {
    let mut boxes_left = MOST_BOXES;
    let moov = find(file, 0, length, *b"moov", &mut boxes_left)?;
    let movie_header = find(file, moov.start, moov.end, *b"mvhd", &mut boxes_left)?;
    let movie_timescale = read_timescale(file, &movie_header).ok()?;
    let mut from = moov.start;
    while let Some(track) = find(file, from, moov.end, *b"trak", &mut boxes_left) {
        from = track.end;
        let header = find(file, track.start, track.end, *b"tkhd", &mut boxes_left)?;
        if read_track_id(file, &header).ok()? != track_id {
            continue;
        }
        let media = find(file, track.start, track.end, *b"mdia", &mut boxes_left)?;
        let media_header = find(file, media.start, media.end, *b"mdhd", &mut boxes_left)?;
        let media_timescale = read_timescale(file, &media_header).ok()?;
        let edits = find(file, track.start, track.end, *b"edts", &mut boxes_left)?;
        let list = find(file, edits.start, edits.end, *b"elst", &mut boxes_left)?;
        let (media_start, length) = read_only_entry(file, &list).ok()??;
        return Some(Edit {
            media_start,
            media_timescale,
            length,
            movie_timescale,
        });
    }
    None
}

/// Returns whether no box of the file reaches past its end. Bytes after the last box that are none
/// themselves are passed over, as players do.
pub(super) fn is_whole(file: &mut (impl Read + Seek), length: u64) -> bool {
    let mut at = 0;
    for _ in 0..MOST_BOXES {
        match read_box(file, at, length) {
            Some(found) if found.payload.end > length => return !found.kind.is_ascii(),
            Some(found) => at = found.payload.end,
            None => break,
        }
    }
    true
}

/// The payload of a box, as positions in the file.
struct Payload {
    start: u64,
    end: u64,
}

struct FoundBox {
    kind: [u8; 4],
    payload: Payload,
}

/// Returns the first box of the given kind between two positions.
fn find(
    file: &mut (impl Read + Seek),
    mut at: u64,
    end: u64,
    kind: [u8; 4],
    boxes_left: &mut u32,
) -> Option<Payload> {
    while at < end {
        *boxes_left = boxes_left.checked_sub(1)?;
        let found = read_box(file, at, end)?;
        if found.payload.end > end {
            return None;
        }
        if found.kind == kind {
            return Some(found.payload);
        }
        at = found.payload.end;
    }
    None
}

/// Reads the header of the box at a position. A box without a size reaches to `end`. Returns `None`
/// where there is no header, or one that states less than itself.
fn read_box(file: &mut (impl Read + Seek), at: u64, end: u64) -> Option<FoundBox> {
    file.seek(SeekFrom::Start(at)).ok()?;
    let short = u64::from(read_u32(file).ok()?);
    let kind = read_array(file).ok()?;
    let (header, size) = match short {
        0 => (8, end.checked_sub(at)?),
        1 => (16, read_u64(file).ok()?),
        size => (8, size),
    };
    let next = at.checked_add(size)?;
    let payload = Payload {
        start: at + header,
        end: next,
    };
    (size >= header).then_some(FoundBox { kind, payload })
}

/// Reads the timescale of an `mvhd` or `mdhd` box: both start alike.
fn read_timescale(file: &mut (impl Read + Seek), payload: &Payload) -> io::Result<u32> {
    let version = read_version(file, payload)?;
    let dates = if version == 1 { 16 } else { 8 };
    file.seek(SeekFrom::Current(dates))?;
    read_u32(file)
}

fn read_track_id(file: &mut (impl Read + Seek), payload: &Payload) -> io::Result<u32> {
    read_timescale(file, payload)
}

/// Returns start and length of the only edit that presents media; empty edits are passed over.
fn read_only_entry(
    file: &mut (impl Read + Seek),
    payload: &Payload,
) -> io::Result<Option<(u64, u64)>> {
    let version = read_version(file, payload)?;
    let entries = read_u32(file)?;
    let mut only = None;
    for _ in 0..entries.min(MOST_BOXES) {
        let (length, start) = if version == 1 {
            (read_u64(file)?, read_u64(file)?.cast_signed())
        } else {
            (
                u64::from(read_u32(file)?),
                i64::from(read_u32(file)?.cast_signed()),
            )
        };
        read_u32(file)?; // The playback rate, which is 1 for audio.
        let Ok(start) = u64::try_from(start) else {
            continue;
        };
        if only.replace((start, length)).is_some() {
            return Ok(None);
        }
    }
    Ok(only)
}

fn read_version(file: &mut (impl Read + Seek), payload: &Payload) -> io::Result<u8> {
    file.seek(SeekFrom::Start(payload.start))?;
    let [version, ..] = read_array::<4>(file)?;
    Ok(version)
}

fn read_array<const LENGTH: usize>(file: &mut impl Read) -> io::Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn read_u32(file: &mut impl Read) -> io::Result<u32> {
    Ok(u32::from_be_bytes(read_array(file)?))
}

fn read_u64(file: &mut impl Read) -> io::Result<u64> {
    Ok(u64::from_be_bytes(read_array(file)?))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn boxed(kind: &[u8], payload: &[u8]) -> Vec<u8> {
        let size = u32::try_from(payload.len() + 8).expect("a short box");
        [size.to_be_bytes().as_slice(), kind, payload].concat()
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    /// A movie of one track with id 7, 44.1 kHz, and these entries of length and start.
    fn movie(entries: &[[u32; 2]]) -> Vec<u8> {
        let count = u32::try_from(entries.len()).expect("few entries");
        let mut list = words(&[0, count]);
        for &[length, start] in entries {
            list.extend(words(&[length, start, 1 << 16]));
        }
        let track = [
            boxed(b"tkhd", &words(&[0, 0, 0, 7])),
            boxed(b"edts", &boxed(b"elst", &list)),
            boxed(b"mdia", &boxed(b"mdhd", &words(&[0, 0, 0, 44_100]))),
        ];
        let movie = [
            boxed(b"mvhd", &words(&[0, 0, 0, 1_000])),
            boxed(b"trak", &track.concat()),
        ];
        [boxed(b"ftyp", b"M4A "), boxed(b"moov", &movie.concat())].concat()
    }

    fn edit(bytes: &[u8], track: u32) -> Option<Edit> {
        read_edit(&mut Cursor::new(bytes), bytes.len() as u64, track)
    }

    #[test]
    fn the_lead_in_of_the_right_track_is_found() {
        let bytes = movie(&[[4_000, 1_024]]);
        let found = edit(&bytes, 7).expect("the list has an entry");
        assert_eq!(found.start_frames(44_100), 1_024);
        assert_eq!(edit(&bytes, 8), None);
    }

    #[test]
    fn empty_edits_are_passed_over_and_several_are_left_alone() {
        let late = movie(&[[500, u32::MAX], [4_000, 1_024]]);
        assert_eq!(edit(&late, 7).map(|edit| edit.media_start), Some(1_024));
        assert_eq!(edit(&movie(&[[1_000, 0], [1_000, 88_200]]), 7), None);
    }

    #[test]
    fn the_length_is_exact_where_the_coarse_clock_agrees() {
        let found = edit(&movie(&[[4_000, 1_024]]), 7).expect("the list has an entry");
        assert_eq!(
            found.length_frames(44_100, Some(1_024 + 176_417)),
            Some(176_417)
        );
        assert_eq!(
            found.length_frames(44_100, Some(1_024 + 180_000)),
            Some(176_400)
        );
        assert_eq!(found.length_frames(44_100, Some(1_024 + 100)), Some(100));
        assert_eq!(found.length_frames(44_100, None), Some(176_400));
    }

    #[test]
    fn a_cut_box_is_told_from_bytes_that_are_none() {
        let whole = movie(&[]);
        let check = |bytes: &[u8]| is_whole(&mut Cursor::new(bytes), bytes.len() as u64);
        assert!(check(&whole));
        assert!(check(&[whole.as_slice(), &[0, 0, 0, 1]].concat()));
        assert!(!check(&whole[..whole.len() - 1]));
    }
}
