//! One JSON object a line. Objects inside become columns with dotted names; lists of plain values are joined by commas, other
//! lists stay JSON.
use super::{Bad, COLUMNS_MAX, FileError, Format, Found, Layout, Row, Rows};
use crate::encoding::{Encoding, decode};
use crate::lines::{Line, Lines};
use serde_json::{Map, Value};
use std::io::{self, BufRead};

/// Objects inside objects that become columns of their own.
const DEPTH: usize = 3;

fn walk<'a>(prefix: &str, object: &'a Map<String, Value>, depth: usize, out: &mut Vec<(String, &'a Value)>) {
    for (name, value) in object {
        let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            Value::Object(inner) if depth < DEPTH && !inner.is_empty() => walk(&name, inner, depth + 1, out),
            value => out.push((name, value)),
        }
    }
}

fn shown(value: &Value) -> String {
    let plain = |v: &Value| matches!(v, Value::String(_) | Value::Number(_) | Value::Bool(_));
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.replace('\0', "\u{fffd}"),
        Value::Array(list) if list.iter().all(plain) => list.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// Finds the columns from the beginning of a file.
pub fn detect(sample: &[u8], encoding: Encoding) -> Result<Layout, FileError> {
    let (mut lines, mut raw, mut columns) = (Lines::new(sample), Vec::new(), Vec::<String>::new());
    let mut read = 0;
    while read < 500 && lines.next_into(&mut raw)? == Line::Whole {
        if let Ok(Value::Object(object)) = serde_json::from_slice(&raw) {
            let mut found = Vec::new();
            walk("", &object, 0, &mut found);
            for (name, _) in found {
                if !columns.contains(&name) && columns.len() < COLUMNS_MAX {
                    columns.push(name);
                }
            }
        }
        raw.clear();
        read += 1;
    }
    if columns.is_empty() {
        return Err(FileError::Header { line: 1, reason: "no line is a JSON object".into() });
    }
    Ok(Layout { format: Format::Ndjson, encoding, delimiter: ',', quote: '"', header_line: 0, columns })
}

/// Objects of a file.
pub struct JsonRows<R> {
    lines: Lines<R>,
    layout: Layout,
    raw: Vec<u8>,
}

impl<R: BufRead> JsonRows<R> {
    /// Objects from the first line on.
    pub fn new(lines: Lines<R>, layout: &Layout) -> Self {
        Self { lines, layout: layout.clone(), raw: Vec::new() }
    }

    fn read(&self, line: u64) -> Found {
        let mut text = String::new();
        decode(&self.raw, self.layout.encoding, &mut text).map_err(|at| {
            Bad::row(line, format!("byte {} of the line is not UTF-8", at + 1), &String::from_utf8_lossy(&self.raw))
        })?;
        let value: Value = serde_json::from_str(&text)
            .map_err(|e| Bad::row(line, format!("column {}: the JSON cannot be read: {e}", e.column()), &text))?;
        let Value::Object(object) = value else { return Err(Bad::row(line, "the line is no JSON object", &text)) };
        let mut found = Vec::new();
        walk("", &object, 0, &mut found);
        let value = |name: &String| found.iter().find(|(n, _)| n == name).map_or_else(String::new, |(_, v)| shown(v));
        let values: Vec<String> = self.layout.columns.iter().map(value).collect();
        Ok(Row::of(line, values.iter().map(String::as_str)))
    }
}

impl<R: BufRead + Send> Rows for JsonRows<R> {
    fn next_row(&mut self) -> io::Result<Option<Found>> {
        loop {
            self.raw.clear();
            let got = self.lines.next_into(&mut self.raw)?;
            let line = self.lines.number();
            match got {
                Line::End => return Ok(None),
                Line::TooLong => {
                    let start = String::from_utf8_lossy(&self.raw[..100]).into_owned();
                    return Ok(Some(Err(Bad::row(line, "the line has more than 1 MiB", &start))));
                }
                Line::Whole if self.raw.iter().all(u8::is_ascii_whitespace) => {}
                Line::Whole => return Ok(Some(self.read(line))),
            }
        }
    }
}
