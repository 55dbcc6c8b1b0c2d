//! Which artifact a benchmark reads, and what stands in its way.

use crate::model::{Artifact, AudioDefinition, EngineFacts, Model, Value};

/// Returns the artifact, and why there is none if there should be one. An engine without artifacts
/// reads none.
pub(super) fn choose_artifact<'m>(
    engine: &EngineFacts,
    model: Option<&'m Model>,
    model_id: &str,
    quantization: &str,
) -> Result<Option<&'m Artifact>, String> {
    if engine.artifacts.is_empty() {
        return Ok(None);
    }
    let Some(id) = engine.artifacts.get(quantization) else {
        let known: Vec<&str> = engine.artifacts.keys().map(String::as_str).collect();
        return Err(format!(
            "`{}` does not read `{quantization}`; it reads {}",
            engine.id,
            known.join(", ")
        ));
    };
    if let Some(model) = model
        && !engine.families.is_empty()
        && !engine.families.contains(&model.family)
    {
        return Err(format!(
            "`{}` reads models of the family {}, and `{model_id}` is of `{}`",
            engine.id,
            engine.families.join(" or "),
            model.family
        ));
    }
    match model.and_then(|model| model.artifacts.get(id)) {
        Some(artifact) => Ok(Some(artifact)),
        None => Err(format!("the catalog has no `{id}` of `{model_id}`")),
    }
}

/// Why a model cannot do a recording's language, if it cannot.
pub(super) fn language_skip(
    model: Option<&Model>,
    audio: &AudioDefinition,
    given: Option<&Value>,
) -> Option<String> {
    let model = model.filter(|model| !model.languages.is_empty())?;
    audio.utterances.iter().find_map(|utterance| {
        let language = given
            .map(|value| &value.written)
            .or(utterance.language.as_ref())?;
        (!model.languages.contains(language)).then(|| {
            format!(
                "`{}` knows only {}, and `{}` is in `{language}`",
                model.id,
                model.languages.join(", "),
                utterance.id
            )
        })
    })
}
