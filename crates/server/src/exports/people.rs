//! Customers: one row a person, made a page at a time, so that no question is asked per person but the person's own row.
use super::browse::{Browse, Contacts, Page};
use super::kinds::Chosen;
use super::spool::Row;
use crate::api::customers::known::value_of;
use crate::api::customers::row::{newest, seen};
use base::{Decimal, Money, Timestamp, currency_exponent};
use customers::PersonView;
use customers::derived::{self, Asked};
use customers::model::Amounts;
use db::event::Scalar;
use db::{DbError, Lookup, Value};
use exchange::table::{Cell, Type};
use segments::runtime::definitions::Compiled;
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, HashMap};

/// People of one page.
const PEOPLE: i64 = 500;

/// Columns of a file of customers.
pub const COLUMNS: &[(&str, Type, &str)] = &[
    ("person_id", Type::Int, "Number of the person; that of the oldest profile."),
    ("user_id", Type::Text, "The account that was seen last."),
    ("email", Type::Text, "The address that was seen last."),
    ("phone", Type::Text, "The number that was seen last, E.164."),
    ("name", Type::Text, "As it is shown."),
    ("first_name", Type::Text, "Trait firstName."),
    ("last_name", Type::Text, "Trait lastName."),
    ("patronymic", Type::Text, "Trait patronymic."),
    ("birthday", Type::Text, "Trait birthday, YYYY-MM-DD."),
    ("gender", Type::Text, "Trait gender."),
    ("language", Type::Text, "Trait language."),
    ("city", Type::Text, "Trait city, or the city of trait address."),
    ("profile_ids", Type::Json, "Numbers of the profiles that the person is made of."),
    ("identifiers", Type::Json, "Every identifier: kind, value, profile_id, first_seen, last_seen, message_id."),
    ("traits", Type::Json, "Every trait that was sent, by name."),
    ("derived", Type::Json, "What follows from the events, by name: life-cycle stage, preferred channel, …"),
    ("computed", Type::Json, "Computed traits of the shop that have a value, by name."),
    ("events", Type::Int, "Events from outside."),
    ("orders", Type::Int, "Completed orders."),
    ("refunds", Type::Int, "Refunded orders."),
    ("revenue", Type::Decimal, "What the orders brought, in the currency of the greatest sum; major units."),
    ("refunded", Type::Decimal, "What went back, in the same currency; major units."),
    ("currency", Type::Text, "ISO 4217."),
    ("revenue_by_currency", Type::Json, "List of minor (minor units) and currency."),
    ("first_seen", Type::Time, "Time of the first event."),
    ("last_seen", Type::Time, "Time of the last event."),
    ("last_order_at", Type::Time, "Time of the last completed order."),
    ("updated_at", Type::Time, "Time of the newest trait: how old the row is for whoever imports it."),
    ("email_consent", Type::Text, "Marketing by e-mail: granted, denied, or nothing was said."),
    ("sms_consent", Type::Text, "Marketing by SMS."),
    ("viber_consent", Type::Text, "Marketing by Viber."),
    ("consents", Type::Json, "What decides now for each channel, address and purpose, with wording and time."),
    ("member_of", Type::Json, "Names of the segments that the person is in."),
    ("demo", Type::Bool, "Whether the person was made up for a demonstration."),
];

/// How a person is reached.
pub fn contacts(view: &PersonView) -> Contacts {
    Contacts {
        user_id: newest(view, "user_id"),
        email: newest(view, "email"),
        phone: newest(view, "phone"),
        name: view.state.display_name(),
        profiles: view.members.iter().map(|m| m.profile_id).collect(),
    }
}

/// A row of the ledger that decides.
#[derive(Debug, Clone)]
struct Said {
    channel: String,
    address: String,
    purpose: String,
    granted: bool,
    at: Timestamp,
    wording: String,
    rank: (Timestamp, bool, i64),
}

static LEDGER: Lookup = Lookup {
    table: "consents",
    keys: &[("channel", 't'), ("address", 't')],
    columns: "id, channel, address, purpose, granted, at, claimed_at, imported, wording",
    order: "",
};

