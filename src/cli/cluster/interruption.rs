//! Interruptions while something is waited for that a scheduler does.

use crate::cli::exit::Failure;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Listens for SIGINT and SIGTERM, and waits for other things meanwhile.
pub(super) struct Interruptions(Receiver<()>);

impl Interruptions {
    /// Begins to listen.
    pub(super) fn listen() -> Result<Self, Failure> {
        let (sender, receiver) = channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Failure::internal)?;
        let inside = runtime.enter();
        let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::internal)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(Failure::internal)?;
        drop(inside);
        std::thread::spawn(move || {
            runtime.block_on(async {
                loop {
                    tokio::select! {
                        _ = interrupt.recv() => {}
                        _ = terminate.recv() => {}
                    }
                    if sender.send(()).is_err() {
                        break;
                    }
                }
            });
        });
        Ok(Self(receiver))
    }

    /// Lets some time pass, and returns whether somebody interrupted it.
    pub(super) fn within(&self, time: Duration) -> bool {
        self.0.recv_timeout(time) != Err(RecvTimeoutError::Timeout)
    }
}
