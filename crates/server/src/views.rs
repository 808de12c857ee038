//! Whose data was looked at, by whom: counted in memory, written in groups, watched for the unusual.
//!
//! A request costs one insertion into a bounded map. Every few seconds the map becomes one command of the writer. What was
//! seen in the last [`FLUSH_EVERY`] before a kill is lost from the books; a stop loses nothing.
use crate::app::App;
use crate::caller::Caller;
use base::{DAY_US, HOUR_US, MINUTE_US, Timestamp};
use db::{DbError, Engine, Tx, Value};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How long a view may wait in memory.
pub const FLUSH_EVERY: Duration = Duration::from_secs(5);
/// Views that wait, at most; more are counted without their person (person 0).
const PENDING_MAX: usize = 20_000;
/// Rows of one statement.
const ROWS: usize = 100;
/// How long views are kept.
const KEPT_US: i64 = 400 * DAY_US;
/// Hours of the past from which the usual is taken.
const USUAL_US: i64 = 14 * DAY_US;
/// How many times the usual is unusual.
const FACTOR: i64 = 4;

/// What is unusual, and what is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// People in an hour below which nobody is told.
    pub alarm_from: i64,
    /// People in an hour after which a user has to wait for the next.
    pub at_most: i64,
}

/// What a number of people looked at in an hour means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As always.
    Usual,
    /// The owner is told.
    Unusual,
    /// The owner is told, and the user waits.
    TooMany,
}

/// Judges an hour: unusual is more than [`FACTOR`] times the user's own average of the hours in which they worked, and at
/// least `alarm_from`; somebody without a past has no average.
pub fn judge(persons: i64, usual: i64, limits: Limits) -> Verdict {
    if persons > limits.at_most {
        Verdict::TooMany
    } else if persons >= limits.alarm_from && persons > usual * FACTOR {
        Verdict::Unusual
    } else {
        Verdict::Usual
    }
}

#[derive(Debug, Default)]
struct Hour {
    persons: HashSet<i64>,
    usual: i64,
    told: bool,
}

#[derive(Debug, Default)]
struct Inner {
    hour: i64,
    actors: HashMap<String, Hour>,
    usual: HashMap<String, i64>,
    pending: HashMap<(i64, String, i64), i64>,
    alarms: Vec<Alarm>,
}

/// Somebody looked at unusually many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Number; 0 while it is not stored.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// The beginning of the hour.
    pub hour: Timestamp,
    /// People by then.
    pub persons: i64,
    /// What an hour of theirs usually has.
    pub usual: i64,
    /// Since when nobody has to look at it any more.
    pub closed_at: Option<Timestamp>,
    /// Who closed it.
    pub closed_by: String,
}

/// The views of this hour.
#[derive(Debug, Default)]
pub struct Views {
    inner: Mutex<Inner>,
    limits: Mutex<Option<Limits>>,
}

impl Views {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Sets the limits.
    pub fn set_limits(&self, limits: Limits) {
        *self.limits.lock().unwrap_or_else(PoisonError::into_inner) = Some(limits);
    }
    fn limits(&self) -> Limits {
        let default = Limits { alarm_from: 150, at_most: 1000 };
        self.limits.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or(default)
    }

    /// Notes that somebody saw people.
    pub fn note(&self, caller: &Caller, people: &[i64], now: Timestamp) {
        let (hour, limits) = (hour_of(now), self.limits());
        let mut inner = self.lock();
        turn(&mut inner, hour);
        for person in people {
            let key = (hour, caller.actor.clone(), *person);
            let key = if inner.pending.len() < PENDING_MAX { key } else { (hour, caller.actor.clone(), 0) };
            *inner.pending.entry(key).or_default() += 1;
        }
        // Programs read what they were made to read; their views are in the books, and no alarm.
        if caller.user.is_none() {
            return;
        }
        let usual = inner.usual.get(&caller.actor).copied().unwrap_or(0);
        let own = inner.actors.entry(caller.actor.clone()).or_insert_with(|| Hour { usual, ..Hour::default() });
        own.persons.extend(people);
        let persons = own.persons.len() as i64;
        if !own.told && judge(persons, own.usual, limits) != Verdict::Usual {
            own.told = true;
            let alarm = Alarm {
                id: 0,
                at: now,
                actor: caller.actor.clone(),
                hour: Timestamp::from_micros(hour),
                persons,
                usual,
                closed_at: None,
                closed_by: String::new(),
            };
            inner.alarms.push(alarm);
        }
    }

