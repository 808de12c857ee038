//! `braid serve`: the server.
use crate::logging;
use crate::printer::Printer;
use crate::shop::{Shop, ShopArgs, store_hint};
use crate::stop::{Outcome, Stop};
use anyhow::anyhow;
use server::run::{self, Ended, ServeError};
use std::path::PathBuf;

/// Runs the server until it is told to stop.
///
/// Example: braid serve shop --listen 127.0.0.1:8800
#[derive(Debug, clap::Args)]
pub struct Serve {
    #[command(flatten)]
    shop: ShopArgs,
    /// Where to listen; port 0 takes any.
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// Written with the address when requests can be taken, removed at the stop.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Takes the store over from whoever holds it.
    #[arg(long)]
    take_over: bool,
}

/// Runs it.
pub fn run(serve: &Serve, printer: &mut Printer) -> Outcome {
    let mut flags = Vec::new();
    if let Some(listen) = &serve.listen {
        flags.push(("http", "listen", "--listen", listen.clone()));
    }
    let shop = Shop::find(&serve.shop, flags)?;
    logging::start(&shop.config);
    if let db::Location::Sqlite { path, .. } = shop.location()?
        && !path.exists()
    {
        // A start would make an empty store, in which nobody's key is known.
        let error = anyhow!("cannot open the database at {}: there is no such file", path.display());
        return Err(Stop::failed(error).hint(format!(
            "put the file back, or make a new shop with braid init in a folder other than {}",
            shop.folder.display()
        )));
    }
    let options = run::Serve {
        folder: shop.folder.clone(),
        config: shop.config,
        sync: shop.sync,
        take_over: serve.take_over,
        ready_file: serve.ready_file.clone(),
    };
    match run::serve(options) {
        Ok(Ended::Terminated) => Ok(()),
        Ok(Ended::Interrupted) => {
            printer.note("stopped; everything acknowledged is stored");
            Err(Stop::silent(130))
        }
        Err(error) => {
            let hint = match &error {
                ServeError::Store(error) => store_hint(&shop.folder, error),
                ServeError::Listen { .. } => Some("choose another address with --listen 127.0.0.1:0".to_string()),
                _ => None,
            };
            let stop = Stop::failed(error);
            Err(match hint {
                Some(hint) => stop.hint(hint),
                None => stop,
            })
        }
    }
}
