//! Installing with tools that are stand-ins: what they are asked, and what stays when they fail.

use super::{engines, on_this_machine, program, row};
use crate::support::{Place, Ran, eventually};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A Python outside: tells a version, and makes an environment whose Python is `inner`.
const OUTER: &str = r#"#!/bin/sh
case "$*" in
*"-m venv "*)
    for last; do :; done
    mkdir -p "$last/bin"
    cp "HERE/inner" "$last/bin/python"
    ;;
*) echo 3.11 ;;
esac
"#;

/// A Python inside: installs as the file `mode` says, and tells what it holds.
const INNER: &str = r#"#!/bin/sh
case "$*" in
*"-m pip "*)
    echo "$*" >>"HERE/asked"
    echo "Collecting moonshine-voice==0.0.73 (from -r lock.txt (line 3))"
    read mode <"HERE/mode"
    case $mode in
    fail) echo "ERROR: hashes do not match" >&2; exit 1 ;;
    hang) echo >"HERE/started"; read forever <"HERE/pipe" ;;
    wait) echo >"HERE/started"; read go <"HERE/pipe" ;;
    esac
    ;;
*) echo '{"python": "3.11.7", "distributions": {"moonshine-voice": "VERSION"}}' ;;
esac
"#;

/// A place whose PATH has stand-ins and nothing else that could make an environment.
struct Workshop {
    place: Place,
    bin: PathBuf,
}

impl Workshop {
    fn new(mode: &str) -> Self {
        let place = Place::new();
        let bin = place.path().join("bin");
        fs::create_dir(&bin).unwrap();
        for tool in ["sh", "mkdir", "cp"] {
            symlink(on_this_machine(tool), bin.join(tool)).unwrap();
        }
        let pipe = place.path().join("pipe");
        let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let workshop = Self { place, bin };
        workshop.put("bin/python3", OUTER);
        workshop.put("inner", &INNER.replace("VERSION", "0.0.73"));
        workshop.place.write("mode", &format!("{mode}\n"));
        workshop
    }

    fn put(&self, name: &str, text: &str) {
        let here = self.place.path().display().to_string();
        program(&self.place.path().join(name), &text.replace("HERE", &here));
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut all = vec!["engines", "install"];
        all.extend(arguments);
        let mut command = self.place.command(&all);
        command.env("PATH", &self.bin);
        command
    }

    fn install(&self, arguments: &[&str]) -> Ran {
        Ran::from(self.command(arguments).output().unwrap())
    }

    fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Returns what lies in the folder of engines, but for locks, which mean nothing.
    fn left(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(engines(&self.place))
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.ends_with(".lock"))
            .collect();
        names.sort();
        names
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.place.path().join(name)).unwrap_or_default()
    }
}

