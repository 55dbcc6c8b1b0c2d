//! A plan in parts on machines that others start: what each scheduler is handed, and that the parts are one
//! record again.
//!
//! No scheduler is here. What it would be handed is held against its published schema where there is one, and
//! the commands in it are carried out as it would carry them out.

mod division;
mod entries;
mod handouts;
mod hostile;
mod page;
mod requires;
mod site;
mod ssh;
mod workflow;

use crate::support::Place;
use crate::support::project;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// A matrix of the fake engine with two rows for each of some requirements.
fn matrix(requires: &str) -> String {
    format!(
        "version: 1\nname: parts\nmatrix:\n  backend: [fake]\n  model: [tiny.en]\n  audio: [jfk]\n  \
         verify-method: [cache-check]\n  requires: {requires}\n  threads: [1, 2]\nsettings: {{warmup: 0, \
         repeat: 1, fake-seconds: 0}}\n"
    )
}

/// The example of a site file.
fn example() -> String {
    fs::read_to_string(project().join("cluster/site.example.yaml")).unwrap()
}

/// Writes a plan of a matrix, and the example of a site file, into a folder of a place.
fn write_plan(place: &Place, folder: &str, matrix: &str) {
    place.write(&format!("{folder}/m.yaml"), matrix);
    place.write("site.yaml", &example());
    let name = format!("{folder}/m.yaml");
    let planned = place
        .run(&["plan", &name, "--site", "site.yaml", "--format", "json"])
        .expect_status(0);
    place.write(&format!("{folder}/plan.json"), &planned.stdout);
}

/// What became of benchmarks, and what was heard.
type Rows = BTreeMap<String, (String, BTreeSet<String>)>;

/// Returns what became of each benchmark of a run. One that two machines came to has a row for each, and what
/// was carried out to its end counts.
fn rows(place: &Place, run: &str) -> Rows {
    let mut rows = Rows::new();
    for cells in place.table(&format!("{run}/results.csv")) {
        let status = &cells["status"];
        let row = rows
            .entry(cells["job_id"].clone())
            .or_insert_with(|| (status.clone(), BTreeSet::new()));
        if status == "completed" {
            row.0.clone_from(status);
        }
    }
    for cells in place.table(&format!("{run}/samples.csv")) {
        let heard = ["utterance", "launch", "trial", "hypothesis"].map(|name| cells[name].clone());
        let row = rows.get_mut(&cells["job_id"]).unwrap();
        row.1.insert(heard.join("|"));
    }
    rows
}

/// Returns the hosts that rows of a run were measured on.
fn hosts(place: &Place, run: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(place.path().join(run).join("journal.jsonl")).unwrap();
    text.lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|event| Some(event.pointer("/machine/host")?.as_str()?.to_owned()))
        .collect()
}

/// Writes a program for a test into a place.
fn stand_in(place: &Place, name: &str, script: &str) {
    place.write(name, script);
    let path = place.path().join(name);
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Returns the only folder of parts under a folder.
fn parts_in(place: &Place, folder: &str) -> String {
    let entries = fs::read_dir(place.path().join(folder).join("runs")).unwrap();
    let names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".merged"))
        .collect();
    let [name] = names.as_slice() else {
        panic!("{names:?}");
    };
    format!("{folder}/runs/{name}")
}
