//! What the business edits while it runs: carriers, zones, ways of delivery, hours of places, what gets in between, how orders are
//! sourced, confirmed and kept. One versioned document; without one there is a default that works.
use crate::calendar::{Carrier, Hours, HoursError, Span};
use crate::promise::WayKind;
use crate::reviews::ReviewSettings;
use crate::sourcing::{Rule, Weights};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Who carries parcels.
    pub carriers: Vec<CarrierSettings>,
    /// Parts of the country, told by words of the address; what no zone names is in `*`.
    pub zones: Vec<Zone>,
    /// Ways in which goods reach the customer's door, branch or locker.
    pub methods: Vec<Method>,
    /// Places by id; a place that is not named is open around the clock and prepares an order in half an hour.
    pub places: BTreeMap<String, PlaceSettings>,
    /// How a shop gets what it lacks for a customer who comes.
    pub transfers: TransferSettings,
    /// How the best place is chosen.
    pub sourcing: SourcingSettings,
    /// What happens to an order by itself.
    pub policy: Policy,
    /// Nights in which nobody may be outside.
    pub curfews: Vec<CurfewSettings>,
    /// Power cuts by queue.
    pub blackouts: Vec<BlackoutSettings>,
    /// Territories where nothing works.
    pub closures: Vec<ClosureSettings>,
    /// Points that somebody switched off.
    pub switched_off: Vec<SwitchedOff>,
    /// Where air-raid alerts are learned from; places name their territories.
    pub alerts: AlertSettings,
    /// Which reviews are shown unread, and which stand first.
    pub reviews: ReviewSettings,
}

/// A carrier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CarrierSettings {
    pub id: String,
    #[serde(default)]
    pub name: String,
    /// `HH:MM` until which a parcel goes on the same day.
    pub cut_off: String,
    /// Weekdays on which it comes for parcels, 1 for Monday; every day without it.
    #[serde(default = "all_days")]
    pub days: Vec<u8>,
    /// Weekdays on which customers get parcels.
    #[serde(default = "all_days")]
    pub delivers: Vec<u8>,
    /// `YYYY-MM-DD`.
    #[serde(default)]
    pub holidays: Vec<String>,
    /// `HH:MM` between which customers get parcels.
    #[serde(default = "day_window")]
    pub window: (String, String),
    /// Days that a parcel may come later.
    #[serde(default = "one")]
    pub late_days: u32,
    /// The shop's own couriers: in an alert or a power cut at the place from which they start they wait, and their windows move.
    #[serde(default)]
    pub own: bool,
}

fn all_days() -> Vec<u8> {
    (1..=7).collect()
}
fn day_window() -> (String, String) {
    ("09:00".into(), "20:00".into())
}
fn one() -> u32 {
    1
}

/// A part of the country.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    pub id: String,
    /// Words, any of which stands in an address of this zone: a city, the begin of a postcode.
    pub words: Vec<String>,
}

/// A way of delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Method {
    pub id: String,
    #[serde(default)]
    pub name: String,
    pub kind: MethodKind,
    /// A carrier's id.
    pub carrier: String,
    /// Kinds of places from which it goes.
    #[serde(default = "sending_kinds")]
    pub from_kinds: Vec<String>,
    /// By zone; of `*` and a zone by name the named one counts.
    pub rates: Vec<Rate>,
}

fn sending_kinds() -> Vec<String> {
    ["store", "warehouse", "micro_fulfilment", "partner"].map(String::from).to_vec()
}

/// Where a parcel is handed to the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MethodKind {
    Courier,
    Branch,
    Locker,
}

impl MethodKind {
    /// As promises name it.
    pub fn way(self) -> WayKind {
        match self {
            MethodKind::Courier => WayKind::Courier,
            MethodKind::Branch => WayKind::Branch,
            MethodKind::Locker => WayKind::Locker,
        }
    }
}

/// What a way costs into a zone, and how long it takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// A zone's id, or `*`.
    pub zone: String,
    /// What the customer pays, in minor units of the shop's currency.
    pub price_minor: i64,
    /// From this sum of goods on the customer pays nothing.
    #[serde(default)]
    pub free_from_minor: Option<i64>,
    /// What a parcel costs us before its weight.
    #[serde(default)]
    pub cost_minor: i64,
    /// What a kilogram costs us.
    #[serde(default)]
    pub cost_per_kg_minor: i64,
    /// Days of travel.
    pub days: u32,
    /// Grams of CO₂ of a parcel.
    #[serde(default)]
    pub co2_g: i64,
}

