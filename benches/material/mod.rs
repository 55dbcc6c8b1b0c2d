//! What the benches measure with: tiny.en and the decoded English recordings, made by the program
//! itself and kept between runs.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Weights and decoded recordings.
pub struct Material {
    /// The folder that the program keeps its models and decoded audio in.
    pub home: PathBuf,
    /// Little-endian float32 samples, 16,000 a second of one channel, one file a recording.
    pub recordings: Vec<PathBuf>,
}

/// Makes what is missing.
pub fn prepare() -> Material {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("earmark-home");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let matrix = |backends: &str| {
        format!(
            "version: 1\nname: material\nmatrix:\n  backend: [{backends}]\n  model: [tiny.en]\n  \
             audio: [english]\n  verify-method: [cache-check]\nsettings: {{repeat: 1, warmup: 0}}\n"
        )
    };
    let earmark = |arguments: &[&str], text: String| {
        std::fs::write(folder.path().join("m.yaml"), text).expect("a matrix");
        let status = Command::new(env!("CARGO_BIN_EXE_earmark"))
            .args(arguments)
            .current_dir(folder.path())
            .env("EARMARK_HOME", &home)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()
            .expect("earmark runs");
        assert!(status.success(), "earmark {arguments:?}: {status}");
    };
    earmark(&["download", "m.yaml"], matrix("whisper-cpp, candle"));
    earmark(&["run", "m.yaml", "--out", "decoded"], matrix("fake"));
    let journal = std::fs::read_to_string(folder.path().join("decoded/journal.jsonl"))
        .expect("the journal of the run");
    let decoded: Vec<PathBuf> = std::fs::read_dir(home.join("audio"))
        .expect("decoded audio")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "f32"))
        .collect();
    let recordings = journal
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of the journal"))
        .filter(|event: &serde_json::Value| event["event"] == "audio-prepared")
        .map(|event| {
            let digest = event["sha256"].as_str().expect("a digest").to_owned();
            let known = decoded.iter().find(|path| {
                let name = path.file_name().and_then(|name| name.to_str());
                name.is_some_and(|name| name.starts_with(&digest))
            });
            known.expect("a decoded recording").clone()
        })
        .collect();
    Material { home, recordings }
}

/// Returns how many rounds are asked for: `EARMARK_BENCH_ROUNDS`, else five.
pub fn rounds() -> usize {
    std::env::var("EARMARK_BENCH_ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(5)
}

/// Reads samples.
pub fn samples(path: &Path) -> Vec<f32> {
    std::fs::read(path)
        .expect("samples")
        .as_chunks::<4>()
        .0
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect()
}

/// Returns the value in the middle, or the mean of the two in the middle.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        f64::midpoint(values[middle - 1], values[middle])
    }
}
