//! The compiled book, and the question that it answers.
use super::model::{Demand, Promise, Reason, Request, Taken, WayKind, Ways};
use crate::calendar::{CarrierError, PauseKind, Trip, WorkTime, trip};
use base::{DAY_US, HOUR_US};
use std::collections::HashMap;

/// Why a book cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// A carrier that never arrives.
    #[error(transparent)]
    Carrier(#[from] CarrierError),
    /// A way from or to nowhere.
    #[error("way {way} names place, shop or carrier {what} that does not exist")]
    Unknown {
        /// Position of the way.
        way: usize,
        /// What is not there.
        what: String,
    },
}

/// When something leaves and when it arrives.
#[derive(Debug, Clone, Copy)]
struct Departure {
    leaves_us: i64,
    arrives_us: i64,
    latest_us: i64,
}

#[derive(Debug, Clone)]
struct Leg {
    from: u32,
    kind: WayKind,
    carrier: u32,
    price_minor: i64,
    departures: Vec<Departure>,
}

#[derive(Debug, Clone)]
struct Desk {
    work: WorkTime,
    counter: Option<WorkTime>,
    prepare_us: i64,
    per_hour: Option<u32>,
    down: bool,
}

/// Places and ways as sorted moments, good for the days that it was compiled for.
#[derive(Debug, Clone)]
pub struct Book {
    desks: Vec<Desk>,
    /// Legs into each zone.
    pub(super) zones: HashMap<String, Vec<usize>>,
    /// Transfers to each shop.
    transfers: HashMap<u32, Vec<usize>>,
    legs: Vec<Leg>,
}

/// A place that is ready to hand over, or to send.
#[derive(Debug, Clone, Default)]
struct Ready {
    at_us: i64,
    latest_us: i64,
    confidence: u16,
    reasons: Vec<Reason>,
}

const SURE: u16 = 980;

impl Book {
    /// Compiles what holds from `from_us` on over `days` days.
    pub fn compile(ways: &Ways, from_us: i64, days: u16) -> Result<Self, BookError> {
        for carrier in &ways.carriers {
            carrier.check()?;
        }
        let desk = |place: &super::Place| Desk {
            work: WorkTime::compile(&place.work, &place.pauses, from_us, days),
            counter: place.counter.as_ref().map(|hours| WorkTime::compile(hours, &place.pauses, from_us, days)),
            prepare_us: place.prepare_us,
            per_hour: place.per_hour,
            down: place.down,
        };
        let mut book = Book {
            desks: ways.places.iter().map(desk).collect(),
            zones: HashMap::new(),
            transfers: HashMap::new(),
            legs: Vec::with_capacity(ways.ways.len()),
        };
        // Many ways have the same zone of time, carrier and days: their departures are computed once.
        let mut known: HashMap<(String, u32, u32), Vec<Departure>> = HashMap::new();
        for (index, way) in ways.ways.iter().enumerate() {
            let unknown = |what: &str| BookError::Unknown { way: index, what: what.into() };
            let from = ways.places.get(way.from as usize).ok_or_else(|| unknown(&way.from.to_string()))?;
            let carrier = ways.carriers.get(way.carrier as usize).ok_or_else(|| unknown(&way.carrier.to_string()))?;
            let zone = &from.work.zone;
            let name = zone.iana_name().map_or_else(|| format!("{zone:?}"), str::to_string);
            let departures = known.entry((name, way.carrier, way.days)).or_insert_with(|| {
                let (mut day, _) = from.work.local(from_us);
                let mut out = Vec::new();
                for _ in 0..=days {
                    if let Some(leaves_us) = carrier.leaves(zone, day)
                        && let Some(arrival) = carrier.arrives(day, way.days)
                        && let Some(late) = carrier.arrives(day, way.days + carrier.late_days)
                    {
                        // What arrives on the day on which it left arrives after it left.
                        let (begin, end) = carrier.window_of(zone, arrival);
                        let latest_us = carrier.window_of(zone, late).1.max(end);
                        out.push(Departure {
                            leaves_us,
                            arrives_us: begin.max(leaves_us),
                            latest_us: latest_us.max(leaves_us),
                        });
                    }
                    let Ok(tomorrow) = day.tomorrow() else { break };
                    day = tomorrow;
                }
                out
            });
            if way.kind == WayKind::Transfer {
                let shop = ways.places.iter().position(|p| p.id == way.to).ok_or_else(|| unknown(&way.to))?;
                book.transfers.entry(shop as u32).or_default().push(index);
            } else {
                book.zones.entry(way.to.clone()).or_default().push(index);
            }
            // Nobody fetches anything from a place that stands still, and couriers of its own wait there.
            let departures: Vec<Departure> = match from.pauses.iter().any(|p| p.kind != PauseKind::Curfew) {
                false => departures.clone(),
                true => {
                    let past = |d: &Departure| {
                        let (day, _) = from.work.local(d.leaves_us);
                        trip(carrier, zone, &from.pauses, (day, d.leaves_us), way.days)
                    };
                    let mut moved: Vec<Departure> = departures
                        .iter()
                        .filter_map(past)
                        .map(|Trip { leaves_us, arrives_us, latest_us }| Departure { leaves_us, arrives_us, latest_us })
                        .collect();
                    moved.dedup_by_key(|d| d.leaves_us);
                    moved
                }
            };
            let (from, kind, carrier, price_minor) = (way.from, way.kind, way.carrier, way.price_minor);
            book.legs.push(Leg { from, kind, carrier, price_minor, departures });
        }
        Ok(book)
    }

