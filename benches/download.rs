//! How fast a download is, its digest included: `earmark download` from a hub on loopback, beside
//! `curl` of the same bytes from the same server into a file of the same folder, interleaved.
//!
//! The server is a process of its own that sends by `sendfile`. `EARMARK_BENCH_BYTES` is the length of
//! the artifact (default 1 GiB), `EARMARK_BENCH_ROUNDS` how often all is repeated (default 5),
//! `EARMARK_BENCH_FOLDER` where everything lies: by default in memory, so that no disk is measured.
//! We wait until the bytes are on the disk, so on one `curl` does that too (`sync FILE`).

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on panics")]

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

/// Has this program be the server of the file that the variable names.
const SERVE: &str = "EARMARK_BENCH_SERVE";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn main() {
    if let Some(file) = std::env::var_os(SERVE) {
        return serve(Path::new(&file));
    }
    let number = |name: &str, default: u64| {
        let text = std::env::var(name).ok();
        text.and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let length = number("EARMARK_BENCH_BYTES", 1 << 30);
    let rounds = number("EARMARK_BENCH_ROUNDS", 5);
    let folder = std::env::var_os("EARMARK_BENCH_FOLDER");
    let memory = Path::new("/dev/shm");
    let place = match (&folder, memory.is_dir()) {
        (Some(folder), _) => tempfile::tempdir_in(folder),
        (None, true) => tempfile::tempdir_in(memory),
        (None, false) => tempfile::tempdir(),
    };
    let place = place.unwrap();
    println!("in {}, medians of {rounds} rounds:", place.path().display());
    for bytes in [length / 8, length] {
        measure(place.path(), bytes, rounds);
    }
}

/// What a program took.
#[derive(Clone, Copy)]
struct Cost {
    wall: f64,
    cpu: f64,
}

fn measure(place: &Path, bytes: u64, rounds: u64) {
    let served = place.join("served");
    let digest = fill(&served, bytes);
    let (mut serving, url) = start(&served);
    fs::write(place.join("m.yaml"), matrix(bytes, &digest)).unwrap();
    let home = place.join("home");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let mut peak = 0;
    for _ in 0..rounds {
        let mut curl = Command::new("sh");
        curl.args(["-c", "curl -s -o \"$1\" \"$2\" && sync \"$1\"", "sh"])
            .arg(place.join("curled"))
            .arg(format!("{url}/bytes"));
        theirs.push(run(&mut curl).0);
        fs::remove_file(place.join("curled")).unwrap();
        let mut earmark = Command::new(env!("CARGO_BIN_EXE_earmark"));
        earmark
            .args(["download", "m.yaml"])
            .current_dir(place)
            .env("EARMARK_HOME", &home)
            .env("HF_HOME", &home)
            .env("HF_ENDPOINT", &url);
        let (cost, most) = run(&mut earmark);
        ours.push(cost);
        peak = peak.max(most);
        let blob = format!("hub/models--owner--name/blobs/{digest}");
        assert_eq!(fs::metadata(home.join(blob)).unwrap().len(), bytes);
        fs::remove_dir_all(&home).unwrap();
    }
    drop(serving.stdin.take());
    serving.wait().unwrap();
    let median = |costs: &[Cost], of: fn(&Cost) -> f64| {
        let mut values: Vec<f64> = costs.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let wall = |costs: &[Cost]| median(costs, |cost| cost.wall);
    let cpu = |costs: &[Cost]| median(costs, |cost| cost.cpu);
    for (name, costs) in [("curl", &theirs), ("earmark download", &ours)] {
        println!(
            "  {:>5} MiB  {name:<17} {:6.3} s wall, {:6.3} s of CPU",
            bytes >> 20,
            wall(costs),
            cpu(costs)
        );
    }
    println!(
        "             {:.2} x the speed of curl, {:.2} x its CPU; {:.1} MiB resident at most",
        wall(&theirs) / wall(&ours),
        cpu(&ours) / cpu(&theirs),
        f64::from(u32::try_from(peak).unwrap()) / 1024.0
    );
}

fn matrix(bytes: u64, digest: &str) -> String {
    format!(
        "version: 1\nname: download\nmatrix:\n  backend: [reader]\n  model: [mine]\n  audio: [jfk]\n  \
         verify-method: [cache-check]\nbackends:\n  reader: {{command: [/bin/true, \
         \"{{{{ model.path }}}}\"], output: text, artifact: ggml-f16}}\nmodels:\n  mine:\n    size: \
         tiny\n    artifacts:\n      ggml-f16:\n        files: {{m.bin: {{bytes: {bytes}, sha256: \
         {digest}}}}}\n        sources: [{{hub: owner/name}}]\n"
    )
}

/// Fills a file with what looks like weights. Returns its SHA-256.
fn fill(path: &Path, bytes: u64) -> String {
    let mut random = ChaCha8Rng::seed_from_u64(bytes);
    let mut hasher = Sha256::new();
    let mut file = File::create(path).unwrap();
    let mut chunk = vec![0; 1 << 20];
    let mut left = bytes;
    while left > 0 {
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len());
        random.fill_bytes(&mut chunk[..length]);
        hasher.update(&chunk[..length]);
        file.write_all(&chunk[..length]).unwrap();
        left -= length as u64;
    }
    let digest = hasher.finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Runs a program. Returns what it took, and the most that it had resident, in KiB.
fn run(command: &mut Command) -> (Cost, u64) {
    let before = cpu_of_children();
    let begun = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut peak = 0;
    let status = loop {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id()));
        let most = status.unwrap_or_default();
        let most = most.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let most = most.and_then(|most| most.trim().strip_suffix("kB")?.trim().parse().ok());
        peak = peak.max(most.unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        let moment = rustix::event::Timespec {
            tv_sec: 0,
            tv_nsec: 2_000_000,
        };
        rustix::event::poll(&mut [], Some(&moment)).unwrap();
    };
    let wall = begun.elapsed().as_secs_f64();
    // A model of a command that reads nothing is only fetched: its verdict is another matter.
    assert!(
        matches!(status.code(), Some(0 | 3)),
        "{command:?}: {status}"
    );
    let cpu = cpu_of_children() - before;
    (Cost { wall, cpu }, peak)
}

#[expect(unsafe_code, reason = "`getrusage` has no safe wrapper")]
fn cpu_of_children() -> f64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the call fills the structure; zeros are a valid value of it too.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_CHILDREN, usage.as_mut_ptr());
        usage.assume_init()
    };
    #[expect(clippy::cast_precision_loss, reason = "seconds of a bench")]
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

