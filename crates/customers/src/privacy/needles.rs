//! Whether a text speaks of a person: by what identifies the person, in the ways in which it is written.
use serde::{Deserialize, Serialize};

/// What is searched for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needles {
    /// Small letters, found anywhere: e-mails, full names.
    texts: Vec<String>,
    /// The last nine digits of telephones, found whatever stands between them.
    digits: Vec<String>,
    /// Found as a whole JSON text only: ids, which may be as short as `1`.
    exact: Vec<String>,
    /// Names as they were written, for files in which nothing is made small.
    spelled: Vec<String>,
    /// Telephones as they are stored.
    phones: Vec<String>,
}

/// Digits that tell telephones of one country apart.
const PHONE_DIGITS: usize = 9;
/// A shorter name says too little to be searched for.
const NAME_MIN: usize = 5;

impl Needles {
    /// Adds an identifier by kind and normalised value.
    pub fn add(&mut self, kind: &str, value: &str) {
        match kind {
            "email" => self.texts.push(value.to_lowercase()),
            "phone" => {
                self.phones.push(value.to_string());
                let digits: String = value.chars().filter(char::is_ascii_digit).collect();
                let from = digits.len().saturating_sub(PHONE_DIGITS);
                if digits.len() - from == PHONE_DIGITS {
                    self.digits.push(digits[from..].to_string());
                } else {
                    self.exact.push(value.to_string());
                }
            }
            _ => self.exact.push(value.to_string()),
        }
    }
    /// Adds a full name.
    pub fn add_name(&mut self, name: &str) {
        let spelled = name.trim();
        let name = spelled.to_lowercase();
        if name.chars().count() >= NAME_MIN && name.contains(' ') && !self.texts.contains(&name) {
            self.texts.push(name);
            self.spelled.push(spelled.to_string());
        }
    }
    /// E-mails and the digits of telephones, for a look-up by address.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        let mails = self.texts.iter().filter(|t| t.contains('@'));
        mails.chain(&self.phones).map(String::as_str)
    }
    /// Ids, for a look-up by account.
    pub fn accounts(&self) -> impl Iterator<Item = &str> {
        self.exact.iter().map(String::as_str)
    }
    /// Whether there is nothing to search for.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty() && self.digits.is_empty() && self.exact.is_empty()
    }

    /// Whether a text names the person. JSON may write letters as `\u0430`: such text is read first.
    pub fn hit(&self, text: &str) -> bool {
        if self.hit_plain(text) {
            return true;
        }
        text.contains("\\u")
            && serde_json::from_str::<serde_json::Value>(text).is_ok_and(|value| self.hit_plain(&value.to_string()))
    }

    fn hit_plain(&self, text: &str) -> bool {
        if !self.texts.is_empty() {
            let small = text.to_lowercase();
            if self.texts.iter().any(|t| small.contains(t.as_str())) {
                return true;
            }
        }
        let quoted = |value: &String| text.contains(&serde_json::Value::from(value.as_str()).to_string());
        self.exact.iter().any(|v| quoted(v) || text == v) || self.has_digits(text)
    }

    fn has_digits(&self, text: &str) -> bool {
        if self.digits.is_empty() {
            return false;
        }
        let mut run = String::new();
        let mut found = false;
        for c in text.chars().chain(std::iter::once('\n')) {
            if c.is_ascii_digit() {
                run.push(c);
            } else if !matches!(c, ' ' | '-' | '(' | ')' | '.' | '+' | '\u{a0}') {
                found |= run.len() >= PHONE_DIGITS && self.digits.iter().any(|d| run.contains(d.as_str()));
                run.clear();
            }
        }
        found
    }

    /// Byte strings of which none may stand in a file of the database any more. Short ids are left out: they are found
    /// everywhere.
    pub fn patterns(&self) -> Vec<Vec<u8>> {
        const SURE: usize = 8;
        let long = self.exact.iter().filter(|e| e.len() >= SURE);
        self.texts.iter().chain(&self.digits).chain(&self.spelled).chain(long).map(|t| t.as_bytes().to_vec()).collect()
    }
}
