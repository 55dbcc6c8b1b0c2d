//! Runs over time: the index, its trends, what has changed, what is kept.

mod alerts;
mod change_points;
mod index;
pub mod nights;
mod prune;
mod site;
mod told_on_page;
