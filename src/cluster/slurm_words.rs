//! What a site file may tell `sbatch`: where jobs land, and not what they are.

use super::site::SlurmWords;

/// What this program says itself, or what would have `sbatch` do something else than hand a job over, with the
/// short form.
const OWN: [(&str, Option<char>); 16] = [
    ("array", Some('a')),
    ("dependency", Some('d')),
    ("error", Some('e')),
    ("help", Some('h')),
    ("input", Some('i')),
    ("job-name", Some('J')),
    ("kill-on-invalid-dep", None),
    ("open-mode", None),
    ("output", Some('o')),
    ("parsable", None),
    ("quiet", Some('Q')),
    ("test-only", None),
    ("usage", None),
    ("version", Some('V')),
    ("wait", Some('W')),
    ("wrap", None),
];

/// The shortest beginning of a long option that is taken for it.
const SHORTEST: usize = 3;

/// Returns reason and remedy if arguments of `sbatch` are not a site's to say, with the number of the argument.
pub(super) fn not_a_sites(arguments: &[&str]) -> Option<(usize, String, &'static str)> {
    // What stands behind an option may be its value. Whether it is, only `sbatch` knows.
    let mut may_be_value = false;
    for (number, argument) in arguments.iter().enumerate() {
        if !argument.starts_with('-') || argument.len() < 2 || *argument == "--" {
            if !may_be_value {
                let reason =
                    format!("`sbatch` would take `{argument}` for the script that it hands over");
                return Some((number, reason, "write options, such as `--qos=night`"));
            }
            may_be_value = false;
            continue;
        }
        if is_own(argument) {
            let reason =
                format!("`{argument}` is not a site's to say: it changes what is handed over");
            let remedy = "leave it out: this program makes the parts, their names, their logs and their order";
            return Some((number, reason, remedy));
        }
        may_be_value = !argument.contains('=');
    }
    None
}

fn is_own(argument: &str) -> bool {
    let Some(long) = argument.strip_prefix("--") else {
        let letter = argument.chars().nth(1);
        return OWN
            .iter()
            .any(|(_, short)| short.is_some() && *short == letter);
    };
    let name = long.split('=').next().unwrap_or_default();
    // `sbatch` takes the beginning of an option for the whole.
    name.len() >= SHORTEST && OWN.iter().any(|(option, _)| option.starts_with(name))
}

/// Returns whether words for a requirement say nothing: then what requires it would land anywhere.
pub(super) fn say_nothing(words: &SlurmWords) -> bool {
    texts(words).next().is_none() && words.args.is_empty()
}

/// Returns whether one of the words for a requirement is blank.
pub(super) fn one_is_blank(words: &SlurmWords) -> bool {
    let arguments = words.args.iter().map(String::as_str);
    texts(words)
        .chain(arguments)
        .any(|text| text.trim().is_empty())
}

fn texts(words: &SlurmWords) -> impl Iterator<Item = &str> {
    let all = [
        &words.constraint,
        &words.gres,
        &words.partition,
        &words.account,
    ];
    all.into_iter().flatten().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_jobs_land_is_a_sites_to_say_and_what_they_are_is_not() {
        for arguments in [
            &["--partition=bench", "--qos", "night", "-A", "me"][..],
            &["--export=NONE", "--hold", "--nice=100", "--exclude=n1"],
            &["--mail-type=END", "--comment=a b", "--no-requeue", "-N1"],
        ] {
            assert_eq!(not_a_sites(arguments), None, "{arguments:?}");
        }
        for (arguments, number) in [
            (&["--wrap=true"][..], 0),
            (&["--qos=x", "--array=1-2"][..], 1),
            (&["--arr", "1-2"][..], 0),
            (&["-J", "mine"][..], 0),
            (&["-ofile"][..], 0),
            (&["--parsable"][..], 0),
            (&["--qos=night", "job.sh"][..], 1),
            (&["--qos", "night", "job.sh"][..], 2),
            (&["job.sh"][..], 0),
            (&[""][..], 0),
        ] {
            let found = not_a_sites(arguments).map(|(number, ..)| number);
            assert_eq!(found, Some(number), "{arguments:?}");
        }
    }
}
