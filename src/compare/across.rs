//! One configuration on several machines: which machine is faster, and what has to be known first.
//!
//! This holds a thing against itself elsewhere, so it says something of machines and nothing of engines.
//! There is no better and no worse, and no row of one machine is put together with a row of another.
//! What differs between the machines stands before any number, because every one of those differences
//! may be the reason.

use super::likeness::{Difference, unlike, unlike_scores};
use super::pairs::{COMPLETED, heard, in_words, name, whole_passes};
use super::rules::{Rules, Verdict};
use super::side::Side;
use super::speed::{Speed, compare_speed};
use super::{Accuracy, compare_accuracy};
use crate::model::{MachineFacts, units::show_bytes};
use crate::record::Session;
use crate::report::{MachineNames, ResultRow};
use crate::score::statistics::median;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What stands for a fact that a machine does not tell.
const NOT_TOLD: &str = "not told";

/// The difference of load averages from which on it is told.
const LOAD_THAT_MATTERS: f64 = 0.5;

/// Which of two machines is faster at one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MachineVerdict {
    /// This machine is.
    FasterMachine,
    /// The one that it is held against is.
    SlowerMachine,
    /// Within the smallest change that matters.
    NoDifference,
    /// The measurements do not tell.
    Inconclusive,
    /// Nothing to compare, or not the same thing.
    NoData,
}

impl MachineVerdict {
    const fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Better => Self::FasterMachine,
            Verdict::Worse => Self::SlowerMachine,
            Verdict::Same => Self::NoDifference,
            Verdict::Inconclusive => Self::Inconclusive,
            Verdict::NoData => Self::NoData,
        }
    }

    /// Returns the words for it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::FasterMachine => "faster machine",
            Self::SlowerMachine => "slower machine",
            Self::NoDifference => "no difference",
            Self::Inconclusive => "inconclusive",
            Self::NoData => "no data",
        }
    }
}

/// Something that is one thing on the machine that others are held against, and another here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct MachineDifference {
    /// What.
    pub what: String,
    /// On the machine that others are held against.
    pub base: String,
    /// Here.
    pub here: String,
}

/// A machine with what it measured with.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MachineFactsHere {
    /// What it is called: its host name, with the beginning of its id where several have the same one.
    pub name: String,
    /// What it tells of itself; of several sessions, in the last one.
    pub facts: MachineFacts,
    /// Versions of its engines, as they told them.
    pub engines: BTreeMap<String, Vec<String>>,
    /// Versions of Earmark with their build profiles.
    pub earmark: Vec<String>,
    /// The crates that did the work, with their versions; of several builds, each.
    pub crates: Vec<String>,
    /// The median of the load averages over a minute when its launches began.
    pub load: Option<f64>,
    /// Benchmarks that it did, and how many of them were completed.
    pub rows: usize,
    /// How many of them were completed.
    pub completed: usize,
}

/// One thing on two machines.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MachinePair {
    /// What was measured, in words: engine, model, recording, settings.
    pub name: String,
    /// The job, which is the same on both.
    pub job_id: String,
    /// How it ended on the machine that others are held against.
    pub base_status: String,
    /// How it ended here.
    pub status: String,
    /// What keeps the two from being the same thing; then there is no verdict.
    pub unlike: Vec<Difference>,
    /// Settings that nobody asked for and that follow from the machine, such as the number of threads
    /// from its cores: each may be the reason.
    pub follows: Vec<MachineDifference>,
    /// Which machine is faster.
    pub verdict: MachineVerdict,
    /// Why, in words.
    pub reason: String,
    /// Median seconds of a pass on the machine that others are held against.
    pub base_seconds: Option<f64>,
    /// The same here.
    pub seconds: Option<f64>,
    /// Here ÷ there; above 1 is slower here.
    pub ratio: Option<f64>,
    /// The lower end of its interval.
    pub ratio_low: Option<f64>,
    /// The upper end.
    pub ratio_high: Option<f64>,
    /// Two sides of one thing differ by less in 95 of 100 comparisons, as a share.
    pub noise_floor: Option<f64>,
    /// Launches there.
    pub base_launches: usize,
    /// Launches here.
    pub launches: usize,
    /// Whether both heard the same, in words.
    pub texts: String,
    /// Word error rate there.
    pub base_wer: Option<f64>,
    /// The same here.
    pub wer: Option<f64>,
    /// Here − there.
    pub wer_difference: Option<f64>,
    /// The lower end of its interval; none below six recordings.
    pub wer_difference_low: Option<f64>,
    /// The upper end.
    pub wer_difference_high: Option<f64>,
}

