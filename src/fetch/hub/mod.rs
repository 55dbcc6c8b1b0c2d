//! Artifacts from a Hugging Face hub.

#[cfg_attr(feature = "hub", path = "enabled.rs")]
#[cfg_attr(not(feature = "hub"), path = "disabled.rs")]
mod implementation;

pub use implementation::fetch_hub;

use crate::model::Artifact;
use std::ffi::OsString;

/// What is asked of a hub.
#[derive(Clone, Debug)]
pub struct HubRequest<'a> {
    /// `owner/name`.
    pub repository: &'a str,
    /// Branch, tag or commit.
    pub revision: &'a str,
    /// What is wanted of it.
    pub artifact: &'a Artifact,
    /// The hub's address.
    pub endpoint: String,
    /// The token that it may ask for; never told to anybody else.
    pub token: Option<String>,
}

impl<'a> HubRequest<'a> {
    /// Makes a request out of the environment: `HF_ENDPOINT` and `HF_TOKEN`.
    #[must_use]
    pub fn new(
        repository: &'a str,
        revision: &'a str,
        artifact: &'a Artifact,
        get: impl Fn(&str) -> Option<OsString>,
    ) -> Self {
        let text = |name: &str| {
            get(name)
                .and_then(|value| value.into_string().ok())
                .filter(|value| !value.is_empty())
        };
        Self {
            repository,
            revision,
            artifact,
            endpoint: text("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".into()),
            token: text("HF_TOKEN"),
        }
    }
}
