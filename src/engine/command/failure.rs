//! What counts as failure although a process ended with status 0.

use super::{BackendMistake, BackendPart};
use crate::model::{BackendDefinition, FailureRule, OutputRule};

/// Returns what is wrong with a rule.
pub(super) fn mistakes(definition: &BackendDefinition) -> Vec<BackendMistake> {
    let rule = &definition.fails;
    let mut mistakes = Vec::new();
    let mut mistake = |message: &str, hint: &str| {
        mistakes.push(BackendMistake {
            part: BackendPart::Fails,
            message: message.to_owned(),
            hint: hint.to_owned(),
        });
    };
    if rule.stderr.iter().chain(&rule.stdout).any(String::is_empty) {
        mistake(
            "an empty text stands in every line",
            "name a text that only a failure writes, such as `error:`",
        );
    }
    if !rule.stdout.is_empty() && !matches!(definition.output, OutputRule::File(_)) {
        mistake(
            "standard output is the transcript, in which anything may be said",
            "name texts of `stderr`, or have the transcript written to a file",
        );
    }
    mistakes
}

/// Returns the first of some texts that stands in a line.
pub(super) fn first_in<'a>(texts: &'a [String], line: &str) -> Option<&'a str> {
    texts
        .iter()
        .map(String::as_str)
        .find(|text| line.contains(text))
}

/// Returns why what was written counts as failure.
pub(super) fn of(rule: &FailureRule, stdout: &[u8], text: &str) -> Option<String> {
    let printed = String::from_utf8_lossy(stdout);
    if let Some(found) = first_in(&rule.stdout, &printed) {
        return Some(format!("it wrote `{found}` on standard output"));
    }
    let is_empty = !text.chars().any(char::is_alphanumeric);
    (rule.empty && is_empty).then(|| "its transcript has no letter".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_counts_and_nothing_else() {
        let rule = FailureRule {
            stdout: vec!["Error:".into()],
            empty: true,
            ..FailureRule::default()
        };
        assert_eq!(of(&rule, b"done", "words"), None);
        assert!(of(&rule, b"x\nError: no model", "words").is_some());
        assert!(of(&rule, b"done", " .. ").is_some());
        assert_eq!(of(&FailureRule::default(), b"Error:", ""), None);
    }
}
