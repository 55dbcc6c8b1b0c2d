//! Hubs and URLs, left out of this build.

use super::failure::Failure;
use super::request::{Arrived, HubRequest, Limits, ResolvedHub, Teller, UrlRequest};

/// Refuses: this build reaches no hub.
///
/// # Errors
///
/// Always, with the remedy.
pub async fn fetch_hub(
    request: HubRequest,
    _limits: Limits,
    _tell: Teller,
) -> Result<u64, Failure> {
    Err(refusal(&request.repository))
}

/// Refuses: this build reaches no hub.
///
/// # Errors
///
/// Always, with the remedy.
pub async fn resolve_hub(
    request: HubRequest,
    _limits: Limits,
    _tell: Teller,
) -> Result<ResolvedHub, Failure> {
    Err(refusal(&request.repository))
}

/// Refuses: this build reaches no URL.
///
/// # Errors
///
/// Always, with the remedy.
pub async fn fetch_url(
    _request: UrlRequest,
    _limits: Limits,
    _tell: Teller,
) -> Result<Arrived, Failure> {
    Err(refusal("the URL"))
}

fn refusal(what: &str) -> Failure {
    Failure::lasting(format!(
        "{what} cannot be reached: this build has no network code; build it with the feature `hub`, \
         or put the files where a `path` source names them"
    ))
}
