//! `earmark report --to`: the formats beside CSV and the page.

use crate::compare::{Made, make, plan_of};
use crate::support::invalid::validator;
use crate::support::{Place, fake_matrix};
use earmark::model::{Outcome, Phase};
use std::fs;

/// A run with a row that is well, one that crashes and one that is skipped.
fn ran(place: &Place) {
    place.write(
        "m.yaml",
        &fake_matrix(
            "  fake-fault: [none, crash-trial]\n  quantization: [f16]",
            "settings: {repeat: 2}\ngates:\n  - {metric: wer, max: 0.0001}\n  - {metric: rtfx, min: 0.0001}",
        )
        .replace("name: test", "name: \"night ]]> <b>&\""),
    );
    place.run(&["run", "m.yaml", "--out", "r"]).expect_status(3);
}

fn read(place: &Place, file: &str) -> String {
    fs::read_to_string(place.path().join(file)).unwrap()
}

#[test]
fn every_format_is_written_where_it_is_asked_for() {
    let place = Place::new();
    ran(&place);
    let wish = "csv,html,junit,markdown,json,hypotheses,json";
    let told = place
        .run(&["report", "r", "--to", wish, "--out", "o"])
        .expect_status(0)
        .stdout;
    let names: Vec<&str> = told
        .lines()
        .map(|line| line.strip_prefix("o/").unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "results.csv",
            "summary.csv",
            "samples.csv",
            "jobs.csv",
            "combinations.csv",
            "report.html",
            "junit.xml",
            "report.md",
            "report.json",
            "hypotheses.jsonl",
        ]
    );
    for name in names {
        assert!(place.path().join("o").join(name).exists(), "{name}");
    }
    // One alone is alone.
    place
        .run(&["report", "r", "--to", "json", "--out", "j"])
        .expect_status(0);
    let files = fs::read_dir(place.path().join("j")).unwrap().count();
    assert_eq!(files, 1);
    let refused = place
        .run(&["report", "r", "--to", "csv,pdf"])
        .expect_status(2);
    assert!(
        refused.stderr.contains("'pdf'")
            && refused
                .stderr
                .contains("csv, html, junit, markdown, json, hypotheses"),
        "{}",
        refused.stderr
    );
    // A run writes what it is asked for as well.
    place.write("n.yaml", &fake_matrix("", "settings: {repeat: 2}"));
    place
        .run(&["run", "n.yaml", "--out", "n", "--to", "junit,csv"])
        .expect_status(0);
    assert!(
        place.path().join("n/junit.xml").exists() && place.path().join("n/results.csv").exists()
    );
    assert!(!place.path().join("n/report.html").exists());
}

#[test]
fn junit_has_a_case_for_each_job_and_each_gate() {
    let place = Place::new();
    ran(&place);
    place
        .run(&["report", "r", "--to", "junit"])
        .expect_status(0);
    let text = read(&place, "r/junit.xml");
    let report = quick_junit::Report::deserialize_from_str(&text).unwrap();
    assert_eq!(
        report.name.as_ref().map(quick_junit::XmlString::as_str),
        Some("night ]]> <b>&")
    );
    let suite = |name: &str| {
        let found = report
            .test_suites
            .iter()
            .find(|suite| suite.name.as_str() == name);
        found.unwrap_or_else(|| panic!("no suite {name} in {text}"))
    };
    let jobs = place.table("r/jobs.csv");
    let benchmarks = suite("benchmark");
    let of_kind = |kind: &str| jobs.iter().filter(|job| job["kind"] == kind).count();
    assert_eq!(benchmarks.test_cases.len(), of_kind("benchmark"));
    assert_eq!(suite("verify").test_cases.len(), of_kind("verify"));
    assert_eq!(benchmarks.errors, 1);
    assert!(
        text.contains("crashed") && text.contains("type=\"crashed\""),
        "{text}"
    );
    assert!(benchmarks.test_cases.iter().all(|case| case.time.is_some()));
    assert!(
        benchmarks
            .properties
            .iter()
            .any(|property| property.name.as_str() == "run_id")
    );
    // One gate on errors that nothing passes, and one on speed that the row that crashed has no
    // data for.
    assert_eq!((suite("gates").tests, suite("gates").failures), (4, 3));
}

