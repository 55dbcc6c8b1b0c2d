//! British spellings and their American forms.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use super::passes::words;

// One word a line, British and American, in the order of the source: `english.json` of
// openai-whisper, release 20250625, copyright 2022 OpenAI, MIT licence. The text of the licence
// stands beside it in `english_spelling.LICENSE`.
const TABLE: &str = include_str!("english_spelling.tsv");

static AMERICAN: LazyLock<FxHashMap<&str, &str>> = LazyLock::new(|| {
    TABLE
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .collect()
});

/// Returns the words of the text in American spelling, with one space between them.
pub(super) fn americanize(text: &str) -> String {
    let mut output = String::with_capacity(text.len());
    for word in words(text) {
        if !output.is_empty() {
            output.push(' ');
        }
        output.push_str(AMERICAN.get(word).copied().unwrap_or(word));
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of Whisper's own test of this step.
    #[test]
    fn spellings_of_the_reference_test() {
        assert_eq!(americanize("mobilisation"), "mobilization");
        assert_eq!(americanize("cancelation"), "cancellation");
    }

    #[test]
    fn every_word_of_the_table_is_known() {
        assert_eq!(AMERICAN.len(), TABLE.lines().count());
        assert_eq!(AMERICAN.len(), 1739);
    }
}
