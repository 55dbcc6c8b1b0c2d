//! The clips of a run, and the selectors by which a matrix picks from them.

use std::path::Path;

use globset::GlobBuilder;
use indexmap::IndexMap;

use super::builtin::{builtin_clips, builtin_data_sets};
use super::clip::{Clip, DataSet, Origin};
use super::manifest::{ManifestProblem, is_reserved, read_manifest};

/// Built-in clips and data sets, and those that a matrix defines, in the order of definition.
#[derive(Debug, Clone, Default)]
pub struct Corpus {
    clips: IndexMap<String, Clip>,
    data_sets: IndexMap<String, DataSet>,
}

/// A clip that a selector picked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Id of the clip.
    pub clip: String,
    /// The data set whose id was the selector; `None` where the clip was picked by its own id or
    /// by a glob.
    pub data_set: Option<String>,
}

/// A definition in a matrix that cannot be taken into the corpus.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// The id belongs to another clip or data set.
    #[error("the audio id `{id}` is already taken by a {owner}; choose another id")]
    Taken {
        /// The id.
        id: String,
        /// What has it: `built-in clip`, `clip` or `data set`.
        owner: &'static str,
    },
    /// The id is empty or holds a character that selectors use.
    #[error("`{id}` cannot be an audio id; use letters, digits, `-`, `_` and `.`")]
    BadId {
        /// The id.
        id: String,
    },
    /// The file is not there.
    #[error("there is no audio file `{path}`; check the path, which is relative to the matrix")]
    MissingFile {
        /// The path as it was looked up.
        path: String,
    },
    /// The manifest has problems.
    #[error("the manifest of `{id}` has {} problem(s), the first: {}; mend them all",
        .problems.len(), first(.problems))]
    Manifest {
        /// Id of the data set.
        id: String,
        /// All problems, in the order of the lines.
        problems: Vec<ManifestProblem>,
    },
}

fn first(problems: &[ManifestProblem]) -> String {
    problems
        .first()
        .map(ToString::to_string)
        .unwrap_or_default()
}

/// A selector that picks nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// Neither a clip nor a data set has this id.
    #[error("no clip and no data set is called `{selector}`; use one of the known ids")]
    Unknown {
        /// The selector.
        selector: String,
        /// All ids that could have been meant.
        known: Vec<String>,
    },
    /// The glob is valid and no id matches it.
    #[error("no clip id matches `{selector}`; `*` does not cross a `/`, `**` does")]
    NoMatch {
        /// The selector.
        selector: String,
        /// All clip ids.
        known: Vec<String>,
    },
    /// The glob cannot be read.
    #[error("`{selector}` is not a valid pattern: {message}; mend it, or write a plain id")]
    BadGlob {
        /// The selector.
        selector: String,
        /// What is wrong with it.
        message: String,
    },
}

impl SelectorError {
    /// Returns the known ids, from which the caller may choose what to suggest.
    #[must_use]
    pub fn suggestions(&self) -> &[String] {
        match self {
            Self::Unknown { known, .. } | Self::NoMatch { known, .. } => known,
            Self::BadGlob { .. } => &[],
        }
    }
}

impl Corpus {
    /// Returns the corpus of the built-in clips and data sets.
    #[must_use]
    pub fn builtin() -> Self {
        Self {
            clips: builtin_clips()
                .map(|clip| (clip.id.clone(), clip.clone()))
                .collect(),
            data_sets: builtin_data_sets()
                .into_iter()
                .map(|set| (set.id.clone(), set))
                .collect(),
        }
    }

    /// Adds one recording on disk.
    ///
    /// # Errors
    ///
    /// Fails when the id is taken or unfit, or when no file is at `path`. What is in the file is
    /// not looked at.
    pub fn add_file(
        &mut self,
        id: &str,
        path: &Path,
        reference: Option<&str>,
        language: Option<&str>,
    ) -> Result<(), DefinitionError> {
        self.check_id(id)?;
        if !path.is_file() {
            return Err(DefinitionError::MissingFile {
                path: path.display().to_string(),
            });
        }
        let clip = Clip {
            id: id.to_owned(),
            origin: Origin::File(path.to_path_buf()),
            reference: reference.map(str::to_owned),
            language: language.map(str::to_owned),
            licence: None,
            source: None,
            recorded: None,
        };
        self.clips.insert(id.to_owned(), clip);
        Ok(())
    }

