//! Rows that lie on the disk become the file: marked, in the order that carries the mark, without whoever was erased
//! meanwhile. It may be begun again after a kill, for it reads nothing but the rows.
use super::kinds::{self, Kind};
use super::mark::{self, Pairs};
use super::spec::Spec;
use super::spool::{Row, Rows as Spooled};
use super::store::Made;
use super::{folder, make_file, people_file, spool_folder};
use crate::secrets::hex;
use base::Timestamp;
use exchange::table::{Cell, Column};
use exchange::write::{self, About, Format, Rows};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// A writer that counts and sums up what goes through.
struct Summed<W> {
    out: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Summed<W> {
    fn new(out: W) -> Self {
        Self { out, hash: Sha256::new(), bytes: 0 }
    }
    fn sum(&self) -> (u64, String) {
        (self.bytes, hex(&self.hash.clone().finalize()))
    }
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let n = self.out.write(buf)?;
        self.hash.update(&buf[..n]);
        self.bytes += n as u64;
        Ok(n)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Which profiles stand in a file: a bit each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People(Vec<u64>);

impl People {
    pub fn add(&mut self, profile: i64) {
        let (word, bit) = ((profile as u64 / 64) as usize, profile as u64 % 64);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << bit;
    }
    pub fn holds(&self, profile: i64) -> bool {
        profile > 0 && self.0.get((profile as u64 / 64) as usize).is_some_and(|w| w >> (profile as u64 % 64) & 1 == 1)
    }
    /// Writes it beside the file.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let raw: Vec<u8> = self.0.iter().flat_map(|w| w.to_le_bytes()).collect();
        let mut file = make_file(path)?;
        file.write_all(&zstd::encode_all(&*raw, 1)?)?;
        file.sync_data()
    }
    /// Reads it back.
    pub fn load(path: &Path) -> io::Result<Self> {
        let raw = zstd::decode_all(std::fs::File::open(path)?)?;
        Ok(Self(raw.as_chunks::<8>().0.iter().map(|b| u64::from_le_bytes(*b)).collect()))
    }
}

/// How making a file ended.
#[derive(Debug)]
pub enum Packed {
    Made(Made),
    Interrupted,
}

/// What goes into every section's file.
struct Packing<'a> {
    shop: &'a Path,
    spec: &'a Spec,
    now: Timestamp,
    erased: &'a HashSet<i64>,
    stop: &'a AtomicBool,
    people: People,
}

/// Makes the file of an export. `erased`: profiles of people who were erased.
pub fn pack(shop: &Path, spec: &Spec, now: Timestamp, erased: &HashSet<i64>, stop: &AtomicBool) -> io::Result<Packed> {
    let end = if spec.kind == Kind::Everything { "zip" } else { spec.format.as_str() };
    let name = format!("{}.{end}", spec.export);
    let (path, part) = (folder(shop).join(&name), folder(shop).join(format!("{name}.part")));
    let mut packing = Packing { shop, spec, now, erased, stop, people: People::default() };
    let mut out = Summed::new(BufWriter::with_capacity(1 << 20, make_file(&part)?));
    let rows = if spec.kind == Kind::Everything {
        packing.archive(&mut out)?
    } else {
        packing.section(spec.kind, &mut out)?
    };
    let Some(rows) = rows else { return Ok(Packed::Interrupted) };
    out.flush()?;
    let (bytes, sha256) = out.sum();
    out.out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    packing.people.save(&people_file(shop, spec.export))?;
    std::fs::rename(&part, &path)?;
    Ok(Packed::Made(Made { file: name, rows: rows as i64, bytes: bytes as i64, sha256 }))
}

/// Names of the person who is nobody.
const NAMES: [(&str, &str); 4] = [("Olena", "Koval"), ("Andrii", "Bondar"), ("Iryna", "Tkach"), ("Taras", "Melnyk")];

/// The row that is nobody.
fn canary(columns: &[Column], address: &str, spec: &Spec, now: Timestamp) -> Vec<Cell> {
    let (first, last) = NAMES[(mark::number(&spec.mark) >> 32) as usize % NAMES.len()];
    let one = |column: &Column| match column.name.as_str() {
        name if name == address => Cell::text(spec.canary.as_str()),
        kinds::MARK => Cell::text(spec.mark.as_str()),
        "name" => Cell::text(format!("{first} {last}")),
        "first_name" => Cell::text(first),
        "last_name" => Cell::text(last),
        "channel" => Cell::text("email"),
        "purpose" => Cell::text("marketing"),
        "state" => Cell::text("granted"),
        "type" => Cell::text("track"),
        "event" => Cell::text("Product Viewed"),
        "time" => Cell::Time(now),
        _ => Cell::None,
    };
    columns.iter().map(one).collect()
}

