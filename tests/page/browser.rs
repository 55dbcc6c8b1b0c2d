//! A real browser without a window, driven over a pair of pipes: Chromium's own protocol, a message in
//! JSON ended by a zero byte.

use base64::Engine as _;
use command_fds::{CommandFdExt, FdMapping};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Write, pipe};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// The longest that an answer may take on a machine under load.
const LIMIT: Duration = Duration::from_mins(2);

/// A browser with one page.
pub struct Browser {
    child: Child,
    requests: PipeWriter,
    answers: BufReader<PipeReader>,
    next: u64,
    session: Option<String>,
    /// What happened since the page was opened.
    events: Vec<Value>,
    _profile: TempDir,
}

impl Browser {
    /// Starts one; `None`, which is said, if there is none here.
    pub fn start() -> Option<Self> {
        let profile = tempfile::tempdir().unwrap();
        let (their_requests, requests) = pipe().unwrap();
        let (answers, their_answers) = pipe().unwrap();
        let mut command = Command::new("chromium");
        command
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
            ])
            .args([
                "--disable-dev-shm-usage",
                "--disable-extensions",
                "--hide-scrollbars",
            ])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
            ])
            .args(["--force-color-profile=srgb", "--remote-debugging-pipe"])
            // No name means anything, so no test depends on a network.
            .arg("--host-resolver-rules=MAP * ~NOTFOUND")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .env("HOME", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .fd_mappings(vec![
                FdMapping {
                    parent_fd: their_requests.into(),
                    child_fd: 3,
                },
                FdMapping {
                    parent_fd: their_answers.into(),
                    child_fd: 4,
                },
            ])
            .unwrap();
        let child = match command.spawn() {
            Ok(child) => child,
            Err(error) => {
                eprintln!("skipped: there is no `chromium` to test with ({error})");
                return None;
            }
        };
        // Its ends of the pipes are its own, so that its death is seen.
        drop(command);
        let mut browser = Self {
            child,
            requests,
            answers: BufReader::new(answers),
            next: 0,
            session: None,
            events: Vec::new(),
            _profile: profile,
        };
        let targets = browser.call("Target.getTargets", &json!({}));
        let pages = targets["targetInfos"].as_array().unwrap();
        let page = pages
            .iter()
            .find(|target| target["type"] == "page")
            .unwrap();
        let attached = browser.call(
            "Target.attachToTarget",
            &json!({"targetId": page["targetId"], "flatten": true}),
        );
        browser.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        for domain in [
            "Page.enable",
            "Runtime.enable",
            "Network.enable",
            "Log.enable",
        ] {
            browser.call(domain, &json!({}));
        }
        Some(browser)
    }

    /// Asks for something and returns the answer.
    #[track_caller]
    pub fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.next += 1;
        let id = self.next;
        let mut request = json!({"id": id, "method": method});
        request["params"] = parameters.clone();
        if let Some(session) = &self.session {
            request["sessionId"] = session.as_str().into();
        }
        let mut bytes = serde_json::to_vec(&request).unwrap();
        bytes.push(0);
        self.requests.write_all(&bytes).unwrap();
        loop {
            let message = self.message();
            if message["id"] == id {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    #[track_caller]
    fn message(&mut self) -> Value {
        if self.answers.buffer().is_empty() {
            let mut wanted = [rustix::event::PollFd::new(
                self.answers.get_ref(),
                rustix::event::PollFlags::IN,
            )];
            let limit = rustix::event::Timespec {
                tv_sec: i64::try_from(LIMIT.as_secs()).unwrap(),
                tv_nsec: 0,
            };
            let ready = rustix::event::poll(&mut wanted, Some(&limit)).unwrap();
            assert_eq!(ready, 1, "no word from the browser within {LIMIT:?}");
        }
        let mut bytes = Vec::new();
        self.answers.read_until(0, &mut bytes).unwrap();
        assert_eq!(bytes.pop(), Some(0), "the browser has ended");
        serde_json::from_slice(&bytes).unwrap()
    }

    /// Opens a file and waits until it is loaded.
    pub fn open(&mut self, path: &Path) {
        self.open_at(path, "");
    }

    /// Opens a file at a fragment.
    pub fn open_at(&mut self, path: &Path, fragment: &str) {
        // What only differs in its fragment would not be loaded again.
        for address in [
            "about:blank".to_owned(),
            format!("file://{}{fragment}", path.display()),
        ] {
            self.events.clear();
            self.call("Page.navigate", &json!({"url": address}));
            while !self
                .events
                .iter()
                .any(|event| event["method"] == "Page.loadEventFired")
            {
                let message = self.message();
                self.events.push(message);
            }
        }
    }

    /// Returns what an expression comes to in the page.
    #[track_caller]
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let answer = self.call(
            "Runtime.evaluate",
            &json!({"expression": expression, "returnByValue": true, "awaitPromise": true}),
        );
        let fault = &answer["exceptionDetails"];
        assert!(fault.is_null(), "{expression}: {fault}");
        answer["result"]["value"].clone()
    }

    /// Presses a key and lets it go.
    pub fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            " " => (32, " "),
            _ => panic!("{key} is not known here"),
        };
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({"type": kind, "key": key, "windowsVirtualKeyCode": code});
            if kind == "keyDown" && !text.is_empty() {
                event["text"] = text.into();
            }
            self.call("Input.dispatchKeyEvent", &event);
        }
    }

    /// Types a text into what has the focus.
    pub fn type_text(&mut self, text: &str) {
        self.call("Input.insertText", &json!({"text": text}));
    }

    /// Makes the page so wide, and light or dark.
    pub fn look(&mut self, width: u32, scheme: &str) {
        self.call(
            "Emulation.setDeviceMetricsOverride",
            &json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false}),
        );
        self.call(
            "Emulation.setEmulatedMedia",
            &json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}),
        );
    }

    /// Returns a picture of a part of the page, from its top.
    pub fn picture(&mut self, width: u32, top: f64, height: f64) -> Vec<u8> {
        let clip = json!({"x": 0, "y": top, "width": width, "height": height, "scale": 1});
        let answer = self.call(
            "Page.captureScreenshot",
            &json!({"format": "png", "captureBeyondViewport": true, "clip": clip,
                "optimizeForSpeed": false}),
        );
        base64::engine::general_purpose::STANDARD
            .decode(answer["data"].as_str().unwrap())
            .unwrap()
    }

    /// Returns what a page must not do: scripts that failed, dialogs, complaints, and requests beyond
    /// the page itself.
    pub fn faults(&mut self) -> Vec<String> {
        // Whatever was on its way is here before an answer.
        self.evaluate("new Promise((done) => setTimeout(done, 50))");
        let mut faults = Vec::new();
        for event in &self.events {
            let parameters = &event["params"];
            match event["method"].as_str().unwrap_or_default() {
                "Runtime.exceptionThrown" | "Page.javascriptDialogOpening" => {
                    faults.push(event.to_string());
                }
                "Log.entryAdded" if parameters["entry"]["level"] == "error" => {
                    faults.push(parameters["entry"]["text"].to_string());
                }
                "Network.requestWillBeSent" if parameters["type"] != "Document" => {
                    faults.push(parameters["request"]["url"].to_string());
                }
                _ => {}
            }
        }
        faults
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Asked by name it ends its own children too.
        let _ = self
            .requests
            .write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let mut rest = Vec::new();
        let _ = self.answers.read_until(0, &mut rest);
        while matches!(self.answers.read_until(0, &mut rest), Ok(count) if count > 0) {
            rest.clear();
        }
        let _ = self.child.wait();
    }
}
