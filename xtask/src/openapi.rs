//! `cargo xtask openapi`: the committed contract of the admin API, and the console's client made from it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::args::Args;
use crate::braid::{self, Profile};
use crate::packages::{self, Tool};
use crate::workspace::Workspace;
use crate::{node, process};

pub fn command(mut args: Args) -> Result<()> {
    let check = args.flag("--check");
    args.finish()?;
    let workspace = Workspace::find()?;
    packages::ensure(&[Tool::Node], false, &workspace)?;
    let log = workspace.log("openapi");
    process::empty_log(&log)?;
    if check {
        compare(&workspace, &log)?;
        println!("console/openapi.json and its client are up to date");
    } else {
        write(&workspace, &log)?;
        println!("wrote console/openapi.json and its client");
    }
    Ok(())
}

fn write(workspace: &Workspace, log: &Path) -> Result<()> {
    let document = document(workspace, log)?;
    let path = path(workspace);
    fs::write(&path, document).with_context(|| format!("cannot write {}", path.display()))?;
    generate(workspace, log)
}

/// Fails if the committed document or client is not what the program would give now; leaves both as they are.
pub fn compare(workspace: &Workspace, log: &Path) -> Result<()> {
    let fresh = document(workspace, log)?;
    let path = path(workspace);
    let committed = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    if let Some(line) = first_difference(&committed, &fresh) {
        bail!(
            "console/openapi.json differs from what braid gives, first in line {line}\n\
             hint: cargo xtask openapi"
        );
    }
    let manifest = workspace.console().join("package.json");
    let manifest = fs::read_to_string(&manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
    let Some(client) = generated_file(&manifest)? else {
        return Ok(());
    };
    let client = workspace.console().join(client);
    let before = fs::read(&client).with_context(|| format!("cannot read {}", client.display()))?;
    generate(workspace, log)?;
    let after = fs::read(&client).with_context(|| format!("cannot read {}", client.display()))?;
    if before != after {
        fs::write(&client, before).with_context(|| format!("cannot write {}", client.display()))?;
        bail!("{} differs from what console/openapi.json gives\nhint: cargo xtask openapi", client.display());
    }
    Ok(())
}

fn path(workspace: &Workspace) -> PathBuf {
    workspace.console().join("openapi.json")
}

fn document(workspace: &Workspace, log: &Path) -> Result<String> {
    let program = braid::build(workspace, Profile::Dev, log)?;
    let mut command = Command::new(program);
    command.current_dir(&workspace.root).arg("openapi");
    let text = process::output(command, log)?;
    serde_json::from_str::<Value>(&text).context("`braid openapi` printed no JSON")?;
    Ok(text)
}

fn generate(workspace: &Workspace, log: &Path) -> Result<()> {
    let console = workspace.console();
    node::install(&console, log)?;
    node::script(&console, "generate", log)
}

/// What the script `generate` writes: the word after `-o` or `--output`.
fn generated_file(manifest: &str) -> Result<Option<String>> {
    let manifest: Value = serde_json::from_str(manifest).context("console/package.json is not JSON")?;
    let script = manifest
        .pointer("/scripts/generate")
        .and_then(Value::as_str)
        .context("console/package.json has no script `generate`")?;
    let mut words = script.split_whitespace();
    while let Some(word) = words.next() {
        if word == "-o" || word == "--output" {
            return Ok(words.next().map(str::to_owned));
        }
    }
    Ok(None)
}

/// The number of the first line that differs, from 1.
fn first_difference(left: &str, right: &str) -> Option<usize> {
    if left == right {
        return None;
    }
    let same = left.lines().zip(right.lines()).take_while(|(left, right)| left == right).count();
    Some(same + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), Some(2));
        assert_eq!(first_difference("a\n", "a\nb\n"), Some(2));
    }

    #[test]
    fn the_client_is_found_in_the_script() {
        let manifest = r#"{"scripts": {"generate": "openapi-typescript openapi.json -o src/api/schema.d.ts"}}"#;
        let file = generated_file(manifest).expect("reads");
        assert_eq!(file.as_deref(), Some("src/api/schema.d.ts"));
        assert!(generated_file("{}").is_err());
    }
}
