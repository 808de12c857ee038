//! Carriers' days: when they come for parcels, on which days they drive, and when they are at the door.
use super::hours::{moment, weekday};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

/// How a carrier counts days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carrier {
    /// Who.
    pub id: String,
    /// Minute of the day until which a parcel must be ready to go today, by weekday, Monday first; `None`: nobody comes.
    pub cut_off: [Option<u16>; 7],
    /// Days that count as days of travel.
    pub travels: [bool; 7],
    /// Days on which parcels are handed to customers.
    pub delivers: [bool; 7],
    /// Days on which nothing of this happens.
    pub holidays: BTreeSet<Date>,
    /// Minutes of the day between which customers get their parcels.
    pub window: (u16, u16),
    /// Working days that a parcel may come later than the lane says: the far end of a range.
    pub late_days: u32,
    /// Couriers of the shop's own: they start from the place, and wait when it stands still.
    pub own: bool,
}

/// Why a carrier cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CarrierError {
    /// It never comes.
    #[error("carrier {0} comes for parcels on no day")]
    NeverComes(String),
    /// It never delivers.
    #[error("carrier {0} travels or delivers on no day")]
    NeverDelivers(String),
    /// The window is not within a day.
    #[error("carrier {0} delivers until before it begins")]
    Window(String),
}

impl Carrier {
    /// One that comes at the same time on every day and delivers on every day from 9 to 20 o'clock.
    pub fn daily(id: impl Into<String>, cut_off: u16) -> Self {
        Self {
            id: id.into(),
            cut_off: [Some(cut_off); 7],
            travels: [true; 7],
            delivers: [true; 7],
            holidays: BTreeSet::new(),
            window: (9 * 60, 20 * 60),
            late_days: 1,
            own: false,
        }
    }
    /// Refuses one that would never arrive.
    pub fn check(&self) -> Result<(), CarrierError> {
        if self.cut_off.iter().all(Option::is_none) {
            return Err(CarrierError::NeverComes(self.id.clone()));
        }
        if !self.travels.contains(&true) || !self.delivers.contains(&true) {
            return Err(CarrierError::NeverDelivers(self.id.clone()));
        }
        if self.window.0 >= self.window.1 || self.window.1 > 1440 {
            return Err(CarrierError::Window(self.id.clone()));
        }
        Ok(())
    }
    /// The moment of a day until which a parcel goes on that day.
    pub fn leaves(&self, zone: &TimeZone, day: Date) -> Option<i64> {
        if self.holidays.contains(&day) {
            return None;
        }
        self.cut_off[weekday(day)].map(|minute| moment(zone, day, minute))
    }
    /// The day on which a parcel that left on `day` is delivered after so many days of travel: days on which the carrier does
    /// not travel do not count, and the last must be one on which it delivers.
    pub fn arrives(&self, day: Date, days: u32) -> Option<Date> {
        let mut at = day;
        let mut left = days;
        // A year and a half without a working day is not a calendar.
        for _ in 0..days.saturating_mul(7) + 550 {
            if left == 0 && self.delivers[weekday(at)] && !self.holidays.contains(&at) {
                return Some(at);
            }
            at = at.tomorrow().ok()?;
            if left > 0 && self.travels[weekday(at)] && !self.holidays.contains(&at) {
                left -= 1;
            }
        }
        None
    }
    /// The window of a day in a zone.
    pub fn window_of(&self, zone: &TimeZone, day: Date) -> (i64, i64) {
        (moment(zone, day, self.window.0), moment(zone, day, self.window.1))
    }
}
