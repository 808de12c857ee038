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

use crate::rows::{Found, Layout};
use crate::table::Type;
use base::{Decimal, Timestamp};
use proptest::prelude::*;

fn columns() -> Vec<Column> {
    [
        ("id", Type::Int),
        ("name", Type::Text),
        ("sum", Type::Decimal),
        ("yes", Type::Bool),
        ("at", Type::Time),
        ("more", Type::Json),
    ]
    .map(|(name, kind)| Column::new(name, kind, "a column"))
    .to_vec()
}

fn written(format: Format, rows: &[Vec<Cell>]) -> Vec<u8> {
    let mut out = Vec::new();
    let about = About(vec![("braid.mark".into(), "0123456789abcdef".into())]);
    let mut file = begin(format, &columns(), &about, &mut out).expect("begins");
    rows.iter().for_each(|row| file.row(row).expect("memory takes it"));
    file.finish().expect("ends");
    out
}

fn read(format: Format, bytes: &[u8]) -> (Layout, Vec<Found>) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), bytes).expect("can be written");
    let layout = Layout::of_file(file.path(), &format!("f.{}", format.as_str())).expect("it has a layout");
    let mut rows = layout.rows_of_file(file.path()).expect("it can be read");
    let mut out = Vec::new();
    while let Some(found) = rows.next_row().expect("the file can be read") {
        out.push(found);
    }
    (layout, out)
}

/// What a row of the file says, by column. CSV and NDJSON do not know columns that nothing stands in.
fn values(layout: &Layout, row: &Found) -> Vec<String> {
    let row = row.as_ref().expect("the row is fine");
    let at = |name: &str| layout.columns.iter().position(|c| c == name);
    columns().iter().map(|c| at(&c.name).map_or(String::new(), |at| row.get(at).to_string())).collect()
}

fn row(name: &str, n: i64) -> Vec<Cell> {
    vec![
        Cell::Int(n),
        Cell::text(name),
        Cell::Decimal(Decimal::parse("-12.5").expect("a number")),
        Cell::Bool(n % 2 == 0),
        Cell::Time(Timestamp::from_micros(1_700_000_000_123_456 + n)),
        Cell::Json("[1,\"a\"]".into()),
    ]
}

#[test]
fn every_format_says_the_same() {
    let rows = [
        row("Олена \"Ю\", два\r\nрядки", 1),
        vec![Cell::Int(2), Cell::None, Cell::None, Cell::None, Cell::None, Cell::None],
    ];
    for format in [Format::Csv, Format::Ndjson, Format::Parquet] {
        let (layout, found) = read(format, &written(format, &rows));
        assert_eq!(layout.columns.len(), 6, "{format:?}");
        assert_eq!(found.len(), 2, "{format:?}");
        let first = values(&layout, &found[0]);
        assert_eq!(first[0], "1");
        assert_eq!(first[1].replace("\r\n", "\n"), "Олена \"Ю\", два\nрядки", "{format:?}");
        assert_eq!(
            (first[2].as_str(), first[3].as_str(), first[4].as_str()),
            ("-12.5", "false", "2023-11-14T22:13:20.123457Z")
        );
        let list = if format == Format::Ndjson { "1, a" } else { "[1,\"a\"]" };
        assert_eq!(first[5], list, "{format:?}");
        assert_eq!(values(&layout, &found[1]), ["2", "", "", "", "", ""], "{format:?}");
    }
}

#[test]
fn what_a_format_has_room_for_carries_the_mark() {
    use ::parquet::file::reader::{FileReader, SerializedFileReader};
    let bytes = bytes::Bytes::from(written(Format::Parquet, &[row("a", 1)]));
    let reader = SerializedFileReader::new(bytes).expect("it is Parquet");
    let pairs = reader.metadata().file_metadata().key_value_metadata().expect("it has some").clone();
    assert_eq!((pairs[0].key.as_str(), pairs[0].value.as_deref()), ("braid.mark", Some("0123456789abcdef")));
    let mut book =
        zip::ZipArchive::new(std::io::Cursor::new(written(Format::Xlsx, &[row("<&>=1", 1)]))).expect("a zip");
    let mut text = String::new();
    std::io::Read::read_to_string(&mut book.by_name("xl/worksheets/sheet1.xml").expect("a sheet"), &mut text)
        .expect("XML");
    assert!(text.contains("<t xml:space=\"preserve\">&lt;&amp;&gt;=1</t>") && text.contains("<v>-12.5</v>"), "{text}");
    let mut core = String::new();
    std::io::Read::read_to_string(&mut book.by_name("docProps/core.xml").expect("properties"), &mut core).expect("XML");
    assert!(core.contains("braid.mark=0123456789abcdef"));
}

#[test]
fn many_rows_become_several_groups() {
    let rows: Vec<Vec<Cell>> = (0..40_000).map(|n| row(&"x".repeat(1_000), n)).collect();
    let bytes = bytes::Bytes::from(written(Format::Parquet, &rows));
    use ::parquet::file::reader::{FileReader, SerializedFileReader};
    let reader = SerializedFileReader::new(bytes).expect("it is Parquet");
    assert!(reader.metadata().num_row_groups() >= 2);
    assert_eq!(reader.metadata().file_metadata().num_rows(), 40_000);
}

