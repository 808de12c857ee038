//! What is done for a customer after the sale: warranty, repair, a word a few days later.
use super::machine::{Machine, Row, row, words};

words! {
    /// Where a case is.
    Case {
        /// Somebody asked, or it is due.
        Open = "open",
        /// We do it; the goods are with us where that is needed.
        Accepted = "accepted",
        /// It waits for a spare part, a supplier or an answer.
        Waiting = "waiting",
        /// Somebody works on it.
        InWork = "in_work",
        /// Done; the customer can be told, or can fetch it.
        Ready = "ready",
        /// Over, with an outcome.
        Closed = "closed",
        /// We do not do it, and said why.
        Refused = "refused",
        /// The customer does not want it any more.
        Cancelled = "cancelled",
    }
}
words! {
    /// What is done with it.
    Action {
        /// Takes it on.
        Accept = "accept",
        /// Waits for something.
        Wait = "wait",
        /// Works on it.
        Work = "work",
        /// Is done with the work.
        Finish = "finish",
        /// Ends it with an outcome.
        Close = "close",
        /// Says no.
        Refuse = "refuse",
        /// The customer calls it off.
        Cancel = "cancel",
    }
}
words! {
    /// What may have to hold.
    Guard {
        /// The guarantee covers it, or the customer agreed to pay.
        Covered = "it_is_covered_or_paid",
        /// What we lent is back.
        LoanBack = "what_was_lent_is_back",
        /// What came of it is written down.
        Outcome = "an_outcome_is_given",
        /// A reason that the customer sees.
        Reason = "a_reason_is_given",
    }
}

use Action as A;
use Case as S;
use Guard as G;

impl Machine for Case {
    type Action = Action;
    type Guard = Guard;
    const NAME: &'static str = "after_sale";
    const START: &'static [Self] = &[S::Open];
    const TABLE: &'static [Row<S, A, G>] = &[
        row(S::Open, A::Accept, &[G::Covered], S::Accepted),
        row(S::Open, A::Refuse, &[G::Reason], S::Refused),
        row(S::Open, A::Cancel, &[], S::Cancelled),
        // A call needs no work.
        row(S::Open, A::Close, &[G::Outcome, G::LoanBack], S::Closed),
        row(S::Accepted, A::Wait, &[], S::Waiting),
        row(S::Accepted, A::Work, &[], S::InWork),
        row(S::Accepted, A::Cancel, &[G::LoanBack], S::Cancelled),
        row(S::Waiting, A::Work, &[], S::InWork),
        row(S::Waiting, A::Cancel, &[G::LoanBack], S::Cancelled),
        row(S::InWork, A::Wait, &[], S::Waiting),
        row(S::InWork, A::Finish, &[], S::Ready),
        row(S::Ready, A::Work, &[], S::InWork),
        row(S::Ready, A::Close, &[G::Outcome, G::LoanBack], S::Closed),
    ];
}
