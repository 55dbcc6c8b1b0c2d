//! What is handed to schedulers that this program does not speak with: a file for each, out of a template, a
//! few lines around `run --shard`.
//!
//! The plan lies where all of its parts can read it. Each part makes a folder of its own for each attempt,
//! whoever started it and however often, so nothing of a scheduler's numbering is relied on.

mod escape;
mod github;
mod words;

pub use github::{GithubPart, LONGEST_MINUTES, MOST_ENTRIES, github_parts};

use super::division::{Division, Group};
use super::site::Site;
use super::slurm::minutes;
use crate::model::Plan;
use crate::record::{parts_name, set_name};
use indexmap::IndexMap;
use minijinja::value::Serde;
use serde::Serialize;
use std::path::Path;
use words::Words;

/// A scheduler that takes a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handout {
    /// Indexed jobs of Kubernetes, in YAML.
    Kubernetes,
    /// A pipeline of Buildkite, in YAML.
    Buildkite,
    /// A batch job of Nomad, in HCL.
    Nomad,
    /// A script that starts parts on hosts by ssh, with GNU parallel.
    Ssh,
}

/// What a file is made of.
#[derive(Clone, Copy, Debug)]
pub struct HandoutFacts<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// How it is divided.
    pub division: &'a Division,
    /// What the site calls its machines.
    pub site: &'a Site,
    /// The plan's own file, absolute.
    pub file: &'a Path,
}

/// What templates see.
#[derive(Debug, Serialize)]
struct View {
    /// The plan's name, as its matrix says.
    name: String,
    /// The name of the folder of its parts.
    parts: String,
    /// The name of the job, of letters, digits and hyphens.
    job: String,
    /// The folder of the plan, and its file in that.
    folder: String,
    file: String,
    /// This program, where parts are carried out.
    program: String,
    image: String,
    claim: String,
    groups: Vec<GroupView>,
    /// The numbers of groups that wait for one another, because they share hosts.
    lanes: Vec<Vec<usize>>,
}

#[derive(Debug, Serialize)]
struct GroupView {
    /// From 1.
    number: usize,
    requires: String,
    /// The same as it stands in names of folders.
    set: String,
    benchmarks: usize,
    shards: u32,
    minutes: u64,
    /// Memory that is asked for in the scheduler's own way, in bytes and in mebibytes.
    memory: Option<u64>,
    mebibytes: Option<u64>,
    /// What the scheduler is told, by name.
    words: IndexMap<String, String>,
    hosts: Vec<String>,
    /// The command for a host, up to the number of the part.
    remote: String,
}

impl Handout {
    fn template(self) -> &'static str {
        match self {
            Self::Kubernetes => include_str!("../templates/kubernetes.yaml.j2"),
            Self::Buildkite => include_str!("../templates/buildkite.yaml.j2"),
            Self::Nomad => include_str!("../templates/nomad.hcl.j2"),
            Self::Ssh => include_str!("../templates/ssh.sh.j2"),
        }
    }

    /// Returns its key in a site file, and what a mapping may look like.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Kubernetes => ("kubernetes", "{LABEL-OF-NODES: …}"),
            Self::Buildkite => ("buildkite", "{TAG-OF-AGENTS: …}"),
            Self::Nomad => ("nomad", "{attr.…: …}"),
            Self::Ssh => ("ssh", "[HOST]"),
        }
    }
}

/// Returns the file that a scheduler takes.
///
/// # Errors
///
/// Returns reason and remedy in words of everything that the site file does not say, or that cannot be
/// written in the scheduler's language.
pub fn hand_out(handout: Handout, facts: &HandoutFacts<'_>) -> Result<String, Vec<String>> {
    let view = view(handout, facts)?;
    let rendered = escape::environment().and_then(|environment| {
        environment.render_named_str(handout.words().0, handout.template(), Serde(&view))
    });
    rendered.map_err(|error| {
        vec![
            error
                .detail()
                .map_or_else(|| error.to_string(), str::to_owned),
        ]
    })
}

fn view(handout: Handout, facts: &HandoutFacts<'_>) -> Result<View, Vec<String>> {
    let (key, example) = handout.words();
    let words = Words {
        plan: facts.plan,
        key,
        example,
    };
    let mut told = Vec::new();
    let mut groups = Vec::new();
    for (number, group) in (1..).zip(&facts.division.groups) {
        match group_view(handout, facts, &words, number, group) {
            Ok(group) => groups.push(group),
            Err(reasons) => told.extend(reasons),
        }
    }
    let kubernetes = facts.site.kubernetes.clone().unwrap_or_default();
    let mut needed = |value: Option<String>, name: &str, what: &str| {
        if value.is_none() && handout == Handout::Kubernetes {
            told.push(format!(
                "pods need {what}; write `{name}: …` under `schedulers.kubernetes` of the site file (--site)"
            ));
        }
        value.unwrap_or_default()
    };
    let image = needed(kubernetes.image, "image", "an image that has this program");
    let claim = needed(
        kubernetes.claim,
        "claim",
        "a claim of a volume that all of them can write to",
    );
    let (folder, file) = match folder_and_file(facts.file) {
        Ok(both) => both,
        Err(reason) => {
            told.push(reason);
            return Err(told);
        }
    };
    if !told.is_empty() {
        return Err(told);
    }
    Ok(View {
        name: facts.plan.name.clone(),
        parts: parts_name(facts.plan),
        job: job_name(facts.plan),
        folder,
        file,
        program: program(handout, facts.site).to_owned(),
        image,
        claim,
        lanes: lanes(&groups),
        groups,
    })
}

