//! Filters and functions beside MiniJinja's own.
use crate::windows::{find_zone, local};
use base::{Country, Decimal, Timestamp, currency_exponent, normalise_phone};
use minijinja::value::{Kwargs, Rest, ViaDeserialize};
use minijinja::{Environment, Error, ErrorKind, Value};

pub(super) fn register(env: &mut Environment<'static>) {
    env.add_function("abort", abort);
    env.add_filter("money", money);
    env.add_filter("phone", phone);
    env.add_filter("date", date);
    env.add_filter("plural", plural);
    env.add_filter("truncate", truncate);
    env.add_filter("url_encode", url_encode);
    env.add_filter("upcase", |text: String| text.to_uppercase());
    env.add_filter("downcase", |text: String| text.to_lowercase());
    env.add_filter("append", |text: String, more: String| text + &more);
    env.add_filter("prepend", |text: String, before: String| before + &text);
    env.add_filter("strip_html", |text: String| super::html::to_text(&text).trim_end().to_string());
}

/// What a template that calls `abort` throws.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
struct Abort(String);

fn abort(reason: String) -> Result<Value, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, "the template stopped this message").with_source(Abort(reason)))
}

/// The reason, if the error comes from `abort`.
pub(super) fn abort_reason(error: &Error) -> Option<String> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(e) = next {
        if let Some(Abort(reason)) = e.downcast_ref::<Abort>() {
            return Some(reason.chars().take(200).collect());
        }
        next = e.source();
    }
    None
}

fn wrong(detail: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, detail.into())
}

/// Options by place or by name, whichever the author likes: `money("UAH")`, `money(locale="uk")`.
fn named(options: &[Value], names: [&str; 2]) -> Result<[Option<String>; 2], Error> {
    let mut out = [None, None];
    for (at, value) in options.iter().enumerate() {
        if value.is_kwargs() {
            let given = Kwargs::try_from(value.clone())?;
            for (slot, name) in out.iter_mut().zip(names) {
                if given.has(name) {
                    *slot = Some(given.get(name)?);
                }
            }
            given.assert_all_used()?;
        } else {
            let slot = out
                .get_mut(at)
                .ok_or_else(|| wrong(format!("too many options: it takes {} and {}", names[0], names[1])))?;
            *slot =
                Some(value.as_str().map(str::to_string).ok_or_else(|| wrong(format!("{} must be a text", names[at])))?);
        }
    }
    Ok(out)
}

/// A language of the console or of its customers, by how it writes numbers and counts things.
fn language(locale: &str) -> &str {
    locale.split(['-', '_']).next().unwrap_or("en")
}

/// `129.9 | money("GBP", "en-GB")` is `£129.90`; a value `{"minor": 12990, "currency": "GBP"}` needs no currency.
fn money(value: Value, options: Rest<Value>) -> Result<String, Error> {
    let [currency, locale] = named(&options, ["currency", "locale"])?;
    let member = |name: &str| value.get_attr(name).ok().filter(|v| !v.is_undefined());
    let currency = currency.or_else(|| member("currency").and_then(|c| c.as_str().map(str::to_string)));
    let currency = currency.ok_or_else(|| wrong("money needs a currency: {{ x | money(\"UAH\") }}"))?.to_uppercase();
    let places = currency_exponent(&currency);
    let minor = match member("minor") {
        Some(minor) => minor.to_string().parse().ok(),
        None => Decimal::parse(value.to_string().trim()).and_then(|d| d.to_minor(places)),
    };
    let minor: i64 = minor.ok_or_else(|| wrong(format!("{value} is not an amount of money")))?;
    let locale = locale.unwrap_or_else(|| if currency == "UAH" { "uk".into() } else { "en".into() });
    Ok(format_money(minor, &currency, places, language(&locale)))
}

