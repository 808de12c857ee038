//! Blocking: keys of which two records of one person nearly always share one.
//!
//! No single key survives typing mistakes, so there are many, each made of parts that seldom break together. Common values
//! make big blocks; [`crate::blocks`] takes the small ones first, so that a rare surname alone brings two people together and a common
//! one only with something beside it.
use crate::compare::Side;
use crate::field::{Field, SECOND_PHONE};
use crate::text::stable_hash;
use crate::value::Value;

/// Letters by which alike-sounding words meet: the first letter and the consonants after it.
fn sound(word: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(8);
    for (at, c) in word.iter().enumerate() {
        if (at == 0 || !b"aeiou".contains(c)) && out.last() != Some(c) {
            out.push(*c);
        }
    }
    out.truncate(8);
    out
}

/// Codes of a given name: the numbers of the names that it may be, else its sound.
fn given_codes(value: Option<&Value>) -> Vec<Vec<u8>> {
    let Some(value) = value.filter(|v| !v.is_initial()) else { return Vec::new() };
    if value.names.is_empty() {
        return vec![sound(&value.skeleton)];
    }
    value.names.iter().take(4).map(|n| vec![b'#', (n & 0xff) as u8, (n >> 8) as u8]).collect()
}

fn stem(value: &Value) -> &[u8] {
    &value.skeleton[..usize::from(value.stem).min(value.skeleton.len())]
}

/// Collects keys; each rule has a number, so that equal parts of two rules are no equal keys.
struct Keys<'a> {
    out: &'a mut Vec<u64>,
}

impl Keys<'_> {
    fn put(&mut self, rule: u8, parts: &[&[u8]]) {
        if parts.iter().all(|p| !p.is_empty()) {
            let mut all: [&[u8]; 6] = [&[]; 6];
            let tag = [rule];
            all[0] = &tag;
            all[1..=parts.len()].copy_from_slice(parts);
            self.out.push(stable_hash(&all[..=parts.len()]));
        }
    }
}

/// The blocking keys of a person, sorted, each once. They are the same in every release and may be stored: two people are worth
/// comparing when they share one.
pub fn keys(side: &Side<'_>) -> Vec<u64> {
    let mut out = Vec::with_capacity(48);
    let mut keys = Keys { out: &mut out };
    let text = |field: Field| side[field as usize].map_or(&[][..], |v| &v.text);
    let given = given_codes(side[Field::Given as usize]);
    let surname = side[Field::Surname as usize].filter(|v| !v.is_initial()).map_or(Vec::new(), |v| sound(stem(v)));
    numbers(side, &mut keys);
    contacts(side, &given, &surname, &mut keys);
    names(side, &given, &surname, &mut keys);
    let birth = text(Field::Birth);
    if birth.len() == 8 {
        let (year, month, day) = (&birth[..4], &birth[4..6], &birth[6..]);
        let (low, high) = (month.min(day), month.max(day));
        keys.put(20, &[year, low, high]);
        for name in given.iter().chain([&surname]) {
            keys.put(21, &[name, year, month]);
            keys.put(22, &[name, year, day]);
            keys.put(23, &[name, low, high]);
            keys.put(24, &[name, year, &birth[4..5]]);
        }
        keys.put(25, &[year, low, high, text(Field::City)]);
    } else {
        keys.put(26, &[birth]);
    }
    addresses(side, &given, &surname, &mut keys);
    out.sort_unstable();
    out.dedup();
    out
}

/// Numbers of documents: whole, and with each digit left out, so that one mistake leaves a key in common.
fn numbers(side: &Side<'_>, keys: &mut Keys<'_>) {
    let Some(id) = side[Field::Id as usize] else { return };
    keys.put(1, &[&id.text]);
    if (5..=12).contains(&id.text.len()) {
        for at in 0..id.text.len() {
            keys.put(2, &[&id.text[..at], b"|", &id.text[at + 1..]]);
            if at == 0 || at + 1 == id.text.len() {
                let short = if at == 0 { &id.text[1..] } else { &id.text[..at] };
                keys.put(3, &[short]);
            }
        }
    }
}

fn contacts(side: &Side<'_>, given: &[Vec<u8>], surname: &[u8], keys: &mut Keys<'_>) {
    for phone in [side[Field::Phone as usize], side[SECOND_PHONE]].into_iter().flatten() {
        let tail = &phone.text[phone.text.len().saturating_sub(9)..];
        keys.put(4, &[tail]);
        let half = tail.len() / 2;
        for name in given.iter().map(Vec::as_slice).chain([surname]) {
            keys.put(5, &[&tail[..half], name]);
            keys.put(6, &[&tail[half..], name]);
        }
    }
    if let Some(email) = side[Field::Email as usize] {
        keys.put(7, &[&email.text]);
        let local = email.parts.first().map_or(&[][..], |l| l);
        keys.put(8, &[local]);
        if local.len() >= 6 {
            keys.put(9, &[&local[..5], &email.text[email.text.len() - 3..]]);
            keys.put(10, &[&local[local.len() - 5..]]);
        }
    }
}

fn names(side: &Side<'_>, given: &[Vec<u8>], surname: &[u8], keys: &mut Keys<'_>) {
    let part = |field: Field| side[field as usize].map_or(&[][..], |v| &v.skeleton);
    let (first, last) = (part(Field::Given), part(Field::Surname));
    let father = side[Field::Patronymic as usize].filter(|v| v.stem > 0).map_or(Vec::new(), |v| sound(stem(v)));
    for name in given {
        keys.put(11, &[name, surname]);
        keys.put(12, &[name, &last[..last.len().min(3)], part(Field::City)]);
        keys.put(13, &[name, &last[last.len().saturating_sub(4)..], part(Field::City)]);
        keys.put(14, &[name, &father, &surname[..surname.len().min(1)]]);
    }
    keys.put(15, &[surname, &first[..first.len().min(1)]]);
    let (a, b) = (sound(first), sound(last));
    keys.put(16, &[a.as_slice().min(&b), a.as_slice().max(&b)]);
    keys.put(17, &[surname]);
    keys.put(18, &[surname, &father]);
}

fn addresses(side: &Side<'_>, given: &[Vec<u8>], surname: &[u8], keys: &mut Keys<'_>) {
    let text = |field: Field| side[field as usize].map_or(&[][..], |v| &v.text);
    let code = |field: Field| side[field as usize].map_or(Vec::new(), |v| sound(&v.skeleton));
    let (street, rest, city) = (code(Field::Street), code(Field::Locality), code(Field::City));
    let (house, flat, postcode) = (text(Field::House), text(Field::Flat), text(Field::Postcode));
    let year = text(Field::Birth).get(..4).unwrap_or_default();
    keys.put(30, &[&street, house, flat]);
    keys.put(31, &[&street, house, &city]);
    keys.put(32, &[&street, postcode]);
    keys.put(33, &[&street, year]);
    keys.put(34, &[postcode, year, house]);
    keys.put(35, &[&rest, postcode]);
    keys.put(36, &[&rest, house]);
    keys.put(37, &[&rest, year]);
    keys.put(38, &[&street]);
    keys.put(39, &[&rest]);
    for name in given.iter().map(Vec::as_slice).chain([surname]) {
        keys.put(40, &[name, postcode]);
        keys.put(41, &[name, &street]);
        keys.put(42, &[name, &rest]);
        keys.put(43, &[name, house, &city]);
    }
}
