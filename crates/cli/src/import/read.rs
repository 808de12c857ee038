//! Reading a file into invoices, with a report of the rows that do not count.
use super::online_retail_ii::{COLUMNS, Invoice, ZONE, row};
use crate::stop::Stop;
use anyhow::{Context, anyhow};
use base::Timestamp;
use std::collections::HashMap;
use std::io::Read;

/// A row that does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// Line of the file, from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
}

/// What a file holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Rows, good and bad.
    pub rows: u64,
    /// Invoices by their first row, those without a good row too.
    pub invoices: Vec<Invoice>,
    /// Rows that do not count.
    pub bad: Vec<BadRow>,
}

/// Reads a file. One that is no CSV of these columns is refused with line and column.
pub fn read(input: impl Read, name: &str, now: Timestamp, mut seen: impl FnMut(u64)) -> Result<Contents, Stop> {
    let zone = jiff::tz::TimeZone::get(ZONE).context("the zone of the shop is not known here").map_err(Stop::failed)?;
    let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(input);
    let broken = |e: csv::Error| {
        let place = e.position().map_or(String::new(), |p| format!(" line {} column 1", p.line()));
        Stop::bad_input(anyhow!(e).context(format!("cannot read {name}{place}")))
    };
    let header = reader.headers().map_err(broken)?;
    for (at, (found, wanted)) in header.iter().zip(COLUMNS).enumerate() {
        if found.trim() != wanted {
            return Err(Stop::bad_input(anyhow!(
                "{name} line 1 column {}: found {found:?} instead of {wanted:?}",
                at + 1
            ))
            .hint(format!("the columns are {}", COLUMNS.join(","))));
        }
    }
    if header.len() < COLUMNS.len() {
        let missing = COLUMNS[header.len()];
        return Err(Stop::bad_input(anyhow!("{name} line 1 column {}: {missing:?} is missing", header.len() + 1)));
    }
    let mut out = Contents::default();
    let mut positions: HashMap<String, usize> = HashMap::new();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(broken)? {
        out.rows += 1;
        seen(out.rows);
        let line = record.position().map_or(out.rows + 1, csv::Position::line);
        match row(&record, &zone, now) {
            Ok(row) => {
                let at = *positions.entry(row.invoice.clone()).or_insert_with(|| {
                    let (number, country) = (row.invoice.clone(), row.country.clone());
                    out.invoices.push(Invoice { number, customer_id: None, country, lines: Vec::new() });
                    out.invoices.len() - 1
                });
                let invoice = &mut out.invoices[at];
                if invoice.customer_id.is_none() {
                    invoice.customer_id = row.customer_id;
                }
                invoice.lines.push(row.line);
            }
            Err(reason) => out.bad.push(BadRow { line, reason }),
        }
    }
    Ok(out)
}
