//! A connection to PostgreSQL: TLS as its URL asks, and what Braid demands of a database.
use super::{Engine, Inner, Sync, chain, redact, tls};
use crate::DbError;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// A network that swallows everything is noticed after this much silence to what was sent; without it a write would wait for
/// a quarter of an hour.
const SILENCE_MAX: Duration = Duration::from_secs(20);

impl Engine {
    /// Connects to PostgreSQL. Must be called, and used, on a thread without an async runtime. The URL may say `sslmode`
    /// (`disable`, `prefer`, `require`, `verify-ca`, `verify-full`) and `sslrootcert` as for libpq; see [`tls`].
    pub fn open_postgres(url: &str, sync: Sync) -> Result<Self, DbError> {
        #[cfg(any(test, feature = "testing"))]
        if let Some(mut kept) = kept::take::<Client>(url)
            && kept.batch_execute(syncing(sync)).is_ok()
        {
            return Ok(Self::new(Inner::Postgres(kept)));
        }
        let shown = redact(url);
        let open = |reason: String| DbError::Open { url: shown.clone(), reason };
        let (plain, wanted) = tls::take(url).map_err(|e| open(e.to_string()))?;
        let mut config: postgres::Config = plain.parse().map_err(|e: postgres::Error| open(chain(&e)))?;
        config.application_name("braid").connect_timeout(Duration::from_secs(10));
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE_MAX);
        }
        if !plain.contains("keepalives_idle") {
            config.keepalives_idle(SILENCE_MAX);
        }
        config.ssl_mode(wanted.mode.negotiated());
        let connector = wanted.connector().map_err(|e| open(e.to_string()))?;
        let mut client = config.connect(connector).map_err(|e| open(tls::explain(wanted.mode, chain(&e))))?;
        let row = client
            .query_one(
                "SELECT datcollate, pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()",
                &[],
            )
            .map_err(|e| open(chain(&e)))?;
        let (collation, encoding): (String, String) = (row.get(0), row.get(1));
        if !matches!(collation.as_str(), "C" | "POSIX" | "C.UTF-8" | "C.utf8") {
            return Err(open(format!(
                "its collation is {collation}, and Braid needs C: create it with LC_COLLATE 'C' TEMPLATE template0"
            )));
        }
        if encoding != "UTF8" {
            return Err(open(format!("its encoding is {encoding}, and Braid needs UTF8")));
        }
        let settings = "SET TIME ZONE 'UTC'; SET client_min_messages = warning; SET jit = off";
        client.batch_execute(&format!("{}; {settings}", syncing(sync))).map_err(|e| open(chain(&e)))?;
        let client = Client { client: Box::new(client), statements: HashMap::new() };
        Ok(Self::new(Inner::Postgres(Link::new(client, url.to_string()))))
    }
}

fn syncing(sync: Sync) -> &'static str {
    if sync == Sync::Full { "SET synchronous_commit = on" } else { "SET synchronous_commit = off" }
}

/// A client with the statements that the server prepared for it.
pub(super) struct Client {
    client: Box<postgres::Client>,
    pub(super) statements: HashMap<Arc<str>, postgres::Statement>,
}

impl std::ops::Deref for Client {
    type Target = postgres::Client;
    fn deref(&self) -> &postgres::Client {
        &self.client
    }
}

impl std::ops::DerefMut for Client {
    fn deref_mut(&mut self) -> &mut postgres::Client {
        &mut self.client
    }
}

/// A connection of either engine, that tests may put aside when it is dropped.
pub(super) struct Link<C: Kept> {
    /// Taken out when it is dropped only.
    held: Option<C>,
    #[cfg(any(test, feature = "testing"))]
    kept_for: Option<String>,
}

impl<C: Kept> Link<C> {
    /// `home` names the database, and how it is used.
    #[cfg_attr(not(any(test, feature = "testing")), allow(unused_variables, reason = "only tests keep connections"))]
    pub(super) fn new(connection: C, home: String) -> Self {
        Self {
            held: Some(connection),
            #[cfg(any(test, feature = "testing"))]
            kept_for: kept::wanted(home),
        }
    }
}

impl<C: Kept> std::ops::Deref for Link<C> {
    type Target = C;
    fn deref(&self) -> &C {
        self.held.as_ref().unwrap_or_else(|| unreachable!("a link in use has its connection"))
    }
}

impl<C: Kept> std::ops::DerefMut for Link<C> {
    fn deref_mut(&mut self) -> &mut C {
        self.held.as_mut().unwrap_or_else(|| unreachable!("a link in use has its connection"))
    }
}

#[cfg(not(any(test, feature = "testing")))]
pub(super) trait Kept {}
#[cfg(not(any(test, feature = "testing")))]
impl<C> Kept for C {}

#[cfg(any(test, feature = "testing"))]
pub use kept::keep_open;
#[cfg(any(test, feature = "testing"))]
pub(super) use kept::{Kept, take};

/// Connections that are put aside instead of closed, for tests that open a store some thousand times.
#[cfg(any(test, feature = "testing"))]
mod kept {
    use super::{Client, Link};
    use std::any::Any;
    use std::collections::HashMap;
    use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

    /// What can be put aside.
    pub trait Kept: Any + Send {
        /// Undoes what closing would; gives whether the connection is as good as a new one.
        fn undo(&mut self) -> bool;
    }

    impl Kept for Client {
        fn undo(&mut self) -> bool {
            !self.is_closed() && self.batch_execute("ROLLBACK; SELECT pg_advisory_unlock_all()").is_ok()
        }
    }

    impl Kept for rusqlite::Connection {
        fn undo(&mut self) -> bool {
            let undone = if self.is_autocommit() { Ok(()) } else { self.execute_batch("ROLLBACK") };
            undone.and_then(|()| self.execute_batch("PRAGMA secure_delete = FAST")).is_ok()
        }
    }

    type Homes = HashMap<String, Vec<(String, Box<dyn Any + Send>)>>;

    fn all() -> MutexGuard<'static, Homes> {
        static ALL: LazyLock<Mutex<Homes>> = LazyLock::new(Mutex::default);
        ALL.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A database, and what is said behind it of its use.
    fn database(home: &str) -> &str {
        home.split('\0').next().unwrap_or(home)
    }

    /// From now on connections to this database are put aside, or closed again.
    pub fn keep_open(database: &str, keep: bool) {
        if keep {
            all().entry(database.to_string()).or_default();
            return;
        }
        let closed = all().remove(database);
        drop(closed);
    }

    pub(super) fn wanted(home: String) -> Option<String> {
        all().contains_key(database(&home)).then_some(home)
    }

    /// A connection that was put aside for this use of a database.
    pub(in super::super) fn take<C: Kept>(home: &str) -> Option<Link<C>> {
        let mut all = all();
        let known = all.get_mut(database(home))?;
        let at = known.iter().position(|(of, _)| of == home)?;
        let held = *known.swap_remove(at).1.downcast::<C>().ok()?;
        Some(Link { held: Some(held), kept_for: Some(home.to_string()) })
    }

    impl<C: Kept> Drop for Link<C> {
        fn drop(&mut self) {
            let (Some(home), Some(mut held)) = (self.kept_for.take(), self.held.take()) else { return };
            if !held.undo() {
                return;
            }
            if let Some(known) = all().get_mut(database(&home)) {
                known.push((home, Box::new(held)));
            }
        }
    }
}
