//! Speed: how much audio is transcribed in a second, and how many cores that takes.

use super::statistics::median;

/// Audio and the time spent on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimedAudio {
    /// Length of the audio in seconds.
    pub audio_seconds: f64,
    /// What was spent: wall seconds for [`rtfx`], CPU seconds for [`core_hours_per_audio_hour`].
    pub spent_seconds: f64,
}

/// Returns the inverse real-time factor (RTFx): Σ audio seconds ÷ Σ transcribe seconds. Higher is
/// better; 1 is as fast as speech.
///
/// The sums are divided and not the ratios averaged, as on the Open ASR Leaderboard, so long audio
/// weighs more. Returns `None` without a trial, or if a time is not a number, negative, or zero in
/// sum.
pub fn rtfx(trials: impl IntoIterator<Item = TimedAudio>) -> Option<f64> {
    let sums = sum(trials)?;
    (sums.spent_seconds > 0.0).then_some(sums.audio_seconds / sums.spent_seconds)
}

/// Returns the median of the inverse real-time factors of single trials or files, to show beside
/// [`rtfx`], which long audio rules. Returns `None` under the same conditions, for any trial.
pub fn median_rtfx(trials: impl IntoIterator<Item = TimedAudio>) -> Option<f64> {
    let each: Option<Vec<f64>> = trials.into_iter().map(|trial| rtfx([trial])).collect();
    median(&each?)
}

/// Returns the core-hours that an hour of audio takes: Σ CPU seconds ÷ Σ audio seconds, where the
/// CPU seconds are those of the trials alone, without loading and warm-up.
///
/// Returns `None` without a trial, or if a time is not a number, negative, or the audio is zero in
/// sum.
pub fn core_hours_per_audio_hour(trials: impl IntoIterator<Item = TimedAudio>) -> Option<f64> {
    let sums = sum(trials)?;
    (sums.audio_seconds > 0.0).then_some(sums.spent_seconds / sums.audio_seconds)
}

fn sum(trials: impl IntoIterator<Item = TimedAudio>) -> Option<TimedAudio> {
    let zero = TimedAudio {
        audio_seconds: 0.0,
        spent_seconds: 0.0,
    };
    let is_time = |seconds: f64| seconds.is_finite() && seconds >= 0.0;
    trials.into_iter().try_fold(zero, |sums, trial| {
        (is_time(trial.audio_seconds) && is_time(trial.spent_seconds)).then_some(TimedAudio {
            audio_seconds: sums.audio_seconds + trial.audio_seconds,
            spent_seconds: sums.spent_seconds + trial.spent_seconds,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIALS: [TimedAudio; 3] = [
        TimedAudio {
            audio_seconds: 100.0,
            spent_seconds: 10.0,
        },
        TimedAudio {
            audio_seconds: 10.0,
            spent_seconds: 5.0,
        },
        TimedAudio {
            audio_seconds: 10.0,
            spent_seconds: 2.0,
        },
    ];

    #[test]
    fn sums_are_divided() {
        assert_eq!(rtfx(TRIALS), Some(120.0 / 17.0));
        assert_eq!(median_rtfx(TRIALS), Some(5.0));
        assert_eq!(core_hours_per_audio_hour(TRIALS), Some(17.0 / 120.0));
    }

    #[test]
    fn no_data_is_no_speed() {
        assert_eq!(rtfx([]), None);
        assert_eq!(median_rtfx([]), None);
        assert_eq!(core_hours_per_audio_hour([]), None);
        let unknown = TimedAudio {
            audio_seconds: 1.0,
            spent_seconds: f64::NAN,
        };
        assert_eq!(rtfx([TRIALS[0], unknown]), None);
        let instant = TimedAudio {
            audio_seconds: 1.0,
            spent_seconds: 0.0,
        };
        assert_eq!(rtfx([instant]), None);
    }
}
