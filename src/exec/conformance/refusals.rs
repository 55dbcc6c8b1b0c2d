//! Cases before a model is loaded: who it is, and what it must refuse.

use super::cases::{Case, CaseResult};
use super::kit::Kit;
use super::session::Came;
use crate::model::{EngineFacts, SettingDeclaration, SettingKind, Value};
use crate::protocol::{ErrorKind, Reply, Request, VERSION, encode};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

impl<Tell: FnMut(&CaseResult)> Kit<'_, Tell> {
    /// Hears the first hello. Without one, nothing else can be asked.
    pub(super) async fn greet(&mut self) -> bool {
        let hello = match self.start().await {
            Ok(hello) => hello,
            Err(observed) => {
                let expected = format!("`hello` within {} s", self.limits().start.as_secs_f64());
                self.fail(Case::Hello, observed.words(), &expected);
                return false;
            }
        };
        let Reply::Hello { protocol, .. } = &hello else {
            return false;
        };
        if *protocol == VERSION {
            self.ok(Case::Hello, "");
        } else {
            let observed = format!("version {protocol} of the protocol");
            self.fail(Case::Hello, observed, &format!("version {VERSION}"));
        }
        match differing(&self.subject.facts, &hello) {
            Some((observed, expected)) => self.fail(Case::Facts, observed, &expected),
            None => self.ok(Case::Facts, told(&hello)),
        }
        true
    }

    /// Asks what has to be refused without a model.
    pub(super) async fn refusals(&mut self) {
        self.probe().await;
        let transcribe = self.transcribe_request(&self.clips.short.clone(), Some("en"));
        let bytes = encode(&transcribe);
        self.refuses(Case::TranscribeBeforeLoad, &bytes, None).await;
        self.refuses(Case::UnknownRequest, b"{\"request\":\"dance\"}\n", None)
            .await;
        self.garbage_line().await;
        let nowhere = self.folder.path().join("nothing-is-here");
        let unknown = BTreeMap::from([("no-such-setting".to_owned(), Value::integer(1))]);
        let bytes = self.load_with(&nowhere, unknown);
        let setting = Some(ErrorKind::Setting);
        self.refuses(Case::UnknownSetting, &bytes, setting).await;
        let settings = &self.subject.facts.settings;
        match settings.iter().find_map(out_of_range) {
            Some((name, value)) => {
                let bytes = self.load_with(&nowhere, BTreeMap::from([(name, value)]));
                self.refuses(Case::SettingOutOfRange, &bytes, setting).await;
            }
            None => self.skip(Case::SettingOutOfRange, "it has no setting with a range"),
        }
    }

    fn load_with(&self, folder: &std::path::Path, settings: BTreeMap<String, Value>) -> Vec<u8> {
        let folder: Option<PathBuf> = self.reads_model().then(|| folder.to_path_buf());
        encode(&self.load_of(folder, settings))
    }

    pub(super) fn reads_model(&self) -> bool {
        !self.subject.facts.artifacts.is_empty()
    }

    async fn probe(&mut self) {
        let limit = self.limits().start;
        let observed = match self.running().await {
            Ok(session) => {
                session.say(&Request::Probe).await;
                session.hear(limit).await
            }
            Err(observed) => observed,
        };
        match observed {
            Came::Reply(Reply::Probed { ready: true, .. }) => self.ok(Case::Probe, ""),
            Came::Reply(Reply::Probed {
                ready: false,
                reason,
            }) => {
                let observed = format!("no: {}", reason.unwrap_or_default());
                self.fail(Case::Probe, observed, "`probed` with ready: true");
            }
            other => self.fail(Case::Probe, other.words(), "`probed`"),
        }
        self.calm_down().await;
    }

    async fn garbage_line(&mut self) {
        let limit = self.answer_limit();
        let observed = match self.running().await {
            Ok(session) => {
                session
                    .say_bytes(b"\x00\xff{\"request\": Loading model...\n")
                    .await;
                session.hear(limit).await
            }
            Err(observed) => observed,
        };
        match &observed {
            Came::Reply(Reply::Error { .. }) => self.ok(Case::GarbageLine, "refused"),
            Came::Gone(gone) if gone.signal.is_none() && gone.not_started.is_none() => {
                self.ok(Case::GarbageLine, observed.words());
            }
            other => self.fail(
                Case::GarbageLine,
                other.words(),
                "an `error`, or its end without a signal",
            ),
        }
        self.calm_down().await;
    }

    /// Sends what must be refused, by an error of a kind if one is named, by an engine that goes on.
    async fn refuses(&mut self, case: Case, bytes: &[u8], kind: Option<ErrorKind>) {
        let limit = self.answer_limit();
        let observed = match self.running().await {
            Ok(session) => {
                session.say_bytes(bytes).await;
                session.hear(limit).await
            }
            Err(observed) => observed,
        };
        let refused = matches!(&observed, Came::Reply(Reply::Error { .. }));
        match self.calm_down().await {
            Some(then) if refused => {
                let observed = format!("{}, and then {}", observed.words(), then.words());
                self.fail(case, observed, "an engine that goes on");
            }
            _ => self.judge_refusal(case, &observed, kind),
        }
    }

    pub(super) fn judge_refusal(&mut self, case: Case, observed: &Came, kind: Option<ErrorKind>) {
        match (observed, kind) {
            (Came::Reply(Reply::Error { message, .. }), None) => self.ok(case, message.clone()),
            (Came::Reply(Reply::Error { kind, message }), Some(wanted)) if *kind == wanted => {
                self.ok(case, message.clone());
            }
            (other, Some(wanted)) => {
                self.fail(case, other.words(), &format!("`error` of kind {wanted}"));
            }
            (other, None) => self.fail(case, other.words(), "`error`"),
        }
    }

    /// Goes on only with a process that has nothing more to say: another one is started where this
    /// one is gone, hangs or talks on, and what came of it is returned.
    pub(super) async fn calm_down(&mut self) -> Option<Came> {
        let limit = self.limits().start;
        let session = self.session.as_mut()?;
        session.say(&Request::Probe).await;
        match session.hear(limit).await {
            Came::Reply(Reply::Probed { .. }) => None,
            other => {
                self.drop_session().await;
                Some(other)
            }
        }
    }
}

