//! Rows of a file, whatever its format: values by column, or what is wrong with the row and where.
mod csv;
mod ndjson;
pub mod parquet;
#[cfg(test)]
mod tests;

use crate::encoding::{self, Encoding};
use crate::lines::Lines;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// Bytes of a file that are looked at to find out what it is.
pub const SAMPLE: usize = 256 << 10;
/// Most columns.
pub const COLUMNS_MAX: usize = 500;

/// What a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    Csv,
    Ndjson,
    Parquet,
}

/// How a file is to be read: found out by [`Layout::detect`], or said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    pub format: Format,
    #[serde(default)]
    pub encoding: Encoding,
    /// Between the fields of a CSV file.
    #[serde(default = "comma")]
    pub delimiter: char,
    /// Around fields of a CSV file.
    #[serde(default = "quote")]
    pub quote: char,
    /// The line with the names of the columns, from 1; 0 = there is none.
    #[serde(default = "one")]
    pub header_line: u64,
    /// Names of the columns, each once.
    pub columns: Vec<String>,
}

fn comma() -> char {
    ','
}
fn quote() -> char {
    '"'
}
fn one() -> u64 {
    1
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bad {
    /// The line on which the row begins, from 1; for Parquet the row.
    pub line: u64,
    /// The column, where one is to blame.
    pub column: String,
    pub reason: String,
    /// What stands there, shortened.
    pub value: String,
}

impl Bad {
    /// What is wrong with a row as a whole.
    pub fn row(line: u64, reason: impl Into<String>, value: &str) -> Self {
        Self { line, column: String::new(), reason: reason.into(), value: short(value) }
    }
}

/// A value as a report shows it.
pub fn short(value: &str) -> String {
    const MAX: usize = 200;
    match value.char_indices().nth(MAX) {
        Some((at, _)) => format!("{}…", &value[..at]),
        None => value.to_string(),
    }
}

/// The values of a row, in the order of the layout's columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    pub line: u64,
    text: String,
    ends: Vec<usize>,
}

impl Row {
    /// A row of values.
    pub fn of<'a>(line: u64, values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut row = Self { line, ..Self::default() };
        values.into_iter().for_each(|v| row.push(v));
        row
    }
    /// The value of a column, without blanks around it; empty where there is none.
    pub fn get(&self, column: usize) -> &str {
        let Some(end) = self.ends.get(column) else { return "" };
        let start = if column == 0 { 0 } else { self.ends[column - 1] };
        self.text[start..*end].trim()
    }
    /// How many values it has.
    pub fn len(&self) -> usize {
        self.ends.len()
    }
    /// Whether nothing stands in it.
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }
    fn push(&mut self, value: &str) {
        self.text.push_str(value);
        self.ends.push(self.text.len());
    }
}

/// A row or what is wrong with it.
pub type Found = Result<Row, Bad>;

/// Rows one after the other.
pub trait Rows: Send {
    /// The next row; `None` at the end.
    fn next_row(&mut self) -> io::Result<Option<Found>>;
}

/// Why a file cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("the file is empty")]
    Empty,
    #[error("the file has no line with the names of the columns")]
    NoHeader,
    #[error("line {line}: {reason}")]
    Header { line: u64, reason: String },
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
}

impl Layout {
    /// Finds out how a text file is written, from its beginning.
    pub fn detect(sample: &[u8], name: &str) -> Result<Self, FileError> {
        let whole = sample.strip_prefix(encoding::MARK).unwrap_or(sample);
        if whole.iter().all(u8::is_ascii_whitespace) {
            return Err(FileError::Empty);
        }
        let encoding = if whole.len() < sample.len() { Encoding::Utf8 } else { encoding::detect(sample) };
        let first = whole.iter().find(|b| !b.is_ascii_whitespace());
        let plain = name.trim_end_matches(".gz").to_ascii_lowercase();
        let json = first == Some(&b'{') || plain.ends_with(".ndjson") || plain.ends_with(".jsonl");
        if json { ndjson::detect(whole, encoding) } else { csv::detect(whole, encoding) }
    }

    /// Finds out how a file is written.
    pub fn of_file(path: &Path, name: &str) -> Result<Self, FileError> {
        let beginning = sample(&mut text_of(path)?)?;
        if beginning.starts_with(parquet::MAGIC) {
            return parquet::detect(File::open(path)?);
        }
        Self::detect(&beginning, name)
    }

    /// The rows of a file that is laid out so.
    pub fn rows_of_file(&self, path: &Path) -> Result<Box<dyn Rows>, FileError> {
        match self.format {
            Format::Parquet => Ok(Box::new(parquet::ParquetRows::new(File::open(path)?, self)?)),
            Format::Csv | Format::Ndjson => self.rows(text_of(path)?),
        }
    }

    /// The rows of a text file that is laid out so.
    pub fn rows<'a>(&self, mut input: Box<dyn BufRead + Send + 'a>) -> Result<Box<dyn Rows + 'a>, FileError> {
        skip_mark(&mut *input)?;
        let lines = Lines::new(input);
        match self.format {
            Format::Csv => Ok(Box::new(csv::CsvRows::new(lines, self)?)),
            Format::Ndjson => Ok(Box::new(ndjson::JsonRows::new(lines, self))),
            Format::Parquet => Err(FileError::Header { line: 0, reason: "a Parquet file is no text".into() }),
        }
    }
}

fn skip_mark(input: &mut dyn BufRead) -> io::Result<()> {
    if input.fill_buf()?.starts_with(encoding::MARK) {
        input.consume(encoding::MARK.len());
    }
    Ok(())
}

/// A file's text: packed files are unpacked on the way.
pub fn unpacked<'a>(mut input: Box<dyn BufRead + Send + 'a>) -> io::Result<Box<dyn BufRead + Send + 'a>> {
    if input.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        let unpacked = flate2::bufread::MultiGzDecoder::new(input);
        return Ok(Box::new(io::BufReader::with_capacity(256 << 10, unpacked)));
    }
    Ok(input)
}

/// The text of a file, unpacked on the way.
fn text_of(path: &Path) -> io::Result<Box<dyn BufRead + Send>> {
    unpacked(Box::new(BufReader::with_capacity(256 << 10, File::open(path)?)))
}

/// The beginning of a file.
pub fn sample(input: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    input.take(SAMPLE as u64).read_to_end(&mut out)?;
    Ok(out)
}

/// Gives each column a name of its own.
fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for (at, name) in names.enumerate() {
        let name = name.trim().trim_matches('\u{feff}').to_string();
        let base = if name.is_empty() { format!("column {}", at + 1) } else { name };
        let mut own = base.clone();
        let mut again = 1;
        while out.contains(&own) {
            again += 1;
            own = format!("{base} ({again})");
        }
        out.push(own);
    }
    out
}
