//! What a matrix may write under `audio`.

use crate::corpus::{Corpus, DefinitionError, SelectorError};

fn picked(corpus: &Corpus, selector: &str) -> Vec<String> {
    let selections = corpus
        .resolve(selector)
        .unwrap_or_else(|error| panic!("{error}"));
    selections
        .into_iter()
        .map(|selection| selection.clip)
        .collect()
}

/// The built-in corpus with the file `clip` and the data set `set` of `one` and `two`.
fn corpus() -> (tempfile::TempDir, Corpus) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name);
    for name in ["one.wav", "two.wav"] {
        std::fs::write(path(name), b"").expect("a file");
    }
    let csv = "file,reference,language\ntwo.wav,two,en\none.wav,one,en\n";
    std::fs::write(path("set.csv"), csv).expect("a manifest");
    let mut corpus = Corpus::builtin();
    corpus
        .add_file("clip", &path("one.wav"), Some("one"), Some("en"))
        .expect("a new id");
    assert_eq!(
        corpus
            .add_manifest("set", &path("set.csv"))
            .expect("a valid manifest"),
        2
    );
    (folder, corpus)
}

#[test]
fn ids_globs_and_data_sets_pick_clips() {
    let (_folder, corpus) = corpus();
    assert_eq!(picked(&corpus, "jfk"), ["jfk"]);
    assert_eq!(picked(&corpus, "austen-*"), ["austen-0870", "austen-0920"]);
    assert_eq!(picked(&corpus, "{jfk,sonnet-?}"), ["jfk", "sonnet-1"]);
    assert_eq!(picked(&corpus, "english").len(), 6);
    assert_eq!(picked(&corpus, "clip"), ["clip"]);
    assert_eq!(picked(&corpus, "set"), ["set/two", "set/one"]);
    assert_eq!(picked(&corpus, "set/o*"), ["set/one"]);
}

#[test]
fn a_star_stays_within_its_folder_and_keeps_the_order_of_the_corpus() {
    let (_folder, corpus) = corpus();
    let all = picked(&corpus, "*");
    assert_eq!(all.first().map(String::as_str), Some("jfk"));
    assert_eq!(all.last().map(String::as_str), Some("clip"));
    assert!(all.iter().all(|id| !id.contains('/')));
    assert_eq!(picked(&corpus, "**").len(), all.len() + 2);
}

#[test]
fn the_data_set_is_told_only_where_it_was_named() {
    let corpus = Corpus::builtin();
    let set = |selector: &str| {
        corpus.resolve(selector).expect("it is there")[0]
            .data_set
            .clone()
    };
    assert_eq!(set("english").as_deref(), Some("english"));
    assert_eq!(set("jfk"), None);
    assert_eq!(set("jf*"), None);
}

#[test]
fn unknown_selectors_come_with_the_known_ids() {
    let corpus = Corpus::builtin();
    let error = corpus.resolve("jkf").expect_err("no such clip");
    assert!(matches!(error, SelectorError::Unknown { .. }));
    for id in ["jfk", "english"] {
        assert!(error.suggestions().iter().any(|known| known == id), "{id}");
    }
    assert!(matches!(
        corpus.resolve("nothing-*"),
        Err(SelectorError::NoMatch { .. })
    ));
    assert!(matches!(
        corpus.resolve("[jfk"),
        Err(SelectorError::BadGlob { .. })
    ));
}

#[test]
fn an_id_has_one_owner() {
    let (folder, mut corpus) = corpus();
    let file = folder.path().join("one.wav");
    for (id, wanted) in [
        ("jfk", "built-in clip"),
        ("english", "data set"),
        ("clip", "clip"),
    ] {
        match corpus.add_file(id, &file, None, None) {
            Err(DefinitionError::Taken { owner, .. }) => assert_eq!(owner, wanted),
            other => panic!("{id}: {other:?}"),
        }
    }
    assert!(matches!(
        corpus.add_file("a*", &file, None, None),
        Err(DefinitionError::BadId { .. })
    ));
    let absent = corpus.add_file("new", &folder.path().join("absent.wav"), None, None);
    assert!(matches!(absent, Err(DefinitionError::MissingFile { .. })));
}

#[test]
fn a_manifest_with_a_mistake_adds_nothing() {
    let (folder, mut corpus) = corpus();
    let before = corpus.clips().count();
    let path = folder.path().join("bad.csv");
    std::fs::write(
        &path,
        "file,reference,language\none.wav,one,en\nno.wav,no,en\n",
    )
    .expect("ok");
    match corpus.add_manifest("bad", &path) {
        Err(DefinitionError::Manifest { problems, .. }) => assert_eq!(problems.len(), 1),
        other => panic!("{other:?}"),
    }
    assert_eq!(corpus.clips().count(), before);
    assert!(corpus.resolve("bad").is_err());
}
