//! What is found out and made ready before anything is handed over.

use crate::cli::exit::{Failure, say};
use crate::cli::run::{Errand, Telling, carry_out};
use crate::cli::saved::read_saved;
use crate::cluster::slurm::{Preflight, PreflightError, group_arguments, preflight, unshared};
use crate::cluster::{CommandFailure, Division, Sizes, SlurmSite, StopRules, divide};
use crate::exec::RunOptions;
use crate::model::units::show_seconds;
use crate::model::{DownloadPolicy, JobKind, Plan, Requirement};
use crate::plan::{asked_by, fetch_only};
use crate::record::RunFolder;
use crate::ui::Table;
use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The copy of the site file in a run folder.
pub(super) const SITE: &str = "site.yaml";

/// What is to be handed over, in Slurm's words.
pub(super) struct Prepared {
    /// The parts.
    pub(super) division: Division,
    /// What `sbatch` is told for each group.
    pub(super) arguments: Vec<Vec<String>>,
    /// What Slurm says of itself.
    pub(super) preflight: Preflight,
    /// When each part stops before all of it is done.
    pub(super) stops: StopRules,
}

impl Prepared {
    /// Returns what stops a part, in a sentence, if anything does.
    pub(super) fn stops_in_words(&self) -> Option<String> {
        let stops = self.stops;
        (!stops.are_none()).then(|| {
            format!(
                "each part has {stops} for itself: it knows only its own faults and its own time"
            )
        })
    }
}

/// Divides a plan, or what is missing of it, and asks Slurm whether it would take it. Nothing is written, and
/// nothing handed over.
pub(super) fn prepare(
    plan: &Plan,
    site: &SlurmSite,
    missing: Option<&[String]>,
    stops: StopRules,
) -> Result<Prepared, Failure> {
    let usage = |error: &dyn std::fmt::Display| Failure::Usage(error.to_string());
    let only: Option<HashSet<&str>> =
        missing.map(|missing| missing.iter().map(String::as_str).collect());
    let sizes = Sizes {
        shard_time: site.shard_time,
        longest: site.longest,
        most_shards: site.most_shards,
    };
    let mut division = divide(plan, only.as_ref(), &sizes).map_err(|error| usage(&error))?;
    let who = |requirement: &Requirement| asked_by(plan, requirement);
    let mut arguments = Vec::new();
    let mut unmapped = Vec::new();
    for group in &division.groups {
        match group_arguments(site, group, &who) {
            Ok(words) => arguments.push(words),
            Err(reason) => unmapped.push(reason),
        }
    }
    if !unmapped.is_empty() {
        return Err(Failure::Usage(unmapped.join("\nerror: ")));
    }
    let groups: Vec<(String, Vec<String>)> = division
        .groups
        .iter()
        .map(|group| group.requires.to_string())
        .zip(arguments.iter().cloned())
        .collect();
    // Some script must be there; this one is never run.
    let mut script = tempfile::NamedTempFile::new().map_err(Failure::internal)?;
    script
        .write_all(b"#!/bin/sh\n")
        .map_err(Failure::internal)?;
    let preflight = preflight(&groups, script.path()).map_err(|error| match &error {
        PreflightError::Refused { .. } | PreflightError::Command(CommandFailure::NotThere(_)) => {
            usage(&error)
        }
        PreflightError::Command(_) => Failure::internal(&error),
    })?;
    let most = preflight.controller.most_shards();
    if division.groups.iter().any(|group| group.shards > most) {
        // This cluster's arrays are smaller than the site file allows.
        let sizes = Sizes {
            most_shards: most,
            ..sizes
        };
        division = divide(plan, only.as_ref(), &sizes).map_err(|error| usage(&error))?;
        let words = division
            .groups
            .iter()
            .map(|group| group_arguments(site, group, &who));
        arguments = words.collect::<Result<_, _>>().map_err(Failure::Usage)?;
    }
    for warning in &preflight.warnings {
        say(&format!("warning: {warning}"));
    }
    Ok(Prepared {
        division,
        arguments,
        preflight,
        stops,
    })
}

