//! What the page's script does, in a real browser, by keyboard and by address.

use super::browser::Browser;
use super::records;
use crate::support::Place;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;

/// The rows of a table that are shown, in their order: the values of an attribute of each.
const SHOWN: &str = "Array.from(document.querySelectorAll('table[data-name=benchmarks] tbody.row'))\
                     .filter((body) => body.checkVisibility())";

fn page(place: &Place) -> PathBuf {
    let (plan, journal) = records::engines();
    journal.write(&place.path().join("r"), &plan);
    place.run(&["report", "r"]).expect_status(0);
    place.path().join("r/report.html")
}

fn numbers(found: &Value) -> Vec<f64> {
    let list = found.as_array().unwrap().iter();
    list.filter_map(|text| text.as_str().unwrap().parse().ok())
        .collect()
}

/// Moves the focus to an element as a person does who has no mouse, and returns after how many keys.
fn tab_to(browser: &mut Browser, wanted: &str) {
    for _ in 0..200 {
        browser.press("Tab");
        let is_there = format!("document.activeElement.matches({})", json!(wanted));
        if browser.evaluate(&is_there) == true {
            return;
        }
    }
    panic!("the keyboard does not reach {wanted}");
}

#[test]
fn rows_are_sorted_filtered_and_grouped_and_the_address_says_how() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let place = Place::new();
    let page = page(&place);
    browser.open(&page);
    let count = format!("{SHOWN}.length");
    assert_eq!(browser.evaluate(&count), 36);
    let speeds = format!("{SHOWN}.map((body) => body.rows[0].cells[2].dataset.v)");
    let sorted_by = "table[data-name=benchmarks] th[data-key=rtfx]";
    let direction = format!("document.querySelector('{sorted_by}').getAttribute('aria-sort')");
    assert_eq!(browser.evaluate(&direction), "none");
    tab_to(&mut browser, &format!("{sorted_by} button"));
    browser.press("Enter");
    assert_eq!(browser.evaluate(&direction), "ascending");
    let up = numbers(&browser.evaluate(&speeds));
    assert_eq!(up.len(), 35, "what has no speed comes last");
    assert!(up.is_sorted(), "{up:?}");
    browser.press(" ");
    assert_eq!(browser.evaluate(&direction), "descending");
    let down = numbers(&browser.evaluate(&speeds));
    assert!(down.iter().rev().is_sorted(), "{down:?}");
    let last = format!("{SHOWN}.at(-1).textContent");
    assert!(
        browser
            .evaluate(&last)
            .as_str()
            .unwrap()
            .contains("crashed")
    );
    // Filter by a word and by an axis, a label among them.
    browser.evaluate("document.querySelector('[data-for=benchmarks] input').focus()");
    browser.type_text("weather tag.home=python");
    browser.evaluate("new Promise((done) => setTimeout(done, 300))");
    let names = format!("{SHOWN}.map((body) => body.rows[0].cells[0].textContent)");
    let shown = browser.evaluate(&names).to_string();
    assert_eq!(browser.evaluate(&count), 2, "{shown}");
    assert!(
        shown.contains("weather") && shown.contains("faster-whisper"),
        "{shown}"
    );
    let told =
        browser.evaluate("document.querySelector('[data-for=benchmarks] output').textContent");
    assert_eq!(told, "2 of 36 rows");
    // Group by a label.
    let group = |axis: &str| {
        format!(
            "(() => {{ const s = document.querySelector('[data-for=benchmarks] select'); s.value = {}; \
             s.dispatchEvent(new Event('change')); }})()",
            json!(axis)
        )
    };
    browser.evaluate(
        "(() => { const i = document.querySelector('[data-for=benchmarks] input'); i.value = ''; \
         i.dispatchEvent(new Event('input')); })()",
    );
    browser.evaluate(&group("tag.home"));
    browser.evaluate("new Promise((done) => setTimeout(done, 300))");
    let headings = "Array.from(document.querySelectorAll('table[data-name=benchmarks] tbody.heading'))\
                    .map((body) => body.textContent)";
    assert_eq!(
        browser.evaluate(headings),
        json!(["built in 24 rows", "python 12 rows"])
    );
    // The order within a group is that of the sort.
    let python = format!(
        "{SHOWN}.filter((body) => body.textContent.includes('faster')).map((body) => \
         body.rows[0].cells[2].dataset.v)"
    );
    assert!(numbers(&browser.evaluate(&python)).iter().rev().is_sorted());
    let address = browser.evaluate("location.hash");
    assert_eq!(
        address,
        "#view?benchmarks.sort=-rtfx&benchmarks.group=tag.home"
    );
    assert_eq!(browser.faults(), [""; 0]);
    // Whoever is sent the address sees the same.
    let before = browser.evaluate(&names);
    browser.open_at(&page, address.as_str().unwrap());
    assert_eq!(browser.evaluate(&names), before);
    assert_eq!(browser.evaluate(&direction), "descending");
    // A third time, and the order is the plan's again.
    browser.evaluate(&format!(
        "document.querySelector('{sorted_by} button').click()"
    ));
    browser.evaluate(&group(""));
    browser.open(&page);
    let plain = browser.evaluate(&names);
    browser.open_at(&page, "#view?benchmarks.sort=nothing&benchmarks.group=<b>");
    assert_eq!(browser.evaluate(&names), plain);
    assert_eq!(browser.faults(), [""; 0]);
}

