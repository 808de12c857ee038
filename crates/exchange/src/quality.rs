//! How good a file's or a base's data is: what is filled, what is doubled, which contacts are none, what looks wrong.
pub mod people;

use base::mail_service::{is_blocked_service, is_domain_of};
use base::{Country, normalise_email, normalise_phone};
use hashbrown::HashMap;
use serde::Serialize;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hash};

/// Addresses that live for minutes.
const DISPOSABLE: &[&str] = &[
    "mailinator.com",
    "10minutemail.com",
    "guerrillamail.com",
    "temp-mail.org",
    "tempmail.com",
    "yopmail.com",
    "trashmail.com",
    "getnada.com",
    "sharklasers.com",
    "dispostable.com",
    "maildrop.cc",
    "throwawaymail.com",
    "fakeinbox.com",
    "mohmal.com",
    "emailondeck.com",
];
/// How domains of great services are mistyped.
const MISTYPED: &[(&str, &str)] = &[
    ("gmail.con", "gmail.com"),
    ("gmial.com", "gmail.com"),
    ("gmai.com", "gmail.com"),
    ("gmail.co", "gmail.com"),
    ("gamil.com", "gmail.com"),
    ("gnail.com", "gmail.com"),
    ("gmail.ua", "gmail.com"),
    ("ukr.ua", "ukr.net"),
    ("ukr.nte", "ukr.net"),
    ("urk.net", "ukr.net"),
    ("icloud.con", "icloud.com"),
    ("hotmial.com", "hotmail.com"),
    ("yaho.com", "yahoo.com"),
];

/// What is odd about a contact or a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    EmailInvalid,
    EmailBlockedService,
    EmailDisposable,
    EmailMistypedDomain,
    PhoneInvalid,
    PhoneRepeatedDigit,
    NameMixedAlphabets,
    NameNoLetters,
    BirthdayInFuture,
    BirthdayTooOld,
    NoContact,
}

impl Flaw {
    /// As it is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EmailInvalid => "email_invalid",
            Self::EmailBlockedService => "email_blocked_service",
            Self::EmailDisposable => "email_disposable",
            Self::EmailMistypedDomain => "email_mistyped_domain",
            Self::PhoneInvalid => "phone_invalid",
            Self::PhoneRepeatedDigit => "phone_repeated_digit",
            Self::NameMixedAlphabets => "name_mixed_alphabets",
            Self::NameNoLetters => "name_no_letters",
            Self::BirthdayInFuture => "birthday_in_future",
            Self::BirthdayTooOld => "birthday_too_old",
            Self::NoContact => "no_contact",
        }
    }
}

fn domain(email: &str) -> &str {
    email.rsplit_once('@').map_or("", |(_, d)| d)
}

/// What is wrong with an address.
pub fn email_flaw(text: &str) -> Option<Flaw> {
    let Some(email) = normalise_email(text).filter(|e| domain(e).contains('.')) else {
        return Some(Flaw::EmailInvalid);
    };
    let domain = domain(&email);
    if is_blocked_service(&email) {
        Some(Flaw::EmailBlockedService)
    } else if is_domain_of(domain, DISPOSABLE) {
        Some(Flaw::EmailDisposable)
    } else if MISTYPED.iter().any(|(wrong, _)| *wrong == domain) {
        Some(Flaw::EmailMistypedDomain)
    } else {
        None
    }
}

/// What is wrong with a number.
pub fn phone_flaw(text: &str, country: Country) -> Option<Flaw> {
    let Some(phone) = normalise_phone(text, country) else { return Some(Flaw::PhoneInvalid) };
    let tail: Vec<char> = phone.chars().rev().take(7).collect();
    tail.iter().all(|c| *c == tail[0]).then_some(Flaw::PhoneRepeatedDigit)
}

/// What is wrong with a name: Latin and Cyrillic letters in one word, or no letter at all.
pub fn name_flaw(name: &str) -> Option<Flaw> {
    let cyrillic = |c: char| ('\u{400}'..='\u{52f}').contains(&c);
    let mixed = name
        .split(|c: char| !c.is_alphabetic())
        .any(|word| word.chars().any(cyrillic) && word.chars().any(|c| c.is_ascii_alphabetic()));
    if mixed {
        return Some(Flaw::NameMixedAlphabets);
    }
    (!name.trim().is_empty() && !name.chars().any(char::is_alphabetic)).then_some(Flaw::NameNoLetters)
}

/// What is wrong with a birthday; `today` and the day as `YYYY-MM-DD`.
pub fn birthday_flaw(day: &str, today: &str) -> Option<Flaw> {
    if day > today {
        return Some(Flaw::BirthdayInFuture);
    }
    let year = |text: &str| text.get(..4).and_then(|y| y.parse::<i32>().ok());
    (year(today)? - year(day)? > 110).then_some(Flaw::BirthdayTooOld)
}

/// One person or row, as it is judged.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seen<'a> {
    /// How a report names it: a line or an id.
    pub subject: &'a str,
    pub email: &'a str,
    pub phone: &'a str,
    pub name: &'a str,
    /// `YYYY-MM-DD`.
    pub birthday: &'a str,
}

/// A finding with its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Example {
    pub flaw: Flaw,
    pub subject: String,
    pub value: String,
}

/// How much of a field is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Filled {
    pub filled: u64,
    /// Tenths of a percent.
    pub permille: u64,
}

/// The report, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    pub rows: u64,
    pub completeness: BTreeMap<String, Filled>,
    /// Rows whose e-mail or phone another row has too.
    pub duplicate_emails: u64,
    pub duplicate_phones: u64,
    pub flaws: BTreeMap<String, u64>,
    /// The first of each kind.
    pub examples: Vec<Example>,
}

