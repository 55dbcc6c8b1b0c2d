//! A runner for one shim: hands over the descriptors, reads the reports, looks for survivors.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use command_fds::{CommandFdExt, FdMapping};
use serde_json::Value;

use super::hostile;
use super::lines::Lines;
use super::processes::{MARKER, kill, living};
use super::users::User;

/// Longest time that anything here may take on a machine under load.
pub const LIMIT: Duration = Duration::from_secs(30);

/// What to start under the shim, and how.
pub struct Launch {
    options: Vec<String>,
    wrapper: Vec<OsString>,
    command: Vec<OsString>,
    behaviour: Option<&'static str>,
    extra: Vec<(i32, OwnedFd)>,
    one_socket: bool,
    control: Option<OwnedFd>,
    user: User,
    variables: Vec<(&'static str, String)>,
    before_exec: Option<fn() -> std::io::Result<()>>,
}

impl Launch {
    /// A command line.
    pub fn command<S: AsRef<OsStr>>(command: impl IntoIterator<Item = S>) -> Self {
        Self {
            options: Vec::new(),
            wrapper: Vec::new(),
            command: command
                .into_iter()
                .map(|word| word.as_ref().to_owned())
                .collect(),
            behaviour: None,
            extra: Vec::new(),
            one_socket: false,
            control: None,
            user: User::Own,
            variables: Vec::new(),
            before_exec: None,
        }
    }

    /// A script for `sh`.
    pub fn script(text: &str) -> Self {
        Self::command(["sh", "-c", text])
    }

    /// One of the behaviours of `hostile`.
    pub fn hostile(behaviour: &'static str) -> Self {
        Self {
            behaviour: Some(behaviour),
            ..Self::command::<&str>([])
        }
    }

    pub fn options(mut self, options: &[&str]) -> Self {
        self.options.extend(options.iter().map(ToString::to_string));
        self
    }

    pub fn user(mut self, user: User) -> Self {
        self.user = user;
        self
    }

    /// Sets a variable of the environment.
    pub fn variable(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    /// Starts the shim by way of a script for `sh` that ends in `exec "$0" "$@"`.
    pub fn through(mut self, script: &str) -> Self {
        self.wrapper = ["sh", "-c", script].map(OsString::from).to_vec();
        self
    }

    /// Hands one more descriptor over.
    pub fn descriptor(mut self, number: i32, descriptor: impl Into<OwnedFd>) -> Self {
        self.extra.push((number, descriptor.into()));
        self
    }

    /// Hands over one socket for control and reports.
    pub fn one_socket(mut self) -> Self {
        self.one_socket = true;
        self.options(&["--report-fd", "0"])
    }

    /// Takes this read end as control pipe.
    pub fn control(mut self, reader: impl Into<OwnedFd>) -> Self {
        self.control = Some(reader.into());
        self
    }

    /// Runs in the shim's process before its program is loaded.
    pub fn before_exec(mut self, function: fn() -> std::io::Result<()>) -> Self {
        self.before_exec = Some(function);
        self
    }

    #[expect(unsafe_code, reason = "`pre_exec` is how a process is prepared")]
    pub fn start(self) -> Shim {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let marker = format!("{}-{count}-", std::process::id());

        let mut words: Vec<OsString> = self.user.prefix().iter().map(OsString::from).collect();
        words.extend(self.wrapper);
        words.extend([env!("CARGO_BIN_EXE_earmark"), "__shim"].map(OsString::from));
        words.extend(self.options.iter().map(OsString::from));
        words.push("--".into());
        if self.behaviour.is_some() {
            words.push(std::env::current_exe().unwrap().into());
            words.extend(hostile::arguments().map(OsString::from));
        }
        words.extend(self.command);

        let mut mappings = Vec::new();
        let (control_of_shim, control, report) = if self.one_socket {
            let (ours, theirs) = UnixStream::pair().unwrap();
            let report = OwnedFd::from(ours.try_clone().unwrap());
            (theirs.into(), Some(Control::Socket(ours)), report)
        } else {
            let (report, report_writer) = std::io::pipe().unwrap();
            mappings.push(FdMapping {
                parent_fd: report_writer.into(),
                child_fd: 4,
            });
            if let Some(reader) = self.control {
                (reader, None, report.into())
            } else {
                let (reader, writer) = std::io::pipe().unwrap();
                (reader.into(), Some(Control::Pipe(writer)), report.into())
            }
        };
        let mut protocol = None;
        if self.options.iter().any(|option| option == "--protocol") {
            let (ours, theirs) = UnixStream::pair().unwrap();
            protocol = Some(ours);
            mappings.push(FdMapping {
                parent_fd: theirs.into(),
                child_fd: 3,
            });
        }
        for (child_fd, parent_fd) in self.extra {
            mappings.push(FdMapping {
                parent_fd,
                child_fd,
            });
        }

        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .env(MARKER, &marker)
            .envs(self.variables)
            .current_dir("/");
        command
            .stdin(control_of_shim)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if !mappings.is_empty() {
            command.fd_mappings(mappings).unwrap();
        }
        if let Some(behaviour) = self.behaviour {
            command.env(hostile::BEHAVIOUR, behaviour);
        }
        if let Some(function) = self.before_exec {
            // SAFETY: the functions given in these tests make system calls only.
            unsafe { std::os::unix::process::CommandExt::pre_exec(&mut command, function) };
        }
        let mut process = command.spawn().unwrap();
        Shim {
            stdout: Lines::new(process.stdout.take().unwrap()),
            stderr: Lines::new(process.stderr.take().unwrap()),
            report: Lines::new(report),
            process,
            control,
            protocol,
            marker,
        }
    }

    /// Starts and waits for the end.
    pub fn finish(self) -> End {
        self.start().finish()
    }
}

/// What control bytes go into.
enum Control {
    Pipe(std::io::PipeWriter),
    Socket(UnixStream),
}

/// A shim that runs.
pub struct Shim {
    process: Child,
    control: Option<Control>,
    pub protocol: Option<UnixStream>,
    pub stdout: Lines,
    pub stderr: Lines,
    pub report: Lines,
    marker: String,
}

/// What is left of a shim that has ended.
pub struct End {
    pub reports: Vec<Value>,
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Shim {
    /// Process id of the shim.
    pub fn pid(&self) -> i32 {
        self.process.id().try_into().unwrap()
    }

    /// Sends control bytes.
    pub fn ask(&mut self, bytes: &str) {
        match self.control.as_mut().unwrap() {
            Control::Pipe(pipe) => pipe.write_all(bytes.as_bytes()).unwrap(),
            Control::Socket(socket) => socket.write_all(bytes.as_bytes()).unwrap(),
        }
    }

    /// Closes the control pipe, or this direction of the socket.
    pub fn let_go(&mut self) {
        if let Some(Control::Socket(socket)) = self.control.take() {
            socket.shutdown(Shutdown::Write).unwrap();
        }
    }

    /// Closes both directions, as the end of the runner does.
    pub fn hang_up(&mut self) {
        if let Some(Control::Socket(socket)) = self.control.take() {
            socket.shutdown(Shutdown::Both).unwrap();
        }
    }

    /// Kills the shim itself.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
    }

