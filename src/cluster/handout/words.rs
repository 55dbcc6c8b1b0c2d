//! From a site file to what one scheduler is told for a group of benchmarks.

use crate::cluster::division::Group;
use crate::cluster::mapping::Mapping;
use crate::cluster::site::{GithubSite, ListSite, WordsSite};
use crate::model::{Plan, Requirement};
use crate::plan::asked_by;
use indexmap::{IndexMap, IndexSet};

/// What a scheduler is told by name, and the memory that it is asked for in its own way, in bytes.
pub(super) type Named = (IndexMap<String, String>, Option<u64>);

/// A scheduler, as messages name it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words<'a> {
    pub(super) plan: &'a Plan,
    /// Its key in a site file.
    pub(super) key: &'static str,
    /// What a mapping may look like.
    pub(super) example: &'static str,
}

impl Words<'_> {
    /// Says that a requirement is mapped to nothing: who asks for it, and what to write.
    fn unmapped(&self, requirement: &Requirement) -> String {
        let who = asked_by(self.plan, requirement).unwrap_or_else(|| "a benchmark".into());
        format!(
            "{who} requires `{requirement}`, and no words of `{key}` are known for it; add \
             `\"{requirement}\": {}` to `schedulers.{key}.labels` of the site file (--site)",
            self.example,
            key = self.key,
        )
    }

    /// Returns all words for a group. What no entry covers is told, but for memory where the scheduler has
    /// a word of its own for it: then it is returned, in bytes.
    fn cover<'m, W>(
        &self,
        labels: &'m Mapping<W>,
        group: &Group,
        knows_memory: bool,
    ) -> Result<(Vec<&'m W>, Option<u64>), Vec<String>> {
        let (words, missing) = labels.cover(&group.requires);
        let mut memory = None;
        let mut told = Vec::new();
        for requirement in &missing {
            match requirement {
                Requirement::Memory(bytes) if knows_memory => memory = Some(*bytes),
                other => told.push(self.unmapped(other)),
            }
        }
        if told.is_empty() {
            return Ok((words, memory));
        }
        Err(told)
    }

    /// Returns words by name: those of every job, and over them those of each requirement.
    pub(super) fn by_name(
        &self,
        site: &WordsSite,
        group: &Group,
        knows_memory: bool,
    ) -> Result<Named, Vec<String>> {
        let (entries, memory) = self.cover(&site.labels, group, knows_memory)?;
        let mut own: IndexMap<String, String> = IndexMap::new();
        for (name, value) in entries.into_iter().flatten() {
            match own.insert(name.clone(), value.clone()) {
                Some(other) if other != *value => {
                    return Err(vec![format!(
                        "what requires `{set}` would need two values for `{name}`, `{other}` and `{value}`; \
                         write an entry for `{set}` together into `schedulers.{}.labels` of the site file",
                        self.key,
                        set = group.requires,
                    )]);
                }
                _ => {}
            }
        }
        let mut words = site.base.clone();
        words.extend(own);
        Ok((words, memory))
    }

    /// Returns the labels of a runner: all of all entries, each once.
    pub(super) fn labels(
        &self,
        site: &GithubSite,
        group: &Group,
    ) -> Result<Vec<String>, Vec<String>> {
        if group.requires.is_empty() {
            return Ok(site.base.clone());
        }
        let (entries, _) = self.cover(&site.labels, group, false)?;
        let mut labels: Vec<String> = Vec::new();
        for label in entries.into_iter().flatten() {
            if !labels.contains(label) {
                labels.push(label.clone());
            }
        }
        if labels.is_empty() {
            return Err(vec![format!(
                "what requires `{}` is mapped to no label at all; write the labels of a runner that has it \
                 into `schedulers.{}.labels` of the site file",
                group.requires, self.key
            )]);
        }
        Ok(labels)
    }

    /// Returns the hosts that have all that is required.
    pub(super) fn hosts(&self, site: &ListSite, group: &Group) -> Result<Vec<String>, Vec<String>> {
        let named = if group.requires.is_empty() {
            site.base.clone()
        } else {
            let (entries, _) = self.cover(&site.labels, group, false)?;
            let mut entries = entries.into_iter();
            let first = entries.next().cloned().unwrap_or_default();
            entries.fold(first, |mut hosts, entry| {
                hosts.retain(|host| entry.contains(host));
                hosts
            })
        };
        // One that is named twice would do two things at once.
        let hosts: IndexSet<String> = named.into_iter().collect();
        if hosts.is_empty() {
            let place = if group.requires.is_empty() {
                format!("schedulers.{}.base", self.key)
            } else {
                format!("schedulers.{}.labels", self.key)
            };
            return Err(vec![format!(
                "no host has all of what requires `{}`; name one in `{place}` of the site file (--site)",
                group.requires
            )]);
        }
        match hosts.iter().find(|host| !is_host(host)) {
            None => Ok(hosts.into_iter().collect()),
            Some(host) => Err(vec![format!(
                "`{host}` is no host that ssh could be told; write a name or `user@name`, with what else it \
                 takes in ssh's own configuration"
            )]),
        }
    }
}

/// Whether ssh takes a text for a host, and for nothing else.
fn is_host(host: &str) -> bool {
    let is_kept = |letter: char| letter.is_ascii_alphanumeric() || "._-@:[]%".contains(letter);
    !host.is_empty() && !host.starts_with('-') && host.chars().all(is_kept)
}
