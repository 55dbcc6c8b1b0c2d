//! The limits that every job runs under.

use super::artifact::ModelSize;
use super::units::{optional_seconds, seconds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The limit of a verify by loading, for each size class, counted from the engine's hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SizeDeadlines {
    /// Limit for tiny models.
    #[serde(with = "seconds")]
    #[schemars(with = "f64", range(min = 0.0))]
    pub tiny: Duration,
    /// Limit for base models.
    #[serde(with = "seconds")]
    #[schemars(with = "f64", range(min = 0.0))]
    pub base: Duration,
    /// Limit for small models.
    #[serde(with = "seconds")]
    #[schemars(with = "f64", range(min = 0.0))]
    pub small: Duration,
    /// Limit for medium models.
    #[serde(with = "seconds")]
    #[schemars(with = "f64", range(min = 0.0))]
    pub medium: Duration,
    /// Limit for large models.
    #[serde(with = "seconds")]
    #[schemars(with = "f64", range(min = 0.0))]
    pub large: Duration,
}

impl SizeDeadlines {
    /// Returns the limit of a size class.
    #[must_use]
    pub fn of(&self, size: ModelSize) -> Duration {
        match size {
            ModelSize::Tiny => self.tiny,
            ModelSize::Base => self.base,
            ModelSize::Small => self.small,
            ModelSize::Medium => self.medium,
            ModelSize::Large => self.large,
        }
    }
}

/// Other limits for some backend, some model, or one pair.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeadlineOverride {
    /// Only for this backend.
    pub backend: Option<String>,
    /// Only for this model.
    pub model: Option<String>,
    /// Spawn to hello.
    #[serde(
        default,
        with = "optional_seconds",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "Option<f64>")]
    pub start: Option<Duration>,
    /// Verify by loading.
    #[serde(
        default,
        with = "optional_seconds",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "Option<f64>")]
    pub verify: Option<Duration>,
    /// Load of a benchmark.
    #[serde(
        default,
        with = "optional_seconds",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "Option<f64>")]
    pub load: Option<Duration>,
    /// Floor of one trial.
    #[serde(
        default,
        with = "optional_seconds",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "Option<f64>")]
    pub benchmark: Option<Duration>,
    /// The whole of one launch of a benchmark, or of one verify.
    #[serde(
        default,
        with = "optional_seconds",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "Option<f64>")]
    pub job: Option<Duration>,
}

/// What a slow disk, or a network file system, reads in a second.
pub const SLOW_DISK_BYTES_PER_SECOND: u64 = 20_000_000;

/// The share of a limit after which a job is told to be slow, where nothing else is said.
const SLOW: f64 = 0.5;

fn usual_share() -> f64 {
    SLOW
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_usual_share(share: &f64) -> bool {
    share.to_bits() == SLOW.to_bits()
}

/// All limits of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Deadlines {
    /// Spawn to the engine's hello.
    #[serde(with = "seconds")]
    #[schemars(with = "f64", range(min = 0.0))]
    pub start: Duration,
    /// Verify by loading, from the hello.
    pub verify: SizeDeadlines,
    /// Load of a benchmark.
    #[serde(with = "seconds")]
    #[schemars(with = "f64", range(min = 0.0))]
    pub load: Duration,
    /// The least that one trial gets.
    #[serde(with = "seconds")]
    #[schemars(with = "f64", range(min = 0.0))]
    pub benchmark_floor: Duration,
    /// What one trial gets for each second of its audio, if that is more.
    #[serde(with = "seconds")]
    #[schemars(with = "f64", range(min = 0.0))]
    pub benchmark_per_audio_second: Duration,
    /// A download without progress ends after this.
    #[serde(with = "seconds")]
    #[schemars(with = "f64", range(min = 0.0))]
    pub download_stall: Duration,
    /// A download ends after this in any case.
    #[serde(with = "seconds")]
    #[schemars(with = "f64", range(min = 0.0))]
    pub download_total: Duration,
    /// Between the request to end and the forced end.
    #[serde(with = "seconds")]
    #[schemars(with = "f64", range(min = 0.0))]
    pub grace: Duration,
    // The next two came later than the first plans: see `Plan::quiet`.
    /// The whole of one launch of a benchmark, or of one verify; `None`: no limit beyond those of
    /// its parts.
    #[serde(
        default,
        with = "optional_seconds",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "Option<f64>")]
    pub job: Option<Duration>,
    /// The share of a limit after which a job is told to be slow; 1: never told.
    #[serde(default = "usual_share", skip_serializing_if = "is_usual_share")]
    #[schemars(extend("exclusiveMinimum" = 0), range(max = 1.0))]
    pub slow: f64,
    /// By backend and model; the last that matches wins.
    pub overrides: Vec<DeadlineOverride>,
}

