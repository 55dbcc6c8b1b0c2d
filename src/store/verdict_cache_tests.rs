//! What is remembered, and what makes it be forgotten.

use super::*;
use crate::model::{Artifact, ArtifactFile, ManifestOrigin};
use crate::store::check_place;
use std::sync::atomic::AtomicBool;

/// SHA-256 of `hello`.
const HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

/// A model of one file, and a cache.
struct Scene {
    root: tempfile::TempDir,
    place: Place,
}

impl Scene {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let file = ArtifactFile {
            bytes: Some(5),
            sha256: Some(HELLO.into()),
            git_blob: None,
        };
        let artifact = Artifact {
            model: "m".into(),
            id: "a".into(),
            files: [("m.bin".to_owned(), file)].into_iter().collect(),
            sources: Vec::new(),
            ..Artifact::default()
        };
        let place = Place::plain(&artifact, root.path().join("models"));
        fs::create_dir(&place.folder).unwrap();
        fs::write(place.folder.join("m.bin"), "hello").unwrap();
        Self { root, place }
    }

    fn file(&self) -> PathBuf {
        self.place.folder.join("m.bin")
    }

    fn cache(&self) -> PathBuf {
        self.root.path().join("verdicts")
    }

    /// Asks as if so many seconds had passed.
    fn ask(&self, later: u64, terms: Terms) -> Inquiry {
        let asked = SystemTime::now() + Duration::from_secs(later);
        Inquiry::at(asked, &self.cache(), &self.place, terms).unwrap()
    }

    fn finding(&self) -> VerifyFinding {
        check_place(&self.place, true, &AtomicBool::new(false))
    }

    /// Has an answer remembered.
    fn remember(&self, terms: Terms) {
        self.ask(10, terms.clone()).keep(&self.finding());
        assert!(self.ask(10, terms).earlier().is_some());
    }
}

fn by(method: VerifyMethod) -> Terms {
    Terms {
        method,
        machine: "this".into(),
        boot: None,
        engine: None,
    }
}

fn by_engine(version: &str) -> Terms {
    Terms {
        engine: Some(EngineTerms {
            id: "whisper-cpp".into(),
            version: Some(version.into()),
            program: None,
            settings: ChosenSettings::default(),
            limit_seconds: 15.0,
        }),
        ..by(VerifyMethod::Load)
    }
}

#[test]
fn an_answer_is_the_same_again_and_says_that_it_is_an_earlier_one() {
    let scene = Scene::new();
    scene.remember(by(VerifyMethod::Checksum));
    let earlier = scene.ask(20, by(VerifyMethod::Checksum)).earlier().unwrap();
    assert!(earlier.remembered);
    assert_eq!(earlier.manifest, ManifestOrigin::Catalog);
    let expected = VerifyFinding {
        remembered: false,
        ..earlier
    };
    assert_eq!(expected.bytes_present, 5);
    assert_eq!(expected.files[0].name, "m.bin");
}

