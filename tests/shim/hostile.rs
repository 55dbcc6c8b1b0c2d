//! Children that behave badly: this test program, started again under the shim.
//!
//! `entry` does nothing in a normal run. Everything after a fork makes system calls only, as the
//! rest of a program with threads is not usable there. All of it ends by itself after a minute, in
//! case a test fails.

#![expect(
    unsafe_code,
    reason = "forks, sessions and raw system calls are what is tested against"
)]

use std::ptr;
use std::time::{Duration, Instant};

/// Says what the child shall do.
pub const BEHAVIOUR: &str = "EARMARK_HOSTILE";

/// How many processes fork at a time in a fork loop.
const LOOPS: u32 = 4;

/// How many processes a bomb grows to.
const BOMB_SIZE: u32 = 300;

/// Arguments that make this test program run `entry` only.
pub fn arguments() -> [String; 4] {
    let path = module_path!();
    let within_crate = path.split_once("::").map_or(path, |(_, rest)| rest);
    [
        format!("{within_crate}::entry"),
        "--exact".to_owned(),
        "--nocapture".to_owned(),
        "--test-threads=1".to_owned(),
    ]
}

#[test]
fn entry() {
    match std::env::var(BEHAVIOUR).as_deref() {
        Err(_) => {}
        Ok("stubborn") => stubborn(),
        Ok("leave-children") => {
            ignore_signals();
            escape();
            exit(0);
        }
        Ok("tell-of-term") => tell_of_term(),
        Ok("fork-loop") => fork_loop(false),
        Ok("fork-loop-setsid") => fork_loop(true),
        Ok("bomb") => bomb(),
        Ok("orphans") => orphans(),
        Ok("flood") => flood(),
        Ok("half-line") => {
            ignore_signals();
            say("ready");
            write_out(b"half a li");
            rest();
        }
        Ok("close-output") => {
            ignore_signals();
            say("ready");
            close_output();
            rest();
        }
        Ok("headless") => headless(),
        Ok("change-cgroup") => change_cgroup(),
        Ok("nest-cgroups") => nest_cgroups(),
        Ok("allocate") => {
            allocate(64);
            exit(0);
        }
        Ok("allocate-in-children") => allocate_in_children(),
        Ok("burn-in-grandchild") => burn_in_grandchild(),
        Ok("reach-out") => reach_out(),
        #[cfg(target_arch = "x86_64")]
        Ok("reach-out-32-bit") => reach_out_32_bit(),
        Ok(other) => panic!("no behaviour {other:?}"),
    }
}

/// Ignores signals, and has an escapee: other session, parent gone, ignores the same.
fn stubborn() {
    ignore_signals();
    escape();
    say("ready");
    rest();
}

