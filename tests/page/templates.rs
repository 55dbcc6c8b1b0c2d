//! Templates of one's own.

use super::records;
use crate::support::{Place, Ran, project};
use std::fs;

fn place() -> Place {
    let place = Place::new();
    let (plan, journal) = records::engines();
    journal.write(&place.path().join("r"), &plan);
    place.run(&["report", "r"]).expect_status(0);
    place
}

fn page(place: &Place) -> String {
    fs::read_to_string(place.path().join("r/report.html")).unwrap()
}

fn report(place: &Place) -> Ran {
    place.run(&["report", "r", "--template", "own"])
}

/// Holds that a template is refused with these words, and that nothing was written.
#[track_caller]
fn refused(place: &Place, words: &[&str]) {
    let before: Vec<(String, Vec<u8>)> = ["report.html", "results.csv"]
        .map(|name| {
            (
                name.to_owned(),
                fs::read(place.path().join("r").join(name)).unwrap(),
            )
        })
        .to_vec();
    fs::write(place.path().join("r/results.csv"), "kept").unwrap();
    let ran = report(place).expect_status(2);
    for word in words {
        assert!(ran.stderr.contains(word), "{word}: {}", ran.stderr);
    }
    assert_eq!(
        fs::read(place.path().join("r/results.csv")).unwrap(),
        b"kept"
    );
    assert_eq!(
        fs::read(place.path().join("r/report.html")).unwrap(),
        before[0].1
    );
    fs::write(place.path().join("r/results.csv"), &before[1].1).unwrap();
}

#[test]
fn the_example_lays_blocks_over_the_page() {
    let place = place();
    let example = project().join("reports/templates/example");
    let ran = place.run(&["report", "r", "--template", example.to_str().unwrap()]);
    ran.expect_status(0);
    let page = page(&place);
    // Its own words, what it keeps of the page, and its style beside the built-in one.
    assert!(page.contains("Night watch: which-engine"), "{page}");
    assert!(page.contains("<h2 id=\"configurations\">"));
    assert!(!page.contains("<h2 id=\"machine\">"));
    assert!(page.contains(".watch"));
    assert!(page.contains("tabular-nums"));
}

#[test]
fn a_file_of_the_same_name_takes_the_place_of_one_that_is_included() {
    let place = place();
    place.write("own/trust.html.j2", "");
    place.write(
        "own/clips.html.j2",
        "{% include \"part.txt\" %}{{ clips.clips[0].id }}",
    );
    place.write("own/part.txt", "<i>first:</i> ");
    report(&place).expect_status(0);
    let page = page(&place);
    assert!(page.contains("<i>first:</i> speech"), "{page}");
    assert!(page.contains("<h2 id=\"benchmarks\">"));
}

#[test]
fn a_template_that_is_wrong_is_refused_with_its_line_and_nothing_is_written() {
    let place = place();
    for (template, words) in [
        (
            "one\n{% if %}\n",
            &["own/report.html.j2:2", "syntax error", "reports/README.md"][..],
        ),
        (
            "<p>\n</p>\n{{ record.nmae }}",
            &[
                "own/report.html.j2:3",
                "undefined value",
                "nmae",
                "earmark schema report-view",
            ],
        ),
        (
            "{% extends \"earmark/report.html.j2\" %}\n{% block answer %}\n{{ answers[0].sentense }}\
             {% endblock %}",
            &["own/report.html.j2:3", "sentense"],
        ),
        (
            "{% include \"../r/journal.jsonl\" %}",
            &["own/report.html.j2:1", "template not found", "beside it"],
        ),
        (
            "{% include \"/etc/passwd\" %}",
            &["own/report.html.j2:1", "template not found"],
        ),
        (
            "\n{% for a in range(100000) %}{% for b in range(100000) %}{{ a * b }}{% endfor %}\
             {% endfor %}",
            &["own/report.html.j2:2", "fuel", "does a loop end"],
        ),
        ("{{ 'x' * 10000000000 }}", &["own/report.html.j2:1", "fuel"]),
        (
            "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}",
            &["own/report.html.j2"],
        ),
        ("{% include \"report.html.j2\" %}", &["own/report.html.j2"]),
        (
            "{{ record.name | safe }}",
            &["own/report.html.j2:1", "unknown filter", "escaped"],
        ),
    ] {
        place.write("own/report.html.j2", template);
        refused(&place, words);
    }
}

#[test]
fn a_folder_that_is_none_or_holds_none_is_refused() {
    let place = place();
    refused(&place, &["own", "cannot be read as a folder"]);
    place.write("own/reprot.html.j2", "");
    refused(
        &place,
        &["no file in it has the name of a template", "report.html.j2"],
    );
    fs::remove_dir_all(place.path().join("own")).unwrap();
    place.write("own/report.html.j2", "");
    std::os::unix::fs::symlink("/etc/passwd", place.path().join("own/part.txt")).unwrap();
    refused(
        &place,
        &["own/part.txt", "a link may lead out of the folder"],
    );
    fs::remove_file(place.path().join("own/part.txt")).unwrap();
    fs::write(place.path().join("own/part.txt"), [0xff, 0xfe]).unwrap();
    refused(&place, &["own/part.txt", "UTF-8"]);
}

#[test]
fn whatever_a_template_does_text_is_escaped_and_the_policy_stands() {
    let place = Place::new();
    let (mut plan, journal) = records::engines();
    plan.name = "<b>name</b>".into();
    journal.write(&place.path().join("r"), &plan);
    place.write(
        "own/report.html.j2",
        "<!doctype html>\n<head><script src=\"https://example.org/x.js\"></script></head>\
         {% autoescape false %}{{ record.name }}{% endautoescape %}",
    );
    place
        .run(&["report", "r", "--template", "own"])
        .expect_status(0);
    let page = page(&place);
    assert!(page.contains("&lt;b&gt;name&lt;&#x2f;b&gt;"), "{page}");
    let policy = page.find("default-src 'none'").unwrap();
    assert!(policy < page.find("<script").unwrap(), "{page}");
}

#[test]
fn a_style_and_a_script_of_ones_own_are_in_the_policy() {
    let place = place();
    let policy = |page: &str| {
        let (_, rest) = page.split_once("content=\"default-src").unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    let before = policy(&page(&place));
    place.write(
        "own/style.css.j2",
        "{% include \"earmark/style.css.j2\" %}\nmain { max-width: 40rem; }",
    );
    place.write("own/report.js", "document.title = 'mine';");
    report(&place).expect_status(0);
    assert_ne!(policy(&page(&place)), before);
    if let Some(mut browser) = super::browser::Browser::start() {
        browser.open(&place.path().join("r/report.html"));
        assert_eq!(browser.evaluate("document.title"), "mine");
        let width = "getComputedStyle(document.querySelector('main')).maxWidth";
        assert_eq!(browser.evaluate(width), "640px");
        assert_eq!(browser.faults(), [""; 0]);
    }
    place.write("own/report.js", "const a =\n  '</script>';");
    refused(&place, &["own/report.js:2", "would end the element"]);
}
