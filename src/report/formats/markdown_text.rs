//! Pieces of Markdown for places where strangers' text is read by others: comments on pull requests
//! and summaries of steps on GitHub.

use crate::model::printable;

/// Characters that a comment on GitHub holds.
pub const COMMENT_CHARACTERS: usize = 65_536;

/// What one code span may hold: a text of others is not the point of a report.
const SPAN_CHARACTERS: usize = 400;

/// Room that is kept for the lines that tell what was left out.
const ROOM_FOR_THE_REST: usize = 400;

/// Returns text as a code span, whatever is in it. In a code span nobody is called, nothing is
/// marked up, and a bar does not end a cell of a table.
#[must_use]
pub fn code_span(text: &str) -> String {
    let text = printable(text);
    let mut letters = text.chars();
    let mut text: String = letters.by_ref().take(SPAN_CHARACTERS).collect();
    if letters.next().is_some() {
        text.push('…');
    }
    // A table's cell ends at a bar even within a code span, unless there is a backslash before it;
    // outside of tables that would show. A look-alike is harmless in both.
    let text = text.replace('|', "\u{ff5c}");
    let longest = text
        .split(|letter| letter != '`')
        .map(str::len)
        .max()
        .unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let is_blank = text.trim().is_empty();
    let pad = if text.starts_with('`') || text.ends_with('`') || is_blank {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Returns text with every mark of Markdown and HTML made harmless.
#[must_use]
pub fn escaped(text: &str) -> String {
    printable(text)
        .chars()
        .map(|letter| match letter {
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '&' => "&amp;".to_owned(),
            // A zero-width joiner keeps an at sign from calling somebody.
            '@' => "@\u{200d}".to_owned(),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '!' | '|' | '~' | '$' => {
                format!("\\{letter}")
            }
            other => other.to_string(),
        })
        .collect::<String>()
        // And an address from becoming a link.
        .replace("://", ":\u{200d}//")
        .replace("www.", "www\u{200d}.")
}

/// A part of a text that may have to be cut.
#[derive(Clone, Debug, Default)]
pub struct Section {
    head: String,
    lines: Vec<String>,
    foot: String,
}

impl Section {
    /// Returns a part that is kept whole.
    #[must_use]
    pub fn whole(text: impl Into<String>) -> Self {
        Self {
            head: text.into(),
            ..Self::default()
        }
    }

    /// Returns lines between a head and a foot, of which the last may be left out; nothing without
    /// lines.
    #[must_use]
    pub fn list(head: &str, lines: Vec<String>, foot: &str) -> Self {
        if lines.is_empty() {
            return Self::default();
        }
        Self {
            head: head.to_owned(),
            lines,
            foot: foot.to_owned(),
        }
    }
}

/// Returns parts as one text of at most so many characters (and bytes of UTF-8, which are more):
/// where it would be longer, lists lose their last lines, and say how many.
#[must_use]
pub fn joined(sections: &[Section], most: usize) -> String {
    let fixed: usize = sections
        .iter()
        .map(|section| section.head.len() + section.foot.len())
        .sum();
    let lists = sections.iter().filter(|one| !one.lines.is_empty()).count();
    let mut room = most.saturating_sub(fixed + lists * ROOM_FOR_THE_REST / 4 + ROOM_FOR_THE_REST);
    let mut text = String::new();
    for section in sections {
        text.push_str(&section.head);
        let mut left_out = section.lines.len();
        for line in &section.lines {
            if line.len() > room {
                break;
            }
            room -= line.len();
            left_out -= 1;
            text.push_str(line);
        }
        if left_out > 0 {
            text.push_str(&format!("\n… and {left_out} more\n"));
        }
        text.push_str(&section.foot);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_cannot_leave_its_code_span() {
        assert_eq!(code_span("a"), "`a`");
        assert_eq!(code_span("a``b`c"), "```a``b`c```");
        assert_eq!(code_span("`x"), "`` `x ``");
        assert_eq!(code_span("a\nb"), "`a b`");
        assert_eq!(code_span("a|b"), "`a\u{ff5c}b`");
        assert_eq!(code_span(""), "`  `");
        assert!(code_span(&"a".repeat(1000)).chars().count() < 410);
    }

    #[test]
    fn prose_marks_nothing_up() {
        assert_eq!(
            escaped("<img> @team [x](y) https://a www.b"),
            "&lt;img&gt; @\u{200d}team \\[x\\](y) https:\u{200d}//a www\u{200d}.b"
        );
    }

    #[test]
    fn what_is_too_long_says_how_much_is_left_out() {
        let lines: Vec<String> = (0..100).map(|number| format!("- {number}\n")).collect();
        let sections = [
            Section::whole("head\n"),
            Section::list("list\n", lines, "end\n"),
            Section::list("none\n", Vec::new(), "none\n"),
        ];
        let whole = joined(&sections, COMMENT_CHARACTERS);
        assert!(whole.ends_with("- 99\nend\n"), "{whole}");
        assert!(!whole.contains("none"));
        let cut = joined(&sections, 700);
        assert!(cut.len() <= 700, "{}", cut.len());
        assert!(cut.contains("more\nend\n"), "{cut}");
    }
}
