//! What the head of an HTTP answer says: refusals in words, and where a body begins and ends.

use super::trouble::Trouble;
use crate::fetch::hub_access::HubAccess;
use crate::model::units::show_bytes;
use jiff::Timestamp;
use std::time::Duration;

/// What a server says of itself is cut after so many characters.
const LONGEST_MESSAGE: usize = 200;

/// An answer that is no success.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// `X-Error-Code` of a hub.
    pub(super) code: Option<String>,
    /// What the server says.
    pub(super) message: Option<String>,
    pub(super) retry_after: Option<Duration>,
}

/// Who gave an answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked<'a> {
    /// A hub, about a repository at a revision.
    Hub {
        access: &'a HubAccess,
        repository: &'a str,
        revision: &'a str,
    },
    /// A server that was named by a definition.
    Server,
    /// One that the first one sent us to, for a while.
    Redirected,
}

impl Refusal {
    /// Returns what it means, and what can be done about it.
    pub(super) fn trouble(&self, asked: Asked<'_>) -> Trouble {
        let status = self.status;
        let said = self.said();
        if matches!(status, 408 | 425 | 429 | 500..=599) {
            let what = if status == 429 {
                "too many requests"
            } else {
                "the server is in trouble"
            };
            return Trouble {
                wait: self.retry_after,
                ..Trouble::passing(format!("{what} (HTTP {status}){said}"))
            };
        }
        let Asked::Hub {
            access,
            repository,
            revision,
        } = asked
        else {
            let trouble = format!("refused (HTTP {status}){said}");
            return match asked {
                // Its permission was for a while; the first server gives another one.
                Asked::Redirected if matches!(status, 400..=499) => Trouble::passing(trouble),
                _ => Trouble::lasting(trouble),
            };
        };
        let endpoint = &access.endpoint;
        let has_token = access.token().is_some();
        let code = self.code.as_deref().unwrap_or_default();
        Trouble::lasting(match (status, code) {
            (401 | 403, "GatedRepo") if has_token => format!(
                "it is gated (HTTP {status}): accept its terms at {endpoint}/{repository} with the \
                 account of your token{said}"
            ),
            (401 | 403, "GatedRepo") => format!(
                "it is gated (HTTP {status}): accept its terms at {endpoint}/{repository}, and set \
                 HF_TOKEN to a token of that account{said}"
            ),
            (404, "RevisionNotFound") => {
                format!("it has no revision `{revision}` (HTTP 404): write one that it has")
            }
            (404, "EntryNotFound") => {
                "there is no such file (HTTP 404): does the list of its files say so?".to_owned()
            }
            (401, _) if has_token && code != "RepoNotFound" => format!(
                "the token is not accepted (HTTP 401): is it whole, and still valid? See \
                 {endpoint}/settings/tokens{said}"
            ),
            (401 | 404, _) if has_token => format!(
                "it is not there for this token (HTTP {status}): is `{repository}` its name, is \
                 `{revision}` a revision of it, and may the token read it?{said}"
            ),
            (401 | 404, _) => format!(
                "it is not there, or not for everybody (HTTP {status}): is `{repository}` its name, \
                 and `{revision}` a revision of it? If it is private, set HF_TOKEN to a token that \
                 may read it{said}"
            ),
            (403, _) if has_token => {
                format!("the token may not read it (HTTP 403): give it that right{said}")
            }
            (403, _) => format!(
                "it is forbidden (HTTP 403): set HF_TOKEN to a token that may read it{said}"
            ),
            _ => format!("refused (HTTP {status}){said}"),
        })
    }

    fn said(&self) -> String {
        let message = self.message.as_deref().unwrap_or_default().trim();
        if message.is_empty() {
            return String::new();
        }
        let cut: String = message.chars().take(LONGEST_MESSAGE).collect();
        format!("; it says: {cut}")
    }
}

/// Reads a `Retry-After` (RFC 9110, 10.2.3): seconds, or a date.
pub(super) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
    // One that has passed asks for no wait.
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

/// What the head of an answer says of the body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) content_length: Option<u64>,
    pub(super) content_range: Option<String>,
    pub(super) content_encoding: Option<String>,
    pub(super) content_type: Option<String>,
}

/// Which bytes of a file a body holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Body {
    /// How many of its first bytes are here already.
    pub(super) skip: u64,
    /// How long the file is, if that is known now.
    pub(super) total: Option<u64>,
}

impl Head {
    /// Returns which bytes come, of those that were asked for from `offset` on.
    ///
    /// # Errors
    ///
    /// Returns trouble if they cannot be those of the file.
    pub(super) fn body(&self, offset: u64, expected: Option<u64>) -> Result<Body, Trouble> {
        let encoding = self.content_encoding.as_deref().unwrap_or("identity");
        if encoding != "identity" {
            return Err(Trouble::passing(format!(
                "the bytes were sent as `{encoding}` although they were asked for as they are: is \
                 there a proxy in between?"
            )));
        }
        let content_type = self.content_type.as_deref().unwrap_or_default();
        if content_type.trim_start().starts_with("text/html") {
            return Err(Trouble::passing(
                "a web page came instead of the file: is there a page to log in to a network, or a \
                 proxy in between?",
            ));
        }
        let total = match self.status {
            200 => self.content_length,
            206 => self.part(offset)?,
            status => {
                return Err(Trouble::lasting(format!(
                    "answered with HTTP {status} where bytes were asked for"
                )));
            }
        };
        if let (Some(total), Some(expected)) = (total, expected)
            && total != expected
        {
            return Err(Trouble::passing(format!(
                "{total} bytes are offered, and {expected} are expected"
            )));
        }
        Ok(Body {
            // The server may not know how to send parts; then what is here comes again.
            skip: if self.status == 200 { offset } else { 0 },
            total: total.or(expected),
        })
    }

