//! Calendars: when a place works, when a carrier comes, and what gets in between.
//!
//! [`Hours`] are opening hours by weekday with exceptions, in the place's own zone. [`Disruptions`] are air-raid alerts,
//! power cuts, curfews, closed territories and hand switches; [`Disruptions::of`] turns them into the [`Pause`]s of one place.
//! [`WorkTime`] is both together over a stretch of time: adding work to a moment, working time between two moments, the next
//! moment that is open. [`Carrier`] counts carriers' days; [`trip`] is a parcel's
//! way past the pauses of the place that it leaves.
//!
//! Invariants: more pauses never make anything earlier; on the days when clocks change, hours are as long as they really are; an
//! alert that nobody confirms any more ends by policy, so that a feed that is away stops nothing.
//!
//! Deliberately absent: feeds (`connect`), what is told to customers, storage.
mod carrier;
mod courier;
mod disruption;
mod hours;
mod reckon;
mod work;

pub use carrier::{Carrier, CarrierError};
pub use courier::{Trip, at_the_door, collects, trip};
pub use disruption::{Alert, Blackout, Closure, Curfew, Disruptions, HandSwitch, Pause, PauseKind, Place, Policy};
pub use hours::{Hours, HoursError, Span};
pub use reckon::{OPEN_END, Shift, lost_us, reckon};
pub use work::WorkTime;

#[cfg(test)]
mod tests;
