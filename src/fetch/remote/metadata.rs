//! Which commit a revision stands for, by `hf-hub`.
//!
//! It has no time limits, reads the environment where it is told nothing, and retries in ways of its
//! own. So everything is passed to it, it tries once, and the wait for it is bounded.

use super::answer::{Asked, Refusal};
use super::client::{Client, broken};
use super::pace::within_stall;
use super::trouble::Trouble;
use crate::fetch::request::HubRequest;
use crate::model::units::show_seconds;
use crate::store::is_commit;
use hf_hub::{HFClient, HFError};
use std::error::Error;
use std::time::Duration;

/// Asks the hub which commit a revision stands for.
pub(super) async fn resolve(client: &Client, request: &HubRequest) -> Result<String, Trouble> {
    let access = &request.access;
    let mut builder = HFClient::builder()
        .endpoint(access.endpoint.clone())
        .cache_dir(request.cache.root.clone())
        .cache_enabled(false)
        .retry_max_attempts(0)
        .retry_base_delay(Duration::from_millis(1))
        .client(client.http());
    if let Some(token) = access.token() {
        builder = builder.token(token);
    }
    let hub = builder
        .build()
        .map_err(|error| Trouble::lasting(format!("{}: {error}", access.endpoint)))?;
    let (owner, name) = hf_hub::split_id(&request.repository);
    let model = hub.model(owner, name);
    let asking = model.info().revision(request.revision.as_str()).send();
    let info = within_stall(&client.limits, asking)
        .await
        .ok_or_else(|| {
            let stall = show_seconds(client.limits.stall.as_secs_f64());
            Trouble::passing(format!("no answer within {stall}"))
        })?
        .map_err(|error| trouble(&error, request))?;
    info.sha
        .filter(|sha| is_commit(sha))
        .ok_or_else(|| Trouble::passing("it does not say which commit that is"))
}

/// Returns what an error of `hf-hub` means. Its own texts name addresses and quote bodies.
fn trouble(error: &HFError, request: &HubRequest) -> Trouble {
    let (context, retry_after) = match error {
        HFError::Http { context }
        | HFError::AuthRequired { context }
        | HFError::Forbidden { context }
        | HFError::Conflict { context }
        | HFError::RepoNotFound {
            context: Some(context),
            ..
        }
        | HFError::RevisionNotFound {
            context: Some(context),
            ..
        } => (context, None),
        HFError::RateLimited {
            retry_after,
            context,
        } => (context, *retry_after),
        HFError::Request { source, .. } if !is_nonsense(source) => return broken(source),
        HFError::Request { .. } | HFError::Json(_) | HFError::MalformedResponse { .. } => {
            return Trouble::passing("what it says of itself is not what a hub says: is it one?");
        }
        other => return Trouble::lasting(other.to_string()),
    };
    let refusal = Refusal {
        status: context.status.as_u16(),
        code: context.error_code.clone(),
        message: context.server_message.clone(),
        retry_after,
    };
    refusal.trouble(Asked::Hub {
        access: &request.access,
        repository: &request.repository,
        revision: &request.revision,
    })
}

/// Returns whether an answer came whole and could not be read.
fn is_nonsense(error: &reqwest::Error) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        if error.is::<serde_json::Error>() {
            return true;
        }
        source = error.source();
    }
    false
}
