//! Words of the shell.

/// Returns a text as one word of the shell, whatever is in it but the character 0, which no word holds.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+=:,@%".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn whatever_is_in_a_path_is_one_word() {
        for text in [
            "plain/a-b.c",
            "with space",
            "it's",
            "$(id)",
            "a\nb",
            "",
            "`x`\"\\",
        ] {
            let script = format!("printf %s {}", quoted(text));
            let output = Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), text);
        }
    }
}
