//! The feed of air-raid alerts, asked by a loop of its own: what it says goes to the writer, and to the book of promises.
//!
//! The feed is advice. It is asked no more often than it allows and ever more rarely while it fails; a failure is shown and stops
//! nothing. Its key is sealed for the address for which it was given: another address asks for the key again.
use crate::app::App;
use crate::problem::Problem;
use crate::vault::{Vault, VaultError};
use connect::alerts::{FeedFailure, FeedOptions, InUa, Polled, Threat, UkraineAlarm};
use db::{DbError, Engine};
use orders::commands::alerts::{alerts_failed, alerts_seen, feed};
use orders::settings::{AlertFeed, AlertSettings};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// Where the sealed key is kept among the settings of the store.
const KEY: &str = "alerts.key";
/// The longest wait between two requests.
const WAIT_MAX: Duration = Duration::from_secs(600);
/// Where nobody is to be asked it is looked so often whether that changed, beside being told.
const IDLE: Duration = Duration::from_secs(300);

/// Wakes the loop.
#[derive(Default)]
pub struct Alerts {
    /// Settings or the key changed.
    pub changed: Notify,
}

/// The address of the service, or the one that was given.
pub fn address(settings: &AlertSettings) -> &str {
    match (settings.feed, settings.address.trim()) {
        (AlertFeed::UkraineAlarm, "") => UkraineAlarm::URL,
        (_, "") => InUa::URL,
        (_, given) => given,
    }
}

fn bound_to(address: &str) -> String {
    format!("alert feed {address}")
}

/// Keeps the key for an address; an empty one is taken away.
pub fn put_key(db: &mut Engine, vault: &Vault, address: &str, key: &str) -> Result<Result<(), VaultError>, DbError> {
    let sealed = match key {
        "" => String::new(),
        key => match vault.seal(&bound_to(address), key) {
            Ok(sealed) => sealed,
            Err(error) => return Ok(Err(error)),
        },
    };
    db::settings::set(db, KEY, &sealed)?;
    Ok(Ok(()))
}

/// The key for an address; none where there is none for it.
pub fn key(db: &mut Engine, vault: &Vault, address: &str) -> Result<Option<String>, DbError> {
    let sealed = db::settings::get(db, KEY)?.filter(|sealed| !sealed.is_empty());
    Ok(sealed.and_then(|sealed| vault.open_text(&bound_to(address), &sealed).ok()))
}

/// Seals the key with the newest key of the vault; gives how many values there were. One that is of another address than the
/// settings name is of no use and is taken away.
pub fn reseal(db: &mut Engine, vault: &Vault) -> Result<Result<u64, VaultError>, DbError> {
    let sealed = db::settings::get(db, KEY)?.filter(|sealed| !sealed.is_empty());
    if sealed.is_none_or(|sealed| vault.is_newest(&sealed)) {
        return Ok(Ok(0));
    }
    let settings = orders::commands::read_settings(db)?.1;
    let address = address(&settings.alerts).to_string();
    let kept = key(db, vault, &address)?.unwrap_or_default();
    Ok(put_key(db, vault, &address, &kept)?.map(|()| u64::from(!kept.is_empty())))
}

/// Whom to ask, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Plan {
    feed: AlertFeed,
    address: String,
    key: String,
}

enum Client {
    InUa(InUa),
    UkraineAlarm(UkraineAlarm),
}

/// Asks the feed, one request after another.
pub struct Feeder {
    asking: Option<(Plan, Client)>,
    failures: u32,
    /// How long an answer may take.
    patience: Duration,
}

impl Default for Feeder {
    fn default() -> Self {
        Self { asking: None, failures: 0, patience: Duration::from_secs(10) }
    }
}

/// How long to wait until the next request: twice as long after each failure, as long as the feed asks for, and long where a person
/// has to do something first.
pub fn wait(every: Duration, failures: u32, failure: Option<&FeedFailure>) -> Duration {
    let doubled = every.saturating_mul(1 << failures.min(6)).min(WAIT_MAX.max(every));
    match failure {
        None => every,
        Some(FeedFailure::TooFast(asked)) => doubled.max(*asked),
        Some(FeedFailure::Unauthorised | FeedFailure::Forbidden | FeedFailure::Settings(_)) => WAIT_MAX.max(every),
        Some(_) => doubled,
    }
}

impl Feeder {
    /// One that waits so long for an answer.
    pub fn patient(patience: Duration) -> Self {
        Self { patience, ..Self::default() }
    }

