//! A against A: one benchmark's launches, dealt to two sides.

use super::noise::Noise;
use super::rules::{Rules, Verdict};
use super::speed::compare_speed;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// How many resamples stand behind each of many comparisons: their ends need not be exact.
const FEW_RESAMPLES: u32 = 1000;

/// The launches of one benchmark in two halves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Halves {
    /// Launches of the first side, as the times of their passes.
    pub base: Vec<Vec<f64>>,
    /// Launches of the second.
    pub new: Vec<Vec<f64>>,
}

/// Deals launches to two sides in the order in which they ran: one, two, two, one, and so on. What
/// drifts evenly falls on both alike.
#[must_use]
pub fn halves(launches: &[Vec<f64>]) -> Halves {
    let mut halves = Halves::default();
    for (position, launch) in launches.iter().enumerate() {
        let side = match position % 4 {
            0 | 3 => &mut halves.base,
            _ => &mut halves.new,
        };
        side.push(launch.clone());
    }
    halves
}

/// What comparisons of a benchmark with itself come to, with so many launches a side.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Resplit {
    /// Launches on each side.
    pub launches: usize,
    /// Comparisons that were made.
    pub comparisons: usize,
    /// How many of them came to each verdict.
    pub verdicts: BTreeMap<Verdict, usize>,
    /// The noise floor in half of the comparisons or more, as a share.
    pub noise_floor: Option<f64>,
    /// The change, as a share, that four of five comparisons would tell.
    pub visible_change: Option<f64>,
}

/// Deals some of the launches of a benchmark to two sides at random, many times, and compares them:
/// what a comparison of two runs with so many launches would say here of one and the same thing.
/// The comparisons share their launches, so this is less than as many runs would tell. `None` with
/// fewer launches than that takes.
#[must_use]
pub fn resplits(
    launches: &[Vec<f64>],
    per_side: usize,
    comparisons: u32,
    rules: &Rules,
) -> Option<Resplit> {
    if per_side == 0 || launches.len() < 2 * per_side {
        return None;
    }
    let rules = Rules {
        resamples: FEW_RESAMPLES,
        ..*rules
    };
    let found: Vec<(Verdict, Option<Noise>)> = (0..comparisons)
        .into_par_iter()
        .map(|number| {
            let mut random = ChaCha8Rng::seed_from_u64(rules.seed);
            random.set_stream(number.into());
            let drawn = drawn(launches, 2 * per_side, &mut random);
            let (base, new) = drawn.split_at(per_side);
            let speed = compare_speed(base, new, &rules);
            (speed.verdict, Noise::of(base, new))
        })
        .collect();
    let mut verdicts = BTreeMap::new();
    for (verdict, _) in &found {
        *verdicts.entry(*verdict).or_default() += 1;
    }
    let middle = |field: fn(&Noise) -> f64| {
        let values: Vec<f64> = found
            .iter()
            .filter_map(|(_, noise)| noise.as_ref().map(field))
            .collect();
        crate::score::statistics::median(&values)
    };
    Some(Resplit {
        launches: per_side,
        comparisons: found.len(),
        verdicts,
        noise_floor: middle(|noise| noise.floor),
        visible_change: middle(|noise| noise.visible).map(|share| share.max(rules.minimum_effect)),
    })
}

/// Draws some launches, each at most once, in random order.
fn drawn(launches: &[Vec<f64>], count: usize, random: &mut ChaCha8Rng) -> Vec<Vec<f64>> {
    let mut positions: Vec<usize> = (0..launches.len()).collect();
    for place in 0..count.min(positions.len()) {
        let left = u64::try_from(positions.len() - place).unwrap_or(1);
        let step = usize::try_from(random.next_u64() % left).unwrap_or(0);
        positions.swap(place, place + step);
    }
    positions
        .into_iter()
        .take(count)
        .map(|position| launches[position].clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_drift_falls_on_both_sides_alike() {
        let launches: Vec<Vec<f64>> = (0..12).map(|number| vec![f64::from(number)]).collect();
        let halves = halves(&launches);
        let sum = |side: &[Vec<f64>]| side.concat().iter().sum::<f64>();
        assert_eq!(halves.base.len(), 6);
        assert!((sum(&halves.base) - sum(&halves.new)).abs() < 1e-12);
    }

    #[test]
    fn every_draw_is_of_other_launches() {
        let launches: Vec<Vec<f64>> = (1..=9).map(|number| vec![f64::from(number)]).collect();
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..50 {
            let mut drawn = drawn(&launches, 6, &mut random).concat();
            drawn.sort_by(f64::total_cmp);
            drawn.dedup();
            assert_eq!(drawn.len(), 6);
        }
        assert_eq!(resplits(&launches, 5, 10, &Rules::default()), None);
        let found = resplits(&launches, 3, 40, &Rules::default()).unwrap();
        assert_eq!(found.verdicts.values().sum::<usize>(), 40);
        // Numbers from one to nine are the noisiest benchmark there is: nobody can tell.
        assert!(found.noise_floor.unwrap() > 1.0, "{found:?}");
        let told = [Verdict::Better, Verdict::Worse].map(|one| found.verdicts.get(&one).copied());
        assert!(told.into_iter().flatten().sum::<usize>() <= 2, "{found:?}");
    }
}
