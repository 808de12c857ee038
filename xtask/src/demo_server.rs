//! The demo's own server: shop, till and mailbox.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use crate::process::{self, Output, Running};
use crate::workspace::Workspace;

const READY_LIMIT: Duration = Duration::from_secs(30);

/// What it needs to know.
pub struct Setting<'a> {
    /// Of the pages and of the mailbox; 0 = any that is free.
    pub ports: (u16, u16),
    pub braid_url: &'a str,
    pub shop_write_key: &'a str,
    pub till_write_key: &'a str,
    pub api_key: &'a str,
    pub mail_dir: &'a Path,
    pub ready: &'a Path,
}

/// Starts it and waits until it can be asked; gives its address.
pub fn start(workspace: &Workspace, setting: &Setting<'_>, log: &Path) -> Result<(Running, String)> {
    let mut command = Command::new("node");
    command
        .current_dir(&workspace.root)
        .arg("demo/server.mjs")
        .args(["--port", &setting.ports.0.to_string()])
        .args(["--smtp-port", &setting.ports.1.to_string()])
        .args(["--braid-url", setting.braid_url])
        .args(["--shop-write-key", setting.shop_write_key])
        .args(["--till-write-key", setting.till_write_key])
        .args(["--api-key", setting.api_key])
        .args(["--console-url", setting.braid_url])
        .arg("--mail-dir")
        .arg(setting.mail_dir)
        .arg("--ready-file")
        .arg(setting.ready);
    let mut running = Running::start(command, log, Output::Log, libc::SIGTERM)?;
    let url = process::wait_until(&mut running, READY_LIMIT, || {
        let text = fs::read_to_string(setting.ready).ok()?;
        let ready: Value = serde_json::from_str(&text).ok()?;
        ready["url"].as_str().map(|url| url.trim_end_matches('/').to_owned())
    })?;
    Ok((running, url))
}