impl Packing<'_> {
    fn about(&self) -> About {
        let spec = self.spec;
        About(
            [
                ("braid.export", spec.export.to_string()),
                ("braid.mark", spec.mark.clone()),
                ("braid.by", spec.actor.clone()),
                ("braid.at", self.now.to_string()),
            ]
            .map(|(name, value)| (name.to_string(), value))
            .to_vec(),
        )
    }

    /// Writes one section as a file; gives its rows, `None` when told to stop.
    fn section(&mut self, kind: Kind, out: &mut (dyn Write + Send)) -> io::Result<Option<u64>> {
        let columns = kinds::columns(kind, &self.spec.chosen);
        let mark = mark::number(&self.spec.mark);
        let path = spool_folder(self.shop, self.spec.export).join(kind.as_str());
        let mut spooled = Spooled::open(&path)?;
        let preset = self.spec.chosen.format();
        let mut file = match preset {
            Some(preset) => write::plain(&columns, preset.delimiter, out)?,
            None => write::begin(self.spec.format, &columns, &self.about(), out)?,
        };
        let (mut pairs, mut rows) = (Pairs::default(), 0u64);
        // In a masked file an address that can be read would be seen at once, and nobody can write to any.
        let address = kind.canary_column().filter(|name| columns.iter().any(|c| c.name == *name));
        let nobody =
            address.filter(|_| self.spec.contacts).map(|address| canary(&columns, address, self.spec, self.now));
        let nobody_at = mark::place(mark, 1000);
        let mut placed = false;
        let mut write = |file: &mut Box<dyn Rows + '_>, row: Row, rows: &mut u64| -> io::Result<()> {
            if let Some(nobody) = nobody.as_ref().filter(|_| *rows == nobody_at && !placed) {
                file.row(nobody)?;
                placed = true;
            }
            let mut cells = row.cells;
            if preset.is_none() {
                cells.push(Cell::text(self.spec.mark.as_str()));
            }
            *rows += 1;
            file.row(&cells)
        };
        // Only people's rows come in the order of a number that a reader can see.
        let ordered = kind == Kind::Customers;
        while let Some(row) = spooled.next_row()? {
            if row.people.iter().any(|p| self.erased.contains(p)) {
                continue;
            }
            row.people.iter().for_each(|p| self.people.add(*p));
            if rows.is_multiple_of(4096) && self.stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            if !ordered {
                write(&mut file, row, &mut rows)?;
            } else if let Some(pair) = pairs.take(mark, row) {
                for row in pair {
                    write(&mut file, row, &mut rows)?;
                }
            }
        }
        if let Some(row) = pairs.rest() {
            write(&mut file, row, &mut rows)?;
        }
        if let Some(nobody) = nobody.filter(|_| !placed && rows > 0) {
            file.row(&nobody)?;
        }
        file.finish()?;
        Ok(Some(rows))
    }

    fn archive(&mut self, out: &mut (dyn Write + Send)) -> io::Result<Option<u64>> {
        let failed = |e: zip::result::ZipError| match e {
            zip::result::ZipError::Io(e) => e,
            other => io::Error::other(other),
        };
        let mut zip = zip::ZipWriter::new_stream(out);
        let packed = self.spec.format == Format::Parquet;
        let method = if packed { zip::CompressionMethod::Stored } else { zip::CompressionMethod::Deflated };
        let options = zip::write::SimpleFileOptions::default().large_file(true);
        let (mut all, mut files) = (0, Vec::new());
        for kind in self.spec.kind.sections() {
            let name = format!("{}.{}", kind.as_str(), self.spec.format.as_str());
            zip.start_file(name.as_str(), options.compression_method(method)).map_err(failed)?;
            let mut summed = Summed::new(&mut zip);
            let Some(rows) = self.section(kind, &mut summed)? else { return Ok(None) };
            let (bytes, sha256) = summed.sum();
            all += rows;
            files.push(json!({"file": name, "kind": kind.as_str(), "about": kind.doc(), "rows": rows, "bytes": bytes,
                "sha256": sha256, "columns": kinds::columns(kind, &self.spec.chosen)}));
        }
        let manifest = self.manifest(all, files);
        let text = serde_json::to_string_pretty(&manifest).map_err(io::Error::other)?;
        for (name, text) in [("manifest.json", text.as_str()), ("README.md", include_str!("everything.md"))] {
            zip.start_file(name, options).map_err(failed)?;
            zip.write_all(text.as_bytes())?;
        }
        zip.finish().map_err(failed)?;
        Ok(Some(all))
    }

    fn manifest(&self, rows: u64, files: Vec<Value>) -> Value {
        let spec = self.spec;
        json!({"braid": env!("CARGO_PKG_VERSION"), "export_id": spec.export.to_string(), "made_at": self.now, "made_by": spec.actor,
            "mark": spec.mark, "contacts": if spec.contacts { "plain" } else { "masked" }, "format": spec.format.as_str(),
            "rows": rows, "files": files})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_found_again() {
        let mut people = People::default();
        [1, 63, 64, 5_000].into_iter().for_each(|p| people.add(p));
        let folder = tempfile::tempdir().expect("a folder");
        people.save(&folder.path().join("p")).expect("saves");
        let read = People::load(&folder.path().join("p")).expect("loads");
        assert_eq!(read, people);
        assert_eq!(
            [0, 1, 2, 63, 64, 65, 5_000, 9_999_999, -1].map(|p| read.holds(p)),
            [false, true, false, true, true, false, true, false, false]
        );
    }
}
