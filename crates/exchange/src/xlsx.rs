//! Reading the first sheet of an XLSX workbook: it becomes a CSV file beside it, and everything that reads CSV reads it.
use crate::write::field;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// Bytes of one part of a workbook once unpacked: a small file must not fill the memory.
const PART_MAX: u64 = 2 << 30;
/// Bytes of shared texts.
const SHARED_MAX: u64 = 512 << 20;
/// Columns of a sheet.
const COLUMNS_MAX: usize = 500;

/// The file itself, or, of a workbook, its first sheet as CSV under the same name with `.csv`.
pub fn as_csv(path: &Path) -> io::Result<PathBuf> {
    let mut first = [0u8; 4];
    let read = File::open(path)?.read(&mut first)?;
    if read < 4 || first != *b"PK\x03\x04" {
        return Ok(path.to_path_buf());
    }
    let mut zip = zip::ZipArchive::new(BufReader::new(File::open(path)?)).map_err(io::Error::other)?;
    let shared = match zip.by_name("xl/sharedStrings.xml") {
        Ok(part) => shared(&text_of(part, SHARED_MAX)?),
        Err(_) => Vec::new(),
    };
    let names: Vec<String> = zip.file_names().filter_map(Result::ok).map(|n| n.into_owned()).collect();
    let is_sheet = |n: &&String| n.starts_with("xl/worksheets/") && n.ends_with(".xml");
    let first = names
        .iter()
        .filter(is_sheet)
        .min_by_key(|n| (n.len(), n.as_str()))
        .ok_or_else(|| io::Error::other("the workbook has no sheet"))?;
    let text = text_of(zip.by_name(first).map_err(io::Error::other)?, PART_MAX)?;
    let target = PathBuf::from(format!("{}.csv", path.display()));
    let mut out = BufWriter::new(File::create(&target)?);
    sheet(&text, &shared, &mut out)?;
    out.flush()?;
    Ok(target)
}

fn text_of(part: impl Read, most: u64) -> io::Result<String> {
    let mut out = String::new();
    let read = part.take(most + 1).read_to_string(&mut out)?;
    if read as u64 > most { Err(io::Error::other("a part of the workbook is too large")) } else { Ok(out) }
}

/// The shared texts, in their order.
fn shared(xml: &str) -> Vec<String> {
    elements(xml, "si").map(texts).collect()
}

/// The texts within an element, without readings above characters.
fn texts(xml: &str) -> String {
    elements(xml, "t").map(unescaped).collect()
}

/// What stands within each element of a name; elements of that name do not hold each other here.
fn elements<'a>(xml: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    tags(xml, name).map(|(_, body)| body)
}

/// Attributes and body of each element of a name.
fn tags<'a>(xml: &'a str, name: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let (open, close) = (format!("<{name}"), format!("</{name}>"));
    let mut rest = xml;
    std::iter::from_fn(move || {
        loop {
            let at = rest.find(&open)?;
            let after = &rest[at + open.len()..];
            if !after.starts_with([' ', '>', '/', '\n', '\r', '\t']) {
                rest = after;
                continue;
            }
            let end = after.find('>')?;
            let attributes = &after[..end];
            if let Some(attributes) = attributes.strip_suffix('/') {
                rest = &after[end + 1..];
                return Some((attributes, ""));
            }
            let body = &after[end + 1..];
            let stop = body.find(&close)?;
            rest = &body[stop + close.len()..];
            return Some((attributes, &body[..stop]));
        }
    })
}

fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let wanted = format!(" {name}=\"");
    let at = attributes.find(&wanted)? + wanted.len();
    attributes[at..].split('"').next()
}

fn unescaped(text: &str) -> String {
    if !text.contains('&') {
        return text.to_string();
    }
    let named = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&#10;", "\n"),
        ("&#xA;", "\n"),
        ("&amp;", "&"),
    ];
    named.iter().fold(text.to_string(), |t, (from, to)| t.replace(from, to))
}

/// The column of a cell such as `AB12`, from 0.
fn column(reference: &str) -> Option<usize> {
    let letters = reference.bytes().take_while(u8::is_ascii_uppercase);
    let number = letters.fold(0usize, |n, b| n.saturating_mul(26).saturating_add(usize::from(b - b'A') + 1));
    number.checked_sub(1).filter(|n| *n < COLUMNS_MAX)
}

fn sheet(xml: &str, shared: &[String], out: &mut dyn Write) -> io::Result<()> {
    for (_, row) in tags(xml, "row") {
        let mut cells: Vec<String> = Vec::new();
        for (attributes, body) in tags(row, "c") {
            let at = attribute(attributes, "r").map_or(Some(cells.len()), column);
            let Some(at) = at else { continue };
            let raw = || elements(body, "v").next().map(unescaped).unwrap_or_default();
            let value = match attribute(attributes, "t") {
                Some("s") => raw().parse::<usize>().ok().and_then(|n| shared.get(n)).cloned().unwrap_or_default(),
                Some("inlineStr") => texts(body),
                Some("b") => if raw() == "1" { "true" } else { "false" }.to_string(),
                _ => raw(),
            };
            if cells.len() <= at {
                cells.resize(at + 1, String::new());
            }
            cells[at] = value;
        }
        let line: Vec<String> = cells.iter().map(|c| field(c, ',').into_owned()).collect();
        out.write_all(line.join(",").as_bytes())?;
        out.write_all(b"\r\n")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Cell, Column, Type};
    use crate::write::{About, Format, begin};

    #[test]
    fn a_workbook_that_was_written_is_read_back() {
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join("goods.xlsx");
        let columns = ["id", "name"].map(|n| Column::new(n, Type::Text, ""));
        let mut bytes: Vec<u8> = Vec::new();
        let mut rows = begin(Format::Xlsx, &columns, &About::default(), &mut bytes).expect("begins");
        rows.row(&[Cell::Text("a".into()), Cell::Text("Чай, \"чорний\" <1 & 2>".into())]).expect("written");
        rows.row(&[Cell::None, Cell::Text("b".into())]).expect("written");
        rows.finish().expect("ends");
        std::fs::write(&path, &bytes).expect("written");
        let csv = std::fs::read_to_string(as_csv(&path).expect("read")).expect("text");
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(lines[..3], ["id,name", "a,\"Чай, \"\"чорний\"\" <1 & 2>\"", ",b"]);
        assert_eq!(as_csv(&place.path().join("goods.xlsx.csv")).expect("read"), place.path().join("goods.xlsx.csv"));
    }

    #[test]
    fn shared_texts_and_gaps_are_understood() {
        let shared =
            shared("<sst><si><t>one</t></si><si><r><t>t</t></r><r><t xml:space=\"preserve\">wo</t></r></si></sst>");
        let mut out = Vec::new();
        let xml = "<sheetData><row r=\"1\"><c r=\"A1\" t=\"s\"><v>1</v></c><c r=\"C1\"><v>4.5</v></c><c r=\"D1\" t=\"b\"><v>1</v></c></row><row r=\"2\"/></sheetData>";
        sheet(xml, &shared, &mut out).expect("written");
        assert_eq!(String::from_utf8(out).expect("text"), "two,,4.5,true\r\n\r\n");
        assert_eq!((column("A1"), column("AB7"), column("ZZZZ1")), (Some(0), Some(27), None));
    }
}
