//! What the program says of two runs.

use super::{Made, make, plan_of};
use crate::support::invalid::validator;
use crate::support::{Place, fake_matrix};
use earmark::model::{Outcome, Phase};
use serde_json::Value;
use std::fs;

fn compared(place: &Place, arguments: &[&str]) -> Value {
    let all: Vec<&str> = ["compare"]
        .iter()
        .chain(arguments)
        .chain(&["--format", "json"])
        .copied()
        .collect();
    place.run(&all).expect_status(0).json()
}

#[test]
fn what_became_slower_is_told_with_its_interval() {
    let place = Place::new();
    let plan = plan_of(2, 5, "[]");
    make(&place, "a", &plan, &Made::default());
    make(
        &place,
        "b",
        &plan,
        &Made {
            factor: 1.2,
            ..Made::default()
        },
    );
    let found = compared(&place, &["a", "b"]);
    let validator = validator("comparison");
    assert!(
        validator.is_valid(&found),
        "{:?}",
        validator.iter_errors(&found).next()
    );
    let against = &found["against"][0];
    let row = &against["rows"][0];
    assert_eq!(row["speed"]["verdict"], "worse");
    let number = |field: &str| row["speed"][field].as_f64().unwrap();
    assert!((number("ratio") - 1.2).abs() < 1e-9);
    assert!(number("ratio_low") > 1.17 && number("ratio_high") < 1.23);
    // The medians are those of the table.
    place.run(&["report", "a"]).expect_status(0);
    let median = &place.table("a/results.csv")[0]["transcribe_seconds_median"];
    assert!((median.parse::<f64>().unwrap() - number("base_seconds")).abs() < 1e-6);
    assert_eq!(row["accuracy"]["verdict"], "same");
    assert_eq!(row["accuracy"]["changed_texts"], 0);
    assert_eq!(against["speed"]["worse"], 2);
    // Both clips together are a set.
    assert_eq!(against["sets"][0]["rows"], 2);
    assert_eq!(against["sets"][0]["speed"]["verdict"], "worse");
    // The other way around.
    let found = compared(&place, &["b", "a"]);
    assert_eq!(found["against"][0]["rows"][0]["speed"]["verdict"], "better");
}

#[test]
fn a_run_is_the_same_as_itself_and_nothing_differs() {
    let place = Place::new();
    place.write(
        "m.yaml",
        &fake_matrix("  beam-size: [1, 2]", "settings: {repeat: 2, launches: 3}"),
    );
    place
        .run(&["run", "m.yaml", "--out", "runs/a"])
        .expect_status(0);
    let found = compared(&place, &["runs/a", "latest"]);
    let against = &found["against"][0];
    assert_eq!(against["differences"], serde_json::json!([]));
    assert_eq!(against["speed"], serde_json::json!({"same": 2}));
    assert_eq!(against["accuracy"], serde_json::json!({"same": 2}));
    let text = place
        .run(&["compare", "runs/a", "runs/a"])
        .expect_status(0)
        .stdout;
    assert!(
        text.contains("As fast in all 2 rows. As accurate in all 2 rows."),
        "{text}"
    );
    assert!(text.contains("synthetic"), "{text}");
}

