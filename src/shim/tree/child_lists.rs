//! Whose child is whose on macOS. Untested. Declared in `libproc.h`.

#![expect(unsafe_code, reason = "`libproc` has no safe wrapper")]

use std::ffi::c_int;

/// Most children of one process that are found, and most bytes of a name.
const MOST_CHILDREN: usize = 1024;
const NAME_SIZE: usize = 128;

/// Returns the children of a process.
pub(super) fn children(pid: i32) -> Vec<i32> {
    let mut children: Vec<c_int> = vec![0; MOST_CHILDREN];
    let size = c_int::try_from(size_of_val(children.as_slice())).unwrap_or(0);
    // SAFETY: the buffer has that size.
    let count = unsafe { libc::proc_listchildpids(pid, children.as_mut_ptr().cast(), size) };
    // Versions of the system differ in whether this is a number of children or of bytes; what was
    // not filled in is 0 either way.
    children.truncate(usize::try_from(count).unwrap_or(0));
    children.retain(|child| *child > 0);
    children
}

/// Returns the name of a process as the system has it; `None` if there is none of this id.
pub(super) fn name(pid: i32) -> Option<Vec<u8>> {
    let mut name = vec![0_u8; NAME_SIZE];
    let size = u32::try_from(name.len()).unwrap_or(0);
    // SAFETY: the buffer has that size.
    let length = unsafe { libc::proc_name(pid, name.as_mut_ptr().cast(), size) };
    name.truncate(usize::try_from(length).unwrap_or(0));
    (!name.is_empty()).then_some(name)
}
