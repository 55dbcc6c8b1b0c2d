//! Where a number that has no noise took another step.
//!
//! An error rate is a function of texts alone: where an engine gives the same texts every night, its rate
//! is the same to the last digit, and any other one is news at once. A test that has to tell a change
//! from noise waits for a third night and asks for many nights before it; so this stands beside E-divisive,
//! for error rates only, and finds nothing in a series that was not constant from its beginning.

use super::change_points::{ChangePoint, Search, change_positions, points_at};
use super::least::Least;
use super::metric::Metric;

/// How often another value has to be there before it is a level: once may be a mishap.
const FEWEST_OF_ANOTHER: usize = 2;

/// Returns the changes of a metric that are large enough to matter, in order: those that E-divisive finds
/// and, of error rates, those that need no test.
#[must_use]
pub fn changes_of(
    metric: Metric,
    values: &[f64],
    search: &Search,
    least: &Least,
) -> Vec<ChangePoint> {
    let mut positions = if metric.is_share() {
        steps(values, search.fewest)
    } else {
        Vec::new()
    };
    // What lies between two steps is searched by itself.
    let ends: Vec<usize> = positions.iter().copied().chain([values.len()]).collect();
    let mut start = 0;
    for end in ends {
        let found = change_positions(&values[start..end], search);
        positions.extend(found.into_iter().map(|position| start + position));
        start = end;
    }
    positions.sort_unstable();
    points_at(values, positions, least)
}

/// Returns the positions at which a series that was constant became constant on another level: after
/// `fewest` equal values from its beginning on, and then after each level.
fn steps(values: &[f64], fewest: usize) -> Vec<usize> {
    let mut found = Vec::new();
    let (mut position, mut wanted) = (0, fewest);
    for run in values.chunk_by(|one, other| one.total_cmp(other).is_eq()) {
        if run.len() < wanted {
            break;
        }
        if position > 0 {
            found.push(position);
        }
        position += run.len();
        wanted = FEWEST_OF_ANOTHER;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nights(levels: &[(usize, f64)]) -> Vec<f64> {
        let of = |(count, level): &(usize, f64)| vec![*level; *count];
        levels.iter().flat_map(of).collect()
    }

    fn positions(metric: Metric, levels: &[(usize, f64)]) -> Vec<usize> {
        changes_of(metric, &nights(levels), &Search::default(), &metric.least())
            .iter()
            .map(|point| point.position)
            .collect()
    }

    #[test]
    fn an_error_rate_that_was_constant_needs_no_test() {
        assert_eq!(positions(Metric::Wer, &[(3, 0.0), (2, 0.86)]), [3]);
        // One night may be a mishap, and too few nights are no level.
        assert!(positions(Metric::Wer, &[(7, 0.0), (1, 0.86)]).is_empty());
        assert!(positions(Metric::Wer, &[(2, 0.0), (2, 0.86)]).is_empty());
        // It stays where it is, and so does what follows.
        assert_eq!(positions(Metric::Wer, &[(7, 0.0), (9, 0.86)]), [7]);
        assert_eq!(
            positions(Metric::Wer, &[(7, 0.0), (9, 0.86), (2, 0.0)]),
            [7, 16]
        );
        // What does not matter is not told, and times have noise even where nobody sees it.
        assert!(positions(Metric::Wer, &[(7, 0.100), (2, 0.104)]).is_empty());
        assert!(positions(Metric::Seconds, &[(3, 1.0), (2, 2.0)]).is_empty());
        // A rate that comes and goes has noise, too.
        assert!(positions(Metric::Wer, &[(3, 0.0), (1, 0.2), (1, 0.0), (2, 0.86)]).is_empty());
    }
}