#[test]
fn only_like_is_compared_with_like() {
    let place = Place::new();
    let plan = plan_of(1, 3, "[]");
    make(&place, "base", &plan, &Made::default());
    let says = |folder: &str, made: Made| -> Value {
        make(&place, folder, &plan, &made);
        compared(&place, &["base", folder])["against"][0].clone()
    };
    let found = says(
        "weights",
        Made {
            weights: "sha256:cccc",
            ..Made::default()
        },
    );
    assert_eq!(found["rows"][0]["speed"]["verdict"], "no-data");
    let reason = found["rows"][0]["speed"]["reason"].as_str().unwrap();
    assert_eq!(reason, "not like for like: weights aaaa → cccc");
    assert_eq!(
        found["differences"][0]["what"],
        "weights of tiny.en (ggml-f16)"
    );
    let found = says(
        "audio",
        Made {
            audio: "dddd",
            ..Made::default()
        },
    );
    let reason = found["rows"][0]["accuracy"]["reason"].as_str().unwrap();
    assert!(
        reason.contains("recordings clip-0 bbbb → clip-0 dddd"),
        "{reason}"
    );
    let found = says(
        "failed",
        Made {
            outcome: Outcome::Failed {
                phase: Phase::Trial,
                reason: "no".into(),
            },
            ..Made::default()
        },
    );
    assert_eq!(found["rows"][0]["speed"]["reason"], "new: failed");
    // Another machine is compared, and says so.
    let found = says(
        "machine",
        Made {
            machine: "there",
            ..Made::default()
        },
    );
    assert_eq!(found["rows"][0]["speed"]["verdict"], "same");
    assert_eq!(
        found["rows"][0]["caveats"][0],
        "on two machines: host-here and host-there"
    );
    assert_eq!(found["differences"][0]["what"], "machine");
    let found = says(
        "engine",
        Made {
            engine: "2",
            ..Made::default()
        },
    );
    assert_eq!(found["differences"][0]["what"], "engine fake");
    assert_eq!(found["differences"][0]["new"], "2");
}

#[test]
fn rows_that_were_measured_more_often_are_still_the_same_rows() {
    let place = Place::new();
    make(&place, "a", &plan_of(2, 3, "[]"), &Made::default());
    make(&place, "b", &plan_of(1, 5, "[]"), &Made::default());
    let found = &compared(&place, &["a", "b"])["against"][0];
    assert_eq!(found["rows"].as_array().unwrap().len(), 1);
    assert_eq!(found["rows"][0]["speed"]["base_launches"], 3);
    assert_eq!(found["rows"][0]["speed"]["new_launches"], 5);
    assert_eq!(found["only_base"][0], "fake/tiny.en/f16/clip-1");
    // The clips of one run are not those of the other.
    assert_eq!(found["sets"][0]["speed"]["verdict"], "no-data");
}

#[test]
fn other_texts_are_told_and_many_recordings_have_an_interval() {
    let place = Place::new();
    let plan = plan_of(8, 3, "[]");
    make(&place, "a", &plan, &Made::default());
    make(
        &place,
        "b",
        &plan,
        &Made {
            text: "a b d",
            ..Made::default()
        },
    );
    let found = &compared(&place, &["a", "b"])["against"][0];
    let row = &found["rows"][0]["accuracy"];
    assert_eq!(row["verdict"], "worse");
    assert_eq!(row["difference_low"], Value::Null);
    let set = &found["sets"][0]["accuracy"];
    assert_eq!(
        (&set["verdict"], &set["changed_texts"]),
        (&"worse".into(), &8.into())
    );
    assert!((set["difference_low"].as_f64().unwrap() - 1.0 / 3.0).abs() < 1e-9);
    let text = place.run(&["compare", "a", "b"]).expect_status(0).stdout;
    assert!(
        text.contains("8 of 8") || text.contains("the text differs"),
        "{text}"
    );
}

#[test]
fn any_number_of_runs_stand_side_by_side() {
    let place = Place::new();
    let plan = plan_of(1, 5, "[]");
    for (folder, factor) in [("a", 1.0), ("b", 1.5), ("c", 0.5)] {
        make(
            &place,
            folder,
            &plan,
            &Made {
                factor,
                ..Made::default()
            },
        );
    }
    let text = place
        .run(&["compare", "a", "b", "c"])
        .expect_status(0)
        .stdout;
    let line = text
        .lines()
        .find(|line| line.contains("fake/tiny.en"))
        .unwrap();
    assert!(
        line.contains("1.500 worse") && line.contains("0.500 better"),
        "{text}"
    );
    let page = place
        .run(&["compare", "a", "b", "c", "--format", "html"])
        .expect_status(0)
        .stdout;
    assert!(page.contains("Side by side") && page.contains("3 runs compared"));
}

