//! Why a fetch came to nothing, and whether it is worth trying again.

/// Why a fetch came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The reason in words, with the place and the remedy.
    pub reason: String,
    /// Whether the same may go well a little later. What was refused or is not what it should be
    /// stays so until somebody does something about it.
    pub may_heal: bool,
}

impl Failure {
    /// A failure that trying again would not mend.
    #[must_use]
    pub fn lasting(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            may_heal: false,
        }
    }

    /// A failure that may pass by itself.
    #[must_use]
    pub fn passing(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            may_heal: true,
        }
    }
}