fn ignore_signals() {
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
        // SAFETY: ignoring a signal runs no code.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// Forks twice, with a new session in between, and returns when the escapee runs.
fn escape() {
    let (mut pipe, mut byte) = ([0; 2], 0_u8);
    // SAFETY: the array has room for the two descriptors, the byte for one byte.
    unsafe {
        libc::pipe(pipe.as_mut_ptr());
        let child = libc::fork();
        if child == 0 {
            libc::setsid();
            if libc::fork() == 0 {
                libc::write(pipe[1], ptr::from_ref(&byte).cast(), 1);
                rest();
            }
            libc::_exit(0);
        }
        libc::waitpid(child, ptr::null_mut(), 0);
        libc::read(pipe[0], ptr::from_mut(&mut byte).cast(), 1);
    }
}

/// Says so when SIGTERM comes, and goes on.
fn tell_of_term() {
    extern "C" fn on_term(_signal: libc::c_int) {
        say("terminated");
    }
    let handler: extern "C" fn(libc::c_int) = on_term;
    // SAFETY: the handler makes one system call.
    unsafe { libc::signal(libc::SIGTERM, handler as libc::sighandler_t) };
    say("ready");
    rest();
}

/// Processes that fork and exit over and over, so that each lives for a moment only.
fn fork_loop(new_sessions: bool) {
    let start = Instant::now();
    for _ in 0..LOOPS {
        // SAFETY: only system calls follow.
        if unsafe { libc::fork() } == 0 {
            while start.elapsed() < Duration::from_mins(1) {
                // SAFETY: the parent exits; the child, or the parent of none, goes on.
                unsafe {
                    if new_sessions {
                        libc::setsid();
                    }
                    if libc::fork() > 0 {
                        libc::_exit(0);
                    }
                }
            }
            exit(0);
        }
    }
    say("ready");
    rest();
}

/// Every process forks, and so do its children, up to a number that the machine can bear.
fn bomb() {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
    // SAFETY: a fresh mapping, shared by all that are forked from here; it is never unmapped.
    let count = unsafe {
        let page = libc::mmap(ptr::null_mut(), 4096, protection, flags, -1, 0);
        &*page.cast::<std::sync::atomic::AtomicU32>()
    };
    let start = Instant::now();
    while start.elapsed() < Duration::from_mins(1) {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if number >= BOMB_SIZE {
            if number == BOMB_SIZE {
                say("ready");
            }
            rest();
        }
        // SAFETY: parent and child both go on forking.
        unsafe { libc::fork() };
    }
}

/// Fills standard output as fast as it takes it.
fn flood() {
    ignore_signals();
    say("ready");
    let block = vec![b'x'; 1 << 16];
    let start = Instant::now();
    while start.elapsed() < Duration::from_mins(1) {
        write_out(&block);
    }
    exit(1);
}

fn close_output() {
    // SAFETY: numbers only.
    unsafe {
        libc::close(1);
        libc::close(2);
    }
}

/// Has an escapee whose first thread has ended while another one lives: the process table then
/// says of it what it says of the dead.
fn headless() {
    extern "C" fn second_thread(_nothing: *mut libc::c_void) -> libc::c_int {
        rest()
    }
    ignore_signals();
    // Both are needed after the fork, which may not allocate.
    let mut stack: Vec<u128> = vec![0; 4096];
    let top: *mut libc::c_void = stack.as_mut_ptr_range().end.cast();
    let flags = libc::CLONE_VM
        | libc::CLONE_FS
        | libc::CLONE_FILES
        | libc::CLONE_SIGHAND
        | libc::CLONE_SYSVSEM
        | libc::CLONE_THREAD;
    // SAFETY: the thread sleeps on a stack of its own, in a process of its own.
    let child = unsafe {
        let child = libc::fork();
        if child == 0 {
            libc::setsid();
            libc::clone(second_thread, top, flags, ptr::null_mut());
            libc::syscall(libc::SYS_exit, 0);
        }
        child
    };
    let start = Instant::now();
    while super::processes::stat(child).is_none_or(|fields| fields[0] != "Z") {
        assert!(start.elapsed() < Duration::from_mins(1), "it does not end");
    }
    say("ready");
    rest();
}

/// Leaves the control group that the shim has made.
fn change_cgroup() {
    ignore_signals();
    escape();
    let group = std::env::var("EARMARK_TEST_CGROUP").unwrap();
    std::fs::write(format!("{group}/cgroup.procs"), "0").unwrap();
    say("ready");
    rest();
}

/// Makes groups below the control group of the shim and goes into the deepest.
fn nest_cgroups() {
    let own = std::fs::read_to_string("/proc/self/cgroup").unwrap();
    let name = own.lines().find_map(|line| line.strip_prefix("0::"));
    let name = name.unwrap().rsplit('/').next().unwrap();
    let group = std::env::var("EARMARK_TEST_CGROUP").unwrap();
    let deepest = format!("{group}/{name}/a/b");
    std::fs::create_dir_all(&deepest).unwrap();
    std::fs::create_dir_all(format!("{group}/{name}/c")).unwrap();
    std::fs::write(format!("{deepest}/cgroup.procs"), "0").unwrap();
    say("ready");
    rest();
}

/// Leaves dead orphans behind and goes on.
fn orphans() {
    for _ in 0..20 {
        // SAFETY: only system calls; the grandchild's parent exits first or last, as it comes.
        unsafe {
            let child = libc::fork();
            if child == 0 {
                libc::fork();
                libc::_exit(0);
            }
            libc::waitpid(child, ptr::null_mut(), 0);
        }
    }
    say("ready");
    rest();
}

/// Writes to so many MiB of anonymous memory.
fn allocate(mebibytes: usize) {
    let size = mebibytes << 20;
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_POPULATE;
    // SAFETY: a fresh mapping that nobody reads.
    let memory = unsafe { libc::mmap(ptr::null_mut(), size, protection, flags, -1, 0) };
    assert_ne!(memory, libc::MAP_FAILED);
}

fn allocate_in_children() {
    for _ in 0..2 {
        // SAFETY: the child maps memory and sleeps.
        if unsafe { libc::fork() } == 0 {
            allocate(40);
            say("ready");
            rest();
        }
    }
    rest();
}

fn burn_in_grandchild() {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the clock writes to the given time only.
    unsafe {
        let child = libc::fork();
        if child == 0 {
            while time.tv_nsec < 300_000_000 {
                libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time);
            }
            libc::_exit(0);
        }
        libc::waitpid(child, ptr::null_mut(), 0);
    }
    exit(0);
}