/// How a place works. Hours are weekdays (`1` for Monday) with `HH:MM-HH:MM` spans; a weekday that is not named is closed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlaceSettings {
    /// When people pick and pack; around the clock without it.
    pub work: Option<BTreeMap<u8, Vec<String>>>,
    /// When customers get in; as `work` without it.
    pub counter: Option<BTreeMap<u8, Vec<String>>>,
    /// Other hours on a date: `YYYY-MM-DD`; an empty list is closed.
    pub except: BTreeMap<String, Vec<String>>,
    /// Minutes of work from an order to a packed parcel; 30 without it.
    pub prepare_minutes: Option<u32>,
    /// Orders that can be prepared in an hour.
    pub per_hour: Option<u32>,
    /// Orders that it is asked for on a day.
    pub per_day: Option<i64>,
    /// What picking a piece costs.
    pub handling_minor: i64,
    /// What is lost when the last piece leaves the shelf.
    pub last_piece_minor: i64,
    /// Territories by the alert feed's uids, from the smallest to the largest.
    pub territories: Vec<String>,
    /// The queue of power cuts, as in `3.2`.
    pub queue: Option<String>,
    pub own_power: bool,
    pub works_in_alerts: bool,
}

/// How a shop gets what it lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TransferSettings {
    pub enabled: bool,
    /// Kinds of places that give.
    pub from_kinds: Vec<String>,
    /// `HH:MM` when the van leaves.
    pub cut_off: String,
    pub days: u32,
}

impl Default for TransferSettings {
    fn default() -> Self {
        let from_kinds = ["warehouse", "micro_fulfilment", "store"].map(String::from).to_vec();
        Self { enabled: true, from_kinds, cut_off: "16:00".into(), days: 1 }
    }
}

/// How the best place is chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SourcingSettings {
    /// Minor units for each parcel beyond the first.
    pub split_penalty_minor: i64,
    /// Minor units for each day beyond the promise.
    pub late_penalty_minor_per_day: i64,
    /// Minor units for a kilogram of CO₂.
    pub co2_minor_per_kg: i64,
    /// Whether what the last piece of a shelf is worth counts.
    pub last_piece: bool,
    /// In order; see [`crate::sourcing::Rule`].
    pub rules: Vec<Rule>,
}

impl Default for SourcingSettings {
    fn default() -> Self {
        Self {
            split_penalty_minor: 4_000,
            late_penalty_minor_per_day: 2_000,
            co2_minor_per_kg: 0,
            last_piece: true,
            rules: vec![],
        }
    }
}

impl SourcingSettings {
    /// As sourcing takes them.
    pub fn weights(&self) -> Weights {
        Weights { co2_minor_per_kg: self.co2_minor_per_kg, last_piece: self.last_piece }
    }
}

/// When places begin to work on an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Begin {
    /// As soon as it is placed and nothing stops it.
    #[default]
    Placed,
    /// Once it is paid, authorised, or payment at hand-over is agreed.
    Covered,
}

/// What happens to an order by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    pub begin: Begin,
    /// Whether the test provider takes payments: a shop that is open to the public turns it off.
    pub test_payments: bool,
    /// Whether a cart holds its goods, as long as its channel says.
    pub hold_carts: bool,
    /// Hours that a ready order waits for its customer.
    pub keep_hours: u32,
    /// Hours that goods wait to be tried on.
    pub try_on_hours: u32,
    /// Orders above this need a colleague unless they are paid or the customer is known; 0: none do.
    pub confirm_above_minor: i64,
    /// Parcels that a customer left unclaimed before their next order asks for a prepayment; 0: never.
    pub prepay_after_unclaimed: u32,
    /// The share of the total that is asked for then, in percent.
    pub prepay_percent: u32,
    /// Minutes that a place has to answer before the order is offered elsewhere; 0: it is never taken from it.
    pub answer_minutes: u32,
    /// Where goods of one legal entity are sold by another: the one that took the order buys them and sells them on. Else whoever
    /// owns them sells them to the customer.
    pub resale: bool,
    /// The place whose legal entity takes orders that are sent; of orders that are fetched it is where they are fetched.
    pub taker: Option<String>,
    /// What goes back where some of an order is called off or comes back: its share of the price, or what is left when the rest is
    /// priced again. It holds for orders from then on.
    pub refunds: loyalty::refunds::Policy,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            begin: Begin::Placed,
            test_payments: true,
            hold_carts: false,
            keep_hours: 72,
            try_on_hours: 24,
            confirm_above_minor: 0,
            prepay_after_unclaimed: 2,
            prepay_percent: 20,
            answer_minutes: 0,
            resale: false,
            taker: None,
            refunds: loyalty::refunds::Policy::Prorate,
        }
    }
}

