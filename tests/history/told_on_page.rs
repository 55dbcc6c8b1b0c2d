//! What the history says of a run stands on the run's own page, and stays there.

use crate::support::Place;
use crate::support::invalid::validator;
use std::fs;

/// An engine whose speed is what a file beside it says, so that all of its runs are of one job.
fn place() -> Place {
    let place = Place::new();
    place.write(
        "m.yaml",
        "version: 1\nname: speeds\nmatrix:\n  backend: [speaker]\n  model: [tiny.en]\n  audio: [jfk]\n  \
         verify-method: [cache-check]\nsettings: {repeat: 1, warmup: 0}\nbackends:\n  speaker: {command: \
         [./speaker, \"{{ audio.wav }}\"], output: text}\n",
    );
    place.write(
        "speaker",
        "#!/bin/sh\nsleep \"$(cat \"$(dirname \"$0\")/seconds\")\"\necho and so my fellow americans\n",
    );
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(place.path().join("speaker"), mode).unwrap();
    place
}

fn page(place: &Place, run: &str) -> String {
    fs::read_to_string(place.path().join(run).join("report.html")).unwrap()
}

#[test]
fn a_run_tells_on_its_page_what_has_changed_and_since_which_run() {
    let place = place();
    let run = |number: usize, more: &[&str]| {
        let seconds = if number <= 10 { "0.05" } else { "0.45" };
        place.write("seconds", seconds);
        let out = format!("runs/{number:02}");
        let arguments = [&["run", "m.yaml", "--out", &out], more].concat();
        let ran = place.run(&arguments).expect_status(0);
        (out, ran.stderr)
    };
    let (first, _) = run(1, &[]);
    assert!(
        page(&place, &first).contains("No earlier run of these rows on the same machine is known"),
        "{}",
        page(&place, &first)
    );
    // A change needs a few runs to be seen: how many depends on what else varied.
    let mut seen = None;
    for number in 2..=20 {
        let (out, stderr) = run(number, &[]);
        if stderr.contains("history: worse: time to transcribe") {
            seen = Some((number, out, stderr));
            break;
        }
        let page = page(&place, &out);
        assert!(
            page.contains("No change of level is new in this run, among ")
                || stderr.contains("history: "),
            "{out}: {page}"
        );
    }
    let (number, out, stderr) = seen.expect("nine times as long is a change");
    assert!(number > 11, "{stderr}");
    let told = page(&place, &out);
    let (_, section) = told.split_once("<h2 id=\"changes\">").unwrap();
    let (section, _) = section.split_once("<h2").unwrap();
    assert!(
        section.contains("first seen in this run") && section.contains(">worse<"),
        "{section}"
    );
    // Since the run that the line on the terminal names; drawn over all of them.
    let since = stderr.split(" since ").nth(1).unwrap();
    let since = since.split(',').next().unwrap();
    assert!(
        section.contains(&format!("<bdi>{since}</bdi>, ")),
        "{section}"
    );
    assert!(
        section.contains(&format!("time to transcribe over {number} runs: ")),
        "{section}"
    );

    // It is stored with the run: without the history, and with more runs in it, the page is the same.
    let stored = fs::read_to_string(place.path().join(&out).join("history.json")).unwrap();
    let stored: serde_json::Value = serde_json::from_str(&stored).unwrap();
    let validator = validator("run-history");
    assert!(
        validator.is_valid(&stored),
        "{:?}",
        validator.iter_errors(&stored).next()
    );
    run(21, &[]);
    place.run(&["report", &out]).expect_status(0);
    assert_eq!(page(&place, &out), told);

    // The next run tells it no more; one that is left out of the history tells nothing, and one that was
    // resumed without it has nothing of before.
    let (apart, _) = run(22, &["--no-history"]);
    assert!(!page(&place, &apart).contains("id=\"changes\""));
    assert!(!place.path().join(&apart).join("history.json").exists());
    place
        .run(&["run", "--resume", &out, "--no-history"])
        .expect_status(0);
    assert!(!place.path().join(&out).join("history.json").exists());
    assert!(!page(&place, &out).contains("id=\"changes\""));
}

/// A merge is a run too.
#[test]
fn a_merge_tells_it_as_well() {
    let place = place();
    place.write("seconds", "0.01");
    place.run(&["run", "m.yaml", "--out", "a"]).expect_status(0);
    place.run(&["run", "m.yaml", "--out", "b"]).expect_status(0);
    place
        .run(&["merge", "a", "b", "--out", "both"])
        .expect_status(0);
    assert!(place.path().join("both/history.json").exists());
    assert!(page(&place, "both").contains("id=\"changes\""));
    place
        .run(&["merge", "a", "b", "--out", "apart", "--no-history"])
        .expect_status(0);
    assert!(!page(&place, "apart").contains("id=\"changes\""));
}
