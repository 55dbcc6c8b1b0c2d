//! English contractions and titles, written out.
//!
//! Whisper's normalizer substitutes some fifty patterns one after the other. Whole words without
//! an apostrophe touch neither each other nor the patterns with one, so they share a single pass;
//! the patterns with an apostrophe keep their order and are skipped where there is none.

use super::passes::{begins_with_word_character, ends_with_word_character, replace_whole_words};

/// Contractions that must stand as whole words.
const WHOLE: [(&str, &str); 7] = [
    ("won't", "will not"),
    ("can't", "can not"),
    ("let's", "let us"),
    ("ain't", "aint"),
    ("y'all", "you all"),
    ("i'ma", "i am going to"),
    ("ma'am", "madam"),
];

/// Contractions that end a word, in the order in which they are substituted.
const ENDINGS: [(&str, &str); 14] = [
    ("'d been", " had been"),
    ("'s been", " has been"),
    ("'d gone", " had gone"),
    ("'s gone", " has gone"),
    ("'d done", " had done"),
    ("'s got", " has got"),
    ("n't", " not"),
    ("'re", " are"),
    ("'s", " is"),
    ("'d", " would"),
    ("'ll", " will"),
    ("'t", " not"),
    ("'ve", " have"),
    ("'m", " am"),
];

/// Returns the text with contractions and titles written out. The text must be in lower case.
pub(super) fn expand(text: String) -> String {
    let text = expand_all(text, &WHOLE, |before| !ends_with_word_character(before));
    let text = replace_whole_words(text, written_out);
    expand_all(text, &ENDINGS, |_| true)
}

/// Returns the long form of informal words and titles. Titles get a space of their own, because
/// the full stop after them is still there at this point.
fn written_out(word: &str) -> Option<&'static str> {
    Some(match word {
        "wanna" => "want to",
        "gotta" => "got to",
        "gonna" => "going to",
        "imma" => "i am going to",
        "woulda" => "would have",
        "coulda" => "could have",
        "shoulda" => "should have",
        "mr" => "mister ",
        "mrs" => "missus ",
        "st" => "saint ",
        "dr" => "doctor ",
        "prof" => "professor ",
        "capt" => "captain ",
        "gov" => "governor ",
        "ald" => "alderman ",
        "gen" => "general ",
        "sen" => "senator ",
        "rep" => "representative ",
        "pres" => "president ",
        "rev" => "reverend ",
        "hon" => "honorable ",
        "asst" => "assistant ",
        "assoc" => "associate ",
        "lt" => "lieutenant ",
        "col" => "colonel ",
        "jr" => "junior ",
        "sr" => "senior ",
        "esq" => "esquire ",
        _ => return None,
    })
}

/// Replaces each literal in turn where no word character follows it and `may_follow` allows what
/// stands before it.
fn expand_all(
    mut text: String,
    replacements: &[(&str, &str)],
    may_follow: impl Fn(&str) -> bool,
) -> String {
    for (literal, substitute) in replacements {
        if !text.contains('\'') {
            break;
        }
        if !text.contains(literal) {
            continue;
        }
        let mut output = String::with_capacity(text.len() + substitute.len());
        let mut copied = 0;
        for (start, _) in text.match_indices(literal) {
            let end = start + literal.len();
            if !begins_with_word_character(&text[end..]) && may_follow(&text[..start]) {
                output.push_str(&text[copied..start]);
                output.push_str(substitute);
                copied = end;
            }
        }
        output.push_str(&text[copied..]);
        text = output;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_endings_decides() {
        assert_eq!(expand("she's been".into()), "she has been");
        assert_eq!(expand("she's beene".into()), "she is beene");
        assert_eq!(expand("he'dn't".into()), "he would not");
    }

    #[test]
    fn whole_contractions_need_a_boundary() {
        assert_eq!(expand("can't scan't".into()), "can not sca not");
        assert_eq!(expand("mr's".into()), "mister  is");
    }
}
