//! Which jobs of the history are meant.

use crate::cli::exit::Failure;
use crate::history::KnownJob;
use crate::plan::Filter;

/// Returns the jobs that all of some words mean: an id, the beginning of one, or a filter.
pub(super) fn select(words: &[String], jobs: &[KnownJob]) -> Result<Vec<String>, Failure> {
    let mut chosen: Vec<&KnownJob> = jobs.iter().collect();
    for word in words {
        // Ids hold settings, such as `threads=2`: what begins one is no filter.
        if jobs.iter().any(|job| is_named(word, &job.job)) {
            chosen.retain(|job| is_named(word, &job.job));
        } else if let Ok(filter) = word.parse::<Filter>() {
            if !jobs.iter().any(|job| value(job, filter.key()).is_some()) {
                return Err(Failure::Usage(format!(
                    "no job has `{}`; it may be id, backend, model, quantization, audio, or a setting \
                     that stands in an id",
                    filter.key()
                )));
            }
            chosen
                .retain(|job| value(job, filter.key()).is_some_and(|value| filter.accepts(value)));
        } else {
            chosen.clear();
        }
        if chosen.is_empty() {
            return Err(Failure::Usage(format!(
                "no job in the history is `{word}`{}; name an id, the beginning of one, or a filter such \
                 as `backend=candle`; `earmark history show 'id~/' --format csv` lists all",
                if words.len() > 1 {
                    " and the others too"
                } else {
                    ""
                }
            )));
        }
    }
    Ok(chosen.into_iter().map(|job| job.job.clone()).collect())
}

/// Whether a word is a job's id, with or without its kind, or begins it.
fn is_named(word: &str, id: &str) -> bool {
    !word.is_empty()
        && (id.starts_with(word)
            || id
                .strip_prefix("benchmark/")
                .is_some_and(|rest| rest.starts_with(word)))
}

fn value<'a>(job: &'a KnownJob, key: &str) -> Option<&'a str> {
    Some(match key {
        "kind" => "benchmark",
        "id" | "job" => &job.job,
        "backend" => &job.backend,
        "model" => &job.model,
        "quantization" => &job.quantization,
        "audio" => &job.audio,
        setting => job
            .job
            .split('/')
            .find_map(|part| part.strip_prefix(setting)?.strip_prefix('='))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jobs() -> Vec<KnownJob> {
        [
            ("fake", "threads=1"),
            ("fake", "threads=2"),
            ("candle", "beam-size=2"),
        ]
        .map(|(backend, setting)| KnownJob {
            job: format!("benchmark/{backend}/tiny.en/f16/jfk/{setting}/0123456789"),
            backend: backend.into(),
            model: "tiny.en".into(),
            quantization: "f16".into(),
            audio: "jfk".into(),
        })
        .into()
    }

    fn chosen(words: &[&str]) -> Result<usize, String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        match select(&words, &jobs()) {
            Ok(jobs) => Ok(jobs.len()),
            Err(Failure::Usage(message)) => Err(message),
            Err(_) => Err("?".into()),
        }
    }

    #[test]
    fn jobs_are_named_by_ids_their_beginnings_and_filters() {
        for (words, number) in [
            (
                vec!["benchmark/fake/tiny.en/f16/jfk/threads=2/0123456789"],
                1,
            ),
            (vec!["fake/tiny.en/f16/jfk/threads=2"], 1),
            (vec!["benchmark/fake"], 2),
            (vec!["backend=fake"], 2),
            (vec!["model~tiny"], 3),
            (vec!["model~tiny", "backend=can*"], 1),
            (vec!["threads=2"], 1),
            (vec!["id~/"], 3),
        ] {
            assert_eq!(chosen(&words), Ok(number), "{words:?}");
        }
        assert!(
            chosen(&["nosuch"])
                .unwrap_err()
                .contains("no job in the history is `nosuch`")
        );
        assert!(
            chosen(&["colour=red"])
                .unwrap_err()
                .contains("no job has `colour`")
        );
        assert!(chosen(&["threads=2", "backend=candle"]).is_err());
    }
}
