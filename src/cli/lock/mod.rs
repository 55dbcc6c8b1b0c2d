//! `earmark lock`, and what `--locked` does with what it wrote.

mod hold;
mod resolve;

pub(super) use hold::{hold, refuse_other_versions, refuse_unlocked};

use super::arguments::{LockArguments, Selection};
use super::exit::{ExitStatus, Failure, print, say};
use super::load::Ready;
use super::load::plan_of;
use super::merge::counted;
use super::run::{backend_versions, store_here};
use super::saved::keep;
use crate::lockfile::{artifacts_of, lock_of, path_of, text};
use crate::model::AudioSource;
use crate::ui::printable;
use resolve::{Hub, resolve};
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

pub(super) fn run(arguments: &LockArguments) -> Result<ExitStatus, Failure> {
    // What is locked must not depend on which engines the machine at hand can run.
    let selection = Selection {
        ready: Ready::All,
        ..Selection::default()
    };
    let mut plan = plan_of(&arguments.matrix, &selection)?;
    keep(&mut plan);
    let mut missing: Vec<String> = Vec::new();
    for audio in plan.audio.values() {
        for utterance in &audio.utterances {
            if let (AudioSource::File(path), None) = (&utterance.source, &utterance.sha256) {
                missing.push(format!(
                    "the recording `{}` of `{}` cannot be read: {}",
                    utterance.id,
                    audio.id,
                    path.display()
                ));
            }
        }
    }
    let store = store_here()?;
    let mut locked: BTreeMap<String, BTreeMap<String, _>> = BTreeMap::new();
    let hub = Hub {
        asks_always: arguments.update,
        cache: &store.hub,
        deadlines: &plan.deadlines,
    };
    for artifact in artifacts_of(&plan) {
        match resolve(artifact, &store, &hub) {
            Ok(found) => {
                let of_model = locked.entry(artifact.model.clone()).or_default();
                of_model.insert(artifact.id.clone(), found);
            }
            Err(reason) => missing.push(format!(
                "the artifact `{}` of `{}` cannot be locked: {reason}",
                artifact.id, artifact.model
            )),
        }
    }
    let versions = backend_versions(&plan)?;
    if !missing.is_empty() {
        let list: Vec<String> = missing
            .iter()
            .map(|reason| format!("\n  - {}", printable(reason)))
            .collect();
        return Err(Failure::Usage(format!(
            "{} cannot be locked, and nothing was written:{}",
            arguments.matrix.display(),
            list.concat()
        )));
    }
    let name = arguments.matrix.file_name().unwrap_or_default();
    let lock = lock_of(&plan, &name.to_string_lossy(), locked, &versions);
    let path = arguments
        .out
        .clone()
        .unwrap_or_else(|| path_of(&arguments.matrix));
    let written = text(&lock);
    let before = std::fs::read_to_string(&path).ok();
    if before.as_deref() == Some(&written) {
        say(&format!("{} holds already", path.display()));
    } else {
        write_whole(&path, &written).map_err(|error| {
            Failure::Usage(format!("{} cannot be written: {error}", path.display()))
        })?;
        say(&format!(
            "{}: {}, {}, {}",
            if before.is_some() {
                "changed"
            } else {
                "written"
            },
            counted(
                lock.artifacts.values().map(BTreeMap::len).sum(),
                "artifact",
                "artifacts"
            ),
            counted(lock.engines.len(), "engine", "engines"),
            counted(
                lock.audio
                    .values()
                    .map(|audio| audio.recordings.len())
                    .sum(),
                "recording",
                "recordings"
            ),
        ));
    }
    print(&format!("{}\n", path.display()))?;
    Ok(ExitStatus::Success)
}

/// Writes a file whole or not at all: beside it first, then in its place.
fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    // A temporary file is its owner's alone; this one is for everybody who may read the folder.
    let permissions = std::fs::metadata(path).map_or_else(
        |_| std::fs::Permissions::from_mode(0o644),
        |found| found.permissions(),
    );
    file.as_file().set_permissions(permissions)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
