//! Where a hub is and who asks it, out of the environment, as `huggingface_hub` reads it.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

/// The hub that is asked where the environment names none.
const USUAL_ENDPOINT: &str = "https://huggingface.co";

/// Where a hub is, and who asks it.
#[derive(Clone)]
pub struct HubAccess {
    /// Its address, without a `/` at the end.
    pub endpoint: String,
    /// The environment says that no hub may be asked.
    pub is_offline: bool,
    token: Option<String>,
}

/// The token is left out: what can be printed will be.
impl fmt::Debug for HubAccess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HubAccess")
            .field("endpoint", &self.endpoint)
            .field("is_offline", &self.is_offline)
            .field("has_token", &self.token.is_some())
            .finish()
    }
}

impl HubAccess {
    /// Reads the environment: `HF_ENDPOINT`; `HF_HUB_OFFLINE`; and a token in `HF_TOKEN`, else in the
    /// file that `HF_TOKEN_PATH` names, else in `$HF_HOME/token`, else where `HF_HOME` lies without
    /// being named. `HF_HUB_DISABLE_IMPLICIT_TOKEN` leaves the token out.
    #[must_use]
    pub fn from_environment(get: impl Fn(&str) -> Option<OsString>) -> Self {
        let text = |name: &str| {
            get(name)
                .and_then(|value| value.into_string().ok())
                .filter(|value| !value.trim().is_empty())
        };
        let is_set = |name: &str| {
            let value = text(name).unwrap_or_default().to_uppercase();
            matches!(value.trim(), "1" | "ON" | "YES" | "TRUE")
        };
        let endpoint = text("HF_ENDPOINT").unwrap_or_else(|| USUAL_ENDPOINT.into());
        let token = if is_set("HF_HUB_DISABLE_IMPLICIT_TOKEN") {
            None
        } else {
            text("HF_TOKEN").or_else(|| {
                let file = token_file(&text)?;
                std::fs::read_to_string(file).ok()
            })
        };
        Self {
            endpoint: endpoint.trim().trim_end_matches('/').to_owned(),
            is_offline: is_set("HF_HUB_OFFLINE"),
            token: token
                .map(|token| token.trim().to_owned())
                .filter(|token| !token.is_empty()),
        }
    }

    /// Returns the token, for the hub and nobody else.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Returns a text without the token: what a server says is shown, and it may say anything.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        match &self.token {
            Some(token) => text.replace(token.as_str(), "(token)"),
            None => text.to_owned(),
        }
    }
}

fn token_file(text: &impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let home = text("HOME").map(PathBuf::from);
    let folder = |name: &str| {
        let path = PathBuf::from(text(name)?);
        match (path.strip_prefix("~"), &home) {
            (Ok(rest), Some(home)) => Some(home.join(rest)),
            _ => Some(path),
        }
    };
    folder("HF_TOKEN_PATH").or_else(|| {
        folder("HF_HOME")
            .or_else(|| folder("XDG_CACHE_HOME").map(|cache| cache.join("huggingface")))
            .or_else(|| folder("HOME").map(|home| home.join(".cache/huggingface")))
            .map(|home| home.join("token"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(variables: &[(&str, &str)]) -> HubAccess {
        HubAccess::from_environment(|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| value.into())
        })
    }

    #[test]
    fn a_token_is_found_where_python_finds_it() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name).display().to_string();
        std::fs::create_dir_all(path("hf")).unwrap();
        std::fs::create_dir_all(path(".cache/huggingface")).unwrap();
        std::fs::write(path("named"), "of-the-named-file\n").unwrap();
        std::fs::write(path("hf/token"), "of-hf-home\n").unwrap();
        std::fs::write(path(".cache/huggingface/token"), "of-home").unwrap();
        let (named, home, hf) = (path("named"), path(""), path("hf"));
        let all = [
            ("HF_TOKEN", "given"),
            ("HF_TOKEN_PATH", &named),
            ("HF_HOME", &hf),
            ("HOME", &home),
        ];
        for (left_out, expected) in [
            (0, "given"),
            (1, "of-the-named-file"),
            (2, "of-hf-home"),
            (3, "of-home"),
        ] {
            assert_eq!(access(&all[left_out..]).token(), Some(expected));
        }
        let implicit = ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1");
        assert_eq!(access(&[all[0], implicit]).token(), None);
        assert_eq!(access(&[("HF_TOKEN", " \n")]).token(), None);
    }

    #[test]
    fn a_token_is_not_shown() {
        let access = access(&[("HF_TOKEN", "hf_secret"), ("HF_ENDPOINT", "http://hub/")]);
        assert!(!format!("{access:?}").contains("hf_secret"));
        assert_eq!(access.hide("you sent hf_secret"), "you sent (token)");
        assert_eq!(access.endpoint, "http://hub");
    }
}