#[test]
fn the_fastest_within_a_bound_is_named_and_links_lead_to_its_row() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let place = Place::new();
    let page = page(&place);
    browser.open(&page);
    browser.evaluate("document.getElementById('bound-input').focus()");
    browser.type_text("2.5");
    let answer = browser.evaluate("document.querySelector('.bound-answer').textContent");
    let answer = answer.as_str().unwrap();
    assert!(
        answer.starts_with("Fastest with WER ≤ 2.5 %: candle · base.en at 10."),
        "{answer}"
    );
    assert_eq!(browser.evaluate("location.hash"), "#view?wer=2.5");
    browser.open_at(&page, "#view?wer=0.1");
    let answer = browser.evaluate("document.querySelector('.bound-answer').textContent");
    assert_eq!(answer, "None reaches WER ≤ 0.1 %.");
    // Follow a link by keyboard: from the fastest to its row.
    browser.open(&page);
    tab_to(&mut browser, "table.steps a");
    let name = browser.evaluate("document.activeElement.textContent");
    browser.press("Enter");
    crate::support::eventually("the link is followed", || {
        browser.evaluate("location.hash !== ''") == true
    });
    let row = browser.evaluate("document.querySelector(':target').rows[0].cells[0].textContent");
    assert!(
        row.as_str().unwrap().contains(name.as_str().unwrap()),
        "{row} {name}"
    );
    let place_of = "document.querySelector(':target').getBoundingClientRect().top";
    let top = browser.evaluate(place_of).as_f64().unwrap();
    assert!((0.0..800.0).contains(&top), "{top}");
    assert_eq!(browser.faults(), [""; 0]);
}

#[test]
fn a_heat_map_of_other_axes_says_what_the_server_would() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let place = Place::new();
    let page = page(&place);
    browser.open(&page);
    let cells = "JSON.stringify(Array.from(document.querySelectorAll('table.map'), (table) => \
                 Array.from(table.rows, (row) => Array.from(row.cells, (cell) => \
                 [cell.textContent, cell.className]))))";
    let choose = |rows: &str, columns: &str| {
        format!(
            "(() => {{ for (const [id, value] of [['heat-rows', '{rows}'], ['heat-columns', \
             '{columns}']]) {{ const s = document.getElementById(id); s.value = value; \
             s.dispatchEvent(new Event('change')); }} }})()"
        )
    };
    let first = browser.evaluate(cells);
    let pair = browser.evaluate(
        "[document.getElementById('heat-rows').value, document.getElementById('heat-columns').value]",
    );
    assert_eq!(pair, json!(["backend", "model"]));
    browser.evaluate(&choose("audio", "tag.home"));
    let other = browser.evaluate(cells);
    assert_ne!(first, other);
    assert!(other.as_str().unwrap().contains("weather"), "{other}");
    assert_eq!(
        browser.evaluate("location.hash"),
        "#view?heat=audio%2Ctag.home"
    );
    // Drawn by the script, the pair that the page came with is the same to the letter.
    browser.evaluate(&choose("backend", "model"));
    assert_eq!(browser.evaluate(cells), first);
    browser.open_at(&page, "#view?heat=audio%2Ctag.home");
    assert_eq!(browser.evaluate(cells), other);
    assert_eq!(browser.faults(), [""; 0]);
}

#[test]
fn without_a_script_all_is_there_and_on_paper_all_is_open() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let place = Place::new();
    let page = page(&place);
    browser.call(
        "Emulation.setScriptExecutionDisabled",
        &json!({"value": true}),
    );
    browser.open(&page);
    browser.call(
        "Emulation.setScriptExecutionDisabled",
        &json!({"value": false}),
    );
    let shown = "Array.from(document.querySelectorAll('.controls, th button'))\
                 .filter((part) => part.checkVisibility()).length";
    assert_eq!(browser.evaluate(shown), 0, "controls that do nothing");
    assert_eq!(browser.evaluate(&format!("{SHOWN}.length")), 36);
    let bound = browser.evaluate("document.querySelector('table.steps').checkVisibility()");
    assert_eq!(bound, true);
    browser.call("Emulation.setEmulatedMedia", &json!({"media": "print"}));
    let closed = "Array.from(document.querySelectorAll('details'), (part) => part.lastElementChild)\
                  .filter((part) => part.getBoundingClientRect().height === 0).length";
    assert_eq!(
        browser.evaluate(closed),
        0,
        "a part that paper does not show"
    );
    assert_eq!(
        browser.evaluate("document.querySelector('nav').checkVisibility()"),
        false
    );
}

#[test]
fn nothing_is_cut_off_on_a_telephone() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let place = Place::new();
    let page = page(&place);
    for width in [375, 1280] {
        browser.look(width, "light");
        browser.open(&page);
        let over = browser.evaluate("document.documentElement.scrollWidth - innerWidth");
        assert_eq!(over, 0, "the page is wider than {width} pixels");
        // What is wider scrolls by itself, and can be reached by keyboard to do so.
        let stuck = browser.evaluate(
            "Array.from(document.querySelectorAll('main *')).filter((part) => \
             part.getBoundingClientRect().right > innerWidth + 1 && !part.closest('.scroll') && \
             !part.closest('svg')).map((part) => part.outerHTML.slice(0, 80))",
        );
        assert_eq!(stuck, json!([]), "{width}");
    }
    assert!(fs::metadata(&page).unwrap().len() < 1_000_000);
}
