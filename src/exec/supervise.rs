//! Driving one attempt over one process: bytes and time in, bytes and signals out.

use super::attempt::{Attempt, Effect, Gone, Input};
use super::process::{Process, spawn};
use crate::clock::{Clock, SystemClock};
use crate::engine::LaunchSpec;
use crate::model::{ChildUsage, Outcome};
use crate::protocol::{LineBuffer, Reply, decode, encode};
use crate::shim::Report;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

/// How long output is still read once all of its writers are gone.
const DRAIN: Duration = Duration::from_millis(200);
/// How long a shim that was killed may take to be seen gone.
const REAP: Duration = Duration::from_secs(1);
/// How much of a child's output is kept in the log.
const LOG_LIMIT: usize = 1 << 20;
/// How much of its end is kept in the record.
const TAIL_LIMIT: usize = 4 << 10;

/// What one attempt needs beside its state machine.
pub(super) struct Task {
    /// This program, which is also the shim.
    pub(super) shim_program: PathBuf,
    /// How the child is started.
    pub(super) launch: LaunchSpec,
    /// Where it is started.
    pub(super) directory: Option<PathBuf>,
    /// The shim's own limit: later than anything the runner would allow.
    pub(super) backstop: Duration,
    /// Where its output is kept.
    pub(super) log: Option<PathBuf>,
}

/// What an attempt came to.
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    pub(super) usage: Option<ChildUsage>,
    pub(super) stderr_tail: String,
}

/// Runs an attempt of an engine to its end. Accepted replies go out through `accepted`, with the
/// runner's own time since the request before them.
pub(super) async fn supervise(
    task: Task,
    attempt: impl FnOnce(Duration) -> Attempt,
    accepted: mpsc::UnboundedSender<(Reply, Duration)>,
    cancel: watch::Receiver<Option<String>>,
) -> Ended {
    let clock = SystemClock::default();
    let epoch = Instant::now();
    // The first reply is timed from before the spawn: that is what a start is.
    let mut request_sent = clock.now();
    let mut attempt = attempt(request_sent);
    let process = match spawn(
        &task.shim_program,
        &task.launch,
        task.directory.as_deref(),
        task.backstop,
    ) {
        Ok(process) => process,
        Err(error) => {
            let reason = Some(error.to_string());
            let gone = Gone {
                not_started: reason,
                ..Gone::default()
            };
            return Ended {
                outcome: finish_of(attempt.on(Input::Gone(gone), clock.now())),
                usage: None,
                stderr_tail: String::new(),
            };
        }
    };
    let mut child = Child::new(process, task.log.as_deref());
    let mut cancel = Cancel(cancel);
    loop {
        let wakes_at = attempt
            .wakes_at()
            .map_or_else(Instant::now, |at| epoch + at);
        let input = tokio::select! {
            biased;
            reason = cancel.wait() => Input::Cancel(reason),
            input = child.next() => input,
            () = sleep_until(wakes_at) => Input::Tick,
        };
        let now = clock.now();
        for effect in attempt.on(input, now) {
            match effect {
                Effect::Send(request) => {
                    request_sent = clock.now();
                    child.send(&encode(&request)).await;
                }
                Effect::Terminate => child.control(b"T").await,
                Effect::Kill => child.control(b"K").await,
                Effect::Accept(reply) => {
                    // If nobody listens any more, the dispatcher is ending the run.
                    let _ = accepted.send((*reply, now.saturating_sub(request_sent)));
                }
                Effect::Finish(outcome) => return child.finish(outcome).await,
            }
        }
    }
}

fn finish_of(effects: Vec<Effect>) -> Outcome {
    effects
        .into_iter()
        .find_map(|effect| match effect {
            Effect::Finish(outcome) => Some(outcome),
            _ => None,
        })
        .unwrap_or(Outcome::Completed)
}

/// A wish to cancel, told once.
pub(super) struct Cancel(pub(super) watch::Receiver<Option<String>>);

impl Cancel {
    /// Waits for the next wish. A second wish comes through again: it ends things at once.
    pub(super) async fn wait(&mut self) -> String {
        loop {
            if self.0.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            if let Some(reason) = self.0.borrow_and_update().clone() {
                return reason;
            }
        }
    }
}

/// The connections to a child, turned into inputs.
pub(super) struct Child {
    process: Process,
    buffers: Buffers,
    lines: LineBuffer,
    waiting: VecDeque<Input>,
    reports: LineBuffer,
    output: Output,
    wall: String,
    usage: Option<ChildUsage>,
    gone: Option<Gone>,
    told: bool,
    told_lines: Option<LineBuffer>,
}

