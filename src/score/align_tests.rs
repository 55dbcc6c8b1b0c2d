use proptest::prelude::*;

use super::super::normalize::Normalizer;
use super::super::utterance::score_utterance;
use super::*;

/// The rule written down once more, as plainly as possible: a full matrix over suffixes, and a
/// walk that takes the first step that keeps the total.
fn plain(reference: &[u8], hypothesis: &[u8]) -> Vec<Operation> {
    let (rows, columns) = (reference.len(), hypothesis.len());
    let mut cost = vec![vec![0; columns + 1]; rows + 1];
    for row in (0..=rows).rev() {
        for column in (0..=columns).rev() {
            let mut choices = Vec::new();
            if row < rows && column < columns {
                let differs = usize::from(reference[row] != hypothesis[column]);
                choices.push(cost[row + 1][column + 1] + differs);
            }
            if row < rows {
                choices.push(cost[row + 1][column] + 1);
            }
            if column < columns {
                choices.push(cost[row][column + 1] + 1);
            }
            cost[row][column] = choices.into_iter().min().unwrap_or(0);
        }
    }
    let (mut row, mut column) = (0, 0);
    let mut operations = Vec::new();
    while row < rows || column < columns {
        let left = cost[row][column];
        let both = row < rows && column < columns;
        let equal = both && reference[row] == hypothesis[column];
        let (reference, hypothesis) = (row, column);
        let operation = if equal && cost[row + 1][column + 1] == left {
            Operation::Match {
                reference,
                hypothesis,
            }
        } else if both && !equal && cost[row + 1][column + 1] + 1 == left {
            Operation::Substitution {
                reference,
                hypothesis,
            }
        } else if row < rows && cost[row + 1][column] + 1 == left {
            Operation::Deletion {
                reference,
                hypothesis,
            }
        } else {
            Operation::Insertion {
                reference,
                hypothesis,
            }
        };
        row += usize::from(!matches!(operation, Operation::Insertion { .. }));
        column += usize::from(!matches!(operation, Operation::Deletion { .. }));
        operations.push(operation);
    }
    operations
}

/// Words over a small alphabet, so that there are many equal ones and many ties.
fn words(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    (1_u8..6).prop_flat_map(move |letters| prop::collection::vec(0..letters, 0..=longest))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn follows_the_rule(reference in words(20), hypothesis in words(20)) {
        prop_assert_eq!(align(&reference, &hypothesis).operations, plain(&reference, &hypothesis));
    }

    #[test]
    fn distance_and_counts_agree(reference in words(40), hypothesis in words(40)) {
        let counts = count_edits(&reference, &hypothesis);
        prop_assert_eq!(counts, align(&reference, &hypothesis).counts());
        prop_assert_eq!(counts.errors(), distance(&reference, &hypothesis) as u64);
        prop_assert_eq!(counts.reference_words(), reference.len() as u64);
        prop_assert_eq!(counts.hypothesis_words(), hypothesis.len() as u64);
    }

    #[test]
    fn swapping_sides_keeps_the_total(one in words(40), other in words(40)) {
        let there = count_edits(&one, &other);
        let back = count_edits(&other, &one);
        prop_assert_eq!(there.errors(), back.errors());
        let surplus = |counts: EditCounts| i128::from(counts.insertions) - i128::from(counts.deletions);
        prop_assert_eq!(surplus(there), -surplus(back));
    }

    #[test]
    fn distance_is_a_metric(one in words(30), two in words(30), three in words(30)) {
        prop_assert_eq!(distance(&one, &two) == 0, one == two);
        prop_assert!(distance(&one, &three) <= distance(&one, &two) + distance(&two, &three));
        prop_assert!(distance(&one, &two) >= one.len().abs_diff(two.len()));
        prop_assert!(distance(&one, &two) <= one.len().max(two.len()));
    }
}

