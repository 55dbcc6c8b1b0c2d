//! Cases of recordings: speech, and what is none.

use super::SubjectModel;
use super::cases::{Case, CaseResult};
use super::clips::Recording;
use super::kit::Kit;
use super::session::Came;
use crate::model::Segment;
use crate::protocol::{AudioInput, ErrorKind, Reply, Request};
use std::time::{Duration, Instant};

/// What is said in the speech of eleven seconds.
const WORDS: &str = "and so my fellow americans ask not what your country can do for you ask what \
                     you can do for your country";
/// How many of its words must be heard.
const WANTED: usize = 16;
/// How far a segment may reach past the end of its recording: Whisper tells times in steps, in a
/// window that is filled up with silence.
const PAST_END: f64 = 1.0;

/// A whole answer.
#[derive(Clone, Debug)]
struct Answer {
    text: String,
    segments: Vec<Segment>,
    transcribe_seconds: f64,
    first_segment_seconds: Option<f64>,
    cpu_seconds: Option<f64>,
    /// The runner's own time.
    wall: Duration,
}

/// What came of a transcription.
enum Heard {
    Answer(Answer),
    Refused(ErrorKind, String),
    /// What came, and what was expected.
    Wrong(String, String),
}

const SPEECH_CASES: [Case; 13] = [
    Case::Speech,
    Case::Segments,
    Case::Times,
    Case::SameAgain,
    Case::TwoSeconds,
    Case::FiftyMilliseconds,
    Case::NoSamples,
    Case::Silence,
    Case::NotANumber,
    Case::TornFile,
    Case::MissingFile,
    Case::UnknownLanguage,
    Case::LoadTwice,
];

