//! A plan dealt to several machines: nothing twice, nothing left out, nobody idle for long.

use crate::support::plans::planned;
use crate::support::{Place, fake_matrix};
use earmark::model::{BenchmarkSpec, JobKind, JobSpec, Plan, Shard, Stage};
use earmark::plan::{configurations, seal_holds, shard, shards, shards_of};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// A plan with downloads, data sets, several methods and some skips.
fn mixed() -> Plan {
    planned(
        "version: 1
name: mixed
matrix:
  backend: [whisper-cpp, candle, fake]
  model: [tiny.en, base]
  audio: [jfk, sonnet-1, english, mls-es-13697]
  verify-method: [cache-check, load]
  quantization: [f16, q8_0]
  threads: [1, 2]
",
    )
    .unwrap()
}

fn weight(plan: &Plan, jobs: &[usize]) -> u64 {
    jobs.iter()
        .filter_map(|position| plan.jobs[*position].expected_milliseconds())
        .sum()
}

fn benchmarks(plan: &Plan, jobs: &[usize]) -> Vec<usize> {
    let is_benchmark = |position: &usize| plan.jobs[*position].kind == JobKind::Benchmark;
    jobs.iter().copied().filter(is_benchmark).collect()
}

/// Holds everything that must be true of shards.
fn check(plan: &Plan, count: u32) {
    let dealt = shards(plan, count);
    assert_eq!(dealt.len(), count as usize);
    let mut all = Vec::new();
    let mut every = BTreeSet::new();
    for (index, jobs) in (1..).zip(&dealt) {
        assert!(jobs.is_sorted(), "the order of the plan");
        assert_eq!(
            jobs,
            &shard(plan, &Shard::new(index, count)),
            "alone as among all"
        );
        let ids: BTreeSet<_> = jobs
            .iter()
            .map(|position| &plan.jobs[*position].id)
            .collect();
        assert_eq!(ids.len(), jobs.len(), "nothing twice");
        for position in jobs {
            for need in &plan.jobs[*position].needs {
                assert!(ids.contains(need), "{need} is missing in shard {index}");
            }
        }
        if index > 1 {
            let needed: BTreeSet<_> = jobs
                .iter()
                .flat_map(|position| &plan.jobs[*position].needs)
                .collect();
            for position in jobs {
                let job = &plan.jobs[*position];
                assert!(
                    job.kind == JobKind::Benchmark || needed.contains(&job.id),
                    "{} is in shard {index}, and nothing there needs it",
                    job.id
                );
            }
        }
        all.extend(benchmarks(plan, jobs));
        every.extend(jobs.iter().copied());
    }
    let whole: Vec<usize> = (0..plan.jobs.len()).collect();
    all.sort_unstable();
    assert_eq!(all, benchmarks(plan, &whole), "each benchmark once");
    assert_eq!(every.len(), plan.jobs.len(), "no job is left out");
    let weights: Vec<u64> = dealt
        .iter()
        .map(|jobs| weight(plan, &benchmarks(plan, jobs)))
        .collect();
    let longest = whole
        .iter()
        .map(|position| weight(plan, &[*position]))
        .max()
        .unwrap_or(0);
    let (most, least) = (weights.iter().max().unwrap(), weights.iter().min().unwrap());
    assert!(
        most - least <= longest,
        "{weights:?}, the longest is {longest}"
    );
}

#[test]
fn a_real_plan_is_dealt_evenly() {
    let plan = mixed();
    for count in [1, 2, 3, 7, 50] {
        check(&plan, count);
    }
    let whole: Vec<usize> = (0..plan.jobs.len()).collect();
    assert_eq!(shards(&plan, 1), [whole]);
    assert!(plan.jobs.iter().any(|job| job.skip.is_some()));
    assert!(plan.jobs.iter().any(|job| job.kind == JobKind::Download));
    // Each shard verifies on both sides of its own downloads.
    for jobs in shards(&plan, 2) {
        for stage in [Stage::Before, Stage::After] {
            assert!(
                jobs.iter()
                    .any(|position| plan.jobs[*position].stage == Some(stage))
            );
        }
    }
}

#[test]
fn a_plan_that_was_kept_is_dealt_as_before() {
    let plan = mixed();
    let text = serde_json::to_string(&plan).unwrap();
    let mut kept: Plan = serde_json::from_str(&text).unwrap();
    assert!(seal_holds(&mut kept));
    assert_eq!(shards(&kept, 5), shards(&plan, 5));
}

