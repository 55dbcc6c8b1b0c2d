//! Requests in, replies out.

use super::clocks::TrialClock;
use crate::engine::{self, Engine, EngineError, LoadRequest, SegmentSink};
use crate::model::{Availability, EngineFacts, Value};
use crate::protocol::{AudioInput, ErrorKind, Reply, Request, VERSION, decode, encode};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// The variable that names the protocol's descriptor.
const DESCRIPTOR: &str = "EARMARK_PROTOCOL_FD";

/// Runs a worker for one engine until it is told to end.
pub fn main(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    log_to_stderr();
    let id = arguments
        .next()
        .and_then(|argument| argument.into_string().ok())
        .unwrap_or_default();
    let Some(facts) = engine::built_in().shift_remove(&id) else {
        tracing::error!("no built-in engine is called `{id}`");
        return ExitCode::from(2);
    };
    let Some(engine) = engine::create(&id) else {
        tracing::error!("the engine `{id}` was left out of this build");
        return ExitCode::from(2);
    };
    let Some(stream) = protocol_stream() else {
        tracing::error!("a worker is started by the runner, not by hand");
        return ExitCode::from(2);
    };
    // Whatever a library prints must not be taken for the protocol, nor lost.
    if let Err(error) = rustix::stdio::dup2_stdout(std::io::stderr()) {
        tracing::error!("standard output cannot be pointed at standard error: {error}");
        return ExitCode::FAILURE;
    }
    match (Worker {
        facts,
        engine,
        samples: None,
    })
    .serve(stream)
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("the runner is gone: {error}");
            ExitCode::FAILURE
        }
    }
}

fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::new("warn");
    // A second subscriber can only come from a test in the same process.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .without_time()
        .with_ansi(false)
        .try_init();
}

/// Takes the descriptor that the shim left open for this process.
fn protocol_stream() -> Option<UnixStream> {
    use std::os::fd::{FromRawFd, RawFd};
    let number: RawFd = std::env::var(DESCRIPTOR).ok()?.parse().ok()?;
    #[expect(unsafe_code, reason = "an inherited descriptor has no owner yet")]
    // SAFETY: the shim opened this descriptor for us and nothing else in this process, which has
    // only just started, knows of it.
    Some(unsafe { UnixStream::from_raw_fd(number) })
}

struct Worker {
    facts: EngineFacts,
    engine: Box<dyn Engine>,
    /// The recording that was read last, by its path.
    samples: Option<(String, Vec<f32>)>,
}

type SharedWriter = Arc<Mutex<UnixStream>>;

fn say(writer: &SharedWriter, reply: &Reply) -> std::io::Result<()> {
    writer
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .write_all(&encode(reply))
}

impl Worker {
    fn serve(mut self, stream: UnixStream) -> std::io::Result<()> {
        let writer: SharedWriter = Arc::new(Mutex::new(stream.try_clone()?));
        say(&writer, &self.hello())?;
        let mut lines = BufReader::new(stream);
        let mut line = Vec::new();
        loop {
            line.clear();
            if lines.read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            let reply = match decode::<Request>(&line) {
                Ok(Request::Shutdown) => return Ok(()),
                Ok(Request::Probe) => Ok(self.probed()),
                Ok(Request::Load {
                    directory,
                    files,
                    settings,
                    ..
                }) => self.load(directory, files, &settings),
                Ok(Request::Transcribe {
                    trial,
                    samples,
                    language,
                    ..
                }) => self.transcribe(trial, &samples, language.as_deref(), &writer),
                Err(reason) => Err(EngineError::new(ErrorKind::Engine, reason)),
            };
            let reply = reply.unwrap_or_else(|error| Reply::Error {
                kind: error.kind,
                message: error.message,
            });
            say(&writer, &reply)?;
        }
    }

