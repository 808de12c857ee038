//! JSON read for its values only: borrowed, numbers as their text, unwanted fields skipped without being built.
//!
//! What is read here was checked when it was accepted, so a text that is no JSON reads as "nothing there". Numbers keep
//! their text because money must never pass through a float.
use base::Decimal;
use db::event::Scalar;
use std::borrow::Cow;

/// Values nested deeper than this read as null.
const DEPTH_MAX: u32 = 32;

/// One JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json<'a> {
    Null,
    Bool(bool),
    /// The number's text as it stands in the source.
    Number(&'a str),
    String(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    /// Fields in source order; of a repeated name the last counts.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

/// A value that can be compared, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ScalarRef<'a> {
    Bool(bool),
    Number(Decimal),
    Text(&'a str),
}

impl<'a> From<&'a Scalar> for ScalarRef<'a> {
    fn from(value: &'a Scalar) -> Self {
        match value {
            Scalar::Bool(b) => ScalarRef::Bool(*b),
            Scalar::Number(n) => ScalarRef::Number(*n),
            Scalar::Text(t) => ScalarRef::Text(t),
        }
    }
}

impl ScalarRef<'_> {
    /// The same value, owned.
    pub fn to_scalar(self) -> Scalar {
        match self {
            ScalarRef::Bool(b) => Scalar::Bool(b),
            ScalarRef::Number(n) => Scalar::Number(n),
            ScalarRef::Text(t) => Scalar::Text(t.into()),
        }
    }
}

/// Visits the fields of an object with the texts of their values, in source order; nothing is built. Stops where the text is
/// no JSON; `None` then, and when it is no object.
pub fn fields<'a>(text: &'a str, visit: &mut dyn FnMut(&str, &'a str)) -> Option<()> {
    let mut parser = Parser { text, at: 0 };
    parser.blanks();
    parser.take(b'{')?;
    parser.blanks();
    if parser.take(b'}').is_some() {
        return Some(());
    }
    loop {
        parser.blanks();
        let name = parser.string()?;
        parser.blanks();
        parser.take(b':')?;
        parser.blanks();
        let start = parser.at;
        parser.skip()?;
        visit(&name, &text[start..parser.at]);
        parser.blanks();
        if parser.take(b',').is_none() {
            return parser.take(b'}');
        }
    }
}

