//! Parquet: what stands in columns becomes the same text that a CSV file would have. Groups inside become columns with dotted
//! names; lists of plain values are joined by commas, other lists and maps are JSON. A row's line is its number, from 1.
//!
//! The reader of the format is not ours and takes files on trust: where it panics, the file is refused.
use super::{Bad, COLUMNS_MAX, FileError, Format, Found, Layout, Row, Rows};
use crate::encoding::Encoding;
use base::Timestamp;
use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::file::reader::{ChunkReader, FileReader, SerializedFileReader};
use parquet::record::{Field, Row as Record, reader::RowIter};
use parquet::schema::types::Type as Schema;
use serde_json::Value;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How a Parquet file begins and ends.
pub const MAGIC: &[u8] = b"PAR1";
/// Groups inside groups that become columns of their own.
const DEPTH: usize = 3;
/// Longest text of a value, as in other formats.
const VALUE_MAX: usize = crate::lines::LINE_MAX;
/// A page that is larger than this unpacked is a trap.
const GROUP_MAX: i64 = 16 << 30;

fn guarded<T>(work: impl FnOnce() -> parquet::errors::Result<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("its contents contradict its own description".into()),
    }
}

fn open(file: impl ChunkReader + 'static) -> Result<SerializedFileReader<impl ChunkReader + 'static>, FileError> {
    let wrong =
        |reason: String| FileError::Header { line: 0, reason: format!("this is no whole Parquet file: {reason}") };
    let reader = guarded(|| SerializedFileReader::new(file)).map_err(wrong)?;
    let lies = reader
        .metadata()
        .row_groups()
        .iter()
        .any(|g| g.num_rows() < 0 || !(0..=GROUP_MAX).contains(&g.total_byte_size()));
    if lies || reader.metadata().file_metadata().num_rows() < 0 {
        return Err(wrong("sizes in it cannot be".into()));
    }
    Ok(reader)
}

/// A column of the rows, and whether its numbers are nanoseconds.
type Named = (String, bool);

fn is_plain_group(field: &Schema) -> bool {
    let info = field.get_basic_info();
    let special = !matches!(info.converted_type(), ConvertedType::NONE)
        || matches!(info.logical_type_ref(), Some(LogicalType::List | LogicalType::Map));
    field.is_group() && !special && !(info.has_repetition() && info.repetition() == Repetition::REPEATED)
}

fn walk(prefix: &str, fields: &[parquet::schema::types::TypePtr], depth: usize, out: &mut Vec<Named>) {
    for field in fields {
        let name = if prefix.is_empty() { field.name().to_string() } else { format!("{prefix}.{}", field.name()) };
        if is_plain_group(field) && depth < DEPTH {
            walk(&name, field.get_fields(), depth + 1, out);
            continue;
        }
        let nanos = field.is_primitive()
            && field.get_physical_type() == Physical::INT64
            && matches!(field.get_basic_info().logical_type_ref(), Some(LogicalType::Timestamp(t)) if t.unit == TimeUnit::NANOS);
        out.push((name, nanos));
    }
}

fn columns(reader: &dyn FileReader) -> Result<Vec<Named>, FileError> {
    let mut out = Vec::new();
    walk("", reader.metadata().file_metadata().schema().get_fields(), 0, &mut out);
    if out.is_empty() {
        return Err(FileError::NoHeader);
    }
    if out.len() > COLUMNS_MAX {
        let reason = format!("{} columns; a file has at most {COLUMNS_MAX}", out.len());
        return Err(FileError::Header { line: 0, reason });
    }
    Ok(out)
}

/// Finds the columns of a file.
pub fn detect(file: impl ChunkReader + 'static) -> Result<Layout, FileError> {
    let reader = open(file)?;
    let names = super::distinct(columns(&reader)?.into_iter().map(|(name, _)| name));
    Ok(Layout {
        format: Format::Parquet,
        encoding: Encoding::Utf8,
        delimiter: ',',
        quote: '"',
        header_line: 0,
        columns: names,
    })
}

/// How many rows a file has.
pub fn count(file: impl ChunkReader + 'static) -> Result<u64, FileError> {
    Ok(open(file)?.metadata().file_metadata().num_rows().max(0) as u64)
}

/// Rows of a file.
pub struct ParquetRows {
    records: RowIter<'static>,
    columns: Vec<Named>,
    line: u64,
    over: bool,
}

impl ParquetRows {
    /// Rows from the first on; the file must have the layout's columns.
    pub fn new(file: impl ChunkReader + 'static, layout: &Layout) -> Result<Self, FileError> {
        let reader = open(file)?;
        let columns = columns(&reader)?;
        if super::distinct(columns.iter().map(|(name, _)| name.clone())) != layout.columns {
            let reason = "its columns are not those that were expected".into();
            return Err(FileError::Header { line: 0, reason });
        }
        let records = guarded(|| Ok(RowIter::from_file_into(Box::new(reader))));
        let records = records.map_err(|reason| FileError::Header { line: 0, reason })?;
        Ok(Self { records, columns, line: 0, over: false })
    }

    fn read(&self, record: &Record) -> Found {
        let mut found: Vec<(String, &Field)> = Vec::new();
        flatten("", record, 0, &mut found);
        let mut values = Vec::with_capacity(self.columns.len());
        for (at, (name, nanos)) in self.columns.iter().enumerate() {
            // Columns come in the order of the schema; a group that is missing takes its columns with it.
            let field = found.get(at).filter(|(n, _)| n == name).or_else(|| found.iter().find(|(n, _)| n == name));
            let text = match field {
                Some((_, Field::Long(n))) if *nanos => Timestamp::from_micros(n.div_euclid(1000)).to_string(),
                Some((_, field)) => shown(field),
                None => String::new(),
            };
            if text.len() > VALUE_MAX {
                return Err(Bad {
                    line: self.line,
                    column: name.clone(),
                    reason: "the value has more than 1 MiB".into(),
                    value: super::short(&text),
                });
            }
            values.push(text);
        }
        Ok(Row::of(self.line, values.iter().map(String::as_str)))
    }
}

impl Rows for ParquetRows {
    fn next_row(&mut self) -> io::Result<Option<Found>> {
        if self.over {
            return Ok(None);
        }
        self.line += 1;
        let next = guarded(|| self.records.next().transpose());
        match next {
            Ok(Some(record)) => Ok(Some(self.read(&record))),
            Ok(None) => {
                self.over = true;
                Ok(None)
            }
            Err(reason) => {
                self.over = true;
                let reason = format!("row {}: the Parquet file is damaged: {reason}", self.line);
                Err(io::Error::new(io::ErrorKind::InvalidData, reason))
            }
        }
    }
}

fn flatten<'a>(prefix: &str, record: &'a Record, depth: usize, out: &mut Vec<(String, &'a Field)>) {
    for (name, field) in record.get_column_iter() {
        let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match field {
            Field::Group(inner) if depth < DEPTH => flatten(&name, inner, depth + 1, out),
            field => out.push((name, field)),
        }
    }
}

/// A value as text.
fn shown(field: &Field) -> String {
    match field {
        Field::Null => String::new(),
        Field::Str(text) => text.replace('\0', "\u{fffd}"),
        Field::Bytes(bytes) => String::from_utf8_lossy(bytes.data()).replace('\0', "\u{fffd}"),
        Field::Decimal(number) => decimal(number.data(), number.scale()),
        Field::Float(n) => n.to_string(),
        Field::Double(n) => n.to_string(),
        Field::TimestampMillis(ms) => Timestamp::from_micros(ms.saturating_mul(1000)).to_string(),
        Field::TimestampMicros(us) => Timestamp::from_micros(*us).to_string(),
        Field::Date(day) => {
            let date = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(i64::from(*day)));
            date.map_or(String::new(), |d| d.to_string())
        }
        Field::ListInternal(list) if list.elements().iter().all(is_plain) => {
            list.elements().iter().map(shown).collect::<Vec<_>>().join(", ")
        }
        Field::Group(_) | Field::ListInternal(_) | Field::MapInternal(_) => json(field, 0).to_string(),
        other => other.to_string(),
    }
}

