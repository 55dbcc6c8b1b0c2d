//! The page, as it is read: its text, and in a real browser what its script does.

mod accessibility;
pub mod browser;
mod explore;
mod golden;
mod hostile;
mod records;
mod scale;
mod screenshots;
mod templates;
pub mod text;
