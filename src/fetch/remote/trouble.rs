//! What keeps a request from its end, and how long it is tried again.

use super::pace;
use crate::fetch::failure::Failure;
use crate::fetch::request::{Limits, Teller, Told};
use crate::model::units::show_seconds;
use std::time::Duration;

/// Tries in a row that brought nothing, after which a transfer is given up. One that brings
/// something may be cut as often as it likes, until its time is over.
const TRIES: u32 = 3;

/// The pause after the first of them; it doubles.
const PAUSE: Duration = Duration::from_millis(250);

/// What kept a request from its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) failure: Failure,
    /// How long the server asks us to wait.
    pub(super) wait: Option<Duration>,
}

impl Trouble {
    /// What trying again would not mend.
    pub(super) fn lasting(reason: impl Into<String>) -> Self {
        Self {
            failure: Failure::lasting(reason),
            wait: None,
        }
    }

    /// What may pass by itself.
    pub(super) fn passing(reason: impl Into<String>) -> Self {
        Self {
            failure: Failure::passing(reason),
            wait: None,
        }
    }

    /// The same, with what it happened to put before it.
    pub(super) fn of(mut self, what: &str) -> Self {
        self.failure.reason = format!("{what}: {}", self.failure.reason);
        self
    }
}

/// How much longer something is tried.
#[derive(Debug, Default)]
pub(super) struct Patience {
    in_vain: u32,
}

impl Patience {
    /// Waits after trouble, if it is worth it. `progressed` says whether the try brought something.
    ///
    /// # Errors
    ///
    /// Returns the failure if there is nothing to wait for.
    pub(super) async fn after(
        &mut self,
        trouble: Trouble,
        progressed: bool,
        limits: &Limits,
        tell: &Teller,
    ) -> Result<(), Failure> {
        let pause = self.pause(trouble, progressed, pace::remaining(limits))?;
        if let Some(note) = pause.1 {
            tell(Told::Note(note));
        }
        pace::sleep(limits, pause.0).await;
        Ok(())
    }

    fn pause(
        &mut self,
        trouble: Trouble,
        progressed: bool,
        remaining: Duration,
    ) -> Result<(Duration, Option<String>), Failure> {
        if !trouble.failure.may_heal {
            return Err(trouble.failure);
        }
        self.in_vain = if progressed { 0 } else { self.in_vain + 1 };
        if self.in_vain >= TRIES {
            return Err(trouble.failure);
        }
        let reason = &trouble.failure.reason;
        if let Some(wait) = trouble.wait
            && wait >= remaining
        {
            return Err(Failure::lasting(format!(
                "{reason}; it asks us to come back in {}, and the limit of this download is over \
                 before: raise `deadlines.download.total`, or try later",
                show_seconds(wait.as_secs_f64())
            )));
        }
        let pause = trouble
            .wait
            .unwrap_or_else(|| PAUSE.saturating_mul(1 << self.in_vain));
        Ok((pause, Some(format!("{reason}; once more"))))
    }
}

/// Does something until it goes well, or is not worth trying any more.
///
/// # Errors
///
/// Returns the last failure.
pub(super) async fn persistently<T, F>(
    limits: &Limits,
    tell: &Teller,
    mut work: impl FnMut() -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Trouble>>,
{
    let mut patience = Patience::default();
    loop {
        match work().await {
            Ok(done) => return Ok(done),
            Err(trouble) => patience.after(trouble, false, limits, tell).await?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_hours(1);

    #[test]
    fn progress_restores_patience_and_what_lasts_has_none() {
        let mut patience = Patience::default();
        let cut = || Trouble::passing("cut");
        let pauses: Vec<u128> = [false, false, true, false, false]
            .into_iter()
            .map(|progressed| {
                let pause = patience.pause(cut(), progressed, LONG).unwrap();
                pause.0.as_millis()
            })
            .collect();
        assert_eq!(pauses, [500, 1000, 250, 500, 1000]);
        assert!(patience.pause(cut(), false, LONG).unwrap_err().may_heal);
        let refused = Trouble::lasting("no");
        assert_eq!(
            Patience::default().pause(refused, true, LONG),
            Err(Failure::lasting("no"))
        );
    }

    #[test]
    fn a_wait_that_ends_too_late_is_not_begun() {
        let asked = |seconds| Trouble {
            wait: Some(Duration::from_secs(seconds)),
            ..Trouble::passing("429")
        };
        let pause = |seconds| Patience::default().pause(asked(seconds), false, LONG);
        assert_eq!(pause(30).unwrap().0, Duration::from_secs(30));
        let late = pause(3600).unwrap_err();
        assert!(!late.may_heal && late.reason.contains("download.total"));
    }
}
