//! What happens after the sale: returns, exchanges, claims.

/// Goods come back, money goes back.
pub mod goods {
    use super::super::machine::{Machine, Row, row, words};

    words! {
        /// Where a return is.
        Return {
            /// The customer asked.
            Requested = "requested",
            /// It may come.
            Approved = "approved",
            /// Some of it came.
            PartlyReceived = "partly_received",
            /// It is here, and graded.
            Received = "received",
            /// The money is back.
            Refunded = "refunded",
            /// It came to nothing.
            Cancelled = "cancelled",
        }
    }
    words! {
        /// What is done with it.
        Action {
            /// Says yes.
            Approve = "approve",
            /// Says no, with the reason.
            Deny = "deny",
            /// The customer keeps it after all.
            Cancel = "cancel",
            /// Takes goods in.
            Receive = "receive",
            /// Stops waiting for the rest.
            CloseShort = "close_short",
            /// Gives money back for what came.
            Refund = "refund",
        }
    }
    words! {
        /// What may have to hold.
        Guard {
            /// Within the time and not on the list of goods that are not taken back.
            Allowed = "it_may_be_returned",
            /// All that was asked for came.
            All = "all_of_it_came",
            /// Every piece that came is graded.
            Graded = "every_piece_is_graded",
            /// Refunds of the order stay within what was paid.
            Covered = "not_more_than_was_paid",
        }
    }

    use Action as A;
    use Guard as G;
    use Return as S;

    impl Machine for Return {
        type Action = Action;
        type Guard = Guard;
        const NAME: &'static str = "return";
        const START: &'static [Self] = &[S::Requested];
        const TABLE: &'static [Row<S, A, G>] = &[
            row(S::Requested, A::Approve, &[G::Allowed], S::Approved),
            row(S::Requested, A::Deny, &[], S::Cancelled),
            row(S::Requested, A::Cancel, &[], S::Cancelled),
            row(S::Approved, A::Cancel, &[], S::Cancelled),
            row(S::Approved, A::Receive, &[G::All, G::Graded], S::Received),
            row(S::Approved, A::Receive, &[], S::PartlyReceived),
            row(S::PartlyReceived, A::Receive, &[G::All, G::Graded], S::Received),
            row(S::PartlyReceived, A::Receive, &[], S::PartlyReceived),
            row(S::PartlyReceived, A::CloseShort, &[G::Graded], S::Received),
            row(S::Received, A::Refund, &[G::Covered], S::Refunded),
        ];
    }
}

/// Goods come back, others go out.
pub mod exchange {
    use super::super::machine::{Machine, Row, row, words};

    words! {
        /// Where an exchange is.
        Exchange {
            /// The customer asked.
            Requested = "requested",
            /// It may be done; the other goods are kept.
            Approved = "approved",
            /// The first goods are back.
            Received = "received",
            /// The customer has the others.
            Fulfilled = "fulfilled",
            /// It came to nothing.
            Cancelled = "cancelled",
        }
    }
    words! {
        /// What is done with it.
        Action {
            /// Says yes.
            Approve = "approve",
            /// Says no, or the customer does.
            Cancel = "cancel",
            /// Takes the first goods in.
            Receive = "receive",
            /// Hands the others over.
            Fulfil = "fulfil",
            /// Makes a return of it, because the others are not to be had.
            TurnIntoReturn = "turn_into_return",
        }
    }
    words! {
        /// What may have to hold.
        Guard {
            /// Stock of the others is kept.
            Stock = "stock_is_kept_for_it",
            /// What the others cost more is paid, or what they cost less is given back.
            Settled = "the_difference_is_settled",
        }
    }

    use Action as A;
    use Exchange as S;
    use Guard as G;

    impl Machine for Exchange {
        type Action = Action;
        type Guard = Guard;
        const NAME: &'static str = "exchange";
        const START: &'static [Self] = &[S::Requested];
        const TABLE: &'static [Row<S, A, G>] = &[
            row(S::Requested, A::Approve, &[G::Stock], S::Approved),
            row(S::Requested, A::Cancel, &[], S::Cancelled),
            row(S::Approved, A::Cancel, &[], S::Cancelled),
            row(S::Approved, A::Receive, &[], S::Received),
            row(S::Received, A::Fulfil, &[G::Settled], S::Fulfilled),
            row(S::Received, A::TurnIntoReturn, &[], S::Cancelled),
        ];
    }
}

/// Something was wrong with the goods; they need not come back.
pub mod claim {
    use super::super::machine::{Machine, Row, row, words};

    words! {
        /// Where a claim is.
        Claim {
            /// The customer complained.
            Open = "open",
            /// It is right.
            Approved = "approved",
            /// Refunded, replaced or both.
            Resolved = "resolved",
            /// It is not right.
            Denied = "denied",
            /// The customer took it back.
            Cancelled = "cancelled",
        }
    }
    words! {
        /// What is done with it.
        Action {
            /// Says that it is right.
            Approve = "approve",
            /// Says that it is not.
            Deny = "deny",
            /// The customer brings more.
            Reopen = "reopen",
            /// Refunds, replaces or both.
            Resolve = "resolve",
            /// The customer takes it back.
            Cancel = "cancel",
        }
    }
    words! {
        /// What may have to hold.
        Guard {
            /// A reason that the customer sees.
            Reason = "a_reason_is_given",
            /// The refund is settled or the replacement sent, whichever was chosen.
            Done = "what_was_chosen_is_done",
            /// The time to complain is not over.
            InTime = "it_is_in_time",
        }
    }

    use Action as A;
    use Claim as S;
    use Guard as G;

    impl Machine for Claim {
        type Action = Action;
        type Guard = Guard;
        const NAME: &'static str = "claim";
        const START: &'static [Self] = &[S::Open];
        const TABLE: &'static [Row<S, A, G>] = &[
            row(S::Open, A::Approve, &[], S::Approved),
            row(S::Open, A::Deny, &[G::Reason], S::Denied),
            row(S::Open, A::Cancel, &[], S::Cancelled),
            row(S::Approved, A::Resolve, &[G::Done], S::Resolved),
            row(S::Approved, A::Cancel, &[], S::Cancelled),
            row(S::Denied, A::Reopen, &[G::InTime], S::Open),
        ];

        fn is_end(self) -> bool {
            matches!(self, S::Resolved | S::Denied | S::Cancelled)
        }
    }
}
