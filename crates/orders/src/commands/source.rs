//! From where an order's lines are sent: the places are chosen by [`crate::sourcing`] in the transaction that keeps the goods.
use super::Shop;
use crate::OrderTable;
use crate::error::OrderError;
use crate::settings::{Method, PlaceSettings, Rate, Settings, SourcingSettings};
use crate::sourcing::{Lane, Ledger, Limits, Line, Location, Network, Order, Park, Wishes, plan_order, why};
use base::{DAY_US, Quantity, Timestamp};
use db::Tx;
use jiff::tz::TimeZone;
use std::collections::HashMap;
use std::sync::Arc;
use stock::model::VariantStock;
use stock::{Channel, Places, availability};

/// A line that needs a place.
#[derive(Debug, Clone)]
pub(super) struct Wants {
    pub variant_no: i64,
    pub sku: String,
    pub quantity: Quantity,
    pub weight_g: i64,
    pub price_minor: i64,
    /// For rules that name any.
    pub categories: Vec<String>,
}

/// How the goods go.
pub(super) struct Route<'a> {
    pub channel: &'a Channel,
    /// Names of carrier, cost and days.
    pub method: Option<(&'a Method, &'a Rate)>,
    pub zone: &'a str,
    /// Names the order in rules; empty before it has a number.
    pub order: &'a str,
    /// Places that are left out: who declined, or has too few.
    pub without: &'a [i64],
    /// Kinds of places that give; all without it.
    pub kinds: Option<&'a [String]>,
}

/// Where a line comes from.
pub(super) struct Given {
    /// The line's place among what was wanted.
    pub line: usize,
    pub location_no: i64,
    pub quantity: Quantity,
}

/// What sourcing says.
pub(super) enum Sourced {
    /// All of it, and why so.
    From(Vec<Given>, String),
    /// Some lines cannot be served, by their place among what was wanted.
    Short(Vec<(usize, Park)>),
    /// It has nothing to say: quantities that are no pieces, or nobody goes there by these settings.
    Silent,
}

/// Chooses places for lines. Reads only.
pub(super) fn source(
    tx: &mut Tx,
    (settings, places, shop): (&Settings, &Places, &Shop),
    lines: &[Wants],
    route: &Route<'_>,
) -> Result<Sourced, OrderError> {
    if lines.iter().any(|line| line.quantity.milli().rem_euclid(1000) != 0) {
        return Ok(Sourced::Silent);
    }
    let now = tx.now();
    let mut stocks: Vec<(i64, Option<Arc<VariantStock>>)> = Vec::with_capacity(lines.len());
    for line in lines {
        if !stocks.iter().any(|(no, _)| *no == line.variant_no) {
            stocks.push((line.variant_no, stock::commands::stock(tx, line.variant_no)?));
        }
    }
    // The places that have any of it, by id.
    let mut senders: Vec<(&str, i64)> = Vec::new();
    for stock in stocks.iter().filter_map(|(_, stock)| stock.as_deref()) {
        for position in availability::serving(stock, route.channel) {
            let no = position.location_no;
            let Some(location) = places.get(no) else { continue };
            let kind_gives = |kinds: &[String]| kinds.iter().any(|kind| kind == location.kind.as_str());
            let kinds = route.kinds.or(route.method.map(|(method, _)| method.from_kinds.as_slice()));
            if kinds.is_none_or(kind_gives) && !route.without.contains(&no) {
                senders.push((&location.id, no));
            }
        }
    }
    senders.sort_unstable();
    senders.dedup();
    if senders.is_empty() && route.method.is_none() && route.kinds.is_none() {
        return Ok(Sourced::Silent);
    }
    let mut network = Network { currency: shop.currency.clone(), ..Network::default() };
    let (usual, zone) = (PlaceSettings::default(), "zone");
    let mut lanes = Vec::with_capacity(senders.len());
    for (at, (id, no)) in senders.iter().enumerate() {
        let own = settings.places.get(*id).unwrap_or(&usual);
        let off = settings
            .switched_off
            .iter()
            .any(|s| s.location == *id && s.from <= now && s.until.is_none_or(|until| now < until));
        let full = match own.per_day {
            Some(most) => asked_today(tx, *no, &shop.zone, now)? >= most,
            None => false,
        };
        network.locations.push(Location {
            id: (*id).to_string(),
            kind: places.get(*no).map_or_else(String::new, |l| l.kind.as_str().to_string()),
            handling_minor: own.handling_minor,
            last_piece_minor: own.last_piece_minor,
            down: off || full,
            ..Location::default()
        });
        lanes.push(match route.method {
            Some((method, rate)) => Lane {
                from: at as u32,
                carrier: method.carrier.clone(),
                first_parcel_minor: rate.cost_minor,
                per_kg_minor: rate.cost_per_kg_minor,
                days: rate.days,
                co2_g: rate.co2_g,
            },
            None => Lane {
                from: at as u32,
                carrier: "van".into(),
                first_parcel_minor: 0,
                per_kg_minor: 0,
                days: settings.transfers.days,
                co2_g: 0,
            },
        });
    }
    network.zones.insert(zone.to_string(), lanes);
    for line in lines {
        if network.skus.contains_key(&line.sku) {
            continue;
        }
        let sku = network.intern(&line.sku);
        let stock = stocks.iter().find(|(no, _)| *no == line.variant_no).and_then(|(_, stock)| stock.as_deref());
        let shelves = senders.iter().enumerate().filter_map(|(at, (_, no))| {
            let position = stock?.at(*no)?;
            let pieces = availability::available(position, route.channel.buffer, now).milli().div_euclid(1000);
            (pieces > 0).then_some((at as u32, pieces))
        });
        network.stock[sku as usize] = shelves.collect();
    }
    let order = order(lines, &network, route, &settings.sourcing, (zone, shop, now));
    let wishes = Wishes { weights: settings.sourcing.weights(), rules: rules(&settings.sourcing, route.zone) };
    let plan = plan_order(&Ledger::new(&network), &order, &wishes, &Limits::default());
    if !plan.parked.is_empty() {
        return Ok(Sourced::Short(plan.parked));
    }
    let given = plan.assignments.iter().map(|a| Given {
        line: a.line,
        location_no: senders[a.location as usize].1,
        quantity: Quantity::units(a.quantity),
    });
    let reason = why::sentence(&why::reason(&network, &order, &plan));
    Ok(Sourced::From(given.collect(), reason))
}

