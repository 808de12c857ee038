//! Files that come through the API: in pieces, so that a lost connection costs one piece, into the shop's folder.
use crate::problem::{BAD_INPUT, CONFLICT, NOT_FOUND, Problem, TOO_LARGE, internal};
use serde::{Deserialize, Serialize};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The largest file, in bytes.
pub const FILE_MAX: u64 = 20 << 30;
/// The largest piece of one.
pub const PIECE_MAX: usize = 16 << 20;
/// Most files that lie in the folder.
const FILES_MAX: usize = 200;

/// A file on its way or whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Upload {
    /// Its number in addresses.
    pub id: String,
    /// As it was called where it came from.
    pub name: String,
    /// Bytes of the whole file.
    pub size: u64,
    /// Bytes that are here; the next piece begins there.
    pub received: u64,
    /// SHA-256 of the whole file in hexadecimal, if the sender said it: then it is checked.
    pub sha256: Option<String>,
}

/// The folder of uploads.
#[derive(Debug, Clone)]
pub struct Uploads {
    folder: PathBuf,
}

impl Uploads {
    /// Uploads of a shop.
    pub fn new(shop: &Path) -> Self {
        Self { folder: shop.join("uploads") }
    }
    fn note(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }
    /// Where the bytes of a file lie.
    pub fn path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.data"))
    }

    /// Announces a file.
    pub fn create(&self, name: &str, size: u64, sha256: Option<String>) -> Result<Upload, Problem> {
        let name: String = name.trim().chars().filter(|c| !c.is_control()).take(200).collect();
        if name.is_empty() {
            return Err(BAD_INPUT.at("/name", "a file has a name"));
        }
        if size == 0 {
            return Err(BAD_INPUT.at("/size", "the file is empty"));
        }
        if size > FILE_MAX {
            return Err(TOO_LARGE.because(format!("a file has at most {} GiB", FILE_MAX >> 30)));
        }
        if sha256.as_ref().is_some_and(|s| s.len() != 64 || !s.bytes().all(|b| b.is_ascii_hexdigit())) {
            return Err(BAD_INPUT.at("/sha256", "64 hexadecimal digits"));
        }
        std::fs::create_dir_all(&self.folder).map_err(|e| internal(&e))?;
        if std::fs::read_dir(&self.folder).map_err(|e| internal(&e))?.count() >= 2 * FILES_MAX {
            return Err(CONFLICT.because(format!("{FILES_MAX} uploads lie here already; delete some")));
        }
        let id: String = base::random_token().chars().filter(char::is_ascii_alphanumeric).take(20).collect();
        let sha256 = sha256.map(|s| s.to_ascii_lowercase());
        let upload = Upload { id, name, size, received: 0, sha256 };
        std::fs::File::create(self.path(&upload.id)).map_err(|e| internal(&e))?;
        self.keep(&upload)?;
        Ok(upload)
    }

    fn keep(&self, upload: &Upload) -> Result<(), Problem> {
        let text = serde_json::to_string(upload).map_err(|e| internal(&e))?;
        std::fs::write(self.note(&upload.id), text).map_err(|e| internal(&e))
    }

    /// A file by its number, with what is here of it.
    pub fn find(&self, id: &str) -> Result<Upload, Problem> {
        let gone = || NOT_FOUND.because("there is no such upload");
        if id.is_empty() || id.len() > 40 || !id.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(gone());
        }
        let text = std::fs::read_to_string(self.note(id)).map_err(|_| gone())?;
        let mut upload: Upload = serde_json::from_str(&text).map_err(|e| internal(&e))?;
        upload.received = std::fs::metadata(self.path(id)).map_err(|_| gone())?.len();
        Ok(upload)
    }

    /// Adds a piece that begins at `offset`; the last one checks the whole.
    pub fn append(&self, id: &str, offset: u64, piece: &[u8]) -> Result<Upload, Problem> {
        let mut upload = self.find(id)?;
        if offset != upload.received {
            return Err(CONFLICT.because(format!("the next piece begins at byte {}", upload.received)));
        }
        if offset + piece.len() as u64 > upload.size {
            return Err(BAD_INPUT.because(format!("the file was announced with {} bytes", upload.size)));
        }
        let mut file = std::fs::OpenOptions::new().write(true).open(self.path(id)).map_err(|e| internal(&e))?;
        file.seek(SeekFrom::Start(offset)).and_then(|_| file.write_all(piece)).map_err(|e| internal(&e))?;
        file.sync_data().map_err(|e| internal(&e))?;
        upload.received += piece.len() as u64;
        if upload.received == upload.size
            && let Some(expected) = &upload.sha256
        {
            let found = whole(&self.path(id)).map_err(|e| internal(&e))?;
            if found != *expected {
                let file = std::fs::OpenOptions::new().write(true).open(self.path(id));
                file.and_then(|f| f.set_len(0)).map_err(|e| internal(&e))?;
                return Err(BAD_INPUT.at("/sha256", format!("the bytes that came have {found}; send the file again")));
            }
        }
        Ok(upload)
    }

    /// A file that is whole.
    pub fn complete(&self, id: &str) -> Result<(Upload, PathBuf), Problem> {
        let upload = self.find(id)?;
        if upload.received < upload.size {
            return Err(CONFLICT.because(format!("{} of {} bytes are here", upload.received, upload.size)));
        }
        let path = self.path(id);
        Ok((upload, path))
    }

    /// Forgets a file.
    pub fn delete(&self, id: &str) -> Result<(), Problem> {
        self.find(id)?;
        std::fs::remove_file(self.note(id)).and_then(|()| std::fs::remove_file(self.path(id))).map_err(|e| internal(&e))
    }
}

fn whole(path: &Path) -> std::io::Result<String> {
    use sha2::{Digest, Sha256};
    use std::io::Read;
    let (mut file, mut hash, mut buffer) = (std::fs::File::open(path)?, Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(crate::secrets::hex(&hash.finalize())),
            n => hash.update(&buffer[..n]),
        }
    }
}
