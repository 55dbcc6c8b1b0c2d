//! What a definition means, and what is refused in it.

use super::*;
use proptest::prelude::*;
use std::fs;

fn definition(command: &[&str]) -> BackendDefinition {
    BackendDefinition {
        id: "my-cli".into(),
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        output: crate::model::OutputRule::Text,
        artifact: Some("ggml-f16".into()),
        version: None,
        fails: crate::model::FailureRule::default(),
        settings: Vec::new(),
        requires: crate::model::Requirements::NONE,
        directory: "/matrices".into(),
    }
}

fn read(command: &[&str]) -> CommandBackend {
    CommandBackend::new(&definition(command)).unwrap()
}

fn inputs() -> CommandInputs {
    CommandInputs {
        model_directory: Some("/store/tiny.en/ggml-f16".into()),
        model_files: vec!["ggml-tiny.en.bin".into()],
        model_id: "tiny.en".into(),
        audio_wav: Some("/cache/a b.wav".into()),
        audio_samples: Some("/cache/a.f32".into()),
        audio_id: "jfk".into(),
        language: None,
        threads: 2,
        output: "/run/1".into(),
        settings: BTreeMap::from([
            ("beam-size".into(), Value::integer(5)),
            (
                "task".into(),
                Value::text("a b; rm -rf $HOME {{ threads }}"),
            ),
        ]),
    }
}

fn words(launch: &LaunchSpec) -> Vec<&str> {
    launch
        .command
        .iter()
        .map(|word| word.to_str().unwrap())
        .collect()
}

#[test]
fn every_place_is_filled_in_and_no_word_becomes_two() {
    let backend = read(&[
        "my-cli",
        "{{ model.path }}",
        "{{ model.directory }}",
        "{{ model.id }}",
        "--file={{ audio.wav }}",
        "{{audio.samples}}",
        "{{ audio.id }}",
        "-l{{ language }}",
        "{{ threads }}/{{ settings.threads }}",
        "{{ output }}/x.txt",
        "{{ settings.beam-size }}",
        "{{ settings.beam_size }}",
        "{{ settings.task }}",
        "a\n",
        "$HOME && *",
    ]);
    let launch = backend.launch(&inputs(), |_| None).unwrap();
    assert_eq!(
        words(&launch),
        [
            "my-cli",
            "/store/tiny.en/ggml-f16/ggml-tiny.en.bin",
            "/store/tiny.en/ggml-f16",
            "tiny.en",
            "--file=/cache/a b.wav",
            "/cache/a.f32",
            "jfk",
            "-lauto",
            "2/2",
            "/run/1/x.txt",
            "5",
            "5",
            "a b; rm -rf $HOME {{ threads }}",
            "a\n",
            "$HOME && *",
        ]
    );
    assert!(!launch.network && !launch.protocol);
    let places: Vec<String> = backend.places().iter().map(Place::to_string).collect();
    assert_eq!(
        places,
        [
            "model.path",
            "model.directory",
            "model.id",
            "audio.wav",
            "audio.samples",
            "audio.id",
            "language",
            "threads",
            "output",
            "settings.beam-size",
            "settings.task",
        ]
    );
}

#[test]
fn an_artifact_of_several_files_is_its_folder() {
    let mut several = inputs();
    several.model_files.push("config.json".into());
    let launch = read(&["x", "{{ model.path }}"]).launch(&several, |_| None);
    assert_eq!(words(&launch.unwrap())[1], "/store/tiny.en/ggml-f16");
}

#[test]
fn what_has_no_value_is_no_empty_word() {
    let mut without = inputs();
    without.settings.clear();
    without.audio_wav = None;
    let backend = read(&["x", "{{ settings.beam-size }}"]);
    assert_eq!(words(&backend.launch(&without, |_| None).unwrap())[1], "1");
    for word in ["{{ settings.task }}", "{{ audio.wav }}"] {
        let reason = read(&["x", word]).launch(&without, |_| None).unwrap_err();
        assert!(reason.contains(word), "{reason}");
    }
}

#[test]
fn the_environment_is_the_one_of_an_engine() {
    let launch = read(&["x"])
        .launch(&inputs(), |name| Some(name.into()))
        .unwrap();
    let value = |name: &str| {
        launch
            .environment
            .get(name)
            .and_then(|value| value.to_str())
    };
    assert_eq!(value("OMP_NUM_THREADS"), Some("2"));
    assert_eq!(value("HF_HUB_OFFLINE"), Some("1"));
    assert_eq!(value("PATH"), Some("PATH"));
    // How threads of a program that is not ours wait is its own matter.
    assert_eq!(value("OMP_WAIT_POLICY"), None);
    // What leads out is not handed on, but replaced by what leads nowhere.
    assert_eq!(value("HTTPS_PROXY"), Some("http://127.0.0.1:9"));
}

