//! What a machine must have before a job may be measured on it.
//!
//! A requirement is told in one way everywhere: `os:macos`, `gpu:cuda`, `label:bench`. In a matrix file it
//! may also be a mapping, `{os: macos, gpu: cuda}`. What it takes to get such a machine is no business of
//! a matrix: a site file maps requirements to the words of a scheduler.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// The key of a matrix file under which requirements stand, and the setting that combinations have them in.
pub const REQUIRES: &str = "requires";

/// The operating systems that can be required, as Rust calls them.
const SYSTEMS: [&str; 3] = ["linux", "macos", "windows"];

/// The keys of requirements.
const KEYS: [&str; 5] = ["os", "arch", "memory", "gpu", "label"];

/// One thing that a machine must have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Requirement {
    /// An operating system: `linux`, `macos` or `windows`.
    System(String),
    /// A kind of processor: `x86_64` or `arm64`.
    Architecture(String),
    /// At least so many bytes of memory.
    Memory(u64),
    /// A way to compute on a graphics processor, such as `cuda`, `rocm`, `metal` or `vulkan`.
    Gpu(String),
    /// A word that people gave to some of their machines.
    Label(String),
}

impl Requirement {
    /// Makes one of a key and what is said under it.
    ///
    /// # Errors
    ///
    /// Returns reason and remedy in words if there is no such key, or nothing of the kind can be required.
    pub fn of(key: &str, value: &str) -> Result<Self, String> {
        let value = value.trim();
        let word = || {
            let is_kept = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
            let begins_well = value.starts_with(|letter: char| letter.is_ascii_alphanumeric());
            if begins_well && value.chars().all(is_kept) {
                return Ok(value.to_owned());
            }
            Err(format!(
                "`{value}` is no word for `{key}`; write letters, digits and `. _ -`, with a letter or a \
                 digit in front"
            ))
        };
        match key {
            "os" if SYSTEMS.contains(&value) => Ok(Self::System(value.into())),
            "os" => Err(format!(
                "`{value}` is no operating system that can be required; write one of {}",
                SYSTEMS.join(", ")
            )),
            "arch" => match value {
                "x86_64" | "amd64" => Ok(Self::Architecture("x86_64".into())),
                "arm64" | "aarch64" => Ok(Self::Architecture("arm64".into())),
                _ => Err(format!(
                    "`{value}` is no kind of processor that can be required; write x86_64 or arm64"
                )),
            },
            "memory" => parse_memory(value).map(Self::Memory),
            "gpu" => word().map(Self::Gpu),
            "label" => word().map(Self::Label),
            _ => Err(format!(
                "`{key}` is nothing that can be required; write one of {}",
                KEYS.join(", ")
            )),
        }
    }

    /// Returns the key that it stands under.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Self::System(_) => "os",
            Self::Architecture(_) => "arch",
            Self::Memory(_) => "memory",
            Self::Gpu(_) => "gpu",
            Self::Label(_) => "label",
        }
    }

    /// Returns whether a machine that has this has another one too: itself, or less memory.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Memory(held), Self::Memory(wanted)) => held >= wanted,
            _ => self == other,
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.key();
        match self {
            Self::System(word) | Self::Architecture(word) | Self::Gpu(word) | Self::Label(word) => {
                write!(formatter, "{key}:{word}")
            }
            Self::Memory(bytes) => write!(formatter, "{key}:{}", show_memory(*bytes)),
        }
    }
}

impl FromStr for Requirement {
    type Err = String;

    /// Reads `key:value`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().split_once(':') {
            Some((key, value)) => Self::of(key.trim(), value),
            None => Err(format!(
                "`{text}` is no requirement; write it as `os:macos`, `gpu:cuda` or `label:bench`"
            )),
        }
    }
}

/// Units of memory; the first that leaves no rest is the one that an amount is written in.
const UNITS: [(&str, u64); 8] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("B", 1),
];

fn parse_memory(text: &str) -> Result<u64, String> {
    let remedy = "write an amount of memory with its unit, such as `16GiB`";
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim();
    if unit.is_empty() && digits > 0 {
        return Err(format!("`{text}` has no unit; {remedy}"));
    }
    let unit = UNITS.iter().find(|(name, _)| *name == unit);
    let bytes = unit.and_then(|(_, bytes)| number.parse::<u64>().ok()?.checked_mul(*bytes));
    match bytes {
        Some(0) => Err(format!("`{text}` is nothing; {remedy}")),
        Some(bytes) => Ok(bytes),
        None => Err(format!("`{text}` is no amount of memory; {remedy}")),
    }
}

fn show_memory(bytes: u64) -> String {
    let unit = UNITS.iter().find(|(_, unit)| bytes.is_multiple_of(*unit));
    let (name, unit) = unit.copied().unwrap_or(("B", 1));
    format!("{}{name}", bytes / unit)
}

