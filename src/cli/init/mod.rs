//! `earmark init`: write a matrix that runs here, and ask nothing.

mod found;
mod pattern;

use super::arguments::InitArguments;
use super::exit::{ExitStatus, Failure, print, say};
use crate::catalog::Catalog;
use crate::engine;
use crate::store::Store;
use crate::ui::printable;
use found::Found;
use pattern::Pattern;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

pub(super) fn run(arguments: &InitArguments) -> Result<ExitStatus, Failure> {
    let file = arguments.file.clone().unwrap_or_else(|| {
        let name = arguments.from.map_or("earmark", |pattern| pattern.name());
        PathBuf::from(format!("{name}.yaml"))
    });
    let catalog = Catalog::builtin().map_err(|problems| {
        Failure::internal(format!("the built-in catalog is broken: {problems}"))
    })?;
    let store = Store::from_environment(|name| std::env::var_os(name)).ok();
    let found = Found::look(&engine::facts(), &catalog, store.as_ref(), |program| {
        is_on_path(program)
    });
    let text = Pattern::of(arguments.from, &found)
        .render(&found, &file)
        .map_err(Failure::internal)?;
    write(&file, &text, arguments.force)?;
    print(&format!("{}\n", file.display()))?;
    say(&format!(
        "look: earmark plan {0}\nrun:  earmark run {0}",
        printable(&file.display().to_string())
    ));
    Ok(ExitStatus::Success)
}

/// Writes a file that is not there yet, or any with `force`.
fn write(file: &Path, text: &str, force: bool) -> Result<(), Failure> {
    let refuse = |error: std::io::Error| {
        Failure::Usage(if error.kind() == ErrorKind::AlreadyExists {
            format!(
                "{} is there already; name another file, or overwrite it with --force",
                file.display()
            )
        } else {
            format!(
                "{} cannot be written: {error}; name another file",
                file.display()
            )
        })
    };
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(refuse)?;
    }
    let mut options = OpenOptions::new();
    options.write(true);
    if force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let mut opened = options.open(file).map_err(refuse)?;
    opened.write_all(text.as_bytes()).map_err(refuse)
}

/// Whether a program can be started by its name.
fn is_on_path(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    })
}
