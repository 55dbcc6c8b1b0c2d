//! The CPUs that a matrix names: from what is written to what holds, and what contradicts itself.

use super::wire_policies::CpuNumber;
use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::yaml::{Document, Located};

/// Returns the CPUs that timed jobs are bound to, each with its place. A list of none and a CPU that
/// is named twice go into `problems`.
pub(super) fn resolve_cpus(
    written: Option<&Located<Vec<Located<CpuNumber>>>>,
    document: &Document,
    problems: &mut Diagnostics,
) -> Vec<(u32, Span)> {
    let Some(list) = written else {
        return Vec::new();
    };
    if list.value.is_empty() && !document.is_damaged(list.node) {
        problems.push(
            Diagnostic::error(
                Some(document.span(list.node)),
                "timed jobs cannot be bound to no CPU at all",
            )
            .path(document.path(list.node))
            .hint("name at least one, such as `[0]`, or take the key out"),
        );
    }
    let mut cpus: Vec<(u32, Span)> = Vec::new();
    for entry in &list.value {
        let number = entry.value.0;
        if cpus.iter().any(|(known, _)| *known == number) {
            problems.push(
                Diagnostic::error(
                    Some(document.span(entry.node)),
                    format!("CPU {number} is named twice"),
                )
                .path(document.path(list.node))
                .hint("name every CPU once"),
            );
            continue;
        }
        cpus.push((number, document.span(entry.node)));
    }
    cpus
}
