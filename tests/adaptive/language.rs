//! What a matrix says, and the plan that follows.

use crate::support::invalid::{as_json, validator};
use crate::support::plans::planned;
use crate::support::{Place, fake_matrix};
use earmark::model::{Adaptive, BenchmarkSpec, JobSpec, Plan};
use earmark::plan::{seal_holds, worst_case};
use std::time::Duration;

const RULE: &str = "repeat: {min: 6, max: 30, until: 2%}";

fn plan_of(axes: &str, rest: &str) -> Plan {
    planned(&fake_matrix(axes, rest)).unwrap()
}

fn benchmarks(plan: &Plan) -> Vec<&BenchmarkSpec> {
    plan.jobs
        .iter()
        .filter_map(|job| match &job.spec {
            JobSpec::Benchmark(spec) => Some(spec),
            _ => None,
        })
        .collect()
}

#[test]
fn the_spec_names_the_rule_and_its_id_holds_it() {
    let id = |rest: &str| plan_of("", rest).jobs.last().unwrap().id.clone();
    let plan = plan_of("", &format!("settings: {{{RULE}}}"));
    let spec = benchmarks(&plan)[0];
    let rule = Adaptive {
        min: 6,
        max: 30,
        until_percent: 2.0,
    };
    assert_eq!(
        (spec.adaptive, spec.repeat, spec.launches),
        (Some(rule), 6, 1)
    );
    assert_eq!(spec.most_launches(), 5);
    let one = id(&format!("settings: {{{RULE}}}"));
    let same = id("settings: {repeat: {until: 2.0 %, max: 0x1E, min: 6}}");
    assert_eq!(one, same, "one rule, however it is written");
    for other in [
        "settings: {repeat: 6}",
        "settings: {repeat: {min: 6, max: 30, until: 3%}}",
        "settings: {repeat: {min: 6, max: 36, until: 2%}}",
        "settings: {repeat: {min: 12, max: 30, until: 2%}}",
    ] {
        assert_ne!(id(other), one, "{other}");
    }
}

#[test]
fn a_fixed_number_makes_the_jobs_that_it_always_made() {
    let plan = plan_of("", "settings: {repeat: 6}");
    let json = serde_json::to_value(plan.jobs.last().unwrap()).unwrap();
    assert_eq!(json["spec"]["repeat"], 6);
    assert!(json["spec"].get("adaptive").is_none(), "{json}");
}

#[test]
fn a_rule_is_a_value_of_an_axis_like_any_other() {
    let axes =
        "  repeat: [6, {min: 6, max: 30, until: 2%}, {value: {min: 6, max: 12, until: 5%}, if: \
                cores >= 1}]
  exclude: [{repeat: {max: 12, min: 6, until: 5.0%}}]
  include: [{backend: fake, model: base, audio: jfk, verify-method: cache-check, repeat: {min: 8, \
                max: 16, until: 1%}}]";
    let mut plan = plan_of(axes, "");
    let told: Vec<String> = benchmarks(&plan)
        .iter()
        .map(|spec| spec.repeat_in_words())
        .collect();
    assert_eq!(told, ["6", "6–30 until 2 %", "8–16 until 1 %"]);
    let json = serde_json::to_string(&plan).unwrap();
    assert!(json.contains("\"repeat\":\"{min: 6, max: 30, until: 2%}\""));
    let mut again: Plan = serde_json::from_str(&json).unwrap();
    assert_eq!(again.combinations, plan.combinations);
    assert!(again.jobs == plan.jobs);
    assert!(seal_holds(&mut plan) && seal_holds(&mut again));
}

#[test]
fn a_file_that_extends_another_takes_or_replaces_the_whole_rule() {
    let place = Place::new();
    place.write(
        "base.yaml",
        &fake_matrix("", &format!("settings: {{{RULE}}}")),
    );
    let repeat = |rest: &str| {
        place.write("m.yaml", &format!("version: 1\nextends: base.yaml\n{rest}"));
        let ran = place
            .run(&["plan", "m.yaml", "--format", "json"])
            .expect_status(0);
        let jobs = ran.json()["jobs"].clone();
        let last = jobs.as_array().unwrap().last().unwrap()["spec"].clone();
        (last["repeat"].clone(), last.get("adaptive").is_some())
    };
    assert_eq!(repeat(""), (6.into(), true));
    assert_eq!(repeat("settings: {repeat: 3}"), (3.into(), false));
}

