use super::*;
use proptest::prelude::*;

fn resampling() -> Resampling {
    Resampling {
        resamples: 2000,
        seed: 7,
    }
}

fn counts(hits: u64, substitutions: u64) -> EditCounts {
    EditCounts {
        hits,
        substitutions,
        ..EditCounts::default()
    }
}

/// A number around a middle, from a generator that needs no seed.
fn noise(position: u32) -> f64 {
    (f64::from(position) * 0.618_034).fract() - 0.5
}

#[test]
fn equal_values_give_a_ratio_without_doubt() {
    let base = vec![vec![2.0; 6]];
    let new = vec![vec![3.0; 4], vec![3.0; 4], vec![3.0; 4]];
    let found = ratio_of_medians(&base, &new, resampling()).unwrap();
    assert_eq!((found.value, found.low, found.high), (1.5, 1.5, 1.5));
}

#[test]
fn too_few_values_and_times_that_are_none_give_nothing() {
    let enough = vec![vec![1.0; 6]];
    for wrong in [
        vec![vec![1.0; 5]],
        vec![vec![1.0, 1.0], vec![1.0, 1.0]],
        vec![vec![1.0, 1.0, 1.0, 1.0, 1.0, f64::NAN]],
        vec![vec![1.0, 1.0, 1.0, 1.0, 1.0, 0.0]],
        vec![],
        vec![vec![], vec![], vec![]],
    ] {
        assert_eq!(ratio_of_medians(&enough, &wrong, resampling()), None);
        assert_eq!(ratio_of_medians(&wrong, &enough, resampling()), None);
    }
    // Three launches are enough, however few trials they have.
    let launches = vec![vec![1.0], vec![1.1], vec![0.9]];
    assert!(ratio_of_medians(&enough, &launches, resampling()).is_some());
    assert_eq!(word_error_rate(&[counts(3, 1); 5], resampling()), None);
    let six = [counts(3, 1); 6];
    assert_eq!(
        word_error_rate_difference(&six, &six[..5], resampling()),
        None
    );
}

/// Where launches differ and their trials do not, more trials must not narrow the interval.
#[test]
fn launches_are_drawn_and_not_their_trials_alone() {
    let launches = |trials: usize| -> Vec<Vec<f64>> {
        [1.0, 1.1, 1.2, 1.3, 1.4]
            .iter()
            .map(|level| vec![*level; trials])
            .collect()
    };
    let base = vec![vec![1.0; 6]];
    let few = ratio_of_medians(&base, &launches(2), resampling()).unwrap();
    let many = ratio_of_medians(&base, &launches(50), resampling()).unwrap();
    assert!(many.high - many.low >= 0.19, "{many:?}");
    assert!((few.high - few.low - (many.high - many.low)).abs() < 0.11);
    // As one launch they would be sure of themselves.
    let pooled = ratio_of_medians(&base, &[launches(50).concat()], resampling()).unwrap();
    assert!(pooled.high - pooled.low < 0.15, "{pooled:?}");
}

/// The standard error of a proportion that is a mean of independent utterances is known.
#[test]
fn the_interval_of_an_error_rate_is_that_of_a_mean() {
    let utterances: Vec<EditCounts> = (0..400)
        .map(|position| {
            counts(
                9 + u64::from(position % 4 != 0),
                u64::from(position % 4 == 0),
            )
        })
        .collect();
    let found = word_error_rate(&utterances, Resampling::default()).unwrap();
    assert!((found.value - 0.025).abs() < 1e-12);
    // One word in ten is wrong in a quarter of them: deviation 0.1 · √(¼ · ¾ ÷ 400).
    let expected = 1.96 * 0.1 * (0.25_f64 * 0.75 / 400.0).sqrt();
    let half = (found.high - found.low) / 2.0;
    assert!((half / expected - 1.0).abs() < 0.05, "{half} {expected}");
}

