//! What Braid knows of a customer beyond the traits that were sent: standing facts, and what follows from them now.
use crate::api::wire::Money;
use base::Timestamp;
use customers::derived::{self, Asked, Rules};
use customers::facts::{Act, Channel, Device, Facts, Reason, Subject, WEEK_HOURS};
use customers::model::{Currency, State};
use db::event::Scalar;
use segments::runtime::definitions::{Compiled, kind_text};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A trait that follows from standing facts at the moment of asking; nothing of it is stored.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct DerivedTrait {
    /// As a condition names it: `trait.` and this.
    pub name: String,
    /// `text`, `number`, `bool`, `list`.
    pub kind: String,
    /// `money` (major units of the shop's currency), `days`, `hour`, or nothing.
    pub unit: String,
    /// Nothing when it is not known.
    #[schema(value_type = Option<Value>)]
    pub value: Option<Value>,
    /// When it may become another if nothing happens until then.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub valid_until: Option<Timestamp>,
    /// Over what it looks.
    pub window: String,
    /// Events that it rests on.
    pub count: i64,
    /// Why, in words.
    pub why: String,
}

/// What a customer did in a channel, and what that brought.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ChannelFacts {
    channel: String,
    /// The first thing that the customer did there.
    #[schema(value_type = Option<String>, format = DateTime)]
    first_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_at: Option<Timestamp>,
    /// How often what was done: `viewed`, `opened`, …
    #[schema(value_type = HashMap<String, i64>)]
    acts: BTreeMap<&'static str, i64>,
    orders: i64,
    revenue: Vec<Money>,
    returns: i64,
    returned: Vec<Money>,
}

/// Something looked at lately.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LookedAt {
    value: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// One of the newest orders.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct RecentOrder {
    order_id: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    channel: String,
    total: Option<Money>,
    message_id: String,
}

/// A contact point that its provider says is gone.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LostContact {
    channel: String,
    /// Nothing when the event did not say which.
    address: Option<String>,
    /// `hard_bounce`, `complaint`, `token_gone`, `bot_blocked`, `app_removed`.
    reason: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    message_id: String,
    /// Whether it still holds: nothing was heard by the channel since.
    holds: bool,
}

/// Standing facts.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct StandingFacts {
    channels: Vec<ChannelFacts>,
    /// Acts by device.
    #[schema(value_type = HashMap<String, i64>)]
    devices: BTreeMap<&'static str, i64>,
    /// Newest first.
    products: Vec<LookedAt>,
    /// Newest first.
    categories: Vec<LookedAt>,
    /// Newest first.
    last_orders: Vec<RecentOrder>,
    #[schema(value_type = Option<String>, format = DateTime)]
    first_order_at: Option<Timestamp>,
    lost: Vec<LostContact>,
    /// Acts by hour of the week in UTC, from Monday 00:00: 168 numbers; empty when there are none.
    hours: Vec<i64>,
    /// Seconds of the staff's time in the last 400 days.
    service_seconds: i64,
}

/// A trait that the shop computes itself, at the moment of asking; nothing of it is stored.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ComputedValue {
    /// As a condition names it: `trait.` and this.
    name: String,
    /// As people call it; empty where it has no title.
    title: String,
    /// `number`, `text`, `bool`.
    kind: String,
    /// Nothing when it is not known, or while its past is being counted.
    #[schema(value_type = Option<Value>)]
    value: Option<Value>,
    /// When it may become another if nothing happens until then.
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_until: Option<Timestamp>,
    /// What it is.
    expression: String,
    /// Whether its past is counted.
    live: bool,
}

/// Every computed trait of a person.
pub fn computed_of(compiled: &Compiled, state: &State, now: Timestamp) -> Vec<ComputedValue> {
    let mut values = segments::runtime::computed::values(compiled, state, now).into_iter().peekable();
    let mut out = Vec::with_capacity(compiled.computed.len());
    for one in &compiled.computed {
        let answer = values.next_if(|(live, _)| live.id == one.id).map(|(_, answer)| answer).unwrap_or_default();
        out.push(ComputedValue {
            name: one.name.clone(),
            title: one.title.clone(),
            kind: kind_text(one.kind).into(),
            value: value_of(&answer.values, false),
            valid_until: answer.valid_until,
            expression: one.expression.clone(),
            live: one.live,
        });
    }
    out
}

/// A derived value as JSON.
pub fn value_of(values: &[Scalar], list: bool) -> Option<Value> {
    let one = |s: &Scalar| match s {
        Scalar::Bool(b) => json!(b),
        Scalar::Number(n) => serde_json::from_str(&n.to_string()).unwrap_or(Value::Null),
        Scalar::Text(t) => json!(t),
    };
    match values {
        [] if !list => None,
        [only] if !list => Some(one(only)),
        all => Some(all.iter().map(one).collect()),
    }
}

