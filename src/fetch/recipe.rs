//! A recipe's command line, with its places filled in.

use super::workplace::Workplace;
use crate::model::{Artifact, Recipe};
use minijinja::{Environment, UndefinedBehavior, context};
use std::fs;
use std::path::PathBuf;

/// The files of the built-in recipes. They are written beside the destination when one is run, so
/// that a bare binary has them.
const BUILTIN_FILES: [(&str, &str); 18] = [
    (
        "artifact_names.py",
        include_str!("../../recipes/artifact_names.py"),
    ),
    (
        "block_quantization.py",
        include_str!("../../recipes/block_quantization.py"),
    ),
    (
        "convert_whisper.py",
        include_str!("../../recipes/convert_whisper.py"),
    ),
    (
        "mel_filter_bank.py",
        include_str!("../../recipes/mel_filter_bank.py"),
    ),
    (
        "moonshine_from_wheel.py",
        include_str!("../../recipes/moonshine_from_wheel.py"),
    ),
    (
        "recipe_steps.py",
        include_str!("../../recipes/recipe_steps.py"),
    ),
    (
        "requirements-base.txt",
        include_str!("../../recipes/requirements-base.txt"),
    ),
    (
        "requirements-moonshine-tiny-en.txt",
        include_str!("../../recipes/requirements-moonshine-tiny-en.txt"),
    ),
    (
        "requirements-tiny.en.txt",
        include_str!("../../recipes/requirements-tiny.en.txt"),
    ),
    (
        "requirements-tools.txt",
        include_str!("../../recipes/requirements-tools.txt"),
    ),
    ("stored_zip.py", include_str!("../../recipes/stored_zip.py")),
    (
        "whisper_checkpoint.py",
        include_str!("../../recipes/whisper_checkpoint.py"),
    ),
    (
        "whisper_from_wheels.py",
        include_str!("../../recipes/whisper_from_wheels.py"),
    ),
    (
        "whisper_ggml.py",
        include_str!("../../recipes/whisper_ggml.py"),
    ),
    (
        "whisper_gguf.py",
        include_str!("../../recipes/whisper_gguf.py"),
    ),
    (
        "whisper_hugging_face.py",
        include_str!("../../recipes/whisper_hugging_face.py"),
    ),
    (
        "whisper_mlx.py",
        include_str!("../../recipes/whisper_mlx.py"),
    ),
    (
        "whisper_openai.py",
        include_str!("../../recipes/whisper_openai.py"),
    ),
];

/// A recipe, ready to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipeRun {
    /// Program and arguments.
    pub command: Vec<String>,
    /// The folder to be filled.
    pub destination: PathBuf,
    /// A folder for temporary files, which goes with the workplace.
    pub temporary: PathBuf,
}

impl RecipeRun {
    /// Fills in a recipe's command: `{{ destination }}` is an empty folder to be filled with
    /// `<model>/<artifact>/<file>`, `{{ artifacts }}` lists what is wanted as `model/artifact`,
    /// separated by commas, `{{ artifact_ids }}` the same without the models, and `{{ recipes }}` is
    /// the folder of the built-in recipes' files.
    ///
    /// # Errors
    ///
    /// Returns the reason if a place is unknown or the folders cannot be made.
    pub fn new(
        recipe: &Recipe,
        artifacts: &[Artifact],
        workplace: &Workplace,
    ) -> Result<Self, String> {
        let destination = workplace.path().join("destination");
        let recipes = workplace.path().join("recipes");
        let problem = |error: std::io::Error| format!("{}: {error}", workplace.path().display());
        let temporary = workplace.path().join("temporary");
        fs::create_dir(&destination).map_err(problem)?;
        fs::create_dir(&temporary).map_err(problem)?;
        if recipe.directory.is_none() {
            fs::create_dir(&recipes).map_err(problem)?;
            for (name, text) in BUILTIN_FILES {
                fs::write(recipes.join(name), text).map_err(problem)?;
            }
        }
        let wanted: Vec<String> = artifacts
            .iter()
            .map(|artifact| format!("{}/{}", artifact.model, artifact.id))
            .collect();
        let ids: Vec<&str> = artifacts
            .iter()
            .map(|artifact| artifact.id.as_str())
            .collect();
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let values = context! {
            destination => destination.display().to_string(),
            recipes => recipes.display().to_string(),
            artifacts => wanted.join(","),
            artifact_ids => ids.join(","),
        };
        let command = recipe
            .command
            .iter()
            .map(|argument| {
                environment.render_str(argument, values.clone()).map_err(|error| {
                    format!(
                        "`{argument}` cannot be filled in: {error}; a recipe has `destination` and \
                         `artifacts`"
                    )
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            command,
            destination,
            temporary,
        })
    }
}
