//! The connections to a child, turned into inputs of its attempt.

use super::attempt::{Gone, Input};
use super::live::Live;
use super::output::Output;
use super::process::Process;
use super::supervise::{Ended, Task};
use crate::clock::Clock;
use crate::model::{ChildUsage, LeakedProcess, Outcome, ProcessEnd};
use crate::protocol::{Allowance, LineBuffer, Reply, decode};
use crate::shim::{self, Report};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// How long output is still read once all of its writers are gone.
const DRAIN: Duration = Duration::from_millis(200);
/// How long a shim may take to be gone once it was told to, and once more when it was killed.
const REAP: Duration = Duration::from_secs(1);
/// How long a child is looked at between two jobs.
const MOMENT: Duration = Duration::from_millis(5);
/// How long an engine may leave a message unread before it is left to its limit.
const SEND: Duration = Duration::from_secs(1);

/// A child with its connections.
pub(super) struct Child {
    process: Process,
    live: Live,
    room: Vec<u8>,
    lines: LineBuffer,
    allowance: Allowance,
    waiting: VecDeque<Input>,
    reports: LineBuffer,
    output: Output,
    told_lines: Option<LineBuffer>,
    wall: String,
    /// The process id of what the shim started.
    started: Option<i32>,
    cgroup: Option<PathBuf>,
    usage: Option<ChildUsage>,
    leaked: Vec<LeakedProcess>,
    end: ProcessEnd,
    gone: Option<Gone>,
    /// The shim is gone without its last report.
    lost: bool,
    /// The end has been told: nothing more can happen but the passing of time.
    told: bool,
}

/// Where bytes of a child come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Protocol,
    Stderr,
    Stdout,
    Reports,
}

/// How much is read at once.
const ROOM: usize = 16 << 10;

impl Child {
    /// Takes over a started process. With `tells_lines`, whole lines of its error output are told.
    pub(super) fn new(process: Process, live: &Live, task: &Task, tells_lines: bool) -> Self {
        Self {
            process,
            live: live.clone(),
            room: vec![0; ROOM],
            lines: LineBuffer::default(),
            allowance: Allowance::default(),
            waiting: VecDeque::new(),
            reports: LineBuffer::default(),
            output: Output::new(task.log.as_deref(), task.answers),
            told_lines: tells_lines.then(LineBuffer::default),
            wall: String::new(),
            started: None,
            cgroup: None,
            usage: None,
            leaked: Vec::new(),
            end: ProcessEnd::default(),
            gone: None,
            lost: false,
            told: false,
        }
    }

    /// Returns what keeps the child from a network; empty as long as its shim has not told that.
    pub(super) fn wall(&self) -> &str {
        &self.wall
    }

    /// What the child writes from now on is that of another job.
    pub(super) fn log_to(&mut self, log: Option<&Path>) {
        self.output = Output::new(log, false);
    }

    /// Waits a moment between two jobs. Returns whether the child has said nothing and is still there, as
    /// it should be while nothing is asked of it.
    pub(super) async fn is_silent(&mut self) -> bool {
        timeout(MOMENT, self.next()).await.is_err()
    }

    /// Waits for the next thing that happens.
    pub(super) async fn next(&mut self) -> Input {
        loop {
            if let Some(input) = self.waiting.pop_front() {
                return input;
            }
            if self.told {
                std::future::pending::<()>().await;
            }
            let from = self.readable().await;
            self.read(from);
            if let Some(mut gone) = self.gone.take() {
                // The tree is gone; what it said before is still in the pipes.
                self.drain().await;
                gone.stderr_tail = self.output.tail();
                self.waiting.push_back(Input::Gone(gone));
                self.told = true;
            }
        }
    }

    /// Waits until one of the sources can be read. What a child said comes before the news of its
    /// end.
    async fn readable(&mut self) -> Source {
        let process = &self.process;
        let protocol = async {
            match &process.protocol {
                Some(stream) => stream.readable().await.is_ok(),
                None => std::future::pending().await,
            }
        };
        let pipe = async |pipe: &Option<tokio::net::unix::pipe::Receiver>| match pipe {
            Some(pipe) => pipe.readable().await.is_ok(),
            None => std::future::pending().await,
        };
        tokio::select! {
            biased;
            _ = protocol => Source::Protocol,
            _ = pipe(&process.stderr) => Source::Stderr,
            _ = pipe(&process.stdout) => Source::Stdout,
            _ = process.link.readable() => Source::Reports,
        }
    }

