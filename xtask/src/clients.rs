//! Other people's tracking libraries (Node, browser, Python) against a running Braid with an empty shop of its own.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::braid::{self, Braid, Profile};
use crate::workspace::Workspace;
use crate::{node, process, python, temporary};

/// Runs `sdk/clients`. The console brings Playwright, and braid.js is one of the libraries.
pub fn test(workspace: &Workspace, log: &Path) -> Result<()> {
    let folder = workspace.root.join("sdk/clients");
    let files = node::test_files(&folder)?;
    if files.is_empty() {
        bail!("sdk/clients holds no *.test.mjs");
    }
    for packages in [&folder, &workspace.console(), &workspace.sdk()] {
        node::install(packages, log).with_context(|| format!("npm needs its registry for {}", packages.display()))?;
    }
    node::script(&workspace.sdk(), "build", log)?;
    let environment = workspace.target.join("clients-python");
    let python = python::environment(&environment, &folder.join("requirements.txt"), log)?;
    let program = braid::build(workspace, Profile::Dev, log)?;
    let temporary = temporary::TemporaryFolder::new("clients")?;
    let shop = temporary.path().join("shop");
    let keys = braid::init(&program, &shop, &[], log)?;
    let server_log = workspace.log("clients-braid");
    process::empty_log(&server_log)?;
    let ready = temporary.path().join("ready");
    let mut server = Braid::serve(&program, &shop, "127.0.0.1:0", &ready, &[], &server_log)?;
    let mut command = Command::new("node");
    command
        .current_dir(&folder)
        .arg("--test")
        .args(files)
        .env("BRAID_URL", server.url())
        .env("BRAID_API_KEY", &keys.api_key)
        .env("BRAID_CLIENTS_PYTHON", &python);
    let tested = process::run(command, log);
    let stopped = server.stop();
    tested.with_context(|| format!("the server's log is {}", server_log.display()))?;
    stopped
}
