//! NIST's `trn`: words, then the utterance's id in parentheses, a line for each.

use super::{Problem, Role, Utterance, utterance};

pub(super) fn read(text: &str, role: Role) -> Result<Vec<Utterance<'_>>, Vec<Problem>> {
    let mut utterances = Vec::new();
    let mut problems = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        // Two semicolons begin a comment.
        if line.is_empty() || line.starts_with(";;") {
            continue;
        }
        let parts = line
            .strip_suffix(')')
            .and_then(|line| line.rsplit_once('('));
        let Some((words, id)) = parts.filter(|(_, id)| !id.trim().is_empty()) else {
            let message = "the line does not end with an id; write `words (id)`, or name the file \
                           with another extension or --input-format text if it is plain text";
            problems.push(Problem::at(number, message));
            continue;
        };
        if words.split_whitespace().any(|word| word == "{") {
            let message = "alternatives in braces are not known here; write one of them";
            problems.push(Problem::at(number, message));
        }
        utterances.push(utterance(number, Some(id.trim()), words.trim_end(), role));
    }
    if problems.is_empty() {
        Ok(utterances)
    } else {
        Err(problems)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_parentheses_hold_the_id() {
        let read = read(
            ";; a comment\n\nso (he) said (a-1)\r\n(a-2)\n",
            Role::Hypotheses,
        )
        .unwrap();
        let told: Vec<_> = read
            .iter()
            .map(|one| (one.line, one.id.as_deref().unwrap(), &*one.hypothesis))
            .collect();
        assert_eq!(told, [(3, "a-1", "so (he) said"), (4, "a-2", "")]);
    }

    #[test]
    fn what_is_no_transcript_is_told_line_by_line() {
        let problems = read(
            "one\ntwo ()\nthree (3)\n{ um / uh } four (4)\n",
            Role::References,
        );
        let lines: Vec<u64> = problems.unwrap_err().iter().map(|one| one.line).collect();
        assert_eq!(lines, [1, 2, 4]);
    }
}
