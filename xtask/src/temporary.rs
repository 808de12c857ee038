//! Folders that vanish with their guard, and those that a killed run left behind.

use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};

static NEXT: AtomicUsize = AtomicUsize::new(0);

/// A memory file system with less room than this is left alone: containers often have a tiny one.
const MEMORY_MIN: u64 = 4 << 30;

/// A private folder with a short path (a socket's address holds about 100 bytes), removed on drop.
pub struct TemporaryFolder {
    path: PathBuf,
}

impl TemporaryFolder {
    /// Makes `/tmp/braid-KIND-PID-N`.
    pub fn new(kind: &str) -> Result<TemporaryFolder> {
        Self::within(&parent(), kind)
    }

    /// As [`TemporaryFolder::new`], in memory where the machine has room for it: for what makes thousands of files and need
    /// not survive anything.
    pub fn in_memory(kind: &str) -> Result<TemporaryFolder> {
        let memory = Path::new("/dev/shm");
        let roomy = free_bytes(memory).is_some_and(|free| free >= MEMORY_MIN);
        Self::within(if roomy { memory } else { Path::new("/tmp") }, kind).or_else(|_| Self::new(kind))
    }

    fn within(parent: &Path, kind: &str) -> Result<TemporaryFolder> {
        remove_left_behind(parent);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("braid-{kind}-{}-{number}", std::process::id()));
        fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        let folder = TemporaryFolder { path };
        private(&folder.path)?;
        Ok(folder)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            eprintln!("warning: cannot remove {}: {error}", self.path.display());
        }
    }
}

fn parent() -> PathBuf {
    let short = PathBuf::from("/tmp");
    if short.is_dir() { short } else { std::env::temp_dir() }
}

fn free_bytes(path: &Path) -> Option<u64> {
    let path = CString::new(path.as_os_str().as_bytes()).ok()?;
    // SAFETY: all zeroes is a value of this plain structure, which the call fills.
    let mut found: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: both point to what lives through the call; the path ends with a zero.
    let known = unsafe { libc::statvfs(path.as_ptr(), &raw mut found) } == 0;
    #[allow(clippy::unnecessary_cast, reason = "their widths differ between systems")]
    known.then(|| (found.f_bavail as u64).saturating_mul(found.f_frsize as u64))
}

fn private(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
        .with_context(|| format!("cannot change the mode of {}", path.display()))
}

/// Removes folders whose maker is gone without having run its guards (SIGKILL, power).
fn remove_left_behind(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(maker) = name.to_str().and_then(maker_of) else {
            continue;
        };
        // SAFETY: signal 0 only asks whether the process exists.
        let gone = unsafe { libc::kill(maker, 0) } == -1
            && std::io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH);
        if gone {
            // Somebody else's folder cannot be removed by us, and need not be.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The process id in `braid-KIND-PID-N`.
fn maker_of(name: &str) -> Option<libc::pid_t> {
    let mut parts = name.strip_prefix("braid-")?.split('-');
    let (_kind, pid, number) = (parts.next()?, parts.next()?, parts.next()?);
    number.parse::<usize>().ok()?;
    if parts.next().is_some() {
        return None;
    }
    pid.parse().ok().filter(|pid| *pid > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_ours_have_a_maker() {
        assert_eq!(maker_of("braid-pg-1234-0"), Some(1234));
        assert_eq!(maker_of("braid-pg-1234-0-more"), None);
        assert_eq!(maker_of("braid-pg-x-0"), None);
        assert_eq!(maker_of("braid-1234"), None);
        assert_eq!(maker_of("systemd-pg-1234-0"), None);
    }

    #[test]
    fn the_folder_vanishes_with_its_guard() {
        for make in [TemporaryFolder::new, TemporaryFolder::in_memory] {
            let folder = make("test").expect("a temporary folder");
            let path = folder.path().to_path_buf();
            fs::write(path.join("file"), "text").expect("writes");
            drop(folder);
            assert!(!path.exists());
        }
    }

    #[test]
    fn free_room_is_known_of_what_is_there() {
        assert!(free_bytes(Path::new("/tmp")).is_some());
        assert_eq!(free_bytes(Path::new("/no/such/folder")), None);
    }
}
