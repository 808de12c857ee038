//! Reading a list of people from CSV or NDJSON.
use crate::stop::Stop;
use anyhow::{Context, anyhow};
use base::Country;
use resolve::{Column, Raw, Table, person};
use std::collections::BTreeMap;
use std::io::BufRead;

/// What a file holds.
pub struct People {
    /// In the order of `ids`.
    pub table: Table,
    /// Sorted by bytes, each once.
    pub ids: Vec<Box<str>>,
    /// What each column that was used holds.
    pub columns: BTreeMap<String, String>,
}

/// Longest row that is taken.
const ROW_MAX: usize = 1 << 20;

/// Columns by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    RecId,
    Of(Column),
}

impl Kind {
    fn find(name: &str) -> Option<Kind> {
        let bare = name.trim().trim_start_matches('\u{feff}');
        if bare.eq_ignore_ascii_case("rec_id") { Some(Kind::RecId) } else { Column::find(bare).map(Kind::Of) }
    }
    fn word(self) -> &'static str {
        match self {
            Kind::RecId => "rec_id",
            Kind::Of(column) => Column::KNOWN.iter().find(|(c, _)| *c == column).map_or("", |(_, names)| names[0]),
        }
    }
}

/// Which columns hold what.
struct Names {
    given: Vec<(String, Kind)>,
}

impl Names {
    fn parse(arguments: &[String]) -> Result<Names, Stop> {
        let mut given = Vec::new();
        for argument in arguments {
            let wrong = |why: String| {
                let known: Vec<&str> = Column::KNOWN.iter().map(|(_, names)| names[0]).collect();
                Stop::bad_input(anyhow!("--column {argument:?}: {why}"))
                    .hint(format!("KIND=NAME, KIND one of rec_id, {}", known.join(", ")))
            };
            let (kind, name) = argument.split_once('=').ok_or_else(|| wrong("there is no `=`".to_string()))?;
            let kind = Kind::find(kind).ok_or_else(|| wrong(format!("{kind:?} is no kind of column")))?;
            given.push((name.trim().to_string(), kind));
        }
        Ok(Names { given })
    }

    /// What a column holds; one that `--column` names is nothing else, and its kind is no longer found by its usual name.
    fn find(&self, name: &str) -> Option<Kind> {
        let bare = name.trim().trim_start_matches('\u{feff}');
        if let Some((_, kind)) = self.given.iter().find(|(n, _)| n == bare) {
            return Some(*kind);
        }
        Kind::find(name).filter(|kind| !self.given.iter().any(|(_, k)| k == kind))
    }
}

/// Where a mistake is.
fn bad(name: &str, line: u64, column: usize, why: impl std::fmt::Display) -> Stop {
    Stop::bad_input(anyhow!("{name} line {line} column {column}: {why}"))
}

struct Reader {
    country: Country,
    table: Table,
    ids: Vec<(Box<str>, u32, u64)>,
    raw: Raw,
}

impl Reader {
    fn end_of_row(&mut self, id: &str, line: u64) {
        self.ids.push((id.into(), self.ids.len() as u32, line));
        self.table.push(&person::read(&self.raw, self.country));
        self.raw.clear();
    }

    fn finish(mut self, name: &str, columns: BTreeMap<String, String>) -> Result<People, Stop> {
        self.ids.sort_unstable();
        if let Some(twice) = self.ids.windows(2).find(|w| w[0].0 == w[1].0) {
            let (first, second) = (twice[0].2.min(twice[1].2), twice[0].2.max(twice[1].2));
            return Err(bad(name, second, 1, format!("rec_id {:?} was there before, on line {first}", twice[0].0)));
        }
        let order: Vec<u32> = self.ids.iter().map(|(_, at, _)| *at).collect();
        self.table.reorder(&order);
        Ok(People { table: self.table, ids: self.ids.into_iter().map(|(id, ..)| id).collect(), columns })
    }
}

/// Reads a file; what is wrong with it is told with line and column. `seen` is called now and then with the number of rows.
pub fn read(
    mut input: Box<dyn BufRead>,
    name: &str,
    columns: &[String],
    country: Country,
    mut seen: impl FnMut(u64),
) -> Result<People, Stop> {
    let names = Names::parse(columns)?;
    let reader = Reader { country, table: Table::default(), ids: Vec::new(), raw: Raw::default() };
    let start = input.fill_buf().with_context(|| format!("cannot read {name}")).map_err(Stop::bad_input)?;
    let first = start.iter().find(|b| !b.is_ascii_whitespace() && !matches!(b, 0xef | 0xbb | 0xbf));
    match first {
        None => Err(bad(name, 1, 1, "the file is empty").hint("the first line names the columns: rec_id,surname,…")),
        Some(b'{') => ndjson(input, name, &names, reader, &mut seen),
        Some(_) => {
            let line = start.split(|b| *b == b'\n').next().unwrap_or_default();
            let count = |c: u8| line.iter().filter(|b| **b == c).count();
            let delimiter = [b',', b';', b'\t'].into_iter().max_by_key(|c| (count(*c), *c == b',')).unwrap_or(b',');
            csv(input, delimiter, name, &names, reader, &mut seen)
        }
    }
}

