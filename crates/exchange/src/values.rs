//! Values as people and programs write them: dates, money, yes and no.
use base::{Decimal, Timestamp};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// Which of two numbers is the month, in dates with slashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// 31/12/2026, as most of the world writes.
    #[default]
    DayFirst,
    /// 12/31/2026.
    MonthFirst,
}

/// Years that a date of a retailer may have.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2100;

/// A date: `2026-12-31`, `31.12.2026`, `31/12/2026`, `20261231`. `None` for anything else, also for the year 20000.
pub fn date(text: &str, order: DateOrder) -> Option<Date> {
    let text = text.trim();
    let part = |t: &str| t.parse::<i16>().ok().filter(|_| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit()));
    let split = |sign: char| -> Option<[&str; 3]> {
        let parts: Vec<&str> = text.split(sign).collect();
        parts.try_into().ok()
    };
    let (year, month, day) = if let Some([a, b, c]) = split('.').or_else(|| split('/')).or_else(|| split('-')) {
        if a.len() == 4 {
            (part(a)?, part(b)?, part(c)?)
        } else {
            let (a, b) = (part(a)?, part(b)?);
            let first_is_month = text.contains('/') && order == DateOrder::MonthFirst;
            let year = if c.len() == 2 { 2000 + part(c)? } else { part(c)? };
            if first_is_month { (year, a, b) } else { (year, b, a) }
        }
    } else if text.len() == 8 {
        (part(text.get(..4)?)?, part(text.get(4..6)?)?, part(text.get(6..)?)?)
    } else {
        return None;
    };
    if !YEARS.contains(&year) {
        return None;
    }
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// A moment: RFC 3339, a date with or without a time of the shop's own clock, or seconds or milliseconds since 1970.
pub fn moment(text: &str, order: DateOrder, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() >= 9 && text.bytes().all(|b| b.is_ascii_digit()) && text.len() != 8 {
        let number: i64 = text.parse().ok()?;
        let micros = if text.len() <= 10 { number.checked_mul(1_000_000)? } else { number.checked_mul(1_000)? };
        return (text.len() <= 13).then(|| Timestamp::from_micros(micros)).filter(in_years);
    }
    let zoned = text.split_once('T').is_some_and(|(_, time)| time.contains(['Z', '+', '-']));
    if zoned && let Ok(at) = Timestamp::parse(text) {
        return Some(at).filter(in_years);
    }
    // `2026-01-02 03:04:05 +0200`, as Shopify writes.
    if let Ok(at) = jiff::Zoned::strptime("%Y-%m-%d %H:%M:%S %z", text)
        .map(|z| z.timestamp())
        .or_else(|_| jiff::Timestamp::strptime("%Y-%m-%d %H:%M:%S %z", text))
    {
        return Some(Timestamp::from_micros(at.as_microsecond())).filter(in_years);
    }
    let (day, time) = match text.split_once([' ', 'T']) {
        Some((day, time)) => (day.trim_end_matches(','), time.trim()),
        None => (text, ""),
    };
    let day = date(day, order)?;
    let time = clock(time)?;
    let zoned = DateTime::from_parts(day, time).to_zoned(zone.clone()).ok()?;
    Some(Timestamp::from_micros(zoned.timestamp().as_microsecond()))
}

fn in_years(at: &Timestamp) -> bool {
    // 1900-01-01 to 2101-01-01.
    (-2_208_988_800_000_000..4_133_980_800_000_000).contains(&at.micros())
}

/// A time of the day; midnight when there is none.
fn clock(text: &str) -> Option<Time> {
    if text.is_empty() {
        return Some(Time::midnight());
    }
    let text = text.split('.').next()?;
    let parts: Vec<i8> = text.split(':').map(|p| p.parse().ok()).collect::<Option<_>>()?;
    match parts.as_slice() {
        [h, m] => Time::new(*h, *m, 0, 0).ok(),
        [h, m, s] => Time::new(*h, *m, *s, 0).ok(),
        _ => None,
    }
}

/// An amount: `1 234,56 грн`, `$1,234.50`, `1'234.5`, `-12`. The last of comma and point is the decimal sign, unless exactly
/// three digits follow it and it comes alone more than once.
pub fn money(text: &str) -> Option<Decimal> {
    let mut digits = String::new();
    for letter in text.trim().chars() {
        match letter {
            '0'..='9' | ',' | '.' => digits.push(letter),
            '-' | '−' if digits.is_empty() => digits.push('-'),
            ' ' | '\u{a0}' | '\u{202f}' | '\'' | '’' => {}
            c if c.is_alphabetic() || "₴$€£₽".contains(c) => {}
            _ => return None,
        }
    }
    let digits = digits.trim_end_matches(['.', ',']);
    let (comma, point) = (digits.rfind(','), digits.rfind('.'));
    let plain = match (comma, point) {
        (None, None) => digits.to_string(),
        (Some(c), Some(p)) if c > p => digits.replace('.', "").replace(',', "."),
        (Some(_), Some(_)) => digits.replace(',', ""),
        (Some(_), None) if digits.matches(',').count() > 1 => digits.replace(',', ""),
        (Some(_), None) => digits.replace(',', "."),
        (None, Some(_)) if digits.matches('.').count() > 1 => digits.replace('.', ""),
        (None, Some(_)) => digits.to_string(),
    };
    Decimal::parse(&plain).filter(|_| plain.bytes().any(|b| b.is_ascii_digit()))
}