impl Child {
    pub(super) fn new(process: Process, log: Option<&Path>) -> Self {
        Self {
            process,
            buffers: Buffers::default(),
            lines: LineBuffer::default(),
            waiting: VecDeque::new(),
            reports: LineBuffer::default(),
            output: Output::new(log),
            wall: String::new(),
            usage: None,
            gone: None,
            told: false,
            told_lines: None,
        }
    }

    /// Waits for the next thing that happens.
    pub(super) async fn next(&mut self) -> Input {
        loop {
            if let Some(input) = self.waiting.pop_front() {
                return input;
            }
            if self.told {
                // Nothing more can happen but the passing of time.
                std::future::pending::<()>().await;
            }
            let process = &mut self.process;
            let buffers = &mut self.buffers;
            let (from, count) = tokio::select! {
                count = read_some(process.protocol.as_mut(), &mut buffers.protocol) => {
                    (Source::Protocol, count)
                }
                count = read_some(process.stderr.as_mut(), &mut buffers.stderr) => {
                    (Source::Stderr, count)
                }
                count = read_some(process.stdout.as_mut(), &mut buffers.stdout) => {
                    (Source::Stdout, count)
                }
                count = read_some(Some(&mut process.reports), &mut buffers.reports) => {
                    (Source::Reports, count)
                }
            };
            self.arrived(from, count);
            if let Some(mut gone) = self.gone.take() {
                // The tree is gone; what it said before is still in the pipes.
                self.drain().await;
                gone.stderr_tail = self.output.tail();
                self.waiting.push_back(Input::Gone(gone));
                self.told = true;
            }
        }
    }

    /// Takes what was read; nothing read is the end of a source.
    fn arrived(&mut self, from: Source, count: usize) {
        let bytes = self.buffers.of(from)[..count].to_vec();
        match (from, count) {
            (Source::Protocol, 0) => self.process.protocol = None,
            (Source::Stderr, 0) => self.process.stderr = None,
            (Source::Stdout, 0) => self.process.stdout = None,
            // The shim is gone without its last word: it was killed.
            (Source::Reports, 0) => {
                self.gone = Some(Gone {
                    signal: Some(9),
                    ..Gone::default()
                });
            }
            (Source::Protocol, _) => self.heard(&bytes),
            (Source::Stderr, _) => self.complained(&bytes),
            (Source::Stdout, _) => self.output.take(&bytes),
            (Source::Reports, _) => self.reported(&bytes),
        }
    }

    fn heard(&mut self, bytes: &[u8]) {
        match self.lines.push(bytes) {
            Ok(lines) => {
                for line in lines {
                    self.waiting.push_back(match decode::<Reply>(&line) {
                        Ok(reply) => Input::Reply(Box::new(reply)),
                        Err(reason) => Input::Garbage(reason),
                    });
                }
            }
            Err(reason) => {
                self.process.protocol = None;
                self.waiting.push_back(Input::Garbage(reason));
            }
        }
    }

    fn reported(&mut self, bytes: &[u8]) {
        let lines = self.reports.push(bytes).unwrap_or_default();
        for report in lines
            .iter()
            .filter_map(|line| serde_json::from_slice::<Report>(line).ok())
        {
            match report {
                Report::Started { wall, .. } => self.wall = wall.into_owned(),
                Report::SpawnFailed { error, .. } => {
                    self.gone = Some(Gone {
                        not_started: Some(format!("the program cannot be started: {error}")),
                        ..Gone::default()
                    });
                }
                Report::WallFailed { error } => {
                    self.gone = Some(Gone {
                        not_started: Some(format!("the network wall does not hold: {error}")),
                        ..Gone::default()
                    });
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
                    ..
                } => {
                    self.usage = Some(ChildUsage {
                        wall_seconds,
                        cpu_seconds: cpu_user_seconds + cpu_system_seconds,
                        peak_rss_bytes: Some(peak_rss_bytes).filter(|bytes| *bytes > 0),
                        peak_anonymous_bytes,
                        leaked_processes: u32::try_from(leaked_processes).unwrap_or(u32::MAX),
                        network_wall: self.wall.clone(),
                    });
                    self.gone = Some(Gone {
                        exit_code,
                        signal,
                        ..Gone::default()
                    });
                }
            }
        }
    }

