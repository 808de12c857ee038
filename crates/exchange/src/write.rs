//! Rows on their way out.
use crate::rows::Bad;
use std::borrow::Cow;
use std::io::{self, Write};

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
/// typed into a form runs nothing on the reader's machine. Phone numbers and amounts stay as they are.
pub fn safe_field(value: &str, delimiter: char) -> Cow<'_, str> {
    let mut rest = value.chars();
    let signed = matches!(rest.next(), Some('+' | '-')) && !rest.as_str().is_empty();
    let number = signed && rest.all(|c| c.is_ascii_digit() || ".,-() ".contains(c));
    if value.starts_with(['=', '+', '-', '@', '\t', '\r']) && !number {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_text() {
        assert_eq!(safe_field("=HYPERLINK(\"http://x\")", ','), "\"'=HYPERLINK(\"\"http://x\"\")\"");
        assert_eq!(safe_field("@SUM(1)", ','), "'@SUM(1)");
        assert_eq!(
            (safe_field("+380671234567", ','), safe_field("-12.50", ',')),
            ("+380671234567".into(), "-12.50".into())
        );
        assert_eq!((safe_field("Ел. пошта", ','), safe_field("+", ',')), ("Ел. пошта".into(), "'+".into()));
        let mut out = Vec::new();
        csv_row(&mut out, ["a", "b,c", "d\"e", " f"], ',').expect("memory takes it");
        assert_eq!(out, b"a,\"b,c\",\"d\"\"e\",\" f\"\r\n");
    }
}
