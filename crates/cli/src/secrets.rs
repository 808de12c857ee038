//! `braid secrets`: the key with which secrets are sealed.
use crate::printer::Printer;
use crate::shop::{Shop, ShopArgs, unreadable};
use crate::stop::{Outcome, Stop};
use anyhow::anyhow;
use base::SystemClock;
use server::domain::{Domain, Start};
use server::vault::Vault;
use std::sync::Arc;

/// The key of sealed secrets.
#[derive(Debug, clap::Subcommand)]
pub enum Secrets {
    /// Makes a new key, seals every secret with it and takes the old key away. The server must not run.
    ///
    /// Example: braid secrets rotate shop
    Rotate(Rotate),
}

/// Which shop.
#[derive(Debug, clap::Args)]
pub struct Rotate {
    #[command(flatten)]
    shop: ShopArgs,
}

/// Runs it.
pub fn run(secrets: &Secrets, printer: &mut Printer) -> Outcome {
    let Secrets::Rotate(rotate) = secrets;
    let shop = Shop::find(&rotate.shop, Vec::new())?;
    let start = Start::new(&shop.config, shop.location()?, shop.sync, Arc::new(SystemClock), "braid secrets");
    // Opening takes the store's lock, so that no server seals anything with the old key meanwhile.
    let domain = Domain::open(start).map_err(|e| unreadable(&shop.folder, e))?;
    let mut vault = Vault::open(&shop.folder).map_err(|e| Stop::failed(anyhow!(e)))?;
    // The new key is on disk before anything is sealed with it; the old one goes when nothing needs it. Whatever stops in
    // between, both are there, and the next run goes on.
    vault.add_key().map_err(|e| Stop::failed(anyhow!(e)))?;
    let keys = Arc::new(vault);
    let shared = keys.clone();
    let sealed = domain.store().write(move |tx| {
        let factors = server::second_factor::reseal(tx.engine(), &shared)?;
        let webhooks = server::webhooks::endpoints::reseal(tx.engine(), &shared)?;
        let provider = server::oidc::settings::reseal(tx.engine(), &shared)?;
        let alerts = server::alerts::reseal(tx.engine(), &shared)?;
        Ok::<_, db::DbError>(factors.and_then(|count| Ok(count + webhooks? + provider? + alerts?)))
    });
    domain.close();
    let count = sealed.map_err(|e| unreadable(&shop.folder, e))?.map_err(|e| Stop::failed(anyhow!(e)))?;
    let mut vault = Vault::open(&shop.folder).map_err(|e| Stop::failed(anyhow!(e)))?;
    vault.drop_old_keys().map_err(|e| Stop::failed(anyhow!(e)))?;
    printer.line(format!("sealed {count} secrets with a new key; back up {} again", server::vault::FILE))?;
    Ok(())
}
