use super::*;
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const RULE: Adaptive = Adaptive {
    min: 6,
    max: 30,
    until_percent: 2.0,
};

/// A launch of six trials around a time, within a share of it.
fn launch(center: f64, share: f64) -> Vec<f64> {
    [-1.0, -0.5, -0.1, 0.1, 0.5, 1.0]
        .map(|part| center * (1.0 + share * part))
        .to_vec()
}

#[test]
fn a_quiet_row_stops_at_the_least_and_a_noisy_one_goes_to_the_most() {
    let quiet = judge(&RULE, 1, &[launch(1.0, 0.019)]);
    assert_eq!((quiet.launches, quiet.trials), (1, 6));
    assert_eq!(quiet.decision, RepeatDecision::NarrowEnough);
    assert!((quiet.half_width_percent.unwrap() - 1.9).abs() < 1e-9);
    let mut done = Vec::new();
    let mut decisions = Vec::new();
    for _ in 0..5 {
        done.push(launch(1.0, 0.2));
        decisions.push(judge(&RULE, 1, &done).decision);
    }
    let mut expected = vec![RepeatDecision::GoOn; 4];
    expected.push(RepeatDecision::MaximumReached);
    assert_eq!(decisions, expected);
}

#[test]
fn launches_that_differ_keep_a_row_going_however_alike_their_trials_are() {
    for launches in 2..=8 {
        let apart: Vec<Vec<f64>> = (0..launches)
            .map(|number| launch(if number == 0 { 1.2 } else { 1.0 }, 0.001))
            .collect();
        let alike = vec![launch(1.0, 0.001); launches];
        let wide = Adaptive { max: 600, ..RULE };
        let narrow = RepeatDecision::NarrowEnough;
        assert_eq!(judge(&wide, 1, &alike).decision, narrow, "{launches}");
        // From nine launches on one that is apart lies outside of the interval.
        assert_eq!(
            judge(&wide, 1, &apart).decision,
            RepeatDecision::GoOn,
            "{launches}"
        );
    }
}

#[test]
fn a_set_has_the_least_number_of_trials_and_none_goes_past_the_most() {
    let in_launch = |launches| RULE.trials_in_launch(launches);
    assert_eq!([1, 2, 3, 4, 6, 7].map(in_launch), [6, 3, 2, 2, 1, 1]);
    assert_eq!(
        [1, 2, 4, 7, 30, 31].map(|l| RULE.most_sets(l)),
        [5, 5, 3, 4, 1, 0]
    );
}

#[test]
fn what_was_not_measured_decides_nothing() {
    assert_eq!(judge(&RULE, 1, &[vec![0.0; 6]]).half_width_percent, None);
    assert_eq!(
        judge(&RULE, 1, &[vec![f64::NAN; 6]]).decision,
        RepeatDecision::GoOn
    );
    assert_eq!(judge(&RULE, 1, &[vec![1.0; 5]]).half_width_percent, None);
    assert_eq!(judge(&RULE, 1, &[]).decision, RepeatDecision::GoOn);
}

#[test]
fn trials_of_several_recordings_are_one_pass() {
    let trials = [(0, 1, 1.0), (0, 1, 2.0), (0, 2, 4.0), (1, 1, 8.0)];
    assert_eq!(passes(trials), [vec![3.0, 4.0], vec![8.0]]);
}

