//! What was found, and what to do about it.

use serde::Serialize;

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    /// As it should be.
    Ok,
    /// Something to know, which keeps nothing from running.
    Note,
    /// Something to mend.
    Problem,
}

impl State {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Problem => "PROBLEM",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// What it belongs to, such as `machine`.
    pub(super) area: &'static str,
    /// What it is.
    pub(super) name: String,
    /// How it stands.
    pub(super) state: State,
    /// What was found.
    pub(super) found: String,
    /// What helps; empty if nothing has to be done.
    pub(super) mend: String,
}

impl Finding {
    fn of(
        state: State,
        (area, name): (&'static str, &str),
        found: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self {
            area,
            name: name.to_owned(),
            state,
            found: found.into(),
            mend: mend.into(),
        }
    }

    pub(super) fn ok(area: &'static str, name: &str, found: impl Into<String>) -> Self {
        Self::of(State::Ok, (area, name), found, "")
    }

    pub(super) fn note(
        area: &'static str,
        name: &str,
        found: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self::of(State::Note, (area, name), found, mend)
    }

    pub(super) fn problem(
        area: &'static str,
        name: &str,
        found: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self::of(State::Problem, (area, name), found, mend)
    }
}
