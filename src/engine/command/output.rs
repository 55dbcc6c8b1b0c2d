//! Where the transcript of a command stands, and how it is taken from there.

use crate::model::OutputRule;
use serde_json::Value as Json;
use serde_json_path::JsonPath;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

/// The most bytes of a file that a transcript is read from.
pub const MOST_OUTPUT_BYTES: u64 = 16 << 20;

/// How a command's text is found.
#[derive(Clone, Debug)]
pub(super) enum OutputReader {
    /// All of standard output.
    Text,
    /// What a path selects in standard output.
    Json {
        /// The path as the matrix has it.
        written: String,
        path: Box<JsonPath>,
    },
    /// A file in the folder of the process, by its relative name.
    File(PathBuf),
}

impl OutputReader {
    /// Reads a rule.
    ///
    /// # Errors
    ///
    /// Returns reason and remedy if the path is none, or the file lies outside the folder.
    pub(super) fn read(rule: &OutputRule) -> Result<Self, (String, String)> {
        match rule {
            OutputRule::Text => Ok(Self::Text),
            OutputRule::Jsonpath(written) => match JsonPath::parse(written) {
                Ok(path) => Ok(Self::Json {
                    written: written.clone(),
                    path: Box::new(path),
                }),
                Err(error) => Err((
                    format!(
                        "`{written}` is no JSON path: at character {}, {}",
                        error.position(),
                        error.message()
                    ),
                    "write one by RFC 9535, such as `$.transcription[*].text`".into(),
                )),
            },
            OutputRule::Protocol => Err((
                "what speaks the protocol has no text on standard output".into(),
                "start it as an engine".into(),
            )),
            OutputRule::File(written) => relative_name(written).map(Self::File).ok_or_else(|| {
                (
                    format!("`{written}` is no file in the folder of the process"),
                    "write a name in it, such as `{{ output }}/text.txt`, without `..`".into(),
                )
            }),
        }
    }

    /// Returns whether the text is a file that the command has to be told the folder of.
    pub(super) fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// Returns the text. `output` is the folder of the process.
    pub(super) fn text_of(&self, stdout: &[u8], output: &Path) -> Result<String, String> {
        match self {
            Self::Text => utf8(stdout, "standard output"),
            Self::Json { written, path } => {
                let json: Json = serde_json::from_slice(stdout)
                    .map_err(|error| format!("standard output is no JSON: {error}"))?;
                selected(&json, path, written)
            }
            Self::File(name) => {
                let bytes = read_file(&output.join(name))
                    .map_err(|reason| format!("`{}` {reason}", name.display()))?;
                utf8(&bytes, &format!("`{}`", name.display()))
            }
        }
        .map(|text| text.trim().to_owned())
    }
}

fn utf8(bytes: &[u8], what: &str) -> Result<String, String> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(format!(
            "{what} is not UTF-8: byte {} does not belong there",
            error.valid_up_to() + 1
        )),
    }
}

/// Returns the texts that a path selects, joined by blanks.
fn selected(json: &Json, path: &JsonPath, written: &str) -> Result<String, String> {
    let nodes = path.query_located(json);
    if nodes.is_empty() {
        return Err(format!("`{written}` selects nothing in standard output"));
    }
    let mut texts = Vec::new();
    for node in nodes.iter() {
        let Json::String(text) = node.node() else {
            return Err(format!(
                "`{written}` selects {} at {}, and a transcript is text",
                kind(node.node()),
                node.location()
            ));
        };
        let text = text.trim();
        if !text.is_empty() {
            texts.push(text);
        }
    }
    Ok(texts.join(" "))
}

fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

/// Returns the name of a file relative to the folder of the process: `{{ output }}/name` or `name`.
fn relative_name(written: &str) -> Option<PathBuf> {
    let name = match written.strip_prefix("{{") {
        Some(rest) => {
            let (place, rest) = rest.split_once("}}")?;
            if place.trim() != "output" {
                return None;
            }
            rest.strip_prefix('/')?
        }
        None => written,
    };
    let stays_inside = !name.is_empty()
        && !name.contains("{{")
        && !name.contains("{%")
        && !name.ends_with('/')
        && Path::new(name)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
    stays_inside.then(|| PathBuf::from(name))
}

/// Reads a regular file of bounded length. A link is not followed, and a pipe is not waited for.
fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err("was not written by the command".into());
        }
        Err(error) if error.raw_os_error() == Some(libc::ELOOP) => {
            return Err("is a link, and links are not followed".into());
        }
        Err(error) => return Err(format!("cannot be read: {error}")),
    };
    let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err("is no regular file".into());
    }
    let mut bytes = Vec::new();
    file.take(MOST_OUTPUT_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MOST_OUTPUT_BYTES {
        return Err(format!(
            "is larger than {} MiB, and no transcript is",
            MOST_OUTPUT_BYTES >> 20
        ));
    }
    Ok(bytes)
}
