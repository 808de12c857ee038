//! What a place that stands still moves in an order: when its parts are due, how long they wait, what was promised.
//!
//! Pure: [`Bench`] holds a place's calendars before and after its pauses became others, [`shifted`] makes an order of an order.
use crate::calendar::{Disruptions, Hours, Pause, PauseKind, Shift, Trip, WorkTime, trip};
use crate::error::OrderError;
use crate::model::{Delivery, Order, Serving};
use crate::offers::{about, disruptions, van};
use crate::settings::Settings;
use crate::states::Machine as _;
use base::{DAY_US, MINUTE_US, Timestamp};
use jiff::tz::TimeZone;
use stock::model::Location;

/// Days of a calendar in which moments are moved.
pub(crate) const DAYS: u16 = 40;

/// A place whose pauses became others.
pub(crate) struct Change {
    pub location_no: i64,
    pub at: Timestamp,
    pub was: Vec<Pause>,
    pub is: Vec<Pause>,
}

/// A place's calendars before and after a change.
pub(crate) struct Bench<'a> {
    settings: &'a Settings,
    pub location: &'a Location,
    zone: TimeZone,
    /// Picking and packing.
    work: Shift,
    /// Waiting, around the clock.
    wait: Shift,
    counter: WorkTime,
    /// What held the place, and what does: nobody fetches a parcel then.
    was: Vec<Pause>,
    is: Vec<Pause>,
    prepare_us: i64,
    /// What changed first.
    pub kind: PauseKind,
}

impl<'a> Bench<'a> {
    pub fn new(change: &Change, location: &'a Location, settings: &'a Settings) -> Result<Self, OrderError> {
        let zone = TimeZone::get(&location.time_zone).unwrap_or(TimeZone::UTC);
        let usual = crate::settings::PlaceSettings::default();
        let own = settings.places.get(&*location.id).unwrap_or(&usual);
        let hours = own.hours(&zone, "/places").map_err(|e| OrderError::field(e.pointer, e.detail))?;
        let place = about(location, settings, zone.clone());
        let fresh = change.is.iter().filter(|p| !change.was.contains(p));
        let gone = change.was.iter().filter(|p| !change.is.contains(p));
        let first = fresh.clone().chain(gone).min_by_key(|p| p.from_us);
        // From a day before: what began then may still go on.
        let anchor_us = first.map_or(change.at.micros(), |p| p.from_us.min(change.at.micros()));
        let anchor_us = anchor_us.max(change.at.micros() - DAY_US);
        let curfews = Disruptions {
            alerts: vec![],
            blackouts: vec![],
            closures: vec![],
            hands: vec![],
            ..disruptions(settings, &[])
        };
        let nights = curfews.of(&place, anchor_us, DAYS, &settings.alerts.policy());
        let compile = |hours: &Hours, pauses: &[Pause]| {
            let all: Vec<Pause> = pauses.iter().chain(&nights).copied().collect();
            WorkTime::compile(hours, &all, anchor_us, DAYS)
        };
        let shift =
            |hours: &Hours| Shift { anchor_us, before: compile(hours, &change.was), after: compile(hours, &change.is) };
        Ok(Bench {
            settings,
            location,
            work: shift(&hours.0),
            wait: Shift {
                anchor_us,
                before: WorkTime::compile(&Hours::always(zone.clone()), &change.was, anchor_us, DAYS),
                after: WorkTime::compile(&Hours::always(zone.clone()), &change.is, anchor_us, DAYS),
            },
            counter: compile(&hours.1, &change.is),
            was: change.was.clone(),
            is: change.is.clone(),
            prepare_us: i64::from(own.prepare_minutes.unwrap_or(crate::offers::PREPARE_MINUTES)) * MINUTE_US,
            kind: first.map_or(PauseKind::Alert, |p| p.kind),
            zone,
        })
    }

    /// How much later a parcel leaves and arrives, by the carrier's next times: one that is packed, at `ready`, or that is still to be
    /// packed from `asked` on.
    fn parcel(&self, (asked, ready): (Timestamp, Timestamp), order: &Order, kind: Serving) -> Later {
        let (carrier, days) = match (&order.body.delivery, kind) {
            (Delivery::Ship { option, .. }, _) => {
                let Some(method) = self.settings.method(option) else { return Later::default() };
                let Some(rate) = self.settings.rate(method, &order.body.zone) else { return Later::default() };
                let found = self.settings.carriers.iter().find(|c| c.id == method.carrier);
                let Some(Ok(carrier)) = found.map(|c| c.carrier("/carriers")) else { return Later::default() };
                (carrier, rate.days)
            }
            (Delivery::PickUp { .. }, _) => (van(self.settings), self.settings.transfers.days),
        };
        let begin = |at: Timestamp| at.micros().max(self.work.anchor_us);
        let goes = |work: &WorkTime, pauses: &[Pause]| -> Option<Trip> {
            let packed_us = match ready.micros() > 0 {
                true => begin(ready),
                false => work.add(begin(asked), self.prepare_us)?,
            };
            let (day, _) = Hours::always(self.zone.clone()).local(packed_us);
            trip(&carrier, &self.zone, pauses, (day, packed_us), days)
        };
        match (goes(&self.work.before, &self.was), goes(&self.work.after, &self.is)) {
            (Some(before), Some(after)) => Later {
                leaves_us: after.leaves_us - before.leaves_us,
                arrives_us: after.arrives_us - before.arrives_us,
                latest_us: after.latest_us - before.latest_us,
            },
            _ => Later::default(),
        }
    }
}