#[test]
fn a_backend_has_exactly_the_settings_that_its_command_names() {
    let words = [
        "x",
        "{{ settings.beam-size }}",
        "{{ settings.compute-type }}",
        "{{ threads }}",
    ];
    let facts = definition_facts(&definition(&words), |_| None).unwrap();
    let names: Vec<&str> = facts.settings.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["threads", "beam-size", "compute-type"]);
    assert!(
        facts
            .setting("threads")
            .unwrap()
            .accept(&Value::text("many"))
            .is_err()
    );
    assert!(
        facts
            .setting("compute-type")
            .unwrap()
            .accept(&Value::text("int8"))
            .is_ok()
    );
    assert_eq!(
        facts.needed_settings().collect::<Vec<_>>(),
        ["compute-type"]
    );
    assert_eq!(facts.artifacts["f16"], "ggml-f16");
    assert!(facts.command && !facts.any_model);
}

#[test]
fn a_program_is_found_without_being_started() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("bin/tool");
    fs::create_dir(folder.path().join("bin")).unwrap();
    fs::write(&program, "#!/bin/sh\ntouch RAN\n").unwrap();
    let path = folder.path().join("bin").into_os_string();
    let state = |name: &str| {
        let mut definition = definition(&[name]);
        definition.directory = folder.path().into();
        let get = |name: &str| match name {
            "PATH" => Some(path.clone()),
            "PLACE" => Some("./bin".into()),
            _ => None,
        };
        match definition_facts(&definition, get).unwrap().availability {
            Availability::Ready => "ready".to_owned(),
            Availability::Unavailable(reason) => reason,
        }
    };
    assert!(
        state("bin/tool").contains("chmod +x"),
        "{}",
        state("bin/tool")
    );
    assert!(state("tool").contains("PATH"));
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&program, mode).unwrap();
    for name in ["tool", "bin/tool", "./bin/tool", "${env:PLACE}/tool"] {
        assert_eq!(state(name), "ready", "{name}");
    }
    assert!(state("./tool").contains("there is no program `./tool`"));
    assert!(state("bin/").contains("there is no program"));
    assert!(state("${env:OTHER}/tool").contains("`OTHER` is not set"));
    assert!(!folder.path().join("RAN").exists());
    // What is started is the same file, from whichever folder.
    let mut relative = definition(&["./bin/tool"]);
    relative.directory = folder.path().into();
    let backend = CommandBackend::new(&relative).unwrap();
    let launch = backend.launch(&inputs(), |_| None).unwrap();
    assert_eq!(
        words(&launch)[0],
        folder.path().join("./bin/tool").to_str().unwrap()
    );
}

#[test]
fn a_version_is_asked_for_without_places() {
    let mut with_version = definition(&["./x"]);
    with_version.version = Some(vec!["./x".into(), "--version".into()]);
    let backend = CommandBackend::new(&with_version).unwrap();
    let launch = backend.version_launch(|_| None).unwrap().unwrap();
    assert_eq!(words(&launch), ["/matrices/./x", "--version"]);
    assert_eq!(read(&["x"]).version_launch(|_| None), Ok(None));
    with_version.version = Some(vec!["x".into(), "{{ threads }}".into()]);
    let mistakes = CommandBackend::new(&with_version).unwrap_err();
    assert_eq!(mistakes[0].part, BackendPart::Version);
}

/// Returns the reasons why a definition is refused.
fn reasons(definition: &BackendDefinition) -> Vec<String> {
    let mistakes = CommandBackend::new(definition).unwrap_err();
    mistakes.iter().map(ToString::to_string).collect()
}

#[test]
fn mistakes_are_told_all_at_once() {
    let mut wrong = definition(&[
        "{{ model.id }}",
        "{{ adio.wav }}",
        "{{ threads",
        "{% if x %}",
        "{{ settings }}",
        "{{ settings.a.b }}",
        "{{ settings.repeat }}",
        "{{ range(9) }}",
        "{{ model.path }}",
    ]);
    wrong.artifact = None;
    wrong.output = crate::model::OutputRule::File("../x".into());
    let reasons = reasons(&wrong);
    assert_eq!(reasons.len(), 10, "{reasons:#?}");
    for part in [
        "the program itself",
        "`adio.wav` is nothing that a command can name",
        "is no template",
        "holds a statement",
        "named one by one",
        "`a.b` is no name of a setting",
        "`repeat` is no setting of a command",
        "`range`",
        "reads no artifact",
        "`../x` is no file in the folder",
    ] {
        assert!(
            reasons.iter().any(|reason| reason.contains(part)),
            "{part}: {reasons:#?}"
        );
    }
}

fn text_of(rule: OutputRule, stdout: &[u8], output: &Path) -> Result<String, String> {
    let mut with_rule = definition(&["x", "{{ output }}"]);
    with_rule.output = rule;
    CommandBackend::new(&with_rule)
        .unwrap()
        .text_of(stdout, output)
}

use crate::model::OutputRule;

#[test]
fn text_is_all_of_standard_output() {
    let here = Path::new("");
    let text = |bytes: &[u8]| text_of(OutputRule::Text, bytes, here);
    assert_eq!(
        text(b"\n And so, \xc3\xa9\nmy fellow \n"),
        Ok("And so, é\nmy fellow".into())
    );
    assert_eq!(text(b""), Ok(String::new()));
    assert!(text(b"ab\xff").unwrap_err().contains("byte 3"));
}

