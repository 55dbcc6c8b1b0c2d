//! Known ids and settings, put into the schema of matrix files, so that an editor completes them.
//!
//! Ids stay open, because a matrix may define its own: a known id is one of an enum, anything else
//! is text. Settings are closed: the schema knows their types and ranges, over all engines.

use crate::catalog::Catalog;
use crate::corpus::Corpus;
use crate::engine;
use crate::matrix::NAMED_AXES;
use crate::model::{
    Adaptive, Deadlines, Retries, SettingDeclaration, SettingKind, requirements_schema,
};
use crate::plan::{requires_setting, runner_settings};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Puts the known ids and settings into the schema of matrix files.
pub(super) fn name_known(schema: &mut Value) {
    let known = Known::collect();
    let axes = known.axes();
    if let Some(Value::Object(properties)) = schema.pointer_mut("/$defs/Matrix/properties") {
        // The forms that an axis may have are the section's own; only what a value is, is known
        // better here.
        let any_values = properties.get("backend").cloned().unwrap_or_default();
        for (name, one) in &axes {
            let values = with_values(properties.get(name).unwrap_or(&any_values), one);
            let description = if properties.contains_key(name) {
                description_of(&values)
            } else {
                description_of(one)
            };
            properties.insert(name.clone(), describe(values, description));
        }
        for list in ["only", "exclude", "include", "exclude-after"] {
            let Some(entry) = properties
                .get_mut(list)
                .and_then(|list| list.pointer_mut("/items"))
            else {
                continue;
            };
            let any_value = entry
                .get("additionalProperties")
                .cloned()
                .unwrap_or_default();
            if let Some(Value::Object(keys)) = entry.pointer_mut("/properties") {
                for (name, one) in &axes {
                    // An entry may match by any value, so here all of them stay open.
                    let value = with_values(&any_value, &open(one));
                    keys.insert(name.clone(), describe(value, description_of(one)));
                }
            }
        }
    }
    if let Some(settings) = schema.pointer_mut("/properties/settings") {
        let settings_only: Map<String, Value> = axes
            .iter()
            .filter(|(name, _)| !NAMED_AXES.contains(&name.as_str()))
            .map(|(name, one)| (name.clone(), one.clone()))
            .collect();
        settings["properties"] = json!(settings_only);
    }
    for (pointer, ids) in [
        ("/$defs/OverrideWire/properties/backend", &known.backends),
        ("/$defs/OverrideWire/properties/model", &known.models),
        ("/$defs/BackendWire/properties/artifact", &known.artifacts),
    ] {
        replace(schema, pointer, &open(&json!({ "enum": ids })));
    }
    name_recipes(schema, &known.recipes);
    name_default_deadlines(schema);
    name_default_retries(schema);
}

/// Puts in the limits that hold where the file says nothing.
fn name_default_deadlines(schema: &mut Value) {
    let deadlines = Deadlines::default();
    for (pointer, limit) in [
        ("DeadlinesWire/properties/start", deadlines.start),
        ("DeadlinesWire/properties/load", deadlines.load),
        ("DeadlinesWire/properties/grace", deadlines.grace),
        ("SizesWire/properties/tiny", deadlines.verify.tiny),
        ("SizesWire/properties/base", deadlines.verify.base),
        ("SizesWire/properties/small", deadlines.verify.small),
        ("SizesWire/properties/medium", deadlines.verify.medium),
        ("SizesWire/properties/large", deadlines.verify.large),
        ("TrialWire/properties/floor", deadlines.benchmark_floor),
        (
            "TrialWire/properties/per-audio-second",
            deadlines.benchmark_per_audio_second,
        ),
        ("FetchWire/properties/stall", deadlines.download_stall),
        ("FetchWire/properties/total", deadlines.download_total),
    ] {
        if let Some(place) = schema.pointer_mut(&format!("/$defs/{pointer}")) {
            place["default"] = json!(format!("{}s", limit.as_secs()));
        }
    }
    if let Some(place) = schema.pointer_mut("/$defs/DeadlinesWire/properties/slow") {
        place["default"] = json!(deadlines.slow);
    }
}

