//! Runs that end in the middle: nothing finished is lost, and what goes on with them comes to the
//! same record.

use crate::support::{Place, Ran, eventually};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

type Row = BTreeMap<String, String>;

/// A small sweep: an engine and a command, two launches, a data set, and a row that fails.
const SWEEP: &str = "\
version: 1
name: sweep
matrix:
  backend: [fake]
  model: [tiny.en]
  audio: [short, jfk]
  verify-method: [cache-check, checksum]
  threads: [1, 2]
  include:
    - {backend: say, model: tiny.en, audio: short, verify-method: cache-check}
    - {backend: fake, model: tiny.en, audio: jfk, verify-method: cache-check, fake-fault: fail-trial}
audio:
  short: {manifest: clips.csv}
backends:
  say: {command: [sh, -c, 'sleep 0.02; echo what is said about {{ audio.id }}'], output: text}
settings: {warmup: 1, repeat: 2, launches: 2, fake-seconds: 0.01}
deadlines: {grace: 100ms}
";

fn sweep() -> Place {
    let place = Place::new();
    place.write("a.yaml", SWEEP);
    let corpus = crate::support::project().join("corpus");
    let clip = |name: &str| corpus.join(name).display().to_string();
    let manifest = format!(
        "id,file,reference,language\none,{},a,en\ntwo,{},b,en\n",
        clip("jfk.flac"),
        clip("arctic-a0007.flac")
    );
    place.write("clips.csv", &manifest);
    place
}

/// Columns of a table that say the same in every run: no times, no sizes, no names of runs.
fn steady(rows: Vec<Row>, columns: &[&str]) -> Vec<Vec<String>> {
    rows.into_iter()
        .map(|row| columns.iter().map(|column| row[*column].clone()).collect())
        .collect()
}

/// What a run folder holds, timings aside.
fn record(place: &Place, folder: &str) -> Vec<Vec<Vec<String>>> {
    let table = |name: &str| place.table(&format!("{folder}/{name}"));
    let results = [
        "job_id",
        "status",
        "backend",
        "audio",
        "audio_sha256",
        "artifact_digest",
        "launches",
        "n",
        "wer",
        "reference_words",
        "hypothesis",
        "deterministic",
        "network_wall",
        "synthetic",
        "error",
    ];
    let mut samples = steady(
        table("samples.csv"),
        &[
            "job_id",
            "launch",
            "utterance",
            "trial",
            "warmup",
            "hypothesis",
        ],
    );
    // Warm-ups are done again when a launch goes on in another process.
    samples.sort();
    samples.dedup();
    vec![
        steady(table("results.csv"), &results),
        samples,
        steady(
            table("jobs.csv"),
            &["job_id", "kind", "status", "verdict", "bytes"],
        ),
        steady(
            table("combinations.csv"),
            &["combination", "status", "verdicts"],
        ),
    ]
}

fn start(place: &Place, folder: &str) -> Child {
    place
        .command(&["run", "a.yaml", "--out", folder])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits until the journal holds so many events of a kind, and returns false if the run ended
/// before.
fn await_event(child: &mut Child, journal: &Path, kind: &str, count: usize) -> bool {
    let needle = format!("\"event\":\"{kind}\"");
    let (mut text, mut offset) = (String::new(), 0);
    let mut found = false;
    eventually("the event, or the end of the run", || {
        if let Ok(mut file) = std::fs::File::open(journal) {
            file.seek(SeekFrom::Start(offset)).unwrap();
            offset += file.read_to_string(&mut text).unwrap() as u64;
        }
        found = text.matches(&needle).count() >= count;
        found || child.try_wait().unwrap().is_some()
    });
    found
}

/// A number that differs from test to test and not from run to run.
fn scatter(seed: u64) -> u64 {
    seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23)
}

