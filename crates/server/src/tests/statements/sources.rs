//! SQL as it stands in the sources: every text that begins like a statement, completed by the constants and macros around it.
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// A text of the sources.
#[derive(Debug, Clone)]
pub struct Literal {
    /// Its value, escapes resolved.
    pub text: String,
    /// The byte at which it begins.
    pub at: usize,
}

/// One file without its tests.
pub struct Source {
    /// From the root of the workspace, for messages.
    pub name: String,
    pub code: String,
    pub literals: Vec<Literal>,
}

impl Source {
    /// `file:line` of a byte.
    pub fn place(&self, at: usize) -> String {
        format!("{}:{}", self.name, self.code[..at].matches('\n').count() + 1)
    }
    /// Whether a text stands in the definition of a macro, which is no statement before it is used.
    pub fn is_in_macro(&self, at: usize) -> bool {
        let begins = self.code[..at].rfind("macro_rules! ");
        begins.is_some_and(|from| !self.code[from..at].contains("\n}"))
    }
    /// The name of the macro of which a text is an argument (not that of `format!` and its like).
    pub fn macro_around(&self, at: usize) -> Option<&str> {
        let head = self.code[..at].trim_end().strip_suffix('(')?.strip_suffix('!')?;
        let from = head.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1);
        Some(&head[from..])
    }
}

/// All files of the crates that hold statements, tests left out.
pub fn read() -> Vec<Source> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&crates).expect("the crates are there").flatten() {
        walk(&entry.path().join("src"), &mut files);
    }
    files.sort();
    let file = |path: PathBuf| {
        let code = std::fs::read_to_string(&path).expect("a source is text");
        let code = match code.find("#[cfg(test)]\nmod tests {") {
            Some(at) => code[..at].to_string(),
            None => code,
        };
        let name = path.strip_prefix(&crates).unwrap_or(&path).display().to_string();
        Source { name, literals: literals(&code), code }
    };
    files.into_iter().map(file).collect()
}

fn walk(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let tests = ["tests", "testing", "bench", "fake"].iter().any(|t| name == *t || name == format!("{t}.rs"));
        if path.is_dir() && !tests {
            walk(&path, out);
        } else if name.ends_with(".rs") && !tests {
            out.push(path);
        }
    }
}

/// The texts of a piece of Rust; comments and characters are told from them.
pub fn literals(code: &str) -> Vec<Literal> {
    let bytes = code.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    let after = |from: usize, end: &str| code[from..].find(end).map_or(code.len(), |found| from + found + end.len());
    while at < bytes.len() {
        let rest = &code[at..];
        let word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
        if rest.starts_with("//") {
            at = after(at, "\n");
        } else if rest.starts_with("/*") {
            at = after(at, "*/");
        } else if let Some(hashes) = raw_start(rest).filter(|_| !word) {
            let (from, end) = (at + hashes + 2, format!("\"{}", "#".repeat(hashes)));
            let to = after(from, &end);
            out.push(Literal { text: code[from..to - end.len()].to_string(), at });
            at = to;
        } else if bytes[at] == b'"' {
            let (text, to) = quoted(code, at + 1);
            out.push(Literal { text, at });
            at = to;
        } else if bytes[at] == b'\'' {
            at += character(rest);
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    out
}

/// How many `#` a raw text that begins here has.
fn raw_start(rest: &str) -> Option<usize> {
    let hashes = rest.strip_prefix('r')?;
    let count = hashes.len() - hashes.trim_start_matches('#').len();
    hashes[count..].starts_with('"').then_some(count)
}

/// The length of a character literal, or of the mark of a lifetime.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((at, _))) => rest[at + 1..].find('\'').map_or(1, |end| at + 1 + end + 1),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}

fn quoted(code: &str, from: usize) -> (String, usize) {
    let mut text = String::new();
    let mut chars = code[from..].char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (text, from + at + 1),
            '\\' => match chars.next() {
                // A line that goes on: the spaces before its rest are none of the text.
                Some((_, '\n')) => while chars.next_if(|(_, c)| c.is_whitespace()).is_some() {},
                Some((_, 'n')) => text.push('\n'),
                Some((_, other)) => text.push(other),
                None => break,
            },
            c => text.push(c),
        }
    }
    (text, code.len())
}

/// Constants by file and name, and macros by name: what stands before their arguments.
pub struct Known {
    constants: HashMap<(String, String), String>,
    macros: HashMap<String, String>,
}

impl Known {
    pub fn of(sources: &[Source]) -> Self {
        let mut out = Self { constants: HashMap::new(), macros: HashMap::new() };
        for source in sources {
            for (at, _) in source.code.match_indices("const ") {
                let Some((name, _)) = source.code[at + 6..].split_once(": &str") else { continue };
                let end = source.code[at..].find(";\n").map_or(source.code.len(), |end| at + end);
                if let Some(literal) = source.literals.iter().find(|l| (at..end).contains(&l.at))
                    && !name.contains(char::is_whitespace)
                {
                    out.constants.insert((source.name.clone(), name.to_string()), literal.text.clone());
                }
            }
        }
        // Twice: one macro may begin with another.
        for _ in 0..2 {
            for source in sources {
                for (at, _) in source.code.match_indices("macro_rules! ") {
                    let end = source.code[at..].find("\n}").map_or(source.code.len(), |end| at + end);
                    let name = source.code[at + 13..].split([' ', '{']).next().unwrap_or_default();
                    let body: Vec<&Literal> = source.literals.iter().filter(|l| (at..end).contains(&l.at)).collect();
                    let Some(first) = body.first() else { continue };
                    let inner = source.macro_around(first.at).and_then(|m| out.macros.get(m)).cloned();
                    let text: String = inner.into_iter().chain(body.iter().map(|l| l.text.clone())).collect();
                    out.macros.insert(name.to_string(), text);
                }
            }
        }
        out
    }

    /// The text with everything that the sources themselves say about it.
    pub fn complete(&self, source: &Source, literal: &Literal) -> String {
        let before = source.macro_around(literal.at).and_then(|name| self.macros.get(name));
        let mut text = before.map_or(literal.text.clone(), |before| format!("{before}{}", literal.text));
        for ((file, name), value) in &self.constants {
            if *file == source.name {
                text = text.replace(&format!("{{{name}}}"), value);
            }
        }
        text
    }
}