    /// Minutes until somebody who saw too many may go on. Owners never wait: nobody could let them in again.
    pub fn too_many(&self, caller: &Caller, now: Timestamp) -> Option<u32> {
        if caller.user.is_none() || caller.role == crate::access::Role::Owner {
            return None;
        }
        let (hour, limits) = (hour_of(now), self.limits());
        let mut inner = self.lock();
        turn(&mut inner, hour);
        let own = inner.actors.get(&caller.actor)?;
        let verdict = judge(own.persons.len() as i64, own.usual, limits);
        (verdict == Verdict::TooMany).then(|| ((hour + HOUR_US - now.micros()) / MINUTE_US + 1) as u32)
    }

    /// What was seen before the start, so that a restart forgives nobody.
    pub fn load(&self, db: &mut Engine, now: Timestamp) -> Result<(), DbError> {
        let hour = hour_of(now);
        let usual = usual(db, hour)?;
        let mut seen: HashMap<String, HashSet<i64>> = HashMap::new();
        db.each("SELECT actor, person_id FROM views WHERE hour = $1", &[hour.into()], &mut |row| {
            seen.entry(row.text(0)?.into()).or_default().insert(row.int(1)?);
            Ok(true)
        })?;
        let told: HashSet<String> = told(db, hour)?;
        let mut inner = self.lock();
        inner.hour = hour;
        inner.actors = seen
            .into_iter()
            .map(|(actor, persons)| {
                let (usual, told) = (usual.get(&actor).copied().unwrap_or(0), told.contains(&actor));
                (actor, Hour { persons, usual, told })
            })
            .collect();
        inner.usual = usual;
        Ok(())
    }
}

fn hour_of(now: Timestamp) -> i64 {
    now.micros().div_euclid(HOUR_US) * HOUR_US
}

fn turn(inner: &mut Inner, hour: i64) {
    if inner.hour != hour {
        inner.hour = hour;
        inner.actors.clear();
    }
}

/// People an hour, of the hours of the last two weeks in which somebody looked at anybody.
fn usual(db: &mut Engine, hour: i64) -> Result<HashMap<String, i64>, DbError> {
    let sql = "SELECT actor, CAST(COUNT(*) AS BIGINT), CAST(COUNT(DISTINCT hour) AS BIGINT) FROM views \
               WHERE hour >= $1 AND hour < $2 AND person_id > 0 GROUP BY actor LIMIT 10000";
    let rows = db.rows(sql, &[(hour - USUAL_US).into(), hour.into()])?;
    rows.iter().map(|r| Ok((r.text(0)?.to_string(), r.int(1)? / r.int(2)?.max(1)))).collect()
}

fn told(db: &mut Engine, hour: i64) -> Result<HashSet<String>, DbError> {
    let rows = db.rows("SELECT actor FROM view_alarms WHERE hour = $1 LIMIT 10000", &[hour.into()])?;
    rows.iter().map(|r| Ok(r.text(0)?.to_string())).collect()
}

/// Writes what waits. The statement adds, so that an hour of any number of flushes is right.
fn write(tx: &mut Tx, rows: &[((i64, String, i64), i64)]) -> Result<(), DbError> {
    for chunk in rows.chunks(ROWS) {
        let places: Vec<String> = (0..chunk.len())
            .map(|n| format!("(${}, ${}, ${}, ${})", n * 4 + 1, n * 4 + 2, n * 4 + 3, n * 4 + 4))
            .collect();
        let sql = format!(
            "INSERT INTO views (hour, actor, person_id, times) VALUES {} \
             ON CONFLICT (hour, actor, person_id) DO UPDATE SET times = views.times + excluded.times",
            places.join(", ")
        );
        let params: Vec<Value<'_>> = chunk
            .iter()
            .flat_map(|((hour, actor, person), times)| {
                [(*hour).into(), actor.into(), (*person).into(), (*times).into()]
            })
            .collect();
        tx.execute(&sql, &params)?;
    }
    Ok(())
}

fn raise(tx: &mut Tx, alarm: &Alarm) -> Result<(), DbError> {
    let id = tx.next_id();
    tx.execute(
        "INSERT INTO view_alarms (id, at, actor, hour, persons, usual, closed_at, closed_by) VALUES ($1, $2, $3, $4, $5, $6, 0, '')",
        &[
            id.into(),
            alarm.at.micros().into(),
            (&alarm.actor).into(),
            alarm.hour.micros().into(),
            alarm.persons.into(),
            alarm.usual.into(),
        ],
    )?;
    let after = serde_json::json!({"hour": alarm.hour, "persons": alarm.persons, "usual": alarm.usual});
    crate::audit::note(tx, "braid", ("alarm", "views"), &alarm.actor, None, Some(&after))
}

