//! A fulfilment order: lines of one order that one place shall serve.
//!
//! What was accepted by a place is not edited behind its back: it is asked to cancel. A piece that it cannot find makes it
//! incomplete, and the rest moves elsewhere.
use super::machine::{Machine, Row, row, words};

words! {
    /// Where a fulfilment order is.
    Fulfilment {
        /// May be asked of a place.
        Open = "open",
        /// Waits for its day.
        Scheduled = "scheduled",
        /// Must not go on.
        OnHold = "on_hold",
        /// A place works on it.
        InProgress = "in_progress",
        /// Cannot be completed as asked.
        Incomplete = "incomplete",
        /// Done, or nothing is left in it.
        Closed = "closed",
        /// Not wanted any more.
        Cancelled = "cancelled",
    }
}
words! {
    /// What is done with it.
    Action {
        /// Asks the place.
        Request = "request",
        /// The place takes it.
        Accept = "accept",
        /// The place declines.
        Reject = "reject",
        /// Defers it to a date.
        Schedule = "schedule",
        /// Stops it.
        Hold = "hold",
        /// Lets it go on.
        Release = "release",
        /// Gives what is left to another place.
        Move = "move",
        /// Makes two of it.
        Split = "split",
        /// Puts it into another one of the same place.
        Merge = "merge",
        /// Says how far it is.
        Report = "report",
        /// Says that something is missing.
        ReportShort = "report_short",
        /// Hands over or ships.
        Fulfil = "fulfil",
        /// Asks the place to stop.
        RequestCancel = "request_cancel",
        /// Ends it.
        Cancel = "cancel",
    }
}
words! {
    /// What may have to hold.
    Guard {
        /// Nobody was asked yet, or who was asked declined.
        NotAsked = "nobody_is_asked",
        /// The place was asked and has not answered.
        Asked = "the_place_is_asked",
        /// Its day has come.
        Due = "its_day_has_come",
        /// No other hold is left.
        LastHold = "no_other_hold_is_left",
        /// Another place can serve what is left.
        Another = "another_place_can_serve_it",
        /// Lines or pieces stay in both parts.
        BothKeep = "both_parts_keep_something",
        /// The other one is of the same place and open.
        SamePlace = "the_other_is_open_at_the_same_place",
        /// Every piece is handed over or shipped.
        All = "every_piece_is_handed_over",
        /// The place agreed to cancel.
        Agreed = "the_place_agreed",
        /// Nothing was handed over yet.
        NothingGone = "nothing_is_handed_over",
    }
}

use Action as A;
use Fulfilment as S;
use Guard as G;

impl Machine for Fulfilment {
    type Action = Action;
    type Guard = Guard;
    const NAME: &'static str = "fulfilment order";
    const START: &'static [Self] = &[S::Open, S::Scheduled];
    const TABLE: &'static [Row<S, A, G>] = &[
        row(S::Scheduled, A::Release, &[G::Due], S::Open),
        row(S::Scheduled, A::Schedule, &[], S::Scheduled),
        row(S::Scheduled, A::Hold, &[], S::OnHold),
        row(S::Scheduled, A::Move, &[G::Another], S::Scheduled),
        row(S::Scheduled, A::Split, &[G::BothKeep], S::Scheduled),
        row(S::Scheduled, A::Cancel, &[], S::Cancelled),
        row(S::Open, A::Request, &[G::NotAsked], S::Open),
        row(S::Open, A::Accept, &[G::Asked], S::InProgress),
        row(S::Open, A::Reject, &[G::Asked], S::Open),
        row(S::Open, A::Schedule, &[G::NotAsked], S::Scheduled),
        row(S::Open, A::Hold, &[], S::OnHold),
        row(S::Open, A::Move, &[G::Another], S::Open),
        row(S::Open, A::Split, &[G::BothKeep], S::Open),
        row(S::Open, A::Merge, &[G::SamePlace], S::Closed),
        row(S::Open, A::Cancel, &[], S::Cancelled),
        row(S::OnHold, A::Hold, &[], S::OnHold),
        row(S::OnHold, A::Release, &[G::LastHold], S::Open),
        row(S::OnHold, A::Move, &[G::Another], S::OnHold),
        row(S::OnHold, A::Cancel, &[], S::Cancelled),
        row(S::InProgress, A::Report, &[], S::InProgress),
        row(S::InProgress, A::ReportShort, &[], S::Incomplete),
        row(S::InProgress, A::Fulfil, &[G::All], S::Closed),
        row(S::InProgress, A::Fulfil, &[], S::InProgress),
        row(S::InProgress, A::RequestCancel, &[], S::InProgress),
        row(S::InProgress, A::Cancel, &[G::Agreed, G::NothingGone], S::Cancelled),
        row(S::InProgress, A::Hold, &[G::Agreed], S::OnHold),
        row(S::Incomplete, A::Report, &[], S::InProgress),
        row(S::Incomplete, A::Move, &[G::Another], S::Closed),
        row(S::Incomplete, A::Fulfil, &[G::All], S::Closed),
        row(S::Incomplete, A::Cancel, &[G::NothingGone], S::Cancelled),
        row(S::Incomplete, A::Cancel, &[], S::Closed),
    ];
}
