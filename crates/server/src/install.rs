//! Making a shop: the folder, the store, the first owner and keys.
use crate::access::Role;
use crate::config::{Config, ShopSettings, new_file};
use crate::domain::{Domain, Start};
use crate::secrets::{NewKey, hash_password, new_key};
use crate::sources::{self, SourceKind};
use crate::{accounts, keys};
use base::{Clock, SystemClock};
use db::{DbError, Location, Sync, Tx};
use std::path::Path;
use std::sync::Arc;

/// What is shown once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The owner's address.
    pub email: String,
    /// The owner's password.
    pub password: String,
    /// A key of the admin API with the owner's role.
    pub api_key: String,
    /// The write key of the first source.
    pub write_key: String,
}

/// Why there is no new shop.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// Something is there already.
    #[error("{0}")]
    Occupied(String),
    /// The folder cannot be made or written.
    #[error("cannot write {path}")]
    Folder {
        /// Which.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The store cannot be made.
    #[error("cannot make the store")]
    Store(#[from] DbError),
    /// The password cannot be hashed.
    #[error("cannot hash the owner's password")]
    Password,
}

/// Makes a shop in `folder`, which must be absent or empty.
pub fn init(
    folder: &Path,
    database_url: Option<&str>,
    shop: &ShopSettings,
    email: &str,
    config: &Config,
    sync: Sync,
) -> Result<Credentials, InstallError> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |source| InstallError::Folder { path, source }
    };
    if folder.exists() {
        let mut entries = std::fs::read_dir(folder).map_err(failed(folder))?;
        if entries.next().is_some() {
            return Err(InstallError::Occupied(format!("{} is not empty", folder.display())));
        }
    }
    let location = Location::parse(&config.database_url, folder)?;
    // Customers' data and passwords of databases and mail servers lie here: nobody else's business.
    make_private(folder).map_err(failed(folder))?;
    let password = base::random_token();
    let hash = hash_password(&password).ok_or(InstallError::Password)?;
    let (api_key, write_key) = (new_key("ak"), new_key("wk"));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let domain = Domain::open(Start::new(config, location, sync, clock, "braid init"))?;
    let (email, keys) = (email.to_string(), (api_key.clone(), write_key.clone()));
    let owner = email.clone();
    let made = domain.store().write(move |tx| first_accounts(tx, &owner, &hash, &keys));
    domain.close();
    if !made? {
        return Err(InstallError::Occupied("the database holds a shop already".into()));
    }
    let file = folder.join("braid.toml");
    write_private(&file, &new_file(database_url, shop)).map_err(failed(&file))?;
    Ok(Credentials { email, password, api_key: api_key.key, write_key: write_key.key })
}

/// A folder that only its owner enters; one that was there keeps what its owner set.
fn make_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

/// A file that only its owner reads.
fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    std::io::Write::write_all(&mut options.open(file)?, text.as_bytes())
}

/// The first owner, key and sources; `false` when there is somebody already.
fn first_accounts(tx: &mut Tx, email: &str, hash: &str, (api, write): &(NewKey, NewKey)) -> Result<bool, DbError> {
    if tx.first("SELECT id FROM users LIMIT 1", &[])?.is_some() {
        return Ok(false);
    }
    let owner = accounts::NewUser {
        email: email.into(),
        name: "Owner".into(),
        role: Role::Owner,
        stores: Vec::new(),
        password: hash.into(),
        own_password: false,
    };
    accounts::add_user(tx, &owner)?;
    keys::add(tx, &keys::Wanted::of_role("First key", Role::Owner), api)?;
    sources::add(tx, "Site", SourceKind::Browser, Some(write))?;
    sources::add(tx, "braid", SourceKind::System, None)?;
    Ok(true)
}
