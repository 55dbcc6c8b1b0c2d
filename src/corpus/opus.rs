//! The identification header of an Opus stream (RFC 7845, section 5.1).
//!
//! The decoder adapter skips the lead-in only as far as it fits into the first packet, and leaves
//! the output gain alone. Both are done here instead.

/// Length of the header without a channel mapping table.
const HEADER_LENGTH: usize = 19;
const MAGIC: &[u8; 8] = b"OpusHead";
/// Where the lead-in stands in the header, as a little-endian 16-bit number.
const PRE_SKIP: std::ops::Range<usize> = 10..12;
/// Where the output gain stands in the header, as a signed number in 1/256 decibel.
const OUTPUT_GAIN: std::ops::Range<usize> = 16..18;

/// What the header says about the decoded audio.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct OpusHeader {
    /// Frames at 48 kHz to drop from the start.
    pub pre_skip: u16,
    /// Factor for every sample.
    pub gain: f64,
}

impl OpusHeader {
    /// Reads the header, or returns `None` where the bytes are not one.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.len() < HEADER_LENGTH || !bytes.starts_with(MAGIC) {
            return None;
        }
        let pre_skip = u16::from_le_bytes(bytes.get(PRE_SKIP)?.try_into().ok()?);
        let gain = i16::from_le_bytes(bytes.get(OUTPUT_GAIN)?.try_into().ok()?);
        let gain = 10_f64.powf(f64::from(gain) / (20.0 * 256.0));
        Some(Self { pre_skip, gain })
    }

    /// Returns the header bytes with a lead-in of zero, so that nobody else skips it again.
    pub fn without_pre_skip(bytes: &[u8]) -> Box<[u8]> {
        let mut copy = Box::<[u8]>::from(bytes);
        if let Some(field) = copy.get_mut(PRE_SKIP) {
            field.fill(0);
        }
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(pre_skip: u16, gain: i16) -> Vec<u8> {
        let mut bytes = b"OpusHead\x01\x01".to_vec();
        bytes.extend(pre_skip.to_le_bytes());
        bytes.extend(48_000_u32.to_le_bytes());
        bytes.extend(gain.to_le_bytes());
        bytes.push(0);
        bytes
    }

    #[test]
    fn lead_in_and_gain_are_read() {
        let read = OpusHeader::read(&header(3_840, -6 * 256)).expect("a whole header");
        assert_eq!(read.pre_skip, 3_840);
        assert!((read.gain - 0.501_187).abs() < 1e-6, "{}", read.gain);
        assert_eq!(OpusHeader::read(&header(0, 0)[..18]), None);
    }

    #[test]
    fn the_lead_in_can_be_taken_out() {
        let bytes = OpusHeader::without_pre_skip(&header(312, 256));
        let read = OpusHeader::read(&bytes).expect("still a header");
        assert_eq!(read.pre_skip, 0);
        assert!(read.gain > 1.0);
    }
}
