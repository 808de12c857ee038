//! Licences of what we ship: SPDX expressions against a list that suits an Apache-2.0 program.

use super::Finding;
use super::graph::Graph;

const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MPL-2.0",
    "Unicode-3.0",
    "Zlib",
];

/// Exceptions only add permissions, but a new one should be read once.
const ALLOWED_EXCEPTIONS: &[&str] = &["LLVM-exception"];

/// A licence expression, as in SPDX 2.3 annex D.
#[derive(Debug, PartialEq, Eq)]
enum Licence {
    One(String),
    With(String, String),
    And(Vec<Licence>),
    Or(Vec<Licence>),
}

/// Normal dependencies only: what builds and tests us is not handed on.
pub fn check(graph: &Graph) -> Vec<Finding> {
    let mut findings = Vec::new();
    let shipped = graph.shipped();
    for (package, _) in graph.packages.iter().zip(shipped).filter(|(_, shipped)| *shipped) {
        let what = match package.licence.as_deref().map(parse) {
            None => "names no licence".to_owned(),
            Some(Err(error)) => format!("has a licence that cannot be read: {error}"),
            Some(Ok(licence)) if is_allowed(&licence) => continue,
            Some(Ok(_)) => {
                let licence = package.licence.as_deref().unwrap_or_default();
                format!("has the licence {licence}, which is not on the list")
            }
        };
        findings.push(Finding::new(format!("{} {}", package.name, package.version), what));
    }
    findings
}

fn is_allowed(licence: &Licence) -> bool {
    match licence {
        Licence::One(id) => ALLOWED.contains(&id.as_str()),
        Licence::With(id, exception) => {
            ALLOWED.contains(&id.as_str()) && ALLOWED_EXCEPTIONS.contains(&exception.as_str())
        }
        Licence::And(all) => all.iter().all(is_allowed),
        Licence::Or(any) => any.iter().any(is_allowed),
    }
}

/// `WITH` binds tightest, then `AND`, then `OR`. The old `A/B` means `A OR B`.
fn parse(text: &str) -> Result<Licence, String> {
    let spaced = text.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser { words, at: 0 };
    let licence = parser.or()?;
    match parser.peek() {
        None => Ok(licence),
        Some(word) => Err(format!("`{word}` is left over in `{text}`")),
    }
}

struct Parser<'a> {
    words: Vec<&'a str>,
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.at).copied()
    }

    fn take(&mut self, wanted: &str) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn or(&mut self) -> Result<Licence, String> {
        let mut parts = vec![self.and()?];
        while self.take("OR") {
            parts.push(self.and()?);
        }
        Ok(single_or(parts, Licence::Or))
    }

    fn and(&mut self) -> Result<Licence, String> {
        let mut parts = vec![self.atom()?];
        while self.take("AND") {
            parts.push(self.atom()?);
        }
        Ok(single_or(parts, Licence::And))
    }

    fn atom(&mut self) -> Result<Licence, String> {
        if self.take("(") {
            let inner = self.or()?;
            return if self.take(")") { Ok(inner) } else { Err("a bracket is not closed".to_owned()) };
        }
        let id = self.id()?;
        if self.take("WITH") {
            return Ok(Licence::With(id, self.id()?));
        }
        Ok(Licence::One(id))
    }

    fn id(&mut self) -> Result<String, String> {
        let word = self.peek().ok_or("a licence is missing at the end")?;
        if ["AND", "OR", "WITH", "(", ")"].contains(&word) {
            return Err(format!("a licence is missing before `{word}`"));
        }
        self.at += 1;
        // "or later" gives more choice, never less.
        Ok(word.trim_end_matches('+').to_owned())
    }
}

fn single_or(mut parts: Vec<Licence>, many: fn(Vec<Licence>) -> Licence) -> Licence {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            many(parts)
        }
        None => many(parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::graph::example::graph;

    fn allowed(text: &str) -> bool {
        is_allowed(&parse(text).expect(text))
    }

    #[test]
    fn expressions_bind_as_spdx_says() {
        assert!(allowed("MIT"));
        assert!(allowed("GPL-3.0 OR MIT"));
        assert!(!allowed("GPL-3.0 AND MIT"));
        assert!(allowed("GPL-3.0 AND MIT OR Apache-2.0"));
        assert!(!allowed("GPL-3.0 AND (MIT OR Apache-2.0)"));
        assert!(allowed("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(allowed("MIT/Apache-2.0"));
        assert!(allowed("Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT"));
        assert!(!allowed("Apache-2.0 WITH Other-exception"));
        assert!(!allowed("LGPL-2.1+"));
        assert!(allowed("Apache-2.0+"));
    }

    #[test]
    fn broken_expressions_are_errors() {
        for text in ["", "MIT OR", "(MIT", "MIT Apache-2.0", "AND MIT", "MIT WITH"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_what_is_shipped_must_be_allowed() {
        let mut graph = graph("base*: a, b (dev)\na\nb");
        graph.packages[2].licence = Some("GPL-3.0-only".to_owned());
        assert_eq!(check(&graph), []);
        graph.packages[1].licence = Some("GPL-3.0-only".to_owned());
        assert_eq!(check(&graph).len(), 1);
        graph.packages[1].licence = None;
        assert_eq!(check(&graph)[0].what, "names no licence");
    }
}
