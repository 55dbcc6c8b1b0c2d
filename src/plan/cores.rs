//! Threads and CPUs of a matrix, held against those of this machine.

use super::planner::Inputs;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::matrix::Matrix;

/// Tells where engines get more threads than cores: they collapse then, because their barriers spin.
pub(super) fn lint_threads(matrix: &Matrix, inputs: &Inputs<'_>, problems: &mut Diagnostics) {
    let axis = matrix
        .axes
        .iter()
        .filter(|axis| axis.name == "threads")
        .flat_map(|axis| axis.values.iter().map(|value| &value.located));
    let setting = matrix
        .settings
        .iter()
        .filter(|entry| entry.name == "threads");
    let cores = i64::from(inputs.facts.cores);
    let pinned = i64::try_from(matrix.pin_cpus.len()).unwrap_or(i64::MAX);
    for value in axis.chain(setting.map(|entry| &entry.value)) {
        let Some(threads) = value.value.as_integer() else {
            continue;
        };
        let written = &value.value;
        let message = if threads > cores {
            format!("{written} threads on {cores} cores")
        } else if pinned > 0 && threads > pinned {
            match pinned {
                1 => format!("{written} threads on the one CPU of `pin-cpus`"),
                _ => format!("{written} threads on the {pinned} CPUs of `pin-cpus`"),
            }
        } else {
            continue;
        };
        problems.push(
            Diagnostic::warning(Some(value.span.clone()), message)
                .path("threads")
                .hint("engines whose threads spin become many times slower: use at most the cores"),
        );
    }
}

/// Tells CPUs that this machine does not seem to have. It is a lint: the plan may be meant for
/// another one.
pub(super) fn lint_cpus(matrix: &Matrix, inputs: &Inputs<'_>, problems: &mut Diagnostics) {
    for (number, span) in &matrix.pin_cpus {
        if *number >= inputs.facts.cores {
            problems.push(
                Diagnostic::warning(
                    Some(span.clone()),
                    format!(
                        "CPU {number} is not among the {} that this program may use here, if they \
                         are numbered from 0",
                        inputs.facts.cores
                    ),
                )
                .path("pin-cpus")
                .hint("where the plan is carried out it must be there, or nothing is started"),
            );
        }
    }
}
