//! What every request shares: the store, the snapshots against which requests are checked, the streams, the figures.
use crate::config::Config;
use crate::domain::Domain;
use crate::hub::Hub;
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::{accounts, sources, timing};
use base::{Clock, Timestamp};
use db::{DbError, Engine, Tx};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::oneshot;

/// The running shop.
pub struct App {
    /// The rooms below: the store and what reacts to events.
    pub domain: Domain,
    /// Effective settings.
    pub config: Config,
    /// The shop's folder.
    pub folder: std::path::PathBuf,
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
    /// Open streams.
    pub hub: Arc<Hub>,
    /// Figures of the HTTP side.
    pub metrics: Metrics,
    /// Attempts to sign in.
    pub logins: crate::session::Attempts,
    /// When sessions and keys were last used.
    pub touches: accounts::Touches,
    /// Whose data was looked at in this hour.
    pub views: crate::views::Views,
    /// What product pages are answered from.
    pub board: crate::shop_api::Board,
    /// The loop that asks the feed of alerts.
    pub alerts: crate::alerts::Alerts,
    /// How fast the shop's API is asked.
    pub paces: crate::shop_api::pace::Paces,
    /// What promises are answered from.
    pub desk: crate::shop_api::desk::DeskCell,
    /// Which people are of whose stores, as far as that was found out lately.
    pub known: crate::scope::Known,
    /// The shop's identity provider, as far as it is known.
    pub oidc: crate::oidc::provider::Provider,
    /// What goes out to other systems.
    pub webhooks: crate::webhooks::Webhooks,
    /// Opens and seals secrets that must be used again.
    pub vault: crate::vault::Vault,
    /// A secret that only programs on this machine can read, for `braid import` and `braid demo`.
    pub local_token: String,
    /// How people reach the server: `http.public_url`, or where it listens.
    pub public_url: String,
    /// Proxies that are believed about where a browser is.
    pub proxies: crate::collect_api::Proxies,
    /// The catalogue's search index and files.
    pub goods: crate::goods::Goods,
    accounts: RwLock<Arc<accounts::Snapshot>>,
    sources: RwLock<Arc<crate::collect_api::Keys>>,
}

impl App {
    /// Loads the snapshots and puts everything together.
    pub async fn new(
        domain: Domain,
        (folder, config): (std::path::PathBuf, Config),
        clock: Arc<dyn Clock>,
        hub: Arc<Hub>,
        local_token: String,
        public_url: String,
        vault: crate::vault::Vault,
    ) -> Result<Arc<Self>, Problem> {
        let proxies = crate::collect_api::Proxies::parse(&config.trusted_proxies).unwrap_or_default();
        let oidc = crate::oidc::provider::Provider::open(config.sign_in_ca_file.as_deref());
        let oidc = oidc.map_err(|why| crate::problem::INTERNAL.because(why))?;
        let goods = crate::goods::Goods::open(&folder, &config.media_url)?;
        let board = crate::shop_api::Board::open(&domain).await?;
        let app = Self {
            board,
            alerts: crate::alerts::Alerts::default(),
            paces: crate::shop_api::pace::Paces::default(),
            desk: crate::shop_api::desk::DeskCell::default(),
            goods,
            proxies,
            domain,
            folder,
            config,
            clock,
            hub,
            metrics: Metrics::default(),
            logins: crate::session::Attempts::default(),
            touches: accounts::Touches::default(),
            views: crate::views::Views::default(),
            known: crate::scope::Known::default(),
            oidc,
            webhooks: crate::webhooks::Webhooks::default(),
            vault,
            local_token,
            public_url,
            accounts: RwLock::default(),
            sources: RwLock::default(),
        };
        app.reload_accounts().await?;
        app.reload_sources().await?;
        app.reload_order_settings().await?;
        app.reload_alerts().await?;
        let app = Arc::new(app);
        let (shared, now) = (app.clone(), app.now());
        app.query(move |db| Ok(shared.views.load(db, now)?)).await?;
        Ok(app)
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Who may use the admin API.
    pub fn accounts(&self) -> Arc<accounts::Snapshot> {
        self.accounts.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
    /// Who may send events.
    pub fn sources(&self) -> Arc<crate::collect_api::Keys> {
        self.sources.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
    /// Reads the accounts again, after a change.
    pub async fn reload_accounts(&self) -> Result<(), Problem> {
        let fresh = Arc::new(self.query(|db| Ok(accounts::Snapshot::load(db)?)).await?);
        let limits = crate::views::Limits { alarm_from: fresh.policy.views_alarm, at_most: fresh.policy.views_limit };
        self.views.set_limits(limits);
        self.known.forget();
        *self.accounts.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }
    /// Reads the sources again, after a change.
    pub async fn reload_sources(&self) -> Result<(), Problem> {
        let fresh = self.query(|db| Ok(sources::Snapshot::load(db)?)).await?;
        let keys = crate::collect_api::Keys::new(fresh, self.config.rate_per_source, self.now());
        *self.sources.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        Ok(())
    }

    /// Reads the settings of orders again, after a change.
    pub async fn reload_order_settings(&self) -> Result<(), Problem> {
        let (version, settings) = self.query(|db| Ok(orders::commands::read_settings(db)?)).await?;
        self.desk.put(version, settings);
        Ok(())
    }

    /// Runs a command on the writer.
    pub async fn write<T, F>(&self, f: F) -> Result<T, Problem>
    where
        F: FnMut(&mut Tx) -> Result<T, Problem> + Send + 'static,
        T: Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        self.domain.store().write_with(f, move |answer| drop(sender.send(answer)));
        answer(receiver).await
    }
    /// Reads committed state by key on the writer's thread.
    pub async fn read<T, F>(&self, f: F) -> Result<T, Problem>
    where
        F: FnOnce(&mut Tx) -> Result<T, Problem> + Send + 'static,
        T: Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        self.domain.store().read_with(f, move |answer| drop(sender.send(answer)));
        answer(receiver).await
    }
    /// Runs a query beside the writer.
    pub async fn query<T, F>(&self, f: F) -> Result<T, Problem>
    where
        F: FnOnce(&mut Engine) -> Result<T, Problem> + Send + 'static,
        T: Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        self.domain.store().query_with(f, move |answer| drop(sender.send(answer)));
        answer(receiver).await
    }
}

impl App {
    /// Writes rows that wait for their turn, if they are few, so that a list shows what happened a moment ago.
    pub async fn settle(&self) -> Result<(), Problem> {
        const FEW: usize = 2_000;
        let waiting = self.domain.store().figures().dirty_rows;
        if waiting == 0 || waiting > FEW {
            return Ok(());
        }
        self.write(|tx| Ok(tx.flush_table::<customers::profiles::Profiles>()?)).await
    }
}

async fn answer<T>(receiver: oneshot::Receiver<Result<T, Problem>>) -> Result<T, Problem> {
    timing::database(receiver).await.unwrap_or_else(|_| Err(DbError::Stopped.into()))
}
