//! Which hypothesis belongs to which reference: by line, or by id.

use super::super::exit::Failure;
use super::input::{Source, Utterance};
use std::borrow::Cow;
use std::collections::HashMap;

/// Ids that a message names; how many more there are is told behind them.
const NAMED_IDS: usize = 10;

/// Puts each hypothesis to its reference, in the order of the references.
///
/// Where `missing_is_empty`, nothing was heard where an id has no hypothesis; else that is a mistake.
///
/// # Errors
///
/// Tells which ids are there twice, or on one side only, or that the numbers of lines differ.
pub(super) fn pair<'file>(
    sources: (&Source, &Source),
    references: Vec<Utterance<'file>>,
    hypotheses: Vec<Utterance<'file>>,
    missing_is_empty: bool,
) -> Result<Vec<Utterance<'file>>, Failure> {
    let with_ids = |utterances: &[Utterance<'_>]| utterances.iter().any(|one| one.id.is_some());
    match (with_ids(&references), with_ids(&hypotheses)) {
        (true, true) => by_id(sources, references, &hypotheses, missing_is_empty),
        (false, false) => by_line(sources, references, hypotheses),
        (has_ids, _) => {
            let (one, other) = if has_ids || hypotheses.is_empty() {
                sources
            } else {
                (sources.1, sources.0)
            };
            if references.is_empty() || hypotheses.is_empty() {
                return by_line(sources, references, hypotheses);
            }
            Err(Failure::Usage(format!(
                "{} names its utterances and {} does not, so nothing says what belongs together; \
                 give both ids, or neither",
                one.name, other.name
            )))
        }
    }
}

/// Looks at the utterances of one file that holds both texts.
///
/// # Errors
///
/// Tells which ids are there twice, or where one is missing although others have one.
pub(super) fn refuse_doubtful_ids(
    source: &Source,
    utterances: &[Utterance<'_>],
) -> Result<(), Failure> {
    if utterances.iter().all(|one| one.id.is_none()) {
        return Ok(());
    }
    let problems = [without_id(source, utterances), repeated(source, utterances)];
    let problems: Vec<String> = problems.into_iter().flatten().collect();
    if problems.is_empty() {
        return Ok(());
    }
    Err(Failure::Usage(problems.join("\nerror: ")))
}

fn by_line<'file>(
    sources: (&Source, &Source),
    references: Vec<Utterance<'file>>,
    hypotheses: Vec<Utterance<'file>>,
) -> Result<Vec<Utterance<'file>>, Failure> {
    if references.len() != hypotheses.len() {
        return Err(Failure::Usage(format!(
            "{} has {} lines and {} has {}; line n is compared with line n, so write an empty line \
             where nothing was heard",
            sources.0.name,
            references.len(),
            sources.1.name,
            hypotheses.len(),
        )));
    }
    let together = |(mut reference, hypothesis): (Utterance<'file>, Utterance<'file>)| {
        reference.hypothesis = hypothesis.hypothesis;
        reference
    };
    Ok(references
        .into_iter()
        .zip(hypotheses)
        .map(together)
        .collect())
}

fn by_id<'file>(
    sources: (&Source, &Source),
    mut references: Vec<Utterance<'file>>,
    hypotheses: &[Utterance<'file>],
    missing_is_empty: bool,
) -> Result<Vec<Utterance<'file>>, Failure> {
    let mut problems = Vec::new();
    problems.extend(without_id(sources.0, &references));
    problems.extend(without_id(sources.1, hypotheses));
    problems.extend(repeated(sources.0, &references));
    problems.extend(repeated(sources.1, hypotheses));
    let mut heard: HashMap<String, Cow<'file, str>> = hypotheses
        .iter()
        .filter_map(|one| Some((one.id.clone()?.into_owned(), one.hypothesis.clone())))
        .collect();
    let mut missing = Vec::new();
    for reference in &mut references {
        let Some(id) = &reference.id else { continue };
        match heard.remove(&**id) {
            Some(text) => reference.hypothesis = text,
            None => missing.push(id.to_string()),
        }
    }
    // What is there twice would seem to be missing.
    if problems.is_empty() {
        let extra: Vec<String> = hypotheses
            .iter()
            .filter_map(|one| one.id.as_ref())
            .filter(|id| heard.contains_key(&***id))
            .map(ToString::to_string)
            .collect();
        if !missing.is_empty() && !missing_is_empty {
            problems.push(format!(
                "{} has no hypothesis for {}; add them, or count them as empty with \
                 --missing-as-empty",
                sources.1.name,
                named(&missing)
            ));
        }
        if !extra.is_empty() {
            problems.push(format!(
                "{} has no reference for {}; add them, or take them out of {}",
                sources.0.name,
                named(&extra),
                sources.1.name
            ));
        }
    }
    if problems.is_empty() {
        Ok(references)
    } else {
        Err(Failure::Usage(problems.join("\nerror: ")))
    }
}

/// Tells which rows of a file with ids have none.
fn without_id(source: &Source, utterances: &[Utterance<'_>]) -> Option<String> {
    let is_unnamed = |one: &&Utterance<'_>| one.id.as_ref().is_none_or(|id| id.trim().is_empty());
    let lines: Vec<String> = utterances
        .iter()
        .filter(is_unnamed)
        .map(|one| one.line.to_string())
        .collect();
    (!lines.is_empty()).then(|| {
        format!(
            "{} line {}: there is no id; give every utterance one",
            source.name,
            named(&lines)
        )
    })
}

/// Tells which ids a file has more than once.
fn repeated(source: &Source, utterances: &[Utterance<'_>]) -> Option<String> {
    let mut first: HashMap<&str, u64> = HashMap::new();
    let mut twice = Vec::new();
    for one in utterances {
        let Some(id) = one.id.as_deref().filter(|id| !id.trim().is_empty()) else {
            continue;
        };
        if let Some(line) = first.insert(id, one.line) {
            twice.push(format!("{id} (lines {line} and {})", one.line));
        }
    }
    (!twice.is_empty()).then(|| {
        format!(
            "{} has ids more than once: {}; give every utterance an id of its own",
            source.name,
            named(&twice)
        )
    })
}

fn named(ids: &[String]) -> String {
    let more = ids.len().saturating_sub(NAMED_IDS);
    let told = ids
        .iter()
        .take(NAMED_IDS)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if more > 0 {
        format!("{told} and {more} more")
    } else {
        told
    }
}
