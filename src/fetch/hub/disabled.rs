//! Hub sources, left out of this build.

use super::HubRequest;
use std::path::Path;
use std::time::Duration;

/// Refuses: this build has no hub.
///
/// # Errors
///
/// Always, with the remedy.
pub async fn fetch_hub(
    request: &HubRequest<'_>,
    _folder: &Path,
    _stall: Duration,
    _progress: impl Fn(String),
) -> Result<(), String> {
    Err(format!(
        "{} cannot be reached: this build has no hub; build it with the feature `hub`",
        request.repository
    ))
}
