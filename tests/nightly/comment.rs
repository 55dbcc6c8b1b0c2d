//! What a stranger hands on is taken for hostile.

use super::{asked, executable, script, stand_in_for_github};
use crate::support::{Place, Ran};
use std::fs;
use std::process::Command;

const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

/// Writes an archive by lines of Python, in which `z` is the archive.
fn archive(place: &Place, python: &str) {
    let text = format!(
        "import zipfile, stat, os\nz = zipfile.ZipFile('a.zip', 'w', zipfile.ZIP_DEFLATED)\n\
         def good(*but):\n    for side in ('base', 'head'):\n        for name in ('plan.json', 'journal.jsonl'):\n            \
         name = side + '/' + name\n            if name not in but: z.writestr(name, 'x')\n{python}\nz.close()\n"
    );
    place.write("make.py", &text);
    let made = Command::new("python3")
        .args(["-W", "ignore", "make.py"])
        .current_dir(place.path())
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
}

fn unpack(place: &Place) -> Ran {
    let _ = fs::remove_dir_all(place.path().join("out"));
    let mut command = script(place, "unpack.py");
    command.args(["a.zip", "out"]);
    Ran::from(command.output().unwrap())
}

#[test]
fn an_archive_gives_four_files_and_nothing_else() {
    let place = Place::new();
    archive(&place, "good(); z.writestr('comparison.md', '@everyone')");
    unpack(&place).expect_status(0);
    let found = place.path().join("out/head/journal.jsonl");
    assert_eq!(fs::read_to_string(found).unwrap(), "x");
    assert!(!place.path().join("out/comparison.md").exists());
    let link = "good('base/plan.json'); i = zipfile.ZipInfo('base/plan.json'); \
                i.external_attr = (stat.S_IFLNK | 0o777) << 16; z.writestr(i, '/etc/passwd')";
    let bomb = "good('head/journal.jsonl'); z.writestr('head/journal.jsonl', bytes(65 << 20))";
    let lies = "good('head/plan.json'); z.writestr('head/plan.json', bytes(9 << 20)); z.close()\n\
                b = bytearray(open('a.zip', 'rb').read())\n\
                n = (9 << 20).to_bytes(4, 'little')\n\
                while n in b: i = b.index(n); b[i:i+4] = (5).to_bytes(4, 'little')\n\
                open('a.zip', 'wb').write(b)\n\
                class Z:\n    def close(self): pass\nz = Z()";
    for (case, python) in [
        (
            "a name that leads out",
            "good(); z.writestr('../../evil', 'x')",
        ),
        (
            "an absolute name",
            "good(); z.writestr('/tmp/earmark-evil', 'x')",
        ),
        (
            "a name of its own",
            "good(); z.writestr('base/conftest.py', 'x')",
        ),
        ("a link", link),
        ("a bomb", bomb),
        ("sizes that are lies", lies),
        (
            "a file that is there twice",
            "good(); z.writestr('base/plan.json', 'y')",
        ),
        ("a file that is missing", "good('base/plan.json')"),
        (
            "many entries",
            "good(); [z.writestr('f%d' % i, '') for i in range(1000)]",
        ),
        (
            "no archive",
            "good(); z.close(); open('a.zip', 'wb').write(b'PK')\nclass Z:\n    def close(self): pass\nz = Z()",
        ),
    ] {
        archive(&place, python);
        let refused = unpack(&place).expect_status(1);
        assert!(
            refused.stderr.starts_with("the artifact is refused: "),
            "{case}: {}",
            refused.stderr
        );
        assert!(
            !place.path().join("out").exists(),
            "{case}: something was left"
        );
        assert!(!place.path().join("../evil").exists(), "{case}");
    }
}