#[test]
fn junit_holds_what_xml_can_hold() {
    let place = Place::new();
    let mut plan = plan_of(1, 1, "[]");
    plan.name = "a\u{1}b\u{1b}[31mc\u{fffe}d\u{202e}\u{85}]]>&lt;".into();
    let failed = Outcome::Failed {
        phase: Phase::Load,
        reason: "\u{0}bad \u{b}bytes ]]> & <b> \u{ffff}".into(),
    };
    make(
        &place,
        "r",
        &plan,
        &Made {
            outcome: failed,
            ..Made::default()
        },
    );
    place
        .run(&["report", "r", "--to", "junit"])
        .expect_status(0);
    let text = read(&place, "r/junit.xml");
    let report = quick_junit::Report::deserialize_from_str(&text).unwrap();
    assert_eq!(report.name.unwrap().as_str(), "abcd]]>&lt;");
    let allowed = |letter: char| matches!(letter, '\t' | '\n' | '\r' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(text.chars().all(allowed), "{text:?}");
    assert_eq!(report.failures, 1);
}

#[test]
fn the_document_has_what_the_tables_have() {
    let place = Place::new();
    ran(&place);
    place
        .run(&["report", "r", "--to", "json,csv"])
        .expect_status(0);
    let document: serde_json::Value = serde_json::from_str(&read(&place, "r/report.json")).unwrap();
    let validator = validator("report");
    assert!(
        validator.is_valid(&document),
        "{:?}",
        validator.iter_errors(&document).next()
    );
    for (key, file) in [
        ("results", "results"),
        ("summary", "summary"),
        ("jobs", "jobs"),
    ] {
        let rows = place.table(&format!("r/{file}.csv"));
        let objects = document[key].as_array().unwrap();
        assert_eq!(rows.len(), objects.len(), "{key}");
        for (row, object) in rows.iter().zip(objects) {
            assert_eq!(row.len(), object.as_object().unwrap().len());
            for (name, cell) in row {
                let value = &object[name];
                let same = match value {
                    serde_json::Value::Null => cell.is_empty(),
                    serde_json::Value::String(text) => {
                        cell == text || cell.strip_prefix('\'') == Some(text.as_str())
                    }
                    serde_json::Value::Bool(boolean) => cell == &boolean.to_string(),
                    number => {
                        let number = number.as_f64().unwrap();
                        (cell.parse::<f64>().unwrap() - number).abs()
                            <= 1e-6 * number.abs().max(1.0)
                    }
                };
                assert!(same, "{key}.{name}: {value} and {cell}");
            }
        }
    }
    assert_eq!(document["gates"].as_array().unwrap().len(), 4);
    assert_eq!(document["run"]["name"], "night ]]> <b>&");
}

#[test]
fn hypotheses_are_raw_and_one_a_trial() {
    let place = Place::new();
    let plan = plan_of(2, 3, "[]");
    make(
        &place,
        "r",
        &plan,
        &Made {
            text: " Mr. A, b\nC ",
            ..Made::default()
        },
    );
    place
        .run(&["report", "r", "--to", "hypotheses,csv"])
        .expect_status(0);
    let text = read(&place, "r/hypotheses.jsonl");
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let trials = place.table("r/samples.csv");
    let measured = trials.iter().filter(|row| row["warmup"] == "false").count();
    assert_eq!(lines.len(), measured);
    assert_eq!(lines[0]["hypothesis"], " Mr. A, b\nC ");
    assert_eq!(lines[0]["reference"], "a b c");
    assert_eq!(
        (&lines[0]["launch"], &lines[0]["trial"]),
        (&0.into(), &1.into())
    );
    assert_eq!(lines[0]["utterance"], "clip-0");
    assert!(
        lines[0]["job_id"]
            .as_str()
            .unwrap()
            .starts_with("benchmark/fake/tiny.en/f16/clip-0/")
    );
}

#[test]
fn the_markdown_has_the_answer_and_calls_nobody() {
    let place = Place::new();
    let mut plan = plan_of(1, 3, r#"[{"metric": "wer", "max": 0.5}]"#);
    plan.name = "@team `x` <img src=x>".into();
    plan.description = "See https://evil.example | [x](y)\n# @all".into();
    make(
        &place,
        "r",
        &plan,
        &Made {
            text: "x y z",
            ..Made::default()
        },
    );
    place
        .run(&["report", "r", "--to", "markdown"])
        .expect_status(0);
    let text = read(&place, "r/report.md");
    assert!(
        text.starts_with("### ``@team `x` <img src=x>``\n"),
        "{text}"
    );
    assert!(
        text.contains("**Measured: ") || text.contains("**No measurement"),
        "{text}"
    );
    assert!(
        text.contains("wer is 1.0000, above the gate's 0.5"),
        "{text}"
    );
    assert!(text.contains("| 100.0 % |"), "{text}");
    for line in text
        .lines()
        .filter(|line| line.contains("@all") || line.contains("https"))
    {
        assert!(line.starts_with('`') && line.ends_with('`'), "{line}");
    }
}

#[test]
fn a_large_run_fits_into_a_comment() {
    let place = Place::new();
    let plan = plan_of(900, 1, "[]");
    let failed = Outcome::Failed {
        phase: Phase::Load,
        reason: "x".repeat(300),
    };
    make(
        &place,
        "r",
        &plan,
        &Made {
            outcome: failed,
            ..Made::default()
        },
    );
    place
        .run(&["report", "r", "--to", "markdown"])
        .expect_status(0);
    let text = read(&place, "r/report.md");
    assert!(text.len() < 65_536, "{}", text.len());
    assert!(
        text.contains("more\n") && text.contains("Earmark `0`"),
        "{text}"
    );
}

#[test]
fn what_is_no_measurement_is_marked_in_markdown_too() {
    let place = Place::new();
    ran(&place);
    place
        .run(&["report", "r", "--to", "markdown"])
        .expect_status(0);
    let markdown = read(&place, "r/report.md");
    let table: Vec<&str> = (markdown.lines())
        .filter(|line| line.starts_with("| `"))
        .collect();
    assert_eq!(table.len(), 2, "{markdown}");
    for line in table {
        assert!(line.contains("` (synthetic) |"), "{line}");
    }
}

/// A rate of 300 % of no words at all is told with its reason.
#[test]
fn an_empty_reference_is_told_wherever_its_rate_is_shown() {
    let place = Place::new();
    let mut plan = plan_of(1, 3, "[]");
    for audio in plan.audio.values_mut() {
        audio.utterances[0].reference = Some(String::new());
    }
    make(&place, "r", &plan, &Made::default());
    make(&place, "heard", &plan_of(1, 3, "[]"), &Made::default());
    for run in ["r", "heard"] {
        place
            .run(&["report", run, "--to", "csv,html,markdown"])
            .expect_status(0);
    }
    let note = "the reference is empty: each word heard there is an error";
    let row = &place.table("r/results.csv")[0];
    assert_eq!(
        (row["wer"].as_str(), row["n_empty_reference"].as_str()),
        ("3", "1")
    );
    assert!(row["notes"].contains(note), "{row:?}");
    let page = read(&place, "r/report.html");
    assert!(
        page.contains(note) && page.contains(">1 with an empty reference<"),
        "{page}"
    );
    let markdown = read(&place, "r/report.md");
    assert!(
        markdown.contains(", 1 with an empty reference | 300.0 % |"),
        "{markdown}"
    );
    for file in ["results.csv", "report.html", "report.md"] {
        let text = read(&place, &format!("heard/{file}"));
        assert!(!text.contains("with an empty reference"), "{file}");
    }
}

/// What a killed run measured of a row is told as what it is: a part.
#[test]
fn a_row_that_the_run_did_not_finish_is_no_whole_row_in_any_format() {
    let place = Place::new();
    let plan = plan_of(2, 3, "[]");
    make(&place, "whole", &plan, &Made::default());
    let journal = read(&place, "whole/journal.jsonl");
    let third = journal
        .lines()
        .filter(|line| line.contains("attempt-started") && line.contains("clip-0"))
        .nth(2)
        .unwrap();
    // Two launches and the beginning of the third, as a kill leaves it.
    let until = journal.find(third).unwrap() + third.len() + 1;
    fs::create_dir(place.path().join("r")).unwrap();
    fs::copy(
        place.path().join("whole/plan.json"),
        place.path().join("r/plan.json"),
    )
    .unwrap();
    fs::write(place.path().join("r/journal.jsonl"), &journal[..until]).unwrap();
    place
        .run(&["report", "r", "--to", "csv,html,junit,markdown,json"])
        .expect_status(0);
    let note = "2 of 3 launches: the run ended before the others";
    let rows = place.table("r/results.csv");
    assert_eq!(rows[0]["status"], "not-run");
    assert!(rows[0]["notes"].contains(note), "{:?}", rows[0]);
    assert_eq!(rows[0]["error"], "the run ended in the middle of it");
    assert_eq!(rows[1]["error"], "the run ended before it");
    for file in ["r/report.html", "r/report.json"] {
        assert!(read(&place, file).contains(note), "{file}");
    }
    let markdown = read(&place, "r/report.md");
    assert!(
        markdown.contains("the run ended in the middle of it")
            && markdown.contains("the run ended before it"),
        "{markdown}"
    );
    let text = read(&place, "r/junit.xml");
    let report = quick_junit::Report::deserialize_from_str(&text).unwrap();
    assert_eq!(report.errors, 3, "{text}");
    let cases = report
        .test_suites
        .iter()
        .flat_map(|suite| &suite.test_cases);
    for case in cases {
        let status = format!("{:?}", case.status);
        assert!(status.contains("the run ended"), "{status}");
    }
    // The whole run has nothing of it.
    place
        .run(&["report", "whole", "--to", "csv,markdown"])
        .expect_status(0);
    assert!(!read(&place, "whole/results.csv").contains("the run ended"));
}

/// One pass in nine that takes ten times as long draws a sum over a sum away, and no median.
#[test]
fn a_speed_lies_in_the_interval_that_stands_beside_it() {
    let place = Place::new();
    make(&place, "r", &plan_of(1, 3, "[]"), &Made::default());
    let journal = read(&place, "r/journal.jsonl");
    let mut slowed = String::new();
    for line in journal.lines() {
        let mut event: serde_json::Value = serde_json::from_str(line).unwrap();
        if let Some(sample) = event.get_mut("sample")
            && (&sample["launch"], &sample["trial"]) == (&1.into(), &2.into())
        {
            sample["transcribe-seconds"] = 5.0.into();
        }
        slowed.push_str(&(event.to_string() + "\n"));
    }
    fs::write(place.path().join("r/journal.jsonl"), slowed).unwrap();
    place
        .run(&["report", "r", "--to", "csv,markdown,html"])
        .expect_status(0);
    let row = &place.table("r/summary.csv")[0];
    let number = |name: &str| row[name].parse::<f64>().unwrap();
    assert!((number("rtfx") - 1.0).abs() < 0.02, "{row:?}");
    assert!(
        (number("rtfx_ci_low") - number("rtfx")).abs() < 1e-9,
        "{row:?}"
    );
    assert!(number("rtfx_ci_high") > 1.9, "{row:?}");
    // With what it covers.
    let interval = format!(
        "{:.2}–{:.2} (75 %)",
        number("rtfx_ci_low"),
        number("rtfx_ci_high")
    );
    let markdown = read(&place, "r/report.md");
    assert!(markdown.contains(&interval), "{interval} in {markdown}");
    let page = read(&place, "r/report.html");
    assert!(page.contains("(interval 0.99 × to 2.00 ×)"), "{page}");
}

/// The same record gives the same bytes, wherever it lies and whoever asks.
#[test]
fn tables_are_the_same_bytes_everywhere() {
    let place = Place::new();
    place.write(
        "m.yaml",
        &fake_matrix(
            "  beam-size: [1, 2]\n  tag.who: [\"=1+1\", größe]",
            "settings: {repeat: 3, launches: 2}",
        ),
    );
    place.run(&["run", "m.yaml", "--out", "r"]).expect_status(0);
    let tables = [
        "results.csv",
        "summary.csv",
        "samples.csv",
        "jobs.csv",
        "combinations.csv",
    ];
    let before: Vec<Vec<u8>> = tables
        .iter()
        .map(|name| fs::read(place.path().join("r").join(name)).unwrap())
        .collect();
    let elsewhere = Place::new();
    let folder = elsewhere.path().join("deep/ähnlich wo anders");
    fs::create_dir_all(&folder).unwrap();
    for name in ["plan.json", "journal.jsonl"] {
        fs::copy(place.path().join("r").join(name), folder.join(name)).unwrap();
    }
    for (locale, zone, threads) in [
        ("C", "UTC", "1"),
        ("de_DE.UTF-8", "Asia/Kathmandu", "2"),
        ("tr_TR.UTF-8", "America/St_Johns", "7"),
    ] {
        let output = elsewhere
            .command(&["report", folder.to_str().unwrap(), "--to", "csv"])
            .env("LC_ALL", locale)
            .env("LANG", locale)
            .env("TZ", zone)
            .env("HOME", elsewhere.path())
            .env("RAYON_NUM_THREADS", threads)
            .output()
            .unwrap();
        assert!(output.status.success());
        for (name, before) in tables.iter().zip(&before) {
            let after = fs::read(folder.join(name)).unwrap();
            assert!(after == *before, "{name} with {locale} in {zone}");
            fs::remove_file(folder.join(name)).unwrap();
        }
    }
}
