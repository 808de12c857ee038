//! Values of attributes: what a key is, what each kind of attribute takes.
//!
//! A key is `code`, `code@channel`, `code#language` or `code@channel#language` (DOMAIN 4.11a: attribute, channel?, locale?).
//! A value that is missing is not there: an empty text, an empty list and null take a value away.
use crate::schema::{Attribute, Kind, Schema};
use crate::units;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Values by key.
pub type Values = BTreeMap<String, Value>;

/// Characters of a text value.
pub const TEXT_MAX: usize = 60_000;
/// Characters of an attribute's code.
pub const CODE_MAX: usize = 64;
/// Entries of a multi-select value.
pub const CHOICES_MAX: usize = 200;

/// A key, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key<'a> {
    pub code: &'a str,
    pub channel: Option<&'a str>,
    pub locale: Option<&'a str>,
}

impl<'a> Key<'a> {
    /// Takes a key apart.
    pub fn parse(text: &'a str) -> Self {
        let (head, locale) = text.split_once('#').map_or((text, None), |(h, l)| (h, Some(l)));
        let (code, channel) = head.split_once('@').map_or((head, None), |(c, ch)| (c, Some(ch)));
        Self { code, channel, locale }
    }
    /// Puts it together.
    pub fn text(&self) -> String {
        let mut out = self.code.to_string();
        for (mark, part) in [('@', self.channel), ('#', self.locale)] {
            if let Some(part) = part {
                out.push(mark);
                out.push_str(part);
            }
        }
        out
    }
}

/// The value that holds in a channel and language: the nearest to it, the plain one last.
pub fn nearest<'a>(
    get: &dyn Fn(&str) -> Option<&'a Value>,
    code: &str,
    channel: Option<&str>,
    locale: Option<&str>,
) -> Option<&'a Value> {
    let at = |channel, locale| get(&Key { code, channel, locale }.text());
    if let (Some(_), Some(_)) = (channel, locale)
        && let Some(found) = at(channel, locale)
    {
        return Some(found);
    }
    let by_locale = || locale.and_then(|_| at(None, locale));
    let by_channel = || channel.and_then(|_| at(channel, None));
    by_locale().or_else(by_channel).or_else(|| at(None, None))
}

/// Whether a text can be the code of an attribute, category, family or channel.
pub fn is_code(code: &str) -> bool {
    !code.is_empty()
        && code.chars().count() <= CODE_MAX
        && code.trim() == code
        && !code.chars().any(|c| c.is_control() || matches!(c, '@' | '#' | '|'))
}

/// Checks a key against what is known of its attribute.
pub fn check_key(key: Key<'_>, attribute: &Attribute, schema: &Schema) -> Result<(), String> {
    if key.channel.is_some() && !attribute.scopable {
        return Err(format!("{} is the same in every channel", attribute.code));
    }
    if let Some(channel) = key.channel
        && schema.channel(channel).is_none()
    {
        return Err(format!("there is no channel {channel:?}"));
    }
    if key.locale.is_some() && !attribute.localisable {
        return Err(format!("{} is the same in every language", attribute.code));
    }
    match key.locale {
        Some(locale) if !is_locale(locale) => Err(format!("{locale:?} is no language, such as uk or en-GB")),
        _ => Ok(()),
    }
}

