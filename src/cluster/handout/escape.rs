//! What others wrote, made safe for the language that it is put into.
//!
//! Each filter is for one language, and only what a filter returned can be written by a template at all. So a
//! value that is put somewhere without one is an error and never a way out.

use crate::cluster::shell::quoted;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, Output, UndefinedBehavior, Value};

/// How much a template may do; the largest takes a hundredth.
const FUEL: u64 = 10_000_000;

/// Makes a text safe, or returns reason in words why it cannot be.
type Filter = fn(&str) -> Result<String, String>;

/// Returns an environment in which nothing is written that no filter has made safe.
pub(super) fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build()?,
    );
    environment.set_fuel(Some(FUEL));
    environment.remove_filter("safe");
    environment.set_formatter(|output, _, value| write_safe(output, value));
    let filters: [(&str, Filter); 6] = [
        ("yaml", |text| Ok(yaml(text))),
        ("kubernetes", |text| Ok(kubernetes(text))),
        ("buildkite", buildkite),
        ("hcl", hcl),
        ("attribute", attribute),
        ("shell", shell),
    ];
    for (name, filter) in filters {
        environment.add_filter(name, move |text: String| {
            filter(&text)
                .map(Value::from_safe_string)
                .map_err(|reason| Error::new(ErrorKind::InvalidOperation, reason))
        });
    }
    Ok(environment)
}

fn write_safe(output: &mut Output<'_>, value: &Value) -> Result<(), Error> {
    if !value.is_safe() && value.kind() != ValueKind::Number {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("`{value}` is put in without a filter"),
        ));
    }
    write!(output, "{value}").map_err(|_| {
        Error::new(
            ErrorKind::WriteFailure,
            "what is handed out cannot be held in memory",
        )
    })
}

/// Returns a text in double quotes, with nothing in it but letters, digits, marks that mean nothing, and
/// escapes that `escape` makes of the rest.
fn in_quotes(text: &str, escape: impl Fn(char) -> String) -> String {
    let is_plain =
        |letter: char| letter.is_alphanumeric() || letter.is_ascii_graphic() || letter == ' ';
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            letter if is_plain(letter) => quoted.push(letter),
            letter => quoted.push_str(&escape(letter)),
        }
    }
    quoted.push('"');
    quoted
}

/// Returns an escape by number, as YAML and HCL both have it.
fn by_number(letter: char) -> String {
    match u32::from(letter) {
        number @ 0..=0xffff => format!("\\u{number:04X}"),
        number => format!("\\U{number:08X}"),
    }
}

/// A scalar of YAML in one line.
pub(super) fn yaml(text: &str) -> String {
    in_quotes(text, by_number)
}

/// A value of a container's environment: Kubernetes takes `$(NAME)` in it for another variable.
fn kubernetes(text: &str) -> String {
    yaml(&text.replace('$', "$$"))
}

/// A scalar of a pipeline: the agent fills in `$NAME` wherever it stands.
fn buildkite(text: &str) -> Result<String, String> {
    // The agent takes a backslash for an escape of what follows, whatever that is.
    if text.contains("\\$") {
        return Err(format!(
            "`{text}` has a backslash in front of a dollar, which no pipeline of Buildkite can hold"
        ));
    }
    Ok(yaml(&text.replace('$', "$$")))
}

/// A string of HCL. The server fills in `${…}` even where the language was told not to.
fn hcl(text: &str) -> Result<String, String> {
    if text.contains("${") || text.contains("%{") {
        return Err(format!(
            "`{text}` has `${{` or `%{{`, which Nomad would fill in"
        ));
    }
    Ok(in_quotes(text, by_number))
}

/// An attribute of Nomad's clients, as what is to be filled in.
fn attribute(name: &str) -> Result<String, String> {
    let is_kept = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    // It may be written with the marks of what is filled in.
    let bare = name
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
        .unwrap_or(name);
    if !bare.is_empty() && bare.chars().all(is_kept) {
        return Ok(format!("\"${{{bare}}}\""));
    }
    Err(format!(
        "`{name}` is no attribute of a client of Nomad; write it as `attr.kernel.name` or `meta.NAME` \
         under `schedulers.nomad` of the site file"
    ))
}

/// One word of the shell.
pub(super) fn shell(text: &str) -> Result<String, String> {
    if text.contains('\0') {
        return Err("no word of a shell holds the character 0".into());
    }
    Ok(quoted(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::process::Command;

    proptest! {
        #[test]
        fn yaml_reads_back_what_was_written(text in any::<String>()) {
            let line = yaml(&text);
            let ends_line = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
            prop_assert!(!line.contains(ends_line));
            prop_assert_eq!(serde_yaml::from_str::<String>(&line).unwrap(), text);
        }
    }

    #[test]
    fn the_shell_reads_one_word() {
        for text in [
            "plain/a-b",
            "a b",
            "it's",
            "$(id)",
            "a\nb",
            "",
            "`x`\"\\",
            "-rf",
            "*",
        ] {
            let script = format!("printf %s {}", shell(text).unwrap());
            let output = Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), text);
        }
        assert!(shell("a\0b").is_err());
    }

    #[test]
    fn what_a_scheduler_would_fill_in_is_escaped_or_refused() {
        assert_eq!(kubernetes("a$(B)$"), "\"a$$(B)$$\"");
        assert_eq!(buildkite("$HOME").unwrap(), "\"$$HOME\"");
        assert!(buildkite("\\$HOME").is_err());
        assert_eq!(hcl("a\"b\n$c").unwrap(), "\"a\\\"b\\n$c\"");
        assert!(hcl("${env.SECRET}").is_err());
        assert!(hcl("%{ if x }").is_err());
        for name in ["attr.kernel.name", "${attr.kernel.name}"] {
            assert_eq!(attribute(name).unwrap(), "\"${attr.kernel.name}\"");
        }
        assert!(attribute("a\"}\nx").is_err());
    }

    #[test]
    fn nothing_is_written_that_no_filter_has_made_safe() {
        let environment = environment().unwrap();
        let render = |text: &str| {
            environment.render_str(
                text,
                minijinja::context! { name => "x: $(id)", number => 3 },
            )
        };
        assert_eq!(
            render("{{ number }} {{ name | yaml }}").unwrap(),
            "3 \"x: $(id)\""
        );
        for careless in [
            "{{ name }}",
            "{{ name | safe }}",
            "{{ name | upper }}",
            "{{ nothing }}",
        ] {
            assert!(render(careless).is_err(), "{careless}");
        }
    }
}
