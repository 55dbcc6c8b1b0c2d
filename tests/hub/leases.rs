//! A store that several machines share, where the kernel has no locks or nobody can rely on them: one
//! fetches, the others wait and say for whom; who is gone is not waited for, and who wakes up harms nobody.

use super::server::Hub;
use super::{
    REPOSITORY, Row, cache, command_of, everything_is_here, files_below, nothing_is_wrong,
    one_file, place_of, place_with, repository, weights,
};
use crate::support::without_locks::spawn_without_locks;
use crate::support::{Place, Ran};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Stdio};

/// A runner whose messages are read as they come.
struct Runner {
    child: Child,
    errors: BufReader<std::process::ChildStderr>,
    told: String,
}

impl Runner {
    /// Starts one; without locks if they answer with an error.
    fn start(
        place: &Place,
        hub: &Hub,
        no_locks: Option<Errno>,
        lease_seconds: Option<u32>,
    ) -> Self {
        let mut command = command_of(place, hub);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        if let Some(seconds) = lease_seconds {
            command.env("EARMARK_LEASE_SECONDS", seconds.to_string());
        }
        let mut child = match no_locks {
            Some(error) => spawn_without_locks(&mut command, error),
            None => command.spawn().unwrap(),
        };
        let errors = BufReader::new(child.stderr.take().unwrap());
        Self {
            child,
            errors,
            told: String::new(),
        }
    }

