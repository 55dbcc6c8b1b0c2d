//! Looking for loops in many texts, most of which have none.

use super::repeat::{FEWEST_TIMES, LONGEST_PHRASE, RepeatLoops, wrong_loops};
use super::tokens::write_keys;
use super::utterance::ScoringUnit;

/// Room for the words of a text, used again for one after the other.
#[derive(Debug, Default)]
pub(super) struct LoopRoom {
    keys: Vec<u64>,
}

impl LoopRoom {
    /// Returns what [`wrong_loops`] returns of the words of two normalized texts.
    pub(super) fn wrong_loops(
        &mut self,
        reference: &str,
        hypothesis: &str,
        unit: ScoringUnit,
    ) -> RepeatLoops {
        let may_loop = match unit {
            ScoringUnit::Words => {
                write_keys(hypothesis, &mut self.keys);
                may_loop(&self.keys, |key| *key)
            }
            ScoringUnit::Characters => may_loop(&unit.split(hypothesis), |character| *character),
        };
        if may_loop {
            wrong_loops(&unit.split(reference), &unit.split(hypothesis))
        } else {
            RepeatLoops::default()
        }
    }
}

/// Returns whether there may be a loop; never false where there is one.
///
/// In a loop of a phrase of n words, at least (times - 1) n words in a row equal the n-th word after
/// them. So it is enough to look at every so manieth word, and to go on only where that one does.
fn may_loop<T, Key: PartialEq>(words: &[T], key: impl Fn(&T) -> Key) -> bool {
    let most = LONGEST_PHRASE.min(words.len() / FEWEST_TIMES);
    (1..=most).any(|phrase| {
        let run = (FEWEST_TIMES - 1) * phrase;
        let repeats = |at: usize| {
            let after = words.get(at + phrase);
            after.is_some_and(|after| key(&words[at]) == key(after))
        };
        (0..words.len()).step_by(run).any(|at| {
            let after = (at..words.len())
                .take_while(|at| repeats(*at))
                .take(run)
                .count();
            let before = (0..at)
                .rev()
                .take_while(|at| repeats(*at))
                .take(run)
                .count();
            after > 0 && before + after >= run
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::normalize::words;
    use super::super::repeat::repeat_loops;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn no_loop_is_overlooked(
            before in "( [ab]){0,9}", phrase in "( [abc]){1,9}", times in 0_usize..6, after in "( [ab]){0,9}"
        ) {
            let text = before + &phrase.repeat(times) + &after;
            let plain = repeat_loops(&words(&text).collect::<Vec<_>>());
            let mut room = LoopRoom::default();
            // Against nothing every word is wrong.
            prop_assert_eq!(room.wrong_loops("", &text, ScoringUnit::Words), plain);
            let characters: Vec<char> = text.chars().filter(|one| *one != ' ').collect();
            let plain = repeat_loops(&characters);
            prop_assert_eq!(room.wrong_loops("", &text, ScoringUnit::Characters), plain);
        }
    }
}
