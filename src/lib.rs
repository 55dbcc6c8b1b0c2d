//! Earmark: which speech recognizer, which model, which quantization, on this machine.
//!
//! A matrix file becomes a plan, a plan becomes events, events become a record, a record becomes
//! reports. Each arrow is a type, and nothing flows back:
//!
//! ```text
//! matrix ─▶ plan ─▶ exec ─▶ RunEvent ─┬▶ record (journal, first and durable)
//!            ▲         │  ▲           └▶ ui     (progress, second and best effort)
//!   catalog, corpus    ▼  │ protocol
//!                   shim ─▶ worker ─▶ engine
//!
//! journal ─fold─▶ RunRecord ─score─▶ WER, RTFx, intervals ─report─▶ CSV, HTML
//! ```
//!
//! `ARCHITECTURE.md` says what each room is for and who may import whom; a test keeps it true.

pub mod catalog;
pub mod cli;
pub mod clock;
pub mod cluster;
pub mod compare;
pub mod corpus;
pub mod diagnostic;
pub mod engine;
pub mod event;
pub mod exec;
pub mod fetch;
pub mod history;
pub mod lockfile;
pub mod machine;
pub mod matrix;
pub mod model;
pub mod plan;
pub mod protocol;
pub mod record;
pub mod report;
pub mod schema;
pub mod score;
pub mod sharing;
pub mod shim;
pub mod store;
pub mod ui;
pub mod worker;
pub mod yaml;

use std::ffi::OsString;
use std::process::ExitCode;

/// Runs a hidden verb if the arguments ask for one: the shim that every child runs under, or the
/// worker that hosts a built-in engine. Returns `None` for every other command line.
pub fn hidden_verb(mut arguments: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    let _program = arguments.next();
    match arguments.next()?.to_str()? {
        shim::VERB => Some(shim::main(arguments)),
        worker::VERB => Some(worker::main(arguments)),
        _ => None,
    }
}