    /// Asks once, if anybody is to be asked, and takes over what was said; gives the time until the next request.
    pub async fn step(&mut self, app: &Arc<App>, now_us: i64) -> Result<Duration, Problem> {
        let settings = app.desk.settings().1.alerts.clone();
        let every = Duration::from_secs(settings.every_seconds.into());
        let address = address(&settings).to_string();
        if settings.feed == AlertFeed::Off {
            self.asking = None;
            return Ok(IDLE);
        }
        let (shared, of) = (app.clone(), address.clone());
        let Some(key) = app.query(move |db| Ok(key(db, &shared.vault, &of)?)).await? else {
            self.asking = None;
            return Ok(IDLE);
        };
        let outcome = self.ask(Plan { feed: settings.feed, address, key }, now_us).await;
        let failure = outcome.as_ref().err().cloned();
        self.failures = if failure.is_some() { self.failures + 1 } else { 0 };
        let moved = match outcome {
            Ok(answer) => {
                let seen: Option<Vec<(String, i64)>> = match answer {
                    Polled::Same => None,
                    Polled::Now(alerts) => {
                        // A notice, or what nobody here knows yet, stops no shop.
                        let real = alerts.into_iter().filter(|a| a.threat != Threat::Other && a.ended_us.is_none());
                        Some(real.map(|alert| (alert.territory, alert.began_us)).collect())
                    }
                };
                let take = move |tx: &mut db::Tx| {
                    let moved = alerts_seen(tx, seen.as_deref());
                    moved.map_err(|e| crate::api::orders::refused(tx, e))
                };
                app.write(take).await?
            }
            Err(failure) => {
                let text = failure.to_string();
                let take = move |tx: &mut db::Tx| {
                    let noted = alerts_failed(tx, &text);
                    noted.map_err(|e| crate::api::orders::refused(tx, e))
                };
                app.write(take).await?;
                false
            }
        };
        app.reload_alerts().await?;
        if moved {
            tracing::info!("air-raid alerts changed");
        }
        Ok(wait(every, self.failures, failure.as_ref()))
    }

    async fn ask(&mut self, plan: Plan, now_us: i64) -> Result<Polled, FeedFailure> {
        if self.asking.as_ref().is_none_or(|(known, _)| *known != plan) {
            let options = FeedOptions { answer: self.patience, ..FeedOptions::new(&plan.address, &plan.key) };
            let client = match plan.feed {
                AlertFeed::UkraineAlarm => Client::UkraineAlarm(UkraineAlarm::new(&options)?),
                _ => Client::InUa(InUa::new(&options)?),
            };
            self.asking = Some((plan, client));
        }
        match &mut self.asking {
            Some((_, Client::InUa(client))) => client.poll(now_us).await,
            Some((_, Client::UkraineAlarm(client))) => client.poll(now_us).await,
            None => Err(FeedFailure::Settings("nobody is to be asked".into())),
        }
    }

    /// Whether it would ask somebody else than it did.
    fn is_of(&self, settings: &AlertSettings) -> bool {
        self.asking.as_ref().is_some_and(|(plan, _)| plan.feed == settings.feed && plan.address == address(settings))
    }
}

/// Asks until the server stops.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut feeder = Feeder::default();
    let mut next = Instant::now();
    loop {
        tokio::select! {
            _ = stop.wait_for(|s| *s) => return,
            () = app.alerts.changed.notified() => {
                // Whoever saves settings twice does not ask the same feed twice.
                if !feeder.is_of(&app.desk.settings().1.alerts) {
                    next = Instant::now();
                }
            }
            () = tokio::time::sleep_until(next) => {}
        }
        if Instant::now() < next {
            continue;
        }
        let now_us = app.now().micros();
        let step = tokio::select! {
            _ = stop.wait_for(|s| *s) => return,
            step = feeder.step(&app, now_us) => step,
        };
        let pause = step.unwrap_or_else(|problem| {
            tracing::warn!(code = problem.code.code, detail = %problem.detail, "alerts could not be taken over");
            IDLE
        });
        next = Instant::now() + pause;
    }
}

impl App {
    /// Takes over what the feed said, for promises; after an answer, a failure and a start.
    pub async fn reload_alerts(&self) -> Result<(), Problem> {
        let known = self.read(|tx| Ok(feed(tx)?)).await?;
        self.desk.put_feed(known);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_that_fails_is_asked_ever_more_rarely() {
        let every = Duration::from_secs(20);
        let seconds = |failures, failure: &FeedFailure| wait(every, failures, Some(failure)).as_secs();
        assert_eq!(wait(every, 0, None), every);
        let down = FeedFailure::Status(500);
        assert_eq!((1..7).map(|n| seconds(n, &down)).collect::<Vec<_>>(), [40, 80, 160, 320, 600, 600]);
        let slow = |asked| FeedFailure::TooFast(Duration::from_secs(asked));
        assert_eq!((seconds(1, &slow(30)), seconds(1, &slow(90))), (40, 90), "as long as it asks for");
        assert_eq!(seconds(1, &FeedFailure::Unauthorised), 600, "a person has to give another key");
    }

    #[test]
    fn a_key_is_for_one_address() {
        let mut settings = AlertSettings::default();
        assert_eq!(address(&settings), InUa::URL);
        settings.feed = AlertFeed::UkraineAlarm;
        assert_eq!(address(&settings), UkraineAlarm::URL);
        settings.address = "https://alerts.example.com/v1".into();
        assert_eq!(address(&settings), "https://alerts.example.com/v1");
        let folder = tempfile::tempdir().expect("a folder");
        let vault = Vault::open(folder.path()).expect("opens");
        let sealed = vault.seal(&bound_to("https://a.example.com"), "secret").expect("seals");
        assert!(vault.open_text(&bound_to("https://b.example.com"), &sealed).is_err());
    }
}
