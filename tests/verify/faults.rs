//! All that can be wrong with a model in the cache of hubs, each with its own verdict.

use super::hub_cache::{Cached, FILES, answer, digest};
use crate::shim::users::{User, users};
use crate::support::Ran;
use earmark::model::Plan;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

/// The file that is damaged.
const NAME: &str = "weights/a.bin";

/// What both methods say of a damaged model: verdict, and what the reason must hold.
type Expected = [(&'static str, &'static str); 2];

/// The same by both methods.
const fn both(verdict: &'static str, reason: &'static str) -> Expected {
    [(verdict, reason); 2]
}

fn expect(what: &str, answer: &Value, (verdict, reason): (&str, &str)) {
    assert_eq!(answer["verdict"], verdict, "{what}: {answer}");
    let found = answer["reason"].as_str().unwrap();
    assert!(found.contains(reason), "{what}: {found}");
}

#[test]
fn a_cache_that_is_whole_is_complete_by_the_list_it_holds() {
    let cached = Cached::whole();
    for method in ["cache-check", "checksum"] {
        let answer = cached.verify(method);
        expect(method, &answer, ("complete", ""));
        assert_eq!(answer["manifest"], "hub-tree");
        let bytes: usize = FILES.iter().map(|(_, content)| content.len()).sum();
        assert_eq!(answer["bytes_expected"], bytes);
        assert_eq!(answer["bytes_present"], bytes);
    }
}