/// Writes what waits now; what could not be written waits on.
pub async fn flush(app: &Arc<App>) {
    let (rows, alarms) = {
        let mut inner = app.views.lock();
        (std::mem::take(&mut inner.pending), std::mem::take(&mut inner.alarms))
    };
    if rows.is_empty() && alarms.is_empty() {
        return;
    }
    for alarm in &alarms {
        tracing::warn!(actor = %alarm.actor, persons = alarm.persons, usual = alarm.usual, "unusually many customers were looked at");
    }
    let rows: Vec<_> = rows.into_iter().collect();
    let (kept_rows, kept_alarms) = (rows.clone(), alarms.clone());
    let done = app.write(move |tx| {
        write(tx, &rows)?;
        for alarm in &alarms {
            raise(tx, alarm)?;
        }
        Ok(())
    });
    if let Err(problem) = done.await {
        tracing::warn!(error = %problem.detail, "the books of views wait");
        let mut inner = app.views.lock();
        for (key, times) in kept_rows {
            *inner.pending.entry(key).or_default() += times;
        }
        inner.alarms.extend(kept_alarms);
    }
}

/// Flushes until the stop; once an hour renews the averages and drops what is too old.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut tick = tokio::time::interval(FLUSH_EVERY);
    let mut hour = hour_of(app.now());
    loop {
        let stopped = tokio::select! {
            _ = tick.tick() => false,
            _ = stop.wait_for(|s| *s) => true,
        };
        flush(&app).await;
        crate::accounts::touched(&app).await;
        if stopped {
            return;
        }
        let now = hour_of(app.now());
        if now != hour {
            hour = now;
            if let Ok(fresh) = app.query(move |db| Ok(usual(db, now)?)).await {
                app.views.lock().usual = fresh;
            }
            let old =
                app.write(move |tx| Ok(tx.execute("DELETE FROM views WHERE hour < $1", &[(now - KEPT_US).into()])?));
            if let Err(problem) = old.await {
                tracing::warn!(error = %problem.detail, "old views could not be dropped");
            }
        }
    }
}

/// Alarms, newest first.
pub fn alarms(db: &mut Engine, before: i64, limit: i64) -> Result<Vec<Alarm>, DbError> {
    let sql = "SELECT id, at, actor, hour, persons, usual, closed_at, closed_by FROM view_alarms WHERE id < $1 \
               ORDER BY id DESC LIMIT $2";
    db.rows(sql, &[before.into(), limit.into()])?
        .iter()
        .map(|row| {
            Ok(Alarm {
                id: row.int(0)?,
                at: Timestamp::from_micros(row.int(1)?),
                actor: row.text(2)?.into(),
                hour: Timestamp::from_micros(row.int(3)?),
                persons: row.int(4)?,
                usual: row.int(5)?,
                closed_at: Some(row.int(6)?).filter(|t| *t > 0).map(Timestamp::from_micros),
                closed_by: row.text(7)?.into(),
            })
        })
        .collect()
}

/// Alarms that nobody has closed.
pub fn open_alarms(db: &mut Engine) -> Result<i64, DbError> {
    let sql = "SELECT CAST(COUNT(*) AS BIGINT) FROM view_alarms WHERE closed_at = 0";
    db.first(sql, &[])?.map_or(Ok(0), |r| r.int(0))
}

/// Closes an alarm; `false` when there is none that is open.
pub fn close(tx: &mut Tx, id: i64, by: &str) -> Result<bool, DbError> {
    let now = tx.now().micros();
    let sql = "UPDATE view_alarms SET closed_at = $1, closed_by = $2 WHERE id = $3 AND closed_at = 0";
    Ok(tx.execute(sql, &[now.into(), by.into(), id.into()])? == 1)
}

/// Who looked at a person, by hour, newest first: hour, actor, times.
pub fn of_person(db: &mut Engine, person: i64, limit: i64) -> Result<Vec<(Timestamp, String, i64)>, DbError> {
    let sql = "SELECT hour, actor, times FROM views WHERE person_id = $1 ORDER BY hour DESC, actor LIMIT $2";
    let rows = db.rows(sql, &[person.into(), limit.into()])?;
    rows.iter().map(|r| Ok((Timestamp::from_micros(r.int(0)?), r.text(1)?.to_string(), r.int(2)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_judged_by_the_users_own_past() {
        let limits = Limits { alarm_from: 50, at_most: 300 };
        for (persons, usual, verdict) in [
            (49, 0, Verdict::Usual),
            (50, 0, Verdict::Unusual),
            (80, 20, Verdict::Usual),
            (81, 20, Verdict::Unusual),
            (300, 100, Verdict::Usual),
            (301, 1000, Verdict::TooMany),
        ] {
            assert_eq!(judge(persons, usual, limits), verdict, "{persons} of {usual}");
        }
    }
}
