//! A connection to PostgreSQL: TLS as its URL asks, and what Braid demands of a database.
use super::{Engine, Inner, Sync, chain, redact, tls};
use crate::DbError;
use std::time::Duration;

/// A network that swallows everything is noticed after this much silence to what was sent; without it a write would wait for
/// a quarter of an hour.
const SILENCE_MAX: Duration = Duration::from_secs(20);

impl Engine {
    /// Connects to PostgreSQL. Must be called, and used, on a thread without an async runtime. The URL may say `sslmode`
    /// (`disable`, `prefer`, `require`, `verify-ca`, `verify-full`) and `sslrootcert` as for libpq; see [`tls`].
    pub fn open_postgres(url: &str, sync: Sync) -> Result<Self, DbError> {
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
        let sync = if sync == Sync::Full { "on" } else { "off" };
        client
            .batch_execute(&format!(
                "SET synchronous_commit = {sync}; SET TIME ZONE 'UTC'; SET client_min_messages = warning; SET jit = off"
            ))
            .map_err(|e| open(chain(&e)))?;
        Ok(Self::new(Inner::Postgres(Box::new(client))))
    }
}
