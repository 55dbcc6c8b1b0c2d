//! Tests of the whole way from a file to samples, with the files they need.

mod cache;
mod formats;
mod garbage;
mod hostile;
mod manifests;
mod resampling;
mod selectors;
mod wav;

use std::path::PathBuf;

use super::{DecodeError, DecodeLimits, Decoded, Origin, decode};

/// A file of the project's `corpus/fixtures` folder.
fn fixture(name: &str) -> Origin {
    Origin::File(
        [env!("CARGO_MANIFEST_DIR"), "corpus", "fixtures", name]
            .iter()
            .collect(),
    )
}

/// The encoded bytes of a built-in clip.
fn builtin_bytes(id: &str) -> &'static [u8] {
    match super::builtin_clips()
        .find(|clip| clip.id == id)
        .map(|clip| &clip.origin)
    {
        Some(Origin::Builtin { bytes, .. }) => bytes,
        other => panic!("{id} is {other:?}"),
    }
}

/// A folder with one file in it.
struct OneFile {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl OneFile {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("the file is written");
        Self {
            _folder: folder,
            path,
        }
    }

    fn decode(&self) -> Result<Decoded, DecodeError> {
        decode(&Origin::File(self.path.clone()), &DecodeLimits::default())
    }
}

/// How the samples of a WAV file are stored, with the bits of each.
#[derive(Debug, Clone, Copy)]
enum WavKind {
    Integer(u16),
    Float(u16),
}

/// A WAV file of 16-bit samples.
fn wav(rate: u32, channels: u16, values: &[i16]) -> Vec<u8> {
    let data: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    wav_of_kind(rate, channels, WavKind::Integer(16), &data)
}

/// A WAV file around sample data of any kind.
fn wav_of_kind(rate: u32, channels: u16, kind: WavKind, data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).expect("a short file");
    wav_that_states(rate, channels, kind, length, data)
}

/// A WAV file whose header states `length` bytes of data, whatever follows.
fn wav_that_states(rate: u32, channels: u16, kind: WavKind, length: u32, data: &[u8]) -> Vec<u8> {
    let (tag, bits) = match kind {
        WavKind::Integer(bits) => (1_u16, bits),
        WavKind::Float(bits) => (3, bits),
    };
    let frame = channels * bits / 8;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend(length.saturating_add(36).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\x00\x00\x00");
    bytes.extend(tag.to_le_bytes());
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate.to_le_bytes());
    bytes.extend(rate.wrapping_mul(u32::from(frame)).to_le_bytes());
    bytes.extend(frame.to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(length.to_le_bytes());
    bytes.extend(data);
    bytes
}