#[test]
fn limits_and_the_worst_case_are_those_of_the_most_launches() {
    let longest = |rest: &str| -> Duration {
        let plan = plan_of("", rest);
        worst_case(&plan, plan.jobs.last().unwrap())
    };
    assert_eq!(
        longest(&format!("settings: {{{RULE}}}")),
        longest("settings: {repeat: 6, launches: 5}")
    );
    assert_eq!(
        longest(&format!("settings: {{launches: 4, {RULE}}}")),
        longest("settings: {repeat: 2, launches: 12}")
    );
    let expected = |rest: &str| plan_of("", rest).jobs.last().unwrap().expected_seconds;
    assert_eq!(
        expected(&format!("settings: {{{RULE}}}")),
        expected("settings: {repeat: 6, launches: 5}")
    );
}

#[test]
fn more_launches_than_trials_is_a_planned_skip_that_says_what_to_do() {
    let plan = plan_of("  launches: [30, 31]", &format!("settings: {{{RULE}}}"));
    let skips: Vec<Option<&str>> = (plan.jobs.iter())
        .filter(|job| matches!(job.spec, JobSpec::Benchmark(_)))
        .map(|job| job.skip.as_deref())
        .collect();
    assert_eq!(skips[0], None);
    let reason = skips[1].unwrap();
    assert!(
        reason.contains("at most 30 trials") && reason.contains("larger `max`"),
        "{reason}"
    );
}

#[test]
fn a_plan_shows_the_rule() {
    let place = Place::new();
    place.write("m.yaml", &fake_matrix("", &format!("settings: {{{RULE}}}")));
    let told = place.run(&["plan", "m.yaml"]).expect_status(0).stdout;
    assert!(told.contains("6–30 until 2 %"), "{told}");
}

#[test]
fn a_most_that_leaves_no_room_for_a_second_set_is_said_to() {
    let place = Place::new();
    let narrow = "settings: {repeat: {min: 6, max: 11, until: 2%}}";
    place.write("m.yaml", &fake_matrix("", narrow));
    let told = place.run(&["check", "m.yaml"]).expect_status(0).stderr;
    assert!(told.contains("no room for as many again"), "{told}");
    assert!(told.contains("write `max: 12` or more"), "{told}");
    let fixed = "settings: {repeat: {min: 6, max: 6, until: 2%}}";
    place.write("m.yaml", &fake_matrix("", fixed));
    let told = place.run(&["check", "m.yaml"]).expect_status(0).stderr;
    assert!(!told.contains("no room"), "{told}");
}

#[test]
fn the_schema_takes_what_the_parser_takes() {
    let validator = validator("matrix");
    for (axes, rest) in [
        ("", "settings: {repeat: {min: 6, max: 30, until: 2%}}"),
        ("", "settings: {repeat: {min: 6, max: 30, until: 0.5 %}}"),
        ("  repeat: {min: 6, max: 30, until: 2%}", ""),
        ("  repeat: [6, {min: 6, max: 30, until: 2%}]", ""),
        (
            "  repeat: [6]\n  exclude: [{repeat: {min: 6, max: 30, until: 2%}}]",
            "",
        ),
    ] {
        let text = fake_matrix(axes, rest);
        let problems: Vec<String> = validator
            .iter_errors(&as_json(&text).unwrap())
            .map(|error| error.to_string())
            .collect();
        assert!(problems.is_empty(), "{text}: {problems:?}");
        planned(&text).unwrap();
    }
}

#[test]
fn every_mistake_of_a_rule_is_told_at_its_place_at_once() {
    let place = Place::new();
    let wrong = "settings:\n  repeat:\n    min: 2\n    max: lots\n    until: soon\n    often: 1";
    place.write("m.yaml", &fake_matrix("", wrong));
    let ran = place
        .run(&["check", "--format", "json", "m.yaml"])
        .expect_status(2);
    let lines: Vec<u64> = ran.json()["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| problem["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [11, 12, 13, 14], "{}", ran.stdout);
}
