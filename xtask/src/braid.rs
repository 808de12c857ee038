//! Building and driving the program itself, as its scripted start is documented: `init`, `serve`, the ready file.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process::{self, Output, Running};
use crate::workspace::{Workspace, cargo};

const READY_LIMIT: Duration = Duration::from_secs(60);

#[derive(Clone, Copy)]
pub enum Profile {
    Dev,
    Release,
}

/// What `braid init --json` prints once.
pub struct Keys {
    pub email: String,
    pub password: String,
    pub api_key: String,
    pub write_key: String,
}

/// A running `braid serve`, ended when dropped.
pub struct Braid {
    server: Running,
    url: String,
}

/// Builds the program and returns where it lies.
pub fn build(workspace: &Workspace, profile: Profile, log: &Path) -> Result<PathBuf> {
    ensure_console_folder(workspace)?;
    let mut command = cargo(&workspace.root);
    command.args(["build", "--package", "cli", "--bin", "braid"]);
    let folder = match profile {
        Profile::Dev => "debug",
        Profile::Release => {
            command.arg("--release");
            "release"
        }
    };
    process::run(command, log)?;
    Ok(workspace.target.join(folder).join("braid"))
}

/// The program embeds `console/dist`, which must exist, if only empty, before anything compiles.
pub fn ensure_console_folder(workspace: &Workspace) -> Result<()> {
    let dist = workspace.console().join("dist");
    fs::create_dir_all(&dist).with_context(|| format!("cannot make {}", dist.display()))
}

/// `braid init SHOP --json`.
pub fn init(program: &Path, shop: &Path, options: &[&str], log: &Path) -> Result<Keys> {
    let mut words = vec![OsStr::new("init"), shop.as_os_str()];
    words.extend(options.iter().map(OsStr::new));
    let printed = json(program, &words, log)?;
    parse_keys(&printed)
}

/// Runs `braid WORDS --json` and reads the one line that it prints.
pub fn json(program: &Path, words: &[&OsStr], log: &Path) -> Result<Value> {
    let mut command = Command::new(program);
    command.args(words).arg("--json");
    let text = process::output(command, log)?;
    let line = last_line(&text).context("braid printed nothing")?;
    serde_json::from_str(line).with_context(|| format!("braid printed no JSON: {line:.200}"))
}

pub fn parse_keys(printed: &Value) -> Result<Keys> {
    let word = |pointer: &str| {
        printed
            .pointer(pointer)
            .and_then(Value::as_str)
            .map(str::to_owned)
            .with_context(|| format!("the keys have no {pointer}"))
    };
    Ok(Keys {
        email: word("/owner/email")?,
        password: word("/owner/password")?,
        api_key: word("/api_key")?,
        write_key: word("/write_key")?,
    })
}

impl Braid {
    /// Starts the server and waits until it takes requests. `ready` is a file that does not exist yet.
    pub fn serve(
        program: &Path,
        shop: &Path,
        listen: &str,
        ready: &Path,
        environment: &[(&str, String)],
        log: &Path,
    ) -> Result<Braid> {
        let mut command = Command::new(program);
        command.arg("serve").arg(shop).args(["--listen", listen, "--ready-file"]).arg(ready);
        for (name, value) in environment {
            command.env(name, value);
        }
        let mut server = Running::start(command, log, Output::Log, libc::SIGTERM)?;
        let url = process::wait_until(&mut server, READY_LIMIT, || {
            let text = fs::read_to_string(ready).ok()?;
            let url = text.trim();
            url.starts_with("http").then(|| url.to_owned())
        })?;
        Ok(Braid { server, url })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn running(&mut self) -> &mut Running {
        &mut self.server
    }

    /// Ends it politely; anything but exit 0 is a failure of the program.
    pub fn stop(&mut self) -> Result<()> {
        match self.server.stop() {
            Some(status) if status.success() => Ok(()),
            Some(status) => bail!("braid serve did not end well after SIGTERM ({status})"),
            None => bail!("braid serve could not be ended"),
        }
    }
}

fn last_line(text: &str) -> Option<&str> {
    text.lines().rev().map(str::trim).find(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_where_the_contract_puts_them() {
        let printed = serde_json::json!({
            "owner": {"email": "owner@example.com", "password": "p"},
            "api_key": "a",
            "write_key": "w"
        });
        let keys = parse_keys(&printed).expect("complete");
        assert_eq!(keys.email, "owner@example.com");
        assert_eq!(keys.write_key, "w");
        let missing = serde_json::json!({"owner": {"email": "x"}});
        assert!(parse_keys(&missing).is_err());
    }

    #[test]
    fn the_last_line_counts() {
        assert_eq!(last_line("warming up\n{\"a\": 1}\n\n"), Some("{\"a\": 1}"));
        assert_eq!(last_line(" \n"), None);
    }
}
