//! Node and npm: what console, SDK and demo shop are built and tested with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::process;
use crate::stop::BadInput;

const OLDEST: (u32, u32) = (20, 19);

/// Refuses a Node that the build tools refuse too, but later and in worse words.
pub fn check_version() -> Result<(), BadInput> {
    let wanted = format!(
        "missing on this machine: Node.js {}.{} or newer with npm\nhint: https://nodejs.org/en/download",
        OLDEST.0, OLDEST.1
    );
    let found = Command::new("node").arg("--version").output();
    let version = found.ok().and_then(|output| parse_version(&String::from_utf8_lossy(&output.stdout)));
    match version {
        Some(version) if version >= OLDEST && process::find_program("npm").is_some() => Ok(()),
        Some((major, minor)) => Err(BadInput(format!("{wanted} (found {major}.{minor})"))),
        None => Err(BadInput(wanted)),
    }
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim().strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Installs exactly what the lock file says, unless that was done since it last changed.
pub fn install(folder: &Path, log: &Path) -> Result<()> {
    let lock = folder.join("package-lock.json");
    if !lock.is_file() {
        return Err(BadInput(format!("{} is missing", lock.display())).into());
    }
    // npm writes this file last, so half an installation does not count.
    let installed = folder.join("node_modules/.package-lock.json");
    if !is_stale(modified(&lock), modified(&installed)) {
        return Ok(());
    }
    let mut command = npm(folder);
    command.args(["ci", "--no-audit", "--no-fund"]);
    process::run(command, log)
}

/// `npm run SCRIPT`.
pub fn script(folder: &Path, script: &str, log: &Path) -> Result<()> {
    let mut command = npm(folder);
    command.args(["run", script]);
    process::run(command, log)
}

/// The files that `node --test` is given by name: what it makes of a folder differs between its versions.
pub fn test_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(is_test_file))
        .collect();
    files.sort();
    Ok(files)
}

fn is_test_file(name: &str) -> bool {
    [".test.mjs", ".test.js", ".test.cjs"].iter().any(|end| name.ends_with(end))
}

fn npm(folder: &Path) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(folder).env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    command
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|meta| meta.modified()).ok()
}

fn is_stale(lock: Option<SystemTime>, installed: Option<SystemTime>) -> bool {
    match (lock, installed) {
        (Some(lock), Some(installed)) => installed < lock,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn versions_are_read() {
        assert_eq!(parse_version("v20.20.2\n"), Some((20, 20)));
        assert_eq!(parse_version("v22.1.0"), Some((22, 1)));
        assert_eq!(parse_version("command not found"), None);
    }

    #[test]
    fn an_installation_older_than_the_lock_is_stale() {
        let early = SystemTime::UNIX_EPOCH;
        let late = early + Duration::from_secs(1);
        assert!(is_stale(Some(late), Some(early)));
        assert!(!is_stale(Some(early), Some(late)));
        assert!(is_stale(Some(early), None));
    }

    #[test]
    fn helpers_beside_tests_are_not_tests() {
        assert!(is_test_file("shop.test.mjs"));
        assert!(!is_test_file("helpers.mjs"));
    }
}
