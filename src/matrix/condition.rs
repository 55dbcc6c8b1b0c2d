//! Conditions: minijinja expressions over a combination and the machine.

use crate::diagnostic::{Diagnostic, Span};
use crate::model::{Scalar, Value};
use minijinja::{Environment, Error, ErrorKind, Expression, UndefinedBehavior};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

/// The longest expression that is read, in bytes.
const MAXIMUM_LENGTH: usize = 2000;

/// What conditions may ask of the machine that plans.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// The operating system: `linux`, `macos`, `windows`, ….
    pub os: String,
    /// The processor's architecture: `x86_64`, `aarch64`, ….
    pub arch: String,
    /// Cores that this process may use.
    pub cores: u32,
    /// Physical cores among them.
    pub physical_cores: u32,
    /// Installed memory in bytes.
    pub memory_bytes: u64,
}

impl Facts {
    /// The names by which conditions ask.
    pub const NAMES: [&'static str; 5] = ["os", "arch", "cores", "physical_cores", "memory"];

    /// Returns a fact by its name, if the machine tells it; `memory` is in GiB, to a tenth.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Value> {
        match name {
            "os" => Some(Value::text(&self.os)),
            "arch" => Some(Value::text(&self.arch)),
            "cores" => Some(Value::integer(self.cores.into())),
            "physical_cores" => Some(Value::integer(self.physical_cores.into())),
            "memory" if self.memory_bytes > 0 => {
                #[expect(clippy::cast_precision_loss, reason = "a tenth of a GiB is kept")]
                let gibibytes = self.memory_bytes as f64 / f64::from(1 << 30);
                Some(Value::number((gibibytes * 10.0).round() / 10.0))
            }
            _ => None,
        }
    }
}

/// The language of conditions: operators, `is defined`, and a few words on text. Nothing in it can
/// take long or much memory.
static LANGUAGE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_test("defined", |value: &minijinja::Value| !value.is_undefined());
    environment.add_test("undefined", |value: &minijinja::Value| value.is_undefined());
    environment.add_test("startingwith", |text: &str, start: &str| {
        text.starts_with(start)
    });
    environment.add_test("endingwith", |text: &str, end: &str| text.ends_with(end));
    environment.add_filter("lower", str::to_lowercase);
    environment
});

/// An expression that is true or false.
#[derive(Clone)]
pub struct Condition {
    /// Where it stands.
    pub span: Span,
    /// The names it asks for, such as `os`, `beam_size` or `tag.host`, sorted.
    pub names: Vec<String>,
    expression: Arc<Expression<'static, 'static>>,
}

impl fmt::Debug for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Condition({:?})", self.span)
    }
}

impl Condition {
    /// Reads an expression.
    ///
    /// # Errors
    ///
    /// Returns a diagnostic if it is none, or is longer than any that a person writes.
    pub(super) fn parse(text: &str, span: Span) -> Result<Self, Box<Diagnostic>> {
        let refuse = |message: String| {
            Box::new(
                Diagnostic::error(Some(span.clone()), message)
                    .hint("write a comparison, such as `os == 'macos'` or `threads <= cores`"),
            )
        };
        if text.len() > MAXIMUM_LENGTH {
            return Err(refuse(format!(
                "a condition of {} bytes; at most {MAXIMUM_LENGTH} are read",
                text.len()
            )));
        }
        if let Some(foreign) = foreign(text) {
            return Err(refuse(format!(
                "{foreign} is not part of the conditions' language"
            )));
        }
        let expression = LANGUAGE
            .compile_expression_owned(text.to_owned())
            .map_err(|error| refuse(format!("this is no condition: {}", reason(&error))))?;
        let mut names: Vec<String> = expression.undeclared_variables(true).into_iter().collect();
        names.sort();
        Ok(Self {
            span,
            names,
            expression: Arc::new(expression),
        })
    }

    /// Returns whether it holds. A name that has no value makes it false, unless it is asked for by
    /// `is defined`.
    ///
    /// # Errors
    ///
    /// Returns the reason in words if it cannot be carried out or is neither true nor false.
    pub(super) fn holds<'v>(
        &self,
        values: impl Iterator<Item = (&'v str, &'v Value)>,
    ) -> Result<bool, String> {
        let mut context = Branch::default();
        for (name, value) in values {
            context.insert(name, value);
        }
        // Labels are asked for by `tag.NAME`, also where a combination has none.
        context
            .branches
            .entry("tag".into())
            .or_insert_with(|| Leaf::Branch(Branch::default()));
        match self.expression.eval(context.into_value()) {
            Ok(value) => bool::try_from(value.clone()).map_err(|_| {
                format!(
                    "the condition gives {} `{value}`, and not true or false",
                    kind(&value)
                )
            }),
            Err(error) if error.kind() == ErrorKind::UndefinedError => Ok(false),
            Err(error) => Err(format!("the condition fails: {}", reason(&error))),
        }
    }
}

