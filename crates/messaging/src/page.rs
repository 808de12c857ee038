//! What this crate brings to the customer's page: campaign reactions, and the messages themselves.
use base::page::{Panel, TimelineKind};

/// What was sent, and what became of it.
pub const KINDS: &[TimelineKind] = &[TimelineKind {
    id: "messages",
    title: "Messages and reactions",
    icon: "mail",
    area: "messages",
    names: &[],
    prefixes: &["Message ", "Email ", "Push Notification ", "Campaign "],
}];

/// The newest messages.
pub const PANELS: &[Panel] = &[Panel { id: "messages", title: "Messages", area: "messages", place: 90 }];
