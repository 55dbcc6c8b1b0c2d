//! A small static site: what a nightly publishes. No script, no network.

mod chart;
mod publish;
mod view;

use super::database::History;
use super::error::HistoryError;
use super::index::RunQuery;
use super::trends::TrendQuery;
use super::watch::Watch;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use publish::Site;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use view::{Group, groups, listed_runs, recent_changes};

/// The templates, by the names under which they include each other.
const TEMPLATES: [(&str, &str); 4] = [
    (
        "base.html.j2",
        include_str!("../../../reports/templates/site/base.html.j2"),
    ),
    (
        "index.html.j2",
        include_str!("../../../reports/templates/site/index.html.j2"),
    ),
    (
        "group.html.j2",
        include_str!("../../../reports/templates/site/group.html.j2"),
    ),
    (
        "runs.html.j2",
        include_str!("../../../reports/templates/site/runs.html.j2"),
    ),
];

/// What a site is made like.
#[derive(Clone, Debug)]
pub struct SiteOptions {
    /// What it is called.
    pub title: String,
    /// The reports of so many newest runs are part of it.
    pub reports: u32,
    /// What changes are marked.
    pub watch: Watch,
}

impl History {
    /// Writes a site into a folder, which is replaced whole: whoever reads it meanwhile sees the old one
    /// or the new one. Reports of runs whose folders are gone are taken over from the old one. Returns
    /// the pages.
    ///
    /// # Errors
    ///
    /// Fails if the folder holds something else than such a site, or cannot be written.
    pub fn write_site(
        &self,
        folder: &Path,
        options: &SiteOptions,
    ) -> Result<Vec<PathBuf>, HistoryError> {
        let mut site = Site::begin(folder)?;
        let runs = self.runs(&RunQuery::default())?;
        let most = usize::try_from(options.reports).unwrap_or(usize::MAX);
        let mut reports = BTreeSet::new();
        for run in runs.iter().take(most) {
            let source = run.folder.join("report.html");
            let source = (!run.is_gone).then_some(source);
            if site.report(&run.key, source.as_deref())? {
                reports.insert(run.key.clone());
            }
        }
        let trends = self.trends(&TrendQuery::default())?;
        let groups: Vec<Group> = groups(&trends, &options.watch, &reports);
        let environment = environment()?;
        let newest = runs.first().map(|run| run.started.clone());
        let page = |template: &str, data: Value| {
            let shared = context! {
                title => options.title.as_str(),
                newest => newest.clone(),
                version => env!("CARGO_PKG_VERSION"),
            };
            environment
                .get_template(template)?
                .render(context! { ..data, ..shared })
        };
        site.page(
            "index.html",
            &page(
                "index.html.j2",
                context! {
                    groups => Value::from(Serde(&groups)),
                    changes => Value::from(Serde(recent_changes(&groups))),
                    runs => runs.len(),
                },
            )?,
        )?;
        site.page(
            "runs.html",
            &page(
                "runs.html.j2",
                context! { runs => Value::from(Serde(listed_runs(&runs, &reports))) },
            )?,
        )?;
        for group in &groups {
            site.page(
                &group.page,
                &page(
                    "group.html.j2",
                    context! { group => Value::from(Serde(group)) },
                )?,
            )?;
        }
        site.publish()
    }
}

/// Returns the environment in which pages are rendered: what is not defined is an error, and everything
/// is escaped.
fn environment() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()?,
    );
    for (name, text) in TEMPLATES {
        environment.add_template(name, text)?;
    }
    Ok(environment)
}
