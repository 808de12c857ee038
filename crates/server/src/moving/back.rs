//! The way back: customers, orders and opt-outs of the store as files of the old tool. One snapshot, row by row.
use super::here::may_tell_orders;
use customers::commands;
use customers::counters::CounterSet;
use customers::model::{PersonView, Profile};
use customers::profiles::{self, Profiles};
use db::event::Origin;
use db::{DbError, Engine, Table as _, log};
use exchange::back::{self, Customer, OptOut, Order};
use exchange::mapping::Kind;
use exchange::presets::Preset;
use pipeline::Preparer;
use pipeline::timeline::stored_events;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write;

/// Profiles or rows read in one go.
const PAGE: i64 = 500;

/// Why a file cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum BackError {
    #[error("there is no way back for files of {0}")]
    Kind(&'static str),
    #[error("the file cannot be written: {0}")]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Store(#[from] DbError),
}

/// Writes a file in a system's own format; gives its rows without the header.
pub fn write(db: &mut Engine, preparer: &Preparer, preset: &Preset, out: &mut dyn Write) -> Result<u64, BackError> {
    let mut rows = 0u64;
    let mut put = |values: &[String]| -> Result<(), BackError> {
        exchange::write::csv_row(out, values.iter().map(String::as_str), preset.delimiter)?;
        rows += 1;
        Ok(())
    };
    let header: Vec<String> = back::header(preset).into_iter().map(str::to_string).collect();
    put(&header)?;
    match preset.kind {
        Kind::Customers => customers(db, &preparer.current().counters, &mut |c| put(&back::customer_row(preset, c)))?,
        Kind::Orders => {
            orders(db, preparer, &mut |o| back::order_rows(preset, o).iter().try_for_each(|values| put(values)))?
        }
        Kind::Consents => opt_outs(db, &mut |o| put(&back::opt_out_row(preset, o)))?,
        Kind::Events => return Err(BackError::Kind("events")),
    }
    Ok(rows - 1)
}

type Put<'a, T> = &'a mut dyn FnMut(&T) -> Result<(), BackError>;

/// A person as files tell of one.
fn customer(view: &PersonView, consents: BTreeMap<String, bool>) -> Customer {
    let own = |kind: &str| -> Vec<String> {
        view.identifiers.iter().filter(|i| &*i.kind == kind).map(|i| i.value.to_string()).collect()
    };
    let mut traits = Map::new();
    for (name, json, _) in view.state.traits.iter() {
        if let Ok(value) = serde_json::from_str(json) {
            traits.insert(name.to_string(), value);
        }
    }
    let others =
        view.identifiers.iter().filter(|i| !matches!(&*i.kind, "user_id" | "email" | "phone" | "anonymous_id"));
    let newest = view.state.traits.iter().map(|(_, _, stamp)| stamp.timestamp).max();
    Customer {
        user_id: own("user_id").into_iter().next().unwrap_or_default(),
        emails: own("email"),
        phones: own("phone"),
        external: others.map(|i| (i.kind.to_string(), i.value.to_string())).collect(),
        traits,
        consents,
        updated_at: newest.map(|at| at.to_string()).unwrap_or_default(),
    }
}

/// The newest word on marketing by channel and address: when it was said, whether it is a refusal, its row.
type Said = HashMap<(String, String), (i64, bool, i64)>;

fn standing(db: &mut Engine) -> Result<Said, DbError> {
    let mut newest = Said::new();
    let sql = "SELECT channel, address, granted, at, claimed_at, imported, id FROM consents \
               WHERE purpose IN ('marketing', '*') AND channel <> '*' AND address <> ''";
    db.each(sql, &[], &mut |r| {
        let address = r.text(1)?;
        if address.starts_with('#') || address.starts_with("erased:") || address.starts_with("proof:") {
            return Ok(true);
        }
        let at = if r.int(5)? != 0 { r.int(4)?.min(r.int(3)?) } else { r.int(3)? };
        let rank = (at, r.int(2)? == 0, r.int(6)?);
        let key = (r.text(0)?.to_string(), address.to_string());
        newest.entry(key).and_modify(|known| *known = rank.max(*known)).or_insert(rank);
        Ok(true)
    })?;
    Ok(newest)
}

/// The person of a profile's row, all profiles merged.
fn view_of(db: &mut Engine, id: i64, profile: Profile, counters: &CounterSet) -> Result<PersonView, DbError> {
    let others: Vec<i64> = profile.members.iter().flat_map(|m| m.iter().copied()).filter(|m| *m != id).collect();
    let mut all = vec![(id, profile)];
    if !others.is_empty() {
        all.extend(Profiles::load_many(db, &others)?.into_iter().filter_map(|(id, p)| Some((id, p?))));
    }
    Ok(commands::view(id, &all, counters))
}

