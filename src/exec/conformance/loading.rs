//! Cases of models: those that are none, and one that is.

use super::SubjectModel;
use super::cases::{Case, CaseResult};
use super::kit::Kit;
use super::session::Came;
use crate::model::{EngineFacts, Value};
use crate::protocol::{ErrorKind, Reply, encode};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// How much of a file is kept when it is damaged, and how much noise comes after.
const KEPT: u64 = 64 << 10;
/// The signal by which a library gives up that finds itself in a state that cannot be.
const SIGABRT: i32 = 6;

const LOAD_CASES: [Case; 2] = [Case::Load, Case::SettingsInEffect];

impl<Tell: FnMut(&CaseResult)> Kit<'_, Tell> {
    /// Loads what is no model, then what is one.
    pub(super) async fn loading(&mut self) {
        self.broken_models().await;
        if let SubjectModel::Missing { reason, .. } = &self.subject.model {
            let reason = reason.clone();
            for case in LOAD_CASES {
                self.skip(case, &reason);
            }
            return;
        }
        let limit = self.limits().load;
        let request = self.right_load();
        let observed = match self.running().await {
            Ok(session) => {
                session.say(&request).await;
                let observed = session.hear(limit).await;
                session.loaded = matches!(observed, Came::Reply(Reply::Loaded { .. }));
                observed
            }
            Err(observed) => observed,
        };
        let Came::Reply(Reply::Loaded { seconds, settings }) = &observed else {
            let expected = format!("`loaded` within {} s", limit.as_secs_f64());
            self.fail(Case::Load, observed.words(), &expected);
            self.skip(Case::SettingsInEffect, "nothing was loaded");
            self.drop_session().await;
            return;
        };
        if seconds.is_finite() && (0.0..=limit.as_secs_f64()).contains(seconds) {
            self.ok(Case::Load, format!("{seconds:.3} s"));
        } else {
            let observed = format!("a load of {seconds} s");
            self.fail(Case::Load, observed, "seconds between 0 and the limit");
        }
        match wrong_setting(&self.subject.facts, settings) {
            Some((observed, expected)) => self.fail(Case::SettingsInEffect, observed, &expected),
            None => {
                let told: Vec<String> = settings
                    .iter()
                    .map(|(name, value)| format!("{name} {}", value.written))
                    .collect();
                self.ok(Case::SettingsInEffect, told.join(", "));
            }
        }
    }

    async fn broken_models(&mut self) {
        let cases = [
            Case::MissingModel,
            Case::EmptyModel,
            Case::GarbageModel,
            Case::DamagedModel,
        ];
        if !self.reads_model() {
            for case in cases {
                self.skip(case, "it reads no model");
            }
            return;
        }
        for case in cases {
            match self.broken_model(case) {
                Ok(folder) => self.load_broken(case, folder).await,
                Err(reason) => self.skip(case, &reason),
            }
        }
    }

    /// Makes a folder that holds no model.
    fn broken_model(&self, case: Case) -> Result<PathBuf, String> {
        let folder = self.folder.path().join(case.word());
        let made = |result: io::Result<()>| result.map_err(|error| error.to_string());
        let files = self.subject.model.files();
        match (case, &self.subject.model) {
            (Case::EmptyModel, _) => made(fs::create_dir(&folder))?,
            (Case::GarbageModel, _) if files.is_empty() => {
                return Err("the names of the artifact's files are not known".into());
            }
            (Case::GarbageModel, _) => made(fill_with_noise(&folder, files))?,
            (Case::DamagedModel, SubjectModel::Here { folder: whole, .. }) => {
                made(damage(whole, &folder, files))?;
            }
            (Case::DamagedModel, SubjectModel::Missing { reason, .. }) => {
                return Err(reason.clone());
            }
            _ => {}
        }
        Ok(folder)
    }

    async fn load_broken(&mut self, case: Case, folder: PathBuf) {
        let limit = self.limits().load;
        let bytes = encode(&self.load_of(Some(folder), BTreeMap::new()));
        let observed = match self.running().await {
            Ok(session) => {
                session.say_bytes(&bytes).await;
                session.hear(limit).await
            }
            Err(observed) => observed,
        };
        let may_end = matches!(case, Case::GarbageModel | Case::DamagedModel);
        match &observed {
            Came::Gone(gone) if may_end && gone.exit_code.is_some() => {
                self.ok(case, observed.words());
            }
            Came::Gone(gone) if may_end && gone.signal == Some(SIGABRT) => {
                self.tolerate(case, format!("{}; a run says so", observed.words()));
            }
            other => self.judge_refusal(case, other, Some(ErrorKind::Model)),
        }
        self.calm_down().await;
    }
}

/// Returns what is wrong with the settings that an engine says are in effect, in words.
fn wrong_setting(
    facts: &EngineFacts,
    settings: &BTreeMap<String, Value>,
) -> Option<(String, String)> {
    facts.settings.iter().find_map(|declaration| {
        let name = &declaration.name;
        match settings.get(name) {
            None if declaration.default.is_some() => Some((
                format!("no `{name}` among the settings in effect"),
                "every setting that has a default".to_owned(),
            )),
            None => None,
            Some(value) => declaration.accept(value).err().map(|reason| {
                (
                    format!("`{}`: {reason}", value.written),
                    "a value that it declares".to_owned(),
                )
            }),
        }
    })
}

/// Makes files of noise.
fn fill_with_noise(folder: &Path, files: &[String]) -> io::Result<()> {
    for name in files {
        fs::write(prepare(folder, name)?, noise(4096))?;
    }
    Ok(())
}

/// Copies the beginnings of files, and noise in the place of the rest. Small ones stay as they are.
fn damage(from: &Path, to: &Path, files: &[String]) -> io::Result<()> {
    for name in files {
        let source = File::open(from.join(name))?;
        let is_large = source.metadata()?.len() > KEPT;
        let mut begin = Vec::new();
        source.take(KEPT).read_to_end(&mut begin)?;
        let mut target = File::create(prepare(to, name)?)?;
        target.write_all(&begin)?;
        if is_large {
            target.write_all(&noise(usize::try_from(KEPT).unwrap_or(1 << 16)))?;
        }
    }
    Ok(())
}

/// Returns the path of a file, whose folder is made.
fn prepare(folder: &Path, name: &str) -> io::Result<PathBuf> {
    let path = folder.join(name);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    Ok(path)
}

/// Returns bytes that are no model, the same ones each time (xorshift of Marsaglia, 2003).
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.flatten().take(count).collect()
}
