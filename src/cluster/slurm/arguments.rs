//! What `sbatch` is told.

use crate::cluster::division::Group;
use crate::cluster::site::{SlurmSite, SlurmWords};
use crate::cluster::submission::{IntendedGroup, Intent};
use crate::model::Requirement;
use std::path::Path;
use std::time::Duration;

/// What a limit of Slurm's is longer than all limits of ours together. It is the last resort: ours end an
/// engine at their second, Slurm looks every half minute.
const BEYOND: Duration = Duration::from_mins(2);

/// Returns the limit that Slurm is given for what takes at most so long by our own limits, in minutes,
/// which is what it counts in.
#[must_use]
pub fn minutes(worst: Duration) -> u64 {
    (worst + BEYOND).as_secs().div_ceil(60)
}

/// Returns what Slurm is told so that a group lands where it should. `asked_by` says in words what asks for a
/// requirement.
///
/// # Errors
///
/// Returns reason and remedy in words if the site file has no word for a requirement, or its words for two
/// of them do not go together.
pub fn group_arguments(
    site: &SlurmSite,
    group: &Group,
    asked_by: &dyn Fn(&Requirement) -> Option<String>,
) -> Result<Vec<String>, String> {
    let (words, missing) = site.labels.cover(&group.requires);
    let mut memory = None;
    for requirement in missing {
        match requirement {
            // Slurm has a word of its own for it.
            Requirement::Memory(bytes) => memory = Some(bytes.div_ceil(1 << 20)),
            other => {
                let who = asked_by(&other)
                    .map_or_else(String::new, |who| format!(" (asked for by {who})"));
                return Err(format!(
                    "{} {other}{who}, and the site file maps it to nothing of Slurm's; add \
                     `\"{other}\": {{constraint: …}}` to `schedulers.slurm.labels` of the site file (--site)",
                    need(group.benchmarks)
                ));
            }
        }
    }
    let mut arguments = site.base.clone();
    let joined = |part: fn(&SlurmWords) -> &Option<String>, by: &str| {
        let parts: Vec<&str> = words
            .iter()
            .filter_map(|words| part(words).as_deref())
            .collect();
        parts.join(by)
    };
    for (option, value) in [
        ("--constraint", joined(|words| &words.constraint, "&")),
        ("--gres", joined(|words| &words.gres, ",")),
        (
            "--partition",
            only(&words, &group.requires.to_string(), "partition", |words| {
                &words.partition
            })?,
        ),
        (
            "--account",
            only(&words, &group.requires.to_string(), "account", |words| {
                &words.account
            })?,
        ),
        (
            "--mem",
            memory.map_or_else(String::new, |mebibytes| format!("{mebibytes}M")),
        ),
    ] {
        if !value.is_empty() {
            arguments.push(format!("{option}={value}"));
        }
    }
    arguments.extend(words.iter().flat_map(|words| words.args.iter().cloned()));
    // Nothing else measures on the same node.
    arguments.push("--exclusive".into());
    arguments.push(format!("--time={}", minutes(group.worst)));
    Ok(arguments)
}

fn need(count: usize) -> String {
    match count {
        1 => "1 benchmark of the plan needs".into(),
        count => format!("{count} benchmarks of the plan need"),
    }
}

/// Returns the one value that all entries agree on.
fn only(
    words: &[&SlurmWords],
    requires: &str,
    what: &str,
    part: fn(&SlurmWords) -> &Option<String>,
) -> Result<String, String> {
    let mut values = words.iter().filter_map(|words| part(words).as_deref());
    let Some(first) = values.next() else {
        return Ok(String::new());
    };
    match values.find(|value| *value != first) {
        None => Ok(first.to_owned()),
        Some(other) => Err(format!(
            "what requires `{requires}` would need two values for `{what}`, `{first}` and `{other}`; write an \
             entry for `{requires}` together into `schedulers.slurm.labels` of the site file"
        )),
    }
}