/// Returns what an expression holds that is not part of the conditions' language.
///
/// A product with a text repeats it, and `**` makes numbers that overflow. Names in subscripts are
/// not found by the library, so they could be given no value.
fn foreign(text: &str) -> Option<&'static str> {
    let mut quote = None;
    let mut escaped = false;
    let mut word = String::new();
    let mut ends_value = false;
    for letter in text.chars() {
        if let Some(open) = quote {
            if letter == open && !escaped {
                quote = None;
                ends_value = true;
            }
            escaped = letter == '\\' && !escaped;
            continue;
        }
        match letter {
            '\'' | '"' => quote = Some(letter),
            '*' => return Some("`*`"),
            '[' if ends_value => return Some("`[…]` after a value"),
            _ => {}
        }
        if letter.is_alphanumeric() || letter == '_' {
            word.push(letter);
            ends_value = !matches!(
                word.as_str(),
                "in" | "and" | "or" | "not" | "if" | "else" | "is"
            );
        } else if letter.is_whitespace() {
            word.clear();
        } else {
            word.clear();
            ends_value = matches!(letter, ')' | ']');
        }
    }
    None
}

fn kind(value: &minijinja::Value) -> &'static str {
    match value.kind() {
        minijinja::value::ValueKind::String => "the text",
        minijinja::value::ValueKind::Number => "the number",
        _ => "the value",
    }
}

fn reason(error: &Error) -> String {
    error
        .detail()
        .map_or_else(|| error.kind().to_string(), str::to_owned)
}

/// Returns the name by which conditions ask for a key: `-` would be a minus.
pub(super) fn name_of(key: &str) -> String {
    key.replace('-', "_")
}

/// Names with values, `tag.a.b` in branches.
#[derive(Default)]
struct Branch {
    branches: BTreeMap<String, Leaf>,
}

enum Leaf {
    Value(minijinja::Value),
    Branch(Branch),
}

impl Branch {
    fn insert(&mut self, name: &str, value: &Value) {
        match name.split_once('.') {
            None => {
                let value = match &value.scalar {
                    Scalar::Null => minijinja::Value::from(()),
                    Scalar::Boolean(boolean) => (*boolean).into(),
                    Scalar::Integer(number) => (*number).into(),
                    Scalar::Number(number) => (*number).into(),
                    Scalar::Text(text) => text.as_str().into(),
                };
                self.branches.insert(name.to_owned(), Leaf::Value(value));
            }
            Some((first, rest)) => {
                let entry = self
                    .branches
                    .entry(first.to_owned())
                    .or_insert_with(|| Leaf::Branch(Branch::default()));
                if let Leaf::Branch(branch) = entry {
                    branch.insert(rest, value);
                }
            }
        }
    }

    fn into_value(self) -> minijinja::Value {
        let members: BTreeMap<String, minijinja::Value> = (self.branches.into_iter())
            .map(|(name, leaf)| {
                let value = match leaf {
                    Leaf::Value(value) => value,
                    Leaf::Branch(branch) => branch.into_value(),
                };
                (name, value)
            })
            .collect();
        members.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::SourceText;

    fn condition(text: &str) -> Result<Condition, Box<Diagnostic>> {
        let source = Arc::new(SourceText {
            path: "x.yaml".into(),
            text: text.into(),
        });
        let range = 0..text.len();
        Condition::parse(text, Span { source, range })
    }

    fn holds(text: &str) -> Result<bool, String> {
        let values = [
            ("os", Value::text("linux")),
            ("cores", Value::integer(2)),
            ("beam_size", Value::integer(4)),
            ("tag.a.b", Value::text("3.10")),
        ];
        let values = values.iter().map(|(name, value)| (*name, value));
        condition(text)
            .map_err(|problem| problem.message.clone())?
            .holds(values)
    }

    #[test]
    fn comparisons_hold_or_not() {
        for (text, expected) in [
            ("os == 'linux'", true),
            (
                "os is startingwith 'lin' and not os is endingwith 'z'",
                true,
            ),
            ("'LINUX'|lower == os", true),
            ("beam_size <= cores or beam_size in [4, 8]", true),
            ("tag.a.b == '3.10'", true),
            ("tag.a.b == 3.10", false),
            ("tag.c is defined", false),
            ("tag.c == 'x'", false),
            ("threads > 2", false),
            ("threads is not defined or threads > 2", true),
            ("os == 'linux' or tag.c == 'x'", true),
            ("true", true),
            ("os not in ['a[b]*', \"it's\"]", true),
            ("'it\\'s [x]' != os", true),
        ] {
            assert_eq!(holds(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_condition_is_told() {
        for text in [
            "os = 'x'",
            "",
            "os ==",
            "'a' * 999999999",
            "2 ** 99",
            "{{ os }}",
            "os[0:2] == 'li'",
            "'linux' [0] == 'l'",
        ] {
            assert!(condition(text).is_err(), "{text}");
        }
        assert!(condition(&"not ".repeat(1000)).is_err());
        for text in ["os", "cores", "[1]", "range(9)", "os|upper", "1 + os"] {
            assert!(holds(text).is_err(), "{text}");
        }
    }
}
