//! A file system layer for SQLite that knows what was synced, and can take back what was not.
//!
//! A `kill -9` does not test durability: the page cache survives it. This layer sits on the real one, remembers what every
//! write since the last sync of its file replaced, and [`power_cut`] puts it back: all of it, or a torn part. A test that
//! acknowledges before the sync loses data here.
#![allow(unsafe_code, reason = "SQLite's interface for file systems is C")]
use base::Rng;
use rusqlite::ffi;
use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, Once, OnceLock, PoisonError};

/// The layer's name, for [`crate::Location::Sqlite`].
pub const NAME: &str = "braid-counting";

/// What one write replaced.
struct Undo {
    offset: u64,
    /// The bytes that stood there, as far as the file reached.
    before: Vec<u8>,
    /// Length of the write.
    length: u64,
    /// Length of the file before it.
    file_length: u64,
}

#[derive(Default)]
struct FileLog {
    unsynced: Vec<Undo>,
    writes: u64,
    syncs: u64,
}

fn logs() -> MutexGuard<'static, HashMap<PathBuf, FileLog>> {
    static LOGS: OnceLock<Mutex<HashMap<PathBuf, FileLog>>> = OnceLock::new();
    LOGS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

fn failing() -> MutexGuard<'static, Vec<PathBuf>> {
    static FAILING: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
    FAILING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on syncs of files under `folder` fail (or work again), as on a disk that is dying.
pub fn fail_syncs(folder: &Path, fail: bool) {
    let mut failing = failing();
    failing.retain(|f| f != folder);
    if fail {
        failing.push(folder.to_path_buf());
    }
}

/// What happened to a file so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    pub writes: u64,
    pub syncs: u64,
    /// Writes that no sync covers yet.
    pub unsynced: usize,
}

/// Counts of one file.
pub fn counted(path: &Path) -> Counted {
    let logs = logs();
    logs.get(path).map_or(Counted::default(), |l| Counted {
        writes: l.writes,
        syncs: l.syncs,
        unsynced: l.unsynced.len(),
    })
}

/// Takes back what was written but not synced in files under `folder`: every such write is dropped, torn, or kept, as chance
/// decides. Nobody may have the files open.
pub fn power_cut(folder: &Path, rng: &mut Rng) -> std::io::Result<usize> {
    let mut logs = logs();
    let mut undone = 0;
    for (path, log) in logs.iter_mut().filter(|(p, _)| p.starts_with(folder)) {
        let Ok(file) = OpenOptions::new().read(true).write(true).open(path) else {
            log.unsynced.clear();
            continue;
        };
        // Newest first, so that what an older write replaced is put back last.
        for undo in log.unsynced.drain(..).rev() {
            match rng.below(4) {
                0 => continue,
                1 => tear(&file, &undo, rng)?,
                _ => put_back(&file, &undo, undo.length)?,
            }
            undone += 1;
        }
    }
    Ok(undone)
}

fn put_back(file: &File, undo: &Undo, length: u64) -> std::io::Result<()> {
    let from = undo.length - length;
    if let Some(old) = undo.before.get(from as usize..) {
        file.write_all_at(old, undo.offset + from)?;
    }
    if length == undo.length
        && file.metadata()?.len() == undo.offset + undo.length
        && undo.file_length < undo.offset + undo.length
    {
        file.set_len(undo.file_length)?;
    } else if from as usize >= undo.before.len() || undo.before.len() < undo.length as usize {
        // Space that the file did not have holds zeros after a crash.
        let start = undo.offset + from.max(undo.before.len() as u64);
        let end = undo.offset + undo.length;
        file.write_all_at(&vec![0; end.saturating_sub(start) as usize], start)?;
    }
    Ok(())
}

/// Half a write: its first sectors arrived, the others did not.
fn tear(file: &File, undo: &Undo, rng: &mut Rng) -> std::io::Result<()> {
    let sectors = undo.length / 512;
    put_back(file, undo, undo.length - rng.below(sectors + 1) * 512)
}

#[repr(C)]
struct Shim {
    base: ffi::sqlite3_file,
    path: *mut PathBuf,
    // The real file's own structure follows in memory.
}

fn real_of(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: SQLite allocated szOsFile bytes, which is our header and the real structure behind it.
    unsafe { file.cast::<u8>().add(size_of::<Shim>()).cast() }
}

fn path_of<'a>(file: *mut ffi::sqlite3_file) -> Option<&'a PathBuf> {
    // SAFETY: the pointer was set in `open` and is freed in `close` only.
    unsafe { (*file.cast::<Shim>()).path.as_ref() }
}

macro_rules! forward {
    ($name:ident, $method:ident ( $($arg:ident : $kind:ty),* )) => {
        unsafe extern "C" fn $name(file: *mut ffi::sqlite3_file $(, $arg: $kind)*) -> c_int {
            let real = real_of(file);
            // SAFETY: the real file was opened by the real layer, whose methods are set.
            unsafe { ((*(*real).pMethods).$method.expect("the real layer has this method"))(real $(, $arg)*) }
        }
    };
}

