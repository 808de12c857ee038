//! Identifier values: what no shop has to list, the key of the cache, and what an event carries in order.
use crate::rules::Rules;
use base::{Country, normalise_email, normalise_phone};
use db::event::Identifier;
use siphasher::sip128::{Hasher128, SipHasher13};
use std::borrow::Cow;
use std::hash::Hasher;

/// Characters of an identifier's value, at most; a longer text identifies nobody.
pub const VALUE_MAX: usize = 500;
/// Characters of a kind, at most.
pub const KIND_MAX: usize = 64;

/// Values that programs send where they have none: `^[0-]*$`, `-1`, `null`, `anonymous`, `undefined`, `test`, `none`, nothing.
pub fn is_placeholder(value: &str) -> bool {
    const WORDS: [&str; 6] = ["-1", "null", "anonymous", "undefined", "test", "none"];
    value.bytes().all(|b| b == b'0' || b == b'-')
        || (value.len() <= 9 && WORDS.iter().any(|word| value.eq_ignore_ascii_case(word)))
}

/// The form of addresses and of values of kinds that nobody gave a form; see [`Rules::normalise`] for a shop's own.
pub fn normalise<'a>(kind: &str, value: &'a str, country: Country) -> Option<Cow<'a, str>> {
    let value = value.trim();
    let value = match kind {
        "email" => Cow::Owned(normalise_email(value)?),
        "phone" => Cow::Owned(normalise_phone(value, country)?),
        _ if value.contains('\0') => Cow::Owned(value.replace('\0', "\u{fffd}")),
        _ => Cow::Borrowed(value),
    };
    // Bytes bound characters from above, so the usual short value is not counted.
    (value.len() <= VALUE_MAX || value.chars().count() <= VALUE_MAX).then_some(value)
}

/// The key of the identifier cache: SipHash-1-3-128 with the store's own key, so that nobody can make two values collide.
pub fn hash(key: (u64, u64), kind: &str, value: &str) -> u128 {
    let mut hasher = SipHasher13::new_with_keys(key.0, key.1);
    hasher.write(kind.as_bytes());
    hasher.write_u8(0);
    hasher.write(value.as_bytes());
    hasher.finish128().as_u128()
}

/// The order in which a page shows identifiers: user_id, email, phone, others by name, anonymous_id.
pub fn shown_order(kind: &str) -> (u8, &str) {
    match kind {
        "user_id" => (0, ""),
        "email" => (1, ""),
        "phone" => (2, ""),
        "anonymous_id" => (4, ""),
        other => (3, other),
    }
}

/// Gathers an event's identifiers: normalised, without blocked ones and repetitions, in order of priority.
pub struct Gather<'a> {
    pub country: Country,
    pub key: (u64, u64),
    pub rules: &'a Rules,
    pub out: &'a mut Vec<Identifier>,
}

impl Gather<'_> {
    /// Adds a value as it was sent.
    pub fn add(&mut self, kind: &str, value: &str) {
        let Some(value) = self.rules.normalise(kind, value, self.country) else { return };
        if self.rules.is_blocked(kind, &value) || self.out.iter().any(|i| *i.value == *value && *i.kind == *kind) {
            return;
        }
        let hash = hash(self.key, kind, &value);
        self.out.push(Identifier { kind: kind.into(), value: value.into(), hash });
    }
    /// Adds a value of a kind that somebody made up.
    pub fn add_external(&mut self, kind: &str, value: &str) {
        let kind = kind.trim();
        if !kind.is_empty() && kind.len() <= KIND_MAX && !kind.contains('\0') {
            self.add(kind, value);
        }
    }
    /// Leaves demoted values out where there is anything else, and brings the rest into order; values of one kind stay as
    /// they were found.
    pub fn finish(self) {
        let Self { rules, out, .. } = self;
        if rules.demotes() && out.len() > 1 {
            let demoted = |i: &Identifier| rules.is_demoted(&i.kind, &i.value);
            if out.iter().all(demoted) {
                // Two kiosks in one event are not one kiosk.
                out.sort_by(|a, b| rules.priority(&a.kind).cmp(&rules.priority(&b.kind)));
                out.truncate(1);
            } else {
                out.retain(|i| !demoted(i));
            }
        }
        if !out.is_sorted_by(|a, b| rules.priority(&a.kind) <= rules.priority(&b.kind)) {
            out.sort_by(|a, b| rules.priority(&a.kind).cmp(&rules.priority(&b.kind)));
        }
    }
}
