//! Phones and e-mails leave masked for whoever may not see them: one pure function over JSON, another over text.
//!
//! A contact is known by where it stands (`email`, `phone`, `{"kind": "phone", "value": …}`) or by how it looks: anything
//! with an `@` before a domain, a number that begins with `+`, a national number of the shop's country. What looks like a
//! phone under a key that names an id or a time is left alone. (docs/security.md says what this cannot see.)
use base::{Country, mask_email, normalise_phone};
use serde_json::{Map, Value};

/// Levels of JSON that are walked; deeper ones are replaced, for nothing of ours is that deep.
const DEPTH_MAX: usize = 64;

/// What a key says about its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Email,
    Phone,
    /// Ids, times, cursors: digits there are no phones.
    Number,
    /// JSON as text.
    Raw,
    Other,
}

fn key(name: &str) -> Key {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let has = |words: &[&str]| words.iter().any(|w| plain.contains(w));
    let ends = |words: &[&str]| words.iter().any(|w| plain.ends_with(w));
    if has(&["email", "mailto"]) || plain == "mail" {
        Key::Email
    } else if has(&["phone", "msisdn", "mobile", "viber", "whatsapp", "telegram"]) || plain == "tel" || plain == "fax" {
        Key::Phone
    } else if plain == "raw" || plain == "example" {
        Key::Raw
    } else if matches!(name, "id" | "seq" | "cursor" | "next_cursor" | "timestamp" | "as_of" | "at" | "hour" | "since")
        || name.ends_with("_id")
        || name.ends_with("_at")
        || ends(&["orderid", "receiptid", "sku", "gtin"])
    {
        Key::Number
    } else {
        Key::Other
    }
}

/// Masks every contact in a JSON value.
pub fn mask_value(value: &mut Value, country: Country) {
    walk(value, Key::Other, country, 0);
}

fn walk(value: &mut Value, under: Key, country: Country, depth: usize) {
    if depth > DEPTH_MAX {
        *value = Value::Null;
        return;
    }
    match value {
        Value::String(text) => *text = masked(text, under, country),
        Value::Number(number) => {
            let text = number.to_string();
            let digits = text.bytes().all(|b| b.is_ascii_digit());
            let long = text.len() >= 9 && (under == Key::Phone || is_full(&text, country));
            if digits && long && under != Key::Number {
                *value = Value::String(hide(&text));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|v| walk(v, under, country, depth + 1)),
        Value::Object(map) => object(map, under, country, depth),
        Value::Null | Value::Bool(_) => {}
    }
}

fn object(map: &mut Map<String, Value>, under: Key, country: Country, depth: usize) {
    // {"kind": "phone", "value": "…"}, {"channel": "sms", "address": "…"}, {"name": "email", "value": "…"}
    let said = ["kind", "channel", "name", "type"].iter().filter_map(|k| map.get(*k)?.as_str()).map(|k| match k {
        "sms" | "call" => Key::Phone,
        other => key(other),
    });
    let said = said.into_iter().find(|k| matches!(k, Key::Email | Key::Phone));
    for (name, value) in map.iter_mut() {
        let own = match (key(name), said) {
            (Key::Other, Some(said)) if matches!(name.as_str(), "value" | "address" | "to" | "number") => said,
            // What lies inside of something that is called a phone is one, unless it says otherwise.
            (Key::Other, _) if matches!(under, Key::Email | Key::Phone) && value.is_string() => Key::Other,
            (own, _) => own,
        };
        walk(value, own, country, depth + 1);
    }
}

fn masked(text: &str, under: Key, country: Country) -> String {
    match under {
        Key::Email if text.contains('@') || text.contains("%40") => mask_text(text, country),
        Key::Email if text.chars().any(char::is_alphanumeric) && !is_word(text) => "•••".into(),
        Key::Phone if text.bytes().filter(u8::is_ascii_digit).count() >= 5 && !text.contains('@') => hide(text),
        Key::Number if !text.contains(['@', '%', '+']) => text.into(),
        Key::Raw => match serde_json::from_str::<Value>(text) {
            Ok(mut inner @ (Value::Object(_) | Value::Array(_))) => {
                mask_value(&mut inner, country);
                inner.to_string()
            }
            _ => mask_text(text, country),
        },
        _ => mask_text(text, country),
    }
}

/// Words that stand where an address could: states, channels, names of templates.
fn is_word(text: &str) -> bool {
    text.chars().all(|c| c.is_alphabetic() || matches!(c, '_' | '-' | ' '))
}

/// Masks every contact in free text.
pub fn mask_text(text: &str, country: Country) -> String {
    let with_at = text.contains('@') || text.contains("%40");
    if !with_at && text.bytes().filter(u8::is_ascii_digit).count() < 9 {
        return text.into();
    }
    let text = if with_at { mask_emails(&mask_emails(text, "@"), "%40") } else { text.into() };
    mask_phones(&text, country)
}

fn mask_emails(text: &str, at: &str) -> String {
    let local =
        |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '+' | '-' | '\'' | '!' | '#' | '$' | '&' | '*');
    let domain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-');
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(place) = rest.find(at) {
        let (before, after) = (&rest[..place], &rest[place + at.len()..]);
        let from = before.char_indices().rev().take_while(|(_, c)| local(*c)).last().map_or(place, |(i, _)| i);
        let to = after.char_indices().find(|(_, c)| !domain(*c)).map_or(after.len(), |(i, _)| i);
        let (name, host) = (&before[from..], after[..to].trim_end_matches(['.', '-']));
        if name.is_empty() || !host.contains('.') {
            out.push_str(before);
            out.push_str(at);
            rest = after;
            continue;
        }
        out.push_str(&before[..from]);
        out.push_str(&mask_email(&format!("{name}@{host}")).replace('@', at));
        rest = &after[host.len()..];
    }
    out + rest
}

