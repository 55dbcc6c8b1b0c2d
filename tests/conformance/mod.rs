//! The conformance kit: what keeps to the protocol passes, and each fault is caught where it belongs.

use crate::support::{Place, program, project};
use earmark::diagnostic::Diagnostics;
use earmark::engine::{LaunchSpec, child_environment};
use earmark::exec::conformance::{
    Case, CaseResult, CaseVerdict, Subject, SubjectModel, check_conformance,
};
use earmark::exec::{Live, RunContext, RunOptions};
use earmark::machine::machine_facts;
use earmark::model::{Affects, Availability, EngineFacts, SettingDeclaration, SettingKind, Value};
use earmark::store::Store;
use indexmap::IndexMap;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// What is declared of the bridge of the tests.
fn facts() -> EngineFacts {
    EngineFacts {
        id: "test".into(),
        version: Some("1".into()),
        availability: Availability::Ready,
        artifacts: IndexMap::new(),
        settings: vec![SettingDeclaration {
            name: "beam-size".into(),
            kind: SettingKind::Integer {
                minimum: 1,
                maximum: 5,
            },
            affects: Affects::Decode,
            default: Some(Value::integer(1)),
            description: "Hypotheses.".into(),
        }],
        synthetic: true,
        families: Vec::new(),
        any_model: true,
        ..earmark::engine::facts().shift_remove("fake").unwrap()
    }
}

fn context(place: &Path) -> RunContext {
    let matrix = crate::support::fake_matrix("", "deadlines: {grace: 500ms}");
    let mut problems = Diagnostics::default();
    let plan = earmark::cli::check_bytes(&place.join("m.yaml"), matrix.into_bytes(), &mut problems);
    RunContext {
        run_id: "check".into(),
        plan: plan.unwrap().unwrap(),
        part: None,
        attempt: 1,
        fence: None,
        unmet: BTreeMap::new(),
        resumed: None,
        program: program().into(),
        store: Store::at(place.join("models")),
        audio_cache: place.join("audio"),
        logs: place.join("logs"),
        work: place.join("work"),
        cgroup: None,
        versions: BTreeMap::new(),
        machine: machine_facts(),
        command_line: Vec::new(),
        repository: None,
        environment: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .collect(),
        options: RunOptions::default(),
        live: Live::starting_at(Duration::ZERO),
    }
}

/// Checks the bridge of the tests with a fault.
fn check(fault: &str) -> Vec<CaseResult> {
    let place = tempfile::tempdir().unwrap();
    let context = context(place.path());
    let bridge = project().join("tests/conformance/bridge.py");
    let subject = Subject {
        facts: facts(),
        launch: LaunchSpec {
            command: vec!["python3".into(), "-S".into(), bridge.into(), fault.into()],
            environment: child_environment(false, |name| context.variable(name)),
            network: false,
            protocol: true,
        },
        model: SubjectModel::NoneNeeded,
        directory: None,
        settings: BTreeMap::new(),
        threads: 1,
        limit: Some(Duration::from_secs(5)),
    };
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(check_conformance(&context, &subject, |_| {}))
        .unwrap()
}

/// Checks that a fault fails these cases and no others, and that what came of the first is named.
#[track_caller]
fn caught(fault: &str, cases: &[Case], wanted: &str) {
    let results = check(fault);
    let failed: Vec<&CaseResult> = results.iter().filter(|r| r.is_failed()).collect();
    let names: Vec<Case> = failed.iter().map(|result| result.case).collect();
    assert_eq!(names, cases, "{fault}: {failed:#?}");
    let Some(first) = failed.first() else { return };
    let CaseVerdict::Failed { came, expected } = &first.verdict else {
        panic!("{first:?}");
    };
    assert!(
        came.contains(wanted),
        "{fault}: {came}; expected {expected}"
    );
}

#[test]
fn a_bridge_that_keeps_to_the_protocol_passes_every_case() {
    let results = check("none");
    assert_eq!(results.len(), Case::ALL.len());
    let odd: Vec<_> = results
        .iter()
        .filter(|result| !matches!(result.verdict, CaseVerdict::Ok { .. }))
        .map(|result| result.case)
        .collect();
    let of_models = [
        Case::MissingModel,
        Case::EmptyModel,
        Case::GarbageModel,
        Case::DamagedModel,
    ];
    assert_eq!(odd, of_models, "{results:#?}");
}

