//! Messaging: what a shop says to its customers, and the one gate through which every message goes.
//!
//! Start at [`gate::verdict`], the pure function that decides whether a message goes out, and at [`outbox`], the states
//! that a message passes: *entering a segment* writes an intent ([`outbox::intend`]), the step from pending to sending asks
//! the gate with everything read now ([`outbox::claim_due`]), and the mail server's answer settles it ([`outbox::settle`]).
//! [`templates`] compiles and renders texts, [`commands`] edits templates, rules and caps, [`lists`] reads them for
//! screens, [`unsubscribe`] makes and checks the links of one-click unsubscribing, [`doctor`] checks the books. What the
//! gate wants to know of people, segments and consents comes through [`facts::GateFacts`].
//!
//! Invariants: intended = pending + stopped + sending + sent + refused + unknown, per rule; a message has a row in the cap
//! ledger exactly while it is sending, sent or unknown; an unknown message is never repeated by itself; no two messages
//! have one key. Deliberately absent: the network (`connect` sends, `server` calls it between two transactions), who is in
//! a segment and who agreed to what (`segments` and `customers`), and the log itself: message life is handed back as
//! [`model::Derived`] events, which `pipeline` appends.
pub mod commands;
pub mod doctor;
pub mod error;
pub mod facts;
pub mod gate;
pub mod lists;
pub mod model;
pub mod outbox;
pub mod page;
pub mod preferences;
pub mod rules;
pub mod suppressions;
pub mod templates;
pub mod unsubscribe;
pub mod windows;

pub use error::{FieldError, MessagingError};
pub use facts::{GateFacts, PersonFacts};
pub use model::{Derived, Status};

/// The tables of this crate.
pub const MIGRATIONS: db::Migrations = db::Migrations {
    owner: "messaging",
    steps: &[
        ("0001_messaging", include_str!("../migrations/0001_messaging.sql")),
        ("0002_limits", include_str!("../migrations/0002_limits.sql")),
    ],
};

#[cfg(test)]
mod tests;