fn format_money(minor: i64, currency: &str, places: u32, language: &str) -> String {
    let symbol = match (currency, language) {
        ("UAH", _) => "₴",
        ("EUR", _) => "€",
        ("GBP", _) => "£",
        ("USD", _) => "$",
        ("PLN", _) => "zł",
        ("CZK", _) => "Kč",
        _ => currency,
    };
    let unit = 10u64.pow(places);
    let (whole, part) = (minor.unsigned_abs() / unit, minor.unsigned_abs() % unit);
    // English groups with commas and puts a symbol in front; the others here group with blanks and put it behind.
    let english = language == "en";
    let (group, point) = if english { (",", ".") } else { ("\u{a0}", ",") };
    let digits = whole.to_string();
    let mut number = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            number.push_str(group);
        }
        number.push(digit);
    }
    if places > 0 {
        number.push_str(&format!("{point}{part:0width$}", width = places as usize));
    }
    let sign = if minor < 0 { "−" } else { "" };
    match (english, symbol.len() < 3 || !symbol.is_ascii()) {
        (true, true) => format!("{sign}{symbol}{number}"),
        (true, false) => format!("{sign}{symbol}\u{a0}{number}"),
        (false, _) => format!("{sign}{number}\u{a0}{symbol}"),
    }
}

/// `+380671234567` as people read it: `+380 67 123 45 67`. What is no number stays as it is.
fn phone(text: String, country: Option<String>) -> String {
    let plan = Country::find(country.as_deref().unwrap_or(""));
    let Some(number) = normalise_phone(&text, plan) else { return text };
    if let Some(rest) = number.strip_prefix("+380")
        && rest.len() == 9
    {
        return format!("+380 {} {} {} {}", &rest[..2], &rest[2..5], &rest[5..7], &rest[7..]);
    }
    number
}

/// `event.at | date("%d.%m.%Y %H:%M", zone="Europe/Kyiv")`: a moment in RFC 3339 or in seconds since 1970.
fn date(value: Value, options: Rest<Value>) -> Result<String, Error> {
    let [format, zone] = named(&options, ["format", "zone"])?;
    let moment = match value.as_str() {
        Some(text) => Timestamp::parse(text).map_err(|e| wrong(e.to_string()))?,
        None => {
            let seconds = i64::try_from(value.clone()).map_err(|_| wrong(format!("{value} is not a date")))?;
            Timestamp::from_micros(seconds.saturating_mul(1_000_000))
        }
    };
    let shown = local(moment, &find_zone(zone.as_deref().unwrap_or("UTC")))
        .ok_or_else(|| wrong("the date lies too far away"))?;
    let format = format.unwrap_or_else(|| "%Y-%m-%d".into());
    jiff::fmt::strtime::format(&format, &shown)
        .map_err(|_| wrong(format!("{format:?} is no date format; write one such as %d.%m.%Y")))
}

/// `n | plural("uk", "товар", "товари", "товарів")`: one, few, many (CLDR's rules; languages with two forms take one and few).
fn plural(count: ViaDeserialize<i64>, locale: String, one: String, few: String, many: Option<String>) -> String {
    let n = count.0.unsigned_abs();
    let (tens, units) = (n % 100, n % 10);
    let many = many.unwrap_or_else(|| few.clone());
    let teen = (11..=14).contains(&tens);
    match language(&locale) {
        "uk" | "ru" | "be" if units == 1 && !teen => one,
        "uk" | "ru" | "be" if (2..=4).contains(&units) && !teen => few,
        "uk" | "ru" | "be" => many,
        "pl" if n == 1 => one,
        "pl" if (2..=4).contains(&units) && !teen => few,
        "pl" => many,
        "cs" | "sk" if n == 1 => one,
        "cs" | "sk" if (2..=4).contains(&n) => few,
        "cs" | "sk" => many,
        "fr" if n < 2 => one,
        _ if n == 1 => one,
        _ => many,
    }
}

/// The first `count` characters, with `…` in place of the last one where something was cut.
fn truncate(text: String, count: Option<usize>) -> String {
    let count = count.unwrap_or(50);
    if text.chars().count() <= count {
        return text;
    }
    let mut out: String = text.chars().take(count.saturating_sub(1)).collect();
    out.truncate(out.trim_end().len());
    out.push('…');
    out
}

/// Percent-encodes everything but the unreserved characters of RFC 3986.
fn url_encode(text: String) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
