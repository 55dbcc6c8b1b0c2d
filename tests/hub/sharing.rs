//! A cache and a disk that others use too: runners side by side, locks, what is in the way of room.

use super::fault::{At, Fault};
use super::server::Hub;
use super::{
    QUICK, REPOSITORY, Row, cache, command_of, download, everything_is_here, nothing_is_wrong,
    one_file, place_of, place_with, repository, weights,
};
use crate::support::{Ran, eventually};
use std::fs::{self, File};
use std::process::Stdio;

#[test]
fn two_runners_fetch_once() {
    for (sources, is_hub) in [
        (format!("{{hub: {REPOSITORY}}}"), true),
        (String::new(), false),
    ] {
        let hub = Hub::with(&[("m.bin", weights(3_000_000, 1))]);
        let sources = if is_hub {
            sources
        } else {
            format!("{{url: \"{}\"}}", hub.file_url("m.bin"))
        };
        let place = place_with(&hub, &sources, "");
        let (reader, writer) = std::io::pipe().unwrap();
        // The first has begun, and goes on once the second waits for it.
        let (begun, first_has_begun) = std::sync::mpsc::channel();
        hub.when_served(100_000, move || {
            begun.send(()).unwrap();
            std::io::Read::read(&mut &reader, &mut [0]).unwrap();
        });
        let run = || {
            let mut command = command_of(&place, &hub);
            let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
            command.spawn().unwrap()
        };
        let first = run();
        first_has_begun.recv().unwrap();
        let mut second = run();
        let mut told = std::io::BufReader::new(second.stderr.take().unwrap());
        let mut lines = String::new();
        while !lines.contains("another program is fetching it") {
            assert_ne!(
                std::io::BufRead::read_line(&mut told, &mut lines).unwrap(),
                0,
                "{lines}"
            );
        }
        std::io::Write::write_all(&mut &writer, b"x").unwrap();
        let first = Ran::from(first.wait_with_output().unwrap());
        std::io::Read::read_to_string(&mut told, &mut lines).unwrap();
        second.wait().unwrap();
        let second = Ran {
            status: 0,
            stdout: String::new(),
            stderr: lines,
        };
        for ran in [first, second] {
            Row::of(&ran).expect("completed", "");
        }
        assert_eq!(hub.served(), 3_000_000);
        assert_eq!(hub.fetches(), 1);
    }
}

#[test]
fn a_lock_that_another_program_holds_is_waited_for_and_no_longer_than_the_limit() {
    let hub = one_file();
    let place = place_of(&hub, "deadlines: {download: {stall: 400ms, total: 1500ms}}");
    let digest = hub.content("m.bin").sha256;
    let locks = cache(&place).join(".locks").join("models--owner--name");
    fs::create_dir_all(&locks).unwrap();
    let lock = File::create(locks.join(format!("{digest}.lock"))).unwrap();
    lock.lock().unwrap();
    let ran = download(&place, &hub);
    Row::of(&ran).expect("timed-out", "limit of 1.5 s");
    assert!(ran.stderr.contains("another program is fetching it"));
    assert_eq!(hub.served(), 0);
    drop(lock);
    Row::of(&download(&place, &hub)).expect("completed", "");
    // What others left long ago of the same content goes; what is new may be in use.
    let blobs = repository(&place).join("blobs");
    let old = File::create(blobs.join(format!("{digest}.0a1b2c3d.incomplete"))).unwrap();
    old.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    let new = blobs.join(format!("{digest}.4e5f6a7b.incomplete"));
    File::create(&new).unwrap();
    fs::remove_dir_all(repository(&place).join("snapshots")).unwrap();
    Row::of(&download(&place, &hub)).expect("completed", "");
    let left: Vec<_> = fs::read_dir(&blobs).unwrap().flatten().collect();
    assert!(new.exists() && left.len() == 2, "{left:?}");
}

/// A small file system that is gone when this value is.
struct SmallDisk<'a>(&'a std::path::Path);

impl<'a> SmallDisk<'a> {
    /// Mounts one; `None` where that is not allowed.
    fn mount(at: &'a std::path::Path, bytes: u64) -> Option<Self> {
        let options = std::ffi::CString::new(format!("size={bytes}")).unwrap();
        fs::create_dir_all(at).unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", options.to_str().unwrap(), "tmpfs"])
            .arg(at)
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then_some(Self(at))
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount")
            .arg("-l")
            .arg(self.0)
            .status();
    }
}

#[test]
fn a_disk_without_room_is_told_before_and_in_the_middle() {
    let hub = Hub::with(&[("m.bin", weights(8 << 20, 1))]);
    let place = place_of(&hub, QUICK);
    let hub_cache = cache(&place);
    let Some(disk) = SmallDisk::mount(&hub_cache, 36 << 20) else {
        eprintln!("no file system can be mounted here");
        return;
    };
    // Eight megabytes would fit, but not with what is kept free.
    Row::of(&download(&place, &hub)).expect("failed", "no room: 8.4 MB are to come");
    assert_eq!(hub.served(), 0);
    drop(disk);
    let _larger = SmallDisk::mount(&hub_cache, 64 << 20).unwrap();
    let filler = hub_cache.join("filler");
    let target = filler.clone();
    hub.when_served(2 << 20, move || {
        let mut file = File::create(target).unwrap();
        while std::io::Write::write_all(&mut file, &vec![1; 1 << 16]).is_ok() {}
    });
    Row::of(&download(&place, &hub)).expect("failed", "the disk is full");
    nothing_is_wrong(&place);
    let served = hub.served();
    fs::remove_file(filler).unwrap();
    Row::of(&download(&place, &hub)).expect("completed", "");
    everything_is_here(&place, &hub);
    assert!(
        hub.served() - served < 8 << 20,
        "it did not go on where it ended"
    );
}

#[test]
fn a_runner_that_is_told_to_stop_keeps_what_it_has() {
    let hub = Hub::with(&[("m.bin", weights(3_000_000, 1))]);
    let place = place_of(&hub, "");
    hub.fail(At::Bytes, Fault::Stall(1_000_000), 1);
    let child = command_of(&place, &hub)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let digest = hub.content("m.bin").sha256;
    let partial = repository(&place)
        .join("blobs")
        .join(format!("{digest}.incomplete"));
    eventually("a megabyte is here", || {
        fs::metadata(&partial).is_ok_and(|found| found.len() == 1_000_000)
    });
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap()).expect_status(130);
    Row::of(&ran).expect("cancelled", "");
    Row::of(&download(&place, &hub)).expect("completed", "");
    assert_eq!(hub.served(), 3_000_000);
}
