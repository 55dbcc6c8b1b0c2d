//! `earmark check`: look for mistakes, start nothing.

use super::arguments::{CheckArguments, Selection};
use super::exit::{ExitStatus, Failure, print};
use super::load::plan_of;
use crate::model::{JobKind, Plan};

pub(super) fn run(arguments: &CheckArguments) -> Result<ExitStatus, Failure> {
    let mut status = ExitStatus::Success;
    for path in &arguments.matrices {
        let selection = Selection {
            strict: arguments.strict,
            ..Selection::default()
        };
        match plan_of(path, &selection) {
            Ok(plan) => print(&format!("{}: {}\n", path.display(), summary(&plan)))?,
            Err(failure) => {
                failure.tell();
                status = failure.status();
            }
        }
    }
    Ok(status)
}

/// Returns what a plan is made of, in one line.
pub(super) fn summary(plan: &Plan) -> String {
    let count = |kind| plan.jobs.iter().filter(|job| job.kind == kind).count();
    let skipped = plan.jobs.iter().filter(|job| job.skip.is_some()).count();
    let plural = |number: usize, word: &str| {
        format!("{number} {word}{}", if number == 1 { "" } else { "s" })
    };
    let verifies = match count(JobKind::Verify) {
        1 => "1 verify".to_owned(),
        number => format!("{number} verifies"),
    };
    let mut text = format!(
        "{}, {verifies}, {}, {}",
        plural(plan.combinations.len(), "combination"),
        plural(count(JobKind::Download), "download"),
        plural(count(JobKind::Benchmark), "benchmark"),
    );
    if skipped > 0 {
        text.push_str(&format!(" ({skipped} of them skipped)"));
    }
    text
}
