//! The plan as a graph: for Graphviz, and for Mermaid, which code forges draw in Markdown.

use crate::model::{Job, JobId, JobKind, Plan};
use crate::ui::printable;
use std::collections::HashMap;

/// Fill and outline of each kind, light enough for black letters.
const COLOURS: [(JobKind, &str, &str); 3] = [
    (JobKind::Verify, "#e8f1fa", "#3b6ea5"),
    (JobKind::Download, "#fdf1dc", "#b07514"),
    (JobKind::Benchmark, "#e6f4e8", "#3c7a46"),
];

/// Returns the plan in the DOT language of Graphviz.
pub(super) fn dot(plan: &Plan) -> String {
    let mut text = format!(
        "digraph {} {{\n  rankdir=LR;\n  node [shape=box, style=\"rounded,filled\", \
         fontname=\"sans-serif\", fontsize=11];\n  edge [color=\"#555555\"];\n",
        dot_text(std::slice::from_ref(&plan.name))
    );
    for (position, job) in plan.jobs.iter().enumerate() {
        let (fill, outline) = colours(job.kind);
        let dashed = if job.skip.is_some() {
            ", style=\"rounded,dashed\", fontcolor=\"#777777\""
        } else {
            ""
        };
        text.push_str(&format!(
            "  j{position} [label={}, fillcolor=\"{fill}\", color=\"{outline}\"{dashed}];\n",
            dot_text(&lines(job))
        ));
    }
    for (need, position) in edges(plan) {
        text.push_str(&format!("  j{need} -> j{position};\n"));
    }
    text + "}\n"
}

/// Returns the plan as a Mermaid flowchart.
pub(super) fn mermaid(plan: &Plan) -> String {
    let mut text = String::from("flowchart LR\n");
    for (position, job) in plan.jobs.iter().enumerate() {
        let label: Vec<String> = lines(job).iter().map(|line| mermaid_text(line)).collect();
        let class = if job.skip.is_some() {
            "skipped".to_owned()
        } else {
            job.kind.to_string()
        };
        text.push_str(&format!(
            "  j{position}[\"{}\"]:::{class}\n",
            label.join("<br/>")
        ));
    }
    for (need, position) in edges(plan) {
        text.push_str(&format!("  j{need} --> j{position}\n"));
    }
    for (kind, fill, outline) in COLOURS {
        text.push_str(&format!(
            "  classDef {kind} fill:{fill},stroke:{outline},color:#000\n"
        ));
    }
    text + "  classDef skipped fill:#fff,stroke:#999,color:#777,stroke-dasharray:4\n"
}

fn colours(kind: JobKind) -> (&'static str, &'static str) {
    COLOURS
        .iter()
        .find(|(known, ..)| *known == kind)
        .map_or(("#ffffff", "#000000"), |(_, fill, outline)| (fill, outline))
}

/// Returns the lines of a job's box: its kind, what it is about, and why it is skipped.
fn lines(job: &Job) -> Vec<String> {
    let slug = job.spec.slug();
    let (kind, rest) = slug.split_once('/').unwrap_or((&slug, ""));
    let mut lines = vec![kind.to_owned(), rest.to_owned()];
    lines.extend(job.skip.iter().map(|reason| format!("skipped: {reason}")));
    lines
}

/// Returns every (need, job) as positions.
fn edges(plan: &Plan) -> Vec<(usize, usize)> {
    let positions: HashMap<&JobId, usize> = plan
        .jobs
        .iter()
        .enumerate()
        .map(|(position, job)| (&job.id, position))
        .collect();
    plan.jobs
        .iter()
        .enumerate()
        .flat_map(|(position, job)| {
            let needs = job.needs.iter().filter_map(|need| positions.get(need));
            needs.map(move |need| (*need, position))
        })
        .collect()
}

/// Returns lines as a quoted string of the DOT language.
fn dot_text(lines: &[String]) -> String {
    let escaped: Vec<String> = lines
        .iter()
        .map(|line| printable(line).replace('\\', "\\\\").replace('"', "\\\""))
        .collect();
    format!("\"{}\"", escaped.join("\\n"))
}

/// Returns text for a quoted Mermaid label, in which marks stand as their numbers.
fn mermaid_text(text: &str) -> String {
    printable(text)
        .chars()
        .map(|letter| match letter {
            '"' | '#' | '<' | '>' | '&' | '`' | ';' | '\\' => format!("#{};", u32::from(letter)),
            other => other.to_string(),
        })
        .collect()
}
