//! The loop over windows, with a network that says what it is told to.

use super::*;
use crate::engine::candle::whisper::mel::MelTransform;
use crate::engine::candle::whisper::tokens::Suppression;

/// Text 0 to 9, end of text 10, special 11 to 15, timestamps from 16.
const END: u32 = 10;
const T0: u32 = 16;

fn tokens() -> SpecialTokens {
    SpecialTokens {
        end_of_text: END,
        start_of_transcript: 11,
        transcribe: 13,
        no_speech: 14,
        no_timestamps: 15,
        languages: vec![("es".into(), 12)],
    }
}

/// Says what it is told to, window by window.
#[derive(Default)]
struct Scripted {
    windows: Vec<Vec<u32>>,
    listened: usize,
    said: usize,
    prompts: Vec<Vec<u32>>,
    /// The logits of "no speech" and of each scripted token, 0 and 20 unless changed.
    no_speech: f32,
    certainty: Option<f32>,
}

impl Scripted {
    fn logits(&self) -> Vec<f32> {
        let mut logits = vec![0.0; T0 as usize + 1501];
        let window = self
            .listened
            .checked_sub(1)
            .and_then(|window| self.windows.get(window));
        let next = window
            .and_then(|window| window.get(self.said))
            .copied()
            .unwrap_or(END);
        logits[next as usize] = self.certainty.unwrap_or(20.0);
        logits[14] = self.no_speech;
        logits[12] = 1.0;
        logits
    }
}

impl WindowModel for Scripted {
    fn listen(&mut self, frames: Vec<f32>) -> Result<(), Error> {
        assert_eq!(frames.len(), WINDOW_FRAMES * 80);
        self.listened += 1;
        Ok(())
    }

    fn begin(&mut self, prompt: &[u32]) -> Result<PromptLogits, Error> {
        self.said = 0;
        self.prompts.push(prompt.to_vec());
        Ok(PromptLogits {
            first: self.logits(),
            last: self.logits(),
        })
    }

    fn follow(&mut self, _: u32) -> Result<Vec<f32>, Error> {
        self.said += 1;
        Ok(self.logits())
    }
}

fn noise(milliseconds: u32) -> Vec<f32> {
    (0..milliseconds * 16)
        .map(|n| f32::from((n.wrapping_mul(2_654_435_761) >> 24) as u8) / 256.0)
        .collect()
}

fn run(
    network: &mut Scripted,
    samples: &[f32],
    timestamps: bool,
    language: Option<Language>,
) -> Transcript {
    let tokens = tokens();
    let suppression = Suppression {
        always: (11..T0).collect(),
        first: vec![END],
    };
    let rules = Rules {
        tokens: &tokens,
        suppression: &suppression,
        timestamps,
    };
    let text = |tokens: &[u32]| {
        let words = tokens.iter().map(u32::to_string).collect::<Vec<_>>();
        format!(" {}", words.join(" "))
    };
    let recording = MelTransform::new(80).spectrogram(samples);
    let mut handed_over = Vec::new();
    let transcript = Run::new(rules, &text, 40, language)
        .transcript(network, &recording, &mut |segment| {
            handed_over.push(segment.clone());
        })
        .unwrap();
    assert_eq!(handed_over, transcript.segments);
    transcript
}

fn english() -> Language {
    Language {
        code: "en".into(),
        token: None,
    }
}

fn spans(transcript: &Transcript) -> Vec<(f64, f64, &str)> {
    let span = |segment: &'_ Segment| (segment.start_seconds, segment.end_seconds);
    let texts = transcript
        .segments
        .iter()
        .map(|segment| segment.text.as_str());
    transcript
        .segments
        .iter()
        .map(span)
        .zip(texts)
        .map(|((from, to), text)| (from, to, text))
        .collect()
}

#[test]
fn the_next_window_begins_where_the_last_pair_of_timestamps_stands() {
    let mut network = Scripted {
        windows: vec![
            // The stretch after 20 s is cut short, so it is heard again.
            vec![T0, 1, T0 + 500, T0 + 500, 2, T0 + 1000, T0 + 1000, 3],
            vec![T0, 3, 4, T0 + 250],
        ],
        ..Scripted::default()
    };
    let transcript = run(&mut network, &noise(40_000), true, Some(english()));
    assert_eq!(
        spans(&transcript),
        [(0.0, 10.0, "1"), (10.0, 20.0, "2"), (20.0, 25.0, "3 4")]
    );
    assert_eq!(transcript.text, "1 2 3 4");
    // One timestamp before the end of the text: nobody speaks in the rest.
    assert_eq!(network.listened, 2);
    assert_eq!(transcript.tokens, 9 + 5);
}

