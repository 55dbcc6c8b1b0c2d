//! `earmark verify` and `earmark download`: are the models there, and fetch those that are not.

use super::arguments::{TableFormat, VerifyArguments};
use super::exit::{ExitStatus, Failure, print};
use super::load::plan_of;
use super::run::{Errand, Telling, carry_out, status_of};
use crate::exec::RunOptions;
use crate::model::units::{show_bytes, show_seconds};
use crate::model::{Job, JobKind, JobSpec, Stage, Verdict, VerifyFinding, VerifySpec};
use crate::plan::restrict;
use crate::record::{RunFolder, RunRecord};
use crate::ui::Table;
use serde_json::json;
use std::ffi::OsString;

pub(super) fn run(
    arguments: &VerifyArguments,
    command_line: &[OsString],
) -> Result<ExitStatus, Failure> {
    ask(arguments, command_line, arguments.download)
}

pub(super) fn download(
    arguments: &VerifyArguments,
    command_line: &[OsString],
) -> Result<ExitStatus, Failure> {
    ask(arguments, command_line, true)
}

fn ask(
    arguments: &VerifyArguments,
    command_line: &[OsString],
    fetch: bool,
) -> Result<ExitStatus, Failure> {
    let mut plan = plan_of(&arguments.matrix, &arguments.selection)?;
    restrict(&mut plan, &[], |job| match job.kind {
        JobKind::Verify => fetch || job.stage == Some(Stage::Before),
        JobKind::Download => fetch,
        JobKind::Benchmark => false,
    });
    // A question leaves no run folder behind.
    let folder = tempfile::tempdir().map_err(Failure::internal)?;
    let path = folder.path().join("verify");
    let telling = if fetch {
        Telling::Progress
    } else {
        Telling::Nothing
    };
    let summary = carry_out(Errand {
        plan,
        path: &path,
        part: None,
        attempt: 1,
        resumption: None,
        options: RunOptions {
            fresh: arguments.fresh,
            ..RunOptions::default()
        },
        command_line,
        telling,
    })?;
    let record = RunFolder::read(&path).map_err(Failure::internal)?;
    let stage = if fetch { Stage::After } else { Stage::Before };
    let asked: Vec<(&Job, &VerifySpec)> = record
        .plan
        .jobs
        .iter()
        .filter_map(|job| match &job.spec {
            JobSpec::Verify(spec) if spec.stage == stage => Some((job, spec)),
            _ => None,
        })
        .collect();
    let text = match arguments.format {
        TableFormat::Table => table(&record, &asked, arguments.verbose),
        TableFormat::Json => document(&record, &asked)?,
    };
    print(&text)?;
    Ok(status_of(&summary))
}

/// Returns the findings as a table for people.
fn table(record: &RunRecord, asked: &[(&Job, &VerifySpec)], verbose: bool) -> String {
    let mut table = Table::new(&[
        "backend", "model", "artifact", "method", "verdict", "here", "expected", "time",
    ]);
    for column in [5, 6, 7] {
        table.align_right(column);
    }
    let mut details = String::new();
    for (job, spec) in asked {
        let found = record.job(&job.id);
        let finding = found.and_then(|found| found.finding.as_ref());
        table.row([
            spec.backend.to_string(),
            spec.model.to_string(),
            spec.artifact.as_deref().unwrap_or("none").to_owned(),
            spec.method.to_string(),
            finding.map_or_else(|| "not asked".to_owned(), verdict),
            finding.map_or_else(String::new, |finding| show_bytes(finding.bytes_present)),
            finding
                .and_then(|f| f.bytes_expected)
                .map_or_else(String::new, show_bytes),
            show_seconds(found.map_or(0.0, |found| found.seconds)),
        ]);
        let Some(finding) = finding else { continue };
        if finding.verdict != Verdict::Complete || verbose {
            details.push_str(&format!(
                "\n{}: {}",
                job.spec.slug(),
                Some(finding.in_words())
                    .filter(|reason| !reason.is_empty())
                    .unwrap_or_else(|| finding.verdict.to_string())
            ));
            if verbose && finding.network_wall != "none-needed" {
                details.push_str(&format!(" (network wall: {})", finding.network_wall));
            }
        }
        if verbose {
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
    }
    if !details.is_empty() {
        details.push('\n');
    }
    format!("{}\n{details}", table.render())
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

/// Returns the findings as one JSON document.
fn document(record: &RunRecord, asked: &[(&Job, &VerifySpec)]) -> Result<String, Failure> {
    let verifies: Vec<serde_json::Value> = asked
        .iter()
        .map(|(job, spec)| {
            let found = record.job(&job.id);
            let finding = found.and_then(|found| found.finding.as_ref());
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
                "job": job.id.0,
                "backend": spec.backend,
                "model": spec.model,
                "artifact": spec.artifact,
                "method": spec.method.to_string(),
                "verdict": finding.map(|finding| finding.verdict.word()),
                "reason": finding.map(|finding| finding.reason.clone()),
                "seconds": found.map(|found| found.seconds),
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