/// Puts in how often is tried again where the file says nothing.
fn name_default_retries(schema: &mut Value) {
    let retries = Retries::default();
    for (name, default) in [
        ("download", json!(retries.download)),
        ("crash", json!(retries.crash)),
        ("backoff", json!(format!("{}s", retries.backoff.as_secs()))),
    ] {
        if let Some(place) = schema.pointer_mut(&format!("/$defs/RetriesWire/properties/{name}")) {
            place["default"] = default;
        }
    }
}

/// Puts the known recipes into the schema of a file that names sources.
pub(super) fn name_known_recipes(schema: &mut Value) {
    name_recipes(schema, &Known::collect().recipes);
}

fn name_recipes(schema: &mut Value, recipes: &[String]) {
    let pointer = "/$defs/SourceWire/properties/recipe";
    replace(schema, pointer, &open(&json!({ "enum": recipes })));
}

/// What is built into this program, whatever was left out of this build of it.
struct Known {
    backends: Vec<String>,
    models: Vec<String>,
    audio: Vec<String>,
    artifacts: Vec<String>,
    quantizations: Vec<String>,
    recipes: Vec<String>,
    settings: BTreeMap<String, SettingDeclaration>,
}

impl Known {
    fn collect() -> Self {
        let engines = engine::facts();
        let catalog = Catalog::builtin().unwrap_or_default();
        let mut artifacts: Vec<String> = Vec::new();
        let mut quantizations: Vec<String> = Vec::new();
        let mut settings: BTreeMap<String, SettingDeclaration> = BTreeMap::new();
        let declarations = engines
            .values()
            .flat_map(|engine| engine.settings.iter().cloned())
            .chain(runner_settings())
            .chain([requires_setting()]);
        for declaration in declarations {
            match settings.get_mut(&declaration.name) {
                Some(known) => known.kind = either(&known.kind, &declaration.kind),
                None => {
                    settings.insert(declaration.name.clone(), declaration);
                }
            }
        }
        for (quantization, artifact) in engines.values().flat_map(|engine| &engine.artifacts) {
            if !quantizations.contains(quantization) {
                quantizations.push(quantization.clone());
            }
            if !artifacts.contains(artifact) {
                artifacts.push(artifact.clone());
            }
        }
        Self {
            backends: engines.keys().cloned().collect(),
            models: catalog.models.keys().cloned().collect(),
            audio: Corpus::builtin().ids(),
            artifacts,
            quantizations,
            recipes: catalog.recipes.keys().cloned().collect(),
            settings,
        }
    }

    /// Returns the schema of one value of each axis that is known.
    fn axes(&self) -> Map<String, Value> {
        let mut axes = Map::new();
        axes.insert("backend".into(), open(&json!({ "enum": self.backends })));
        axes.insert("model".into(), open(&json!({ "enum": self.models })));
        axes.insert("audio".into(), open(&json!({ "enum": self.audio })));
        axes.insert(
            "verify-method".into(),
            json!({ "enum": crate::model::VerifyMethod::WORDS }),
        );
        axes.insert(
            "quantization".into(),
            describe(
                open(&json!({ "enum": self.quantizations })),
                Some(
                    "How the weights are stored; with the backend it chooses the artifact.".into(),
                ),
            ),
        );
        for (name, declaration) in &self.settings {
            axes.insert(name.clone(), setting(declaration));
        }
        axes
    }
}

