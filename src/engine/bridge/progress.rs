//! What the tools that make environments say of their progress.

/// Returns what a line of a tool says of its progress, for people.
#[must_use]
pub fn progress_of(line: &str) -> Option<String> {
    let line = line.trim();
    let first = |rest: &str| rest.split_whitespace().next().map(str::to_owned);
    if let Some(rest) = line.strip_prefix("Collecting ") {
        return Some(format!("fetching {}", first(rest)?));
    }
    if let Some(rest) = line.strip_prefix("Building wheel for ") {
        return rest
            .ends_with("started")
            .then(|| first(rest))
            .flatten()
            .map(|name| format!("building {name}"));
    }
    if let Some(rest) = line.strip_prefix("Installing collected packages: ") {
        return Some(format!("unpacking {} packages", rest.split(',').count()));
    }
    // uv tells what it fetches if it is large, and each package when it is installed.
    if let Some(rest) = line.strip_prefix("Downloading ")
        && rest.ends_with("iB)")
    {
        return Some(format!("fetching {rest}"));
    }
    let package = line.strip_prefix("+ ")?;
    Some(format!("installed {}", first(package)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tools_say_becomes_a_line_a_package() {
        let said = |line| progress_of(line);
        assert_eq!(
            said("Collecting numpy==2.4.6 (from -r /x/lock.txt (line 9))").as_deref(),
            Some("fetching numpy==2.4.6")
        );
        assert_eq!(
            said("Installing collected packages: numpy, av").as_deref(),
            Some("unpacking 2 packages")
        );
        assert_eq!(
            said("  Building wheel for openai-whisper (pyproject.toml): started").as_deref(),
            Some("building openai-whisper")
        );
        assert_eq!(
            said(" + numpy==2.4.6").as_deref(),
            Some("installed numpy==2.4.6")
        );
        assert_eq!(
            said("Downloading torch (800.0MiB)").as_deref(),
            Some("fetching torch (800.0MiB)")
        );
        assert_eq!(said("  Downloading numpy-2.4.6.whl (16.8 MB)"), None);
        assert_eq!(said("Requirement already satisfied: x"), None);
    }
}
