//! What the machine must have, and how to get it: Debian packages when we are root, else their names.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::stop::BadInput;
use crate::workspace::Workspace;
use crate::{node, postgres_cluster, process, python};

/// Something that a stage runs and that Rust does not bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tool {
    Node,
    PostgresServer,
    Chromium,
    Fonts,
    Python,
}

impl Tool {
    /// The Debian packages; none where Debian's is too old and the person chooses a source.
    fn packages(self) -> &'static [&'static str] {
        match self {
            Tool::Node => &[],
            Tool::PostgresServer => &["postgresql"],
            Tool::Chromium => &["chromium"],
            Tool::Fonts => &["fonts-dejavu-core", "fonts-liberation"],
            Tool::Python => &["python3", "python3-venv"],
        }
    }

    fn is_present(self) -> bool {
        match self {
            Tool::Node => true, // its version is checked apart
            Tool::PostgresServer => postgres_cluster::find_binaries().is_some(),
            Tool::Chromium => ["chromium", "chromium-browser", "google-chrome"]
                .iter()
                .any(|name| process::find_program(name).is_some()),
            Tool::Fonts => ["/usr/share/fonts", "/usr/local/share/fonts"]
                .iter()
                .any(|folder| fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())),
            Tool::Python => python::is_present(),
        }
    }
}

/// Makes sure that `tools` are there. Installs what is missing when it may and can; else exit 2 with the exact names.
pub fn ensure(tools: &[Tool], install: bool, workspace: &Workspace) -> Result<()> {
    let node = match tools.contains(&Tool::Node) {
        true => node::check_version(),
        false => Ok(()),
    };
    let missing: Vec<Tool> = tools.iter().copied().filter(|tool| !tool.is_present()).collect();
    let packages = names(&missing);
    // SAFETY: always succeeds, reads only.
    let root = unsafe { libc::geteuid() } == 0;
    let may_install = install && root && process::find_program("apt-get").is_some();
    match (node, packages.is_empty() || may_install) {
        (Err(node), true) => return Err(node.into()),
        (Err(node), false) => {
            return Err(BadInput(format!("{node}\n{}", refusal(&packages))).into());
        }
        (Ok(()), false) => return Err(BadInput(refusal(&packages)).into()),
        (Ok(()), true) if packages.is_empty() => return Ok(()),
        (Ok(()), true) => {}
    }
    println!("installing {}", packages.join(" "));
    if missing.contains(&Tool::PostgresServer) {
        refuse_main_cluster(Path::new("/etc/postgresql-common"))?;
    }
    let log = workspace.log("install");
    process::run(apt(&["update", "-q"]), &log)?;
    let mut words = vec![
        "install",
        "-y",
        "-q",
        "--no-install-recommends",
        "-o",
        "Dpkg::Options::=--force-confold", // keeps the file of `refuse_main_cluster`
    ];
    words.extend(&packages);
    process::run(apt(&words), &log)?;
    match missing.iter().find(|tool| !tool.is_present()) {
        Some(tool) => Err(BadInput(format!("{tool:?} is still not found after installing it")).into()),
        None => Ok(()),
    }
}

fn names(missing: &[Tool]) -> Vec<&'static str> {
    let names: BTreeSet<&str> = missing.iter().flat_map(|tool| tool.packages().iter().copied()).collect();
    names.into_iter().collect()
}

fn refusal(packages: &[&str]) -> String {
    format!("missing on this machine: {0}\nhint: apt-get install -y --no-install-recommends {0}", packages.join(" "))
}

fn apt(words: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Debian's package makes and starts a cluster of its own unless told beforehand. What a person has written stays.
fn refuse_main_cluster(folder: &Path) -> Result<()> {
    let main = folder.join("createcluster.conf");
    let path = if main.exists() { folder.join("createcluster.d/braid-tests.conf") } else { main };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
    }
    fs::write(&path, "create_main_cluster = false\n").with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::temporary::TemporaryFolder;

    #[test]
    fn a_refusal_names_every_package_once() {
        let packages = names(&[Tool::Fonts, Tool::Chromium, Tool::Chromium]);
        assert_eq!(packages, ["chromium", "fonts-dejavu-core", "fonts-liberation"]);
        assert!(refusal(&packages).ends_with("--no-install-recommends chromium fonts-dejavu-core fonts-liberation"));
    }

    #[test]
    fn a_written_setting_stays() {
        let folder = TemporaryFolder::new("test").expect("a folder");
        refuse_main_cluster(folder.path()).expect("writes the main file");
        let main = folder.path().join("createcluster.conf");
        let text = "create_main_cluster = false\n";
        assert_eq!(fs::read_to_string(&main).expect("reads"), text);
        fs::write(&main, "ssl = on\n").expect("writes");
        refuse_main_cluster(folder.path()).expect("writes beside it");
        assert_eq!(fs::read_to_string(&main).expect("reads"), "ssl = on\n");
        let beside = folder.path().join("createcluster.d/braid-tests.conf");
        assert_eq!(fs::read_to_string(beside).expect("reads"), text);
    }
}
