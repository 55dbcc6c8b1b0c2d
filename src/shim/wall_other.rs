//! No network wall on this system yet: a child that asks for one is not started.

/// The name of this kind of wall.
pub(super) const NAME: &str = "none";

/// Refuses, because nothing on this system keeps a child from a network.
pub(super) fn raise() -> Result<(), String> {
    Err("this system has no network wall that this program knows".into())
}
