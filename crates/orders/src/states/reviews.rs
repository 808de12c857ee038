//! A review of a product: read by somebody, shown or not. It may be written anew and looked at anew as often as its writer likes.
use super::machine::{Machine, Row, row, words};

words! {
    /// Where a review is.
    Review {
        /// Somebody has to read it.
        Awaiting = "awaiting",
        /// Everybody sees it.
        Published = "published",
        /// Nobody does, and why is written down.
        Rejected = "rejected",
    }
}
words! {
    /// What is done with it.
    Action {
        /// Shows it.
        Publish = "publish",
        /// Hides it.
        Reject = "reject",
        /// The customer changed it.
        Rewrite = "rewrite",
    }
}
words! {
    /// What may have to hold.
    Guard {
        /// The shop shows reviews of so many stars without reading them first.
        Trusted = "it_is_shown_unread",
        /// A reason that the customer sees.
        Reason = "a_reason_is_given",
    }
}

use Action as A;
use Guard as G;
use Review as S;

impl Machine for Review {
    type Action = Action;
    type Guard = Guard;
    const NAME: &'static str = "review";
    const START: &'static [Self] = &[S::Awaiting, S::Published];
    const TABLE: &'static [Row<S, A, G>] = &[
        row(S::Awaiting, A::Publish, &[], S::Published),
        row(S::Awaiting, A::Reject, &[G::Reason], S::Rejected),
        row(S::Awaiting, A::Rewrite, &[G::Trusted], S::Published),
        row(S::Awaiting, A::Rewrite, &[], S::Awaiting),
        row(S::Published, A::Reject, &[G::Reason], S::Rejected),
        row(S::Published, A::Rewrite, &[G::Trusted], S::Published),
        row(S::Published, A::Rewrite, &[], S::Awaiting),
        row(S::Rejected, A::Publish, &[], S::Published),
        // What was rejected once is read before it is shown.
        row(S::Rejected, A::Rewrite, &[], S::Awaiting),
    ];
}
