//! Loops: a phrase that a recognizer writes over and over.

use serde::{Deserialize, Serialize};

/// The longest phrase that is looked for, in words.
const LONGEST_PHRASE: usize = 30;

/// How often a phrase must stand in a row to be called a loop. People say things twice or three
/// times; hardly anyone says them four times.
const FEWEST_TIMES: usize = 4;

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
    let mut loops = RepeatLoops::default();
    let mut start = 0;
    while start < words.len() {
        let Some(found) = loop_from(words, start) else {
            start += 1;
            continue;
        };
        loops.count += 1;
        loops.excess_words += found.words() - found.phrase_words;
        if loops
            .longest
            .is_none_or(|longest| longest.words() < found.words())
        {
            loops.longest = Some(found);
        }
        start += found.words();
    }
    loops
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
