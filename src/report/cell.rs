//! A cell of a table, before any format makes text of it.

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Not known, or not applicable: an empty cell, never 0.
    Empty,
    /// Text as somebody wrote or said it.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// Yes or no.
    Boolean(bool),
}

impl Cell {
    /// Returns a text cell.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Returns a text cell, or an empty one.
    #[must_use]
    pub fn optional(text: Option<impl Into<String>>) -> Self {
        text.map_or(Self::Empty, |text| Self::Text(text.into()))
    }

    /// Returns a number, or an empty cell if there is none or it is not finite.
    #[must_use]
    pub fn number(number: Option<f64>) -> Self {
        number
            .filter(|number| number.is_finite())
            .map_or(Self::Empty, Self::Number)
    }

    /// Returns a count, or an empty cell.
    #[must_use]
    pub fn count<T: TryInto<i64>>(count: Option<T>) -> Self {
        count
            .and_then(|count| count.try_into().ok())
            .map_or(Self::Empty, Self::Integer)
    }

    /// Returns the text of a CSV cell. Text that a spreadsheet would run as a formula gets an
    /// apostrophe before it, and so does text that begins with one, so that taking the first
    /// apostrophe off gives the text back. Numbers are never changed.
    #[must_use]
    pub fn to_csv(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) => {
                format!("'{text}")
            }
            Self::Text(text) => text.clone(),
            Self::Integer(number) => number.to_string(),
            Self::Number(number) => {
                // Microseconds are below what any clock here resolves.
                let text = format!("{number:.6}");
                let text = text.trim_end_matches('0').trim_end_matches('.');
                if text == "-0" {
                    "0".into()
                } else {
                    text.to_owned()
                }
            }
            Self::Boolean(boolean) => boolean.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_short_and_never_guarded() {
        assert_eq!(Cell::Number(-0.5).to_csv(), "-0.5");
        assert_eq!(Cell::Number(2.0).to_csv(), "2");
        assert_eq!(Cell::number(Some(f64::NAN)).to_csv(), "");
        assert_eq!(Cell::Integer(-3).to_csv(), "-3");
    }

    proptest! {
        #[test]
        fn text_is_harmless_and_comes_back(text in "[=+@'a-]{0,3}[a-z ]{0,5}") {
            let cell = Cell::text(text.clone()).to_csv();
            prop_assert!(!cell.starts_with(['=', '+', '-', '@']));
            prop_assert_eq!(cell.strip_prefix('\'').unwrap_or(&cell), &text);
        }
    }
}
