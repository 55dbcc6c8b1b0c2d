//! What a user would miss if it broke: the program as it is run, real processes, real engines.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod adaptive;
mod architecture;
mod bootstrap_oracle;
mod bridges;
mod calibrate;
mod catalog;
mod cli;
mod cluster;
mod combinations;
mod commands;
mod compare;
mod conformance;
mod diagnostics;
mod doctor;
mod elsewhere;
#[cfg(feature = "whisper-cpp")]
mod engines;
mod examples;
mod execute;
mod formats;
mod generated;
mod history;
mod hostile;
#[cfg(feature = "hub")]
mod hub;
mod init;
mod invalid;
mod isolation;
mod language;
mod lock;
mod machine;
mod matrices;
mod merge;
mod merge_replace;
mod mutations;
mod nightly;
mod page;
mod plan;
mod plan_file;
mod policies;
mod properties;
mod readme;
mod record;
mod report;
mod repository;
mod resume;
mod resume_decisions;
mod scale;
mod scheduler;
mod schemas;
mod score;
mod score_inputs;
mod score_oracle;
mod shards;
mod sharing;
mod shim;
mod statistics_oracle;
mod support;
mod trust;
mod verify;
