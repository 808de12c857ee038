//! `braid init`: makes a shop.
use crate::printer::Printer;
use crate::shop::{environment, sync};
use crate::stop::{Outcome, Stop};
use anyhow::anyhow;
use serde_json::json;
use server::config::{Effective, ShopSettings};
use server::install::{self, InstallError};
use std::path::PathBuf;

/// Makes a shop in a new or empty folder. Password and keys are shown once.
///
/// Example: braid init shop --currency UAH --country UA
#[derive(Debug, clap::Args)]
pub struct Init {
    /// The folder to make.
    pub dir: PathBuf,
    /// Where the store is: sqlite:FILE or postgres://…
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Zone of shop days, such as Europe/Kyiv.
    #[arg(long)]
    time_zone: Option<String>,
    /// Currency, such as UAH.
    #[arg(long)]
    currency: Option<String>,
    /// Language, such as uk.
    #[arg(long)]
    locale: Option<String>,
    /// Country, such as UA.
    #[arg(long)]
    country: Option<String>,
    /// The owner's address.
    #[arg(long, default_value = "owner@example.com")]
    email: String,
    /// Accepts a database that may lose commits in a power cut.
    #[arg(long)]
    unsafe_fast: bool,
    /// Prints one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub fn run(init: &Init, printer: &mut Printer) -> Outcome {
    let shop = settings(init, &System::read());
    let mut flags = vec![
        ("shop", "time_zone", "--time-zone", shop.time_zone.clone()),
        ("shop", "currency", "--currency", shop.currency.clone()),
        ("shop", "locale", "--locale", shop.locale.clone()),
        ("shop", "country", "--country", shop.country.clone()),
    ];
    if let Some(url) = &init.database {
        flags.push(("database", "url", "--database", url.clone()));
    }
    let effective = Effective::load(None, &environment(), &flags).map_err(Stop::bad_input)?;
    let email = base::normalise_email(&init.email).ok_or_else(|| {
        Stop::bad_input(anyhow!("{:?} is no e-mail address", init.email)).hint("--email you@shop.example")
    })?;
    let config = effective.config(&init.dir);
    let made = install::init(&init.dir, init.database.as_deref(), &shop, &email, &config, sync(init.unsafe_fast));
    let made = made.map_err(|error| match error {
        InstallError::Occupied(_) => Stop::bad_input(error).hint("name a folder that does not exist yet"),
        error => Stop::failed(error),
    })?;
    if init.json {
        let owner = json!({"email": made.email, "password": made.password});
        return printer.json(&json!({"owner": owner, "api_key": made.api_key, "write_key": made.write_key}));
    }
    printer.line(format!("The shop is in {}. These are shown once:", init.dir.display()))?;
    printer.line(format!("  sign in    {}", made.email))?;
    printer.line(format!("  password   {}", made.password))?;
    printer.line(format!("  API key    {}", made.api_key))?;
    printer.line(format!("  write key  {}  (source \"Site\")", made.write_key))?;
    printer.note(format!("next: braid serve {}", init.dir.display()));
    Ok(())
}

/// What the operating system says about place and language.
#[derive(Debug, Default, PartialEq, Eq)]
struct System {
    zone: Option<String>,
    locale: Option<String>,
}

impl System {
    fn read() -> Self {
        let zone = jiff::tz::TimeZone::try_system().ok().and_then(|z| z.iana_name().map(str::to_string));
        let set = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
        Self { zone, locale: ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set) }
    }
}

/// Flags, else the operating system, else a shop in Ukraine. Zone `UTC` and locale `C` count as not set.
fn settings(init: &Init, system: &System) -> ShopSettings {
    let zone = system
        .zone
        .clone()
        .filter(|z| !matches!(z.as_str(), "UTC" | "Etc/UTC" | "Etc/UCT" | "UCT" | "Zulu" | "Etc/Zulu"));
    let locale = system.locale.as_deref().map(|l| l.split(['.', '@']).next().unwrap_or_default());
    let locale = locale.filter(|l| !matches!(*l, "" | "C" | "POSIX"));
    let (language, country) = match locale.map(|l| l.split_once('_').unwrap_or((l, ""))) {
        Some((language, country)) => {
            (Some(language.to_lowercase()), Some(country.to_uppercase()).filter(|c| c.len() == 2))
        }
        None => (None, None),
    };
    let country = init.country.clone().or(country);
    let currency = init.currency.clone().or_else(|| country.as_deref().and_then(currency_of).map(str::to_string));
    ShopSettings {
        time_zone: init.time_zone.clone().or(zone).unwrap_or_else(|| "Europe/Kyiv".into()),
        currency: currency.unwrap_or_else(|| "UAH".into()),
        locale: init.locale.clone().or(language).unwrap_or_else(|| "uk".into()),
        country: country.unwrap_or_else(|| "UA".into()),
    }
}

/// What is paid with in a country (ISO 4217); where it is not known, the default stays.
fn currency_of(country: &str) -> Option<&'static str> {
    Some(match country {
        "UA" => "UAH",
        "GB" => "GBP",
        "US" => "USD",
        "PL" => "PLN",
        "CZ" => "CZK",
        "RO" => "RON",
        "MD" => "MDL",
        "CA" => "CAD",
        "TR" => "TRY",
        "KZ" => "KZT",
        "CH" => "CHF",
        "SE" => "SEK",
        "NO" => "NOK",
        "DK" => "DKK",
        "DE" | "FR" | "ES" | "IT" | "NL" | "AT" | "BE" | "IE" | "PT" | "FI" | "SK" | "LT" | "LV" | "EE" | "GR"
        | "SI" | "HR" | "BG" => "EUR",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn init() -> Init {
        Init {
            dir: "shop".into(),
            database: None,
            time_zone: None,
            currency: None,
            locale: None,
            country: None,
            email: "a@b.c".into(),
            unsafe_fast: false,
            json: false,
        }
    }

    fn said(init: &Init, zone: Option<&str>, locale: Option<&str>) -> String {
        let system = System { zone: zone.map(str::to_string), locale: locale.map(str::to_string) };
        let s = settings(init, &system);
        format!("{} {} {} {}", s.time_zone, s.currency, s.locale, s.country)
    }

    #[test]
    fn flags_come_before_the_system_and_the_system_before_ukraine() {
        assert_eq!(said(&init(), None, None), "Europe/Kyiv UAH uk UA");
        assert_eq!(said(&init(), Some("UTC"), Some("C.UTF-8")), "Europe/Kyiv UAH uk UA");
        assert_eq!(said(&init(), Some("Europe/Berlin"), Some("de_DE.UTF-8")), "Europe/Berlin EUR de DE");
        let flags = Init { country: Some("GB".into()), locale: Some("en".into()), ..init() };
        assert_eq!(said(&flags, Some("Europe/London"), Some("POSIX")), "Europe/London GBP en GB");
    }
}
