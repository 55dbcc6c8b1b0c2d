//! A hub on loopback, with a second server for large files, that misbehaves on demand; a thread for
//! each connection.

use super::connection::Connection;
use super::fault::{At, Fault};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

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
pub(super) struct State {
    pub(super) files: BTreeMap<String, Content>,
    pub(super) faults: Vec<(At, Fault, usize)>,
    pub(super) asked: Vec<Asked>,
    pub(super) token: Option<String>,
    pub(super) page: usize,
    pub(super) hooks: Vec<(u64, Hook)>,
    pub(super) cuts: Vec<u64>,
    pub(super) follows: Option<PathBuf>,
}

pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    pub(super) closing: AtomicBool,
    pub(super) served: AtomicU64,
    pub(super) url: String,
    pub(super) cdn: String,
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
            let content = Content::new(
                bytes.clone(),
                Path::new(name).extension() == Some("bin".as_ref()),
            );
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

/// Returns a path without its percent signs.
pub(super) fn decoded(path: &str) -> String {
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