/// Tries every way out and says what came of each.
fn reach_out() {
    let tell = |name: &str, result: libc::c_long| {
        let error = std::io::Error::last_os_error().raw_os_error();
        let outcome = match error {
            _ if result >= 0 => "open",
            Some(libc::EACCES) => "denied",
            _ => "other",
        };
        say(&format!("{name} {outcome}"));
    };
    for (name, family) in [
        ("unix", libc::AF_UNIX),
        ("inet", libc::AF_INET),
        ("inet6", libc::AF_INET6),
        ("netlink", libc::AF_NETLINK),
        ("packet", libc::AF_PACKET),
        ("vsock", libc::AF_VSOCK),
    ] {
        let kind = if name == "netlink" {
            libc::SOCK_RAW
        } else {
            libc::SOCK_STREAM
        };
        // SAFETY: numbers only.
        tell(name, unsafe { libc::socket(family, kind, 0) }.into());
    }
    let high_bits = libc::c_long::from(libc::AF_INET) | 1 << 32;
    let socket_x32 = libc::SYS_socket | 0x4000_0000;
    // SAFETY: numbers, and a null pointer that the kernel refuses to read.
    unsafe {
        tell(
            "inet-high-bits",
            libc::syscall(libc::SYS_socket, high_bits, libc::SOCK_STREAM, 0),
        );
        tell(
            "inet-x32",
            libc::syscall(socket_x32, libc::AF_INET, libc::SOCK_STREAM, 0),
        );
        let nothing = ptr::null_mut::<u8>();
        tell(
            "io_uring_setup",
            libc::syscall(libc::SYS_io_uring_setup, 1, nothing),
        );
        tell(
            "io_uring_enter",
            libc::syscall(libc::SYS_io_uring_enter, 0, 0, 0, 0, nothing),
        );
        tell(
            "io_uring_register",
            libc::syscall(libc::SYS_io_uring_register, 0, 0, nothing, 0),
        );
    }
    exit(0);
}

/// Asks for a socket through the 32-bit gate, where its number is 359.
#[cfg(target_arch = "x86_64")]
fn reach_out_32_bit() {
    let mut register: i64 = 359;
    // SAFETY: a system call with numbers only; rbx, which the compiler keeps, is put back.
    unsafe {
        std::arch::asm!(
            "push rbx",
            "mov ebx, 2",
            "int 0x80",
            "pop rbx",
            inout("rax") register,
            in("rcx") 1,
            in("rdx") 0,
        );
    }
    say(&format!("returned {register}"));
    exit(0);
}

/// Writes a line to standard output, past the test framework.
fn say(word: &str) {
    let mut line = [0; 64];
    let length = word.len().min(line.len() - 1);
    line[..length].copy_from_slice(&word.as_bytes()[..length]);
    line[length] = b'\n';
    write_out(&line[..=length]);
}

fn write_out(bytes: &[u8]) {
    // SAFETY: the buffer holds that many bytes.
    unsafe { libc::write(1, bytes.as_ptr().cast(), bytes.len()) };
}

fn rest() -> ! {
    let start = Instant::now();
    while start.elapsed() < Duration::from_mins(1) {
        // SAFETY: numbers only. Signals may end it early.
        unsafe { libc::sleep(10) };
    }
    exit(1)
}

/// Ends at once, without the test framework's last words.
fn exit(status: i32) -> ! {
    // SAFETY: does not return.
    unsafe { libc::_exit(status) }
}