    fn hello(&self) -> Reply {
        let artifacts: BTreeSet<&String> = self.facts.artifacts.values().collect();
        Reply::Hello {
            protocol: VERSION,
            engine: self.facts.id.clone(),
            version: self.facts.version.clone().unwrap_or_default(),
            device: engine::device(&self.facts.id),
            artifacts: artifacts.into_iter().cloned().collect(),
            audio: AudioInput::Samples,
            settings: self.facts.settings.clone(),
        }
    }

    fn probed(&self) -> Reply {
        let reason = match &self.facts.availability {
            Availability::Ready => None,
            Availability::Unavailable(reason) => Some(reason.clone()),
        };
        Reply::Probed {
            ready: reason.is_none(),
            reason,
        }
    }

    fn load(
        &mut self,
        directory: Option<String>,
        files: Vec<String>,
        given: &BTreeMap<String, Value>,
    ) -> Result<Reply, EngineError> {
        let started = Instant::now();
        let mut settings: BTreeMap<String, Value> = self
            .facts
            .settings
            .iter()
            .filter_map(|declaration| {
                Some((declaration.name.clone(), declaration.default.clone()?))
            })
            .collect();
        for (name, value) in given {
            settings.insert(name.clone(), self.accept(name, value)?);
        }
        let request = LoadRequest {
            directory: directory.map(Into::into),
            files,
            settings: settings.clone(),
        };
        self.engine.load(&request)?;
        settings.extend(self.engine.fixed_settings());
        Ok(Reply::Loaded {
            seconds: started.elapsed().as_secs_f64(),
            settings,
        })
    }

    /// Returns a setting in the type that the engine declares.
    fn accept(&self, name: &str, value: &Value) -> Result<Value, EngineError> {
        let setting = |reason| EngineError::new(ErrorKind::Setting, reason);
        match self.facts.setting(name) {
            Some(declaration) => declaration.accept(value).map_err(setting),
            // These two the runner tells every engine, and not every one can follow.
            None if ["threads", "language"].contains(&name) => Ok(value.clone()),
            None => Err(setting(format!(
                "`{}` has no setting `{name}`",
                self.facts.id
            ))),
        }
    }

    fn transcribe(
        &mut self,
        trial: u32,
        path: &str,
        language: Option<&str>,
        writer: &SharedWriter,
    ) -> Result<Reply, EngineError> {
        if self.samples.as_ref().is_none_or(|(known, _)| known != path) {
            self.samples = Some((path.to_owned(), read_samples(Path::new(path))?));
        }
        let samples = self
            .samples
            .as_ref()
            .map_or(&[][..], |(_, samples)| samples);
        let clock = Arc::new(TrialClock::start());
        let heard = Arc::clone(&clock);
        let listener = Arc::clone(writer);
        let sink: SegmentSink = Arc::new(move |segment| {
            heard.segment();
            // If the runner is gone, the next reply will find out.
            let _ = say(
                &listener,
                &Reply::Segment {
                    trial,
                    segment: segment.clone(),
                },
            );
        });
        let transcription = self.engine.transcribe(samples, language, &sink)?;
        let times = clock.stop();
        Ok(Reply::Done {
            trial,
            text: transcription.text,
            segments: transcription.segments,
            language: transcription.language,
            transcribe_seconds: times.transcribe,
            first_segment_seconds: times.first_segment,
            cpu_seconds: Some(times.cpu),
            tokens: transcription.tokens,
        })
    }
}

/// Reads raw little-endian float32 samples.
fn read_samples(path: &Path) -> Result<Vec<f32>, EngineError> {
    let audio = |reason: String| {
        EngineError::new(ErrorKind::Audio, format!("{}: {reason}", path.display()))
    };
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|mut file| file.read_to_end(&mut bytes))
        .map_err(|error| audio(error.to_string()))?;
    if bytes.len() % 4 != 0 {
        return Err(audio("is no whole number of float32 samples".into()));
    }
    Ok(bytes
        .chunks_exact(4)
        .map(|quad| f32::from_le_bytes([quad[0], quad[1], quad[2], quad[3]]))
        .collect())
}
