//! What looking back costs: the history of many runs, against reading their records once.
//!
//! Run folders are made of journals by hand, with a change half way. CPU time of the process, on all
//! cores; ratios are against the first line, which is done in the same run. `EARMARK_BENCH_RUNS` sets how
//! many runs there are (default 1000), `EARMARK_BENCH_ROWS` how many benchmarks each has (default 10),
//! `EARMARK_BENCH_ROUNDS` how often each is repeated (default 3); the median is shown.

#[path = "../tests/support/journal.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    reason = "it belongs to the tests, which need more of it"
)]
mod journal;

use earmark::event::RunEvent;
use earmark::history::{History, RunEntry, RunQuery, Seen, SiteOptions, TrendQuery, Watch};
use earmark::model::{JobSpec, Outcome};
use earmark::record::RunFolder;
use journal::{Journal, Start, plan};
use rustix::time::{ClockId, clock_gettime};
use std::error::Error;
use std::hint::black_box;
use std::path::{Path, PathBuf};

fn number(name: &str, default: usize) -> usize {
    let value = std::env::var(name).ok();
    value
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    #[expect(clippy::cast_precision_loss, reason = "nanoseconds of a bench")]
    let seconds = time.tv_sec as f64 + time.tv_nsec as f64 / 1e9;
    seconds
}

fn cost<T>(rounds: usize, mut work: impl FnMut() -> T) -> f64 {
    let mut costs: Vec<f64> = (0..rounds)
        .map(|_| {
            let before = cpu_seconds();
            black_box(work());
            cpu_seconds() - before
        })
        .collect();
    costs.sort_by(f64::total_cmp);
    costs[rounds / 2]
}

fn make_run(folder: &Path, number: usize, half: usize, rows: usize) -> Result<(), Box<dyn Error>> {
    let plan = plan(rows);
    let mut journal = Journal::at(0);
    journal.start(
        &plan,
        &Start {
            run_id: format!("run-{number:04}"),
            ..Start::default()
        },
    );
    for job in &plan.jobs {
        if let JobSpec::Benchmark(_) = job.spec {
            journal.measure(job, &Outcome::Completed);
        } else {
            journal.end(&job.id, &Outcome::Completed, None);
        }
    }
    journal.over(false);
    let date = jiff::civil::date(2024, 1, 1)
        .checked_add(jiff::Span::new().days(i64::try_from(number)?))?
        .to_string();
    let level = if number < half { 0.5 } else { 0.6 };
    let mut state = u32::try_from(number)? + 1;
    for event in &mut journal.events {
        event.at.replace_range(..10, &date);
        if let RunEvent::TrialEnded { sample, .. } = &mut event.event {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            sample.transcribe_seconds = level + f64::from(state >> 8) / f64::from(1 << 24) * 0.02;
            sample.wall_seconds = sample.transcribe_seconds;
        }
    }
    journal.write(folder, &plan);
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let runs = number("EARMARK_BENCH_RUNS", 1000);
    let rows = number("EARMARK_BENCH_ROWS", 10);
    let rounds = number("EARMARK_BENCH_ROUNDS", 3);
    let place = tempfile::tempdir()?;
    let folders: Vec<PathBuf> = (0..runs)
        .map(|number| place.path().join(format!("runs/run-{number:04}")))
        .collect();
    for (number, folder) in folders.iter().enumerate() {
        make_run(folder, number, runs / 2, rows)?;
    }
    let database = place.path().join("history.db");
    let records = cost(rounds, || {
        folders
            .iter()
            .filter_map(|folder| RunFolder::read(folder).ok())
            .count()
    });
    println!("{runs} runs of {rows} rows each");
    let show = |what: &str, cpu: f64| {
        println!("{what:<60} {:>9.1} ms {:>8.3}", cpu * 1e3, cpu / records);
    };
    show("reading their records once", records);
    show(
        "history rebuild: the same, scored and put into the index",
        cost(1, || {
            History::with(&database, |history| history.rebuild(&folders)).map(|done| done.read)
        }),
    );
    show(
        "history: the list of all runs",
        cost(rounds, || {
            History::with(&database, |history| history.runs(&RunQuery::default()))
                .map(|runs| runs.len())
        }),
    );
    show(
        "history show: all values of all rows",
        cost(rounds, || {
            History::with(&database, |history| history.trends(&TrendQuery::default()))
                .map(|trends| trends.len())
        }),
    );
    let watch = Watch::default();
    let check = || {
        History::with(&database, |history| history.alerts(&watch, &Seen::Newest))
            .map(|alerts| alerts.len())
    };
    show(
        "history check: the first time, all series searched",
        cost(1, check),
    );
    show("history check: again", cost(rounds, check));
    let entry = RunEntry::read(&folders[runs - 1])?;
    show(
        "what a run does at its end, when it is there already",
        cost(rounds, || {
            History::with(&database, |history| {
                history.put(&entry)?;
                history.alerts(&watch, &Seen::In(entry.key.clone()))
            })
            .map(|alerts| alerts.len())
        }),
    );
    let options = SiteOptions {
        title: "bench".into(),
        reports: 30,
        watch: watch.clone(),
    };
    show(
        "history site",
        cost(1, || {
            let site = place.path().join("site");
            History::with(&database, |history| history.write_site(&site, &options))
                .map(|pages| pages.len())
        }),
    );
    Ok(())
}
