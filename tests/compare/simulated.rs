//! A against A with simulated times: what the verdicts come to is known, because nothing differs.

use earmark::compare::{Rules, Verdict, compare_speed, halves};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::BTreeMap;

/// How a simulated machine behaves; shares of the time.
#[derive(Clone, Copy, Debug)]
struct Machine {
    /// Standard deviation of what a launch has by itself.
    launches: f64,
    /// Standard deviation of a trial within its launch.
    trials: f64,
    /// How much slower the last launch is than the first.
    drift: f64,
    /// How many launches of a hundred take half as long again.
    hiccups: f64,
}

const QUIET: Machine = Machine {
    launches: 0.01,
    trials: 0.01,
    drift: 0.0,
    hiccups: 0.0,
};

/// A number from 0 to 1, without either.
fn uniform(random: &mut ChaCha8Rng) -> f64 {
    (f64::from(random.next_u32()) + 0.5) / 2.0_f64.powi(32)
}

/// A number with the standard normal distribution, by Box and Muller.
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * uniform(random).ln()).sqrt();
    radius * (std::f64::consts::TAU * uniform(random)).cos()
}

/// Launches of one thing in the order in which they run: log-normal launches, log-normal trials.
fn launches(count: usize, machine: Machine, random: &mut ChaCha8Rng) -> Vec<Vec<f64>> {
    #[expect(clippy::cast_precision_loss, reason = "a few launches")]
    let place = |launch: usize| launch as f64 / count as f64;
    (0..count)
        .map(|launch| {
            let mut level = machine.launches * normal(random) + machine.drift * place(launch);
            if uniform(random) * 100.0 < machine.hiccups {
                level += 0.4;
            }
            let mut trial = |_| (level + machine.trials * normal(random)).exp();
            (0..5).map(&mut trial).collect()
        })
        .collect()
}

/// Verdicts on many comparisons of one thing with itself, as `earmark calibrate` makes them; the
/// second side takes `change` times as long.
fn verdicts(
    per_side: usize,
    machine: Machine,
    change: f64,
    comparisons: u32,
) -> BTreeMap<Verdict, u32> {
    let rules = Rules {
        resamples: 400,
        ..Rules::default()
    };
    let mut random = ChaCha8Rng::seed_from_u64(2026);
    let mut counts = BTreeMap::new();
    for _ in 0..comparisons {
        let mut sides = halves(&launches(2 * per_side, machine, &mut random));
        for time in sides.new.iter_mut().flatten() {
            *time *= change;
        }
        let verdict = compare_speed(&sides.base, &sides.new, &rules).verdict;
        *counts.entry(verdict).or_default() += 1;
    }
    counts
}

fn of(counts: &BTreeMap<Verdict, u32>, verdict: Verdict) -> u32 {
    counts.get(&verdict).copied().unwrap_or(0)
}

const COMPARISONS: u32 = 200;

#[test]
fn a_thing_is_the_same_as_itself_in_95_of_100() {
    for (per_side, noise) in [
        (3, 0.005),
        (3, 0.01),
        (3, 0.02),
        (5, 0.02),
        (5, 0.03),
        (6, 0.02),
        (6, 0.03),
    ] {
        let machine = Machine {
            launches: noise,
            ..QUIET
        };
        let counts = verdicts(per_side, machine, 1.0, COMPARISONS);
        assert!(
            of(&counts, Verdict::Same) * 100 >= COMPARISONS * 95,
            "{per_side} launches, {noise}: {counts:?}"
        );
    }
}

#[test]
fn drift_that_falls_on_both_sides_alike_changes_nothing() {
    let machine = Machine {
        drift: 0.05,
        ..QUIET
    };
    for per_side in [3, 5, 6] {
        let counts = verdicts(per_side, machine, 1.0, COMPARISONS);
        assert!(
            of(&counts, Verdict::Same) * 100 >= COMPARISONS * 95,
            "{per_side} launches: {counts:?}"
        );
    }
}

/// Whatever the noise, a thing is hardly ever called better or worse than itself: what cannot be
/// told is inconclusive.
#[test]
fn noise_makes_comparisons_inconclusive_and_not_wrong() {
    for (per_side, launches, hiccups) in [
        (3, 0.05, 0.0),
        (3, 0.2, 0.0),
        (3, 0.01, 20.0),
        (5, 0.05, 0.0),
        (5, 0.01, 20.0),
        (6, 0.1, 0.0),
        (6, 0.01, 20.0),
    ] {
        let machine = Machine {
            launches,
            hiccups,
            ..QUIET
        };
        let counts = verdicts(per_side, machine, 1.0, COMPARISONS);
        let wrong = of(&counts, Verdict::Better) + of(&counts, Verdict::Worse);
        assert!(
            wrong * 100 <= COMPARISONS * 5,
            "{per_side} launches, {launches}, {hiccups}: {counts:?}"
        );
    }
    let wild = Machine {
        launches: 0.2,
        ..QUIET
    };
    let counts = verdicts(6, wild, 1.0, COMPARISONS);
    assert!(of(&counts, Verdict::Same) == 0, "{counts:?}");
}

/// A check that cannot fail is none: what changed is told.
#[test]
fn a_change_is_told() {
    for per_side in [3, 5, 6] {
        let counts = verdicts(per_side, QUIET, 1.10, COMPARISONS);
        assert!(
            of(&counts, Verdict::Worse) * 100 >= COMPARISONS * 90,
            "{per_side} launches: {counts:?}"
        );
        let counts = verdicts(per_side, QUIET, 0.9, COMPARISONS);
        assert!(
            of(&counts, Verdict::Better) * 100 >= COMPARISONS * 90,
            "{per_side} launches: {counts:?}"
        );
    }
}

/// The change that calibration calls visible is told about four times in five.
#[test]
fn what_is_called_visible_is_seen() {
    let machine = Machine {
        launches: 0.025,
        ..QUIET
    };
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let many = launches(40, machine, &mut random);
    let found = earmark::compare::resplits(&many, 5, 100, &Rules::default()).unwrap();
    let visible = found.visible_change.unwrap();
    assert!((0.05..0.12).contains(&visible), "{visible}");
    let counts = verdicts(5, machine, 1.0 + visible, COMPARISONS);
    let told = of(&counts, Verdict::Worse) * 100 / COMPARISONS;
    assert!((65..=95).contains(&told), "{visible}: {counts:?}");
}