#[test]
fn decoding_stops_at_the_end_of_the_recording() {
    let mut network = Scripted {
        windows: vec![vec![T0, 1, T0 + 200, T0 + 200, 2, 3]],
        ..Scripted::default()
    };
    let transcript = run(&mut network, &noise(4_050), true, Some(english()));
    assert_eq!(spans(&transcript), [(0.0, 4.0, "1")]);
    assert_eq!((network.listened, network.said), (1, 2));
}

#[test]
fn a_segment_does_not_end_after_the_recording() {
    let mut network = Scripted {
        windows: vec![vec![T0, 1, T0 + 1500]],
        ..Scripted::default()
    };
    let transcript = run(&mut network, &noise(4_000), true, Some(english()));
    assert_eq!(spans(&transcript), [(0.0, 4.0, "1")]);
}

#[test]
fn text_without_a_closing_timestamp_is_kept_whole() {
    let mut network = Scripted {
        windows: vec![vec![T0, 1, 2], vec![T0, 3]],
        ..Scripted::default()
    };
    let transcript = run(&mut network, &noise(40_000), true, Some(english()));
    assert_eq!(spans(&transcript), [(0.0, 30.0, "1 2"), (30.0, 40.0, "3")]);
}

#[test]
fn without_timestamps_each_window_is_a_segment() {
    let mut network = Scripted {
        windows: vec![vec![1, 2], vec![3]],
        ..Scripted::default()
    };
    let transcript = run(&mut network, &noise(40_000), false, Some(english()));
    assert_eq!(spans(&transcript), [(0.0, 30.0, "1 2"), (30.0, 40.0, "3")]);
    assert_eq!(network.prompts, [[11, 15], [11, 15]]);
}

#[test]
fn a_window_that_never_ends_is_left_at_the_longest_length() {
    let mut network = Scripted {
        windows: vec![[vec![T0], vec![1; 100]].concat(), vec![T0, 2]],
        ..Scripted::default()
    };
    let transcript = run(&mut network, &noise(40_000), true, Some(english()));
    assert_eq!((network.listened, transcript.segments.len()), (2, 2));
    assert_eq!(transcript.segments[0].text.split(' ').count(), 39);
}

#[test]
fn the_language_is_detected_once_in_the_first_window() {
    let mut network = Scripted {
        windows: vec![vec![T0, 1], vec![T0, 2]],
        ..Scripted::default()
    };
    let transcript = run(&mut network, &noise(40_000), true, None);
    assert_eq!(transcript.language, "es");
    assert_eq!(network.listened, 2);
    assert_eq!(
        network.prompts,
        [vec![11], vec![11, 12, 13], vec![11, 12, 13]]
    );
}

#[test]
fn a_window_is_without_speech_when_the_model_says_so_and_is_unsure() {
    for (certainty, segments) in [(3.0, 0), (20.0, 1)] {
        let mut network = Scripted {
            windows: vec![vec![T0, 1, T0 + 250]],
            no_speech: 25.0,
            certainty: Some(certainty),
            ..Scripted::default()
        };
        let transcript = run(&mut network, &noise(10_000), true, Some(english()));
        assert_eq!(transcript.segments.len(), segments, "{certainty}");
    }
}

#[test]
fn nothing_is_listened_to_in_silence_or_in_less_than_a_tenth_of_a_second() {
    for samples in [vec![], noise(99), vec![0.0; 16_000 * 40]] {
        let mut network = Scripted {
            windows: vec![vec![T0, 1]],
            ..Scripted::default()
        };
        let transcript = run(&mut network, &samples, true, None);
        assert_eq!(
            (transcript.segments.len(), transcript.text.as_str()),
            (0, "")
        );
        assert_eq!((network.listened, transcript.language.as_str()), (0, "und"));
    }
}
