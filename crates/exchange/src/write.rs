//! Rows on their way out: whole files of typed rows ([`begin`]), and single lines of CSV.
mod csv;
mod ndjson;
mod parquet;
#[cfg(test)]
mod tests;
mod xlsx;

pub use xlsx::ROWS_MAX as XLSX_ROWS_MAX;

use crate::rows::Bad;
use crate::table::{Cell, Column};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io::{self, Write};

/// What a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    Csv,
    Ndjson,
    Parquet,
    Xlsx,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 4] = [Format::Csv, Format::Ndjson, Format::Parquet, Format::Xlsx];
    /// Its name, which is also the end of the file's.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Ndjson => "ndjson",
            Format::Parquet => "parquet",
            Format::Xlsx => "xlsx",
        }
    }
    /// The inverse of [`Format::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.as_str() == text)
    }
    /// What HTTP calls it.
    pub fn media_type(self) -> &'static str {
        match self {
            Format::Csv => "text/csv; charset=utf-8",
            Format::Ndjson => "application/x-ndjson",
            Format::Parquet => "application/vnd.apache.parquet",
            Format::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

/// What a file says of itself where its format has room for it: names and values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About(pub Vec<(String, String)>);

/// A file that is being written. Memory is bounded: nothing is held but a row, of Parquet one group of rows.
pub trait Rows: Send {
    /// Writes the next row, one cell a column.
    fn row(&mut self, cells: &[Cell]) -> io::Result<()>;
    /// Ends the file. What was not ended is no whole file.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// Begins a file of CSV with a system's own delimiter.
pub fn plain<'a>(
    columns: &[Column],
    delimiter: char,
    out: &'a mut (dyn Write + Send),
) -> io::Result<Box<dyn Rows + 'a>> {
    Ok(Box::new(csv::Csv::begin(out, columns, delimiter)?))
}

/// Begins a file of rows.
pub fn begin<'a>(
    format: Format,
    columns: &[Column],
    about: &About,
    out: &'a mut (dyn Write + Send),
) -> io::Result<Box<dyn Rows + 'a>> {
    Ok(match format {
        Format::Csv => Box::new(csv::Csv::begin(out, columns, ',')?),
        Format::Ndjson => Box::new(ndjson::Ndjson::begin(out, columns)),
        Format::Parquet => Box::new(parquet::Parquet::begin(out, columns, about)?),
        Format::Xlsx => Box::new(xlsx::Xlsx::begin(out, columns, about)?),
    })
}

/// What a spreadsheet takes for the beginning of a formula.
pub(crate) const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A field of a CSV file, in quotes where it needs them.
pub fn field(value: &str, delimiter: char) -> Cow<'_, str> {
    let odd = |c: char| c == delimiter || matches!(c, '"' | '\n' | '\r');
    // A blank at an end would be lost on the way back.
    if value.contains(odd) || value.starts_with([' ', '\t']) || value.ends_with([' ', '\t']) {
        return Cow::Owned(format!("\"{}\"", value.replace('"', "\"\"")));
    }
    Cow::Borrowed(value)
}

/// A field that a spreadsheet may open: what begins like a formula is made text by an apostrophe, so that a name that somebody
/// typed into a form runs nothing on the reader's machine. Phone numbers and amounts stay as they are. What begins so after
/// apostrophes gets one more, so that reading the file takes away exactly what was added (`rows::csv`).
pub fn safe_field(value: &str, delimiter: char) -> Cow<'_, str> {
    let mut rest = value.chars();
    let signed = matches!(rest.next(), Some('+' | '-')) && !rest.as_str().is_empty();
    let number = signed && rest.all(|c| c.is_ascii_digit() || ".,-() ".contains(c));
    if value.trim_start_matches('\'').starts_with(FORMULA) && !number {
        return Cow::Owned(field(&format!("'{value}"), delimiter).into_owned());
    }
    field(value, delimiter)
}

/// Writes one row of a CSV file.
pub fn csv_row<'a>(out: &mut dyn Write, values: impl IntoIterator<Item = &'a str>, delimiter: char) -> io::Result<()> {
    for (at, value) in values.into_iter().enumerate() {
        if at > 0 {
            write!(out, "{delimiter}")?;
        }
        out.write_all(safe_field(value, delimiter).as_bytes())?;
    }
    out.write_all(b"\r\n")
}

/// The columns of a report of bad rows.
pub const REPORT_HEADER: [&str; 6] = ["file", "line", "column", "reason", "value", "rest_taken"];

/// Writes a line of the report of bad rows.
pub fn report_row(out: &mut dyn Write, file: &str, bad: &Bad, kept: bool) -> io::Result<()> {
    let line = bad.line.to_string();
    csv_row(out, [file, &line, &bad.column, &bad.reason, &bad.value, if kept { "yes" } else { "no" }], ',')
}
