//! A comparison as a page: one file, no network, no script. What is common to the pages of comparisons.

use super::pairs::Pair;
use super::rules::Verdict;
use super::speed::Speed;
use super::{Against, Comparison};
use crate::report::write_escaped;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use serde::Serialize;

const PAGE: &str = "compare.html.j2";

/// The templates; pages have the report's own style sheet.
const TEMPLATES: [(&str, &str); 4] = [
    (
        PAGE,
        include_str!("../../reports/templates/compare.html.j2"),
    ),
    (
        "machines.html.j2",
        include_str!("../../reports/templates/machines.html.j2"),
    ),
    (
        "ratio.html.j2",
        include_str!("../../reports/templates/ratio.html.j2"),
    ),
    (
        "style.css.j2",
        include_str!("../../reports/templates/style.css.j2"),
    ),
];

/// Rows of a table that are shown: what nobody can read on a page stands in the JSON.
pub(super) const MOST_ROWS: usize = 2000;

/// The ratios at the two ends of the picture of a row.
const PICTURE: (f64, f64) = (0.5, 2.0);
/// The width of that picture.
const WIDTH: f64 = 120.0;

/// Why the page could not be made: a fault of the template.
#[derive(Debug, thiserror::Error)]
#[error("the page could not be made: {0:#}")]
pub struct PageError(#[from] minijinja::Error);

#[derive(Serialize)]
struct PageView<'a> {
    comparison: &'a Comparison,
    rule: String,
    against: Vec<AgainstView<'a>>,
    /// For several runs, a row for each row of the first, with what each run says of it.
    side_by_side: Vec<(&'a str, Vec<Option<CellView>>)>,
}

#[derive(Serialize)]
struct AgainstView<'a> {
    against: &'a Against,
    headline: String,
    tables: Vec<(&'static str, Vec<PairView<'a>>)>,
    left_out: usize,
    remarks: Vec<(&'a str, &'static str, &'static str, &'a str)>,
    failed: usize,
}

#[derive(Serialize)]
struct PairView<'a> {
    pair: &'a Pair,
    times: String,
    ratio: String,
    bar: Option<Bar>,
    speed: CellView,
    rates: String,
    difference: String,
    accuracy: CellView,
    texts: String,
}

#[derive(Serialize)]
struct CellView {
    words: String,
    /// A class of the style sheet.
    class: &'static str,
    ratio: String,
}

/// Places in the picture of a row.
#[derive(Serialize)]
pub(super) struct Bar {
    width: f64,
    /// Where there is no difference.
    one: f64,
    low: f64,
    middle: f64,
    high: f64,
}

impl Bar {
    /// Returns the picture of a ratio and the ends of its interval; `None` without one.
    pub(super) fn of(ratio: Option<f64>, low: Option<f64>, high: Option<f64>) -> Option<Self> {
        Some(Self {
            width: WIDTH,
            one: place(1.0),
            low: place(low?),
            middle: place(ratio?),
            high: place(high?),
        })
    }
}

/// Returns the page.
///
/// # Errors
///
/// Fails if the template is at fault.
pub fn render_page(comparison: &Comparison) -> Result<String, PageError> {
    let view = PageView {
        comparison,
        rule: comparison.rule_in_words(),
        against: comparison.against.iter().map(against).collect(),
        side_by_side: side_by_side(comparison),
    };
    render(PAGE, view)
}

/// Returns the page that a template makes of a view.
pub(super) fn render(page: &str, view: impl Serialize) -> Result<String, PageError> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()?,
    );
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_formatter(|output, _, value| write_escaped(output, value));
    environment.add_filter("plain", |number: f64| format!("{number:.1}"));
    for (name, text) in TEMPLATES {
        environment.add_template(name, text)?;
    }
    Ok(environment
        .get_template(page)?
        .render(Value::from(Serde(view)))?)
}

fn against(against: &Against) -> AgainstView<'_> {
    let rows: Vec<PairView<'_>> = against.rows.iter().take(MOST_ROWS).map(pair).collect();
    let sets: Vec<PairView<'_>> = against.sets_of_several().into_iter().map(pair).collect();
    let mut tables = Vec::new();
    if !sets.is_empty() {
        tables.push(("Taken together", sets));
    }
    tables.push(("Row by row", rows));
    let gates = against.gates.iter().flatten();
    AgainstView {
        headline: against.headline(),
        tables,
        left_out: against.rows.len().saturating_sub(MOST_ROWS),
        remarks: against
            .remarks()
            .into_iter()
            .map(|(row, about, verdict, reason)| (row, about, verdict.words(), reason))
            .collect(),
        failed: gates.filter(|gate| !gate.passed).count(),
        against,
    }
}

fn pair(pair: &Pair) -> PairView<'_> {
    PairView {
        times: pair.speed.show_times(),
        ratio: pair.speed.show_ratio(),
        bar: Bar::of(
            pair.speed.ratio,
            pair.speed.ratio_low,
            pair.speed.ratio_high,
        ),
        speed: speed_cell(&pair.speed),
        rates: pair.accuracy.show_rates(),
        difference: pair.accuracy.show_difference(),
        accuracy: cell(pair.accuracy.verdict, &pair.speed),
        texts: pair.accuracy.show_texts(),
        pair,
    }
}

/// Returns the verdict on a speed, with its resolution where it is the same.
fn speed_cell(speed: &Speed) -> CellView {
    CellView {
        words: speed.show_verdict(),
        ..cell(speed.verdict, speed)
    }
}

fn cell(verdict: Verdict, speed: &Speed) -> CellView {
    CellView {
        words: verdict.words().to_owned(),
        class: match verdict {
            Verdict::Better => "good",
            Verdict::Worse => "bad",
            Verdict::Same => "",
            Verdict::Inconclusive => "warn",
            Verdict::NoData => "soft",
        },
        ratio: speed
            .ratio
            .map_or_else(String::new, |ratio| format!("{ratio:.3}")),
    }
}

/// Returns where a ratio stands in the picture, on a scale on which double and half are as far from
/// one.
fn place(ratio: f64) -> f64 {
    let (left, right) = PICTURE;
    let share = (ratio.clamp(left, right) / left).ln() / (right / left).ln();
    (share * WIDTH * 10.0).round() / 10.0
}

fn side_by_side(comparison: &Comparison) -> Vec<(&str, Vec<Option<CellView>>)> {
    if comparison.against.len() < 2 {
        return Vec::new();
    }
    comparison
        .side_by_side()
        .into_iter()
        .take(MOST_ROWS)
        .map(|(name, pairs)| {
            let cells = pairs
                .into_iter()
                .map(|pair| pair.map(|pair| speed_cell(&pair.speed)));
            (name, cells.collect())
        })
        .collect()
}
