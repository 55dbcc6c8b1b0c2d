//! Large runs are read and reported in time that grows as they do.

use earmark::record::RunFolder;
use earmark::report::write_reports;
use large_run::Size;
use rustix::time::{ClockId, clock_gettime};
use std::path::Path;

#[path = "../benches/large_run/mod.rs"]
mod large_run;

/// Reads and reports a run, and returns the CPU seconds of this process that it took.
fn report(place: &Path, size: Size) -> f64 {
    let folder = place.join(format!("{}-{}", size.rows(), size.samples()));
    large_run::write(&folder, size);
    let start = clock_gettime(ClockId::ProcessCPUTime);
    let record = RunFolder::read(&folder).unwrap();
    write_reports(&record, &folder).unwrap();
    let end = clock_gettime(ClockId::ProcessCPUTime);
    for (table, rows) in [
        ("results.csv", size.rows()),
        ("samples.csv", size.samples()),
    ] {
        let table = csv::Reader::from_path(folder.join(table)).unwrap();
        assert_eq!(table.into_records().count(), rows);
    }
    #[expect(clippy::cast_precision_loss, reason = "seconds of a test")]
    let seconds = (end.tv_sec - start.tv_sec) as f64 + (end.tv_nsec - start.tv_nsec) as f64 / 1e9;
    seconds
}

/// Four times as much takes about four times as long. What compares everything with everything takes
/// sixteen times; what is asked for lies between, because other programs make a machine slower.
#[track_caller]
fn assert_grows_as(small: Size, large: Size) {
    let place = tempfile::tempdir().unwrap();
    assert_eq!(4 * small.samples(), large.samples());
    // The first run pays for what is made once.
    report(place.path(), small);
    let (few, many) = (report(place.path(), small), report(place.path(), large));
    assert!(
        many < 9.0 * few,
        "{few} s and, four times as large, {many} s"
    );
}

#[test]
fn time_grows_with_the_benchmarks() {
    let small = Size {
        engines: 4,
        models: 5,
        beams: 5,
        recordings: 2,
        data_set: false,
        trials: 10,
    };
    assert_grows_as(small, Size { beams: 20, ..small });
}

#[test]
fn time_grows_with_the_recordings() {
    let small = Size {
        engines: 2,
        models: 2,
        beams: 1,
        recordings: 250,
        data_set: true,
        trials: 2,
    };
    let large = Size {
        recordings: 1000,
        ..small
    };
    assert_grows_as(small, large);
}
