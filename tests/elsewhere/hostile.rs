//! Names that mean something to a shell, to YAML, to HCL or to a scheduler stay names.

use super::handouts::blocks_of_hcl;
use super::{matrix, write_plan};
use crate::support::{Place, Ran};
use serde_json::Value;
use std::process::Command;

/// What would end a text, a comment or a block, or be filled in, wherever it is put.
const NAME: &str = "x\\\"'`$(touch RAN)`\\n- evil: {a: b}\\n}\\nEND\\n#: &a *b ${attr} %{x} \\u2028 \\u0085 $HOME $(SHARDS)";

fn name() -> String {
    serde_json::from_str(&format!("\"{NAME}\"")).unwrap()
}

/// Returns a place with a plan of a hostile name, whose site file has a hostile value for everything.
fn place(value: &str) -> Place {
    let place = Place::new();
    let text = matrix("[\"label:bench\"]").replace("name: parts", &format!("name: \"{NAME}\""));
    write_plan(&place, "p", &text);
    place.write(
        "site.yaml",
        &format!(
            "version: 1\nschedulers:\n  github: {{labels: {{\"label:bench\": [\"{value}\"]}}}}\n  kubernetes: \
             {{image: \"{value}\", claim: \"{value}\", labels: {{\"label:bench\": {{\"{value}\": \
             \"{value}\"}}}}}}\n  buildkite: {{program: \"{value}\", labels: {{\"label:bench\": {{\"{value}\": \
             \"{value}\"}}}}}}\n  nomad: {{program: \"{value}\", labels: {{\"label:bench\": {{meta.a: \
             \"{value}\"}}}}}}\n  ssh: {{program: \"{value}\", labels: {{\"label:bench\": [host]}}}}\n"
        ),
    );
    place
}

fn hand_out(place: &Place, format: &str) -> Ran {
    place.run(&[
        "plan",
        "p/plan.json",
        "--site",
        "site.yaml",
        "--format",
        format,
        "--shards",
        "2",
    ])
}

#[test]
fn yaml_holds_them_as_they_are() {
    let place = place(NAME);
    let text = hand_out(&place, "kubernetes").expect_status(0).stdout;
    let documents: Vec<&str> = text.split("\n---\n").collect();
    assert_eq!(documents.len(), 2, "{text}");
    let job: Value = serde_yaml::from_str(documents[1]).unwrap();
    let pod = &job["spec"]["template"]["spec"];
    assert_eq!(pod["nodeSelector"][name()], name());
    assert_eq!(pod["containers"][0]["image"], name());
    assert_eq!(
        pod["volumes"][0]["persistentVolumeClaim"]["claimName"],
        name()
    );
    assert_eq!(pod.as_object().unwrap().len(), 6, "{pod}");
    let named = job["metadata"]["name"].as_str().unwrap();
    assert!(named.len() < 60, "{named}");
    assert!(
        named
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '-'),
        "{named}"
    );

    let text = hand_out(&place, "buildkite").expect_status(0).stdout;
    let pipeline: Value = serde_yaml::from_str(&text).unwrap();
    let steps = pipeline["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 3);
    // What the agent fills in is doubled, and once again what it was.
    let doubled = name().replace('$', "$$");
    assert_eq!(steps[0]["agents"][&doubled], doubled);
    assert_eq!(pipeline["env"]["EARMARK"], doubled);

    let ran = hand_out(&place, "github").expect_status(0);
    assert_eq!(ran.stdout.lines().count(), 1);
    assert_eq!(ran.json()["include"][0]["runs-on"][0], name());
}

#[test]
fn what_would_be_filled_in_whatever_one_writes_is_refused() {
    let place = place("a ${env.SECRET} b");
    let ran = hand_out(&place, "nomad").expect_status(2);
    assert!(ran.stderr.contains("Nomad would fill in"), "{}", ran.stderr);
    // The rest of what is hostile is a text like any other.
    let place = self::place("a\\\"\\n}\\n%x$(id)#");
    let text = hand_out(&place, "nomad").expect_status(0).stdout;
    let words = blocks_of_hcl(&text);
    assert_eq!(
        words.iter().filter(|word| *word == "constraint").count(),
        2,
        "{text}"
    );
    let place = self::place("a\\\\$HOME");
    let ran = hand_out(&place, "buildkite").expect_status(2);
    assert!(ran.stderr.contains("backslash"), "{}", ran.stderr);
    for host in ["-oProxyCommand=touch RAN", "a;b", "a b", "$(id)", ""] {
        place.write(
            "site.yaml",
            &format!(
                "version: 1\nschedulers: {{ssh: {{labels: {{\"label:bench\": [\"{host}\"]}}}}}}\n"
            ),
        );
        let ran = hand_out(&place, "ssh").expect_status(2);
        assert!(
            ran.stderr.contains("is no host that ssh could be told"),
            "{}",
            ran.stderr
        );
    }
    place.write(
        "site.yaml",
        "version: 1\nschedulers: {nomad: {labels: {\"label:bench\": {\"a\\\"}\": b}}}}\n",
    );
    let ran = hand_out(&place, "nomad").expect_status(2);
    assert!(
        ran.stderr.contains("no attribute of a client"),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_shell_carries_none_of_them_out() {
    let place = place(NAME);
    let text = hand_out(&place, "ssh").expect_status(0).stdout;
    place.write("parts.sh", &text);
    // A stand-in that tells what the host would be told, once a shell there has read it.
    super::stand_in(
        &place,
        "bin/ssh",
        "#!/bin/sh\nsh -c \"set -- ${5#*&& exec }; printf '%s\\n' \\\"\\$1\\\" > \\\"\\$LOG\\\"\"\nexit 3\n",
    );
    let path = std::env::var("PATH").unwrap();
    let at = |name: &str| place.path().join(name);
    let ran = Command::new("sh")
        .args(["parts.sh"])
        .current_dir(place.path())
        .env("PATH", format!("{}:{path}", at("bin").display()))
        .env("LOG", at("told"))
        .env("HOME", at("home"))
        .env("EARMARK", "true")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{stderr}");
    let told = std::fs::read_to_string(at("told")).unwrap();
    assert_eq!(told, name() + "\n", "{stderr}");
    assert!(!at("RAN").exists() && !at("p/RAN").exists());
}
