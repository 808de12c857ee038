//! What the feed of alerts said: taken over as it comes, kept over a restart, and over when nobody confirms it any more.
//!
//! The feed is advice: what it says or fails to say refuses nothing and stops nothing.
use crate::calendar::Alert;
use crate::error::OrderError;
use base::{DAY_US, MINUTE_US, Timestamp};
use db::{DbError, Engine, Memory, Notice, Tx};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The feed as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Feed {
    /// Another one whenever an alert begins or ends.
    pub version: i64,
    /// Alerts that go on or ended within a day; what goes on was confirmed when the feed answered last.
    pub alerts: Vec<Alert>,
    /// The epoch: never.
    pub asked_at: Timestamp,
    pub answered_at: Timestamp,
    /// Requests in a row that failed.
    pub failures: i64,
    /// Why the last one failed; empty when it did not.
    pub error: String,
}

/// Ended alerts are known for so long by heart, and so long in the table.
const KNOWN_US: i64 = DAY_US;
const KEPT_US: i64 = 400 * DAY_US;
/// How old the stored moment of the last answer may be.
const NOTE_US: i64 = MINUTE_US;
const ERROR_MAX: usize = 300;
/// Territories in one answer; all of Ukraine has some two thousand.
const TERRITORIES_MAX: usize = 10_000;

struct Held {
    committed: (Arc<Feed>, Timestamp),
    /// With the moment of the last answer that is stored.
    changed: Option<(Arc<Feed>, Timestamp)>,
}

impl Memory for Held {
    fn load(db: &mut Engine) -> Result<Self, DbError> {
        let feed = read(db)?;
        let noted = feed.answered_at;
        Ok(Held { committed: (Arc::new(feed), noted), changed: None })
    }
    fn commit(&mut self) {
        if let Some(changed) = self.changed.take() {
            self.committed = changed;
        }
    }
    fn rollback(&mut self) {
        self.changed = None;
    }
}

const ALERTS: &str = "SELECT territory, began_at, ended_at FROM alerts WHERE ended_at = 0 OR ended_at > $1 \
                      ORDER BY began_at DESC, territory LIMIT 20000";

/// The feed as it is stored.
pub fn read(db: &mut Engine) -> Result<Feed, DbError> {
    let mut feed = Feed::default();
    if let Some(row) = db.first("SELECT asked_at, answered_at, failures, error FROM alert_feed WHERE id = 1", &[])? {
        feed.asked_at = Timestamp::from_micros(row.int(0)?);
        feed.answered_at = Timestamp::from_micros(row.int(1)?);
        (feed.failures, feed.error) = (row.int(2)?, row.text(3)?.into());
    }
    for row in db.rows(ALERTS, &[(feed.answered_at.micros() - KNOWN_US).into()])? {
        let ended_us = Some(row.int(2)?).filter(|at| *at != 0);
        feed.alerts.push(Alert {
            territory: row.text(0)?.into(),
            began_us: row.int(1)?,
            confirmed_us: ended_us.unwrap_or(feed.answered_at.micros()),
            ended_us,
        });
    }
    feed.alerts.sort_by(|a, b| (&a.territory, a.began_us).cmp(&(&b.territory, b.began_us)));
    Ok(feed)
}

/// The feed as it is now.
pub fn feed(tx: &mut Tx) -> Result<Arc<Feed>, DbError> {
    let held = tx.memory::<Held>()?;
    Ok(held.changed.as_ref().unwrap_or(&held.committed).0.clone())
}

/// What follows from the feed's answer: which alerts are now known, and which of them are to be stored. Pure.
///
/// `seen` are the territories with an alert, and since when. What is not there any more ended now; what is there again since the
/// same moment never ended.
pub fn observed(known: &[Alert], seen: &[(String, i64)], now_us: i64) -> (Vec<Alert>, Vec<Alert>) {
    let mut wanted: BTreeMap<&str, i64> = BTreeMap::new();
    for (territory, began_us) in seen {
        let began_us = (*began_us).min(now_us);
        // Two threats in one territory are one alert, since the first of them.
        wanted.entry(territory).and_modify(|at| *at = began_us.min(*at)).or_insert(began_us);
    }
    let (mut out, mut changed) = (Vec::with_capacity(known.len()), Vec::new());
    for alert in known {
        let mut alert = alert.clone();
        match wanted.get(alert.territory.as_str()) {
            Some(_) if alert.ended_us.is_none() => {
                alert.confirmed_us = now_us;
                wanted.remove(alert.territory.as_str());
            }
            Some(began_us) if *began_us == alert.began_us => {
                (alert.confirmed_us, alert.ended_us) = (now_us, None);
                changed.push(alert.clone());
                wanted.remove(alert.territory.as_str());
            }
            None if alert.ended_us.is_none() => {
                alert.ended_us = Some(now_us);
                changed.push(alert.clone());
            }
            _ if alert.ended_us.is_some_and(|at| at < now_us - KNOWN_US) => continue,
            _ => {}
        }
        out.push(alert);
    }
    for (territory, began_us) in wanted {
        let alert = Alert { territory: territory.into(), began_us, confirmed_us: now_us, ended_us: None };
        changed.push(alert.clone());
        out.push(alert);
    }
    (out, changed)
}

