//! The site file: how the schedulers of a site are told what a job requires. It belongs to a site, not to a
//! matrix: the same matrix runs on a laptop, on a cluster and on a forge's runners.

use super::mapping::Mapping;
use super::slurm_words::{not_a_sites, one_is_blank, say_nothing};
use crate::diagnostic::{Diagnostic, Diagnostics, SourceText, split_remedy};
use crate::model::Requirements;
use crate::model::units::parse_duration;
use crate::yaml::{Document, Located, decode};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// A site file: for each scheduler that is there, its words for what jobs require.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(title = "Earmark site")]
pub struct SiteFile {
    /// Version of this format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub version: Located<u64>,
    /// The schedulers of this site.
    schedulers: SchedulersWire,
}

/// The schedulers of a site.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct SchedulersWire {
    /// A Slurm cluster.
    #[serde(default)]
    slurm: Option<SlurmWire>,
    /// Runners of GitHub Actions, GitHub's own or yours.
    #[serde(default)]
    github: Option<GithubWire>,
    /// A Kubernetes cluster.
    #[serde(default)]
    kubernetes: Option<KubernetesWire>,
    /// Agents of Buildkite, by their tags.
    #[serde(default)]
    buildkite: Option<WordsWire>,
    /// Clients of Nomad, by their attributes.
    #[serde(default)]
    nomad: Option<WordsWire>,
    /// Hosts that are reached by ssh.
    #[serde(default)]
    ssh: Option<ListWire>,
}

/// A Slurm cluster.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct SlurmWire {
    /// This program on the nodes; default: where it is on the machine that submits.
    #[serde(default)]
    program: Option<Located<String>>,
    /// Lines of shell that each job begins with, such as `module load cuda`.
    #[serde(default)]
    setup: Vec<String>,
    /// Arguments of `sbatch` for every job.
    #[serde(default)]
    base: Vec<Located<String>>,
    /// What `sbatch` is told for each requirement, such as `gpu:cuda`, or for several together, such as
    /// `os:linux,gpu:cuda`. Memory that no entry has is asked for with `--mem`.
    #[serde(default)]
    labels: IndexMap<String, Located<SlurmWords>>,
    /// The time that the rows of one job are expected to take; default: `10m`.
    #[serde(default)]
    #[schemars(example = "10m")]
    shard_time: Option<Located<String>>,
    /// The longest `--time` that jobs may ask for; default: `24h`.
    #[serde(default)]
    #[schemars(example = "24h")]
    longest: Option<Located<String>>,
    /// The most jobs that a set of requirements is divided into; default: 100.
    #[serde(default)]
    #[schemars(range(min = 1, max = 10_000))]
    most_shards: Option<u32>,
    /// How often the scheduler is asked at first; it is asked less and less often, at most six times
    /// as seldom. Default: `10s`.
    #[serde(default)]
    #[schemars(example = "10s")]
    poll: Option<Located<String>>,
    /// The folder of runs is on a file system that all nodes share, although it does not look so.
    #[serde(default)]
    shared: bool,
}

/// What `sbatch` is told for a requirement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SlurmWords {
    /// A feature of nodes; those of several requirements are joined by `&`.
    #[serde(default)]
    pub constraint: Option<String>,
    /// A resource, such as `gpu:1`; those of several requirements are joined by commas.
    #[serde(default)]
    pub gres: Option<String>,
    /// A partition.
    #[serde(default)]
    pub partition: Option<String>,
    /// An account.
    #[serde(default)]
    pub account: Option<String>,
    /// Further arguments.
    #[serde(default)]
    pub args: Vec<String>,
}

/// Runners of GitHub Actions.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct GithubWire {
    /// The labels of `runs-on` where nothing is required; default: `ubuntu-24.04`.
    #[serde(default)]
    base: Vec<String>,
    /// The labels of `runs-on` for each requirement, or for several together.
    #[serde(default)]
    labels: IndexMap<String, Located<Vec<String>>>,
}

/// A Kubernetes cluster.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct KubernetesWire {
    /// The container image that holds this program.
    #[serde(default)]
    image: Option<String>,
    /// The claim of the volume that all pods share.
    #[serde(default)]
    claim: Option<String>,
    /// The node selector of every pod.
    #[serde(default)]
    base: IndexMap<String, String>,
    /// What each requirement adds to the node selector.
    #[serde(default)]
    labels: IndexMap<String, Located<IndexMap<String, String>>>,
}

/// Words by name, such as tags of agents.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct WordsWire {
    /// This program there; default: `earmark`, wherever it is found.
    #[serde(default)]
    program: Option<String>,
    /// The words of every job.
    #[serde(default)]
    base: IndexMap<String, String>,
    /// What each requirement adds to them.
    #[serde(default)]
    labels: IndexMap<String, Located<IndexMap<String, String>>>,
}

