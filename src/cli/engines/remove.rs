//! `earmark engines remove`.

use super::wanted::{bridge_of, home_here};
use crate::catalog::bridges;
use crate::cli::arguments::RemoveArguments;
use crate::cli::exit::{ExitStatus, Failure, print};
use crate::engine::bridge::remove;

pub(super) fn run(arguments: &RemoveArguments) -> Result<ExitStatus, Failure> {
    let home = home_here()?;
    // Every name is looked at before anything is removed.
    let mut environments: Vec<&str> = Vec::new();
    for name in &arguments.names {
        if let Some(environment) = bridge_of(name)?.environment.as_deref()
            && !environments.contains(&environment)
        {
            environments.push(environment);
        }
    }
    for environment in environments {
        let engines: Vec<&str> = bridges()
            .iter()
            .filter(|(_, bridge)| bridge.environment.as_deref() == Some(environment))
            .map(|(id, _)| id.as_str())
            .collect();
        let engines = engines.join(", ");
        match remove(&home, environment).map_err(Failure::Internal)? {
            Some(true) => print(&format!("{engines}: removed\n"))?,
            Some(false) => print(&format!("{engines}: not installed\n"))?,
            None => {
                return Err(Failure::Usage(format!(
                    "another program is installing {engines}: wait until it has ended"
                )));
            }
        }
    }
    Ok(ExitStatus::Success)
}
