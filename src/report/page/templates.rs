//! The built-in templates, and what every template may call.

use super::shown_text;
use crate::model::units::{show_bytes, show_seconds};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, Error, HtmlEscape, Output, UndefinedBehavior, Value};

/// The template of the page.
pub(super) const PAGE: &str = "report.html.j2";
/// The template of its style, which is rendered without the view.
pub(super) const STYLE: &str = "style.css.j2";
/// Its script, which is no template.
pub(super) const SCRIPT: &str = "report.js";
/// What stands before the name of a built-in template where one's own of the same name is meant not
/// to take its place.
pub(super) const BUILT_IN: &str = "earmark/";

/// How much a template may do: steps, and text in pieces of 64 bytes. A page of the largest tables
/// takes a tenth.
const FUEL: u64 = 40_000_000;

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../reports/templates/", $name)))),*]
    };
}

/// All built-in files, by name.
pub(super) const FILES: [(&str, &str); 15] = built_in![
    "report.html.j2",
    "style.css.j2",
    "report.js",
    "controls.html.j2",
    "configurations.html.j2",
    "benchmarks.html.j2",
    "changes.html.j2",
    "heat_map.html.j2",
    "machine_map.html.j2",
    "strip.svg.j2",
    "chart.svg.j2",
    "timeline.svg.j2",
    "clips.html.j2",
    "trust.html.j2",
    "table.html.j2",
];

/// Returns an environment without templates: what is not defined is an error, everything is escaped,
/// nothing is read from anywhere, and nothing goes on for ever.
pub(super) fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()?,
    );
    environment.set_fuel(Some(FUEL));
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    // Whatever a template says of escaping, text of others is escaped.
    environment.set_formatter(|output, _, value| write_escaped(output, value));
    environment.remove_filter("safe");
    environment.add_filter("seconds", shown(show_seconds));
    environment.add_filter("bytes", |value: Value| {
        u64::try_from(value).map_or_else(|_| NOTHING.to_owned(), show_bytes)
    });
    environment.add_filter("percent", shown(show_percent));
    environment.add_filter("times", shown(show_times));
    environment.add_filter(
        "whole_percent",
        shown(|share| format!("{:.0} %", share * 100.0)),
    );
    // What a script sorts by: all digits, and nothing where there is no number.
    environment.add_filter("number", |value: Value| {
        if value.is_none() {
            Value::from("")
        } else {
            value
        }
    });
    environment.add_filter("prose", |text: String| prose(&text));
    environment.add_filter("plain", shown(|number| format!("{number:.2}")));
    Ok(environment)
}

/// Writes a value into a page: text of others is escaped, and what acts without being seen is seen.
///
/// # Errors
///
/// Fails if the page cannot be held.
pub(crate) fn write_escaped(output: &mut Output<'_>, value: &Value) -> Result<(), Error> {
    let written = if let Some(text) = value.as_str() {
        if value.is_safe() {
            output.write_str(text)
        } else {
            write!(output, "{}", HtmlEscape(&shown_text::shown(text)))
        }
    } else if matches!(
        value.kind(),
        ValueKind::Number | ValueKind::Bool | ValueKind::None | ValueKind::Undefined
    ) {
        write!(output, "{value}")
    } else {
        write!(
            output,
            "{}",
            HtmlEscape(&shown_text::shown(&value.to_string()))
        )
    };
    written.map_err(|error| {
        Error::new(
            minijinja::ErrorKind::WriteFailure,
            "the page cannot be held",
        )
        .with_source(error)
    })
}

/// What stands for a number that there is not.
const NOTHING: &str = "–";

fn shown(show: fn(f64) -> String) -> impl Fn(Value) -> String + Send + Sync + 'static {
    move |value| f64::try_from(value).map_or_else(|_| NOTHING.to_owned(), show)
}

/// Returns a text of this program as HTML, what stands between backticks as code.
fn prose(text: &str) -> Value {
    let mut html = String::new();
    for (position, part) in text.split('`').enumerate() {
        let escaped = HtmlEscape(&shown_text::shown(part)).to_string();
        if position % 2 == 1 {
            html.push_str(&format!("<code>{escaped}</code>"));
        } else {
            html.push_str(&escaped);
        }
    }
    Value::from_safe_string(html)
}

/// Returns a share as it is shown everywhere.
pub(super) fn show_percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Returns a ratio as it is shown everywhere.
pub(super) fn show_times(ratio: f64) -> String {
    if ratio < 10.0 {
        format!("{ratio:.2} ×")
    } else {
        format!("{ratio:.1} ×")
    }
}
