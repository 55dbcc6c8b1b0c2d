//! `earmark history check`: what has changed, as exit status too.

use super::arguments::{AlertFormat, CheckArguments};
use super::{tell, watch_of, with};
use crate::cli::exit::{ExitStatus, Failure, print, say};
use crate::history::{Alert, Seen};
use serde_json::{Value, json};

pub(super) fn run(arguments: &CheckArguments) -> Result<ExitStatus, Failure> {
    let watch = watch_of(&arguments.looking);
    let seen = arguments
        .since
        .as_ref()
        .map_or(Seen::Newest, |when| Seen::Since(when.0.clone()));
    let (mut alerts, runs) = with(&arguments.place, |history| {
        Ok((history.alerts(&watch, &seen)?, history.count()?))
    })?;
    if runs == 0 {
        return Err(Failure::Usage(
            "no run is known yet, so nothing can be said; `earmark run` puts each there, `earmark history \
             rebuild FOLDER` older ones"
                .into(),
        ));
    }
    // Worse first.
    alerts.sort_by_key(|alert| !alert.is_regression());
    match arguments.format {
        AlertFormat::Text => {
            for alert in &alerts {
                print(&format!("{}\n", tell::line(alert)))?;
            }
            if alerts.is_empty() {
                say("nothing has changed");
            }
        }
        AlertFormat::Markdown => {
            let texts: Vec<String> = alerts.iter().map(tell::markdown).collect();
            print(&if texts.is_empty() {
                "No change point.\n".to_owned()
            } else {
                texts.join("\n")
            })?;
        }
        AlertFormat::Json => {
            let list: Vec<Value> = alerts.iter().map(tell::json_of).collect();
            print(&format!("{:#}\n", json!({"change_points": list})))?;
        }
    }
    let fails = |alert: &Alert| arguments.both || alert.is_regression();
    Ok(if alerts.iter().any(fails) {
        ExitStatus::Gate
    } else {
        ExitStatus::Success
    })
}