/// Comments a text, with a branch of some name, and returns what GitHub was asked.
fn comment(place: &Place, text: &str, branch: &str, pulls: &str, comments: &str) -> (Ran, String) {
    let _ = fs::remove_file(place.path().join("gh.log"));
    place.write("text.md", text);
    // It prints its text as a comparison and writes down what it was given.
    place.write(
        "bin/earmark",
        "#!/bin/sh\necho \"token: ${GH_TOKEN:-none}; $*\" > earmark.log\ncat text.md\nexit 1\n",
    );
    executable(&place.path().join("bin/earmark"));
    stand_in_for_github(
        place,
        &[("/pulls?", pulls), ("comments?per_page", comments)],
    );
    let mut command = script(place, "comment.sh");
    command
        .env("EARMARK", place.path().join("bin/earmark"))
        .env("COMPARISON", place.path().join("comparison"))
        .env("GH_LOG", place.path().join("gh.log"))
        .env("GH_TOKEN", "secret")
        .env("REPOSITORY", "o/r")
        .env("HEAD_SHA", SHA)
        .env("HEAD_OWNER", "stranger")
        .env("HEAD_BRANCH", branch);
    let ran = Ran::from(command.output().unwrap());
    (ran, asked(place))
}

/// What GitHub says of the open pull requests of a branch.
fn pulls(sha: &str) -> String {
    format!(
        r#"[{{"number": 3, "head": {{"sha": "ffff"}}}}, {{"number": 7, "head": {{"sha": "{sha}"}}}}]"#
    )
}

#[test]
fn the_pull_request_is_the_one_whose_head_was_measured() {
    let place = Place::new();
    let (ran, asked) = comment(&place, "| a |\n", "x", &pulls(SHA), "");
    let ran = ran.expect_status(0);
    assert_eq!(ran.stdout, "commented on pull request 7\n");
    assert!(
        asked.contains("repos/o/r/issues/7/comments --method POST"),
        "{asked}"
    );
    // What reads the records does not know the token.
    let log = fs::read_to_string(place.path().join("earmark.log")).unwrap();
    assert!(log.starts_with("token: none; compare "), "{log}");
    // A comment that is there is brought up to date.
    let (ran, asked) = comment(&place, "| a |\n", "x", &pulls(SHA), "99\n");
    ran.expect_status(0);
    assert!(
        asked.contains("repos/o/r/issues/comments/99 --method PATCH"),
        "{asked}"
    );
    // The branch has a newer commit by now.
    let (ran, asked) = comment(&place, "| a |\n", "x", &pulls("eeee"), "");
    ran.expect_status(0);
    assert!(!asked.contains("POST"), "{asked}");
    // A branch may have any name.
    let (ran, asked) = comment(
        &place,
        "a",
        "x&head=o:main $(touch RAN) ../../",
        &pulls(SHA),
        "",
    );
    ran.expect_status(0);
    assert!(
        asked.contains("head=stranger%3Ax%26head%3Do%3Amain+%24%28touch+RAN%29+"),
        "{asked}"
    );
    assert!(!place.path().join("RAN").exists());
}

#[test]
fn nothing_in_a_comment_mentions_links_or_loads() {
    let place = Place::new();
    let text = "# kept\n| *kept* | `kept` |\n@everyone &#64;all <img src=x onerror=alert(1)> ![i](https://e.example/x) \
                [l](javascript:alert) http://e.example www.e.example #12 GH-12 \u{202e}turned\n\
                <!-- earmark plan -->\n<details open>\n";
    let (ran, asked) = comment(&place, text, "x", &pulls(SHA), "");
    ran.expect_status(0);
    for kept in ["# kept", "| *kept* | `kept` |"] {
        assert!(asked.contains(kept), "{asked}");
    }
    let body = asked
        .split("<!-- earmark comparison -->")
        .nth(2)
        .unwrap_or(&asked);
    for gone in [
        "@everyone",
        "&#64;all",
        "<img",
        "](",
        "://",
        "www.e",
        "#12",
        "GH-12",
        "\u{202e}",
        "\\u202e",
        "<!--",
        "<details",
    ] {
        assert!(!body.contains(gone), "{gone}: {body}");
    }
    // A comment has a largest size.
    let (ran, asked) = comment(&place, &"| row |\n".repeat(100_000), "x", &pulls(SHA), "");
    ran.expect_status(0);
    let sent = asked.lines().last().unwrap();
    let sent: serde_json::Value = serde_json::from_str(sent).unwrap();
    let body = sent["body"].as_str().unwrap();
    assert!(body.len() < 65_536, "{}", body.len());
    assert!(body.ends_with("and more."), "it says that it was cut");
}
