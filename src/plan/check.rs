//! Names and settings of a matrix, held against what is known.

use super::cores::lint_threads;
use super::planner::Inputs;
use super::settings::{requires_setting, runner_settings};
use crate::corpus::Corpus;
use crate::diagnostic::{Diagnostic, Diagnostics, Span, closest};
use crate::matrix::{Alone, Axis, AxisValue, Entry, Matrix, NAMED_AXES};
use crate::model::{
    EngineFacts, GATE_METRICS, GateScope, MaxRegression, SET_GATE_METRICS, Scalar,
    SettingDeclaration, SettingKind, Value, VerifyMethod,
};
use crate::yaml::LocatedValue;
use globset::Glob;

/// Quantizations that some engine of the field reads; others are taken for a slip of the pen.
const QUANTIZATIONS: [&str; 10] = [
    "f32",
    "f16",
    "bf16",
    "q8_0",
    "q5_1",
    "q5_0",
    "q4_1",
    "q4_0",
    "int8",
    "int8_float32",
];

/// Checks every backend, model, method, normalizer, gate and definition that is named.
pub(super) fn check_names(matrix: &Matrix, inputs: &Inputs<'_>, problems: &mut Diagnostics) {
    for axis in &matrix.axes {
        for value in &axis.values {
            if problems.is_full() {
                return;
            }
            check_value(
                &axis.name,
                &value.located,
                &format!("matrix.{}", axis.name),
                inputs,
                problems,
            );
        }
    }
    for (path, entries) in [
        ("matrix.only", &matrix.only),
        ("matrix.exclude", &matrix.exclude),
        ("matrix.include", &matrix.include),
        ("matrix.exclude-after", &matrix.exclude_after),
    ] {
        for entry in entries {
            if problems.is_full() {
                return;
            }
            check_entry(matrix, path, entry, inputs, problems);
        }
    }
    for (kind, value) in &matrix.override_names {
        check_override(kind, value, inputs, problems);
    }
    for id in &matrix.normalizers {
        if id
            .value
            .written
            .parse::<crate::model::NormalizerId>()
            .is_err()
        {
            problems.push(
                Diagnostic::error(
                    Some(id.span.clone()),
                    format!("unknown normalizer `{}`", id.value.written),
                )
                .path("score.normalizers")
                .suggest(&id.value.written, crate::model::NormalizerId::WORDS),
            );
        }
    }
    check_gates(matrix, problems);
    inputs.catalog.check(&matrix.definitions, problems);
}

/// Tells an override that names what is not known. It is a lint: a file of limits that many
/// matrices share may name engines that are not here.
fn check_override(
    kind: &str,
    value: &LocatedValue,
    inputs: &Inputs<'_>,
    problems: &mut Diagnostics,
) {
    let written = value.value.written.as_str();
    let known: Vec<&str> = match kind {
        "backend" => inputs.engines.keys().map(String::as_str).collect(),
        _ => inputs.catalog.models.keys().map(String::as_str).collect(),
    };
    if known.contains(&written) || (kind == "model" && is_only_fake(inputs)) {
        return;
    }
    problems.push(
        Diagnostic::warning(
            Some(value.span.clone()),
            format!("there is no {kind} `{written}`, so this override changes nothing"),
        )
        .path(format!("deadlines.overrides.{kind}"))
        .suggest(written, known),
    );
}

/// Checks an entry of one of the lists. What only has to match an axis may be of any type:
/// that it then never matches is told as a lint where the entries are carried out.
fn check_entry(
    matrix: &Matrix,
    path: &str,
    entry: &Entry,
    inputs: &Inputs<'_>,
    problems: &mut Diagnostics,
) {
    let matches = path != "matrix.include";
    for key in &entry.keys {
        let matches_axis = matrix.axes.iter().any(|axis| axis.name == key.name)
            && !NAMED_AXES.contains(&key.name.as_str());
        let is_id = NAMED_AXES.contains(&key.name.as_str());
        for value in &key.values {
            let is_glob = matches && value.value.written.contains(['*', '?', '[']);
            if is_glob {
                if let Err(error) = Glob::new(&value.value.written) {
                    problems.push(bad_glob(&value.value.written, &error, &value.span).path(path));
                }
            } else if key.name == "audio" {
                if !inputs.corpus.contains(&value.value.written) {
                    problems.push(unknown_audio(value, inputs.corpus).path(path));
                }
            } else if !matches_axis && (!matches || is_id) {
                check_value(&key.name, value, path, inputs, problems);
            }
        }
    }
}

