//! Where things lie: the checkout and the target folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The folders of this checkout.
pub struct Workspace {
    pub root: PathBuf,
    pub target: PathBuf,
}

impl Workspace {
    /// Asks cargo, so that `CARGO_TARGET_DIR` and `.cargo/config.toml` count alike.
    pub fn find() -> Result<Workspace> {
        let root = root()?;
        let output = cargo(&root)
            .args(["metadata", "--format-version", "1", "--no-deps"])
            .output()
            .context("cannot run cargo")?;
        if !output.status.success() {
            bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let metadata: serde_json::Value =
            serde_json::from_slice(&output.stdout).context("cargo metadata is not JSON")?;
        let target = metadata["target_directory"].as_str().context("cargo metadata names no target_directory")?;
        Ok(Workspace { root, target: PathBuf::from(target) })
    }

    /// Output of everything that we start, one file each.
    pub fn logs(&self) -> PathBuf {
        self.target.join("xtask-logs")
    }

    pub fn log(&self, name: &str) -> PathBuf {
        self.logs().join(format!("{name}.log"))
    }

    pub fn console(&self) -> PathBuf {
        self.root.join("console")
    }

    pub fn sdk(&self) -> PathBuf {
        self.root.join("sdk/js")
    }
}

/// `cargo`, in the checkout.
pub fn cargo(root: &Path) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(root);
    command
}

/// The root of the checkout. At run time first: one target folder may serve several checkouts.
pub fn root() -> Result<PathBuf> {
    let manifest =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    let root = manifest.parent().context("xtask has no parent folder")?.to_path_buf();
    Ok(root)
}
