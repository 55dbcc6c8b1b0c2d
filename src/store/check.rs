//! Is an artifact there, whole and right? By `stat`, and by reading it where the method asks.

use super::digest::sha256_until;
use crate::model::{Artifact, ArtifactFile, FileFinding, ManifestOrigin, Verdict, VerifyFinding};
use rayon::prelude::*;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// Looks for an artifact in each folder it may lie in, in their order. Returns the finding of the
/// first that is complete, else of the first where anything is, else that it is missing.
#[must_use]
pub fn check(artifact: &Artifact, folders: &[impl AsRef<Path>], digests: bool) -> VerifyFinding {
    check_until(artifact, folders, digests, &AtomicBool::new(false))
}

/// The same as [`check`], given up as soon as `stop` is set: what has not been read then is an
/// error.
#[must_use]
pub fn check_until(
    artifact: &Artifact,
    folders: &[impl AsRef<Path>],
    digests: bool,
    stop: &AtomicBool,
) -> VerifyFinding {
    let mut best: Option<VerifyFinding> = None;
    for folder in folders {
        let finding = check_folder(artifact, folder.as_ref(), digests, stop);
        if finding.verdict == Verdict::Complete {
            return finding;
        }
        if best
            .as_ref()
            .is_none_or(|best| best.verdict == Verdict::Missing)
        {
            best = Some(finding);
        }
    }
    best.unwrap_or_else(|| VerifyFinding::plain(Verdict::Missing, "there is no place to look in"))
}

fn check_folder(
    artifact: &Artifact,
    folder: &Path,
    digests: bool,
    stop: &AtomicBool,
) -> VerifyFinding {
    let files: Vec<FileFinding> = artifact
        .files
        .iter()
        .collect::<Vec<_>>()
        .par_iter()
        .map(|(name, expected)| check_file(folder, name, expected, digests.then_some(stop)))
        .collect();
    combine(artifact, folder, files)
}

/// Returns the verdict on an artifact from those on its files.
#[must_use]
pub fn combine(artifact: &Artifact, folder: &Path, files: Vec<FileFinding>) -> VerifyFinding {
    let count = |word: &str| files.iter().filter(|file| file.verdict == word).count();
    let verdict = if count("complete") == files.len() {
        Verdict::Complete
    } else if count("missing") == files.len() {
        Verdict::Missing
    } else if count("error") > 0 {
        Verdict::Error
    } else if count("corrupt") > 0 {
        Verdict::Corrupt
    } else if count("missing") + count("incomplete") > 0 {
        Verdict::Incomplete
    } else {
        Verdict::Unknown
    };
    let faults: Vec<String> = files
        .iter()
        .filter(|file| file.verdict != "complete")
        .map(|file| format!("{}: {}", file.name, file.reason))
        .collect();
    let reason = match verdict {
        Verdict::Complete => String::new(),
        Verdict::Missing => format!("nothing of it is in {}", folder.display()),
        _ => format!("{} ({})", faults.join("; "), folder.display()),
    };
    VerifyFinding {
        verdict,
        reason,
        bytes_present: files.iter().map(|file| file.bytes_present).sum(),
        bytes_expected: artifact.expected_bytes(),
        files,
        network_wall: "none-needed".into(),
        manifest: ManifestOrigin::Catalog,
        remembered: false,
    }
}

/// Looks at one file; reads it if `read` is there, until that is set.
fn check_file(
    folder: &Path,
    name: &str,
    expected: &ArtifactFile,
    read: Option<&AtomicBool>,
) -> FileFinding {
    let started = Instant::now();
    let mut finding = FileFinding {
        name: name.to_owned(),
        verdict: String::new(),
        reason: String::new(),
        bytes_present: 0,
        bytes_expected: expected.bytes,
        seconds: 0.0,
    };
    let (verdict, reason) = judge(folder, name, expected, read, &mut finding.bytes_present);
    finding.verdict = verdict.into();
    finding.reason = reason;
    finding.seconds = started.elapsed().as_secs_f64();
    finding
}

fn judge(
    folder: &Path,
    name: &str,
    expected: &ArtifactFile,
    read: Option<&AtomicBool>,
    present: &mut u64,
) -> (&'static str, String) {
    let path = folder.join(name);
    let metadata = match fs::metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return judge_absent(&path),
        Err(error) => return ("error", error.to_string()),
    };
    if !metadata.is_file() {
        return ("error", "is not a file".into());
    }
    *present = metadata.len();
    if metadata.len() == 0 && expected.bytes != Some(0) {
        return ("incomplete", "is empty".into());
    }
    if let Some(bytes) = expected.bytes {
        if metadata.len() < bytes {
            return (
                "incomplete",
                format!("has {} of {bytes} bytes", metadata.len()),
            );
        }
        if metadata.len() > bytes {
            return (
                "corrupt",
                format!("has {} bytes, expected {bytes}", metadata.len()),
            );
        }
    }
    if let Err(error) = fs::File::open(&path) {
        return ("error", format!("cannot be read: {error}"));
    }
    let Some(stop) = read else {
        return match expected.bytes {
            Some(_) => ("complete", String::new()),
            None => ("unknown", "no manifest: its size is not known".into()),
        };
    };
    let Some(wanted) = &expected.sha256 else {
        return ("unknown", "no manifest: its digest is not known".into());
    };
    match sha256_until(&path, stop) {
        Ok(found) if found == *wanted => ("complete", String::new()),
        Ok(found) => ("corrupt", format!("SHA-256 is {found}, expected {wanted}")),
        Err(error) => ("error", format!("cannot be read: {error}")),
    }
}

