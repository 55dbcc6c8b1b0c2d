//! One file over the network: resumed where it was cut, hashed as it comes, and taken only if its
//! digest is right.

use super::answer::{Asked, ended_early, length_without_range};
use super::client::{Client, Get, broken, head_of};
use super::meter::Meter;
use super::pace::{Watch, within_stall};
use super::sink::Sink;
use super::space::write_failure;
use super::trouble::{Patience, Trouble};
use crate::clock::Clock;
use crate::fetch::failure::Failure;
use crate::fetch::lock::Held;
use crate::fetch::request::{Teller, Told};
use crate::model::ArtifactFile;
use crate::model::units::show_seconds;
use reqwest::Response;
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderValue};
use std::path::Path;
use std::sync::Arc;

/// What a try must bring to be worth another one, if that is not all that was missing.
const PROGRESS: u64 = 64 * 1024;

/// A file that is to come over the network.
pub(super) struct Transfer<'a> {
    pub(super) client: &'a Client,
    pub(super) asked: Asked<'a>,
    /// What it is called in what is told.
    pub(super) name: &'a str,
    pub(super) get: Get,
    /// What may change behind the URL is asked for again only if it has not.
    pub(super) may_change: bool,
    pub(super) expected: &'a ArtifactFile,
    pub(super) partial: &'a Path,
    /// The lock under which the partial file is written.
    pub(super) held: Arc<Held>,
    pub(super) meter: &'a Meter,
    pub(super) tell: &'a Teller,
}

/// How a try ended that brought all it could.
enum End {
    Whole,
    /// The server has other bytes than those that are here.
    Changed,
}

impl Transfer<'_> {
    /// Brings the whole file. It lies at `partial` then, and is right.
    ///
    /// # Errors
    ///
    /// Returns the failure. What arrived is kept, but for what was wrong.
    pub(super) async fn run(mut self) -> Result<(), Failure> {
        let mut patience = Patience::default();
        let mut has_restarted = false;
        let mut sink = self.open().await?;
        loop {
            let before = sink.offset();
            let tried = if self.expected.bytes == Some(before) {
                Ok(End::Whole)
            } else {
                self.receive(&mut sink).await
            };
            let arrived = sink.offset();
            let wrong = match tried {
                Ok(End::Whole) => {
                    let hasher = sink.close().await;
                    let hasher =
                        hasher.map_err(|error| write_failure(self.partial, arrived, &error))?;
                    match hasher.mismatch(self.expected) {
                        None => return Ok(()),
                        Some(mismatch) => mismatch,
                    }
                }
                Ok(End::Changed) => {
                    drop(sink);
                    "it has changed since it was begun".to_owned()
                }
                Err(trouble) => {
                    if trouble.failure.may_heal {
                        let progressed = arrived - before >= PROGRESS;
                        let limits = &self.client.limits;
                        let trouble = trouble.of(self.name);
                        patience
                            .after(trouble, progressed, limits, self.tell)
                            .await?;
                        continue;
                    }
                    // The threads may know better what went wrong.
                    let closed = sink.close().await;
                    closed.map_err(|error| write_failure(self.partial, arrived, &error))?;
                    return Err(trouble.of(self.name).failure);
                }
            };
            self.meter.lost(arrived);
            self.get.validator = None;
            let _ = tokio::fs::remove_file(self.partial).await;
            if has_restarted {
                return Err(Failure::lasting(format!(
                    "{}: {wrong}, twice: what is sent is not what was announced; if that is new, \
                     something in between changes it",
                    self.name
                )));
            }
            has_restarted = true;
            (self.tell)(Told::Note(format!(
                "{}: {wrong}; from the beginning",
                self.name
            )));
            sink = self.open().await?;
        }
    }

    async fn open(&self) -> Result<Sink, Failure> {
        let sink = Sink::open(self.partial, self.expected, Some(Arc::clone(&self.held))).await;
        let sink = sink.map_err(|error| write_failure(self.partial, 0, &error))?;
        self.meter.found(sink.offset());
        Ok(sink)
    }

    /// Asks for what is missing, and takes what comes of it.
    async fn receive(&mut self, sink: &mut Sink) -> Result<End, Trouble> {
        let offset = sink.offset();
        self.get.offset = offset;
        let mut response = self.client.get(&self.get, self.asked).await?;
        if response.status().as_u16() == 416 {
            return self.nothing_further(&response, offset);
        }
        if self.may_change {
            if offset > 0 && self.get.validator.is_some() && response.status().as_u16() == 200 {
                return Ok(End::Changed);
            }
            self.get.validator = validator(&response);
        }
        let body = head_of(&response).body(offset, self.expected.bytes)?;
        let mut skip = body.skip;
        let limits = &self.client.limits;
        let mut watch = Watch::new(limits.stall);
        loop {
            let asked_at = limits.clock.now();
            let heard = within_stall(limits, response.chunk()).await;
            let waited = limits.clock.now().saturating_sub(asked_at);
            if body.total == Some(sink.offset()) {
                // All is here: whatever else comes, or does not end, is not of the file.
                break;
            }
            let Some(heard) = heard else {
                return Err(self.stalled(sink.offset(), body.total));
            };
            let Some(mut chunk) = heard.map_err(|error| broken(&error))? else {
                break;
            };
            let length = chunk.len();
            let known = usize::try_from(skip).map_or(length, |skip| skip.min(length));
            drop(chunk.split_to(known));
            skip -= known as u64;
            let room = body.total.map(|total| total.saturating_sub(sink.offset()));
            if let Some(Ok(room)) = room.map(usize::try_from) {
                chunk.truncate(room);
            }
            self.meter.arrived(chunk.len() as u64);
            if !chunk.is_empty() && !sink.take(chunk).await {
                return Err(Trouble::lasting("it cannot be written"));
            }
            watch.heard(waited, length)?;
        }
        match body.total {
            Some(total) if sink.offset() < total => Err(ended_early(sink.offset(), total)),
            _ => Ok(End::Whole),
        }
    }

    /// The server says that there are no bytes where we go on: all are here, or it has another file.
    fn nothing_further(&self, response: &Response, offset: u64) -> Result<End, Trouble> {
        let range = response.headers().get(CONTENT_RANGE);
        let range = range
            .and_then(|range| range.to_str().ok())
            .unwrap_or_default();
        match length_without_range(range) {
            Some(length) if length == offset => Ok(End::Whole),
            Some(length) => Err(Trouble::passing(format!(
                "{length} bytes are offered, and {offset} are here already"
            ))),
            None if self.may_change => Ok(End::Changed),
            None => Err(Trouble::passing(format!(
                "the bytes from {offset} on are not offered (HTTP 416)"
            ))),
        }
    }

    fn stalled(&self, arrived: u64, total: Option<u64>) -> Trouble {
        let stall = show_seconds(self.client.limits.stall.as_secs_f64());
        let total = total.map_or_else(String::new, |total| format!(" of {total}"));
        Trouble::passing(format!(
            "nothing came for {stall} after {arrived}{total} bytes"
        ))
    }
}

/// Returns what tells whether the file behind a URL is still the same. A weak validator cannot say
/// that of bytes.
fn validator(response: &Response) -> Option<HeaderValue> {
    let etag = response.headers().get(ETAG)?;
    (!etag.as_bytes().starts_with(b"W/")).then(|| etag.clone())
}
