//! Whether a file has the structure of a model of whisper.cpp, before that reads it.
//!
//! whisper.cpp believes what a file says of its own lengths: noise behind a good beginning makes it ask
//! for memory until the machine has none, or abort. The format is that which `whisper_model_load` of
//! whisper.cpp 1.8.3 reads; all numbers are little-endian and have 32 bits:
//!
//! - the magic `ggml`, and eleven numbers, of which the tenth is the number of mel bands;
//! - the mel filter: bands, frequencies, and a float for each pair;
//! - the vocabulary: how many tokens, and for each its length and its bytes;
//! - tensors until the end: dimensions, length of the name, type, sizes, name, data.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// The magic, as a number.
const MAGIC: u32 = 0x6767_6d6c;
/// How many numbers come after it.
const HYPERPARAMETERS: usize = 11;
/// The most tokens of a vocabulary; multilingual Whisper has 51,866.
const MOST_TOKENS: u32 = 1 << 20;
/// The longest name of a tensor; whisper.cpp's own are below 64 bytes.
const LONGEST_NAME: u32 = 256;

/// Walks through a file. What is read is small; the data of tensors is skipped.
///
/// # Errors
///
/// Returns what is wrong, in words.
pub(super) fn check(path: &Path) -> Result<(), String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let length = file.metadata().map_err(|error| error.to_string())?.len();
    Walk {
        left: length,
        reader: BufReader::new(file),
    }
    .model()
    .map_err(|wrong| match wrong.kind() {
        io::ErrorKind::UnexpectedEof => "it ends too early; fetch it again".to_owned(),
        _ => wrong.to_string(),
    })
}

struct Walk {
    reader: BufReader<File>,
    /// Bytes up to the end of the file.
    left: u64,
}

impl Walk {
    fn model(mut self) -> io::Result<()> {
        if self.number()? != MAGIC {
            return Err(wrong(
                "it is no model of whisper.cpp: it does not begin with `ggml`",
            ));
        }
        for _ in 0..HYPERPARAMETERS {
            self.number()?;
        }
        let filter = u64::from(self.number()?) * u64::from(self.number()?);
        self.skip(filter.saturating_mul(4))?;
        let tokens = self.number()?;
        if tokens > MOST_TOKENS {
            return Err(wrong(
                "its vocabulary has no possible length; fetch it again",
            ));
        }
        for _ in 0..tokens {
            let length = self.number()?;
            self.skip(length.into())?;
        }
        let mut tensors = 0;
        while self.left > 0 {
            self.tensor(tensors)?;
            tensors += 1;
        }
        if tensors == 0 {
            return Err(wrong("it has no tensors; fetch it again"));
        }
        Ok(())
    }

    fn tensor(&mut self, position: usize) -> io::Result<()> {
        let damaged = || wrong(&format!("tensor {position} cannot be; fetch it again"));
        let (dimensions, name, kind) = (self.number()?, self.number()?, self.number()?);
        if !(1..=4).contains(&dimensions) || !(1..=LONGEST_NAME).contains(&name) {
            return Err(damaged());
        }
        let mut elements: u64 = 1;
        for _ in 0..dimensions {
            elements = elements.saturating_mul(u64::from(self.number()?));
        }
        self.skip(name.into())?;
        let (block, bytes) = block_of(kind).ok_or_else(damaged)?;
        if elements == 0 || !elements.is_multiple_of(block) {
            return Err(damaged());
        }
        self.skip((elements / block).saturating_mul(bytes))
    }

    fn number(&mut self) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.reader.read_exact(&mut bytes)?;
        self.left = self.left.saturating_sub(4);
        Ok(u32::from_le_bytes(bytes))
    }

    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        if bytes > self.left {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= bytes;
        let offset = i64::try_from(bytes).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        self.reader.seek_relative(offset)
    }
}

/// Returns how many elements of a type are one block, and how many bytes that has: `ggml_type` of
/// ggml.h, with the sizes of its blocks.
fn block_of(kind: u32) -> Option<(u64, u64)> {
    Some(match kind {
        0 => (1, 4),
        1 => (1, 2),
        2 => (32, 18),
        3 => (32, 20),
        6 => (32, 22),
        7 => (32, 24),
        8 => (32, 34),
        10 => (256, 84),
        11 => (256, 110),
        12 => (256, 144),
        13 => (256, 176),
        14 => (256, 210),
        30 => (1, 2),
        _ => return None,
    })
}

fn wrong(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A model of two tokens and one tensor.
    fn model() -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut number = |value: u32| bytes.extend(value.to_le_bytes());
        number(MAGIC);
        (0..11).for_each(&mut number);
        // A filter of two bands and one frequency, two tokens.
        for value in [2, 1, 0, 0, 2] {
            number(value);
        }
        for token in ["a", "bc"] {
            bytes.extend(u32::try_from(token.len()).unwrap().to_le_bytes());
            bytes.extend(token.as_bytes());
        }
        for value in [2_u32, 1, 8, 32, 2] {
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend(b"t");
        bytes.extend([7; 68]);
        bytes
    }

    fn checked(bytes: &[u8]) -> Result<(), String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        check(file.path())
    }

    #[test]
    fn a_model_is_one_and_every_part_of_it_is_none() {
        let model = model();
        assert_eq!(checked(&model), Ok(()));
        for cut in 0..model.len() {
            assert!(checked(&model[..cut]).is_err(), "{cut}");
        }
        assert!(
            checked(b"RIFF....")
                .unwrap_err()
                .contains("begin with `ggml`")
        );
    }

    proptest! {
        #[test]
        fn noise_behind_a_good_beginning_is_refused(
            keep in 0usize..100,
            noise in proptest::collection::vec(0x80u8..0xFF, 200..400),
        ) {
            let mut bytes = model();
            bytes.truncate(keep);
            bytes.extend(noise);
            prop_assert!(checked(&bytes).is_err());
        }
    }
}