    /// The earliest promise of each kind of way, and for pick-up and transfer of each shop; earliest first, of equals the surer.
    ///
    /// Everything that is wanted comes together: from one place that has it all, else in parts of which the slowest counts.
    /// A kind that cannot be had is not there.
    pub fn promises(&self, request: &Request<'_>, taken: &Taken) -> Vec<Promise> {
        let ready: Vec<Option<Ready>> = (0..self.desks.len()).map(|place| self.ready(place, request, taken)).collect();
        let mut best: HashMap<(WayKind, Option<u32>), Promise> = HashMap::new();
        let mut offer = |promise: Promise| {
            let key = (promise.kind, promise.shop);
            let rank =
                |p: &Promise| (p.earliest_us, p.latest_us, std::cmp::Reverse(p.confidence), p.price_minor, p.from);
            match best.get(&key) {
                Some(known) if rank(known) <= rank(&promise) => {}
                _ => drop(best.insert(key, promise)),
            }
        };
        let shops = |place: &usize| request.shop.is_none_or(|shop| shop as usize == *place);
        for (place, ready) in ready.iter().enumerate().filter(|(place, _)| shops(place)) {
            if let Some(promise) = ready.as_ref().and_then(|ready| self.pick_up(place as u32, ready)) {
                offer(promise);
            }
        }
        for (shop, legs) in self.transfers.iter().filter(|(shop, _)| shops(&(**shop as usize))) {
            for leg in legs.iter().map(|leg| &self.legs[*leg]) {
                let sender = ready[leg.from as usize].as_ref();
                if let Some(promise) = sender.and_then(|ready| self.transfer(*shop, leg, ready)) {
                    offer(promise);
                }
            }
        }
        let into = request.zone.and_then(|zone| self.zones.get(zone)).map_or(&[][..], Vec::as_slice);
        for leg in into.iter().map(|leg| &self.legs[*leg]) {
            if let Some(promise) = ready[leg.from as usize].as_ref().and_then(|ready| self.delivery(leg, ready)) {
                offer(promise);
            }
        }
        if request.demand.len() > 1 && !into.is_empty() {
            for promise in self.parts(request, taken, into) {
                best.entry((promise.kind, None)).or_insert(promise);
            }
        }
        let mut out: Vec<Promise> = best.into_values().collect();
        out.sort_by_key(|p| (p.earliest_us, p.latest_us, p.kind, p.shop, p.from));
        out
    }

    /// When a place has everything packed; `None` when it never has everything.
    fn ready(&self, place: usize, request: &Request<'_>, taken: &Taken) -> Option<Ready> {
        let desk = &self.desks[place];
        if desk.down {
            return None;
        }
        let mut start =
            Ready { at_us: request.now_us, latest_us: request.now_us, confidence: SURE, reasons: Vec::new() };
        let mut on_order = false;
        for demand in request.demand {
            let stock = stock(demand, place as u32, request.now_us)?;
            if let Reason::OnOrder { .. } = stock.reason {
                on_order = true;
            }
            start.at_us = start.at_us.max(stock.from_us);
            start.latest_us = start.latest_us.max(stock.latest_us);
            start.confidence = start.confidence.min(stock.confidence);
            if stock.reason != Reason::OnShelf {
                start.reasons.push(stock.reason);
            }
        }
        if !on_order {
            start.reasons.insert(0, Reason::OnShelf);
        }
        self.prepare(place, start, taken)
    }

