//! What is known of a run, and what differs between two of them.

use super::likeness::{Difference, WEIGHTS};
use super::machine_facts::{crates, machine_facts};
use super::pairs::Pair;
use super::side::Side;
use crate::record::Session;
use crate::report::ResultRow;
use crate::score::statistics::median;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The difference of load averages from which on it is told.
const LOAD_THAT_MATTERS: f64 = 0.5;

/// Digits of a digest that are shown.
const SHOWN_DIGITS: usize = 12;

/// A run, as it stands above a comparison.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RunFacts {
    /// What it is called here: the folder as it was named.
    pub label: String,
    /// Its id.
    pub run_id: String,
    /// The name of its matrix.
    pub name: String,
    /// Date and time of its start, UTC.
    pub started_at: String,
    /// The digest of its plan.
    pub plan_digest: String,
    /// Versions of Earmark that did it.
    pub earmark_versions: Vec<String>,
    /// Its machines: id and what it is.
    pub machines: BTreeMap<String, String>,
    /// Versions of its engines, as they told them.
    pub engines: BTreeMap<String, Vec<String>>,
    /// The median of the load averages over a minute when its launches began.
    pub load: Option<f64>,
    /// Benchmarks of its plan.
    pub rows: usize,
    /// How many of them were completed.
    pub completed: usize,
    /// Whether an engine of it is a stand-in, so that its rows are no measurements of speech
    /// recognition.
    pub synthetic: bool,
    /// It was interrupted.
    pub interrupted: bool,
}

impl RunFacts {
    /// Returns what is known of a run.
    #[must_use]
    pub fn of(side: &Side<'_>) -> Self {
        let record = side.record;
        let loads: Vec<f64> = side
            .rows
            .iter()
            .flat_map(ResultRow::attempts)
            .filter_map(|attempt| attempt.load)
            .map(|load| load.0)
            .collect();
        let mut engines: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for row in side.rows {
            for version in row.attempts().filter_map(|attempt| attempt.version.clone()) {
                engines
                    .entry(row.spec.backend.to_string())
                    .or_default()
                    .insert(version);
            }
        }
        Self {
            label: side.label.to_owned(),
            run_id: record.run_id.clone(),
            name: record.plan.name.clone(),
            started_at: record.started_at.clone(),
            plan_digest: record.plan.digest.clone(),
            earmark_versions: distinct(&record.sessions, |session| session.earmark_version.clone()),
            machines: record
                .machines()
                .into_iter()
                .map(|facts| {
                    let what = format!("{}, {}, {} cores", facts.host, facts.cpu, facts.cores);
                    (facts.id.clone(), what)
                })
                .collect(),
            engines: engines
                .into_iter()
                .map(|(engine, versions)| (engine, versions.into_iter().collect()))
                .collect(),
            load: median(&loads),
            rows: side.rows.len(),
            completed: side
                .rows
                .iter()
                .filter(|row| row.status() == "completed")
                .count(),
            synthetic: side.rows.iter().any(|row| {
                let engine = record.plan.engines.get(row.spec.backend.as_str());
                engine.is_some_and(|engine| engine.synthetic)
            }),
            interrupted: record.interrupted,
        }
    }
}

