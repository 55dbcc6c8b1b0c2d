//! The energy statistic of every split of a series, in n log n.

/// The values of a segment, prepared so that every order of them can be split quickly: permuting a
/// segment changes where its values stand, and not which they are.
#[derive(Debug)]
pub(super) struct Energy {
    /// The values, sorted, less the least of them, so that large values with small differences lose
    /// nothing.
    sorted: Vec<f64>,
    /// Values that were seen, by rank.
    seen: Fenwick,
    /// For each position: the sum of the distances of all pairs before it.
    before: Vec<f64>,
}

/// So many ends are looked at.
const ENDS: usize = 8;

/// The best split of a segment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Split {
    /// How many values stand before it.
    pub(super) before: usize,
    /// Matteson and James' Q̂ there.
    pub(super) statistic: f64,
}

impl Energy {
    /// Prepares the values of a segment; returns the rank of each as well, in the order given.
    pub(super) fn of(values: &[f64]) -> (Self, Vec<usize>) {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|one, other| values[*one].total_cmp(&values[*other]));
        let mut ranks = vec![0; values.len()];
        for (rank, position) in order.iter().enumerate() {
            ranks[*position] = rank;
        }
        let least = order.first().map_or(0.0, |first| values[*first]);
        let sorted: Vec<f64> = order
            .iter()
            .map(|position| values[*position] - least)
            .collect();
        let energy = Self {
            seen: Fenwick::new(sorted.len()),
            before: vec![0.0; sorted.len() + 1],
            sorted,
        };
        (energy, ranks)
    }

    /// Returns the split with the largest statistic among those that leave `fewest` values on each
    /// side, for the values in an order that their ranks give; `None` if there is no such split.
    ///
    /// With m values x before the split and n values y from it to an end, the statistic is
    /// Q̂ = mn/(m+n) · (2/(mn) Σ|x−y| − Σ|x−x′|/C(m,2) − Σ|y−y′|/C(n,2)), each sum over unordered
    /// pairs. As in the paper it is the largest over splits and ends, so that a change which is undone
    /// later is not hidden by that; of the ends every eighth of the segment is looked at.
    pub(super) fn best_split(&mut self, ranks: &[usize], fewest: usize) -> Option<Split> {
        self.seen.clear();
        let mut pairs = 0.0;
        for (position, rank) in ranks.iter().enumerate() {
            pairs += self.see(*rank);
            self.before[position + 1] = pairs;
        }
        let mut best: Option<Split> = None;
        let mut last_end = 0;
        for eighth in 1..=ENDS {
            let end = ranks.len() * eighth / ENDS;
            if end < 2 * fewest || end == last_end {
                continue;
            }
            last_end = end;
            self.seen.clear();
            let mut after = 0.0;
            for position in (fewest..end).rev() {
                after += self.see(ranks[position]);
                if end - position < fewest {
                    continue;
                }
                let statistic = self.statistic(position, end, after);
                if best.is_none_or(|best| statistic > best.statistic) {
                    best = Some(Split {
                        before: position,
                        statistic,
                    });
                }
            }
        }
        best
    }

    /// Takes a value to those that were seen; returns the sum of its distances to them.
    fn see(&mut self, rank: usize) -> f64 {
        let value = self.sorted[rank];
        let distances = self.seen.distances(rank, value);
        self.seen.add(rank, value);
        distances
    }

    /// Returns Q̂ of a split and an end, given the sum over pairs between the two.
    fn statistic(&self, split: usize, end: usize, after: f64) -> f64 {
        let (m, n) = (count(split), count(end - split));
        let before = self.before[split];
        let across = self.before[end] - before - after;
        let mean_within = |sum: f64, size: f64| sum / (size * (size - 1.0) / 2.0);
        let energy = 2.0 * across / (m * n) - mean_within(before, m) - mean_within(after, n);
        m * n / (m + n) * energy
    }
}

#[expect(clippy::cast_precision_loss, reason = "series are short")]
fn count(number: usize) -> f64 {
    number as f64
}

/// Counts and sums of what was seen, by rank: a binary indexed tree (P. Fenwick, A New Data Structure
/// for Cumulative Frequency Tables, 1994).
#[derive(Debug)]
struct Fenwick {
    nodes: Vec<(f64, f64)>,
    /// How many were seen, and their sum.
    all: (f64, f64),
}

impl Fenwick {
    fn new(size: usize) -> Self {
        Self {
            nodes: vec![(0.0, 0.0); size + 1],
            all: (0.0, 0.0),
        }
    }

    fn clear(&mut self) {
        self.nodes.fill((0.0, 0.0));
        self.all = (0.0, 0.0);
    }

    fn add(&mut self, rank: usize, value: f64) {
        let mut node = rank + 1;
        while let Some((number, sum)) = self.nodes.get_mut(node) {
            *number += 1.0;
            *sum += value;
            node += node & node.wrapping_neg();
        }
        self.all.0 += 1.0;
        self.all.1 += value;
    }

    /// Returns the sum of the distances of a value to all that were seen.
    fn distances(&self, rank: usize, value: f64) -> f64 {
        let (mut number, mut sum) = (0.0, 0.0);
        let mut node = rank;
        while node > 0 {
            number += self.nodes[node].0;
            sum += self.nodes[node].1;
            node &= node - 1;
        }
        value * number - sum + (self.all.1 - sum) - value * (self.all.0 - number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, written down as it stands.
    fn plain(values: &[f64], fewest: usize) -> Option<Split> {
        let pairs = |group: &[f64]| {
            let mut sum = 0.0;
            for (position, one) in group.iter().enumerate() {
                for other in &group[position + 1..] {
                    sum += (one - other).abs();
                }
            }
            sum
        };
        let mut best: Option<Split> = None;
        for end in (1..=8).map(|eighth| values.len() * eighth / 8) {
            for before in fewest..=end.saturating_sub(fewest) {
                let (x, y) = values[..end].split_at(before);
                let (m, n) = (count(x.len()), count(y.len()));
                let across: f64 = x
                    .iter()
                    .flat_map(|one| y.iter().map(move |other| (one - other).abs()))
                    .sum();
                let energy = 2.0 / (m * n) * across
                    - pairs(x) / (m * (m - 1.0) / 2.0)
                    - pairs(y) / (n * (n - 1.0) / 2.0);
                let statistic = m * n / (m + n) * energy;
                if best.is_none_or(|best| statistic > best.statistic) {
                    best = Some(Split { before, statistic });
                }
            }
        }
        best
    }

    proptest! {
        #[test]
        fn the_quick_statistic_is_the_definition(
            values in prop::collection::vec(prop_oneof![-10.0..10.0, Just(1.0), Just(2.0)], 0..40),
            fewest in 2_usize..5,
        ) {
            let (mut energy, ranks) = Energy::of(&values);
            let quick = energy.best_split(&ranks, fewest);
            let slow = plain(&values, fewest);
            prop_assert_eq!(quick.is_some(), slow.is_some());
            if let (Some(quick), Some(slow)) = (quick, slow) {
                prop_assert!((quick.statistic - slow.statistic).abs() < 1e-9, "{:?} {:?}", quick, slow);
            }
        }
    }
}