/// A public feed of air-raid alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertFeed {
    /// Nobody is asked.
    #[default]
    Off,
    /// alerts.in.ua.
    AlertsInUa,
    /// ukrainealarm.com.
    UkraineAlarm,
}

/// Where alerts are learned from, and what is assumed of them. The feed's key is no setting: it is kept sealed by the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlertSettings {
    pub feed: AlertFeed,
    /// Another address of the same service, such as a proxy; the service's own without it.
    pub address: String,
    /// Seconds between two requests, from 10 to 600.
    pub every_seconds: u32,
    /// Minutes after the feed's last word on an alert until it counts as over, from 3 to 720.
    pub stale_minutes: u32,
    /// Minutes that an alert mostly lasts: what promises reckon with while one goes on, from 5 to 720.
    pub usual_minutes: u32,
    /// Minutes after an alert until work goes on, up to 120.
    pub resume_minutes: u32,
}

impl Default for AlertSettings {
    fn default() -> Self {
        let (stale_minutes, usual_minutes, resume_minutes) = (20, 60, 5);
        Self {
            feed: AlertFeed::Off,
            address: String::new(),
            every_seconds: 20,
            stale_minutes,
            usual_minutes,
            resume_minutes,
        }
    }
}

impl AlertSettings {
    /// What calendars assume.
    pub fn policy(&self) -> crate::calendar::Policy {
        let us = |minutes: u32| i64::from(minutes) * base::MINUTE_US;
        crate::calendar::Policy {
            stale_us: us(self.stale_minutes),
            alert_usual_us: us(self.usual_minutes),
            resume_us: us(self.resume_minutes),
            ..crate::calendar::Policy::default()
        }
    }
}

/// A curfew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurfewSettings {
    pub territory: String,
    pub from: String,
    pub until: String,
}

/// A power cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlackoutSettings {
    pub queue: String,
    pub from: base::Timestamp,
    pub until: base::Timestamp,
}

/// A territory where nothing works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosureSettings {
    pub territory: String,
    pub from: base::Timestamp,
    #[serde(default)]
    pub until: Option<base::Timestamp>,
}

/// A point that somebody switched off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwitchedOff {
    pub location: String,
    pub from: base::Timestamp,
    #[serde(default)]
    pub until: Option<base::Timestamp>,
    #[serde(default)]
    pub why: String,
}

/// Where no zone is named.
pub const ANYWHERE: &str = "*";

impl Default for Settings {
    fn default() -> Self {
        let carrier = CarrierSettings {
            id: "courier".into(),
            name: "Courier".into(),
            cut_off: "18:00".into(),
            days: all_days(),
            delivers: all_days(),
            holidays: vec![],
            window: day_window(),
            late_days: 1,
            own: false,
        };
        let rate = Rate {
            zone: ANYWHERE.into(),
            price_minor: 0,
            free_from_minor: None,
            cost_minor: 0,
            cost_per_kg_minor: 0,
            days: 2,
            co2_g: 0,
        };
        let method = Method {
            id: "courier".into(),
            name: "Courier".into(),
            kind: MethodKind::Courier,
            carrier: "courier".into(),
            from_kinds: sending_kinds(),
            rates: vec![rate],
        };
        Self {
            carriers: vec![carrier],
            zones: vec![],
            methods: vec![method],
            places: BTreeMap::new(),
            transfers: TransferSettings::default(),
            sourcing: SourcingSettings::default(),
            policy: Policy::default(),
            curfews: vec![],
            blackouts: vec![],
            closures: vec![],
            switched_off: vec![],
            alerts: AlertSettings::default(),
            reviews: ReviewSettings::default(),
        }
    }
}

