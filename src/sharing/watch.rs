//! Watching a lease of somebody else by one's own clock. Pure: what was read and the time go in.

use super::holder::Holder;
use std::time::Duration;

/// A holder may miss so many renewals before its lease may be taken over, however short the
/// patience of whoever watches.
const RENEWALS_TO_MISS: u32 = 6;

/// What a look at a lease comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Nobody holds it.
    Free,
    /// Somebody does.
    Held {
        /// Who.
        holder: Holder,
        /// It was renewed while it was watched, or its process is surely there.
        is_renewed: bool,
    },
    /// Whoever held it is gone, or has not renewed it for so long.
    Abandoned {
        /// Who held it.
        holder: Holder,
        /// How long it was watched without a renewal; `None` if its process is surely gone.
        unchanged: Option<Duration>,
    },
}

/// Watches one lease.
#[derive(Debug)]
pub struct Watch {
    patience: Duration,
    seen: Option<Seen>,
}

#[derive(Debug)]
struct Seen {
    token: String,
    renewals: u64,
    /// On the clock of whoever watches.
    since: Duration,
    is_renewed: bool,
}

impl Watch {
    /// Begins to watch; `patience` is how long a lease may stay as it is.
    #[must_use]
    pub const fn new(patience: Duration) -> Self {
        Self {
            patience,
            seen: None,
        }
    }

    /// Takes in what was read of the lease, at a time on one's own clock.
    pub fn see(&mut self, found: Option<Holder>, now: Duration) -> Sight {
        let Some(holder) = found else {
            self.seen = None;
            return Sight::Free;
        };
        if holder.is_gone() {
            return Sight::Abandoned {
                holder,
                unchanged: None,
            };
        }
        let same_holding = (self.seen.as_ref()).is_some_and(|seen| seen.token == holder.token);
        let unchanged_since = (self.seen.as_ref())
            .filter(|seen| same_holding && seen.renewals == holder.renewals)
            .map(|seen| seen.since);
        let Some(since) = unchanged_since else {
            self.seen = Some(Seen {
                token: holder.token.clone(),
                renewals: holder.renewals,
                since: now,
                is_renewed: same_holding,
            });
            return Sight::Held {
                is_renewed: same_holding || holder.is_there(),
                holder,
            };
        };
        let unchanged = now.saturating_sub(since);
        let renewal = Duration::from_millis(holder.renewed_every_milliseconds);
        let patience = self.patience.max(renewal.saturating_mul(RENEWALS_TO_MISS));
        if unchanged >= patience {
            Sight::Abandoned {
                holder,
                unchanged: Some(unchanged),
            }
        } else {
            let was_renewed = self.seen.as_ref().is_some_and(|seen| seen.is_renewed);
            Sight::Held {
                is_renewed: was_renewed || holder.is_there(),
                holder,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn holder(token: &str, renewals: u64) -> Holder {
        Holder {
            host: "elsewhere".into(),
            process: 7,
            token: token.into(),
            renewals,
            ..Holder::default()
        }
    }

    fn seconds(number: u64) -> Duration {
        Duration::from_secs(number)
    }

    #[test]
    fn only_what_stays_as_it_is_for_long_enough_is_abandoned() {
        let mut watch = Watch::new(seconds(10));
        let held = |sight: &Sight| matches!(sight, Sight::Held { .. });
        assert_eq!(watch.see(None, seconds(0)), Sight::Free);
        assert!(held(&watch.see(Some(holder("a", 1)), seconds(100))));
        assert!(held(&watch.see(Some(holder("a", 1)), seconds(109))));
        // Renewed, and so begun to be watched anew; then given to another.
        assert_eq!(
            watch.see(Some(holder("a", 2)), seconds(110)),
            Sight::Held {
                holder: holder("a", 2),
                is_renewed: true
            }
        );
        assert!(held(&watch.see(Some(holder("b", 2)), seconds(119))));
        assert!(held(&watch.see(Some(holder("b", 2)), seconds(128))));
        assert_eq!(
            watch.see(Some(holder("b", 2)), seconds(129)),
            Sight::Abandoned {
                holder: holder("b", 2),
                unchanged: Some(seconds(10))
            }
        );
    }

    #[test]
    fn a_holder_that_renews_seldom_is_given_the_time_it_needs() {
        let mut watch = Watch::new(seconds(1));
        let slow = Holder {
            renewed_every_milliseconds: 10_000,
            ..holder("a", 0)
        };
        watch.see(Some(slow.clone()), seconds(0));
        assert!(matches!(
            watch.see(Some(slow.clone()), seconds(59)),
            Sight::Held { .. }
        ));
        assert!(matches!(
            watch.see(Some(slow), seconds(60)),
            Sight::Abandoned { .. }
        ));
    }

    proptest! {
        /// Whatever its clock shows, however far apart it looks: who renews in time is never given up,
        /// and who does not is given up after the patience and never before.
        #[test]
        fn patience_is_counted_from_the_last_change_that_was_seen(
            start in 0..1_000_000_u64,
            steps in proptest::collection::vec((1..20_u64, any::<bool>()), 1..60),
        ) {
            let patience = 30;
            let mut watch = Watch::new(seconds(patience));
            let (mut now, mut renewals, mut last_change) = (start, 0, None);
            for (step, renews) in steps {
                now += step;
                if renews || last_change.is_none() {
                    renewals += 1;
                    last_change = Some(now);
                }
                let sight = watch.see(Some(holder("a", renewals)), seconds(now));
                let unchanged = now - last_change.unwrap();
                prop_assert_eq!(
                    matches!(sight, Sight::Abandoned { .. }),
                    unchanged >= patience,
                    "{:?} after {}", sight, unchanged
                );
            }
        }
    }
}
