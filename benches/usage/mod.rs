//! What this process and those it started have cost.

#[expect(unsafe_code, reason = "`getrusage` has no safe wrapper")]
fn rusage(who: libc::c_int) -> libc::rusage {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the call fills the structure; zeros are a valid value of it too.
    unsafe {
        libc::getrusage(who, usage.as_mut_ptr());
        usage.assume_init()
    }
}

/// CPU seconds of this process and of its children that have ended.
pub fn usage() -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "seconds of a bench")]
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    [libc::RUSAGE_SELF, libc::RUSAGE_CHILDREN]
        .into_iter()
        .map(rusage)
        .map(|usage| seconds(usage.ru_utime) + seconds(usage.ru_stime))
        .sum()
}
