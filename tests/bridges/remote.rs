//! An engine behind HTTP: it may reach a network, and its key is written nowhere.

use crate::support::Place;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc;

const KEY: &str = "sk-never-to-be-seen-4711";

/// Answers so many requests with a text, and tells the key of each.
fn serve(answers: usize) -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let mut left = answers;
        while left > 0 {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut stream = stream;
            // A connection may carry several requests.
            while left > 0 {
                let (mut key, mut length) = (String::new(), 0);
                loop {
                    let mut line = String::new();
                    if reader.read_line(&mut line).unwrap() == 0 || line == "\r\n" {
                        break;
                    }
                    let (name, value) = line.split_once(':').unwrap_or((&line, ""));
                    match name.to_lowercase().as_str() {
                        "authorization" => value.trim().clone_into(&mut key),
                        "content-length" => length = value.trim().parse().unwrap(),
                        _ => {}
                    }
                }
                if length == 0 {
                    break;
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                assert!(body.windows(4).any(|bytes| bytes == b"RIFF"));
                // Servers are known to repeat what they were sent.
                let text = format!("{{\"text\": \"heard it\", \"key\": \"{key}\"}}");
                write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{text}",
                    text.len()
                )
                .unwrap();
                tell.send(key).unwrap();
                left -= 1;
            }
        }
    });
    (port, told)
}

/// Returns the files under a folder that hold some text.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() {
            found.extend(files_with(&entry.path(), text));
        } else if fs::read(entry.path())
            .unwrap()
            .windows(text.len())
            .any(|bytes| bytes == text.as_bytes())
        {
            found.push(entry.path().display().to_string());
        }
    }
    found
}

#[test]
fn a_server_is_measured_and_its_key_is_kept_nowhere() {
    let place = Place::new();
    let (port, told) = serve(2);
    place.write(
        "m.yaml",
        &format!(
            "version: 1\nname: remote\nmatrix: {{backend: [openai-http], model: [theirs], audio: [jfk], \
             verify-method: [cache-check]}}\nsettings: {{repeat: 2, warmup: 0, key-variable: THEIR_KEY, \
             url: \"http://127.0.0.1:{port}/v1/audio/transcriptions\"}}\n"
        ),
    );
    let ran = place
        .command(&["run", "m.yaml", "--out", "r"])
        .env("THEIR_KEY", KEY)
        .output()
        .unwrap();
    crate::support::Ran::from(ran).expect_status(0);
    let keys: Vec<String> = told.iter().take(2).collect();
    assert_eq!(keys, vec![format!("Bearer {KEY}"); 2]);
    let row = &place.table("r/results.csv")[0];
    assert_eq!(row["status"], "completed");
    assert_eq!(row["hypothesis"], "heard it");
    assert_eq!(row["network_wall"], "none");
    assert_eq!(row["artifact"], "");
    assert_eq!(files_with(place.path(), KEY), [""; 0]);
}

/// Answers every recording with the words of one, in as many connections as come.
fn serve_speech() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                // An engine that is ended hangs up where it pleases.
                while let Some(body) = request(&mut reader) {
                    assert!(body.windows(4).any(|bytes| bytes == b"WAVE"));
                    let text = "{\"text\": \"And so, my fellow Americans, ask not what your country \
                                can do for you, ask what you can do for your country.\"}";
                    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", text.len());
                    let mut stream = &stream;
                    if write!(stream, "{head}{text}").is_err() {
                        break;
                    }
                }
            });
        }
    });
    port
}

/// Reads a request and returns its body; `None` at the end of the connection.
fn request(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut length = None;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok();
        }
    }
    let mut body = vec![0; length?];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}

#[test]
fn the_kit_passes_it_with_a_server() {
    let place = Place::new();
    let url = format!(
        "url=http://127.0.0.1:{}/v1/audio/transcriptions",
        serve_speech()
    );
    let check = ["engines", "check", "openai-http", "--setting", &url];
    let checked = place.run(&check).expect_status(0);
    assert!(checked.stdout.contains(" 0 failed"), "{}", checked.stdout);
    // What cannot be asked of an engine that reads no model and needs a network is told as such.
    assert!(checked.stdout.contains("5 skipped"), "{}", checked.stdout);
}