/// By how much a parcel is later than it was, or, below zero, earlier.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Later {
    leaves_us: i64,
    arrives_us: i64,
    latest_us: i64,
}

impl Later {
    /// The one that moves a promise more, at each end.
    fn or(self, other: Later) -> Later {
        let most = |a: i64, b: i64| if b.abs() > a.abs() { b } else { a };
        Later {
            leaves_us: most(self.leaves_us, other.leaves_us),
            arrives_us: most(self.arrives_us, other.arrives_us),
            latest_us: most(self.latest_us, other.latest_us),
        }
    }
}

/// An order as it is from now on, and until when the customer's goods waited and wait.
pub(crate) struct Shifted {
    pub next: Order,
    pub kept: Option<(Timestamp, Timestamp)>,
}

/// Moves an order's clocks and promise by what changed at a place.
pub(crate) fn shifted(order: &Order, bench: &Bench<'_>) -> Shifted {
    let place = bench.location.no;
    let mut next = order.clone();
    let at = Timestamp::from_micros;
    let first_of = |first: Timestamp, now: Timestamp| if first.micros() == 0 { now } else { first };
    let mut later = Later::default();
    let mut kept = None;
    let mut waits = true;
    for f in next.body.fulfilments.iter_mut().filter(|f| f.location_no == place && !f.state.is_end()) {
        if f.ready_at.micros() > 0 {
            waits &= f.kind != Serving::PickUp;
            if f.keep_until.micros() > 0 {
                let until = at(bench.wait.moved(f.keep_until.micros(), i64::MIN, i64::MAX));
                if until != f.keep_until {
                    kept = Some((f.keep_until, until));
                    f.keep_until = until;
                }
            }
            // It is packed, and waits for its courier.
            if f.kind != Serving::PickUp {
                later = later.or(bench.parcel((f.asked_at, f.ready_at), order, f.kind));
            }
            continue;
        }
        if f.kind == Serving::PickUp {
            let first = first_of(f.due_first, f.due_at);
            let due = at(bench.work.moved(f.due_at.micros(), first.micros(), bench.prepare_us));
            if due != f.due_at {
                (f.due_first, f.due_at) = (first, due);
            }
        } else if f.due_at.micros() > 0 {
            let by = bench.parcel((f.asked_at, f.ready_at), order, f.kind);
            later = later.or(by);
            if by.leaves_us != 0 {
                let first = first_of(f.due_first, f.due_at);
                (f.due_first, f.due_at) = (first, f.due_at.plus(by.leaves_us).max(first));
            }
        }
    }
    let fetched_here = order.body.delivery == (Delivery::PickUp { location_no: place });
    if let Some(before) = order.body.promised.clone() {
        let first = order.body.promised_first.clone().unwrap_or_else(|| before.clone());
        let mut promised = before.clone();
        if fetched_here && waits && order.body.given_at.micros() == 0 {
            let ready = bench.work.moved(before.earliest.micros(), first.earliest.micros(), bench.prepare_us);
            if ready != before.earliest.micros() {
                promised.earliest = at(bench.counter.next_open(ready).unwrap_or(ready)).max(first.earliest);
                promised.latest = first.latest.max(promised.earliest);
            }
        }
        if later != Later::default() {
            promised.earliest = promised.earliest.plus(later.arrives_us).max(first.earliest);
            promised.latest = promised.latest.plus(later.latest_us).max(first.latest).max(promised.earliest);
        }
        if promised != before {
            if promised.earliest != first.earliest || promised.latest != first.latest {
                promised.why = first.why.iter().cloned().chain([why(bench)]).collect();
            } else {
                promised.why = first.why.clone();
            }
            next.body.promised_first = Some(first);
            next.body.promised = Some(promised);
        }
    }
    Shifted { next, kept }
}

fn why(bench: &Bench<'_>) -> String {
    let kind = match bench.kind {
        PauseKind::Hand => "it was switched off",
        PauseKind::Closed => "its territory is closed",
        PauseKind::Alert => "an air-raid alert",
        PauseKind::Blackout => "no power",
        PauseKind::Curfew => "curfew",
    };
    format!("{} stands still: {kind}", bench.location.id)
}
