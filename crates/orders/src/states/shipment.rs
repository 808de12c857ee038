//! Shipments: what we did with a parcel, and, apart from it, what the carrier says about it.
//!
//! The carrier's word is data. It moves neither money nor stock: a parcel is handed over when we say so, perhaps because of
//! what the carrier said.
use super::machine::{Machine, Row, row, words};

words! {
    /// What we did.
    Shipment {
        /// Not gone yet.
        Unfulfilled = "unfulfilled",
        /// Gone.
        Fulfilled = "fulfilled",
        /// The customer has it.
        Delivered = "delivered",
        /// It came back to us.
        BroughtBack = "brought_back",
        /// It never goes.
        Cancelled = "cancelled",
    }
}
words! {
    /// What is done with it.
    Action {
        /// Gives it to the carrier.
        Dispatch = "dispatch",
        /// Books it as with the customer.
        Deliver = "deliver",
        /// Takes it back in.
        TakeBack = "take_back",
        /// Calls it off.
        Cancel = "cancel",
    }
}
words! {
    /// What may have to hold.
    Guard {
        /// All its pieces are of one place.
        OnePlace = "all_pieces_are_of_one_place",
        /// It was counted at a place.
        Counted = "it_was_counted",
    }
}

impl Machine for Shipment {
    type Action = Action;
    type Guard = Guard;
    const NAME: &'static str = "shipment";
    const START: &'static [Self] = &[Shipment::Unfulfilled];
    const TABLE: &'static [Row<Shipment, Action, Guard>] = &[
        row(Shipment::Unfulfilled, Action::Dispatch, &[Guard::OnePlace], Shipment::Fulfilled),
        row(Shipment::Unfulfilled, Action::Deliver, &[Guard::OnePlace], Shipment::Delivered),
        row(Shipment::Unfulfilled, Action::Cancel, &[], Shipment::Cancelled),
        row(Shipment::Fulfilled, Action::Deliver, &[], Shipment::Delivered),
        row(Shipment::Fulfilled, Action::TakeBack, &[Guard::Counted], Shipment::BroughtBack),
    ];
}

words! {
    /// What a carrier says.
    Tracking {
        /// It knows of the parcel.
        Announced = "announced",
        /// It has it.
        InTransit = "in_transit",
        /// Waits in a branch or locker.
        AtPoint = "at_point",
        /// With a courier.
        OutForDelivery = "out_for_delivery",
        /// The customer was not there, or refused.
        Attempted = "attempted",
        /// Handed over.
        HandedOver = "handed_over",
        /// On its way back.
        Returning = "returning",
        /// Back with the sender.
        Returned = "returned",
        /// Lost or destroyed.
        Lost = "lost",
    }
}

/// One message of a carrier.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scan {
    /// When it happened, by the carrier.
    pub at_us: i64,
    /// Names it, so that a repeat changes nothing.
    pub id: String,
    /// What it says.
    pub says: Tracking,
}

/// What the one tracking number of an order says while its parcels are at different points: the least that has been reached by
/// all that are still coming. A parcel that is lost or went back is told only when no other is on its way.
pub fn together(parcels: impl IntoIterator<Item = Tracking>) -> Option<Tracking> {
    let coming = |t: &Tracking| match t {
        Tracking::Announced => 0,
        Tracking::InTransit => 1,
        Tracking::OutForDelivery => 2,
        Tracking::Attempted => 3,
        Tracking::AtPoint => 4,
        Tracking::HandedOver => 6,
        // Bad news waits behind what can still arrive, and stands before what has.
        Tracking::Lost | Tracking::Returning | Tracking::Returned => 5,
    };
    parcels.into_iter().min_by_key(|t| (coming(t), *t))
}

/// What a carrier says now: its message of the greatest (time, id), in whatever order they came.
pub fn tracking<'a>(scans: impl IntoIterator<Item = &'a Scan>) -> Option<Tracking> {
    scans.into_iter().max_by(|a, b| (a.at_us, &a.id).cmp(&(b.at_us, &b.id))).map(|scan| scan.says)
}
