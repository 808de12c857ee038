//! The pieces of the text: words, names, strings, numbers, signs. The parser asks for what may stand at the place.
use super::error::{Problem, SyntaxError, nearest};
use base::{Decimal, Timestamp};
use customers::counters::Op;
use customers::counters::filter::is_name_char;
use customers::counters::json::unescape;
use db::event::Scalar;

/// A place in the text.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str) -> Self {
        let mut scanner = Self { text, at: 0 };
        scanner.blanks();
        scanner
    }

    /// The byte at which the next piece begins.
    pub fn offset(&self) -> usize {
        self.at
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn advance(&mut self, bytes: usize) {
        self.at += bytes;
        self.blanks();
    }

    pub fn is_end(&self) -> bool {
        self.rest().is_empty()
    }

    /// Whether the next character is this one.
    pub fn sees(&self, c: char) -> bool {
        self.rest().starts_with(c)
    }

    /// Takes a character if it is there.
    pub fn eat(&mut self, c: char) -> bool {
        let there = self.sees(c);
        if there {
            self.advance(c.len_utf8());
        }
        there
    }

    /// Takes a character that must be there.
    pub fn want(&mut self, c: char) -> Result<(), SyntaxError> {
        if self.eat(c) { Ok(()) } else { Err(self.expected(&format!("`{c}`"))) }
    }

    /// The word here, perhaps empty.
    pub fn word(&self) -> &'a str {
        let rest = self.rest();
        &rest[..rest.find(|c| !is_name_char(c)).unwrap_or(rest.len())]
    }

    /// Takes a word if it is there.
    pub fn eat_word(&mut self, word: &str) -> bool {
        let there = self.word() == word;
        if there {
            self.advance(word.len());
        }
        there
    }

    /// Takes a word that must be there.
    pub fn want_word(&mut self, word: &'static str) -> Result<(), SyntaxError> {
        if self.eat_word(word) { Ok(()) } else { Err(self.expected_word(&[word])) }
    }

    /// Takes one of these words.
    pub fn want_word_of<T: Copy>(&mut self, words: &[(&'static str, T)]) -> Result<T, SyntaxError> {
        let here = self.word();
        match words.iter().find(|(word, _)| *word == here) {
            Some((word, value)) => {
                self.advance(word.len());
                Ok(*value)
            }
            None => Err(self.expected_word(&words.iter().map(|(word, _)| *word).collect::<Vec<_>>())),
        }
    }

    /// A name of a path: letters, digits, `_`, `$`, `-`, or a string.
    pub fn name(&mut self) -> Result<Box<str>, SyntaxError> {
        if self.sees('"') {
            return self.string();
        }
        match self.word() {
            "" => Err(self.expected("a name")),
            word => {
                self.advance(word.len());
                Ok(word.into())
            }
        }
    }

    /// A string in double quotes, with the escapes of JSON.
    pub fn string(&mut self) -> Result<Box<str>, SyntaxError> {
        let rest = self.rest();
        if let Some(c) = rest.chars().next().filter(|c| matches!(c, '\'' | '“' | '”' | '„' | '«' | '‘' | '’'))
        {
            let error = self.expected("a string in double quotes");
            return Err(error.hint(format!("write \" instead of {c}")));
        }
        if !rest.starts_with('"') {
            let error = self.expected("a string");
            let word = self.word();
            return Err(if word.is_empty() { error } else { error.hint(format!("put it in quotes: \"{word}\"")) });
        }
        let mut escaped = false;
        for (at, byte) in rest.bytes().enumerate().skip(1) {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    let raw = &rest[1..at];
                    let Some(text) = unescape(raw) else {
                        let hint = "a backslash is written \\\\ and a quote \\\"";
                        return Err(SyntaxError::new(self.at, Problem::Escape).hint(hint));
                    };
                    self.advance(at + 1);
                    return Ok(text.into());
                }
                _ => {}
            }
        }
        Err(SyntaxError::new(self.at, Problem::Unterminated))
    }

    /// A constant: string, number, `true`, `false`.
    pub fn value(&mut self) -> Result<Scalar, SyntaxError> {
        let rest = self.rest();
        if rest.starts_with(['"', '\'', '“', '”', '„', '«', '‘', '’']) {
            return Ok(Scalar::Text(self.string()?));
        }
        if rest.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
            let end = rest.find(|c: char| !is_name_char(c) && !matches!(c, '+' | '.')).unwrap_or(rest.len());
            let text = &rest[..end];
            let Some(number) = Decimal::parse(text) else {
                let error = SyntaxError::new(self.at, Problem::Number(text.chars().take(40).collect()));
                return Err(error.hint("texts stand in double quotes, numbers have a decimal point and no blanks"));
            };
            self.advance(end);
            return Ok(Scalar::Number(number));
        }
        match self.word() {
            word @ ("true" | "false") => {
                self.advance(word.len());
                Ok(Scalar::Bool(word == "true"))
            }
            "null" => Err(self.expected("a value").hint("null is a missing value: ask with `exists` or `not exists`")),
            "" => Err(self.expected("a string, a number, true or false")),
            word => Err(self
                .expected("a string, a number, true or false")
                .hint(format!("texts stand in double quotes: \"{word}\""))),
        }
    }

    /// A comparison sign.
    pub fn op(&mut self) -> Result<Op, SyntaxError> {
        let found = [("!=", Op::Ne), ("<=", Op::Le), (">=", Op::Ge), ("=", Op::Eq), ("<", Op::Lt), (">", Op::Gt)];
        let rest = self.rest();
        for (wrong, right) in
            [("==", "="), ("<>", "!="), ("=<", "<="), ("=>", ">="), ("≤", "<="), ("≥", ">="), ("≠", "!=")]
        {
            if rest.starts_with(wrong) {
                return Err(self.expected("=, !=, <, <=, > or >=").hint(format!("write {right} instead of {wrong}")));
            }
        }
        for (sign, op) in found {
            if rest.starts_with(sign) {
                self.advance(sign.len());
                return Ok(op);
            }
        }
        Err(self.expected("=, !=, <, <=, > or >="))
    }

    /// A whole number from 1 to `max`.
    pub fn whole(&mut self, what: &'static str, max: u32) -> Result<u32, SyntaxError> {
        let digits = self.word();
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(self.expected("a whole number"));
        }
        match digits.parse::<u32>().ok().filter(|n| (1..=max).contains(n)) {
            Some(number) => {
                self.advance(digits.len());
                Ok(number)
            }
            None => Err(SyntaxError::new(self.at, Problem::Limit { what, max })),
        }
    }

    /// A date or a moment, bare or in quotes, as its text and whether it is a date alone.
    pub fn date(&mut self) -> Result<(Timestamp, bool), SyntaxError> {
        let start = self.at;
        let quoted;
        let rest = self.rest();
        let text: &str = if rest.starts_with(['"', '\'']) {
            quoted = self.string()?;
            &quoted
        } else {
            let inside = |c: char| c.is_alphanumeric() || matches!(c, '-' | ':' | '.' | '+');
            let text = &rest[..rest.find(|c| !inside(c)).unwrap_or(rest.len())];
            if text.is_empty() {
                return Err(self.expected("a date"));
            }
            self.advance(text.len());
            text
        };
        match Timestamp::parse(text) {
            Ok(moment) => Ok((moment, text.len() == 10)),
            Err(_) => {
                let error = SyntaxError::new(start, Problem::Date(text.chars().take(40).collect()));
                Err(error.hint("dates look like 2026-11-22 or 2026-11-22T14:30:00+02:00"))
            }
        }
    }

    /// The error that something else was expected here.
    pub fn expected(&self, expected: &str) -> SyntaxError {
        let found = match (self.word(), self.rest().chars().next()) {
            (_, None) => "the end".to_string(),
            ("", Some(c)) => format!("`{c}`"),
            (word, _) => format!("`{}`", word.chars().take(40).collect::<String>()),
        };
        SyntaxError::new(self.at, Problem::Expected { expected: expected.to_string(), found })
    }

    /// The error that one of these words was expected here, with a guess which was meant.
    pub fn expected_word(&self, words: &[&'static str]) -> SyntaxError {
        let list: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        let expected = match list.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        };
        let error = self.expected(&expected);
        match nearest(self.word(), words).filter(|_| !self.word().is_empty()) {
            Some(meant) => error.hint(format!("did you mean `{meant}`?")),
            None => error,
        }
    }
}
