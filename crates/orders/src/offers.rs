//! What a customer can be offered for a cart: each way with its price, its moments and its reasons.
//!
//! [`Desk::compile`] makes one book of settings, places and what gets in between; asking it touches no store. It holds for
//! [`DAYS`] days and is made again when settings, places or alerts change, and before its days run out.
use crate::calendar::{Alert, Blackout, Carrier, Closure, Curfew, Disruptions, HandSwitch, Hours};
use crate::promise::{
    Available, Book, BookError, Demand, Incoming, Place, Promise, Reason, Request, Taken, Way, WayKind, Ways,
};
use crate::settings::{PlaceSettings, Settings, SettingsError, minutes};
use base::{DAY_US, HOUR_US, MINUTE_US, Quantity, SECOND_US, Timestamp};
use jiff::tz::TimeZone;
use std::collections::HashMap;
use std::sync::Arc;
use stock::ahead::Ahead;
use stock::incoming::Supply;
use stock::model::{Location, LocationState, Position, VariantStock};
use stock::{Channel, Places, availability};

/// Days that a compiled book reaches; promises are made for the first half of them.
pub const DAYS: u16 = 35;
/// Minutes of work from an order to a packed parcel where nobody said.
pub(crate) const PREPARE_MINUTES: u32 = 30;
const VAN: &str = "\u{1}van";
/// The longest and the shortest time for which a book is used.
const GOOD_US: i64 = HOUR_US;
const GOOD_LEAST_US: i64 = 10 * SECOND_US;

/// The carrier between the shop's own places.
pub(crate) fn van(settings: &Settings) -> Carrier {
    Carrier {
        window: (0, 1439),
        late_days: 0,
        ..Carrier::daily(VAN, minutes(&settings.transfers.cut_off).unwrap_or(16 * 60))
    }
}

/// A place as disruptions see it.
pub(crate) fn about(location: &Location, settings: &Settings, zone: TimeZone) -> crate::calendar::Place {
    let usual = PlaceSettings::default();
    let own = settings.places.get(&*location.id).unwrap_or(&usual);
    crate::calendar::Place {
        id: location.id.to_string(),
        zone,
        territories: own.territories.clone(),
        queue: own.queue.clone(),
        own_power: own.own_power,
        works_in_alerts: own.works_in_alerts,
    }
}

/// Why no promises can be made.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Book(#[from] BookError),
}

/// All that promises are answered from.
pub struct Desk {
    pub settings: Arc<Settings>,
    /// The settings' version.
    pub version: i64,
    /// When it was compiled.
    pub made_at: Timestamp,
    /// Until when it can be used: guesses about pauses run out.
    pub good_until: Timestamp,
    book: Book,
    numbers: Vec<i64>,
    ids: Vec<String>,
    names: Vec<String>,
    positions: HashMap<i64, u32>,
    carriers: Vec<String>,
}

/// A line that is wanted: so much, and where it lies and will lie.
#[derive(Debug, Clone, Default)]
pub struct WantedLine {
    pub quantity: Quantity,
    /// By place; nothing for goods that are not counted.
    pub available: Option<Vec<(i64, Quantity)>>,
    /// By place, with the moments when it is expected and when it is there at the latest.
    pub incoming: Vec<(i64, Quantity, Timestamp, Timestamp)>,
}

impl WantedLine {
    /// So much of a variant, with what places that serve a channel can still give, and what is on order for them as far as it may be
    /// sold before it is there; goods that are not counted are everywhere.
    pub fn new(
        tracked: bool,
        stock: Option<&VariantStock>,
        quantity: Quantity,
        ahead: Option<&Ahead>,
        (channel, now): (&Channel, Timestamp),
    ) -> Self {
        let lies = |stock: &VariantStock| {
            let at = |p: &Position| (p.location_no, availability::available(p, channel.buffer, now));
            availability::serving(stock, channel).map(at).collect()
        };
        let available = tracked.then(|| stock.map_or_else(Vec::new, lies));
        // A day of grace: suppliers are late more often than early.
        let coming = |s: &Supply| (s.location_no, s.free, s.expected_at, s.expected_at.plus(DAY_US));
        let ahead = ahead.filter(|_| tracked).into_iter().flat_map(|ahead| ahead.coming(now));
        let incoming = ahead.filter(|s| channel.serves(s.location_no)).map(coming).collect();
        WantedLine { quantity, available, incoming }
    }
}