#[test]
fn each_fault_has_its_own_verdict_with_file_and_numbers() {
    type Damage<'a> = &'a dyn Fn(&Cached);
    let begun = |cached: &Cached, ending: &str| {
        let blob = cached.blob(NAME);
        let name = format!("{}{ending}", blob.file_name().unwrap().display());
        fs::rename(&blob, blob.with_file_name(&name)).unwrap();
        fs::write(blob.with_file_name(name), "hel").unwrap();
    };
    let cases: [(&str, Damage<'_>, Expected); 17] = [
        (
            "nothing there",
            &|cached| fs::remove_dir_all(cached.repository()).unwrap(),
            both("missing", "nothing of it is in"),
        ),
        (
            "no snapshot of the commit",
            &|cached| fs::remove_dir_all(cached.repository().join("snapshots")).unwrap(),
            both("missing", "nothing of it is in"),
        ),
        (
            "one of five files",
            &|cached| {
                for (name, _) in FILES.iter().filter(|(name, _)| *name != NAME) {
                    fs::remove_file(cached.link(name)).unwrap();
                }
            },
            both("incomplete", "tokens.bin: is not there: 0 of 6 bytes"),
        ),
        (
            "begun",
            &|cached| {
                begun(cached, ".incomplete");
                fs::remove_file(cached.link(NAME)).unwrap();
            },
            both(
                "incomplete",
                "weights/a.bin: only 3 of 5 bytes have arrived",
            ),
        ),
        (
            "begun by a process with a name of its own",
            &|cached| {
                begun(cached, ".1a2b3c4d.incomplete");
                fs::remove_file(cached.link(NAME)).unwrap();
            },
            both(
                "incomplete",
                "weights/a.bin: only 3 of 5 bytes have arrived",
            ),
        ),
        (
            "begun, and nothing else",
            &|cached| {
                begun(cached, ".incomplete");
                fs::remove_dir_all(cached.repository().join("snapshots")).unwrap();
            },
            both(
                "incomplete",
                "weights/a.bin: only 3 of 5 bytes have arrived",
            ),
        ),
        (
            "a link to what was only begun",
            &|cached| begun(cached, ".incomplete"),
            both(
                "incomplete",
                "weights/a.bin: is a link to nothing; only 3 of 5 bytes have arrived",
            ),
        ),
        (
            "a dangling link",
            &|cached| fs::remove_file(cached.blob(NAME)).unwrap(),
            both(
                "incomplete",
                "weights/a.bin: is a link to nothing: 0 of 5 bytes",
            ),
        ),
        (
            "cut short",
            &|cached| fs::write(cached.blob(NAME), "he").unwrap(),
            both("incomplete", "weights/a.bin: has 2 of 5 bytes"),
        ),
        (
            "empty",
            &|cached| fs::write(cached.blob(NAME), "").unwrap(),
            both("incomplete", "weights/a.bin: is empty: has 0 of 5 bytes"),
        ),
        (
            "too long",
            &|cached| fs::write(cached.blob(NAME), "hello!").unwrap(),
            both("corrupt", "weights/a.bin: has 6 bytes, expected 5"),
        ),
        (
            "a flipped byte in a large file",
            &|cached| fs::write(cached.blob(NAME), "hallo").unwrap(),
            [
                ("complete", ""),
                (
                    "corrupt",
                    "weights/a.bin: SHA-256 is d3751d33f9cd5049c4af2b462735457e4d3baf130bcbb87f389e349fbaeb20b9, expected 2cf24dba",
                ),
            ],
        ),
        (
            "a flipped byte in a small file",
            &|cached| fs::write(cached.blob("config.json"), "{\"layers\": 5}").unwrap(),
            [("complete", ""), ("corrupt", "config.json: git blob is ")],
        ),
        (
            "a folder in a file's place",
            &|cached| {
                fs::remove_file(cached.link(NAME)).unwrap();
                fs::create_dir(cached.link(NAME)).unwrap();
            },
            both("error", "weights/a.bin: is not a file"),
        ),
        (
            "a file in a folder's place",
            &|cached| {
                fs::remove_dir_all(cached.link("weights")).unwrap();
                fs::write(cached.link("weights"), "").unwrap();
            },
            both("error", "weights/a.bin: Not a directory"),
        ),
        (
            "a link to itself",
            &|cached| {
                fs::remove_file(cached.link(NAME)).unwrap();
                symlink("a.bin", cached.link(NAME)).unwrap();
            },
            both("error", "weights/a.bin: Too many levels of symbolic links"),
        ),
        (
            "no list of what belongs to it",
            &|cached| fs::remove_file(cached.tree()).unwrap(),
            both("unknown", "no manifest: its"),
        ),
    ];
    for (what, damage, expected) in cases {
        let cached = Cached::whole();
        damage(&cached);
        for (method, expected) in ["cache-check", "checksum"].into_iter().zip(expected) {
            let what = format!("{what}, by {method}");
            expect(&what, &cached.verify(method), expected);
        }
    }
}

#[test]
fn a_file_that_may_not_be_read_is_an_error() {
    // Root may read everything.
    let everybody = users();
    let user = *everybody.last().unwrap();
    if user == User::Own && rustix::process::geteuid().is_root() {
        println!("skipped: root cannot be kept from reading here");
        return;
    }
    let cached = Cached::whole();
    let mode = |path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    mode(cached.place.path(), 0o755);
    mode(&cached.blob(NAME), 0o000);
    for method in ["cache-check", "checksum"] {
        let asked = cached.place.command(&[
            "verify",
            "m.yaml",
            "--format",
            "json",
            "--verify-method",
            method,
        ]);
        let answer = answer(&Ran::from(as_user(user, &asked).output().unwrap()));
        let expected = "weights/a.bin: cannot be read: Permission denied";
        expect(method, &answer, ("error", expected));
    }
}

/// Returns a command that runs another one as a user.
fn as_user(user: User, asked: &Command) -> Command {
    let mut words = user.prefix().iter().map(std::ffi::OsStr::new);
    let first = words.next();
    let mut command = Command::new(first.unwrap_or(asked.get_program()));
    command.args(words);
    if first.is_some() {
        command.arg(asked.get_program());
    }
    command.args(asked.get_args());
    for (name, value) in asked.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    if let Some(folder) = asked.get_current_dir() {
        command.current_dir(folder);
    }
    command
}

#[test]
fn what_a_link_is_called_and_where_it_leads_proves_nothing() {
    let cached = Cached::whole();
    let elsewhere = cached.place.path().join("elsewhere");
    for (content, verdict) in [("hello", "complete"), ("hallo", "corrupt")] {
        // Out of the repository, to a file that has the name of the right content.
        fs::create_dir_all(&elsewhere).unwrap();
        let target = elsewhere.join(digest(NAME, "hello"));
        fs::write(&target, content).unwrap();
        let _ = fs::remove_file(cached.link(NAME));
        symlink(&target, cached.link(NAME)).unwrap();
        assert_eq!(cached.verify("cache-check")["verdict"], "complete");
        assert_eq!(cached.verify("checksum")["verdict"], verdict);
    }
}

#[test]
fn the_next_place_is_tried_and_the_best_is_told() {
    let cached = Cached::whole();
    let own = cached.place.path().join("own");
    fs::create_dir(&own).unwrap();
    let with_path =
        super::hub_cache::matrix("").replace("sources: [{hub", "sources: [{path: own}, {hub");
    cached.place.write("m.yaml", &with_path);
    assert_eq!(cached.verify("checksum")["verdict"], "complete");
    fs::write(cached.blob(NAME), "he").unwrap();
    let answer = cached.verify("checksum");
    expect(
        "cut in the cache",
        &answer,
        ("incomplete", "has 2 of 5 bytes"),
    );
}

/// A definition that names one file and a glob: what else belongs to it only the list tells.
#[test]
fn what_a_glob_stands_for_is_known_from_the_list_and_else_it_is_never_complete() {
    let cached = Cached::whole();
    let planned = cached.place.run(&["plan", "m.yaml", "--format", "json"]);
    let mut plan: Plan = serde_json::from_str(&planned.expect_status(0).stdout).unwrap();
    let artifact = &mut plan.models["mine"].artifacts["ggml-f16"];
    artifact.files.retain(|name, _| name == "config.json");
    artifact.patterns = vec!["*.bin".into()];
    earmark::plan::seal(&mut plan);
    let text = serde_json::to_string(&plan).unwrap();
    cached.place.write("plan.json", &text);
    let verdict = |folder: &str, status| {
        let ran = cached.place.run(&["run", "plan.json", "--out", folder]);
        ran.expect_status(status);
        let jobs = cached.place.table(&format!("{folder}/jobs.csv"));
        let verify = jobs.into_iter().find(|job| job["stage"] == "before");
        let verify = verify.unwrap();
        (verify["verdict"].clone(), verify["reason"].clone())
    };
    assert_eq!(verdict("whole", 0).0, "complete");
    let row = &cached.place.table("whole/results.csv")[0];
    assert_eq!(row["hypothesis"], "tokens");
    fs::remove_file(cached.link(NAME)).unwrap();
    let (word, reason) = verdict("lacking", 3);
    assert_eq!(word, "incomplete");
    assert!(
        reason.contains("weights/a.bin: is not there: 0 of 5 bytes"),
        "{reason}"
    );
    fs::remove_file(cached.tree()).unwrap();
    let (word, reason) = verdict("unlisted", 3);
    assert_eq!(word, "unknown");
    assert!(
        reason.contains("no manifest: nothing tells what `*.bin` stands for"),
        "{reason}"
    );
}
