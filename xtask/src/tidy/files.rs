//! The repository's files as plain values, and checks of what must lie where.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Finding;

/// A source or document; data, pictures and lock files are not read.
#[derive(Clone, Debug)]
pub struct TextFile {
    /// From the root, with `/`.
    pub path: String,
    pub text: String,
}

const ENDINGS: &[&str] = &[
    "cjs", "css", "html", "js", "json", "jsx", "md", "mjs", "rs", "scss", "sh", "sql", "svg", "toml", "ts", "tsx",
    "txt", "yaml", "yml",
];

/// Built, downloaded or private; never committed.
const SKIPPED_FOLDERS: &[&str] =
    &[".git", "demo-data", "dist", "node_modules", "playwright-report", "target", "test-results"];

/// Data as others published it.
const FOREIGN: &[&str] = &["examples/", "testdata/"];

/// Written by tools, in their style.
const GENERATED: &[&str] = &["package-lock.json", "openapi.json"];

const REQUIRED: &[&str] = &["ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md"];

const LARGEST_DATA_BYTES: u64 = 15 * 1024 * 1024;

/// Reads every text file of ours, in the order of their paths.
pub fn read_all(root: &Path) -> Result<Vec<TextFile>> {
    let mut files = Vec::new();
    read_folder(root, root, &mut files)?;
    files.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(files)
}

fn read_folder(root: &Path, folder: &Path, files: &mut Vec<TextFile>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read {}", folder.display()))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let kind = entry.file_type().context("a file without a type")?;
        let path = entry.path();
        if kind.is_dir() {
            if !SKIPPED_FOLDERS.contains(&name.as_ref()) {
                read_folder(root, &path, files)?;
            }
            continue;
        }
        let relative = path.strip_prefix(root).unwrap_or(&path);
        let relative = relative.to_string_lossy().replace('\\', "/");
        if kind.is_file() && is_ours(&relative) {
            let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let text = String::from_utf8(bytes).with_context(|| format!("{relative} is not UTF-8"))?;
            files.push(TextFile { path: relative, text });
        }
    }
    Ok(())
}

fn is_ours(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    ending.is_some_and(|ending| ENDINGS.contains(&ending))
        && !FOREIGN.iter().any(|folder| path.starts_with(folder))
        && !path.contains("/testdata/")
        && !GENERATED.contains(&name)
}

/// The bytes below a folder; 0 if it is not there.
pub fn size_of(folder: &Path) -> Result<u64> {
    if !folder.is_dir() {
        return Ok(0);
    }
    let mut size = 0;
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry.with_context(|| format!("cannot read {}", folder.display()))?;
        let meta = entry.metadata().context("a file without a size")?;
        size += if meta.is_dir() { size_of(&entry.path())? } else { meta.len() };
    }
    Ok(size)
}

/// The documents of [`REQUIRED`] that are there.
pub fn present_required(root: &Path) -> Vec<&'static str> {
    let present = REQUIRED.iter().filter(|name| root.join(name).is_file());
    present.copied().collect()
}

pub fn check_required(present: &[&str]) -> Vec<Finding> {
    REQUIRED.iter().filter(|name| !present.contains(name)).map(|name| Finding::new(*name, "is missing")).collect()
}

/// Data that everybody downloads with the sources must stay small.
pub fn check_size(bytes: u64) -> Vec<Finding> {
    if bytes <= LARGEST_DATA_BYTES {
        return Vec::new();
    }
    let mib = |bytes: u64| bytes.div_ceil(1024 * 1024);
    vec![Finding::new(
        "examples/ and testdata/",
        format!("hold {} MiB; at most {} MiB", mib(bytes), mib(LARGEST_DATA_BYTES)),
    )]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_and_lock_files_are_not_ours() {
        assert!(is_ours("crates/db/src/lib.rs"));
        assert!(is_ours("console/src/App.tsx"));
        assert!(!is_ours("examples/olist/README.md"));
        assert!(!is_ours("crates/collect/testdata/a.json"));
        assert!(!is_ours("console/package-lock.json"));
        assert!(!is_ours("console/public/logo.png"));
    }

    #[test]
    fn a_missing_document_is_found() {
        assert_eq!(check_required(REQUIRED), []);
        assert_eq!(check_required(&REQUIRED[1..])[0].place, "ARCHITECTURE.md");
    }

    #[test]
    fn too_much_data_is_found() {
        assert_eq!(check_size(LARGEST_DATA_BYTES), []);
        assert_eq!(check_size(LARGEST_DATA_BYTES + 1)[0].what, "hold 16 MiB; at most 15 MiB");
    }
}
