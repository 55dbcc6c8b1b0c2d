//! The shim's life: raise the wall, start the child, watch, end everything, report.

use super::accounting::{Memory, reaped_usage};
use super::arguments::Arguments;
use super::report::{EndedBy, Report};
use super::{tree, wall};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, set_child_subreaper, setsid, waitid,
};
use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// The shim's own statuses: the command line was wrong, or the wall did not hold.
const STATUS_REFUSED: u8 = 125;
/// The child's program could not be started.
const STATUS_NOT_STARTED: u8 = 126;
/// The tree was ended by force.
const STATUS_KILLED: u8 = 137;

/// Runs a shim with the arguments that follow the verb.
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::parse(arguments) {
        Ok(arguments) => arguments,
        Err(reason) => {
            let _ = writeln!(std::io::stderr(), "shim: {reason}");
            return ExitCode::from(STATUS_REFUSED);
        }
    };
    let Some(mut reports) = take_report_pipe() else {
        let _ = writeln!(
            std::io::stderr(),
            "shim: it is started by the runner, not by hand"
        );
        return ExitCode::from(STATUS_REFUSED);
    };
    if arguments.wall
        && let Err(error) = wall::raise()
    {
        tell(&mut reports, &Report::WallFailed { error });
        return ExitCode::from(STATUS_REFUSED);
    }
    match start(&arguments) {
        Ok((pid, pidfd)) => {
            let wall = if arguments.wall { wall::NAME } else { "none" };
            let started = Report::Started {
                pid: pid.as_raw_nonzero().get(),
                wall: wall.into(),
            };
            tell(&mut reports, &started);
            Watch::new(&arguments, pid).run(&pidfd, &mut reports)
        }
        Err(error) => {
            tell(
                &mut reports,
                &Report::SpawnFailed {
                    error: error.to_string(),
                },
            );
            ExitCode::from(STATUS_NOT_STARTED)
        }
    }
}

/// Takes descriptor 4 and keeps it from the child.
fn take_report_pipe() -> Option<File> {
    const REPORTS: i32 = 4;
    #[expect(unsafe_code, reason = "an inherited descriptor has no owner yet")]
    // SAFETY: the runner opened this descriptor for us and nothing else in this process, which has
    // only just started, knows of it. If it is not open, the next call says so and it is forgotten.
    let pipe = unsafe { OwnedFd::from_raw_fd(REPORTS) };
    if rustix::io::fcntl_setfd(&pipe, rustix::io::FdFlags::CLOEXEC).is_err() {
        // Not open: dropping it would close a descriptor that is not there.
        std::mem::forget(pipe);
        return None;
    }
    Some(File::from(pipe))
}

/// A report that cannot be told is told to nobody: the runner is gone, and the control pipe says so.
fn tell(reports: &mut File, report: &Report) {
    if let Ok(mut line) = serde_json::to_vec(report) {
        line.push(b'\n');
        let _ = reports.write_all(&line);
    }
}

/// Starts the child with default signals and only the descriptors that are meant for it.
fn start(arguments: &Arguments) -> std::io::Result<(Pid, OwnedFd)> {
    set_child_subreaper(Some(rustix::process::getpid()))?;
    // A signal from the terminal is the runner's business: it tells this process what to do.
    let _ = setsid();
    ignore_signals();
    let (program, rest) = arguments
        .command
        .split_first()
        .ok_or(std::io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command.args(rest).stdin(Stdio::null());
    if arguments.protocol {
        command.env("EARMARK_PROTOCOL_FD", "3");
    }
    let protocol = arguments.protocol;
    #[expect(
        unsafe_code,
        reason = "what a child inherits is set between fork and exec"
    )]
    // SAFETY: only async-signal-safe system calls are made, and nothing is allocated.
    unsafe {
        command.pre_exec(move || prepare_child(protocol));
    }
    let child = command.spawn()?;
    let pid = Pid::from_child(&child);
    let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
    release_output(arguments.protocol);
    Ok((pid, pidfd))
}

fn ignore_signals() {
    for signal in [
        libc::SIGTERM,
        libc::SIGINT,
        libc::SIGHUP,
        libc::SIGQUIT,
        libc::SIGPIPE,
    ] {
        #[expect(unsafe_code, reason = "no safe wrapper ignores a signal")]
        // SAFETY: ignoring a signal installs no handler.
        unsafe {
            libc::signal(signal, libc::SIG_IGN);
        }
    }
}

/// Runs in the child, between fork and exec.
fn prepare_child(protocol: bool) -> std::io::Result<()> {
    #[expect(unsafe_code, reason = "no safe wrapper exists for these")]
    // SAFETY: these calls take no memory of ours but the local set, and are async-signal-safe.
    unsafe {
        for signal in 1..libc::SIGRTMAX() {
            if signal != libc::SIGKILL && signal != libc::SIGSTOP {
                libc::signal(signal, libc::SIG_DFL);
            }
        }
        let mut none = std::mem::MaybeUninit::<libc::sigset_t>::zeroed();
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut());
        // A killed shim takes the child along. The thread that forked is the shim's only one.
        #[cfg(target_os = "linux")]
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        // Everything above what is meant for the child is closed on exec, not now: the pipe over
        // which a failed exec is told must stay open until then.
        let first: libc::c_uint = if protocol { 4 } else { 3 };
        #[cfg(target_os = "linux")]
        libc::close_range(first, libc::c_uint::MAX, 4 /* CLOSE_RANGE_CLOEXEC */);
    }
    Ok(())
}