#[test]
fn whatever_it_depends_on_makes_it_be_asked_again() {
    type Change<'a> = &'a dyn Fn(&mut Scene);
    let changes: [(&str, Change<'_>); 5] = [
        ("touched", &|scene| {
            let file = fs::File::options().write(true).open(scene.file()).unwrap();
            file.set_modified(UNIX_EPOCH).unwrap();
        }),
        ("replaced, with the same length and time", &|scene| {
            let modified = fs::metadata(scene.file()).unwrap().modified().unwrap();
            let other = scene.place.folder.join("other");
            fs::write(&other, "hallo").unwrap();
            let file = fs::File::options().write(true).open(&other).unwrap();
            file.set_modified(modified).unwrap();
            fs::rename(&other, scene.file()).unwrap();
        }),
        ("written in place, with the time put back", &|scene| {
            let modified = fs::metadata(scene.file()).unwrap().modified().unwrap();
            // The kernel's clock for times of files goes in steps.
            let before = FileStamp::of(&scene.file());
            while FileStamp::of(&scene.file()) == before {
                fs::write(scene.file(), "hallo").unwrap();
                let file = fs::File::options().write(true).open(scene.file()).unwrap();
                file.set_modified(modified).unwrap();
            }
        }),
        ("expected otherwise", &|scene| {
            scene.place.files["m.bin"].sha256 = Some(HELLO.replace('2', "3"));
        }),
        ("gone", &|scene| fs::remove_file(scene.file()).unwrap()),
    ];
    for (what, change) in changes {
        let mut scene = Scene::new();
        scene.remember(by(VerifyMethod::Checksum));
        change(&mut scene);
        let asked = SystemTime::now() + Duration::from_secs(20);
        let terms = by(VerifyMethod::Checksum);
        let inquiry = Inquiry::at(asked, &scene.cache(), &scene.place, terms);
        assert_eq!(
            inquiry.and_then(|inquiry| inquiry.earlier()),
            None,
            "{what}"
        );
    }
}

#[test]
fn no_method_and_no_engine_answers_for_another() {
    let scene = Scene::new();
    scene.remember(by(VerifyMethod::Transcribe));
    for method in [VerifyMethod::Checksum, VerifyMethod::Load] {
        assert_eq!(scene.ask(20, by(method)).earlier(), None, "{method}");
    }
    scene.remember(by_engine("1.8"));
    let mut slower = by_engine("1.8");
    slower.engine.as_mut().unwrap().limit_seconds = 1.0;
    let elsewhere = Terms {
        machine: "other".into(),
        ..by_engine("1.8")
    };
    for terms in [by_engine("1.9"), slower, elsewhere] {
        assert_eq!(scene.ask(20, terms).earlier(), None);
    }
}

#[test]
fn machines_that_share_a_store_believe_and_disturb_no_verdict_of_each_other() {
    let scene = Scene::new();
    let here = by(VerifyMethod::Checksum);
    let other = Terms {
        machine: "other".into(),
        ..here.clone()
    };
    scene.remember(here.clone());
    assert_eq!(scene.ask(20, other.clone()).earlier(), None);
    scene.remember(other.clone());
    for terms in [here.clone(), other] {
        assert!(scene.ask(30, terms).earlier().is_some());
    }
    // Two that are called the same, as containers are: each has a kernel of its own.
    let booted = |boot: &str| Terms {
        boot: Some(boot.into()),
        ..here.clone()
    };
    scene.remember(booted("one"));
    assert_eq!(scene.ask(30, booted("two")).earlier(), None);
    assert_eq!(scene.ask(30, here.clone()).earlier(), None);
}

#[test]
fn what_might_change_unseen_is_not_remembered() {
    let scene = Scene::new();
    let terms = by(VerifyMethod::Checksum);
    // Just written: the next change might fall into the same step of the clock.
    scene.ask(0, terms.clone()).keep(&scene.finding());
    assert!(!scene.cache().exists());
    // Changed between the question and its answer.
    let inquiry = scene.ask(10, terms.clone());
    let finding = scene.finding();
    fs::write(scene.file(), "hello!").unwrap();
    inquiry.keep(&finding);
    assert!(!scene.cache().exists());
}

#[test]
fn what_is_cheap_or_wrong_is_not_remembered() {
    let scene = Scene::new();
    let cheap = scene.ask(10, by(VerifyMethod::CacheCheck));
    cheap.keep(&scene.finding());
    fs::write(scene.file(), "hallo").unwrap();
    let wrong = scene.ask(10, by(VerifyMethod::Checksum));
    wrong.keep(&scene.finding());
    assert!(!scene.cache().exists());
}

#[test]
fn what_is_no_answer_of_ours_is_passed_over_and_written_over() {
    let scene = Scene::new();
    let terms = by(VerifyMethod::Checksum);
    scene.remember(terms.clone());
    let file = fs::read_dir(scene.cache()).unwrap().next().unwrap();
    let file = file.unwrap().path();
    let good = fs::read_to_string(&file).unwrap();
    let lie = good.replace("\"verdict\":\"complete\"", "\"verdict\":\"corrupt\"");
    for text in ["", "{}", "no JSON", &good[..good.len() / 2], &lie] {
        fs::write(&file, text).unwrap();
        assert_eq!(scene.ask(10, terms.clone()).earlier(), None, "{text}");
    }
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert_eq!(scene.ask(10, terms.clone()).earlier(), None);
    scene.ask(10, terms.clone()).keep(&scene.finding());
    fs::remove_dir(&file).unwrap();
    scene.remember(terms);
    assert_eq!(fs::read_dir(scene.cache()).unwrap().count(), 1);
}