/// Every derived trait of a person.
pub fn derived_of(
    state: &State,
    rules: &Rules,
    now: Timestamp,
    consent: &dyn Fn(&str, &str) -> Option<bool>,
) -> Vec<DerivedTrait> {
    let asked = Asked { state, now, rules, consent, explain: true };
    let one = |d: &derived::Derived| {
        let answer = (d.function)(&asked);
        DerivedTrait {
            name: d.name.into(),
            kind: d.kind.as_str().into(),
            unit: d.unit.into(),
            value: value_of(&answer.values, d.kind == derived::Kind::List),
            valid_until: answer.valid_until,
            window: answer.window.describe(),
            count: i64::try_from(answer.count).unwrap_or(i64::MAX),
            why: answer.why,
        }
    };
    derived::ALL.iter().map(one).collect()
}

fn amount(currency: Currency, minor: i64) -> Option<Money> {
    (currency != Currency::NONE).then(|| Money { minor, currency: currency.as_str().into() })
}

/// The standing facts of a person.
pub fn facts_of(state: &State, rules: &Rules, now: Timestamp) -> StandingFacts {
    let facts = &state.facts;
    let rare = facts.rare();
    let asked = Asked { state, now, rules, consent: &|_, _| None, explain: false };
    let looked = |subject| {
        let of = facts.recents.of(subject);
        of.map(|r| LookedAt { value: r.value.into(), at: Timestamp::from_micros(r.at) }).collect()
    };
    let lost = |l: &customers::facts::Lost| LostContact {
        channel: Channel::from_code(l.channel).as_str().into(),
        address: Some(l.address.to_string()).filter(|a| !a.is_empty()),
        reason: Reason::from_code(l.reason).as_str().into(),
        at: l.at,
        message_id: l.message_id.to_string(),
        holds: derived::lost_of(&asked).any(|held| std::ptr::eq(held, l)),
    };
    let order = |o: &customers::facts::Order| RecentOrder {
        order_id: Some(o.order_id.to_string()).filter(|id| !id.is_empty()),
        at: o.at,
        channel: Channel::from_code(o.channel).as_str().into(),
        total: o.currency.and_then(|c| amount(c, o.minor)),
        message_id: o.message_id.to_string(),
    };
    let mut devices: BTreeMap<&'static str, i64> = BTreeMap::new();
    for tally in facts.tallies.iter().filter(|t| t.device() != Device::None) {
        *devices.entry(tally.device().as_str()).or_default() += i64::from(tally.count);
    }
    let mut hours = vec![0i64; if facts.hours.is_empty() { 0 } else { usize::from(WEEK_HOURS) }];
    for (slot, count) in &facts.hours {
        hours[usize::from(slot % WEEK_HOURS)] += i64::from(*count);
    }
    StandingFacts {
        channels: channels(facts),
        devices,
        products: looked(Subject::Product),
        categories: looked(Subject::Category),
        last_orders: rare.orders.iter().rev().map(order).collect(),
        first_order_at: rare.first_order,
        lost: rare.lost.iter().map(lost).collect(),
        hours,
        service_seconds: rare.served.iter().map(|(_, seconds)| i64::from(*seconds)).sum(),
    }
}

fn channels(facts: &Facts) -> Vec<ChannelFacts> {
    let mut out = Vec::new();
    for channel in Channel::ALL {
        let span = facts.spans.iter().find(|s| s.channel == *channel as u8);
        let mut acts: BTreeMap<&'static str, i64> = BTreeMap::new();
        for tally in facts.tallies.iter().filter(|t| t.channel() == *channel) {
            *acts.entry(Act::from_code(tally.act).as_str()).or_default() += i64::from(tally.count);
        }
        let sales: Vec<_> = facts.rare().sales.iter().filter(|s| s.channel == *channel as u8).collect();
        if acts.is_empty() && sales.is_empty() {
            continue;
        }
        out.push(ChannelFacts {
            channel: channel.as_str().into(),
            first_at: span.map(|s| s.first),
            last_at: span.map(|s| s.last),
            acts,
            orders: sales.iter().map(|s| i64::from(s.orders)).sum(),
            revenue: sales.iter().filter(|s| s.orders > 0).filter_map(|s| amount(s.currency, s.revenue)).collect(),
            returns: sales.iter().map(|s| i64::from(s.returns)).sum(),
            returned: sales.iter().filter(|s| s.returns > 0).filter_map(|s| amount(s.currency, s.returned)).collect(),
        });
    }
    out
}

/// A derived trait as the registry has it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DerivedKind {
    name: String,
    kind: String,
    unit: String,
    /// The texts that it can be; empty where they are not a fixed list.
    options: Vec<String>,
    doc: String,
    /// Whether it can change by time alone.
    by_time: bool,
}

/// The registry.
pub fn registry() -> Vec<DerivedKind> {
    let one = |d: &derived::Derived| DerivedKind {
        name: d.name.into(),
        kind: d.kind.as_str().into(),
        unit: d.unit.into(),
        options: d.options.iter().map(|o| (*o).into()).collect(),
        doc: d.doc.into(),
        by_time: d.by_time,
    };
    derived::ALL.iter().map(one).collect()
}