impl Default for Deadlines {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            start: seconds(60),
            verify: SizeDeadlines {
                tiny: seconds(15),
                base: seconds(15),
                small: seconds(15),
                medium: seconds(15),
                large: seconds(30),
            },
            load: seconds(60),
            benchmark_floor: seconds(60),
            benchmark_per_audio_second: seconds(10),
            download_stall: seconds(30),
            download_total: seconds(1800),
            grace: seconds(2),
            job: None,
            slow: SLOW,
            overrides: Vec::new(),
        }
    }
}

impl Deadlines {
    fn overridden<T>(
        &self,
        backend: &str,
        model: &str,
        field: impl Fn(&DeadlineOverride) -> Option<T>,
    ) -> Option<T> {
        let fits = |wanted: &Option<String>, value: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == value)
        };
        self.overrides
            .iter()
            .rev()
            .filter(|entry| fits(&entry.backend, backend) && fits(&entry.model, model))
            .find_map(field)
    }

    /// Returns the limit from spawn to hello.
    #[must_use]
    pub fn start_of(&self, backend: &str, model: &str) -> Duration {
        self.overridden(backend, model, |entry| entry.start)
            .unwrap_or(self.start)
    }

    /// Returns the limit of a verify by loading.
    #[must_use]
    pub fn verify_of(&self, backend: &str, model: &str, size: ModelSize) -> Duration {
        self.overridden(backend, model, |entry| entry.verify)
            .unwrap_or_else(|| self.verify.of(size))
    }

    /// Returns the limit of looking at the files of a model, of which `bytes` are read: what a
    /// verify by loading gets, and as long as a slow disk needs for them.
    #[must_use]
    pub fn files_of(&self, backend: &str, model: &str, size: ModelSize, bytes: u64) -> Duration {
        let reading = Duration::from_secs(bytes / SLOW_DISK_BYTES_PER_SECOND);
        self.verify_of(backend, model, size).saturating_add(reading)
    }

    /// Returns the limit of a benchmark's load.
    #[must_use]
    pub fn load_of(&self, backend: &str, model: &str) -> Duration {
        self.overridden(backend, model, |entry| entry.load)
            .unwrap_or(self.load)
    }

    /// Returns the limit of the whole of one launch of a benchmark, or of one verify, if there is
    /// one beyond those of its parts.
    #[must_use]
    pub fn job_of(&self, backend: &str, model: &str) -> Option<Duration> {
        self.overridden(backend, model, |entry| entry.job)
            .or(self.job)
    }

    /// Returns how long something under a limit may take before it is told to be slow; `None` if
    /// that is never told.
    #[must_use]
    pub fn slow_after(&self, limit: Duration) -> Option<Duration> {
        (self.slow < 1.0).then(|| limit.mul_f64(self.slow.max(0.0)))
    }

    /// Returns the limit of one trial on so much audio.
    #[must_use]
    pub fn trial_of(&self, backend: &str, model: &str, audio_seconds: f64) -> Duration {
        let floor = self
            .overridden(backend, model, |entry| entry.benchmark)
            .unwrap_or(self.benchmark_floor);
        floor.max(
            self.benchmark_per_audio_second
                .mul_f64(audio_seconds.max(0.0)),
        )
    }
}
