//! The content security policy of a page: its own style and script, named by their digests, and
//! nothing else; no network at all.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Returns the policy of a page that has this style and this script.
pub(super) fn policy(style: &str, script: &str) -> String {
    let digest = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; \
         form-action 'none'",
        digest(style),
        digest(script)
    )
}

/// Returns the element that holds a policy.
pub(super) fn element(policy: &str) -> String {
    format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">")
}

/// Returns a page that has its policy before anything that it is about, whatever its template does.
pub(super) fn enforce(page: String, policy: &str) -> String {
    let element = element(policy);
    let lower = page
        .get(..page.len().min(2000))
        .map(str::to_ascii_lowercase);
    let before = |word: &str| lower.as_ref().and_then(|text| text.find(word));
    let in_place = page.find(&element).is_some_and(|at| {
        // Nothing that loads or runs may stand before it.
        let early = page[..at].to_ascii_lowercase();
        ![
            "<script", "<style", "<link", "<img", "<body", "<svg", "<iframe", "<object",
        ]
        .iter()
        .any(|word| early.contains(word))
    });
    if in_place {
        return page;
    }
    let head = before("<head>").map(|at| at + "<head>".len());
    let doctype = before("<!doctype html>").map(|at| at + "<!doctype html>".len());
    let at = head.or(doctype).unwrap_or(0);
    format!("{}{element}{}", &page[..at], &page[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_as_browsers_compute_them() {
        // The example of the specification's authors: the digest of an empty text.
        assert!(
            policy("", "x")
                .contains("style-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='")
        );
    }

    #[test]
    fn a_page_without_its_policy_gets_it_first() {
        let policy = policy("", "");
        let element = element(&policy);
        let whole = format!("<!doctype html><head>{element}<style></style>");
        assert_eq!(enforce(whole.clone(), &policy), whole);
        for (page, start) in [
            (
                "<!DOCTYPE html><html><head><title>",
                "<!DOCTYPE html><html><head><meta",
            ),
            ("<!doctype html><body>", "<!doctype html><meta"),
            ("plain", "<meta"),
        ] {
            let made = enforce(page.into(), &policy);
            assert!(made.starts_with(start), "{made}");
        }
        let late = format!("<head><script>1</script>{element}");
        let made = enforce(late, &policy);
        assert!(
            made.starts_with(&format!("<head>{element}<script>")),
            "{made}"
        );
    }
}
