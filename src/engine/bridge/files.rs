//! The bridges' files and the locks of their environments. They are part of this program and are
//! written out before they are used, so that a bare binary has them.

use crate::model::hexadecimal;
use sha2::{Digest, Sha256};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

macro_rules! embedded {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../../bridges/", $folder, $name)))),+]
    };
}

/// The bridges and what they share.
const FILES: [(&str, &str); 17] = embedded!("":
    "bridge_engine.py",
    "bridge_mlx.py",
    "bridge_program.py",
    "bridge_settings.py",
    "earmark_bridge.py",
    "faster_whisper.py",
    "fluidaudio.py",
    "lightning_whisper_mlx.py",
    "mlx_whisper.py",
    "moonshine.py",
    "openai_http.py",
    "openai_whisper.py",
    "parakeet_mlx.py",
    "sherpa_onnx.py",
    "transformers_whisper.py",
    "whisper_mps.py",
    "whisperkit.py",
);

/// What each environment holds, every file by its digest.
const LOCKS: [(&str, &str); 5] = embedded!("locks/":
    "faster-whisper.txt",
    "mlx.txt",
    "moonshine.txt",
    "sherpa-onnx.txt",
    "torch.txt",
);

/// How the name of the folder begins that the files are written to.
const FOLDER: &str = "bridges-";
/// How many characters of the files' digest its name has.
const DIGITS: usize = 16;

/// Returns the lock of an environment.
pub(super) fn lock_of(environment: &str) -> Option<&'static str> {
    LOCKS
        .iter()
        .find(|(name, _)| name.strip_suffix(".txt") == Some(environment))
        .map(|(_, text)| *text)
}

/// Returns the SHA-256 of a text.
pub(super) fn digest_of(text: &str) -> String {
    hexadecimal(&Sha256::digest(text))
}

/// Returns the folder in which this program's bridges lie under a folder. Its name says what is in it,
/// so that two versions of this program do not disturb one another.
pub(super) fn folder_in(root: &Path) -> PathBuf {
    let mut all = Sha256::new();
    for (name, text) in FILES {
        all.update(name);
        all.update([0]);
        all.update(text);
        all.update([0]);
    }
    root.join(format!(
        "{FOLDER}{}",
        &hexadecimal(&all.finalize())[..DIGITS]
    ))
}

/// Writes the files under a folder, unless they are there.
pub(super) fn write_into(root: &Path) -> io::Result<PathBuf> {
    let folder = folder_in(root);
    if folder.is_dir() {
        return Ok(folder);
    }
    fs::create_dir_all(root)?;
    let making = tempfile::Builder::new()
        .prefix(&format!(".{FOLDER}"))
        .tempdir_in(root)?;
    for (name, text) in FILES {
        fs::write(making.path().join(name), text)?;
    }
    match fs::rename(making.path(), &folder) {
        // It is not where it was made any more, and nothing is there to be removed.
        Ok(()) => Ok(folder),
        // Another program has written the same.
        Err(_) if folder.is_dir() => Ok(folder),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::bridges;

    #[test]
    fn every_bridge_and_every_lock_is_part_of_the_program() {
        for (id, bridge) in bridges() {
            assert!(FILES.iter().any(|(name, _)| *name == bridge.file), "{id}");
            if let Some(environment) = &bridge.environment {
                let lock = lock_of(environment).unwrap();
                let pin = format!(
                    "{}=={}",
                    bridge.package.as_deref().unwrap(),
                    bridge.version.as_deref().unwrap()
                );
                assert!(lock.contains(&pin), "{id}: {pin}");
            }
        }
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("bridges");
        for entry in fs::read_dir(source).unwrap().flatten() {
            let name = entry.file_name().into_string().unwrap();
            let is_code = Path::new(&name).extension().is_some_and(|e| e == "py");
            let is_here = FILES.iter().any(|(known, _)| *known == name);
            assert_eq!(is_code && name != "engine_table.py", is_here, "{name}");
        }
    }

    #[test]
    fn the_files_are_written_once_and_whole() {
        let root = tempfile::tempdir().unwrap();
        let folder = write_into(root.path()).unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), FILES.len());
        fs::write(folder.join("mark"), "").unwrap();
        assert_eq!(write_into(root.path()).unwrap(), folder);
        assert!(folder.join("mark").exists());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }
}
