//! Pieces of an order line that share their fate; a line whose pieces differ is several of these.
use super::machine::{Machine, Row, row, words};

words! {
    /// Where pieces of a line are.
    Line {
        /// Ordered, and nothing keeps them yet.
        Ordered = "ordered",
        /// Nobody has them: a person looks, or they wait for a purchase order.
        Parked = "parked",
        /// Stock is kept for them.
        Allocated = "allocated",
        /// A place was told to pick them; a change needs its agreement.
        Released = "released",
        /// On the way, or laid out in the shop.
        Sent = "sent",
        /// The customer has them.
        Delivered = "delivered",
        /// They came back.
        Returned = "returned",
        /// Lost on the way.
        Lost = "lost",
        /// Not wanted any more.
        Cancelled = "cancelled",
    }
}
words! {
    /// What is done with them.
    Action {
        /// Keeps stock.
        Allocate = "allocate",
        /// Sets them aside with a reason.
        Park = "park",
        /// Gives them to another place.
        Resource = "resource",
        /// Tells the place to pick.
        Release = "release",
        /// The place cannot find them.
        Short = "short",
        /// They leave.
        Send = "send",
        /// The customer gets them.
        HandOver = "hand_over",
        /// Nobody took them.
        BringBack = "bring_back",
        /// They never arrived.
        Lose = "lose",
        /// The customer gives them back.
        Return = "return",
        /// They are not wanted.
        Cancel = "cancel",
    }
}
words! {
    /// What may have to hold.
    Guard {
        /// Stock is kept in the same transaction.
        Stock = "stock_is_kept_for_it",
        /// The place agreed to let go.
        Agreed = "the_place_agreed",
        /// Received and graded at a place.
        Received = "it_was_received",
    }
}

use Action as A;
use Guard as G;
use Line as S;

impl Machine for Line {
    type Action = Action;
    type Guard = Guard;
    const NAME: &'static str = "line";
    const START: &'static [Self] = &[S::Ordered];
    const TABLE: &'static [Row<S, A, G>] = &[
        row(S::Ordered, A::Allocate, &[G::Stock], S::Allocated),
        row(S::Ordered, A::Park, &[], S::Parked),
        row(S::Ordered, A::Cancel, &[], S::Cancelled),
        row(S::Parked, A::Allocate, &[G::Stock], S::Allocated),
        row(S::Parked, A::Cancel, &[], S::Cancelled),
        row(S::Allocated, A::Resource, &[G::Stock], S::Allocated),
        row(S::Allocated, A::Release, &[], S::Released),
        row(S::Allocated, A::Park, &[], S::Parked),
        row(S::Allocated, A::Cancel, &[], S::Cancelled),
        row(S::Released, A::Short, &[], S::Ordered),
        row(S::Released, A::Resource, &[G::Agreed, G::Stock], S::Allocated),
        row(S::Released, A::Send, &[], S::Sent),
        row(S::Released, A::HandOver, &[], S::Delivered),
        row(S::Released, A::Cancel, &[G::Agreed], S::Cancelled),
        row(S::Sent, A::HandOver, &[], S::Delivered),
        row(S::Sent, A::BringBack, &[G::Received], S::Returned),
        row(S::Sent, A::Lose, &[], S::Lost),
        row(S::Delivered, A::Return, &[G::Received], S::Returned),
        // A life may end here; it may also go on, for as long as returns are taken.
    ];

    fn is_end(self) -> bool {
        matches!(self, S::Delivered | S::Returned | S::Lost | S::Cancelled)
    }
}
