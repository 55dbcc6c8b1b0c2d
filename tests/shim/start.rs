//! Starts that succeed, and those that do not.

use super::support::Launch;

#[test]
fn the_first_report_tells_who_runs_and_how() {
    let end = Launch::script("echo $$").finish();
    let first = &end.reports[0];
    assert_eq!(first["report"], "started");
    assert_eq!(first["pid"].to_string(), end.stdout.trim_end());
    assert_eq!(first["wall"], "none");
    assert_eq!(first["tree"], "subreaper");
}

#[test]
fn a_program_that_is_not_there_is_reported() {
    let end = Launch::command(["/no/such/program"]).finish();
    assert_eq!(end.exit_code(), Some(127));
    assert_eq!(end.reports.len(), 1);
    assert_eq!(end.last()["report"], "spawn-failed");
    assert_eq!(end.last()["errno"], 2);
    assert!(
        end.last()["error"]
            .as_str()
            .unwrap()
            .contains("No such file"),
        "{}",
        end.last()
    );
}

#[test]
fn a_file_that_is_no_program_is_reported() {
    let end = Launch::command(["/etc/passwd"]).finish();
    assert_eq!(end.exit_code(), Some(126));
    assert_eq!(end.last()["report"], "spawn-failed");
    assert_eq!(end.last()["errno"], 13);
}

#[test]
fn misuse_is_told_on_standard_error_and_starts_nothing() {
    for (options, word) in [
        (&["--wall", "internet"][..], "internet"),
        (&["--sample", "5"], "--sample"),
        (
            &["--report-fd", "17"],
            "descriptor 17 (report pipe) is not open",
        ),
    ] {
        let end = Launch::command(["echo", "started"])
            .options(options)
            .finish();
        assert_eq!(end.exit_code(), Some(125));
        assert!(end.reports.is_empty(), "{:?}", end.reports);
        assert!(end.stderr.starts_with("earmark __shim: "), "{}", end.stderr);
        assert!(end.stderr.contains(word), "{}", end.stderr);
        assert_eq!(end.stdout, "");
    }
}

#[test]
fn reports_go_where_they_are_wanted() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let end = Launch::command(["true"])
        .options(&["--report-fd", "9"])
        .descriptor(9, writer)
        .finish();
    assert!(end.reports.is_empty());
    let mut text = String::new();
    std::io::Read::read_to_string(&mut reader, &mut text).unwrap();
    assert_eq!(text.lines().count(), 2, "{text}");
}

#[test]
fn a_runner_that_does_not_listen_is_no_reason_to_fail() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let end = Launch::script("exit 3")
        .options(&["--report-fd", "9"])
        .descriptor(9, writer)
        .finish();
    assert_eq!(end.exit_code(), Some(3));
}
