//! Loops: a phrase that a recognizer writes over and over.

use super::align::{Operation, align};
use serde::{Deserialize, Serialize};
use std::hash::Hash;

/// The longest phrase that is looked for, in words.
pub(super) const LONGEST_PHRASE: usize = 30;

/// How often a phrase must stand in a row to be called a loop. People say things twice or three
/// times; hardly anyone says them four times.
pub(super) const FEWEST_TIMES: usize = 4;

/// One loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepeatLoop {
    /// Position of its first word, from zero.
    pub start: usize,
    /// Words in the phrase.
    pub phrase_words: usize,
    /// How often the whole phrase stands in a row, the first time included.
    pub times: usize,
}

impl RepeatLoop {
    /// Returns the words of all whole repetitions together.
    #[must_use]
    pub const fn words(self) -> usize {
        self.phrase_words * self.times
    }
}

/// The loops in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RepeatLoops {
    /// How many loops there are. They do not overlap.
    pub count: usize,
    /// The one with the most words; the first of several.
    pub longest: Option<RepeatLoop>,
    /// Words in all loops beyond the first time of each phrase.
    pub excess_words: usize,
}

/// Returns the loops in a hypothesis: a phrase of 1 to 30 words that stands at least four times in
/// a row.
///
/// The text is read from the left. Where several phrases repeat from the same word on, the one
/// whose repetitions reach farthest counts, and of those the shortest; reading goes on behind it.
#[must_use]
pub fn repeat_loops<T: Eq>(words: &[T]) -> RepeatLoops {
    summed(loops(words))
}

/// Returns the loops of a hypothesis in which at least one word is wrong by the alignment: put in,
/// or in place of another. What was said over and over and heard so is no mistake.
#[must_use]
pub fn wrong_loops<T: Eq + Hash>(reference: &[T], hypothesis: &[T]) -> RepeatLoops {
    let found: Vec<RepeatLoop> = loops(hypothesis).collect();
    if found.is_empty() {
        return RepeatLoops::default();
    }
    let mut right = vec![false; hypothesis.len()];
    for operation in align(reference, hypothesis).operations {
        if let Operation::Match { hypothesis, .. } = operation {
            right[hypothesis] = true;
        }
    }
    let is_wrong = |found: &RepeatLoop| {
        let words = &right[found.start..][..found.words()];
        !words.iter().all(|right| *right)
    };
    summed(found.into_iter().filter(is_wrong))
}

fn summed(found: impl Iterator<Item = RepeatLoop>) -> RepeatLoops {
    let mut loops = RepeatLoops::default();
    for found in found {
        loops.count += 1;
        loops.excess_words += found.words() - found.phrase_words;
        if loops
            .longest
            .is_none_or(|longest| longest.words() < found.words())
        {
            loops.longest = Some(found);
        }
    }
    loops
}

/// Returns the loops from left to right.
fn loops<T: Eq>(words: &[T]) -> impl Iterator<Item = RepeatLoop> {
    let mut start = 0;
    std::iter::from_fn(move || {
        while start < words.len() {
            if let Some(found) = loop_from(words, start) {
                start += found.words();
                return Some(found);
            }
            start += 1;
        }
        None
    })
}

fn loop_from<T: Eq>(words: &[T], start: usize) -> Option<RepeatLoop> {
    let words = &words[start..];
    let mut best: Option<RepeatLoop> = None;
    for phrase_words in 1..=LONGEST_PHRASE.min(words.len() / FEWEST_TIMES) {
        let ahead = &words[phrase_words..];
        let repeated = words
            .iter()
            .zip(ahead)
            .take_while(|(one, other)| one == other)
            .count();
        let times = repeated / phrase_words + 1;
        let found = RepeatLoop {
            start,
            phrase_words,
            times,
        };
        if times >= FEWEST_TIMES && best.is_none_or(|best| best.words() < found.words()) {
            best = Some(found);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loops(text: &str) -> RepeatLoops {
        repeat_loops(&text.split(' ').collect::<Vec<_>>())
    }

    #[test]
    fn emphasis_is_no_loop() {
        assert_eq!(loops("it is very very very good"), RepeatLoops::default());
        assert_eq!(loops(""), RepeatLoops::default());
        assert_eq!(repeat_loops::<&str>(&[]), RepeatLoops::default());
    }

    #[test]
    fn the_shortest_phrase_names_a_loop() {
        let found = loops("well thank you thank you thank you thank you thank you bye");
        let longest = RepeatLoop {
            start: 1,
            phrase_words: 2,
            times: 5,
        };
        assert_eq!(
            found,
            RepeatLoops {
                count: 1,
                longest: Some(longest),
                excess_words: 8
            }
        );
    }

    #[test]
    fn what_was_said_over_and_over_is_no_mistake() {
        let words = |text: &'static str| text.split(' ').collect::<Vec<_>>();
        let wrong = |said, heard| wrong_loops(&words(said), &words(heard)).count;
        assert_eq!(wrong("no no no no stop", "no no no no stop"), 0);
        assert_eq!(wrong("no no no no stop", "no no no no stops"), 0);
        assert_eq!(wrong("no no no no stop", "no no no no no stop"), 1);
        assert_eq!(wrong("no stop", "no no no no"), 1);
    }

    #[test]
    fn loops_are_counted_apart() {
        let found = loops("a a a a b c b c b c b c b c d");
        assert_eq!(found.count, 2);
        assert_eq!(
            found.longest,
            Some(RepeatLoop {
                start: 4,
                phrase_words: 2,
                times: 5
            })
        );
        assert_eq!(found.excess_words, 3 + 8);
    }
}