impl<Tell: FnMut(&CaseResult)> Kit<'_, Tell> {
    /// Transcribes.
    pub(super) async fn speech(&mut self) {
        if let SubjectModel::Missing { reason, .. } = &self.subject.model {
            let reason = reason.clone();
            for case in SPEECH_CASES {
                self.skip(case, &reason);
            }
            return;
        }
        self.known_speech().await;
        let short = self.clips.short.clone();
        match self.transcribe(&short, Some("en")).await {
            Heard::Answer(answer) => self.ok(Case::TwoSeconds, answer.text.trim().to_owned()),
            other => self.unheard(Case::TwoSeconds, &other, "`done`"),
        }
        let odd = [
            (
                Case::FiftyMilliseconds,
                self.clips.fifty_milliseconds.clone(),
            ),
            (Case::NoSamples, self.clips.no_samples.clone()),
            (Case::Silence, self.clips.silence.clone()),
            (Case::NotANumber, self.clips.not_a_number.clone()),
        ];
        for (case, recording) in odd {
            self.heard_or_refused(case, &recording, "en").await;
        }
        for (case, recording) in [
            (Case::TornFile, self.clips.torn.clone()),
            (Case::MissingFile, self.clips.missing.clone()),
        ] {
            match self.transcribe(&recording, Some("en")).await {
                Heard::Refused(ErrorKind::Audio, message) => self.ok(case, message),
                other => self.unheard(case, &other, "`error` of kind audio"),
            }
        }
        self.heard_or_refused(Case::UnknownLanguage, &short, "xx")
            .await;
        self.load_twice().await;
    }

    async fn known_speech(&mut self) {
        let speech = self.clips.speech.clone();
        let answer = match self.transcribe(&speech, Some("en")).await {
            Heard::Answer(answer) => answer,
            other => {
                self.unheard(Case::Speech, &other, "`done`");
                for case in [Case::Segments, Case::Times, Case::SameAgain] {
                    self.skip(case, "nothing was heard");
                }
                return;
            }
        };
        let found = words_in_order(&answer.text);
        if self.subject.facts.synthetic {
            self.ok(Case::Speech, "a stand-in, whose words say nothing");
        } else if found < WANTED {
            let observed = format!("`{}`", answer.text.trim());
            self.fail(
                Case::Speech,
                observed,
                &format!("{WANTED} words of `{WORDS}`"),
            );
        } else {
            self.ok(Case::Speech, answer.text.trim().to_owned());
        }
        match wrong_segment(&answer.segments, speech.seconds) {
            Some((observed, expected)) => self.fail(Case::Segments, observed, &expected),
            None => self.ok(Case::Segments, format!("{}", answer.segments.len())),
        }
        match wrong_time(&answer) {
            Some((observed, expected)) => self.fail(Case::Times, observed, &expected),
            None => self.ok(
                Case::Times,
                format!(
                    "{:.3} s of {:.1} s",
                    answer.transcribe_seconds, speech.seconds
                ),
            ),
        }
        match self.transcribe(&speech, Some("en")).await {
            Heard::Answer(again) if again.text == answer.text => self.ok(Case::SameAgain, ""),
            Heard::Answer(again) => {
                let observed = format!("`{}`", again.text.trim());
                self.fail(
                    Case::SameAgain,
                    observed,
                    &format!("`{}`", answer.text.trim()),
                );
            }
            other => self.unheard(Case::SameAgain, &other, "the same text"),
        }
    }

    async fn load_twice(&mut self) {
        let request = self.right_load();
        let limit = self.limits().load;
        let observed = match self.loaded().await {
            Ok(session) => {
                session.say(&request).await;
                session.hear(limit).await
            }
            Err(observed) => observed,
        };
        let note = match &observed {
            Came::Reply(Reply::Loaded { .. }) => "loaded again",
            Came::Reply(Reply::Error { .. }) => "refused",
            other => {
                self.fail(Case::LoadTwice, other.words(), "`loaded` or `error`");
                return self.drop_session().await;
            }
        };
        let short = self.clips.short.clone();
        match self.transcribe(&short, Some("en")).await {
            Heard::Answer(_) => self.ok(Case::LoadTwice, note),
            other => self.unheard(Case::LoadTwice, &other, "`done` after it"),
        }
    }

    /// A recording that nobody can say much about: any answer will do.
    async fn heard_or_refused(&mut self, case: Case, recording: &Recording, language: &str) {
        match self.transcribe(recording, Some(language)).await {
            Heard::Answer(answer) => self.ok(case, format!("`{}`", answer.text.trim())),
            Heard::Refused(kind, message) => self.ok(case, format!("refused as {kind}: {message}")),
            other @ Heard::Wrong(..) => self.unheard(case, &other, "`done` or `error`"),
        }
    }

    fn unheard(&mut self, case: Case, heard: &Heard, expected: &str) {
        match heard {
            Heard::Answer(answer) => {
                let observed = format!("`done` with `{}`", answer.text.trim());
                self.fail(case, observed, expected);
            }
            Heard::Refused(kind, message) => {
                self.fail(case, format!("`error` of kind {kind}: {message}"), expected);
            }
            Heard::Wrong(observed, wanted) => self.fail(case, observed.clone(), wanted),
        }
    }

    /// Returns the request to transcribe a recording, as the engine wants to be handed it.
    pub(super) fn transcribe_request(
        &self,
        recording: &Recording,
        language: Option<&str>,
    ) -> Request {
        let file = (self.audio == AudioInput::File).then(|| recording.wav.display().to_string());
        Request::Transcribe {
            trial: self.trial,
            samples: recording.samples.display().to_string(),
            file,
            language: language.map(str::to_owned),
        }
    }

    /// Transcribes a recording. A process that does it wrong is not asked again.
    async fn transcribe(&mut self, recording: &Recording, language: Option<&str>) -> Heard {
        self.trial += 1;
        let trial = self.trial;
        let request = self.transcribe_request(recording, language);
        let limit = self.trial_limit(recording.seconds);
        let heard = match self.loaded().await {
            Ok(session) => {
                let begun = Instant::now();
                session.say(&request).await;
                loop {
                    let left = limit.saturating_sub(begun.elapsed());
                    match session.hear(left).await {
                        Came::Reply(Reply::Segment { trial: told, .. }) if told == trial => {}
                        Came::Reply(Reply::Done {
                            trial: told,
                            text,
                            segments,
                            transcribe_seconds,
                            first_segment_seconds,
                            cpu_seconds,
                            ..
                        }) if told == trial => {
                            return Heard::Answer(Answer {
                                text,
                                segments,
                                transcribe_seconds,
                                first_segment_seconds,
                                cpu_seconds,
                                wall: begun.elapsed(),
                            });
                        }
                        Came::Reply(Reply::Error { kind, message }) => {
                            return Heard::Refused(kind, message);
                        }
                        Came::Nothing(_) => break Came::Nothing(limit),
                        other => break other,
                    }
                }
            }
            Err(observed) => observed,
        };
        let expected = format!(
            "the answer to trial {trial} within {} s",
            limit.as_secs_f64()
        );
        self.drop_session().await;
        Heard::Wrong(heard.words(), expected)
    }
}

