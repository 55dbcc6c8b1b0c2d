//! Change points in words: a line, Markdown, JSON.

use super::list::minute;
use crate::history::Alert;
use crate::ui::printable;
use serde_json::{Value, json};

/// The most characters of a text of others in Markdown.
const LONGEST: usize = 200;

/// Returns a change point as one line for a terminal.
pub(super) fn line(alert: &Alert) -> String {
    let circumstances = alert.circumstances();
    let why = if circumstances.is_empty() {
        String::new()
    } else {
        format!("; then changed {}", circumstances.join(", "))
    };
    printable(&format!(
        "{}: {} of {} on {}: {} → {} ({}) since {}, {}{}{why}",
        direction(alert),
        alert.metric.title(),
        alert.job,
        alert.host,
        alert.metric.show(alert.before),
        alert.metric.show(alert.after),
        alert.metric.show_change(alert.before, alert.after),
        alert.first.run_id,
        minute(&alert.first.row.started),
        synthetic(alert),
    ))
}

fn direction(alert: &Alert) -> &'static str {
    if alert.is_regression() {
        "worse"
    } else {
        "better"
    }
}

fn synthetic(alert: &Alert) -> &'static str {
    if alert.synthetic {
        " (synthetic: no measurement)"
    } else {
        ""
    }
}

/// Returns a change point as Markdown: a heading and a list. What others wrote stands in code, so that
/// it mentions nobody and links nowhere.
pub(super) fn markdown(alert: &Alert) -> String {
    let mut text = format!(
        "### {}: {} of {}{}\n\n- {} → {} (**{}**) on {}\n- since {} of {} UTC; the run before was {} of {} \
         UTC\n- first seen in a run of {} UTC\n",
        if alert.is_regression() {
            "Worse"
        } else {
            "Better"
        },
        alert.metric.title(),
        code(&alert.job),
        synthetic(alert),
        alert.metric.show(alert.before),
        alert.metric.show(alert.after),
        alert.metric.show_change(alert.before, alert.after),
        code(&format!("{} ({})", alert.host, alert.machine)),
        code(&alert.first.run_id),
        minute(&alert.first.row.started),
        code(&alert.last.run_id),
        minute(&alert.last.row.started),
        minute(&alert.seen_started),
    );
    for circumstance in alert.circumstances() {
        text.push_str(&format!("- changed there: {}\n", code(&circumstance)));
    }
    text
}

/// Returns text of others as code in Markdown, on one line, whatever backticks it holds.
fn code(text: &str) -> String {
    let text: String = printable(text).chars().take(LONGEST).collect();
    let longest = text
        .split(|letter| letter != '`')
        .map(str::len)
        .max()
        .unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // A space that touches a fence is taken off again by whoever renders it.
    let space = if longest > 0 || text.is_empty() {
        " "
    } else {
        ""
    };
    format!("{fence}{space}{text}{space}{fence}")
}

/// Returns a change point as JSON.
pub(super) fn json_of(alert: &Alert) -> Value {
    json!({
        "id": alert.id,
        "regression": alert.is_regression(),
        "machine": alert.machine,
        "host": alert.host,
        "job": alert.job,
        "metric": alert.metric.column(),
        "before": alert.before,
        "after": alert.after,
        "change": alert.metric.show_change(alert.before, alert.after),
        "since_run": alert.first.run_id,
        "since": alert.first.row.started,
        "last_run_before": alert.last.run_id,
        "last_before": alert.last.row.started,
        "first_seen": alert.seen_started,
        "changed_there": alert.circumstances(),
        "synthetic": alert.synthetic,
        "title": title(alert),
        "markdown": markdown(alert),
    })
}

/// Returns a change point as the title of an issue.
fn title(alert: &Alert) -> String {
    let title = printable(&format!(
        "{} {}: {} of {} on {}",
        alert.metric.show_change(alert.before, alert.after),
        if alert.is_regression() {
            "(worse)"
        } else {
            "(better)"
        },
        alert.metric.title(),
        alert.job,
        alert.host
    ));
    title.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_stays_code() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a`b"), "`` a`b ``");
        assert_eq!(code("a\n@x `` [l](u)"), "``` a @x `` [l](u) ```");
    }
}
