use super::*;
use proptest::prelude::*;

fn read(bytes: &[u8]) -> (Layout, Vec<Found>) {
    let layout = Layout::detect(&bytes[..bytes.len().min(SAMPLE)], "f").expect("it has a layout");
    let mut rows = layout.rows(Box::new(io::Cursor::new(bytes.to_vec()))).expect("the header is read");
    let mut out = Vec::new();
    while let Some(found) = rows.next_row().expect("memory can be read") {
        out.push(found);
    }
    (layout, out)
}

fn values(row: &Row) -> Vec<&str> {
    (0..row.len()).map(|at| row.get(at)).collect()
}

#[test]
fn a_file_of_an_old_program_is_read_as_it_is() {
    let text = "Прізвище;Місто;Примітка\r\n\"Шевченко; Тарас\";Київ;\"каже \"\"так\"\"\"\r\n\r\nЛеся;Луцьк;два\r\n";
    let old: Vec<u8> = text.chars().map(encoding::to_windows_1251).collect();
    for bytes in [text.as_bytes().to_vec(), [encoding::MARK, text.as_bytes()].concat(), old] {
        let (layout, rows) = read(&bytes);
        assert_eq!((layout.delimiter, layout.columns.join("|").as_str()), (';', "Прізвище|Місто|Примітка"));
        let first = rows[0].as_ref().expect("it is fine");
        assert_eq!(values(first), ["Шевченко; Тарас", "Київ", "каже \"так\""]);
        assert_eq!(rows[1].as_ref().expect("it is fine").line, 4);
    }
}

#[test]
fn titles_above_the_header_and_names_that_come_twice() {
    let (layout, rows) = read(b"Statement of clients\n\nemail,phone,email,\na@b.co,1,c@d.co,\ne@f.co,2,,\n");
    assert_eq!(layout.header_line, 3);
    assert_eq!(layout.columns, ["email", "phone", "email (2)", "column 4"]);
    assert_eq!(rows.len(), 2);
}

#[test]
fn bad_rows_are_told_with_their_line_and_the_rest_is_read() {
    let mut bytes = "id,name\n1,Оленка\n2\n3,a,b\n4,\"open\n5,fine\n6,".as_bytes().to_vec();
    bytes.extend_from_slice(b"\xff\xfe\n7,a\0b\n");
    bytes.extend_from_slice(b"8,");
    bytes.extend(std::iter::repeat_n(b'x', 3 << 20));
    bytes.extend_from_slice(b"\n9,last\n");
    let (_, rows) = read(&bytes);
    let said: Vec<(u64, String)> =
        rows.iter().filter_map(|r| r.as_ref().err()).map(|b| (b.line, b.reason.clone())).collect();
    assert_eq!(
        said,
        [
            (3, "the row has 1 fields, the file 2 columns".into()),
            (4, "the row has 3 fields, the file 2 columns".into()),
            (5, "a quote is not closed".into()),
            (7, "byte 3 of the line is not UTF-8".into()),
            (9, "the line has more than 1 MiB".to_string()),
        ]
    );
    let fine: Vec<&str> = rows.iter().filter_map(|r| r.as_ref().ok()).map(|r| r.get(0)).collect();
    assert_eq!(fine, ["1", "5", "7", "9"]);
    assert_eq!(rows[6 - 1 + 1].as_ref().map(|r| r.get(1).to_string()), Ok("a\u{fffd}b".to_string()));
}

#[test]
fn a_field_may_run_over_lines() {
    let (_, rows) = read(b"id,note,x\n1,\"first\nsecond, with comma\n\",y\n2,plain,z\n");
    let rows: Vec<&Row> = rows.iter().map(|r| r.as_ref().expect("fine")).collect();
    assert_eq!(values(rows[0]), ["1", "first\nsecond, with comma", "y"]);
    assert_eq!((rows[0].line, rows[1].line), (2, 5));
}

#[test]
fn files_that_are_none_are_refused() {
    for bytes in [&b""[..], b"\xef\xbb\xbf", b"\n \r\n"] {
        assert!(matches!(Layout::detect(bytes, "f.csv"), Err(FileError::Empty)), "{bytes:?}");
    }
    assert!(Layout::detect(b"[1,2]\n[3]\n", "f.ndjson").is_err());
    let (layout, _) = read(b"a,b\n1,2\n");
    let other = layout.rows(Box::new(&b"a,c\n1,2\n"[..])).err().map(|e| e.to_string());
    assert_eq!(other.as_deref(), Some("line 1: column 2 is \"c\", and \"b\" was expected"));
}

#[test]
fn objects_become_columns() {
    let (layout, rows) = read(
        b"{\"id\": 1, \"name\": {\"first\": \"Ann\"}, \"tags\": [\"a\", \"b\"], \"lines\": [{\"sku\": 1}]}\n{bad\n[1]\n{\"id\": \"2\", \"new\": null}\n",
    );
    assert_eq!(layout.columns, ["id", "lines", "name.first", "tags", "new"]);
    assert_eq!(values(rows[0].as_ref().expect("fine")), ["1", "[{\"sku\":1}]", "Ann", "a, b", ""]);
    let said: Vec<u64> = rows.iter().filter_map(|r| r.as_ref().err()).map(|b| b.line).collect();
    assert_eq!(said, [2, 3]);
    assert_eq!(rows[3].as_ref().expect("fine").get(0), "2");
}

#[test]
fn packed_files_are_unpacked() {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    io::Write::write_all(&mut packer, b"a,b\n1,2\n").expect("packs");
    let packed = packer.finish().expect("packs");
    let mut text = String::new();
    unpacked(Box::new(io::Cursor::new(packed))).and_then(|mut r| r.read_to_string(&mut text)).expect("unpacks");
    assert_eq!(text, "a,b\n1,2\n");
}

proptest! {
    /// What is written as CSV comes back, whatever stands in it.
    #[test]
    fn fields_come_back(rows in proptest::collection::vec(proptest::collection::vec("[ -~а-яҐєі\n\"]{0,12}", 3), 1..20)) {
        let mut text = String::from("a,b,c\n");
        for row in &rows {
            let line: Vec<String> = row.iter().map(|v| crate::write::safe_field(v, ',').into_owned()).collect();
            text.push_str(&line.join(","));
            text.push('\n');
        }
        let layout = Layout { format: Format::Csv, encoding: Encoding::Utf8, delimiter: ',', quote: '"', header_line: 1,
            columns: vec!["a".into(), "b".into(), "c".into()] };
        let mut read = layout.rows(Box::new(io::Cursor::new(text.into_bytes()))).expect("the header");
        // Rows without any value are left out by the reader.
        for row in rows.iter().filter(|r| r.iter().any(|v| !v.trim().is_empty())) {
            let found = read.next_row().expect("reads");
            let Some(Ok(found)) = found else { return Err(TestCaseError::fail(format!("{found:?}"))) };
            let trimmed: Vec<&str> = row.iter().map(|v| v.trim()).collect();
            prop_assert_eq!(values(&found), trimmed);
        }
    }

    /// No bytes make the reader panic or loop.
    #[test]
    fn garbage_is_read_to_its_end(bytes in proptest::collection::vec(any::<u8>(), 1..2000)) {
        if let Ok(layout) = Layout::detect(&bytes, "f") {
            let lines = bytes.iter().filter(|b| **b == b'\n').count() + 1;
            if let Ok(mut rows) = layout.rows(Box::new(io::Cursor::new(bytes.clone()))) {
                let mut count = 0;
                while rows.next_row().expect("reads").is_some() { count += 1; prop_assert!(count <= lines); }
            }
        }
    }
}
