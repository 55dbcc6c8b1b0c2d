//! What axe finds: the rules that screen readers and keyboards need.
//!
//! The package comes from the registry that npm is set up for, held by its lock file, once, into the
//! build's folder.

use super::browser::Browser;
use super::records;
use crate::support::{Place, project};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Returns the script of axe, fetched by whoever is first; `None`, which is said, if it cannot be.
fn axe() -> Option<String> {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let lock = File::create(root.join("axe.lock")).unwrap();
    lock.lock().unwrap();
    let folder = root.join("axe");
    let script = folder.join("node_modules/axe-core/axe.min.js");
    if !script.exists() {
        fs::create_dir_all(&folder).unwrap();
        for name in ["package.json", "package-lock.json"] {
            let from: PathBuf = project().join("tests/page/axe").join(name);
            fs::copy(from, folder.join(name)).unwrap();
        }
        let output = Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(&folder)
            .stdin(Stdio::null())
            .output();
        if !output.as_ref().is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: axe-core cannot be installed by npm ({output:?})");
            return None;
        }
    }
    Some(fs::read_to_string(script).unwrap())
}

#[test]
fn axe_finds_nothing_serious() {
    let (Some(mut browser), Some(axe)) = (Browser::start(), axe()) else {
        return;
    };
    let place = Place::new();
    let (plan, journal) = records::engines();
    journal.write(&place.path().join("r"), &plan);
    let history = records::history(&plan.jobs[1].id);
    history.write(&place.path().join("r")).unwrap();
    place.run(&["report", "r"]).expect_status(0);
    let page = place.path().join("r/report.html");
    for (width, scheme) in [(1280, "light"), (1280, "dark"), (375, "light")] {
        browser.look(width, scheme);
        browser.open_at(
            &page,
            "#view?benchmarks.group=audio&configurations.sort=wer&wer=5",
        );
        // All of it, what is folded away too.
        browser
            .evaluate("for (const part of document.querySelectorAll('details')) part.open = true");
        browser.evaluate(&format!("{axe};0"));
        let found = browser.evaluate(
            "axe.run(document, {resultTypes: ['violations']}).then((result) => \
             JSON.stringify({rules: result.passes.length, found: result.violations.map((fault) => ({id: \
             fault.id, impact: fault.impact, help: fault.help, nodes: fault.nodes.slice(0, 4)\
             .map((node) => node.html.slice(0, 200) + ' ' + node.failureSummary)}))}))",
        );
        let found: serde_json::Value = serde_json::from_str(found.as_str().unwrap()).unwrap();
        assert!(found["rules"].as_u64().unwrap() > 20, "{found}");
        let faults = found["found"].as_array().unwrap();
        let (grave, light): (Vec<_>, Vec<_>) = faults.iter().partition(|fault| {
            ["serious", "critical"].contains(&fault["impact"].as_str().unwrap_or("critical"))
        });
        for fault in light {
            eprintln!("{width} {scheme}: {fault:#}");
        }
        assert!(grave.is_empty(), "{width} {scheme}: {grave:#?}");
    }
}
