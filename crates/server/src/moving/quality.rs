//! The report on the data of everybody in the store, and the people behind each of its numbers.
//!
//! The base is read page by page beside the writer; what is true of a person says `exchange::quality::people`. The report is kept
//! by day, so that it shows whether the data gets better.
use super::work::{Ended, WorkError, step};
use crate::domain::Domain;
use base::{Clock, Country, DAY_US, Timestamp};
use customers::commands;
use customers::counters::CounterSet;
use customers::model::PersonView;
use customers::profiles::{self, Profiles};
use db::jobs::{self, Job, New, Progress};
use db::{DbError, Engine, Table as _, Tx, Value};
use exchange::compare::there::day_of;
use exchange::quality::people::{Check, Known, Tally, checks};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// Jobs that make the report.
pub const KIND: &str = "quality";
/// Profiles read in one go.
const PAGE: i64 = 500;
/// Profiles that one page of a list looks at, at most; a list of few among many goes on with its next page.
const LOOKED_AT: usize = 10_000;
/// Reports that a trend shows.
const DAYS: i64 = 120;

/// A report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub tally: Tally,
    /// Pairs that wait for somebody to say whether they are one person.
    pub suspected_duplicates: u64,
}

/// What people are read against.
#[derive(Clone)]
pub struct Look {
    pub country: Country,
    pub zone: TimeZone,
    pub now: Timestamp,
    pub counters: std::sync::Arc<CounterSet>,
}

impl Look {
    /// At this moment.
    pub fn new(domain: &Domain, now: Timestamp) -> Self {
        let settings = domain.settings();
        let counters = domain.preparer().current().counters;
        Self { country: settings.country, zone: settings.zone.clone(), now, counters }
    }
}

/// Queues the report unless one is on its way; gives the job.
pub fn begin(tx: &mut Tx, actor: &str) -> Result<i64, DbError> {
    if let Some(job) = jobs::newest(tx, KIND, 0)?.filter(|j| j.state.is_open()) {
        return Ok(job.id);
    }
    jobs::add(tx, &New { actor, ..New::of(KIND, "{}") })
}

/// Queues the day's report if there is none yet.
pub fn daily(tx: &mut Tx) -> Result<(), DbError> {
    let day = day_of(tx.now(), &TimeZone::UTC);
    if tx.first("SELECT day FROM quality_days WHERE day = $1", &[(&day).into()])?.is_none() {
        begin(tx, "braid")?;
    }
    Ok(())
}

/// What each page of people says: id and what is true of them; `None` for a visitor without a name of any kind.
type Judged = Vec<(i64, Option<Vec<Check>>)>;

/// Judges the people among the next profiles; gives the last profile that was read, `None` at the end.
fn page(db: &mut Engine, look: &Look, after: i64) -> Result<(Judged, Option<i64>), DbError> {
    let rows = profiles::page(db, after, PAGE)?;
    let Some((last, _)) = rows.last() else { return Ok((Vec::new(), None)) };
    let last = *last;
    let mut views: Vec<PersonView> = Vec::with_capacity(rows.len());
    for (id, profile) in rows.into_iter().filter(|(id, p)| p.person == *id) {
        let others: Vec<i64> = profile.members.iter().flat_map(|m| m.iter().copied()).filter(|m| *m != id).collect();
        let mut all = vec![(id, profile)];
        if !others.is_empty() {
            all.extend(Profiles::load_many(db, &others)?.into_iter().filter_map(|(id, p)| Some((id, p?))));
        }
        views.push(commands::view(id, &all, &look.counters));
    }
    let said = said(db, &views)?;
    let today = day_of(look.now, &look.zone);
    let judged = views.iter().map(|view| {
        let named = view.identifiers.iter().any(|i| &*i.kind != "anonymous_id");
        (view.person_id, named.then(|| checks(&known(view, &said, look.now), look.country, &today)))
    });
    Ok((judged.collect(), Some(last)))
}

/// What is said of marketing at addresses, by address: of an e-mail address in mail, of a number in any channel to it.
fn said(db: &mut Engine, views: &[PersonView]) -> Result<HashMap<String, bool>, DbError> {
    let contacts: Vec<&str> = views
        .iter()
        .flat_map(|v| &v.identifiers)
        .filter(|i| matches!(&*i.kind, "email" | "phone"))
        .map(|i| &*i.value)
        .collect();
    let mut newest: HashMap<(String, String), (i64, bool, i64)> = HashMap::new();
    for part in contacts.chunks(400) {
        let places: Vec<String> = (1..=part.len()).map(|n| format!("${n}")).collect();
        let sql = format!(
            "SELECT channel, address, granted, at, claimed_at, imported, id FROM consents \
             WHERE channel IN ('email', 'sms', 'viber', 'whatsapp', 'call') AND purpose IN ('marketing', '*') AND address IN ({})",
            places.join(", ")
        );
        let params: Vec<Value<'_>> = part.iter().map(|c| (*c).into()).collect();
        for r in db.rows(&sql, &params)? {
            let at = if r.int(5)? != 0 { r.int(4)?.min(r.int(3)?) } else { r.int(3)? };
            let rank = (at, r.int(2)? == 0, r.int(6)?);
            let key = (r.text(1)?.to_string(), r.text(0)?.to_string());
            newest.entry(key).and_modify(|known| *known = rank.max(*known)).or_insert(rank);
        }
    }
    let mut out: HashMap<String, bool> = HashMap::new();
    for ((address, _), (_, denied, _)) in newest {
        // Of several channels to one number a grant says that it may be used at all.
        let granted = out.entry(address).or_insert(!denied);
        *granted |= !denied;
    }
    Ok(out)
}

