//! A PostgreSQL server to throw away: own folder, own socket, no port, no password, gone with its guard.
//!
//! `initdb` and `postgres` refuse to run as root, so root runs them as `postgres` or `nobody`. Nothing outside the
//! temporary folder is read or written; a server that the machine already runs is not touched.

use std::ffi::CString;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process::{self, Output, Running};
use crate::stop::BadInput;
use crate::temporary::TemporaryFolder;

const READY_LIMIT: Duration = Duration::from_secs(60);

/// How much the server promises across a power cut.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Syncing {
    /// For all tests but those of durability: as fast as memory allows.
    Off,
    /// As a shop would run it.
    On,
}

/// A running server. Dropping it stops the server, then removes the folder: the order of the fields.
pub struct PostgresCluster {
    _server: Running,
    _folder: TemporaryFolder,
    url: String,
}

impl PostgresCluster {
    /// Makes a cluster with the superuser and database `braid` and waits until it answers. About two seconds.
    pub fn start(name: &str, syncing: Syncing, logs: &Path) -> Result<PostgresCluster> {
        let binaries =
            find_binaries().ok_or_else(|| BadInput("missing on this machine: postgresql (the server)".to_owned()))?;
        let user = unprivileged_user()?;
        let folder = match syncing {
            // A database is a thousand small files, which a disk's file system makes and removes slowly.
            Syncing::Off => TemporaryFolder::in_memory("pg")?,
            Syncing::On => TemporaryFolder::new("pg")?,
        };
        let log = logs.join(format!("postgres-{name}.log"));
        process::empty_log(&log)?;
        if let Some(user) = &user {
            std::os::unix::fs::chown(folder.path(), Some(user.uid), Some(user.gid))
                .with_context(|| format!("cannot give away {}", folder.path().display()))?;
        }
        let command = |program: &str| {
            let mut command = Command::new(binaries.join(program));
            command.current_dir(folder.path()).env("LC_ALL", "C");
            for variable in ["PGDATA", "PGPORT", "PGHOST", "PGUSER", "PGOPTIONS"] {
                command.env_remove(variable);
            }
            if let Some(user) = &user {
                command.uid(user.uid).gid(user.gid);
            }
            command
        };
        let data = folder.path().join("data");
        let mut initdb = command("initdb");
        initdb.arg("--pgdata").arg(&data).args([
            "--username=braid",
            "--locale=C",
            "--encoding=UTF8",
            "--auth=trust",
            "--no-sync",
            "--no-instructions",
        ]);
        process::run(initdb, &log)?;
        create_database(command("postgres"), &data, folder.path(), &log)?;

        let mut postgres = command("postgres");
        postgres.arg("-D").arg(&data);
        for setting in settings(syncing, folder.path()) {
            postgres.arg("-c").arg(setting);
        }
        // SIGINT is its "fast" shutdown: clients are cut off, nothing is waited for.
        let mut server = Running::start(postgres, &log, Output::Log, libc::SIGINT)?;
        let pid_file = data.join("postmaster.pid");
        process::wait_until(&mut server, READY_LIMIT, || is_ready(&fs::read_to_string(&pid_file).ok()?).then_some(()))?;
        Ok(PostgresCluster { _server: server, url: url(folder.path()), _folder: folder })
    }

    /// `postgres://braid@%2Ftmp%2F…/braid`.
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// The folder of the newest installed server, if any.
pub fn find_binaries() -> Option<PathBuf> {
    let mut found = Vec::new();
    for (parent, prefix, below) in
        [("/usr/lib/postgresql", "", "bin"), ("/usr", "pgsql-", "bin"), ("/opt/homebrew/opt", "postgresql@", "bin")]
    {
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let version = name.to_str().and_then(|name| name.strip_prefix(prefix));
            if let Some(version) = version.and_then(parse_version) {
                found.push((version, entry.path().join(below)));
            }
        }
    }
    let installed = newest(found.into_iter().filter(|(_, folder)| is_complete(folder)));
    // A program on the PATH may be a link into the real folder, whose neighbours are what is needed.
    installed.or_else(|| {
        let postgres = fs::canonicalize(process::find_program("postgres")?).ok()?;
        let folder = postgres.parent()?.to_path_buf();
        is_complete(&folder).then_some(folder)
    })
}

fn is_complete(folder: &Path) -> bool {
    ["initdb", "postgres"].iter().all(|program| folder.join(program).is_file())
}

