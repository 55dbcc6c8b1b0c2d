//! A connection to the hub: HTTP/1.1 by hand.

use super::fault::{At, Fault};
use super::server::{Asked, COMMIT, Content, REPOSITORY, Shared, decoded, hexadecimal};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// How much is sent at a time.
const PIECE: usize = 64 * 1024;

/// The end of a connection.
pub(super) struct Over;

pub(super) struct Connection<'a> {
    pub(super) stream: TcpStream,
    lines: BufReader<TcpStream>,
    pub(super) shared: &'a Shared,
    pub(super) of_cdn: bool,
    /// The position in the file of what is sent next.
    position: usize,
}

impl<'a> Connection<'a> {
    pub(super) fn new(stream: TcpStream, shared: &'a Shared, of_cdn: bool) -> Self {
        // What a killed client has not read should be little.
        rustix::net::sockopt::set_socket_send_buffer_size(&stream, PIECE).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            lines: BufReader::new(stream.try_clone().unwrap()),
            stream,
            shared,
            of_cdn,
            position: 0,
        }
    }

    pub(super) fn serve(mut self) {
        while let Some(asked) = self.request() {
            self.shared.state.lock().unwrap().asked.push(asked.clone());
            if self.answer(&asked).is_err() {
                return;
            }
        }
    }

    fn request(&mut self) -> Option<Asked> {
        let mut line = String::new();
        self.lines.read_line(&mut line).ok()?;
        let mut words = line.split_whitespace();
        let mut asked = Asked {
            method: words.next()?.to_owned(),
            target: words.next()?.to_owned(),
            of_cdn: self.of_cdn,
            ..Asked::default()
        };
        loop {
            let mut line = String::new();
            self.lines.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            asked
                .headers
                .insert(name.to_lowercase(), value.trim().to_owned());
        }
        let length = asked.headers.get("content-length");
        let length = length.and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        self.lines.read_exact(&mut body).ok()?;
        Some(asked)
    }

    fn answer(&mut self, asked: &Asked) -> Result<(), Over> {
        let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
        let path = decoded(path);
        let state = self.shared.state.lock().unwrap();
        let may = state.token.as_ref().is_none_or(|token| {
            self.of_cdn || asked.headers.get("authorization") == Some(&format!("Bearer {token}"))
        });
        let files = state.files.clone();
        let page = state.page;
        drop(state);
        if !may {
            let code = "X-Error-Code: RepoNotFound\r\n";
            return self.send(
                asked,
                401,
                code,
                br#"{"error": "Invalid username or password."}"#,
            );
        }
        if let Some(digest) = path.strip_prefix("/cdn/") {
            let content = files.values().find(|content| content.sha256 == digest);
            let content = content.unwrap().clone();
            // Its own tag looks like a digest and is none of the content.
            let tag = hexadecimal(&Sha256::digest(digest));
            let headers = format!("ETag: \"{tag}\"\r\nAccept-Ranges: bytes\r\n");
            let fault = self.fault(&[At::Bytes, At::AnyBytes]);
            return self.file(asked, &content, &headers, fault);
        }
        let api = format!("/api/models/{REPOSITORY}");
        if let Some(rest) = path.strip_prefix(&api) {
            let revision = rest.rsplit('/').next().unwrap_or_default();
            let knows = matches!(revision, "" | "main" | "v1") || revision == COMMIT;
            if !knows {
                return self.missing(asked, "RevisionNotFound");
            }
            if rest.starts_with("/tree/") {
                return self.tree(asked, &files, query, page);
            }
            return self.info(asked, &files);
        }
        let resolve = format!("/{REPOSITORY}/resolve/");
        let Some((revision, name)) = path
            .strip_prefix(&resolve)
            .and_then(|rest| rest.split_once('/'))
        else {
            return self.missing(asked, "RepoNotFound");
        };
        if revision != "main" && revision != COMMIT {
            return self.missing(asked, "RevisionNotFound");
        }
        match files.get(name) {
            Some(content) => self.resolve(asked, content),
            None => self.missing(asked, "EntryNotFound"),
        }
    }

    /// Takes the next fault of an answer.
    fn fault(&self, at: &[At]) -> Option<Fault> {
        let mut state = self.shared.state.lock().unwrap();
        let position = state
            .faults
            .iter()
            .position(|(place, _, times)| at.contains(place) && *times > 0)?;
        state.faults[position].2 -= 1;
        Some(state.faults[position].1.clone())
    }

    fn info(&mut self, asked: &Asked, files: &BTreeMap<String, Content>) -> Result<(), Over> {
        let siblings: Vec<_> = files
            .keys()
            .map(|name| serde_json::json!({ "rfilename": name }))
            .collect();
        let info = serde_json::json!({
            "_id": "0".repeat(24), "id": REPOSITORY, "modelId": REPOSITORY, "author": "owner",
            "sha": COMMIT, "lastModified": "2026-01-01T00:00:00.000Z",
            "createdAt": "2026-01-01T00:00:00.000Z", "private": false, "gated": false,
            "disabled": false, "downloads": 1, "likes": 0, "tags": [], "siblings": siblings,
            "spaces": [], "usedStorage": 1,
        });
        let fault = self.fault(&[At::Info]);
        self.json(asked, &info, "", fault)
    }

    fn tree(
        &mut self,
        asked: &Asked,
        files: &BTreeMap<String, Content>,
        query: &str,
        page: usize,
    ) -> Result<(), Over> {
        let fault = self.fault(&[At::Tree]);
        let lies = matches!(fault, Some(Fault::Lie));
        let entries = files.iter().map(|(name, content)| {
            let size = content.bytes.len();
            let sha256 = content.sha256.clone();
            let sha256 = if lies {
                sha256.replace('1', "2")
            } else {
                sha256
            };
            let mut entry = serde_json::json!({
                "type": "file", "oid": content.git_blob, "size": size, "path": name,
            });
            if content.large {
                entry["lfs"] = serde_json::json!({
                    "oid": sha256, "size": size, "pointerSize": 134,
                });
            }
            entry
        });
        let mut entries: Vec<_> = entries.collect();
        entries.insert(
            0,
            serde_json::json!({"type": "directory", "oid": "0".repeat(40), "size": 0, "path": "d"}),
        );
        let cursor = query
            .split('&')
            .find_map(|part| part.strip_prefix("cursor="))
            .map_or(0, |cursor| cursor.parse::<usize>().unwrap());
        let end = (cursor + page).min(entries.len());
        let mut headers = String::new();
        if end < entries.len() {
            let path = asked.target.split('?').next().unwrap();
            let url = &self.shared.url;
            headers = format!("Link: <{url}{path}?recursive=true&cursor={end}>; rel=\"next\"\r\n");
        }
        let body = serde_json::Value::Array(entries[cursor..end].to_vec());
        self.json(asked, &body, &headers, fault)
    }

    fn json(
        &mut self,
        asked: &Asked,
        body: &serde_json::Value,
        headers: &str,
        fault: Option<Fault>,
    ) -> Result<(), Over> {
        let body = body.to_string().into_bytes();
        match fault {
            None | Some(Fault::Lie) => {
                let headers = format!("{headers}Content-Type: application/json\r\n");
                self.send(asked, 200, &headers, &body)
            }
            Some(Fault::Garbage) => self.send(asked, 200, headers, b"{\"sha\": 1"),
            Some(fault) => self.misbehave(asked, 200, &body, headers, &fault),
        }
    }

    fn resolve(&mut self, asked: &Asked, content: &Content) -> Result<(), Over> {
        let headers = format!("X-Repo-Commit: {COMMIT}\r\nAccept-Ranges: bytes\r\n");
        if !content.large {
            let tag = &content.git_blob;
            let headers = format!("{headers}ETag: \"{tag}\"\r\n");
            let fault = self.fault(&[At::Resolve, At::AnyBytes]);
            return self.file(asked, content, &headers, fault);
        }
        let sha256 = &content.sha256;
        let headers = format!(
            "{headers}X-Linked-Etag: \"{sha256}\"\r\nX-Linked-Size: {}\r\nETag: \"{}\"\r\n\
             Location: {}/cdn/{sha256}?Signature=secret-of-the-way\r\n",
            content.bytes.len(),
            content.git_blob,
            self.shared.cdn,
        );
        match self.fault(&[At::Resolve]) {
            None => self.send(asked, 302, &headers, b"found"),
            Some(fault) => self.misbehave(asked, 200, &content.bytes, &headers, &fault),
        }
    }

    fn missing(&mut self, asked: &Asked, code: &str) -> Result<(), Over> {
        let headers = format!("X-Error-Code: {code}\r\n");
        self.send(asked, 404, &headers, br#"{"error": "not found"}"#)
    }

    /// Sends a file, or the part of it that is asked for.
    fn file(
        &mut self,
        asked: &Asked,
        content: &Content,
        headers: &str,
        fault: Option<Fault>,
    ) -> Result<(), Over> {
        let bytes = Arc::clone(&content.bytes);
        let size = bytes.len();
        let first = asked.headers.get("range").and_then(|range| {
            range
                .strip_prefix("bytes=")?
                .split('-')
                .next()?
                .parse()
                .ok()
        });
        let first: Option<usize> = first.filter(|_| !matches!(fault, Some(Fault::RangeIgnored)));
        self.position = first.unwrap_or(0);
        let Some(first) = first else {
            return match fault {
                None | Some(Fault::RangeIgnored | Fault::OtherRange | Fault::LyingRange) => {
                    self.bytes(asked, 200, headers, &bytes)
                }
                Some(fault) => self.misbehave(asked, 200, &bytes, headers, &fault),
            };
        };
        if first >= size {
            let headers = format!("{headers}Content-Range: bytes */{size}\r\n");
            return self.send(asked, 416, &headers, b"");
        }
        let range = |first: usize| {
            format!(
                "{headers}Content-Range: bytes {first}-{}/{size}\r\n",
                size - 1
            )
        };
        match fault {
            None | Some(Fault::RangeIgnored) => {
                self.bytes(asked, 206, &range(first), &bytes[first..])
            }
            Some(Fault::OtherRange) => {
                let other = first.saturating_sub(1);
                self.bytes(asked, 206, &range(other), &bytes[other..])
            }
            Some(Fault::LyingRange) => {
                let other: Vec<u8> = bytes[first..].iter().rev().copied().collect();
                self.bytes(asked, 206, &range(first), &other)
            }
            Some(fault) => self.misbehave(asked, 206, &bytes[first..], &range(first), &fault),
        }
    }

    /// Sends bytes of a file with their length.
    pub(super) fn bytes(
        &mut self,
        asked: &Asked,
        status: u16,
        headers: &str,
        body: &[u8],
    ) -> Result<(), Over> {
        let headers = format!("{headers}Content-Length: {}\r\n", body.len());
        self.head(status, &headers)?;
        if asked.method == "HEAD" {
            return Ok(());
        }
        self.body(body)
    }

    /// Sends what is not part of a file.
    pub(super) fn send(
        &mut self,
        asked: &Asked,
        status: u16,
        headers: &str,
        body: &[u8],
    ) -> Result<(), Over> {
        let headers = format!("{headers}Content-Length: {}\r\n", body.len());
        self.head(status, &headers)?;
        if asked.method == "HEAD" {
            return Ok(());
        }
        self.write(body)
    }

    pub(super) fn head(&mut self, status: u16, headers: &str) -> Result<(), Over> {
        self.write(format!("HTTP/1.1 {status} Whatever\r\n{headers}\r\n").as_bytes())
    }

    /// Sends bytes that count as served, up to the next cut.
    pub(super) fn body(&mut self, body: &[u8]) -> Result<(), Over> {
        for piece in body.chunks(PIECE) {
            self.wait_for_client();
            let mut state = self.shared.state.lock().unwrap();
            let served = self.shared.served.load(Ordering::SeqCst);
            let end = served + piece.len() as u64;
            let position = state.hooks.iter().position(|(bytes, _)| *bytes <= end);
            let hook = position.map(|position| state.hooks.remove(position).1);
            let cut = state.cuts.pop_if(|cut| *cut <= end);
            drop(state);
            let piece = match cut {
                Some(cut) => &piece[..usize::try_from(cut.saturating_sub(served)).unwrap()],
                None => piece,
            };
            self.write(piece)?;
            self.position += piece.len();
            self.shared
                .served
                .fetch_add(piece.len() as u64, Ordering::SeqCst);
            if let Some(hook) = hook {
                hook();
            }
            if cut.is_some() {
                return Err(Over);
            }
        }
        Ok(())
    }

    /// Waits until the client has written down nearly all that was sent, or is gone.
    fn wait_for_client(&mut self) {
        let follows = self.shared.state.lock().unwrap().follows.clone();
        let Some(file) = follows else { return };
        let sent = u64::try_from(self.position).unwrap();
        for _ in 0..1000 {
            let here = std::fs::metadata(&file).map_or(sent, |found| found.len());
            if here + 2 * PIECE as u64 >= sent {
                return;
            }
            let moment = rustix::event::Timespec {
                tv_sec: 0,
                tv_nsec: 1_000_000,
            };
            rustix::event::poll(&mut [], Some(&moment)).unwrap();
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Over> {
        self.stream.write_all(bytes).map_err(|_| Over)
    }
}