    /// Returns how long the file is of which a part comes.
    fn part(&self, offset: u64) -> Result<Option<u64>, Trouble> {
        let text = self.content_range.as_deref().unwrap_or_default();
        let range = content_range(text).filter(|range| range.first == offset);
        let wrong = || {
            Trouble::passing(format!(
                "bytes from {offset} on were asked for, and `{text}` is offered"
            ))
        };
        let range = range.ok_or_else(wrong)?;
        let length = range.last - range.first + 1;
        if self.content_length.is_some_and(|told| told != length)
            || range.total.is_some_and(|total| range.last >= total)
        {
            return Err(wrong());
        }
        Ok(range.total)
    }
}

/// A `Content-Range` (RFC 9110, 14.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ContentRange {
    first: u64,
    last: u64,
    total: Option<u64>,
}

fn content_range(text: &str) -> Option<ContentRange> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let range = ContentRange {
        first: first.trim().parse().ok()?,
        last: last.trim().parse().ok()?,
        total: match total.trim() {
            "*" => None,
            total => Some(total.parse().ok()?),
        },
    };
    (range.first <= range.last).then_some(range)
}

/// Returns how long a file is that has no bytes from an offset on, as a server says with status 416
/// and `Content-Range: bytes */LENGTH`.
pub(super) fn length_without_range(text: &str) -> Option<u64> {
    text.trim().strip_prefix("bytes */")?.trim().parse().ok()
}

/// Returns trouble with a length, in words.
pub(super) fn ended_early(arrived: u64, expected: u64) -> Trouble {
    Trouble::passing(format!(
        "the connection ended at {arrived} of {expected} bytes ({} are missing)",
        show_bytes(expected.saturating_sub(arrived))
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_read_as_seconds_and_as_a_date() {
        let now = Timestamp::from_second(784_111_777 - 5).unwrap();
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        for (text, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            (date, Some(5)),
            ("soon", None),
        ] {
            let wait = retry_after(text, now).map(|wait| wait.as_secs());
            assert_eq!(wait, seconds, "{text}");
        }
        let past = retry_after("Sun, 06 Nov 1993 08:49:37 GMT", now);
        assert!(past.is_none_or(|wait| wait.is_zero()));
    }

    #[test]
    fn only_the_bytes_that_were_asked_for_are_taken() {
        let part = |range: &str| Head {
            status: 206,
            content_range: Some(range.into()),
            ..Head::default()
        };
        let whole = |length| Head {
            status: 200,
            content_length: length,
            ..Head::default()
        };
        let takes = |head: Head, offset| head.body(offset, Some(100)).map(|body| body.skip);
        assert_eq!(takes(part("bytes 40-99/100"), 40), Ok(0));
        assert_eq!(takes(part("bytes 40-79/*"), 40), Ok(0));
        assert_eq!(takes(whole(Some(100)), 40), Ok(40));
        assert_eq!(takes(whole(None), 0), Ok(0));
        for (head, offset) in [
            (part("bytes 39-99/100"), 40),
            (part("bytes 40-99/101"), 40),
            (part("bytes 40-100/100"), 40),
            (part("40-99/100"), 40),
            (part("bytes 99-40/100"), 99),
            (whole(Some(99)), 0),
            (whole(Some(101)), 0),
            (
                Head {
                    content_length: Some(10),
                    ..part("bytes 40-99/100")
                },
                40,
            ),
            (
                Head {
                    content_type: Some("text/html; charset=utf-8".into()),
                    ..whole(None)
                },
                0,
            ),
            (
                Head {
                    content_encoding: Some("gzip".into()),
                    ..whole(None)
                },
                0,
            ),
        ] {
            let refused = head.body(offset, Some(100));
            assert!(
                refused.is_err_and(|trouble| trouble.failure.may_heal),
                "{head:?}"
            );
        }
        let nothing = Head {
            status: 204,
            ..Head::default()
        };
        assert!(
            nothing
                .body(0, None)
                .is_err_and(|trouble| !trouble.failure.may_heal)
        );
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let access = |token: Option<&str>| {
            HubAccess::from_environment(|name| match name {
                "HF_TOKEN" => token.map(Into::into),
                _ => None,
            })
        };
        let refused = |status, code: &str, token| {
            let refusal = Refusal {
                status,
                code: Some(code.into()),
                ..Refusal::default()
            };
            let trouble = refusal.trouble(Asked::Hub {
                access: &access(token),
                repository: "owner/name",
                revision: "v9",
            });
            assert!(!trouble.failure.may_heal);
            trouble.failure.reason
        };
        let gated = refused(403, "GatedRepo", None);
        assert!(gated.contains("accept its terms at https://huggingface.co/owner/name"));
        assert!(gated.contains("HF_TOKEN"));
        assert!(!refused(403, "GatedRepo", Some("t")).contains("HF_TOKEN"));
        assert!(refused(401, "RepoNotFound", None).contains("is `owner/name` its name"));
        assert!(refused(401, "", Some("t")).contains("not accepted"));
        assert!(refused(404, "RevisionNotFound", None).contains("no revision `v9`"));
        let expired = Refusal {
            status: 403,
            ..Refusal::default()
        };
        assert!(expired.trouble(Asked::Redirected).failure.may_heal);
        assert!(!expired.trouble(Asked::Server).failure.may_heal);
    }
}
