//! Standing facts of a profile: what it did, where, on what device, when, and what it brought.
//!
//! Like everything in [`crate::state`] a function of the *set* of events: counts add up, times are least and greatest,
//! lists keep the newest by (time, message id), and what is kept by period is dropped by the newest period that was ever
//! seen. [`recognise`] finds what an event adds before it reaches the writer; [`crate::derived`] says what it all means.
//!
//! Sparse: nothing is kept for what never happened. A profile of one visit takes about 60 bytes in its row.
mod codec;
pub mod codes;
mod recents;
pub mod recognise;

pub use codes::{Act, Channel, Device, Reason};
pub use recents::{CATEGORIES_MAX, PRODUCTS_MAX, Recent, Recents, Subject, tie};

use crate::model::Currency;
use base::{DAY_US, Timestamp};
use db::event::Event;

#[cfg(test)]
mod tests;

/// Days in a period of [`Tally`]: thirty days of UTC, counted from 1970.
pub const PERIOD_DAYS: i64 = 30;
/// Periods that are kept apart: the newest and the three before it. Older ones are one.
pub const PERIODS: u16 = 4;
/// Days of income and of the staff's time that are kept, counted back from the newest.
pub const DAYS_KEPT: i32 = 400;
/// Orders that are kept one by one.
pub const ORDERS_MAX: usize = 6;
/// Contact points that are remembered as lost.
pub const LOST_MAX: usize = 16;

/// How often something was done in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// 0 = before the periods that are kept apart.
    pub period: u16,
    pub act: u8,
    /// Channel and device, see [`place`].
    pub place: u8,
    pub count: u32,
}

impl Tally {
    fn key(&self) -> (u16, u8, u8) {
        (self.period, self.act, self.place)
    }
    /// Where it was done.
    pub fn channel(&self) -> Channel {
        Channel::from_code(self.place >> 3)
    }
    /// On what.
    pub fn device(&self) -> Device {
        Device::from_code(self.place & 7)
    }
}

/// Channel and device in one byte.
pub fn place(channel: u8, device: u8) -> u8 {
    channel << 3 | (device & 7)
}

/// The period that holds a moment.
pub fn period_of(at: Timestamp) -> u16 {
    at.micros().div_euclid(PERIOD_DAYS * DAY_US).clamp(0, i64::from(u16::MAX)) as u16
}

/// The day of UTC that holds a moment.
pub fn day_of(at: Timestamp) -> i32 {
    at.micros().div_euclid(DAY_US).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

/// First and last time at which the customer did something in a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub channel: u8,
    pub first: Timestamp,
    pub last: Timestamp,
}

/// Orders and returns in a channel, by currency; an order without a readable amount counts with 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sale {
    pub channel: u8,
    pub currency: Currency,
    pub orders: u32,
    pub revenue: i64,
    pub returns: u32,
    pub returned: i64,
}

/// What a day brought in a currency, returns taken off; minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    pub day: i32,
    pub currency: Currency,
    pub income: i64,
    pub orders: u32,
}

/// One of the newest orders.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Order {
    pub at: Timestamp,
    pub message_id: Box<str>,
    pub channel: u8,
    pub currency: Option<Currency>,
    pub minor: i64,
    pub order_id: Box<str>,
}

/// A contact point that was lost, by the newest event that said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    pub channel: u8,
    /// Empty when the event did not say which.
    pub address: Box<str>,
    pub at: Timestamp,
    pub message_id: Box<str>,
    pub reason: u8,
}

/// What most profiles never have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rare {
    pub first_order: Option<Timestamp>,
    /// By channel and currency.
    pub sales: Vec<Sale>,
    /// By day and currency.
    pub days: Vec<Day>,
    /// Seconds of the staff's time by day.
    pub served: Vec<(i32, u32)>,
    /// Oldest first.
    pub orders: Vec<Order>,
    /// By channel and address.
    pub lost: Vec<Lost>,
}

/// The standing facts of a profile or person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// By period, act and place.
    pub tallies: Vec<Tally>,
    /// Hour of the week in UTC (0 = Monday 00:00) plus 168 times the channel, and how often; stays at 65,535.
    pub hours: Vec<(u16, u16)>,
    /// By channel.
    pub spans: Vec<Span>,
    /// Products and categories looked at last.
    pub recents: Recents,
    pub rare: Option<Box<Rare>>,
}

/// Hours of a week.
pub const WEEK_HOURS: u16 = 168;

/// The hour of the week that holds a moment, in UTC; Monday midnight is 0.
pub fn hour_of_week(at: Timestamp) -> u16 {
    // 1970-01-01 was a Thursday.
    (at.micros().div_euclid(base::HOUR_US) + 72).rem_euclid(i64::from(WEEK_HOURS)) as u16
}

