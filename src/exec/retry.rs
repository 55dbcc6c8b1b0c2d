//! Which ends may heal by doing the same once more, and how long to wait before.

use crate::model::{JobKind, Outcome, Phase, Retries};
use std::time::Duration;

/// The longest wait between two attempts.
const LONGEST: Duration = Duration::from_mins(1);

/// Returns how long to wait before the next attempt, if there should be one after `failed` that
/// ended so.
///
/// A download fails for many reasons that pass by themselves. A worker crashes for few, so it is
/// tried again only if the matrix says so. What was refused or said that it failed would do so again,
/// and the limit of a download is that of all its attempts together. Ends that say of themselves that
/// they are final do not come here.
pub(super) fn delay_before_next(
    retries: &Retries,
    kind: JobKind,
    outcome: &Outcome,
    failed: u32,
) -> Option<Duration> {
    let allowed = match (kind, outcome) {
        (
            JobKind::Download,
            Outcome::Failed {
                phase: Phase::Download,
                ..
            }
            | Outcome::Crashed { .. },
        ) => retries.download,
        (JobKind::Benchmark | JobKind::Verify, Outcome::Crashed { .. }) => retries.crash,
        _ => 0,
    };
    if failed > allowed {
        return None;
    }
    Some(retries.pause_before(failed.saturating_add(1)).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRIES: Retries = Retries {
        download: 2,
        crash: 1,
        backoff: Duration::from_secs(1),
    };

    fn crashed() -> Outcome {
        Outcome::Crashed {
            phase: Phase::Load,
            signal: Some(11),
            exit_code: None,
            stderr_tail: String::new(),
        }
    }

    #[test]
    fn only_what_may_heal_is_done_again_and_each_wait_is_longer() {
        let refused = Outcome::Failed {
            phase: Phase::Download,
            reason: "no answer".into(),
        };
        let next =
            |kind, outcome: &Outcome, failed| delay_before_next(&RETRIES, kind, outcome, failed);
        let seconds = Duration::from_secs;
        assert_eq!(next(JobKind::Download, &refused, 1), Some(seconds(1)));
        assert_eq!(next(JobKind::Download, &refused, 2), Some(seconds(2)));
        assert_eq!(next(JobKind::Download, &refused, 3), None);
        assert_eq!(next(JobKind::Benchmark, &crashed(), 1), Some(seconds(1)));
        assert_eq!(next(JobKind::Benchmark, &crashed(), 2), None);
        let timed_out = Outcome::TimedOut {
            phase: Phase::Trial,
            limit_seconds: 1.0,
        };
        assert_eq!(next(JobKind::Benchmark, &timed_out, 1), None);
        let no_program = Outcome::Failed {
            phase: Phase::Spawn,
            reason: "no such file".into(),
        };
        assert_eq!(next(JobKind::Download, &no_program, 1), None);
        assert_eq!(next(JobKind::Download, &Outcome::Completed, 1), None);
    }

    #[test]
    fn a_wait_stays_within_bounds() {
        let many = Retries {
            download: u32::MAX,
            ..RETRIES
        };
        let failed = Outcome::Failed {
            phase: Phase::Download,
            reason: String::new(),
        };
        let delay = delay_before_next(&many, JobKind::Download, &failed, 200);
        assert_eq!(delay, Some(LONGEST));
    }
}
