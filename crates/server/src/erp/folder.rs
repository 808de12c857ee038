//! What the other side uploads: a folder an exchange, under the shop's own, where no address leads.
use super::protocol::{archive_name, clean_name};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Bytes of one exchange, packed or not.
const BYTES_MAX: u64 = 16 << 30;
/// Files of one exchange.
const FILES_MAX: u64 = 200_000;
/// An archive does not grow more than so many times.
const GROWTH_MAX: u64 = 200;

/// Why a file was not kept.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("{0}")]
    Refused(String),
    #[error("the file cannot be kept: {0}")]
    Io(#[from] io::Error),
}

fn refused(what: impl Into<String>) -> FolderError {
    FolderError::Refused(what.into())
}

/// The working folder of an exchange.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Of an exchange; made with its first file.
    pub fn new(shop: &Path, connection: i64, exchange: i64) -> Self {
        Self { path: Self::of_connection(shop, connection).join(exchange.to_string()) }
    }
    /// Of all exchanges of a connection.
    pub fn of_connection(shop: &Path, connection: i64) -> PathBuf {
        shop.join("erp").join(connection.to_string())
    }
    /// Empties it.
    pub fn wipe(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }
    /// Where a file lies; `None` for names that lead out of the folder.
    pub fn place(&self, name: &str) -> Option<PathBuf> {
        clean_name(name).map(|name| self.path.join(name))
    }

    /// Adds bytes to a file: the same name again in an exchange is its next piece. A piece that begins like a new XML file begins
    /// the file anew. Gives the file's length.
    pub fn append(&self, name: &str, bytes: &[u8], anew: bool) -> Result<u64, FolderError> {
        let place = self.place(name).ok_or_else(|| refused("the name of the file cannot be used here"))?;
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent)?;
        }
        let body = bytes.strip_prefix(exchange::encoding::MARK).unwrap_or(bytes);
        let anew = anew || body.starts_with(b"<?xml");
        let mut file = OpenOptions::new().create(true).append(!anew).write(true).truncate(anew).open(&place)?;
        file.write_all(bytes)?;
        file.sync_data()?;
        let length = file.metadata()?.len();
        if length > BYTES_MAX {
            return Err(refused(format!("an exchange has at most {} GiB", BYTES_MAX >> 30)));
        }
        Ok(length)
    }

    /// Unpacks archives that were not unpacked yet; `told` says how many files came out, and may stop it. A kill in the middle
    /// makes it begin again with that archive.
    pub fn unpack(&self, told: &mut dyn FnMut(u64) -> bool) -> Result<bool, FolderError> {
        let entries = match fs::read_dir(&self.path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(true),
            other => other?,
        };
        let mut archives: Vec<PathBuf> = Vec::new();
        for entry in entries {
            let path = entry?.path();
            let named = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("zip"));
            if path.is_file() && (named || is_archive(&path)?) {
                archives.push(path);
            }
        }
        archives.sort();
        let mut count = 0;
        for archive in archives {
            if !self.unpack_one(&archive, &mut count, told)? {
                return Ok(false);
            }
            fs::remove_file(&archive)?;
        }
        Ok(true)
    }

    fn unpack_one(&self, path: &Path, count: &mut u64, told: &mut dyn FnMut(u64) -> bool) -> Result<bool, FolderError> {
        let damaged = |e: &dyn std::fmt::Display| refused(format!("the archive cannot be read, send it again: {e}"));
        let packed = fs::metadata(path)?.len();
        let mut archive = zip::ZipArchive::new(io::BufReader::new(File::open(path)?)).map_err(|e| damaged(&e))?;
        if archive.len() as u64 + *count > FILES_MAX {
            return Err(refused(format!("an exchange has at most {FILES_MAX} files")));
        }
        let mut left = BYTES_MAX.min(packed.saturating_mul(GROWTH_MAX).max(64 << 20));
        for at in 0..archive.len() {
            let mut entry = archive.by_index(at).map_err(|e| damaged(&e))?;
            let name = archive_name(entry.name_raw());
            if entry.is_dir() || name.ends_with(['/', '\\']) {
                continue;
            }
            // A name that leads out of the folder is somebody's attempt, not somebody's mistake.
            let place = self.place(&name).ok_or_else(|| refused(format!("the archive holds the name {name:?}")))?;
            if let Some(parent) = place.parent() {
                fs::create_dir_all(parent)?;
            }
            let mut out = File::create(&place)?;
            let copied = io::copy(&mut (&mut entry).take(left + 1), &mut out).map_err(|e| damaged(&e))?;
            if copied > left {
                return Err(refused("the archive unpacks to more than is taken"));
            }
            left -= copied;
            *count += 1;
            if !told(*count) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn is_archive(path: &Path) -> io::Result<bool> {
    let mut head = [0u8; 4];
    let mut file = File::open(path)?;
    let read = file.read(&mut head)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(read == 4 && head == *b"PK\x03\x04")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            out.start_file(*name, zip::write::SimpleFileOptions::default()).expect("memory");
            out.write_all(bytes).expect("memory");
        }
        out.finish().expect("memory").into_inner()
    }

    #[test]
    fn an_archive_comes_in_pieces_cut_anywhere() {
        let shop = tempfile::tempdir().expect("a folder");
        let folder = Folder::new(shop.path(), 1, 2);
        let bytes = archive(&[("import.xml", "<a>Хмара</a>".as_bytes()), ("import_files\\a\\x.jpg", b"jpg")]);
        for piece in bytes.chunks(7) {
            folder.append("v8_3B8F_3e.zip", piece, false).expect("it is kept");
        }
        assert!(folder.unpack(&mut |_| true).expect("it is whole"));
        let read = |name: &str| fs::read(folder.place(name).expect("a name")).expect("it is there");
        assert_eq!(read("import.xml"), "<a>Хмара</a>".as_bytes());
        assert_eq!(read("import_files/a/x.jpg"), b"jpg");
        folder.append("import.xml", b"<?xml?>", false).expect("it is kept");
        assert_eq!(read("import.xml"), b"<?xml?>", "a new file of a name begins anew");
        folder.wipe().expect("it is emptied");
        assert!(folder.unpack(&mut |_| true).expect("nothing is there"));
    }

    #[test]
    fn archives_that_harm_are_refused() {
        let shop = tempfile::tempdir().expect("a folder");
        let folder = Folder::new(shop.path(), 1, 2);
        folder.append("a.zip", &archive(&[("../../../etc/x", b"x")]), false).expect("it is kept");
        assert!(folder.unpack(&mut |_| true).expect_err("slips").to_string().contains("etc/x"));
        folder.wipe().expect("emptied");
        let whole = archive(&[("import.xml", &[b'x'; 4000])]);
        folder.append("a.zip", &whole[..whole.len() - 9], false).expect("it is kept");
        assert!(folder.unpack(&mut |_| true).expect_err("cut").to_string().contains("send it again"));
        folder.wipe().expect("emptied");
        folder.append("a.zip", &archive(&[("bomb.xml", &vec![b' '; 80 << 20])]), false).expect("it is kept");
        assert!(folder.unpack(&mut |_| true).expect_err("a bomb").to_string().contains("more than is taken"));
        assert!(folder.append("../x", b"x", false).is_err());
    }
}
