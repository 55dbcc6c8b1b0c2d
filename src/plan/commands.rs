//! What is odd where a matrix chooses backends of its own.

use super::planner::Inputs;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::matrix::Matrix;
use crate::model::VerifyMethod;
use crate::yaml::LocatedValue;

/// Tells, once for each command backend, that it is not asked to load a model: it has no phase of its
/// own for that.
pub(super) fn lint_commands(matrix: &Matrix, inputs: &Inputs<'_>, problems: &mut Diagnostics) {
    let commands: Vec<&str> = inputs
        .chosen()
        .filter(|engine| engine.command)
        .map(|engine| engine.id.as_str())
        .collect();
    if commands.is_empty() {
        return;
    }
    let loads = |method: VerifyMethod| {
        matches!(method, VerifyMethod::Load | VerifyMethod::Transcribe).then_some(method)
    };
    let asked = match inputs.verify_method {
        Some(method) => loads(method).map(|method| (method, None)),
        None => methods(matrix).find_map(|value| {
            let method = loads(value.value.written.parse().ok()?)?;
            Some((method, Some(value)))
        }),
    };
    let Some((method, value)) = asked else {
        return;
    };
    for id in commands {
        problems.push(
            Diagnostic::warning(
                value.map(|value| value.span.clone()),
                format!(
                    "`{id}` is a command and has no load phase: instead of `{method}` its files are \
                     looked at, as by `cache-check`"
                ),
            )
            .path("matrix.verify-method")
            .hint("whether it can load them shows when it transcribes, under the limit of a trial"),
        );
    }
}

/// Returns the methods that axis and `include` name.
fn methods(matrix: &Matrix) -> impl Iterator<Item = &LocatedValue> {
    let axis = matrix
        .axes
        .iter()
        .filter(|axis| axis.name == "verify-method")
        .flat_map(|axis| axis.values.iter().map(|value| &value.located));
    let included = matrix
        .include
        .iter()
        .flat_map(|entry| &entry.keys)
        .filter(|key| key.name == "verify-method")
        .flat_map(|key| &key.values);
    axis.chain(included)
}
