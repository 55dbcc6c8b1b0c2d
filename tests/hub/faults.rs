//! Each fault of a hub, of what stands before it, and of what it leads to: the job ends in time in
//! the right row, nothing wrong is published, and the next run heals it.

use super::fault::{At, Fault};
use super::server::Hub;
use super::{QUICK, Row, download, everything_is_here, nothing_is_wrong, place_of, weights};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The limit of a download in [`QUICK`], and what its end may take beyond it.
const TOTAL: Duration = Duration::from_secs(10);
const BEYOND: Duration = Duration::from_secs(2);

const ALWAYS: usize = 1000;

/// A fault, how often it is made, and how the job ends.
type Case = (At, Fault, usize, &'static str, &'static str);

fn cases() -> Vec<Case> {
    use At::{AnyBytes, Bytes, Info, Resolve, Tree};
    use Fault::{
        Circle, Compressed, Cut, Drip, Garbage, Lie, LongWithoutLength, LyingRange, OtherRange,
        Page, RangeIgnored, Reset, ShortWithoutLength, Silence, Stall, Status, WrongByte,
        WrongLength,
    };
    let gated = "X-Error-Code: GatedRepo\r\n";
    let later = "Retry-After: 3600\r\n";
    let soon = "Retry-After: 1\r\n";
    vec![
        (Info, Silence, ALWAYS, "failed", "no answer within"),
        (
            Info,
            Status(401, "", "{}"),
            ALWAYS,
            "failed",
            "set HF_TOKEN",
        ),
        (
            Info,
            Status(403, gated, "{}"),
            ALWAYS,
            "failed",
            "accept its terms at",
        ),
        (
            Info,
            Status(404, "", "{}"),
            ALWAYS,
            "failed",
            "is `owner/name` its name",
        ),
        (
            Info,
            Status(429, later, "{}"),
            ALWAYS,
            "failed",
            "download.total",
        ),
        (Info, Status(429, soon, "{}"), 1, "completed", ""),
        (Info, Status(500, "", "oops"), ALWAYS, "failed", "HTTP 500"),
        (Info, Status(503, "", ""), 2, "completed", ""),
        (Info, Page, ALWAYS, "failed", "is it one?"),
        (Info, Garbage, ALWAYS, "failed", "is it one?"),
        (Info, Reset(0), 2, "completed", ""),
        (Info, Circle, ALWAYS, "failed", "in circles"),
        (Info, Cut(10), ALWAYS, "failed", "the connection broke"),
        (Tree, Silence, ALWAYS, "failed", "no answer within"),
        (Tree, Stall(10), ALWAYS, "failed", "no answer within"),
        (Tree, Garbage, ALWAYS, "failed", "list of its files is none"),
        (Tree, Status(500, "", ""), 1, "completed", ""),
        (
            Tree,
            Status(403, gated, "{}"),
            ALWAYS,
            "failed",
            "accept its terms at",
        ),
        (Tree, Lie, ALWAYS, "failed", "nothing was fetched"),
        (Resolve, Silence, ALWAYS, "failed", "no answer within"),
        (
            Resolve,
            Status(401, "", "{}"),
            ALWAYS,
            "failed",
            "set HF_TOKEN",
        ),
        (
            Resolve,
            Status(403, gated, "{}"),
            ALWAYS,
            "failed",
            "accept its terms at",
        ),
        (
            Resolve,
            Status(404, "X-Error-Code: EntryNotFound\r\n", "{}"),
            ALWAYS,
            "failed",
            "no such file",
        ),
        (Resolve, Page, ALWAYS, "failed", "a web page came"),
        (Resolve, Circle, ALWAYS, "failed", "in circles"),
        (Resolve, Status(503, "", ""), 2, "completed", ""),
        (Resolve, Status(204, "", ""), ALWAYS, "failed", "HTTP 204"),
        (Bytes, Silence, ALWAYS, "failed", "no answer within"),
        (Bytes, Stall(10), ALWAYS, "failed", "nothing came for"),
        (Bytes, Stall(100_000), 2, "completed", ""),
        (Bytes, Drip(20), ALWAYS, "failed", "too slow"),
        (Bytes, Cut(70_000), ALWAYS, "completed", ""),
        (Bytes, Cut(0), ALWAYS, "failed", "the connection broke"),
        (Bytes, Reset(0), ALWAYS, "failed", "the connection broke"),
        (Bytes, Reset(100_000), 1, "completed", ""),
        (Bytes, Status(401, "", ""), ALWAYS, "failed", "HTTP 401"),
        (
            Bytes,
            Status(403, "", "<Error>Request has expired</Error>"),
            2,
            "completed",
            "",
        ),
        (
            Bytes,
            Status(403, "", "<Error>Request has expired</Error>"),
            ALWAYS,
            "failed",
            "HTTP 403",
        ),
        (Bytes, Status(404, "", ""), ALWAYS, "failed", "HTTP 404"),
        (
            Bytes,
            Status(429, later, ""),
            ALWAYS,
            "failed",
            "come back in 1 h",
        ),
        (Bytes, Status(429, soon, ""), 1, "completed", ""),
        (Bytes, Status(500, "", ""), ALWAYS, "failed", "HTTP 500"),
        (Bytes, Status(503, "", ""), 2, "completed", ""),
        (Bytes, Page, ALWAYS, "failed", "a web page came"),
        (
            Bytes,
            ShortWithoutLength(1000),
            ALWAYS,
            "failed",
            "the connection ended at",
        ),
        (Bytes, LongWithoutLength, ALWAYS, "completed", ""),
        (
            Bytes,
            WrongLength(1000),
            ALWAYS,
            "failed",
            "1000 bytes are offered",
        ),
        (Bytes, WrongByte, ALWAYS, "failed", "SHA-256 is"),
        (Bytes, WrongByte, 1, "completed", ""),
        (Bytes, Compressed, ALWAYS, "failed", "sent as `gzip`"),
        (Bytes, Circle, ALWAYS, "failed", "in circles"),
        (AnyBytes, WrongByte, ALWAYS, "failed", "twice"),
        // The first answer is cut, so that a part is asked for.
        (Bytes, RangeIgnored, ALWAYS, "completed", ""),
        (Bytes, OtherRange, ALWAYS, "failed", "is offered"),
        (Bytes, LyingRange, 1, "completed", ""),
    ]
}