/// Returns how many of the known words stand in a text, in their order but not without gaps.
fn words_in_order(text: &str) -> usize {
    let lower = text.to_lowercase();
    let heard: Vec<&str> = lower
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let mut from = 0;
    WORDS
        .split(' ')
        .filter(|word| {
            // Only a few words ahead: one that was missed must not cost all that come after it.
            let ahead = heard.iter().skip(from).take(4);
            let found = ahead.clone().position(|candidate| candidate == word);
            if let Some(offset) = found {
                from += offset + 1;
            }
            found.is_some()
        })
        .count()
}

/// Returns what is wrong with the segments of a recording, in words.
fn wrong_segment(segments: &[Segment], audio_seconds: f64) -> Option<(String, String)> {
    let mut before = 0.0;
    for segment in segments {
        let (start, end) = (segment.start_seconds, segment.end_seconds);
        let observed = || format!("a segment from {start} s to {end} s");
        if !(start.is_finite() && end.is_finite()) || start < 0.0 || end < start {
            return Some((
                observed(),
                "one that begins at 0 or later and then ends".into(),
            ));
        }
        if start < before {
            return Some((
                observed(),
                format!("one that begins at {before} s or later"),
            ));
        }
        if end > audio_seconds + PAST_END {
            return Some((observed(), format!("one within the {audio_seconds} s")));
        }
        before = start;
    }
    None
}

/// Returns what is wrong with the times of an answer, in words.
fn wrong_time(answer: &Answer) -> Option<(String, String)> {
    let took = answer.transcribe_seconds;
    let wall = answer.wall.as_secs_f64();
    if !took.is_finite() || took <= 0.0 {
        return Some((format!("{took} s"), "a time above 0".into()));
    }
    if took > wall {
        return Some((
            format!("{took} s"),
            format!("no more than the {wall} s of the runner's clock"),
        ));
    }
    if let Some(first) = answer.first_segment_seconds
        && !(0.0..=took).contains(&first)
    {
        return Some((
            format!("a first segment after {first} s"),
            format!("one within the {took} s"),
        ));
    }
    answer
        .cpu_seconds
        .filter(|cpu| !cpu.is_finite() || *cpu < 0.0)
        .map(|cpu| (format!("{cpu} s of CPU time"), "a time of 0 or more".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_counted_in_their_order_and_one_that_was_missed_costs_one() {
        let all = WORDS.split(' ').count();
        assert_eq!(words_in_order(WORDS), all);
        let missed = WORDS.replace("americans", "");
        assert_eq!(words_in_order(&missed), all - 1);
        let other = "and so the quick brown fox asks what you can do for a lazy dog";
        assert!(words_in_order(other) < WANTED);
    }

    #[test]
    fn segments_outside_the_recording_or_out_of_order_are_named() {
        let segment = |start_seconds, end_seconds| Segment {
            start_seconds,
            end_seconds,
            text: String::new(),
        };
        assert_eq!(
            wrong_segment(&[segment(0.0, 5.0), segment(5.0, 11.5)], 11.0),
            None
        );
        for wrong in [
            vec![segment(0.0, 14.0)],
            vec![segment(5.0, 6.0), segment(4.0, 6.0)],
            vec![segment(-1.0, 2.0)],
            vec![segment(3.0, 2.0)],
            vec![segment(0.0, f64::NAN)],
        ] {
            assert!(wrong_segment(&wrong, 11.0).is_some(), "{wrong:?}");
        }
    }
}
