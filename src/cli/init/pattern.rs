//! The matrices that `earmark init` can write: the same file with other axes and settings.

use super::found::{Access, Found};
use crate::cli::arguments::InitPattern;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use serde_json::json;
use std::path::Path;

const TEMPLATE: &str = include_str!("matrix.yaml.j2");

impl InitPattern {
    /// Returns the word on the command line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Smoke => "smoke",
            Self::CompareQuantization => "compare-quantization",
            Self::Nightly => "nightly",
        }
    }
}

/// A matrix, chosen for what was found.
#[derive(Debug)]
pub(super) struct Pattern {
    name: &'static str,
    question: String,
    backends: Vec<String>,
    models: Vec<String>,
    audio: &'static str,
    methods: &'static str,
    quantizations: Vec<String>,
    launches: u32,
    repeat: u32,
    gate: bool,
    /// Why the fake engine stands in, if it does for want of another.
    stand_in: bool,
}

impl Pattern {
    /// Chooses engines, models and the rest.
    pub(super) fn of(pattern: Option<InitPattern>, found: &Found) -> Self {
        let mut chosen = match pattern {
            None => Self::which_engine(found),
            Some(InitPattern::Smoke) => Self {
                question: "Does everything but the engines work? The fake engine stands in.".into(),
                audio: "jfk, arctic-a0007",
                ..Self::with_fake("smoke")
            },
            Some(InitPattern::CompareQuantization) => Self::compare_quantization(found),
            Some(InitPattern::Nightly) => Self::nightly(found),
        };
        if chosen.backends.is_empty() {
            chosen.backends = vec!["fake".into()];
            chosen.models = vec!["tiny.en".into()];
            chosen.methods = "cache-check";
            chosen.stand_in = true;
        }
        chosen
    }

    fn with_fake(name: &'static str) -> Self {
        Self {
            name,
            question: String::new(),
            backends: vec!["fake".into()],
            models: vec!["tiny.en".into()],
            audio: "jfk",
            methods: "cache-check",
            quantizations: Vec::new(),
            launches: 2,
            repeat: 3,
            gate: false,
            stand_in: false,
        }
    }

    fn which_engine(found: &Found) -> Self {
        let (model, backends) = nearest_model(found);
        let shown = model.as_deref().unwrap_or("tiny.en");
        let question = match backends.as_slice() {
            [one] => format!("How fast is {one} with {shown} here, and at what accuracy?"),
            _ => format!("Which engine is faster with {shown} here, and at what accuracy?"),
        };
        Self {
            question,
            backends,
            models: model.into_iter().collect(),
            methods: "checksum",
            launches: 3,
            repeat: 2,
            ..Self::with_fake("which-engine")
        }
    }

    fn compare_quantization(found: &Found) -> Self {
        let best = found
            .engines
            .iter()
            .flat_map(|engine| {
                let models = engine.models.iter();
                models.map(move |(model, quantizations)| (engine, model, quantizations))
            })
            // The nearest model, and of the engines that read it the one with the most to compare.
            .min_by_key(|(_, model, quantizations)| {
                let rank = found.models.iter().position(|(id, _)| id == *model);
                (rank, std::cmp::Reverse(quantizations.len()))
            });
        let question = "How much accuracy do smaller weights cost, and are they faster here?";
        let Some((engine, model, quantizations)) = best else {
            return Self {
                question: question.into(),
                backends: Vec::new(),
                quantizations: vec!["f16".into(), "q5_1".into()],
                ..Self::with_fake("compare-quantization")
            };
        };
        // If two are here, nothing needs to be made.
        let here: Vec<String> = quantizations
            .iter()
            .filter(|(_, access)| *access == Access::Here)
            .map(|(quantization, _)| quantization.clone())
            .collect();
        let all = quantizations.iter().map(|(name, _)| name.clone());
        Self {
            question: question.into(),
            backends: vec![engine.id.clone()],
            models: vec![model.clone()],
            audio: "english",
            methods: "checksum",
            quantizations: if here.len() > 1 { here } else { all.collect() },
            launches: 3,
            repeat: 1,
            ..Self::with_fake("compare-quantization")
        }
    }

    fn nightly(found: &Found) -> Self {
        let (model, backends) = nearest_model(found);
        // Every model that is here and that all of these engines read, or the nearest one.
        let reads = |model: &str| {
            found
                .engines
                .iter()
                .filter(|engine| backends.contains(&engine.id))
                .all(|engine| engine.models.contains_key(model))
        };
        let here: Vec<String> = found
            .models
            .iter()
            .filter(|(id, access)| *access == Access::Here && reads(id))
            .map(|(id, _)| id.clone())
            .collect();
        let models = if here.is_empty() {
            model.into_iter().collect()
        } else {
            here
        };
        Self {
            question: "Has anything become slower, less accurate or broken since yesterday?".into(),
            backends,
            models,
            audio: "english",
            methods: "checksum, load",
            launches: 3,
            repeat: 2,
            gate: true,
            ..Self::with_fake("nightly")
        }
    }