/// Returns the kind of a setting that two engines share under one name.
fn either(left: &SettingKind, right: &SettingKind) -> SettingKind {
    match (left, right) {
        (
            SettingKind::Integer { minimum, maximum },
            SettingKind::Integer {
                minimum: other_minimum,
                maximum: other_maximum,
            },
        ) => SettingKind::Integer {
            minimum: *minimum.min(other_minimum),
            maximum: *maximum.max(other_maximum),
        },
        (
            SettingKind::Number { minimum, maximum },
            SettingKind::Number {
                minimum: other_minimum,
                maximum: other_maximum,
            },
        ) => SettingKind::Number {
            minimum: minimum.min(*other_minimum),
            maximum: maximum.max(*other_maximum),
        },
        (SettingKind::Choice(words), SettingKind::Choice(others)) => SettingKind::Choice(
            words
                .iter()
                .chain(others.iter().filter(|word| !words.contains(word)))
                .cloned()
                .collect(),
        ),
        (left, right) if left == right => left.clone(),
        // One name means one thing; if it ever does not, the schema leaves it to the parser.
        _ => SettingKind::Text,
    }
}

fn setting(declaration: &SettingDeclaration) -> Value {
    let mut schema = match &declaration.kind {
        SettingKind::Boolean => json!({ "type": "boolean" }),
        SettingKind::Integer { minimum, maximum } => {
            json!({ "type": "integer", "minimum": minimum, "maximum": maximum })
        }
        SettingKind::Repetition { minimum, maximum } => {
            let fewest = Adaptive::FEWEST;
            let rule = json!({
                "type": "object",
                "required": ["min", "max", "until"],
                "properties": {
                    "min": {
                        "description": "The fewest trials.",
                        "type": "integer", "minimum": fewest, "maximum": maximum,
                    },
                    "max": {
                        "description": "The most trials.",
                        "type": "integer", "minimum": fewest, "maximum": maximum,
                    },
                    "until": {
                        "description": "How far the ends of the median's interval may lie from its \
                                        middle, as a share of the median.",
                        "type": "string", "pattern": "^[0-9]*[.]?[0-9]+ *%$",
                    },
                },
                "additionalProperties": false,
                "examples": [{ "min": 6, "max": 30, "until": "2%" }],
            });
            // Not `anyOf`, by which a value is known that stays open. Bounds hold for numbers alone.
            let forms = [json!({ "type": "integer" }), rule];
            json!({ "oneOf": forms, "minimum": minimum, "maximum": maximum })
        }
        SettingKind::Number { minimum, maximum } => {
            json!({ "type": "number", "minimum": minimum, "maximum": maximum })
        }
        SettingKind::Choice(words) => json!({ "enum": words }),
        SettingKind::Requirements => requirements_schema().to_value(),
        SettingKind::Text => scalar(),
    };
    schema["description"] = json!(declaration.description);
    if let Some(default) = &declaration.default {
        schema["default"] = json!(default);
    }
    schema
}

fn scalar() -> Value {
    json!({ "type": ["string", "number", "boolean"] })
}

/// Returns a schema that completes what is known and takes any other value.
fn open(known: &Value) -> Value {
    if known.get("anyOf").is_some() {
        return known.clone();
    }
    let mut bare = known.clone();
    if let Some(object) = bare.as_object_mut() {
        object.remove("description");
    }
    describe(json!({ "anyOf": [bare, scalar()] }), description_of(known))
}

/// Returns a schema in which every “any scalar” is a known kind of value.
fn with_values(schema: &Value, one: &Value) -> Value {
    if *schema == scalar() {
        let mut one = one.clone();
        if let Some(object) = one.as_object_mut() {
            object.remove("description");
            object.remove("default");
        }
        return one;
    }
    match schema {
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| (key.clone(), with_values(value, one)))
            .collect::<Map<String, Value>>()
            .into(),
        Value::Array(items) => items.iter().map(|item| with_values(item, one)).collect(),
        other => other.clone(),
    }
}

fn describe(mut schema: Value, description: Option<String>) -> Value {
    if let (Some(object), Some(description)) = (schema.as_object_mut(), description) {
        object.insert("description".into(), json!(description));
    }
    schema
}

fn description_of(schema: &Value) -> Option<String> {
    schema.get("description")?.as_str().map(str::to_owned)
}

/// Replaces a schema and keeps its description.
fn replace(schema: &mut Value, pointer: &str, by: &Value) {
    if let Some(place) = schema.pointer_mut(pointer) {
        *place = describe(by.clone(), description_of(place));
    }
}
