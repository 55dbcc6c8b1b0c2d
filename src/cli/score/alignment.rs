//! Two transcripts word under word.

use crate::score::{AlignedUtterance, Operation};
use crate::ui::printable;
use unicode_width::UnicodeWidthStr;

/// Columns of a terminal that a line may take.
const WIDTH: usize = 80;

/// What stands before each line.
const LABELS: [&str; 3] = ["  reference   ", "  hypothesis  ", "              "];

/// A place: what was said, what was heard, and the kind of the error.
struct Place {
    cells: [String; 3],
    width: usize,
}

/// Returns three lines: what was said, what was heard, and the letters S, D and I under the errors;
/// as often as the words need. Asterisks stand where there is no word.
pub(super) fn show_alignment(aligned: &AlignedUtterance) -> String {
    let mut out = String::new();
    let mut line: Vec<Place> = Vec::new();
    let mut taken = LABELS[0].len();
    for operation in &aligned.alignment.operations {
        let place = place(aligned, operation);
        if !line.is_empty() && taken + place.width > WIDTH {
            out.push_str(&show_line(&line));
            out.push('\n');
            line.clear();
            taken = LABELS[0].len();
        }
        taken += place.width + 1;
        line.push(place);
    }
    out + &show_line(&line)
}

fn place(aligned: &AlignedUtterance, operation: &Operation) -> Place {
    let said = |at: usize| {
        aligned
            .reference
            .get(at)
            .map_or_else(String::new, |word| printable(word))
    };
    let heard = |at: usize| {
        aligned
            .hypothesis
            .get(at)
            .map_or_else(String::new, |word| printable(word))
    };
    let nothing = |word: &str| "*".repeat(word.width().max(1));
    let (reference, hypothesis, kind) = match *operation {
        Operation::Match {
            reference,
            hypothesis,
        } => (said(reference), heard(hypothesis), ""),
        Operation::Substitution {
            reference,
            hypothesis,
        } => (said(reference), heard(hypothesis), "S"),
        Operation::Deletion { reference, .. } => {
            let word = said(reference);
            let place = nothing(&word);
            (word, place, "D")
        }
        Operation::Insertion { hypothesis, .. } => {
            let word = heard(hypothesis);
            (nothing(&word), word, "I")
        }
    };
    Place {
        width: reference.width().max(hypothesis.width()).max(kind.len()),
        cells: [reference, hypothesis, kind.to_owned()],
    }
}

fn show_line(places: &[Place]) -> String {
    let mut out = String::new();
    for (row, label) in LABELS.iter().enumerate() {
        let mut line = (*label).to_owned();
        for place in places {
            let cell = &place.cells[row];
            line.push_str(cell);
            line.push_str(&" ".repeat(place.width - cell.width() + 1));
        }
        let line = line.trim_end();
        if row < 2 || !line.is_empty() {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::{Normalizer, align_utterance};

    fn shown(reference: &str, hypothesis: &str, language: &str) -> String {
        let aligned = align_utterance(reference, hypothesis, Normalizer::None, language);
        show_alignment(&aligned)
    }

    #[test]
    fn words_stand_under_words() {
        assert_eq!(
            shown("the cat sat on it", "the hat sat down it", "en"),
            "  reference   the cat sat on   it\n  hypothesis  the hat sat down it\n                  S       S\n"
        );
        assert_eq!(
            shown("a b", "a very b", "en"),
            "  reference   a **** b\n  hypothesis  a very b\n                I\n"
        );
        assert_eq!(
            shown("a b", "a", "en"),
            "  reference   a b\n  hypothesis  a *\n                D\n"
        );
    }

    #[test]
    fn wide_characters_keep_the_columns() {
        assert_eq!(
            shown("晴れ", "雨れだ", "ja"),
            "  reference   晴 れ **\n  hypothesis  雨 れ だ\n              S     I\n"
        );
    }

    #[test]
    fn long_texts_take_several_lines_and_no_control_passes() {
        let said = "word ".repeat(40);
        let text = shown(&said, "\u{1b}[31mred", "en");
        assert!(text.lines().all(|line| line.width() <= WIDTH), "{text}");
        assert!(!text.contains('\u{1b}'));
        assert_eq!(text.matches("reference").count(), 4);
    }
}
