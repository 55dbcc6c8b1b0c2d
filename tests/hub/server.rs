//! A hub on loopback, with a second server for large files, that misbehaves on demand: HTTP/1.1 by
//! hand, a thread for each connection.

use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// How much is sent at a time.
const PIECE: usize = 64 * 1024;

/// Which answers are at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// What a revision stands for.
    Info,
    /// The list of files.
    Tree,
    /// The file, or the way to it.
    Resolve,
    /// The bytes of a large file.
    Bytes,
    /// The bytes of any file, wherever they come from.
    AnyBytes,
}

/// What is wrong with an answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The request is taken and never answered.
    Silence,
    /// So many bytes of the body, then nothing, and the connection stays open.
    Stall(usize),
    /// A few bytes every 20 ms.
    Drip(usize),
    /// So many bytes of the body, then an orderly end.
    Cut(usize),
    /// So many bytes of the body, then a reset; at 0 before the head.
    Reset(usize),
    /// So many bytes without a length, as if that were all.
    ShortWithoutLength(usize),
    /// More bytes than there are, without a length.
    LongWithoutLength,
    /// So many bytes with that length, as if that were all.
    WrongLength(usize),
    /// A part is asked for and everything is sent.
    RangeIgnored,
    /// A part is asked for and another one is sent, and said to be.
    OtherRange,
    /// A part is asked for and another one is sent, and said to be the right one.
    LyingRange,
    /// A web page.
    Page,
    /// A status with headers and a body.
    Status(u16, &'static str, &'static str),
    /// The way leads back to itself.
    Circle,
    /// One byte is another one.
    WrongByte,
    /// The bytes are said to be compressed.
    Compressed,
    /// The list says other things than are true.
    Lie,
    /// Garbage in place of JSON.
    Garbage,
}

/// A file of the repository.
#[derive(Clone, Debug)]
pub struct Content {
    pub bytes: Arc<Vec<u8>>,
    /// It is large: it lies on the other server, under its SHA-256.
    pub large: bool,
    pub sha256: String,
    /// The id of its blob in git; of a large file that of something else.
    pub git_blob: String,
}

impl Content {
    fn new(bytes: Vec<u8>, large: bool) -> Self {
        let mut hasher = Sha1::new_with_prefix(format!("blob {}\0", bytes.len()));
        hasher.update(&bytes);
        Self {
            sha256: hexadecimal(&Sha256::digest(&bytes)),
            git_blob: hexadecimal(&hasher.finalize()),
            bytes: Arc::new(bytes),
            large,
        }
    }

    /// What it is called in a cache.
    pub fn digest(&self) -> &str {
        if self.large {
            &self.sha256
        } else {
            &self.git_blob
        }
    }
}

/// A request that was answered.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub method: String,
    pub target: String,
    pub headers: BTreeMap<String, String>,
    /// Of which server it was asked.
    pub of_cdn: bool,
}

/// What happens when so many bytes of files have been served.
type Hook = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct State {
    files: BTreeMap<String, Content>,
    faults: Vec<(At, Fault, usize)>,
    asked: Vec<Asked>,
    token: Option<String>,
    page: usize,
    hooks: Vec<(u64, Hook)>,
    cuts: Vec<u64>,
    follows: Option<PathBuf>,
}

struct Shared {
    state: Mutex<State>,
    closing: AtomicBool,
    served: AtomicU64,
    url: String,
    cdn: String,
}

/// The hub. It serves `owner/name`, whose `main` is [`COMMIT`].
pub struct Hub {
    shared: Arc<Shared>,
}

pub const REPOSITORY: &str = "owner/name";
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

