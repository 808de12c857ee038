//! `cargo xtask`: everything about this repository that a person or a machine runs, in Rust instead of shell.
//!
//! Start at [`main`]: one arm a command. [`test`] runs the stages that [`stages`] plans; [`tidy`] reads the crate graph and
//! the sources; [`demo`] shows the whole shop on one machine; [`postgres_cluster`] gives tests a server to throw away.
//! Exit: 0 done, 1 failed, 2 bad input or something missing on this machine, 130 stopped.

mod args;
mod braid;
mod clients;
mod counts;
mod demo;
mod demo_server;
mod node;
mod openapi;
mod packages;
mod postgres;
mod postgres_cluster;
mod process;
mod python;
mod stages;
mod stop;
mod temporary;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use crate::args::Args;
use crate::stop::{BadInput, Interrupted};

const USAGE: &str = "\
usage: cargo xtask <command>

  test [--quick] [--only STAGE[,STAGE]] [--no-install]   every check, in order; stops at the first that fails
  tidy [--bless]                                          crate arrows, licences, duplicates, sources
  postgres [--exec COMMAND…]                              a PostgreSQL to throw away, until Ctrl-C or the command's end
  openapi [--check]                                       writes (or compares) console/openapi.json and its client
  demo [--port 8800] [--fresh] [--keep]                   the demo shop: console, shop, till and mail on this machine

stages: tidy, fmt, clippy, rust, sdk, demo, openapi, console, browser (--quick: the first four)";

fn main() -> ExitCode {
    stop::listen();
    let mut args = Args::new(std::env::args().skip(1));
    let done = match args.command().as_deref() {
        Some("test") => test::command(args),
        Some("tidy") => tidy::command(args),
        Some("postgres") => postgres::command(args),
        Some("openapi") => openapi::command(args),
        Some("demo") => demo::command(args),
        Some("help" | "--help" | "-h") => {
            println!("{USAGE}");
            Ok(())
        }
        Some(other) => Err(BadInput(format!("there is no command `{other}`\n\n{USAGE}")).into()),
        None => Err(BadInput(USAGE.to_owned()).into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<test::StagesFailed>() => ExitCode::from(1),
        Err(error) if error.is::<Interrupted>() => {
            eprintln!("stopped");
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(if error.is::<BadInput>() { 2 } else { 1 })
        }
    }
}
