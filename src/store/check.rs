//! Is an artifact there, whole and right? By `stat`, and by reading it where the method asks.

use super::digest::{git_blob_until, sha256_until};
use super::location::Store;
use super::partial::Partials;
use super::place::{Place, places};
use crate::model::{Artifact, ArtifactFile, FileFinding, Verdict, VerifyFinding};
use crate::sharing::listed_metadata;
use rayon::prelude::*;
use rustix::fs::{Access, access};
use rustix::process::geteuid;
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// What was found of an artifact, and where.
#[derive(Clone, Debug)]
pub struct Found {
    /// The finding.
    pub finding: VerifyFinding,
    /// The place that it is about: the first where the artifact is complete, else the first where
    /// anything of it is, else the first.
    pub place: Place,
}

impl Found {
    /// Returns whether all that was asked for is there and right.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.finding.verdict == Verdict::Complete
    }
}

/// Looks for an artifact in each place that it may lie in, by size alone.
#[must_use]
pub fn find(artifact: &Artifact, store: &Store) -> Found {
    find_by(places(artifact, store), |place| {
        check_place(place, false, &AtomicBool::new(false))
    })
}

/// Looks into places, of which there must be one, in their order until the artifact is complete in one.
/// `look` is how.
#[must_use]
pub fn find_by(places: Vec<Place>, mut look: impl FnMut(&Place) -> VerifyFinding) -> Found {
    let mut best: Option<Found> = None;
    for place in places {
        let found = Found {
            finding: look(&place),
            place,
        };
        if found.is_complete() {
            return found;
        }
        let is_better = best.as_ref().is_none_or(|best| {
            best.finding.verdict == Verdict::Missing && found.finding.verdict != Verdict::Missing
        });
        if is_better {
            best = Some(found);
        }
    }
    best.expect("an artifact has at least one place that it may lie in")
}

/// Looks for what an artifact's definition says, in each of some folders. Returns the finding of the
/// first where it is complete, else of the first where anything is, else that it is missing.
#[must_use]
pub fn check(artifact: &Artifact, folders: &[impl AsRef<Path>], digests: bool) -> VerifyFinding {
    let places: Vec<Place> = folders
        .iter()
        .map(|folder| Place::plain(artifact, folder.as_ref().to_path_buf()))
        .collect();
    if places.is_empty() {
        return VerifyFinding::plain(Verdict::Missing, "there is no place to look in");
    }
    find_by(places, |place| {
        check_place(place, digests, &AtomicBool::new(false))
    })
    .finding
}

/// Looks at the files of one place, and reads them if `digests` are asked for: as many at once as
/// there are cores. Given up as soon as `stop` is set: what has not been read then is an error.
#[must_use]
pub fn check_place(place: &Place, digests: bool, stop: &AtomicBool) -> VerifyFinding {
    let look = Look {
        place,
        partials: Partials::new(place),
        read: digests.then_some(stop),
        user: geteuid().as_raw(),
    };
    let files = if digests {
        let files: Vec<(&String, &ArtifactFile)> = place.files.iter().collect();
        let files = files.into_par_iter().with_max_len(1);
        files.map(|(name, file)| look.at(name, file)).collect()
    } else {
        // To hand a stat call to another core costs more than the call.
        let files = place.files.iter();
        files.map(|(name, file)| look.at(name, file)).collect()
    };
    combine(place, files)
}

/// Returns the verdict on an artifact from those on its files.
fn combine(place: &Place, files: Vec<FileFinding>) -> VerifyFinding {
    let count = |word: &str| files.iter().filter(|file| file.verdict == word).count();
    let verdict = if count("missing") == files.len() {
        Verdict::Missing
    } else if count("error") > 0 {
        Verdict::Error
    } else if count("corrupt") > 0 {
        Verdict::Corrupt
    } else if count("missing") + count("incomplete") > 0 {
        Verdict::Incomplete
    } else if count("unknown") > 0 || !place.unlisted.is_empty() {
        Verdict::Unknown
    } else {
        Verdict::Complete
    };
    VerifyFinding {
        verdict,
        reason: reason(place, verdict, &files),
        bytes_present: files.iter().map(|file| file.bytes_present).sum(),
        bytes_expected: place.expected_bytes(),
        files,
        network_wall: "none-needed".into(),
        manifest: place.manifest,
        remembered: false,
    }
}

/// Returns why the verdict is what it is, with the folder and, where one helps, a remedy.
fn reason(place: &Place, verdict: Verdict, files: &[FileFinding]) -> String {
    let folder = place.folder.display();
    match verdict {
        Verdict::Complete => return String::new(),
        Verdict::Missing => return format!("nothing of it is in {folder}"),
        _ => {}
    }
    let mut faults: Vec<String> = files
        .iter()
        .filter(|file| file.verdict != "complete")
        .map(|file| format!("{}: {}", file.name, file.reason))
        .collect();
    if !place.unlisted.is_empty() {
        let globs = place.unlisted.join("`, `");
        faults.push(format!(
            "no manifest: nothing tells what `{globs}` stands for"
        ));
    }
    let remedy = if verdict == Verdict::Unknown {
        "; give `bytes` and `sha256` of each file in its definition"
    } else {
        ""
    };
    format!("{} ({folder}){remedy}", faults.join("; "))
}

