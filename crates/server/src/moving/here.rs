//! Braid's own numbers of a module, counted from the log and the ledgers: thin SQL, the rules stand in `exchange::compare`.
use crate::domain::Domain;
use base::Timestamp;
use customers::profiles;
use db::event::Origin;
use db::{DbError, Engine, log};
use exchange::compare::Item;
use exchange::compare::module::Module;
use exchange::compare::there::{amount, day_of, opt_in_key, order_key, sign, total_key};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use pipeline::timeline::stored_events;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Things that are compared at once, at most: each takes about two hundred bytes on either side.
pub const ITEMS_MAX: usize = 2_000_000;
/// Profiles read in one go.
const PAGE: i64 = 1_000;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Ask {
    pub module: Module,
    /// The first and the last day that the file is about.
    pub window: Option<(String, String)>,
    /// Day totals instead of things.
    pub totals: bool,
    /// Totals are apart by channel or another name.
    pub named: bool,
    /// Events of files do not count: what was imported from the old system agrees with it anyway.
    pub live_only: bool,
}

/// Why there are no numbers.
#[derive(Debug, thiserror::Error)]
pub enum HereError {
    #[error("there is more to compare than fits ({ITEMS_MAX} things); compare a shorter time, or totals by day")]
    TooMuch,
    /// The program is about to stop.
    #[error("it was interrupted")]
    Interrupted,
    #[error(transparent)]
    Store(#[from] DbError),
}

/// Counts. `there` are the old system's keys, for things that are known by several names.
pub fn numbers(
    domain: &Domain,
    ask: &Ask,
    there: &[Item],
    now: Timestamp,
    stop: &AtomicBool,
) -> Result<Vec<Item>, HereError> {
    match ask.module {
        Module::Orders | Module::Receipts | Module::Refunds | Module::Revenue => events(domain, ask, stop),
        Module::Customers if ask.totals => new_customers(domain, ask, stop),
        Module::Customers => customers(domain, there),
        Module::OptIns => opt_ins(domain, ask),
        Module::Sends => sends(domain, ask),
        Module::Segments => segments(domain, now),
    }
}

/// The moments of a window, a day wider on both sides: what lies on a neighbouring day is found there.
fn span(window: Option<&(String, String)>, zone: &TimeZone) -> (i64, i64) {
    let at = |day: &str, add: i64| -> Option<i64> {
        let day: Date = day.parse().ok()?;
        let moment = day.checked_add(jiff::Span::new().days(add)).ok()?.to_zoned(zone.clone()).ok()?;
        Some(moment.timestamp().as_microsecond())
    };
    let Some((from, to)) = window else { return (i64::MIN, i64::MAX) };
    (at(from, -1).unwrap_or(i64::MIN), at(to, 2).unwrap_or(i64::MAX))
}

/// The first seq that may hold an event of `from` on: nothing happens after its receipt.
pub fn first_seq(db: &mut Engine, from: i64) -> Result<i64, DbError> {
    let row = db.first("SELECT CAST(COALESCE(MAX(first_seq), 0) AS BIGINT) FROM log", &[])?;
    let (mut low, mut high) = (1, row.map_or(Ok(0), |r| r.int(0))?);
    while low < high {
        let middle = low + (high - low) / 2;
        let sql = "SELECT first_seq, received_at FROM log WHERE first_seq <= $1 ORDER BY first_seq DESC LIMIT 1";
        match db.first(sql, &[middle.into()])? {
            // A clock that went back by less than a day may have put rows out of order.
            Some(row) if row.int(1)? + base::DAY_US >= from => high = middle.min(row.int(0)?),
            _ => low = middle + 1,
        }
    }
    Ok(low)
}

fn events(domain: &Domain, ask: &Ask, stop: &AtomicBool) -> Result<Vec<Item>, HereError> {
    let (zone, shop_currency) = (domain.settings().zone.clone(), domain.settings().currency.clone());
    let (from, to) = span(ask.window.as_ref(), &zone);
    let names: HashMap<i64, String> = domain.store().query(|db| {
        let rows = db.rows("SELECT id, name FROM sources", &[])?;
        rows.iter().map(|r| Ok::<_, DbError>((r.int(0)?, r.text(1)?.to_string()))).collect()
    })?;
    let planned = Arc::new(domain.store().query(planned)?);
    let mut next = if from == i64::MIN { 1 } else { domain.store().query(move |db| first_seq(db, from))? };
    let mut out = Vec::new();
    let mut days: BTreeMap<String, i64> = BTreeMap::new();
    loop {
        if stop.load(Ordering::Relaxed) {
            return Err(HereError::Interrupted);
        }
        let (preparer, live_only, planned) = (Arc::clone(domain.preparer()), ask.live_only, planned.clone());
        let (found, further) =
            domain.store().query(move |db| piece(db, &preparer, next, (from, to), (live_only, &planned)))?;
        for event in found {
            let properties: Value =
                event.properties.as_deref().and_then(|p| serde_json::from_str(p).ok()).unwrap_or(Value::Null);
            let Some(sign) = sign(ask.module, &event.name, Some(&properties)) else { continue };
            let value = amount(&properties, &shop_currency).unwrap_or(0);
            let day = day_of(event.timestamp, &zone);
            if ask.totals || ask.module == Module::Revenue {
                *days.entry(day).or_default() += if ask.module == Module::Revenue { sign * value } else { 1 };
            } else if let Some(key) = order_key(ask.module, &properties) {
                let place = names.get(&event.source).cloned().unwrap_or_else(|| "Braid".into());
                out.push(Item { key, day, at_us: event.timestamp.micros(), value, place });
            }
        }
        if out.len() > ITEMS_MAX {
            return Err(HereError::TooMuch);
        }
        let Some(further) = further else { break };
        next = further;
    }
    out.extend(totals(days));
    Ok(out)
}

fn totals(days: BTreeMap<String, i64>) -> impl Iterator<Item = Item> {
    days.into_iter().map(|(day, value)| Item { key: day.clone(), day, value, ..Item::default() })
}

/// Sources whose tracking plans may give events other names.
pub fn planned(db: &mut Engine) -> Result<HashSet<i64>, DbError> {
    db.rows("SELECT DISTINCT source FROM source_plans", &[])?.iter().map(|r| r.int(0)).collect()
}

/// Whether a row may hold events about orders: their names, old ones too, all hold this word, unless a plan names them.
pub fn may_tell_orders(row: &log::LogRow, planned: &HashSet<i64>) -> bool {
    row.body.contains("Order") || planned.contains(&row.source)
}

/// Events of orders in the next rows, and where to go on.
fn piece(
    db: &mut Engine,
    preparer: &pipeline::Preparer,
    from_seq: i64,
    (from, to): (i64, i64),
    (live_only, planned): (bool, &HashSet<i64>),
) -> Result<(Vec<pipeline::timeline::StoredEvent>, Option<i64>), DbError> {
    let rows = log::page(db, from_seq, 256)?;
    let within = |at: &Timestamp| from <= at.micros() && at.micros() < to;
    let mut out = Vec::new();
    for row in &rows {
        let origin = row.origin == Origin::Tracking || row.origin == Origin::Import && !live_only;
        if !origin || !row.times.iter().any(within) || !may_tell_orders(row, planned) {
            continue;
        }
        let events = stored_events(preparer, row)?;
        out.extend(events.into_iter().filter(|e| within(&e.timestamp) && e.name.starts_with("Order ")));
    }
    Ok((out, rows.last().map(|last| last.first_seq + 1)))
}

fn people(db: &mut Engine) -> Result<HashMap<i64, i64>, DbError> {
    let mut out = HashMap::new();
    db.each("SELECT profile_id, person FROM profile_list WHERE person <> profile_id", &[], &mut |row| {
        out.insert(row.int(0)?, row.int(1)?);
        Ok(true)
    })?;
    Ok(out)
}

/// One item a person with a contact: by the name that the old system uses, else by the best one.
fn customers(domain: &Domain, there: &[Item]) -> Result<Vec<Item>, HereError> {
    domain.store().write(|tx| tx.flush_table::<profiles::Profiles>())?;
    let known: HashSet<String> = there.iter().map(|i| i.key.clone()).collect();
    let found = domain.store().query(move |db| {
        let people = people(db)?;
        let mut best: HashMap<i64, (u8, String)> = HashMap::new();
        let sql = "SELECT kind, value, profile_id FROM identifiers WHERE kind IN ('email', 'phone', 'user_id') AND profile_id > 0";
        db.each(sql, &[], &mut |row| {
            let (value, profile) = (row.text(1)?.to_string(), row.int(2)?);
            let rank = match row.text(0)? {
                _ if known.contains(&value) => 0,
                "email" => 1,
                "phone" => 2,
                _ => 3,
            };
            let entry = best.entry(people.get(&profile).copied().unwrap_or(profile)).or_insert((u8::MAX, String::new()));
            if (rank, &value) < (entry.0, &entry.1) {
                *entry = (rank, value);
            }
            Ok(best.len() <= ITEMS_MAX)
        })?;
        Ok::<_, DbError>(best)
    })?;
    if found.len() > ITEMS_MAX {
        return Err(HereError::TooMuch);
    }
    Ok(found
        .into_iter()
        .filter(|(person, _)| *person != 0)
        .map(|(_, (_, key))| Item { key, value: 1, ..Item::default() })
        .collect())
}

/// New people by the day on which their first profile was made.
fn new_customers(domain: &Domain, ask: &Ask, stop: &AtomicBool) -> Result<Vec<Item>, HereError> {
    domain.store().write(|tx| tx.flush_table::<profiles::Profiles>())?;
    let (zone, window) = (domain.settings().zone.clone(), ask.window.clone());
    let (mut after, mut days) = (0, BTreeMap::new());
    loop {
        if stop.load(Ordering::Relaxed) {
            return Err(HereError::Interrupted);
        }
        let page = domain.store().query(move |db| profiles::page(db, after, PAGE))?;
        let Some((last, _)) = page.last() else { return Ok(totals(days).collect()) };
        after = *last;
        for (_, profile) in page.iter().filter(|(id, p)| p.person == *id) {
            let known = profile.state.identifiers.own().any(|(key, _, _)| &*key.kind != "anonymous_id");
            let day = day_of(profile.created_at, &zone);
            if known && window.as_ref().is_none_or(|(from, to)| *from <= day && day <= *to) {
                *days.entry(day).or_default() += 1;
            }
        }
    }
}

/// The newest word on marketing at each contact point, or grants by day.
fn opt_ins(domain: &Domain, ask: &Ask) -> Result<Vec<Item>, HereError> {
    let (zone, by_day, live_only) = (domain.settings().zone.clone(), ask.totals, ask.live_only);
    let found = domain.store().query(move |db| {
        let mut newest: HashMap<String, (i64, bool, i64)> = HashMap::new();
        let mut days: BTreeMap<String, i64> = BTreeMap::new();
        let sql = "SELECT channel, address, granted, at, claimed_at, imported, id FROM consents \
                   WHERE purpose IN ('marketing', '*') AND channel <> '*' AND address <> ''";
        db.each(sql, &[], &mut |row| {
            let (address, granted, imported) = (row.text(1)?, row.int(2)? != 0, row.int(5)? != 0);
            if address.starts_with('#') || address.starts_with("erased:") || address.starts_with("proof:") {
                return Ok(true);
            }
            let at = if imported { row.int(4)?.min(row.int(3)?) } else { row.int(3)? };
            if by_day {
                if granted && !(imported && live_only) {
                    *days.entry(day_of(Timestamp::from_micros(at), &zone)).or_default() += 1;
                }
                return Ok(true);
            }
            let rank = (at, !granted, row.int(6)?);
            let key = opt_in_key(row.text(0)?, address);
            newest.entry(key).and_modify(|known| *known = rank.max(*known)).or_insert(rank);
            Ok(newest.len() <= ITEMS_MAX)
        })?;
        Ok::<_, DbError>((newest, days))
    })?;
    if found.0.len() > ITEMS_MAX {
        return Err(HereError::TooMuch);
    }
    let things =
        found.0.into_iter().map(|(key, (_, denied, _))| Item { key, value: i64::from(!denied), ..Item::default() });
    Ok(things.chain(totals(found.1)).collect())
}

fn sends(domain: &Domain, ask: &Ask) -> Result<Vec<Item>, HereError> {
    let zone = domain.settings().zone.clone();
    let (from, to) = span(ask.window.as_ref(), &zone);
    let named = ask.named;
    let days = domain.store().query(move |db| {
        let mut days: BTreeMap<(String, String), i64> = BTreeMap::new();
        db.each("SELECT channel, at FROM sends WHERE at >= $1 AND at < $2", &[from.into(), to.into()], &mut |row| {
            let channel = if named { row.text(0)?.to_string() } else { String::new() };
            *days.entry((day_of(Timestamp::from_micros(row.int(1)?), &zone), channel)).or_default() += 1;
            Ok(true)
        })?;
        Ok::<_, DbError>(days)
    })?;
    let item = |((day, channel), value): ((String, String), i64)| Item {
        key: total_key(Module::Sends, &day, &channel),
        day,
        value,
        ..Item::default()
    };
    Ok(days.into_iter().map(item).collect())
}

fn segments(domain: &Domain, now: Timestamp) -> Result<Vec<Item>, HereError> {
    let day = day_of(now, &domain.settings().zone);
    let found = domain.store().query(move |db| {
        let sql = "SELECT s.name, COALESCE(c.count, 0) FROM segments s LEFT JOIN segment_counts c ON c.segment_id = s.id \
                   WHERE s.archived_at = 0";
        let rows = db.rows(sql, &[])?;
        let item =
            |r: &db::Row| Ok(Item { key: r.text(0)?.into(), day: day.clone(), value: r.int(1)?, ..Item::default() });
        rows.iter().map(item).collect::<Result<Vec<_>, DbError>>()
    })?;
    Ok(found)
}