/// A machine, held against another.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct OnMachine {
    /// The machine.
    pub machine: MachineFactsHere,
    /// What differs between the two, each of which may be the reason.
    pub caveats: Vec<MachineDifference>,
    /// What neither tells of itself, and may differ all the same.
    pub not_told: Vec<String>,
    /// How many rows got each verdict.
    pub verdicts: BTreeMap<MachineVerdict, usize>,
    /// What both did.
    pub rows: Vec<MachinePair>,
    /// What only the other did.
    pub only_base: Vec<String>,
    /// What only this one did.
    pub only_here: Vec<String>,
}

/// Machines side by side, each configuration against itself.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "Earmark comparison of machines")]
pub struct AcrossMachines {
    /// Version of this format: 1.
    pub version: u32,
    /// The runs, as they were named.
    pub runs: Vec<String>,
    /// What decided the verdicts beside the measurements.
    pub rules: Rules,
    /// The machine that the others are held against.
    pub base: MachineFactsHere,
    /// The others, in the order of the sessions.
    pub against: Vec<OnMachine>,
    /// Whether an engine of it is a stand-in, so that nothing is a measurement.
    pub synthetic: bool,
}

impl AcrossMachines {
    /// Returns what the comparison says nothing of, in a sentence.
    #[must_use]
    pub const fn apart(&self) -> &'static str {
        "Each row is one configuration against itself: it says which machine is faster at it, and nothing \
         of engines. Numbers of two machines are never compared as engines."
    }
}

/// A row with the run that it is of.
type Placed<'s, 'a> = (&'s Side<'a>, &'s ResultRow<'a>);

/// One machine with its rows by their jobs.
struct Machine<'s, 'a> {
    id: &'s str,
    rows: BTreeMap<&'s str, Placed<'s, 'a>>,
    /// The jobs in the order of the plan.
    order: Vec<&'s str>,
}

/// Holds what one machine measured against what others did of the same. `base` names the machine that
/// the others are held against, by name or id; `None` = the first. Of a job that one machine did in
/// several runs, the run that is named last counts.
///
/// # Errors
///
/// Returns the reason if there are no two machines, or none is called so.
pub fn across_machines(
    sides: &[Side<'_>],
    base: Option<&str>,
    rules: &Rules,
) -> Result<AcrossMachines, String> {
    let sessions = || sides.iter().flat_map(|side| &side.record.sessions);
    let names = MachineNames::of_hosts(
        sessions().map(|session| (session.machine.id.as_str(), session.machine.host.as_str())),
    );
    let machines = machines(sides);
    let called = |machine: &Machine<'_, '_>| names.name(Some(machine.id)).to_owned();
    let all: Vec<String> = machines.iter().map(called).collect();
    if machines.len() < 2 {
        return Err(format!(
            "there are no two machines to hold against each other: everything was measured on {}; name \
             runs of two machines, or merge them first",
            all.first().map_or("none", String::as_str)
        ));
    }
    let position = match base {
        None => 0,
        Some(wanted) => machines
            .iter()
            .position(|machine| machine.id == wanted || called(machine) == wanted)
            .ok_or_else(|| {
                format!(
                    "no machine is called `{wanted}`; there are {}",
                    all.join(", ")
                )
            })?,
    };
    let facts = |machine: &Machine<'_, '_>| facts_of(machine, sides, &called(machine));
    let first = &machines[position];
    let base = facts(first);
    let against = machines
        .iter()
        .filter(|machine| machine.id != first.id)
        .map(|machine| on_machine(first, machine, &base, facts(machine), rules))
        .collect();
    Ok(AcrossMachines {
        version: 1,
        runs: sides.iter().map(|side| side.label.to_owned()).collect(),
        rules: *rules,
        base,
        against,
        synthetic: sides.iter().flat_map(|side| side.rows).any(|row| {
            let engine = row.plan.engines.get(row.spec.backend.as_str());
            engine.is_some_and(|engine| engine.synthetic)
        }),
    })
}

/// Returns the machines that did something, in the order of the sessions.
fn machines<'s, 'a>(sides: &'s [Side<'a>]) -> Vec<Machine<'s, 'a>> {
    let mut machines: Vec<Machine<'s, 'a>> = Vec::new();
    for side in sides {
        for session in &side.record.sessions {
            let id = session.machine.id.as_str();
            if !machines.iter().any(|known| known.id == id) {
                machines.push(Machine {
                    id,
                    rows: BTreeMap::new(),
                    order: Vec::new(),
                });
            }
        }
        for row in side.rows.iter().filter(|row| row.record.is_some()) {
            let machine = machines
                .iter_mut()
                .find(|known| Some(known.id) == row.machine);
            let job = row.job.id.0.as_str();
            if let Some(machine) = machine.filter(|_| row.job.skip.is_none())
                && machine.rows.insert(job, (side, row)).is_none()
            {
                machine.order.push(job);
            }
        }
    }
    machines.retain(|machine| !machine.rows.is_empty());
    machines
}

