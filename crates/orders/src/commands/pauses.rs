//! Places that stand still: their clocks pause, and what was promised of their orders moves.
//!
//! [`look`] reckons each place's pauses anew when settings or alerts changed, or when a guess has run out, and writes down what
//! became another pause. [`follow`] then goes through the orders of such a place, a bounded number at a time: what is not ready is
//! due after the same work, what waits for its customer waits as much longer, and the customer is told once per change.
use super::alerts::feed;
use super::{history, order_of, put_order, telling};
use crate::calendar::{Disruptions, OPEN_END, Pause, PauseKind, lost_us, reckon};
use crate::delays::{Bench, Change, DAYS, Shifted, shifted};
use crate::error::OrderError;
use crate::model::{Order, Promised};
use crate::offers::{about, disruptions};
use crate::settings::AlertFeed;
use crate::states::Machine as _;
use crate::told::tell;
use base::{DAY_US, MINUTE_US, Timestamp};
use db::{DbError, Engine, Memory, Notice, Tx};
use jiff::tz::TimeZone;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Pauses that are over are known so long by heart, and kept so long for figures.
const KNOWN_US: i64 = 8 * DAY_US;
const KEPT_US: i64 = 400 * DAY_US;
/// The longest time between two looks.
const LOOK_US: i64 = MINUTE_US;
/// A promise that moves less than this is the same promise.
const SAME_US: i64 = MINUTE_US;

type ByPlace = BTreeMap<i64, Arc<Vec<Pause>>>;

#[derive(Clone, Default)]
struct State {
    places: ByPlace,
    /// Of which settings, alerts and places this was made.
    of: Option<(i64, i64, usize)>,
    next_us: i64,
}

struct Held {
    committed: Arc<State>,
    changed: Option<Arc<State>>,
}

impl Memory for Held {
    fn load(db: &mut Engine) -> Result<Self, DbError> {
        let mut places: BTreeMap<i64, Vec<Pause>> = BTreeMap::new();
        let sql = "SELECT location_no, kind, from_at, until_at, assumed FROM place_pauses ORDER BY until_at DESC LIMIT 100000";
        for row in db.rows(sql, &[])? {
            places.entry(row.int(0)?).or_default().push(pause(&row)?);
        }
        let sorted = |mut list: Vec<Pause>| {
            list.sort_unstable_by_key(|p| (p.from_us, p.kind, p.until_us));
            Arc::new(list)
        };
        let places = places.into_iter().map(|(no, list)| (no, sorted(list))).collect();
        Ok(Held { committed: Arc::new(State { places, ..State::default() }), changed: None })
    }
    fn commit(&mut self) {
        if let Some(changed) = self.changed.take() {
            self.committed = changed;
        }
    }
    fn rollback(&mut self) {
        self.changed = None;
    }
}

fn pause(row: &db::Row) -> Result<Pause, DbError> {
    let kind = serde_json::from_value(json!(row.text(1)?));
    Ok(Pause {
        kind: kind.map_err(|e| DbError::damaged("place_pauses", e))?,
        from_us: row.int(2)?,
        until_us: row.int(3)?,
        assumed: row.int(4)? != 0,
    })
}

impl PauseKind {
    /// The word on the wire and in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            PauseKind::Hand => "hand",
            PauseKind::Closed => "closed",
            PauseKind::Alert => "alert",
            PauseKind::Blackout => "blackout",
            PauseKind::Curfew => "curfew",
        }
    }
}

fn state(tx: &mut Tx) -> Result<Arc<State>, DbError> {
    let held = tx.memory::<Held>()?;
    Ok(held.changed.as_ref().unwrap_or(&held.committed).clone())
}

/// The pauses of a place of the last days and to come, curfews left out: those are hours as any others.
pub fn pauses_of(tx: &mut Tx, location_no: i64) -> Result<Arc<Vec<Pause>>, DbError> {
    Ok(state(tx)?.places.get(&location_no).cloned().unwrap_or_default())
}

