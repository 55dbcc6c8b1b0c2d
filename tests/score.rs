//! `earmark score`: line against line, as the shell's own word error rate.

use crate::support::Place;
use std::io::Write;
use std::process::Stdio;

#[test]
fn totals_are_sums_over_sums_and_blank_lines_count() {
    let place = Place::new();
    // Two, one and ten words with one miss: 1 of 13 words, while the mean of the lines is a third.
    place.write("r.txt", "go there\nyes\na b c d e f g h i j\n\n");
    place.write("h.txt", "go there\n\na b c d e f g h i j\nnoise\n");
    let arguments = ["score", "--reference", "r.txt", "--hypothesis", "h.txt"];
    let json = place
        .run(&[&arguments[..], &["--format", "json"]].concat())
        .expect_status(0)
        .json();
    let total = &json["total"];
    assert_eq!(total["reference_words"], 13);
    assert_eq!(total["deletions"], 1);
    // A word where nothing was said is an insertion.
    assert_eq!(total["insertions"], 1);
    assert_eq!(total["substitutions"], 0);
    assert!((total["wer"].as_f64().unwrap() - 2.0 / 13.0).abs() < 1e-12);
    assert_eq!(total["empty_references"], 1);
    assert_eq!(json["utterances"].as_array().unwrap().len(), 4);
    assert_eq!(json["utterances"][1]["wer"], 1.0);
    assert_eq!(json["normalizer"]["id"], "none");
    let text = place.run(&arguments).expect_status(0).stdout;
    assert!(text.contains("15.38 %"), "{text}");
    assert!(
        text.contains("0 substitutions + 1 deletions + 1 insertions of 13 words"),
        "{text}"
    );
}

#[test]
fn a_normalizer_makes_texts_comparable_and_is_named() {
    let place = Place::new();
    place.write("r.txt", "It's twenty-one colours.\n");
    place.write("h.txt", "it is 21 colors\r\n");
    let arguments = [
        "score",
        "--reference",
        "r.txt",
        "--hypothesis",
        "h.txt",
        "--format",
        "json",
        "--normalizer",
    ];
    let wer = |normalizer: &str| {
        let json = place
            .run(&[&arguments[..], &[normalizer]].concat())
            .expect_status(0)
            .json();
        assert_eq!(json["normalizer"]["id"], normalizer);
        json["total"]["wer"].as_f64().unwrap()
    };
    assert!(wer("none") > 0.9);
    assert!(wer("whisper-en").abs() < 1e-12);
}

#[test]
fn languages_without_spaces_are_scored_on_characters() {
    let place = Place::new();
    place.write("r.txt", "今日は 晴れ\n");
    place.write("h.txt", "今日は雨れ\n");
    let json = place
        .run(&[
            "score",
            "--reference",
            "r.txt",
            "--hypothesis",
            "h.txt",
            "--language",
            "ja",
            "--format",
            "json",
        ])
        .expect_status(0)
        .json();
    assert_eq!(json["total"]["reference_words"], 5);
    assert_eq!(json["total"]["substitutions"], 1);
}

#[test]
fn one_side_may_be_standard_input() {
    let place = Place::new();
    place.write("r.txt", "a b\n");
    let mut child = place
        .command(&["score", "--reference", "r.txt", "--hypothesis", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"a c\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("50.00 %")
    );
}

#[test]
fn what_cannot_be_compared_is_status_2() {
    let place = Place::new();
    place.write("two.txt", "a\nb\n");
    place.write("one.txt", "a\n");
    place.write("none.txt", "");
    std::fs::write(place.path().join("bad.txt"), b"a\n\xff\n").unwrap();
    for (reference, hypothesis, words) in [
        (
            "two.txt",
            "one.txt",
            "two.txt has 2 lines and one.txt has 1",
        ),
        ("none.txt", "none.txt", "hold no line"),
        (
            "two.txt",
            "bad.txt",
            "bad.txt line 2: the text is not UTF-8",
        ),
        ("two.txt", "absent.txt", "absent.txt cannot be read"),
        ("-", "-", "only be one of the two"),
    ] {
        let ran = place
            .run(&[
                "score",
                "--reference",
                reference,
                "--hypothesis",
                hypothesis,
            ])
            .expect_status(2);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
        assert!(ran.stdout.is_empty());
    }
    place
        .run(&[
            "score",
            "--reference",
            "one.txt",
            "--hypothesis",
            "one.txt",
            "--normalizer",
            "x",
        ])
        .expect_status(2);
}
