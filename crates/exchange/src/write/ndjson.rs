//! One JSON object a line, in the order of the columns; a column without a value is left out.
use super::Rows;
use crate::table::{Cell, Column};
use std::io::{self, Write};

pub struct Ndjson<'a> {
    out: &'a mut (dyn Write + Send),
    /// `"name":` of each column.
    names: Vec<String>,
    line: Vec<u8>,
}

impl<'a> Ndjson<'a> {
    pub fn begin(out: &'a mut (dyn Write + Send), columns: &[Column]) -> Self {
        let names = columns.iter().map(|c| format!("{}:", serde_json::Value::from(c.name.as_str()))).collect();
        Self { out, names, line: Vec::new() }
    }
}

impl Rows for Ndjson<'_> {
    fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        self.line.clear();
        self.line.push(b'{');
        for (name, cell) in self.names.iter().zip(cells) {
            if *cell == Cell::None {
                continue;
            }
            if self.line.len() > 1 {
                self.line.push(b',');
            }
            self.line.extend_from_slice(name.as_bytes());
            match cell {
                Cell::None => {}
                Cell::Json(json) => self.line.extend_from_slice(crate::table::compact(json).as_bytes()),
                Cell::Int(_) | Cell::Decimal(_) | Cell::Bool(_) => self.line.extend_from_slice(cell.shown().as_bytes()),
                Cell::Text(_) | Cell::Time(_) => serde_json::to_writer(&mut self.line, &cell.shown())?,
            }
        }
        self.line.extend_from_slice(b"}\n");
        self.out.write_all(&self.line)
    }
    fn finish(self: Box<Self>) -> io::Result<()> {
        self.out.flush()
    }
}
