//! What machines are called in reports: by their host names, unless two have the same one.

use crate::record::{RunRecord, Session};
use std::collections::BTreeMap;

/// Digits of an id that are shown beside a host name that several machines have.
const SHOWN_DIGITS: usize = 6;

/// The names of a record's machines, each another one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MachineNames {
    /// By id.
    names: BTreeMap<String, String>,
}

impl MachineNames {
    /// Names the machines of a record.
    #[must_use]
    pub fn of(record: &RunRecord) -> Self {
        Self::of_sessions(&record.sessions)
    }

    /// Names the machines of some sessions.
    #[must_use]
    pub fn of_sessions(sessions: &[Session]) -> Self {
        let machines = sessions.iter().map(|session| &session.machine);
        Self::of_hosts(machines.map(|facts| (facts.id.as_str(), facts.host.as_str())))
    }

    /// Names machines, given as ids with host names.
    #[must_use]
    pub fn of_hosts<'a>(machines: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut hosts: BTreeMap<&str, &str> = BTreeMap::new();
        for (id, host) in machines {
            hosts.entry(id).or_insert(host);
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for host in hosts.values() {
            *counts.entry(host).or_default() += 1;
        }
        let name = |id: &str, host: &str| {
            let is_known = !host.is_empty() && counts.get(host) == Some(&1);
            if is_known {
                return host.to_owned();
            }
            let digits: String = id.chars().take(SHOWN_DIGITS).collect();
            // Ids may begin alike, where somebody gave them.
            let begins = |other: &&str| *other != id && other.starts_with(&digits);
            let shown = if hosts.keys().any(begins) {
                id
            } else {
                &digits
            };
            // Without spaces, so that a filter can name it.
            let separator = if host.is_empty() { "" } else { "-" };
            format!("{host}{separator}{shown}")
        };
        Self {
            names: hosts
                .iter()
                .map(|(id, host)| ((*id).to_owned(), name(id, host)))
                .collect(),
        }
    }

    /// Returns what a machine is called; nothing for one that is not known.
    #[must_use]
    pub fn name(&self, id: Option<&str>) -> &str {
        id.and_then(|id| self.names.get(id))
            .map_or("", String::as_str)
    }

    /// Returns whether there are several: then every number says which one it is of.
    #[must_use]
    pub fn are_several(&self) -> bool {
        self.names.len() > 1
    }

    /// Returns what a machine is called where there are several; `None` where there is only one, or it is
    /// not known.
    #[must_use]
    pub fn told(&self, id: Option<&str>) -> Option<&str> {
        let name = self.name(id);
        (self.are_several() && !name.is_empty()).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_machine_has_another_name() {
        let names = MachineNames::of_hosts([
            ("aabbccddee", "runner"),
            ("112233445566", "runner"),
            ("99", "rack"),
            ("9988", ""),
        ]);
        assert_eq!(names.name(Some("aabbccddee")), "runner-aabbcc");
        assert_eq!(names.name(Some("112233445566")), "runner-112233");
        assert_eq!(names.name(Some("99")), "rack");
        assert_eq!(names.name(Some("9988")), "9988");
        assert_eq!(names.name(None), "");
        let one = MachineNames::of_hosts([("a", "x")]);
        assert_eq!((one.told(Some("a")), one.name(Some("a"))), (None, "x"));
    }
}
