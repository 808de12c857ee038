//! The stitch rate: how many of those who came without a name became known, and how often people are joined, by the hour.
//! A shop notices by it that a new version of a program stopped sending `anonymousId`, before its lists fill with strangers.
use crate::changes::{self, Kind, Why};
use crate::commands::{Placed, members_of, person_of};
use crate::hubs::is_anonymous;
use crate::identity::{Placement, Target};
use crate::profiles::Profiles;
use crate::rules;
use base::{DAY_US, HOUR_US, Timestamp};
use db::event::Event;
use db::{DbError, Engine, Memory, Tx};
use hashbrown::HashMap;
use serde::Serialize;

/// What one hour holds, by the time of receipt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Hour {
    pub events: i64,
    /// New profiles that only a browser's or device's id names.
    pub anonymous: i64,
    /// Of the anonymous profiles of this hour: those that became known in time.
    pub known: i64,
    /// Anonymous profiles of any hour that became known in this one, in time.
    pub stitched: i64,
    /// People joined to others.
    pub joins: i64,
}

/// What the running group adds.
#[derive(Debug, Default)]
struct Hours(HashMap<i64, Hour>);

impl Memory for Hours {
    fn load(_: &mut Engine) -> Result<Self, DbError> {
        Ok(Self::default())
    }
    fn commit(&mut self) {
        self.0.clear();
    }
    fn rollback(&mut self) {
        self.0.clear();
    }
    fn before_commit(&mut self, db: &mut Engine) -> Result<(), DbError> {
        let mut hours: Vec<(&i64, &Hour)> = self.0.iter().collect();
        hours.sort_unstable_by_key(|(hour, _)| **hour);
        for (hour, add) in hours {
            db.execute(
                "INSERT INTO identity_hours (hour, events, anonymous, known, stitched, joins) VALUES ($1, $2, $3, $4, $5, $6) \
                 ON CONFLICT (hour) DO UPDATE SET events = identity_hours.events + excluded.events, \
                 anonymous = identity_hours.anonymous + excluded.anonymous, known = identity_hours.known + excluded.known, \
                 stitched = identity_hours.stitched + excluded.stitched, joins = identity_hours.joins + excluded.joins",
                &[
                    (*hour).into(),
                    add.events.into(),
                    add.anonymous.into(),
                    add.known.into(),
                    add.stitched.into(),
                    add.joins.into(),
                ],
            )?;
        }
        Ok(())
    }
}

fn hour_of(at: Timestamp) -> i64 {
    at.micros().div_euclid(HOUR_US) * HOUR_US
}

fn add(tx: &mut Tx, at: Timestamp, count: impl FnOnce(&mut Hour)) -> Result<(), DbError> {
    count(tx.memory::<Hours>()?.0.entry(hour_of(at)).or_default());
    Ok(())
}

/// Counts the events of a batch.
pub fn events(tx: &mut Tx, count: i64) -> Result<(), DbError> {
    let now = tx.now();
    add(tx, now, |hour| hour.events += count)
}

/// Counts a join.
pub(crate) fn joined(tx: &mut Tx) -> Result<(), DbError> {
    let now = tx.now();
    add(tx, now, |hour| hour.joins += 1)
}

/// Counts what an event does to profiles that nobody knows yet; called before its identifiers are attached.
pub(crate) fn before(tx: &mut Tx, event: &Event, placement: &Placement, placed: &Placed) -> Result<(), DbError> {
    let now = tx.now();
    let live = event.identifiers.len() - placement.demoted;
    let names = event.identifiers[..live].iter().any(|i| !is_anonymous(&i.kind));
    if placement.target == Target::New {
        return if names || live == 0 { Ok(()) } else { add(tx, now, |hour| hour.anonymous += 1) };
    }
    let attaches = placement.attach.iter().any(|at| !is_anonymous(&event.identifiers[*at].kind));
    if !attaches && placement.edges.is_empty() {
        return Ok(());
    }
    let mut people = vec![placed.person_id];
    for join in &placement.edges {
        people.push(person_of(tx, join.other)?);
    }
    let mut unknown = Vec::new();
    let mut known = attaches;
    for person in people {
        match born_unknown(tx, person)? {
            Some(born) => unknown.push(born),
            None => known = true,
        }
    }
    if !known {
        return Ok(());
    }
    let within = i64::from(rules::of(tx)?.stitch.known_within_days) * DAY_US;
    for born in unknown.into_iter().filter(|born| now.micros() - born.micros() <= within) {
        add(tx, born, |hour| hour.known += 1)?;
        add(tx, now, |hour| hour.stitched += 1)?;
    }
    Ok(())
}

/// When a person was made of whom nothing is known but browsers and devices.
fn born_unknown(tx: &mut Tx, person: i64) -> Result<Option<Timestamp>, DbError> {
    let mut born = None;
    for member in members_of(tx, person)? {
        let Some(row) = tx.get::<Profiles>(member)? else { continue };
        if row.state.identifiers.own().any(|(key, ..)| !is_anonymous(&key.kind)) {
            return Ok(None);
        }
        let at = row.created_at;
        born = Some(born.map_or(at, |b: Timestamp| b.min(at)));
    }
    Ok(born)
}

/// The hours from `from` on, oldest first; hours in which nothing happened are left out.
pub fn since(db: &mut Engine, from: Timestamp) -> Result<Vec<(Timestamp, Hour)>, DbError> {
    let sql =
        "SELECT hour, events, anonymous, known, stitched, joins FROM identity_hours WHERE hour >= $1 ORDER BY hour";
    let rows = db.rows(sql, &[from.micros().into()])?;
    let read = |r: &db::Row| -> Result<(Timestamp, Hour), DbError> {
        let hour =
            Hour { events: r.int(1)?, anonymous: r.int(2)?, known: r.int(3)?, stitched: r.int(4)?, joins: r.int(5)? };
        Ok((Timestamp::from_micros(r.int(0)?), hour))
    };
    rows.iter().map(read).collect()
}