/// `15` or `9.6`.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.');
    let major = parts.next()?.parse().ok()?;
    let minor = match parts.next() {
        Some(minor) => minor.parse().ok()?,
        None => 0,
    };
    Some((major, minor))
}

fn newest(found: impl Iterator<Item = ((u32, u32), PathBuf)>) -> Option<PathBuf> {
    found.max().map(|(_, folder)| folder)
}

fn settings(syncing: Syncing, socket_folder: &Path) -> Vec<String> {
    let switch = match syncing {
        Syncing::On => "on",
        Syncing::Off => "off",
    };
    let mut settings = vec![
        "listen_addresses=".to_owned(),
        format!("unix_socket_directories={}", socket_folder.display()),
        format!("fsync={switch}"),
        format!("full_page_writes={switch}"),
        "synchronous_commit=on".to_owned(),
        "max_connections=100".to_owned(),
        // Containers often have a tiny /dev/shm.
        "dynamic_shared_memory_type=mmap".to_owned(),
        "log_line_prefix=%m [%p] %d ".to_owned(),
    ];
    if syncing == Syncing::Off {
        // Nobody reads its log again, and its databases live for seconds.
        let fast = ["wal_level=minimal", "max_wal_senders=0", "checkpoint_timeout=1h", "autovacuum=off"];
        settings.extend(fast.map(str::to_owned));
    }
    settings
}

/// The last line of `postmaster.pid` is its state, as `pg_ctl --wait` reads it.
fn is_ready(pid_file: &str) -> bool {
    pid_file.lines().nth(7).is_some_and(|line| line.trim() == "ready")
}

/// Single-user mode, before the server listens: no client program is needed.
fn create_database(mut postgres: Command, data: &Path, folder: &Path, log: &Path) -> Result<()> {
    let script = folder.join("create.sql");
    fs::write(&script, "CREATE DATABASE braid\n").with_context(|| format!("cannot write {}", script.display()))?;
    let input = File::open(&script).with_context(|| format!("cannot read {}", script.display()))?;
    postgres.arg("--single").arg("-D").arg(data).args(["-c", "fsync=off", "postgres"]);
    process::run_with_input(postgres, Stdio::from(input), log)
}

fn url(socket_folder: &Path) -> String {
    let host = socket_folder.to_string_lossy();
    let mut encoded = String::new();
    for byte in host.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    format!("postgres://braid@{encoded}/braid")
}

struct User {
    uid: u32,
    gid: u32,
}

/// Whom root becomes for the server; nobody else may become anyone.
fn unprivileged_user() -> Result<Option<User>> {
    // SAFETY: always succeeds, reads only.
    if unsafe { libc::geteuid() } != 0 {
        return Ok(None);
    }
    for name in ["postgres", "nobody"] {
        let name = CString::new(name).context("a user name with a NUL")?;
        // SAFETY: the result is null or points to static memory, which is read before anything else asks for a user; this
        // program asks on its main thread only.
        let user = unsafe { libc::getpwnam(name.as_ptr()).as_ref() };
        if let Some(user) = user {
            return Ok(Some(User { uid: user.pw_uid, gid: user.pw_gid }));
        }
    }
    Err(BadInput("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`".to_owned()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_is_a_number_not_a_word() {
        let found = ["9.6", "15", "17", "10"].map(|version| {
            let number = parse_version(version).expect("a version");
            (number, PathBuf::from(version))
        });
        assert_eq!(newest(found.into_iter()), Some(PathBuf::from("17")));
        assert_eq!(parse_version("common"), None);
    }

    #[test]
    fn the_socket_folder_is_the_host() {
        assert_eq!(url(Path::new("/tmp/braid-pg-12-0")), "postgres://braid@%2Ftmp%2Fbraid-pg-12-0/braid");
    }

    #[test]
    fn only_the_eighth_line_says_ready() {
        let starting = "1\n/tmp/x\n0\n5432\n/tmp\n\n 1 2\nstarting\n";
        assert!(!is_ready(starting));
        assert!(is_ready(&starting.replace("starting", "ready   ")));
        assert!(!is_ready("ready\n"));
    }

    #[test]
    fn only_the_fast_cluster_skips_syncing() {
        let folder = Path::new("/tmp/x");
        assert!(settings(Syncing::Off, folder).contains(&"fsync=off".to_owned()));
        assert!(settings(Syncing::On, folder).contains(&"fsync=on".to_owned()));
        assert!(settings(Syncing::Off, folder).contains(&"listen_addresses=".to_owned()));
    }
}
