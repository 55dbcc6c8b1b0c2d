//! `earmark plan`: show what would be done.

use super::arguments::{PlanArguments, PlanFormat};
use super::check::summary;
use super::exit::{ExitStatus, Failure, print};
use super::load::plan_of;
use crate::model::units::{show_bytes, show_seconds};
use crate::model::{JobSpec, Plan};
use crate::ui::Table;

pub(super) fn run(arguments: &PlanArguments) -> Result<ExitStatus, Failure> {
    let plan = plan_of(&arguments.matrix, &arguments.selection)?;
    let text = match arguments.format {
        PlanFormat::Table => table(&plan),
        PlanFormat::Json => serde_json::to_string_pretty(&plan).map_err(Failure::internal)? + "\n",
    };
    print(&text)?;
    Ok(ExitStatus::Success)
}

/// Returns the plan as a table for people.
pub(super) fn table(plan: &Plan) -> String {
    let mut table = Table::new(&["job", "needs", "combinations", "note"]);
    table.align_right(1);
    table.align_right(2);
    for job in &plan.jobs {
        let note = match (&job.skip, &job.spec) {
            (Some(reason), _) => format!("skipped: {reason}"),
            (None, JobSpec::Download(spec)) => {
                let bytes: Option<u64> = spec
                    .artifacts
                    .iter()
                    .map(|(model, id)| plan.models.get(model)?.artifacts.get(id)?.expected_bytes())
                    .sum();
                bytes.map_or_else(String::new, |bytes| {
                    format!(
                        "up to {}, if a verify finds something missing",
                        show_bytes(bytes)
                    )
                })
            }
            (None, JobSpec::Benchmark(spec)) => format!(
                "{} × {} trials, {} warm-up",
                spec.launches, spec.repeat, spec.warmup
            ),
            (None, JobSpec::Verify(_)) => String::new(),
        };
        table.row([
            job.spec.slug(),
            job.needs.len().to_string(),
            job.combinations.len().to_string(),
            note,
        ]);
    }
    format!(
        "{}\n\n{}: {}\nat most {} by the deadlines\n",
        table.render(),
        plan.name,
        summary(plan),
        show_seconds(worst_case_seconds(plan)),
    )
}

/// Returns what all limits together allow, in seconds. Recordings are not opened for a plan, so a
/// trial counts with its floor.
fn worst_case_seconds(plan: &Plan) -> f64 {
    let deadlines = &plan.deadlines;
    plan.jobs
        .iter()
        .filter(|job| job.skip.is_none())
        .map(|job| match &job.spec {
            JobSpec::Download(_) => deadlines.download_total.as_secs_f64(),
            JobSpec::Verify(spec) => {
                use crate::model::VerifyMethod::{Load, Transcribe};
                let asks = matches!(spec.method, Load | Transcribe) && spec.artifact.is_some();
                let size = plan.models.get(&spec.model).map(|model| model.size);
                match size.filter(|_| asks) {
                    Some(size) => {
                        let limit = deadlines.verify_of(&spec.backend, &spec.model, size);
                        (deadlines.start_of(&spec.backend, &spec.model) + limit).as_secs_f64()
                    }
                    None => 0.0,
                }
            }
            JobSpec::Benchmark(spec) => {
                let utterances = plan
                    .audio
                    .get(&spec.audio)
                    .map_or(1, |audio| audio.utterances.len());
                let trial = deadlines.trial_of(&spec.backend, &spec.model, 0.0);
                #[expect(clippy::cast_precision_loss, reason = "a display")]
                let trials = f64::from(spec.warmup + spec.repeat) * utterances as f64;
                let launch = deadlines.start_of(&spec.backend, &spec.model)
                    + deadlines.load_of(&spec.backend, &spec.model);
                f64::from(spec.launches) * (launch.as_secs_f64() + trials * trial.as_secs_f64())
            }
        })
        .sum()
}
