//! What `braid.toml`, the environment and the flags say: one value a key, each with its origin.
//!
//! Order: defaults < file < environment < flags. Unknown keys are refused with their line. The environment is passed in
//! by the program; nothing here reads it.
mod keys;
mod units;

pub use keys::{KEYS, Key, Kind};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said otherwise.
    Default,
    /// A line of the file.
    File {
        /// The line, from 1.
        line: usize,
    },
    /// A variable of the environment.
    Environment {
        /// Its name.
        variable: String,
    },
    /// A flag of the command line.
    Flag {
        /// Its name.
        flag: &'static str,
    },
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File { line } => write!(f, "braid.toml line {line}"),
            Origin::Environment { variable } => f.write_str(variable),
            Origin::Flag { flag } => f.write_str(flag),
        }
    }
}

/// Why the settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file is no TOML.
    #[error("braid.toml line {line}: {reason}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A key or a table that we do not know.
    #[error("braid.toml line {line}: {key} is not a key that Braid knows{}", near.map(|n| format!(" (did you mean {n}?)")).unwrap_or_default())]
    Unknown {
        /// The line, from 1.
        line: usize,
        /// The key as written.
        key: String,
        /// A known key that looks like it.
        near: Option<&'static str>,
    },
    /// A value that is not what the key wants.
    #[error("{origin}: {key} = {value:?} is not {wanted}")]
    Value {
        /// Where it was said.
        origin: String,
        /// The key.
        key: String,
        /// What was said; `…` where it may be secret.
        value: String,
        /// What the key wants.
        wanted: String,
    },
}

/// One value with its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub section: &'static str,
    /// Its name.
    pub name: &'static str,
    /// The value as text, as it would stand in the file without quotes.
    pub value: String,
    /// Who said it.
    pub origin: Origin,
}

/// All values with their origins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    entries: Vec<Entry>,
}

/// The settings, ready to be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `sqlite:FILE` or `postgres://…`.
    pub database_url: String,
    /// Bytes of decoded rows in memory.
    pub cache_bytes: usize,
    /// Where to listen.
    pub listen: String,
    /// How people outside reach the server; empty = as it listens.
    pub public_url: String,
    /// Certificate chain and private key, PEM files.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Days for which a message id is remembered.
    pub dedup_days: i64,
    /// How far a sender's clock may be off, in microseconds.
    pub clock_tolerance_us: i64,
    /// The largest body of the tracking API, in bytes.
    pub max_body: usize,
    /// Events a second and source; 0 = no limit.
    pub rate_per_source: u32,
    /// Requests of the shop's API a second and write key; 0 = no limit.
    pub rate_per_key: u32,
    /// The same a second and address, and a second and cart or order; 0 = no limit.
    pub rate_per_client: u32,
    /// Networks of proxies that are believed.
    pub trusted_proxies: String,
    /// A table of addresses and their places.
    pub geo_file: Option<PathBuf>,
    /// Whether addresses in events are stored whole.
    pub keep_ip_whole: bool,
    /// IANA name.
    pub time_zone: String,
    /// ISO 4217.
    pub currency: String,
    /// Language tag.
    pub locale: String,
    /// ISO 3166-1.
    pub country: String,
    /// Empty = no mail is sent.
    pub smtp_url: String,
    /// The sender's address.
    pub mail_from: String,
    /// Where pictures lie: `folder:PATH` or `s3://…`.
    pub media_url: String,
    /// Where webhooks may go: `public`, `loopback` or `private`.
    pub webhooks_reach: String,
    /// Further certificates to trust when the identity provider is asked.
    pub sign_in_ca_file: Option<PathBuf>,
    /// `text` or `json`.
    pub log_format: String,
    /// `error` … `trace`.
    pub log_level: String,
}

