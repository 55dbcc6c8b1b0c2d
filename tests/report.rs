//! Reports: what stands in the tables and on the page.

use crate::support::{Place, fake_matrix};
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
        "<script", "http://", "https://", "<b>night", "<link", "@import", "url(",
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