/// Checks the values of include entries that stand alone: there, what only had to match an axis is
/// a value like any other.
pub(super) fn check_alone(
    matrix: &Matrix,
    alone: &[Alone],
    inputs: &Inputs<'_>,
    problems: &mut Diagnostics,
) {
    for entry in alone
        .iter()
        .filter_map(|alone| matrix.include.get(alone.entry))
    {
        let of_axes = entry.keys.iter().filter(|key| {
            matrix.axes.iter().any(|axis| axis.name == key.name)
                && !NAMED_AXES.contains(&key.name.as_str())
        });
        for key in of_axes {
            for value in &key.values {
                check_value(&key.name, value, "matrix.include", inputs, problems);
            }
        }
    }
}

fn check_value(
    key: &str,
    value: &LocatedValue,
    path: &str,
    inputs: &Inputs<'_>,
    problems: &mut Diagnostics,
) {
    let written = value.value.written.as_str();
    let at = Some(value.span.clone());
    match key {
        "backend" if !inputs.engines.contains_key(written) => {
            problems.push(
                Diagnostic::error(at, format!("unknown engine `{written}`"))
                    .label("no engine has this id")
                    .path(path)
                    .suggest(written, inputs.engines.keys().map(String::as_str))
                    .hint("`earmark engines` lists them; a program of your own goes under `backends:`"),
            );
        }
        "model" if !inputs.catalog.models.contains_key(written) => {
            // An engine that reads no model takes any name.
            if is_only_fake(inputs) {
                return;
            }
            problems.push(
                Diagnostic::error(at, format!("unknown model `{written}`"))
                    .label("no model of the catalog has this id")
                    .path(path)
                    .suggest(written, inputs.catalog.models.keys().map(String::as_str))
                    .hint("define one of your own under `models:`"),
            );
        }
        "verify-method" => {
            if written.parse::<VerifyMethod>().is_err() {
                problems.push(
                    Diagnostic::error(at, format!("unknown verify method `{written}`"))
                        .path(path)
                        .suggest(written, VerifyMethod::WORDS),
                );
            }
        }
        "quantization" => {
            let known = QUANTIZATIONS.contains(&written)
                || inputs
                    .engines
                    .values()
                    .any(|engine| engine.artifacts.contains_key(written));
            if !known {
                problems.push(
                    Diagnostic::error(at, format!("unknown quantization `{written}`"))
                        .path(path)
                        .suggest(written, QUANTIZATIONS),
                );
            }
        }
        name if NAMED_AXES.contains(&name) => {}
        name if name.starts_with("tag.") => {
            if name.len() == "tag.".len() {
                problems.push(
                    Diagnostic::error(Some(value.key.clone()), "a label needs a name")
                        .path(path)
                        .hint("write `tag.NAME: …`"),
                );
            }
        }
        name => check_setting(name, value, path, inputs, problems),
    }
}

/// Whether every engine that the matrix chooses takes any model name.
fn is_only_fake(inputs: &Inputs<'_>) -> bool {
    inputs.chosen().all(|engine| engine.any_model)
}

