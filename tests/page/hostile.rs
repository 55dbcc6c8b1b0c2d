//! A record in which everything that people or engines write is an attack on the page.

use super::browser::Browser;
use super::{records, text};
use crate::support::Place;
use crate::support::journal::plan;
use earmark::event::RunEvent;
use earmark::model::{Job, JobSpec, MachineFacts, Outcome, Phase, RepositoryFacts, Value};
use earmark::report::{LevelChange, RunHistory};
use serde_json::json;
use std::fs;
use std::path::PathBuf;

/// What would act if it were not escaped: markup, ends of elements, attributes, template syntax,
/// controls, letters that turn a text around, and a word without an end.
const ATTACKS: [&str; 14] = [
    "<script>document.title='taken'</script>",
    "</script><script>document.title='taken'</script>",
    "</style><style>main{display:none}</style>",
    "</title><img src=x onerror=\"document.title='taken'\">",
    "\" onmouseover=\"document.title='taken'\" autofocus onfocus=\"document.title='taken'",
    "' onfocus='document.title=1' x='",
    "</svg><svg onload=alert(1)>",
    "<iframe src=\"javascript:alert(1)\"></iframe>",
    "{{ record.name }}{% for a in range(9) %}x{% endfor %}{# gone #}${alert(1)}",
    "<!-- <!doctype html><plaintext>",
    "javascript:alert(1)",
    "\u{202e}drawkcab\u{2066}\u{0}\u{1b}[2J\u{7}\r\u{85}\u{2028}]]>",
    "`</code><script>document.title='taken'</script>`",
    "&lt;script&gt;&#60;b&#62;",
];

fn attack(number: usize) -> String {
    ATTACKS[number % ATTACKS.len()].to_owned()
}

/// Returns the page of a record in which every text is an attack.
fn page(place: &Place) -> PathBuf {
    let all = ATTACKS.join(" ") + &"W".repeat(5000);
    let mut made = plan(0);
    made.name = attack(0);
    made.description.clone_from(&all);
    made.matrix_text.clone_from(&all);
    let mut rows = Vec::new();
    for number in 0..ATTACKS.len() {
        let id = attack(number);
        records::clip(&mut made, &id, 1.0, &attack(number + 1));
        let mut spec = records::benchmark(&attack(number + 2), &attack(number + 3), &id, 1);
        spec.quantization = attack(number + 4).as_str().into();
        spec.settings =
            serde_json::from_value(json!({attack(number + 5): attack(number)})).unwrap();
        let mut job = Job::new(JobSpec::Benchmark(spec));
        job.combinations = vec![number];
        let labels = [
            ("backend".to_owned(), Value::text(attack(number + 2))),
            (
                format!("tag.{}", attack(number + 6)),
                Value::text(all.clone()),
            ),
        ];
        rows.push(labels.into_iter().collect::<indexmap::IndexMap<_, _>>());
        made.jobs.push(job);
    }
    made.combinations = rows.into_iter().collect();
    made.jobs.last_mut().unwrap().skip = Some(all.clone());
    let machine = MachineFacts {
        host: attack(1),
        cpu: attack(2),
        system: attack(3),
        kernel: attack(4),
        governor: Some(attack(5)),
        virtualization: Some(attack(1)),
        container: Some(attack(2)),
        ..records::machine("here")
    };
    let mut journal = records::begin_as(&made, &machine, ATTACKS[3], &ATTACKS);
    for (number, job) in made.jobs.iter().enumerate().skip(1) {
        let id = attack(number - 1);
        if number == made.jobs.len() - 1 {
            continue;
        }
        journal.audio(&id, "0");
        let outcome = match number % 4 {
            0 => Outcome::Failed {
                phase: Phase::Load,
                reason: all.clone(),
            },
            1 => Outcome::ProtocolViolation {
                phase: Phase::Trial,
                reason: attack(number),
            },
            _ => Outcome::Completed,
        };
        let heard = attack(number + 1) + " " + &all;
        records::launch(
            &mut journal,
            &job.id,
            &records::Launch {
                number: 0,
                start: 0.1,
                load: 0.1,
                memory: (1 << 20, 1 << 20),
                times: vec![(1.0, Some(0.5)); 4],
                audio: (&id, 1.0),
                text: &heard,
            },
        );
        records::attempt(&mut journal, &job.id, 1, ATTACKS[number % ATTACKS.len()]);
        records::attempt_ended(&mut journal, &job.id, 1, &outcome, (None, &all));
        journal.end(&job.id, &outcome, None);
    }
    journal.over(false);
    if let Some(RunEvent::RunStarted {
        crates, repository, ..
    }) = journal.events.first_mut().map(|event| &mut event.event)
    {
        *crates = [(attack(0), all.clone()), (attack(3), attack(4))].into();
        *repository = Some(RepositoryFacts {
            commit: Some(all.clone()),
            clean: Some(false),
        });
    }
    journal.write(&place.path().join("r"), &made);
    let change = |number: usize| LevelChange {
        job: attack(number),
        machine: attack(number + 1),
        host: attack(number + 2),
        metric: attack(number + 3),
        title: attack(number + 4),
        worse: number.is_multiple_of(2),
        before: -f64::MAX,
        after: f64::MAX,
        shown_before: attack(number + 5),
        shown_after: attack(number + 6),
        shown_change: attack(number + 7),
        since_run: all.clone(),
        since: attack(number + 8),
        last_run_before: attack(number + 9),
        last_before: attack(number + 10),
        changed_there: vec![attack(number), all.clone()],
        values: vec![f64::MAX, -f64::MAX, 0.0],
        position: usize::MAX,
        synthetic: true,
    };
    let history = RunHistory {
        version: RunHistory::VERSION,
        rows: usize::MAX,
        known_rows: 1,
        watched: ATTACKS.map(str::to_owned).to_vec(),
        trends: 1,
        long_trends: usize::MAX,
        fewest_runs: 0,
        significance: 0.0,
        changes: (0..ATTACKS.len()).map(change).collect(),
        more_changes: 0,
    };
    history.write(&place.path().join("r")).unwrap();
    place.run(&["report", "r"]).expect_status(0);
    place.path().join("r/report.html")
}

