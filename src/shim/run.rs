//! The life of a shim: set up, start, watch, end everything, report.

use std::fmt::Display;
use std::io;
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};

use super::accounting::{Usage, peak};
use super::arguments::Options;
use super::backstop::Backstop;
use super::control::{Control, Request};
use super::descriptors::{Descriptors, PassedOn};
use super::report::{EndedBy, LeakedProcess, MOST_LEAKS_NAMED, Report, Reporter};
use super::sampler::Sampler;
use super::signals::Waiter;
use super::tree::{Cgroup, Tree};
use super::{VERB, affinity, launch, wall};

/// Nothing was started: the shim was misused, or the wall does not stand.
const REFUSED: u8 = 125;
/// The program was found and could not be started.
const CANNOT_START: u8 = 126;
/// The program was not found.
const NOT_FOUND: u8 = 127;
/// Added to the number of the signal that ended the child.
const BY_SIGNAL: i32 = 128;

/// How long descendants may take to follow a main child that ended by itself before they count as
/// leaked: helpers that end when their pipe closes are on their way.
const TIME_TO_FOLLOW: Duration = Duration::from_millis(50);

/// Time between two kills of what is left: grows from the first to the last, as what does not
/// die within milliseconds hangs in the kernel and is only waited for.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LAST_PAUSE: Duration = Duration::from_millis(50);

/// Says on standard error why nothing is done, and returns the exit status for it.
pub(super) fn refuse(reason: &dyn Display) -> ExitCode {
    let message = format!("earmark {VERB}: {reason}\n");
    // Where standard error is closed, nobody is there to be told.
    let _ = rustix::io::write(rustix::stdio::stderr(), message.as_bytes());
    ExitCode::from(REFUSED)
}

/// Does what the command line asks for, from the start of the child to the end of its tree.
pub(super) fn run(options: &Options) -> ExitCode {
    // Before descriptors are touched: on macOS the shim starts anew here and needs them all.
    let wall = wall::raise(options);
    let Descriptors {
        control,
        report,
        passed_on,
    } = match Descriptors::take_over(options) {
        Ok(descriptors) => descriptors,
        Err(error) => return refuse(&error),
    };
    let reporter = Reporter::new(report);
    let wall = match wall {
        Ok(wall) => wall,
        Err(error) => {
            reporter.send(&Report::WallFailed {
                error: error.to_string(),
            });
            return ExitCode::from(REFUSED);
        }
    };
    let mut watch = match Watch::start(options, Control::new(control), passed_on) {
        Ok(watch) => watch,
        Err(error) => {
            let errno = error.raw_os_error();
            reporter.send(&Report::SpawnFailed {
                error: error.to_string(),
                errno,
            });
            let missing = error.kind() == io::ErrorKind::NotFound;
            return ExitCode::from(if missing { NOT_FOUND } else { CANNOT_START });
        }
    };
    reporter.send(&Report::Started {
        pid: watch.main_child.as_raw_nonzero().get(),
        wall: wall.into(),
        tree: watch.tree.kind().into(),
        cgroup: watch
            .tree
            .cgroup()
            .and_then(|cgroup| Some(cgroup.path().to_str()?.to_owned())),
    });
    let ended_by = watch.until_end();
    let (report, status) = watch.finish(ended_by);
    reporter.send(&report);
    if let Some(cgroup) = watch.tree.cgroup() {
        cgroup.remove();
    }
    ExitCode::from(status)
}

/// A running tree and what is known of it.
struct Watch {
    waiter: Waiter,
    control: Control,
    tree: Tree,
    sampler: Sampler,
    main_child: Pid,
    started: Instant,
    backstop: Backstop,
    /// How and when the main child ended.
    main_end: Option<(WaitStatus, Instant)>,
    /// Whether this process has a child that is not reaped.
    has_child: bool,
}

impl Watch {
    /// Makes this process ready and starts the main child.
    fn start(options: &Options, control: Control, passed_on: PassedOn) -> io::Result<Self> {
        let waiter = Waiter::take_over()?;
        Tree::prepare()?;
        affinity::bind(&options.cpus)?;
        let mut cgroup = options.cgroup.as_deref().and_then(Cgroup::create);
        let started = Instant::now();
        let launched = launch::start(options, cgroup.as_ref());
        // Whatever is refused here is no reason not to start: the subreaper is enough.
        if !launched.as_ref().is_ok_and(|launched| launched.in_cgroup)
            && let Some(empty) = cgroup.take()
        {
            empty.remove();
        }
        let main_child = launched?.pid;
        let watch = Self {
            waiter,
            control,
            tree: Tree::new(main_child, cgroup),
            sampler: Sampler::new(options.sample_interval, started),
            main_child,
            started,
            backstop: Backstop::new(options.backstop, started),
            main_end: None,
            has_child: true,
        };
        // Fails only if the kernel is out of memory; the end of the shim then closes them anyway.
        let _ = passed_on.let_go();
        Ok(watch)
    }