    #[track_caller]
    fn wait_until_it_tells(&mut self, words: &str) {
        while !self.told.contains(words) {
            let read = self.errors.read_line(&mut self.told).unwrap();
            assert_ne!(read, 0, "it never told `{words}`:\n{}", self.told);
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn end(mut self) -> Ran {
        self.errors.read_to_string(&mut self.told).unwrap();
        let status = self.child.wait().unwrap();
        Ran {
            status: status.code().unwrap_or(-1),
            stdout: String::new(),
            stderr: self.told,
        }
    }
}

/// Has the hub stop in the middle of the first file that it sends. Returns how to wait until it has, and
/// what lets it go on.
fn stops_in_the_middle(hub: &Hub) -> (std::sync::mpsc::Receiver<()>, std::io::PipeWriter) {
    let (reader, writer) = std::io::pipe().unwrap();
    let (begun, has_begun) = std::sync::mpsc::channel();
    hub.when_served(1_000_000, move || {
        begun.send(()).unwrap();
        Read::read(&mut &reader, &mut [0]).unwrap();
    });
    (has_begun, writer)
}

fn large() -> Hub {
    Hub::with(&[("m.bin", weights(3_000_000, 1))])
}

/// Returns what is left in a cache that is no content, link or list.
fn left_over(place: &Place) -> Vec<String> {
    let mut left: Vec<String> = files_below(&cache(place))
        .into_iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .filter(|name| {
            [".lock", ".lease", ".incomplete"]
                .iter()
                .any(|part| name.contains(part))
        })
        .collect();
    left.sort();
    left
}

#[test]
fn without_locks_two_runners_fetch_once_and_the_second_says_for_whom_it_waits() {
    for (error, is_hub) in [
        (Errno::NOLCK, true),
        (Errno::NOSYS, true),
        (Errno::NOLCK, false),
    ] {
        let hub = large();
        let source = if is_hub {
            format!("{{hub: {REPOSITORY}}}")
        } else {
            format!("{{url: \"{}\"}}", hub.file_url("m.bin"))
        };
        let place = place_with(&hub, &source, "");
        let (has_begun, mut go_on) = stops_in_the_middle(&hub);
        let first = Runner::start(&place, &hub, Some(error), None);
        has_begun.recv().unwrap();
        let mut second = Runner::start(&place, &hub, Some(error), None);
        let holder = format!(
            "another program is fetching it (process {} on ",
            first.child.id()
        );
        second.wait_until_it_tells(&holder);
        go_on.write_all(b"x").unwrap();
        Row::of(&first.end()).expect("completed", "");
        Row::of(&second.end()).expect("completed", "");
        assert_eq!((hub.fetches(), hub.served()), (1, 3_000_000));
        if is_hub {
            everything_is_here(&place, &hub);
            // To Python a lock file would be a lock here.
            assert_eq!(left_over(&place), Vec::<String>::new());
        }
    }
}

#[test]
fn a_holder_that_was_killed_is_not_waited_for_and_what_it_had_is_gone_on_with() {
    for is_hub in [true, false] {
        let hub = large();
        let source = if is_hub {
            format!("{{hub: {REPOSITORY}}}")
        } else {
            format!("{{url: \"{}\"}}", hub.file_url("m.bin"))
        };
        let place = place_with(&hub, &source, "");
        let (has_begun, mut go_on) = stops_in_the_middle(&hub);
        let first = Runner::start(&place, &hub, Some(Errno::NOLCK), None);
        has_begun.recv().unwrap();
        let digest = hub.content("m.bin").sha256;
        crate::support::eventually("most of what was sent is on the disk", || {
            let partials = files_below(&place.path().join("home")).into_iter();
            let of_it = |path: &std::path::PathBuf| {
                let text = path.to_string_lossy();
                text.contains(&format!("{digest}.")) && text.ends_with(".incomplete")
                    || text.contains("/content.")
            };
            let lengths = partials
                .filter(of_it)
                .map(|path| fs::metadata(path).unwrap().len());
            lengths.max().unwrap_or(0) > 500_000
        });
        first.signal(Signal::KILL);
        first.end();
        go_on.write_all(b"x").unwrap();
        let mut second = Runner::start(&place, &hub, Some(Errno::NOLCK), None);
        // At once: its process is known to be gone.
        second.wait_until_it_tells("is gone; it is taken over");
        Row::of(&second.end()).expect("completed", "");
        if is_hub {
            everything_is_here(&place, &hub);
        }
        assert!(
            hub.fetches() == 2 && hub.served() < 5_500_000,
            "{} bytes were sent",
            hub.served()
        );
    }
}

#[test]
fn a_holder_that_was_stopped_is_passed_by_and_harms_nobody_when_it_wakes_up() {
    for no_locks in [Some(Errno::NOLCK), None] {
        let hub = large();
        let place = place_of(&hub, "");
        let (has_begun, mut go_on) = stops_in_the_middle(&hub);
        let first = Runner::start(&place, &hub, no_locks, Some(2));
        has_begun.recv().unwrap();
        first.signal(Signal::STOP);
        // With locks it still has the kernel's, as one of a node that died would be.
        let mut second = Runner::start(&place, &hub, no_locks, Some(2));
        second.wait_until_it_tells("has not renewed its lease for ");
        Row::of(&second.end()).expect("completed", "");
        everything_is_here_but_for_the_stopped(&place, &hub);
        first.signal(Signal::CONT);
        go_on.write_all(b"x").unwrap();
        Row::of(&first.end()).expect("completed", "");
        // Both had the whole file, and each in a file of its own.
        assert_eq!(hub.fetches(), 2);
        everything_is_here(&place, &hub);
        let left = left_over(&place);
        assert!(
            left.iter()
                .all(|name| !name.contains(".lease") && !name.contains(".incomplete")),
            "{left:?}"
        );
        let blobs: Vec<_> = fs::read_dir(repository(&place).join("blobs"))
            .unwrap()
            .collect();
        assert_eq!(blobs.len(), 1, "{blobs:?}");
    }
}

fn everything_is_here_but_for_the_stopped(place: &Place, hub: &Hub) {
    nothing_is_wrong(place);
    let blob = repository(place)
        .join("blobs")
        .join(hub.content("m.bin").sha256);
    assert_eq!(fs::read(blob).unwrap(), *hub.content("m.bin").bytes);
}

#[test]
fn a_wait_ends_with_the_limit_of_the_download() {
    let hub = large();
    let rest = "deadlines: {download: {stall: 2s, total: 3s}}\nretries: {download: 0}";
    let place = place_of(&hub, rest);
    let digest = hub.content("m.bin").sha256;
    let locks = cache(&place).join(".locks/models--owner--name");
    fs::create_dir_all(&locks).unwrap();
    // Of another machine, and just written: nobody knows yet whether it is still there.
    fs::write(locks.join(format!("{digest}.lock.lease")), "{}").unwrap();
    let waiting = Runner::start(&place, &hub, Some(Errno::NOLCK), None);
    let ran = waiting.end();
    Row::of(&ran).expect("timed-out", "limit of 3");
    assert!(
        ran.stderr.contains("somebody who does not say"),
        "{}",
        ran.stderr
    );
    assert_eq!(hub.served(), 0);
}

#[test]
fn a_lock_file_that_is_a_lock_to_python_is_waited_for_and_not_for_ever() {
    let hub = one_file();
    let place = place_of(&hub, "");
    let digest = hub.content("m.bin").sha256;
    let locks = cache(&place).join(".locks/models--owner--name");
    fs::create_dir_all(&locks).unwrap();
    let lock = locks.join(format!("{digest}.lock"));
    File::create(&lock).unwrap();
    let mut waiting = Runner::start(&place, &hub, Some(Errno::NOSYS), Some(1));
    waiting.wait_until_it_tells("another program is fetching it");
    Row::of(&waiting.end()).expect("completed", "");
    everything_is_here(&place, &hub);
    assert!(lock.exists(), "it is not ours");
}

#[test]
fn a_run_folder_can_be_written_where_there_are_no_locks() {
    let place = Place::new();
    place.write("m.yaml", &crate::support::fake_matrix("", ""));
    for error in [Errno::NOLCK, Errno::NOSYS] {
        let out = format!("run-{}", error.raw_os_error());
        let mut command = place.command(&["run", "m.yaml", "--out", &out, "--no-history"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = spawn_without_locks(&mut command, error);
        Ran::from(child.wait_with_output().unwrap()).expect_status(0);
        for left in ["lock", "lock.lease"] {
            assert!(!place.path().join(&out).join(left).exists(), "{left}");
        }
    }
}
