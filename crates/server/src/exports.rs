//! Files go out through here: as jobs that read the store in one snapshot ([`drive`]), keep rows on the disk as they come
//! ([`spool`]), and make the file of them at the end ([`pack`]). docs/exports.md tells people what stands in the files.
//!
//! Every file carries a mark that leads back to its line in the audit ([`mark`]); whoever may not see contacts gets them
//! masked; a file goes when its time is over, or when a person in it is erased ([`sweep`]). (ADR 0024)
mod browse;
pub mod drive;
mod events;
pub mod kinds;
mod mark;
mod pack;
mod people;
pub mod spec;
mod spool;
pub mod store;
pub mod sweep;
mod tables;

pub use mark::read as read_mark;

use std::path::{Path, PathBuf};

/// Jobs that take data out.
pub const JOB: &str = "export";

/// Where an export's files lie.
pub fn folder(shop: &Path) -> PathBuf {
    shop.join("exports")
}

/// Where rows wait until the file is made of them.
pub(crate) fn spool_folder(shop: &Path, id: i64) -> PathBuf {
    folder(shop).join(format!("{id}.spool"))
}

/// Which profiles stand in a file, for erasures: see [`sweep`].
pub(crate) fn people_file(shop: &Path, id: i64) -> PathBuf {
    folder(shop).join(format!("{id}.people"))
}

/// Makes a folder that only this user can read.
pub(crate) fn make_folder(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes a file that only this user can read.
pub(crate) fn make_file(path: &Path) -> std::io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path)
}
