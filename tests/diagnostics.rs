//! Messages as people see them, read by one.

use crate::support::{Place, fake_matrix};

#[test]
fn all_mistakes_of_a_file_are_told_at_once() {
    let place = Place::new();
    let text = fake_matrix(
        "  beam-sise: [1]",
        "settings: {repeat: many}\norder: 3\ncolour: red",
    )
    .replace("[cache-check]", "[cache-chek]")
    .replace("[jfk]", "[jfk, \"aust*\", \"z*\"]");
    place.write("bad.yaml", &text);
    let ran = place.run(&["check", "bad.yaml"]).expect_status(2);
    insta::assert_snapshot!(ran.stderr);
}

#[test]
fn odd_things_are_told_and_do_not_stop() {
    let place = Place::new();
    let text = fake_matrix(
        "  beam-size: [1, 1]\n  exclude:\n    - {beam-size: \"1\"}\n  include:\n    - {tag.x: y}",
        "",
    );
    place.write("odd.yaml", &text);
    let ran = place.run(&["check", "odd.yaml"]).expect_status(0);
    insta::assert_snapshot!(ran.stderr);
    place
        .run(&["check", "--strict", "odd.yaml"])
        .expect_status(2);
}

#[test]
fn hostile_files_are_refused_in_little_time_and_memory() {
    let place = Place::new();
    let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
    for (name, before) in ["b", "c", "d", "e", "f", "g", "h"]
        .iter()
        .zip("abcdefg".chars())
    {
        bomb.push_str(&format!(
            "{name}: &{name} [{}]\n",
            vec![format!("*{before}"); 9].join(", ")
        ));
    }
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    let cases = [
        ("bomb", bomb, "aliases"),
        ("deep", deep, "64 deep"),
        (
            "twice",
            "a: 1\na: 2\n".into(),
            "the key `a` is written twice",
        ),
        (
            "tab",
            "matrix:\n\tbackend: x\n".into(),
            "indent with spaces",
        ),
        (
            "two",
            "a: 1\n---\nb: 2\n".into(),
            "more than one YAML document",
        ),
        ("open", "a: [1, 2\n".into(), "the `[` is never closed"),
        (
            "version",
            fake_matrix("", "").replace("version: 1", "version: 2"),
            "reads version 1",
        ),
    ];
    for (name, text, reason) in cases {
        place.write("x.yaml", &text);
        let ran = place.run(&["check", "x.yaml"]).expect_status(2);
        assert!(ran.stderr.contains(reason), "{name}: {}", ran.stderr);
    }
    std::fs::write(place.path().join("x.yaml"), b"version: 1\nname: \xff\n").unwrap();
    let ran = place.run(&["check", "x.yaml"]).expect_status(2);
    assert!(
        ran.stderr.contains("x.yaml:2:7") && ran.stderr.contains("UTF-8"),
        "{}",
        ran.stderr
    );
    std::fs::write(place.path().join("x.yaml"), vec![b' '; 17 << 20]).unwrap();
    let ran = place.run(&["check", "x.yaml"]).expect_status(2);
    assert!(ran.stderr.contains("larger than 16 MiB"), "{}", ran.stderr);
}