/// The feed answered: `seen` is everything that goes on, or nothing changed since its last answer. Gives whether an alert began or
/// ended.
pub fn alerts_seen(tx: &mut Tx, seen: Option<&[(String, i64)]>) -> Result<bool, OrderError> {
    if seen.is_some_and(|seen| seen.len() > TERRITORIES_MAX || seen.iter().any(|(t, _)| t.is_empty() || t.len() > 64)) {
        let detail = format!("a feed names at most {TERRITORIES_MAX} territories, each by 1 to 64 bytes");
        return Err(OrderError::field("/alerts", detail));
    }
    let (now, before) = (tx.now(), feed(tx)?);
    let mut next = Feed { asked_at: now, answered_at: now, failures: 0, error: String::new(), ..(*before).clone() };
    let changed = match seen {
        Some(seen) => {
            let (alerts, changed) = observed(&before.alerts, seen, now.micros());
            next.alerts = alerts;
            changed
        }
        None => {
            for alert in next.alerts.iter_mut().filter(|alert| alert.ended_us.is_none()) {
                alert.confirmed_us = now.micros();
            }
            vec![]
        }
    };
    for alert in &changed {
        let sql = "INSERT INTO alerts (territory, began_at, ended_at) VALUES ($1, $2, $3) \
                   ON CONFLICT (territory, began_at) DO UPDATE SET ended_at = excluded.ended_at";
        let ended_at = alert.ended_us.unwrap_or(0);
        tx.execute(sql, &[(&alert.territory).into(), alert.began_us.into(), ended_at.into()])?;
    }
    let moved = !changed.is_empty();
    if moved {
        next.version += 1;
        let old = now.micros() - KEPT_US;
        tx.execute("DELETE FROM alerts WHERE ended_at > 0 AND ended_at < $1", &[old.into()])?;
    }
    put(tx, &before, next, moved)?;
    Ok(moved)
}

/// The feed did not answer, or not so that it could be read. Nothing is forgotten: alerts run out by themselves.
pub fn alerts_failed(tx: &mut Tx, error: &str) -> Result<(), OrderError> {
    let before = feed(tx)?;
    let error: String = error.chars().map(|c| if c.is_control() { ' ' } else { c }).take(ERROR_MAX).collect();
    let next = Feed { asked_at: tx.now(), failures: before.failures + 1, error, ..(*before).clone() };
    put(tx, &before, next, false)
}

fn put(tx: &mut Tx, before: &Feed, next: Feed, moved: bool) -> Result<(), OrderError> {
    let held = tx.memory::<Held>()?;
    let noted = held.changed.as_ref().unwrap_or(&held.committed).1;
    // A feed that goes on answering is noted once a minute; a restart then takes it for so much older.
    let worth = moved || before.error != next.error || next.answered_at.micros() - noted.micros() >= NOTE_US;
    let now_noted = if worth { next.answered_at } else { noted };
    let row = (next.asked_at.micros(), next.answered_at.micros(), next.failures, next.error.clone());
    held.changed = Some((Arc::new(next), now_noted));
    if worth {
        let sql = "INSERT INTO alert_feed (id, asked_at, answered_at, failures, error) VALUES (1, $1, $2, $3, $4) \
                   ON CONFLICT (id) DO UPDATE SET asked_at = excluded.asked_at, answered_at = excluded.answered_at, \
                   failures = excluded.failures, error = excluded.error";
        tx.execute(sql, &[row.0.into(), row.1.into(), row.2.into(), (&row.3).into()])?;
        tx.notify(Notice::Changed { what: "alerts" });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_threats_are_one_alert_and_what_comes_back_never_ended() {
        let seen = |list: &[(&str, i64)]| list.iter().map(|(t, at)| (t.to_string(), *at)).collect::<Vec<_>>();
        let (known, changed) = observed(&[], &seen(&[("27", 50), ("27", 40), ("31", 900)]), 100);
        assert_eq!(changed.len(), 2);
        assert_eq!(
            known.iter().map(|a| (a.territory.as_str(), a.began_us)).collect::<Vec<_>>(),
            [("27", 40), ("31", 100)]
        );
        let (known, changed) = observed(&known, &seen(&[("31", 900)]), 200);
        assert_eq!(changed, [Alert { territory: "27".into(), began_us: 40, confirmed_us: 100, ended_us: Some(200) }]);
        let (known, changed) = observed(&known, &seen(&[("31", 900), ("27", 40)]), 300);
        assert_eq!((changed.len(), changed[0].ended_us, changed[0].confirmed_us), (1, None, 300));
        let (_, changed) = observed(&known, &seen(&[("31", 900), ("27", 40)]), 400);
        assert_eq!(changed, [], "nothing began or ended");
        let (known, _) = observed(&known, &[], 500);
        let (known, _) = observed(&known, &seen(&[("27", 450)]), 600);
        assert_eq!(known.iter().filter(|a| a.territory == "27").count(), 2, "another alert");
        assert_eq!(observed(&known, &[], 700 + 2 * KNOWN_US).0.len(), 1, "what ended long ago is not known by heart");
    }
}
