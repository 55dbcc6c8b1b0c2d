//! `${env:NAME}`: a value of the environment, asked for by name and recorded by name only.

/// What opens a name.
const OPEN: &str = "${env:";

/// A piece of a text: as it stands, or the name of a variable.
enum Piece<'a> {
    Text(&'a str),
    Name(&'a str),
}

fn pieces(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(OPEN) {
        let after = &rest[start + OPEN.len()..];
        let end = after
            .find('}')
            .ok_or_else(|| format!("`{OPEN}` in `{text}` is not closed by `}}`"))?;
        let name = &after[..end];
        let good = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        if !good {
            return Err(format!("`{name}` is no name of an environment variable"));
        }
        found.push(Piece::Text(&rest[..start]));
        found.push(Piece::Name(name));
        rest = &after[end + 1..];
    }
    found.push(Piece::Text(rest));
    Ok(found)
}

/// Returns the names of the variables that a text asks for.
///
/// # Errors
///
/// Returns the reason in words if a `${env:` is not closed or names no variable.
pub fn environment_names(text: &str) -> Result<Vec<&str>, String> {
    if !text.contains(OPEN) {
        return Ok(Vec::new());
    }
    Ok(pieces(text)?
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Name(name) => Some(name),
            Piece::Text(_) => None,
        })
        .collect())
}

/// Returns a text with every `${env:NAME}` filled in.
///
/// # Errors
///
/// Returns the reason in words if one is malformed, not set, or empty.
pub fn fill_environment(
    text: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<String, String> {
    if !text.contains(OPEN) {
        return Ok(text.to_owned());
    }
    let mut filled = String::new();
    for piece in pieces(text)? {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Name(name) => {
                let value = lookup(name).filter(|value| !value.is_empty());
                filled.push_str(
                    &value.ok_or_else(|| {
                        format!("the environment variable `{name}` is not set here")
                    })?,
                );
            }
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_filled_in() {
        let lookup = |name: &str| (name == "HOME").then(|| "/home/x".to_owned());
        assert_eq!(
            fill_environment("${env:HOME}/a$b${c}", &lookup).unwrap(),
            "/home/x/a$b${c}"
        );
        assert_eq!(
            environment_names("x${env:A}${env:B_2}").unwrap(),
            ["A", "B_2"]
        );
        assert!(fill_environment("${env:OTHER}", &lookup).is_err());
        assert!(environment_names("${env:}").is_err());
        assert!(environment_names("${env:A-B}").is_err());
        assert!(environment_names("${env:A").is_err());
    }
}