#[test]
fn a_json_path_selects_texts() {
    let here = Path::new("");
    let text =
        |path: &str, json: &str| text_of(OutputRule::Jsonpath(path.into()), json.as_bytes(), here);
    let all = "$.transcription[*].text";
    let json =
        r#"{"transcription": [{"text": " And so"}, {"text": " my "}, {"text": ""}], "n": [1]}"#;
    assert_eq!(text(all, json), Ok("And so my".into()));
    assert!(
        text("$.result", json)
            .unwrap_err()
            .contains("selects nothing")
    );
    let number = text("$.n[*]", json).unwrap_err();
    assert!(number.contains("a number at $['n'][0]"), "{number}");
    assert!(text(all, "{\"a\":").unwrap_err().contains("no JSON"));
    assert_eq!(text("$.a", "{\"a\": \"\"}"), Ok(String::new()));
    let mut wrong = definition(&["x"]);
    wrong.output = OutputRule::Jsonpath("$.a[".into());
    assert!(
        reasons(&wrong)[0].contains("no JSON path"),
        "{:?}",
        reasons(&wrong)
    );
}

#[test]
fn a_file_is_read_from_the_folder_of_the_process_only() {
    let folder = tempfile::tempdir().unwrap();
    let text = |name: &str| text_of(OutputRule::File(name.into()), b"", folder.path());
    fs::create_dir(folder.path().join("sub")).unwrap();
    fs::write(folder.path().join("sub/x.txt"), " hello \n").unwrap();
    for name in [
        "sub/x.txt",
        "{{ output }}/sub/x.txt",
        "{{output}}/sub/x.txt",
    ] {
        assert_eq!(text(name), Ok("hello".into()), "{name}");
    }
    assert!(text("none").unwrap_err().contains("was not written"));
    assert!(text("sub").unwrap_err().contains("no regular file"));
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link")).unwrap();
    assert!(text("link").unwrap_err().contains("is a link"));
    let pipe = folder.path().join("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    assert!(text("pipe").unwrap_err().contains("no regular file"));
    fs::write(folder.path().join("bad"), b"\xff").unwrap();
    assert!(text("bad").unwrap_err().contains("UTF-8"));
    let large = fs::File::create(folder.path().join("large")).unwrap();
    large.set_len(MOST_OUTPUT_BYTES + 1).unwrap();
    assert!(text("large").unwrap_err().contains("16 MiB"));
    for name in [
        "",
        "/etc/passwd",
        "../x",
        "a/../../x",
        "{{ output }}",
        "{{ output }}x",
        "{{ model.id }}/x",
        "{{ output }}/../x",
        "{{ output }}/{{ model.id }}",
        "x/",
    ] {
        let mut wrong = definition(&["x", "{{ output }}"]);
        wrong.output = OutputRule::File(name.into());
        assert!(reasons(&wrong)[0].contains("is no file"), "{name}");
    }
    let mut untold = definition(&["x"]);
    untold.output = OutputRule::File("x.txt".into());
    assert!(reasons(&untold)[0].contains("is not told the folder"));
}

proptest! {
    #[test]
    fn any_word_is_read_or_refused(word in "[a-z{}%' .#_-]{0,24}") {
        let _ = CommandBackend::new(&definition(&["x", &word]));
    }

    #[test]
    fn a_value_stays_one_word(value in ".*") {
        let mut given = inputs();
        given.settings.insert("task".into(), Value::text(&value));
        let launch = read(&["x", "{{ settings.task }}"]).launch(&given, |_| None).unwrap();
        prop_assert_eq!(words(&launch), ["x", value.as_str()]);
    }
}

#[test]
fn what_speaks_the_protocol_is_told_everything_there() {
    let mut own = definition(&["./mine", "--fast"]);
    own.output = crate::model::OutputRule::Protocol;
    own.settings = vec![crate::engine::declaration::beam_size(5)];
    let facts = definition_facts(&own, |_| None).unwrap();
    let names: Vec<&str> = facts.settings.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["language", "threads", "beam-size"]);
    assert!(!facts.command);
    let launch = protocol_launch(&own, 3, |_| None);
    assert_eq!(launch.command, ["/matrices/./mine", "--fast"]);
    assert!(launch.protocol && !launch.network);

    own.command.push("{{ audio.wav }}".into());
    own.version = Some(vec!["mine".into(), "--version".into()]);
    own.fails.empty = true;
    own.settings.push(crate::engine::declaration::threads());
    let parts: Vec<BackendPart> = definition_facts(&own, |_| None)
        .unwrap_err()
        .iter()
        .map(|mistake| mistake.part)
        .collect();
    assert_eq!(
        parts,
        [
            BackendPart::Command,
            BackendPart::Version,
            BackendPart::Fails,
            BackendPart::Settings
        ]
    );
}

#[test]
fn a_command_declares_no_settings() {
    let mut command = definition(&["x"]);
    command.settings = vec![crate::engine::declaration::beam_size(5)];
    let mistakes = definition_facts(&command, |_| None).unwrap_err();
    assert_eq!(mistakes[0].part, BackendPart::Settings);
}