#[test]
fn what_it_says_of_itself_is_held_against_what_is_declared() {
    caught("lies", &[Case::Facts], "version `9`");
    caught(
        "wrong-id",
        &[Case::Facts, Case::Cancelled],
        "the id `other`",
    );
    caught(
        "other-protocol",
        &[Case::Hello, Case::Cancelled],
        "version 2",
    );
}

#[test]
fn without_a_hello_nothing_else_is_asked() {
    caught("silent", &[Case::Hello], "nothing within 5 s");
    caught(
        "fails-to-start",
        &[Case::Hello],
        "status 1: no module named anything",
    );
}

#[test]
fn noise_is_caught_where_it_comes() {
    caught("prints", &[Case::StandardOutput], "Loading weights...");
    let results = check("speaks-garbage");
    let speech = results.iter().find(|result| result.case == Case::Speech);
    assert!(
        format!("{speech:?}").contains("found `Detected language: English`"),
        "{speech:?}"
    );
}

#[test]
fn refusals_of_the_wrong_kind_are_caught() {
    caught(
        "wrong-kind",
        &[Case::UnknownSetting],
        "`error` of kind engine",
    );
    caught("takes-any-setting", &[Case::UnknownSetting], "`loaded`");
    caught("dies-of-garbage", &[Case::GarbageLine], "signal 6");
    caught(
        "hides-settings",
        &[Case::SettingsInEffect],
        "no `beam-size`",
    );
}

#[test]
fn answers_that_cannot_be_are_caught() {
    caught("negative-time", &[Case::Times], "-1 s");
    caught(
        "out-of-order",
        &[Case::Segments],
        "a segment from 0 s to 71",
    );
    caught("changes-its-mind", &[Case::SameAgain], "and so on");
}

#[test]
fn answers_that_nobody_asked_for_are_caught() {
    for (fault, named) in [
        ("wrong-trial", "`segment` of trial 2"),
        ("floods", "it floods: 20000 lines at once"),
        ("dies", "signal 6"),
        ("hangs", "nothing within 5 s"),
    ] {
        let results = check(fault);
        let first = results.iter().find(|result| result.is_failed()).unwrap();
        assert_eq!(first.case, Case::Speech, "{fault}: {results:#?}");
        assert!(format!("{first:?}").contains(named), "{fault}: {first:?}");
    }
    // The second answer is there before the next question, or takes the place of the answer to it.
    let results = check("done-twice");
    let first = results.iter().find(|result| result.is_failed()).unwrap();
    let told = format!("{first:?}");
    assert!(
        told.contains("before it was asked for")
            || told.contains("`done` of trial 1\", expected: \"the answer to trial 2"),
        "{told}"
    );
}

#[test]
fn every_way_to_end_is_tried() {
    caught("stays", &[Case::Shutdown], "nothing within 5 s");
    caught("ends-badly", &[Case::Shutdown], "status 7");
    caught("outlives", &[Case::Disconnected], "nothing within 5 s");
    caught("leaves-one", &[Case::NothingLeft], "1 processes");
}

/// The built-in stand-in, as a user checks it.
#[test]
fn the_fake_engine_passes_and_is_told_case_by_case() {
    let place = Place::new();
    let checked = place.run(&["engines", "check", "fake"]).expect_status(0);
    assert!(
        checked.stdout.contains("ok       hello"),
        "{}",
        checked.stdout
    );
    assert!(checked.stdout.contains("0 failed"), "{}", checked.stdout);
    let document = place
        .run(&["engines", "check", "fake", "--format", "json"])
        .expect_status(0)
        .json();
    let engine = &document["engines"][0];
    assert_eq!(
        (&engine["id"], &engine["passed"]),
        (&"fake".into(), &true.into())
    );
    let cases = engine["cases"].as_array().unwrap();
    assert_eq!(cases.len(), Case::ALL.len());
    assert!(
        cases
            .iter()
            .all(|case| case["what"].as_str().unwrap().len() > 10)
    );
    let refused = place
        .run(&["engines", "check", "fake", "--limit", "0s"])
        .expect_status(3);
    assert!(
        refused.stdout.contains("FAILED   hello"),
        "{}",
        refused.stdout
    );
}

#[test]
fn an_engine_that_is_not_there_is_a_mistake_of_the_command_line() {
    let place = Place::new();
    let refused = place.run(&["engines", "check", "fak"]).expect_status(2);
    assert!(
        refused.stderr.contains("no engine is called `fak`"),
        "{}",
        refused.stderr
    );
}
