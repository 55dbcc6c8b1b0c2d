//! Waiting, for a bounded time, until other programs leave the machine alone.

use super::live::Live;
use crate::clock::Clock;
use crate::machine::CpuTimes;
use crate::model::Quiet;
use std::time::Duration;

/// How long is looked at a time. The system counts in hundredths of a second.
const WINDOW: Duration = Duration::from_millis(250);

/// What a wait came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Waited {
    pub(super) seconds: f64,
    /// CPUs that were busy at its end.
    pub(super) busy: f64,
    /// Whether it became quiet.
    pub(super) quiet: bool,
    /// Whether it was quiet at the first look.
    pub(super) at_once: bool,
}

/// Waits until no more CPUs are busy than `quiet` allows, or its time is over. Nothing of the run
/// itself is going on then, so what is busy is somebody else. Where the system does not tell, it
/// counts as quiet.
pub(super) async fn await_quiet(live: &Live, quiet: &Quiet) -> Waited {
    let begun = live.clock.now();
    let mut looks = 0;
    loop {
        let before = CpuTimes::read();
        let until = live.clock.now() + WINDOW;
        live.sleep_until(until).await;
        let after = CpuTimes::read();
        let busy = match (&before, &after) {
            (Some(before), Some(after)) => after.busy_since(before),
            _ => 0.0,
        };
        looks += 1;
        let waited = live.clock.now().saturating_sub(begun);
        if busy <= quiet.load || waited >= quiet.wait {
            return Waited {
                seconds: waited.as_secs_f64(),
                busy,
                quiet: busy <= quiet.load,
                at_once: looks == 1,
            };
        }
    }
}
