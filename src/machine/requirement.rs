//! Whether this machine has what a job requires.

use super::files::SystemFiles;
use crate::model::{MachineFacts, Requirement, Requirements};

/// The environment variable in which a machine's owner says what it has: requirements between commas, such as
/// `label:bench,gpu:cuda`. A bare word is a label.
pub const LABELS_VARIABLE: &str = "EARMARK_LABELS";

/// The file in which that is said where no variable does, one or several to a line.
pub const LABELS_FILE: &str = "/etc/earmark/labels";

/// Memory that hardware and firmware keep for themselves: a machine that is sold with 16 GiB tells a
/// little less. A fifteenth more than is told counts as there.
const KEPT_BY_FIRMWARE: u64 = 15;

/// A machine, as far as what is required of it can be looked up.
#[derive(Clone, Debug)]
pub struct Here<'a> {
    /// What it tells of itself.
    pub facts: &'a MachineFacts,
    /// The files of its system.
    pub files: &'a SystemFiles,
    /// Its operating system, as Rust calls it.
    pub system: &'a str,
    /// What its owner says that it has; `None` if nobody said anything.
    pub labels: Option<&'a str>,
    /// The devices that a scheduler gave to this job (`CUDA_VISIBLE_DEVICES`), if any.
    pub cuda_devices: Option<&'a str>,
}

impl Here<'_> {
    /// Returns in words what of some requirements this machine does not have; `None` if it has all of it,
    /// as far as can be told. A label that nobody says anything of, and a kind of graphics processor that
    /// this program knows no sign of, are taken on the word of whoever sent the job here.
    #[must_use]
    pub fn lacks(&self, requirements: &Requirements) -> Option<String> {
        let lacking: Vec<String> = requirements
            .iter()
            .filter_map(|requirement| {
                let reason = self.reason(requirement)?;
                Some(format!("{requirement}, and {reason}"))
            })
            .collect();
        (!lacking.is_empty()).then(|| format!("this needs {}", lacking.join("; ")))
    }

    fn reason(&self, requirement: &Requirement) -> Option<String> {
        if self.is_declared(requirement) {
            return None;
        }
        match requirement {
            Requirement::System(wanted) => {
                (wanted != self.system).then(|| format!("this machine runs {}", self.system))
            }
            Requirement::Architecture(wanted) => {
                let told = self.facts.architecture.as_deref()?;
                // As the requirement spells it.
                let spelled = Requirement::of("arch", told).ok();
                let is_it = spelled.as_ref() == Some(requirement);
                (!is_it).then(|| format!("this machine is {told}, no {wanted}"))
            }
            Requirement::Memory(wanted) => {
                let told = self.facts.memory_bytes;
                let is_enough = told.saturating_add(told / KEPT_BY_FIRMWARE) >= *wanted;
                // A system that tells no memory is believed.
                (told > 0 && !is_enough)
                    .then(|| format!("this machine has {:.1} GiB", gibibytes(told)))
            }
            Requirement::Gpu(kind) => self.lacks_gpu(kind),
            Requirement::Label(_) => self.labels.map(|said| {
                format!("this machine is said to have `{said}` ({LABELS_VARIABLE}, {LABELS_FILE})")
            }),
        }
    }

    fn is_declared(&self, requirement: &Requirement) -> bool {
        let said = self.labels.unwrap_or_default().split(',');
        said.map(str::trim).any(|word| {
            let declared = word
                .parse::<Requirement>()
                .or_else(|_| Requirement::of("label", word));
            declared.is_ok_and(|declared| declared.covers(requirement))
        })
    }

    /// Returns why there is no graphics processor of a kind.
    fn lacks_gpu(&self, kind: &str) -> Option<String> {
        let (has, missing) = match kind {
            "cuda" => (
                self.files.has("/proc/driver/nvidia/version")
                    || self.files.has("/dev/nvidiactl")
                    || self.cuda_devices.is_some_and(names_a_device),
                "no NVIDIA driver is loaded, nor does CUDA_VISIBLE_DEVICES name a device",
            ),
            "rocm" => (self.files.has("/dev/kfd"), "there is no /dev/kfd"),
            "metal" | "coreml" => (self.system == "macos", "this machine runs no macOS"),
            "vulkan" if self.system == "linux" => (
                !self.files.entries("/dev/dri", "renderD").is_empty(),
                "there is no render node under /dev/dri",
            ),
            _ => return None,
        };
        (!has).then(|| missing.to_owned())
    }
}

/// Whether the text of `CUDA_VISIBLE_DEVICES` hands out something: what is empty, `-1` or `NoDevFiles`
/// does not.
fn names_a_device(text: &str) -> bool {
    let first = text.split(',').next().unwrap_or_default().trim();
    !first.is_empty() && first != "-1" && first != "NoDevFiles"
}

fn gibibytes(bytes: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "one digit is shown")]
    let amount = bytes as f64;
    amount / f64::from(1 << 30)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lacks(required: &str, system: &str, labels: Option<&str>, cuda: Option<&str>) -> String {
        let root = tempfile::tempdir().unwrap();
        let facts = MachineFacts {
            architecture: Some("aarch64".into()),
            memory_bytes: 15_600 << 20,
            ..MachineFacts::default()
        };
        let here = Here {
            facts: &facts,
            files: &SystemFiles::under(root.path()),
            system,
            labels,
            cuda_devices: cuda,
        };
        here.lacks(&required.parse().unwrap()).unwrap_or_default()
    }

    #[test]
    fn what_a_machine_has_is_met() {
        for required in [
            "none",
            "os:linux",
            "arch:arm64",
            "memory:16GiB",
            "label:bench",
            "gpu:npu",
        ] {
            assert_eq!(lacks(required, "linux", None, None), "", "{required}");
        }
        let owner = Some("bench, gpu:cuda,memory:64GiB");
        for required in [
            "label:bench",
            "gpu:cuda",
            "memory:48GiB",
            "os:linux,label:bench",
        ] {
            assert_eq!(lacks(required, "linux", owner, None), "", "{required}");
        }
        assert_eq!(lacks("gpu:cuda", "linux", None, Some("0")), "");
        assert_eq!(lacks("gpu:metal", "macos", None, None), "");
    }

    #[test]
    fn what_it_has_not_is_told_with_what_it_is() {
        for (required, labels, cuda, told) in [
            (
                "os:macos",
                None,
                None,
                "os:macos, and this machine runs linux",
            ),
            ("arch:x86_64", None, None, "this machine is aarch64"),
            ("memory:17GiB", None, None, "this machine has 15.2 GiB"),
            ("gpu:cuda", None, None, "no NVIDIA driver"),
            ("gpu:cuda", None, Some(""), "no NVIDIA driver"),
            ("gpu:cuda", None, Some("NoDevFiles"), "no NVIDIA driver"),
            ("gpu:rocm", None, None, "/dev/kfd"),
            ("gpu:vulkan", None, None, "/dev/dri"),
            ("gpu:metal", None, None, "no macOS"),
            (
                "label:bench",
                Some("quiet"),
                None,
                "this machine is said to have `quiet`",
            ),
        ] {
            let reason = lacks(required, "linux", labels, cuda);
            assert!(reason.contains(told), "{required}: {reason}");
        }
        let both = lacks("os:macos,gpu:rocm", "linux", None, None);
        assert!(
            both.contains("os:macos") && both.contains("; gpu:rocm"),
            "{both}"
        );
    }
}