    /// Reads what a source has. Returns false if it has nothing at this moment.
    fn read(&mut self, from: Source) -> bool {
        let mut room = std::mem::take(&mut self.room);
        let process = &mut self.process;
        let count = match from {
            Source::Protocol => process
                .protocol
                .as_ref()
                .map(|source| source.try_read(&mut room)),
            Source::Stderr => process
                .stderr
                .as_ref()
                .map(|source| source.try_read(&mut room)),
            Source::Stdout => process
                .stdout
                .as_ref()
                .map(|source| source.try_read(&mut room)),
            Source::Reports => Some(process.link.try_read(&mut room)),
        };
        let heard = match count {
            Some(Err(error)) if error.kind() == std::io::ErrorKind::WouldBlock => false,
            Some(Ok(count)) if count > 0 => {
                match from {
                    Source::Protocol => self.heard(&room[..count]),
                    Source::Stderr => self.complained(&room[..count]),
                    Source::Stdout => self.output.take_stdout(&room[..count]),
                    Source::Reports => self.reported(&room[..count]),
                }
                true
            }
            // The end, or an error, which ends it as well.
            _ => {
                match from {
                    Source::Protocol => self.process.protocol = None,
                    Source::Stderr => self.process.stderr = None,
                    Source::Stdout => self.process.stdout = None,
                    Source::Reports => self.lost(),
                }
                false
            }
        };
        self.room = room;
        heard
    }

    /// The shim is gone without its last word: somebody killed it. What it held together is ended
    /// from here.
    fn lost(&mut self) {
        self.gone = Some(Gone {
            signal: Some(9),
            ..Gone::default()
        });
        self.end.signal = Some(9);
        self.lost = true;
    }

    fn heard(&mut self, bytes: &[u8]) {
        let lines = self.lines.push(bytes).and_then(|lines| {
            let now = self.live.clock.now();
            self.allowance.take(lines.len(), bytes.len(), now)?;
            Ok(lines)
        });
        match lines {
            Ok(lines) => {
                for line in lines {
                    self.waiting.push_back(match decode::<Reply>(&line) {
                        Ok(reply) => Input::Reply(Box::new(reply)),
                        Err(reason) => Input::Garbage(reason),
                    });
                }
            }
            Err(reason) => {
                // Nothing more of it is listened to.
                self.process.protocol = None;
                self.waiting.push_back(Input::Garbage(reason));
            }
        }
    }

    fn complained(&mut self, bytes: &[u8]) {
        self.output.take(bytes);
        let lines = self
            .told_lines
            .as_mut()
            .and_then(|buffer| buffer.push(bytes).ok());
        for line in lines.unwrap_or_default() {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            self.waiting.push_back(Input::Line(line));
        }
    }

    fn reported(&mut self, bytes: &[u8]) {
        let lines = self.reports.push(bytes).unwrap_or_default();
        for report in lines
            .iter()
            .filter_map(|line| serde_json::from_slice::<Report>(line).ok())
        {
            self.take_report(report);
        }
    }

    fn take_report(&mut self, report: Report) {
        let not_started = |reason: String| {
            Some(Gone {
                not_started: Some(reason),
                ..Gone::default()
            })
        };
        match report {
            Report::Started {
                pid, wall, cgroup, ..
            } => {
                self.started = Some(pid);
                self.wall = wall.into_owned();
                self.cgroup = cgroup.map(PathBuf::from);
            }
            Report::SpawnFailed { error, .. } => {
                self.gone = not_started(format!("the program cannot be started: {error}"));
            }
            Report::WallFailed { error } => {
                self.gone = not_started(format!("the network wall does not hold: {error}"));
            }
            Report::Ended {
                exit_code,
                signal,
                wall_seconds,
                cpu_user_seconds,
                cpu_system_seconds,
                peak_rss_bytes,
                peak_anonymous_bytes,
                leaked_processes,
                leaked,
                ..
            } => {
                self.usage = Some(ChildUsage {
                    wall_seconds,
                    cpu_seconds: Some(cpu_user_seconds + cpu_system_seconds),
                    peak_rss_bytes: Some(peak_rss_bytes).filter(|bytes| *bytes > 0),
                    peak_anonymous_bytes,
                    leaked_processes: u32::try_from(leaked_processes).unwrap_or(u32::MAX),
                    network_wall: self.wall.clone(),
                });
                self.leaked = leaked.into_iter().map(named).collect();
                self.end = ProcessEnd { exit_code, signal };
                self.gone = Some(Gone {
                    exit_code,
                    signal,
                    ..Gone::default()
                });
            }
        }
    }

