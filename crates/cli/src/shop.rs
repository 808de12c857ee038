//! Finding a shop: its folder, its settings, its store.
use crate::stop::Stop;
use anyhow::anyhow;
use db::{DbError, Location, Sync};
use server::config::{Config, Effective};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Which shop, and how its store is reached.
#[derive(Debug, Clone, clap::Args)]
pub struct ShopArgs {
    /// The shop's folder.
    pub dir: PathBuf,
    /// The database instead of the one in braid.toml: sqlite:FILE or postgres://…
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
    /// Accepts a database that may lose commits in a power cut.
    #[arg(long)]
    pub unsafe_fast: bool,
}

/// A flag that stands for a key of the settings: section, name, flag, value.
pub type Flag = (&'static str, &'static str, &'static str, String);

/// A shop that was found.
pub struct Shop {
    pub folder: PathBuf,
    pub effective: Effective,
    pub config: Config,
    pub sync: Sync,
}

/// The variables that settings are read from.
pub fn environment() -> HashMap<String, String> {
    std::env::vars_os()
        .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with("BRAID_"))
        .collect()
}

/// How hard to sync.
pub fn sync(unsafe_fast: bool) -> Sync {
    if unsafe_fast { Sync::UnsafeFast } else { Sync::Full }
}

impl Shop {
    /// Reads a shop's settings.
    pub fn find(args: &ShopArgs, mut flags: Vec<Flag>) -> Result<Self, Stop> {
        if let Some(url) = &args.database {
            flags.push(("database", "url", "--database", url.clone()));
        }
        let folder = args.dir.clone();
        let file = folder.join("braid.toml");
        let text = std::fs::read_to_string(&file).map_err(|e| {
            let error = anyhow!(e).context(format!("cannot read {}", file.display()));
            Stop::bad_input(error).hint(format!("braid init {}", folder.display()))
        })?;
        let effective = Effective::load(Some(&text), &environment(), &flags).map_err(Stop::bad_input)?;
        let config = effective.config(&folder);
        Ok(Self { folder, effective, config, sync: sync(args.unsafe_fast) })
    }
    /// Where the store is.
    pub fn location(&self) -> Result<Location, Stop> {
        Location::parse(&self.config.database_url, &self.folder).map_err(Stop::bad_input)
    }
}

/// What to do about a store that cannot be used, where something can be done.
pub fn store_hint(folder: &Path, error: &DbError) -> Option<String> {
    let folder = folder.display();
    Some(match error {
        DbError::Held(_) => "stop the other one, or add --take-over".to_string(),
        DbError::Open { .. } => format!("braid config {folder} shows where the database is looked for"),
        DbError::Busy(_) => "another program works on the database: end it and try again".to_string(),
        DbError::Full => "make room on the disk and try again".to_string(),
        DbError::Damaged { place, .. } if place == db::error::DATABASE_FILE => {
            format!("keep {folder} as it is, and put the newest copy in its place")
        }
        DbError::Damaged { .. } => format!("braid doctor {folder} tells what is damaged"),
        DbError::Newer { .. } => "install the Braid that this shop ran with last, or a newer one".to_string(),
        _ => return None,
    })
}

/// A store that cannot be read.
pub fn unreadable(folder: &Path, error: DbError) -> Stop {
    let hint = store_hint(folder, &error);
    Stop { hint, ..Stop::bad_input(error) }
}

/// The address of the server that runs a shop, if one does, with the token for it.
pub fn running_server(shop: &Shop) -> Result<Option<(String, String)>, Stop> {
    let location = shop.location()?;
    if let Location::Sqlite { path, .. } = &location
        && !path.exists()
    {
        return Ok(None);
    }
    let mut engine = location.open(shop.sync, true).map_err(Stop::failed)?;
    let holder = db::store::read_holder(&mut engine).map_err(Stop::failed)?;
    let token = std::fs::read_to_string(shop.folder.join(server::run::TOKEN_FILE)).ok();
    Ok(token.filter(|_| !holder.clean && !holder.address.is_empty()).map(|token| (holder.address, token)))
}
