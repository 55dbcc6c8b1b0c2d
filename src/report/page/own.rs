//! Templates of one's own, laid over the built-in ones.
//!
//! A folder is read whole before anything is rendered, so a template can include what lies beside it
//! and nothing else: there is no loader that could reach a file or a network.

use super::templates::{BUILT_IN, FILES, PAGE, SCRIPT, STYLE, environment};
use super::{policy, view};
use crate::record::RunRecord;
use crate::report::run_history::RunHistory;
use minijinja::value::Serde;
use minijinja::{Environment, ErrorKind, Value};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The largest template, in bytes, and the most of them in a folder.
const MOST: (u64, usize) = (1 << 20, 100);

/// Why a page could not be made: where, for what reason, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {reason}; {remedy}")]
pub struct HtmlError {
    /// The template's file, and its line if it is known.
    pub place: String,
    /// What is wrong.
    pub reason: String,
    /// What to do.
    pub remedy: String,
}

/// The templates of the page: the built-in ones, or some of one's own laid over them.
#[derive(Clone, Debug, Default)]
pub struct PageTemplates {
    folder: PathBuf,
    /// Texts by file name.
    own: BTreeMap<String, String>,
}

impl PageTemplates {
    /// Reads a folder of templates and checks how they are written. A file that has the name of a
    /// built-in one takes its place; others can be included.
    ///
    /// # Errors
    ///
    /// Fails with place, reason and remedy if the folder or a file cannot be read, if a template
    /// cannot be parsed, or if none would be used.
    pub fn read(folder: &Path) -> Result<Self, HtmlError> {
        let mut own = BTreeMap::new();
        for path in files(folder)? {
            let name = path.file_name().and_then(|name| name.to_str());
            let name = name.unwrap_or_default().to_owned();
            own.insert(name, text(folder, &path)?);
        }
        let names: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        if !own.keys().any(|name| names.contains(&name.as_str())) {
            return Err(HtmlError {
                place: folder.display().to_string(),
                reason: "no file in it has the name of a template of the page".into(),
                remedy: format!("name one of them {}", names.join(", ")),
            });
        }
        let templates = Self {
            folder: folder.to_owned(),
            own,
        };
        templates.environment()?;
        Ok(templates)
    }

    /// Renders the page of a record, with what is stored with the run of earlier ones.
    ///
    /// # Errors
    ///
    /// Fails with place, reason and remedy if a template names what there is not, or does not end.
    pub fn render(
        &self,
        record: &RunRecord,
        history: Option<&RunHistory>,
    ) -> Result<String, HtmlError> {
        let mut environment = self.environment()?;
        let style = environment
            .get_template(STYLE)
            .and_then(|template| template.render(()))
            .map_err(|error| self.refused(&error))?;
        let script = self.own.get(SCRIPT).map_or_else(
            || built_in(SCRIPT).to_owned(),
            // A browser hashes a script with its line ends made one.
            |text| text.replace("\r\n", "\n"),
        );
        self.stays_inside(STYLE, &style, "</style")?;
        self.stays_inside(SCRIPT, &script, "</script")?;
        let policy = policy::policy(&style, &script);
        environment.add_global("style", Value::from_safe_string(style));
        environment.add_global("script", Value::from_safe_string(script));
        environment.add_global("policy", Value::from_safe_string(policy::element(&policy)));
        let page = environment
            .get_template(PAGE)
            .and_then(|template| template.render(Value::from(Serde(view(record, history)))))
            .map_err(|error| self.refused(&error))?;
        Ok(policy::enforce(page, &policy))
    }