/// Returns what differs between two runs as wholes: what engines, machine and matrix were, how busy
/// the machine was, and which settings were in effect in their rows.
#[must_use]
pub(super) fn differences(base: &Side<'_>, new: &Side<'_>, rows: &[Pair]) -> Vec<Difference> {
    let (base_facts, new_facts) = (RunFacts::of(base), RunFacts::of(new));
    let mut told = Vec::new();
    let mut tell = |what: &str, base: String, new: String| {
        if base != new {
            told.push(Difference {
                what: what.to_owned(),
                base: or_nothing(&base),
                new: or_nothing(&new),
            });
        }
    };
    let engines: BTreeSet<&String> = base_facts
        .engines
        .keys()
        .filter(|engine| new_facts.engines.contains_key(*engine))
        .collect();
    for engine in engines {
        tell(
            &format!("engine {engine}"),
            base_facts.engines[engine].join(", "),
            new_facts.engines[engine].join(", "),
        );
    }
    let machines = |facts: &RunFacts| {
        let lines = facts.machines.iter();
        let lines = lines.map(|(id, what)| format!("{what} ({})", shortened(id)));
        lines.collect::<Vec<_>>().join("; ")
    };
    tell("machine", machines(&base_facts), machines(&new_facts));
    let mut tell_sessions = |what: &str, field: fn(&Session) -> String| {
        tell(
            what,
            distinct(&base.record.sessions, field).join(", "),
            distinct(&new.record.sessions, field).join(", "),
        );
    };
    tell_sessions("earmark", |session| session.earmark_version.clone());
    tell_sessions("build profile", |session| session.build_profile.clone());
    for ((fact, before), (_, after)) in machine_facts(base).into_iter().zip(machine_facts(new)) {
        tell(fact, before, after);
    }
    tell_crates(&crates(base), &crates(new), &mut tell);
    let artifacts = base.record.artifacts.iter();
    for ((model, artifact), digest) in artifacts {
        if let Some(other) = new.record.artifacts.get(&(model.clone(), artifact.clone())) {
            tell(
                &format!("weights of {model} ({artifact})"),
                shortened(digest),
                shortened(other),
            );
        }
    }
    let (base_plan, new_plan) = (&base.record.plan, &new.record.plan);
    tell(
        "plan",
        shortened(&base_plan.digest),
        shortened(&new_plan.digest),
    );
    if base_plan.matrix_text != new_plan.matrix_text {
        tell(
            "matrix text",
            lines_beside(&base_plan.matrix_text, &new_plan.matrix_text),
            lines_beside(&new_plan.matrix_text, &base_plan.matrix_text) + " ",
        );
    }
    tell(
        "order",
        format!("{:?}", base_plan.order).to_lowercase(),
        format!("{:?}", new_plan.order).to_lowercase(),
    );
    tell(
        "isolation",
        format!("{:?}", base_plan.isolation).to_lowercase(),
        format!("{:?}", new_plan.isolation).to_lowercase(),
    );
    let cpus = |cpus: &[u32]| {
        cpus.iter()
            .map(u32::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    };
    tell(
        "pinned CPUs",
        cpus(&base_plan.pin_cpus),
        cpus(&new_plan.pin_cpus),
    );
    tell(
        "normalizers",
        base_plan.normalizers.join(", "),
        new_plan.normalizers.join(", "),
    );
    if let (Some(before), Some(after)) = (base_facts.load, new_facts.load)
        && (before - after).abs() >= LOAD_THAT_MATTERS
    {
        tell(
            "load when launches began",
            format!("{before:.1}"),
            format!("{after:.1}"),
        );
    }
    told.extend(in_rows(rows));
    told
}

/// Tells the crates of which two runs had other versions. A record that knows of none is told once.
fn tell_crates(
    base: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
    tell: &mut impl FnMut(&str, String, String),
) {
    if base.is_empty() || new.is_empty() {
        let all = |crates: &BTreeMap<String, String>| {
            let each = crates.iter();
            let each = each.map(|(name, version)| format!("{name} {version}"));
            each.collect::<Vec<_>>().join(", ")
        };
        tell("crates", all(base), all(new));
        return;
    }
    let names: BTreeSet<&String> = base.keys().chain(new.keys()).collect();
    for name in names {
        let version =
            |crates: &BTreeMap<String, String>| crates.get(name).cloned().unwrap_or_default();
        tell(&format!("crate {name}"), version(base), version(new));
    }
}

/// Returns what differs in rows, and in how many of them.
fn in_rows(rows: &[Pair]) -> Vec<Difference> {
    let mut counts: BTreeMap<&Difference, usize> = BTreeMap::new();
    // Weights are told above, by model.
    let unlike = rows.iter().flat_map(|pair| &pair.unlike);
    for difference in unlike.filter(|difference| difference.what != WEIGHTS) {
        *counts.entry(difference).or_default() += 1;
    }
    counts
        .into_iter()
        .map(|(difference, count)| Difference {
            what: match count {
                1 => format!("{} in a row", difference.what),
                _ => format!("{} in {count} rows", difference.what),
            },
            ..difference.clone()
        })
        .collect()
}

/// Returns how many lines a text has, and how many of them another has not.
fn lines_beside(text: &str, other: &str) -> String {
    let others: HashSet<&str> = other.lines().map(str::trim).collect();
    let own = text.lines().filter(|line| !others.contains(line.trim()));
    format!("{} lines, {} of its own", text.lines().count(), own.count())
}

fn distinct(sessions: &[Session], field: impl Fn(&Session) -> String) -> Vec<String> {
    let all: BTreeSet<String> = sessions.iter().map(field).collect();
    all.into_iter().collect()
}

fn or_nothing(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() {
        "–".into()
    } else {
        text.to_owned()
    }
}

/// Returns the first digits of a digest, whatever names its kind before it.
pub(super) fn shortened(digest: &str) -> String {
    let digits = digest.rsplit(':').next().unwrap_or(digest);
    digits.chars().take(SHOWN_DIGITS).collect()
}
