//! Verdicts by size and digest.

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
        sources: vec![Source::Path(folder.to_path_buf())],
        ..Artifact::default()
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
        ("only 3 of 5 bytes have arrived", &|f| {
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