/// What the ledger says of addresses, by address.
fn ledger(browse: &mut Browse, addresses: &[String]) -> Result<HashMap<String, Vec<Said>>, DbError> {
    let mut channels: Vec<String> = Vec::new();
    loop {
        let sql = "SELECT channel FROM consents WHERE channel > $1 ORDER BY channel LIMIT 1";
        let last = channels.last().cloned().unwrap_or_default();
        let Some(row) = browse.tx.first(sql, &[(&last).into()])? else { break };
        channels.push(row.text(0)?.to_string());
    }
    let mut out: HashMap<String, Vec<Said>> = HashMap::new();
    let keys: Vec<[Value<'_>; 2]> =
        channels.iter().flat_map(|c| addresses.iter().map(|a| [c.as_str().into(), a.as_str().into()])).collect();
    for keys in keys.chunks(2_000) {
        let refs: Vec<&[Value<'_>]> = keys.iter().map(<[Value<'_>; 2]>::as_slice).collect();
        browse.tx.engine().lookup(&LEDGER, &refs, &mut |_, row| {
            let (at, claimed, imported) = (row.int(5)?, row.int(6)?, row.int(7)? != 0);
            let at = Timestamp::from_micros(at);
            let deciding = if imported { Timestamp::from_micros(claimed).min(at) } else { at };
            let (granted, address) = (row.int(4)? != 0, row.text(2)?.to_string());
            out.entry(address.clone()).or_default().push(Said {
                channel: row.text(1)?.into(),
                address,
                purpose: row.text(3)?.into(),
                granted,
                at: deciding,
                wording: row.text(8)?.into(),
                rank: (deciding, !granted, row.int(0)?),
            });
            Ok(())
        })?;
    }
    Ok(out)
}

/// What decides for each channel, address and purpose of a person.
fn deciding(view: &PersonView, ledger: &HashMap<String, Vec<Said>>) -> Vec<Said> {
    let mut newest: BTreeMap<(String, String, String), Said> = BTreeMap::new();
    let own = view.identifiers.iter().map(|i| i.value.to_string());
    let profiles = view.members.iter().map(|m| customers::consent::profile_address(m.profile_id).into());
    for address in own.chain(profiles) {
        for said in ledger.get(&address).into_iter().flatten() {
            let key = (said.channel.clone(), said.address.clone(), said.purpose.clone());
            match newest.get(&key) {
                Some(known) if known.rank >= said.rank => {}
                _ => drop(newest.insert(key, said.clone())),
            }
        }
    }
    newest.into_values().collect()
}

/// Whether marketing may go to a person by a channel: one address that says no is enough for no.
fn allowed(said: &[Said], channel: &str) -> Option<bool> {
    let of = said.iter().filter(|s| s.purpose == "marketing" && (s.channel == channel || s.channel == "*"));
    let mut out = None;
    for one in of {
        if !one.granted {
            return Some(false);
        }
        out = Some(true);
    }
    out
}

fn word(granted: Option<bool>) -> Cell {
    granted.map_or(Cell::None, |g| Cell::text(if g { "granted" } else { "denied" }))
}

/// An amount in major units.
pub fn major(minor: i64, currency: &str) -> Decimal {
    let unit = 10i128.pow(9 - currency_exponent(currency).min(9));
    Decimal::from_billionths(i128::from(minor) * unit)
}

fn money(amounts: &Amounts) -> Vec<Money> {
    amounts.0.iter().map(|(currency, minor)| Money { minor: *minor, currency: currency.as_str().into() }).collect()
}