/// Lets go of the child's output, so that its readers see when the tree has closed it.
fn release_output(protocol: bool) {
    let Ok(null) = File::options().read(true).write(true).open("/dev/null") else {
        return;
    };
    let _ = rustix::stdio::dup2_stdout(&null);
    let _ = rustix::stdio::dup2_stderr(&null);
    if protocol {
        #[expect(
            unsafe_code,
            reason = "the child's end of the socket has no owner in here"
        )]
        // SAFETY: descriptor 3 was inherited for the child, and nothing in this process uses it.
        unsafe {
            libc::close(3);
        }
    }
}

/// A child being watched.
struct Watch<'a> {
    arguments: &'a Arguments,
    child: Pid,
    started: Instant,
    memory: Memory,
    next_look: Duration,
    ended_by: Option<EndedBy>,
}

/// The first look at memory comes soon, so that a short life is seen too.
const FIRST_LOOK: Duration = Duration::from_millis(5);

impl<'a> Watch<'a> {
    fn new(arguments: &'a Arguments, child: Pid) -> Self {
        Self {
            arguments,
            child,
            started: Instant::now(),
            memory: Memory::default(),
            next_look: FIRST_LOOK,
            ended_by: None,
        }
    }

    fn run(mut self, pidfd: &OwnedFd, reports: &mut File) -> ExitCode {
        let control = std::io::stdin();
        loop {
            let mut polled = [
                PollFd::new(&control, PollFlags::IN),
                PollFd::new(pidfd, PollFlags::IN),
            ];
            let wait = self.time_to_next();
            match poll(&mut polled, Some(&wait)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => self.ended_by = Some(EndedBy::Kill),
            }
            let (control_ready, child_ended) = (
                !polled[0].revents().is_empty(),
                !polled[1].revents().is_empty(),
            );
            if child_ended {
                break;
            }
            if control_ready {
                self.obey(&control);
            }
            let now = self.started.elapsed();
            if self
                .arguments
                .backstop
                .is_some_and(|backstop| now >= backstop)
            {
                self.ended_by.get_or_insert(EndedBy::Backstop);
            }
            if self.ended_by.is_some() {
                // What it had at its end is often the most it had.
                self.memory.look_at(self.child);
                break;
            }
            if now >= self.next_look {
                self.memory.look_at(self.child);
                self.next_look = self.started.elapsed() + self.arguments.sample;
            }
        }
        self.finish(reports)
    }

    fn time_to_next(&self) -> Timespec {
        let now = self.started.elapsed();
        let backstop = self.arguments.backstop.unwrap_or(Duration::MAX);
        let wait = self.next_look.min(backstop).saturating_sub(now);
        Timespec::try_from(wait).unwrap_or(Timespec {
            tv_sec: 3600,
            tv_nsec: 0,
        })
    }

    fn obey(&mut self, control: &impl AsFd) {
        let mut byte = [0u8; 1];
        match rustix::io::read(control, &mut byte) {
            Ok(0) => self.ended_by = Some(EndedBy::ControlClosed),
            Ok(_) => match byte[0] {
                b'T' => {
                    tree::signal_all(Signal::TERM);
                    // A stopped process hears nothing but this.
                    tree::signal_all(Signal::CONT);
                }
                b'S' => tree::signal_all(Signal::STOP),
                b'C' => tree::signal_all(Signal::CONT),
                b'K' => self.ended_by = Some(EndedBy::Kill),
                _ => {}
            },
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            Err(_) => self.ended_by = Some(EndedBy::ControlClosed),
        }
    }

    fn finish(self, reports: &mut File) -> ExitCode {
        let mut leaked = 0;
        if self.ended_by.is_some() {
            // The child's own status is kept for the report before the sweep takes it.
            let _ = rustix::process::kill_process(self.child, Signal::KILL);
        }
        let status = waitid(WaitId::Pid(self.child), WaitIdOptions::EXITED)
            .ok()
            .flatten();
        // No child at all proves that nothing is left, without a look at /proc: an orphan of the
        // tree would be a child of this process.
        if !tree::reap_ended() {
            if self.ended_by.is_none() {
                leaked = tree::descendants().iter().filter(|d| !d.zombie).count();
            }
            tree::end_all();
        }
        let usage = reaped_usage();
        let exit_code = status
            .as_ref()
            .and_then(rustix::process::WaitIdStatus::exit_status);
        let signal = status
            .as_ref()
            .and_then(rustix::process::WaitIdStatus::terminating_signal);
        tell(
            reports,
            &Report::Ended {
                exit_code,
                signal,
                wall_seconds: self.started.elapsed().as_secs_f64(),
                cpu_user_seconds: usage.user_seconds,
                cpu_system_seconds: usage.system_seconds,
                peak_rss_bytes: self.memory.peak_rss.max(Some(usage.peak_rss_bytes)),
                peak_anonymous_bytes: self.memory.peak_anonymous,
                leaked_processes: u32::try_from(leaked).unwrap_or(u32::MAX),
                ended_by: self.ended_by.unwrap_or(EndedBy::Itself),
            },
        );
        let code = match (self.ended_by, exit_code, signal) {
            (Some(_), _, _) => STATUS_KILLED,
            (None, Some(code), _) => u8::try_from(code & 0xff).unwrap_or(1),
            (None, None, Some(signal)) => u8::try_from(128 + signal).unwrap_or(STATUS_KILLED),
            (None, None, None) => 1,
        };
        ExitCode::from(code)
    }
}