fn customers(db: &mut Engine, counters: &CounterSet, put: Put<'_, Customer>) -> Result<(), BackError> {
    let said = standing(db)?;
    let mut after = 0;
    loop {
        let page = profiles::page(db, after, PAGE)?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = *last;
        for (id, profile) in page.into_iter().filter(|(id, p)| p.person == *id) {
            let view = view_of(db, id, profile, counters)?;
            if !view.identifiers.iter().any(|i| &*i.kind != "anonymous_id") {
                continue;
            }
            let mut consents: BTreeMap<String, bool> = BTreeMap::new();
            for i in view.identifiers.iter().filter(|i| matches!(&*i.kind, "email" | "phone")) {
                for channel in ["email", "sms", "viber", "whatsapp", "call"] {
                    let Some((_, denied, _)) = said.get(&(channel.to_string(), i.value.to_string())) else { continue };
                    // A refusal at any own address is the person's.
                    let granted = consents.entry(channel.to_string()).or_insert(true);
                    *granted &= !denied;
                }
            }
            put(&customer(&view, consents))?;
        }
    }
}

fn opt_outs(db: &mut Engine, put: Put<'_, OptOut>) -> Result<(), BackError> {
    let mut all: Vec<_> = standing(db)?.into_iter().filter(|(_, (_, denied, _))| *denied).collect();
    all.sort();
    for ((channel, address), (at, _, _)) in all {
        let time = base::Timestamp::from_micros(at).to_string();
        put(&OptOut { channel, address, purpose: "marketing".into(), time, wording: String::new() })?;
    }
    Ok(())
}

/// An event about an order.
struct Told {
    event: String,
    order_id: String,
    properties: Map<String, Value>,
    profile: i64,
    time: String,
}

/// Who hears of each; the connection may be used meanwhile.
type Visit<'a> = &'a mut dyn FnMut(&mut Engine, Told) -> Result<(), BackError>;

/// Visits the events about orders, oldest first.
fn each_order(db: &mut Engine, preparer: &Preparer, visit: Visit<'_>) -> Result<(), BackError> {
    let planned = super::here::planned(db)?;
    let mut from = 1;
    loop {
        let rows = log::page(db, from, PAGE)?;
        let Some(last) = rows.last() else { return Ok(()) };
        from = last.first_seq + 1;
        for row in rows.iter().filter(|r| r.origin != Origin::Derived && may_tell_orders(r, &planned)) {
            for event in stored_events(preparer, row)? {
                if !matches!(event.name.as_str(), "Order Completed" | "Order Cancelled" | "Order Refunded") {
                    continue;
                }
                let properties: Map<String, Value> =
                    event.properties.as_deref().and_then(|p| serde_json::from_str(p).ok()).unwrap_or_default();
                let id = match properties.get("order_id") {
                    Some(Value::String(id)) if !id.is_empty() => id.clone(),
                    Some(Value::Number(id)) => id.to_string(),
                    _ => continue,
                };
                let time = event.timestamp.to_string();
                visit(db, Told { event: event.name, order_id: id, properties, profile: event.profile_id, time })?;
            }
        }
    }
}

/// Each order once, as it was placed, with what became of it.
fn orders(db: &mut Engine, preparer: &Preparer, put: Put<'_, Order>) -> Result<(), BackError> {
    // Few orders are taken back, so that what became of them fits into memory; the orders themselves are not held.
    let mut fates: HashMap<String, &'static str> = HashMap::new();
    each_order(db, preparer, &mut |_, told| {
        match told.event.as_str() {
            "Order Refunded" => drop(fates.insert(told.order_id, "refunded")),
            "Order Cancelled" => {
                fates.entry(told.order_id).or_insert("cancelled");
            }
            _ => {}
        }
        Ok(())
    })?;
    let counters = preparer.current().counters;
    let mut known: HashSet<String> = HashSet::new();
    each_order(db, preparer, &mut |db, told| {
        if told.event == "Order Refunded" || !known.insert(told.order_id.clone()) {
            return Ok(());
        }
        let who = match profile_of(db, told.profile)? {
            Some((id, row)) => customer(&view_of(db, id, row, &counters)?, BTreeMap::new()),
            None => Customer::default(),
        };
        let fate = fates.get(&told.order_id).copied().unwrap_or("completed").to_string();
        put(&Order { fate, time: told.time, who, properties: told.properties })
    })
}

/// The person's own row of a profile, if there is one.
fn profile_of(db: &mut Engine, profile: i64) -> Result<Option<(i64, Profile)>, DbError> {
    let Some(row) = Profiles::load(db, profile)? else { return Ok(None) };
    match row.person {
        0 => Ok(None),
        person if person == profile => Ok(Some((profile, row))),
        person => Ok(Profiles::load(db, person)?.map(|row| (person, row))),
    }
}