    /// Waits for the end of the shim alone.
    pub fn wait(&mut self) {
        self.process.wait().unwrap();
    }

    /// Returns the next report.
    pub fn next_report(&mut self) -> Value {
        serde_json::from_str(&self.report.next().expect("a report")).unwrap()
    }

    /// Reads lines of standard output up to one that ends in `word`.
    pub fn await_output(&mut self, word: &str) {
        while !self
            .stdout
            .next()
            .unwrap_or_else(|| panic!("no {word:?}"))
            .ends_with(word)
        {}
    }

    /// Returns the living processes of this launch, the shim included.
    pub fn living(&self) -> Vec<i32> {
        living(&self.marker)
    }

    /// Waits for the end of the shim; afterwards nothing of the tree may be alive.
    pub fn finish(mut self) -> End {
        let mut reports = Vec::new();
        while let Some(line) = self.report.next() {
            reports.push(serde_json::from_str(&line).unwrap());
        }
        let status = self.process.wait().unwrap();
        let survivors = self.living();
        assert!(
            survivors.is_empty(),
            "alive after the end: {survivors:?}; reports: {reports:?}"
        );
        // Nobody is left to hold the other end.
        let (stdout, stderr) = (self.stdout.rest(), self.stderr.rest());
        End {
            reports,
            status,
            stdout,
            stderr,
        }
    }
}

impl Drop for Shim {
    fn drop(&mut self) {
        // After a failed test only; `finish` has seen to it that there is nobody.
        for pid in self.living() {
            kill(pid);
        }
        let _ = self.process.wait();
    }
}

impl End {
    /// Returns the last report.
    pub fn last(&self) -> &Value {
        self.reports.last().expect("a report")
    }

    pub fn exit_code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Asserts what every tree that was killed on request has in common.
    pub fn assert_killed(&self, ended_by: &str) {
        let last = self.last();
        assert_eq!(last["report"], "ended", "{last}");
        assert_eq!(last["ended_by"], ended_by, "{last}");
        assert_eq!(last["signal"], 9, "{last}");
        assert_eq!(last["exit_code"], Value::Null, "{last}");
        assert_eq!(last["leaked_processes"], 0, "{last}");
        assert!(last["sweeps"].as_u64().unwrap() >= 1, "{last}");
        assert_eq!(self.exit_code(), Some(137), "{:?}", self.status);
    }
}