/// All that a machine must have, each thing once and in one order.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Requirements(BTreeSet<Requirement>);

impl Requirements {
    /// Requires nothing: every machine will do.
    pub const NONE: Self = Self(BTreeSet::new());

    /// The word for requiring nothing.
    pub const NONE_WORD: &'static str = "none";

    /// Returns whether nothing is required.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns what is required, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Requirement> {
        self.0.iter()
    }

    /// Adds a requirement. Of two amounts of memory the larger stays.
    ///
    /// # Errors
    ///
    /// Returns in words why no machine has both that and what is required already.
    pub fn add(&mut self, requirement: Requirement) -> Result<(), String> {
        let same_key = self
            .0
            .iter()
            .find(|known| known.key() == requirement.key() && **known != requirement)
            .cloned();
        match (&requirement, same_key) {
            (Requirement::System(_) | Requirement::Architecture(_), Some(known)) => {
                return Err(format!("no machine is both {known} and {requirement}"));
            }
            (Requirement::Memory(_), Some(known)) => {
                if known.covers(&requirement) {
                    return Ok(());
                }
                self.0.remove(&known);
            }
            _ => {}
        }
        self.0.insert(requirement);
        Ok(())
    }

    /// Returns what these and others require together.
    ///
    /// # Errors
    ///
    /// Returns in words why no machine has all of it.
    pub fn and(&self, others: &Self) -> Result<Self, String> {
        let mut both = self.clone();
        for requirement in &others.0 {
            both.add(requirement.clone())?;
        }
        Ok(both)
    }
}

/// `os:linux,gpu:cuda`, or `none`.
impl fmt::Display for Requirements {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return formatter.write_str(Self::NONE_WORD);
        }
        for (position, requirement) in self.0.iter().enumerate() {
            if position > 0 {
                formatter.write_str(",")?;
            }
            write!(formatter, "{requirement}")?;
        }
        Ok(())
    }
}

impl FromStr for Requirements {
    type Err = String;

    /// Reads requirements between commas, or `none`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut found = Self::default();
        if text.trim() == Self::NONE_WORD {
            return Ok(found);
        }
        for part in text.split(',') {
            found.add(part.parse()?)?;
        }
        Ok(found)
    }
}

impl FromIterator<Requirement> for Requirements {
    /// Takes requirements that are known to go together.
    fn from_iter<I: IntoIterator<Item = Requirement>>(requirements: I) -> Self {
        Self(requirements.into_iter().collect())
    }
}

/// A list of texts.
impl Serialize for Requirements {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(ToString::to_string))
    }
}

/// A mapping, a text, or a list of texts.
impl<'de> Deserialize<'de> for Requirements {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = Requirements;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter
                    .write_str("what a machine must have, such as `{os: macos, memory: 16GiB}`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Requirements, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Requirements, A::Error> {
                let mut found = Requirements::default();
                while let Some(text) = access.next_element::<String>()? {
                    let all = text.parse().map_err(A::Error::custom)?;
                    found = found.and(&all).map_err(A::Error::custom)?;
                }
                Ok(found)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Requirements, A::Error> {
                let mut found = Requirements::default();
                while let Some(key) = access.next_key::<String>()? {
                    for word in access.next_value::<Words>()?.0 {
                        let requirement = Requirement::of(&key, &word).map_err(A::Error::custom)?;
                        found.add(requirement).map_err(A::Error::custom)?;
                    }
                }
                Ok(found)
            }
        }
        deserializer.deserialize_any(Form)
    }
}

/// One word, or several.
struct Words(Vec<String>);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = Words;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a word, or a list of words")
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<Words, E> {
                Ok(Words(word.split(',').map(str::to_owned).collect()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Words, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = access.next_element()? {
                    words.push(word);
                }
                Ok(Words(words))
            }
        }
        deserializer.deserialize_any(Form)
    }
}

impl JsonSchema for Requirements {
    fn schema_name() -> Cow<'static, str> {
        "Requirements".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        requirements_schema()
    }
}