forward!(read, xRead(buffer: *mut c_void, amount: c_int, offset: i64));
forward!(file_size, xFileSize(size: *mut i64));
forward!(lock, xLock(level: c_int));
forward!(unlock, xUnlock(level: c_int));
forward!(check_reserved, xCheckReservedLock(out: *mut c_int));
forward!(file_control, xFileControl(op: c_int, argument: *mut c_void));
forward!(sector_size, xSectorSize());
forward!(characteristics, xDeviceCharacteristics());
forward!(shm_map, xShmMap(page: c_int, size: c_int, extend: c_int, out: *mut *mut c_void));
forward!(shm_lock, xShmLock(offset: c_int, n: c_int, flags: c_int));
forward!(shm_unmap, xShmUnmap(delete: c_int));

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    let real = real_of(file);
    // SAFETY: as in `forward`.
    unsafe { ((*(*real).pMethods).xShmBarrier.expect("the real layer has this method"))(real) }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let real = real_of(file);
    // SAFETY: as in `forward`; the path was made by `Box::into_raw` in `open`.
    unsafe {
        let code = ((*(*real).pMethods).xClose.expect("the real layer closes"))(real);
        let shim = file.cast::<Shim>();
        if !(*shim).path.is_null() {
            drop(Box::from_raw((*shim).path));
            (*shim).path = std::ptr::null_mut();
        }
        code
    }
}

fn remember(path: &Path, offset: u64, length: u64) {
    let mut before = Vec::new();
    let mut file_length = 0;
    if let Ok(file) = File::open(path) {
        file_length = file.metadata().map_or(0, |m| m.len());
        let have = file_length.saturating_sub(offset).min(length) as usize;
        before.resize(have, 0);
        if file.read_exact_at(&mut before, offset).is_err() {
            before.clear();
        }
    }
    let mut logs = logs();
    let log = logs.entry(path.to_path_buf()).or_default();
    log.writes += 1;
    log.unsynced.push(Undo { offset, before, length, file_length });
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, buffer: *const c_void, amount: c_int, offset: i64) -> c_int {
    if let Some(path) = path_of(file) {
        remember(path, offset as u64, amount as u64);
    }
    let real = real_of(file);
    // SAFETY: as in `forward`.
    unsafe { ((*(*real).pMethods).xWrite.expect("the real layer writes"))(real, buffer, amount, offset) }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    if let Some(path) = path_of(file) {
        let length = std::fs::metadata(path).map_or(0, |m| m.len());
        remember(path, size as u64, length.saturating_sub(size as u64));
    }
    let real = real_of(file);
    // SAFETY: as in `forward`.
    unsafe { ((*(*real).pMethods).xTruncate.expect("the real layer truncates"))(real, size) }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    let real = real_of(file);
    if path_of(file).is_some_and(|path| failing().iter().any(|folder| path.starts_with(folder))) {
        return ffi::SQLITE_IOERR_FSYNC;
    }
    // SAFETY: as in `forward`.
    let code = unsafe { ((*(*real).pMethods).xSync.expect("the real layer syncs"))(real, flags) };
    if code == ffi::SQLITE_OK
        && let Some(path) = path_of(file)
        && let Some(log) = logs().get_mut(path)
    {
        log.syncs += 1;
        log.unsynced.clear();
    }
    code
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    // Version 2: shared memory for the WAL, but no memory-mapped reads.
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives a zero-terminated name or null, and a buffer of szOsFile bytes.
    unsafe {
        let real_vfs = (*vfs).pAppData.cast::<ffi::sqlite3_vfs>();
        let real = real_of(file);
        let code = ((*real_vfs).xOpen.expect("the real layer opens"))(real_vfs, name, real, flags, out);
        let shim = file.cast::<Shim>();
        (*shim).path = std::ptr::null_mut();
        (*shim).base.pMethods = std::ptr::null();
        if code == ffi::SQLITE_OK {
            if !name.is_null() {
                let path = PathBuf::from(CStr::from_ptr(name).to_string_lossy().into_owned());
                logs().entry(path.clone()).or_default();
                (*shim).path = Box::into_raw(Box::new(path));
            }
            (*shim).base.pMethods = &raw const METHODS;
        }
        code
    }
}

/// Registers the layer; safe to call often.
pub fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let name = CString::new(NAME).expect("the name has no zero");
        // SAFETY: the structure is copied from the real layer, changed, and leaked, so it lives as long as SQLite does.
        unsafe {
            ffi::sqlite3_initialize();
            let real = ffi::sqlite3_vfs_find(std::ptr::null());
            assert!(!real.is_null(), "SQLite has a file system layer");
            let mut ours = *real;
            ours.zName = name.into_raw();
            ours.szOsFile = (*real).szOsFile + size_of::<Shim>() as c_int;
            ours.pAppData = real.cast();
            ours.pNext = std::ptr::null_mut();
            ours.xOpen = Some(open);
            let code = ffi::sqlite3_vfs_register(Box::into_raw(Box::new(ours)), 0);
            assert_eq!(code, ffi::SQLITE_OK, "the layer is registered");
        }
    });
}