    /// Picks and packs at a place from a moment on: opening hours, pauses, and hours that are full.
    fn prepare(&self, place: usize, mut start: Ready, taken: &Taken) -> Option<Ready> {
        let desk = &self.desks[place];
        let begin = desk.work.next_open(start.at_us)?;
        if begin > start.at_us {
            let paused = desk.work.pauses(start.at_us, begin).max_by_key(|p| p.until_us);
            start.reasons.push(match paused {
                Some(p) => Reason::Paused { kind: p.kind, until_us: begin, assumed: p.assumed },
                None => Reason::Closed { until_us: begin },
            });
            if paused.is_some_and(|p| p.assumed) {
                start.confidence = start.confidence * 4 / 5;
            }
        }
        let mut at = begin;
        if let Some(most) = desk.per_hour {
            // A place that is full for a month promises nothing.
            let mut hours = 0;
            while taken.0.get(&(place as u32, at.div_euclid(HOUR_US))).is_some_and(|t| *t >= most) {
                hours += 1;
                at = desk.work.next_open((at.div_euclid(HOUR_US) + 1) * HOUR_US)?;
                if hours > 720 {
                    return None;
                }
            }
            if hours > 0 {
                start.reasons.push(Reason::Busy { until_us: at });
            }
        }
        let at_us = desk.work.add(at, desk.prepare_us)?;
        let latest_us = desk.work.add(start.latest_us.max(at), desk.prepare_us)?;
        Some(Ready { at_us, latest_us, ..start })
    }

    fn pick_up(&self, place: u32, ready: &Ready) -> Option<Promise> {
        let counter = self.desks[place as usize].counter.as_ref()?;
        let earliest_us = counter.next_open(ready.at_us)?;
        Some(Promise {
            kind: WayKind::PickUp,
            from: place,
            shop: Some(place),
            carrier: None,
            ready_us: ready.at_us,
            earliest_us,
            latest_us: counter.next_open(ready.latest_us)?.max(earliest_us),
            confidence: ready.confidence,
            price_minor: 0,
            reasons: ready.reasons.clone(),
        })
    }

    fn transfer(&self, shop: u32, leg: &Leg, ready: &Ready) -> Option<Promise> {
        let desk = &self.desks[shop as usize];
        if leg.from == shop || desk.down {
            return None;
        }
        let sent = self.delivery(leg, ready)?;
        let counter = desk.counter.as_ref()?;
        // Somebody has to take it in before it can be handed over.
        let unpacked = desk.work.add(sent.earliest_us, desk.prepare_us)?;
        let latest = desk.work.add(sent.latest_us, desk.prepare_us)?;
        let mut reasons = vec![Reason::BroughtFrom { place: leg.from }];
        reasons.extend(sent.reasons);
        let earliest_us = counter.next_open(unpacked)?;
        let latest_us = counter.next_open(latest)?.max(earliest_us);
        Some(Promise { shop: Some(shop), earliest_us, latest_us, ready_us: unpacked, reasons, ..sent })
    }

    fn delivery(&self, leg: &Leg, ready: &Ready) -> Option<Promise> {
        let first = leg.departures.partition_point(|d| d.leaves_us < ready.at_us);
        let departure = leg.departures.get(first)?;
        let late = leg.departures.get(leg.departures.partition_point(|d| d.leaves_us < ready.latest_us))?;
        let mut reasons = ready.reasons.clone();
        let same_day = departure.leaves_us - ready.at_us < DAY_US;
        if first > 0 && ready.at_us - leg.departures[first - 1].leaves_us < 12 * HOUR_US || !same_day {
            reasons.push(Reason::MissedCutOff { next_us: departure.leaves_us });
        }
        Some(Promise {
            kind: leg.kind,
            from: leg.from,
            shop: None,
            carrier: Some(leg.carrier),
            ready_us: ready.at_us,
            earliest_us: departure.arrives_us,
            latest_us: late.latest_us.max(departure.latest_us),
            confidence: ready.confidence,
            price_minor: leg.price_minor,
            reasons,
        })
    }