/// The currency that an amount names, if it does.
pub fn currency(text: &str) -> Option<&'static str> {
    let lower = text.to_lowercase();
    let signs = [
        ("грн", "UAH"),
        ("₴", "UAH"),
        ("uah", "UAH"),
        ("$", "USD"),
        ("usd", "USD"),
        ("€", "EUR"),
        ("eur", "EUR"),
        ("£", "GBP"),
    ];
    signs.iter().find(|(sign, _)| lower.contains(sign)).map(|(_, code)| *code)
}

/// Yes or no, in the words of exports.
pub fn yes(text: &str) -> Option<bool> {
    let lower = text.trim().to_lowercase();
    const YES: &[&str] = &[
        "1",
        "true",
        "yes",
        "y",
        "так",
        "да",
        "+",
        "on",
        "subscribed",
        "active",
        "confirmed",
        "granted",
        "allowed",
        "підписаний",
        "підписана",
        "підписано",
        "подписан",
        "подписана",
        "активний",
        "активен",
    ];
    const NO: &[&str] = &[
        "0",
        "false",
        "no",
        "n",
        "ні",
        "нет",
        "-",
        "off",
        "unsubscribed",
        "inactive",
        "denied",
        "blocked",
        "not_subscribed",
        "not subscribed",
        "bounced",
        "complained",
        "complaint",
        "spam",
        "blacklisted",
        "відписаний",
        "відписана",
        "відписано",
        "отписан",
        "отписана",
        "заблокований",
        "заблокирован",
        "never_subscribed",
        "cleaned",
        "unconfirmed",
        "pending",
    ];
    if YES.contains(&lower.as_str()) {
        return Some(true);
    }
    NO.contains(&lower.as_str()).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_as_they_are_written() {
        let day = Date::new(2026, 12, 31).ok();
        for text in ["2026-12-31", "31.12.2026", "31/12/2026", "31-12-2026", "20261231", "2026/12/31", "31.12.26"] {
            assert_eq!(date(text, DateOrder::DayFirst), day, "{text}");
        }
        assert_eq!(date("12/31/2026", DateOrder::MonthFirst), day);
        for text in [
            "",
            "31.12.20000",
            "20000-01-01",
            "2026-02-30",
            "0000-00-00",
            "31.13.2026",
            "x",
            "1.2",
            "+1.2.2026",
            "9999-12-31",
        ] {
            assert_eq!(date(text, DateOrder::DayFirst), None, "{text}");
        }
    }

    #[test]
    fn moments_in_the_shops_zone_and_in_their_own() {
        let kyiv = TimeZone::get("Europe/Kyiv").expect("it is known");
        let at = |text: &str| moment(text, DateOrder::DayFirst, &kyiv).map(|t| t.to_string());
        let noon = Some("2026-07-01T09:00:00.000Z".to_string());
        for text in [
            "2026-07-01 12:00:00",
            "01.07.2026 12:00",
            "2026-07-01T12:00:00",
            "2026-07-01T12:00:00+03:00",
            "2026-07-01 12:00:00 +0300",
            "2026-07-01T09:00:00Z",
            "1782896400",
            "1782896400000",
            "01.07.2026, 12:00:00",
        ] {
            assert_eq!(at(text).map(|t| t[..19].to_string()), noon.as_ref().map(|t| t[..19].to_string()), "{text}");
        }
        for text in ["", "20000-01-01T00:00:00Z", "99999999999999", "2026-07-01 25:00", "01.07.20000"] {
            assert_eq!(at(text), None, "{text}");
        }
    }

    #[test]
    fn money_as_it_is_written() {
        let minor = |text: &str| money(text).and_then(|d| d.to_minor(2));
        for text in ["1234.56", "1 234,56 грн", "$1,234.56", "1.234,56", "1\u{a0}234,56", "₴1'234.56"] {
            assert_eq!(minor(text), Some(123_456), "{text}");
        }
        assert_eq!(
            (minor("-12"), minor("1,234,567"), minor("12,5"), minor("0")),
            (Some(-1200), Some(123_456_700), Some(1250), Some(0))
        );
        for text in ["", "грн", "12%", "1/2", "--1", "."] {
            assert_eq!(minor(text), None, "{text}");
        }
        assert_eq!((currency("5 грн"), currency("€5"), currency("5")), (Some("UAH"), Some("EUR"), None));
    }

    #[test]
    fn yes_and_no_in_three_languages() {
        assert_eq!(
            (yes("Так"), yes("Нет"), yes("SUBSCRIBED"), yes("maybe")),
            (Some(true), Some(false), Some(true), None)
        );
    }
}
