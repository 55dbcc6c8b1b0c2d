//! The site: what a nightly publishes.

use super::nights::{Night, nights, noise};
use crate::support::{Place, fake_matrix};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Returns the pages of a site with their texts.
fn pages(site: &Path) -> Vec<(String, String)> {
    fs::read_dir(site)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "html"))
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

fn values(page: &str, attribute: &str) -> BTreeSet<String> {
    page.split(&format!(" {attribute}=\""))
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().replace("&#x2f;", "/"))
        .collect()
}

#[test]
fn every_row_has_its_trend_and_every_link_leads_somewhere() {
    let place = Place::new();
    let seconds: Vec<f64> = (0..40)
        .map(|day| if day < 20 { 0.5 } else { 0.65 } + 0.01 * noise(day))
        .collect();
    nights(&place.path().join("runs"), &seconds);
    fs::write(
        place.path().join("runs/night-039/report.html"),
        "the report",
    )
    .unwrap();
    place.run(&["history", "rebuild", "runs"]).expect_status(0);
    let told = place
        .run(&["history", "site", "site", "--title", "Nights <of> ours"])
        .expect_status(0);
    let site = place.path().join("site");
    let all = pages(&site);
    assert_eq!(told.stdout.lines().count(), all.len());
    assert_eq!(all.len(), 3);
    for (name, page) in &all {
        assert!(page.contains("Nights &lt;of&gt; ours"), "{name}");
        assert!(
            !page.contains("<script") && !page.contains("//"),
            "{name} reaches out"
        );
        for link in values(page, "href") {
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = fs::read_to_string(site.join(file)).unwrap();
            assert!(
                anchor.is_empty() || values(&target, "id").contains(anchor),
                "{name}: {link}"
            );
        }
    }
    let index = &all.iter().find(|(name, _)| name == "index.html").unwrap().1;
    assert!(index.contains("Worse: time to transcribe +3"), "{index}");
    assert!(index.contains("since 2026-01-21 00:00 UTC"), "{index}");
    // For who does not see it, the drawing says the same.
    assert!(
        index.contains("aria-label=\"time to transcribe over 40 runs: newest "),
        "{index}"
    );
    let runs = &all.iter().find(|(name, _)| name == "runs.html").unwrap().1;
    assert_eq!(
        runs.matches("reports&#x2f;").count() + runs.matches("reports/").count(),
        1
    );
}

#[test]
fn names_of_others_are_text() {
    let place = Place::new();
    let hostile = "\"><script>alert(1)</script>&'";
    let mut plan = crate::support::journal::plan(1);
    plan.name = hostile.into();
    let night = Night {
        machine: hostile.into(),
        version: hostile.into(),
        ..Night::of(0, 0.5)
    };
    night.write_plan(&place.path().join("runs/<img src=x>"), &plan);
    place.run(&["history", "rebuild", "runs"]).expect_status(0);
    place.run(&["history", "site", "site"]).expect_status(0);
    for (name, page) in pages(&place.path().join("site")) {
        assert!(
            !page.contains("<script") && !page.contains("<img"),
            "{name}"
        );
        assert!(page.contains("&lt;script&gt;"), "{name}");
    }
}

#[test]
fn a_site_is_replaced_whole_and_nothing_else_is() {
    let place = Place::new();
    place.write("a.yaml", &fake_matrix("", ""));
    place.run(&["history", "site", "site"]).expect_status(0);
    assert!(
        pages(&place.path().join("site"))[0]
            .1
            .contains("There is no run yet")
    );
    for number in 1..=3 {
        let out = format!("runs/{number}");
        place
            .run(&["run", "a.yaml", "--out", &out])
            .expect_status(0);
    }
    place.run(&["history", "site", "site"]).expect_status(0);
    let site = place.path().join("site");
    let reports = || fs::read_dir(site.join("reports")).unwrap().count();
    assert_eq!(reports(), 3);
    fs::write(site.join("stray.html"), "x").unwrap();
    // The folder of a run goes; its report stays as long as it is among the newest.
    fs::remove_dir_all(place.path().join("runs/2")).unwrap();
    place.run(&["history", "site", "site"]).expect_status(0);
    assert!(!site.join("stray.html").exists());
    assert_eq!(reports(), 3);
    place
        .run(&["history", "site", "site", "--reports", "1"])
        .expect_status(0);
    assert_eq!(reports(), 1);
    let left: Vec<String> = fs::read_dir(place.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    // What is no such site is left as it is.
    place.write("precious/a.txt", "x");
    let refused = place.run(&["history", "site", "precious"]).expect_status(2);
    assert!(
        refused.stderr.contains("holds something else"),
        "{}",
        refused.stderr
    );
    assert!(place.path().join("precious/a.txt").exists());
}
