//! One cache for us and for Python's `huggingface_hub`: what either has fetched is whole for the
//! other, and neither fetches what the other is fetching.
//!
//! The package comes from the package index that pip is set up for, once, into the build's folder.

use super::fault::{At, Fault};
use super::server::Hub;
use super::{
    QUICK, REPOSITORY, Row, cache, command_of, download, everything_is_here, place_of, weights,
};
use crate::support::python::with_packages;
use crate::support::{Place, Ran};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Returns a Python with the package, made by whoever is first.
fn python() -> PathBuf {
    with_packages("huggingface-hub-2.4.0", "tests/hub/python_requirements.txt")
}

/// A script of Python in the environment of a place.
fn script(python: &Path, place: &Place, hub: &Hub, text: &str) -> Command {
    let mut command = Command::new(python);
    command
        .args(["-c", text])
        .current_dir(place.path())
        .env("HF_HOME", cache(place).parent().unwrap())
        .env("HF_ENDPOINT", hub.url())
        .env("HF_HUB_DISABLE_XET", "1")
        .env("HF_HUB_DISABLE_TELEMETRY", "1")
        .env_remove("HF_HUB_CACHE")
        .env_remove("HF_TOKEN")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[track_caller]
fn succeeds(mut command: Command) -> String {
    Ran::from(command.output().unwrap()).expect_status(0).stdout
}

fn some_files() -> Hub {
    Hub::with(&[
        ("config.json", weights(2_000, 1)),
        ("deep/down/config.json", weights(100, 2)),
        ("m.bin", weights(300_000, 3)),
    ])
}

const FETCH: &str =
    "from huggingface_hub import snapshot_download; snapshot_download('owner/name')";

#[test]
fn what_python_has_fetched_is_whole_for_us() {
    let python = python();
    let hub = some_files();
    let place = place_of(&hub, QUICK);
    succeeds(script(&python, &place, &hub, FETCH));
    everything_is_here(&place, &hub);
    let fetched = hub.fetches();
    // A download that is asked for all the same finds everything in its place.
    let ran = download(&place, &hub).expect_status(0);
    Row::of(&ran).expect("not-needed", "");
    assert_eq!(hub.fetches(), fetched);
    let arguments = ["verify", "m.yaml", "--verify-method", "checksum"];
    let verified = place.run(&arguments).expect_status(0);
    assert!(verified.stdout.contains("complete"), "{}", verified.stdout);
    everything_is_here(&place, &hub);
}

#[test]
fn what_we_have_fetched_is_whole_for_python() {
    let python = python();
    let hub = some_files();
    let place = place_of(&hub, QUICK);
    Row::of(&download(&place, &hub)).expect("completed", "");
    let served = hub.served();
    let offline = "from huggingface_hub import snapshot_download\n\
         print(snapshot_download('owner/name', local_files_only=True))";
    let mut command = script(&python, &place, &hub, offline);
    let folder = succeeds({
        command.env("HF_HUB_OFFLINE", "1");
        command
    });
    assert!(
        Path::new(folder.trim())
            .join("deep/down/config.json")
            .exists()
    );
    let verify = "import sys; from huggingface_hub.cli.hf import main\n\
         sys.argv = ['hf', 'cache', 'verify', 'owner/name']; main()";
    succeeds(script(&python, &place, &hub, verify));
    succeeds(script(&python, &place, &hub, FETCH));
    assert_eq!(hub.served(), served, "{REPOSITORY} was fetched again");
}

#[test]
fn locks_hold_both_ways() {
    let python = python();
    let hub = Hub::with(&[("m.bin", weights(300_000, 3))]);
    let place = place_of(&hub, "");
    let digest = hub.content("m.bin").sha256;
    let path = cache(&place)
        .join(".locks/models--owner--name")
        .join(format!("{digest}.lock"));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let hold = format!(
        "from huggingface_hub.utils import WeakFileLock\n\
         with WeakFileLock(r'{}'):\n    print('held', flush=True); input()",
        path.display()
    );
    let mut holder = script(&python, &place, &hub, &hold).spawn().unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "held");
    let mut ours = command_of(&place, &hub)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = String::new();
    let mut errors = BufReader::new(ours.stderr.take().unwrap());
    while !told.contains("another program is fetching it") {
        assert_ne!(errors.read_line(&mut told).unwrap(), 0, "{told}");
    }
    assert_eq!(hub.served(), 0);
    // What Python holds while we are told that it does, it gives back; then we go on.
    hub.fail(At::Bytes, Fault::Stall(100_000), 1);
    holder.stdin.take().unwrap().write_all(b"\n").unwrap();
    holder.wait().unwrap();
    crate::support::eventually("we have begun", || hub.served() >= 100_000);
    let try_it = format!(
        "from filelock import FileLock, Timeout\n\
         try:\n    FileLock(r'{}').acquire(timeout=0); print('free')\n\
         except Timeout:\n    print('held')",
        path.display()
    );
    assert_eq!(
        succeeds(script(&python, &place, &hub, &try_it)).trim(),
        "held"
    );
    let pid = rustix::process::Pid::from_child(&ours);
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    ours.wait().unwrap();
    // It died with us.
    assert_eq!(
        succeeds(script(&python, &place, &hub, &try_it)).trim(),
        "free"
    );
    succeeds(script(&python, &place, &hub, FETCH));
    Row::of(&download(&place, &hub));
}