/// A phone of which the last two digits show, enough to tell two of a person's phones apart: `+•••••••••• 67`.
fn hide(phone: &str) -> String {
    let digits = phone.chars().filter(char::is_ascii_digit).count();
    let mut at = 0;
    let hidden = phone.chars().map(|c| match c.is_ascii_digit() {
        true => {
            at += 1;
            if at + 2 > digits { c } else { '•' }
        }
        false => c,
    });
    hidden.collect()
}

fn mask_phones(text: &str, country: Country) -> String {
    let chars: Vec<char> = text.chars().collect();
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    while at < chars.len() {
        let starts = matches!(chars[at], '+' | '(') || chars[at].is_ascii_digit();
        let fresh = at == 0 || !(chars[at - 1].is_alphanumeric() || matches!(chars[at - 1], '_' | '•' | '.'));
        // In an address of the web a plus is written %2B.
        let quoted = at >= 3 && chars[at - 3] == '%' && chars[at - 2] == '2' && matches!(chars[at - 1], 'B' | 'b');
        if !starts || !(fresh || quoted) {
            out.push(chars[at]);
            at += 1;
            continue;
        }
        let end = run_end(&chars, at);
        let run: String = chars[at..end].iter().collect();
        let bounded = end == chars.len() || !chars[end].is_alphanumeric();
        let phone = if quoted { format!("+{run}") } else { run.clone() };
        out.push_str(&if bounded && is_phone(&phone, country) { hide(&run) } else { run });
        at = end;
    }
    out
}

/// Where a run of digits with the separators that people put between them ends.
fn run_end(chars: &[char], from: usize) -> usize {
    let (mut at, mut end) = (from, from + 1);
    while at < chars.len() {
        match chars[at] {
            c if c.is_ascii_digit() => end = at + 1,
            '+' if at == from => {}
            ' ' | '-' | '(' | ')' | '\u{a0}' | '/' if at + 1 - end < 3 => {}
            _ => break,
        }
        at += 1;
    }
    end
}

fn is_phone(run: &str, country: Country) -> bool {
    let digits: String = run.chars().filter(char::is_ascii_digit).collect();
    let bytes = run.as_bytes();
    // 2026-11-22 is a day.
    if bytes.len() >= 10 && bytes[4] == b'-' && bytes[7] == b'-' && bytes[..4].iter().all(u8::is_ascii_digit) {
        return false;
    }
    if run.starts_with('+') || digits.starts_with("00") {
        return (9..=17).contains(&digits.len());
    }
    is_full(&digits, country) || (digits.len() >= 9 && is_national(&digits, country))
}

/// A number of the shop's country with its country code.
fn is_full(digits: &str, country: Country) -> bool {
    country.dial.len() >= 2
        && digits.starts_with(country.dial)
        && digits.len() == country.dial.len() + country.digits.1
        && digits.len() >= 11
}

fn is_national(digits: &str, country: Country) -> bool {
    // Without a trunk prefix any number of that length would do, and order numbers would be masked.
    !country.trunk.is_empty()
        && digits.starts_with(country.trunk)
        && digits.len() == country.trunk.len() + country.digits.1
        && normalise_phone(digits, country).is_some()
}

#[cfg(test)]
mod tests;