/// Starts the server as a process of its own. Returns it and its address.
fn start(file: &Path) -> (Child, String) {
    let mut server = Command::new(std::env::current_exe().unwrap())
        .env(SERVE, file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines: BufReader<ChildStdout> = BufReader::new(server.stdout.take().unwrap());
    let mut url = String::new();
    lines.read_line(&mut url).unwrap();
    (server, url.trim().to_owned())
}

/// Serves a repository of one file until standard input ends.
fn serve(path: &Path) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("http://{}", listener.local_addr().unwrap());
    let mut hasher = Sha256::new();
    std::io::copy(&mut File::open(path).unwrap(), &mut HashWriter(&mut hasher)).unwrap();
    let digest: String = hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let path = path.to_path_buf();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (path, digest) = (path.clone(), digest.clone());
            std::thread::spawn(move || answer(&stream, &path, &digest));
        }
    });
    let _ = std::io::stdin().read(&mut [0]);
}

struct HashWriter<'a>(&'a mut Sha256);

impl Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Answers the requests of a connection, until it ends.
fn answer(mut stream: &TcpStream, path: &Path, digest: &str) {
    let file = File::open(path).unwrap();
    let size = file.metadata().unwrap().len();
    let mut lines = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if lines.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let target = head.split_whitespace().nth(1).unwrap();
        let json = if target.contains("/tree/") {
            Some(format!(
                "[{{\"type\": \"file\", \"path\": \"m.bin\", \"size\": {size}, \"oid\": \"{COMMIT}\", \
                 \"lfs\": {{\"oid\": \"{digest}\", \"size\": {size}, \"pointerSize\": 134}}}}]"
            ))
        } else if target.starts_with("/api/") {
            Some(format!(
                "{{\"id\": \"owner/name\", \"sha\": \"{COMMIT}\", \"siblings\": [], \"tags\": []}}"
            ))
        } else {
            None
        };
        let length = json.as_ref().map_or(size, |json| json.len() as u64);
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        let body = json.unwrap_or_default();
        if stream.write_all((head + &body).as_bytes()).is_err() {
            return;
        }
        let mut sent = if body.is_empty() { 0 } else { size };
        while sent < size {
            let left = usize::try_from(size - sent).unwrap();
            match rustix::fs::sendfile(stream, &file, Some(&mut sent), left) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }
}