fn facts_of(machine: &Machine<'_, '_>, sides: &[Side<'_>], called: &str) -> MachineFactsHere {
    let sessions: Vec<&Session> = sides
        .iter()
        .flat_map(|side| &side.record.sessions)
        .filter(|session| session.machine.id == machine.id)
        .collect();
    let rows = || machine.rows.values().map(|(_, row)| *row);
    let loads: Vec<f64> = rows()
        .flat_map(ResultRow::attempts)
        .filter_map(|attempt| attempt.load)
        .map(|load| load.0)
        .collect();
    let mut engines: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows() {
        let versions = row.attempts().filter_map(|attempt| attempt.version.clone());
        let known = engines.entry(row.spec.backend.to_string()).or_default();
        known.extend(versions);
    }
    let distinct = |field: fn(&Session) -> String| -> Vec<String> {
        let all: BTreeSet<String> = sessions.iter().map(|session| field(session)).collect();
        all.into_iter().filter(|text| !text.is_empty()).collect()
    };
    MachineFactsHere {
        name: called.to_owned(),
        facts: sessions
            .last()
            .map(|session| session.machine.clone())
            .unwrap_or_default(),
        engines: engines
            .into_iter()
            .map(|(engine, versions)| (engine, versions.into_iter().collect()))
            .collect(),
        earmark: distinct(|session| {
            format!(
                "{}, {} profile",
                session.earmark_version, session.build_profile
            )
        }),
        crates: distinct(|session| {
            let each = session.crates.iter();
            let each = each.map(|(name, version)| format!("{name} {version}"));
            each.collect::<Vec<_>>().join(", ")
        }),
        load: median(&loads),
        rows: machine.rows.len(),
        completed: rows().filter(|row| row.status() == COMPLETED).count(),
    }
}

fn on_machine(
    base: &Machine<'_, '_>,
    here: &Machine<'_, '_>,
    base_facts: &MachineFactsHere,
    facts: MachineFactsHere,
    rules: &Rules,
) -> OnMachine {
    let rows: Vec<MachinePair> = base
        .order
        .iter()
        .filter_map(|job| {
            let (there, other) = (base.rows.get(job)?, here.rows.get(job)?);
            Some(pair(*there, *other, rules))
        })
        .collect();
    let mut verdicts = BTreeMap::new();
    for row in &rows {
        *verdicts.entry(row.verdict).or_default() += 1;
    }
    let only = |one: &Machine<'_, '_>, other: &Machine<'_, '_>| -> Vec<String> {
        let left = one
            .order
            .iter()
            .filter(|job| !other.rows.contains_key(*job));
        left.map(|job| name(one.rows[job].1)).collect()
    };
    let (mut caveats, not_told) = caveats(base_facts, &facts);
    caveats.extend(in_rows(&rows));
    OnMachine {
        caveats,
        not_told,
        verdicts,
        rows,
        only_base: only(base, here),
        only_here: only(here, base),
        machine: facts,
    }
}

/// Something that a machine may tell of itself.
type Fact = fn(&MachineFacts) -> Option<String>;

/// Returns what differs between two machines, and what neither tells.
fn caveats(
    base: &MachineFactsHere,
    here: &MachineFactsHere,
) -> (Vec<MachineDifference>, Vec<String>) {
    let (mut told, mut not_told) = (Vec::new(), Vec::new());
    let mut tell = |what: &str, one: Option<String>, other: Option<String>| {
        let known = |text: Option<String>| text.filter(|text| !text.is_empty());
        match (known(one), known(other)) {
            (None, None) => not_told.push(what.to_owned()),
            (one, other) if one != other => told.push(MachineDifference {
                what: what.to_owned(),
                base: one.unwrap_or_else(|| NOT_TOLD.to_owned()),
                here: other.unwrap_or_else(|| NOT_TOLD.to_owned()),
            }),
            _ => {}
        }
    };
    let facts: [(&str, Fact); 12] = [
        ("CPU", |facts| Some(facts.cpu.clone())),
        ("architecture", |facts| facts.architecture.clone()),
        ("cores", |facts| counted(facts.cores)),
        ("physical cores", |facts| counted(facts.physical_cores)),
        ("memory", |facts| {
            (facts.memory_bytes > 0).then(|| show_bytes(facts.memory_bytes))
        }),
        ("governor", |facts| facts.governor.clone()),
        ("turbo", |facts| facts.turbo.map(on_or_off)),
        ("on battery", |facts| facts.on_battery.map(on_or_off)),
        ("operating system", |facts| Some(facts.system.clone())),
        ("kernel", |facts| Some(facts.kernel.clone())),
        // A system that tells of none of the two may well be one.
        ("virtual machine", |facts| facts.virtualization.clone()),
        ("container", |facts| facts.container.clone()),
    ];
    for (what, fact) in facts {
        tell(what, fact(&base.facts), fact(&here.facts));
    }
    let engines: BTreeSet<&String> = base.engines.keys().chain(here.engines.keys()).collect();
    for engine in engines {
        let version = |side: &MachineFactsHere| {
            let versions = side.engines.get(engine)?;
            Some(versions.join(", "))
        };
        // One that only one of them has is told with the rows.
        if let (Some(one), Some(other)) = (version(base), version(here)) {
            tell(&format!("engine {engine}"), Some(one), Some(other));
        }
    }
    tell(
        "earmark",
        Some(base.earmark.join("; ")),
        Some(here.earmark.join("; ")),
    );
    tell(
        "crates",
        Some(base.crates.join("; ")),
        Some(here.crates.join("; ")),
    );
    let load = |load: f64| format!("{load:.1}");
    match (base.load, here.load) {
        (Some(one), Some(other)) if (one - other).abs() < LOAD_THAT_MATTERS => {}
        (one, other) => tell("load when launches began", one.map(load), other.map(load)),
    }
    (told, not_told)
}

fn counted(number: u32) -> Option<String> {
    (number > 0).then(|| number.to_string())
}

fn on_or_off(is_on: bool) -> String {
    if is_on { "yes" } else { "no" }.to_owned()
}

/// Returns what follows from the machines in rows, and in how many of them.
fn in_rows(rows: &[MachinePair]) -> Vec<MachineDifference> {
    let mut counts: BTreeMap<&MachineDifference, usize> = BTreeMap::new();
    for difference in rows.iter().flat_map(|row| &row.follows) {
        *counts.entry(difference).or_default() += 1;
    }
    counts
        .into_iter()
        .map(|(difference, count)| MachineDifference {
            what: match count {
                1 => format!("{}, in a row: it follows from the machine", difference.what),
                _ => format!(
                    "{}, in {count} rows: it follows from the machine",
                    difference.what
                ),
            },
            ..difference.clone()
        })
        .collect()
}

fn pair(
    (base, base_row): Placed<'_, '_>,
    (here, row): Placed<'_, '_>,
    rules: &Rules,
) -> MachinePair {
    let asked = |name: &str| {
        base_row.spec.settings.get(name).is_some() || row.spec.settings.get(name).is_some()
    };
    // What was asked for is the same on both; what differs and was not follows from the machine.
    let (unlike, follows): (Vec<Difference>, Vec<Difference>) =
        unlike((base, base_row), (here, row))
            .into_iter()
            .partition(|difference| {
                asked(&difference.what)
                    || row.setting(&difference.what).is_none()
                    || base_row.setting(&difference.what).is_none()
            });
    let follows = follows
        .into_iter()
        .map(|difference| MachineDifference {
            what: difference.what,
            base: difference.base,
            here: difference.new,
        })
        .collect();
    let statuses = [base_row.status(), row.status()];
    let reason = if statuses.iter().any(|status| *status != COMPLETED) {
        Some(format!("{} there, {} here", statuses[0], statuses[1]))
    } else {
        in_words(&unlike)
    };
    let speed = match (
        &reason,
        whole_passes(&base_row.utterances),
        whole_passes(&row.utterances),
    ) {
        (Some(reason), ..) => Speed::none(reason.clone()),
        (None, Some(before), Some(after)) => compare_speed(&before, &after, rules),
        _ => Speed::none("not every recording was measured equally often"),
    };
    let accuracy = if reason.is_none() && unlike_scores(base_row, row).is_none() {
        compare_accuracy(&heard(&base_row.utterances, &row.utterances), rules)
    } else {
        Accuracy::none("")
    };
    MachinePair {
        name: name(row),
        job_id: row.job.id.to_string(),
        base_status: statuses[0].to_owned(),
        status: statuses[1].to_owned(),
        unlike,
        follows,
        verdict: MachineVerdict::of(speed.verdict),
        texts: accuracy.show_texts(),
        base_wer: accuracy.base_wer,
        wer: accuracy.new_wer,
        wer_difference: accuracy.difference,
        wer_difference_low: accuracy.difference_low,
        wer_difference_high: accuracy.difference_high,
        reason: speed.reason,
        base_seconds: speed.base_seconds,
        seconds: speed.new_seconds,
        ratio: speed.ratio,
        ratio_low: speed.ratio_low,
        ratio_high: speed.ratio_high,
        noise_floor: speed.noise_floor,
        base_launches: speed.base_launches,
        launches: speed.new_launches,
    }
}
