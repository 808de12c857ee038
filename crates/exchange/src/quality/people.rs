//! How good the data of people in the store is: what each one lacks, and what looks wrong.
use super::{Flaw, birthday_flaw, email_flaw, name_flaw, phone_flaw};
use base::Country;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One question about a person. Each number of the report counts one, and opens the list of those whom it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    NoEmail,
    NoPhone,
    NoName,
    NoBirthday,
    NoGender,
    NoCity,
    NoLanguage,
    /// Neither e-mail address nor phone number.
    NoContact,
    EmailBlockedService,
    EmailDisposable,
    EmailMistypedDomain,
    EmailInvalid,
    PhoneInvalid,
    PhoneRepeatedDigit,
    NameMixedAlphabets,
    NameNoLetters,
    BirthdayImplausible,
    /// Has an address and nobody knows whether it may be written to.
    EmailUnsaid,
    EmailGranted,
    EmailDenied,
    PhoneUnsaid,
    PhoneGranted,
    PhoneDenied,
    /// Seen within 30 days, 31 to 90, 91 to 365, or longer ago.
    Seen30,
    Seen90,
    Seen365,
    SeenLongAgo,
    NeverBought,
}

impl Check {
    /// All checks, in the order of the report.
    pub const ALL: [Check; 28] = [
        Self::NoEmail,
        Self::NoPhone,
        Self::NoName,
        Self::NoBirthday,
        Self::NoGender,
        Self::NoCity,
        Self::NoLanguage,
        Self::NoContact,
        Self::EmailBlockedService,
        Self::EmailDisposable,
        Self::EmailMistypedDomain,
        Self::EmailInvalid,
        Self::PhoneInvalid,
        Self::PhoneRepeatedDigit,
        Self::NameMixedAlphabets,
        Self::NameNoLetters,
        Self::BirthdayImplausible,
        Self::EmailUnsaid,
        Self::EmailGranted,
        Self::EmailDenied,
        Self::PhoneUnsaid,
        Self::PhoneGranted,
        Self::PhoneDenied,
        Self::Seen30,
        Self::Seen90,
        Self::Seen365,
        Self::SeenLongAgo,
        Self::NeverBought,
    ];
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoEmail => "no_email",
            Self::NoPhone => "no_phone",
            Self::NoName => "no_name",
            Self::NoBirthday => "no_birthday",
            Self::NoGender => "no_gender",
            Self::NoCity => "no_city",
            Self::NoLanguage => "no_language",
            Self::NoContact => "no_contact",
            Self::EmailBlockedService => "email_blocked_service",
            Self::EmailDisposable => "email_disposable",
            Self::EmailMistypedDomain => "email_mistyped_domain",
            Self::EmailInvalid => "email_invalid",
            Self::PhoneInvalid => "phone_invalid",
            Self::PhoneRepeatedDigit => "phone_repeated_digit",
            Self::NameMixedAlphabets => "name_mixed_alphabets",
            Self::NameNoLetters => "name_no_letters",
            Self::BirthdayImplausible => "birthday_implausible",
            Self::EmailUnsaid => "email_unsaid",
            Self::EmailGranted => "email_granted",
            Self::EmailDenied => "email_denied",
            Self::PhoneUnsaid => "phone_unsaid",
            Self::PhoneGranted => "phone_granted",
            Self::PhoneDenied => "phone_denied",
            Self::Seen30 => "seen_30_days",
            Self::Seen90 => "seen_90_days",
            Self::Seen365 => "seen_365_days",
            Self::SeenLongAgo => "seen_long_ago",
            Self::NeverBought => "never_bought",
        }
    }
    /// The inverse of [`Check::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.as_str() == text)
    }
}

/// What is asked of a person.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    /// Own addresses and numbers with what is said about marketing at them; `None` = nothing.
    pub emails: Vec<(String, Option<bool>)>,
    pub phones: Vec<(String, Option<bool>)>,
    pub name: String,
    /// `YYYY-MM-DD`; empty = not known.
    pub birthday: String,
    pub gender: String,
    pub city: String,
    pub language: String,
    /// Days since the last sign of life.
    pub days_ago: i64,
    pub orders: i64,
}

