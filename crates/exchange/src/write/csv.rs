//! CSV: UTF-8, commas, CRLF, names in the first line. An empty field is no value.
use super::{Rows, csv_row};
use crate::table::{Cell, Column};
use std::io::{self, Write};

pub struct Csv<'a> {
    out: &'a mut (dyn Write + Send),
    delimiter: char,
}

impl<'a> Csv<'a> {
    pub fn begin(out: &'a mut (dyn Write + Send), columns: &[Column], delimiter: char) -> io::Result<Self> {
        csv_row(out, columns.iter().map(|c| c.name.as_str()), delimiter)?;
        Ok(Self { out, delimiter })
    }
}

impl Rows for Csv<'_> {
    fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        let shown: Vec<String> = cells.iter().map(Cell::shown).collect();
        // Lines end where a record ends or inside of quotes; a record of one empty field would be a blank line.
        if let [only] = &*shown
            && only.is_empty()
        {
            return self.out.write_all(b"\"\"\r\n");
        }
        csv_row(self.out, shown.iter().map(String::as_str), self.delimiter)
    }
    fn finish(self: Box<Self>) -> io::Result<()> {
        self.out.flush()
    }
}