/// Why settings cannot be used: where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {detail}")]
pub struct SettingsError {
    /// JSON Pointer.
    pub pointer: String,
    pub detail: String,
}

fn wrong(pointer: impl Into<String>, detail: impl Into<String>) -> SettingsError {
    SettingsError { pointer: pointer.into(), detail: detail.into() }
}

/// Minutes after midnight of `HH:MM`, up to `24:00`.
pub fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |t: &str| (t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit())).then(|| t.parse::<u16>().ok())?;
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let sum = hours * 60 + minutes;
    (minutes < 60 && sum <= 1440).then_some(sum)
}

fn spans(texts: &[String], pointer: &str) -> Result<Vec<Span>, SettingsError> {
    let one = |text: &String| {
        let read = || {
            let (from, until) = text.split_once('-')?;
            Some(Span { from: minutes(from)?, until: minutes(until)? })
        };
        read().ok_or_else(|| wrong(pointer, format!("{text:?} is no span such as \"09:00-20:00\"")))
    };
    texts.iter().map(one).collect()
}

fn weekly(days: &BTreeMap<u8, Vec<String>>, pointer: &str) -> Result<[Vec<Span>; 7], SettingsError> {
    let mut out: [Vec<Span>; 7] = Default::default();
    for (day, texts) in days {
        let slot = out.get_mut(usize::from(*day).wrapping_sub(1));
        let slot = slot.ok_or_else(|| wrong(pointer, "weekdays are 1 (Monday) to 7 (Sunday)"))?;
        *slot = spans(texts, &format!("{pointer}/{day}"))?;
    }
    Ok(out)
}

fn weekdays(days: &[u8], pointer: &str) -> Result<[bool; 7], SettingsError> {
    let mut out = [false; 7];
    for day in days {
        let slot = out.get_mut(usize::from(*day).wrapping_sub(1));
        *slot.ok_or_else(|| wrong(pointer, "weekdays are 1 (Monday) to 7 (Sunday)"))? = true;
    }
    Ok(out)
}

impl CarrierSettings {
    /// As promises take it.
    pub fn carrier(&self, pointer: &str) -> Result<Carrier, SettingsError> {
        let time = |text: &str, field: &str| {
            minutes(text)
                .ok_or_else(|| wrong(format!("{pointer}/{field}"), format!("{text:?} is no time such as \"18:00\"")))
        };
        let cut_off = time(&self.cut_off, "cut_off")?;
        let comes = weekdays(&self.days, &format!("{pointer}/days"))?;
        let holiday = |day: &String| {
            day.parse::<Date>().map_err(|_| wrong(format!("{pointer}/holidays"), format!("{day:?} is no date")))
        };
        let carrier = Carrier {
            id: self.id.clone(),
            cut_off: comes.map(|comes| comes.then_some(cut_off)),
            travels: [true; 7],
            delivers: weekdays(&self.delivers, &format!("{pointer}/delivers"))?,
            holidays: self.holidays.iter().map(holiday).collect::<Result<BTreeSet<_>, _>>()?,
            window: (time(&self.window.0, "window/0")?, time(&self.window.1, "window/1")?),
            late_days: self.late_days,
            own: self.own,
        };
        carrier.check().map_err(|e| wrong(pointer, e.to_string()))?;
        Ok(carrier)
    }
}

impl PlaceSettings {
    /// When people work, and when customers get in.
    pub fn hours(&self, zone: &TimeZone, pointer: &str) -> Result<(Hours, Hours), SettingsError> {
        let make = |days: Option<&BTreeMap<u8, Vec<String>>>, field: &str| {
            let pointer = format!("{pointer}/{field}");
            let refused = |e: HoursError| wrong(&pointer, e.to_string());
            let mut hours = match days {
                Some(days) => Hours::new(zone.clone(), weekly(days, &pointer)?).map_err(refused)?,
                None => Hours::always(zone.clone()),
            };
            for (day, texts) in &self.except {
                let date =
                    day.parse().map_err(|_| wrong(format!("{pointer}/except"), format!("{day:?} is no date")))?;
                hours.except(date, spans(texts, &pointer)?).map_err(refused)?;
            }
            Ok(hours)
        };
        let work = make(self.work.as_ref(), "work")?;
        let counter = make(self.counter.as_ref().or(self.work.as_ref()), "counter")?;
        Ok((work, counter))
    }
}

