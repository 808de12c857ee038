//! `braid config`: effective settings, and the settings of the database as files that can be kept, compared and brought back.
mod compare;
mod files;
mod show;
mod sync;

use crate::printer::Printer;
use crate::shop::ShopArgs;
use crate::stop::{Outcome, Stop};
use anyhow::anyhow;
use std::path::PathBuf;

/// Shows effective settings and where each comes from; or works with the settings of the database as files.
///
/// Example: braid config shop --json
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Config {
    #[command(subcommand)]
    command: Option<Command>,
    /// The shop's folder.
    dir: Option<PathBuf>,
    /// The database instead of the one in braid.toml: sqlite:FILE or postgres://…
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Accepts a database that may lose commits in a power cut.
    #[arg(long)]
    unsafe_fast: bool,
    /// Prints one line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Writes the settings of a running shop's database into a folder of TOML files. Exit 1 if the folder holds changes.
    ///
    /// Example: braid config pull shop --to settings
    Pull(Pull),
    /// Says how a folder differs from a running shop. Exit 0 when it does not, 1 when it does.
    ///
    /// Example: braid config diff shop --from settings
    Diff(Diff),
    /// Makes a running shop as a folder says: all of it or nothing. Exit 1 on a conflict.
    ///
    /// Example: braid config push shop --from settings --dry-run
    Push(Push),
}

/// Which server.
#[derive(Debug, clap::Args)]
pub struct Server {
    /// The folder of a shop whose server runs on this machine.
    #[arg(required_unless_present = "server")]
    dir: Option<PathBuf>,
    /// The server instead: http://HOST:PORT or https://HOST:PORT.
    #[arg(long, value_name = "URL", requires = "key", conflicts_with = "dir")]
    server: Option<String>,
    /// An owner's API key for it.
    #[arg(long, env = "BRAID_API_KEY", hide_env_values = true, value_name = "KEY")]
    key: Option<String>,
    /// Whom the server's certificate must come from (PEM), instead of the authorities that this machine knows.
    #[arg(long, env = "BRAID_CA", value_name = "FILE")]
    ca: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Pull {
    #[command(flatten)]
    server: Server,
    /// The folder to write, made if it is not there.
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    /// Writes over files that were changed since the last pull.
    #[arg(long)]
    force: bool,
}

#[derive(Debug, clap::Args)]
struct Diff {
    #[command(flatten)]
    server: Server,
    /// The folder.
    #[arg(long, value_name = "FOLDER")]
    from: PathBuf,
}

#[derive(Debug, clap::Args)]
struct Push {
    #[command(flatten)]
    server: Server,
    /// The folder.
    #[arg(long, value_name = "FOLDER")]
    from: PathBuf,
    /// Has the server try everything, and changes nothing.
    #[arg(long)]
    dry_run: bool,
    /// Writes over what others changed in the shop since the pull.
    #[arg(long)]
    force: bool,
    /// Archives what the folder does not hold: segments, templates, rules and purposes. Says what, and asks.
    #[arg(long)]
    prune: bool,
    /// Does not ask.
    #[arg(long)]
    yes: bool,
}

/// Runs it.
pub fn run(config: &Config, printer: &mut Printer) -> Outcome {
    match &config.command {
        Some(Command::Pull(p)) => sync::pull(&p.server, &p.to, p.force, printer),
        Some(Command::Diff(d)) => sync::diff(&d.server, &d.from, printer),
        Some(Command::Push(p)) => {
            let how = sync::Push { dry_run: p.dry_run, force: p.force, prune: p.prune, yes: p.yes };
            sync::push(&p.server, &p.from, how, printer)
        }
        None => {
            let Some(dir) = config.dir.clone() else {
                return Err(Stop::bad_input(anyhow!("name the shop's folder")).hint("braid config shop"));
            };
            let shop = ShopArgs { dir, database: config.database.clone(), unsafe_fast: config.unsafe_fast };
            show::run(&shop, config.json, printer)
        }
    }
}