#[test]
fn the_smallest_change_that_matters_can_be_set() {
    let place = Place::new();
    let plan = plan_of(1, 6, "[]");
    make(&place, "a", &plan, &Made::default());
    make(
        &place,
        "b",
        &plan,
        &Made {
            factor: 1.04,
            ..Made::default()
        },
    );
    let speed = |arguments: &[&str]| {
        compared(&place, arguments)["against"][0]["rows"][0]["speed"]["verdict"].clone()
    };
    assert_eq!(speed(&["a", "b"]), "same");
    assert_eq!(speed(&["a", "b", "--minimum-effect", "2%"]), "worse");
    let ran = place
        .run(&["compare", "a", "b", "--minimum-effect", "some"])
        .expect_status(2);
    assert!(ran.stderr.contains("`some` is no share"), "{}", ran.stderr);
    place.run(&["compare", "a"]).expect_status(2);
    let ran = place.run(&["compare", "a", "nowhere"]).expect_status(2);
    assert!(ran.stderr.contains("is no run folder"), "{}", ran.stderr);
}

/// What strangers wrote is read by others in a comment and on a page.
#[test]
fn hostile_text_marks_nothing_up() {
    let place = Place::new();
    let mut plan = plan_of(1, 3, "[]");
    plan.name = "</code><img src=x onerror=alert(1)> @team | [x](http://evil) `".into();
    make(
        &place,
        "a",
        &plan,
        &Made {
            engine: "1 | @team <script>alert(1)</script>",
            ..Made::default()
        },
    );
    make(
        &place,
        "b",
        &plan,
        &Made {
            engine: "\u{202e}`2` \x1b[31m",
            text: "# <b>@all</b>",
            ..Made::default()
        },
    );
    let text = place
        .run(&["compare", "a", "b", "--format", "markdown"])
        .expect_status(0)
        .stdout;
    // Everything of theirs is in code spans; taking those out leaves nothing that could be marked
    // up.
    let mut rest = String::new();
    for line in text.lines() {
        let mut left = line;
        while let Some(start) = left.find('`') {
            let fence: String = left[start..]
                .chars()
                .take_while(|letter| *letter == '`')
                .collect();
            rest.push_str(&left[..start]);
            let after = &left[start + fence.len()..];
            let end = after.find(&fence).unwrap();
            assert!(!after[..end].contains('|'), "{line}");
            left = &after[end + fence.len()..];
        }
        rest.push_str(left);
        rest.push('\n');
    }
    for wrong in ["@", "<img", "<script", "](", "http"] {
        assert!(!rest.contains(wrong), "{wrong} in {rest}");
    }
    assert!(!text.contains('\x1b') && !text.contains('\u{202e}'));
    let page = place
        .run(&["compare", "a", "b", "--format", "html"])
        .expect_status(0)
        .stdout;
    assert!(
        !page.contains("<script") && !page.contains("<img"),
        "{page}"
    );
    for outside in ["src=\"", "href=\"http", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    let text = place.run(&["compare", "a", "b"]).expect_status(0).stdout;
    assert!(!text.contains('\x1b') && !text.contains('\u{202e}'));
}

#[test]
fn a_comment_holds_it_however_many_rows_there_are() {
    let place = Place::new();
    let plan = plan_of(600, 1, "[]");
    make(&place, "a", &plan, &Made::default());
    make(
        &place,
        "b",
        &plan,
        &Made {
            factor: 2.0,
            text: "a b d",
            ..Made::default()
        },
    );
    let text = place
        .run(&["compare", "a", "b", "--format", "markdown"])
        .expect_status(0)
        .stdout;
    assert!(text.len() < 65_536, "{}", text.len());
    assert!(text.contains("more\n"), "{text}");
    assert!(
        text.trim_end().ends_with("nothing of smaller changes."),
        "{text}"
    );
}

#[test]
fn the_page_stands_alone_and_is_whole() {
    let place = Place::new();
    let plan = plan_of(2, 5, "[]");
    make(&place, "a", &plan, &Made::default());
    make(
        &place,
        "b",
        &plan,
        &Made {
            factor: 1.3,
            ..Made::default()
        },
    );
    let page = place
        .run(&["compare", "a", "b", "--format", "html", "--gate"])
        .expect_status(1)
        .stdout;
    for wanted in [
        "Slower in all 2 rows.",
        "not passed",
        "What differs between the runs",
        "</html>",
    ] {
        assert!(page.contains(wanted), "{wanted} is missing");
    }
    fs::write(place.path().join("c.html"), page).unwrap();
}
