//! Reports: what stands in the tables and on the page.

use crate::support::journal::{Journal, Start, benchmark, plan};
use crate::support::{Place, fake_matrix};
use earmark::event::RunEvent;
use earmark::model::{Job, JobSpec, LeakedProcess, Outcome, Phase, Plan, RerunReason};
use std::fs;

/// A data set of two languages beside a clip.
fn data_set(place: &Place) {
    let jfk = fs::read(crate::support::project().join("corpus/jfk.flac")).unwrap();
    let arctic = fs::read(crate::support::project().join("corpus/arctic-a0007.flac")).unwrap();
    fs::create_dir_all(place.path().join("clips")).unwrap();
    fs::write(place.path().join("clips/a.flac"), jfk).unwrap();
    fs::write(place.path().join("clips/b.flac"), arctic).unwrap();
    place.write(
        "clips/manifest.csv",
        "id,file,reference,language\none,a.flac,what you can do,en\ntwo,b.flac,lo que puedes,es\n\
         three,b.flac,what can you do,en\n",
    );
}

const SET: &str = "audio:\n  mine: {manifest: clips/manifest.csv}\nsettings: {repeat: 2, warmup: 1, \
                   launches: 3}\n";

#[test]
fn the_summary_has_a_row_for_each_configuration_data_set_and_language() {
    let place = Place::new();
    data_set(&place);
    let matrix = fake_matrix("  beam-size: [1, 2]", SET)
        .replace("[tiny.en]", "[base]")
        .replace("[jfk]", "[jfk, arctic-a0007, mine]")
        + "score: {normalizers: [basic, none]}\n";
    place.write("m.yaml", &matrix);
    place.run(&["run", "m.yaml", "--out", "r"]).expect_status(0);
    let summary = place.table("r/summary.csv");
    let keys: Vec<(&str, &str, &str, &str)> = summary
        .iter()
        .map(|row| {
            (
                row["setting.beam-size"].as_str(),
                row["data_set"].as_str(),
                row["language"].as_str(),
                row["n"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        keys,
        [
            ("1", "(clips)", "en", "2"),
            ("2", "(clips)", "en", "2"),
            ("1", "mine", "en", "2"),
            ("1", "mine", "es", "1"),
            ("2", "mine", "en", "2"),
            ("2", "mine", "es", "1"),
        ]
    );
    // Sums over sums: what the rows of the clips give together.
    let results = place.table("r/results.csv");
    let of_clips: Vec<_> = results
        .iter()
        .filter(|row| row["audio"] != "mine" && row["beam_size"] == "1")
        .collect();
    let sum = |column: &str| -> f64 {
        of_clips
            .iter()
            .map(|row| row[column].parse::<f64>().unwrap())
            .sum()
    };
    let errors = sum("substitutions") + sum("deletions") + sum("insertions");
    let wer: f64 = summary[0]["wer"].parse().unwrap();
    assert!((wer - errors / sum("reference_words")).abs() < 1e-6);
    assert_eq!(summary[0]["n_trials"], "12");
    assert_eq!(summary[0]["n_planned"], "2");
    // RTFx is computed again from the samples.
    let samples = place.table("r/samples.csv");
    let ids: Vec<&str> = of_clips.iter().map(|row| row["job_id"].as_str()).collect();
    let total = |column: &str| -> f64 {
        samples
            .iter()
            .filter(|row| row["warmup"] == "false" && ids.contains(&row["job_id"].as_str()))
            .map(|row| row[column].parse::<f64>().unwrap())
            .sum()
    };
    let rtfx: f64 = summary[0]["rtfx"].parse().unwrap();
    let again = total("audio_seconds") / total("transcribe_seconds");
    // The cells have six digits behind the dot, and the fake engine takes microseconds.
    assert!((rtfx / again - 1.0).abs() < 0.2, "{rtfx} {again}");
    // A further normalizer has a column of its own.
    assert!(summary[0]["wer.none"].parse::<f64>().unwrap() >= wer);
    assert_eq!(summary[0]["normalizer"], "basic");
}

#[test]
fn a_gate_over_a_set_looks_at_each_language_of_it() {
    let place = Place::new();
    data_set(&place);
    let matrix = |gate: &str| {
        fake_matrix("", SET)
            .replace("[tiny.en]", "[base]")
            .replace("[jfk]", "[mine]")
            + "gates:\n  - "
            + gate
            + "\n"
    };
    place.write("m.yaml", &matrix("{metric: rtfx, min: 0.001, scope: set}"));
    place.run(&["run", "m.yaml", "--out", "a"]).expect_status(0);
    place.write("m.yaml", &matrix("{metric: wer, max: 0.0001, scope: set}"));
    let ran = place.run(&["run", "m.yaml", "--out", "b"]).expect_status(1);
    assert!(ran.stderr.contains("(en): wer is"), "{}", ran.stderr);
    assert!(ran.stderr.contains("(es): wer is"), "{}", ran.stderr);
    place.write(
        "m.yaml",
        &matrix("{metric: load_seconds, max: 1, scope: set}"),
    );
    let ran = place.run(&["run", "m.yaml", "--out", "c"]).expect_status(2);
    assert!(
        ran.stderr
            .contains("unknown metric `load_seconds` over a set"),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_page_shows_what_a_reader_looks_for_and_loads_nothing() {
    let place = Place::new();
    data_set(&place);
    let matrix = fake_matrix("  fake-fault: [none, crash-trial]", SET)
        .replace("name: test", "name: \"<b>night</b>\"")
        .replace("[tiny.en]", "[base, tiny.en]")
        .replace("[jfk]", "[mine, mls-es-13697]");
    place.write("m.yaml", &matrix);
    place.run(&["run", "m.yaml", "--out", "r"]).expect_status(3);
    let page = fs::read_to_string(place.path().join("r/report.html")).unwrap();
    for wanted in [
        "&lt;b&gt;night&lt;&#x2f;b&gt;",
        "No measurement: the fake engine stood in.",
        "Not completed",
        "crashed",
        "<svg",
        "mine · en",
        "mine · es",
        "Word by word",
        "<del>",
        "Heat map",
        "Timeline",
        "earmark run m.yaml --out r",
        "Governor",
        "summary.csv",
        // tiny.en is for English only.
        "Skipped by the plan",
    ] {
        assert!(page.contains(wanted), "{wanted} is missing");
    }
    for unwanted in [
        "<script src",
        "http://",
        "https://",
        "<b>night",
        "<link",
        "@import",
        "url(",
        "eval(",
        "innerHTML",
        "fetch(",
    ] {
        assert!(!page.contains(unwanted), "{unwanted} must not be there");
    }
}

#[test]
fn a_row_says_what_to_know_before_it_is_believed() {
    let place = Place::new();
    place.write("m.yaml", &fake_matrix("", "settings: {repeat: 3}"));
    place.run(&["run", "m.yaml", "--out", "r"]).expect_status(0);
    let row = &place.table("r/results.csv")[0];
    assert!(
        row["notes"].contains("3 trials: too few for an interval"),
        "{}",
        row["notes"]
    );
    assert_eq!(row["transcribe_seconds_ci_low"], "");
}

/// A run of three engines on one model and clip, of which each does it in another way.
fn unlike() -> (Plan, Journal) {
    let mut plan = plan(1);
    plan.jobs.truncate(1);
    let engines = [
        (
            "whisper-cpp",
            "f16",
            "{\"timestamps\": true, \"beam-size\": 1}",
        ),
        (
            "candle",
            "f16",
            "{\"timestamps\": true, \"vad\": false, \"beam-size\": 1}",
        ),
        (
            "faster",
            "int8",
            "{\"timestamps\": false, \"beam-size\": 1, \"compute-type\": \"float32\"}",
        ),
    ];
    let mut jobs = Vec::new();
    for (engine, weights, settings) in engines {
        let JobSpec::Benchmark(mut spec) = benchmark("clip-0", 1).spec else {
            unreachable!();
        };
        spec.backend = engine.into();
        spec.quantization = weights.into();
        if engine == "faster" {
            spec.settings = serde_json::from_str("{\"compute-type\": \"float16\"}").unwrap();
        }
        let job = Job::new(JobSpec::Benchmark(spec));
        plan.jobs.push(job.clone());
        jobs.push((job, settings));
    }
    let mut journal = Journal::of(&plan);
    for (job, settings) in jobs {
        journal.begin(&job.id, 0, 1);
        journal.say(RunEvent::EngineReady {
            job: job.id.clone(),
            launch: 0,
            version: "1".into(),
            start_seconds: Some(0.1),
            settings: serde_json::from_str(settings).unwrap(),
        });
        for trial in 0..3 {
            journal.trial(&job.id, "clip-0", (0, 1, trial));
        }
        journal.finish(&job.id, 0, 1, &Outcome::Completed);
        journal.end(&job.id, &Outcome::Completed, None);
    }
    journal.over(false);
    (plan, journal)
}

#[test]
fn engines_that_are_not_compared_like_with_like_are_marked_in_row_and_page() {
    let place = Place::new();
    let (plan, journal) = unlike();
    journal.write(&place.path().join("r"), &plan);
    place.run(&["report", "r"]).expect_status(0);
    let rows = place.table("r/results.csv");
    let notes: Vec<&str> = rows.iter().map(|row| row["notes"].as_str()).collect();
    assert!(
        notes[0].contains("unlike faster: timestamps true here, false there"),
        "{notes:#?}"
    );
    assert!(
        notes[0].contains("unlike faster: weights f16 here, int8 there"),
        "{notes:#?}"
    );
    assert!(!notes[0].contains("candle"), "{notes:#?}");
    assert!(
        notes[2].contains("unlike candle, whisper-cpp: timestamps false here, true there"),
        "{notes:#?}"
    );
    // What is in effect stands in the row, and what was asked for beside it.
    assert!(
        notes[2].contains("compute-type float32 is in effect, and float16 was asked for"),
        "{notes:#?}"
    );
    assert_eq!(rows[2]["setting.compute-type"], "float32");
    assert_eq!(rows[1]["setting.vad"], "false");
    assert_eq!(rows[0]["setting.vad"], "");
    let page = fs::read_to_string(place.path().join("r/report.html")).unwrap();
    let (_, mark) = page.split_once("not like with like").unwrap();
    let mark = mark.split("</p>").next().unwrap();
    for wanted in [
        "<b>timestamps</b>",
        "candle, whisper-cpp",
        "<b>weights</b>",
        "int8",
    ] {
        assert!(mark.contains(wanted), "{wanted}: {mark}");
    }
    assert!(!mark.contains("vad"), "{mark}");
}

/// A run of one benchmark to which everything happens that may.
fn eventful() -> (Plan, Journal) {
    let mut plan = plan(1);
    plan.jobs[1] = benchmark("clip-0", 3);
    let id = plan.jobs[1].id.clone();
    let resumed = Start {
        resumed: true,
        ..Start::default()
    };
    let mut journal = Journal::of(&plan);
    journal.say(RunEvent::QuietAwaited {
        seconds: 60.0,
        busy: 1.5,
        allowed: 0.5,
        quiet: false,
    });
    journal.begin(&id, 0, 1);
    journal.trial(&id, "clip-0", (0, 1, 0));
    journal.trial(&id, "clip-0", (0, 1, 1));
    journal.start(&plan, &resumed);
    journal.say(RunEvent::JobReopened {
        job: id.clone(),
        reason: RerunReason::NotFinished,
        detail: "the run ended while it ran".into(),
        keeps_trials: true,
    });
    journal.begin(&id, 0, 2);
    journal.trial(&id, "clip-0", (0, 2, 0));
    journal.say(RunEvent::Suspended { seconds: 90.0 });
    journal.trial(&id, "clip-0", (0, 2, 2));
    journal.say(RunEvent::ProcessesLeaked {
        job: id.clone(),
        launch: 0,
        count: 2,
        processes: vec![LeakedProcess {
            pid: 4711,
            name: "<sleep>".into(),
        }],
    });
    journal.finish(&id, 0, 2, &Outcome::Completed);
    journal.begin(&id, 1, 1);
    journal.finish(
        &id,
        1,
        1,
        &Outcome::Crashed {
            phase: Phase::Load,
            signal: Some(11),
            exit_code: None,
            stderr_tail: "out of memory".into(),
        },
    );
    journal.say(RunEvent::RetryPlanned {
        job: id.clone(),
        launch: 1,
        attempt: 2,
        delay_seconds: 2.0,
    });
    journal.begin(&id, 1, 2);
    for trial in 0..3 {
        journal.trial(&id, "clip-0", (1, 2, trial));
    }
    journal.finish(&id, 1, 2, &Outcome::Completed);
    journal.say(RunEvent::RoundsLeftOut {
        done: 2,
        planned: 3,
        budget_seconds: 30.0,
    });
    journal.end(&id, &Outcome::Completed, None);
    journal.over(false);
    (plan, journal)
}

#[test]
fn what_happened_to_a_run_is_told_where_it_matters() {
    let place = Place::new();
    let (plan, journal) = eventful();
    journal.write(&place.path().join("r"), &plan);
    place.run(&["report", "r"]).expect_status(0);
    let row = &place.table("r/results.csv")[0];
    for wanted in [
        "1 launch was finished by another process than the one that began",
        "2 of 3 launches: the time budget left out the others",
        "the machine did not become quiet in 1 min 00 s: others kept 1.5 CPUs busy, and 0.5 are allowed",
        "the runner was stopped for 1 min 30 s meanwhile",
        "2 processes were left behind",
    ] {
        assert!(row["notes"].contains(wanted), "{wanted}: {}", row["notes"]);
    }
    assert_eq!((row["launches"].as_str(), row["n"].as_str()), ("2", "4"));
    let job = &place.table("r/jobs.csv")[1];
    let cell = |name: &str| job[name].as_str();
    assert_eq!(cell("rerun"), "not finished: the run ended while it ran");
    assert_eq!(cell("attempts"), "4");
    assert_eq!(cell("retries"), "1");
    assert_eq!(cell("leaked_processes"), "2");
    assert_eq!(cell("machine_id"), "here");
    let attempts: Vec<String> = place
        .table("r/samples.csv")
        .iter()
        .map(|row| format!("{}.{}.{}", row["launch"], row["trial"], row["attempt"]))
        .collect();
    assert_eq!(
        attempts,
        ["0.0.2", "0.1.1", "0.2.2", "1.0.2", "1.1.2", "1.2.2"]
    );
    let page = fs::read_to_string(place.path().join("r/report.html")).unwrap();
    for wanted in [
        "Left behind",
        "&lt;sleep&gt; (4711)",
        "lost: the run ended before it",
        "tried again after 2.00 s",
        "the runner was stopped for 1 min 30 s",
        "class=\"session\"",
        "class=\"leak\"",
        "did 2 of 3 rounds in its time budget of 30.0 s",
        "did not end in order",
    ] {
        assert!(page.contains(wanted), "{wanted} is missing");
    }
}

#[test]
fn how_a_process_ended_stands_in_its_row() {
    let place = Place::new();
    let plan = plan(2);
    let crashed = Outcome::Crashed {
        phase: Phase::Trial,
        signal: Some(11),
        exit_code: None,
        stderr_tail: "=out of memory".into(),
    };
    let timed_out = Outcome::TimedOut {
        phase: Phase::Load,
        limit_seconds: 2.5,
    };
    let mut journal = Journal::of(&plan);
    journal.measure(&plan.jobs[1], &crashed);
    journal.measure(&plan.jobs[2], &timed_out);
    journal.over(false);
    journal.write(&place.path().join("r"), &plan);
    place.run(&["report", "r"]).expect_status(0);
    let jobs = place.table("r/jobs.csv");
    let row = |position: usize| {
        let job: &std::collections::BTreeMap<String, String> = &jobs[position];
        ["phase", "limit_seconds", "signal", "exit_code"].map(|name| job[name].clone())
    };
    assert_eq!(row(1), ["trial", "", "11", ""]);
    assert_eq!(row(2), ["load", "2.5", "", ""]);
    assert_eq!(row(0), ["", "", "", ""]);
}