fn group_view(
    handout: Handout,
    facts: &HandoutFacts<'_>,
    words: &Words<'_>,
    number: usize,
    group: &Group,
) -> Result<GroupView, Vec<String>> {
    let site = facts.site;
    let none = super::site::WordsSite::default();
    let mut hosts = Vec::new();
    let (named, memory) = match handout {
        Handout::Kubernetes => {
            let nodes = site.kubernetes.as_ref().map_or(&none, |site| &site.nodes);
            words.by_name(nodes, group, true)?
        }
        Handout::Buildkite => {
            words.by_name(site.buildkite.as_ref().unwrap_or(&none), group, false)?
        }
        Handout::Nomad => words.by_name(site.nomad.as_ref().unwrap_or(&none), group, true)?,
        Handout::Ssh => {
            let known = site.ssh.clone().unwrap_or_default();
            hosts = words.hosts(&known, group)?;
            (IndexMap::new(), None)
        }
    };
    let requires = group.requires.to_string();
    let (folder, file) = folder_and_file(facts.file).map_err(|reason| vec![reason])?;
    let word = |text: &str| escape::shell(text).map_err(|reason| vec![reason]);
    Ok(GroupView {
        number,
        remote: format!(
            "cd {} && exec {} run {} --requires {} --no-history --shard",
            word(&folder)?,
            word(program(handout, site))?,
            word(&file)?,
            word(&requires)?
        ),
        requires,
        set: set_name(&group.requires),
        benchmarks: group.benchmarks,
        shards: group.shards,
        minutes: minutes(group.worst),
        memory,
        mebibytes: memory.map(|bytes| bytes.div_ceil(1 << 20)),
        words: named,
        hosts,
    })
}

fn program(handout: Handout, site: &Site) -> &str {
    let named = match handout {
        Handout::Kubernetes => None,
        Handout::Buildkite => site
            .buildkite
            .as_ref()
            .and_then(|site| site.program.as_deref()),
        Handout::Nomad => site.nomad.as_ref().and_then(|site| site.program.as_deref()),
        Handout::Ssh => site.ssh.as_ref().and_then(|site| site.program.as_deref()),
    };
    named.unwrap_or("earmark")
}

fn folder_and_file(path: &Path) -> Result<(String, String), String> {
    let text =
        |path: Option<&std::ffi::OsStr>| path.and_then(|path| path.to_str().map(str::to_owned));
    let folder = text(path.parent().map(Path::as_os_str));
    folder.zip(text(path.file_name())).ok_or_else(|| {
        format!(
            "{} is no path in UTF-8, and could not be written down; move the plan",
            path.display()
        )
    })
}

/// Returns the name of a plan's job: what DNS allows in a name, because Kubernetes asks for that, and short
/// enough for a suffix.
fn job_name(plan: &Plan) -> String {
    let slug: String = plan
        .name
        .chars()
        .map(|letter| match letter.to_ascii_lowercase() {
            letter if letter.is_ascii_alphanumeric() => letter,
            _ => '-',
        })
        .take(24)
        .collect();
    let digest: String = plan.digest.chars().take(10).collect();
    let words = ["earmark", slug.trim_matches('-'), &digest];
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.join("-")
}

/// Returns groups, by their numbers, such that no host is in two of the lists: a host does one thing at a
/// time.
fn lanes(groups: &[GroupView]) -> Vec<Vec<usize>> {
    let mut lanes: Vec<(Vec<usize>, Vec<&str>)> = Vec::new();
    for group in groups {
        let mut own = (
            vec![group.number],
            group.hosts.iter().map(String::as_str).collect::<Vec<_>>(),
        );
        let (shared, others): (Vec<_>, Vec<_>) = lanes
            .into_iter()
            .partition(|(_, hosts)| hosts.iter().any(|host| own.1.contains(host)));
        for (numbers, hosts) in shared.into_iter().rev() {
            own.0.splice(0..0, numbers);
            own.1.extend(hosts);
        }
        lanes = others;
        lanes.push(own);
    }
    lanes.into_iter().map(|(numbers, _)| numbers).collect()
}
