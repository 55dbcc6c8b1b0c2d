//! How long a plan takes and how much memory: CPU time and the peak of what is allocated.
//!
//! Absolute times on a shared machine mean little; the ratios are against something plain that is
//! done in the same run. `EARMARK_BENCH_ROUNDS` sets how often each is repeated (default 5); the
//! median is shown.

use earmark::catalog::Catalog;
use earmark::corpus::Corpus;
use earmark::diagnostic::{Diagnostics, SourceText};
use earmark::engine;
use earmark::matrix::{Facts, read};
use earmark::model::Plan;
use earmark::plan::{Inputs, plan};
use rustix::time::{ClockId, clock_gettime};
use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Counts what is allocated.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

#[expect(
    unsafe_code,
    reason = "an allocator can only be written with unsafe code; this one hands everything on"
)]
// SAFETY: every call is handed on unchanged to the system's allocator, whose result is returned.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        // SAFETY: as for this function.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as for this function.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let now = NOW.fetch_add(size, Ordering::Relaxed) + size;
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        PEAK.fetch_max(now - layout.size(), Ordering::Relaxed);
        // SAFETY: as for this function.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What one piece of work cost.
#[derive(Clone, Copy)]
struct Cost {
    /// Seconds on all cores together.
    cpu: f64,
    /// Seconds on the wall.
    wall: f64,
    /// Bytes allocated at the peak, above what was there before.
    peak: usize,
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    #[expect(clippy::cast_precision_loss, reason = "nanoseconds of a bench")]
    let seconds = time.tv_sec as f64 + time.tv_nsec as f64 / 1e9;
    seconds
}

/// Does something a few times and returns the median cost by CPU time.
fn measure<T>(rounds: usize, mut work: impl FnMut() -> T) -> Cost {
    let mut costs: Vec<Cost> = (0..rounds)
        .map(|_| {
            let before = NOW.load(Ordering::Relaxed);
            PEAK.store(before, Ordering::Relaxed);
            let (cpu, wall) = (cpu_seconds(), Instant::now());
            let made = work();
            let cost = Cost {
                cpu: cpu_seconds() - cpu,
                wall: wall.elapsed().as_secs_f64(),
                peak: PEAK.load(Ordering::Relaxed).saturating_sub(before),
            };
            drop(black_box(made));
            cost
        })
        .collect();
    costs.sort_by(|left, right| left.cpu.total_cmp(&right.cpu));
    costs[rounds / 2]
}

fn show(what: &str, cost: Cost) {
    #[expect(clippy::cast_precision_loss, reason = "a display")]
    let mebibytes = cost.peak as f64 / f64::from(1 << 20);
    println!(
        "{what:<64} {:>8.1} ms CPU {:>8.1} ms wall {mebibytes:>7.1} MiB",
        cost.cpu * 1e3,
        cost.wall * 1e3
    );
}

fn head(axes: &str) -> String {
    format!(
        "version: 1\nname: bench\nmatrix:\n  backend: [fake]\n  model: [tiny.en]\n  audio: [jfk]\n  \
         verify-method: [cache-check]\n{axes}"
    )
}

fn list(count: usize, item: impl Fn(usize) -> String) -> String {
    let items: Vec<String> = (1..=count).map(item).collect();
    format!("[{}]", items.join(", "))
}

/// Returns a number of seconds, given in thousandths.
fn thousandths(number: usize) -> String {
    format!("{}.{:03}", number / 1000, number % 1000)
}

/// A matrix in which every combination is a job of its own.
fn all_different(beams: usize, seconds: usize) -> String {
    head(&format!(
        "  beam-size: {}\n  fake-seconds: {}\n",
        list(beams, |number| number.to_string()),
        list(seconds, thousandths),
    ))
}

/// A matrix in which labels make most combinations, and few jobs.
fn labels(beams: usize, first: usize, second: usize) -> String {
    head(&format!(
        "  beam-size: {}\n  tag.first: {}\n  tag.second: {}\n",
        list(beams, |number| number.to_string()),
        list(first, |number| format!("a{number}")),
        list(second, |number| format!("b{number}")),
    ))
}

/// Eight entries of each kind that name values of two axes.
fn entries(first: &str, second: &str, value: impl Fn(usize) -> String) -> String {
    let mut text = String::from("  exclude:\n");
    for number in 1..=8 {
        text.push_str(&format!(
            "    - {{{first}: {number}, {second}: {}}}\n",
            value(number)
        ));
    }
    text.push_str("  include:\n");
    for number in 11..=18 {
        text.push_str(&format!(
            "    - {{{first}: {number}, tag.note: n{number}}}\n"
        ));
    }
    text
}

