//! `cargo xtask tidy`: what the compiler cannot know about this repository.
//!
//! Each check is a pure function from plain values ([`graph::Graph`], [`files::TextFile`]) to [`Finding`]s; only this file,
//! [`graph`] and [`files`] touch the world.

mod arrows;
mod bans;
mod duplicates;
mod files;
mod graph;
mod licences;
mod requirements;
mod rust_text;
mod sources;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::args::Args;
use crate::workspace::Workspace;

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// A crate, or `path:line`.
    pub place: String,
    pub what: String,
    /// Warnings are printed and fail nothing.
    pub warning: bool,
}

impl Finding {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Finding {
        Finding { place: place.into(), what: what.into(), warning: false }
    }

    fn warning(place: impl Into<String>, what: impl Into<String>) -> Finding {
        Finding { warning: true, ..Finding::new(place, what) }
    }
}

/// All findings, and a line about what was looked at.
pub struct Report {
    findings: Vec<Finding>,
    looked_at: String,
}

pub fn command(mut args: Args) -> Result<()> {
    let bless = args.flag("--bless");
    args.finish()?;
    let workspace = Workspace::find()?;
    if bless {
        let graph = graph::load(&workspace.root)?;
        let path = duplicates_path(&workspace);
        fs::write(&path, duplicates::to_text(&duplicates::find(&graph)))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let report = check(&workspace)?;
    println!("{}", report.summary());
    report.into_result()
}

/// Runs every check.
pub fn check(workspace: &Workspace) -> Result<Report> {
    let graph = graph::load(&workspace.root)?;
    let files = files::read_all(&workspace.root)?;
    let allowed_duplicates = read(&duplicates_path(workspace))?;
    let ids = read(&workspace.root.join("xtask/requirement-ids.txt"))?;
    let ids = requirements::parse_list(&ids);
    let quotes = requirements::find_quotes(&files);

    let mut findings = Vec::new();
    findings.extend(arrows::check(&graph));
    findings.extend(arrows::check_runtimes(&graph));
    findings.extend(bans::check(&graph));
    findings.extend(licences::check(&graph));
    findings.extend(duplicates::check_single(&graph));
    findings.extend(duplicates::check(&graph, &allowed_duplicates));
    findings.extend(sources::check_printing(&files));
    findings.extend(sources::check_like(&files));
    findings.extend(sources::check_migrations(&files));
    findings.extend(sources::check_length(&files));
    findings.extend(sources::check_whitespace(&files));
    findings.extend(requirements::check(&quotes, &ids));
    findings.extend(files::check_required(&files::present_required(&workspace.root)));
    findings.extend(files::check_size(
        files::size_of(&workspace.root.join("examples"))? + files::size_of(&workspace.root.join("testdata"))?,
    ));
    Ok(Report {
        findings,
        looked_at: format!(
            "{} packages, {} files; requirements quoted in tests: {}",
            graph.packages.len(),
            files.len(),
            requirements::areas(&quotes, &ids)
        ),
    })
}

fn duplicates_path(workspace: &Workspace) -> PathBuf {
    workspace.root.join("xtask/duplicates.txt")
}

fn read(path: &std::path::Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

impl Report {
    /// For people: warnings, then what was looked at.
    pub fn summary(&self) -> String {
        let mut text = String::new();
        for finding in self.findings.iter().filter(|finding| finding.warning) {
            text.push_str(&format!("warning: {}: {}\n", finding.place, finding.what));
        }
        text.push_str(&self.looked_at);
        text
    }

    /// An error that lists everything found, or nothing.
    pub fn into_result(self) -> Result<()> {
        let lines: Vec<String> = self
            .findings
            .iter()
            .filter(|finding| !finding.warning)
            .map(|finding| format!("  {}: {}", finding.place, finding.what))
            .collect();
        if !lines.is_empty() {
            bail!("tidy found {}:\n{}", lines.len(), lines.join("\n"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_shown_and_pass() {
        let report = Report { findings: vec![Finding::warning("a.rs", "is long")], looked_at: "1 file".to_owned() };
        assert_eq!(report.summary(), "warning: a.rs: is long\n1 file");
        assert!(report.into_result().is_ok());
    }

    #[test]
    fn findings_fail_with_their_place() {
        let report = Report { findings: vec![Finding::new("a.rs:3", "tab")], looked_at: String::new() };
        let error = report.into_result().expect_err("fails").to_string();
        assert!(error.contains("a.rs:3: tab"), "{error}");
    }
}
