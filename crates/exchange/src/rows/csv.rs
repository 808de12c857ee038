//! CSV (RFC 4180, and what people make of it): any delimiter, quotes doubled inside, breaks inside quotes.
use super::{Bad, COLUMNS_MAX, FileError, Format, Found, Layout, Row, Rows, distinct};
use crate::encoding::{Encoding, decode};
use crate::lines::{Given, LINE_MAX, Line, Lines};
use std::io::{self, BufRead};

/// Most lines that one quoted field may run over; beyond, the quote was a mistake.
const LINES_MAX: usize = 200;
/// Lines among which the one with the names is looked for: exports of banks and tills put titles above it.
const HEADER_WITHIN: usize = 10;

/// Reads the fields of a record; false when a quote is still open at its end.
fn fields(text: &str, delimiter: char, quote: char, row: &mut Row) -> bool {
    row.text.clear();
    row.ends.clear();
    let mut at = 0;
    loop {
        let start = row.text.len();
        if text[at..].starts_with(quote) {
            at += quote.len_utf8();
            loop {
                let Some(found) = text[at..].find(quote) else { return false };
                row.text.push_str(&text[at..at + found]);
                at += found + quote.len_utf8();
                if !text[at..].starts_with(quote) {
                    break;
                }
                row.text.push(quote);
                at += quote.len_utf8();
            }
        }
        let end = text[at..].find(delimiter).map_or(text.len(), |found| at + found);
        row.text.push_str(&text[at..end]);
        unguard(&mut row.text, start);
        row.ends.push(row.text.len());
        if end == text.len() {
            return true;
        }
        at = end + delimiter.len_utf8();
    }
}

/// Takes away the apostrophe that keeps a spreadsheet from running a value (`write::safe_field`): ours, and that of others.
fn unguard(text: &mut String, start: usize) {
    let field = &text[start..];
    if field.starts_with('\'') && field.trim_start_matches('\'').starts_with(crate::write::FORMULA) {
        text.remove(start);
    }
}

/// Finds delimiter and header from the beginning of a file.
pub fn detect(sample: &[u8], encoding: Encoding) -> Result<Layout, FileError> {
    let mut lines = Lines::new(sample);
    let mut layout =
        Layout { format: Format::Csv, encoding, delimiter: ',', quote: '"', header_line: 1, columns: Vec::new() };
    let (mut texts, mut raw) = (Vec::new(), Vec::new());
    while texts.len() < 200 && lines.next_into(&mut raw)? == Line::Whole {
        let mut text = String::new();
        if decode(&raw, encoding, &mut text).is_err() {
            text = String::from_utf8_lossy(&raw).into_owned();
        }
        texts.push(text);
        raw.clear();
    }
    // The delimiter that cuts most lines into the same number of fields, more than one.
    let mut best = (0, 0);
    for delimiter in [',', ';', '\t', '|'] {
        let counts: Vec<usize> = texts.iter().filter(|t| !t.trim().is_empty()).map(|t| count(t, delimiter)).collect();
        let usual = usual(&counts);
        let score = (counts.iter().filter(|c| **c == usual && usual > 1).count(), usual);
        if score > best {
            (best, layout.delimiter) = (score, delimiter);
        }
    }
    let counts: Vec<usize> = texts.iter().map(|t| count(t, layout.delimiter)).collect();
    let wanted = usual(&counts);
    let found =
        texts.iter().take(HEADER_WITHIN).position(|t| !t.trim().is_empty() && count(t, layout.delimiter) == wanted);
    let at = found.ok_or(FileError::NoHeader)?;
    layout.header_line = at as u64 + 1;
    layout.columns = header(&texts[at], &layout)?;
    Ok(layout)
}

fn count(text: &str, delimiter: char) -> usize {
    let mut row = Row::default();
    fields(text, delimiter, '"', &mut row);
    row.len()
}

/// The number that comes up most often, the greater of equals.
fn usual(counts: &[usize]) -> usize {
    let mut sorted = counts.to_vec();
    sorted.sort_unstable();
    let mut best = (0, 0);
    for group in sorted.chunk_by(|a, b| a == b) {
        best = best.max((group.len(), group[0]));
    }
    best.1
}

fn header(text: &str, layout: &Layout) -> Result<Vec<String>, FileError> {
    let line = layout.header_line;
    let mut row = Row::default();
    if !fields(text, layout.delimiter, layout.quote, &mut row) {
        return Err(FileError::Header { line, reason: "a quote among the names of the columns is not closed".into() });
    }
    if row.len() > COLUMNS_MAX {
        let reason = format!("{} columns; a file has at most {COLUMNS_MAX}", row.len());
        return Err(FileError::Header { line, reason });
    }
    Ok(distinct((0..row.len()).map(|at| row.get(at).to_string())))
}

