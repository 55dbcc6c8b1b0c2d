//! Our own requests: one client, bounded waits, statuses looked at, no credentials to strangers.

use super::answer::{Asked, Head, Refusal, retry_after};
use super::pace::within_stall;
use super::trouble::Trouble;
use crate::fetch::failure::Failure;
use crate::fetch::request::Limits;
use crate::model::units::show_seconds;
use jiff::Timestamp;
use reqwest::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    HeaderMap, HeaderName, HeaderValue, IF_RANGE, RANGE, RETRY_AFTER,
};
use reqwest::redirect::Policy;
use reqwest::{Response, Url};
use std::error::Error;
use std::time::Duration;

/// How long a connection may take to come about, if a stall is not shorter.
const CONNECT: Duration = Duration::from_secs(10);

/// Redirects that are followed: a hub needs two.
const REDIRECTS: usize = 10;

/// How much of a refusal's body is read for what it says.
const LONGEST_REFUSAL: usize = 64 * 1024;

/// What is asked for.
#[derive(Clone, Debug)]
pub(super) struct Get {
    pub(super) url: Url,
    /// For this URL's own host; redirects to others lose it.
    pub(super) authorization: Option<HeaderValue>,
    /// The first byte that is wanted.
    pub(super) offset: u64,
    /// Only a part of what has this validator is wanted, else all of it.
    pub(super) validator: Option<HeaderValue>,
}

impl Get {
    /// All that lies behind a URL.
    pub(super) fn all(url: Url, authorization: Option<HeaderValue>) -> Self {
        Self {
            url,
            authorization,
            offset: 0,
            validator: None,
        }
    }
}

/// Sends requests. Proxies are those of the environment.
#[derive(Clone, Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    pub(super) limits: Limits,
}

impl Client {
    /// Makes one.
    pub(super) fn new(limits: Limits) -> Result<Self, Failure> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT.min(limits.stall))
            // A connection for each file: one that stalls holds up no other, and none has to share
            // a window.
            .http1_only()
            .referer(false)
            .redirect(Policy::limited(REDIRECTS))
            .default_headers(headers)
            .user_agent(concat!("earmark/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| {
                Failure::lasting(format!("no requests can be made: {}", in_words(&error)))
            })?;
        Ok(Self { http, limits })
    }

    /// Returns the same client for others that send requests.
    pub(super) fn http(&self) -> reqwest::Client {
        self.http.clone()
    }

    /// Asks for something. Success, and 416, come back; everything else is trouble.
    pub(super) async fn get(&self, get: &Get, asked: Asked<'_>) -> Result<Response, Trouble> {
        let mut request = self.http.get(get.url.clone());
        if let Some(authorization) = &get.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if get.offset > 0 {
            request = request.header(RANGE, format!("bytes={}-", get.offset));
            if let Some(validator) = &get.validator {
                request = request.header(IF_RANGE, validator);
            }
        }
        let response = within_stall(&self.limits, request.send())
            .await
            .ok_or_else(|| self.no_answer())?
            .map_err(|error| broken(&error))?;
        let status = response.status().as_u16();
        if response.status().is_success() || (status == 416 && get.offset > 0) {
            return Ok(response);
        }
        let asked = if is_same_server(response.url(), &get.url) {
            asked
        } else {
            Asked::Redirected
        };
        Err(self.refusal(response).await.trouble(asked))
    }

    fn no_answer(&self) -> Trouble {
        let stall = show_seconds(self.limits.stall.as_secs_f64());
        Trouble::passing(format!("no answer within {stall}"))
    }

    async fn refusal(&self, response: Response) -> Refusal {
        let header = |name: &str| {
            let value = response.headers().get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let wait = header(RETRY_AFTER.as_str());
        let mut refusal = Refusal {
            status: response.status().as_u16(),
            code: header("x-error-code"),
            message: header("x-error-message"),
            retry_after: wait.and_then(|wait| retry_after(&wait, Timestamp::now())),
        };
        if refusal.message.is_none() {
            // A body that cannot be had says nothing.
            let body = self.read(response, LONGEST_REFUSAL).await.ok();
            refusal.message = body.and_then(|body| {
                let json: serde_json::Value = serde_json::from_slice(&body).ok()?;
                Some(json.get("error")?.as_str()?.to_owned())
            });
        }
        refusal
    }

    /// Reads a body that is not long.
    pub(super) async fn read(
        &self,
        mut response: Response,
        most: usize,
    ) -> Result<Vec<u8>, Trouble> {
        let mut body = Vec::new();
        while let Some(chunk) = within_stall(&self.limits, response.chunk())
            .await
            .ok_or_else(|| self.no_answer())?
            .map_err(|error| broken(&error))?
        {
            if body.len() + chunk.len() > most {
                return Err(Trouble::lasting(format!("more than {most} bytes came")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// Returns what the head of an answer says of its body.
pub(super) fn head_of(response: &Response) -> Head {
    let text = |name: HeaderName| {
        let value = response.headers().get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    Head {
        status: response.status().as_u16(),
        content_length: text(CONTENT_LENGTH).and_then(|length| length.parse().ok()),
        content_range: text(CONTENT_RANGE),
        content_encoding: text(CONTENT_ENCODING),
        content_type: text(CONTENT_TYPE),
    }
}

/// Returns the header that carries a token.
pub(super) fn bearer(token: &str) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| {
        Failure::lasting(
            "the token holds characters that no token has: see HF_TOKEN, or the token's file",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Returns whether two URLs lead to the same server, so that one may be told what is for the other.
pub(super) fn is_same_server(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host_str() == other.host_str()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// Returns a URL without what may be secret in it: user, password and query.
pub(super) fn shown(url: &Url) -> String {
    let mut shown = url.clone();
    // Both fail only for URLs that have no host, and no user either.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_query(None);
    shown.set_fragment(None);
    shown.into()
}

/// Returns the trouble that an error of a request or of a body is.
pub(super) fn broken(error: &reqwest::Error) -> Trouble {
    let words = in_words(error);
    if error.is_redirect() {
        Trouble::lasting(format!("it was sent in circles: {words}"))
    } else if error.is_builder() {
        Trouble::lasting(words)
    } else if error.is_connect() {
        Trouble::passing(format!("no connection: {words}"))
    } else {
        Trouble::passing(format!("the connection broke: {words}"))
    }
}

/// Returns the innermost reason of an error. The outer ones name URLs, with what may be secret in
/// them.
fn in_words(error: &reqwest::Error) -> String {
    let mut innermost: &dyn Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    if innermost.is::<reqwest::Error>() {
        return if error.is_timeout() {
            "it took too long".into()
        } else {
            "for a reason that is not told".into()
        };
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_secret_in_a_url_is_not_shown() {
        let url = Url::parse("https://me:pass@host:1/a/b.bin?Signature=s#f").unwrap();
        assert_eq!(shown(&url), "https://host:1/a/b.bin");
    }

    #[test]
    fn another_port_or_scheme_is_another_server() {
        let parsed = |url: &str| Url::parse(url).unwrap();
        let hub = parsed("https://hub/a");
        assert!(is_same_server(&hub, &parsed("https://hub:443/b")));
        for other in ["https://hub:444/a", "http://hub:443/a", "https://cdn/a"] {
            assert!(!is_same_server(&hub, &parsed(other)), "{other}");
        }
    }
}