    /// Adds the recordings of a manifest as the data set `id` and returns how many they are.
    ///
    /// # Errors
    ///
    /// Fails when the id is taken or unfit, or when the manifest has a problem; then nothing of
    /// it is added.
    pub fn add_manifest(&mut self, id: &str, path: &Path) -> Result<usize, DefinitionError> {
        self.check_id(id)?;
        let clips = read_manifest(id, path).map_err(|problems| DefinitionError::Manifest {
            id: id.to_owned(),
            problems,
        })?;
        let names: Vec<String> = clips.iter().map(|clip| clip.id.clone()).collect();
        if let Some(taken) = names.iter().find(|name| self.clips.contains_key(*name)) {
            return Err(DefinitionError::Taken {
                id: taken.clone(),
                owner: "clip",
            });
        }
        let count = names.len();
        self.clips
            .extend(clips.into_iter().map(|clip| (clip.id.clone(), clip)));
        self.data_sets.insert(
            id.to_owned(),
            DataSet {
                id: id.to_owned(),
                clips: names,
                manifest: Some(path.to_path_buf()),
            },
        );
        Ok(count)
    }

    fn check_id(&self, id: &str) -> Result<(), DefinitionError> {
        if id.is_empty() || id.chars().any(is_reserved) {
            return Err(DefinitionError::BadId { id: id.to_owned() });
        }
        let owner = match (self.clips.get(id), self.data_sets.get(id)) {
            (
                Some(Clip {
                    origin: Origin::Builtin { .. },
                    ..
                }),
                _,
            ) => "built-in clip",
            (Some(_), _) => "clip",
            (None, Some(_)) => "data set",
            (None, None) => return Ok(()),
        };
        Err(DefinitionError::Taken {
            id: id.to_owned(),
            owner,
        })
    }

    /// Returns the clip with this id.
    #[must_use]
    pub fn clip(&self, id: &str) -> Option<&Clip> {
        self.clips.get(id)
    }

    /// Returns all clips in the order of definition, built-in ones first.
    pub fn clips(&self) -> impl Iterator<Item = &Clip> {
        self.clips.values()
    }

    /// Returns all data sets in the order of definition, built-in ones first.
    pub fn data_sets(&self) -> impl Iterator<Item = &DataSet> {
        self.data_sets.values()
    }

    /// Returns the clips that `selector` picks, in the order of the corpus.
    ///
    /// A selector is the id of a clip, else the id of a data set, else a glob over clip ids, in
    /// which `*` and `?` stop at a `/`, `**` does not, and `{a,b}` and `[a-c]` choose.
    ///
    /// # Errors
    ///
    /// Fails when nothing is picked; the error knows all ids.
    pub fn resolve(&self, selector: &str) -> Result<Vec<Selection>, SelectorError> {
        if let Some(clip) = self.clips.get(selector) {
            return Ok(vec![Selection {
                clip: clip.id.clone(),
                data_set: None,
            }]);
        }
        if let Some(set) = self.data_sets.get(selector) {
            let select = |clip: &String| Selection {
                clip: clip.clone(),
                data_set: Some(set.id.clone()),
            };
            return Ok(set.clips.iter().map(select).collect());
        }
        if !selector.contains(['*', '?', '[', '{']) {
            let known = self
                .clips
                .keys()
                .chain(self.data_sets.keys())
                .cloned()
                .collect();
            return Err(SelectorError::Unknown {
                selector: selector.to_owned(),
                known,
            });
        }
        self.resolve_glob(selector)
    }

    fn resolve_glob(&self, selector: &str) -> Result<Vec<Selection>, SelectorError> {
        let matcher = GlobBuilder::new(selector)
            .literal_separator(true)
            .build()
            .map_err(|error| SelectorError::BadGlob {
                selector: selector.to_owned(),
                message: error.kind().to_string(),
            })?
            .compile_matcher();
        let picked: Vec<Selection> = self
            .clips
            .keys()
            .filter(|id| matcher.is_match(id))
            .map(|id| Selection {
                clip: id.clone(),
                data_set: None,
            })
            .collect();
        if picked.is_empty() {
            let known = self.clips.keys().cloned().collect();
            return Err(SelectorError::NoMatch {
                selector: selector.to_owned(),
                known,
            });
        }
        Ok(picked)
    }
}
