//! Where models lie: our store, and the cache that programs for hubs share.

use super::finding::Finding;
use crate::model::units::show_bytes;
use crate::store::Store;
use rustix::fs::{Access, access, statvfs};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Less room than this is told: the models of one comparison.
const LITTLE_ROOM: u64 = 2 << 30;
/// How many entries of a folder and all below it are counted.
const MOST_ENTRIES: usize = 200_000;
/// How old what was begun must be before it is taken for abandoned.
const ABANDONED: Duration = Duration::from_hours(24);

pub(super) fn findings(store: &Store) -> Vec<Finding> {
    let mut findings = place("model store", &store.root, "EARMARK_HOME");
    findings.extend(place("hub cache", &store.hub.root, "HF_HOME"));
    findings
}

/// What lies in a folder.
#[derive(Debug, Default, PartialEq, Eq)]
struct Held {
    bytes: u64,
    entries: usize,
    /// What was begun long ago and not finished.
    abandoned: u64,
    abandoned_count: usize,
}

fn place(name: &'static str, folder: &Path, variable: &str) -> Vec<Finding> {
    let shown = folder.display();
    let nearest = folder.ancestors().find(|path| path.exists());
    let Some(nearest) =
        nearest.filter(|path| path.is_dir() && access(*path, Access::WRITE_OK).is_ok())
    else {
        return vec![Finding::problem(
            "places",
            name,
            format!("{shown} cannot be written"),
            format!("set {variable} to a folder of yours"),
        )];
    };
    let mut held = Held::default();
    count(folder, false, &mut held);
    let begun = if held.entries >= MOST_ENTRIES {
        "more than "
    } else {
        ""
    };
    let is_there = if folder.exists() {
        ""
    } else {
        ", which is made when it is needed"
    };
    let free = statvfs(nearest).map(|facts| facts.f_bavail.saturating_mul(facts.f_frsize));
    let room = free.map_or_else(
        |_| String::new(),
        |free| format!(", {} free", show_bytes(free)),
    );
    let found = format!("{shown}{is_there}: {begun}{}{room}", show_bytes(held.bytes));
    let mut findings = vec![match free {
        Ok(free) if free < LITTLE_ROOM => {
            Finding::note("places", name, found, "make room, or set another folder")
        }
        _ => Finding::ok("places", name, found),
    }];
    if held.abandoned_count > 0 {
        findings.push(Finding::note(
            "places",
            &format!("{name}: begun"),
            format!(
                "{} in {} that nobody finished for a day",
                show_bytes(held.abandoned),
                if held.abandoned_count == 1 {
                    "one file".into()
                } else {
                    format!("{} files", held.abandoned_count)
                }
            ),
            "`earmark download` goes on with them where they are wanted; `*.incomplete` and \
             `.incoming-*` may be deleted while nothing is fetched",
        ));
    }
    findings
}

/// Counts what lies in a folder, links not followed.
fn count(folder: &Path, is_incoming: bool, held: &mut Held) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if held.entries >= MOST_ENTRIES {
            return;
        }
        held.entries += 1;
        let Ok(metadata) = entry.path().symlink_metadata() else {
            continue;
        };
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_incoming = is_incoming || name.starts_with(".incoming-");
        if metadata.is_dir() {
            count(&entry.path(), is_incoming, held);
        } else if metadata.is_file() {
            held.bytes += metadata.len();
            let age = metadata
                .modified()
                .ok()
                .and_then(|time| time.elapsed().ok());
            let is_begun = is_incoming || name.ends_with(".incomplete");
            if is_begun && age.is_some_and(|age| age > ABANDONED) {
                held.abandoned += metadata.len();
                held.abandoned_count += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::*;
    use std::fs::File;
    use std::time::SystemTime;

    #[test]
    fn what_was_begun_long_ago_is_told_and_what_is_fetched_now_is_not() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir_all(place.path().join("m/blobs")).unwrap();
        let old = place.path().join("m/blobs/abc.incomplete");
        fs::write(&old, [0; 300]).unwrap();
        fs::write(place.path().join("m/blobs/def.incomplete"), [0; 50]).unwrap();
        let file = File::options().write(true).open(&old).unwrap();
        file.set_modified(SystemTime::now() - 2 * ABANDONED)
            .unwrap();
        let mut held = Held::default();
        count(place.path(), false, &mut held);
        assert_eq!(
            (held.bytes, held.abandoned, held.abandoned_count),
            (350, 300, 1)
        );
        let findings = super::place("model store", place.path(), "X");
        assert_eq!(findings[1].state, State::Note);
        assert!(
            findings[1].found.starts_with("300 B in one file"),
            "{}",
            findings[1].found
        );
    }

    #[test]
    fn a_place_below_a_file_is_a_problem_with_its_remedy() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        fs::write(&file, "").unwrap();
        let findings = super::place("model store", &file.join("models"), "EARMARK_HOME");
        assert_eq!(findings[0].state, State::Problem);
        assert!(findings[0].mend.contains("EARMARK_HOME"));
    }
}
