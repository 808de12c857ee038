//! Payments and refunds. What was paid stays paid: sums only grow, and no step leads back.
use super::machine::{Machine, Row, row, words};

words! {
    /// Where a payment is.
    Payment {
        /// Begun.
        Created = "created",
        /// The money is kept for us.
        Authorised = "authorised",
        /// To be paid when the goods are handed over.
        OnDelivery = "on_delivery",
        /// We have it.
        Captured = "captured",
        /// We have it and gave some back.
        PartlyRefunded = "partly_refunded",
        /// We gave all of it back.
        Refunded = "refunded",
        /// The other side said no.
        Declined = "declined",
        /// It came to nothing.
        Failed = "failed",
        /// It was called off.
        Cancelled = "cancelled",
    }
}
words! {
    /// What happens to it.
    Action {
        /// The provider keeps the money.
        Authorise = "authorise",
        /// It is agreed to pay at hand-over.
        AgreeOnDelivery = "agree_on_delivery",
        /// The money is taken, or cash is collected.
        Capture = "capture",
        /// The provider says no.
        Decline = "decline",
        /// Something broke.
        Fail = "fail",
        /// It is called off.
        Cancel = "cancel",
        /// Money goes back.
        Refund = "refund",
    }
}
words! {
    /// What may have to hold.
    Guard {
        /// Not more than is kept.
        Covered = "not_more_than_is_authorised",
        /// Captured minus refunded is not less.
        Left = "so_much_is_left",
        /// Nothing is left after it.
        All = "nothing_is_left_after_it",
    }
}

impl Payment {
    /// Whether the money came, whatever happened to it later.
    pub fn was_paid(self) -> bool {
        matches!(self, Payment::Captured | Payment::PartlyRefunded | Payment::Refunded)
    }
}

use Action as A;
use Guard as G;
use Payment as S;

impl Machine for Payment {
    type Action = Action;
    type Guard = Guard;
    const NAME: &'static str = "payment";
    const START: &'static [Self] = &[S::Created];
    const TABLE: &'static [Row<S, A, G>] = &[
        row(S::Created, A::Authorise, &[], S::Authorised),
        row(S::Created, A::AgreeOnDelivery, &[], S::OnDelivery),
        row(S::Created, A::Capture, &[], S::Captured),
        row(S::Created, A::Decline, &[], S::Declined),
        row(S::Created, A::Fail, &[], S::Failed),
        row(S::Created, A::Cancel, &[], S::Cancelled),
        row(S::Authorised, A::Capture, &[G::Covered], S::Captured),
        row(S::Authorised, A::Fail, &[], S::Failed),
        row(S::Authorised, A::Cancel, &[], S::Cancelled),
        row(S::OnDelivery, A::Capture, &[], S::Captured),
        row(S::OnDelivery, A::Fail, &[], S::Failed),
        row(S::OnDelivery, A::Cancel, &[], S::Cancelled),
        row(S::Captured, A::Refund, &[G::Left, G::All], S::Refunded),
        row(S::Captured, A::Refund, &[G::Left], S::PartlyRefunded),
        row(S::PartlyRefunded, A::Refund, &[G::Left, G::All], S::Refunded),
        row(S::PartlyRefunded, A::Refund, &[G::Left], S::PartlyRefunded),
    ];

    fn is_end(self) -> bool {
        matches!(self, S::Captured | S::PartlyRefunded | S::Refunded | S::Declined | S::Failed | S::Cancelled)
    }
}

/// All money of an order, in minor units of its currency. Each only grows; merging two views takes the greater of each, so
/// that the order of messages decides nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Kept for us, captured or not.
    pub authorised: i64,
    /// Promised at hand-over.
    pub on_delivery: i64,
    /// Taken.
    pub captured: i64,
    /// Given back.
    pub refunded: i64,
}

impl Sums {
    /// What both views together know.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self {
            authorised: self.authorised.max(other.authorised),
            on_delivery: self.on_delivery.max(other.on_delivery),
            captured: self.captured.max(other.captured),
            refunded: self.refunded.max(other.refunded),
        }
    }
    /// What may still be given back.
    pub fn refundable(self) -> i64 {
        (self.captured - self.refunded).max(0)
    }
}

/// Refunds.
pub mod refund {
    use super::super::machine::{Machine, Row, row, words};

    words! {
        /// Where a refund is.
        Refund {
            /// Asked of the provider.
            Pending = "pending",
            /// The provider could not.
            Failed = "failed",
            /// The money is back.
            Settled = "settled",
            /// Given as store credit instead.
            Credited = "credited",
        }
    }
    words! {
        /// What happens to it.
        Action {
            /// The provider says that it is done.
            Settle = "settle",
            /// The provider says that it cannot.
            Fail = "fail",
            /// Asks again.
            Retry = "retry",
            /// Gives it as store credit.
            Credit = "credit",
        }
    }
    words! {
        /// What may have to hold.
        Guard {
            /// The customer takes store credit.
            Agreed = "the_customer_agreed",
        }
    }

    impl Machine for Refund {
        type Action = Action;
        type Guard = Guard;
        const NAME: &'static str = "refund";
        const START: &'static [Self] = &[Refund::Pending];
        const TABLE: &'static [Row<Refund, Action, Guard>] = &[
            row(Refund::Pending, Action::Settle, &[], Refund::Settled),
            row(Refund::Pending, Action::Fail, &[], Refund::Failed),
            row(Refund::Failed, Action::Retry, &[], Refund::Pending),
            // The provider may find out later that it did work.
            row(Refund::Failed, Action::Settle, &[], Refund::Settled),
            row(Refund::Failed, Action::Credit, &[Guard::Agreed], Refund::Credited),
        ];
    }
}