/// Records of a CSV file.
pub struct CsvRows<R> {
    lines: Lines<R>,
    layout: Layout,
    raw: Vec<u8>,
    text: String,
    row: Row,
}

impl<R: BufRead> CsvRows<R> {
    /// Records after the header, which must be the one that the layout knows.
    pub fn new(mut lines: Lines<R>, layout: &Layout) -> Result<Self, FileError> {
        let mut raw = Vec::new();
        for line in 1..=layout.header_line {
            raw.clear();
            match lines.next_into(&mut raw)? {
                Line::Whole => {}
                Line::TooLong => return Err(FileError::Header { line, reason: "it is too long".into() }),
                Line::End => return Err(if line == 1 { FileError::Empty } else { FileError::NoHeader }),
            }
        }
        if layout.header_line > 0 {
            let mut text = String::new();
            decode(&raw, layout.encoding, &mut text).map_err(|at| FileError::Header {
                line: layout.header_line,
                reason: format!("byte {} is not UTF-8", at + 1),
            })?;
            let found = header(&text, layout)?;
            if let Some(at) =
                (0..found.len().max(layout.columns.len())).find(|n| found.get(*n) != layout.columns.get(*n))
            {
                let name = |list: &[String]| list.get(at).cloned().unwrap_or_else(|| "nothing".into());
                let reason =
                    format!("column {} is {:?}, and {:?} was expected", at + 1, name(&found), name(&layout.columns));
                return Err(FileError::Header { line: layout.header_line, reason });
            }
        }
        raw.clear();
        Ok(Self { lines, layout: layout.clone(), raw, text: String::new(), row: Row::default() })
    }

    /// A record that goes over several lines; `None` when its quote is never closed.
    fn continued(&mut self, first: u64) -> io::Result<Option<()>> {
        let mut more: Vec<Given> = Vec::new();
        let mut length = self.raw.len();
        loop {
            let mut next = Vec::new();
            let got = self.lines.next_into(&mut next)?;
            let number = self.lines.number();
            length += next.len();
            let over = got != Line::Whole || more.len() >= LINES_MAX || length > LINE_MAX;
            if got != Line::End {
                more.push((number, next, got));
            }
            if over {
                // The first line alone is to blame; the others are rows of their own.
                self.lines.give_back(more);
                return Ok(None);
            }
            let Some((_, line, _)) = more.last() else { return Ok(None) };
            self.text.push('\n');
            if decode(line, self.layout.encoding, &mut self.text).is_err() {
                self.lines.give_back(more);
                return Ok(None);
            }
            // Only a line with a quote can close one.
            let closes = line.contains(&(self.layout.quote as u8));
            if closes && fields(&self.text, self.layout.delimiter, self.layout.quote, &mut self.row) {
                self.row.line = first;
                return Ok(Some(()));
            }
        }
    }
}

impl<R: BufRead + Send> Rows for CsvRows<R> {
    fn next_row(&mut self) -> io::Result<Option<Found>> {
        loop {
            self.raw.clear();
            self.text.clear();
            let got = self.lines.next_into(&mut self.raw)?;
            let line = self.lines.number();
            match got {
                Line::End => return Ok(None),
                Line::TooLong => {
                    let start = String::from_utf8_lossy(&self.raw[..100]).into_owned();
                    return Ok(Some(Err(Bad::row(line, "the line has more than 1 MiB", &start))));
                }
                Line::Whole => {}
            }
            if let Err(at) = decode(&self.raw, self.layout.encoding, &mut self.text) {
                let shown = String::from_utf8_lossy(&self.raw).into_owned();
                return Ok(Some(Err(Bad::row(line, format!("byte {} of the line is not UTF-8", at + 1), &shown))));
            }
            if self.text.trim().is_empty() {
                continue;
            }
            if !fields(&self.text, self.layout.delimiter, self.layout.quote, &mut self.row) {
                let shown = self.text.clone();
                if self.continued(line)?.is_none() {
                    return Ok(Some(Err(Bad::row(line, "a quote is not closed", &shown))));
                }
            }
            self.row.line = line;
            // Spreadsheets write lines of nothing but delimiters where rows were emptied.
            if (0..self.row.len()).all(|at| self.row.get(at).is_empty()) {
                continue;
            }
            let (found, wanted) = (self.row.len(), self.layout.columns.len());
            let surplus = (wanted..found).any(|at| !self.row.get(at).is_empty());
            if found < wanted || surplus {
                let reason = format!("the row has {found} fields, the file {wanted} columns");
                return Ok(Some(Err(Bad::row(line, reason, &self.text))));
            }
            return Ok(Some(Ok(self.row.clone())));
        }
    }
}
