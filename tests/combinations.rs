//! What a matrix makes, case by case: a few lines of YAML in, the combinations out.

use crate::support::{Place, fake_matrix};
use serde_json::Value;

/// What every case has unless it says otherwise; combinations show what differs from it.
const USUAL: [(&str, &str); 4] = [
    ("backend", "fake"),
    ("model", "tiny.en"),
    ("audio", "jfk"),
    ("verify-method", "cache-check"),
];

/// Returns combinations as `key=value key=value`, without what is usual; `usual` if nothing is left.
fn shown(plan: &Value) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    plan["combinations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|combination| {
            let keys: Vec<String> = combination
                .as_object()
                .unwrap()
                .iter()
                .map(|(key, value)| (key.as_str(), text(value)))
                .filter(|(key, value)| !USUAL.contains(&(key, value.as_str())))
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            if keys.is_empty() {
                "usual".to_owned()
            } else {
                keys.join(" ")
            }
        })
        .collect()
}

/// Runs cases of the form
///
/// ```text
/// # what it shows
/// lines of YAML under `matrix:`
/// --
/// a combination in each line
/// ! part of a warning (there must be as many warnings as such lines)
/// !! part of a mistake (then nothing is planned)
/// ```
///
/// A case that writes one of the four named axes replaces the usual one.
fn run(cases: &str, least: usize) {
    let place = Place::new();
    let mut count = 0;
    for case in cases.split("\n# ").skip(1) {
        count += 1;
        let (title, rest) = case.split_once('\n').unwrap();
        let (yaml, expected) = rest.split_once("--\n").unwrap();
        let axes: String = yaml.lines().map(|line| format!("  {line}\n")).collect();
        let mut text = fake_matrix(&axes, "");
        for (axis, value) in USUAL {
            if yaml
                .lines()
                .any(|line| line.starts_with(&format!("{axis}:")))
            {
                text = text.replacen(&format!("  {axis}: [{value}]\n"), "", 1);
            }
        }
        place.write("m.yaml", &text);
        let ran = place.run(&["plan", "m.yaml", "--format", "json"]);
        let lines: Vec<&str> = expected
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        let told = |mark: &str| -> Vec<&str> {
            lines
                .iter()
                .filter_map(|line| line.strip_prefix(mark)?.strip_prefix(' '))
                .collect()
        };
        let context = format!("{title}\n{text}\n{}", ran.stderr);
        for part in told("!").into_iter().chain(told("!!")) {
            assert!(ran.stderr.contains(part), "not told: {part}\n{context}");
        }
        let count_of = |word: &str| {
            let starts = |line: &&str| line.starts_with(word);
            ran.stderr.lines().filter(starts).count()
        };
        assert_eq!(count_of("warning"), told("!").len(), "{context}");
        assert_eq!(count_of("error"), told("!!").len(), "{context}");
        if told("!!").is_empty() {
            assert_eq!(ran.status, 0, "{context}");
            let wanted: Vec<&str> = lines
                .iter()
                .copied()
                .filter(|line| !line.starts_with('!'))
                .collect();
            assert_eq!(shown(&ran.json()), wanted, "{context}");
        } else {
            assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{context}");
        }
    }
    assert!(count >= least, "{count} cases");
}

#[test]
fn include_and_exclude_follow_the_rules_of_github_actions() {
    run(include_str!("combinations/github.txt"), 60);
}

#[test]
fn what_goes_beyond_them_does_what_is_documented() {
    run(include_str!("combinations/beyond.txt"), 40);
}