/// A file that is not there: never there, a link to nothing, or begun and not finished.
fn judge_absent(path: &Path) -> (&'static str, String) {
    if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
        return ("incomplete", "is a link to nothing".into());
    }
    let mut partial = path.as_os_str().to_owned();
    partial.push(".incomplete");
    match fs::metadata(&partial) {
        Ok(metadata) => (
            "incomplete",
            format!("only {} bytes have arrived", metadata.len()),
        ),
        Err(_) => ("missing", "is not there".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Source;
    use std::os::unix::fs::symlink;

    /// SHA-256 of `hello`.
    const HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

    fn artifact(folder: &Path) -> Artifact {
        let file = |bytes| ArtifactFile {
            bytes: Some(bytes),
            sha256: Some(HELLO.into()),
            git_blob: None,
        };
        Artifact {
            model: "m".into(),
            id: "a".into(),
            files: [
                ("one.bin".to_owned(), file(5)),
                ("two.bin".to_owned(), file(5)),
            ]
            .into_iter()
            .collect(),
            patterns: Vec::new(),
            approximate_bytes: None,
            sources: vec![Source::Path(folder.to_path_buf())],
            built_in: false,
        }
    }

    fn verdicts(arrange: impl Fn(&Path)) -> (VerifyFinding, VerifyFinding) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("one.bin"), "hello").unwrap();
        fs::write(folder.path().join("two.bin"), "hello").unwrap();
        arrange(folder.path());
        let artifact = artifact(folder.path());
        (
            check(&artifact, &[folder.path()], false),
            check(&artifact, &[folder.path()], true),
        )
    }

    #[test]
    fn whole_files_are_complete() {
        let (sizes, digests) = verdicts(|_| {});
        assert_eq!(sizes.verdict, Verdict::Complete);
        assert_eq!(digests.verdict, Verdict::Complete);
        assert_eq!(
            (digests.bytes_present, digests.bytes_expected),
            (10, Some(10))
        );
    }

    #[test]
    fn only_a_digest_sees_a_flipped_byte() {
        let (sizes, digests) = verdicts(|f| fs::write(f.join("two.bin"), "hallo").unwrap());
        assert_eq!(sizes.verdict, Verdict::Complete);
        assert_eq!(digests.verdict, Verdict::Corrupt);
        assert!(
            digests.reason.contains("two.bin: SHA-256 is d3751d33"),
            "{}",
            digests.reason
        );
    }

    #[test]
    fn each_way_of_being_incomplete_is_named() {
        type Arrange<'a> = &'a dyn Fn(&Path);
        let cases: [(&str, Arrange<'_>); 5] = [
            ("is not there", &|f| {
                fs::remove_file(f.join("two.bin")).unwrap();
            }),
            ("has 2 of 5 bytes", &|f| {
                fs::write(f.join("two.bin"), "he").unwrap();
            }),
            ("is empty", &|f| fs::write(f.join("two.bin"), "").unwrap()),
            ("is a link to nothing", &|f| {
                fs::remove_file(f.join("two.bin")).unwrap();
                symlink("nowhere", f.join("two.bin")).unwrap();
            }),
            ("only 3 bytes have arrived", &|f| {
                fs::remove_file(f.join("two.bin")).unwrap();
                fs::write(f.join("two.bin.incomplete"), "hel").unwrap();
            }),
        ];
        for (reason, arrange) in cases {
            let (sizes, _) = verdicts(arrange);
            assert_eq!(sizes.verdict, Verdict::Incomplete, "{reason}");
            assert!(
                sizes.reason.contains(reason),
                "{} lacks {reason}",
                sizes.reason
            );
        }
    }

    #[test]
    fn too_long_is_corrupt_a_folder_is_an_error_and_nothing_is_missing() {
        assert_eq!(
            verdicts(|f| fs::write(f.join("one.bin"), "hello!").unwrap())
                .0
                .verdict,
            Verdict::Corrupt
        );
        let (folder_in_place, _) = verdicts(|f| {
            fs::remove_file(f.join("one.bin")).unwrap();
            fs::create_dir(f.join("one.bin")).unwrap();
        });
        assert_eq!(folder_in_place.verdict, Verdict::Error);
        let (nothing, _) = verdicts(|f| {
            fs::remove_file(f.join("one.bin")).unwrap();
            fs::remove_file(f.join("two.bin")).unwrap();
        });
        assert_eq!(nothing.verdict, Verdict::Missing);
    }
}
