//! `earmark score` on transcripts as others write them: by id or by line, in several formats.

use crate::support::{Place, Ran};
use serde_json::Value;

const REFERENCES: &str = "so it is (a-1)\n;; a comment\n\n(silence)\ngood morning (b 2)\n";

fn score(place: &Place, arguments: &[&str]) -> Ran {
    place.run(&[&["score"], arguments].concat())
}

fn json(place: &Place, arguments: &[&str]) -> Value {
    let arguments = [arguments, &["--format", "json"]].concat();
    score(place, &arguments).expect_status(0).json()
}

/// Returns how often the words of a reference file were replaced, lost and put in.
fn counts(json: &Value) -> [u64; 4] {
    [
        "reference_words",
        "substitutions",
        "deletions",
        "insertions",
    ]
    .map(|name| json["total"][name].as_u64().unwrap())
}

/// The same transcripts in every format, in another order, give the same score as line by line.
#[test]
fn every_format_is_read_and_ids_are_matched() {
    let place = Place::new();
    place.write("r.txt", "so it is\n\ngood morning\n");
    place.write("h.txt", "so is\nthank you\ngood evening\n");
    place.write("r.trn", REFERENCES);
    place.write(
        "h.trn",
        "good evening (b 2)\r\nso is (a-1)\r\nthank you (silence)\r\n",
    );
    place.write(
        "r.csv",
        "id,seconds,text\na-1,1,so it is\nsilence,2,\n\"b 2\",3,good morning\n",
    );
    place.write(
        "h.csv",
        "\u{feff}text,id\r\n\"good\nevening\",b 2\r\nso is,a-1\r\nthank you,silence\r\n",
    );
    place.write(
        "r.tsv",
        "id\treference\nb 2\tgood morning\na-1\tso it is\nsilence\t\n",
    );
    place.write(
        "h.jsonl",
        "{\"id\": \"a-1\", \"pred_text\": \"so is\"}\n\n{\"id\":\"b 2\",\"pred_text\":\"good evening\"}\n\
         {\"id\":\"silence\",\"pred_text\":\"thank you\"}",
    );
    let expected = [5, 1, 1, 2];
    for (reference, hypothesis) in [
        ("r.txt", "h.txt"),
        ("r.trn", "h.trn"),
        ("r.trn", "h.jsonl"),
        ("r.csv", "h.csv"),
        ("r.tsv", "h.trn"),
        ("r.csv", "h.jsonl"),
    ] {
        let json = json(
            &place,
            &["--reference", reference, "--hypothesis", hypothesis],
        );
        assert_eq!(counts(&json), expected, "{reference} and {hypothesis}");
        assert_eq!(json["total"]["insertions_on_silence"], 2);
        assert_eq!(json["total"]["empty_references"], 1);
        let named = &json["utterances"][0]["id"];
        assert_eq!(named.is_null(), reference == "r.txt", "{json}");
    }
    // The extension can be overruled, and standard input has none.
    place.write("transcripts", REFERENCES);
    let ran = score(
        &place,
        &[
            "--reference",
            "transcripts",
            "--hypothesis",
            "h.trn",
            "--input-format",
            "trn",
        ],
    );
    assert!(ran.expect_status(0).stdout.contains("b 2"));
}

#[test]
fn one_file_can_hold_both_and_says_the_language_of_each() {
    let place = Place::new();
    place.write(
        "pairs.csv",
        "id,language,reference,hypothesis\none,ja,今日は 晴れ,今日は雨れ\ntwo,,so it is,so it was\n",
    );
    let read = json(&place, &["pairs.csv"]);
    assert_eq!(counts(&read), [8, 2, 0, 0]);
    assert_eq!(read["utterances"][0]["unit"], "characters");
    assert_eq!(read["utterances"][1]["unit"], "words");
    // As NeMo writes its manifests.
    place.write(
        "nemo.json",
        "{\"audio_filepath\": \"a.wav\", \"text\": \"so it is\", \"pred_text\": \"so it was\"}\n",
    );
    assert_eq!(counts(&json(&place, &["nemo.json"])), [3, 1, 0, 0]);
    place.write("own.csv", "said;x\n");
    place.write("own.tsv", "name\tsaid\theard\na\tone\ttwo\n");
    let named = ["--reference-column", "said", "--hypothesis-column", "heard"];
    let read = json(
        &place,
        &[&["own.tsv", "--id-column", "name"], &named[..]].concat(),
    );
    assert_eq!(read["utterances"][0]["id"], "a");
    let refused = score(&place, &["own.csv"]).expect_status(2);
    assert!(
        refused
            .stderr
            .contains("own.csv line 1: there is no reference (reference, text"),
        "{}",
        refused.stderr
    );
    assert!(
        refused.stderr.contains("only said;x; name the one"),
        "{}",
        refused.stderr
    );
}