impl Hub {
    /// Starts one with some files; those named `*.bin` are large.
    pub fn with(files: &[(&str, Vec<u8>)]) -> Self {
        let listeners: Vec<TcpListener> = (0..2)
            .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
            .collect();
        let url = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
        let files = files.iter().map(|(name, bytes)| {
            let content = Content::new(bytes.clone(), name.ends_with(".bin"));
            ((*name).to_owned(), content)
        });
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                files: files.collect(),
                page: 1000,
                ..State::default()
            }),
            closing: AtomicBool::new(false),
            served: AtomicU64::new(0),
            url: url(&listeners[0]),
            cdn: url(&listeners[1]),
        });
        for (of_cdn, listener) in [false, true].into_iter().zip(listeners) {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let shared = Arc::clone(&shared);
                    std::thread::spawn(move || Connection::new(stream, &shared, of_cdn).serve());
                }
            });
        }
        Self { shared }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap()
    }

    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// The address of a file on the server of large files, as a URL source names it.
    pub fn file_url(&self, name: &str) -> String {
        let digest = self.content(name).sha256;
        format!("{}/cdn/{digest}", self.shared.cdn)
    }

    pub fn content(&self, name: &str) -> Content {
        self.state().files[name].clone()
    }

    pub fn files(&self) -> BTreeMap<String, Content> {
        self.state().files.clone()
    }

    /// Has the next `times` answers be at fault.
    pub fn fail(&self, at: At, fault: Fault, times: usize) {
        self.state().faults.push((at, fault, times));
    }

    pub fn heal(&self) {
        self.state().faults.clear();
    }

    /// Asks for a token from now on.
    pub fn require_token(&self, token: &str) {
        self.state().token = Some(token.to_owned());
    }

    /// So many entries are on a page of the list.
    pub fn page(&self, entries: usize) {
        self.state().page = entries;
    }

    /// Cuts the connection each time so many bytes have been served altogether.
    pub fn cut_at(&self, served: impl IntoIterator<Item = u64>) {
        let mut cuts: Vec<u64> = served.into_iter().collect();
        cuts.sort_unstable_by(|one, other| other.cmp(one));
        self.state().cuts = cuts;
    }

    /// Sends no faster than a file grows: a line that is slower than the client.
    pub fn follow(&self, file: PathBuf) {
        self.state().follows = Some(file);
    }

    /// Does something once so many bytes have been served altogether, before the next one is.
    pub fn when_served(&self, bytes: u64, hook: impl FnOnce() + Send + 'static) {
        self.state().hooks.push((bytes, Box::new(hook)));
    }

    /// Bytes of files that were sent.
    pub fn served(&self) -> u64 {
        self.shared.served.load(Ordering::SeqCst)
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.state().asked.clone()
    }

    /// Requests for bytes of large files.
    pub fn fetches(&self) -> usize {
        self.asked().iter().filter(|asked| asked.of_cdn).count()
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::SeqCst);
    }
}

/// The end of a connection.
struct Over;

struct Connection<'a> {
    stream: TcpStream,
    lines: BufReader<TcpStream>,
    shared: &'a Shared,
    of_cdn: bool,
    /// The position in the file of what is sent next.
    position: usize,
}

impl<'a> Connection<'a> {
    fn new(stream: TcpStream, shared: &'a Shared, of_cdn: bool) -> Self {
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

    fn serve(mut self) {
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
            Some(fault) => self.misbehave(asked, &body, headers, fault),
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
            Some(fault) => self.misbehave(asked, &content.bytes, &headers, fault),
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
                Some(fault) => self.misbehave(asked, &bytes, headers, fault),
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
            Some(fault) => self.misbehave_from(asked, &bytes[first..], &range(first), fault),
        }
    }

    fn misbehave(
        &mut self,
        asked: &Asked,
        body: &[u8],
        headers: &str,
        fault: Fault,
    ) -> Result<(), Over> {
        self.misbehave_with(asked, 200, body, headers, fault)
    }

    fn misbehave_from(
        &mut self,
        asked: &Asked,
        body: &[u8],
        headers: &str,
        fault: Fault,
    ) -> Result<(), Over> {
        self.misbehave_with(asked, 206, body, headers, fault)
    }

