//! How many parts each kind of machine gets.

use super::matrix;
use crate::support::plans::planned;
use earmark::cluster::{divide_into, parts_by_time};
use earmark::plan::groups;
use proptest::prelude::*;
use std::time::Duration;

/// Clips of unlike length, so that groups take unlike times.
const CLIPS: [&str; 3] = ["jfk", "sonnet-1", "austen-0870"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn as_many_parts_as_are_wished_and_one_for_each_kind(
        rows in prop::collection::vec((1..=3usize, 1..=4usize), 1..5),
        wished in 0..60u32,
    ) {
        let entries: Vec<String> = rows
            .iter()
            .enumerate()
            .flat_map(|(kind, (clips, threads))| {
                let rows = CLIPS[..*clips].iter().flat_map(move |clip| {
                    (1..=*threads).map(move |threads| format!(
                        "{{backend: fake, model: tiny.en, audio: {clip}, verify-method: cache-check, \
                         requires: \"label:l{kind}\", threads: {threads}}}"
                    ))
                });
                rows.collect::<Vec<_>>()
            })
            .collect();
        let text = format!(
            "{}  only: [{{threads: 99}}]\n  include: [{}]\n",
            matrix("none").split("settings:").next().unwrap().replace("[1, 2]", "[98]"),
            entries.join(", ")
        );
        let plan = planned(&text).unwrap();
        let division = divide_into(&plan, wished);
        let groups = groups(&plan);
        prop_assert_eq!(division.groups.len(), groups.len());
        let most: usize = groups.values().map(Vec::len).sum();
        let parts: u32 = division.groups.iter().map(|group| group.shards).sum();
        prop_assert_eq!(parts as usize, (wished as usize).clamp(groups.len(), most));
        for group in &division.groups {
            prop_assert!(group.shards >= 1 && group.shards as usize <= group.benchmarks);
            // Nobody's parts are longer than another's would be with one part fewer.
            for other in &division.groups {
                let can_have_more = (group.shards as usize) < group.benchmarks;
                if can_have_more && other.shards > 1 {
                    let part = group.expected.as_secs_f64() / f64::from(group.shards);
                    let fewer = other.expected.as_secs_f64() / f64::from(other.shards - 1);
                    prop_assert!(part <= fewer * 1.000_001, "{division:?}");
                }
            }
        }
        prop_assert_eq!(divide_into(&plan, wished), division, "everybody deals alike");
    }
}

#[test]
fn parts_are_as_many_as_their_time_asks_for() {
    let plan = planned(&matrix("[none, \"label:bench\"]")).unwrap();
    assert_eq!(parts_by_time(&plan, Duration::from_hours(1)), 2);
    assert_eq!(parts_by_time(&plan, Duration::from_millis(1)), 4);
}
