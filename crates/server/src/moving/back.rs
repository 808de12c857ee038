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

/// A row of such a file, with the profiles whom it is about; opt-outs do not say.
pub type BackRow = (Vec<i64>, Vec<String>);

/// Reads a store as rows of a system's own format, page by page. Pages of orders must be read in one go, from the first: which
/// orders were written is known here only.
pub struct Reader {
    preset: &'static Preset,
    said: Option<Said>,
    fates: Option<HashMap<String, &'static str>>,
    known: HashSet<String>,
}

impl Reader {
    /// For files of a preset.
    pub fn new(preset: &'static Preset) -> Self {
        Self { preset, said: None, fates: None, known: HashSet::new() }
    }

    /// The next rows after a place, 0 at first; and the place behind them, `None` at the end.
    pub fn page(
        &mut self,
        db: &mut Engine,
        preparer: &Preparer,
        after: i64,
    ) -> Result<(Vec<BackRow>, Option<i64>), BackError> {
        match self.preset.kind {
            Kind::Customers => Ok(self.customers(db, &preparer.current().counters, after)?),
            Kind::Orders => Ok(self.orders(db, preparer, after)?),
            Kind::Consents => Ok((opt_outs(db, self.preset)?, None)),
            Kind::Events => Err(BackError::Kind("events")),
        }
    }

    fn customers(
        &mut self,
        db: &mut Engine,
        counters: &CounterSet,
        after: i64,
    ) -> Result<(Vec<BackRow>, Option<i64>), DbError> {
        let said = match self.said.take() {
            Some(said) => said,
            None => standing(db)?,
        };
        let page = profiles::page(db, after, PAGE)?;
        let next = page.last().map(|(id, _)| *id);
        let mut rows = Vec::with_capacity(page.len());
        for (id, profile) in page.into_iter().filter(|(id, p)| p.person == *id) {
            let view = view_of(db, id, profile, counters)?;
            if view.identifiers.iter().any(|i| &*i.kind != "anonymous_id") {
                let row = back::customer_row(self.preset, &customer(&view, consents(&view, &said)));
                rows.push((view.members.iter().map(|m| m.profile_id).collect(), row));
            }
        }
        self.said = Some(said);
        Ok((rows, next))
    }

    /// Each order once, as it was placed, with what became of it.
    fn orders(
        &mut self,
        db: &mut Engine,
        preparer: &Preparer,
        after: i64,
    ) -> Result<(Vec<BackRow>, Option<i64>), DbError> {
        // Few orders are taken back, so that what became of them fits into memory; the orders themselves are not held.
        let fates = match self.fates.take() {
            Some(fates) => fates,
            None => fates(db, preparer)?,
        };
        let (page, next) = told(db, preparer, after)?;
        let counters = preparer.current().counters;
        let mut rows = Vec::new();
        for told in page {
            if told.event == "Order Refunded" || !self.known.insert(told.order_id.clone()) {
                continue;
            }
            let (who, people) = match profile_of(db, told.profile)? {
                Some((id, row)) => {
                    let view = view_of(db, id, row, &counters)?;
                    (customer(&view, BTreeMap::new()), view.members.iter().map(|m| m.profile_id).collect())
                }
                None => (Customer::default(), Vec::new()),
            };
            let fate = fates.get(&told.order_id).copied().unwrap_or("completed").to_string();
            let order = Order { fate, time: told.time, who, properties: told.properties };
            rows.extend(back::order_rows(self.preset, &order).into_iter().map(|row| (people.clone(), row)));
        }
        self.fates = Some(fates);
        Ok((rows, next))
    }
}

/// Writes a file in a system's own format; gives its rows without the header.
pub fn write(
    db: &mut Engine,
    preparer: &Preparer,
    preset: &'static Preset,
    out: &mut dyn Write,
) -> Result<u64, BackError> {
    let mut put = |values: &mut dyn Iterator<Item = &str>| exchange::write::csv_row(out, values, preset.delimiter);
    put(&mut back::header(preset).into_iter())?;
    let (mut reader, mut after, mut rows) = (Reader::new(preset), 0, 0u64);
    loop {
        let (page, next) = reader.page(db, preparer, after)?;
        for (_, row) in &page {
            put(&mut row.iter().map(String::as_str))?;
        }
        rows += page.len() as u64;
        let Some(next) = next else { return Ok(rows) };
        after = next;
    }
}

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

/// Whether marketing may go to somebody, by channel: a refusal at any own address is the person's.
fn consents(view: &PersonView, said: &Said) -> BTreeMap<String, bool> {
    let mut consents: BTreeMap<String, bool> = BTreeMap::new();
    for i in view.identifiers.iter().filter(|i| matches!(&*i.kind, "email" | "phone")) {
        for channel in ["email", "sms", "viber", "whatsapp", "call"] {
            let Some((_, denied, _)) = said.get(&(channel.to_string(), i.value.to_string())) else { continue };
            let granted = consents.entry(channel.to_string()).or_insert(true);
            *granted &= !denied;
        }
    }
    consents
}

/// Opt-outs name addresses and not people.
fn opt_outs(db: &mut Engine, preset: &Preset) -> Result<Vec<BackRow>, DbError> {
    let mut all: Vec<_> = standing(db)?.into_iter().filter(|(_, (_, denied, _))| *denied).collect();
    all.sort();
    let row = |((channel, address), (at, _, _))| {
        let time = base::Timestamp::from_micros(at).to_string();
        let out = OptOut { channel, address, purpose: "marketing".into(), time, wording: String::new() };
        (Vec::new(), back::opt_out_row(preset, &out))
    };
    Ok(all.into_iter().map(row).collect())
}

/// An event about an order.
struct Told {
    event: String,
    order_id: String,
    properties: Map<String, Value>,
    profile: i64,
    time: String,
}

/// The events about orders among the next rows of the log; and where to go on, `None` at the end.
fn told(db: &mut Engine, preparer: &Preparer, after: i64) -> Result<(Vec<Told>, Option<i64>), DbError> {
    let planned = super::here::planned(db)?;
    let rows = log::page(db, after + 1, PAGE)?;
    let next = rows.last().map(|last| last.first_seq);
    let mut out = Vec::new();
    for row in rows.iter().filter(|r| r.origin != Origin::Derived && may_tell_orders(r, &planned)) {
        for event in stored_events(preparer, row)? {
            if !matches!(event.name.as_str(), "Order Completed" | "Order Cancelled" | "Order Refunded") {
                continue;
            }
            let properties: Map<String, Value> =
                event.properties.as_deref().and_then(|p| serde_json::from_str(p).ok()).unwrap_or_default();
            let order_id = match properties.get("order_id") {
                Some(Value::String(id)) if !id.is_empty() => id.clone(),
                Some(Value::Number(id)) => id.to_string(),
                _ => continue,
            };
            let time = event.timestamp.to_string();
            out.push(Told { event: event.name, order_id, properties, profile: event.profile_id, time });
        }
    }
    Ok((out, next))
}

/// What became of orders that were taken back.
fn fates(db: &mut Engine, preparer: &Preparer) -> Result<HashMap<String, &'static str>, DbError> {
    let (mut fates, mut after) = (HashMap::new(), 0);
    loop {
        let (page, next) = told(db, preparer, after)?;
        for told in page {
            match told.event.as_str() {
                "Order Refunded" => drop(fates.insert(told.order_id, "refunded")),
                "Order Cancelled" => {
                    fates.entry(told.order_id).or_insert("cancelled");
                }
                _ => {}
            }
        }
        let Some(next) = next else { return Ok(fates) };
        after = next;
    }
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
