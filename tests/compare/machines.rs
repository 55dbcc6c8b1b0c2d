//! One configuration on several machines.

use super::{Made, make, plan_of};
use crate::support::Place;
use crate::support::invalid::validator;
use serde_json::Value;
use std::fs;

/// Two runs of one plan on two machines, of which the second is slower, and their merge.
fn merged(place: &Place, factor: f64) {
    let plan = plan_of(2, 5, "[]");
    make(place, "a", &plan, &Made::default());
    make(
        place,
        "b",
        &plan,
        &Made {
            factor,
            machine: "there",
            engine: "2",
            ..Made::default()
        },
    );
    // The verify of these plans was not done.
    place
        .run(&["merge", "a", "b", "--out", "m"])
        .expect_status(3);
}

fn across(place: &Place, arguments: &[&str]) -> Value {
    let mut all = vec!["compare"];
    all.extend(arguments);
    all.extend(["--format", "json"]);
    place.run(&all).expect_status(0).json()
}

#[test]
fn a_configuration_is_held_against_itself_and_a_machine_is_faster_or_slower() {
    let place = Place::new();
    merged(&place, 1.5);
    let found = across(&place, &["m", "--across-machines"]);
    let validator = validator("machine-comparison");
    assert!(
        validator.is_valid(&found),
        "{:?}",
        validator.iter_errors(&found).next()
    );
    assert_eq!(found["base"]["name"], "host-here");
    let there = &found["against"][0];
    assert_eq!(there["machine"]["name"], "host-there");
    assert_eq!(there["verdicts"], serde_json::json!({"slower-machine": 2}));
    let row = &there["rows"][0];
    assert_eq!(row["verdict"], "slower-machine");
    assert!((row["ratio"].as_f64().unwrap() - 1.5).abs() < 1e-9);
    assert!(row["ratio_low"].as_f64().unwrap() > 1.4);
    assert_eq!(
        (&row["texts"], &row["wer"]),
        (&"same text".into(), &0.0.into())
    );
    // What differs is told first, and what nobody tells as well.
    assert_eq!(there["caveats"][0]["what"], "engine fake");
    let not_told = there["not_told"].as_array().unwrap();
    for what in ["governor", "container", "turbo"] {
        assert!(not_told.contains(&what.into()), "{not_told:?}");
    }
    // The same of the runs as they are, and the other way around.
    let apart = across(&place, &["a", "b", "--across-machines=host-there"]);
    assert_eq!(apart["base"]["name"], "host-there");
    assert_eq!(apart["against"][0]["rows"][0]["verdict"], "faster-machine");
    let text = place
        .run(&["compare", "m", "--across-machines"])
        .expect_status(0)
        .stdout;
    let place_of = |words: &str| {
        text.find(words)
            .unwrap_or_else(|| panic!("{words}: {text}"))
    };
    assert!(place_of("engine fake") < place_of("slower machine"));
    assert!(place_of("Neither tells") < place_of("1.500"));
    for word in ["better", "worse"] {
        assert!(!text.contains(word), "{text}");
    }
    assert!(text.contains("never compared as engines"), "{text}");
    let markdown = place
        .run(&["compare", "m", "--across-machines", "--format", "markdown"])
        .expect_status(0)
        .stdout;
    assert!(markdown.contains("slower machine") && markdown.contains("| `engine fake` |"));
}

#[test]
fn what_cannot_be_compared_across_machines_is_refused_by_name() {
    let place = Place::new();
    merged(&place, 1.0);
    let refused = |arguments: &[&str], words: &str| {
        let mut all = vec!["compare"];
        all.extend(arguments);
        let ran = place.run(&all).expect_status(2);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    };
    refused(
        &["a", "--across-machines"],
        "everything was measured on host-here",
    );
    refused(
        &["m", "--across-machines=nobody"],
        "no machine is called `nobody`; there are host-here, host-there",
    );
    refused(&["m", "--across-machines", "--gate"], "cannot be used with");
    refused(&["m"], "name a base and a run to compare it with");
}

#[test]
fn the_page_of_a_merged_run_has_a_column_for_each_machine() {
    let place = Place::new();
    let plan = plan_of(2, 5, "[]");
    make(&place, "a", &plan, &Made::default());
    make(
        &place,
        "b",
        &plan,
        &Made {
            factor: 2.0,
            machine: "there",
            ..Made::default()
        },
    );
    let mut third = crate::support::journal::Journal::at(900);
    third.start(
        &plan,
        &crate::support::journal::Start {
            run_id: "c".into(),
            machine: "idle".into(),
            ..Default::default()
        },
    );
    third.over(true);
    third.write(&place.path().join("c"), &plan);
    place
        .run(&["merge", "a", "b", "c", "--out", "m"])
        .expect_status(3);
    let page = fs::read_to_string(place.path().join("m/report.html")).unwrap();
    let map = &page[page.find("class=\"machine-map\"").unwrap()..];
    let map = &map[..map.find("</section>").unwrap()];
    for wanted in ["host-here", "host-there", "host-idle", "not measured"] {
        assert!(map.contains(wanted), "{wanted} is missing in {map}");
    }
    assert_eq!(map.matches(" ×<").count(), 2, "{map}");
    assert!(
        !map.contains("best"),
        "nothing is the best over machines: {map}"
    );
}

/// Rows are paired by machine where a run has several.
#[test]
fn a_merged_run_against_another_pairs_rows_of_the_same_machine() {
    let place = Place::new();
    merged(&place, 1.5);
    let found = across(&place, &["m", "b"]);
    let rows = found["against"][0]["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert_eq!(row["base_machine"], "there");
        assert_eq!(row["new_machine"], "there");
        assert_eq!(row["speed"]["verdict"], "same");
    }
    assert_eq!(
        found["against"][0]["only_base"].as_array().unwrap().len(),
        2
    );
    let found = across(&place, &["m", "m"]);
    let rows = found["against"][0]["rows"].as_array().unwrap();
    let machines: Vec<(&Value, &Value)> = rows
        .iter()
        .map(|row| (&row["base_machine"], &row["new_machine"]))
        .collect();
    assert_eq!(machines.len(), 4);
    assert!(
        machines.iter().all(|(base, new)| base == new),
        "{machines:?}"
    );
}
