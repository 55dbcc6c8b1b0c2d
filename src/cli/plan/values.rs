//! Combinations as people read them: what all have in common is said once.

use crate::model::Plan;
use crate::ui::printable;
use std::collections::{BTreeMap, BTreeSet};

/// The axes on which all combinations of some plans have one value.
pub(super) struct Common(BTreeMap<String, String>);

impl Common {
    /// Finds them.
    pub(super) fn of(plans: &[&Plan]) -> Self {
        let mut common: Option<BTreeMap<String, String>> = None;
        for plan in plans {
            for position in 0..plan.combinations.len() {
                let values = plan.values(position);
                match &mut common {
                    None => {
                        let owned = values
                            .into_iter()
                            .map(|(name, value)| (name.to_owned(), value.written.clone()));
                        common = Some(owned.collect());
                    }
                    Some(common) => common.retain(|name, written| {
                        values
                            .iter()
                            .any(|(axis, value)| axis == name && value.written == *written)
                    }),
                }
            }
        }
        Self(common.unwrap_or_default())
    }

    /// Returns what all have in common, in the order of a plan's axes; empty if nothing.
    pub(super) fn in_words(&self, plan: &Plan) -> String {
        let pairs: Vec<String> = plan
            .values(0)
            .into_iter()
            .filter(|(name, _)| self.0.contains_key(*name))
            .map(|(name, value)| pair(name, &value.written))
            .collect();
        pairs.join(" ")
    }

    /// Returns the values of a combination that are not common to all.
    pub(super) fn rest(&self, plan: &Plan, position: usize) -> String {
        let pairs: Vec<String> = plan
            .values(position)
            .into_iter()
            .filter(|(name, _)| !self.0.contains_key(*name))
            .map(|(name, value)| pair(name, &value.written))
            .collect();
        if pairs.is_empty() {
            "the values that all have".into()
        } else {
            pairs.join(" ")
        }
    }

    /// Returns some combinations as one product of values, such as `audio=a|b × threads=1|2`, if
    /// they are one.
    pub(super) fn product(&self, plan: &Plan, positions: &[usize]) -> Option<String> {
        let mut axes: Vec<(&str, Vec<&str>)> = Vec::new();
        let mut seen = BTreeSet::new();
        for (count, position) in positions.iter().enumerate() {
            let values: Vec<(&str, &str)> = plan
                .values(*position)
                .into_iter()
                .filter(|(name, _)| !self.0.contains_key(*name))
                .map(|(name, value)| (name, value.written.as_str()))
                .collect();
            if count == 0 {
                axes = values.iter().map(|(name, _)| (*name, Vec::new())).collect();
            }
            if values.len() != axes.len() {
                return None;
            }
            for ((name, known), (axis, written)) in axes.iter_mut().zip(&values) {
                if name != axis {
                    return None;
                }
                if !known.contains(written) {
                    known.push(written);
                }
            }
            seen.insert(values);
        }
        let product = axes.iter().try_fold(1usize, |product, (_, values)| {
            product.checked_mul(values.len())
        })?;
        (product == seen.len() && seen.len() == positions.len() && !axes.is_empty()).then(|| {
            let shown: Vec<String> = axes
                .iter()
                .map(|(name, values)| {
                    let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
                    format!("{}={}", printable(name), values.join("|"))
                })
                .collect();
            shown.join(" × ")
        })
    }
}

fn pair(name: &str, written: &str) -> String {
    format!("{}={}", printable(name), quoted(written))
}

/// Returns a value as one word.
fn quoted(written: &str) -> String {
    let shown = printable(written);
    if shown.is_empty() || shown.contains(' ') {
        format!("“{shown}”")
    } else {
        shown
    }
}