/// The next people after a number.
pub fn page(browse: &mut Browse, after: i64, chosen: &Chosen) -> Result<Page, DbError> {
    let ids: Vec<i64> = {
        let sql = match browse.filter.segment_id {
            Some(_) => {
                "SELECT person_id FROM memberships WHERE segment_id = $3 AND person_id > $1 ORDER BY person_id LIMIT $2"
            }
            None => {
                "SELECT profile_id FROM profile_list WHERE person = profile_id AND profile_id > $1 AND $3 = 0 \
                 ORDER BY profile_id LIMIT $2"
            }
        };
        let segment = browse.filter.segment_id.unwrap_or(0);
        let rows = browse.tx.rows(sql, &[after.into(), PEOPLE.into(), segment.into()])?;
        rows.iter().map(|r| r.int(0)).collect::<Result<_, _>>()?
    };
    let Some(last) = ids.last().copied() else { return Ok((Vec::new(), None)) };
    let mut views = Vec::with_capacity(ids.len());
    for id in &ids {
        let view = customers::person(browse.tx.engine(), *id, &browse.counters)?;
        views.extend(view.filter(|v| browse.filter.holds(seen(v).1)));
    }
    let points = |v: &PersonView| -> Vec<String> {
        let own = v.identifiers.iter().map(|i| i.value.to_string());
        own.chain(v.members.iter().map(|m| customers::consent::profile_address(m.profile_id).into())).collect()
    };
    let mut addresses: Vec<String> = views.iter().flat_map(points).collect();
    addresses.sort_unstable();
    addresses.dedup();
    let ledger = ledger(browse, &addresses)?;
    let mut member_of: HashMap<i64, Vec<String>> = HashMap::new();
    let sql = "SELECT person_id, segment_id FROM memberships WHERE person_id > $1 AND person_id <= $2 ORDER BY person_id, segment_id";
    for row in browse.tx.rows(sql, &[after.into(), last.into()])? {
        if let Some(name) = browse.segments.get(&row.int(1)?) {
            member_of.entry(row.int(0)?).or_default().push(name.clone());
        }
    }
    let compiled = segments::runtime::definitions::current(&mut browse.tx)?;
    let rules = compiled.rules.clone();
    let wants = |name: &str| chosen.columns.is_empty() || chosen.columns.iter().any(|c| c == name);
    let rows = views.iter().map(|view| {
        let said = deciding(view, &ledger);
        let derived = if wants("derived") { derived(view, &said, &rules, browse.now) } else { Cell::None };
        let asked = wants("computed") || !chosen.computed.is_empty();
        let values = if asked { computed(&compiled, view, browse.now) } else { Computed::new() };
        let all = cells(view, &said, (derived, &values), member_of.get(&view.person_id));
        let mut kept: Vec<Cell> =
            COLUMNS.iter().zip(all).filter(|((name, ..), _)| wants(name)).map(|(_, cell)| cell).collect();
        kept.extend(chosen.traits.iter().map(|name| trait_cell(view, name)));
        kept.extend(chosen.computed.iter().map(|one| computed_cell(&one.kind, values.get(&one.name))));
        let people: Vec<i64> = view.members.iter().map(|m| m.profile_id).chain([view.person_id]).collect();
        Row::of(&people, kept)
    });
    Ok((rows.collect(), Some(last)))
}

fn derived(view: &PersonView, said: &[Said], rules: &derived::Rules, now: Timestamp) -> Cell {
    let consent = |channel: &str, _: &str| allowed(said, channel);
    let asked = Asked { state: &view.state, now, rules, consent: &consent, explain: false };
    let mut out = Map::new();
    for one in derived::ALL {
        let answer = (one.function)(&asked);
        if let Some(value) = value_of(&answer.values, one.kind == derived::Kind::List) {
            out.insert(one.name.into(), value);
        }
    }
    Cell::Json(Json::Object(out).to_string())
}

/// Computed traits that have a value, by name.
type Computed = BTreeMap<String, Scalar>;

fn computed(compiled: &Compiled, view: &PersonView, now: Timestamp) -> Computed {
    let all = segments::runtime::computed::values(compiled, &view.state, now).into_iter();
    all.filter_map(|(one, answer)| Some((one.name.clone(), answer.values.into_iter().next()?))).collect()
}

/// In the column's type; nothing where the trait got another type since the export began.
fn computed_cell(kind: &str, value: Option<&Scalar>) -> Cell {
    match (kind, value) {
        ("number", Some(Scalar::Number(n))) => Cell::Decimal(*n),
        ("bool", Some(Scalar::Bool(b))) => Cell::Bool(*b),
        ("text", Some(Scalar::Text(t))) => Cell::text(t.to_string()),
        _ => Cell::None,
    }
}

fn trait_cell(view: &PersonView, name: &str) -> Cell {
    let text = view.state.traits.text(name);
    Cell::maybe(text.or_else(|| view.state.traits.json(name).map(|json| json.into_owned())))
}

