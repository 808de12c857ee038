//! Orders: the stage, which is stored, and the status that people see, which is derived.
use super::machine::{Machine, Row, row, words};
use super::payment::Sums;

words! {
    /// What an order is.
    Stage {
        /// A basket.
        Cart = "cart",
        /// Written by a colleague.
        Draft = "draft",
        /// Placed.
        Placed = "placed",
        /// Placed, and being changed; the old one holds until the change is settled.
        Editing = "editing",
        /// Nothing is left to do.
        Closed = "closed",
        /// Called off.
        Cancelled = "cancelled",
    }
}
words! {
    /// What is done with it.
    Action {
        /// Changes the basket.
        Change = "change",
        /// Orders.
        Place = "place",
        /// Begins to change an order.
        Edit = "edit",
        /// Puts the change into force.
        Settle = "settle",
        /// Throws the change away.
        Discard = "discard",
        /// Files it.
        Close = "close",
        /// A return or claim came after all.
        Reopen = "reopen",
        /// Calls it off.
        Cancel = "cancel",
    }
}
words! {
    /// What may have to hold.
    Guard {
        /// At least one line, of articles that exist.
        Lines = "it_has_lines",
        /// Somebody who can be reached.
        Customer = "the_customer_is_known",
        /// A way to get it.
        Delivery = "a_way_of_delivery_is_chosen",
        /// Stock is kept for every line, or it may wait.
        Stock = "stock_is_kept_for_every_line",
        /// Payment or agreement covers the total.
        Covered = "the_total_is_covered",
        /// No place works on what is changed.
        Free = "no_place_works_on_what_changes",
        /// The difference is paid or given back.
        Settled = "the_difference_is_settled",
        /// All pieces are at an end and money is settled.
        Done = "every_piece_and_payment_is_at_an_end",
        /// Every line is cancelled.
        AllCancelled = "every_line_is_cancelled",
        /// What was paid is given back or on its way back.
        Refunding = "what_was_paid_goes_back",
    }
}

use Action as A;
use Guard as G;
use Stage as S;

impl Machine for Stage {
    type Action = Action;
    type Guard = Guard;
    const NAME: &'static str = "order";
    const START: &'static [Self] = &[S::Cart, S::Draft];
    const TABLE: &'static [Row<S, A, G>] = &[
        row(S::Cart, A::Change, &[], S::Cart),
        row(S::Cart, A::Place, &[G::Lines, G::Customer, G::Delivery, G::Stock, G::Covered], S::Placed),
        row(S::Cart, A::Cancel, &[], S::Cancelled),
        row(S::Draft, A::Change, &[], S::Draft),
        row(S::Draft, A::Place, &[G::Lines, G::Customer, G::Delivery, G::Stock, G::Covered], S::Placed),
        row(S::Draft, A::Cancel, &[], S::Cancelled),
        row(S::Placed, A::Edit, &[G::Free], S::Editing),
        row(S::Placed, A::Close, &[G::Done], S::Closed),
        row(S::Placed, A::Cancel, &[G::AllCancelled, G::Refunding], S::Cancelled),
        row(S::Editing, A::Settle, &[G::Lines, G::Delivery, G::Stock, G::Settled], S::Placed),
        row(S::Editing, A::Discard, &[], S::Placed),
        row(S::Closed, A::Reopen, &[], S::Placed),
    ];

    fn is_end(self) -> bool {
        matches!(self, S::Closed | S::Cancelled)
    }
}

impl Stage {
    /// Whether it was called off.
    pub fn is_cancelled(self) -> bool {
        self == Stage::Cancelled
    }
}

/// Pieces of an order by where they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pieces {
    /// Ordered or allocated.
    pub waiting: i64,
    /// Parked.
    pub parked: i64,
    /// A place works on them.
    pub working: i64,
    /// On the way.
    pub sent: i64,
    /// With the customer.
    pub delivered: i64,
    /// Back.
    pub returned: i64,
    /// Lost.
    pub lost: i64,
    /// Cancelled.
    pub cancelled: i64,
}

words! {
    /// What people see.
    Status {
        /// A basket.
        Cart = "cart",
        /// A colleague's draft.
        Draft = "draft",
        /// Placed, and the money is not covered yet.
        AwaitingPayment = "awaiting_payment",
        /// Stopped by a person or a rule.
        OnHold = "on_hold",
        /// Nobody has some of it.
        Parked = "parked",
        /// Placed and covered.
        Confirmed = "confirmed",
        /// A place works on it.
        InProgress = "in_progress",
        /// Some of it left.
        PartlySent = "partly_sent",
        /// All of it left.
        Sent = "sent",
        /// The customer has some of it.
        PartlyDelivered = "partly_delivered",
        /// The customer has all of it.
        Delivered = "delivered",
        /// Some came back.
        PartlyReturned = "partly_returned",
        /// All came back.
        Returned = "returned",
        /// All was lost on the way.
        Lost = "lost",
        /// Called off.
        Cancelled = "cancelled",
    }
}

/// What of the payments people see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Paid {
    /// Nothing.
    No,
    /// Kept for us, or agreed at hand-over.
    Covered,
    /// Less than the total.
    Partly,
    /// All of it.
    Yes,
    /// Some was given back.
    PartlyRefunded,
    /// All was given back.
    Refunded,
}

/// What of the money people see, for what is due. Where something is left to pay, that is said, whatever went back before.
pub fn paid(sums: Sums, due: i64) -> Paid {
    let Sums { authorised, on_delivery, captured, refunded } = sums;
    let kept = captured - refunded;
    if kept < due {
        return match authorised.max(captured) - refunded + on_delivery {
            covered if covered >= due => Paid::Covered,
            _ if kept > 0 => Paid::Partly,
            _ => Paid::No,
        };
    }
    match refunded {
        0 => Paid::Yes,
        refunded if refunded >= captured => Paid::Refunded,
        _ => Paid::PartlyRefunded,
    }
}

/// What an order is called, from its parts: stage, money, pieces, and whether a hold is on it.
pub fn status(stage: Stage, paid: Paid, pieces: Pieces, held: bool) -> Status {
    match stage {
        Stage::Cart => return Status::Cart,
        Stage::Draft => return Status::Draft,
        Stage::Cancelled => return Status::Cancelled,
        Stage::Placed | Stage::Editing | Stage::Closed => {}
    }
    let Pieces { waiting, parked, working, sent, delivered, returned, lost, cancelled } = pieces;
    let inside = waiting + parked + working;
    let outside = sent + delivered + returned + lost;
    if inside + outside == 0 && cancelled > 0 {
        return Status::Cancelled;
    }
    if inside == 0 && sent == 0 {
        return match (delivered, returned) {
            (0, 0) => Status::Lost,
            (0, _) => Status::Returned,
            (_, 0) => Status::Delivered,
            _ => Status::PartlyReturned,
        };
    }
    if delivered + returned > 0 {
        return if returned > 0 && delivered == 0 { Status::PartlyReturned } else { Status::PartlyDelivered };
    }
    if held && working == 0 && inside > 0 {
        return Status::OnHold;
    }
    match (inside, outside) {
        (0, _) => Status::Sent,
        (_, 1..) => Status::PartlySent,
        _ if parked > 0 => Status::Parked,
        _ if working > 0 => Status::InProgress,
        _ if matches!(paid, Paid::No | Paid::Partly) => Status::AwaitingPayment,
        _ => Status::Confirmed,
    }
}
