//! Generated files are what their generator makes now. The repair is `make generate`.

use crate::support::invalid::invalid_files;
use crate::support::project;
use earmark::model::Combinations;
use earmark::report::{
    Column, combination_columns, job_columns, result_columns, sample_columns, summary_columns,
};
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
    let normalizers = (
        "wer.NORMALIZER".to_owned(),
        "One column for every normalizer beyond the first of `score.normalizers`.".to_owned(),
    );
    let mut results = described(result_columns(&[]));
    results.push((
        "setting.NAME".into(),
        "One column for every other setting that some row has, sorted by name.".into(),
    ));
    results.push(normalizers.clone());
    table("results.csv", &results);
    let mut summary = described(summary_columns(&[], &[]));
    summary.push((
        "setting.NAME".into(),
        "One column for every setting that some job asks for, sorted by name.".into(),
    ));
    summary.push(normalizers);
    table("summary.csv", &summary);
    table("samples.csv", &described(sample_columns()));
    table("jobs.csv", &described(job_columns()));
    table(
        "combinations.csv",
        &described(combination_columns(&[], &Combinations::default())),
    );
    compare(
        &path,
        &format!("{before}<!-- columns -->\n{tables}\n<!-- end of columns -->{after}"),
    );
}

/// Returns the names and definitions of columns.
fn described<Row>(columns: Vec<Column<Row>>) -> Vec<(String, String)> {
    columns
        .into_iter()
        .map(|column| (column.name, column.definition))
        .collect()
}

#[test]
fn every_invalid_file_is_listed() {
    let path = project().join("matrices/invalid/README.md");
    let mut page = String::from(
        "# Matrix files that are wrong

One file for each kind of mistake. `earmark check` refuses every one of them; the messages stand in
`tests/snapshots/invalid`. A file is found by the schema if an editor with `schemas/matrix.json`
marks it; the parser finds all of them. `make generate` writes this page from the first two lines of
the files.

| file | found by | what is wrong |
|---|---|---|
",
    );
    for file in invalid_files() {
        page.push_str(&format!(
            "| [`{kind}`]({kind}.yaml) | {} | {} |\n",
            file.found_by,
            file.what,
            kind = file.kind
        ));
    }
    compare(&path, &page);
}