fn cells(
    view: &PersonView,
    said: &[Said],
    (derived, computed): (Cell, &Computed),
    member_of: Option<&Vec<String>>,
) -> Vec<Cell> {
    let (traits, totals) = (&view.state.traits, &view.state.totals);
    let (first_seen, last_seen) = seen(view);
    let text = |name: &str| Cell::maybe(traits.text(name));
    let city = traits.text("city").or_else(|| {
        let address: Json = serde_json::from_str(&traits.json("address")?).ok()?;
        address.get("city")?.as_str().map(str::to_string)
    });
    let identifiers: Vec<Json> = view
        .identifiers
        .iter()
        .map(|i| {
            json!({"kind": i.kind, "value": i.value, "profile_id": i.profile_id, "first_seen": i.seen.first,
                "last_seen": i.seen.last, "message_id": &*i.evidence.message_id})
        })
        .collect();
    let (mut sent, mut updated) = (Map::new(), None);
    for (name, json, stamp) in traits.iter() {
        if let Ok(value) = serde_json::from_str(json) {
            sent.insert(name.to_string(), value);
        }
        updated = updated.max(Some(stamp.timestamp));
    }
    let revenue = money(&totals.revenue);
    let greatest = revenue.iter().max_by_key(|m| m.minor);
    let currency = greatest.map(|m| m.currency.clone()).unwrap_or_default();
    let refunded = money(&totals.refunded).into_iter().find(|m| m.currency == currency);
    let consents: Vec<Json> = said
        .iter()
        .map(|s| {
            json!({"channel": s.channel, "address": s.address, "purpose": s.purpose,
                "state": if s.granted { "granted" } else { "denied" }, "at": s.at, "wording": s.wording})
        })
        .collect();
    let profiles: Vec<i64> = view.members.iter().map(|m| m.profile_id).collect();
    vec![
        Cell::Int(view.person_id),
        Cell::maybe(newest(view, "user_id")),
        Cell::maybe(newest(view, "email")),
        Cell::maybe(newest(view, "phone")),
        Cell::maybe(view.state.display_name()),
        text("firstName"),
        text("lastName"),
        text("patronymic"),
        text("birthday"),
        text("gender"),
        text("language"),
        Cell::maybe(city),
        Cell::json(&json!(profiles)),
        Cell::json(&Json::Array(identifiers)),
        Cell::Json(Json::Object(sent).to_string()),
        derived,
        Cell::json(&Json::Object(
            computed
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), value_of(std::slice::from_ref(value), false)?)))
                .collect(),
        )),
        Cell::Int(totals.events),
        Cell::Int(totals.orders),
        Cell::Int(totals.refunds),
        greatest.map_or(Cell::None, |m| Cell::Decimal(major(m.minor, &m.currency))),
        refunded.map_or(Cell::None, |m| Cell::Decimal(major(m.minor, &m.currency))),
        Cell::text(currency),
        Cell::json(&json!(revenue)),
        Cell::Time(first_seen),
        Cell::Time(last_seen),
        totals.last_order_at.map_or(Cell::None, Cell::Time),
        updated.map_or(Cell::Time(last_seen), Cell::Time),
        word(allowed(said, "email")),
        word(allowed(said, "sms")),
        word(allowed(said, "viber")),
        Cell::json(&Json::Array(consents)),
        Cell::json(&json!(member_of.cloned().unwrap_or_default())),
        Cell::Bool(traits.json("demo").is_some_and(|v| v == "true")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(channel: &str, granted: bool) -> Said {
        Said {
            channel: channel.into(),
            address: "a".into(),
            purpose: "marketing".into(),
            granted,
            at: Timestamp::default(),
            wording: String::new(),
            rank: (Timestamp::default(), !granted, 1),
        }
    }

    #[test]
    fn one_no_is_enough() {
        assert_eq!(allowed(&[], "email"), None);
        assert_eq!(allowed(&[said("email", true)], "email"), Some(true));
        assert_eq!(allowed(&[said("email", true)], "sms"), None);
        assert_eq!(allowed(&[said("email", true), said("email", false)], "email"), Some(false));
        assert_eq!(allowed(&[said("email", true), said("*", false)], "email"), Some(false));
    }

    #[test]
    fn amounts_in_major_units() {
        let shown = |minor, currency| major(minor, currency).to_string();
        assert_eq!(
            (shown(12_345, "UAH"), shown(-5, "JPY"), shown(1, "KWD")),
            ("123.45".into(), "-5".into(), "0.001".into())
        );
    }
}
