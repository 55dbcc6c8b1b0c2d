//! A lock file as text: sorted, a line for each file, the same bytes for the same content.

use super::file::{LockFile, LockedArtifact, LockedFile, LockedSource};
use std::fmt::Write;

/// Returns the text of a lock file.
#[must_use]
pub fn text(lock: &LockFile) -> String {
    let mut out =
        String::from("# Written by `earmark lock`; `--locked` refuses what is not in here.\n");
    // Writing into a string cannot fail.
    let _ = writeln!(out, "version: {}", lock.version);
    let _ = writeln!(out, "matrix: {}", scalar(&lock.matrix));
    section(&mut out, "artifacts", lock.artifacts.is_empty());
    for (model, artifacts) in &lock.artifacts {
        let _ = writeln!(out, "  {}:", scalar(model));
        for (id, artifact) in artifacts {
            let _ = writeln!(out, "    {}:", scalar(id));
            write_artifact(&mut out, artifact);
        }
    }
    section(&mut out, "engines", lock.engines.is_empty());
    for (id, version) in &lock.engines {
        let _ = writeln!(out, "  {}: {}", scalar(id), scalar(version));
    }
    section(&mut out, "audio", lock.audio.is_empty());
    for (id, audio) in &lock.audio {
        let _ = writeln!(out, "  {}:", scalar(id));
        if let Some(manifest) = &audio.manifest {
            let _ = writeln!(out, "    manifest: {}", scalar(manifest));
        }
        section(&mut out, "    recordings", audio.recordings.is_empty());
        for (recording, digest) in &audio.recordings {
            let _ = writeln!(out, "      {}: {}", scalar(recording), scalar(digest));
        }
    }
    out
}

fn section(out: &mut String, name: &str, is_empty: bool) {
    let _ = writeln!(out, "{name}:{}", if is_empty { " {}" } else { "" });
}

fn write_artifact(out: &mut String, artifact: &LockedArtifact) {
    let LockedSource {
        hub,
        revision,
        commit,
        recipe,
        url,
        path,
    } = &artifact.source;
    let fields = [
        ("hub", hub),
        ("revision", revision),
        ("commit", commit),
        ("recipe", recipe),
        ("url", url),
    ];
    let mut parts: Vec<String> = fields
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}: {}", scalar(value.as_ref()?))))
        .collect();
    if let Some(path) = path {
        parts.push(format!("path: {path}"));
    }
    let _ = writeln!(out, "      source: {{{}}}", parts.join(", "));
    let _ = writeln!(out, "      files:");
    for (name, file) in &artifact.files {
        let LockedFile {
            bytes,
            sha256,
            git_blob,
        } = file;
        let digest = match (sha256, git_blob) {
            (Some(digest), _) => format!(", sha256: {}", scalar(digest)),
            (None, Some(digest)) => format!(", git-blob: {}", scalar(digest)),
            (None, None) => String::new(),
        };
        let _ = writeln!(out, "        {}: {{bytes: {bytes}{digest}}}", scalar(name));
    }
}

/// Returns a text as a YAML scalar that every reader takes for a text: plain where that is sure,
/// else in double quotes with the escapes of JSON, which are YAML's too.
fn scalar(text: &str) -> String {
    let plain = text
        .starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._/+-".contains(&byte))
        // `123`, `1e5`, `0x1f`, `1.2.3` is none of them, but old readers take `12_3` for one.
        && text.bytes().any(|byte| byte.is_ascii_alphabetic() && byte != b'e')
        && !text.starts_with("0x")
        && !text.starts_with("0o")
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n", "inf", "nan"]
            .contains(&text.to_ascii_lowercase().as_str());
    if plain {
        text.to_owned()
    } else {
        serde_json::Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::super::file::LockedAudio;
    use super::*;
    use crate::diagnostic::{Diagnostics, SourceText};
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    fn lock(name: &str, version: &str, digest: &str) -> LockFile {
        let file = LockedFile {
            bytes: 5,
            sha256: Some(digest.into()),
            git_blob: None,
        };
        let artifact = LockedArtifact {
            source: LockedSource {
                hub: Some("owner/name".into()),
                revision: Some("main".into()),
                commit: Some("a".repeat(40)),
                recipe: None,
                url: None,
                path: None,
            },
            files: BTreeMap::from([(name.to_owned(), file)]),
        };
        LockFile {
            version: 1,
            matrix: "quickstart.yaml".into(),
            artifacts: BTreeMap::from([(
                "tiny.en".into(),
                BTreeMap::from([("ggml-f16".to_owned(), artifact)]),
            )]),
            engines: BTreeMap::from([("whisper-cpp".into(), version.to_owned())]),
            audio: BTreeMap::from([(
                "jfk".into(),
                LockedAudio {
                    manifest: None,
                    recordings: BTreeMap::from([("jfk".into(), digest.to_owned())]),
                },
            )]),
        }
    }

    fn read_again(text: &str) -> LockFile {
        let mut problems = Diagnostics::default();
        let source = SourceText {
            path: "x.lock.yaml".into(),
            text: text.to_owned(),
        };
        let read = super::super::read(Arc::new(source), &mut problems);
        read.unwrap_or_else(|| panic!("{problems}\n{text}"))
    }

    #[test]
    fn a_lock_file_reads_as_people_expect() {
        insta::assert_snapshot!(text(&lock("ggml-tiny.en.bin", "1.8.3", &"12e4".repeat(16))), @r#"
        # Written by `earmark lock`; `--locked` refuses what is not in here.
        version: 1
        matrix: quickstart.yaml
        artifacts:
          tiny.en:
            ggml-f16:
              source: {hub: owner/name, revision: main, commit: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}
              files:
                ggml-tiny.en.bin: {bytes: 5, sha256: "12e412e412e412e412e412e412e412e412e412e412e412e412e412e412e412e4"}
        engines:
          whisper-cpp: "1.8.3"
        audio:
          jfk:
            recordings:
              jfk: "12e412e412e412e412e412e412e412e412e412e412e412e412e412e412e412e4"
        "#);
    }

    proptest! {
        /// Whatever names hold, what is read again is what was written.
        #[test]
        fn any_names_survive(name in "\\PC{1,20}", version in "\\PC{1,20}", digest in "[0-9a-f]{64}") {
            let lock = lock(&name, &version, &digest);
            let again = read_again(&text(&lock));
            prop_assert_eq!(again, lock);
        }
    }
}
