//! Change points: what is promised of them, on series that are simulated.

use earmark::history::{Least, Search, change_points, change_positions};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::ops::Range;

/// With fewer permutations, where what is found is not about their number.
const QUICK: Search = Search {
    significance: 0.025,
    fewest: 3,
};

/// Any change matters.
const ANY: Least = Least {
    relative: 0.0,
    absolute: 0.0,
};

/// Returns noise with the mean 0 and the standard deviation 1, about normal: the sum of twelve even
/// ones.
fn normal(random: &mut ChaCha8Rng) -> f64 {
    (0..12)
        .map(|_| f64::from(random.next_u32()) / f64::from(u32::MAX))
        .sum::<f64>()
        - 6.0
}

/// Returns a series of levels, each so long and so high, with noise on it.
fn series(seed: u64, levels: &[(usize, f64)]) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    levels
        .iter()
        .flat_map(|(length, level)| std::iter::repeat_n(*level, *length))
        .map(|level| level + normal(&mut random))
        .collect()
}

fn share(seeds: Range<u64>, mut holds: impl FnMut(u64) -> bool) -> f64 {
    let all = seeds.end - seeds.start;
    let those = seeds.filter(|seed| holds(*seed)).count();
    #[expect(clippy::cast_precision_loss, reason = "a thousand at most")]
    let share = those as f64 / all as f64;
    share
}

#[test]
fn noise_has_change_points_no_more_often_than_is_promised() {
    for length in [12, 40, 120] {
        let search = Search::default();
        let alarms = share(0..1000, |seed| {
            !change_positions(&series(seed, &[(length, 10.0)]), &search).is_empty()
        });
        // The expected number of 1,000 is 5 at most; more than 13 has a chance below one in a thousand.
        assert!(alarms <= 0.013, "{length} values: {alarms}");
    }
    // The promise is kept where another one is made, and where the noise is not normal.
    let search = Search {
        significance: 0.05,
        ..Search::default()
    };
    let alarms = share(0..1000, |seed| {
        let skewed: Vec<f64> = series(seed, &[(30, 0.0)]).iter().map(|v| v.exp()).collect();
        !change_positions(&skewed, &search).is_empty()
    });
    assert!((0.02..=0.075).contains(&alarms), "{alarms}");
}

#[test]
fn a_step_is_found_where_it_is_up_and_down() {
    for step in [6.0, -6.0, 12.0] {
        for at in [8, 20, 32] {
            let found = share(0..30, |seed| {
                let values = series(seed, &[(at, 100.0), (40 - at, 100.0 + step)]);
                let points = change_points(&values, &QUICK, &ANY);
                points.iter().any(|point| {
                    point.position.abs_diff(at) <= 1 && (point.after > point.before) == (step > 0.0)
                })
            });
            assert!(found >= 0.99, "{step} at {at}: {found}");
        }
    }
}

#[test]
fn a_change_is_seen_in_its_third_night() {
    let found = share(0..30, |seed| {
        let values = series(seed, &[(30, 100.0), (3, 110.0)]);
        let found = change_positions(&values, &Search::default());
        // The first of it alone is no level yet.
        found == [30] && change_positions(&values[..31], &Search::default()).is_empty()
    });
    assert!(found >= 0.9, "{found}");
}

#[test]
fn seven_before_and_seven_after_suffice() {
    let found = share(0..50, |seed| {
        let values = series(seed, &[(7, 100.0), (7, 120.0)]);
        change_positions(&values, &Search::default()) == [7]
    });
    assert!(found >= 0.99, "{found}");
}

#[test]
fn two_steps_are_two_also_where_the_second_undoes_the_first() {
    for lengths in [[20, 20, 20], [20, 12, 12], [30, 5, 15]] {
        for levels in [[100.0, 110.0, 120.0], [100.0, 110.0, 100.0]] {
            let found = share(0..25, |seed| {
                let steps = [0, 1, 2].map(|number| (lengths[number], levels[number]));
                let found = change_positions(&series(seed, &steps), &QUICK);
                let near = |at: usize| found.iter().any(|position| position.abs_diff(at) <= 1);
                // A division of a level without a change may be a false alarm, as is promised.
                near(lengths[0]) && near(lengths[0] + lengths[1]) && found.len() <= 3
            });
            assert!(found >= 0.96, "{lengths:?} {levels:?}: {found}");
        }
    }
}

#[test]
fn what_does_not_matter_is_left_out_and_what_matters_stays() {
    let five_percent = Least {
        relative: 0.05,
        absolute: 0.0,
    };
    let values = series(3, &[(20, 1000.0), (20, 1020.0), (20, 1200.0)]);
    assert_eq!(change_positions(&values, &Search::default()), [20, 40]);
    let points = change_points(&values, &Search::default(), &five_percent);
    assert_eq!(points.len(), 1);
    assert_eq!(points[0].position, 40);
    // What was left out belongs to the level before.
    assert!((points[0].before - 1010.0).abs() < 11.0, "{points:?}");
}

#[test]
fn one_night_that_is_far_off_is_no_change() {
    let mut values = series(4, &[(40, 100.0)]);
    values[39] = 1e6;
    assert!(change_positions(&values, &Search::default()).is_empty());
    values.swap(39, 17);
    assert!(change_positions(&values, &Search::default()).is_empty());
}

#[test]
fn what_is_constant_does_not_change_and_a_bare_step_is_one() {
    let search = Search::default();
    assert!(change_positions(&[], &search).is_empty());
    assert!(change_positions(&[0.1; 500], &search).is_empty());
    let step = [vec![0.1; 30], vec![0.2; 4]].concat();
    assert_eq!(change_positions(&step, &search), [30]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_unit_does_not_matter(
        seed in 0_u64..1000,
        step in -8.0..8.0_f64,
        scale in prop_oneof![Just(1024.0), Just(0.125), Just(-2.0)],
    ) {
        let values = series(seed, &[(15, 0.0), (15, step)]);
        let scaled: Vec<f64> = values.iter().map(|value| value * scale).collect();
        let search = Search::default();
        let found = change_positions(&values, &search);
        prop_assert_eq!(&change_positions(&values, &search), &found);
        prop_assert_eq!(&change_positions(&scaled, &search), &found);
    }
}
