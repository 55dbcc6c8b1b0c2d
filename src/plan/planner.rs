//! From a matrix to a plan.

use super::check::{check_alone, check_names, check_settings, resolve_audio};
use super::commands::lint_commands;
use super::cores::lint_cpus;
use super::jobs::jobs;
use super::seal::seal;
use crate::catalog::Catalog;
use crate::corpus::Corpus;
use crate::diagnostic::{Diagnostics, LineIndex, SourceText};
use crate::matrix::{Axis, Facts, Matrix, expand};
use crate::model::{EngineFacts, Plan, ValueOrigin, VerifyMethod};
use indexmap::IndexMap;
use std::sync::Arc;

/// What the planner is told beside the matrix.
#[derive(Debug)]
pub struct Inputs<'a> {
    /// Models and recipes, the matrix's own laid over the built-in ones.
    pub catalog: &'a Catalog,
    /// Clips and data sets, the matrix's own beside the built-in ones.
    pub corpus: &'a Corpus,
    /// Every engine that is known, the matrix's own backends included.
    pub engines: &'a IndexMap<String, EngineFacts>,
    /// The ids of the engines that the matrix chooses.
    pub chosen: Vec<String>,
    /// This machine, for lints and for conditions that ask for it: without those, the plan is the
    /// same on every machine.
    pub facts: Facts,
    /// Overrides the matrix's verify methods.
    pub verify_method: Option<VerifyMethod>,
}

/// Makes the plan. Mistakes and lints go into `problems`.
///
/// Returns `None` if there are mistakes.
pub fn plan(matrix: &Matrix, inputs: &Inputs<'_>, problems: &mut Diagnostics) -> Option<Plan> {
    let mut axes = matrix.axes.clone();
    check_names(matrix, inputs, problems);
    check_settings(matrix, inputs, problems);
    lint_cpus(matrix, inputs, problems);
    lint_commands(matrix, inputs, problems);
    resolve_audio(&mut axes, inputs.corpus, problems);
    let expansion = expand(matrix, &axes, &inputs.facts, problems);
    check_alone(matrix, &expansion.alone, inputs, problems);
    if problems.has_errors() {
        return None;
    }
    let made = jobs(matrix, inputs, &expansion.combinations);
    let mut plan = Plan {
        version: 1,
        name: matrix.name.clone(),
        description: matrix.description.clone(),
        digest: String::new(),
        axes: axes.iter().map(|axis| axis.name.clone()).collect(),
        origins: origins(matrix, &axes),
        settings: matrix
            .settings
            .iter()
            .map(|entry| (entry.name.clone(), entry.value.value.clone()))
            .collect(),
        facts: expansion.facts,
        environment: matrix.environment.keys().cloned().collect(),
        combinations: expansion.combinations,
        jobs: made.jobs,
        deadlines: matrix.deadlines.clone(),
        order: matrix.order,
        seed: matrix.seed.unwrap_or(1),
        isolation: matrix.isolation,
        download: matrix.download,
        verify_policy: matrix.verify_policy,
        quiet: matrix.quiet,
        retries: matrix.retries,
        pin_cpus: matrix.pin_cpus.iter().map(|(number, _)| *number).collect(),
        lock: None,
        normalizers: matrix
            .normalizers
            .iter()
            .map(|id| id.value.written.clone())
            .collect(),
        gates: matrix.gates.iter().map(|(gate, _)| gate.clone()).collect(),
        models: made.models,
        recipes: made.recipes,
        audio: made.audio,
        engines: made.engines,
        backends: matrix
            .definitions
            .backends
            .iter()
            .map(|(id, entry)| (id.clone(), entry.definition.clone()))
            .collect(),
        matrix_text: matrix.source.text.clone(),
        extends: matrix
            .extended
            .iter()
            .map(|source| (matrix.file_name(source), source.text.clone()))
            .collect(),
    };
    seal(&mut plan);
    Some(plan)
}

/// Returns for each axis its values with the places they come from.
fn origins(matrix: &Matrix, axes: &[Axis]) -> IndexMap<String, Vec<ValueOrigin>> {
    // An axis may have as many values as a file has lines.
    let mut indices: Vec<(Arc<SourceText>, LineIndex)> = Vec::new();
    axes.iter()
        .map(|axis| {
            let values = axis.values.iter().map(|value| {
                let span = &value.located.span;
                let known = indices
                    .iter()
                    .position(|(source, _)| Arc::ptr_eq(source, &span.source));
                let index = known.unwrap_or_else(|| {
                    let index = LineIndex::of(&span.source.text);
                    indices.push((Arc::clone(&span.source), index));
                    indices.len() - 1
                });
                ValueOrigin {
                    value: value.located.value.clone(),
                    file: matrix.file_name(&span.source),
                    line: indices[index].1.line_of(span.range.start),
                }
            });
            (axis.name.clone(), values.collect())
        })
        .collect()
}