fn known(view: &PersonView, said: &HashMap<String, bool>, now: Timestamp) -> Known {
    let own = |kind: &str| -> Vec<(String, Option<bool>)> {
        let values = view.identifiers.iter().filter(|i| &*i.kind == kind);
        values.map(|i| (i.value.to_string(), said.get(&*i.value).copied())).collect()
    };
    let traits = &view.state.traits;
    let text = |name: &str| traits.text(name).unwrap_or_default().trim().to_string();
    let address: serde_json::Value =
        traits.json("address").and_then(|a| serde_json::from_str(&a).ok()).unwrap_or_default();
    let city = address.get("city").and_then(serde_json::Value::as_str).map(str::to_string);
    let made = view.members.first().map(|m| m.created_at).unwrap_or_default();
    let seen = view.state.totals.last_seen.unwrap_or(made);
    Known {
        emails: own("email"),
        phones: own("phone"),
        name: text("name"),
        birthday: text("birthday").chars().take(10).collect(),
        gender: text("gender"),
        city: city.filter(|c| !c.trim().is_empty()).unwrap_or_else(|| text("city")),
        language: Some(text("language")).filter(|l| !l.is_empty()).unwrap_or_else(|| text("locale")),
        days_ago: (now.micros() - seen.micros()).div_euclid(DAY_US),
        orders: view.state.totals.orders,
    }
}

/// Makes the report.
pub fn drive(domain: &Domain, job: &Job, clock: &dyn Clock, stop: &AtomicBool) -> Result<Ended, WorkError> {
    if !step(domain, job.id, Progress::to(0).noting("reading everybody"))? {
        return Ok(Ended::Stopped);
    }
    domain.store().write(|tx| tx.flush_table::<Profiles>())?;
    let look = Look::new(domain, clock.now());
    let (mut report, mut after) = (Report::default(), 0);
    let mut pages = 0u64;
    loop {
        if stop.load(Ordering::Relaxed) {
            return Ok(Ended::Interrupted);
        }
        let asked = look.clone();
        let (judged, last) = domain.store().query(move |db| page(db, &asked, after))?;
        for (_, found) in judged {
            match found {
                Some(found) => report.tally.add(&found),
                None => report.tally.anonymous += 1,
            }
        }
        let Some(last) = last else { break };
        after = last;
        pages += 1;
        if pages.is_multiple_of(20) {
            let note = format!("{} people", report.tally.people);
            // Without a bookmark: a report that is interrupted begins anew, for people change meanwhile.
            if !step(domain, job.id, Progress::to(after).noting(note))? {
                return Ok(Ended::Stopped);
            }
        }
    }
    let now = look.now;
    report.suspected_duplicates = domain.store().query(move |db| customers::review::open(db, now))?.max(0) as u64;
    let (id, day) = (job.id, day_of(now, &TimeZone::UTC));
    domain.store().write(move |tx| {
        let figures = serde_json::to_string(&report).map_err(|e| DbError::damaged("quality_days", e))?;
        let sql = "INSERT INTO quality_days (day, at, figures) VALUES ($1, $2, $3) \
                   ON CONFLICT (day) DO UPDATE SET at = excluded.at, figures = excluded.figures";
        tx.execute(sql, &[(&day).into(), now.micros().into(), (&figures).into()])?;
        jobs::finish(tx, id, &json!({"day": day, "people": report.tally.people}).to_string())
    })?;
    Ok(Ended::Done)
}

/// A report of a day.
#[derive(Debug, Clone, PartialEq)]
pub struct Day {
    pub day: String,
    pub at: Timestamp,
    pub report: Report,
}

/// Reports, the newest first.
pub fn days(db: &mut Engine) -> Result<Vec<Day>, DbError> {
    let rows = db.rows("SELECT day, at, figures FROM quality_days ORDER BY day DESC LIMIT $1", &[DAYS.into()])?;
    let day = |r: &db::Row| {
        let report = serde_json::from_str(r.text(2)?).map_err(|e| DbError::damaged("quality_days", e))?;
        Ok(Day { day: r.text(0)?.into(), at: Timestamp::from_micros(r.int(1)?), report })
    };
    rows.iter().map(day).collect()
}

/// People for whom a check holds now, by id after `after`; and where to go on, `None` at the end.
pub fn people(
    db: &mut Engine,
    look: &Look,
    check: Check,
    after: i64,
    limit: usize,
) -> Result<(Vec<i64>, Option<i64>), DbError> {
    let (mut found, mut at, mut looked) = (Vec::new(), after, 0);
    loop {
        let (judged, last) = page(db, look, at)?;
        let Some(last) = last else { return Ok((found, None)) };
        looked += judged.len().max(1);
        for (id, holds) in judged {
            if holds.is_some_and(|holds| holds.contains(&check)) {
                found.push(id);
                if found.len() == limit {
                    return Ok((found, Some(id)));
                }
            }
        }
        at = last;
        if looked >= LOOKED_AT {
            return Ok((found, Some(at)));
        }
    }
}
