//! The page, as it is read: its text, and in a real browser what its script does.

mod accessibility;
mod browser;
mod explore;
mod golden;
mod hostile;
mod records;
mod scale;
mod screenshots;
mod templates;
mod text;
