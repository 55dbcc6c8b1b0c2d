//! Who holds something: host and process, and whether that process is surely gone.

use crate::clock::wall_time;
use serde::{Deserialize, Serialize};
use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher, Hasher};

/// Who holds something, as it says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Holder {
    /// The host's name.
    pub host: String,
    /// The process on it.
    pub process: u32,
    /// Date and time since when, UTC, by the holder's clock. For people: nothing is decided by it.
    pub since: String,
    /// Tells this holding from every other one.
    pub token: String,
    /// How often it is renewed, in milliseconds; 0 if never.
    pub renewed_every_milliseconds: u64,
    /// How often it was renewed.
    pub renewals: u64,
    /// Which start of which kernel it runs under; empty where the system does not tell.
    pub(super) boot: String,
    /// In which namespace its process has that id.
    pub(super) namespace: String,
    /// When its process began, in ticks since that start: ids are given again.
    pub(super) began: Option<u64>,
}

impl Holder {
    /// Returns what this process says of itself, with a token of its own.
    #[must_use]
    pub fn new(renewed_every_milliseconds: u64) -> Self {
        let process = std::process::id();
        Self {
            host: host(),
            process,
            since: wall_time(),
            token: token(),
            renewed_every_milliseconds,
            renewals: 0,
            boot: boot_id().unwrap_or_default(),
            namespace: namespace(),
            began: began(process),
        }
    }

    /// Returns whether its process is surely gone: it was one of this very kernel, and there is none of
    /// its id and beginning any more. Of other machines nobody knows.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.is_here() && began(self.process) != self.began
    }

    /// Returns whether its process is surely there, running or stopped: it is one of this very kernel.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.is_here() && began(self.process) == self.began
    }

    fn is_here(&self) -> bool {
        self.began.is_some()
            && !self.boot.is_empty()
            && boot_id().as_deref() == Some(self.boot.as_str())
            && !self.namespace.is_empty()
            && self.namespace == namespace()
    }

    /// Returns who it is, in words.
    #[must_use]
    pub fn in_words(&self) -> String {
        if self.process == 0 {
            return "somebody who does not say".into();
        }
        format!(
            "process {} on {}, since {}",
            self.process, self.host, self.since
        )
    }
}

/// Returns the id of this start of the kernel: no two machines have the same one, whatever they are
/// called. `None` where the system does not tell.
#[must_use]
pub fn boot_id() -> Option<String> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Returns a name that no other process on any machine uses: host, process and a random number.
#[must_use]
pub fn unique_name() -> String {
    let host: String = host()
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-')
        .take(40)
        .collect();
    format!("{host}-{}-{}", std::process::id(), token())
}

fn host() -> String {
    let names = rustix::system::uname();
    names.nodename().to_string_lossy().into_owned()
}

/// Returns 128 bits that nobody else has: the keys of two hashers are drawn by the system.
fn token() -> String {
    let draw = |number: u64| {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u64(number);
        hasher.write_u32(std::process::id());
        hasher.finish()
    };
    format!("{:016x}{:016x}", draw(1), draw(2))
}

fn namespace() -> String {
    let link = fs::read_link("/proc/self/ns/pid");
    link.map_or_else(
        |_| String::new(),
        |link| link.to_string_lossy().into_owned(),
    )
}

/// Returns when a process began, in ticks since the start of the kernel; `None` if there is none, or
/// nothing but its exit status is left of it.
fn began(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name before may hold anything.
    let (_, fields) = text.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X" | "x") {
        return None;
    }
    // The state is the third field, the beginning the twenty-second.
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_process_of_this_kernel_is_known_to_be_gone_and_one_of_another_is_not() {
        let me = Holder::new(1);
        assert!(!me.is_gone() && me.is_there());
        let mut child = Command::new("/bin/sleep").arg("60").spawn().unwrap();
        let mut other = Holder {
            process: child.id(),
            began: began(child.id()),
            ..me.clone()
        };
        assert!(!other.is_gone());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(other.is_gone());
        other.boot = "another kernel".into();
        assert!(!other.is_gone() && !other.is_there());
        // The same number, given again.
        let again = Holder {
            began: me.began.map(|ticks| ticks + 1),
            ..me.clone()
        };
        assert!(again.is_gone());
        let in_container = Holder {
            namespace: "pid:[1]".into(),
            ..again
        };
        assert!(!in_container.is_gone());
    }

    #[test]
    fn names_are_nobody_elses_and_safe_as_names_of_files() {
        let (one, other) = (unique_name(), unique_name());
        assert_ne!(one, other);
        assert!(
            one.chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
        );
    }
}
