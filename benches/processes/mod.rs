//! What benches of whole processes share.

use rustix::process::{Pid, WaitIdOptions, waitid};
use std::fs;
use std::process::Child;

/// CPU seconds of a finished child, by itself and with all that it waited for.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Without its children.
    pub own: f64,
    /// With all that it waited for.
    pub tree: f64,
}

/// Returns a number of the environment.
pub fn number(name: &str, default: usize) -> usize {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// Waits for a child and returns what it cost, read before it is reaped.
pub fn cost(child: &mut Child) -> Cost {
    let id = i32::try_from(child.id()).unwrap();
    let pid = Pid::from_raw(id).unwrap();
    waitid(
        rustix::process::WaitId::Pid(pid),
        WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
    )
    .unwrap();
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    let fields: Vec<f64> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_ascii_whitespace()
        .skip(11)
        .take(4)
        .map(|field| field.parse().unwrap())
        .collect();
    let ticks = rustix::param::clock_ticks_per_second();
    #[expect(clippy::cast_precision_loss, reason = "a hundred or a thousand")]
    let ticks = ticks as f64;
    child.wait().unwrap();
    Cost {
        own: (fields[0] + fields[1]) / ticks,
        tree: fields.iter().sum::<f64>() / ticks,
    }
}

pub fn per(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