    /// Returns the environment with all templates.
    fn environment(&self) -> Result<Environment<'static>, HtmlError> {
        let mut made = environment().map_err(|error| self.refused(&error))?;
        for (name, text) in FILES.iter().filter(|(name, _)| *name != SCRIPT) {
            made.add_template_owned(format!("{BUILT_IN}{name}"), *text)
                .and_then(|()| made.add_template(name, text))
                .map_err(|error| self.refused(&error))?;
        }
        for (name, text) in self.own.iter().filter(|(name, _)| *name != SCRIPT) {
            made.add_template_owned(name.clone(), text.clone())
                .map_err(|error| self.refused(&error))?;
        }
        Ok(made)
    }

    /// Refuses a text that would end the element that it stands in.
    fn stays_inside(&self, name: &str, text: &str, end: &str) -> Result<(), HtmlError> {
        let lower = text.to_ascii_lowercase();
        match lower.find(end) {
            None => Ok(()),
            Some(at) => Err(HtmlError {
                place: self.place(name, Some(text[..at].matches('\n').count() + 1)),
                reason: format!("`{end}` would end the element that it stands in"),
                remedy: "write it in two parts".into(),
            }),
        }
    }

    /// Returns the file of a template as a person finds it.
    fn place(&self, name: &str, line: Option<usize>) -> String {
        let file = if self.own.contains_key(name) {
            self.folder.join(name).display().to_string()
        } else {
            format!("the built-in {}", name.trim_start_matches(BUILT_IN))
        };
        line.map_or_else(|| file.clone(), |line| format!("{file}:{line}"))
    }

    /// Says what is wrong with a template.
    fn refused(&self, error: &minijinja::Error) -> HtmlError {
        // Where one template uses another, the fault is where it all ends.
        let mut inner = error;
        let mut own_place = None;
        loop {
            let name = inner.name().unwrap_or(PAGE);
            if self.own.contains_key(name) {
                own_place = Some(self.place(name, inner.line()));
            }
            let next = std::error::Error::source(inner)
                .and_then(|source| source.downcast_ref::<minijinja::Error>());
            match next {
                Some(next) => inner = next,
                None => break,
            }
        }
        let here = self.place(inner.name().unwrap_or(PAGE), inner.line());
        let place = match own_place {
            // A built-in template can only fail because of what one's own put into it.
            Some(own) if !self.own.contains_key(inner.name().unwrap_or(PAGE)) => {
                format!("{own}, in {here}")
            }
            _ => here,
        };
        let line = inner
            .name()
            .and_then(|name| self.own.get(name))
            .zip(inner.line())
            .and_then(|(text, line)| text.lines().nth(line.checked_sub(1)?));
        let written = line.map_or_else(String::new, |line| {
            let line: String = line.trim().chars().take(100).collect();
            format!(" in `{line}`")
        });
        let detail = inner
            .detail()
            .map_or_else(String::new, |detail| format!(": {detail}"));
        HtmlError {
            place,
            reason: format!("{}{detail}{written}", inner.kind()),
            remedy: remedy(inner.kind()).into(),
        }
    }
}

fn remedy(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::SyntaxError | ErrorKind::BadEscape => {
            "templates are written as reports/README.md says, in Jinja's language"
        }
        ErrorKind::TemplateNotFound => {
            "a template can use the files beside it, and the built-in ones under `earmark/`"
        }
        ErrorKind::UndefinedError => {
            "`earmark schema report-view` shows everything that a template gets"
        }
        ErrorKind::OutOfFuel => "it does more than a page can need: does a loop end?",
        ErrorKind::UnknownFilter | ErrorKind::UnknownFunction | ErrorKind::UnknownTest => {
            "reports/README.md names the filters; `safe` is none of them, because all is escaped"
        }
        _ => "reports/README.md says what a template gets and may do",
    }
}

fn built_in(wanted: &str) -> &'static str {
    let mut files = FILES.iter();
    files
        .find(|(name, _)| *name == wanted)
        .map_or("", |(_, text)| text)
}

/// Returns the files of a folder, those that begin with a dot and folders left out.
fn files(folder: &Path) -> Result<Vec<PathBuf>, HtmlError> {
    let refused = |error: &std::io::Error| HtmlError {
        place: folder.display().to_string(),
        reason: format!("it cannot be read as a folder: {error}"),
        remedy: "name a folder with templates".into(),
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| refused(&error))? {
        let entry = entry.map_err(|error| refused(&error))?;
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        let kind = entry.file_type().map_err(|error| refused(&error))?;
        if kind.is_symlink() {
            return Err(HtmlError {
                place: entry.path().display().to_string(),
                reason: "a link may lead out of the folder".into(),
                remedy: "put the file itself there".into(),
            });
        }
        if kind.is_file() && !is_hidden {
            found.push(entry.path());
        }
        if found.len() > MOST.1 {
            return Err(HtmlError {
                place: folder.display().to_string(),
                reason: format!("it has more than {} files", MOST.1),
                remedy: "name a folder that holds templates and nothing else".into(),
            });
        }
    }
    found.sort();
    Ok(found)
}

fn text(folder: &Path, path: &Path) -> Result<String, HtmlError> {
    let refused = |reason: String| HtmlError {
        place: path.display().to_string(),
        reason,
        remedy: format!(
            "leave only templates, in UTF-8 and below {} MiB, in {}",
            MOST.0 >> 20,
            folder.display()
        ),
    };
    let length = fs::metadata(path).map_err(|error| refused(error.to_string()))?;
    if length.len() > MOST.0 {
        return Err(refused(format!("it has {} bytes", length.len())));
    }
    fs::read_to_string(path).map_err(|error| refused(error.to_string()))
}