/// Counts as [`score_utterance`](super::super::score_utterance) finds them, which does not align.
fn scored(reference: &[u8], hypothesis: &[u8]) -> EditCounts {
    let text = |words: &[u8]| -> String {
        // Words of several lengths, so that some keys are words and others are hashes.
        let word = |letter: &u8| "abcdefgh"[..=usize::from(*letter)].repeat(2) + " ";
        words.iter().map(word).collect()
    };
    let (reference, hypothesis) = (text(reference), text(hypothesis));
    score_utterance(&reference, &hypothesis, Normalizer::None, "en").words
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn scoring_counts_what_the_rule_aligns(
        reference in words(20), hypothesis in words(20), before in words(5), after in words(5)
    ) {
        // A common end is not aligned when scoring, though the rule may align it otherwise.
        let whole = |middle: &[u8]| [&before[..], middle, &after].concat();
        let (reference, hypothesis) = (whole(&reference), whole(&hypothesis));
        let counts = Alignment { operations: plain(&reference, &hypothesis) }.counts();
        prop_assert_eq!(scored(&reference, &hypothesis), counts);
    }
}

#[test]
fn every_way_of_counting_agrees_around_a_block() {
    for length in [1_usize, 2, 62, 63, 64, 65, 66, 127, 128, 129, 191, 192, 193] {
        for other in [length - 1, length, length + 1, 2 * length] {
            // Nothing in common at the ends, so that no less is aligned.
            let reference: Vec<u8> = (0..length).map(|at| [5, 0, 1, 2][at % 4]).collect();
            let hypothesis: Vec<u8> = (0..other).map(|at| [6, 1, 0][at % 3]).chain([7]).collect();
            let operations = plain(&reference, &hypothesis);
            assert_eq!(align(&reference, &hypothesis).operations, operations);
            let counts = Alignment { operations }.counts();
            assert_eq!(count_edits(&reference, &hypothesis), counts);
            assert_eq!(scored(&reference, &hypothesis), counts);
            let there = scored(&hypothesis, &reference);
            assert_eq!(there.errors(), counts.errors());
            assert_eq!(distance(&reference, &hypothesis) as u64, counts.errors());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn follows_the_rule_over_many_blocks(reference in words(300), hypothesis in words(300)) {
        prop_assert_eq!(align(&reference, &hypothesis).operations, plain(&reference, &hypothesis));
    }
}

#[test]
fn equal_costs_prefer_substitution_then_deletion() {
    let kinds = |reference: &str, hypothesis: &str| -> String {
        let align = align(reference.as_bytes(), hypothesis.as_bytes());
        let letter = |operation: &Operation| match operation {
            Operation::Match { .. } => 'm',
            Operation::Substitution { .. } => 's',
            Operation::Deletion { .. } => 'd',
            Operation::Insertion { .. } => 'i',
        };
        align.operations.iter().map(letter).collect()
    };
    assert_eq!(kinds("", ""), "");
    assert_eq!(kinds("ab", ""), "dd");
    assert_eq!(kinds("", "ab"), "ii");
    assert_eq!(kinds("ab", "c"), "sd");
    assert_eq!(kinds("xb", "ybb"), "smi");
    assert_eq!(kinds("ab", "ba"), "ss");
}

#[test]
fn long_texts_are_walked_in_stretches() {
    // More cells than are kept at once, so that columns are computed a second time. Every
    // hundredth word is lost and every hundred-and-first is replaced.
    let reference: Vec<u32> = (0..20_000).map(|number| number * 7 % 4096).collect();
    let mut hypothesis = Vec::new();
    for (position, word) in reference.iter().enumerate() {
        match position {
            _ if position % 100 == 0 => {}
            _ if position % 101 == 0 => hypothesis.push(5000),
            _ => hypothesis.push(*word),
        }
    }
    let alignment = align(&reference, &hypothesis);
    let counts = alignment.counts();
    assert_eq!(counts.errors(), distance(&reference, &hypothesis) as u64);
    assert_eq!(counts.reference_words(), 20_000);
    assert_eq!(counts.hypothesis_words(), hypothesis.len() as u64);
    assert_eq!(counts.deletions, 200);
    for operation in alignment.operations {
        if let Operation::Match {
            reference: said,
            hypothesis: written,
        } = operation
        {
            assert_eq!(reference[said], hypothesis[written]);
        }
    }
}