/// Returns the schema of what is required, in all forms that it may be written in.
pub(crate) fn requirements_schema() -> Schema {
    let word = serde_json::json!({ "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$" });
    let words = serde_json::json!({ "oneOf": [word, { "type": "array", "items": word }] });
    let text = "^ *(none|(os|arch|memory|gpu|label) *: *[^,:]+( *, *(os|arch|memory|gpu|label) *: *[^,:]+)*) *$";
    schemars::json_schema!({
        "description": "What a machine must have: a mapping, or texts such as `gpu:cuda`.",
        "oneOf": [
            {
                "type": "object",
                "properties": {
                    "os": { "description": "The operating system.", "enum": SYSTEMS },
                    "arch": {
                        "description": "The kind of processor.",
                        "enum": ["x86_64", "amd64", "arm64", "aarch64"],
                    },
                    "memory": {
                        "description": "The least memory.",
                        "type": "string",
                        "pattern": "^[0-9]+ *(TiB|TB|GiB|GB|MiB|MB|KiB|B)$",
                        "examples": ["16GiB"],
                    },
                    "gpu": {
                        "description": "A way to compute on a graphics processor.",
                        "oneOf": words["oneOf"],
                        "examples": ["cuda", "metal"],
                    },
                    "label": {
                        "description": "Words that people gave to some of their machines.",
                        "oneOf": words["oneOf"],
                    },
                },
                "additionalProperties": false,
            },
            { "type": "string", "pattern": text },
            { "type": "array", "items": { "type": "string", "pattern": text } },
        ],
        "examples": [{ "os": "macos", "memory": "16GiB" }, "gpu:cuda"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn requirement() -> impl Strategy<Value = Requirement> {
        prop_oneof![
            prop::sample::select(&SYSTEMS[..]).prop_map(|word| Requirement::System(word.into())),
            prop::sample::select(vec!["x86_64", "arm64"])
                .prop_map(|word| Requirement::Architecture(word.into())),
            (1..u64::MAX).prop_map(Requirement::Memory),
            (1..64u64).prop_map(|gib| Requirement::Memory(gib << 30)),
            "[a-z0-9][a-z0-9._-]{0,8}".prop_map(Requirement::Gpu),
            "[A-Za-z0-9][A-Za-z0-9._-]{0,8}".prop_map(Requirement::Label),
        ]
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(list in prop::collection::vec(requirement(), 0..6)) {
            let mut all = Requirements::default();
            for requirement in list {
                prop_assert_eq!(requirement.to_string().parse(), Ok(requirement.clone()));
                // What does not go together is refused and changes nothing.
                let before = all.clone();
                if all.add(requirement).is_err() {
                    prop_assert_eq!(&before, &all);
                }
            }
            prop_assert_eq!(all.to_string().parse(), Ok(all.clone()));
            let json = serde_json::to_string(&all).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Requirements>(&json).unwrap(), &all);
            prop_assert_eq!(all.and(&all), Ok(all.clone()));
        }

        #[test]
        fn the_order_in_which_things_are_required_does_not_matter(
            list in prop::collection::vec(requirement(), 0..6)
        ) {
            let add = |mut list: Box<dyn Iterator<Item = &Requirement> + '_>| {
                let mut all = Requirements::default();
                list.try_for_each(|one| all.add(one.clone())).map(|()| all)
            };
            let forth = add(Box::new(list.iter()));
            let back = add(Box::new(list.iter().rev()));
            prop_assert_eq!(forth.ok(), back.ok());
        }
    }

    #[test]
    fn a_mapping_a_text_and_a_list_say_the_same() {
        let forms = [
            r#"{"os": "macos", "memory": "16GiB", "gpu": "metal", "label": ["b", "a"]}"#,
            r#""label:a, gpu:metal, os:macos, label:b, memory:16GiB, memory:8GiB""#,
            r#"["gpu:metal", "label:b", "label:a", "memory:16GiB", "os:macos"]"#,
            r#"{"gpu": "metal", "label": "a, b", "os": "macos", "memory": "16GiB"}"#,
            r#"["none", "gpu:metal, os:macos", "label:b,label:a", "memory:16GiB"]"#,
        ];
        for form in forms {
            let found: Requirements = serde_json::from_str(form).unwrap();
            assert_eq!(
                found.to_string(),
                "os:macos,memory:16GiB,gpu:metal,label:a,label:b"
            );
        }
    }

    #[test]
    fn what_cannot_be_required_is_told_with_its_remedy() {
        for (text, told) in [
            (
                "os:beos",
                "no operating system that can be required; write one of linux, macos",
            ),
            ("arch:z80", "write x86_64 or arm64"),
            ("memory:16", "`16` has no unit"),
            ("memory:0GiB", "`0GiB` is nothing"),
            ("memory:much", "no amount of memory"),
            ("memory:99999999999999TiB", "no amount of memory"),
            ("gpu:$(id)", "no word for `gpu`"),
            ("label:-x", "no word for `label`"),
            ("speed:high", "nothing that can be required"),
            ("fast", "write it as `os:macos`"),
            ("", "is no requirement"),
            (
                "os:linux,os:macos",
                "no machine is both os:linux and os:macos",
            ),
        ] {
            let reason = text.parse::<Requirements>().unwrap_err();
            assert!(reason.contains(told), "{text}: {reason}");
        }
    }
}
