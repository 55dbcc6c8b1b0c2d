//! The `earmark` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything else: a child's shim and a worker are this same program under a hidden verb,
    // and must not pay for a command line, a runtime or a logger.
    if let Some(status) = earmark::hidden_verb(std::env::args_os()) {
        return status;
    }
    earmark::cli::main(std::env::args_os()).into()
}
