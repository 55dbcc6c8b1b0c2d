//! The page of a comparison of machines, as a reader sees it.

use crate::page::browser::Browser;
use crate::page::text;
use crate::support::Place;
use crate::support::journal::{Journal, Start, benchmark, plan};
use earmark::event::RunEvent;
use earmark::model::{MachineFacts, Outcome, Plan, Sample};
use serde_json::json;
use std::fs;

/// Recordings of the set: enough for an interval of a difference of error rates.
const RECORDINGS: usize = 8;

/// A machine, and how it measured.
struct Measured<'a> {
    id: &'a str,
    facts: MachineFacts,
    engine: &'a str,
    /// Times as a share of half a second.
    factor: f64,
    /// In how many recordings a word is heard wrong.
    wrong: usize,
}

/// A plan of a set and a clip, each in three launches.
fn planned(clip: &str) -> Plan {
    let mut planned = plan(0);
    let utterance = |id: &str| {
        json!({"id": id, "source": {"builtin": id}, "reference": "a b c", "language": "en",
            "seconds": 1.0, "sha256": null})
    };
    let set: Vec<_> = (0..RECORDINGS)
        .map(|number| utterance(&format!("recording-{number}")))
        .collect();
    for (id, utterances) in [("set", set), (clip, vec![utterance(clip)])] {
        let audio =
            json!({"id": id, "data-set": id == "set", "manifest": null, "utterances": utterances});
        let audio = serde_json::from_value(audio).unwrap();
        planned.audio.insert(id.to_owned(), audio);
        planned.jobs.push(benchmark(id, 3));
    }
    planned
}

/// Writes what a machine measured of the first rows of a plan.
fn measure(place: &Place, plan: &Plan, machine: &Measured<'_>, rows: usize) {
    let mut journal = Journal::at(0);
    journal.start(
        plan,
        &Start {
            run_id: machine.id.into(),
            machine: machine.id.into(),
            ..Start::default()
        },
    );
    if let RunEvent::RunStarted { machine: facts, .. } = &mut journal.events[0].event {
        **facts = MachineFacts {
            id: machine.id.into(),
            ..machine.facts.clone()
        };
    }
    journal.artifact("sha256:aaaa");
    for recording in plan.audio.values().flat_map(|audio| &audio.utterances) {
        journal.audio(&recording.id, "bbbb");
    }
    for (job, audio) in plan.jobs.iter().skip(1).zip(plan.audio.values()).take(rows) {
        for launch in 0..3 {
            journal.begin(&job.id, launch, 1);
            if let Some(RunEvent::EngineReady { version, .. }) =
                journal.events.last_mut().map(|event| &mut event.event)
            {
                machine.engine.clone_into(version);
            }
            for (trial, (position, recording)) in (0..3).flat_map(|trial| {
                audio
                    .utterances
                    .iter()
                    .enumerate()
                    .map(move |one| (trial, one))
            }) {
                let noise = 1.0 + 0.01 * f64::from(launch) + 0.001 * f64::from(trial);
                let seconds = 0.5 * machine.factor * noise;
                let is_wrong = audio.data_set && position < machine.wrong;
                journal.say(RunEvent::TrialEnded {
                    job: job.id.clone(),
                    sample: Sample {
                        launch,
                        utterance: recording.id.clone(),
                        trial,
                        attempt: 1,
                        warmup: trial == 0,
                        audio_seconds: 1.0,
                        transcribe_seconds: seconds,
                        wall_seconds: seconds,
                        first_segment_seconds: None,
                        cpu_seconds: None,
                        text: if is_wrong { "a b d" } else { "a b c" }.into(),
                        segments: Vec::new(),
                        language: Some("en".into()),
                        tokens: None,
                    },
                });
            }
            journal.finish(&job.id, launch, 1, &Outcome::Completed);
        }
        journal.end(&job.id, &Outcome::Completed, None);
    }
    journal.over(false);
    journal.write(&place.path().join(machine.id), plan);
}

fn facts(host: &str, cpu: &str, cores: u32) -> MachineFacts {
    MachineFacts {
        host: host.into(),
        cpu: cpu.into(),
        cores,
        system: "Linux".into(),
        ..MachineFacts::default()
    }
}

/// Three machines, of which the second is slower and hears otherwise, and the third did less.
fn three() -> Place {
    let place = Place::new();
    let plan = planned("clip");
    let machine = |id, facts, factor, wrong| Measured {
        id,
        facts,
        engine: "1",
        factor,
        wrong,
    };
    measure(
        &place,
        &plan,
        &machine("a", facts("desk", "Ryzen 9", 16), 1.0, 0),
        2,
    );
    let slow = Measured {
        engine: "2",
        ..machine("b", facts("board", "Cortex-A76", 4), 1.5, 3)
    };
    measure(&place, &plan, &slow, 2);
    measure(
        &place,
        &plan,
        &machine("c", facts("rack", "Ryzen 9", 16), 1.0, 0),
        1,
    );
    place
}