/// Rates over a stretch of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Rates {
    pub events: i64,
    pub anonymous: i64,
    /// Anonymous profiles that became known, over new anonymous ones.
    pub stitched_share: Option<f64>,
    /// People joined, per 1,000 events.
    pub joins_per_1000: Option<f64>,
    /// New anonymous profiles, per 1,000 events.
    pub anonymous_per_1000: Option<f64>,
}

impl Rates {
    /// Rates over some hours; none where there is too little to say.
    pub fn over<'a>(hours: impl Iterator<Item = &'a Hour>) -> Self {
        let mut sum = Hour::default();
        for hour in hours {
            sum.events += hour.events;
            sum.anonymous += hour.anonymous;
            sum.stitched += hour.stitched;
            sum.joins += hour.joins;
        }
        let ratio = |a: i64, b: i64, least: i64, by: f64| (b >= least).then(|| a as f64 * by / b as f64);
        Self {
            events: sum.events,
            anonymous: sum.anonymous,
            stitched_share: ratio(sum.stitched, sum.anonymous, ANONYMOUS_LEAST, 1.0),
            joins_per_1000: ratio(sum.joins, sum.events, EVENTS_LEAST, 1_000.0),
            anonymous_per_1000: ratio(sum.anonymous, sum.events, EVENTS_LEAST, 1_000.0),
        }
    }
}

/// Below so many a rate is chance.
const ANONYMOUS_LEAST: i64 = 50;
const EVENTS_LEAST: i64 = 500;
/// A rate of the weeks before below this is none that could fall.
const JOINS_LEAST: f64 = 1.0;
const SHARE_LEAST: f64 = 0.02;

/// A rate that left its usual range.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alarm {
    /// `stitched_share`, `joins_per_1000` or `anonymous_per_1000`.
    pub rate: &'static str,
    pub now: f64,
    pub before: f64,
}

/// The last day beside the four weeks before it, and which rates differ by the factor or more.
pub fn judge(hours: &[(Timestamp, Hour)], now: Timestamp, factor: f64) -> (Rates, Rates, Vec<Alarm>) {
    let day = now.plus(-DAY_US);
    let last = Rates::over(hours.iter().filter(|(at, _)| *at >= day).map(|(_, h)| h));
    let before = Rates::over(hours.iter().filter(|(at, _)| *at < day).map(|(_, h)| h));
    let mut alarms = Vec::new();
    let pairs = [
        ("stitched_share", last.stitched_share, before.stitched_share, SHARE_LEAST),
        ("joins_per_1000", last.joins_per_1000, before.joins_per_1000, JOINS_LEAST),
        ("anonymous_per_1000", last.anonymous_per_1000, before.anonymous_per_1000, JOINS_LEAST),
    ];
    for (rate, now, usual, least) in pairs {
        if let (Some(now), Some(usual)) = (now, usual)
            && factor > 0.0
            && usual.max(now) >= least
            && usual > 0.0
            && (now * factor <= usual || now >= usual * factor)
        {
            alarms.push(Alarm { rate, now, before: usual });
        }
    }
    (last, before, alarms)
}

/// The weeks that the last day is compared with.
pub const WEEKS_US: i64 = 28 * DAY_US;

/// Judges the rates as of `now`.
pub fn rates(db: &mut Engine, factor: f64, now: Timestamp) -> Result<(Rates, Rates, Vec<Alarm>), DbError> {
    let hours = since(db, now.plus(-DAY_US - WEEKS_US))?;
    // Less than a week of past is no custom.
    let enough = hours.first().is_some_and(|(first, _)| now.micros() - first.micros() >= 8 * DAY_US);
    let (last, before, alarms) = judge(&hours, now, factor);
    Ok((last, before, if enough { alarms } else { Vec::new() }))
}

/// When the rates were looked at, and what was wrong then.
#[derive(Default)]
struct Watch {
    at: i64,
    told: Vec<&'static str>,
    fresh: bool,
}

impl Memory for Watch {
    fn load(_: &mut Engine) -> Result<Self, DbError> {
        Ok(Self::default())
    }
    fn commit(&mut self) {
        self.fresh = false;
    }
    fn rollback(&mut self) {
        // What was told was undone: it is looked at again.
        if self.fresh {
            *self = Self::default();
        }
    }
}

/// Looks at the rates once an hour; what begins to be wrong is appended to the changes of identity.
pub fn watch(tx: &mut Tx) -> Result<(), DbError> {
    let now = tx.now();
    let hour = hour_of(now);
    if tx.memory::<Watch>()?.at == hour {
        return Ok(());
    }
    let first_look = tx.memory::<Watch>()?.at == 0;
    let factor = rules::of(tx)?.stitch.alarm_factor;
    let (_, _, alarms) = rates(tx.engine(), factor, now)?;
    let told = std::mem::take(&mut tx.memory::<Watch>()?.told);
    for alarm in alarms.iter().filter(|a| !first_look && !told.contains(&a.rate)) {
        let evidence = serde_json::to_value(alarm).unwrap_or_default();
        changes::append(tx, Kind::StitchAlarm, &[], &[], &Why { cause: "watch", evidence });
    }
    *tx.memory::<Watch>()? = Watch { at: hour, told: alarms.iter().map(|a| a.rate).collect(), fresh: true };
    Ok(())
}
