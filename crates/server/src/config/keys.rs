//! Every key of `braid.toml`: section, name, default, what a value must look like, what it is for.

/// What a value must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// One of a few words.
    Word(&'static [&'static str]),
    /// A whole number within bounds, both ends included.
    Count(i64, i64),
    /// A duration with its unit, in microseconds within bounds.
    Duration(i64, i64),
    /// A size in bytes with its unit, within bounds.
    Bytes(i64, i64),
    /// An address to listen on: `HOST:PORT`.
    Listen,
    /// `sqlite:FILE` or `postgres://…`.
    Database,
    /// A time zone of the IANA database.
    Zone,
    /// A currency of ISO 4217.
    Currency,
    /// A country of ISO 3166-1, two letters.
    Country,
    /// Empty, or `http://…` / `https://…`.
    Url,
    /// `folder:PATH` or `s3://…`.
    Files,
    /// Networks such as `10.0.0.0/8`, separated by commas.
    Networks,
}

/// One key.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// The table in the file.
    pub section: &'static str,
    /// The name in the table.
    pub name: &'static str,
    /// The value when nobody says otherwise, as it is written in the file.
    pub default: &'static str,
    /// What a value must look like.
    pub kind: Kind,
    /// Whether the value may carry a password, which is never printed.
    pub secret: bool,
    /// What it is for, one sentence.
    pub doc: &'static str,
}

impl Key {
    /// The variable of the environment: `BRAID_DATABASE_URL`.
    pub fn variable(&self) -> String {
        format!("BRAID_{}_{}", self.section.to_uppercase(), self.name.to_uppercase())
    }
}

const fn key(section: &'static str, name: &'static str, default: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { section, name, default, kind, secret: false, doc }
}

const fn secret(
    section: &'static str,
    name: &'static str,
    default: &'static str,
    kind: Kind,
    doc: &'static str,
) -> Key {
    Key { section, name, default, kind, secret: true, doc }
}

const LEVELS: &[&str] = &["error", "warn", "info", "debug", "trace"];

/// All keys, in the order in which they are printed.
pub const KEYS: &[Key] = &[
    secret(
        "database",
        "url",
        "sqlite:braid.db",
        Kind::Database,
        "where the store is: sqlite:FILE (relative to the folder) or postgres://…",
    ),
    key("database", "cache_mib", "512", Kind::Count(8, 1 << 20), "decoded rows kept in memory, in MiB"),
    key("http", "listen", "127.0.0.1:8800", Kind::Listen, "where the server listens"),
    key("http", "public_url", "", Kind::Url, "how people outside reach the server; stands in links of messages"),
    key("http", "tls_cert_file", "", Kind::Text, "a PEM file with the certificate chain; empty for plain HTTP"),
    key("http", "tls_key_file", "", Kind::Text, "a PEM file with the private key"),
    key(
        "http",
        "trusted_proxies",
        "127.0.0.0/8, ::1",
        Kind::Networks,
        "networks of proxies whose X-Forwarded-For says where a browser is; empty: none",
    ),
    key("collect", "dedup_days", "30", Kind::Count(1, 3650), "for how many days a message id is remembered"),
    key(
        "collect",
        "clock_tolerance",
        "60s",
        Kind::Duration(0, base::DAY_US),
        "how far a sender's clock may be off before times are corrected",
    ),
    key(
        "collect",
        "max_body",
        "500KiB",
        Kind::Bytes(1 << 10, 16 << 20),
        "the largest body that the tracking API takes",
    ),
    key(
        "collect",
        "rate_per_source",
        "500000",
        Kind::Count(0, 100_000_000),
        "events a second that one source may send, as many at once; 0: no limit",
    ),
    key(
        "collect",
        "geo_file",
        "",
        Kind::Text,
        "a CSV file of addresses and their places (docs/collect.md), relative to the folder; empty: none",
    ),
    key(
        "collect",
        "keep_ip",
        "network",
        Kind::Word(&["network", "whole"]),
        "what is stored of addresses in events: their network (24 or 48 bits) or everything",
    ),
    key(
        "shop_api",
        "rate_per_key",
        "20000",
        Kind::Count(0, 100_000_000),
        "requests of the shop's API a second that one write key may make, as many at once; 0: no limit",
    ),
    key(
        "shop_api",
        "rate_per_client",
        "30",
        Kind::Count(0, 1_000_000),
        "the same for one address and for one cart or order, four times as many at once; 0: no limit",
    ),
    key("shop", "time_zone", "Europe/Kyiv", Kind::Zone, "the zone of shop days and weeks"),
    key("shop", "currency", "UAH", Kind::Currency, "the currency of the first page"),
    key("shop", "locale", "uk", Kind::Text, "the language of messages and of the console at first"),
    key("shop", "country", "UA", Kind::Country, "the country whose national telephone numbers are understood"),
    secret("mail", "smtp_url", "", Kind::Text, "smtp://USER:PASSWORD@HOST:PORT or smtps://…; empty: no mail is sent"),
    key("mail", "from", "", Kind::Text, "the sender's address"),
    secret(
        "media",
        "url",
        "folder:media",
        Kind::Files,
        "where pictures lie: folder:PATH (relative to the folder) or s3://ACCESS_KEY:SECRET_KEY@BUCKET/PREFIX?region=…&endpoint=https://…",
    ),
    key(
        "webhooks",
        "reach",
        "public",
        Kind::Word(&["public", "loopback", "private"]),
        "where webhooks may go: https on the internet only, also this machine, or also private networks",
    ),
    key(
        "sign_in",
        "ca_file",
        "",
        Kind::Text,
        "a PEM file of further certificates to trust when the identity provider is asked, relative to the folder; empty: none",
    ),
    secret("lake", "url", "", Kind::Text, "where sealed parts of the log go; empty: nowhere"),
    key(
        "lake",
        "seal_after",
        "1h",
        Kind::Duration(base::MINUTE_US, 30 * base::DAY_US),
        "how old a part of the log is before it is sealed",
    ),
    key("log", "format", "text", Kind::Word(&["text", "json"]), "how the log is written to stderr"),
    key("log", "level", "info", Kind::Word(LEVELS), "the least important lines that are written"),
];

/// The key of a section and name.
pub fn find(section: &str, name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|k| k.section == section && k.name == name)
}
