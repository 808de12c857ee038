//! Hourly totals of the shop: events, orders and revenue by the hour in which they happened.
use base::{HOUR_US, Timestamp};
use db::tx::Memory;
use db::{DbError, Engine};
use hashbrown::HashMap;

/// What one hour holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hour {
    pub events: i64,
    pub orders: i64,
    /// Completed less refunded, in minor units of the shop's currency.
    pub revenue_minor: i64,
}

/// What the running group adds.
#[derive(Debug, Default)]
pub struct Hours(HashMap<i64, Hour>);

impl Memory for Hours {
    fn load(_: &mut Engine) -> Result<Self, DbError> {
        Ok(Self::default())
    }
    fn commit(&mut self) {
        self.0.clear();
    }
    fn rollback(&mut self) {
        self.0.clear();
    }
    fn before_commit(&mut self, db: &mut Engine) -> Result<(), DbError> {
        let mut hours: Vec<(&i64, &Hour)> = self.0.iter().collect();
        hours.sort_unstable_by_key(|(hour, _)| **hour);
        for (hour, add) in hours {
            db.execute(
                "INSERT INTO hours (hour, events, orders, revenue_minor) VALUES ($1, $2, $3, $4) ON CONFLICT (hour) DO UPDATE SET \
                 events = hours.events + excluded.events, orders = hours.orders + excluded.orders, \
                 revenue_minor = hours.revenue_minor + excluded.revenue_minor",
                &[(*hour).into(), add.events.into(), add.orders.into(), add.revenue_minor.into()],
            )?;
        }
        Ok(())
    }
}

impl Hours {
    /// Moves an hour's orders and revenue: its events mean something else now.
    pub fn correct(&mut self, at: Timestamp, orders: i64, revenue_minor: i64) {
        if orders != 0 || revenue_minor != 0 {
            let hour = self.0.entry(at.micros().div_euclid(HOUR_US) * HOUR_US).or_default();
            hour.orders += orders;
            hour.revenue_minor += revenue_minor;
        }
    }
    /// Counts an event.
    pub fn add(&mut self, at: Timestamp, orders: i64, revenue_minor: i64) {
        let hour = self.0.entry(at.micros().div_euclid(HOUR_US) * HOUR_US).or_default();
        hour.events += 1;
        hour.orders += orders;
        hour.revenue_minor += revenue_minor;
    }
}

/// The hours from `from` on, oldest first; hours without events are left out.
pub fn since(db: &mut Engine, from: Timestamp) -> Result<Vec<(Timestamp, Hour)>, DbError> {
    let sql = "SELECT hour, events, orders, revenue_minor FROM hours WHERE hour >= $1 ORDER BY hour";
    db.rows(sql, &[from.micros().into()])?
        .iter()
        .map(|r| {
            let hour = Hour { events: r.int(1)?, orders: r.int(2)?, revenue_minor: r.int(3)? };
            Ok((Timestamp::from_micros(r.int(0)?), hour))
        })
        .collect()
}