#[test]
fn what_others_wrote_is_text_and_nothing_else() {
    let place = Place::new();
    let page = fs::read_to_string(page(&place)).unwrap();
    // Its own are the only ones, and each stands once.
    for (element, count) in [
        ("<script", 1),
        ("</script", 1),
        ("<style", 1),
        ("</style", 1),
        ("<body", 1),
        ("<!--", 0),
        ("<img", 0),
        ("<iframe", 0),
        ("<plaintext", 0),
    ] {
        let body = page.to_ascii_lowercase();
        let found = body.matches(element).count();
        // Titles of pictures are elements of the same name.
        let titles = if element == "<title>" {
            body.matches("<title>").count() - 1
        } else {
            0
        };
        assert_eq!(found - titles, count, "{element}");
    }
    for letter in [
        '\u{202e}', '\u{2066}', '\u{0}', '\u{1b}', '\u{7}', '\r', '\u{85}', '\u{2028}',
    ] {
        assert!(!page.contains(letter), "{letter:?} acts without being seen");
    }
    let text = text::of(&page);
    assert!(text.contains("[U+202E]drawkcab[U+2066]␀␛[2J"), "{text}");
    // Template syntax in a text is text.
    assert!(text.contains("{{ record.name }}{% for a in range(9) %}x{% endfor %}"));
    assert!(text.contains("&lt;script&gt;&#60;b&#62;"));
}

#[test]
fn nothing_that_others_wrote_acts_in_a_browser() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let place = Place::new();
    let page = page(&place);
    for width in [375, 1280] {
        browser.look(width, "light");
        browser.open(&page);
        let title = browser.evaluate("document.title");
        assert_eq!(title, format!("{} – Earmark", ATTACKS[0]));
        let active = browser.evaluate(
            "Array.from(document.querySelectorAll('script, style, iframe, img, object, embed, link, base, \
             form, a')).map((part) => part.localName + (part.getAttribute('href') || ''))\
             .filter((name) => !/^a#[a-z-]+[0-9]*$/.test(name)).sort()",
        );
        assert_eq!(active, json!(["script", "style"]));
        let handlers = browser.evaluate(
            "Array.from(document.querySelectorAll('*')).flatMap((part) => \
             Array.from(part.attributes, (attribute) => attribute.name))\
             .filter((name) => name.startsWith('on') || name === 'style').length",
        );
        assert_eq!(handlers, 0);
        assert_eq!(
            browser.evaluate("document.querySelector('main').checkVisibility()"),
            true
        );
        // Words without an end break instead of widening the page.
        assert_eq!(
            browser.evaluate("document.documentElement.scrollWidth - innerWidth"),
            0
        );
        // What the script makes of such names is text too.
        browser.evaluate(
            "for (const select of document.querySelectorAll('select')) for (const option of \
             select.options) { select.value = option.value; select.dispatchEvent(new Event('change')); }",
        );
        browser.evaluate(
            "for (const button of document.querySelectorAll('th button')) button.click()",
        );
        assert_eq!(
            browser.evaluate("document.title"),
            format!("{} – Earmark", ATTACKS[0])
        );
        assert_eq!(
            browser.evaluate("document.querySelectorAll('script').length"),
            1
        );
        assert_eq!(browser.faults(), [""; 0]);
    }
}

#[test]
fn a_script_that_came_in_all_the_same_would_not_run() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let place = Place::new();
    let path = page(&place);
    // As if an escape had been forgotten.
    let page = fs::read_to_string(&path).unwrap().replace(
        "</main>",
        "<script>document.title='taken'</script><img src=\"http://127.0.0.1:9/x\" \
         onerror=\"document.title='taken'\"><style>main{display:none}</style></main>",
    );
    fs::write(&path, page).unwrap();
    browser.open(&path);
    browser.evaluate("new Promise((done) => setTimeout(done, 100))");
    assert_ne!(browser.evaluate("document.title"), "taken");
    assert_eq!(
        browser.evaluate("document.querySelector('main').checkVisibility()"),
        true
    );
    // The policy says so each time.
    assert!(
        browser
            .faults()
            .iter()
            .any(|fault| fault.contains("Content Security Policy"))
    );
}