/// What was seen of one file.
struct Seen {
    verdict: &'static str,
    reason: String,
    bytes: u64,
}

impl Seen {
    fn new(verdict: &'static str, reason: impl Into<String>, bytes: u64) -> Self {
        Self {
            verdict,
            reason: reason.into(),
            bytes,
        }
    }
}

/// A look at the files of one place.
struct Look<'a> {
    place: &'a Place,
    partials: Partials<'a>,
    /// Files are read, until this is set.
    read: Option<&'a AtomicBool>,
    /// Who looks.
    user: u32,
}

impl Look<'_> {
    /// Looks at one file.
    fn at(&self, name: &str, expected: &ArtifactFile) -> FileFinding {
        let started = Instant::now();
        let path = self.place.folder.join(name);
        let seen = match listed_metadata(&path) {
            Ok(metadata) if !metadata.is_file() => Seen::new("error", "is not a file", 0),
            Ok(metadata) => self.judge(&path, &metadata, expected),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.judge_absent(&path, name, expected)
            }
            Err(error) => Seen::new("error", error.to_string(), 0),
        };
        FileFinding {
            name: name.to_owned(),
            verdict: seen.verdict.into(),
            reason: seen.reason,
            bytes_present: seen.bytes,
            bytes_expected: expected.bytes,
            seconds: started.elapsed().as_secs_f64(),
        }
    }

    /// Judges a file that is there.
    fn judge(&self, path: &Path, metadata: &Metadata, expected: &ArtifactFile) -> Seen {
        let length = metadata.len();
        let seen = |verdict, reason: String| Seen::new(verdict, reason, length);
        match expected.bytes {
            Some(bytes) if length < bytes => {
                let empty = if length == 0 { "is empty: " } else { "" };
                let reason = format!("{empty}has {length} of {bytes} bytes");
                return seen("incomplete", reason);
            }
            Some(bytes) if length > bytes => {
                return seen("corrupt", format!("has {length} bytes, expected {bytes}"));
            }
            None if length == 0 => return seen("incomplete", "is empty".into()),
            _ => {}
        }
        if let Err(error) = self.may_read(path, metadata) {
            return seen("error", format!("cannot be read: {error}"));
        }
        match (self.read, expected.bytes) {
            (Some(stop), _) => judge_content(path, length, expected, stop),
            (None, Some(_)) => seen("complete", String::new()),
            (None, None) => seen("unknown", "no manifest: its size is not known".into()),
        }
    }

    /// Finds out whether a file may be read, without opening it, which would cost more than all the
    /// rest. Whether its owner may, its mode says, whatever lists of rights there are beside; of
    /// others only the system knows.
    fn may_read(&self, path: &Path, metadata: &Metadata) -> io::Result<()> {
        const OWNER_READS: u32 = 0o400;
        if metadata.uid() == self.user && metadata.mode() & OWNER_READS != 0 {
            return Ok(());
        }
        Ok(access(path, Access::READ_OK)?)
    }

    /// Judges a file that is not there: never there, a link to nothing, or begun and not finished.
    fn judge_absent(&self, path: &Path, name: &str, expected: &ArtifactFile) -> Seen {
        let link = fs::read_link(path).ok();
        let target = link.as_deref().and_then(Path::file_name);
        let target = target.and_then(|name| name.to_str());
        let begun = self.partials.bytes_of(name, expected, target);
        let arrived = begun.unwrap_or(0);
        let of = match expected.bytes {
            Some(all) => format!("{arrived} of {all} bytes"),
            None => format!("{arrived} bytes"),
        };
        let (verdict, reason) = match (link.is_some(), begun.is_some()) {
            (true, true) => (
                "incomplete",
                format!("is a link to nothing; only {of} have arrived"),
            ),
            (true, false) => ("incomplete", format!("is a link to nothing: {of}")),
            (false, true) => ("incomplete", format!("only {of} have arrived")),
            (false, false) => ("missing", format!("is not there: {of}")),
        };
        Seen::new(verdict, reason, arrived)
    }
}

/// Reads a file and judges what it holds. What it is called in a cache proves nothing.
fn judge_content(path: &Path, length: u64, expected: &ArtifactFile, stop: &AtomicBool) -> Seen {
    let (what, wanted, found) = if let Some(wanted) = &expected.sha256 {
        ("SHA-256", wanted, sha256_until(path, stop))
    } else if let Some(wanted) = &expected.git_blob {
        ("git blob", wanted, git_blob_until(path, stop))
    } else {
        return Seen::new("unknown", "no manifest: its digest is not known", length);
    };
    match found {
        Ok(found) if found == *wanted => Seen::new("complete", "", length),
        Ok(found) => {
            let reason = format!("{what} is {found}, expected {wanted}");
            Seen::new("corrupt", reason, length)
        }
        Err(error) => Seen::new("error", format!("cannot be read: {error}"), length),
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
