//! `earmark history site`: a small static site.

use super::arguments::SiteArguments;
use super::{watch_of, with};
use crate::cli::exit::{ExitStatus, Failure, print};
use crate::history::SiteOptions;

pub(super) fn run(arguments: &SiteArguments) -> Result<ExitStatus, Failure> {
    let options = SiteOptions {
        title: arguments.title.clone(),
        reports: arguments.reports,
        watch: watch_of(&arguments.looking),
    };
    let pages = with(&arguments.place, |history| {
        history.write_site(&arguments.folder, &options)
    })?;
    for page in pages {
        print(&format!("{}\n", page.display()))?;
    }
    Ok(ExitStatus::Success)
}
