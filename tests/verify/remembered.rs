//! Verdicts that are remembered, and what makes them be asked for again.

use super::hub_cache::Cached;
use crate::support::eventually;
use std::fs;

const NAME: &str = "weights/a.bin";

fn is_remembered(cached: &Cached, arguments: &[&str]) -> bool {
    let answer = cached.verify_with(arguments);
    assert_eq!(answer["verdict"], "complete", "{answer}");
    answer["remembered"] == true
}

/// Asks until the answer is an earlier one: files that have just been written are not trusted to tell
/// the next change.
fn settle(cached: &Cached) {
    eventually("the verdict is remembered", || is_remembered(cached, &[]));
}

#[test]
fn a_digest_that_was_right_is_right_until_something_changes() {
    let cached = Cached::whole();
    assert!(!is_remembered(&cached, &[]));
    settle(&cached);
    let table = cached.place.run(&["verify", "m.yaml", "--verbose"]);
    let table = table.expect_status(0).stdout;
    assert!(table.contains("complete, remembered"), "{table}");
    assert!(table.contains("nothing has changed since"), "{table}");

    // Another method, and whoever wants it fresh, get an answer of their own.
    assert!(!is_remembered(&cached, &["--verify-method", "cache-check"]));
    assert!(!is_remembered(&cached, &["--fresh"]));
    assert!(is_remembered(&cached, &[]));

    // Touched.
    let blob = fs::File::options().write(true).open(cached.blob(NAME));
    blob.unwrap()
        .set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    assert!(!is_remembered(&cached, &[]));
    settle(&cached);

    // Replaced by another file of the same length and time.
    let modified = fs::metadata(cached.blob(NAME)).unwrap().modified().unwrap();
    let other = cached.blob(NAME).with_extension("other");
    fs::write(&other, "hallo").unwrap();
    let file = fs::File::options().write(true).open(&other).unwrap();
    file.set_modified(modified).unwrap();
    fs::rename(&other, cached.blob(NAME)).unwrap();
    assert_eq!(cached.verify_with(&[])["verdict"], "corrupt");
    // What was wrong is asked again each time.
    let again = cached.verify_with(&[]);
    assert_eq!(
        (&again["verdict"], &again["remembered"]),
        (&"corrupt".into(), &false.into())
    );
}

#[test]
fn a_run_says_which_of_its_verdicts_is_an_earlier_one() {
    let cached = Cached::whole();
    settle(&cached);
    for (arguments, remembered) in [
        (&["--out", "r"][..], true),
        (&["--out", "s", "--fresh"], false),
    ] {
        let mut all = vec!["run", "m.yaml"];
        all.extend(arguments);
        cached.place.run(&all).expect_status(0);
        let jobs = cached.place.table(&format!("{}/jobs.csv", arguments[1]));
        let first = jobs.iter().find(|job| job["stage"] == "before").unwrap();
        assert_eq!(first["verdict"], "complete");
        assert_eq!(
            first["reason"].starts_with("remembered"),
            remembered,
            "{first:?}"
        );
        let row = &cached.place.table(&format!("{}/results.csv", arguments[1]))[0];
        assert_eq!(
            (row["status"].as_str(), row["hypothesis"].as_str()),
            ("completed", "tokens")
        );
    }
}
