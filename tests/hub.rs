//! A hub on loopback that lies in every way it can: what is wrong is never taken.

use crate::support::Place;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

/// What the hub answers to a request for a file.
#[derive(Clone, Copy)]
enum Answer {
    Right,
    WrongBytes,
    Short,
    Forbidden,
    Silence,
}

/// Serves one answer for every request until the test ends. Returns the address.
fn hub(answer: Answer) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            kept.extend(serve(stream.unwrap(), answer));
        }
    });
    format!("http://{address}")
}

/// Answers one request. Returns the connection if it is to be kept open in silence.
fn serve(mut stream: TcpStream, answer: Answer) -> Option<TcpStream> {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    while lines
        .next()
        .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
    {}
    let (status, body) = match answer {
        Answer::Right => ("200 OK", "hello"),
        Answer::WrongBytes => ("200 OK", "hullo"),
        Answer::Short => ("200 OK", "hel"),
        Answer::Forbidden => ("403 Forbidden", "<html>no</html>"),
        Answer::Silence => return Some(stream),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n",
        body.len()
    );
    // A client that has seen enough may be gone.
    let _ = stream.write_all(format!("{head}\r\n{body}").as_bytes());
    None
}

const MATRIX: &str = "version: 1\nname: hub\nmatrix:\n  backend: [whisper-cpp]\n  model: [mine]\n  \
    audio: [jfk]\n  verify-method: [checksum]\nmodels:\n  mine:\n    size: tiny\n    artifacts:\n      \
    ggml-f16:\n        files: {m.bin: {bytes: 5, sha256: \
    2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824}}\n        \
    sources: [{hub: owner/name}]\ndeadlines: {download: {stall: 300ms, total: 20s}}\n";

#[test]
fn only_the_right_bytes_of_a_hub_are_taken() {
    for (answer, status, reason) in [
        (Answer::WrongBytes, 3, "SHA-256"),
        (Answer::Short, 3, "3 of 5 bytes"),
        (Answer::Forbidden, 3, "m.bin"),
        (Answer::Silence, 3, "no answer within 0.3 s"),
        (Answer::Right, 0, ""),
    ] {
        let place = Place::new();
        place.write("m.yaml", MATRIX);
        let output = place
            .command(&["download", "m.yaml"])
            .env("HF_ENDPOINT", hub(answer))
            .env("HF_TOKEN", "secret-of-the-test")
            .output()
            .unwrap();
        let ran = crate::support::Ran::from(output).expect_status(status);
        assert!(ran.stderr.contains(reason), "{reason}: {}", ran.stderr);
        assert!(!ran.stderr.contains("secret-of-the-test"));
        let file = place.store().join("mine/ggml-f16/m.bin");
        assert_eq!(file.exists(), status == 0, "{reason}");
    }
}
