//! Rows on the disk until a file is made of them: appended piece by piece, so that an export goes on after a kill where it
//! was, whatever the format of the file.
//!
//! A piece is a frame of zstd; a file of pieces is read as one stream. What was appended after the last piece that the job
//! noted is cut off when it goes on.
use db::DbError;
use db::pack::{Reader, put_bytes, put_i64, put_u64};
use exchange::table::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// A row that is longer is damage.
const ROW_MAX: usize = 64 << 20;

/// A row and whom it is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// Profiles and people; empty for nobody.
    pub people: Vec<i64>,
    pub cells: Vec<Cell>,
}

impl Row {
    /// A row about some people.
    pub fn of(people: &[i64], cells: Vec<Cell>) -> Self {
        let mut people: Vec<i64> = people.iter().copied().filter(|p| *p > 0).collect();
        people.sort_unstable();
        people.dedup();
        Self { people, cells }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_u64(out, self.people.len() as u64);
        self.people.iter().for_each(|p| put_u64(out, *p as u64));
        put_u64(out, self.cells.len() as u64);
        for cell in &self.cells {
            match cell {
                Cell::None => out.push(0),
                Cell::Text(text) => {
                    out.push(1);
                    put_bytes(out, text.as_bytes());
                }
                Cell::Int(n) => {
                    out.push(2);
                    put_i64(out, *n);
                }
                Cell::Decimal(n) => {
                    out.push(3);
                    out.extend_from_slice(&n.billionths().to_le_bytes());
                }
                Cell::Bool(b) => out.push(if *b { 5 } else { 4 }),
                Cell::Time(at) => {
                    out.push(6);
                    put_i64(out, at.micros());
                }
                Cell::Json(text) => {
                    out.push(7);
                    put_bytes(out, text.as_bytes());
                }
            }
        }
    }

    fn decode(bytes: &[u8]) -> Result<Self, DbError> {
        let mut reader = Reader::new(bytes);
        let mut row = Self::default();
        for _ in 0..reader.u64()? {
            row.people.push(reader.u64()? as i64);
        }
        for _ in 0..reader.u64()? {
            row.cells.push(match reader.u8()? {
                0 => Cell::None,
                1 => Cell::Text(reader.str()?.into()),
                2 => Cell::Int(reader.i64()?),
                3 => Cell::Decimal(base::Decimal::from_billionths(reader.u128()? as i128)),
                4 => Cell::Bool(false),
                5 => Cell::Bool(true),
                6 => Cell::Time(base::Timestamp::from_micros(reader.i64()?)),
                7 => Cell::Json(reader.str()?.into()),
                other => return Err(DbError::damaged("an export's rows", format!("{other} is no kind of value"))),
            });
        }
        Ok(row)
    }
}

/// Appends pieces.
pub struct Spool {
    file: File,
    bytes: u64,
}

impl Spool {
    /// Opens the rows of a section at the length that the job noted; `None` when less than that is there, and reading has to
    /// begin again.
    pub fn open(path: &Path, noted: u64) -> io::Result<Option<Self>> {
        use std::os::unix::fs::OpenOptionsExt;
        let mut file = std::fs::OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
        if file.metadata()?.len() < noted {
            return Ok(None);
        }
        file.set_len(noted)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Some(Self { file, bytes: noted }))
    }
    /// Appends a piece; gives the length with it.
    pub fn append(&mut self, rows: &[Row]) -> io::Result<u64> {
        let (mut raw, mut one) = (Vec::new(), Vec::new());
        for row in rows {
            one.clear();
            row.encode(&mut one);
            raw.extend_from_slice(&(one.len() as u32).to_le_bytes());
            raw.extend_from_slice(&one);
        }
        let packed = zstd::bulk::compress(&raw, 1)?;
        self.file.write_all(&packed)?;
        self.bytes += packed.len() as u64;
        Ok(self.bytes)
    }
    /// Makes what was appended outlast a power cut.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// Reads rows back.
pub struct Rows {
    input: zstd::stream::read::Decoder<'static, BufReader<File>>,
    bytes: Vec<u8>,
}

impl Rows {
    /// The rows of a section.
    pub fn open(path: &Path) -> io::Result<Self> {
        let input = zstd::stream::read::Decoder::new(File::open(path)?)?;
        Ok(Self { input, bytes: Vec::new() })
    }
    /// The next row; `None` at the end.
    pub fn next_row(&mut self) -> io::Result<Option<Row>> {
        let mut length = [0u8; 4];
        match self.input.read_exact(&mut length) {
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        }
        let length = u32::from_le_bytes(length) as usize;
        if length > ROW_MAX {
            return Err(io::Error::other("a row of the export is damaged"));
        }
        self.bytes.resize(length, 0);
        self.input.read_exact(&mut self.bytes)?;
        Row::decode(&self.bytes).map(Some).map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cell() -> impl Strategy<Value = Cell> {
        prop_oneof![
            Just(Cell::None),
            any::<String>().prop_map(Cell::Text),
            any::<i64>().prop_map(Cell::Int),
            any::<i128>().prop_map(|n| Cell::Decimal(base::Decimal::from_billionths(n))),
            any::<bool>().prop_map(Cell::Bool),
            any::<i64>().prop_map(|n| Cell::Time(base::Timestamp::from_micros(n))),
            any::<String>().prop_map(Cell::Json),
        ]
    }

    proptest! {
        #[test]
        fn rows_come_back_and_a_cut_is_noticed(
            rows in proptest::collection::vec((proptest::collection::vec(1i64..1000, 0..4), proptest::collection::vec(cell(), 0..6)), 1..20),
        ) {
            let rows: Vec<Row> = rows.into_iter().map(|(people, cells)| Row::of(&people, cells)).collect();
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("rows");
            let mut spool = Spool::open(&path, 0).expect("opens").expect("it is new");
            let half = rows.len() / 2;
            let noted = spool.append(&rows[..half]).expect("appends");
            spool.append(&rows[half..]).expect("appends");
            // A kill came before the second piece was noted.
            let mut spool = Spool::open(&path, noted).expect("opens").expect("it is long enough");
            spool.append(&rows[half..]).expect("appends");
            let (mut read, mut found) = (Rows::open(&path).expect("opens"), Vec::new());
            while let Some(row) = read.next_row().expect("reads") {
                found.push(row);
            }
            prop_assert_eq!(found, rows);
            prop_assert!(Spool::open(&path, 1 << 40).expect("opens").is_none());
        }
    }
}
