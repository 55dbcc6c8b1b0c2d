//! Where the parts of a plan lie that several machines do: a folder for the plan, in it one for each attempt
//! at each part.
//!
//! ```text
//! runs/nightly-1f0c2e9a4b/shard-1-of-4.os-linux.attempt-1/
//! ```

use crate::model::{Plan, Requirements, Shard, hexadecimal};
use sha2::{Digest, Sha256};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What stands before the number of an attempt in the name of its folder.
pub const ATTEMPT: &str = ".attempt-";

/// The longest that what is required may be in a name; names of files have at most 255 bytes.
const LONGEST: usize = 120;

/// Returns the name of the folder that holds the parts of a plan: the plan's own, and the beginning of its
/// digest, so that parts of two plans never come together.
#[must_use]
pub fn parts_name(plan: &Plan) -> String {
    let digest: String = plan.digest.chars().take(10).collect();
    format!("{}-{digest}", file_name(&plan.name))
}

/// Returns the name that the folders of all attempts at a part have, up to their numbers. Two parts of a
/// plan never have the same.
#[must_use]
pub fn part_name(shard: &Shard) -> String {
    let of = shard.requires.as_ref().map_or_else(String::new, |set| {
        let mut name = set_name(set);
        name.insert(0, '.');
        name
    });
    format!("shard-{}-of-{}{of}", shard.index, shard.count)
}

/// Returns what is required as it stands in names of files and artifacts.
#[must_use]
pub fn set_name(set: &Requirements) -> String {
    // Neither mark is in a word of a requirement, so what differs stays different.
    let name = file_name(&set.to_string().replace(',', "+").replace(':', "-"));
    if name.len() <= LONGEST {
        return name;
    }
    let digest = hexadecimal(&Sha256::digest(name.as_bytes()));
    format!("{}+{}", &name[..LONGEST - 13], &digest[..12])
}

/// Makes the folder of a new attempt at a part, and returns it with its number. Whoever makes the folder has
/// the attempt: two that begin at the same time, on two machines too, have two.
///
/// # Errors
///
/// Fails if no folder can be made.
pub fn begin_attempt(parts: &Path, shard: &Shard) -> io::Result<(PathBuf, u32)> {
    fs::create_dir_all(parts)?;
    let name = part_name(shard);
    let mut attempt = 1;
    loop {
        let folder = parts.join(format!("{name}{ATTEMPT}{attempt}"));
        match fs::create_dir(&folder) {
            Ok(()) => return Ok((folder, attempt)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => attempt += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Returns a name without what file names had better not have.
#[must_use]
pub fn file_name(name: &str) -> String {
    let is_kept =
        |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.' | '+');
    name.chars()
        .map(|letter| if is_kept(letter) { letter } else { '-' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn shard(requires: &str) -> Shard {
        Shard {
            requires: Some(requires.parse().unwrap()),
            ..Shard::new(2, 4)
        }
    }

    #[test]
    fn a_name_says_which_part_it_is_of_what() {
        assert_eq!(part_name(&Shard::new(1, 3)), "shard-1-of-3");
        assert_eq!(part_name(&shard("none")), "shard-2-of-4.none");
        assert_eq!(
            part_name(&shard("os:linux,gpu:cuda")),
            "shard-2-of-4.os-linux+gpu-cuda"
        );
        // What would be the same with one mark for everything.
        assert_ne!(
            part_name(&shard("label:a,label:b")),
            part_name(&shard("label:a-label-b"))
        );
        let long: Vec<String> = (0..60).map(|number| format!("label:l{number}")).collect();
        let name = part_name(&shard(&long.join(",")));
        assert!(name.len() < 160, "{name}");
        assert_ne!(name, part_name(&shard(&long[1..].join(","))));
    }

    #[test]
    fn those_who_begin_at_the_same_time_have_an_attempt_each() {
        let place = tempfile::tempdir().unwrap();
        let parts = place.path().join("parts");
        let begun: BTreeSet<u32> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| begin_attempt(&parts, &shard("none")).unwrap().1))
                .collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(begun, (1..=8).collect());
        // A file where the folder should be made is no earlier attempt.
        let file = place.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(begin_attempt(&file, &shard("none")).is_err());
    }
}
