//! Manifests that people write, with every mistake reported at once.

use std::path::{Path, PathBuf};

use crate::corpus::{Clip, ManifestProblem, Origin, read_manifest};

struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    /// A folder with the empty audio files `a.wav`, `b.wav` and `sub/c.flac`.
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("sub")).expect("a folder");
        for name in ["a.wav", "b.wav", "sub/c.flac"] {
            std::fs::write(folder.path().join(name), b"").expect("a file");
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(
        &self,
        name: &str,
        content: impl AsRef<[u8]>,
    ) -> Result<Vec<Clip>, Vec<ManifestProblem>> {
        std::fs::write(self.path(name), content).expect("a manifest");
        read_manifest("mine", &self.path(name))
    }

    fn problems(&self, name: &str, content: impl AsRef<[u8]>) -> Vec<ManifestProblem> {
        let problems = self
            .read(name, content)
            .expect_err("the manifest has mistakes");
        for problem in &problems {
            assert!(
                !problem.hint.is_empty() && problem.to_string().contains(name),
                "{problem}"
            );
        }
        problems
    }
}

#[test]
fn csv_and_json_lines_say_the_same() {
    let folder = Folder::new();
    let csv = "id,file,reference,language,speaker\n\
               first,a.wav,\"one, two\",en,Ann\n\
               ,sub/c.flac,,\n";
    let csv = folder
        .read("m.csv", csv.replace(",,\n", ",,,\n"))
        .expect("a valid CSV manifest");
    let lines = "{\"id\":\"first\",\"file\":\"a.wav\",\"reference\":\"one, two\",\"language\":\"en\"}\n\n\
                 {\"file\":\"sub/c.flac\",\"reference\":null,\"language\":\"\",\"speaker\":7}\n";
    let lines = folder.read("m.jsonl", lines).expect("valid JSON Lines");
    assert_eq!(csv, lines);
    let ids: Vec<&str> = csv.iter().map(|clip| clip.id.as_str()).collect();
    assert_eq!(ids, ["mine/first", "mine/c"]);
    assert_eq!(csv[0].reference.as_deref(), Some("one, two"));
    assert_eq!((&csv[1].reference, &csv[1].language), (&None, &None));
    assert_eq!(csv[1].origin, Origin::File(folder.path("sub/c.flac")));
}

#[test]
fn what_windows_programs_add_is_tolerated() {
    let folder = Folder::new();
    let csv = "\u{feff}file,reference,language\r\na.wav,hola,es\r\n";
    let clips = folder
        .read("m.csv", csv)
        .expect("a byte order mark and CRLF are fine");
    assert_eq!(clips[0].reference.as_deref(), Some("hola"));
    assert_eq!(clips[0].language.as_deref(), Some("es"));
    let lines = "\u{feff}{\"file\":\"a.wav\",\"reference\":\"hola\",\"language\":\"es\"}\r\n";
    assert_eq!(
        folder.read("m.jsonl", lines).expect("so are they here"),
        clips
    );
}

#[test]
fn all_mistakes_are_reported_with_their_lines() {
    let folder = Folder::new();
    let csv = "file,reference,language\n\
               a.wav,one,en\n\
               sub/a.wav,two,en\n\
               b.wav,three, with a comma,en\n\
               ,four,en\n\
               a.wav,five,en\n";
    let found: Vec<(u64, Option<String>)> = folder
        .problems("m.csv", csv)
        .into_iter()
        .map(|problem| (problem.line, problem.column))
        .collect();
    let column = |name: &str| Some(name.to_owned());
    // Line 3 names a missing file, whose name without extension is that of line 2 besides.
    assert_eq!(
        found,
        [
            (3, column("file")),
            (3, column("id")),
            (4, None),
            (5, column("file")),
            (6, column("id"))
        ]
    );
}

#[test]
fn a_missing_column_names_those_that_are_there() {
    let problems = Folder::new().problems("m.csv", "file,text,language\na.wav,one,en\n");
    assert_eq!(problems.len(), 1);
    assert_eq!(
        (problems[0].line, problems[0].column.as_deref()),
        (1, Some("reference"))
    );
    assert!(
        problems[0].hint.contains("file, text, language"),
        "{}",
        problems[0]
    );
}

#[test]
fn json_lines_mistakes_have_lines_too() {
    let lines = "{\"file\":\"a.wav\",\"reference\":\"one\"}\n\
                 [1]\n\
                 {\"file\":3,\"reference\":\"\",\"language\":\"\"}\n";
    let problems = Folder::new().problems("m.jsonl", lines);
    let found: Vec<(u64, Option<&str>)> = problems
        .iter()
        .map(|problem| (problem.line, problem.column.as_deref()))
        .collect();
    assert_eq!(found, [(1, Some("language")), (2, None), (3, Some("file"))]);
}

#[test]
fn text_that_is_not_utf_8_is_located() {
    let problems = Folder::new().problems("m.csv", b"file,reference,language\na.wav,caf\xe9,fr\n");
    assert_eq!((problems.len(), problems[0].line), (1, 2));
    assert!(problems[0].message.contains("UTF-8"));
}

#[test]
fn empty_manifests_are_refused() {
    let folder = Folder::new();
    for (name, content) in [
        ("m.csv", ""),
        ("m.csv", "file,reference,language\n"),
        ("m.jsonl", "\n"),
        ("m.csv", "\n"),
    ] {
        assert_eq!(folder.problems(name, content).len(), 1, "{content:?}");
    }
}

#[test]
fn other_extensions_and_missing_manifests_are_refused() {
    let folder = Folder::new();
    assert!(
        folder.problems("m.txt", "file,reference,language\n")[0]
            .hint
            .contains("*.csv")
    );
    let absent = read_manifest("mine", Path::new("absent/m.csv")).expect_err("it is not there");
    assert_eq!((absent.len(), absent[0].line), (1, 0));
}

#[test]
fn ids_that_a_selector_could_not_name_are_refused() {
    let csv = "id,file,reference,language\na*,a.wav,one,en\n";
    let problems = Folder::new().problems("m.csv", csv);
    assert_eq!(problems[0].column.as_deref(), Some("id"));
}

#[test]
fn a_thousand_mistakes_are_summed_up() {
    let csv = format!("file,reference,language\n{}", "x.wav\n".repeat(1_000));
    let problems = Folder::new().problems("m.csv", csv);
    assert_eq!(problems.len(), 51);
    assert!(problems[50].message.contains("950"), "{}", problems[50]);
}