    /// Reads what is left in the pipes, for a bounded time.
    async fn drain(&mut self) {
        let until = Instant::now() + DRAIN;
        for from in [Source::Protocol, Source::Stderr, Source::Stdout] {
            while self.is_open(from) {
                let process = &mut self.process;
                let buffers = &mut self.buffers;
                let read = async {
                    match from {
                        Source::Protocol => {
                            read_some(process.protocol.as_mut(), &mut buffers.protocol).await
                        }
                        Source::Stderr => {
                            read_some(process.stderr.as_mut(), &mut buffers.stderr).await
                        }
                        Source::Stdout => {
                            read_some(process.stdout.as_mut(), &mut buffers.stdout).await
                        }
                        Source::Reports => 0,
                    }
                };
                let count = timeout_at(until, read).await.unwrap_or(0);
                self.arrived(from, count);
            }
        }
    }

    fn is_open(&self, from: Source) -> bool {
        match from {
            Source::Protocol => self.process.protocol.is_some(),
            Source::Stderr => self.process.stderr.is_some(),
            Source::Stdout => self.process.stdout.is_some(),
            Source::Reports => true,
        }
    }

    /// From now on every whole line of the child's error output is told, as
    /// [`Input::Line`]: for children that do not speak the protocol.
    pub(super) fn tell_lines(&mut self) {
        self.told_lines = Some(LineBuffer::default());
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

    /// Sends bytes over the protocol socket. An engine that does not read is found by its limit.
    async fn send(&mut self, bytes: &[u8]) {
        if let Some(protocol) = &mut self.process.protocol {
            let _ = timeout(Duration::from_secs(1), protocol.write_all(bytes)).await;
        }
    }

    /// Tells the shim something.
    pub(super) async fn control(&mut self, byte: &[u8]) {
        if let Some(control) = &mut self.process.control {
            let _ = control.write_all(byte).await;
        }
    }

    /// Makes sure that nothing is left, and returns what it came to.
    pub(super) async fn finish(mut self, outcome: Outcome) -> Ended {
        // The end of the control pipe ends whatever may still be there.
        self.process.control = None;
        if timeout(REAP, self.process.shim.wait()).await.is_err() {
            let _ = self.process.shim.start_kill();
            let _ = timeout(REAP, self.process.shim.wait()).await;
        }
        Ended {
            outcome,
            usage: self.usage,
            stderr_tail: self.output.tail(),
        }
    }
}

/// Where bytes of a child come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Protocol,
    Stderr,
    Stdout,
    Reports,
}

/// Room for what is read, one for each source, because all are waited for at once.
struct Buffers {
    protocol: Vec<u8>,
    stderr: Vec<u8>,
    stdout: Vec<u8>,
    reports: Vec<u8>,
}

impl Default for Buffers {
    fn default() -> Self {
        let room = || vec![0; 16 << 10];
        Self {
            protocol: room(),
            stderr: room(),
            stdout: room(),
            reports: room(),
        }
    }
}

impl Buffers {
    fn of(&self, from: Source) -> &[u8] {
        match from {
            Source::Protocol => &self.protocol,
            Source::Stderr => &self.stderr,
            Source::Stdout => &self.stdout,
            Source::Reports => &self.reports,
        }
    }
}

/// Reads some bytes; 0 at the end or on an error; never returns without a reader.
async fn read_some<R: AsyncRead + Unpin>(reader: Option<&mut R>, bytes: &mut [u8]) -> usize {
    match reader {
        Some(reader) => reader.read(bytes).await.unwrap_or(0),
        None => std::future::pending().await,
    }
}

/// A child's output: a bounded log and a bounded tail.
struct Output {
    log: Option<std::fs::File>,
    logged: usize,
    tail: Vec<u8>,
}

impl Output {
    fn new(log: Option<&Path>) -> Self {
        let open = |path: &Path| {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).ok()?;
            }
            std::fs::File::options()
                .create(true)
                .append(true)
                .open(path)
                .ok()
        };
        Self {
            log: log.and_then(open),
            logged: 0,
            tail: Vec::new(),
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        use std::io::Write;
        let room = LOG_LIMIT.saturating_sub(self.logged).min(bytes.len());
        if let Some(log) = &mut self.log {
            // A full disk costs the log, never the run.
            let _ = log.write_all(&bytes[..room]);
        }
        self.logged += room;
        self.tail.extend_from_slice(bytes);
        if self.tail.len() > 2 * TAIL_LIMIT {
            self.tail.drain(..self.tail.len() - TAIL_LIMIT);
        }
    }

    fn tail(&self) -> String {
        let start = self.tail.len().saturating_sub(TAIL_LIMIT);
        String::from_utf8_lossy(&self.tail[start..]).into_owned()
    }
}
