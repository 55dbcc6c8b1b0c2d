//! Generated files are what their generator makes now. The repair is `make generate`.

use crate::support::project;
use earmark::report::{combination_columns, job_columns, result_columns, sample_columns};
use earmark::schema::{NAMES, schema};
use std::fs;
use std::path::Path;

fn compare(path: &Path, generated: &str) {
    if std::env::var_os("EARMARK_GENERATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, generated).unwrap();
        return;
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == generated,
        "{} is out of date: run `make generate`",
        path.display()
    );
}

#[test]
fn schemas_are_what_the_types_say() {
    for name in NAMES {
        let path = project().join("schemas").join(format!("{name}.json"));
        compare(&path, &schema(name).unwrap());
    }
}

#[test]
fn every_column_is_described_in_the_reports_page() {
    let path = project().join("reports/README.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once("<!-- columns -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- end of columns -->").unwrap();
    let mut tables = String::new();
    let mut table = |file: &str, columns: &[(String, String)]| {
        tables.push_str(&format!(
            "\n### {file}\n\n| column | meaning |\n|---|---|\n"
        ));
        for (name, definition) in columns {
            tables.push_str(&format!("| `{name}` | {definition} |\n"));
        }
    };
    let mut results: Vec<(String, String)> = result_columns(&[])
        .into_iter()
        .map(|column| (column.name, column.definition))
        .collect();
    results.push((
        "setting.NAME".into(),
        "One column for every other setting that some row has, sorted by name.".into(),
    ));
    table("results.csv", &results);
    let pairs = |columns: Vec<(String, String)>| columns;
    table(
        "samples.csv",
        &pairs(
            sample_columns()
                .into_iter()
                .map(|c| (c.name, c.definition))
                .collect(),
        ),
    );
    table(
        "jobs.csv",
        &pairs(
            job_columns()
                .into_iter()
                .map(|c| (c.name, c.definition))
                .collect(),
        ),
    );
    table(
        "combinations.csv",
        &pairs(
            combination_columns(&[], &[])
                .into_iter()
                .map(|c| (c.name, c.definition))
                .collect(),
        ),
    );
    compare(
        &path,
        &format!("{before}<!-- columns -->\n{tables}\n<!-- end of columns -->{after}"),
    );
}
