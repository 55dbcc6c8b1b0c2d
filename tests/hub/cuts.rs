//! An artifact that is cut again and again, by the server and by the death of the runner, arrives
//! whole, and hardly anything is sent twice.

use super::server::Hub;
use super::{command_of, everything_is_here, place_of, repository, weights};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

/// `EARMARK_TEST_CUT_BYTES` is the length of the artifact.
const USUAL_LENGTH: u64 = 64 << 20;

/// Up to this length the line is slower than the runner, as lines are: what is on its way when a
/// runner dies is lost, and is much of a small artifact.
const LONG: u64 = 512 << 20;

const CUTS_BY_THE_SERVER: usize = 38;
const DEATHS: usize = 12;

#[test]
fn what_is_cut_fifty_times_arrives_whole_and_under_five_percent_is_sent_twice() {
    let length = std::env::var("EARMARK_TEST_CUT_BYTES").ok();
    let length = length.map_or(USUAL_LENGTH, |text| text.parse().unwrap());
    let hub = Hub::with(&[("m.bin", weights(usize::try_from(length).unwrap(), 1))]);
    let place = place_of(&hub, "");
    let digest = hub.content("m.bin").sha256;
    let partial = repository(&place).join("blobs");
    if length < LONG {
        hub.follow(partial.join(format!("{digest}.incomplete")));
    }
    let mut random = ChaCha8Rng::seed_from_u64(6);
    let mut points = |count: usize| -> Vec<u64> {
        let points = (0..count).map(|_| random.next_u64() % length);
        points.collect()
    };
    hub.cut_at(points(CUTS_BY_THE_SERVER));
    // The runner that is alive when so many bytes have been served is killed at once.
    let runner = Arc::new(Mutex::new(None::<std::process::Child>));
    for point in points(DEATHS) {
        let runner = Arc::clone(&runner);
        hub.when_served(point, move || {
            if let Some(child) = &mut *runner.lock().unwrap() {
                child.kill().unwrap();
            }
        });
    }
    let mut deaths = 0;
    loop {
        let child = command_of(&place, &hub)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut slot = runner.lock().unwrap();
        *slot = Some(child);
        drop(slot);
        let status = loop {
            // It is not waited for under the lock: whoever kills it needs that.
            let ended = runner.lock().unwrap().as_mut().unwrap().try_wait().unwrap();
            match ended {
                Some(status) => break status,
                None => crate::support::eventually("the runner lives or ends", || {
                    let moment = rustix::event::Timespec {
                        tv_sec: 0,
                        tv_nsec: 5_000_000,
                    };
                    rustix::event::poll(&mut [], Some(&moment)).is_ok()
                }),
            }
        };
        if status.code().is_some() {
            break;
        }
        deaths += 1;
        assert!(deaths <= DEATHS);
    }
    let served = hub.served();
    everything_is_here(&place, &hub);
    let cuts = hub.fetches() - 1;
    println!(
        "{length} bytes, {cuts} cuts, {deaths} of them deaths: {served} bytes served, {:.4} × the length",
        ratio(served, length)
    );
    assert!(cuts >= 45, "only {cuts} cuts");
    assert!(
        ratio(served, length) <= 1.05,
        "{served} bytes were served for {length}"
    );
}

#[expect(clippy::cast_precision_loss, reason = "a ratio")]
fn ratio(served: u64, length: u64) -> f64 {
    served as f64 / length as f64
}
