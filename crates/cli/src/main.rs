//! `braid`: the whole program on the command line, one module a command.
//!
//! stdout is data, stderr the rest. Exit: 0 done, 1 failed (or findings), 2 bad input, 130 stopped.
mod back;
mod backup;
mod bench;
mod client;
mod compare;
mod completions;
mod config;
mod demo;
mod doctor;
mod erase;
mod export;
mod export_person;
mod import;
mod init;
mod logging;
mod openapi;
mod price;
mod printer;
mod resolve;
mod restore;
mod secrets;
mod segment;
mod serve;
mod shop;
mod source;
mod stop;

use clap::{Parser, Subcommand};
use printer::Printer;
use std::process::ExitCode;
use stop::Stop;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The omnichannel back office of a retailer in one program.
#[derive(Debug, Parser)]
#[command(name = "braid", version, propagate_version = true)]
struct Cli {
    /// Says less on stderr.
    #[arg(long, short, global = true)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a shop in a new folder.
    Init(init::Init),
    /// Runs the server.
    Serve(serve::Serve),
    /// Brings purchases in from a file.
    Import(import::Import),
    /// Compares an old tool's numbers with Braid's own.
    Compare(compare::Compare),
    /// Writes files in an old tool's own format.
    Back(back::Back),
    /// Checks that everything stored is sound.
    Doctor(doctor::Doctor),
    /// Writes the whole store to one file, beside a running server.
    Backup(backup::Backup),
    /// Makes a shop out of a backup.
    Restore(restore::Restore),
    /// Forgets a person.
    Erase(erase::Erase),
    /// Writes data out.
    #[command(subcommand)]
    Export(export::Export),
    /// Measures Braid against a baseline on this machine.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Shows effective settings; pulls, compares and pushes those of the database.
    Config(config::Config),
    /// Works with the key of sealed secrets.
    #[command(subcommand)]
    Secrets(secrets::Secrets),
    /// Works with segments.
    #[command(subcommand)]
    Segment(segment::Segment),
    /// Says what a basket costs under promotions.
    Price(price::Price),
    /// Says which rows of a list are the same person.
    Resolve(resolve::Resolve),
    /// Says which place sends which piece of each order.
    Source(source::Source),
    /// Prints the OpenAPI document of the admin API.
    ///
    /// Example: braid openapi > console/openapi.json
    Openapi,
    /// Fills a shop with made-up people to look at.
    #[command(subcommand)]
    Demo(demo::Demo),
    /// Prints a completion script for a shell.
    Completions(completions::Completions),
}

fn main() -> ExitCode {
    // clap itself exits with 2 on bad input and prints in the same style.
    let cli = Cli::parse();
    let mut printer = Printer::new(cli.quiet);
    let outcome = match &cli.command {
        Command::Init(command) => init::run(command, &mut printer),
        Command::Serve(command) => serve::run(command, &mut printer),
        Command::Import(command) => import::run(command, &mut printer),
        Command::Compare(command) => compare::run(command, &mut printer),
        Command::Back(command) => back::run(command, &mut printer),
        Command::Doctor(command) => doctor::run(command, &mut printer),
        Command::Backup(command) => backup::run(command, &mut printer),
        Command::Restore(command) => restore::run(command, &mut printer),
        Command::Erase(command) => erase::run(command, &mut printer),
        Command::Export(command) => export::run(command, &mut printer),
        Command::Bench(command) => bench::run(command, printer.out()).map_err(Stop::failed),
        Command::Config(command) => config::run(command, &mut printer),
        Command::Secrets(command) => secrets::run(command, &mut printer),
        Command::Segment(command) => segment::run(command, &mut printer),
        Command::Price(command) => price::run(command, &mut printer),
        Command::Resolve(command) => resolve::run(command, &mut printer),
        Command::Source(command) => source::run(command, &mut printer),
        Command::Openapi => openapi::run(&mut printer),
        Command::Demo(command) => demo::run(command, &mut printer),
        Command::Completions(command) => completions::run(command, &mut printer),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            printer.stop(&stop);
            ExitCode::from(stop.code)
        }
    }
}