fn csv(
    input: Box<dyn BufRead>,
    delimiter: u8,
    name: &str,
    names: &Names,
    mut reader: Reader,
    seen: &mut impl FnMut(u64),
) -> Result<People, Stop> {
    let mut rows = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(input);
    let header = rows.byte_headers().map_err(|e| broken(name, &e))?.clone();
    let mut kinds = Vec::new();
    let mut used = BTreeMap::new();
    for (at, cell) in header.iter().enumerate() {
        let text = std::str::from_utf8(cell).map_err(|_| bad(name, 1, at + 1, "this is no UTF-8"))?;
        let kind = names.find(text);
        if let Some(kind) = kind {
            used.insert(text.trim().trim_start_matches('\u{feff}').to_string(), kind.word().to_string());
        }
        kinds.push(kind);
    }
    let id_at = kinds.iter().position(|k| *k == Some(Kind::RecId));
    let id_at = id_at
        .ok_or_else(|| bad(name, 1, 1, "there is no column rec_id").hint("--column rec_id=NAME says which it is"))?;
    if !kinds.iter().any(|k| matches!(k, Some(Kind::Of(_)))) {
        return Err(
            bad(name, 1, 1, "no column is one of people").hint("--column surname=NAME says what a column holds")
        );
    }
    let mut row = csv::ByteRecord::new();
    while rows.read_byte_record(&mut row).map_err(|e| broken(name, &e))? {
        let line = row.position().map_or(0, csv::Position::line);
        if row.len() != kinds.len() {
            let column = row.len().min(kinds.len()) + 1;
            return Err(bad(
                name,
                line,
                column,
                format!("the row has {} columns, the first line {}", row.len(), kinds.len()),
            ));
        }
        if row.as_slice().len() > ROW_MAX {
            return Err(bad(name, line, 1, format!("the row has over {ROW_MAX} bytes")));
        }
        let text = |at: usize| std::str::from_utf8(&row[at]).map_err(|_| bad(name, line, at + 1, "this is no UTF-8"));
        for (at, kind) in kinds.iter().enumerate() {
            if let Some(Kind::Of(column)) = kind {
                reader.raw.put(*column, text(at)?);
            }
        }
        let id = text(id_at)?.trim();
        if id.is_empty() {
            return Err(bad(name, line, id_at + 1, "rec_id is empty"));
        }
        reader.end_of_row(id, line);
        tell(&reader, seen);
    }
    reader.finish(name, used)
}

fn broken(name: &str, error: &csv::Error) -> Stop {
    let line = error.position().map_or(1, csv::Position::line);
    bad(name, line, 1, error)
}

fn tell(reader: &Reader, seen: &mut impl FnMut(u64)) {
    if reader.ids.len().is_multiple_of(8192) {
        seen(reader.ids.len() as u64);
    }
}

fn ndjson(
    mut input: Box<dyn BufRead>,
    name: &str,
    names: &Names,
    mut reader: Reader,
    seen: &mut impl FnMut(u64),
) -> Result<People, Stop> {
    let mut used = BTreeMap::new();
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        let mut limited = std::io::Read::take(&mut input, ROW_MAX as u64 + 1);
        let read = limited.read_until(b'\n', &mut bytes);
        if read.with_context(|| format!("cannot read {name}")).map_err(Stop::bad_input)? == 0 {
            break;
        }
        if bytes.len() > ROW_MAX {
            return Err(bad(name, line, 1, format!("the line has over {ROW_MAX} bytes")));
        }
        let text = std::str::from_utf8(&bytes).map_err(|e| bad(name, line, e.valid_up_to() + 1, "this is no UTF-8"))?;
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            continue;
        }
        let row: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text)
            .map_err(|e| bad(name, line, e.column(), format!("this is no JSON object: {e}")))?;
        let mut id = String::new();
        for (key, value) in &row {
            let Some(kind) = names.find(key) else { continue };
            let text = scalar(value).ok_or_else(|| {
                let column = text.find(&format!("\"{key}\"")).map_or(1, |at| text[..at].chars().count() + 1);
                bad(name, line, column, format!("{key:?} is neither text nor a number"))
            })?;
            if !used.contains_key(key) {
                used.insert(key.clone(), kind.word().to_string());
            }
            match kind {
                Kind::RecId => id = text.trim().to_string(),
                Kind::Of(column) => reader.raw.put(column, &text),
            }
        }
        if id.is_empty() {
            return Err(bad(name, line, 1, "there is no rec_id").hint("--column rec_id=NAME says which field it is"));
        }
        reader.end_of_row(&id, line);
        tell(&reader, seen);
    }
    reader.finish(name, used)
}

/// A value as text; several texts are one apart by `;`.
fn scalar(value: &serde_json::Value) -> Option<String> {
    use serde_json::Value::{Array, Null, Number};
    match value {
        Null => Some(String::new()),
        serde_json::Value::String(text) => Some(text.clone()),
        Number(number) => Some(number.to_string()),
        Array(items) if items.iter().all(|i| !i.is_array() && !i.is_object()) => {
            Some(items.iter().filter_map(scalar).collect::<Vec<_>>().join(";"))
        }
        _ => None,
    }
}
