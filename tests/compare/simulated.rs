//! A against A with simulated times: what the verdicts come to is known, because nothing differs.

use earmark::compare::{Rules, Verdict, compare_speed, halves};
use proptest::collection::vec;
use proptest::prelude::*;
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
    let rules = few_resamples();
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

fn few_resamples() -> Rules {
    Rules {
        resamples: 400,
        ..Rules::default()
    }
}

fn of(counts: &BTreeMap<Verdict, u32>, verdict: Verdict) -> u32 {
    counts.get(&verdict).copied().unwrap_or(0)
}

const COMPARISONS: u32 = 200;
/// So many that the share is known to within a point.
const MANY_COMPARISONS: u32 = 1000;

/// As long as a factor of two can be told: what is told beside the verdict grows with the noise.
#[test]
fn a_thing_is_the_same_as_itself_in_95_of_100() {
    for (per_side, noises) in [
        (3, &[0.01, 0.03, 0.10][..]),
        (6, &[0.01, 0.03, 0.10, 0.20][..]),
    ] {
        for &noise in noises {
            let machine = Machine {
                launches: noise,
                ..QUIET
            };
            let counts = verdicts(per_side, machine, 1.0, MANY_COMPARISONS);
            println!("{per_side} launches a side, deviation {noise}: {counts:?}");
            assert!(
                of(&counts, Verdict::Same) * 100 >= MANY_COMPARISONS * 95,
                "{per_side} launches, {noise}: {counts:?}"
            );
        }
    }
}

/// Three launches that differ by a fifth could not tell a factor of two in half of all comparisons, and
/// then say so; they call nothing better or worse for that.
#[test]
fn what_is_too_noisy_to_be_the_same_is_inconclusive() {
    let machine = Machine {
        launches: 0.20,
        ..QUIET
    };
    let counts = verdicts(3, machine, 1.0, MANY_COMPARISONS);
    println!("3 launches a side, deviation 0.2: {counts:?}");
    let unsure = of(&counts, Verdict::Inconclusive);
    assert!((350..650).contains(&unsure), "{counts:?}");
    let wrong = of(&counts, Verdict::Better) + of(&counts, Verdict::Worse);
    assert!(wrong * 100 <= MANY_COMPARISONS * 2, "{counts:?}");
}

/// That a verdict is `same` must not come of being blind: the resolution that stands beside it is about
/// as fine as the noise allows, and finer with more launches.
#[test]
fn the_resolution_follows_the_noise() {
    let resolution = |per_side: usize, launches_differ: f64| {
        let machine = Machine {
            launches: launches_differ,
            ..QUIET
        };
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let mut found: Vec<f64> = (0..COMPARISONS)
            .map(|_| {
                let sides = halves(&launches(2 * per_side, machine, &mut random));
                let speed = compare_speed(&sides.base, &sides.new, &few_resamples());
                speed.resolution.unwrap()
            })
            .collect();
        found.sort_by(f64::total_cmp);
        found[found.len() / 2]
    };
    // A quiet machine tells all that matters.
    assert!((resolution(6, 0.01) - 0.05).abs() < 1e-9);
    let (three, six) = (resolution(3, 0.10), resolution(6, 0.10));
    assert!((0.3..0.55).contains(&three), "{three}");
    assert!((0.15..0.3).contains(&six), "{six}");
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

/// Whatever the noise, a thing is hardly ever called better or worse than itself.
#[test]
fn noise_makes_comparisons_coarse_and_not_wrong() {
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

/// A slowdown by three tenths is seen on a machine on which launches differ by three in a hundred, and
/// one below the noise floor is not taken for one that is known.
#[test]
fn a_large_change_is_told_in_spite_of_some_noise() {
    let machine = Machine {
        launches: 0.03,
        ..QUIET
    };
    for per_side in [3, 6] {
        let counts = verdicts(per_side, machine, 1.30, COMPARISONS);
        println!("{per_side} launches a side, 30 % slower: {counts:?}");
        assert!(
            of(&counts, Verdict::Worse) * 100 >= COMPARISONS * 99,
            "{per_side} launches: {counts:?}"
        );
        let counts = verdicts(per_side, machine, 1.0 / 1.30, COMPARISONS);
        assert!(
            of(&counts, Verdict::Better) * 100 >= COMPARISONS * 99,
            "{per_side} launches: {counts:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whoever names the runs in the other order hears the same, turned around; and a verdict of
    /// `same` never stands on a change above its resolution, nor any other below it.
    #[test]
    fn swapping_the_sides_turns_the_verdict_around(
        base in vec(vec(0.2_f64..4.0, 1..6), 1..7),
        new in vec(vec(0.2_f64..4.0, 1..6), 1..7),
        scale in prop_oneof![Just(1.0), Just(0.0001), Just(1000.0)],
        change in 0.3_f64..3.0,
        evenly in any::<bool>(),
    ) {
        let scaled = |side: &[Vec<f64>], factor: f64| -> Vec<Vec<f64>> {
            let launch = |launch: &Vec<f64>| {
                launch.iter().map(|time| time * factor * scale).collect()
            };
            side.iter().map(launch).collect()
        };
        let base = scaled(&base, 1.0);
        // Half of them are one thing and the same, slower or faster by a factor alone.
        let new = if evenly { scaled(&base, change / scale) } else { scaled(&new, change) };
        let rules = Rules { resamples: 200, ..Rules::default() };
        let there = compare_speed(&base, &new, &rules);
        let back = compare_speed(&new, &base, &rules);
        let turned = match there.verdict {
            Verdict::Better => Verdict::Worse,
            Verdict::Worse => Verdict::Better,
            other => other,
        };
        prop_assert_eq!(back.verdict, turned, "{:?} {:?}", there, back);
        prop_assert_eq!(back.resolution, there.resolution);
        prop_assert_eq!(back.noise_floor, there.noise_floor);
        let near = |one: Option<f64>, other: Option<f64>| match (one, other) {
            (Some(one), Some(other)) => (one * other - 1.0).abs() < 1e-9,
            (one, other) => one == other,
        };
        prop_assert!(near(there.ratio_low, back.ratio_high), "{:?} {:?}", there, back);
        prop_assert!(near(there.ratio_high, back.ratio_low), "{:?} {:?}", there, back);
        let (Some(ratio), Some(resolution)) = (there.ratio, there.resolution) else {
            prop_assert_eq!(there.verdict, Verdict::Inconclusive);
            return Ok(());
        };
        let change = ratio.max(1.0 / ratio) - 1.0;
        match there.verdict {
            Verdict::Same => {
                prop_assert!(change <= resolution * (1.0 + 1e-9), "{:?}", there);
                // Beyond a factor of two only what takes less than a millisecond is the same.
                let shortest = there.base_seconds.unwrap().min(there.new_seconds.unwrap());
                let is_too_short = resolution * shortest < 0.001 + 1e-9;
                prop_assert!(resolution <= 1.0 || is_too_short, "{:?}", there);
            }
            Verdict::Better => prop_assert!(ratio < 1.0 && change > resolution * (1.0 - 1e-9)),
            Verdict::Worse => prop_assert!(ratio > 1.0 && change > resolution * (1.0 - 1e-9)),
            Verdict::Inconclusive | Verdict::NoData => {}
        }
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