fn check_setting(
    name: &str,
    value: &LocatedValue,
    path: &str,
    inputs: &Inputs<'_>,
    problems: &mut Diagnostics,
) {
    let mut runner = runner_settings();
    runner.push(requires_setting());
    let declarations: Vec<&SettingDeclaration> = runner
        .iter()
        .filter(|declaration| declaration.name == name)
        .chain(inputs.chosen().filter_map(|engine| engine.setting(name)))
        .collect();
    if declarations.is_empty() {
        let elsewhere = inputs
            .engines
            .values()
            .any(|engine| engine.setting(name).is_some());
        let known: Vec<&str> = runner
            .iter()
            .map(|declaration| declaration.name.as_str())
            .chain(inputs.engines.values().flat_map(|engine| {
                engine
                    .settings
                    .iter()
                    .map(|declaration| declaration.name.as_str())
            }))
            .chain(["quantization"])
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect();
        let diagnostic = if elsewhere {
            Diagnostic::error(
                Some(value.key.clone()),
                format!("`{name}` is a setting of no engine that this matrix chooses"),
            )
            .hint("take it out, or choose an engine that has it")
        } else {
            Diagnostic::error(Some(value.key.clone()), format!("unknown setting `{name}`"))
                .label("no engine has this setting")
                .suggest(name, known)
                .hint("a label that is only carried along is written `tag.NAME`")
        };
        let diagnostic = if inputs.chosen().any(|engine| engine.command) {
            diagnostic.hint(format!(
                "a backend of your own has the settings that its command names, such as \
                 `{{{{ settings.{name} }}}}`"
            ))
        } else {
            diagnostic
        };
        problems.push(diagnostic.path(path));
        return;
    }
    // A value that one engine takes and another does not is a planned skip of the other.
    let refusals: Vec<String> = declarations
        .iter()
        .filter_map(|declaration| declaration.accept(&value.value).err())
        .collect();
    if refusals.len() == declarations.len() {
        let diagnostic = Diagnostic::error(Some(value.span.clone()), refusals[0].clone())
            .path(path)
            .hint(declarations[0].description.clone());
        let meant = match &declarations[0].kind {
            SettingKind::Choice(words) => {
                closest(&value.value.written, words.iter().map(String::as_str))
            }
            _ => None,
        };
        // A number in quotes is text, and looks like a number to whoever wrote it.
        let is_quoted =
            matches!(&value.value.scalar, Scalar::Text(text) if text.parse::<f64>().is_ok());
        problems.push(match meant {
            _ if is_quoted => diagnostic.hint("take the quotes away: in quotes it is text"),
            Some(word) => diagnostic.hint(format!("did you mean `{word}`?")),
            None => diagnostic,
        });
    }
}

/// Checks the values under `settings:` and tells which backend ignores which.
pub(super) fn check_settings(matrix: &Matrix, inputs: &Inputs<'_>, problems: &mut Diagnostics) {
    lint_threads(matrix, inputs, problems);
    for entry in &matrix.settings {
        let path = format!("settings.{}", entry.name);
        if NAMED_AXES.contains(&entry.name.as_str()) {
            problems.push(
                Diagnostic::error(
                    Some(entry.value.key.clone()),
                    format!("`{}` is an axis and no setting", entry.name),
                )
                .path(path)
                .hint("write it under `matrix:`"),
            );
            continue;
        }
        if matrix.axes.iter().any(|axis| axis.name == entry.name) {
            problems.push(
                Diagnostic::error(
                    Some(entry.value.key.clone()),
                    format!("`{}` is an axis of this matrix as well", entry.name),
                )
                .path(path)
                .hint("keep one of the two"),
            );
            continue;
        }
        check_value(&entry.name, &entry.value, &path, inputs, problems);
        let is_setting = !runner_settings()
            .iter()
            .any(|declaration| declaration.name == entry.name)
            && entry.name != "quantization"
            && !entry.name.starts_with("tag.")
            // That none has it is told as a mistake.
            && inputs
                .chosen()
                .any(|engine| engine.setting(&entry.name).is_some());
        if is_setting {
            for engine in inputs
                .chosen()
                .filter(|engine| engine.setting(&entry.name).is_none())
            {
                problems.push(
                    Diagnostic::warning(
                        Some(entry.value.key.clone()),
                        format!(
                            "`{}` has no setting `{}` and ignores it",
                            engine.id, entry.name
                        ),
                    )
                    .path(path.clone()),
                );
            }
        }
    }
}

