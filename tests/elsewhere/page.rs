//! The page about it: its commands work, its links lead somewhere, its matrices are sound.

use crate::support::{Place, program, project};
use std::fs;
use std::process::Command;

#[test]
fn what_the_page_says_holds() {
    let page = fs::read_to_string(project().join("cluster/README.md")).unwrap();
    let blocks = |kind: &str| -> Vec<String> {
        page.split(&format!("```{kind}\n"))
            .skip(1)
            .map(|rest| rest.split("```").next().unwrap().to_owned())
            .collect()
    };
    let place = Place::new();
    assert!(blocks("sh").len() >= 2);
    for block in blocks("sh") {
        let block = block
            .replace("./target/release/earmark", program())
            .replace("$PWD/target/release/earmark", program());
        let output = Command::new("sh")
            .args(["-euc", &format!("cd {}\n{block}", project().display())])
            .env("EARMARK_HOME", place.path().join("home"))
            .env("HF_HOME", place.path().join("home/huggingface"))
            .env("TMPDIR", place.path())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{block}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    assert!(!blocks("yaml").is_empty());
    for block in blocks("yaml") {
        place.write("m.yaml", &block);
        place.run(&["check", "m.yaml"]).expect_status(0);
    }
    for link in page.split("](").skip(1) {
        let link = link.split(')').next().unwrap();
        let file = link.split('#').next().unwrap();
        assert!(project().join("cluster").join(file).exists(), "{link}");
    }
    // It says what was not shown.
    assert!(page.contains("**It was not run on GitHub.**"));
    assert!(page.contains("**None was run on its scheduler.**"));
}