impl Effective {
    /// Puts the layers together. `file` is the text of `braid.toml` if there is one, `environment` all variables, `flags`
    /// what the command line says as (section, name, flag, value).
    pub fn load(
        file: Option<&str>,
        environment: &HashMap<String, String>,
        flags: &[(&'static str, &'static str, &'static str, String)],
    ) -> Result<Self, ConfigError> {
        let default =
            |k: &Key| Entry { section: k.section, name: k.name, value: k.default.into(), origin: Origin::Default };
        let mut out = Self { entries: KEYS.iter().map(default).collect() };
        if let Some(text) = file {
            out.read_file(text)?;
        }
        for key in KEYS {
            let variable = key.variable();
            if let Some(value) = environment.get(&variable) {
                out.set(key, value.clone(), Origin::Environment { variable })?;
            }
        }
        for (section, name, flag, value) in flags {
            if let Some(key) = keys::find(section, name) {
                out.set(key, value.clone(), Origin::Flag { flag })?;
            }
        }
        Ok(out)
    }

    /// All values, in the order of the reference.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// A value by key; the key is known.
    fn get(&self, section: &str, name: &str) -> &str {
        let found = self.entries.iter().find(|e| e.section == section && e.name == name);
        found.map_or("", |e| e.value.as_str())
    }

    /// A value as it may be shown: passwords are replaced.
    pub fn shown(entry: &Entry) -> String {
        match keys::find(entry.section, entry.name) {
            Some(key) if key.secret => db::redact(&entry.value),
            _ => entry.value.clone(),
        }
    }

    /// The typed settings. Every value was checked when it was set.
    pub fn config(&self, folder: &Path) -> Config {
        let int = |s: &str, n: &str| self.get(s, n).parse::<i64>().unwrap_or_default();
        let file = |n: &str| Some(self.get("http", n)).filter(|v| !v.is_empty()).map(|v| folder.join(v));
        Config {
            database_url: self.get("database", "url").into(),
            cache_bytes: (int("database", "cache_mib") as usize) << 20,
            listen: self.get("http", "listen").into(),
            public_url: self.get("http", "public_url").trim_end_matches('/').into(),
            tls: file("tls_cert_file").zip(file("tls_key_file")),
            dedup_days: int("collect", "dedup_days"),
            clock_tolerance_us: units::duration_us(self.get("collect", "clock_tolerance")).unwrap_or_default(),
            max_body: units::bytes(self.get("collect", "max_body")).unwrap_or_default() as usize,
            rate_per_source: int("collect", "rate_per_source") as u32,
            rate_per_key: int("shop_api", "rate_per_key") as u32,
            rate_per_client: int("shop_api", "rate_per_client") as u32,
            trusted_proxies: self.get("http", "trusted_proxies").into(),
            geo_file: Some(self.get("collect", "geo_file")).filter(|v| !v.is_empty()).map(|v| folder.join(v)),
            keep_ip_whole: self.get("collect", "keep_ip") == "whole",
            time_zone: self.get("shop", "time_zone").into(),
            currency: self.get("shop", "currency").into(),
            locale: self.get("shop", "locale").into(),
            country: self.get("shop", "country").into(),
            smtp_url: self.get("mail", "smtp_url").into(),
            mail_from: self.get("mail", "from").into(),
            media_url: self.get("media", "url").into(),
            webhooks_reach: self.get("webhooks", "reach").into(),
            sign_in_ca_file: Some(self.get("sign_in", "ca_file")).filter(|v| !v.is_empty()).map(|v| folder.join(v)),
            log_format: self.get("log", "format").into(),
            log_level: self.get("log", "level").into(),
        }
    }

    fn set(&mut self, key: &'static Key, value: String, origin: Origin) -> Result<(), ConfigError> {
        if let Err(wanted) = check(key.kind, &value) {
            let shown = if key.secret { "…".to_string() } else { value };
            let name = format!("{}.{}", key.section, key.name);
            return Err(ConfigError::Value { origin: origin.to_string(), key: name, value: shown, wanted });
        }
        if let Some(entry) = self.entries.iter_mut().find(|e| e.section == key.section && e.name == key.name) {
            (entry.value, entry.origin) = (value, origin);
        }
        Ok(())
    }

    fn read_file(&mut self, text: &str) -> Result<(), ConfigError> {
        let line_of = |at: usize| text.get(..at).map_or(1, |t| t.matches('\n').count() + 1);
        let table = toml::de::DeTable::parse(text).map_err(|e| ConfigError::Syntax {
            line: e.span().map_or(1, |s| line_of(s.start)),
            reason: e.message().to_string(),
        })?;
        for (section, body) in table.get_ref() {
            let line = line_of(section.span().start);
            let section = section.get_ref().as_ref();
            let known = KEYS.iter().any(|k| k.section == section);
            let Some(body) = body.get_ref().as_table().filter(|_| known) else {
                let near = nearest(section, KEYS.iter().map(|k| k.section));
                return Err(ConfigError::Unknown { line, key: section.into(), near });
            };
            for (name, value) in body {
                let line = line_of(name.span().start);
                let name = name.get_ref().as_ref();
                let Some(key) = keys::find(section, name) else {
                    let near = nearest(name, KEYS.iter().filter(|k| k.section == section).map(|k| k.name));
                    return Err(ConfigError::Unknown { line, key: format!("{section}.{name}"), near });
                };
                let value = value.get_ref();
                let text = match (value.as_str(), value.as_integer()) {
                    (Some(text), _) => text.to_string(),
                    (_, Some(number)) => number.to_string(),
                    _ => format!("a {}", value.type_str()),
                };
                self.set(key, text, Origin::File { line })?;
            }
        }
        Ok(())
    }
}

/// What a value is not, if it is not what its key wants.
fn check(kind: Kind, value: &str) -> Result<(), String> {
    let within = |found: Option<i64>, least: i64, most: i64, what: &str| match found {
        Some(v) if (least..=most).contains(&v) => Ok(()),
        Some(_) => Err(format!("{what} between {least} and {most}")),
        None => Err(what.to_string()),
    };
    let letters = |count: usize| value.len() == count && value.bytes().all(|b| b.is_ascii_uppercase());
    let ok = |yes: bool, wanted: &str| if yes { Ok(()) } else { Err(wanted.to_string()) };
    match kind {
        Kind::Text => Ok(()),
        Kind::Word(words) => ok(words.contains(&value), &format!("one of {}", words.join(", "))),
        Kind::Count(least, most) => within(value.parse().ok(), least, most, "a whole number"),
        Kind::Duration(least, most) => {
            let wanted = "a duration with its unit, such as \"250ms\", \"60s\" or \"1h\"";
            let found = units::duration_us(value).ok_or(wanted.to_string())?;
            ok((least..=most).contains(&found), &format!("a duration between {least} and {most} microseconds"))
        }
        Kind::Bytes(least, most) => {
            let wanted = "a size with its unit, such as \"500KiB\" or \"64MiB\"";
            let found = units::bytes(value).ok_or(wanted.to_string())?;
            ok((least..=most).contains(&found), &format!("a size between {least} and {most} bytes"))
        }
        Kind::Listen => {
            let port = value.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
            ok(matches!(port, Some(Ok(_))), "an address such as 127.0.0.1:8800")
        }
        Kind::Database => {
            let known = ["sqlite:", "postgres://", "postgresql://"].iter().any(|p| value.starts_with(p));
            ok(known, "sqlite:FILE or postgres://…")
        }
        Kind::Files => connect::objects::Place::parse(value).map(drop).map_err(|e| e.to_string()),
        Kind::Zone => ok(jiff::tz::TimeZone::get(value).is_ok(), "a time zone such as Europe/Kyiv"),
        Kind::Currency => ok(letters(3), "a currency of three capital letters, such as UAH"),
        Kind::Country => ok(letters(2), "a country of two capital letters, such as UA"),
        Kind::Networks => {
            let wanted = "networks such as 10.0.0.0/8, separated by commas";
            crate::collect_api::Proxies::parse(value).map(drop).ok_or(wanted.to_string())
        }
        Kind::Url => {
            let known = value.is_empty() || value.starts_with("http://") || value.starts_with("https://");
            ok(known, "a web address such as https://shop.example")
        }
    }
}

/// The known word that shares the longest beginning with what was written, if it is long enough to be meant.
fn nearest(written: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let shared = |k: &str| k.bytes().zip(written.bytes()).take_while(|(a, b)| a == b).count();
    let best = known.max_by_key(|k| (shared(k), usize::MAX - k.len().abs_diff(written.len())))?;
    (shared(best) >= 3).then_some(best)
}

/// The text of a new `braid.toml`.
pub fn new_file(database_url: Option<&str>, shop: &ShopSettings) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_string()).to_string();
    let mut out = String::from(
        "# Settings of this shop. `braid config DIR` shows every key, its value and where it comes from.\n",
    );
    if let Some(url) = database_url {
        out.push_str(&format!("\n[database]\nurl = {}\n", quoted(url)));
    }
    out.push_str(&format!(
        "\n[shop]\ntime_zone = {}\ncurrency = {}\nlocale = {}\ncountry = {}\n",
        quoted(&shop.time_zone),
        quoted(&shop.currency),
        quoted(&shop.locale),
        quoted(&shop.country)
    ));
    out
}

/// What is decided about a shop when it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopSettings {
    /// IANA name.
    pub time_zone: String,
    /// ISO 4217.
    pub currency: String,
    /// Language tag.
    pub locale: String,
    /// ISO 3166-1.
    pub country: String,
}

#[cfg(test)]
mod tests;
