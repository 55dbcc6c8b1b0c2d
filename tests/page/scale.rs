//! Pages of very many rows: they open and sort without a stall, and they stay bounded.

use super::browser::Browser;
use super::records;
use crate::support::Place;
use std::fs;

/// What a person waits for without being annoyed, in milliseconds, times what a shared machine costs.
const PATIENCE: f64 = 1000.0 * 5.0;

#[test]
fn two_thousand_rows_open_sort_filter_and_group() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let place = Place::new();
    let (plan, journal) = records::many(2000);
    journal.write(&place.path().join("r"), &plan);
    place.run(&["report", "r"]).expect_status(0);
    let page = place.path().join("r/report.html");
    browser.look(1280, "light");
    browser.open(&page);
    let loaded = browser
        .evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
        .as_f64()
        .unwrap();
    let rows =
        browser.evaluate("document.querySelectorAll('[data-name=benchmarks] tbody.row').length");
    assert_eq!(rows, 2000);
    // From the press to the next picture.
    let mut timed = |what: &str, action: &str| {
        let script = format!(
            "new Promise((done) => {{ const start = performance.now(); {action}; \
             document.body.offsetHeight; \
             requestAnimationFrame(() => setTimeout(() => done(performance.now() - start), 0)); }})"
        );
        let took = browser.evaluate(&script).as_f64().unwrap();
        eprintln!("{what}: {took:.0} ms");
        assert!(took < PATIENCE, "{what} took {took} ms");
    };
    eprintln!(
        "load: {loaded:.0} ms of {} bytes",
        fs::metadata(&page).unwrap().len()
    );
    assert!(loaded < PATIENCE * 2.0, "loading took {loaded} ms");
    for table in ["configurations", "benchmarks"] {
        let head =
            format!("document.querySelector('[data-name={table}] th[data-key=rtfx] button')");
        timed(&format!("sort {table}"), &format!("{head}.click()"));
        timed(&format!("turn {table}"), &format!("{head}.click()"));
        timed(
            &format!("group {table}"),
            &format!(
                "const s = document.querySelector('[data-for={table}] select'); s.value = 'model'; \
                 s.dispatchEvent(new Event('change'))"
            ),
        );
        timed(
            &format!("filter {table}"),
            &format!(
                "const i = document.querySelector('[data-for={table}] input'); i.value = \
                 'backend=one model-7'; i.dispatchEvent(new Event('input'))"
            ),
        );
    }
}

#[test]
fn ten_thousand_rows_make_a_page_that_says_what_it_leaves_out() {
    let place = Place::new();
    let (plan, journal) = records::many(10_000);
    journal.write(&place.path().join("r"), &plan);
    place.run(&["report", "r"]).expect_status(0);
    let page = fs::read_to_string(place.path().join("r/report.html")).unwrap();
    assert!(page.len() < 16_000_000, "{} bytes", page.len());
    assert!(page.contains("The first 2500 of 10000 are shown; all are in results.csv."));
    assert_eq!(page.matches("<tbody class=\"row\" id=\"b").count(), 2500);
    assert_eq!(place.table("r/results.csv").len(), 10_000);
}