/// One file with both texts is held to the same.
#[test]
fn ids_of_pairs_that_are_there_twice_or_not_at_all_are_named() {
    let place = Place::new();
    for (name, text, words) in [
        (
            "twice.csv",
            "id,reference,hypothesis\nu1,a b,a b\nu1,a b,x y\n",
            "twice.csv has ids more than once: u1 (lines 2 and 3)",
        ),
        (
            "empty.tsv",
            "id\treference\thypothesis\n\ta b\ta b\nu2\ta b\tx y\n",
            "empty.tsv line 2: there is no id",
        ),
        (
            "some.jsonl",
            "{\"id\": \"u1\", \"reference\": \"a\", \"hypothesis\": \"a\"}\n{\"reference\": \"a\", \
             \"hypothesis\": \"a\"}\n",
            "some.jsonl line 2: there is no id",
        ),
    ] {
        place.write(name, text);
        let ran = place.run(&["score", name]).expect_status(2);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
    place.write("plain.csv", "reference,hypothesis\na b,a b\na b,x y\n");
    place.run(&["score", "plain.csv"]).expect_status(0);
}

#[test]
fn text_is_told_in_what_was_counted() {
    let place = Place::new();
    place.write("ja.csv", "reference,hypothesis\n今日は晴れ,今日は雨\n");
    let ran = place.run(&[
        "score",
        "ja.csv",
        "--language",
        "ja",
        "--normalizer",
        "basic",
    ]);
    let ran = ran.expect_status(0);
    for wanted in ["insertions of 5 characters", "of 1 utterance has an error"] {
        assert!(ran.stdout.contains(wanted), "{}", ran.stdout);
    }
    place.write(
        "mixed.jsonl",
        "{\"reference\": \"今日は\", \"hypothesis\": \"今日\", \"language\": \"ja\"}\n{\"reference\": \
         \"a b\", \"hypothesis\": \"a\", \"language\": \"en\"}\n",
    );
    let ran = place.run(&["score", "mixed.jsonl"]).expect_status(0);
    for wanted in [
        "insertions of 5 words or characters",
        "of 2 utterances have an error",
    ] {
        assert!(ran.stdout.contains(wanted), "{}", ran.stdout);
    }
}

#[test]
fn ids_that_do_not_match_are_named() {
    let place = Place::new();
    place.write("r.trn", "a (1)\nb (2)\nc (3)\n");
    place.write("missing.trn", "a (1)\n");
    place.write("extra.trn", "a (1)\nb (2)\nc (3)\nd (4)\n");
    place.write("twice.trn", "a (1)\nb (2)\nc (3)\nc (3)\n");
    place.write("lines.txt", "a\nb\nc\n");
    place.write("unnamed.csv", "id,text\n1,a\n,b\n2,b\n3,c\n");
    for (hypothesis, words) in [
        (
            "missing.trn",
            "missing.trn has no hypothesis for 2, 3; add them, or count them",
        ),
        ("extra.trn", "r.trn has no reference for 4"),
        (
            "twice.trn",
            "twice.trn has ids more than once: 3 (lines 3 and 4)",
        ),
        (
            "lines.txt",
            "r.trn names its utterances and lines.txt does not",
        ),
        ("unnamed.csv", "unnamed.csv line 3: there is no id"),
    ] {
        let ran = score(
            &place,
            &["--reference", "r.trn", "--hypothesis", hypothesis],
        );
        let ran = ran.expect_status(2);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
        assert!(ran.stdout.is_empty());
    }
    let empty = [
        "--reference",
        "r.trn",
        "--hypothesis",
        "missing.trn",
        "--missing-as-empty",
    ];
    assert_eq!(counts(&json(&place, &empty)), [3, 0, 2, 0]);
}

#[test]
fn what_is_wrong_in_a_file_is_told_with_its_line() {
    let place = Place::new();
    place.write(
        "r.jsonl",
        "{\"id\": 1, \"text\": \"a\"}\n{\"id\": 2, \"text\": \"b\"}\n",
    );
    for (name, text, words) in [
        (
            "broken.jsonl",
            "{\"id\": 1, \"text\": \"a\"}\n{\"id\": 2,\n",
            "broken.jsonl line 2: this is no JSON object",
        ),
        (
            "list.json",
            "[{\"id\": 1, \"text\": \"a\"}]",
            "list.json line 1: this is a list; write one object a line",
        ),
        (
            "null.jsonl",
            "{\"id\": 1, \"text\": null}\n",
            "null.jsonl line 1: `text` is null and no text",
        ),
        (
            "keys.jsonl",
            "{\"id\": 1, \"words\": \"a\"}\n",
            "keys.jsonl line 1: there is no hypothesis",
        ),
        (
            "torn.csv",
            "id,text\n1,a\n2,b,c\n",
            "torn.csv line 3: 3 fields instead of 2",
        ),
        (
            "plain.trn",
            "a\n",
            "plain.trn line 1: the line does not end with an id",
        ),
    ] {
        place.write(name, text);
        let ran = score(&place, &["--reference", "r.jsonl", "--hypothesis", name]);
        let ran = ran.expect_status(2);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
    std::fs::write(place.path().join("wide.txt"), b"\xff\xfea\0\n\0").unwrap();
    let ran = score(
        &place,
        &["--reference", "wide.txt", "--hypothesis", "wide.txt"],
    );
    assert!(
        ran.expect_status(2)
            .stderr
            .contains("the text is UTF-16; save the file as UTF-8")
    );
    let ran = score(&place, &["wide.txt"]);
    assert!(ran.expect_status(2).stderr.contains("UTF-16"));
    place.write("lines.txt", "a\n");
    let ran = score(&place, &["lines.txt"]);
    assert!(ran.expect_status(2).stderr.contains("holds no pairs"));
}

/// Tables of a report: the first measured trial of each recording counts, as in the report itself.
#[test]
fn our_own_tables_are_read() {
    let place = Place::new();
    place.write("r.csv", "id,reference\nx,=so it is\ny,yes\n");
    place.write(
        "samples.csv",
        "run_id,job_id,launch,utterance,trial,warmup,language,hypothesis\n\
         r,j1,0,x,0,true,de,never\nr,j1,0,x,1,false,de,'=so it was\nr,j1,0,x,2,false,de,never\n\
         r,j1,0,y,1,false,de,yes\nr,j2,0,x,0,false,de,no\n",
    );
    let both = ["--reference", "r.csv", "--hypothesis", "samples.csv"];
    let refused = score(&place, &both).expect_status(2);
    assert!(
        refused
            .stderr
            .contains("of 2 jobs (j1, j2); choose one with --select job_id=ID"),
        "{}",
        refused.stderr
    );
    let read = json(&place, &[&both[..], &["--select", "job_id=j1"]].concat());
    assert_eq!(counts(&read), [4, 1, 0, 0]);
    place.write(
        "hypotheses.jsonl",
        "{\"job_id\":\"j\",\"utterance\":\"x\",\"launch\":0,\"trial\":1,\"language\":\"en\",\"reference\":\"a b\",\"hypothesis\":\"a c\"}\n\
         {\"job_id\":\"j\",\"utterance\":\"x\",\"launch\":0,\"trial\":2,\"language\":\"en\",\"reference\":\"a b\",\"hypothesis\":\"d\"}\n",
    );
    assert_eq!(counts(&json(&place, &["hypotheses.jsonl"])), [2, 1, 0, 0]);
}

#[test]
fn the_worst_are_shown_word_under_word() {
    let place = Place::new();
    place.write("r.txt", "the cat sat on it\nyes\nfine\n");
    place.write("h.txt", "the hat sat down it\nyes it is\nfine\n");
    let files = ["--reference", "r.txt", "--hypothesis", "h.txt"];
    let ran = score(&place, &[&files[..], &["--alignment", "1"]].concat());
    let text = ran.expect_status(0).stdout;
    assert!(
        text.contains(
            "line 1: 2 substitutions, 0 deletions, 0 insertions of 5 words, WER 40.00 %\n  reference   \
             the cat sat on   it\n  hypothesis  the hat sat down it\n                  S       S\n"
        ),
        "{text}"
    );
    assert!(!text.contains("line 2:"), "{text}");
    assert!(text.contains("most confused"), "{text}");
    let read = json(&place, &[&files[..], &["--alignment"]].concat());
    let second = &read["alignments"][1];
    assert_eq!(second["line"], "2");
    assert_eq!(
        second["words"][1],
        serde_json::json!({"kind": "insertion", "reference": null, "hypothesis": "it"})
    );
    assert_eq!(read["confusions"].as_array().unwrap().len(), 2);
}

#[test]
fn what_was_made_up_is_counted() {
    let place = Place::new();
    place.write("r.txt", "\nso it is\nno no no no\n");
    place.write(
        "h.txt",
        "thank you\nso it is thank you thank you thank you thank you\nno no no no\n",
    );
    let files = ["--reference", "r.txt", "--hypothesis", "h.txt"];
    let read = json(&place, &files);
    assert_eq!(read["total"]["insertions_on_silence"], 2);
    assert_eq!(read["total"]["repeat_loops"], 1);
    assert_eq!(read["total"]["looped_words"], 6);
    assert_eq!(read["utterances"][1]["repeat_loops"], 1);
    let text = score(&place, &files).expect_status(0).stdout;
    assert!(
        text.contains("1 of the references are empty; 2 words were heard there"),
        "{text}"
    );
    assert!(
        text.contains("1 repeat loops, with 6 words beyond the first time"),
        "{text}"
    );
}

#[test]
fn a_table_has_a_row_for_each_utterance() {
    let place = Place::new();
    place.write("r.trn", "so it is (=1)\nyes (b)\n");
    place.write("h.trn", "so it was (=1)\nyes (b)\n");
    let ran = score(
        &place,
        &[
            "--reference",
            "r.trn",
            "--hypothesis",
            "h.trn",
            "--format",
            "csv",
        ],
    );
    let table = ran.expect_status(0).stdout;
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("id,unit,reference_words,"), "{table}");
    assert_eq!(lines.len(), 3);
    // A spreadsheet must not run an id.
    assert!(
        lines[1].starts_with("'=1,words,3,3,2,1,0,0,0.333333,"),
        "{table}"
    );
}

/// Whoever compares with another program learns where to expect a difference.
#[test]
fn help_says_which_rates_may_differ_from_those_of_others() {
    let place = Place::new();
    let help = score(&place, &["--help"]).expect_status(0).stdout;
    let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("WER and CER equal jiwer's. MER, WIL and WIP count hits"),
        "{help}"
    );
    // Two words replaced, or one lost, one right and one too many: two errors either way.
    place.write(
        "r.txt", "a b
",
    );
    place.write(
        "h.txt", "b c
",
    );
    let total = &json(&place, &["--reference", "r.txt", "--hypothesis", "h.txt"])["total"];
    assert_eq!(total["wer"], 1.0);
}