    /// Reads what is left in the pipes, for a bounded time.
    async fn drain(&mut self) {
        let until = Instant::now() + DRAIN;
        for from in [Source::Protocol, Source::Stderr, Source::Stdout] {
            loop {
                let process = &self.process;
                let readable = async {
                    match (from, &process.protocol, &process.stderr, &process.stdout) {
                        (Source::Protocol, Some(stream), ..) => stream.readable().await.is_ok(),
                        (Source::Stderr, _, Some(pipe), _) => pipe.readable().await.is_ok(),
                        (Source::Stdout, _, _, Some(pipe)) => pipe.readable().await.is_ok(),
                        _ => false,
                    }
                };
                if !timeout_at(until, readable).await.unwrap_or(false) {
                    break;
                }
                self.read(from);
            }
        }
    }

    /// Sends bytes over the protocol socket. An engine that does not read is found by its limit.
    /// What it has said until now cannot be the answer.
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        if self.process.protocol.is_some() {
            self.read(Source::Protocol);
        }
        for input in &mut self.waiting {
            if let Input::Reply(reply) = input {
                *input = Input::Unasked(reply.clone());
            }
        }
        if let Some(protocol) = &mut self.process.protocol {
            let _ = timeout(SEND, protocol.write_all(bytes)).await;
        }
    }

    /// Hangs up on the engine, which is left alone until it is told otherwise.
    pub(super) fn hang_up(&mut self) {
        self.process.protocol = None;
    }

    /// Tells the shim something. A shim that is gone needs to be told nothing.
    pub(super) fn control(&mut self, byte: u8) {
        let _ = self.process.link.try_write(&[byte]);
    }

    /// Makes sure that nothing is left, and returns what it came to.
    pub(super) async fn finish(mut self, outcome: Outcome) -> Ended {
        // The end of the link ends whatever may still be there.
        let _ = rustix::net::shutdown(&*self.process.link, rustix::net::Shutdown::Write);
        if !self.is_reaped().await {
            let _ = self.process.shim.kill();
            self.is_reaped().await;
        }
        let mut leaked_count = self
            .usage
            .as_ref()
            .map_or(0, |usage| usage.leaked_processes);
        self.live.remove(self.process.shim.id());
        if self.lost {
            let swept = self.sweep().await;
            leaked_count = u32::try_from(swept.ended).unwrap_or(u32::MAX);
            self.leaked = swept.named.into_iter().map(named).collect();
        }
        Ended {
            outcome,
            process: self.end,
            usage: self.usage.take(),
            stderr_tail: self.output.tail(),
            leaked: std::mem::take(&mut self.leaked),
            leaked_count,
            is_too_long: self.output.is_too_long,
            is_final: false,
            answer: self.output.take_answer(),
        }
    }

    /// Ends what a shim that was killed has left.
    async fn sweep(&self) -> shim::Swept {
        let live = self.live.clone();
        let (main_child, cgroup) = (self.started, self.cgroup.clone());
        tokio::task::spawn_blocking(move || {
            let remains = shim::Remains {
                main_child,
                cgroup: cgroup.as_deref(),
            };
            shim::sweep(&remains, &|pid| live.is_shim(pid))
        })
        .await
        .unwrap_or_default()
    }

    /// Waits until the shim is gone, for a bounded time. It closes its end of the link at its very
    /// end, so there is next to nothing to wait for after that.
    async fn is_reaped(&mut self) -> bool {
        let until = Instant::now() + REAP;
        let mut room = [0; 256];
        let link = &self.process.link;
        let closed = async {
            loop {
                let _ = link.readable().await;
                match link.try_read(&mut room) {
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                    Ok(count) if count > 0 => {}
                    _ => return,
                }
            }
        };
        let _ = timeout_at(until, closed).await;
        let mut pause = Duration::from_micros(100);
        loop {
            match self.process.shim.try_wait() {
                Ok(None) if Instant::now() < until => {
                    sleep(pause).await;
                    pause *= 2;
                }
                Ok(None) => return false,
                // An error means that somebody else has reaped it.
                Ok(Some(_)) | Err(_) => return true,
            }
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.live.remove(self.process.shim.id());
    }
}

fn named(process: shim::LeakedProcess) -> LeakedProcess {
    LeakedProcess {
        pid: process.pid,
        name: process.name,
    }
}
