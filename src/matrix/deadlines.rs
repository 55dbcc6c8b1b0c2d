//! The limits of a matrix: from what is written to what holds, and what contradicts itself.

use super::axes::located_value;
use super::duration_text::DurationText;
use super::wire_deadlines::{DeadlinesWire, OverrideWire};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{DeadlineOverride, Deadlines};
use crate::yaml::{Document, Located, LocatedValue};
use std::time::Duration;

type Written = Option<Located<DurationText>>;

/// Returns the limits with the defaults filled in. The backends and models that overrides name go
/// into `names`, contradictions into `problems`.
pub(super) fn resolve_deadlines(
    wire: &DeadlinesWire,
    document: &Document,
    names: &mut Vec<(&'static str, LocatedValue)>,
    problems: &mut Diagnostics,
) -> Deadlines {
    let mut deadlines = Deadlines::default();
    let set = |target: &mut Duration, written: &Written| {
        if let Some(duration) = duration(written) {
            *target = duration;
        }
    };
    set(&mut deadlines.start, &wire.start);
    set(&mut deadlines.verify.tiny, &wire.verify.tiny);
    set(&mut deadlines.verify.base, &wire.verify.base);
    set(&mut deadlines.verify.small, &wire.verify.small);
    set(&mut deadlines.verify.medium, &wire.verify.medium);
    set(&mut deadlines.verify.large, &wire.verify.large);
    set(&mut deadlines.load, &wire.load);
    set(&mut deadlines.benchmark_floor, &wire.benchmark.floor);
    set(
        &mut deadlines.benchmark_per_audio_second,
        &wire.benchmark.per_audio_second,
    );
    set(&mut deadlines.download_stall, &wire.download.stall);
    set(&mut deadlines.download_total, &wire.download.total);
    set(&mut deadlines.grace, &wire.grace);
    deadlines.job = duration(&wire.job);
    if let Some(share) = wire.slow {
        deadlines.slow = share.0;
    }
    check_download(wire, &deadlines, document, problems);
    for written in [
        &wire.start,
        &wire.verify.tiny,
        &wire.verify.base,
        &wire.verify.small,
        &wire.verify.medium,
        &wire.verify.large,
        &wire.load,
        &wire.download.total,
        &wire.job,
    ] {
        lint_zero(written, document, problems);
    }
    for entry in &wire.overrides {
        for (kind, name) in [
            ("backend", &entry.value.backend),
            ("model", &entry.value.model),
        ] {
            let located = name
                .as_ref()
                .and_then(|name| located_value(kind, name.node, document));
            names.extend(located.map(|located| (kind, located)));
        }
        lint_override(entry, document, problems);
        deadlines.overrides.push(DeadlineOverride {
            backend: entry.value.backend.as_ref().map(|name| name.value.clone()),
            model: entry.value.model.as_ref().map(|name| name.value.clone()),
            start: duration(&entry.value.start),
            verify: duration(&entry.value.verify),
            load: duration(&entry.value.load),
            benchmark: duration(&entry.value.benchmark),
            job: duration(&entry.value.job),
        });
    }
    deadlines
}

fn duration(written: &Written) -> Option<Duration> {
    written.as_ref().map(|located| located.value.0)
}

/// A download that may stand still for longer than it may take never stalls: one of the two limits
/// is not what was meant. The default of the other is no contradiction.
fn check_download(
    wire: &DeadlinesWire,
    deadlines: &Deadlines,
    document: &Document,
    problems: &mut Diagnostics,
) {
    let Some(stall) = &wire.download.stall else {
        return;
    };
    if deadlines.download_stall <= deadlines.download_total {
        return;
    }
    problems.push(
        Diagnostic::error(
            Some(document.span(stall.node)),
            format!(
                "a download may stand still for {}, and ends after {} in any case",
                humantime::format_duration(deadlines.download_stall),
                humantime::format_duration(deadlines.download_total),
            ),
        )
        .label("longer than `total`")
        .path(document.path(stall.node))
        .hint("make `stall` shorter than `total`, or raise `total`"),
    );
}

/// No time at all is allowed, so that a limit can be tried out; it is hardly ever meant.
fn lint_zero(written: &Written, document: &Document, problems: &mut Diagnostics) {
    if let Some(located) = written
        && located.value.0.is_zero()
    {
        problems.push(
            Diagnostic::warning(
                Some(document.span(located.node)),
                "nothing can be done in no time: every job under this limit times out",
            )
            .path(document.path(located.node))
            .hint("raise it, unless that is what is tried out"),
        );
    }
}

fn lint_override(entry: &Located<OverrideWire>, document: &Document, problems: &mut Diagnostics) {
    let wire = &entry.value;
    for written in [&wire.start, &wire.verify, &wire.load, &wire.job] {
        lint_zero(written, document, problems);
    }
    let limits = [
        &wire.start,
        &wire.verify,
        &wire.load,
        &wire.benchmark,
        &wire.job,
    ];
    let sets_nothing = limits.iter().all(|written| written.is_none());
    if document.is_damaged(entry.node) {
        return;
    }
    let (message, hint) = if sets_nothing {
        (
            "this override sets no limit",
            "add start, verify, load, benchmark or job, or take the entry out",
        )
    } else if wire.backend.is_none() && wire.model.is_none() {
        (
            "this override holds for every backend and every model",
            "name a backend or a model in it, or write its limits above `overrides:`",
        )
    } else {
        return;
    };
    problems.push(
        Diagnostic::warning(Some(document.span(entry.node)), message)
            .path(document.path(entry.node))
            .hint(hint),
    );
}
