//! What every schema of a file that people write has in common, and the types alone do not say.

use serde_json::{Map, Value, json};

/// Makes a generated schema say what the parser does: a key is left out and never null, and a
/// number or a boolean is taken for its text where text is wanted.
pub(super) fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            forbid_null(object);
            take_scalars_for_text(object);
            object.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

fn forbid_null(object: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".into(), only);
        }
    }
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
    if let Some(Value::Array(words)) = object.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    if let Some(Value::Array(forms)) = object.get_mut("anyOf") {
        forms.retain(|form| *form != json!({ "type": "null" }));
        if let [Value::Object(only)] = forms.as_slice() {
            let only = only.clone();
            object.remove("anyOf");
            // What stands beside it, such as a description, is nearer to the place.
            for (key, value) in only {
                object.entry(key).or_insert(value);
            }
        }
    }
}

fn take_scalars_for_text(object: &mut Map<String, Value>) {
    let is_any_text = object.get("type").is_some_and(|name| name == "string")
        && !["const", "enum", "pattern"]
            .iter()
            .any(|key| object.contains_key(*key));
    if is_any_text {
        object.insert("type".into(), json!(["string", "number", "boolean"]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_no_value_and_a_number_is_text_where_text_is_wanted() {
        let mut schema = json!({
            "properties": {
                "name": { "type": ["string", "null"], "default": null },
                "word": { "type": "string", "enum": ["a", null] },
                "rule": { "description": "how", "anyOf": [{ "$ref": "#/x" }, { "type": "null" }] },
                "limit": { "anyOf": [{ "anyOf": [{ "const": 0 }, { "const": "0s" }] }, { "type": "null" }] },
            },
        });
        tidy(&mut schema);
        assert_eq!(
            schema,
            json!({
                "properties": {
                    "name": { "type": ["string", "number", "boolean"] },
                    "word": { "type": "string", "enum": ["a"] },
                    "rule": { "description": "how", "$ref": "#/x" },
                    "limit": { "anyOf": [{ "const": 0 }, { "const": "0s" }] },
                },
            })
        );
    }
}
