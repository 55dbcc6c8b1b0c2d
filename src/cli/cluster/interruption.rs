//! Interruptions while something is done, or waited for, that a scheduler has a part in.

use crate::cli::exit::{ExitStatus, Failure, say};
use crate::cluster::CommandFailure;
use crate::exec::hangs_up;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens for SIGINT, SIGTERM and SIGHUP, and waits for other things meanwhile. The second ends the program at
/// once, whatever it waits for.
pub(super) struct Interruptions {
    told: Receiver<Told>,
    teller: Sender<Told>,
    farewell: Arc<Mutex<String>>,
}

enum Told {
    Interrupted,
    /// Something that was waited for has ended.
    Ended,
}

impl Interruptions {
    /// Begins to listen.
    #[expect(
        clippy::disallowed_methods,
        reason = "who interrupts twice does not wait for what the main thread waits for"
    )]
    pub(super) fn listen() -> Result<Self, Failure> {
        let (teller, told) = channel();
        let farewell = Arc::new(Mutex::new(String::new()));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Failure::internal)?;
        let inside = runtime.enter();
        let listen = |kind| signal(kind).map_err(Failure::internal);
        let mut interrupt = listen(SignalKind::interrupt())?;
        let mut terminate = listen(SignalKind::terminate())?;
        // Under `nohup` a terminal that is gone is no reason to end.
        let mut hangup = if hangs_up() {
            Some(listen(SignalKind::hangup())?)
        } else {
            None
        };
        drop(inside);
        let (sender, last_words) = (teller.clone(), Arc::clone(&farewell));
        std::thread::spawn(move || {
            runtime.block_on(async {
                let mut is_first = true;
                loop {
                    tokio::select! {
                        _ = interrupt.recv() => {}
                        _ = terminate.recv() => {}
                        () = heard(&mut hangup) => {}
                    }
                    let is_taken = sender.send(Told::Interrupted).is_ok();
                    if !std::mem::take(&mut is_first) || !is_taken {
                        let words = last_words.lock().unwrap_or_else(PoisonError::into_inner);
                        if !words.is_empty() {
                            say(&words);
                        }
                        std::process::exit(ExitStatus::Interrupted.code().into());
                    }
                }
            });
        });
        Ok(Self {
            told,
            teller,
            farewell,
        })
    }

    /// Has something said if a second interruption ends the program.
    pub(super) fn say_at_the_second(&self, words: String) {
        *self.farewell.lock().unwrap_or_else(PoisonError::into_inner) = words;
    }

    /// Lets some time pass, and returns whether somebody interrupted it.
    pub(super) fn within(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        loop {
            match self
                .told
                .recv_timeout(until.saturating_duration_since(Instant::now()))
            {
                Ok(Told::Ended) => {}
                Err(RecvTimeoutError::Timeout) => return false,
                Ok(Told::Interrupted) | Err(RecvTimeoutError::Disconnected) => return true,
            }
        }
    }

    /// Waits for something, and returns what came of it; `None` if somebody interrupted that. What was waited
    /// for goes on by itself then, and must be something that nobody misses.
    pub(super) fn unless_interrupted<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, answer) = channel();
        let teller = self.teller.clone();
        std::thread::spawn(move || {
            let _ = sender.send(work());
            let _ = teller.send(Told::Ended);
        });
        loop {
            match self.told.recv() {
                // It may be of something that nobody waited for to its end.
                Ok(Told::Ended) => {
                    if let Ok(answer) = answer.try_recv() {
                        return Some(answer);
                    }
                }
                Ok(Told::Interrupted) | Err(_) => return None,
            }
        }
    }

    /// Asks the scheduler something before anything is changed. An interruption is the end of it.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce() -> Result<T, CommandFailure> + Send + 'static,
    ) -> Result<T, Failure> {
        match self.unless_interrupted(question) {
            Some(answer) => answer.map_err(Failure::internal),
            None => Err(nothing_was_changed()),
        }
    }
}

/// The end of something that was interrupted before it changed anything.
pub(super) fn nothing_was_changed() -> Failure {
    Failure::Interrupted("interrupted; nothing was changed".into())
}

/// Waits for a signal; for ever, if it is not listened for.
async fn heard(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}
