//! The little that has to be known of HTML: its plain form, and where a line at its end goes.

/// The readable text of an HTML mail: tags dropped, blocks on lines of their own, links with their address.
pub fn to_text(html: &str) -> String {
    let mut out = String::with_capacity(html.len() / 2);
    let mut rest = html;
    let mut link: Option<String> = None;
    while let Some(at) = rest.find('<') {
        push_text(&mut out, &rest[..at]);
        let after = &rest[at + 1..];
        if let Some(comment) = after.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, tail)| tail);
            continue;
        }
        let Some(end) = after.find('>') else {
            rest = "";
            break;
        };
        let (tag, tail) = (&after[..end], &after[end + 1..]);
        let name: String = tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        let name = name.to_ascii_lowercase();
        let closing = tag.starts_with('/');
        rest = tail;
        match name.as_str() {
            "style" | "script" | "head" | "title" if !closing => {
                let end = format!("</{name}");
                rest = find_ignoring_case(tail, &end).map_or("", |at| &tail[at..]);
            }
            "a" if !closing => link = attribute(tag, "href"),
            "a" => {
                if let Some(url) = link.take()
                    && !out.ends_with(&url)
                {
                    out.push_str(&format!(" ({url})"));
                }
            }
            "li" if !closing => out.push_str("\n- "),
            "br" | "tr" | "li" => out.push('\n'),
            "p" | "div" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "table" | "ul" | "ol" if closing => {
                out.push_str("\n\n")
            }
            _ => {}
        }
    }
    push_text(&mut out, rest);
    tidy(&out)
}

/// Puts a line with a link before the end of the body.
pub fn append_footer(html: &mut String, url: &str, word: &str) {
    let url = url.replace('&', "&amp;").replace('"', "&quot;");
    let footer =
        format!("<p style=\"font-size:12px;color:#666666\"><a href=\"{url}\" style=\"color:#666666\">{word}</a></p>");
    match rfind_ignoring_case(html, "</body") {
        Some(at) => html.insert_str(at, &footer),
        None => html.push_str(&footer),
    }
}

fn push_text(out: &mut String, text: &str) {
    let mut blank = out.chars().next_back().is_none_or(char::is_whitespace);
    for c in unescape(text).chars() {
        let white = c.is_whitespace() && c != '\u{a0}';
        if !white {
            out.push(c);
        } else if !blank {
            out.push(' ');
        }
        blank = white;
    }
}

fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.to_string();
    }
    let named = [
        ("&nbsp;", "\u{a0}"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&#39;", "'"),
        ("&#x2f;", "/"),
        ("&amp;", "&"),
    ];
    named.iter().fold(text.to_string(), |text, (from, to)| text.replace(from, to))
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let at = find_ignoring_case(tag, &format!("{name}="))?;
    let value = &tag[at + name.len() + 1..];
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let value = match quote {
        Some(q) => value[1..].split(q).next()?,
        None => value.split_whitespace().next()?,
    };
    Some(unescape(value)).filter(|v| !v.is_empty() && !v.starts_with('#'))
}

fn find_ignoring_case(text: &str, what: &str) -> Option<usize> {
    text.as_bytes().windows(what.len()).position(|w| w.eq_ignore_ascii_case(what.as_bytes()))
}

fn rfind_ignoring_case(text: &str, what: &str) -> Option<usize> {
    text.as_bytes().windows(what.len()).rposition(|w| w.eq_ignore_ascii_case(what.as_bytes()))
}

/// At most one empty line in a row, none at the ends, no blanks at line ends.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.lines().map(str::trim) {
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty < 2 && !(line.is_empty() && out.is_empty()) {
            out.push_str(line);
            out.push('\n');
        }
    }
    let kept = out.trim_end().len();
    out.truncate(kept);
    out.push('\n');
    out
}