fn page(place: &Place) -> String {
    place
        .run(&[
            "compare",
            "a",
            "b",
            "c",
            "--across-machines",
            "--format",
            "html",
        ])
        .expect_status(0)
        .stdout
}

#[test]
fn what_differs_stands_before_any_number_and_each_machine_has_a_table() {
    let read = text::of(&page(&three()));
    insta::assert_snapshot!("three-machines", read);
    let first_number = read.find("1.500").unwrap();
    for caveat in ["Cortex-A76", "engine fake", "Neither tells"] {
        let last = read.rfind(caveat).unwrap();
        assert!(
            last < first_number,
            "{caveat} stands behind a number: {read}"
        );
    }
}

#[test]
fn the_page_and_the_json_have_the_same_numbers() {
    let place = three();
    let found = place
        .run(&[
            "compare",
            "a",
            "b",
            "c",
            "--across-machines",
            "--format",
            "json",
        ])
        .expect_status(0)
        .json();
    let row = &found["against"][0]["rows"][0];
    let points = |field: &str| row[field].as_f64().unwrap() * 100.0;
    // One word in three is wrong in three of eight recordings.
    assert!((points("wer_difference") - 12.5).abs() < 1e-9);
    assert!(points("wer_difference_low") < 12.5 && points("wer_difference_high") > 12.5);
    let shown = format!(
        "+12.50 ({} to +{:.2})",
        match points("wer_difference_low") {
            low if low < 0.005 => "0".to_owned(),
            low => format!("+{low:.2}"),
        },
        points("wer_difference_high")
    );
    let page = page(&place);
    assert!(page.contains(&shown), "{shown}: {page}");
    // One recording is too few for an interval.
    let clip = &found["against"][0]["rows"][1];
    assert_eq!(clip["wer_difference"], 0.0);
    assert!(clip["wer_difference_low"].is_null());
}

/// Names of machines, engines and recordings are written by others.
#[test]
fn hostile_names_mark_nothing_up_and_act_on_nothing() {
    let place = Place::new();
    let attack = "</title><script>document.title='taken'</script>\" onload=\"x\" {{ 7 * 7 }}";
    let plan = planned("<img src=x onerror=alert(1)>\u{202e}\u{1b}[31m");
    for (id, host) in [
        ("a", attack),
        ("b", "<b>\u{202e}'other' & \"more\"</b>"),
        ("c", "c"),
    ] {
        let machine = Measured {
            id,
            facts: MachineFacts {
                governor: Some(format!("{attack}{id}")),
                ..facts(host, &format!("{attack}{id}"), 4)
            },
            engine: "<style>main{display:none}</style>",
            factor: 1.0,
            wrong: 0,
        };
        measure(&place, &plan, &machine, 2);
    }
    let page = page(&place);
    for (element, count) in [
        ("<script", 0),
        ("<img", 0),
        ("<b>\u{202e}", 0),
        ("<style", 1),
        ("<title", 1),
    ] {
        assert_eq!(page.matches(element).count(), count, "{element}");
    }
    for letter in ['\u{202e}', '\u{1b}'] {
        assert!(!page.contains(letter), "{letter:?} acts without being seen");
    }
    assert!(page.contains("{{ 7 * 7 }}"), "{page}");
    for outside in ["src=\"", "href=\"http", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let path = place.path().join("page.html");
    fs::write(&path, page).unwrap();
    for width in [375, 1280] {
        browser.look(width, "light");
        browser.open(&path);
        let handlers = browser.evaluate(
            "Array.from(document.querySelectorAll('*')).flatMap((part) => \
             Array.from(part.attributes, (attribute) => attribute.name))\
             .filter((name) => name.startsWith('on') || name === 'style').length",
        );
        assert_eq!(handlers, 0);
        assert_eq!(browser.faults(), [""; 0]);
    }
}

#[test]
fn nothing_lies_beside_a_narrow_screen() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let place = three();
    let path = place.path().join("page.html");
    fs::write(&path, page(&place)).unwrap();
    browser.look(375, "light");
    browser.open(&path);
    let beside = "Array.from(document.querySelectorAll('main *')).filter((part) => part.checkVisibility() && \
                  !part.closest('thead') && part.getBoundingClientRect().right > innerWidth).length";
    assert_eq!(browser.evaluate(beside), 0);
    assert_eq!(
        browser.evaluate("document.documentElement.scrollWidth - innerWidth"),
        0
    );
    // A number has its name beside it, as the head of the table is not there.
    let named = browser.evaluate(
        "getComputedStyle(document.querySelector('td[data-label=Ratio]'), '::before').content",
    );
    assert!(
        named.as_str().is_some_and(|name| name.contains("Ratio")),
        "{named}"
    );
}