    /// Returns the file's text.
    pub(super) fn render(&self, found: &Found, file: &Path) -> Result<String, minijinja::Error> {
        let list = |entries: &[(String, String)]| -> Vec<String> {
            entries
                .iter()
                .map(|(id, note)| format!("{id} ({note})"))
                .collect()
        };
        let models: Vec<(String, String)> = found
            .models
            .iter()
            .map(|(id, access)| (id.clone(), access.in_words()))
            .collect();
        let ready: Vec<&str> = found.engines.iter().map(|e| e.id.as_str()).collect();
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let text = environment.render_str(
            TEMPLATE,
            Value::from(Serde(json!({
                "name": self.name,
                "question": self.question,
                "file": file.display().to_string().replace(char::is_control, "?"),
                "backends": self.backends,
                "models": self.models,
                "audio": self.audio,
                "methods": self.methods,
                "quantizations": self.quantizations,
                "launches": self.launches,
                "repeat": self.repeat,
                "gate": self.gate,
                "stand_in": self.stand_in,
                "ready": ready,
                "others": list(&found.others),
                "known_models": list(&models),
            }))),
        )?;
        Ok(text + "\n")
    }
}

/// Returns the nearest model, and the engines that read it.
fn nearest_model(found: &Found) -> (Option<String>, Vec<String>) {
    let Some((model, _)) = found.models.first() else {
        return (None, Vec::new());
    };
    let engines = found
        .engines
        .iter()
        .filter(|engine| engine.models.contains_key(model))
        .map(|engine| engine.id.clone())
        .collect();
    (Some(model.clone()), engines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::model::Availability;
    use crate::store::Store;

    /// Looks as on a machine with every built-in engine.
    fn look(store: Option<&Store>, has_python: bool) -> Found {
        let mut engines = crate::engine::built_in();
        for facts in engines.values_mut() {
            facts.availability = Availability::Ready;
        }
        let catalog = Catalog::builtin().unwrap_or_default();
        Found::look(&engines, &catalog, store, |_| has_python)
    }

    fn written(pattern: Option<InitPattern>, found: &Found) -> String {
        Pattern::of(pattern, found)
            .render(found, Path::new("m.yaml"))
            .unwrap()
    }

    #[test]
    fn what_can_be_made_is_chosen_where_nothing_is_here() {
        let found = look(None, true);
        let text = written(None, &found);
        assert!(text.contains("backend: [whisper-cpp, candle]\n"), "{text}");
        assert!(text.contains("model: [tiny.en]\n"), "{text}");
        assert!(
            text.contains("tiny.en (made on the first run, 77.7 MB)"),
            "{text}"
        );
        let text = written(Some(InitPattern::CompareQuantization), &found);
        assert!(text.contains("backend: [whisper-cpp]\n"), "{text}");
        assert!(
            text.contains("quantization: [f16, q8_0, q5_1, q5_0, q4_0]\n"),
            "{text}"
        );
    }

    #[test]
    fn what_is_here_comes_before_what_must_be_made() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path());
        let catalog = Catalog::builtin().unwrap_or_default();
        for id in ["ggml-f16", "ggml-q4_0", "safetensors"] {
            let artifact = catalog.artifact("base", id).unwrap();
            let place = store.folder(artifact);
            std::fs::create_dir_all(&place).unwrap();
            for (name, file) in &artifact.files {
                let opened = std::fs::File::create(place.join(name)).unwrap();
                opened.set_len(file.bytes.unwrap()).unwrap();
            }
        }
        let found = look(Some(&store), true);
        assert!(written(None, &found).contains("model: [base]\n"));
        let text = written(Some(InitPattern::Nightly), &found);
        assert!(text.contains("model: [base]\n"), "{text}");
        assert!(text.contains("backend: [whisper-cpp, candle]\n"), "{text}");
        let text = written(Some(InitPattern::CompareQuantization), &found);
        assert!(text.contains("quantization: [f16, q4_0]\n"), "{text}");
    }

    #[test]
    fn where_no_model_can_be_had_the_fake_engine_stands_in() {
        let found = look(None, false);
        let text = written(Some(InitPattern::Nightly), &found);
        assert!(text.contains("backend: [fake]\n"), "{text}");
        assert!(
            text.contains("# Not here: candle (no model that it reads is here"),
            "{text}"
        );
    }
}
