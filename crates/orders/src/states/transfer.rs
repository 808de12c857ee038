//! Transfers between two places. What is on the way is nobody's until it is counted in; a difference has its reason.
use super::machine::{Machine, Row, row, words};

words! {
    /// Where a transfer is.
    Transfer {
        /// Being written.
        Draft = "draft",
        /// The source shall pick it.
        Ready = "ready",
        /// Gone from the source.
        InTransit = "in_transit",
        /// Some of it was counted in.
        PartlyReceived = "partly_received",
        /// Counted in; differences have their reasons.
        Received = "received",
        /// Called off; everything is back or written off.
        Cancelled = "cancelled",
    }
}
words! {
    /// What is done with it.
    Action {
        /// Gives it to the source.
        Request = "request",
        /// Changes its lines.
        Edit = "edit",
        /// It leaves the source.
        Send = "send",
        /// Counts goods in.
        Receive = "receive",
        /// Says what became of the rest.
        Settle = "settle",
        /// Calls it off.
        Cancel = "cancel",
    }
}
words! {
    /// What may have to hold.
    Guard {
        /// It has lines.
        Lines = "it_has_lines",
        /// The source has the goods.
        Stock = "the_source_has_the_goods",
        /// As much was counted as was sent.
        All = "all_that_was_sent_is_counted",
        /// Each difference has a reason: damaged, lost, counted wrong.
        Reasons = "each_difference_has_a_reason",
        /// It is said whether what is on the way goes back or is written off.
        Chosen = "it_goes_back_or_is_written_off",
    }
}

use Action as A;
use Guard as G;
use Transfer as S;

impl Machine for Transfer {
    type Action = Action;
    type Guard = Guard;
    const NAME: &'static str = "transfer";
    const START: &'static [Self] = &[S::Draft];
    const TABLE: &'static [Row<S, A, G>] = &[
        row(S::Draft, A::Edit, &[], S::Draft),
        row(S::Draft, A::Request, &[G::Lines], S::Ready),
        row(S::Draft, A::Cancel, &[], S::Cancelled),
        row(S::Ready, A::Edit, &[], S::Draft),
        row(S::Ready, A::Send, &[G::Stock], S::InTransit),
        row(S::Ready, A::Cancel, &[], S::Cancelled),
        row(S::InTransit, A::Receive, &[G::All], S::Received),
        row(S::InTransit, A::Receive, &[], S::PartlyReceived),
        row(S::InTransit, A::Cancel, &[G::Chosen], S::Cancelled),
        row(S::PartlyReceived, A::Receive, &[G::All], S::Received),
        row(S::PartlyReceived, A::Receive, &[], S::PartlyReceived),
        row(S::PartlyReceived, A::Settle, &[G::Reasons], S::Received),
    ];
}