impl<'a> Json<'a> {
    /// Reads a whole value; `None` when the text is no JSON.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parser = Parser { text, at: 0 };
        let value = parser.value(0)?;
        parser.blanks();
        (parser.at == text.len()).then_some(value)
    }

    /// Reads of an object only the fields of these names. `None` when the text is no object.
    pub fn parse_fields(text: &'a str, wanted: &[Box<str>]) -> Option<Self> {
        let mut parser = Parser { text, at: 0 };
        parser.blanks();
        parser.take(b'{')?;
        parser.object(0, Some(wanted))
    }

    /// A field of an object.
    pub fn get(&self, name: &str) -> Option<&Json<'a>> {
        match self {
            Json::Object(fields) => fields.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The value as one that can be compared: null, lists, objects and numbers out of range are none.
    pub fn scalar(&self) -> Option<ScalarRef<'_>> {
        match self {
            Json::Bool(b) => Some(ScalarRef::Bool(*b)),
            Json::Number(text) => Decimal::parse(text).map(ScalarRef::Number),
            Json::String(text) => Some(ScalarRef::Text(text)),
            Json::Null | Json::Array(_) | Json::Object(_) => None,
        }
    }

    /// Whether `test` holds for any comparable value at the path. Lists on the way, and at the end, stand for each of
    /// their elements.
    pub fn any(&self, path: &[Box<str>], test: &mut dyn FnMut(ScalarRef<'_>) -> bool) -> bool {
        match (self, path) {
            (Json::Array(elements), _) => elements.iter().any(|element| element.any(path, test)),
            (Json::Object(_), [name, rest @ ..]) => self.get(name).is_some_and(|value| value.any(rest, test)),
            (value, []) => value.scalar().is_some_and(test),
            _ => false,
        }
    }

    /// Whether something other than null stands at the path, in any element of the lists on the way.
    pub fn exists(&self, path: &[Box<str>]) -> bool {
        match (self, path) {
            (Json::Null, _) => false,
            (_, []) => true,
            (Json::Array(elements), _) => elements.iter().any(|element| element.exists(path)),
            (Json::Object(_), [name, rest @ ..]) => self.get(name).is_some_and(|value| value.exists(rest)),
            _ => false,
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &str, value: Json<'a>) -> Option<Json<'a>> {
        self.text.as_bytes().get(self.at..)?.starts_with(word.as_bytes()).then(|| self.at += word.len())?;
        Some(value)
    }

    fn value(&mut self, depth: u32) -> Option<Json<'a>> {
        self.blanks();
        match self.peek()? {
            b'n' => self.word("null", Json::Null),
            b't' => self.word("true", Json::Bool(true)),
            b'f' => self.word("false", Json::Bool(false)),
            b'"' => self.string().map(Json::String),
            b'[' | b'{' if depth >= DEPTH_MAX => {
                self.skip()?;
                Some(Json::Null)
            }
            b'[' => self.array(depth),
            b'{' => {
                self.at += 1;
                self.object(depth, None)
            }
            b'-' | b'0'..=b'9' => Some(Json::Number(self.number())),
            _ => None,
        }
    }

    fn number(&mut self) -> &'a str {
        let start = self.at;
        while matches!(self.peek(), Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')) {
            self.at += 1;
        }
        &self.text[start..self.at]
    }

    fn array(&mut self, depth: u32) -> Option<Json<'a>> {
        self.at += 1;
        let mut elements = Vec::new();
        self.blanks();
        if self.take(b']').is_some() {
            return Some(Json::Array(elements));
        }
        loop {
            elements.push(self.value(depth + 1)?);
            self.blanks();
            if self.take(b',').is_none() {
                self.take(b']')?;
                return Some(Json::Array(elements));
            }
        }
    }

    /// The rest of an object after its opening bracket.
    fn object(&mut self, depth: u32, wanted: Option<&[Box<str>]>) -> Option<Json<'a>> {
        let mut fields = Vec::new();
        self.blanks();
        if self.take(b'}').is_some() {
            return Some(Json::Object(fields));
        }
        loop {
            self.blanks();
            let name = self.string()?;
            self.blanks();
            self.take(b':')?;
            if wanted.is_none_or(|names| names.iter().any(|n| **n == *name)) {
                let value = self.value(depth + 1)?;
                fields.push((name, value));
            } else {
                self.skip()?;
            }
            self.blanks();
            if self.take(b',').is_none() {
                self.take(b'}')?;
                return Some(Json::Object(fields));
            }
        }
    }

    /// Passes over one value of any depth.
    fn skip(&mut self) -> Option<()> {
        self.blanks();
        let mut depth = 0u32;
        loop {
            match self.peek()? {
                b'"' => {
                    self.skip_string()?;
                }
                b'[' | b'{' => {
                    depth += 1;
                    self.at += 1;
                    continue;
                }
                b']' | b'}' => {
                    depth = depth.checked_sub(1)?;
                    self.at += 1;
                }
                b',' | b':' | b' ' | b'\n' | b'\r' | b'\t' => {
                    self.at += 1;
                    continue;
                }
                _ => {
                    while !matches!(self.peek(), None | Some(b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t')) {
                        self.at += 1;
                    }
                }
            }
            if depth == 0 {
                return Some(());
            }
        }
    }

    /// Passes over a string; whether it has escapes.
    fn skip_string(&mut self) -> Option<bool> {
        self.take(b'"')?;
        let bytes = self.text.as_bytes();
        let mut escaped = false;
        loop {
            self.at += bytes.get(self.at..)?.iter().position(|b| matches!(b, b'"' | b'\\'))?;
            if bytes[self.at] == b'"' {
                self.at += 1;
                return Some(escaped);
            }
            escaped = true;
            self.at += 2;
        }
    }

    fn string(&mut self) -> Option<Cow<'a, str>> {
        let start = self.at + 1;
        let escaped = self.skip_string()?;
        let raw = self.text.get(start..self.at - 1)?;
        if escaped { unescape(raw).map(Cow::Owned) } else { Some(Cow::Borrowed(raw)) }
    }
}

/// Resolves JSON's escapes; half a surrogate pair becomes U+FFFD. `None` for an escape that JSON does not know.
pub fn unescape(raw: &str) -> Option<String> {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let code = rest.as_bytes().get(at + 1)?;
        rest = rest.get(at + 2..)?;
        match code {
            b'"' => out.push('"'),
            b'\\' => out.push('\\'),
            b'/' => out.push('/'),
            b'b' => out.push('\u{8}'),
            b'f' => out.push('\u{c}'),
            b'n' => out.push('\n'),
            b'r' => out.push('\r'),
            b't' => out.push('\t'),
            b'u' => {
                let mut unit = hex(rest)?;
                rest = &rest[4..];
                if (0xD800..0xDC00).contains(&unit)
                    && let Some(low) = rest.strip_prefix("\\u").and_then(hex).filter(|l| (0xDC00..0xE000).contains(l))
                {
                    unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                    rest = &rest[6..];
                }
                out.push(char::from_u32(unit).unwrap_or('\u{FFFD}'));
            }
            _ => return None,
        }
    }
    out.push_str(rest);
    Some(out)
}

fn hex(text: &str) -> Option<u32> {
    let digits = text.get(..4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok()
}