#[test]
fn what_is_hard_for_both_does_not_widen_a_difference() {
    let base: Vec<EditCounts> = (0..100).map(|n| counts(20, n % 11)).collect();
    let mut new = base.clone();
    for counts in new.iter_mut().step_by(2) {
        counts.substitutions += 1;
        counts.hits -= 1;
    }
    let paired = word_error_rate_difference(&base, &new, Resampling::default()).unwrap();
    assert!(paired.low > 0.0, "{paired:?}");
    let alone = word_error_rate(&base, Resampling::default()).unwrap();
    assert!(
        paired.high - paired.low < (alone.high - alone.low) / 2.0,
        "{paired:?} {alone:?}"
    );
}

#[test]
fn the_same_seed_gives_the_same_interval_with_any_number_of_threads() {
    let base: Vec<Vec<f64>> = (0..5)
        .map(|launch| {
            (0..7)
                .map(|trial| 1.0 + 0.1 * noise(launch * 7 + trial))
                .collect()
        })
        .collect();
    let new: Vec<Vec<f64>> = base
        .iter()
        .map(|launch| launch.iter().map(|value| value * 1.25).collect())
        .collect();
    let together = ratio_of_medians(&base, &new, Resampling::default()).unwrap();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    let alone = pool.install(|| ratio_of_medians(&base, &new, Resampling::default()));
    assert_eq!(alone, Some(together));
    let other_seed = Resampling {
        seed: 2,
        ..Resampling::default()
    };
    let other = ratio_of_medians(&base, &new, other_seed).unwrap();
    assert_ne!(other, together);
    assert!(
        (other.low - together.low).abs() < 0.02,
        "{other:?} {together:?}"
    );
    // Known for good: whoever changes how is drawn changes every interval that was ever shown.
    assert_eq!(
        format!(
            "{:.6} {:.6} {:.6}",
            together.value, together.low, together.high
        ),
        "1.250000 1.220511 1.280308"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_value_lies_within_its_interval(
        levels in prop::collection::vec(prop::collection::vec(0.5_f64..2.0, 1..5), 3..7),
        factor in 0.5_f64..2.0,
    ) {
        let new: Vec<Vec<f64>> = levels
            .iter()
            .map(|launch| launch.iter().map(|value| value * factor).collect())
            .collect();
        let resampling = Resampling { resamples: 400, seed: 3 };
        let found = ratio_of_medians(&levels, &new, resampling).unwrap();
        prop_assert!((found.value / factor - 1.0).abs() < 1e-9);
        prop_assert!(found.low <= found.value * (1.0 + 1e-9));
        prop_assert!(found.value <= found.high * (1.0 + 1e-9));
        // Multiplied times give multiplied intervals: the unit of time does not matter.
        let thousandths: Vec<Vec<f64>> = new
            .iter()
            .map(|launch| launch.iter().map(|value| value * 1024.0).collect())
            .collect();
        let scaled = ratio_of_medians(&levels, &thousandths, resampling).unwrap();
        prop_assert!((scaled.low / found.low / 1024.0 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_difference_turns_around_with_its_sides(
        errors in prop::collection::vec((0_u64..9, 0_u64..9, 0_u64..30), 6..40),
    ) {
        let base: Vec<EditCounts> = errors.iter().map(|(one, _, hits)| counts(*hits, *one)).collect();
        let new: Vec<EditCounts> = errors.iter().map(|(_, other, hits)| counts(*hits, *other)).collect();
        let resampling = Resampling { resamples: 400, seed: 3 };
        let found = word_error_rate_difference(&base, &new, resampling).unwrap();
        let turned = word_error_rate_difference(&new, &base, resampling).unwrap();
        prop_assert!((found.value + turned.value).abs() < 1e-12);
        prop_assert!((found.low + turned.high).abs() < 1e-12);
        let same = word_error_rate_difference(&base, &base, resampling).unwrap();
        prop_assert_eq!((same.value, same.low, same.high), (0.0, 0.0, 0.0));
    }
}