impl Settings {
    /// Refuses what could not be worked with, naming the place.
    pub fn check(&self) -> Result<(), SettingsError> {
        const LIST_MAX: usize = 1_000;
        let carriers = unique(self.carriers.iter().map(|c| c.id.as_str()), "/carriers")?;
        for (at, carrier) in self.carriers.iter().enumerate() {
            carrier.carrier(&format!("/carriers/{at}"))?;
        }
        let zones = unique(self.zones.iter().map(|z| z.id.as_str()), "/zones")?;
        if zones.contains(ANYWHERE) {
            return Err(wrong("/zones", "* stands for every other address and cannot be a zone of its own"));
        }
        unique(self.methods.iter().map(|m| m.id.as_str()), "/methods")?;
        for (at, method) in self.methods.iter().enumerate() {
            let pointer = format!("/methods/{at}");
            if method.id.contains([':', '|']) {
                return Err(wrong(format!("{pointer}/id"), "an id has no : and no |"));
            }
            if !carriers.contains(method.carrier.as_str()) {
                return Err(wrong(format!("{pointer}/carrier"), format!("there is no carrier {:?}", method.carrier)));
            }
            unique(method.rates.iter().map(|r| r.zone.as_str()), &format!("{pointer}/rates"))?;
            for (rate_at, rate) in method.rates.iter().enumerate() {
                let pointer = format!("{pointer}/rates/{rate_at}");
                if rate.zone != ANYWHERE && !zones.contains(rate.zone.as_str()) {
                    return Err(wrong(format!("{pointer}/zone"), format!("there is no zone {:?}", rate.zone)));
                }
                let sums = [rate.price_minor, rate.cost_minor, rate.cost_per_kg_minor, rate.co2_g];
                if sums.iter().any(|sum| !(0..=1_000_000_000).contains(sum)) || rate.days > 90 {
                    return Err(wrong(pointer, "sums are from 0 to 1,000,000,000 minor units, days up to 90"));
                }
            }
        }
        for (id, place) in &self.places {
            place.hours(&TimeZone::UTC, &format!("/places/{id}"))?;
        }
        if minutes(&self.transfers.cut_off).is_none_or(|m| m >= 1440) {
            return Err(wrong("/transfers/cut_off", "is no time such as \"16:00\""));
        }
        for (at, curfew) in self.curfews.iter().enumerate() {
            if minutes(&curfew.from).is_none() || minutes(&curfew.until).is_none() {
                return Err(wrong(format!("/curfews/{at}"), "from and until are times such as \"23:00\""));
            }
        }
        let policy = &self.policy;
        if !(1..=24 * 60).contains(&policy.keep_hours) || !(1..=7 * 24).contains(&policy.try_on_hours) {
            return Err(wrong("/policy", "goods are kept from 1 hour to 60 days, for trying on to a week"));
        }
        if policy.prepay_percent > 100 {
            return Err(wrong("/policy/prepay_percent", "from 0 to 100"));
        }
        let alerts = &self.alerts;
        let within = [
            ("every_seconds", alerts.every_seconds, 10..=600),
            ("stale_minutes", alerts.stale_minutes, 3..=720),
            ("usual_minutes", alerts.usual_minutes, 5..=720),
            ("resume_minutes", alerts.resume_minutes, 0..=120),
        ];
        for (field, value, range) in within {
            if !range.contains(&value) {
                let detail = format!("from {} to {}", range.start(), range.end());
                return Err(wrong(format!("/alerts/{field}"), detail));
            }
        }
        for (field, stars) in [("publish_from", self.reviews.publish_from), ("negative_to", self.reviews.negative_to)] {
            if stars > 5 {
                return Err(wrong(format!("/reviews/{field}"), "0 to 5 stars"));
            }
        }
        if alerts.address.len() > 500 || alerts.address.contains(|c: char| c.is_control() || c == ' ') {
            return Err(wrong("/alerts/address", "an address has at most 500 bytes and no blanks"));
        }
        let lists = [self.carriers.len(), self.zones.len(), self.methods.len(), self.sourcing.rules.len()];
        if lists.iter().any(|len| *len > LIST_MAX) {
            return Err(wrong("", format!("no list has more than {LIST_MAX} entries")));
        }
        Ok(())
    }