/// A damaged Parquet file is refused, wherever it is cut or changed, and never takes the program with it.
#[test]
fn damaged_parquet_is_refused() {
    let rows: Vec<Vec<Cell>> = (0..200).map(|n| row(&format!("name {n}"), n)).collect();
    let whole = written(Format::Parquet, &rows);
    let file = tempfile::NamedTempFile::new().expect("a file");
    let read = |bytes: &[u8]| -> Result<usize, String> {
        std::fs::write(file.path(), bytes).expect("can be written");
        let layout = Layout::of_file(file.path(), "f.parquet").map_err(|e| e.to_string())?;
        let mut rows = layout.rows_of_file(file.path()).map_err(|e| e.to_string())?;
        let mut count = 0;
        while rows.next_row().map_err(|e| e.to_string())?.is_some() {
            count += 1;
        }
        Ok(count)
    };
    assert_eq!(read(&whole), Ok(200));
    for cut in (4..whole.len()).step_by(97) {
        let said = read(&whole[..cut]).expect_err("it is not whole");
        assert!(said.contains("Parquet"), "{said}");
    }
    let mut damaged = 0;
    for at in (4..whole.len()).step_by(31) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xFF;
        damaged += usize::from(read(&bytes).is_err());
    }
    assert!(damaged > 10, "only {damaged}");
}

#[test]
fn nested_parquet_becomes_dotted_columns_and_json() {
    use ::parquet::data_type::{ByteArray, ByteArrayType, Int32Type};
    use ::parquet::file::properties::WriterProperties;
    use ::parquet::file::writer::SerializedFileWriter;
    use ::parquet::schema::parser::parse_message_type;
    let schema = "message m { optional int32 day (DATE); optional group address { optional binary city (UTF8); } \
                  optional group tags (LIST) { repeated group list { optional binary element (UTF8); } } \
                  repeated group lines { optional binary sku (UTF8); optional int32 quantity; } }";
    let schema = std::sync::Arc::new(parse_message_type(schema).expect("a schema"));
    let mut out = Vec::new();
    let mut file =
        SerializedFileWriter::new(&mut out, schema, std::sync::Arc::new(WriterProperties::new())).expect("begins");
    let mut group = file.next_row_group().expect("a group");
    let text = |t: &str| ByteArray::from(t);
    let mut column = group.next_column().expect("day").expect("day");
    column.typed::<Int32Type>().write_batch(&[19_000], Some(&[1]), None).expect("written");
    column.close().expect("closed");
    type Values<'a> = (&'a [ByteArray], &'a [i16], Option<&'a [i16]>);
    let texts: [Values<'_>; 3] = [
        (&[text("Київ")], &[2], None),
        (&[text("a"), text("b")], &[3, 3], Some(&[0, 1])),
        (&[text("S-1"), text("S-2")], &[2, 2], Some(&[0, 1])),
    ];
    for (values, defined, repeated) in texts {
        let mut column = group.next_column().expect("a column").expect("a column");
        column.typed::<ByteArrayType>().write_batch(values, Some(defined), repeated).expect("written");
        column.close().expect("closed");
    }
    let mut column = group.next_column().expect("quantity").expect("quantity");
    column.typed::<Int32Type>().write_batch(&[3], Some(&[2, 1]), Some(&[0, 1])).expect("written");
    column.close().expect("closed");
    group.close().expect("closed");
    file.close().expect("closed");
    let (layout, rows) = read(Format::Parquet, &out);
    assert_eq!(layout.columns, ["day", "address.city", "tags", "lines"]);
    let row = rows[0].as_ref().expect("fine");
    let found: Vec<&str> = (0..4).map(|at| row.get(at)).collect();
    assert_eq!(
        found,
        ["2022-01-08", "Київ", "a, b", "[{\"quantity\":3,\"sku\":\"S-1\"},{\"quantity\":null,\"sku\":\"S-2\"}]"]
    );
}

proptest! {
    /// What CSV keeps from being run comes back as it was, whatever apostrophes people wrote themselves. (Blanks at the
    /// ends are nobody's: every reader of ours leaves them out.)
    #[test]
    fn guarded_values_come_back(names in proptest::collection::vec("['=+@\\-\t\"a1,; \n]{0,8}", 1..6)) {
        let rows: Vec<Vec<Cell>> = names.iter().enumerate().map(|(n, name)| row(name, n as i64 + 1)).collect();
        let bytes = written(Format::Csv, &rows);
        // Told, not found out: a handful of rows that are mostly signs looks like anything.
        let layout = Layout {
            format: crate::rows::Format::Csv,
            encoding: crate::encoding::Encoding::Utf8,
            delimiter: ',',
            quote: '"',
            header_line: 1,
            columns: columns().into_iter().map(|c| c.name).collect(),
        };
        let mut rows = layout.rows(Box::new(io::Cursor::new(bytes))).expect("the header");
        let mut found = Vec::new();
        while let Some(row) = rows.next_row().expect("reads") {
            found.push(row);
        }
        prop_assert_eq!(found.len(), names.len());
        for (name, found) in names.iter().zip(&found) {
            prop_assert_eq!(&values(&layout, found)[1], name.trim());
        }
        for name in &names {
            let shown = safe_field(name, ',').into_owned();
            let first = shown.strip_prefix('"').unwrap_or(&shown);
            prop_assert!(!first.starts_with(['=', '@', '\t']), "{}", shown);
        }
    }

    #[test]
    fn parquet_gives_back_any_text(names in proptest::collection::vec(any::<String>(), 1..20), n in any::<i64>()) {
        let rows: Vec<Vec<Cell>> = names.iter().map(|name| row(name, n / 4)).collect();
        let (layout, found) = read(Format::Parquet, &written(Format::Parquet, &rows));
        prop_assert_eq!(found.len(), names.len());
        for (name, found) in names.iter().zip(&found) {
            let wanted = name.replace('\0', "\u{fffd}");
            prop_assert_eq!(&values(&layout, found)[1], wanted.trim());
        }
    }
}
