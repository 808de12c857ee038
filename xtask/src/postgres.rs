//! `cargo xtask postgres`: the servers of the tests, for a person or for one command.

use std::io::IsTerminal;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::args::Args;
use crate::packages::{self, Tool};
use crate::postgres_cluster::{PostgresCluster, Syncing};
use crate::process::{Output, Running};
use crate::stop::{self, BadInput, Interrupted};
use crate::workspace::Workspace;

/// The two servers that tests know, and the names of the variables by which they know them.
pub struct TestServers {
    fast: PostgresCluster,
    durable: PostgresCluster,
}

impl TestServers {
    pub fn start(workspace: &Workspace) -> Result<TestServers> {
        let logs = workspace.logs();
        Ok(TestServers {
            fast: PostgresCluster::start("fast", Syncing::Off, &logs).context("cannot start PostgreSQL")?,
            durable: PostgresCluster::start("durable", Syncing::On, &logs).context("cannot start PostgreSQL")?,
        })
    }

    pub fn variables(&self) -> [(&'static str, &str); 2] {
        [("BRAID_TEST_POSTGRES", self.fast.url()), ("BRAID_TEST_POSTGRES_DURABLE", self.durable.url())]
    }
}

pub fn command(mut args: Args) -> Result<()> {
    let words = args.tail("--exec");
    args.finish()?;
    if words.as_ref().is_some_and(Vec::is_empty) {
        return Err(BadInput("--exec wants a command".to_owned()).into());
    }
    let workspace = Workspace::find()?;
    packages::ensure(&[Tool::PostgresServer], false, &workspace)?;
    let servers = TestServers::start(&workspace)?;
    match words {
        Some(words) => exec(&words, &servers, &workspace),
        None => serve(&servers),
    }
}

fn serve(servers: &TestServers) -> Result<()> {
    for (name, url) in servers.variables() {
        println!("{name}={url}");
    }
    eprintln!("Ctrl-C stops the servers and removes their data");
    while stop::check().is_ok() {
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn exec(words: &[String], servers: &TestServers, workspace: &Workspace) -> Result<()> {
    let mut command = to_command(words);
    command.envs(servers.variables());
    let output = if std::io::stdin().is_terminal() { Output::Terminal } else { Output::Ours };
    let log = workspace.log("postgres-exec");
    let mut running = Running::start(command, &log, output, libc::SIGTERM)?;
    let status = match running.wait() {
        // A terminal's Ctrl-C goes to the command as well; its own end is the better answer.
        Err(error) if error.is::<Interrupted>() => running.stop().ok_or(Interrupted)?,
        other => other?,
    };
    stop::check()?;
    if !status.success() {
        bail!("the command failed ({status})");
    }
    Ok(())
}

/// One word with spaces is a line for the shell, so that it can name the variables.
fn to_command(words: &[String]) -> Command {
    match words {
        [line] if line.contains(char::is_whitespace) => {
            let mut command = Command::new("sh");
            command.arg("-c").arg(line);
            command
        }
        [program, rest @ ..] => {
            let mut command = Command::new(program);
            command.args(rest);
            command
        }
        [] => Command::new("true"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_to_the_shell_and_words_do_not() {
        let line = to_command(&["psql \"$BRAID_TEST_POSTGRES\"".to_owned()]);
        assert_eq!(line.get_program(), "sh");
        let words = to_command(&["cargo".to_owned(), "test".to_owned()]);
        assert_eq!(words.get_program(), "cargo");
    }
}