/// Returns what `sbatch` is told to hand a group's parts over.
#[must_use]
pub fn array_arguments(
    intent: &Intent,
    group: &IntendedGroup,
    script: &Path,
    logs: &Path,
) -> Vec<String> {
    let mut arguments = vec![
        "--parsable".to_owned(),
        format!("--job-name={}", intent.job_name(group.number)),
        format!("--array=1-{}", group.shards),
        // A node that fails is no failure of a benchmark.
        "--requeue".into(),
        "--open-mode=append".into(),
        output(logs, "%A_%a.log"),
    ];
    arguments.extend(group.arguments.iter().cloned());
    arguments.extend([
        script.display().to_string(),
        group.number.to_string(),
        group.requires.to_string(),
        group.shards.to_string(),
    ]);
    arguments
}

/// Returns where Slurm writes what a job says. In the name it fills in what stands behind a `%`; in the folder it
/// is to leave that alone.
fn output(logs: &Path, name: &str) -> String {
    let folder = logs.display().to_string().replace('%', "%%");
    format!("--output={folder}/{name}")
}

/// Returns what `sbatch` is told to put results together once nothing more comes: however parts ended, what
/// there is of them is reported.
#[must_use]
pub fn merge_arguments(
    intent: &Intent,
    base: &[String],
    arrays: &[String],
    script: &Path,
    logs: &Path,
) -> Vec<String> {
    let mut arguments = vec![
        "--parsable".to_owned(),
        format!("--job-name={}", intent.merge_name()),
        format!("--dependency=afterany:{}", arrays.join(":")),
        "--kill-on-invalid-dep=yes".into(),
        "--time=15".into(),
        "--open-mode=append".into(),
        output(logs, "%j.merge.log"),
    ];
    arguments.extend(base.iter().cloned());
    arguments.push(script.display().to_string());
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::mapping::Mapping;
    use crate::model::Requirements;

    fn words(constraint: &str, partition: Option<&str>, args: &[&str]) -> SlurmWords {
        SlurmWords {
            constraint: Some(constraint.into()),
            partition: partition.map(str::to_owned),
            args: args.iter().map(|text| (*text).to_owned()).collect(),
            ..SlurmWords::default()
        }
    }

    fn told(requires: &str) -> Result<String, String> {
        let entry = |key: &str, words| (key.parse().unwrap(), words);
        let site = SlurmSite {
            base: vec!["--qos=night".into()],
            labels: Mapping::new(vec![
                entry("os:linux", words("linux", None, &[])),
                entry("gpu:cuda", words("cuda", Some("gpu"), &["--gres=gpu:1"])),
                entry("label:big", words("big", Some("large"), &[])),
            ]),
            ..SlurmSite::default()
        };
        let group = Group {
            requires: requires.parse::<Requirements>().unwrap(),
            benchmarks: 2,
            shards: 3,
            expected: Duration::ZERO,
            worst: Duration::from_secs(61),
        };
        group_arguments(&site, &group, &|_| Some("the engine `x`".into()))
            .map(|arguments| arguments.join(" "))
    }

    #[test]
    fn requirements_become_words_of_slurm() {
        for (requires, expected) in [
            ("none", "--qos=night --exclusive --time=4"),
            (
                "os:linux",
                "--qos=night --constraint=linux --exclusive --time=4",
            ),
            (
                "os:linux,gpu:cuda,memory:16GiB",
                "--qos=night --constraint=linux&cuda --partition=gpu --mem=16384M --gres=gpu:1 --exclusive \
                 --time=4",
            ),
        ] {
            assert_eq!(told(requires).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_has_no_word_is_told_with_the_remedy() {
        let reason = told("os:macos").unwrap_err();
        assert!(
            reason.starts_with(
                "2 benchmarks of the plan need os:macos (asked for by the engine `x`)"
            ),
            "{reason}"
        );
        assert!(reason.contains("schedulers.slurm.labels"), "{reason}");
        let reason = told("gpu:cuda,label:big").unwrap_err();
        assert!(
            reason.contains("`partition`, `gpu` and `large`"),
            "{reason}"
        );
    }

    #[test]
    fn a_folder_with_the_sign_that_slurm_fills_in_keeps_it() {
        assert_eq!(
            output(Path::new("/runs/a %u run"), "%A_%a.log"),
            "--output=/runs/a %%u run/%A_%a.log"
        );
    }

    #[test]
    fn a_limit_is_rounded_up_and_beyond_ours() {
        for (worst, expected) in [(0, 2), (1, 3), (60, 3), (61, 4), (3600, 62)] {
            assert_eq!(minutes(Duration::from_secs(worst)), expected);
        }
    }
}