#[test]
fn estimates_order_benchmarks_and_change_no_id() {
    let plan = mixed();
    let seconds = |slug: &str| {
        let job = plan.jobs.iter().find(|job| job.spec.slug() == slug);
        job.unwrap_or_else(|| panic!("no {slug}"))
            .expected_seconds
            .unwrap()
    };
    let short = seconds("benchmark/whisper-cpp/tiny.en/f16/jfk/threads=2");
    // Seven trials of eleven seconds, ten times faster than real time, and a start and a load.
    assert!((short - 7.85).abs() < 0.001, "{short}");
    assert!(short < seconds("benchmark/whisper-cpp/base/f16/jfk/threads=2"));
    assert!(short < seconds("benchmark/whisper-cpp/tiny.en/f16/sonnet-1/threads=2"));
    assert!(
        seconds("benchmark/whisper-cpp/tiny.en/f16/sonnet-1/threads=2")
            < seconds("benchmark/whisper-cpp/tiny.en/f16/english/threads=2")
    );
    for job in &plan.jobs {
        let expects = job.kind == JobKind::Benchmark && job.skip.is_none();
        assert_eq!(job.expected_seconds.is_some(), expects, "{}", job.id);
        assert_eq!(job.id, job.spec.id());
    }
}

#[test]
fn an_estimate_is_sealed_and_a_plan_without_any_holds() {
    let mut plan = mixed();
    assert!(seal_holds(&mut plan));
    let position = plan
        .jobs
        .iter()
        .position(|job| job.expected_seconds.is_some())
        .unwrap();
    plan.jobs[position].expected_seconds = Some(1e6);
    assert!(!seal_holds(&mut plan));
    let older = planned(&fake_matrix("", "")).unwrap();
    let mut json = serde_json::to_value(&older).unwrap();
    for job in json["jobs"].as_array_mut().unwrap() {
        job.as_object_mut().unwrap().remove("expected-seconds");
    }
    let mut read: Plan = serde_json::from_value(json).unwrap();
    earmark::plan::seal(&mut read);
    assert!(seal_holds(&mut read));
    check(&read, 3);
}

#[test]
fn a_command_counts_a_start_for_every_process() {
    let place = Place::new();
    let rest = "backends:\n  mine: {command: [sh, \"{{ audio.wav }}\"]}\n";
    let text = fake_matrix("", rest)
        .replace("[fake]", "[mine]")
        .replace("[jfk]", "[jfk, english]");
    place.write("m.yaml", &text);
    let plan = place
        .run(&["plan", "m.yaml", "--format", "json"])
        .expect_status(0)
        .json();
    let expected: Vec<f64> = plan["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|job| job["expected-seconds"].as_f64())
        .collect();
    assert_eq!(expected.len(), 2);
    // Seven processes, each of which starts and loads tiny.en in 0.3 s and hears 11 s in 1.1 s.
    assert!((expected[0] - 9.8).abs() < 0.001, "{expected:?}");
    assert!(expected[1] > expected[0] * 5.0, "{expected:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn whatever_is_expected_the_shards_hold(
        count in 1u32..40,
        seconds in proptest::collection::vec(
            prop_oneof![Just(None), (0.0..5000.0f64).prop_map(Some), Just(Some(1.0))], 200
        ),
        skips in proptest::collection::vec(any::<bool>(), 200),
    ) {
        let mut plan = mixed();
        let benchmarks = plan.jobs.iter_mut().filter(|job| job.kind == JobKind::Benchmark);
        for ((job, seconds), skip) in benchmarks.zip(seconds.iter().cycle()).zip(skips.iter().cycle()) {
            job.expected_seconds = *seconds;
            if *skip || job.skip.is_some() {
                job.skip = Some("it cannot run here".into());
                job.expected_seconds = None;
                // What is skipped needs nothing, and its verifies may be left without a benchmark.
                job.needs.clear();
            }
        }
        check(&plan, count);
        prop_assert_eq!(shards(&plan, count), shards(&plan.clone(), count));
    }
}

#[test]
fn what_differs_in_the_recording_alone_stays_on_one_machine() {
    let plan = mixed();
    let all: Vec<usize> = (0..plan.jobs.len())
        .filter(|position| plan.jobs[*position].kind == JobKind::Benchmark)
        .collect();
    let configuration = |position: &usize| match &plan.jobs[*position].spec {
        JobSpec::Benchmark(spec) => JobSpec::Benchmark(BenchmarkSpec {
            audio: "".into(),
            ..spec.clone()
        })
        .digest(),
        _ => unreachable!("only benchmarks are asked for"),
    };
    let count = configurations(&plan, &all);
    assert!(count > 4 && count < all.len());
    for shards in [1, 2, 4, u32::try_from(count).unwrap()] {
        let dealt = shards_of(&plan, shards, &all, true);
        let mut owners = BTreeMap::new();
        let mut seen = 0;
        for (number, jobs) in dealt.iter().enumerate() {
            let own = benchmarks(&plan, jobs);
            assert!(!own.is_empty(), "of {shards} none is idle");
            for position in own {
                seen += 1;
                let owner = *owners.entry(configuration(&position)).or_insert(number);
                assert_eq!(owner, number, "{}", plan.jobs[position].id);
            }
        }
        assert_eq!(seen, all.len());
    }
    // With more shards than that, each benchmark is dealt by itself.
    let many = u32::try_from(all.len()).unwrap();
    let dealt = shards_of(&plan, many, &all, false);
    assert!(dealt.iter().all(|jobs| benchmarks(&plan, jobs).len() == 1));
}
