//! One word of a command: text with places, filled in by itself, so that no value becomes two words.

use super::place::Place;
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, UndefinedBehavior};
use std::collections::BTreeSet;

/// A word of a command.
#[derive(Clone, Debug)]
pub(super) struct Word {
    /// As the matrix has it, for messages.
    written: String,
    /// As the template engine reads it: names of settings hold no `-`.
    template: String,
}

impl Word {
    /// Reads a word and adds the places that it names.
    ///
    /// # Errors
    ///
    /// Returns reasons and remedies: bad syntax, or a name that nothing has.
    pub(super) fn read(
        written: &str,
        places: &mut BTreeSet<Place>,
    ) -> Result<Self, Vec<(String, String)>> {
        let template = plain_names(written).map_err(|mistake| vec![mistake])?;
        let environment = environment();
        let names = environment
            .template_from_str(&template)
            .map_err(|error| {
                vec![(
                    format!("`{written}` is no template: {}", reason(&error)),
                    "write `{{ NAME }}` for what is filled in".to_owned(),
                )]
            })?
            .undeclared_variables(true);
        let mut mistakes = Vec::new();
        for name in names.into_iter().collect::<BTreeSet<_>>() {
            match Place::read(&name) {
                Ok(place) => {
                    places.insert(place);
                }
                Err(mistake) => mistakes.push(mistake),
            }
        }
        if mistakes.is_empty() {
            Ok(Self {
                written: written.to_owned(),
                template,
            })
        } else {
            Err(mistakes)
        }
    }

    /// Fills a word in.
    ///
    /// # Errors
    ///
    /// Returns the reason in words if something has no value.
    pub(super) fn fill(&self, values: &minijinja::Value) -> Result<String, String> {
        environment()
            .render_str(&self.template, values)
            .map_err(|error| format!("`{}` cannot be filled in: {}", self.written, reason(&error)))
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder()
        // A word ends where it ends.
        .keep_trailing_newline(true)
        .build()
        .expect("the usual delimiters differ from one another");
    environment.set_syntax(syntax);
    environment
}

fn reason(error: &Error) -> String {
    match error.detail() {
        Some(detail) => detail.to_owned(),
        None => error.kind().to_string(),
    }
}

/// Returns a word in which names of settings have `_` for `-`, which the template engine would take
/// for a minus. Statements are refused: a word is text with places, and takes bounded time.
fn plain_names(written: &str) -> Result<String, (String, String)> {
    const SETTINGS: &str = "settings.";
    let mut plain = String::with_capacity(written.len());
    let mut inside = false;
    let mut quote: Option<char> = None;
    let mut rest = written;
    while let Some(letter) = rest.chars().next() {
        if !inside {
            if rest.starts_with("{%") {
                return Err((
                    format!("`{written}` holds a statement, and a word of a command has none"),
                    "write `{{ NAME }}` for what is filled in, and `{{ '{%' }}` for the two \
                     characters themselves"
                        .into(),
                ));
            }
            inside = rest.starts_with("{{");
        } else if let Some(open) = quote {
            if letter == open {
                quote = None;
            }
        } else if letter == '"' || letter == '\'' {
            quote = Some(letter);
        } else if rest.starts_with("}}") {
            inside = false;
        } else if rest.starts_with(SETTINGS) && !plain.ends_with(is_part_of_name) {
            let name = &rest[SETTINGS.len()..];
            let end = name.find(|letter: char| !is_part_of_name(letter) && letter != '-');
            // A `-` before the end of the place takes blanks away, and is no part of the name.
            let name = name[..end.unwrap_or(name.len())].trim_end_matches('-');
            plain.push_str(SETTINGS);
            plain.push_str(&name.replace('-', "_"));
            rest = &rest[SETTINGS.len() + name.len()..];
            continue;
        }
        plain.push(letter);
        rest = &rest[letter.len_utf8()..];
    }
    Ok(plain)
}

fn is_part_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hyphens_belong_to_names_of_settings() {
        let plain = |written: &str| plain_names(written).unwrap();
        assert_eq!(
            plain("a-b {{ settings.beam-size }}-{{settings.x-}}"),
            "a-b {{ settings.beam_size }}-{{settings.x-}}"
        );
        assert_eq!(
            plain("settings.a-b {{ 'settings.a-b' }}"),
            "settings.a-b {{ 'settings.a-b' }}"
        );
        assert_eq!(plain("{{ settings.a-b - 1 }}"), "{{ settings.a_b - 1 }}");
        assert!(plain_names("{% for x in y %}").is_err());
        assert_eq!(plain("{{ '{%' }}"), "{{ '{%' }}");
    }
}