struct Known {
    catalog: Catalog,
    corpus: Corpus,
    engines: indexmap::IndexMap<String, earmark::model::EngineFacts>,
}

fn planned(text: &str, known: &Known) -> Plan {
    let mut problems = Diagnostics::default();
    let source = Arc::new(SourceText {
        path: "bench.yaml".into(),
        text: text.into(),
    });
    let matrix = read(source, &mut problems).expect("a matrix");
    let inputs = Inputs {
        catalog: &known.catalog,
        corpus: &known.corpus,
        engines: &known.engines,
        chosen: matrix.backends(),
        facts: Facts {
            os: "linux".into(),
            arch: "x86_64".into(),
            cores: 2,
            physical_cores: 2,
            memory_bytes: 8 << 30,
        },
        verify_method: None,
    };
    plan(&matrix, &inputs, &mut problems).unwrap_or_else(|| panic!("{problems}"))
}

/// The plain way: every combination as a map of its own, nothing else done with it.
fn as_maps(axes: &[(&str, usize)]) -> Vec<BTreeMap<String, String>> {
    let mut rows = vec![BTreeMap::new()];
    for (name, count) in axes {
        rows = rows
            .iter()
            .flat_map(|row: &BTreeMap<String, String>| {
                (0..*count).map(move |value| {
                    let mut row = row.clone();
                    row.insert((*name).to_owned(), value.to_string());
                    row
                })
            })
            .collect();
    }
    rows
}

fn main() {
    let rounds: usize = std::env::var("EARMARK_BENCH_ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(5);
    let known = Known {
        catalog: Catalog::builtin().expect("the built-in catalog"),
        corpus: Corpus::builtin(),
        engines: engine::facts(),
    };

    let text = all_different(100, 100) + &entries("beam-size", "fake-seconds", thousandths);
    show(
        "10,000 combinations, 8 exclude, 8 include, a job each",
        measure(rounds, || planned(&text, &known)),
    );
    let named = [
        ("backend", 1),
        ("model", 1),
        ("audio", 1),
        ("verify-method", 1),
    ];
    let axes = |first, second| [&named[..], &[("beam-size", first), ("other", second)]].concat();
    show(
        "  for scale: as 10,000 maps",
        measure(rounds, || as_maps(&axes(100, 100))),
    );

    let mut ratios = Vec::new();
    for (combinations, beams, seconds) in [
        ("  250,000", 500, 500),
        ("  500,000", 500, 1000),
        ("1,000,000", 1000, 1000),
    ] {
        let text = all_different(beams, seconds);
        let cost = measure(rounds, || planned(&text, &known));
        show(&format!("{combinations} combinations, a job each"), cost);
        let count = u32::try_from(beams * seconds).expect("a million");
        ratios.push(cost.cpu / f64::from(count) * 1e6);
    }
    println!(
        "  CPU for each combination: {} µs",
        ratios
            .iter()
            .map(|ratio| format!("{ratio:.2}"))
            .collect::<Vec<_>>()
            .join(", ")
    );
    let text =
        labels(100, 100, 100) + &entries("beam-size", "tag.first", |number| format!("a{number}"));
    show(
        "1,000,000 combinations, 8 exclude, 8 include, 100 jobs",
        measure(rounds, || planned(&text, &known)),
    );
    let plain = measure(rounds.min(3), || as_maps(&axes(1000, 1000)));
    show("  for scale: as 1,000,000 maps", plain);

    let mut text = head("  beam-size: [1, 2]\n  include:\n");
    let mut number = 0;
    while text.len() < 1_000_000 {
        number += 1;
        text.push_str(&format!(
            "    - {{beam-size: {}, tag.note: \"note {number}\", tag.other: {number}}}\n",
            number % 2 + 1
        ));
    }
    let source = Arc::new(SourceText {
        path: "bench.yaml".into(),
        text: text.clone(),
    });
    let ours = measure(rounds, || {
        let mut problems = Diagnostics::default();
        let matrix = read(Arc::clone(&source), &mut problems);
        assert!(!problems.has_errors());
        matrix
    });
    show(&format!("a matrix of 1 MB read ({number} entries)"), ours);
    let theirs = measure(rounds, || {
        serde_yaml::from_str::<serde_json::Value>(&text).expect("YAML")
    });
    show(
        "  for scale: the YAML library alone, into JSON values",
        theirs,
    );
    println!("  {:.2} × the library alone", ours.cpu / theirs.cpu);
    show("  and planned", measure(rounds, || planned(&text, &known)));
}