/// `EARMARK_KILLS` is the number of kills for each kind of moment.
#[test]
fn a_runner_killed_at_any_moment_loses_nothing_that_was_finished() {
    let kills: u64 = std::env::var("EARMARK_KILLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(3);
    let place = sweep();
    place
        .run(&["run", "a.yaml", "--out", "whole"])
        .expect_status(3);
    let whole = record(&place, "whole");
    let moments = [
        ("run-started", 1),
        ("attempt-started", 12),
        ("attempt-ended", 9),
        ("engine-ready", 9),
        ("model-loaded", 8),
        ("audio-prepared", 3),
        ("trial-ended", 40),
        ("job-ended", 10),
        ("processes-leaked", 1),
        ("run-ended", 1),
    ];
    for (kind, most) in moments {
        for kill in 0..kills {
            let chance = scatter(kill * 31 + most);
            let folder = format!("{kind}-{kill}");
            let mut child = start(&place, &folder);
            let journal = place.path().join(&folder).join("journal.jsonl");
            let count = usize::try_from(chance % most + 1).unwrap();
            await_event(&mut child, &journal, kind, count);
            // Somewhere behind the event: in the middle of a line, a sync, a spawn.
            let until = Instant::now() + Duration::from_micros(chance % 4000);
            while Instant::now() < until {
                std::hint::spin_loop();
            }
            child.kill().unwrap();
            child.wait().unwrap();
            if !journal.exists() {
                // Killed before there was anything to lose.
                continue;
            }
            let finished = finished(&journal);
            // The report of what is there can be made, unless nothing is.
            let begun = std::fs::metadata(&journal).unwrap().len() > 0;
            if begun && place.path().join(&folder).join("plan.json").exists() {
                place.run(&["report", &folder]);
            }
            let resumed = place.run(&["run", "--resume", &folder]);
            assert_eq!(resumed.status, 3, "{folder}: {}", resumed.stderr);
            let again = done_again(&journal);
            let lost: Vec<_> = finished.intersection(&again).collect();
            assert!(lost.is_empty(), "{folder}: done twice: {lost:?}");
            assert_eq!(record(&place, &folder), whole, "{folder}");
        }
    }
}

fn events(journal: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(journal).unwrap();
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// Measured trials that a journal holds, and jobs that it says have ended.
fn finished(journal: &Path) -> BTreeSet<String> {
    events(journal)
        .iter()
        .filter(|event| event["event"] == "job-ended")
        .filter(|event| event["job"].as_str().unwrap().starts_with("benchmark/"))
        .map(|event| event["job"].as_str().unwrap().to_owned())
        .collect()
}

/// Benchmarks that the last session of a journal began.
fn done_again(journal: &Path) -> BTreeSet<String> {
    let events = events(journal);
    let last = events
        .iter()
        .rposition(|event| event["event"] == "run-started")
        .unwrap();
    events[last..]
        .iter()
        .filter(|event| event["event"] == "attempt-started" && event["kind"] == "benchmark")
        .map(|event| event["job"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn an_interrupted_launch_goes_on_behind_its_last_trial() {
    let place = Place::new();
    place.write(
        "a.yaml",
        "version: 1\nname: long\nmatrix:\n  backend: [fake]\n  model: [tiny.en]\n  audio: [jfk]\n  \
         verify-method: [cache-check]\nsettings: {warmup: 1, repeat: 40, fake-seconds: 0.02}\n",
    );
    let mut child = start(&place, "r");
    let journal = place.path().join("r/journal.jsonl");
    assert!(await_event(&mut child, &journal, "trial-ended", 10));
    child.kill().unwrap();
    child.wait().unwrap();
    let trials = |session: usize| -> Vec<u64> {
        let events = events(&journal);
        let starts: Vec<usize> = (0..events.len())
            .filter(|position| events[*position]["event"] == "run-started")
            .chain([events.len()])
            .collect();
        events[starts[session]..starts[session + 1]]
            .iter()
            .filter(|event| event["event"] == "trial-ended")
            .map(|event| event["sample"]["trial"].as_u64().unwrap())
            .collect()
    };
    let first = trials(0);
    let resumed = place
        .run(&["run", "a.yaml", "--resume", "r"])
        .expect_status(0);
    assert!(
        resumed.stderr.contains("not finished"),
        "it says why: {}",
        resumed.stderr
    );
    let second = trials(1);
    // The warm-up is done again, and then what is left.
    let mut expected = vec![0];
    expected.extend(first.last().unwrap() + 1..=40);
    assert_eq!(second, expected);
    let row = &place.table("r/results.csv")[0];
    assert_eq!(row["n"], "40");
    assert!(row["notes"].contains("process"), "{}", row["notes"]);
}

#[test]
fn what_is_done_is_not_done_again_and_latest_finds_it() {
    let place = sweep();
    place.run(&["run", "a.yaml"]).expect_status(3);
    let folder = std::fs::read_dir(place.path().join("runs"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let journal = folder.join("journal.jsonl");
    place
        .run(&["run", "a.yaml", "--resume", "latest"])
        .expect_status(3);
    assert!(done_again(&journal).is_empty());
    // Verdicts are asked again all the same.
    let events = events(&journal);
    let verdicts = events
        .iter()
        .filter(|event| event["event"] == "job-reopened")
        .all(|event| event["reason"] == "verdict");
    assert!(verdicts);
}

#[test]
fn what_failed_or_timed_out_is_done_again_if_the_command_line_says_so() {
    let place = Place::new();
    place.write(
        "a.yaml",
        "version: 1\nname: faults\nmatrix:\n  backend: [fake]\n  model: [tiny.en]\n  audio: [jfk]\n  \
         verify-method: [cache-check]\n  fake-fault: [none, fail-trial, hang-load]\n\
         deadlines: {load: 200ms, grace: 100ms}\n",
    );
    place.run(&["run", "a.yaml", "--out", "r"]).expect_status(3);
    let journal = place.path().join("r/journal.jsonl");
    for (wish, part) in [
        ("failed", "fake-fault=fail-trial"),
        ("timed-out", "fake-fault=hang-load"),
        ("fake-fault=none", "jfk/"),
    ] {
        let ran = place
            .run(&["run", "a.yaml", "--resume", "r", "--rerun", wish])
            .expect_status(3);
        let again = done_again(&journal);
        assert_eq!(again.len(), 1, "{wish}: {again:?}\n{}", ran.stderr);
        assert!(again.first().unwrap().contains(part), "{wish}: {again:?}");
    }
    let none = done_again(&journal);
    assert!(!none.first().unwrap().contains("fake-fault"), "{none:?}");
}

#[test]
fn another_version_of_a_command_is_measured_anew() {
    let place = Place::new();
    place.write(
        "a.yaml",
        "version: 1\nname: versions\nmatrix:\n  backend: [say]\n  model: [none]\n  audio: [jfk]\n  \
         verify-method: [cache-check]\nbackends:\n  \
         say: {command: [cat, said], output: text, version: [cat, version]}\n\
         settings: {warmup: 0, repeat: 1}\n",
    );
    place.write("said", "one");
    place.write("version", "1.0\n");
    place.run(&["run", "a.yaml", "--out", "r"]).expect_status(0);
    let row = |place: &Place| place.table("r/results.csv").remove(0);
    assert_eq!(row(&place)["backend_version"], "1.0");
    place.write("said", "two");
    place
        .run(&["run", "a.yaml", "--resume", "r"])
        .expect_status(0);
    assert_eq!(row(&place)["hypothesis"], "one", "it stands");
    place.write("version", "1.1\n");
    let ran = place
        .run(&["run", "a.yaml", "--resume", "r"])
        .expect_status(0);
    assert!(
        ran.stderr.contains("engine version changed"),
        "{}",
        ran.stderr
    );
    assert_eq!(row(&place)["hypothesis"], "two");
    assert_eq!(row(&place)["backend_version"], "1.1");
}

#[test]
fn a_changed_matrix_keeps_what_it_still_asks_for() {
    let place = Place::new();
    let matrix = |beams: &str| {
        format!(
            "version: 1\nname: grows\nmatrix:\n  backend: [fake]\n  model: [tiny.en]\n  \
             audio: [jfk]\n  verify-method: [cache-check]\n  beam-size: [{beams}]\n"
        )
    };
    place.write("a.yaml", &matrix("1, 2"));
    place.run(&["run", "a.yaml", "--out", "r"]).expect_status(0);
    place.write("a.yaml", &matrix("2, 3"));
    let ran = place
        .run(&["run", "a.yaml", "--resume", "r"])
        .expect_status(0);
    let journal = place.path().join("r/journal.jsonl");
    let again = done_again(&journal);
    assert_eq!(again.len(), 1, "{}", ran.stderr);
    assert!(again.first().unwrap().contains("beam-size=3"), "{again:?}");
    let rows = place.table("r/results.csv");
    let beams: Vec<&str> = rows.iter().map(|row| row["beam_size"].as_str()).collect();
    assert_eq!(beams, ["2", "3"]);
}

#[test]
fn a_second_runner_on_the_same_folder_is_refused_as_long_as_the_first_lives() {
    let place = Place::new();
    place.write(
        "a.yaml",
        &crate::support::fake_matrix("", "settings: {fake-seconds: 60, warmup: 0, repeat: 1}"),
    );
    let mut first = start(&place, "r");
    let journal = place.path().join("r/journal.jsonl");
    assert!(await_event(&mut first, &journal, "model-loaded", 1));
    let second = place
        .run(&["run", "a.yaml", "--resume", "r"])
        .expect_status(2);
    assert!(
        second.stderr.contains(&first.id().to_string()),
        "it names the holder: {}",
        second.stderr
    );
    first.kill().unwrap();
    first.wait().unwrap();
    place.write("a.yaml", &crate::support::fake_matrix("", ""));
    place
        .run(&["run", "a.yaml", "--resume", "r"])
        .expect_status(0);
}

#[test]
fn a_time_budget_leaves_out_whole_rounds_and_says_so() {
    let place = Place::new();
    place.write(
        "a.yaml",
        &crate::support::fake_matrix(
            "  threads: [1, 2]",
            "settings: {fake-seconds: 0.2, warmup: 0, repeat: 1, launches: 50}",
        ),
    );
    let ran = place
        .run(&["run", "a.yaml", "--out", "r", "--time-budget", "3s"])
        .expect_status(0);
    assert!(ran.stderr.contains("budget"), "{}", ran.stderr);
    let rows = place.table("r/results.csv");
    let launches: Vec<usize> = rows.iter().map(|row| row["n"].parse().unwrap()).collect();
    assert_eq!(launches[0], launches[1], "rounds are whole");
    assert!((1..50).contains(&launches[0]), "{launches:?}");
    assert!(rows[0]["notes"].contains("budget"), "{}", rows[0]["notes"]);
    // What was left out is not done, so a resumed run does it.
    let journal = place.path().join("r/journal.jsonl");
    let again = place.run(&["run", "a.yaml", "--resume", "r", "--time-budget", "1s"]);
    assert_eq!(again.status, 0, "{}", again.stderr);
    assert_eq!(done_again(&journal).len(), 2);
}

#[test]
fn a_machine_that_is_never_quiet_is_waited_for_and_measured_all_the_same() {
    let place = Place::new();
    place.write(
        "a.yaml",
        &crate::support::fake_matrix("", "quiet: {load: 0, wait: 1s}"),
    );
    // Something keeps a CPU busy meanwhile.
    let mut busy = std::process::Command::new("sh")
        .args(["-c", "while :; do :; done"])
        .spawn()
        .unwrap();
    let ran = place.run(&["run", "a.yaml", "--out", "r"]);
    busy.kill().unwrap();
    busy.wait().unwrap();
    let ran: Ran = ran.expect_status(0);
    assert!(ran.stderr.contains("quiet"), "{}", ran.stderr);
    let journal = place.path().join("r/journal.jsonl");
    let wait = events(&journal)
        .into_iter()
        .find(|event| event["event"] == "quiet-awaited")
        .unwrap();
    assert_eq!(wait["quiet"], false);
    assert!(wait["seconds"].as_f64().unwrap() >= 1.0);
}

#[test]
fn a_crash_is_tried_again_if_the_matrix_says_so_and_every_attempt_is_recorded() {
    let place = Place::new();
    // Crashes until it has been started three times.
    let script = "echo x >> starts; [ $(wc -l < starts) -gt 2 ] || kill -SEGV $$; echo heard";
    let quoted = serde_json::to_string(script).unwrap();
    place.write(
        "a.yaml",
        &format!(
            "version: 1\nname: heals\nmatrix:\n  backend: [heals]\n  model: [none]\n  audio: [jfk]\n  \
             verify-method: [cache-check]\nbackends:\n  heals: {{command: [sh, -c, {quoted}], \
             output: text}}\nsettings: {{warmup: 0, repeat: 1}}\n\
             retries: {{crash: 3, backoff: 10ms}}\n"
        ),
    );
    let ran = place.run(&["run", "a.yaml", "--out", "r"]).expect_status(0);
    let jobs = place.table("r/jobs.csv");
    let job = jobs.iter().find(|job| job["kind"] == "benchmark").unwrap();
    assert_eq!(job["status"], "completed");
    assert_eq!(job["attempts"], "3");
    let journal = place.path().join("r/journal.jsonl");
    let outcomes: Vec<String> = events(&journal)
        .iter()
        .filter(|event| event["event"] == "attempt-ended")
        .map(|event| event["outcome"]["status"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(outcomes, ["crashed", "crashed", "completed"]);
    assert!(ran.stderr.contains("retry"), "{}", ran.stderr);
}

#[test]
fn a_reader_of_the_screen_that_is_gone_costs_the_screen_only() {
    let place = Place::new();
    place.write(
        "a.yaml",
        &crate::support::fake_matrix("  threads: [1, 2]", ""),
    );
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut child = place
        .command(&["run", "a.yaml", "--out", "r", "--format", "json"])
        .stdout(Stdio::from(writer.try_clone().unwrap()))
        .stderr(Stdio::from(writer))
        .spawn()
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(place.table("r/results.csv").len(), 2);
}

#[test]
fn the_report_of_a_folder_that_cannot_be_written_goes_elsewhere() {
    let place = Place::new();
    place.write("a.yaml", &crate::support::fake_matrix("", ""));
    place.run(&["run", "a.yaml", "--out", "r"]).expect_status(0);
    place.run(&["report", "r", "--out", "s"]).expect_status(0);
    let same = |file: &str| place.table(&format!("r/{file}")) == place.table(&format!("s/{file}"));
    assert!(same("results.csv") && same("jobs.csv"));
    assert!(!place.path().join("s/journal.jsonl").exists());
    place.write("taken", "");
    let ran = place
        .run(&["report", "r", "--out", "taken/s"])
        .expect_status(2);
    assert!(ran.stderr.contains("--out"), "{}", ran.stderr);
}

#[test]
fn shards_of_a_plan_come_together_as_one_run() {
    let place = sweep();
    let plan = place
        .run(&["plan", "a.yaml", "--format", "json"])
        .expect_status(0);
    place.write("plan.json", &plan.stdout);
    place
        .run(&["run", "plan.json", "--out", "whole"])
        .expect_status(3);
    for shard in 1..=3 {
        place.run(&["run", "plan.json", "--shard", &format!("{shard}/3")]);
    }
    let parent = std::fs::read_dir(place.path().join("runs"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let folder = |name: &str| parent.join(name).display().to_string();
    let [one, two, three] = [1, 2, 3].map(|shard| folder(&format!("shard-{shard}-of-3.attempt-1")));
    // A shard that is missing is told, and the rest is reported.
    let partial = place
        .run(&["merge", &one, &three, "--out", "partial"])
        .expect_status(3);
    assert!(partial.stderr.contains("benchmark/"), "{}", partial.stderr);
    // Whoever goes on with that goes on with its last part, and is told what that leaves.
    let resumed = place.run(&["run", "--resume", "partial"]).expect_status(3);
    for wanted in [
        "jobs missing: no folder has them; this folder was merged, and the last of its runs, shard 3/3, was gone on \
         with",
        "missing     benchmark/",
    ] {
        assert!(resumed.stderr.contains(wanted), "{}", resumed.stderr);
    }
    // A second attempt at a shard has a folder of its own, and counts.
    place.run(&["run", "plan.json", "--shard", "2/3"]);
    let again = folder("shard-2-of-3.attempt-2");
    place
        .run(&["merge", &again, &one, &two, &three, "--out", "merged"])
        .expect_status(0);
    let whole = record(&place, "whole");
    let merged = record(&place, "merged");
    assert_eq!(merged[0], whole[0]);
    assert_eq!(merged[1], whole[1]);
    let machines: BTreeSet<String> = place
        .table("merged/results.csv")
        .iter()
        .map(|row| row["machine_id"].clone())
        .collect();
    assert_eq!(machines.len(), 1);
}

#[test]
fn a_shard_is_a_part_of_a_saved_plan() {
    let place = sweep();
    let ran = place
        .run(&["run", "a.yaml", "--shard", "1/2", "--out", "r"])
        .expect_status(2);
    assert!(ran.stderr.contains("--format json"), "{}", ran.stderr);
    for wrong in ["0/2", "3/2", "1", "a/b"] {
        let ran = place
            .run(&["run", "plan.json", "--shard", wrong])
            .expect_status(2);
        assert!(ran.stderr.contains("--shard"), "{}", ran.stderr);
    }
    assert!(!place.path().join("runs").exists(), "nothing was started");
}