/// Adds an event.
pub fn fold(facts: &mut Facts, event: &Event) {
    let touch = &event.touch;
    if touch.act == 0 {
        return;
    }
    let at = event.timestamp;
    facts.count(period_of(at), touch.act, place(touch.channel, touch.device), 1);
    if touch.also != 0 {
        facts.count(period_of(at), touch.also, place(touch.channel, touch.device), 1);
    }
    let act = Act::from_code(touch.act);
    if act.is_own() {
        facts.see(Span { channel: touch.channel, first: at, last: at });
        facts.add_hour(u16::from(touch.channel) * WEEK_HOURS + hour_of_week(at), 1);
    }
    match act {
        Act::Viewed | Act::Reviewed => {
            let tie = tie(&event.message_id);
            if act == Act::Viewed
                && let Some(item) = &touch.item
            {
                facts.recents.insert(Subject::Product, at.micros(), tie, item);
            }
            if let Some(group) = &touch.group {
                facts.recents.insert(Subject::Category, at.micros(), tie, group);
            }
        }
        Act::Ordered | Act::Returned => fold_money(facts, event, act == Act::Ordered),
        _ => {}
    }
    if touch.seconds > 0 {
        let rare = facts.rare.get_or_insert_default();
        rare.serve(day_of(at), touch.seconds);
        rare.trim_served();
    }
    if let Some(loss) = &touch.lost {
        let lost = Lost {
            channel: touch.channel,
            address: loss.address.clone(),
            at,
            message_id: event.message_id.clone(),
            reason: loss.reason,
        };
        facts.rare.get_or_insert_default().lose(lost);
    }
}

fn fold_money(facts: &mut Facts, event: &Event, bought: bool) {
    let (touch, at) = (&event.touch, event.timestamp);
    let rare = facts.rare.get_or_insert_default();
    let amount = event.amount.as_ref().and_then(|a| Some((Currency::parse(&a.currency)?, a.minor)));
    let (currency, minor) = amount.unwrap_or((Currency::NONE, 0));
    let sale = Sale { channel: touch.channel, currency, orders: 0, revenue: 0, returns: 0, returned: 0 };
    rare.sell(if bought {
        Sale { orders: 1, revenue: minor, ..sale }
    } else {
        Sale { returns: 1, returned: minor, ..sale }
    });
    let income = if bought { minor } else { minor.wrapping_neg() };
    rare.earn(Day { day: day_of(at), currency, income, orders: u32::from(bought) });
    rare.trim_days();
    if bought {
        rare.first_order = crate::state::least(rare.first_order, Some(at));
        let order_id = touch.item.clone().unwrap_or_default();
        let currency = amount.map(|(c, _)| c);
        let message_id = event.message_id.clone();
        rare.remember(Order { at, message_id, channel: touch.channel, currency, minor, order_id });
    }
}

/// Adds what other events showed.
pub fn merge(into: &mut Facts, other: &Facts) {
    for tally in &other.tallies {
        // What is one already stays one: its events lie before the other side's periods, and so before the newest's.
        into.count(tally.period, tally.act, tally.place, tally.count);
    }
    other.hours.iter().for_each(|(slot, count)| into.add_hour(*slot, *count));
    other.spans.iter().for_each(|span| into.see(*span));
    other.recents.iter().for_each(|r| into.recents.insert(r.subject, r.at, r.tie, r.value));
    let Some(theirs) = &other.rare else { return };
    let rare = into.rare.get_or_insert_default();
    rare.first_order = crate::state::least(rare.first_order, theirs.first_order);
    theirs.sales.iter().for_each(|sale| rare.sell(*sale));
    theirs.days.iter().for_each(|day| rare.earn(*day));
    theirs.served.iter().for_each(|(day, seconds)| rare.serve(*day, *seconds));
    rare.trim_days();
    rare.trim_served();
    theirs.orders.iter().for_each(|order| rare.remember(order.clone()));
    theirs.lost.iter().for_each(|lost| rare.lose(lost.clone()));
}