/// Returns a value that a setting must refuse.
fn out_of_range(declaration: &SettingDeclaration) -> Option<(String, Value)> {
    let value = match &declaration.kind {
        SettingKind::Integer { maximum, .. } | SettingKind::Repetition { maximum, .. } => {
            Value::integer(maximum.checked_add(1)?)
        }
        SettingKind::Number { maximum, .. } => Value::number(maximum * 2.0 + 1.0),
        SettingKind::Choice(_) => Value::text("no-such-word"),
        SettingKind::Boolean => Value::text("perhaps"),
        SettingKind::Text | SettingKind::Requirements => return None,
    };
    // Every engine is told how many threads it has, and some have to make do with fewer.
    (declaration.name != "threads").then(|| (declaration.name.clone(), value))
}

/// Returns what an engine said of itself, in a few words.
fn told(hello: &Reply) -> String {
    match hello {
        Reply::Hello {
            engine,
            version,
            device,
            ..
        } => format!("{engine} {version} on {device}"),
        _ => String::new(),
    }
}

/// Returns the first difference between what an engine said and what is declared of it, in words.
fn differing(facts: &EngineFacts, hello: &Reply) -> Option<(String, String)> {
    let Reply::Hello {
        engine,
        version,
        artifacts,
        settings,
        ..
    } = hello
    else {
        return None;
    };
    if *engine != facts.id {
        return Some((format!("the id `{engine}`"), format!("`{}`", facts.id)));
    }
    if let Some(declared) = facts
        .version
        .as_ref()
        .filter(|declared| *declared != version)
    {
        return Some((format!("version `{version}`"), format!("`{declared}`")));
    }
    let told: BTreeSet<&String> = artifacts.iter().collect();
    let declared: BTreeSet<&String> = facts.artifacts.values().collect();
    if told != declared {
        return Some((format!("artifacts {}", listed(told)), listed(declared)));
    }
    let find = |list: &[SettingDeclaration], name: &str| {
        list.iter()
            .find(|declaration| declaration.name == name)
            .cloned()
    };
    let names: BTreeSet<&String> = settings
        .iter()
        .chain(&facts.settings)
        .map(|declaration| &declaration.name)
        .collect();
    names.into_iter().find_map(|name| {
        let (told, declared) = (find(settings, name), find(&facts.settings, name));
        // Every engine is told these, whether it lists them or not.
        if told.is_none() && ["language", "threads"].contains(&name.as_str()) {
            return None;
        }
        let shown = |declaration: Option<SettingDeclaration>| match declaration {
            Some(declaration) => serde_json::to_string(&declaration).unwrap_or_default(),
            None => format!("no setting `{name}`"),
        };
        let differ = told.clone().map(in_its_type) != declared.clone().map(in_its_type);
        differ.then(|| (shown(told), shown(declared)))
    })
}

/// Returns a declaration whose default is of its own type: `0` and `0.0` are one number.
fn in_its_type(mut declaration: SettingDeclaration) -> SettingDeclaration {
    declaration.default = declaration.default.as_ref().map(|default| {
        declaration
            .accept(default)
            .unwrap_or_else(|_| default.clone())
    });
    declaration
}

fn listed(words: BTreeSet<&String>) -> String {
    if words.is_empty() {
        return "none".into();
    }
    let words: Vec<&str> = words.into_iter().map(String::as_str).collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_must_be_refused_is_refused_by_its_declaration() {
        for facts in crate::engine::facts().values() {
            for declaration in &facts.settings {
                if let Some((_, value)) = out_of_range(declaration) {
                    assert!(declaration.accept(&value).is_err(), "{}", declaration.name);
                }
            }
        }
    }

    #[test]
    fn the_first_difference_is_named_on_both_sides() {
        let mut facts = crate::engine::facts().shift_remove("fake").unwrap();
        let hello = Reply::Hello {
            protocol: VERSION,
            engine: "fake".into(),
            version: "1".into(),
            device: "cpu".into(),
            artifacts: Vec::new(),
            audio: crate::protocol::AudioInput::Samples,
            settings: facts.settings.clone(),
        };
        assert_eq!(differing(&facts, &hello), None);
        let name = facts.settings.pop().unwrap().name;
        let (observed, expected) = differing(&facts, &hello).unwrap();
        assert!(
            observed.contains(&format!("\"name\":\"{name}\"")),
            "{observed}"
        );
        assert_eq!(expected, format!("no setting `{name}`"));
        facts.version = Some("2".into());
        let (observed, expected) = differing(&facts, &hello).unwrap();
        assert_eq!(
            (observed.as_str(), expected.as_str()),
            ("version `1`", "`2`")
        );
    }
}
