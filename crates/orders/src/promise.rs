//! Promises: when a customer can have something, before ordering, for every way of getting it.
//!
//! [`Book::compile`] turns places, ways and calendars into sorted lists of moments, once, and again when a calendar or a
//! disruption changes; [`Book::promises`] answers a product page or a cart from it and from what is available now, in a few
//! searches a place. A promise is a range with a confidence and its reasons, never a bare date. [`Book::coverage`] says what a
//! zone can get at all, and [`gained`] what a new shop, locker or carrier adds (U5).
//!
//! Ways: pick-up in a shop from its own shelf, pick-up after a transfer from another point (M8), and whatever lanes bring into a
//! zone: courier to the door, a carrier's branch, a parcel locker. Stock on order (purchase orders) counts from when it comes.
//!
//! Deliberately absent: which place finally sends it ([`crate::sourcing`] minimises cost, a promise asks what is possible),
//! holds and reservations (`stock`), the words on the page.
mod book;
mod coverage;
mod model;

pub use book::{Book, BookError};
pub use coverage::{Coverage, Gain, gained};
pub use model::{Available, Demand, Incoming, Kept, Place, Promise, Reason, Request, Taken, Way, WayKind, Ways};

#[cfg(test)]
mod tests;
