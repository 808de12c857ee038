//! Python with the packages of one requirements file, in a folder of its own under the target folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;

/// Whether `python3` can make a virtual environment; Debian keeps `ensurepip` in a package apart.
pub fn is_present() -> bool {
    let mut command = Command::new("python3");
    command.args(["-c", "import venv, ensurepip"]);
    process::find_program("python3").is_some() && process::succeeds(command)
}

/// The Python of an environment in `folder` that holds exactly what `requirements` names; made anew when that changed.
pub fn environment(folder: &Path, requirements: &Path, log: &Path) -> Result<PathBuf> {
    let python = folder.join("bin/python3");
    let wanted = fs::read_to_string(requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
    // Written last, so that half an installation does not count.
    let installed = folder.join("installed.txt");
    if python.is_file() && fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        return Ok(python);
    }
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(folder);
    process::run(make, log).context("hint: apt-get install -y --no-install-recommends python3 python3-venv")?;
    let mut install = Command::new(&python);
    install
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r"])
        .arg(requirements);
    process::run(install, log).with_context(|| {
        format!("cannot install {}; pip needs a package index, see `pip config list`", requirements.display())
    })?;
    fs::write(&installed, wanted).with_context(|| format!("cannot write {}", installed.display()))?;
    Ok(python)
}
