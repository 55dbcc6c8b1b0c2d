//! The start on Linux: the child runs in the memory of the shim until it executes its program, as
//! `vfork(2)` and `posix_spawn(3)` do it. A fork would copy the page tables of a large program for
//! a child that needs none of it; `posix_spawn` cannot tie the child's life to the shim's, nor
//! have it join a control group. See `clone(2)`.

#![expect(
    unsafe_code,
    reason = "code between clone and exec is unsafe by nature"
)]

use std::ffi::{CString, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStringExt;
use std::ptr;

use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions, waitpid};

use super::super::arguments::Options;
use super::super::tree::Cgroup;
use super::super::{descriptors, signals};
use super::{Launched, PROTOCOL_VARIABLE};

/// Blocks of 16 bytes (the alignment of a stack) that the child has until it executes: 64 KiB. The
/// look-up in `PATH` needs the most of it, twice the longest path.
const STACK_BLOCKS: usize = 4096;

/// Given to whoever finds that the shim is no longer its parent.
const SHIM_IS_GONE: Errno = Errno::SRCH;

/// What the child has to do, and what came of it. Lives in the memory that both share.
struct Task {
    program: *const libc::c_char,
    /// Ends with a null pointer.
    arguments: *const *const libc::c_char,
    shim: libc::pid_t,
    /// Where to write to join a control group; -1 = nowhere.
    join: libc::c_int,
    joined: bool,
    /// Error number of what failed; 0 = the program runs.
    error: libc::c_int,
}

/// Starts the main child, in a process group of its own and in the control group if there is one
/// and the kernel lets it.
///
/// An error is that of the system: no such file, no permission, not a program, no memory.
pub(in crate::shim) fn start(options: &Options, cgroup: Option<&Cgroup>) -> io::Result<Launched> {
    if options.protocol {
        // SAFETY: the shim has one thread, so nobody reads the environment meanwhile.
        unsafe { std::env::set_var(PROTOCOL_VARIABLE, descriptors::PROTOCOL.to_string()) };
    }
    let words: Vec<CString> = std::iter::once(&options.program)
        .chain(&options.arguments)
        .cloned()
        .map(|word| CString::new(OsString::into_vec(word)))
        .collect::<Result<_, _>>()?;
    let arguments: Vec<*const libc::c_char> = words
        .iter()
        .map(|word| word.as_ptr())
        .chain([ptr::null()])
        .collect();
    let mut task = Task {
        // There is at least the program, before the null pointer.
        program: arguments.first().copied().unwrap_or(ptr::null()),
        arguments: arguments.as_ptr(),
        shim: rustix::process::getpid().as_raw_nonzero().get(),
        join: cgroup.map_or(-1, |cgroup| cgroup.processes().as_raw_fd()),
        joined: false,
        error: 0,
    };
    // Never touched as a whole, so it costs no more pages than the child uses.
    let mut stack: Vec<MaybeUninit<u128>> = Vec::with_capacity(STACK_BLOCKS);
    let task_pointer = &raw mut task;
    // SAFETY: the stack grows down from the end of its memory, which lives until the call returns,
    // and so does the task: with CLONE_VFORK the call returns only when the child has executed its
    // program or ended. The shim has one thread, so no lock is held that the child might want.
    let (pid, joined, error) = unsafe {
        let pid = libc::clone(
            run_task,
            stack.as_mut_ptr().add(STACK_BLOCKS).cast(),
            libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD,
            task_pointer.cast(),
        );
        if pid < 0 {
            return Err(io::Error::last_os_error());
        }
        (pid, (*task_pointer).joined, (*task_pointer).error)
    };
    let pid = Pid::from_raw(pid)
        .ok_or_else(|| io::Error::other("the system gave the child a process id out of range"))?;
    if error != 0 {
        // It has ended; only its entry in the process table has to go.
        let _ = waitpid(Some(pid), WaitOptions::empty());
        return Err(io::Error::from_raw_os_error(error));
    }
    Ok(Launched {
        pid,
        in_cgroup: joined,
    })
}

/// Runs in the child. Makes system calls only: neither allocates nor takes a lock.
extern "C" fn run_task(task: *mut libc::c_void) -> libc::c_int {
    let task: *mut Task = task.cast();
    // SAFETY: the parent waits meanwhile, so nobody else looks at the task.
    let task = unsafe { &mut *task };
    let Err(error) = prepare(task);
    task.error = error.raw_os_error().unwrap_or(libc::EINVAL);
    // The end of this function is the end of the child.
    1
}

/// Becomes the program; returns only if that fails.
fn prepare(task: &mut Task) -> io::Result<std::convert::Infallible> {
    rustix::process::setpgid(None, None)?;
    // The kernel kills the child if the shim is killed: the signal is tied to the thread that
    // cloned, and the shim has only one.
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    // The shim may have died before that call; then no signal will ever come.
    // SAFETY: has no arguments.
    if unsafe { libc::getppid() } != task.shim {
        return Err(SHIM_IS_GONE.into());
    }
    if task.join >= 0 {
        // SAFETY: writes one byte of a constant; 0 stands for whoever writes it.
        task.joined = unsafe { libc::write(task.join, c"0".as_ptr().cast(), 1) } == 1;
    }
    signals::unblock_all()?;
    // SAFETY: both are strings that end in null, in a list that ends in a null pointer.
    unsafe { libc::execvp(task.program, task.arguments) };
    Err(io::Error::last_os_error())
}
