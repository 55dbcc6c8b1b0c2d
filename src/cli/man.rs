//! `earmark man`: the manual, out of the declaration of the command line.

use super::arguments::ManArguments;
use super::exit::{ExitStatus, Failure, print};
use clap_mangen::Man;

pub(super) fn run(arguments: &ManArguments) -> Result<ExitStatus, Failure> {
    if let Some(folder) = &arguments.out {
        let unwritable = |error: std::io::Error| {
            Failure::Usage(format!(
                "{} cannot be written: {error}; name another folder",
                folder.display()
            ))
        };
        std::fs::create_dir_all(folder).map_err(unwritable)?;
        clap_mangen::generate_to(super::command(), folder).map_err(unwritable)?;
        return Ok(ExitStatus::Success);
    }
    let mut page = Vec::new();
    Man::new(super::command())
        .render(&mut page)
        .map_err(Failure::internal)?;
    let page = String::from_utf8(page).map_err(Failure::internal)?;
    print(&page)?;
    Ok(ExitStatus::Success)
}
