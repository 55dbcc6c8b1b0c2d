//! Answers as a table for people and as a document for programs.

use super::rows::Row;
use crate::cli::exit::Failure;
use crate::model::units::{show_bytes, show_seconds};
use crate::model::{Verdict, VerifyFinding};
use crate::ui::Table;
use serde_json::json;

/// Returns the answers as a table, and below it what is wrong with which file.
pub(super) fn table(rows: &[Row], verbose: bool) -> String {
    let mut table = Table::new(&[
        "backend", "model", "artifact", "verdict", "here", "missing", "time", "method",
    ]);
    for column in [4, 5, 6] {
        table.align_right(column);
    }
    let mut details = String::new();
    for row in rows {
        let finding = row.finding.as_ref();
        table.row([
            row.backend.clone(),
            row.model.clone(),
            row.artifact.clone().unwrap_or_else(|| "none".into()),
            finding.map_or_else(|| "not asked".to_owned(), verdict),
            finding.map_or_else(String::new, |finding| show_bytes(finding.bytes_present)),
            finding.map_or_else(String::new, missing),
            show_seconds(row.seconds),
            row.method.clone(),
        ]);
        if let Some(finding) = finding {
            describe(row, finding, verbose, &mut details);
        }
    }
    if !details.is_empty() {
        details.push('\n');
    }
    format!("{}\n{details}", table.render())
}

fn describe(row: &Row, finding: &VerifyFinding, verbose: bool, details: &mut String) {
    if finding.verdict != Verdict::Complete || verbose {
        let words = finding.in_words();
        let reason = if words.is_empty() {
            finding.verdict.to_string()
        } else {
            words
        };
        details.push_str(&format!("\n{}: {reason}", row.name));
        if verbose && finding.network_wall != "none-needed" {
            details.push_str(&format!(" (network wall: {})", finding.network_wall));
        }
    }
    if !verbose {
        return;
    }
    for file in &finding.files {
        details.push_str(&format!(
            "\n  {} {} ({}, {}){}{}",
            file.name,
            file.verdict,
            show_bytes(file.bytes_present),
            show_seconds(file.seconds),
            if file.reason.is_empty() { "" } else { ": " },
            file.reason
        ));
    }
}

/// Returns a verdict as a cell.
fn verdict(finding: &VerifyFinding) -> String {
    let remembered = if finding.remembered {
        ", remembered"
    } else {
        ""
    };
    format!("{}{remembered}", finding.verdict)
}

/// Returns how many bytes are missing as a cell: nothing where none are, and a question mark where
/// nobody knows how many there should be.
fn missing(finding: &VerifyFinding) -> String {
    match finding.bytes_expected {
        Some(expected) => match expected.saturating_sub(finding.bytes_present) {
            0 => String::new(),
            bytes => show_bytes(bytes),
        },
        None if finding.verdict == Verdict::Complete => String::new(),
        None if finding.verdict == Verdict::Unsupported => String::new(),
        None => "?".into(),
    }
}

/// Returns the answers as one JSON document.
pub(super) fn document(rows: &[Row]) -> Result<String, Failure> {
    let verifies: Vec<serde_json::Value> = rows
        .iter()
        .map(|row| {
            let finding = row.finding.as_ref();
            let files: Vec<serde_json::Value> = finding
                .map(|finding| finding.files.as_slice())
                .unwrap_or_default()
                .iter()
                .map(|file| {
                    json!({
                        "name": file.name,
                        "verdict": file.verdict,
                        "reason": file.reason,
                        "bytes_present": file.bytes_present,
                        "bytes_expected": file.bytes_expected,
                        "seconds": file.seconds,
                    })
                })
                .collect();
            json!({
                "job": row.job,
                "backend": row.backend,
                "model": row.model,
                "artifact": row.artifact,
                "method": row.method,
                "verdict": finding.map(|finding| finding.verdict.word()),
                "reason": finding.map(|finding| finding.reason.clone()),
                "seconds": row.seconds,
                "bytes_present": finding.map(|finding| finding.bytes_present),
                "bytes_expected": finding.and_then(|finding| finding.bytes_expected),
                "network_wall": finding.map(|finding| finding.network_wall.clone()),
                "manifest": finding.map(|finding| finding.manifest),
                "remembered": finding.map(|finding| finding.remembered),
                "files": files,
            })
        })
        .collect();
    let text = serde_json::to_string_pretty(&json!({ "verifies": verifies }));
    Ok(text.map_err(Failure::internal)? + "\n")
}
