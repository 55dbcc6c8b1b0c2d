//! The script for hosts that are reached by ssh, run with a stand-in for `ssh`.

use super::{example, hosts, matrix, parts_in, rows, stand_in, write_plan};
use crate::support::{Place, Ran, program};
use std::fs;
use std::path::Path;
use std::process::Command;

/// A folder whose name means something to shells and to GNU parallel.
const FOLDER: &str = "it's {} $(touch RAN) {%} here";

/// A stand-in for `ssh`: this machine under the name of a host. It tells if a host is given two things at
/// once.
const SSH: &str = "#!/bin/sh
[ \"$1 $2 $3\" = '-o BatchMode=yes --' ] || exit 9
host=$4
mkdir \"$LOG/busy-$host\" || echo \"$host\" >> \"$LOG/two-at-once\"
echo \"$host\" >> \"$LOG/hosts\"
if [ -f \"$LOG/lost-$host\" ]; then rmdir \"$LOG/busy-$host\"; exit 255; fi
cd /
EARMARK_MACHINE=$host sh -c \"$5\"
status=$?
rmdir \"$LOG/busy-$host\"
exit $status
";

struct Hosts {
    place: Place,
}

impl Hosts {
    fn new() -> Self {
        let place = Place::new();
        write_plan(
            &place,
            FOLDER,
            &matrix("[none, \"os:linux\", \"label:bench\"]"),
        );
        let plan = format!("{FOLDER}/plan.json");
        place
            .run(&["run", &plan, "--out", "whole", "--no-history"])
            .expect_status(0);
        place.write(
            "site.yaml",
            &example().replace("/usr/local/bin/earmark", program()),
        );
        let ran = place.run(&[
            "plan",
            &plan,
            "--site",
            "site.yaml",
            "--format",
            "ssh",
            "--shards",
            "5",
        ]);
        place.write("parts.sh", &ran.expect_status(0).stdout);
        place.write("log/x", "");
        stand_in(&place, "bin/ssh", SSH);
        Self { place }
    }

    fn run(&self) -> Ran {
        let path = std::env::var("PATH").unwrap();
        let at = |name: &str| self.place.path().join(name);
        let output = Command::new("sh")
            .arg("parts.sh")
            .current_dir(self.place.path())
            .env("PATH", format!("{}:{path}", at("bin").display()))
            .env("LOG", at("log"))
            .env("HOME", at("home"))
            .env("EARMARK_HOME", at("home"))
            .env("HF_HOME", at("home/huggingface"))
            .env("EARMARK_HISTORY", at("history.db"))
            .env_remove("EARMARK")
            .output()
            .unwrap();
        Ran::from(output)
    }

    /// Holds what was merged against one run that nothing happened to.
    fn check(&self) {
        let merged = format!("{}.merged", parts_in(&self.place, FOLDER));
        assert_eq!(rows(&self.place, &merged), rows(&self.place, "whole"));
        let names = hosts(&self.place, &merged);
        assert_eq!(
            names.into_iter().collect::<Vec<_>>(),
            ["bench-1", "bench-2"]
        );
        let log = self.place.path().join("log");
        assert!(
            !log.join("two-at-once").exists(),
            "a host did two things at once"
        );
        assert!(!ran_anything(self.place.path()), "a name was carried out");
    }
}

fn ran_anything(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).unwrap().flatten();
    entries.map(|entry| entry.path()).any(|path| {
        path.ends_with("RAN") || (path.is_dir() && !path.is_symlink() && ran_anything(&path))
    })
}

fn has_gnu_parallel() -> bool {
    let told = Command::new("parallel").arg("--version").output();
    told.is_ok_and(|told| String::from_utf8_lossy(&told.stdout).contains("GNU"))
}

#[test]
fn shells_read_the_script() {
    let hosts = Hosts::new();
    for shell in ["sh", "bash"] {
        let read = Command::new(shell)
            .args(["-n", "parts.sh"])
            .current_dir(hosts.place.path())
            .output()
            .unwrap();
        assert!(
            read.status.success(),
            "{}",
            String::from_utf8_lossy(&read.stderr)
        );
    }
}

#[test]
fn parts_on_hosts_are_one_record() {
    if !has_gnu_parallel() {
        eprintln!("skipped: there is no GNU parallel");
        return;
    }
    let hosts = Hosts::new();
    hosts.run().expect_status(0);
    hosts.check();
}

#[test]
fn parts_on_hosts_are_one_record_without_gnu_parallel_too() {
    let hosts = Hosts::new();
    // Another program of that name.
    stand_in(
        &hosts.place,
        "bin/parallel",
        "#!/bin/sh\necho 'no such option' >&2\nexit 1\n",
    );
    hosts.run().expect_status(0);
    hosts.check();
}

#[test]
fn a_host_that_was_lost_is_told_and_the_script_run_again_does_what_is_missing() {
    let hosts = Hosts::new();
    hosts.place.write("log/lost-bench-2", "");
    let ran = hosts.run().expect_status(3);
    assert!(
        ran.stderr.contains("ended with status 255 on bench-2"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("jobs missing"), "{}", ran.stderr);
    let parts = parts_in(&hosts.place, FOLDER);
    let before = rows(&hosts.place, &format!("{parts}.merged"));
    assert!(!before.is_empty() && before != rows(&hosts.place, "whole"));
    fs::remove_file(hosts.place.path().join("log/lost-bench-2")).unwrap();
    hosts.run().expect_status(0);
    hosts.check();
}
