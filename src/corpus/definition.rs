//! Clips and data sets as the plan carries them.

use super::clip::{Clip, Origin};
use super::selector::Corpus;
use crate::model::{AudioDefinition, AudioSource, ManifestFile, Utterance};
use globset::GlobMatcher;

impl Corpus {
    /// Returns whether an id is a clip's or a data set's.
    #[must_use]
    pub fn contains(&self, id: &str) -> bool {
        self.clip(id).is_some() || self.data_sets().any(|set| set.id == id)
    }

    /// Returns the ids of all clips, in the order of definition.
    #[must_use]
    pub fn clip_ids(&self) -> Vec<String> {
        self.clips().map(|clip| clip.id.clone()).collect()
    }

    /// Returns the ids of all clips and data sets.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        let mut ids = self.clip_ids();
        ids.extend(self.data_sets().map(|set| set.id.clone()));
        ids
    }

    /// Returns the ids of the clips that a glob matches.
    #[must_use]
    pub fn matching(&self, glob: &GlobMatcher) -> Vec<String> {
        self.clip_ids()
            .into_iter()
            .filter(|id| glob.is_match(id))
            .collect()
    }

    /// Returns what a plan carries of a clip or data set.
    #[must_use]
    pub fn definition(&self, id: &str) -> Option<AudioDefinition> {
        if let Some(clip) = self.clip(id) {
            return Some(AudioDefinition {
                id: id.to_owned(),
                data_set: false,
                manifest: None,
                utterances: vec![utterance(clip)],
            });
        }
        let set = self.data_sets().find(|set| set.id == id)?;
        Some(AudioDefinition {
            id: id.to_owned(),
            data_set: true,
            manifest: set
                .manifest
                .clone()
                .map(|path| ManifestFile { path, sha256: None }),
            utterances: set
                .clips
                .iter()
                .filter_map(|id| self.clip(id))
                .map(utterance)
                .collect(),
        })
    }
}

fn utterance(clip: &Clip) -> Utterance {
    Utterance {
        id: clip.id.clone(),
        source: match &clip.origin {
            Origin::Builtin { .. } => AudioSource::Builtin(clip.id.clone()),
            Origin::File(path) => AudioSource::File(path.clone()),
        },
        reference: clip.reference.clone(),
        language: clip.language.clone(),
        seconds: clip.recorded.as_ref().map(|recorded| recorded.seconds),
        sha256: clip
            .recorded
            .as_ref()
            .map(|recorded| recorded.sha256.clone()),
    }
}

/// Returns the clip that a plan's utterance stands for, so that it can be decoded.
///
/// # Errors
///
/// Returns the reason if a built-in clip is not part of this program any more.
pub fn clip_of(utterance: &Utterance) -> Result<Clip, String> {
    match &utterance.source {
        AudioSource::Builtin(id) => Corpus::builtin().clip(id).cloned().ok_or_else(|| {
            format!("the built-in clip `{id}` is not part of this version; make the plan again")
        }),
        AudioSource::File(path) => Ok(Clip {
            id: utterance.id.clone(),
            origin: Origin::File(path.clone()),
            reference: utterance.reference.clone(),
            language: utterance.language.clone(),
            licence: None,
            source: None,
            recorded: None,
        }),
    }
}