proptest! {
    /// However times fall, the looks are at whole sets from the least to the most, the first narrow one
    /// ends it, and the same trials give the same.
    #[test]
    fn every_row_ends_between_the_least_and_the_most(
        times in proptest::collection::vec(0.5f64..2.0, 64),
        spread in 0.0f64..0.5,
        set in 1u32..8,
        (min, max) in (6u32..12).prop_flat_map(|min| (Just(min), min..48)),
        until_percent in 0.5f64..20.0,
    ) {
        let rule = Adaptive { min, max, until_percent };
        prop_assume!(rule.most_sets(set) > 0);
        let in_launch = rule.trials_in_launch(set) as usize;
        let mut times = times.iter().cycle().map(|time| 1.0 + spread * (time - 1.0));
        let mut done: Vec<Vec<f64>> = Vec::new();
        let mut sets = 0;
        let last = loop {
            for _ in 0..set {
                done.push(times.by_ref().take(in_launch).collect());
            }
            sets += 1;
            let look = judge(&rule, set, &done);
            prop_assert_eq!(look, judge(&rule, set, &done));
            prop_assert_eq!(look.trials as usize, done.iter().map(Vec::len).sum::<usize>());
            if look.decision.stops() {
                break look;
            }
            prop_assert!(look.half_width_percent.is_none_or(|percent| percent > until_percent));
        };
        prop_assert!(last.trials >= min && last.trials <= max, "{last:?}");
        prop_assert!(sets <= rule.most_sets(set));
        let is_narrow = last.half_width_percent.is_some_and(|percent| percent <= until_percent);
        let decision = if is_narrow {
            RepeatDecision::NarrowEnough
        } else {
            prop_assert_eq!(sets, rule.most_sets(set));
            RepeatDecision::MaximumReached
        };
        prop_assert_eq!(last.decision, decision);
    }

    /// What decides is never narrower than what the row shows.
    #[test]
    fn a_row_that_stopped_shows_an_interval_that_is_narrow_enough(
        launches in proptest::collection::vec(
            proptest::collection::vec(0.9f64..1.1, 6), 1..10,
        ),
    ) {
        let shown = by_launch(&launches).map(|summary| summary.interval);
        let shown = shown.or_else(|| median_interval(&launches.concat())).unwrap();
        let center = median(&launches.concat()).unwrap();
        let shown = shown.holding(center);
        let shown = (shown.high - shown.low) / 2.0 / center;
        prop_assert!(half_width(&launches).unwrap() >= shown);
    }

    #[test]
    fn the_text_of_a_rule_gives_the_rule_again(
        (min, max) in (6u32..100, 100u32..10_000),
        hundredths in 1u32..10_000,
    ) {
        let rule = Adaptive { min, max, until_percent: f64::from(hundredths) / 100.0 };
        prop_assert_eq!(Adaptive::parse(&rule.to_string()), Some(rule));
    }
}

/// A number from a normal distribution, by the sum of twelve equal ones.
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let uniform = |random: &mut ChaCha8Rng| f64::from(random.next_u32()) / f64::from(u32::MAX);
    (0..12).map(|_| uniform(random)).sum::<f64>() - 6.0
}

/// How often rows stop early, and how often the interval that decided covers the true median, over
/// many rows whose launches and trials vary by some share.
fn simulate(set: u32, (trials, between): (f64, f64)) -> (f64, f64) {
    const ROWS: u32 = 2000;
    let mut random = ChaCha8Rng::seed_from_u64(8);
    let (mut stopped, mut covering) = (0, 0);
    for _ in 0..ROWS {
        let mut done: Vec<Vec<f64>> = Vec::new();
        let look = loop {
            for _ in 0..set {
                let center = 1.0 + between * normal(&mut random);
                let in_launch = RULE.trials_in_launch(set);
                done.push(
                    (0..in_launch)
                        .map(|_| center * (1.0 + trials * normal(&mut random)))
                        .collect(),
                );
            }
            let look = judge(&RULE, set, &done);
            if look.decision.stops() {
                break look;
            }
        };
        let (low, high) = interval(&done, &done.concat()).unwrap();
        covering += u32::from((low..=high).contains(&1.0));
        stopped += u32::from(look.decision == RepeatDecision::NarrowEnough);
    }
    (
        f64::from(stopped) / f64::from(ROWS),
        f64::from(covering) / f64::from(ROWS),
    )
}

/// What the documentation says of the price of looking again.
#[test]
fn intervals_at_which_rows_stop_cover_nearly_as_often_as_they_say() {
    for (set, spread) in [
        (1, (0.01, 0.0)),
        (1, (0.02, 0.0)),
        (1, (0.04, 0.0)),
        (3, (0.02, 0.0)),
        (6, (0.02, 0.0)),
        (6, (0.02, 0.01)),
        (6, (0.01, 0.02)),
    ] {
        let (stopped, covering) = simulate(set, spread);
        assert!(covering > 0.93, "{set} {spread:?}: {covering} of {stopped}");
    }
    // And of processes that differ, where there are too few of them to see it.
    let (stopped, covering) = simulate(1, (0.01, 0.02));
    assert!(stopped > 0.9 && covering < 0.6, "{covering} of {stopped}");
}
