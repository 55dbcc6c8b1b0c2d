//! A page as text, line by line, so that a snapshot of it can be read.

/// Elements that begin a line of their own.
const BLOCKS: [&str; 21] = [
    "h1",
    "h2",
    "h3",
    "h4",
    "p",
    "tr",
    "li",
    "pre",
    "summary",
    "section",
    "nav",
    "header",
    "blockquote",
    "caption",
    "table",
    "div",
    "details",
    "ul",
    "thead",
    "tbody",
    "main",
];

/// Returns what a reader sees of the body: text, cells apart, pictures by what they say of themselves.
pub fn of(page: &str) -> String {
    let (_, body) = page.split_once("<main>").unwrap();
    // The tables of the CSV files at its end have tests of their own.
    let end = body.find("<details><summary>summary.csv");
    let body = &body[..end.unwrap_or(body.len())];
    let mut lines: Vec<String> = vec![String::new()];
    let mut rest = body;
    let mut hidden_until: Option<&str> = None;
    let mut is_named = false;
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        let end = tag.find('>').unwrap();
        let (tag, after) = (&tag[1..end], &tag[end + 1..]);
        rest = after;
        let name = tag
            .trim_start_matches('/')
            .split([' ', '/'])
            .next()
            .unwrap();
        if let Some(until) = hidden_until {
            // A small picture says what it is in a title of its own.
            if until == "svg" && tag == "/title" && !is_named {
                lines
                    .last_mut()
                    .unwrap()
                    .push_str(&format!("(picture: {}) ", unescaped(text)));
                is_named = true;
            }
            if tag.strip_prefix('/') == Some(until) {
                hidden_until = None;
            }
            continue;
        }
        push(&mut lines, text);
        if BLOCKS.contains(&name) && lines.last().is_some_and(|line| !line.trim().is_empty()) {
            lines.push(String::new());
        }
        let line = lines.last_mut().unwrap();
        match (name, tag.starts_with('/')) {
            ("h1" | "h2" | "h3" | "h4", false) => {
                line.push_str(&"#".repeat(name[1..].parse().unwrap()));
                line.push(' ');
            }
            ("th" | "td", true) => line.push_str(" | "),
            ("li", false) => line.push_str("- "),
            ("del", false) => line.push_str("[-"),
            ("del", true) => line.push_str("-]"),
            ("ins", false) => line.push_str("[+"),
            ("ins", true) => line.push_str("+]"),
            ("br", _) => lines.push("  ".into()),
            ("span", false) if tag.contains("class=\"under\"") => line.push_str(" / "),
            ("svg", false) => {
                is_named = tag.contains("aria-hidden") || tag.contains("aria-label");
                if let Some((_, label)) = tag.split_once("aria-label=\"") {
                    let label = label.split('"').next().unwrap();
                    line.push_str(&format!("(picture: {}) ", unescaped(label)));
                }
                hidden_until = Some("svg");
            }
            // What only the script shows.
            ("div", false) if tag.contains("class=\"controls\"") => hidden_until = Some("div"),
            _ => {}
        }
    }
    let lines = lines.iter().map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let line = words.join(" ");
        line.trim_end_matches(" |").to_owned()
    });
    let mut text = String::new();
    for line in lines.filter(|line| !line.is_empty()) {
        if line.starts_with('#') {
            text.push('\n');
        }
        text.push_str(&line);
        text.push('\n');
    }
    text
}

fn push(lines: &mut [String], text: &str) {
    lines.last_mut().unwrap().push_str(&unescaped(text));
}

fn unescaped(text: &str) -> String {
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"");
    text.replace("&#x27;", "'")
        .replace("&#x2f;", "/")
        .replace("&amp;", "&")
}