#[test]
fn every_fault_ends_in_time_in_the_right_row_and_the_next_run_heals_it() {
    let cases = Mutex::new(cases().into_iter());
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        // They wait more than they work.
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some(case) = { cases.lock().unwrap().next() } {
                    let what = format!("{case:?}");
                    if let Err(problem) = meet(case) {
                        wrong.lock().unwrap().push(format!("{what}\n{problem}\n"));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn meet((at, fault, times, status, reason): Case) -> Result<(), String> {
    let hub = Hub::with(&[
        ("m.bin", weights(300_000, 1)),
        ("config.json", weights(2_000, 2)),
    ]);
    let place = place_of(&hub, QUICK);
    if matches!(
        fault,
        Fault::RangeIgnored | Fault::OtherRange | Fault::LyingRange
    ) {
        hub.fail(At::Bytes, Fault::Cut(100_000), 1);
    }
    hub.fail(at, fault, times);
    let begun = Instant::now();
    let ran = download(&place, &hub);
    let took = begun.elapsed();
    let row = Row::of(&ran);
    if took >= TOTAL + BEYOND || row.status != status || !row.reason.contains(reason) {
        return Err(format!("{row:?} after {took:?}\n{}", ran.stderr));
    }
    nothing_is_wrong(&place);
    hub.heal();
    if status != "completed" {
        let ran = download(&place, &hub);
        let row = Row::of(&ran);
        if row.status != "completed" || ran.status != 0 {
            return Err(format!("not healed: {row:?}\n{}", ran.stderr));
        }
    }
    everything_is_here(&place, &hub);
    let arguments = ["verify", "m.yaml", "--verify-method", "checksum"];
    place.run(&arguments).expect_status(0);
    Ok(())
}

/// A drip that is always a little too fast to be called a stall does not get beyond the limit.
#[test]
fn what_never_ends_is_ended_by_the_limit() {
    let hub = Hub::with(&[("m.bin", weights(50_000_000, 1))]);
    let limits = "deadlines: {download: {stall: 400ms, total: 3s}}\nretries: {download: 5}";
    let place = place_of(&hub, limits);
    // 100 kB/s.
    hub.fail(At::Bytes, Fault::Drip(2_000), ALWAYS);
    let begun = Instant::now();
    let row = Row::of(&download(&place, &hub));
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(3) + BEYOND, "{took:?}");
    row.expect("timed-out", "limit of 3 s");
    nothing_is_wrong(&place);
}

/// What lasts is not tried again; what may pass is, within the limit of the job.
#[test]
fn only_what_may_heal_is_tried_again() {
    let retries = "deadlines: {download: {stall: 2s, total: 20s}}\n\
                   retries: {download: 2, backoff: 10ms}";
    let tries = |fault: Fault| {
        let hub = Hub::with(&[("m.bin", weights(1000, 1))]);
        let place = place_of(&hub, retries);
        hub.fail(At::Info, fault, ALWAYS);
        let ran = download(&place, &hub);
        Row::of(&ran).expect("failed", "HTTP");
        ran.stderr.matches("retry ").count()
    };
    assert_eq!(tries(Fault::Status(404, "", "{}")), 0);
    assert_eq!(tries(Fault::Status(500, "", "{}")), 2);
}