/// Hosts.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ListWire {
    /// This program there; default: `earmark`, wherever it is found.
    #[serde(default)]
    program: Option<String>,
    /// Hosts for jobs that require nothing.
    #[serde(default)]
    base: Vec<String>,
    /// The hosts that have what is required.
    #[serde(default)]
    labels: IndexMap<String, Located<Vec<String>>>,
}

/// What a site file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Site {
    /// Slurm.
    pub slurm: Option<SlurmSite>,
    /// GitHub Actions.
    pub github: Option<GithubSite>,
    /// Kubernetes.
    pub kubernetes: Option<KubernetesSite>,
    /// Buildkite.
    pub buildkite: Option<WordsSite>,
    /// Nomad.
    pub nomad: Option<WordsSite>,
    /// Hosts by ssh.
    pub ssh: Option<ListSite>,
}

/// A Slurm cluster, as its site file says.
#[derive(Clone, Debug, PartialEq)]
pub struct SlurmSite {
    /// This program on the nodes, if it is not where it is here.
    pub program: Option<String>,
    /// Lines of shell that each job begins with.
    pub setup: Vec<String>,
    /// Arguments of `sbatch` for every job.
    pub base: Vec<String>,
    /// What it is told for each requirement.
    pub labels: Mapping<SlurmWords>,
    /// The time that the rows of one job are expected to take.
    pub shard_time: Duration,
    /// The longest limit that a job may ask for.
    pub longest: Duration,
    /// The most jobs for a set of requirements.
    pub most_shards: u32,
    /// How often the scheduler is asked at first.
    pub poll: Duration,
    /// Whether the folder of runs is known to be shared.
    pub shared: bool,
}

impl Default for SlurmSite {
    fn default() -> Self {
        Self {
            program: None,
            setup: Vec::new(),
            base: Vec::new(),
            labels: Mapping::default(),
            shard_time: Duration::from_mins(10),
            longest: Duration::from_hours(24),
            most_shards: 100,
            poll: Duration::from_secs(10),
            shared: false,
        }
    }
}

/// Runners of GitHub Actions, as a site file says.
#[derive(Clone, Debug, PartialEq)]
pub struct GithubSite {
    /// Labels where nothing is required.
    pub base: Vec<String>,
    /// Labels for each requirement.
    pub labels: Mapping<Vec<String>>,
}

impl Default for GithubSite {
    fn default() -> Self {
        Self {
            base: vec!["ubuntu-24.04".into()],
            labels: Mapping::default(),
        }
    }
}

/// A Kubernetes cluster, as a site file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KubernetesSite {
    /// The container image.
    pub image: Option<String>,
    /// The claim of the shared volume.
    pub claim: Option<String>,
    /// Node selectors.
    pub nodes: WordsSite,
}

/// Words by name, as a site file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WordsSite {
    /// This program on machines, if it is not what is found by its name.
    pub program: Option<String>,
    /// Those of every job.
    pub base: IndexMap<String, String>,
    /// Those of each requirement.
    pub labels: Mapping<IndexMap<String, String>>,
}

/// Hosts, as a site file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListSite {
    /// This program on hosts, if it is not what is found by its name.
    pub program: Option<String>,
    /// Those where nothing is required.
    pub base: Vec<String>,
    /// Those for each requirement.
    pub labels: Mapping<Vec<String>>,
}

/// Reads a site file's text. What is wrong goes into `problems`; with mistakes there is no site.
pub fn read_site(source: Arc<SourceText>, problems: &mut Diagnostics) -> Option<Site> {
    let mut document = match Document::parse(source) {
        Ok(document) => document,
        Err(problem) => {
            problems.push(*problem);
            return None;
        }
    };
    let file: SiteFile = decode(&mut document, problems)?;
    if file.version.value != 1 {
        problems.push(
            Diagnostic::error(
                Some(document.span(file.version.node)),
                format!(
                    "this program reads site files of version 1, and the file says {}",
                    file.version.value
                ),
            )
            .path("version")
            .hint("write `version: 1`, or use the program that the file was written for"),
        );
        return None;
    }
    let mut reader = Reader {
        document: &document,
        problems,
    };
    let schedulers = file.schedulers;
    let site = Site {
        slurm: schedulers.slurm.map(|wire| reader.slurm(wire)),
        github: schedulers.github.map(|wire| {
            let default = GithubSite::default();
            GithubSite {
                base: if wire.base.is_empty() {
                    default.base
                } else {
                    wire.base
                },
                labels: reader.mapping(wire.labels),
            }
        }),
        kubernetes: schedulers.kubernetes.map(|wire| KubernetesSite {
            image: wire.image,
            claim: wire.claim,
            nodes: WordsSite {
                program: None,
                base: wire.base,
                labels: reader.mapping(wire.labels),
            },
        }),
        buildkite: schedulers.buildkite.map(|wire| reader.words(wire)),
        nomad: schedulers.nomad.map(|wire| reader.words(wire)),
        ssh: schedulers.ssh.map(|wire| ListSite {
            program: wire.program,
            base: wire.base,
            labels: reader.mapping(wire.labels),
        }),
    };
    (!problems.has_errors()).then_some(site)
}