const EXAMPLES_PER_FLAW: u64 = 10;

/// Collects what it sees; memory is sixteen bytes a contact.
pub struct Judge {
    country: Country,
    today: String,
    report: Report,
    filled: BTreeMap<String, u64>,
    seen: [HashMap<u64, ()>; 2],
    hasher: hashbrown::DefaultHashBuilder,
}

impl Judge {
    /// A judge for a country, on a day (`YYYY-MM-DD`).
    pub fn new(country: Country, today: String) -> Self {
        Self {
            country,
            today,
            report: Report::default(),
            filled: BTreeMap::new(),
            seen: Default::default(),
            hasher: Default::default(),
        }
    }
    /// Counts a field in which something stands.
    pub fn fill(&mut self, field: &str) {
        match self.filled.get_mut(field) {
            Some(count) => *count += 1,
            None => drop(self.filled.insert(field.to_string(), 1)),
        }
    }
    /// Judges one person or row.
    pub fn see(&mut self, seen: &Seen<'_>) {
        self.report.rows += 1;
        if seen.email.is_empty() && seen.phone.is_empty() {
            self.flaw(Flaw::NoContact, seen.subject, "");
        }
        if !seen.email.is_empty() {
            if let Some(flaw) = email_flaw(seen.email) {
                self.flaw(flaw, seen.subject, seen.email);
            }
            if let Some(email) = normalise_email(seen.email) {
                self.report.duplicate_emails += u64::from(self.again(0, &email));
            }
        }
        if !seen.phone.is_empty() {
            if let Some(flaw) = phone_flaw(seen.phone, self.country) {
                self.flaw(flaw, seen.subject, seen.phone);
            }
            if let Some(phone) = normalise_phone(seen.phone, self.country) {
                self.report.duplicate_phones += u64::from(self.again(1, &phone));
            }
        }
        if let Some(flaw) = name_flaw(seen.name) {
            self.flaw(flaw, seen.subject, seen.name);
        }
        if !seen.birthday.is_empty()
            && let Some(flaw) = birthday_flaw(seen.birthday, &self.today.clone())
        {
            self.flaw(flaw, seen.subject, seen.birthday);
        }
    }
    fn again(&mut self, which: usize, value: &str) -> bool {
        let mut hash = self.hasher.build_hasher();
        value.hash(&mut hash);
        self.seen[which].insert(std::hash::Hasher::finish(&hash), ()).is_some()
    }
    fn flaw(&mut self, flaw: Flaw, subject: &str, value: &str) {
        let count = self.report.flaws.entry(flaw.as_str().to_string()).or_default();
        *count += 1;
        if *count <= EXAMPLES_PER_FLAW {
            self.report.examples.push(Example { flaw, subject: subject.into(), value: crate::rows::short(value) });
        }
    }
    /// The report.
    pub fn report(mut self) -> Report {
        let rows = self.report.rows.max(1);
        let filled =
            self.filled.into_iter().map(|(field, filled)| (field, Filled { filled, permille: filled * 1000 / rows }));
        self.report.completeness = filled.collect();
        self.report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flaws_are_seen_and_fine_data_is_not_blamed() {
        for (email, flaw) in [
            ("olena@gmail.com", None),
            ("o@mail.ru", Some(Flaw::EmailBlockedService)),
            ("o@corp.mail.ru", Some(Flaw::EmailBlockedService)),
            ("o@hotmail.ru.com", None),
            ("o@notmail.ru", None),
            ("o@yandex.ua", Some(Flaw::EmailBlockedService)),
            ("o@mailinator.com", Some(Flaw::EmailDisposable)),
            ("o@gmial.com", Some(Flaw::EmailMistypedDomain)),
            ("o@localhost", Some(Flaw::EmailInvalid)),
            ("no address", Some(Flaw::EmailInvalid)),
        ] {
            assert_eq!(email_flaw(email), flaw, "{email}");
        }
        let ua = Country::find("UA");
        assert_eq!((phone_flaw("0671234567", ua), phone_flaw("12", ua)), (None, Some(Flaw::PhoneInvalid)));
        assert_eq!(phone_flaw("0670000000", ua), Some(Flaw::PhoneRepeatedDigit));
        assert_eq!(
            (name_flaw("Олена Iваненко"), name_flaw("Олена Smith"), name_flaw("***")),
            (Some(Flaw::NameMixedAlphabets), None, Some(Flaw::NameNoLetters))
        );
        assert_eq!(birthday_flaw("2030-01-01", "2026-11-22"), Some(Flaw::BirthdayInFuture));
        assert_eq!(
            (birthday_flaw("1900-01-01", "2026-11-22"), birthday_flaw("1980-01-01", "2026-11-22")),
            (Some(Flaw::BirthdayTooOld), None)
        );
    }

    #[test]
    fn doubles_are_counted_whatever_form_they_have() {
        let mut judge = Judge::new(Country::find("UA"), "2026-11-22".into());
        for (line, email, phone) in
            [("2", "A@b.co", "0671234567"), ("3", "a@b.co", "+38 (067) 123-45-67"), ("4", "", "")]
        {
            judge.fill("email");
            judge.see(&Seen { subject: line, email, phone, ..Seen::default() });
        }
        let report = judge.report();
        assert_eq!((report.rows, report.duplicate_emails, report.duplicate_phones), (3, 1, 1));
        assert_eq!(report.flaws.get("no_contact"), Some(&1));
        assert_eq!(report.completeness["email"], Filled { filled: 3, permille: 1000 });
    }
}
