//! The cluster, and what a run on it left.

use crate::support::{Place, Ran, program};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The longest that a test waits for the cluster.
const LIMIT: Duration = Duration::from_mins(4);

/// The site file of the cluster.
pub const SITE: &str = "version: 1
schedulers:
  slurm:
    shared: true
    poll: 1s
    labels:
      \"label:rack\": {constraint: rack}
      \"gpu:cuda\": {constraint: cuda, gres: \"gpu:1\"}
      \"label:mini\": {constraint: mini}
      \"os:macos\": {constraint: macos}
";

/// A user that is nobody in particular: jobs are handed over as an ordinary user.
const NOBODY: u32 = 65534;

/// The cluster, and a place of its own for a test.
pub struct Lab {
    pub place: Place,
    folder: PathBuf,
}

impl Lab {
    /// Returns the cluster that `make cluster-test` has made, with nothing of another test on it.
    pub fn new() -> Self {
        let folder =
            std::env::var_os("LAB").expect("`make cluster-test` makes a cluster and sets LAB");
        let lab = Self {
            place: Place::new(),
            folder: folder.into(),
        };
        lab.revive();
        lab.place.write("site.yaml", SITE);
        // Nodes run as whoever handed over, who must be able to read and write here.
        open_to_all(lab.place.path());
        lab
    }

    /// Brings up again whatever of the cluster was killed.
    pub fn revive(&self) {
        let script = crate::support::project().join("tests/cluster/slurm-up.sh");
        let made = Command::new(script)
            .env("LAB", &self.folder)
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
    }

    /// Returns a command on the machine that submits.
    fn on_it(&self, command: &mut Command) {
        command
            .current_dir(self.place.path())
            .env("SLURM_CONF", self.folder.join("etc/slurm.conf"))
            .env("EARMARK_HOME", self.place.path().join("home"))
            .env("HF_HOME", self.place.path().join("home/huggingface"))
            .env_remove("EARMARK_LABELS")
            .env_remove("EARMARK_MACHINE")
            .stdin(Stdio::null());
    }

    /// Returns the program with arguments, as an ordinary user.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("setpriv");
        command
            .arg(format!("--reuid={NOBODY}"))
            .arg(format!("--regid={NOBODY}"))
            .arg("--clear-groups")
            .arg(self.program())
            .args(arguments);
        self.on_it(&mut command);
        command
    }

    /// A copy of the program where everyone may reach it.
    pub fn program(&self) -> PathBuf {
        let copy = self.folder.join("earmark");
        let is_new = |copy: &Path| {
            let time = |path: &Path| fs::metadata(path).and_then(|data| data.modified());
            time(copy).is_ok_and(|copied| time(program().as_ref()).is_ok_and(|made| copied >= made))
        };
        if !is_new(&copy) {
            let new = self.folder.join("earmark-new");
            fs::copy(program(), &new).unwrap();
            fs::rename(new, &copy).unwrap();
        }
        copy
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::from(self.command(arguments).output().unwrap())
    }

    /// Starts the program and leaves it running; what it says goes into a file.
    pub fn start(&self, arguments: &[&str], log: &str) -> Child {
        let log = fs::File::create(self.place.path().join(log)).unwrap();
        let mut command = self.command(arguments);
        command.stdout(Stdio::null()).stderr(log).spawn().unwrap()
    }

    /// Runs a command of Slurm's.
    pub fn slurm(&self, words: &[&str]) -> String {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]);
        self.on_it(&mut command);
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{words:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Kills the daemon of a node at once, as a node does that loses its power: nobody hears of it. What ran
    /// on it goes on here, as on a node that was only cut off.
    pub fn kill_node(&self, node: &str) {
        let file = self.folder.join(format!("run/slurmd.{node}.pid"));
        let process = fs::read_to_string(file).unwrap();
        let killed = Command::new("kill")
            .args(["-KILL", process.trim()])
            .status()
            .unwrap();
        assert!(killed.success());
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// Returns what a run came to: for each benchmark its end, its machine and what was heard how often.
    pub fn rows(&self, run: &str) -> BTreeMap<String, Row> {
        let mut rows: BTreeMap<String, Row> = BTreeMap::new();
        for cells in self.place.table(&format!("{run}/results.csv")) {
            rows.insert(
                cells["job_id"].clone(),
                Row {
                    status: cells["status"].clone(),
                    heard: BTreeSet::new(),
                },
            );
        }
        for cells in self.place.table(&format!("{run}/samples.csv")) {
            let heard =
                ["utterance", "launch", "trial", "hypothesis"].map(|name| cells[name].clone());
            rows.get_mut(&cells["job_id"])
                .unwrap()
                .heard
                .insert(heard.join("|"));
        }
        rows
    }

    /// Returns the events of a journal, as JSON.
    pub fn events(&self, journal: &str) -> Vec<serde_json::Value> {
        let text = fs::read_to_string(self.path(journal)).unwrap_or_default();
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// Returns the node of a journal.
    pub fn host(&self, journal: &str) -> String {
        let events = self.events(journal);
        let host = events
            .iter()
            .find_map(|event| event.pointer("/machine/host")?.as_str());
        host.unwrap().to_owned()
    }

    /// Returns for each benchmark of a run the nodes that it began on.
    pub fn nodes(&self, run: &str) -> BTreeMap<String, BTreeSet<String>> {
        let mut nodes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut host = String::new();
        for event in self.events(&format!("{run}/journal.jsonl")) {
            if let Some(machine) = event
                .pointer("/machine/host")
                .and_then(serde_json::Value::as_str)
            {
                machine.clone_into(&mut host);
            }
            let is_start = event["event"] == "attempt-started" && event["kind"] == "benchmark";
            if let Some(job) = event["job"].as_str().filter(|_| is_start) {
                nodes
                    .entry(job.to_owned())
                    .or_default()
                    .insert(host.clone());
            }
        }
        nodes
    }
}

/// What became of a benchmark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub status: String,
    pub heard: BTreeSet<String>,
}

fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
}

/// Waits for something on the cluster.
#[track_caller]
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < LIMIT, "not within {LIMIT:?}: {what}");
        let moment = rustix::event::Timespec {
            tv_sec: 0,
            tv_nsec: 100_000_000,
        };
        rustix::event::poll(&mut [], Some(&moment)).unwrap();
    }
}

/// A matrix of the fake engine with so many rows for each of some requirements.
pub fn matrix(requires: &str, rows: u32, rest: &str) -> String {
    format!(
        "version: 1\nname: lab\nmatrix:\n  backend: [fake]\n  model: [m]\n  audio: [arctic-a0007]\n  \
         verify-method: [cache-check]\n  requires: {requires}\n  beam-size: [{}]\nsettings: {{warmup: 0, \
         repeat: 1, {rest}}}\ndeadlines: {{start: 20s, load: 20s, benchmark: {{floor: 3s, \
         per-audio-second: 0s}}, grace: 1s}}\n",
        (1..=rows)
            .map(|row| row.to_string())
            .collect::<Vec<_>>()
            .join(", ")
    )
}