/// What keeps a place at a moment: of several the one that lasts longest.
pub fn holding(pauses: &[Pause], now: Timestamp) -> Option<Pause> {
    let holds = |p: &&Pause| p.from_us <= now.micros() && now.micros() < p.until_us;
    pauses.iter().filter(holds).max_by_key(|p| p.until_us).copied()
}

/// Pauses of all places that lie between two moments, from the table: for figures of a long time.
pub fn read_pauses(db: &mut Engine, from: Timestamp, to: Timestamp) -> Result<BTreeMap<i64, Vec<Pause>>, DbError> {
    let sql = "SELECT location_no, kind, from_at, until_at, assumed FROM place_pauses WHERE until_at > $1 AND from_at < $2 \
               ORDER BY location_no, from_at, kind LIMIT 200000";
    let mut out: BTreeMap<i64, Vec<Pause>> = BTreeMap::new();
    for row in db.rows(sql, &[from.micros().into(), to.micros().into()])? {
        out.entry(row.int(0)?).or_default().push(pause(&row)?);
    }
    Ok(out)
}

/// Looks which places stand still, if anything changed of which that is made, and writes down what changed. Gives at how many
/// places it did.
pub fn look(tx: &mut Tx) -> Result<usize, OrderError> {
    let now = tx.now();
    let (version, settings) = super::settings::settings(tx)?;
    let feed = feed(tx)?;
    let places = stock::commands::places(tx)?;
    let before = state(tx)?;
    let of = (version, feed.version, Arc::as_ptr(&places) as usize);
    if before.of == Some(of) && now.micros() < before.next_us {
        return Ok(0);
    }
    let policy = settings.alerts.policy();
    let alerts = if settings.alerts.feed == AlertFeed::Off { &[][..] } else { &feed.alerts[..] };
    let world = Disruptions { curfews: vec![], ..disruptions(&settings, alerts) };
    // What a shop brings along when this begins was known when its orders were promised.
    let begun = tx.first("SELECT no FROM order_positions WHERE name = 'pauses'", &[])?.is_some();
    if !begun {
        tx.execute("INSERT INTO order_positions (name, no) VALUES ('pauses', 0)", &[])?;
    }
    let mut next = State { of: Some(of), next_us: now.micros() + LOOK_US, ..(*before).clone() };
    let mut changes = 0;
    for location in places.all().iter().filter(|location| location.kind.sells()) {
        let known = before.places.get(&location.no).map_or(&[][..], |list| list.as_slice());
        let zone = TimeZone::get(&location.time_zone).unwrap_or(TimeZone::UTC);
        let seen = world.of(&about(location, &settings, zone), now.micros(), DAYS, &policy);
        let fresh = reckon(known, &seen, now.micros());
        let soonest = fresh.iter().filter(|p| p.assumed && p.until_us > now.micros()).map(|p| p.until_us).min();
        next.next_us = next.next_us.min(soonest.unwrap_or(i64::MAX));
        if fresh == known {
            continue;
        }
        store(tx, location.no, (known, &fresh))?;
        let finite = |list: &[Pause]| -> Vec<Pause> {
            list.iter().filter(|p| p.until_us != OPEN_END && p.until_us > now.micros() - DAY_US).copied().collect()
        };
        let (was, is) = (finite(known), finite(&fresh));
        if begun && ends(&was) != ends(&is) {
            note(tx, location.no, (&was, &is))?;
            changes += 1;
        }
        let kept = fresh.into_iter().filter(|p| p.until_us > now.micros() - KNOWN_US).collect();
        next.places.insert(location.no, Arc::new(kept));
    }
    if changes > 0 {
        tx.execute("DELETE FROM place_pauses WHERE until_at < $1", &[(now.micros() - KEPT_US).into()])?;
        tx.notify(Notice::Changed { what: "orders" });
    }
    tx.memory::<Held>()?.changed = Some(Arc::new(next));
    Ok(changes)
}

