//! Numbers, currencies and yes or no, as programs of several countries write them.
use base::{Decimal, Quantity};

/// A number with a point or a comma, with blanks of any kind between thousands.
fn decimal(text: &str) -> Option<Decimal> {
    let tight: String = text.chars().filter(|c| !c.is_whitespace() && *c != '\u{a0}' && *c != '\u{202f}').collect();
    let (comma, point) = (tight.rfind(','), tight.rfind('.'));
    let plain = match (comma, point) {
        // The last of the two is the decimal one.
        (Some(c), Some(p)) if c > p => tight.replace('.', "").replace(',', "."),
        (Some(_), Some(_)) => tight.replace(',', ""),
        (Some(_), None) => tight.replace(',', "."),
        _ => tight,
    };
    Decimal::parse(&plain)
}

/// An amount of money in major units; says what it is not.
pub fn amount(text: &str) -> Result<Decimal, String> {
    decimal(text).ok_or_else(|| format!("{:?} is no amount", crate::rows::short(text)))
}

/// A quantity; may be less than nothing, and is rounded to thousandths.
pub fn quantity(text: &str) -> Result<Quantity, String> {
    let wrong = || format!("{:?} is no quantity", crate::rows::short(text));
    let milli = decimal(text).and_then(|d| d.to_minor(3)).ok_or_else(wrong)?;
    if milli.unsigned_abs() > Quantity::MAX.milli().unsigned_abs() {
        return Err(format!("{:?} is more than a billion", crate::rows::short(text)));
    }
    Ok(Quantity::from_milli(milli))
}

/// The code of a currency that is written as a code, a number (ISO 4217) or a word. `None` where nobody knows it.
pub fn currency(text: &str) -> Option<String> {
    let word = text.trim().trim_end_matches('.').to_lowercase();
    let known = match word.as_str() {
        "грн" | "гривня" | "гривна" | "₴" | "980" => "UAH",
        "руб" | "643" | "810" => "RUB",
        "дол" | "долл" | "usd" | "$" | "840" => "USD",
        "євро" | "евро" | "€" | "978" => "EUR",
        "зл" | "zł" | "985" => "PLN",
        "£" | "826" => "GBP",
        _ => "",
    };
    if !known.is_empty() {
        return Some(known.into());
    }
    (word.len() == 3 && word.bytes().all(|b| b.is_ascii_alphabetic())).then(|| word.to_ascii_uppercase())
}

/// `true` or `false`; anything else says nothing.
pub fn flag(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "true" | "1" | "да" | "так" => Some(true),
        "false" | "0" | "нет" | "ні" => Some(false),
        _ => None,
    }
}