/// Returns what would be handed over, for people.
pub(super) fn table(prepared: &Prepared) -> String {
    let mut table = Table::new(&[
        "REQUIRES",
        "BENCHMARKS",
        "PARTS",
        "EXPECTED",
        "A PART AT MOST",
        "SBATCH",
    ]);
    for column in 1..=4 {
        table.align_right(column);
    }
    for (group, words) in prepared.division.groups.iter().zip(&prepared.arguments) {
        table.row([
            group.requires.to_string(),
            group.benchmarks.to_string(),
            group.shards.to_string(),
            show_seconds(group.expected.as_secs_f64()),
            show_seconds(group.worst.as_secs_f64()),
            words.join(" "),
        ]);
    }
    let stops = prepared
        .stops_in_words()
        .map_or_else(String::new, |words| format!("{words}\n"));
    format!(
        "{}\n{stops}Slurm {} would take it; nothing was handed over\n",
        table.render(),
        prepared.preflight.controller.version()
    )
}

/// Makes the run folder, with the plan and a copy of the site file. Returns its absolute path.
pub(super) fn folder(folder: &Path, plan: &Plan, site: Option<&Path>) -> Result<PathBuf, Failure> {
    let run = std::path::absolute(folder).map_err(Failure::internal)?;
    RunFolder::prepare(&run, plan).map_err(|error| Failure::Usage(error.to_string()))?;
    for inner in ["attempts", "scheduler-logs"] {
        fs::create_dir_all(run.join(inner)).map_err(Failure::internal)?;
    }
    if let Some(site) = site {
        fs::copy(site, run.join(SITE)).map_err(Failure::internal)?;
    }
    Ok(run)
}

/// Returns the plan of a run folder.
pub(super) fn plan_in(run: &Path) -> Result<Plan, Failure> {
    let path = RunFolder::at(run).plan();
    read_saved(&path)?.ok_or_else(|| Failure::Usage(format!("{} is no plan", path.display())))
}

/// Tells if nodes will hardly see the run folder.
pub(super) fn tell_unshared(run: &Path, site: &SlurmSite) {
    if site.shared {
        return;
    }
    if let Some(kind) = unshared(run) {
        say(&format!(
            "warning: {} is on {kind}, a file system of this machine alone: nodes that are other machines do \
             not see it; choose a shared folder with --out, or say `shared: true` under `schedulers.slurm` \
             of the site file",
            run.display()
        ));
    }
}

/// Fetches here what the plan fetches, so that the shared store is filled once, and nodes without a network
/// find it. What cannot be had is told; nodes try themselves.
pub(super) fn fetch(plan: &Plan, command_line: &[OsString]) -> Result<(), Failure> {
    let fetches = |plan: &Plan| {
        plan.jobs
            .iter()
            .any(|job| job.kind == JobKind::Download && job.skip.is_none())
    };
    if plan.download == DownloadPolicy::Never || !fetches(plan) {
        return Ok(());
    }
    let place = tempfile::tempdir().map_err(Failure::internal)?;
    let summary = carry_out(Errand {
        plan: fetch_only(plan),
        source: None,
        path: &place.path().join("fetch"),
        part: None,
        attempt: 1,
        fence: None,
        resumption: None,
        options: RunOptions::default(),
        command_line,
        telling: Telling::Progress,
    })?;
    if summary.interrupted {
        return Err(Failure::Interrupted(
            "interrupted; nothing was handed over".into(),
        ));
    }
    if summary.faults > 0 || summary.not_complete > 0 {
        say(
            "warning: not every model is complete here; nodes will try themselves, and skip what they cannot \
             have: `earmark verify` says what is missing",
        );
    }
    Ok(())
}