    /// Watches until the main child has ended or the tree has to be killed.
    fn until_end(&mut self) -> EndedBy {
        loop {
            let now = Instant::now();
            if self.backstop.is_over(now) {
                return EndedBy::Backstop;
            }
            self.sampler.look_if_due(&self.tree, now);
            let wake = self
                .sampler
                .due()
                .into_iter()
                .chain(self.backstop.due())
                .min();
            let limit = wake.map(|wake| wake.saturating_duration_since(Instant::now()));
            let asked = self.waiter.wait(Some(self.control.as_fd()), limit);
            self.reap();
            if self.main_end.is_some() {
                return EndedBy::Itself;
            }
            match asked {
                Ok(false) => {}
                Ok(true) => {
                    if let Some(end) = self.answer() {
                        return end;
                    }
                }
                // Without a way to hear the runner the tree must not live on.
                Err(_) => return EndedBy::ControlClosed,
            }
        }
    }

    /// Does what has been asked for, and returns how to end if that was asked for.
    fn answer(&mut self) -> Option<EndedBy> {
        for request in self.control.read() {
            match request {
                Request::Kill => return Some(EndedBy::Kill),
                Request::Closed => return Some(EndedBy::ControlClosed),
                Request::Terminate => {
                    self.sampler.last_look(&self.tree);
                    self.tree.signal(Signal::TERM);
                }
                Request::Stop => {
                    self.backstop.pause(Instant::now());
                    self.tree.signal(Signal::STOP);
                }
                Request::Continue => {
                    self.tree.signal(Signal::CONT);
                    self.backstop.resume(Instant::now());
                }
            }
        }
        None
    }

    /// Ends whatever is left, and returns the last report and the exit status.
    fn finish(&mut self, ended_by: EndedBy) -> (Report, u8) {
        let mut leaked_processes = 0;
        let mut leaked = Vec::new();
        let mut sweeps = 0;
        if !ended_by.by_force() {
            self.let_follow();
        }
        if !self.tree.is_gone(self.has_child) {
            self.sampler.last_look(&self.tree);
            if !ended_by.by_force() {
                let left = self.tree.left_behind();
                leaked_processes = left.len();
                leaked = self.name(&left);
            }
            sweeps = self.end_everything();
        }
        let end = self.main_end.map_or_else(Instant::now, |(_, end)| end);
        let status = self.main_end.map(|(status, _)| status);
        let exit_code = status.and_then(WaitStatus::exit_status);
        let signal = status.and_then(WaitStatus::terminating_signal);
        let usage = Usage::of_reaped_descendants();
        let peaks = self.sampler.peaks();
        let report = Report::Ended {
            exit_code,
            signal,
            wall_seconds: end.duration_since(self.started).as_secs_f64(),
            cpu_user_seconds: usage.user_seconds,
            cpu_system_seconds: usage.system_seconds,
            peak_rss_bytes: peak(usage.largest_resident, peaks.resident, || {
                self.tree.own_peak()
            }),
            peak_anonymous_bytes: peaks.anonymous,
            leaked_processes,
            leaked,
            ended_by,
            sweeps,
        };
        let own_status = if ended_by.by_force() {
            BY_SIGNAL + Signal::KILL.as_raw()
        } else {
            // One of the two is there: a child is only reaped when it has exited or was ended.
            exit_code
                .or(signal.map(|signal| BY_SIGNAL + signal))
                .unwrap_or(BY_SIGNAL)
        };
        (report, u8::try_from(own_status).unwrap_or(u8::MAX))
    }

    /// Returns the first of these processes by name; who ends meanwhile has none any more.
    fn name(&self, processes: &[i32]) -> Vec<LeakedProcess> {
        let named = |pid: &i32| {
            let name = self.tree.name(*pid)?;
            Some(LeakedProcess { pid: *pid, name })
        };
        let named = processes.iter().filter_map(named);
        named.take(MOST_LEAKS_NAMED).collect()
    }

    /// Gives descendants a moment to follow the main child, unless the runner asks for something.
    fn let_follow(&mut self) {
        let limit = Instant::now() + TIME_TO_FOLLOW;
        while !self.tree.is_gone(self.has_child) {
            let left = limit.saturating_duration_since(Instant::now());
            let asked = self.waiter.wait(Some(self.control.as_fd()), Some(left));
            self.reap();
            if left.is_zero() || !matches!(asked, Ok(false)) {
                return;
            }
        }
    }

    /// Kills and reaps until nothing is left, and returns how many passes that took.
    fn end_everything(&mut self) -> u32 {
        let mut passes = 0;
        let mut pause = FIRST_PAUSE;
        loop {
            self.tree.kill(self.main_end.is_some());
            passes += 1;
            let next_pass = Instant::now() + pause;
            pause = (2 * pause).min(LAST_PAUSE);
            loop {
                self.reap();
                if self.tree.is_gone(self.has_child) {
                    return passes;
                }
                let left = next_pass.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                // An error would only make the next pass come sooner.
                let _ = self.waiter.wait(None, Some(left));
            }
        }
    }

    /// Reaps every child that has ended: the main child, and orphans that came to this process.
    fn reap(&mut self) {
        loop {
            match rustix::process::wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => {
                    if pid == self.main_child {
                        self.main_end = Some((status, Instant::now()));
                    }
                }
                Ok(None) => return,
                Err(Errno::INTR) => {}
                Err(_) => {
                    self.has_child = false;
                    return;
                }
            }
        }
    }
}
