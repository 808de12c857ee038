//! A value as it is compared: cleaned once, so that comparing costs no allocation.
use crate::field::Field;
use crate::text::compact;
use base::names;

/// One value of one field.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// Letters and digits, one byte each, without blanks.
    pub text: Box<[u8]>,
    /// The same for all alphabets; empty for numbers.
    pub skeleton: Box<[u8]>,
    /// Parts, where there are several: of a double name, of an address; the local part of an e-mail.
    pub parts: Box<[Box<[u8]>]>,
    /// Numbers of the names that a given name (or a father's) may be; full forms first.
    pub names: Box<[u16]>,
    /// How many of `names` are full forms.
    pub formal: u8,
    /// Bytes of `skeleton` that a surname's forms for women and men share; of a phone's `text` the country code.
    pub stem: u8,
    /// Whether it is written in Cyrillic.
    pub cyrillic: bool,
    /// Part of all people who have this value, as a natural logarithm; 0 when not known.
    pub share_ln: f32,
}

impl Value {
    /// Takes a text as [`crate::person`] normalises it: words apart by single blanks, digits only in numbers.
    pub fn new(field: Field, text: &str) -> Value {
        let joined: String = text.chars().filter(|c| *c != ' ').collect();
        let mut value = Value {
            text: compact(&joined),
            skeleton: Box::default(),
            parts: Box::default(),
            names: Box::default(),
            formal: 0,
            stem: 0,
            cyrillic: text.chars().any(names::is_cyrillic),
            share_ln: 0.0,
        };
        let words: Vec<&str> = text.split(' ').collect();
        let folded = |word: &str| compact(&names::skeleton(word));
        match field {
            Field::Given
            | Field::Surname
            | Field::Patronymic
            | Field::City
            | Field::Region
            | Field::Street
            | Field::Locality
            | Field::House => {
                let skeleton = if words.len() > 1 {
                    words.iter().map(|w| names::skeleton(w)).collect()
                } else {
                    names::skeleton(text)
                };
                value.name(field, &skeleton, &words);
                value.skeleton = compact(&skeleton);
                if words.len() > 1 {
                    value.parts = words.iter().map(|w| folded(w)).filter(|w| w.len() > 1).collect();
                }
            }
            Field::Email => {
                let local = text.split('@').next().unwrap_or_default();
                let name = local.split('+').next().unwrap_or_default();
                value.parts = [compact(name)].into();
            }
            Field::Phone => value.stem = value.text.len().saturating_sub(9) as u8,
            _ => {}
        }
        value
    }

    fn name(&mut self, field: Field, skeleton: &str, words: &[&str]) {
        match field {
            // Either may stand in the other's place, so both know both.
            Field::Given | Field::Surname => {
                let mut known = names::given(skeleton);
                if !known.is_known() && words.len() > 1 {
                    known = names::given(&names::skeleton(words[0]));
                }
                self.names = known.all().collect();
                self.formal = known.formal.len() as u8;
                self.stem = names::surname_stem(skeleton).len() as u8;
            }
            Field::Patronymic => {
                if let Some(read) = names::patronymic(words[0]) {
                    self.names = read.father.into_iter().collect();
                    self.formal = self.names.len() as u8;
                    self.stem = read.stem.len() as u8;
                }
            }
            Field::City => {
                self.names = crate::places::city(skeleton).into_iter().collect();
                self.formal = self.names.len() as u8;
            }
            _ => {}
        }
    }

    /// What values that mean the same have in common: the name's number, else the skeleton, else the text.
    pub fn meaning(&self, field: Field) -> Meaning<'_> {
        match self.names.first() {
            Some(name) if self.formal == 1 && field != Field::Surname => Meaning::Name(*name),
            _ if !self.skeleton.is_empty() => Meaning::Text(&self.skeleton),
            _ => Meaning::Text(&self.text),
        }
    }

    /// Whether it is a single letter.
    pub fn is_initial(&self) -> bool {
        self.text.len() == 1
    }
}

/// See [`Value::meaning`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Meaning<'a> {
    Name(u16),
    Text(&'a [u8]),
}