impl Facts {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.tallies.is_empty() && self.rare.is_none()
    }
    /// Bytes in memory beside the row itself.
    pub fn weight(&self) -> usize {
        let lists = self.tallies.capacity() * size_of::<Tally>()
            + self.hours.capacity() * size_of::<(u16, u16)>()
            + self.spans.capacity() * size_of::<Span>()
            + self.recents.weight();
        let rare = self.rare.as_deref().map_or(0, |r| {
            let texts: usize = r.orders.iter().map(|o| o.message_id.len() + o.order_id.len()).sum();
            let lost: usize = r.lost.iter().map(|l| l.address.len() + l.message_id.len()).sum();
            size_of::<Rare>()
                + r.sales.capacity() * size_of::<Sale>()
                + r.days.capacity() * size_of::<Day>()
                + r.served.capacity() * 8
                + r.orders.capacity() * size_of::<Order>()
                + r.lost.capacity() * size_of::<Lost>()
                + texts
                + lost
        });
        lists + rare
    }
    /// The rare part, empty where there is none.
    pub fn rare(&self) -> &Rare {
        static NONE: Rare = Rare {
            first_order: None,
            sales: Vec::new(),
            days: Vec::new(),
            served: Vec::new(),
            orders: Vec::new(),
            lost: Vec::new(),
        };
        self.rare.as_deref().unwrap_or(&NONE)
    }

    fn count(&mut self, period: u16, act: u8, place: u8, count: u32) {
        let newest = self.tallies.last().map_or(0, |t| t.period);
        if period > newest && period >= PERIODS {
            self.close_before(period - PERIODS + 1);
        }
        // A period that is not kept apart any more adds to the one before all.
        let period = if newest >= PERIODS && period <= newest - PERIODS { 0 } else { period };
        self.add(Tally { period, act, place, count });
    }

    /// Makes all periods before `first` one.
    fn close_before(&mut self, first: u16) {
        let from = self.tallies.partition_point(|t| t.period == 0);
        let to = self.tallies.partition_point(|t| t.period < first);
        if from < to {
            let closed: Vec<Tally> = self.tallies.drain(from..to).collect();
            closed.into_iter().for_each(|t| self.add(Tally { period: 0, ..t }));
        }
    }

    fn add(&mut self, new: Tally) {
        match self.tallies.binary_search_by_key(&new.key(), Tally::key) {
            Ok(at) => self.tallies[at].count = self.tallies[at].count.wrapping_add(new.count),
            Err(at) => insert_exact(&mut self.tallies, at, new),
        }
    }

    fn add_hour(&mut self, slot: u16, count: u16) {
        match self.hours.binary_search_by_key(&slot, |(s, _)| *s) {
            Ok(at) => self.hours[at].1 = self.hours[at].1.saturating_add(count),
            Err(at) => insert_exact(&mut self.hours, at, (slot, count)),
        }
    }

    fn see(&mut self, span: Span) {
        match self.spans.binary_search_by_key(&span.channel, |s| s.channel) {
            Ok(at) => {
                let mine = &mut self.spans[at];
                mine.first = mine.first.min(span.first);
                mine.last = mine.last.max(span.last);
            }
            Err(at) => insert_exact(&mut self.spans, at, span),
        }
    }
}

/// Inserts with little room to spare: rows are held in memory by the hundred thousand.
fn insert_exact<T>(list: &mut Vec<T>, at: usize, new: T) {
    if list.len() == list.capacity() {
        list.reserve_exact(if list.len() < 4 { 1 } else { list.len() / 4 });
    }
    list.insert(at, new);
}

impl Rare {
    fn sell(&mut self, new: Sale) {
        match self.sales.binary_search_by_key(&(new.channel, new.currency), |s| (s.channel, s.currency)) {
            Ok(at) => {
                let sale = &mut self.sales[at];
                sale.orders = sale.orders.wrapping_add(new.orders);
                sale.revenue = sale.revenue.wrapping_add(new.revenue);
                sale.returns = sale.returns.wrapping_add(new.returns);
                sale.returned = sale.returned.wrapping_add(new.returned);
            }
            Err(at) => insert_exact(&mut self.sales, at, new),
        }
    }
    fn earn(&mut self, new: Day) {
        match self.days.binary_search_by_key(&(new.day, new.currency), |d| (d.day, d.currency)) {
            Ok(at) => {
                let day = &mut self.days[at];
                day.income = day.income.wrapping_add(new.income);
                day.orders = day.orders.wrapping_add(new.orders);
            }
            Err(at) => insert_exact(&mut self.days, at, new),
        }
    }
    fn trim_days(&mut self) {
        let Some(newest) = self.days.last().map(|d| d.day) else { return };
        let gone = self.days.partition_point(|d| d.day <= newest.saturating_sub(DAYS_KEPT));
        self.days.drain(..gone);
    }
    fn serve(&mut self, day: i32, seconds: u32) {
        match self.served.binary_search_by_key(&day, |(d, _)| *d) {
            Ok(at) => self.served[at].1 = self.served[at].1.saturating_add(seconds),
            Err(at) => insert_exact(&mut self.served, at, (day, seconds)),
        }
    }
    fn trim_served(&mut self) {
        let Some(newest) = self.served.last().map(|(day, _)| *day) else { return };
        let gone = self.served.partition_point(|(day, _)| *day <= newest.saturating_sub(DAYS_KEPT));
        self.served.drain(..gone);
    }
    fn remember(&mut self, order: Order) {
        let place = self.orders.partition_point(|held| *held < order);
        insert_exact(&mut self.orders, place, order);
        let over = self.orders.len().saturating_sub(ORDERS_MAX);
        self.orders.drain(..over);
    }
    fn lose(&mut self, new: Lost) {
        let rank = |l: &Lost| (l.at, l.message_id.clone(), l.reason);
        let key = (new.channel, &*new.address);
        match self.lost.binary_search_by(|l| (l.channel, &*l.address).cmp(&key)) {
            Ok(at) if rank(&new) > rank(&self.lost[at]) => self.lost[at] = new,
            Ok(_) => {}
            Err(at) => self.lost.insert(at, new),
        }
        if self.lost.len() > LOST_MAX
            && let Some(oldest) = (0..self.lost.len()).min_by_key(|at| (rank(&self.lost[*at]), *at))
        {
            self.lost.remove(oldest);
        }
    }
}