/// What is true of a person, each once. `today` as `YYYY-MM-DD`.
pub fn checks(known: &Known, country: Country, today: &str) -> Vec<Check> {
    let mut out = Vec::new();
    let mut put = |check: Check, holds: bool| {
        if holds && !out.contains(&check) {
            out.push(check);
        }
    };
    put(Check::NoEmail, known.emails.is_empty());
    put(Check::NoPhone, known.phones.is_empty());
    put(Check::NoContact, known.emails.is_empty() && known.phones.is_empty());
    put(Check::NoName, known.name.trim().is_empty());
    put(Check::NoBirthday, known.birthday.is_empty());
    put(Check::NoGender, known.gender.is_empty());
    put(Check::NoCity, known.city.is_empty());
    put(Check::NoLanguage, known.language.is_empty());
    for flaw in known.emails.iter().filter_map(|(email, _)| email_flaw(email)) {
        let check = match flaw {
            Flaw::EmailBlockedService => Check::EmailBlockedService,
            Flaw::EmailDisposable => Check::EmailDisposable,
            Flaw::EmailMistypedDomain => Check::EmailMistypedDomain,
            _ => Check::EmailInvalid,
        };
        put(check, true);
    }
    for flaw in known.phones.iter().filter_map(|(phone, _)| phone_flaw(phone, country)) {
        put(if flaw == Flaw::PhoneRepeatedDigit { Check::PhoneRepeatedDigit } else { Check::PhoneInvalid }, true);
    }
    match name_flaw(&known.name) {
        Some(Flaw::NameMixedAlphabets) => put(Check::NameMixedAlphabets, true),
        Some(_) => put(Check::NameNoLetters, true),
        None => {}
    }
    put(Check::BirthdayImplausible, !known.birthday.is_empty() && birthday_flaw(&known.birthday, today).is_some());
    // A refusal at any own address is the person's; a grant elsewhere does not outweigh it.
    let said = |own: &[(String, Option<bool>)], [unsaid, granted, denied]: [Check; 3]| match own {
        [] => None,
        own if own.iter().any(|(_, s)| *s == Some(false)) => Some(denied),
        own if own.iter().any(|(_, s)| *s == Some(true)) => Some(granted),
        _ => Some(unsaid),
    };
    let email = said(&known.emails, [Check::EmailUnsaid, Check::EmailGranted, Check::EmailDenied]);
    let phone = said(&known.phones, [Check::PhoneUnsaid, Check::PhoneGranted, Check::PhoneDenied]);
    email.into_iter().chain(phone).for_each(|check| put(check, true));
    let seen = match known.days_ago {
        ..=30 => Check::Seen30,
        31..=90 => Check::Seen90,
        91..=365 => Check::Seen365,
        _ => Check::SeenLongAgo,
    };
    put(seen, true);
    put(Check::NeverBought, known.orders == 0);
    out
}

/// The report over a store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// People with a name of any kind: everybody but anonymous visitors.
    pub people: u64,
    /// Visitors without one.
    pub anonymous: u64,
    /// How many people each check holds for.
    pub checks: BTreeMap<String, u64>,
}

impl Tally {
    /// Counts a person.
    pub fn add(&mut self, checks: &[Check]) {
        self.people += 1;
        for check in checks {
            *self.checks.entry(check.as_str().to_string()).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(known: &Known) -> Vec<Check> {
        checks(known, Country::find("UA"), "2026-11-22")
    }

    #[test]
    fn a_whole_person_lacks_nothing_and_a_poor_one_says_what() {
        // [A6] the report says what is missing, invalid, doubled or stale.
        let whole = Known {
            emails: vec![("olena@gmail.com".into(), Some(true))],
            phones: vec![("+380671234567".into(), None)],
            name: "Олена Коваль".into(),
            birthday: "1990-05-01".into(),
            gender: "female".into(),
            city: "Львів".into(),
            language: "uk".into(),
            days_ago: 3,
            orders: 1,
        };
        assert_eq!(all(&whole), [Check::EmailGranted, Check::PhoneUnsaid, Check::Seen30]);
        let poor = Known {
            emails: vec![("a@mail.ru".into(), Some(true)), ("b@gmial.com".into(), Some(false))],
            name: "Iван".into(),
            birthday: "2031-01-01".into(),
            days_ago: 400,
            ..Known::default()
        };
        let found = all(&poor);
        for check in [
            Check::NoPhone,
            Check::EmailBlockedService,
            Check::EmailMistypedDomain,
            Check::NameMixedAlphabets,
            Check::BirthdayImplausible,
            Check::EmailDenied,
            Check::SeenLongAgo,
            Check::NeverBought,
        ] {
            assert!(found.contains(&check), "{check:?} of {found:?}");
        }
        assert!(!found.contains(&Check::NoContact) && !found.contains(&Check::EmailGranted));
    }

    proptest! {
        /// What is said about a channel and when somebody was seen are partitions: one answer each.
        #[test]
        fn partitions_have_one_answer(
            emails in proptest::collection::vec(("[a-z]{1,3}@x\\.ua", any::<Option<bool>>()), 0..4),
            days_ago in -5i64..900,
        ) {
            let known = Known { emails: emails.clone(), days_ago, ..Known::default() };
            let found = all(&known);
            let count = |of: &[Check]| found.iter().filter(|c| of.contains(c)).count();
            prop_assert_eq!(count(&[Check::Seen30, Check::Seen90, Check::Seen365, Check::SeenLongAgo]), 1);
            let said = count(&[Check::NoEmail, Check::EmailUnsaid, Check::EmailGranted, Check::EmailDenied]);
            prop_assert_eq!(said, 1);
        }

        #[test]
        fn names_come_back(at in 0usize..Check::ALL.len()) {
            prop_assert_eq!(Check::parse(Check::ALL[at].as_str()), Some(Check::ALL[at]));
        }
    }
}