/// `uk`, `en-GB`, `zh-Hant`.
pub fn is_locale(text: &str) -> bool {
    let mut parts = text.split('-');
    parts.next().is_some_and(|p| (2..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_lowercase()))
        && parts.all(|p| (2..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// A text without U+0000 and blanks around it.
pub fn clean(text: &str) -> String {
    let text = text.trim();
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text.to_string() }
}

/// The value as it is stored; `None` takes it away. Says what is wrong otherwise.
pub fn check(attribute: &Attribute, value: &Value) -> Result<Option<Value>, String> {
    if matches!(value, Value::Null) || value.as_str().is_some_and(|t| t.trim().is_empty()) {
        return Ok(None);
    }
    let code = &attribute.code;
    match attribute.kind {
        Kind::Text => text(code, value),
        Kind::Number => number(attribute, value).map(Some),
        Kind::Boolean => boolean(code, value).map(Some),
        Kind::Select => choice(attribute, value).map(|c| Some(c.into())),
        Kind::MultiSelect => {
            let given: Vec<Value> = match value {
                Value::Array(list) => list.clone(),
                Value::String(text) => text.split([',', ';', '|']).map(|t| t.trim().into()).collect(),
                other => vec![other.clone()],
            };
            let mut out: Vec<String> = Vec::new();
            for one in given.iter().filter(|v| v.as_str() != Some("")) {
                out.push(choice(attribute, one)?);
            }
            out.sort();
            out.dedup();
            if out.len() > CHOICES_MAX {
                return Err(format!("{code} takes at most {CHOICES_MAX} choices"));
            }
            Ok((!out.is_empty()).then(|| json!(out)))
        }
        Kind::Date => match value.as_str().map(str::trim) {
            Some(day) if is_day(day) => Ok(Some(day.into())),
            _ => Err(format!("{code} is a day, such as 2026-11-23")),
        },
        Kind::Money => money(code, value).map(Some),
        Kind::Image => match value.as_str().map(str::trim) {
            Some(hash) if is_hash(hash) || hash.starts_with("https://") => Ok(Some(hash.into())),
            _ => Err(format!("{code} is the hash of a picture or its https address")),
        },
    }
}

/// SHA-256 in small hexadecimal digits.
pub fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn text(code: &str, value: &Value) -> Result<Option<Value>, String> {
    let text = match value {
        Value::String(text) => clean(text),
        Value::Number(n) => n.to_string(),
        Value::Bool(b) => b.to_string(),
        _ => return Err(format!("{code} is a text")),
    };
    if text.len() > TEXT_MAX && text.chars().count() > TEXT_MAX {
        return Err(format!("{code} has at most {TEXT_MAX} characters"));
    }
    Ok(Some(text.into()))
}

fn boolean(code: &str, value: &Value) -> Result<Value, String> {
    let word = match value {
        Value::Bool(_) => return Ok(value.clone()),
        Value::Number(n) => n.to_string(),
        Value::String(text) => text.trim().to_lowercase(),
        _ => String::new(),
    };
    match word.as_str() {
        "true" | "yes" | "1" | "так" | "да" | "є" => Ok(true.into()),
        "false" | "no" | "0" | "ні" | "нет" | "немає" => Ok(false.into()),
        _ => Err(format!("{code} is yes or no")),
    }
}

/// A number is stored as the decimal text of its amount, in its base unit's text where it has one: `{"amount": "12.5",
/// "unit": "cm"}`; without units it stays a JSON number.
fn number(attribute: &Attribute, value: &Value) -> Result<Value, String> {
    let code = &attribute.code;
    let bad = || format!("{code} is a number");
    let (amount, unit) = match value {
        Value::Number(n) => (n.to_string(), None),
        Value::String(text) => {
            let text = text.trim().replace('\u{a0}', " ");
            let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+' | ' ')));
            let (amount, unit) = text.split_at(end.unwrap_or(text.len()));
            (amount.replace(' ', "").replace(',', "."), Some(unit.trim().to_string()).filter(|u| !u.is_empty()))
        }
        Value::Object(map) if map.keys().all(|k| k == "amount" || k == "unit") => {
            let amount = match map.get("amount") {
                Some(Value::String(text)) => text.trim().to_string(),
                Some(Value::Number(n)) => n.to_string(),
                _ => return Err(bad()),
            };
            (amount, map.get("unit").and_then(Value::as_str).map(str::to_string))
        }
        _ => return Err(bad()),
    };
    let amount = units::Amount::parse(&amount).ok_or_else(bad)?;
    match (attribute.unit_family.as_deref(), unit) {
        (None, None) => serde_json::from_str(&amount.text()).map_err(|_| bad()),
        (None, Some(unit)) => Err(format!("{code} has no unit, {unit:?} was given")),
        (Some(family), unit) => {
            let unit = unit.unwrap_or_else(|| units::base_of(family).to_string());
            let known = units::find(family, &unit)
                .ok_or_else(|| format!("{code} is a {family}; {unit:?} is no unit of it: {}", units::list(family)))?;
            Ok(json!({"amount": amount.text(), "unit": known.code}))
        }
    }
}

fn choice(attribute: &Attribute, value: &Value) -> Result<String, String> {
    let text = match value {
        Value::String(text) => clean(text),
        Value::Number(n) => n.to_string(),
        Value::Bool(b) => b.to_string(),
        _ => return Err(format!("{} is one of its choices", attribute.code)),
    };
    // A list without choices is open: it takes what comes.
    if attribute.options.is_empty() {
        return if text.chars().count() <= 200 { Ok(text) } else { Err("a choice has at most 200 characters".into()) };
    }
    let fits = |o: &&crate::schema::Choice| o.code == text || o.labels.values().any(|l| l.eq_ignore_ascii_case(&text));
    attribute.options.iter().find(fits).map(|o| o.code.clone()).ok_or_else(|| {
        let known: Vec<&str> = attribute.options.iter().take(10).map(|o| o.code.as_str()).collect();
        format!("{} has no choice {text:?}; there are {}", attribute.code, known.join(", "))
    })
}

fn money(code: &str, value: &Value) -> Result<Value, String> {
    let bad = || format!("{code} is an amount of money, such as {{\"minor\": 12990, \"currency\": \"UAH\"}}");
    if let Value::String(text) = value {
        let (amount, currency) = text.trim().rsplit_once(' ').ok_or_else(bad)?;
        let read = base::Money::parse(&amount.replace(' ', "").replace(',', "."), currency).map_err(|_| bad())?;
        return Ok(json!({"minor": read.minor, "currency": read.currency}));
    }
    let price: crate::model::Price = serde_json::from_value(value.clone()).map_err(|_| bad())?;
    if !is_currency(&price.currency) {
        return Err(bad());
    }
    Ok(json!({"minor": price.minor, "currency": price.currency}))
}

/// Three capital letters.
pub fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase())
}

/// `YYYY-MM-DD`, and a day that is in the calendar.
pub fn is_day(text: &str) -> bool {
    text.len() == 10 && base::Timestamp::parse(&format!("{text}T00:00:00Z")).is_ok()
}