fn ends(list: &[Pause]) -> Vec<(i64, i64)> {
    list.iter().map(|p| (p.from_us, p.until_us)).collect()
}

fn store(tx: &mut Tx, location_no: i64, (known, fresh): (&[Pause], &[Pause])) -> Result<(), DbError> {
    for gone in known.iter().filter(|k| !fresh.iter().any(|f| (f.from_us, f.kind) == (k.from_us, k.kind))) {
        let sql = "DELETE FROM place_pauses WHERE location_no = $1 AND kind = $2 AND from_at = $3";
        tx.execute(sql, &[location_no.into(), gone.kind.as_str().into(), gone.from_us.into()])?;
    }
    for pause in fresh.iter().filter(|f| !known.contains(f)) {
        let sql = "INSERT INTO place_pauses (location_no, kind, from_at, until_at, assumed) VALUES ($1, $2, $3, $4, $5) \
                   ON CONFLICT (location_no, kind, from_at) DO UPDATE SET until_at = excluded.until_at, assumed = excluded.assumed";
        let assumed = i64::from(pause.assumed);
        tx.execute(
            sql,
            &[
                location_no.into(),
                pause.kind.as_str().into(),
                pause.from_us.into(),
                pause.until_us.into(),
                assumed.into(),
            ],
        )?;
    }
    Ok(())
}

/// Pauses as a change keeps them: kind, begin, end.
type Written = Vec<(PauseKind, i64, i64)>;

fn note(tx: &mut Tx, location_no: i64, (was, is): (&[Pause], &[Pause])) -> Result<(), DbError> {
    let text = |list: &[Pause]| {
        let written: Written = list.iter().map(|p| (p.kind, p.from_us, p.until_us)).collect();
        json!(written).to_string()
    };
    let (no, now) = (tx.next_id(), tx.now().micros());
    let sql = "INSERT INTO pause_changes (no, location_no, at, before_pauses, after_pauses, done_until) \
               VALUES ($1, $2, $3, $4, $5, 0)";
    tx.execute(sql, &[no.into(), location_no.into(), now.into(), (&text(was)).into(), (&text(is)).into()])?;
    Ok(())
}

/// Whether a place's orders have not all heard yet that its pauses are others.
pub(super) fn unheard(tx: &mut Tx, location_no: i64) -> Result<bool, DbError> {
    let sql = "SELECT no FROM pause_changes WHERE location_no = $1 ORDER BY no LIMIT 1";
    Ok(tx.first(sql, &[location_no.into()])?.is_some())
}

fn read_change(row: &db::Row) -> Result<Change, DbError> {
    let list = |text: &str| -> Result<Vec<Pause>, DbError> {
        let written: Written = serde_json::from_str(text).map_err(|e| DbError::damaged("pause_changes", e))?;
        let one = |(kind, from_us, until_us)| Pause { kind, from_us, until_us, assumed: false };
        Ok(written.into_iter().map(one).collect())
    };
    Ok(Change {
        location_no: row.int(1)?,
        at: Timestamp::from_micros(row.int(2)?),
        was: list(row.text(3)?)?,
        is: list(row.text(4)?)?,
    })
}

/// Orders that a place serves, or that are fetched where others bring them.
const TOUCHED: &str = "SELECT order_no FROM (SELECT order_no FROM fulfilments WHERE location_no = $1 AND order_no > $2 \
                       AND state IN ('open', 'scheduled', 'on_hold', 'in_progress', 'incomplete') \
                       UNION SELECT order_no FROM fulfilments WHERE kind = 'supply' AND order_no > $2 \
                       AND state IN ('open', 'scheduled', 'on_hold', 'in_progress', 'incomplete')) touched \
                       ORDER BY order_no LIMIT $3";

