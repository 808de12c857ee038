//! Parquet: one row group after the other, each as large as memory allows, packed with zstd.
//!
//! text → BYTE_ARRAY (String), json → BYTE_ARRAY (Json), int → INT64, bool → BOOLEAN, time → INT64 (Timestamp, UTC,
//! microseconds), decimal → FIXED_LEN_BYTE_ARRAY(16) (Decimal 38, 9). Every column is optional.
use super::{About, Rows};
use crate::table::{Cell, Column, Type};
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type as Schema, TypePtr};
use std::io::{self, Write};
use std::sync::Arc;

/// Bytes of values that are held before they are written as a row group.
const GROUP_BYTES: usize = 32 << 20;
/// Rows of a row group.
const GROUP_ROWS: usize = 200_000;

pub struct Parquet<'a> {
    out: SerializedFileWriter<&'a mut (dyn Write + Send)>,
    kinds: Vec<Type>,
    /// By column.
    held: Vec<Vec<Cell>>,
    rows: usize,
    bytes: usize,
}

fn failed(error: ParquetError) -> io::Error {
    match error {
        // A full disk must stay one, so that whoever waits is told.
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(inner) => *inner,
            Err(inner) => io::Error::other(inner),
        },
        other => io::Error::other(other),
    }
}

fn field(column: &Column) -> Result<TypePtr, ParquetError> {
    let (physical, logical) = match column.kind {
        Type::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Type::Json => (Physical::BYTE_ARRAY, Some(LogicalType::Json)),
        Type::Int => (Physical::INT64, None),
        Type::Bool => (Physical::BOOLEAN, None),
        Type::Time => {
            let unit = TimeUnit::MICROS;
            (Physical::INT64, Some(LogicalType::timestamp(true, unit)))
        }
        Type::Decimal => (Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::decimal(9, 38))),
    };
    let builder = Schema::primitive_type_builder(&column.name, physical);
    let builder = builder.with_repetition(Repetition::OPTIONAL).with_logical_type(logical);
    let builder = match column.kind {
        Type::Decimal => builder.with_length(16).with_precision(38).with_scale(9),
        _ => builder,
    };
    Ok(Arc::new(builder.build()?))
}

impl<'a> Parquet<'a> {
    pub fn begin(out: &'a mut (dyn Write + Send), columns: &[Column], about: &About) -> io::Result<Self> {
        let fields = columns.iter().map(field).collect::<Result<Vec<_>, _>>().map_err(failed)?;
        let schema = Schema::group_type_builder("braid").with_fields(fields).build().map_err(failed)?;
        let pairs = about.0.iter().map(|(name, value)| KeyValue::new(name.clone(), value.clone())).collect();
        let level = ZstdLevel::try_new(3).map_err(failed)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_created_by("Braid".into())
            .set_key_value_metadata(Some(pairs));
        let out = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties.build())).map_err(failed)?;
        let kinds = columns.iter().map(|c| c.kind).collect();
        Ok(Self { out, kinds, held: vec![Vec::new(); columns.len()], rows: 0, bytes: 0 })
    }

    fn group(&mut self) -> Result<(), ParquetError> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.out.next_row_group()?;
        for (kind, cells) in self.kinds.iter().zip(&mut self.held) {
            let Some(mut column) = group.next_column()? else {
                return Err(ParquetError::General("the schema has fewer columns than the rows".into()));
            };
            // What a column cannot hold is left out; whoever makes rows makes them of the column's kind.
            let levels =
                |there: &dyn Fn(&Cell) -> bool| -> Vec<i16> { cells.iter().map(|c| i16::from(there(c))).collect() };
            match kind {
                Type::Text | Type::Json => {
                    let values: Vec<ByteArray> =
                        cells.iter().filter(|c| **c != Cell::None).map(|c| c.shown().into_bytes().into()).collect();
                    let levels = levels(&|c| *c != Cell::None);
                    column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None)?;
                }
                Type::Int | Type::Time => {
                    let value = |c: &Cell| match (kind, c) {
                        (Type::Int, Cell::Int(n)) => Some(*n),
                        (Type::Time, Cell::Time(at)) => Some(at.micros()),
                        _ => None,
                    };
                    let values: Vec<i64> = cells.iter().filter_map(value).collect();
                    let levels = levels(&|c| value(c).is_some());
                    column.typed::<Int64Type>().write_batch(&values, Some(&levels), None)?;
                }
                Type::Bool => {
                    let value = |c: &Cell| if let Cell::Bool(b) = c { Some(*b) } else { None };
                    let values: Vec<bool> = cells.iter().filter_map(value).collect();
                    let levels = levels(&|c| value(c).is_some());
                    column.typed::<BoolType>().write_batch(&values, Some(&levels), None)?;
                }
                Type::Decimal => {
                    let value = |c: &Cell| if let Cell::Decimal(n) = c { Some(n.billionths()) } else { None };
                    let values: Vec<FixedLenByteArray> = cells
                        .iter()
                        .filter_map(value)
                        .map(|n| ByteArray::from(n.to_be_bytes().to_vec()).into())
                        .collect();
                    let levels = levels(&|c| value(c).is_some());
                    column.typed::<FixedLenByteArrayType>().write_batch(&values, Some(&levels), None)?;
                }
            }
            column.close()?;
            cells.clear();
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

impl Rows for Parquet<'_> {
    fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        for (at, held) in self.held.iter_mut().enumerate() {
            let cell = cells.get(at).cloned().unwrap_or_default();
            self.bytes += cell.weight();
            held.push(cell);
        }
        self.rows += 1;
        if self.rows >= GROUP_ROWS || self.bytes >= GROUP_BYTES {
            self.group().map_err(failed)?;
        }
        Ok(())
    }
    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.group().map_err(failed)?;
        self.out.finish().map(drop).map_err(failed)
    }
}
