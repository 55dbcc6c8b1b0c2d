//! Looking for loops in many texts, most of which have none.

use super::repeat::{FEWEST_TIMES, LONGEST_PHRASE};

/// Returns whether there may be a loop; never false where there is one.
///
/// In a loop of a phrase of n words, at least (times - 1) n words in a row equal the n-th word after
/// them. So it is enough to look at every so manieth word, and to go on only where that one does.
pub(super) fn may_loop<T, Key: PartialEq>(words: &[T], key: impl Fn(&T) -> Key) -> bool {
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
    use super::super::repeat::repeat_loops;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn there_may_be_a_loop_exactly_where_there_is_one(
            before in "[ab]{0,9}", phrase in "[abc]{1,9}", times in 0_usize..6, after in "[ab]{0,9}"
        ) {
            let text = before + &phrase.repeat(times) + &after;
            let words: Vec<char> = text.chars().collect();
            prop_assert_eq!(may_loop(&words, |word| *word), repeat_loops(&words).count > 0);
        }
    }
}