/// Moves what was promised of the orders of places whose pauses became others: up to so many orders. Gives how many were looked at.
pub fn follow(tx: &mut Tx, limit: i64) -> Result<usize, OrderError> {
    let sql =
        "SELECT no, location_no, at, before_pauses, after_pauses, done_until FROM pause_changes ORDER BY no LIMIT 1";
    let Some(row) = tx.first(sql, &[])? else { return Ok(0) };
    let (no, done_until) = (row.int(0)?, row.int(5)?);
    let change = read_change(&row)?;
    tx.flush_table::<crate::OrderTable>()?;
    let orders = tx.rows(TOUCHED, &[change.location_no.into(), done_until.into(), limit.into()])?;
    let places = stock::commands::places(tx)?;
    let (_, settings) = super::settings::settings(tx)?;
    let bench = places.get(change.location_no).map(|location| Bench::new(&change, location, &settings));
    let mut last = done_until;
    for row in &orders {
        last = row.int(0)?;
        if let Some(Ok(bench)) = &bench {
            moved(tx, last, bench, &change)?;
        }
    }
    if (orders.len() as i64) < limit {
        tx.execute("DELETE FROM pause_changes WHERE no = $1", &[no.into()])?;
    } else {
        tx.execute("UPDATE pause_changes SET done_until = $2 WHERE no = $1", &[no.into(), last.into()])?;
    }
    Ok(orders.len())
}

/// Moves one order's clocks and promise, and tells its customer.
fn moved(tx: &mut Tx, order_no: i64, bench: &Bench<'_>, change: &Change) -> Result<(), OrderError> {
    let order = order_of(tx, order_no)?;
    // Who ordered later was told of it.
    if order.body.stage.is_end() || order.placed_at >= change.at {
        return Ok(());
    }
    let Shifted { next, kept } = shifted(&order, bench);
    if next.body == order.body {
        return Ok(());
    }
    let location_id = bench.location.id.to_string();
    let detail = json!({
        "location_no": bench.location.no, "kind": bench.kind, "keep_until": kept.map(|(_, until)| until),
        "before": order.body.promised.as_ref().map(span), "after": next.body.promised.as_ref().map(span),
    });
    history(tx, order_no, "braid", "promise moved", &detail);
    let order_after = put_order(tx, next);
    if let (Some(before), Some(after)) = (&order.body.promised, &order_after.body.promised) {
        tell_delay(tx, &order_after, (before, after), json!({"reason": bench.kind, "store_id": location_id}))?;
    }
    if let Some((before, until)) = kept.filter(|(before, until)| until.micros() - before.micros() >= SAME_US) {
        let more =
            json!({"keep_until": until, "keep_until_before": before, "reason": bench.kind, "store_id": location_id});
        tell(tx, telling::step(&order_after, "Pickup Extended", more))?;
    }
    Ok(())
}

pub(super) fn span(promised: &Promised) -> serde_json::Value {
    json!({"earliest": promised.earliest, "latest": promised.latest})
}

/// Tells a customer that their order comes later than they were told; an earlier one is good news that the order itself brings.
pub(super) fn tell_delay(
    tx: &mut Tx,
    order: &Order,
    (before, after): (&Promised, &Promised),
    more: serde_json::Value,
) -> Result<bool, OrderError> {
    let later = |a: Timestamp, b: Timestamp| b.micros() - a.micros() >= SAME_US;
    if !later(before.earliest, after.earliest) && !later(before.latest, after.latest) {
        return Ok(false);
    }
    let mut event = json!({"promised_before": span(before), "promised": span(after)});
    if let (Some(fields), serde_json::Value::Object(more)) = (event.as_object_mut(), more) {
        fields.extend(more);
    }
    tell(tx, telling::step(order, "Order Delayed", event))?;
    Ok(true)
}

/// Minutes that a place had for something between two moments: those in which it stood still are left out.
pub fn minutes(pauses: &[Pause], from: Timestamp, until: Timestamp) -> i64 {
    let (from, until) = (from.micros(), until.micros().max(from.micros()));
    (until - from - lost_us(pauses, from, until)) / MINUTE_US
}
