//! The templates and what they may call.

use crate::model::units::{show_bytes, show_seconds};
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, HtmlEscape, UndefinedBehavior, Value};

/// The template of the page.
pub(super) const PAGE: &str = "report.html.j2";

/// All templates, by the names under which they include each other.
const TEMPLATES: [(&str, &str); 7] = [
    (
        PAGE,
        include_str!("../../../reports/templates/report.html.j2"),
    ),
    (
        "style.css.j2",
        include_str!("../../../reports/templates/style.css.j2"),
    ),
    (
        "chart.svg.j2",
        include_str!("../../../reports/templates/chart.svg.j2"),
    ),
    (
        "timeline.svg.j2",
        include_str!("../../../reports/templates/timeline.svg.j2"),
    ),
    (
        "clips.html.j2",
        include_str!("../../../reports/templates/clips.html.j2"),
    ),
    (
        "trust.html.j2",
        include_str!("../../../reports/templates/trust.html.j2"),
    ),
    (
        "table.html.j2",
        include_str!("../../../reports/templates/table.html.j2"),
    ),
];

/// Returns the environment in which the page is rendered: what is not defined is an error, and
/// everything is escaped.
pub(super) fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()?,
    );
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
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
    environment.add_filter("prose", |text: String| prose(&text));
    environment.add_filter("plain", shown(|number| format!("{number:.2}")));
    for (name, text) in TEMPLATES {
        environment.add_template(name, text)?;
    }
    Ok(environment)
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
        let escaped = HtmlEscape(part).to_string();
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