#[test]
fn an_installation_is_whole_recorded_and_done_once() {
    let workshop = Workshop::new("ok");
    let ran = workshop.install(&["moonshine"]).expect_status(0);
    assert!(
        ran.stdout.contains("moonshine: installed;"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("moonshine-voice 0.0.73"));
    assert!(
        ran.stderr.contains("fetching moonshine-voice==0.0.73"),
        "{}",
        ran.stderr
    );
    let asked = workshop.read("asked");
    assert!(asked.contains("--require-hashes --no-deps"), "{asked}");
    let record = fs::read_to_string(engines(&workshop.place).join("moonshine/installed.json"));
    let record: serde_json::Value = serde_json::from_str(&record.unwrap()).unwrap();
    assert_eq!(record["distributions"]["moonshine-voice"], "0.0.73");
    assert_eq!(row(&workshop.place, "moonshine")["state"], "ready");
    let again = workshop.install(&["moonshine"]).expect_status(0);
    assert!(again.stdout.contains("already there"), "{}", again.stdout);
    assert_eq!(workshop.read("asked").lines().count(), 1);
    let left = workshop.left();
    assert_eq!(left.len(), 2, "{left:?}");
    let removed = workshop.place.run(&["engines", "remove", "moonshine"]);
    assert_eq!(removed.expect_status(0).stdout, "moonshine: removed\n");
    assert_eq!(row(&workshop.place, "moonshine")["state"], "installable");
}

#[test]
fn a_failure_shows_the_tools_words_and_leaves_nothing() {
    let workshop = Workshop::new("fail");
    let ran = workshop.install(&["moonshine"]).expect_status(3);
    assert!(
        ran.stderr.contains("pip ended with status 1"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("ERROR: hashes do not match"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("help: nothing was changed"),
        "{}",
        ran.stderr
    );
    assert_eq!(workshop.left(), [""; 0]);
    assert_eq!(row(&workshop.place, "moonshine")["state"], "installable");
}

#[test]
fn what_holds_another_version_than_the_lock_is_not_installed() {
    let workshop = Workshop::new("ok");
    workshop.put("inner", &INNER.replace("VERSION", "0.1.5"));
    let ran = workshop.install(&["moonshine"]).expect_status(3);
    assert!(ran.stderr.contains("0.1.5"), "{}", ran.stderr);
    assert_eq!(workshop.left(), [""; 0]);
}

#[test]
fn a_tool_that_hangs_is_ended_at_the_deadline() {
    let workshop = Workshop::new("hang");
    let arguments = ["moonshine", "--deadline", "2s"];
    let ran = workshop.install(&arguments).expect_status(3);
    assert!(ran.stderr.contains("within the 2s"), "{}", ran.stderr);
    assert_eq!(workshop.left(), [""; 0]);
}

#[test]
fn an_interrupt_leaves_nothing_behind() {
    let workshop = Workshop::new("hang");
    let child = workshop.start(&["moonshine"]);
    let started = workshop.place.path().join("started");
    eventually("pip is at work", || started.exists());
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap()).expect_status(130);
    assert!(
        ran.stderr.contains("interrupted; nothing"),
        "{}",
        ran.stderr
    );
    assert_eq!(workshop.left(), [""; 0]);
}

#[test]
fn two_installers_do_it_once() {
    let workshop = Workshop::new("wait");
    let first = workshop.start(&["moonshine"]);
    let started = workshop.place.path().join("started");
    eventually("pip is at work", || started.exists());
    let mut second = workshop.start(&["moonshine"]);
    let mut line = String::new();
    let mut errors = std::io::BufReader::new(second.stderr.take().unwrap());
    std::io::BufRead::read_line(&mut errors, &mut line).unwrap();
    assert!(line.contains("another program is installing it"), "{line}");
    fs::write(workshop.place.path().join("pipe"), "go\n").unwrap();
    let first = Ran::from(first.wait_with_output().unwrap()).expect_status(0);
    let second = Ran::from(second.wait_with_output().unwrap()).expect_status(0);
    assert!(first.stdout.contains("installed;"));
    assert!(second.stdout.contains("already there"), "{}", second.stdout);
    assert_eq!(workshop.read("asked").lines().count(), 1);
}

#[test]
fn uv_is_preferred_where_it_is() {
    let workshop = Workshop::new("ok");
    workshop.put(
        "bin/uv",
        "#!/bin/sh\necho \"$*\" >>HERE/uv-asked\nfor last; do :; done\ncase \"$1\" in\nvenv) \
         mkdir -p \"$last/bin\"; cp HERE/inner \"$last/bin/python\" ;;\n*) echo ' + \
         moonshine-voice==0.0.73' >&2 ;;\nesac\n",
    );
    let ran = workshop.install(&["moonshine"]).expect_status(0);
    assert!(
        ran.stderr.contains("installed moonshine-voice==0.0.73"),
        "{}",
        ran.stderr
    );
    let asked = workshop.read("uv-asked");
    let lines: Vec<&str> = asked.lines().collect();
    assert!(
        lines[0].starts_with("venv ") && lines[1].starts_with("pip install "),
        "{asked}"
    );
    assert!(lines[1].contains("--require-hashes --no-deps"), "{asked}");
    assert_eq!(workshop.read("asked"), "");
}

#[test]
fn names_are_looked_at_before_anything_is_started() {
    let workshop = Workshop::new("ok");
    for (name, words) in [
        ("mooonshine", "did you mean `moonshine`?"),
        ("whisper-cpp", "is built in"),
        #[cfg(target_os = "linux")]
        ("whisperkit", "it runs on macOS only"),
    ] {
        let ran = workshop.install(&["moonshine", name]).expect_status(2);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
    assert_eq!(workshop.left(), [""; 0]);
    let ran = workshop.install(&["openai-http"]).expect_status(0);
    assert!(
        ran.stderr.contains("nothing has to be installed"),
        "{}",
        ran.stderr
    );
}

#[test]
fn without_a_python_that_will_do_it_says_what_to_install() {
    let workshop = Workshop::new("ok");
    workshop.put("bin/python3", "#!/bin/sh\necho 3.9\n");
    let ran = workshop.install(&["moonshine"]).expect_status(3);
    assert!(
        ran.stderr.contains("no Python on PATH is 3.11 or newer"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("install Python 3.11"), "{}", ran.stderr);
}