    fn misbehave_with(
        &mut self,
        asked: &Asked,
        status: u16,
        body: &[u8],
        headers: &str,
        fault: Fault,
    ) -> Result<(), Over> {
        let with_length = format!("{headers}Content-Length: {}\r\n", body.len());
        let some = |count: usize| &body[..count.min(body.len())];
        match fault {
            Fault::Silence => return self.hold(),
            Fault::Reset(0) => return self.reset(),
            Fault::Stall(count) => {
                self.head(status, &with_length)?;
                self.body(some(count))?;
                return self.hold();
            }
            Fault::Drip(count) => {
                self.head(status, &with_length)?;
                for piece in body.chunks(count) {
                    self.body(piece)?;
                    self.pause()?;
                }
            }
            Fault::Cut(count) => {
                self.head(status, &with_length)?;
                self.body(some(count))?;
            }
            Fault::Reset(count) => {
                self.head(status, &with_length)?;
                self.body(some(count))?;
                // What has not been read is lost with a reset; the client should see some of it.
                self.pause()?;
                return self.reset();
            }
            Fault::ShortWithoutLength(count) => {
                self.head(status, headers)?;
                self.body(some(count))?;
            }
            Fault::LongWithoutLength => {
                self.head(status, headers)?;
                self.body(body)?;
                self.body(b"and more")?;
            }
            Fault::WrongLength(count) => {
                let headers = format!("{headers}Content-Length: {count}\r\n");
                self.head(status, &headers)?;
                self.body(some(count))?;
            }
            Fault::Page => {
                let page = b"<html>Please log in to this network</html>";
                return self.send(asked, 200, "Content-Type: text/html\r\n", page);
            }
            Fault::Status(status, more, body) => {
                return self.send(asked, status, more, body.as_bytes());
            }
            Fault::Circle => {
                let url = if self.of_cdn {
                    &self.shared.cdn
                } else {
                    &self.shared.url
                };
                let way = format!("Location: {url}{}\r\n", asked.target);
                return self.send(asked, 302, &way, b"");
            }
            Fault::WrongByte => {
                let mut wrong = body.to_vec();
                let middle = wrong.len() / 2;
                wrong[middle] ^= 1;
                return self.bytes(asked, status, headers, &wrong);
            }
            Fault::Compressed => {
                let headers = format!("{headers}Content-Encoding: gzip\r\n");
                return self.bytes(asked, status, &headers, body);
            }
            Fault::RangeIgnored
            | Fault::OtherRange
            | Fault::LyingRange
            | Fault::Lie
            | Fault::Garbage => unreachable!("{fault:?} is no fault of this answer"),
        }
        Err(Over)
    }

    /// Sends bytes of a file with their length.
    fn bytes(
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
    fn send(&mut self, asked: &Asked, status: u16, headers: &str, body: &[u8]) -> Result<(), Over> {
        let headers = format!("{headers}Content-Length: {}\r\n", body.len());
        self.head(status, &headers)?;
        if asked.method == "HEAD" {
            return Ok(());
        }
        self.write(body)
    }

    fn head(&mut self, status: u16, headers: &str) -> Result<(), Over> {
        self.write(format!("HTTP/1.1 {status} Whatever\r\n{headers}\r\n").as_bytes())
    }

    /// Sends bytes that count as served, up to the next cut.
    fn body(&mut self, body: &[u8]) -> Result<(), Over> {
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

    /// Keeps the connection open and says nothing until the client leaves.
    fn hold(&mut self) -> Result<(), Over> {
        let moment = Duration::from_millis(50);
        self.stream.set_read_timeout(Some(moment)).unwrap();
        while !self.shared.closing.load(Ordering::SeqCst) {
            match self.stream.read(&mut [0]) {
                Ok(0) => break,
                Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => break,
                _ => {}
            }
        }
        Err(Over)
    }

    /// Waits 20 ms, or until the client leaves.
    fn pause(&mut self) -> Result<(), Over> {
        let moment = Duration::from_millis(20);
        self.stream.set_read_timeout(Some(moment)).unwrap();
        match self.stream.read(&mut [0]) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(()),
            _ => Err(Over),
        }
    }

    fn reset(&mut self) -> Result<(), Over> {
        rustix::net::sockopt::set_socket_linger(&self.stream, Some(Duration::ZERO)).unwrap();
        Err(Over)
    }
}

fn decoded(path: &str) -> String {
    let mut text = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        let code = u8::from_str_radix(&after[..2], 16).unwrap();
        write!(text, "{before}{}", char::from(code)).unwrap();
        rest = &after[2..];
    }
    text + rest
}

pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
