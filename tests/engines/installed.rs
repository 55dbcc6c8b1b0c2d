//! Engines that are installed from the package index, with real weights on real speech.

use crate::support::Place;

#[test]
fn what_is_installed_hears_what_whisper_cpp_hears() {
    let place = Place::with_shared_store();
    let names = ["faster-whisper", "moonshine"];
    for name in names {
        place.run(&["engines", "install", name]).expect_status(0);
    }
    place.write(
        "m.yaml",
        "version: 1\nname: real\nmatrix:\n  backend: [whisper-cpp, faster-whisper]\n  model: [tiny.en]\n  \
         audio: [jfk]\n  verify-method: [transcribe]\n  include:\n    - {backend: moonshine, model: \
         moonshine-tiny-en, audio: jfk, verify-method: transcribe}\nsettings: {repeat: 1, warmup: 0, \
         wait-policy: passive}\ndeadlines: {start: 180s, load: 180s, verify: {tiny: 180s}}\n",
    );
    place.run(&["run", "m.yaml", "--out", "r"]).expect_status(0);
    let rows = place.table("r/results.csv");
    let wer = |backend: &str| -> f64 {
        let row = rows.iter().find(|row| row["backend"] == backend).unwrap();
        assert_eq!(row["status"], "completed");
        assert_eq!(row["network_wall"], "seccomp");
        assert!(!row["backend_version"].is_empty());
        row["wer"].parse().unwrap()
    };
    let reference = wer("whisper-cpp");
    assert!(
        (wer("faster-whisper") - reference).abs() <= 0.03,
        "{rows:?}"
    );
    // Another family of models, and a small one.
    assert!(wer("moonshine") <= 0.25, "{rows:?}");
}
