//! Scores as one JSON document, an utterance a line.

use super::super::exit::Failure;
use super::Scored;
use crate::score::{ALIGNMENT_RULE, AlignedUtterance, Operation, UtteranceScore, confusions};
use rayon::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};
use std::io::{ErrorKind, Write};

/// So many utterances are made text of at a time, and one after the other on a thread.
const AT_ONCE: usize = 16_384;
const TOGETHER: usize = 512;

/// So many confusions are told beside alignments.
const TOLD_CONFUSIONS: usize = 100;

/// An utterance, by its id if it has one.
#[derive(Serialize)]
struct UtteranceView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    #[serde(flatten)]
    score: &'a UtteranceScore,
}

/// Prints the document. It is written as it is made: with every utterance in it, it may be large.
pub(super) fn print_json(scored: &Scored<'_>, with_alignments: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match write(&mut out, scored, with_alignments).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::internal(format!(
            "standard output cannot be written: {error}"
        ))),
        _ => Ok(()),
    }
}

fn write(
    out: &mut impl Write,
    scored: &Scored<'_>,
    with_alignments: bool,
) -> Result<(), std::io::Error> {
    write!(
        out,
        "{{\n  \"total\": {},",
        serde_json::to_string(&scored.total)?
    )?;
    write!(out, "\n  \"utterances\": [")?;
    let utterances: Vec<UtteranceView<'_>> = scored
        .utterances
        .iter()
        .zip(&scored.scores)
        .map(|(utterance, score)| UtteranceView {
            id: utterance.id.as_deref(),
            language: utterance.language.as_deref(),
            score,
        })
        .collect();
    let mut separator = "\n    ";
    for utterances in utterances.chunks(AT_ONCE) {
        let texts: Vec<Result<String, serde_json::Error>> = utterances
            .par_chunks(TOGETHER)
            .map(|utterances| {
                let lines: Result<Vec<String>, _> =
                    utterances.iter().map(serde_json::to_string).collect();
                Ok(lines?.join(",\n    "))
            })
            .collect();
        for text in texts {
            write!(out, "{separator}{}", text?)?;
            separator = ",\n    ";
        }
    }
    write!(out, "\n  ],")?;
    if with_alignments {
        let alignments: Vec<Value> = scored
            .worst
            .iter()
            .map(|(position, aligned)| {
                let name = if scored.has_ids() { "id" } else { "line" };
                let places = places(aligned);
                json!({ name: scored.name(*position), "position": position, "words": places })
            })
            .collect();
        let found = confusions(
            scored.worst.iter().map(|(_, aligned)| aligned),
            TOLD_CONFUSIONS,
        );
        write!(
            out,
            "\n  \"alignments\": {},\n  \"confusions\": {},",
            serde_json::to_string(&alignments)?,
            serde_json::to_string(&found)?
        )?;
    }
    let normalizer = json!({
        "id": scored.normalizer.id(),
        "version": scored.normalizer.version(),
    });
    writeln!(
        out,
        "\n  \"normalizer\": {normalizer},\n  \"alignment_rule\": {}\n}}",
        json!(ALIGNMENT_RULE)
    )
}

/// Returns the places of an alignment: the kind of each, what was said and what was heard; null where
/// there is no word.
fn places(aligned: &AlignedUtterance) -> Vec<Value> {
    let said = |at: usize| aligned.reference.get(at);
    let heard = |at: usize| aligned.hypothesis.get(at);
    let place = |operation: &Operation| {
        let (kind, reference, hypothesis) = match *operation {
            Operation::Match {
                reference,
                hypothesis,
            } => ("match", said(reference), heard(hypothesis)),
            Operation::Substitution {
                reference,
                hypothesis,
            } => ("substitution", said(reference), heard(hypothesis)),
            Operation::Deletion { reference, .. } => ("deletion", said(reference), None),
            Operation::Insertion { hypothesis, .. } => ("insertion", None, heard(hypothesis)),
        };
        json!({ "kind": kind, "reference": reference, "hypothesis": hypothesis })
    };
    aligned.alignment.operations.iter().map(place).collect()
}
