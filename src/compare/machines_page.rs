//! Machines side by side as a page: what differs between them first, then each configuration against itself.

use super::across::{AcrossMachines, MachinePair, MachineVerdict, OnMachine};
use super::page::{Bar, MOST_ROWS, PageError, render};
use crate::model::units::show_seconds;
use serde::Serialize;

const PAGE: &str = "machines.html.j2";

/// What stands for a number that there is not.
const NOTHING: &str = "–";

#[derive(Serialize)]
struct PageView<'a> {
    across: &'a AcrossMachines,
    rule: String,
    apart: &'static str,
    against: Vec<AgainstView<'a>>,
}

#[derive(Serialize)]
struct AgainstView<'a> {
    against: &'a OnMachine,
    headline: String,
    rows: Vec<RowView<'a>>,
    left_out: usize,
}

#[derive(Serialize)]
struct RowView<'a> {
    pair: &'a MachinePair,
    base_time: String,
    time: String,
    ratio: String,
    bar: Option<Bar>,
    verdict: &'static str,
    /// A class of the style sheet. A faster machine is not a better one, so it has none.
    class: &'static str,
    rates: String,
    difference: String,
}

/// Returns the page of a comparison of machines.
///
/// # Errors
///
/// Fails if the template is at fault.
pub fn render_machines_page(across: &AcrossMachines) -> Result<String, PageError> {
    let view = PageView {
        across,
        rule: across.rule_in_words(),
        apart: across.apart(),
        against: across.against.iter().map(against).collect(),
    };
    render(PAGE, view)
}

fn against(against: &OnMachine) -> AgainstView<'_> {
    AgainstView {
        headline: against.headline(),
        rows: against.rows.iter().take(MOST_ROWS).map(row).collect(),
        left_out: against.rows.len().saturating_sub(MOST_ROWS),
        against,
    }
}

fn row(pair: &MachinePair) -> RowView<'_> {
    let time = |seconds: Option<f64>| seconds.map_or_else(|| NOTHING.into(), show_seconds);
    RowView {
        base_time: time(pair.base_seconds),
        time: time(pair.seconds),
        ratio: pair.show_ratio(),
        bar: Bar::of(pair.ratio, pair.ratio_low, pair.ratio_high),
        verdict: pair.verdict.words(),
        class: match pair.verdict {
            MachineVerdict::FasterMachine
            | MachineVerdict::SlowerMachine
            | MachineVerdict::NoDifference => "",
            MachineVerdict::Inconclusive => "warn",
            MachineVerdict::NoData => "soft",
        },
        rates: pair.show_rates(),
        difference: pair.show_difference(),
        pair,
    }
}
