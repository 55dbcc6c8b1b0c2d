//! Which languages are scored on characters.

/// Primary language subtags, of two or three letters, of languages that are written without
/// spaces between words: Chinese and its varieties, Japanese, Thai, Lao, Burmese, Khmer, Tibetan
/// and Dzongkha.
const WITHOUT_SPACES: [&str; 24] = [
    "zh", "zho", "chi", "cmn", "yue", "wuu", "nan", "hak", "ja", "jpn", "th", "tha", "lo", "lao",
    "my", "mya", "bur", "km", "khm", "bo", "bod", "tib", "dz", "dzo",
];

/// Returns whether texts of a language are compared character by character, because it is written
/// without spaces between words.
///
/// `language` is a language tag such as `ja` or `zh-Hant-TW`; letter case does not matter. For
/// such a language every code point that is not white space counts as a word, so that the word
/// error rate is an error rate of characters and does not depend on where a recognizer puts spaces.
#[must_use]
pub fn scored_on_characters(language: &str) -> bool {
    // By far the most frequent, and asked for each utterance.
    if language == "en" {
        return false;
    }
    let primary = language.split(['-', '_']).next().unwrap_or(language);
    WITHOUT_SPACES
        .iter()
        .any(|known| known.eq_ignore_ascii_case(primary))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_primary_subtag_counts() {
        assert!(scored_on_characters("ja"));
        assert!(scored_on_characters("zh-Hant-TW"));
        assert!(scored_on_characters("YUE"));
        assert!(!scored_on_characters("en"));
        assert!(!scored_on_characters("ko"));
        assert!(!scored_on_characters("de-TH"));
        assert!(!scored_on_characters(""));
    }
}
