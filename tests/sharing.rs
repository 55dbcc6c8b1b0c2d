//! What several machines, or several runners, share: recipes that make a model once, and clocks that
//! begin with a run and not with its place in a queue.

use crate::support::{Place, Ran, eventually, fake_matrix, program};
use earmark::clock::wall_time;
use earmark::record::RunFolder;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A model that a recipe makes as soon as somebody writes into a pipe.
const RECIPE: &str = "version: 1
name: made
matrix:
  backend: [reader]
  model: [mine]
  audio: [jfk]
  verify-method: [cache-check]
backends:
  reader: {command: [/bin/true, \"{{ model.path }}\"], output: text, artifact: ggml-f16}
models:
  mine:
    size: tiny
    artifacts:
      ggml-f16:
        files: {m.bin: {bytes: 5, sha256: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824}}
        sources: [{recipe: r}]
recipes:
  r: {command: [sh, ./make.sh, \"{{ destination }}\"], produces: {mine: [ggml-f16]}}
";

/// The same without a digest.
fn without_digest() -> String {
    let digest = RECIPE.find(", sha256: ").unwrap();
    let end = RECIPE.find("}}\n").unwrap();
    [&RECIPE[..digest], &RECIPE[end..]].concat()
}

/// A place with a recipe that notes that it was run, and goes on as soon as somebody writes into a pipe.
fn with_recipe(matrix: &str, content: &str) -> Place {
    let place = Place::new();
    place.write("m.yaml", matrix);
    place.write(
        "make.sh",
        &format!(
            "cd \"$(dirname \"$0\")\" || exit 1\necho x >> made\n[ -e go ] || cat pipe > /dev/null\nmkdir -p \
             \"$1/mine/ggml-f16\"\nprintf '{content}' > \"$1/mine/ggml-f16/m.bin\"\n"
        ),
    );
    let pipe = place.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    place
}

/// Has two runners want a model at once, and returns how often its recipe was run.
fn made_by_two(place: &Place) -> usize {
    let made = || fs::read_to_string(place.path().join("made")).unwrap_or_default();
    let start = || {
        let mut command = place.command(&["download", "m.yaml"]);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let first = start();
    eventually("the recipe runs", || made() == "x\n");
    let mut second = start();
    let mut told = BufReader::new(second.stderr.take().unwrap());
    let mut lines = String::new();
    while !lines.contains("recipe r: another program is fetching it (process") {
        assert_ne!(told.read_line(&mut lines).unwrap(), 0, "{lines}");
    }
    // Opened to be written and closed: the recipe reads an end. One that is run again waits for nobody.
    place.write("go", "");
    drop(
        fs::File::options()
            .write(true)
            .open(place.path().join("pipe"))
            .unwrap(),
    );
    Ran::from(first.wait_with_output().unwrap()).expect_status(0);
    told.read_to_string(&mut lines).unwrap();
    assert!(second.wait().unwrap().success(), "{lines}");
    made().lines().count()
}

#[test]
fn two_runners_have_a_recipe_make_its_model_once() {
    for matrix in [RECIPE.to_owned(), without_digest()] {
        let place = with_recipe(&matrix, "hello");
        assert_eq!(made_by_two(&place), 1, "{matrix}");
        assert_eq!(
            fs::read(place.store().join("mine/ggml-f16/m.bin")).unwrap(),
            b"hello"
        );
    }
}

#[test]
fn what_is_there_and_wrong_is_made_again_and_once() {
    for matrix in [RECIPE.to_owned(), without_digest()] {
        let place = with_recipe(&matrix, "hello");
        let file = place.store().join("mine/ggml-f16/m.bin");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, "hello and more").unwrap();
        assert_eq!(made_by_two(&place), 1, "{matrix}");
        assert_eq!(fs::read(&file).unwrap(), b"hello");
    }
}

/// A job that waits in a queue is no process of ours yet, so its wait is in nothing that we measure.
#[test]
fn the_clock_of_a_run_starts_with_its_process_and_stands_still_between_its_sessions() {
    let wait = Duration::from_millis(2500);
    let place = Place::new();
    place.write("m.yaml", &fake_matrix("", "settings: {repeat: 2}"));
    let mut queued = Command::new("sh")
        .args(["-c", "read go; exec \"$0\" run m.yaml --out r", program()])
        .current_dir(place.path())
        .env("EARMARK_HOME", place.path().join("home"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let submitted = Instant::now();
    eventually("it has waited for a while", || submitted.elapsed() > wait);
    let (started, started_at) = (Instant::now(), wall_time());
    queued.stdin.take().unwrap().write_all(b"go\n").unwrap();
    Ran::from(queued.wait_with_output().unwrap()).expect_status(0);
    let took = started.elapsed().as_secs_f64();
    let record = RunFolder::read(&place.path().join("r")).unwrap();
    assert!(record.started_at >= started_at, "{}", record.started_at);
    assert!(record.seconds.unwrap() <= took);
    let (_, events) = RunFolder::read_events(&place.path().join("r")).unwrap();
    assert!(events.iter().all(|event| event.elapsed_seconds <= took));
    for job in record.jobs.values() {
        let attempts = job.attempts.iter();
        let times = attempts.flat_map(|attempt| [attempt.start_seconds, attempt.load_seconds]);
        let samples = job.samples.iter();
        let times = times
            .flatten()
            .chain(samples.map(|sample| sample.wall_seconds));
        for seconds in times.chain([job.seconds]) {
            assert!(seconds <= took, "{seconds} of {took}");
        }
    }
    // What went by before it was gone on with is no time of the run either.
    let ended = Instant::now();
    eventually("it has waited again", || ended.elapsed() > wait);
    place
        .run(&["run", "m.yaml", "--resume", "r"])
        .expect_status(0);
    let record = RunFolder::read(&place.path().join("r")).unwrap();
    let [first, second] = record.sessions.as_slice() else {
        panic!("{} sessions", record.sessions.len());
    };
    let gap = second.started_elapsed - (first.started_elapsed + first.seconds.unwrap());
    assert!((0.0..wait.as_secs_f64() / 2.0).contains(&gap), "{gap}");
}