/// What words for a requirement may be.
const WORDS: &str =
    "write what only its nodes have, such as `{constraint: cuda}`; if all have it, their partition";

struct Reader<'a> {
    document: &'a Document,
    problems: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn slurm(&mut self, wire: SlurmWire) -> SlurmSite {
        let default = SlurmSite::default();
        if let Some(program) = &wire.program
            && !program.value.starts_with('/')
        {
            self.problems.push(
                Diagnostic::error(
                    Some(self.document.span(program.node)),
                    format!("`{}` is no absolute path", program.value),
                )
                .path(self.document.path(program.node))
                .hint("jobs begin in another folder: write where the program is on every node"),
            );
        }
        self.check_base(&wire.base);
        for words in wire.labels.values() {
            self.check_words(words);
        }
        SlurmSite {
            program: wire.program.map(|program| program.value),
            setup: wire.setup,
            base: wire.base.into_iter().map(|word| word.value).collect(),
            labels: self.mapping(wire.labels),
            shard_time: self.duration(wire.shard_time, default.shard_time),
            longest: self.duration(wire.longest, default.longest),
            most_shards: wire.most_shards.unwrap_or(default.most_shards).max(1),
            poll: self.duration(wire.poll, default.poll),
            shared: wire.shared,
        }
    }

    /// Refuses arguments of every job that would make another job of it.
    fn check_base(&mut self, base: &[Located<String>]) {
        let arguments: Vec<&str> = base.iter().map(|word| word.value.as_str()).collect();
        if let Some((number, reason, remedy)) = not_a_sites(&arguments) {
            let node = base[number].node;
            self.problems.push(
                Diagnostic::error(Some(self.document.span(node)), reason)
                    .path(self.document.path(node))
                    .hint(remedy),
            );
        }
    }

    /// Refuses words for a requirement with which jobs would land anywhere, or be others.
    fn check_words(&mut self, words: &Located<SlurmWords>) {
        let arguments: Vec<&str> = words.value.args.iter().map(String::as_str).collect();
        let (reason, remedy) = if say_nothing(&words.value) {
            let reason = "this maps a requirement to nothing of Slurm's, and what requires it would land anywhere";
            (reason.to_owned(), WORDS)
        } else if one_is_blank(&words.value) {
            (
                "a word of Slurm's is blank, and says nothing".to_owned(),
                WORDS,
            )
        } else if let Some((_, reason, remedy)) = not_a_sites(&arguments) {
            (reason, remedy)
        } else {
            return;
        };
        let key = self.document.key_span(words.node);
        let place = key.unwrap_or_else(|| self.document.span(words.node));
        self.problems.push(
            Diagnostic::error(Some(place), reason)
                .path(self.document.path(words.node))
                .hint(remedy),
        );
    }

    fn words(&mut self, wire: WordsWire) -> WordsSite {
        WordsSite {
            program: wire.program,
            base: wire.base,
            labels: self.mapping(wire.labels),
        }
    }

    /// Reads what requirements stand for: each key is one, or several between commas.
    fn mapping<W>(&mut self, labels: IndexMap<String, Located<W>>) -> Mapping<W> {
        let mut entries: Vec<(Requirements, W)> = Vec::new();
        for (key, words) in labels {
            let place = || {
                let span = self.document.key_span(words.node);
                span.unwrap_or_else(|| self.document.span(words.node))
            };
            let read = key.parse::<Requirements>().and_then(|requirements| {
                if requirements.is_empty() {
                    return Err("what requires nothing is said by `base`; write it there".into());
                }
                if entries.iter().any(|(known, _)| *known == requirements) {
                    return Err(format!("`{key}` is said twice; join the two entries"));
                }
                Ok(requirements)
            });
            match read {
                Ok(requirements) => entries.push((requirements, words.value)),
                Err(reason) => {
                    let (reason, remedy) = split_remedy(&reason);
                    let remedy = remedy.unwrap_or("write one or several that one machine can have");
                    let diagnostic = Diagnostic::error(Some(place()), reason)
                        .path(self.document.path(words.node))
                        .hint(remedy);
                    self.problems.push(diagnostic);
                }
            }
        }
        Mapping::new(entries)
    }

    fn duration(&mut self, wire: Option<Located<String>>, default: Duration) -> Duration {
        let Some(wire) = wire else { return default };
        let read = parse_duration(&wire.value).and_then(|duration| {
            if duration.is_zero() {
                return Err(format!("`{}` is no time at all", wire.value));
            }
            Ok(duration)
        });
        read.unwrap_or_else(|reason| {
            self.problems.push(
                Diagnostic::error(Some(self.document.span(wire.node)), reason)
                    .path(self.document.path(wire.node))
                    .hint("write a duration with its unit, such as `10m` or `24h`"),
            );
            default
        })
    }
}
