//! The recording that a verify by transcribing asks for, and how much of it must be heard.

/// The built-in clip.
pub(super) const ID: &str = "arctic-a0007";

/// What is said in it.
const WORDS: [&str; 11] = [
    "and",
    "you",
    "always",
    "want",
    "to",
    "see",
    "it",
    "in",
    "the",
    "superlative",
    "degree",
];

/// How many of the words must be heard, in their order. Whole models mishear one now and then
/// (Whisper base hears "separative"); damaged weights give next to none.
const WANTED: usize = 8;

/// Holds a transcript against the words.
///
/// # Errors
///
/// Returns what was heard and what was wanted, if too few of them were heard.
pub(super) fn compare(heard: &str) -> Result<(), String> {
    let lower = heard.to_lowercase();
    let words: Vec<&str> = lower
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let found = common_in_order(&words);
    if found >= WANTED {
        return Ok(());
    }
    Err(format!(
        "it heard `{}`: {found} of the {} words of `{}`, and {WANTED} are wanted",
        heard.trim(),
        WORDS.len(),
        WORDS.join(" ")
    ))
}

/// Returns the length of the longest series of words that both have, in order but not without gaps.
fn common_in_order(heard: &[&str]) -> usize {
    // The lengths for the words so far, by how many of the known words are looked at.
    let mut lengths = [0; WORDS.len() + 1];
    for word in heard {
        let mut before = 0;
        for (position, known) in WORDS.iter().enumerate() {
            let here = lengths[position + 1];
            lengths[position + 1] = if word == known {
                before + 1
            } else {
                here.max(lengths[position])
            };
            before = here;
        }
    }
    lengths[WORDS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misheard_word_is_no_fault_and_nonsense_is() {
        assert_eq!(
            compare(" And you always want to see it in the superlative degree."),
            Ok(())
        );
        assert_eq!(
            compare("and you always want to see it in the separative degree."),
            Ok(())
        );
        let reason = compare("you you you you degree").unwrap_err();
        assert!(reason.contains("2 of the 11 words"), "{reason}");
        assert!(compare("").is_err());
        assert!(compare("degree superlative the in it see to want always you and").is_err());
    }
}
