//! XLSX: one sheet, written as it comes, texts inside the cells, so that memory stays small however long the list is.
use super::{About, Rows};
use crate::table::{Cell, Column};
use std::io::{self, Write};
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

/// Rows that a sheet holds, the one with the names not counted.
pub const ROWS_MAX: u64 = 1_048_575;
/// Characters that a cell holds; a longer text is cut and ends in an ellipsis.
const CELL_MAX: usize = 32_767;

const TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/><Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>"#;
const RELS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" Target="docProps/core.xml"/></Relationships>"#;
const WORKBOOK: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Braid" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
const WORKBOOK_RELS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#;
const STYLES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><fonts count="2"><font/><font><b/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf/><xf fontId="1" applyFont="1"/></cellXfs></styleSheet>"#;
const SHEET: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>"#;

type Zip<'a> = ZipWriter<StreamWriter<&'a mut (dyn Write + Send)>>;

pub struct Xlsx<'a> {
    zip: Zip<'a>,
    rows: u64,
    line: String,
}

fn failed(error: zip::result::ZipError) -> io::Error {
    match error {
        zip::result::ZipError::Io(error) => error,
        other => io::Error::other(other),
    }
}

fn part(zip: &mut Zip<'_>, name: &str, text: &str) -> io::Result<()> {
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).large_file(true);
    zip.start_file(name, options).map_err(failed)?;
    zip.write_all(text.as_bytes())
}

/// Text as XML takes it: what may not stand in XML at all becomes U+FFFD.
fn escaped(text: &str, out: &mut String) {
    let cut = text.char_indices().nth(CELL_MAX).map(|_| text.char_indices().nth(CELL_MAX - 1).map_or(0, |(at, _)| at));
    for c in text[..cut.unwrap_or(text.len())].chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'.. => out.push(c),
            _ => out.push('\u{fffd}'),
        }
    }
    if cut.is_some() {
        out.push('…');
    }
}

fn text_cell(text: &str, bold: bool, out: &mut String) {
    out.push_str(if bold { "<c t=\"inlineStr\" s=\"1\">" } else { "<c t=\"inlineStr\">" });
    out.push_str("<is><t xml:space=\"preserve\">");
    escaped(text, out);
    out.push_str("</t></is></c>");
}

impl<'a> Xlsx<'a> {
    pub fn begin(out: &'a mut (dyn Write + Send), columns: &[Column], about: &About) -> io::Result<Self> {
        let mut zip = ZipWriter::new_stream(out);
        let mut core = String::from(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<cp:coreProperties \
             xmlns:cp=\"http://schemas.openxmlformats.org/package/2006/metadata/core-properties\" \
             xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><dc:creator>Braid</dc:creator><cp:keywords>",
        );
        let words: Vec<String> = about.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        escaped(&words.join(" "), &mut core);
        core.push_str("</cp:keywords></cp:coreProperties>");
        for (name, text) in [
            ("[Content_Types].xml", TYPES),
            ("_rels/.rels", RELS),
            ("docProps/core.xml", &*core),
            ("xl/workbook.xml", WORKBOOK),
            ("xl/_rels/workbook.xml.rels", WORKBOOK_RELS),
            ("xl/styles.xml", STYLES),
            ("xl/worksheets/sheet1.xml", SHEET),
        ] {
            part(&mut zip, name, text)?;
        }
        let mut line = String::from("<row>");
        columns.iter().for_each(|c| text_cell(&c.name, true, &mut line));
        line.push_str("</row>");
        zip.write_all(line.as_bytes())?;
        Ok(Self { zip, rows: 0, line })
    }
}

impl Rows for Xlsx<'_> {
    fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        self.rows += 1;
        if self.rows > ROWS_MAX {
            return Err(io::Error::other(format!("a sheet holds {ROWS_MAX} rows; take CSV, NDJSON or Parquet")));
        }
        self.line.clear();
        self.line.push_str("<row>");
        for cell in cells {
            match cell {
                Cell::None => self.line.push_str("<c/>"),
                // Beyond 15 digits a spreadsheet rounds: ids stay texts.
                Cell::Int(n) if n.unsigned_abs() < 1_000_000_000_000_000 => {
                    self.line.push_str(&format!("<c><v>{n}</v></c>"));
                }
                Cell::Decimal(n) => self.line.push_str(&format!("<c><v>{n}</v></c>")),
                Cell::Bool(b) => self.line.push_str(&format!("<c t=\"b\"><v>{}</v></c>", u8::from(*b))),
                other => text_cell(&other.shown(), false, &mut self.line),
            }
        }
        self.line.push_str("</row>");
        self.zip.write_all(self.line.as_bytes())
    }
    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.zip.write_all(b"</sheetData></worksheet>")?;
        self.zip.finish().map_err(failed)?.into_inner().flush()
    }
}
