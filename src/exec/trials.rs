//! Which trials of a launch are to be done.

use crate::model::BenchmarkSpec;
use std::collections::BTreeSet;

/// A trial to be done: the position of its utterance, and its number within the launch's trials of
/// that utterance, warm-ups first.
pub(super) type PlannedTrial = (usize, u32);

/// Returns the trials of a launch in their order, without those that are `done` already.
///
/// A launch that was interrupted is finished by another process, which is cold: before the first
/// trial that is left of an utterance its warm-ups are done again. If every trial is there and only
/// the end of the process is not, the last one is done again, because what a process cost is known
/// at its end.
pub(super) fn trials_to_do(
    spec: &BenchmarkSpec,
    utterances: &[&str],
    done: &BTreeSet<(String, u32)>,
) -> Vec<PlannedTrial> {
    let measured = spec.warmup..spec.warmup.saturating_add(spec.repeat);
    let mut trials = Vec::new();
    for (position, utterance) in utterances.iter().enumerate() {
        let is_last = position + 1 == utterances.len();
        let mut left: Vec<u32> = measured
            .clone()
            .filter(|trial| !done.contains(&((*utterance).to_owned(), *trial)))
            .collect();
        if is_last && left.is_empty() && trials.is_empty() {
            left.extend(measured.clone().last());
        }
        if !left.is_empty() {
            trials.extend((0..spec.warmup).map(|trial| (position, trial)));
            trials.extend(left.into_iter().map(|trial| (position, trial)));
        }
    }
    trials
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spec(warmup: u32, repeat: u32) -> BenchmarkSpec {
        serde_json::from_value(serde_json::json!({
            "backend": "fake", "model": "m", "artifact": null, "quantization": "", "audio": "a",
            "settings": {}, "warmup": warmup, "repeat": repeat, "launches": 1,
        }))
        .unwrap()
    }

    #[test]
    fn what_is_left_of_an_utterance_is_warmed_up_again() {
        let done = BTreeSet::from([
            ("a".to_owned(), 0),
            ("a".to_owned(), 1),
            ("a".to_owned(), 2),
            ("b".to_owned(), 0),
            ("b".to_owned(), 1),
        ]);
        let trials = trials_to_do(&spec(1, 2), &["a", "b", "c"], &done);
        assert_eq!(trials, [(1, 0), (1, 2), (2, 0), (2, 1), (2, 2)]);
    }

    #[test]
    fn a_launch_that_lacks_only_its_end_does_its_last_trial_again() {
        let done: BTreeSet<_> = (0..3).map(|trial| ("a".to_owned(), trial)).collect();
        assert_eq!(trials_to_do(&spec(1, 2), &["a"], &done), [(0, 0), (0, 2)]);
    }

    proptest! {
        #[test]
        fn in_the_end_every_trial_is_there_and_none_is_measured_twice_at_once(
            warmup in 0u32..3,
            repeat in 1u32..5,
            cut in 0usize..40,
        ) {
            let spec = spec(warmup, repeat);
            let names = ["a", "b", "c"];
            let all = trials_to_do(&spec, &names, &BTreeSet::new());
            prop_assert_eq!(all.len(), 3 * (warmup + repeat) as usize);
            let key = |(position, trial): &PlannedTrial| (names[*position].to_owned(), *trial);
            let mut done: BTreeSet<_> = all.iter().take(cut).map(key).collect();
            let rest = trials_to_do(&spec, &names, &done);
            let distinct: BTreeSet<_> = rest.iter().copied().collect();
            prop_assert_eq!(distinct.len(), rest.len());
            done.extend(rest.iter().map(key));
            prop_assert_eq!(done, all.iter().map(key).collect());
        }
    }
}
