//! The recordings inside this binary, so that a run works on any machine without a download.
//!
//! The files, their licences and the manifest are in the project's `corpus` folder;
//! `corpus/NOTICE.md` says where each comes from.

use std::sync::LazyLock;

use super::clip::{Clip, DataSet, Origin, RecordedFacts};

/// The manifest of the built-in recordings: CSV with the columns `id`, `file`, `sha256`,
/// `seconds`, `language`, `reference`, `data_sets` (separated by spaces), `licence`, `source`.
pub const BUILTIN_MANIFEST: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/manifest.csv"));

/// Origin, licence and changes of every built-in recording, as Markdown.
pub const BUILTIN_NOTICE: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/NOTICE.md"));

/// Lists files of the corpus folder with their bytes.
macro_rules! embed {
    ($($file:literal),+ $(,)?) => {
        &[$(($file, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/", $file)))),+]
    };
}

/// Every audio file of the manifest. A test holds the two lists against each other.
static FILES: &[(&str, &[u8])] = embed![
    "jfk.flac",
    "arctic-a0007.flac",
    "austen-0870.flac",
    "austen-0920.flac",
    "librispeech-61-70968-0000.flac",
    "sonnet-1.flac",
    "mls-es-13697.flac",
    "common-voice-ja-24511055.flac",
    "format-jfk-16k-mono-mp3.mp3",
    "format-jfk-44k1-stereo-ogg.ogg",
    "format-arctic-a0007-8k-mono-wav.wav",
    "format-arctic-a0007-44k1-mono-wav.wav",
    "format-arctic-a0007-44k1-mono-m4a.m4a",
    "format-sonnet-1-44k1-stereo-mp3.mp3",
    "format-mls-es-48k-mono-opus.opus",
    "format-common-voice-ja-32k-mono-mp3.mp3",
];

static CLIPS: LazyLock<Vec<(Clip, Vec<String>)>> = LazyLock::new(|| {
    let mut reader = csv::Reader::from_reader(BUILTIN_MANIFEST.as_bytes());
    reader
        .deserialize::<Row>()
        .map(|row| {
            row.expect("the manifest in the binary is read by a test")
                .into_clip()
        })
        .collect()
});

#[derive(serde::Deserialize)]
struct Row {
    id: String,
    file: String,
    sha256: String,
    seconds: f64,
    language: String,
    reference: String,
    data_sets: String,
    licence: String,
    source: String,
}

impl Row {
    fn into_clip(self) -> (Clip, Vec<String>) {
        let &(file, bytes) = FILES
            .iter()
            .find(|(file, _)| *file == self.file)
            .expect("a test checks that every file of the manifest is embedded");
        let clip = Clip {
            id: self.id,
            origin: Origin::Builtin { file, bytes },
            reference: Some(self.reference),
            language: Some(self.language),
            licence: Some(self.licence),
            source: Some(self.source),
            recorded: Some(RecordedFacts {
                sha256: self.sha256,
                seconds: self.seconds,
            }),
        };
        (
            clip,
            self.data_sets
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
        )
    }
}

/// Returns the built-in clips in the order of the manifest.
pub fn builtin_clips() -> impl Iterator<Item = &'static Clip> {
    CLIPS.iter().map(|(clip, _)| clip)
}

/// Returns the built-in data sets, in the order in which the manifest first names them:
/// `english`, `all` (both without the format samples) and `formats`.
#[must_use]
pub fn builtin_data_sets() -> Vec<DataSet> {
    let mut sets: Vec<DataSet> = Vec::new();
    for (clip, names) in CLIPS.iter() {
        for name in names {
            match sets.iter_mut().find(|set| set.id == *name) {
                Some(set) => set.clips.push(clip.id.clone()),
                None => sets.push(DataSet {
                    id: name.clone(),
                    clips: vec![clip.id.clone()],
                    manifest: None,
                }),
            }
        }
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_file_is_in_the_manifest_and_the_other_way_round() {
        let listed: Vec<&str> = builtin_clips()
            .map(|clip| match clip.origin {
                Origin::Builtin { file, .. } => file,
                Origin::File(_) => panic!("a built-in clip points to a path"),
            })
            .collect();
        let embedded: Vec<&str> = FILES.iter().map(|(file, _)| *file).collect();
        assert_eq!(listed, embedded);
    }

    #[test]
    fn the_data_sets_of_the_contract_are_there() {
        let sets = builtin_data_sets();
        let sizes: Vec<(&str, usize)> = sets
            .iter()
            .map(|set| (set.id.as_str(), set.clips.len()))
            .collect();
        assert_eq!(sizes, [("english", 6), ("all", 8), ("formats", 8)]);
        assert!(sets[0].clips.contains(&"sonnet-1".to_owned()));
        assert!(!sets[0].clips.contains(&"mls-es-13697".to_owned()));
    }

    #[test]
    fn the_notice_speaks_of_every_file() {
        for (file, _) in FILES {
            assert!(
                BUILTIN_NOTICE.contains(&format!("`{file}`")),
                "{file} is not in NOTICE.md"
            );
        }
    }
}
