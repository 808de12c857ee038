//! One version of what must be one, and no more duplicates of the rest than the committed list has.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::graph::Graph;

/// Two versions of these would not understand each other's types, or would link one C library twice.
const SINGLE: &[&str] =
    &["arrow", "axum", "http", "hyper", "libsqlite3-sys", "object_store", "parquet", "rustls", "serde", "tokio"];

const HEADER: &str = "\
# Packages of which the program and its tests build several versions, with those versions (compatible ones count as one).
# `cargo xtask tidy --bless` writes this file. It may shrink; a new line needs a reason in its commit.
";

/// Package to its versions, only where there are several.
pub type Duplicates = BTreeMap<String, BTreeSet<String>>;

pub fn check_single(graph: &Graph) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in SINGLE {
        let versions: BTreeSet<&str> = graph
            .packages
            .iter()
            .filter(|package| package.name == *name)
            .map(|package| package.version.as_str())
            .collect();
        if versions.len() > 1 {
            let versions: Vec<&str> = versions.into_iter().collect();
            let what = format!("must be there once, not as {}", versions.join(" and "));
            findings.push(Finding::new(*name, what));
        }
    }
    findings
}

pub fn find(graph: &Graph) -> Duplicates {
    let mut versions = Duplicates::new();
    for package in &graph.packages {
        versions.entry(package.name.clone()).or_default().insert(compatible(&package.version));
    }
    versions.retain(|_, versions| versions.len() > 1);
    versions
}

/// The list may neither grow nor lag behind: a line that is no longer true would let a duplicate back in.
pub fn check(graph: &Graph, list: &str) -> Vec<Finding> {
    let found = find(graph);
    let listed = parse(list);
    let mut findings = Vec::new();
    for (name, versions) in &found {
        if listed.get(name) != Some(versions) {
            findings.push(Finding::new(
                name,
                format!("is built as {}; avoid it, or write it down with `cargo xtask tidy --bless`", words(versions)),
            ));
        }
    }
    for name in listed.keys().filter(|name| !found.contains_key(*name)) {
        let what = "is in xtask/duplicates.txt but no longer doubled; run `cargo xtask tidy --bless`";
        findings.push(Finding::new(name, what));
    }
    findings
}

pub fn to_text(duplicates: &Duplicates) -> String {
    let mut text = HEADER.to_owned();
    for (name, versions) in duplicates {
        text.push_str(&format!("{name} {}\n", words(versions)));
    }
    text
}

fn parse(list: &str) -> Duplicates {
    let mut listed = Duplicates::new();
    for line in list.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        if let Some(name) = words.next() {
            listed.insert(name.to_owned(), words.map(str::to_owned).collect());
        }
    }
    listed
}

fn words(versions: &BTreeSet<String>) -> String {
    let versions: Vec<&str> = versions.iter().map(String::as_str).collect();
    versions.join(" ")
}

/// What cargo treats as one: `1.2.3` is `1`, `0.15.5` is `0.15`, `0.0.3` is itself.
fn compatible(version: &str) -> String {
    let plain = version.split(['-', '+']).next().unwrap_or(version);
    let parts: Vec<&str> = plain.split('.').collect();
    match parts.as_slice() {
        ["0", "0", ..] => plain.to_owned(),
        ["0", minor, ..] => format!("0.{minor}"),
        [major, ..] => (*major).to_owned(),
        [] => plain.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::graph::example::graph;

    #[test]
    fn two_versions_of_the_runtime_are_found() {
        let twice = graph("cli*: tokio 1.1.0\ntokio 1.1.0\ntokio 0.2.0");
        let findings = check_single(&twice);
        assert_eq!(findings[0].what, "must be there once, not as 0.2.0 and 1.1.0");
        assert_eq!(check_single(&graph("cli*: tokio\ntokio")), []);
    }

    #[test]
    fn the_list_neither_grows_nor_lags() {
        let doubled = graph("cli*\nsyn 1.0.9\nsyn 2.0.1\nrand 0.8.5\nrand 0.9.1");
        let list = to_text(&find(&doubled));
        assert!(list.ends_with("rand 0.8 0.9\nsyn 1 2\n"), "{list}");
        assert_eq!(check(&doubled, &list), []);
        assert_eq!(check(&doubled, "# empty\n").len(), 2);
        assert_eq!(check(&doubled, "rand 0.7 0.8\nsyn 1 2").len(), 1);
        assert_eq!(check(&graph("cli*"), &list).len(), 2);
    }

    #[test]
    fn patch_releases_are_no_news() {
        assert_eq!(compatible("1.2.3"), "1");
        assert_eq!(compatible("0.15.5"), "0.15");
        assert_eq!(compatible("0.0.3"), "0.0.3");
        assert_eq!(compatible("0.13.0+wasi-0.2.4"), "0.13");
    }
}
