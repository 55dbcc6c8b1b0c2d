//! What is known of the machines of two runs, and differs, is told first; and each page shows its own.

use super::{Made, make, plan_of};
use crate::support::Place;
use serde_json::{Value, json};
use std::fs;

/// Writes a run, and into its journal what the machine told of itself.
fn on(place: &Place, folder: &str, machine: &Value, crates: &Value, states: [&Value; 2]) {
    let plan = plan_of(1, 3, "[]");
    make(place, folder, &plan, &Made::default());
    let path = place.path().join(folder).join("journal.jsonl");
    let lines: Vec<String> = fs::read_to_string(&path)
        .unwrap()
        .lines()
        .map(|line| {
            let mut event: Value = serde_json::from_str(line).unwrap();
            let kind = event["event"].as_str().unwrap_or_default().to_owned();
            match kind.as_str() {
                "run-started" => {
                    let facts = event["machine"].as_object_mut().unwrap();
                    facts.extend(machine.as_object().unwrap().clone());
                    event["crates"] = crates.clone();
                    event["repository"] = json!({"commit": "c".repeat(40), "clean": true});
                }
                "attempt-started" => event["state"] = states[0].clone(),
                "attempt-ended" => event["state"] = states[1].clone(),
                _ => {}
            }
            format!("{event}\n")
        })
        .collect();
    fs::write(&path, lines.concat()).unwrap();
}

#[test]
fn every_fact_of_the_machine_that_differs_is_named() {
    let place = Place::new();
    on(
        &place,
        "a",
        &json!({
            "system": "Debian 12", "kernel": "6.1", "architecture": "x86_64", "memory-bytes": 8_u64 << 30,
            "governor": "performance", "turbo": true, "virtualization": "kvm", "container": null,
            "on-battery": false,
            "frequency": {"minimum-hz": 800_000_000, "maximum-hz": 3_200_000_000_u64, "capable-hz": null},
        }),
        &json!({"candle-core": "0.9.1", "ort": "2.0.0", "tokenizers": "0.21.0"}),
        [
            &json!({"throttles": 5, "celsius": 50.0}),
            &json!({"throttles": 5, "celsius": 61.5}),
        ],
    );
    on(
        &place,
        "b",
        &json!({
            "system": "Debian 13", "kernel": "6.12", "architecture": "x86_64", "memory-bytes": 16_u64 << 30,
            "governor": "performance", "turbo": false, "virtualization": null, "container": "docker",
            "on-battery": false,
            "frequency": {"minimum-hz": 800_000_000, "maximum-hz": 2_000_000_000, "capable-hz": null},
        }),
        &json!({"candle-core": "0.9.2", "tokenizers": "0.21.0", "whisper-rs": "0.15.0"}),
        [
            &json!({"throttles": 7, "on-battery": false}),
            &json!({"throttles": 9, "on-battery": true, "celsius": 95.0}),
        ],
    );
    let found = place
        .run(&["compare", "a", "b", "--format", "json"])
        .expect_status(0)
        .json();
    let told: Vec<(&str, &str, &str)> = found["against"][0]["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let of = |field: &str| one[field].as_str().unwrap();
            (of("what"), of("base"), of("new"))
        })
        .collect();
    assert_eq!(
        told,
        [
            ("system", "Debian 12", "Debian 13"),
            ("kernel", "6.1", "6.12"),
            ("memory", "8.6 GB", "17.2 GB"),
            ("virtualization", "kvm", "–"),
            ("container", "–", "docker"),
            ("turbo", "on", "off"),
            (
                "frequency limits",
                "from 800 MHz to 3200 MHz",
                "from 800 MHz to 2000 MHz"
            ),
            ("on battery", "no", "no, yes"),
            ("slowed down for heat while it measured", "never", "6 times"),
            ("crate candle-core", "0.9.1", "0.9.2"),
            ("crate ort", "2.0.0", "–"),
            ("crate whisper-rs", "–", "0.15.0"),
        ]
    );
    // A record that knows of no crates says so once.
    on(&place, "old", &json!({}), &json!({}), [&json!({}); 2]);
    let text = place.run(&["compare", "a", "old"]).expect_status(0).stdout;
    assert_eq!(text.matches("crate").count(), 1, "{text}");

    // The page of each says it of its own machine.
    place.run(&["report", "a", "b", "old"]).expect_status(0);
    let page = |run: &str| fs::read_to_string(place.path().join(run).join("report.html")).unwrap();
    let (calm, hot, old) = (page("a"), page("b"), page("old"));
    assert!(
        calm.contains("cores were not slowed down for heat, and it was 61.5 °C at the hottest."),
        "{calm}"
    );
    assert!(calm.contains(" Crates candle-core 0.9.1, ort 2.0.0, tokenizers 0.21.0."));
    assert!(calm.contains(&format!(
        "The matrix lay in a repository at {}, clean. Plan ",
        "c".repeat(40)
    )));
    assert!(
        hot.contains(
            "were slowed down for heat, 6 times as they count it</span>, and it was 95.0 °C"
        ),
        "{hot}"
    );
    assert!(
        !old.contains("Crates ") && !old.contains("slowed down"),
        "{old}"
    );
}

/// Of several sessions each has its repository in the table of them.
#[test]
fn sessions_tell_their_repositories() {
    let place = Place::new();
    let facts = json!({});
    let none = json!({});
    on(&place, "a", &facts, &none, [&none; 2]);
    on(&place, "b", &facts, &none, [&none; 2]);
    // The verify of the plan is in neither.
    place
        .run(&["merge", "a", "b", "--out", "both"])
        .expect_status(3);
    let page = fs::read_to_string(place.path().join("both/report.html")).unwrap();
    assert!(page.contains("<th scope=\"col\">Repository of the matrix</th>"));
    let cell = format!("<td>{}, clean</td>", "c".repeat(40));
    assert_eq!(page.matches(&cell).count(), 2, "{page}");
    assert!(!page.contains("The matrix lay in a repository"));
}
