//! Pictures of a page at the widths of a telephone and of a desk, light and dark.

use super::browser::Browser;
use super::records;
use crate::support::Place;
use std::env;
use std::fs;
use std::path::PathBuf;

/// The height of a picture: what is seen first, and about as much again.
const HEIGHT: f64 = 1600.0;

/// `make screenshots` names a page with `EARMARK_PAGE`, and with `EARMARK_SCREENSHOTS` where the
/// pictures go. By itself this holds that they can be taken and show something.
#[test]
fn a_page_is_pictured_for_both_widths_and_schemes() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let place = Place::new();
    let page = env::var_os("EARMARK_PAGE").map_or_else(
        || {
            let (plan, journal) = records::engines();
            journal.write(&place.path().join("r"), &plan);
            let history = records::history(&plan.jobs[1].id);
            history.write(&place.path().join("r")).unwrap();
            place.run(&["report", "r"]).expect_status(0);
            place.path().join("r/report.html")
        },
        PathBuf::from,
    );
    let page = fs::canonicalize(page).unwrap();
    let folder = env::var_os("EARMARK_SCREENSHOTS").map(PathBuf::from);
    let whole = env::var_os("EARMARK_SCREENSHOTS_WHOLE").is_some();
    let mut sizes = Vec::new();
    for width in [375, 1280] {
        for scheme in ["light", "dark"] {
            browser.look(width, scheme);
            browser.open(&page);
            let height = browser
                .evaluate("document.documentElement.scrollHeight")
                .as_f64()
                .unwrap();
            let height = if whole { height } else { height.min(HEIGHT) };
            let picture = browser.picture(width, 0.0, height);
            let dark = browser.evaluate("getComputedStyle(document.body).backgroundColor");
            assert_eq!(dark != "rgb(255, 255, 255)", scheme == "dark", "{dark}");
            if let Some(folder) = &folder {
                fs::create_dir_all(folder).unwrap();
                fs::write(
                    folder.join(format!("report-{width}-{scheme}.png")),
                    &picture,
                )
                .unwrap();
            }
            sizes.push(picture.len());
        }
    }
    assert!(sizes.iter().all(|size| *size > 20_000), "{sizes:?}");
    if !whole {
        assert!(sizes.iter().all(|size| *size < 300_000), "{sizes:?}");
    }
}