    /// The zone of an address: the first that has a word standing in it, else `*`.
    pub fn zone_of(&self, address: &str) -> &str {
        let address = address.to_lowercase();
        let has = |word: &String| {
            let word = word.to_lowercase();
            !word.is_empty()
                && address
                    .match_indices(&word)
                    .any(|(at, _)| address[..at].chars().next_back().is_none_or(|before| !before.is_alphanumeric()))
        };
        self.zones.iter().find(|zone| zone.words.iter().any(has)).map_or(ANYWHERE, |zone| &zone.id)
    }

    /// What a way costs into a zone; `None` where it does not go.
    pub fn rate<'a>(&'a self, method: &'a Method, zone: &str) -> Option<&'a Rate> {
        let named = method.rates.iter().find(|rate| rate.zone == zone);
        named.or_else(|| method.rates.iter().find(|rate| rate.zone == ANYWHERE))
    }

    /// A way by its id.
    pub fn method(&self, id: &str) -> Option<&Method> {
        self.methods.iter().find(|method| method.id == id)
    }
}

impl Rate {
    /// What the customer pays for goods of this sum.
    pub fn price(&self, goods_minor: i64) -> i64 {
        if self.free_from_minor.is_some_and(|from| goods_minor >= from) { 0 } else { self.price_minor }
    }
}

fn unique<'a>(ids: impl Iterator<Item = &'a str>, pointer: &str) -> Result<BTreeSet<&'a str>, SettingsError> {
    let mut out = BTreeSet::new();
    for id in ids {
        if id.is_empty() || id.len() > 64 {
            return Err(wrong(pointer, "an id has 1 to 64 bytes"));
        }
        if !out.insert(id) {
            return Err(wrong(pointer, format!("{id:?} stands there twice")));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shop_begins_with_can_be_used() {
        Settings::default().check().expect("it can");
        let text = serde_json::to_string(&Settings::default()).expect("it serializes");
        assert_eq!(serde_json::from_str::<Settings>(&text).expect("it is read"), Settings::default());
    }

    #[test]
    fn addresses_have_zones_by_words() {
        let zone =
            |id: &str, words: &[&str]| Zone { id: id.into(), words: words.iter().map(|w| w.to_string()).collect() };
        let settings = Settings {
            zones: vec![zone("lviv", &["Львів", "79"]), zone("kyiv", &["Київ"])],
            ..Settings::default()
        };
        assert_eq!(settings.zone_of("м. Львів, пл. Ринок 1"), "lviv");
        assert_eq!(settings.zone_of("79000, пл. Ринок 1"), "lviv");
        assert_eq!(settings.zone_of("КИЇВ, Хрещатик 1"), "kyiv");
        assert_eq!(settings.zone_of("Одеса, 1797"), ANYWHERE, "the begin of a word counts, not its middle");
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_its_place() {
        let refused = |change: fn(&mut Settings)| {
            let mut settings = Settings::default();
            change(&mut settings);
            settings.check().expect_err("it is refused").pointer
        };
        assert_eq!(refused(|s| s.methods[0].carrier = "nobody".into()), "/methods/0/carrier");
        assert_eq!(refused(|s| s.carriers[0].cut_off = "25:00".into()), "/carriers/0/cut_off");
        assert_eq!(refused(|s| s.methods[0].rates[0].zone = "moon".into()), "/methods/0/rates/0/zone");
        assert_eq!(refused(|s| s.carriers[0].days = vec![]), "/carriers/0");
        let night = |s: &mut Settings| {
            let hours = BTreeMap::from([(1, vec!["20:00-08:00".to_string()])]);
            s.places.insert("x".into(), PlaceSettings { work: Some(hours), ..PlaceSettings::default() });
        };
        assert_eq!(refused(night), "/places/x/work");
    }

    #[test]
    fn delivery_is_free_from_a_sum_on() {
        let settings = Settings::default();
        let rate = Rate { price_minor: 9_000, free_from_minor: Some(100_000), ..settings.methods[0].rates[0].clone() };
        assert_eq!((rate.price(99_999), rate.price(100_000)), (9_000, 0));
    }
}