/// A value with values inside; beyond 32 levels nothing is shown.
fn json(field: &Field, depth: usize) -> Value {
    if depth > 32 {
        return Value::Null;
    }
    match field {
        Field::Null => Value::Null,
        Field::Bool(b) => (*b).into(),
        Field::Group(record) => {
            record.get_column_iter().map(|(name, inner)| (name.clone(), json(inner, depth + 1))).collect()
        }
        Field::ListInternal(list) => list.elements().iter().map(|inner| json(inner, depth + 1)).collect(),
        Field::MapInternal(map) => {
            map.entries().iter().map(|(name, inner)| (shown(name), json(inner, depth + 1))).collect()
        }
        Field::Str(_) | Field::Bytes(_) | Field::Date(_) | Field::TimestampMillis(_) | Field::TimestampMicros(_) => {
            shown(field).into()
        }
        number => serde_json::from_str(&shown(number)).unwrap_or_else(|_| shown(number).into()),
    }
}

fn is_plain(field: &Field) -> bool {
    !matches!(field, Field::Group(_) | Field::ListInternal(_) | Field::MapInternal(_))
}

/// A big-endian two's complement number with `scale` places.
fn decimal(bytes: &[u8], scale: i32) -> String {
    if bytes.is_empty() || bytes.len() > 16 || !(0..=38).contains(&scale) {
        return String::new();
    }
    let start = if bytes[0] & 0x80 == 0 { 0i128 } else { -1 };
    let value = bytes.iter().fold(start, |n, b| n << 8 | i128::from(*b));
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale as usize + 1);
    let (whole, part) = digits.split_at(digits.len() - scale as usize);
    let part = part.trim_end_matches('0');
    let sign = if value < 0 { "-" } else { "" };
    if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_of_any_length() {
        assert_eq!(decimal(&[0x04, 0xD2], 2), "12.34");
        assert_eq!(decimal(&[0xFF, 0xFF], 2), "-0.01");
        assert_eq!(decimal(&[1], 0), "1");
        assert_eq!(decimal(&(-12_500_000_000i128).to_be_bytes(), 9), "-12.5");
        assert_eq!((decimal(&[], 2), decimal(&[0; 17], 2)), (String::new(), String::new()));
    }
}
