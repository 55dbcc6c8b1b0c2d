//! What can be found out before anything is handed over.

use super::COMMAND_LIMIT;
use crate::cluster::command::{CommandFailure, run_command};
use std::collections::BTreeMap;
use std::path::Path;

/// What the controller says of itself (`scontrol show config`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Controller {
    values: BTreeMap<String, String>,
}

impl Controller {
    /// Reads what `scontrol show config` says.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().filter_map(|line| line.split_once('='));
        Self {
            values: lines
                .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
                .collect(),
        }
    }

    fn text(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// Returns the number in front of a unit.
    fn number(&self, name: &str) -> Option<u64> {
        self.text(name).split_whitespace().next()?.parse().ok()
    }

    /// Returns its version.
    #[must_use]
    pub fn version(&self) -> &str {
        self.text("SLURM_VERSION")
    }

    /// Returns the largest number of parts that an array may have when they are counted from 1.
    #[must_use]
    pub fn most_shards(&self) -> u32 {
        // The largest index is one less.
        let size = self.number("MaxArraySize").unwrap_or(1001);
        u32::try_from(size.saturating_sub(1))
            .unwrap_or(u32::MAX)
            .max(1)
    }

    /// Returns whether accounts are kept, so that what became of old jobs can be asked.
    #[must_use]
    pub fn keeps_accounts(&self) -> bool {
        !matches!(
            self.text("AccountingStorageType"),
            "" | "(null)" | "accounting_storage/none"
        )
    }
}

/// Asks the controller about itself.
///
/// # Errors
///
/// Fails if it gives no answer.
pub fn ask_controller() -> Result<Controller, CommandFailure> {
    let told = run_command("scontrol", &["show".into(), "config".into()], COMMAND_LIMIT)?;
    Ok(Controller::parse(&told))
}

/// What was found out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preflight {
    /// The controller.
    pub controller: Controller,
    /// What is odd, and no reason to stop.
    pub warnings: Vec<String>,
}

/// Why nothing can be handed over.
#[derive(Debug, thiserror::Error)]
pub enum PreflightError {
    /// Slurm gives no answer.
    #[error("{0}")]
    Command(#[from] CommandFailure),
    /// Slurm refuses a group as it would be handed over.
    #[error(
        "Slurm would not take the part of the plan that requires `{requires}`: {told}; it was told \
         `{arguments}`: mend `schedulers.slurm` of the site file"
    )]
    Refused {
        /// What the group requires.
        requires: String,
        /// What Slurm said.
        told: String,
        /// What it was told.
        arguments: String,
    },
}

/// Asks Slurm about itself and whether it would take each group (`sbatch --test-only`); nothing is handed
/// over. `groups` are what they require and what Slurm is told for it.
///
/// # Errors
///
/// Fails if Slurm gives no answer, or would refuse a group.
pub fn preflight(
    groups: &[(String, Vec<String>)],
    script: &Path,
) -> Result<Preflight, PreflightError> {
    let controller = ask_controller()?;
    let mut warnings = Vec::new();
    if controller.text("ProctrackType") == "proctrack/linuxproc" {
        warnings.push(
            "this cluster does not use control groups to track processes, so Slurm itself may leave some \
             behind; ours are ended by their own limits all the same"
                .into(),
        );
    }
    if controller.text("JobRequeue") == "0" {
        warnings.push(
            "this cluster starts no job again after a node failed; `earmark run --resume` sends what is \
             missing"
                .into(),
        );
    }
    for (requires, arguments) in groups {
        let mut test = vec!["--test-only".to_owned()];
        test.extend(arguments.iter().cloned());
        test.push(script.display().to_string());
        if let Err(error) = run_command("sbatch", &test, COMMAND_LIMIT) {
            return Err(match error {
                CommandFailure::Failed { told, .. } => PreflightError::Refused {
                    requires: requires.clone(),
                    told,
                    arguments: arguments.join(" "),
                },
                other => other.into(),
            });
        }
    }
    Ok(Preflight {
        controller,
        warnings,
    })
}

/// Returns the name of the file system that a folder is on, if that is one of a single machine: then other
/// nodes do not see it.
#[must_use]
pub fn unshared(folder: &Path) -> Option<&'static str> {
    let kind = rustix::fs::statfs(folder).ok()?.f_type;
    // From statfs(2) and linux/magic.h.
    Some(match kind {
        0xef53 => "ext4",
        0x5846_5342 => "XFS",
        0x9123_683e => "Btrfs",
        0x0102_1994 => "tmpfs",
        0x794c_7630 => "overlayfs",
        0x2fc1_2fc1 => "ZFS",
        0xf2f5_2010 => "F2FS",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_controller_says_is_read() {
        let told = "Configuration data as of 2026-01-01T00:00:00\nMaxArraySize            = 1001\n\
                    MinJobAge               = 300 sec\nAccountingStorageType   = accounting_storage/none\n\
                    SLURM_VERSION           = 22.05.8\n";
        let controller = Controller::parse(told);
        assert_eq!(controller.most_shards(), 1000);
        assert!(!controller.keeps_accounts());
        assert_eq!(controller.version(), "22.05.8");
        let other = "AccountingStorageType = accounting_storage/slurmdbd\nMaxArraySize = 0\n";
        assert!(Controller::parse(other).keeps_accounts());
        assert_eq!(Controller::parse(other).most_shards(), 1);
    }
}