/// White space of any kind separates words; composed and decomposed letters are other code points,
/// unless a normalizer makes them the same.
#[test]
fn unicode_is_taken_as_it_is_and_said_so() {
    let place = Place::new();
    place.write("r.txt", "le café noir\n");
    place.write("h.txt", "\tle\u{a0}cafe\u{301}\u{3000}noir \n");
    let files = ["--reference", "r.txt", "--hypothesis", "h.txt"];
    let ran = score(&place, &[&files[..], &["--format", "json"]].concat()).expect_status(0);
    assert_eq!(counts(&ran.json()), [3, 1, 0, 0]);
    assert!(
        ran.stderr
            .contains("in 1 utterances with errors one text is composed"),
        "{}",
        ran.stderr
    );
    let basic = json(&place, &[&files[..], &["--normalizer", "basic"]].concat());
    assert_eq!(counts(&basic), [3, 0, 0, 0]);
    place.write("r.txt", "今天天气\n");
    place.write("h.txt", "今天 天氣\n");
    let chinese = json(&place, &[&files[..], &["--language", "zh-CN"]].concat());
    assert_eq!(counts(&chinese), [4, 1, 0, 0]);
    // A vowel sign of Thai is a code point of its own.
    place.write("r.txt", "น้ำดี\n");
    place.write("h.txt", "น้ำ ดี\n");
    let thai = json(&place, &[&files[..], &["--language", "th"]].concat());
    assert_eq!(counts(&thai), [5, 0, 0, 0]);
}