fn check_gates(matrix: &Matrix, problems: &mut Diagnostics) {
    for (gate, span) in &matrix.gates {
        if gate.max.is_none() && gate.min.is_none() && gate.max_regression.is_none() {
            problems.push(
                Diagnostic::error(Some(span.clone()), "a gate without a bound")
                    .path("gates")
                    .hint("write `max: …`, `min: …` or `max-regression: …`"),
            );
        }
        if gate.max_regression == Some(MaxRegression::default()) {
            problems.push(
                Diagnostic::error(
                    Some(span.clone()),
                    "an allowed regression without a number",
                )
                .path("gates")
                .hint("write `absolute: …`, `relative: …` or both, such as `{absolute: 0.005, relative: 5%}`"),
            );
        }
        if let (Some(min), Some(max)) = (gate.min, gate.max)
            && min > max
        {
            problems.push(
                Diagnostic::error(
                    Some(span.clone()),
                    format!("nothing is at least {min} and at most {max}"),
                )
                .path("gates")
                .hint("swap `min` and `max`, or keep one of them"),
            );
        }
        let known: &[&str] = match gate.scope {
            GateScope::Row => &GATE_METRICS,
            GateScope::Set => &SET_GATE_METRICS,
        };
        if !known.contains(&gate.metric.as_str()) {
            let over = match gate.scope {
                GateScope::Row => "",
                GateScope::Set => " over a set",
            };
            problems.push(
                Diagnostic::error(
                    Some(span.clone()),
                    format!("unknown metric `{}`{over}", gate.metric),
                )
                .path("gates")
                .suggest(&gate.metric, known.iter().copied()),
            );
        }
    }
}

/// Replaces globs in the audio axis by the ids they stand for.
pub(super) fn resolve_audio(axes: &mut [Axis], corpus: &Corpus, problems: &mut Diagnostics) {
    for axis in axes.iter_mut().filter(|axis| axis.name == "audio") {
        let mut values = Vec::new();
        for AxisValue { located, condition } in &axis.values {
            let value = located;
            let written = &value.value.written;
            if corpus.contains(written) {
                values.push(AxisValue {
                    located: value.clone(),
                    condition: condition.clone(),
                });
                continue;
            }
            if !written.contains(['*', '?', '[', '{']) {
                problems.push(unknown_audio(value, corpus).path("matrix.audio"));
                continue;
            }
            match Glob::new(written) {
                Err(error) => {
                    problems.push(bad_glob(written, &error, &value.span).path("matrix.audio"));
                }
                Ok(glob) => {
                    let ids = corpus.matching(&glob.compile_matcher());
                    if ids.is_empty() {
                        problems.push(
                            Diagnostic::error(
                                Some(value.span.clone()),
                                format!("no clip matches `{written}`"),
                            )
                            .path("matrix.audio")
                            .hint(format!("clips: {}", corpus.clip_ids().join(", "))),
                        );
                    }
                    values.extend(ids.into_iter().map(|id| AxisValue {
                        located: LocatedValue {
                            value: Value::text(id),
                            span: value.span.clone(),
                            key: value.key.clone(),
                        },
                        condition: condition.clone(),
                    }));
                }
            }
        }
        axis.values = values;
    }
}

fn unknown_audio(value: &LocatedValue, corpus: &Corpus) -> Diagnostic {
    let written = &value.value.written;
    Diagnostic::error(
        Some(value.span.clone()),
        format!("unknown clip or data set `{written}`"),
    )
    .label("no clip and no data set has this id")
    .suggest(written, corpus.ids().iter().map(String::as_str))
    .hint("a recording of your own goes under `audio:`")
}

fn bad_glob(written: &str, error: &globset::Error, span: &Span) -> Diagnostic {
    Diagnostic::error(
        Some(span.clone()),
        format!("`{written}` is no glob: {}", error.kind()),
    )
    .hint("`*` stands for any text, `?` for one character, `[ab]` for one of a few")
}

impl Inputs<'_> {
    /// Returns the engines that the matrix being planned chooses.
    pub(super) fn chosen(&self) -> impl Iterator<Item = &EngineFacts> {
        self.chosen.iter().filter_map(|id| self.engines.get(id))
    }
}