/// What can be had.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// How it is chosen: `courier`, `pickup:lviv-1`.
    pub option: String,
    pub kind: WayKind,
    /// The place that the customer goes to.
    pub shop_no: Option<i64>,
    /// The place from which it comes.
    pub from_no: i64,
    /// Who carries.
    pub carrier: Option<String>,
    /// A way's id; none for pick-up.
    pub method: Option<String>,
    pub price_minor: i64,
    pub promise: Promise,
    /// In words.
    pub why: Vec<String>,
}

impl Desk {
    /// Makes the book of what holds from `now` on.
    pub fn compile(
        settings: Arc<Settings>,
        version: i64,
        places: &Places,
        alerts: &[Alert],
        now: Timestamp,
    ) -> Result<Self, DeskError> {
        let disruptions = disruptions(&settings, alerts);
        let policy = settings.alerts.policy();
        let mut good_until = now.micros() + GOOD_US;
        // A feed that falls silent is believed so long.
        for alert in alerts.iter().filter(|alert| alert.goes_on(now.micros(), &policy)) {
            good_until = good_until.min(alert.confirmed_us.max(alert.began_us) + policy.stale_us);
        }
        let mut ways = Ways::default();
        let (mut numbers, mut names, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
        let usual = PlaceSettings::default();
        for location in places.all().iter().filter(|location| location.kind.sells()) {
            let own = settings.places.get(&*location.id).unwrap_or(&usual);
            let zone = TimeZone::get(&location.time_zone).unwrap_or(TimeZone::UTC);
            let pointer = format!("/places/{}", location.id);
            let (work, counter): (Hours, Hours) = own.hours(&zone, &pointer)?;
            let about = about(location, &settings, zone);
            let pauses = disruptions.of(&about, now.micros(), DAYS, &policy);
            let guesses = pauses.iter().filter(|p| p.assumed && p.until_us > now.micros()).map(|p| p.until_us);
            good_until = guesses.fold(good_until, i64::min);
            let has_counter = !matches!(location.kind.as_str(), "warehouse" | "micro_fulfilment");
            ways.places.push(Place {
                id: location.id.to_string(),
                work,
                counter: has_counter.then_some(counter),
                pauses,
                prepare_us: i64::from(own.prepare_minutes.unwrap_or(PREPARE_MINUTES)) * MINUTE_US,
                per_hour: own.per_hour,
                down: location.state != LocationState::Open,
            });
            numbers.push(location.no);
            names.push(if location.name.is_empty() { location.id.to_string() } else { location.name.to_string() });
            kinds.push(location.kind.as_str());
        }
        for (at, carrier) in settings.carriers.iter().enumerate() {
            ways.carriers.push(carrier.carrier(&format!("/carriers/{at}"))?);
        }
        let van = ways.carriers.len() as u32;
        ways.carriers.push(self::van(&settings));
        for method in &settings.methods {
            let Some(carrier) = settings.carriers.iter().position(|c| c.id == method.carrier) else { continue };
            let senders = kinds.iter().enumerate().filter(|(_, kind)| method.from_kinds.iter().any(|k| k == *kind));
            for (from, _) in senders {
                for rate in &method.rates {
                    ways.ways.push(Way {
                        from: from as u32,
                        kind: method.kind.way(),
                        to: format!("{}|{}", method.id, rate.zone),
                        carrier: carrier as u32,
                        days: rate.days,
                        price_minor: rate.price_minor,
                    });
                }
            }
        }
        if settings.transfers.enabled {
            let gives = |kind: &str| settings.transfers.from_kinds.iter().any(|k| k == kind);
            let shops: Vec<usize> = (0..numbers.len()).filter(|at| ways.places[*at].counter.is_some()).collect();
            let givers: Vec<usize> = (0..numbers.len()).filter(|at| gives(kinds[*at])).collect();
            // Where everybody gives to everybody, only warehouses do: a network of hundreds of shops is asked in microseconds.
            let many = shops.len() * givers.len() > 20_000;
            for from in givers.into_iter().filter(|at| !many || ways.places[*at].counter.is_none()) {
                for shop in shops.iter().filter(|shop| **shop != from) {
                    ways.ways.push(Way {
                        from: from as u32,
                        kind: WayKind::Transfer,
                        to: ways.places[*shop].id.clone(),
                        carrier: van,
                        days: settings.transfers.days,
                        price_minor: 0,
                    });
                }
            }
        }
        let book = Book::compile(&ways, now.micros(), DAYS)?;
        let positions = numbers.iter().enumerate().map(|(at, no)| (*no, at as u32)).collect();
        let carriers = ways.carriers.iter().map(|c| c.id.clone()).collect();
        let ids = ways.places.iter().map(|place| place.id.clone()).collect();
        // At least a while: a guess that is nearly over is not worth a book a second.
        let good_until = Timestamp::from_micros(good_until.max(now.micros() + GOOD_LEAST_US));
        Ok(Self { settings, version, made_at: now, good_until, book, numbers, ids, names, positions, carriers })
    }

    /// A place's position in the book's [`Taken`].
    pub fn position(&self, location_no: i64) -> Option<u32> {
        self.positions.get(&location_no).copied()
    }

    /// All ways in which these lines can be had together, soonest first of each kind; ways by their settings, then shops.
    ///
    /// `zone` is where to; without it only shops are answered. `shop` is the one place that the customer asks about.
    pub fn offers(
        &self,
        lines: &[WantedLine],
        (zone, shop): (Option<&str>, Option<i64>),
        goods_minor: i64,
        taken: &Taken,
        now: Timestamp,
    ) -> Vec<Offer> {
        let everywhere = |line: &WantedLine| -> Vec<Available> {
            let whole = |quantity: Quantity| quantity.milli().div_euclid(1000);
            match &line.available {
                None => {
                    (0..self.numbers.len()).map(|at| Available { place: at as u32, quantity: i64::MAX / 4 }).collect()
                }
                Some(list) => {
                    let known = list.iter().filter_map(|(no, quantity)| Some((self.position(*no)?, whole(*quantity))));
                    known.map(|(place, quantity)| Available { place, quantity }).collect()
                }
            }
        };
        let incoming = |line: &WantedLine| -> Vec<Incoming> {
            let known = line.incoming.iter().filter_map(|(no, quantity, expected, latest)| {
                Some(Incoming {
                    place: self.position(*no)?,
                    quantity: quantity.milli().div_euclid(1000),
                    expected_us: expected.micros(),
                    latest_us: latest.micros(),
                    confidence: 800,
                })
            });
            known.collect()
        };
        let there: Vec<(Vec<Available>, Vec<Incoming>)> = lines.iter().map(|l| (everywhere(l), incoming(l))).collect();
        let demand: Vec<Demand<'_>> = lines
            .iter()
            .zip(&there)
            .map(|(line, (available, incoming))| Demand {
                // A part of a unit is a unit to whoever packs it.
                quantity: line.quantity.milli().div_euclid(1000)
                    + i64::from(line.quantity.milli().rem_euclid(1000) != 0),
                available,
                incoming,
            })
            .collect();
        let mut out = Vec::new();
        if let Some(zone) = zone {
            for method in &self.settings.methods {
                let Some(rate) = self.settings.rate(method, zone) else { continue };
                let key = format!("{}|{}", method.id, rate.zone);
                // No shop is asked about: one that cannot be.
                let request = Request { now_us: now.micros(), zone: Some(&key), shop: Some(u32::MAX), demand: &demand };
                let promise = self.book.promises(&request, taken).into_iter().find(|p| p.shop.is_none());
                if let Some(promise) = promise {
                    let price_minor = rate.price(goods_minor);
                    out.push(self.offer(method.id.clone(), Some(method.id.clone()), price_minor, promise));
                }
            }
        }
        let shop = match shop {
            Some(no) => match self.position(no) {
                Some(at) => Some(at),
                None => return out,
            },
            None => None,
        };
        let request = Request { now_us: now.micros(), zone: None, shop, demand: &demand };
        let mut seen = Vec::new();
        for promise in self.book.promises(&request, taken) {
            let Some(shop) = promise.shop.filter(|shop| !seen.contains(shop)) else { continue };
            seen.push(shop);
            out.push(self.offer(format!("pickup:{}", self.ids[shop as usize]), None, 0, promise));
        }
        out
    }

    fn offer(&self, option: String, method: Option<String>, price_minor: i64, promise: Promise) -> Offer {
        let name = |at: u32| self.names[at as usize].as_str();
        let why = promise.reasons.iter().map(|reason| sentence(reason, &name)).collect();
        Offer {
            option,
            kind: promise.kind,
            shop_no: promise.shop.map(|at| self.numbers[at as usize]),
            from_no: self.numbers[promise.from as usize],
            carrier: promise.carrier.map(|at| self.carriers[at as usize].clone()).filter(|id| id != VAN),
            method,
            price_minor,
            promise,
            why,
        }
    }
}

/// What gets in between, by the settings and the feed.
pub(crate) fn disruptions(settings: &Settings, alerts: &[Alert]) -> Disruptions {
    let us = |at: &Option<Timestamp>| at.map(|at| at.micros());
    Disruptions {
        alerts: alerts.to_vec(),
        blackouts: settings
            .blackouts
            .iter()
            .map(|b| Blackout { queue: b.queue.clone(), from_us: b.from.micros(), until_us: b.until.micros() })
            .collect(),
        curfews: settings
            .curfews
            .iter()
            .filter_map(|c| {
                let (from, until) = (minutes(&c.from)?, minutes(&c.until)?);
                Some(Curfew { territory: c.territory.clone(), from, until })
            })
            .collect(),
        closures: settings
            .closures
            .iter()
            .map(|c| Closure { territory: c.territory.clone(), from_us: c.from.micros(), until_us: us(&c.until) })
            .collect(),
        hands: settings
            .switched_off
            .iter()
            .map(|s| HandSwitch { place: s.location.clone(), from_us: s.from.micros(), until_us: us(&s.until) })
            .collect(),
    }
}

/// A reason in English.
fn sentence<'a>(reason: &Reason, name: &dyn Fn(u32) -> &'a str) -> String {
    let at = |us: i64| Timestamp::from_micros(us).to_string();
    match reason {
        Reason::OnShelf => "it is there".into(),
        Reason::BroughtFrom { place } => format!("it is brought from {}", name(*place)),
        Reason::OnOrder { expected_us } => format!("it is on order and expected at {}", at(*expected_us)),
        Reason::Closed { until_us } => format!("closed until {}", at(*until_us)),
        Reason::Paused { kind, until_us, assumed } => {
            let kind = match kind {
                crate::calendar::PauseKind::Hand => "switched off",
                crate::calendar::PauseKind::Closed => "the territory is closed",
                crate::calendar::PauseKind::Alert => "an air-raid alert",
                crate::calendar::PauseKind::Blackout => "no power",
                crate::calendar::PauseKind::Curfew => "curfew",
            };
            let about = if *assumed { "about " } else { "" };
            format!("{kind} until {about}{}", at(*until_us))
        }
        Reason::Busy { until_us } => format!("all hands are full until {}", at(*until_us)),
        Reason::MissedCutOff { next_us } => format!("the carrier leaves at {}", at(*next_us)),
        Reason::LastPiece => "it is the last piece there".into(),
        Reason::Parts { places } => format!("it comes in parts from {places} places"),
    }
}