/// Rules name zones as the settings do; the network has one zone only.
fn rules(settings: &SourcingSettings, zone: &str) -> Vec<crate::sourcing::Rule> {
    let applies = |rule: &&crate::sourcing::Rule| {
        rule.when.zones.is_empty() || rule.when.zones.iter().any(|wanted| wanted == zone)
    };
    let whole = |rule: &crate::sourcing::Rule| {
        let mut rule = rule.clone();
        rule.when.zones = vec![];
        rule
    };
    settings.rules.iter().filter(applies).map(whole).collect()
}

fn order(
    lines: &[Wants],
    network: &Network,
    route: &Route<'_>,
    settings: &SourcingSettings,
    (zone, shop, now): (&str, &Shop, Timestamp),
) -> Order {
    let local = jiff::Timestamp::from_microsecond(now.micros()).unwrap_or(jiff::Timestamp::MAX);
    let local = shop.zone.to_datetime(local);
    Order {
        id: route.order.into(),
        zone: zone.into(),
        channel: route.channel.id.to_string(),
        day: local.date().to_string(),
        hour: Some(local.hour() as u32),
        promised_days: route.method.map_or(0, |(_, rate)| rate.days),
        split_penalty_minor: settings.split_penalty_minor,
        late_penalty_minor_per_day: settings.late_penalty_minor_per_day,
        lines: lines
            .iter()
            .enumerate()
            .map(|(at, line)| Line {
                id: at.to_string(),
                sku: line.sku.clone(),
                categories: line.categories.clone(),
                quantity: line.quantity.milli() / 1000,
                weight_g: line.weight_g,
                price_minor: line.price_minor,
                components: vec![network.component(&line.sku, 1)],
            })
            .collect(),
    }
}

/// Orders for which a place was asked on this day of the shop.
fn asked_today(tx: &mut Tx, location_no: i64, zone: &TimeZone, now: Timestamp) -> Result<i64, OrderError> {
    tx.flush_table::<OrderTable>()?;
    let local = jiff::Timestamp::from_microsecond(now.micros()).unwrap_or(jiff::Timestamp::MAX);
    let midnight = zone.to_datetime(local).date().to_zoned(zone.clone());
    let since = midnight.map_or(now.micros() - DAY_US, |at| at.timestamp().as_microsecond());
    let sql = "SELECT COUNT(*) FROM fulfilments WHERE location_no = $1 AND asked_at >= $2";
    let row = tx.first(sql, &[location_no.into(), since.into()])?;
    Ok(row.map(|row| row.int(0)).transpose()?.unwrap_or(0))
}

/// What each place gives of a line, summed; for telling what is there.
pub(super) fn there(tx: &mut Tx, variant_no: i64, channel: &Channel) -> Result<HashMap<i64, Quantity>, OrderError> {
    let now = tx.now();
    let Some(stock) = stock::commands::stock(tx, variant_no)? else { return Ok(HashMap::new()) };
    let at = |p: &stock::model::Position| (p.location_no, availability::available(p, channel.buffer, now));
    Ok(availability::serving(&stock, channel).map(at).collect())
}