    /// Where no place has everything: each line from where it comes soonest, and the slowest of them.
    fn parts(&self, request: &Request<'_>, taken: &Taken, into: &[usize]) -> Vec<Promise> {
        let mut slowest: HashMap<WayKind, (Promise, Vec<u32>)> = HashMap::new();
        let mut kinds: Vec<WayKind> = into.iter().map(|leg| self.legs[*leg].kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        for (number, demand) in request.demand.iter().enumerate() {
            let alone = Request { demand: std::slice::from_ref(demand), ..*request };
            for kind in kinds.clone() {
                let legs = into.iter().map(|leg| &self.legs[*leg]).filter(|leg| leg.kind == kind);
                let best = legs
                    .filter_map(|leg| self.delivery(leg, &self.ready(leg.from as usize, &alone, taken)?))
                    .min_by_key(|p| {
                        (p.earliest_us, p.latest_us, std::cmp::Reverse(p.confidence), p.price_minor, p.from)
                    });
                match (best, slowest.get_mut(&kind)) {
                    (None, _) => {
                        kinds.retain(|k| *k != kind);
                        slowest.remove(&kind);
                    }
                    (Some(best), None) if number == 0 => {
                        let from = vec![best.from];
                        slowest.insert(kind, (best, from));
                    }
                    (Some(best), Some((known, from))) => {
                        // A place that sends two lines sends one parcel.
                        let price_minor =
                            known.price_minor + if from.contains(&best.from) { 0 } else { best.price_minor };
                        from.push(best.from);
                        let confidence = known.confidence.min(best.confidence);
                        let (later, other) = if best.latest_us > known.latest_us {
                            (best, known.clone())
                        } else {
                            (known.clone(), best)
                        };
                        let earliest_us = later.earliest_us.max(other.earliest_us);
                        *known = Promise { earliest_us, confidence, price_minor, ..later };
                    }
                    (Some(_), None) => {}
                }
            }
        }
        let finish = |(mut promise, mut from): (Promise, Vec<u32>)| {
            from.sort_unstable();
            from.dedup();
            promise.reasons.push(Reason::Parts { places: from.len() as u32 });
            promise
        };
        slowest.into_values().map(finish).collect()
    }

    /// When a parcel that is ready at a place at a moment is with a customer of a zone, soonest first for each kind.
    pub(super) fn reach(&self, zone: &str, at_us: i64) -> HashMap<WayKind, (u32, i64)> {
        let mut out: HashMap<WayKind, (u32, i64)> = HashMap::new();
        for leg in self.zones.get(zone).into_iter().flatten().map(|leg| &self.legs[*leg]) {
            let start = Ready { at_us, latest_us: at_us, confidence: SURE, reasons: Vec::new() };
            let desk = &self.desks[leg.from as usize];
            let ready = if desk.down { None } else { self.prepare(leg.from as usize, start, &Taken::default()) };
            let Some(promise) = ready.and_then(|ready| self.delivery(leg, &ready)) else { continue };
            let best = out.entry(leg.kind).or_insert((leg.from, promise.latest_us));
            if (promise.latest_us, leg.from) < (best.1, best.0) {
                *best = (leg.from, promise.latest_us);
            }
        }
        out
    }
}

struct Stock {
    from_us: i64,
    latest_us: i64,
    confidence: u16,
    reason: Reason,
}

/// When a place has enough of a line: now, or when enough of what is on order has come.
fn stock(demand: &Demand<'_>, place: u32, now_us: i64) -> Option<Stock> {
    let here = demand.available.iter().filter(|a| a.place == place).map(|a| a.quantity.max(0)).sum::<i64>();
    if here >= demand.quantity {
        let last = here == 1;
        let confidence = if last { SURE * 9 / 10 } else { SURE };
        let reason = if last { Reason::LastPiece } else { Reason::OnShelf };
        return Some(Stock { from_us: now_us, latest_us: now_us, confidence, reason });
    }
    let mut coming: Vec<_> = demand.incoming.iter().filter(|i| i.place == place && i.quantity > 0).collect();
    coming.sort_by_key(|i| (i.expected_us, i.latest_us));
    let (mut sum, mut latest_us, mut confidence) = (here, now_us, SURE);
    for incoming in coming {
        sum += incoming.quantity;
        latest_us = latest_us.max(incoming.latest_us).max(incoming.expected_us);
        confidence = confidence.min(incoming.confidence.min(SURE));
        if sum >= demand.quantity {
            let expected_us = incoming.expected_us.max(now_us);
            let reason = Reason::OnOrder { expected_us };
            return Some(Stock { from_us: expected_us, latest_us, confidence, reason });
        }
    }
    None
}
