//! A line of a list of customers.
use crate::api::wire::{Money, money};
use crate::input::Id;
use base::Timestamp;
use customers::PersonView;
use customers::counters::CounterSet;
use customers::derived::Asked;
use db::event::Scalar;
use db::{DbError, Tx};
use segments::runtime::definitions;
use serde::Serialize;

/// A segment, briefly.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SegmentName {
    /// Number.
    pub id: Id,
    /// As it is shown.
    pub name: String,
}

/// A customer, briefly.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CustomerRow {
    /// The person.
    pub person_id: Id,
    /// As it is shown, if one is known.
    pub name: Option<String>,
    /// The address that was used last.
    pub email: Option<String>,
    /// The number that was used last.
    pub phone: Option<String>,
    /// Where they live, if they said so.
    pub city: Option<String>,
    /// Whether the person was made up for a demonstration.
    pub demo: bool,
    /// Time of the first event.
    #[schema(value_type = String, format = DateTime)]
    pub first_seen: Timestamp,
    /// Time of the last event.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen: Timestamp,
    /// Events from outside.
    pub events: i64,
    /// Completed orders.
    pub orders: i64,
    /// What they brought, by currency.
    pub revenue: Vec<Money>,
    /// How many profiles the person is made of.
    pub profiles: i64,
    /// How the person can be reached.
    pub channels: Vec<String>,
    /// Stage of the life cycle: `visitor`, `new`, `loyal`, …
    pub stage: Option<String>,
    /// Where the person is a member.
    pub segments: Vec<SegmentName>,
}

/// First and last sign of life; a person without events stands where it was made.
pub fn seen(view: &PersonView) -> (Timestamp, Timestamp) {
    let made = view.members.first().map(|m| m.created_at).unwrap_or_default();
    let totals = &view.state.totals;
    (totals.first.map_or(made, |(at, _)| at), totals.last_seen.unwrap_or(made))
}

/// The value of a kind that was used last.
pub fn newest(view: &PersonView, kind: &str) -> Option<String> {
    let own = view.identifiers.iter().filter(|i| &*i.kind == kind);
    own.max_by_key(|i| i.seen.last).map(|i| i.value.to_string())
}

/// Where the person stands with the shop now.
fn stage(tx: &mut Tx, view: &PersonView) -> Result<Option<String>, DbError> {
    let Some(stage) = customers::derived::find("lifecycle_stage") else { return Ok(None) };
    let rules = definitions::current(tx)?.rules.clone();
    let asked = Asked { state: &view.state, now: tx.now(), rules: &rules, consent: &|_, _| None, explain: false };
    Ok((stage.function)(&asked).values.first().and_then(|v| match v {
        Scalar::Text(text) => Some(text.to_string()),
        _ => None,
    }))
}

/// The line of a person.
pub fn of(tx: &mut Tx, view: &PersonView) -> Result<CustomerRow, DbError> {
    let compiled = definitions::current(tx)?;
    let mut names = Vec::new();
    for membership in segments::runtime::read_person(tx, view.person_id)? {
        if let Some(segment) = compiled.find(membership.segment_id) {
            names.push(SegmentName { id: Id(segment.id), name: segment.name.clone() });
        }
    }
    let (first_seen, last_seen) = seen(view);
    let traits = &view.state.traits;
    let channel =
        |kind: &str, channel: &str| view.identifiers.iter().any(|i| &*i.kind == kind).then(|| channel.to_string());
    let city = traits.text("city").or_else(|| {
        let address: serde_json::Value = serde_json::from_str(&traits.json("address")?).ok()?;
        address.get("city")?.as_str().map(str::to_string)
    });
    Ok(CustomerRow {
        person_id: Id(view.person_id),
        name: view.state.display_name(),
        email: newest(view, "email"),
        phone: newest(view, "phone"),
        city,
        demo: traits.json("demo").is_some_and(|v| v == "true"),
        first_seen,
        last_seen,
        events: view.state.totals.events,
        orders: view.state.totals.orders,
        revenue: money(&view.state.totals.revenue),
        profiles: view.members.len() as i64,
        channels: [channel("email", "email"), channel("phone", "phone")].into_iter().flatten().collect(),
        stage: stage(tx, view)?,
        segments: names,
    })
}

/// The lines of people by id; ids that are no person are left out, absorbed ones become the person that they belong to.
pub fn of_ids(tx: &mut Tx, ids: &[i64], counters: &CounterSet) -> Result<Vec<CustomerRow>, DbError> {
    let mut out = Vec::with_capacity(ids.len());
    for id in ids {
        if let Some(view) = customers::person(tx, *id, counters)? {
            out.push(of(tx, &view)?);
        }
    }
    Ok(out)
}
