//! `earmark schema`: print a schema.

use super::arguments::SchemaArguments;
use super::exit::{ExitStatus, Failure, print};
use crate::diagnostic::closest;
use crate::schema::{NAMES, schema};

pub(super) fn run(arguments: &SchemaArguments) -> Result<ExitStatus, Failure> {
    let Some(name) = &arguments.name else {
        print(&(NAMES.join("\n") + "\n"))?;
        return Ok(ExitStatus::Success);
    };
    let Some(text) = schema(name) else {
        let meant = closest(name, NAMES)
            .map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
        return Err(Failure::Usage(format!(
            "there is no schema `{name}`, only {}{meant}",
            NAMES.join(", ")
        )));
    };
    print(&text)?;
    Ok(ExitStatus::Success)
}
