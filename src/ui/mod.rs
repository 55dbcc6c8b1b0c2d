//! What people see: standard output is data, standard error is everything else.

mod diagnostics;
mod progress;
mod table;
mod text;

pub use diagnostics::render_diagnostics;
pub use progress::Progress;
pub use table::Table;
pub use text::printable;
