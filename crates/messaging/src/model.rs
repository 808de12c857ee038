//! The nouns: templates, rules, caps, messages and what becomes of them.
use base::Timestamp;
use serde::{Deserialize, Serialize};

/// The one channel that can be sent today; others register here.
pub const EMAIL: &str = "email";
/// The channels that a template or a rule may name.
pub const CHANNELS: &[&str] = &[EMAIL];
/// What a message can be for: consent is given per purpose.
pub const PURPOSES: &[&str] = &["marketing", "service"];
/// In a cap: every channel, or every purpose.
pub const ANY: &str = "any";

/// Every word that a message's `reason` can be, for screens that translate it. `quiet_hours` and `retry` belong to messages
/// that wait; `gave_up` comes after a dozen attempts or a day.
pub const REASONS: &[&str] = &[
    "rule_disabled",
    "person_erased",
    "left_segment",
    "once",
    "no_address",
    "unsubscribed",
    "no_consent",
    "not_wanted",
    "suppressed",
    "quiet_hours",
    "cap_reached",
    "template_missing",
    "template_error",
    "missing_value",
    "aborted",
    "too_large",
    "empty_subject",
    "retry",
    "gave_up",
    "refused",
    "connection_lost",
    "lease_expired",
    "settled_by_hand",
];

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It waits for its turn at the gate.
    Pending,
    /// The gate stopped it, for ever; the reason says why.
    Stopped,
    /// Handed to the mail server under a lease; no answer yet.
    Sending,
    /// The mail server took it.
    Sent,
    /// The mail server refused it for good.
    Refused,
    /// Nobody knows whether the mail server has it. Counted as if it had, never repeated.
    Unknown,
}

impl Status {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Status; 6] =
        [Status::Pending, Status::Stopped, Status::Sending, Status::Sent, Status::Refused, Status::Unknown];

    /// The name in the database and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Pending => "pending",
            Status::Stopped => "stopped",
            Status::Sending => "sending",
            Status::Sent => "sent",
            Status::Refused => "refused",
            Status::Unknown => "unknown",
        }
    }
    /// The status of a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
    /// Whether the message has reached somebody, is about to, or may have: what caps and `once` count.
    pub fn counts(self) -> bool {
        matches!(self, Status::Sending | Status::Sent | Status::Unknown)
    }
}

/// What can be said on a channel, with the texts of the version in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Template {
    pub id: i64,
    pub name: String,
    pub channel: String,
    pub subject: String,
    /// Empty if there is no HTML form.
    pub body_html: String,
    /// Empty if the plain form is made of the HTML one.
    pub body_text: String,
    /// Counts from 1; each save makes a new one, old ones stay.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub archived: bool,
}

/// What a person writes to make or change a template.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TemplateDraft {
    pub name: String,
    pub channel: String,
    pub subject: String,
    pub body_html: String,
    pub body_text: String,
}

/// "On entering this segment, send this template."
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rule {
    pub id: i64,
    pub name: String,
    pub segment_id: i64,
    pub template_id: i64,
    pub channel: String,
    pub purpose: String,
    /// What its messages are about, as people choose it; empty = nothing that can be chosen apart.
    pub topic: String,
    /// The rule reaches no person twice.
    pub once: bool,
    pub enabled: bool,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub archived: bool,
}

/// What a person writes to make or change a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleDraft {
    /// Empty: a name is made of segment and template numbers.
    pub name: String,
    pub segment_id: i64,
    pub template_id: i64,
    pub channel: String,
    pub purpose: String,
    /// Small letters, digits, `-` and `_`, or empty.
    pub topic: String,
    pub once: bool,
    pub enabled: bool,
}

/// At most `limit` messages of a channel and purpose to one person within the window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cap {
    /// A channel, or [`ANY`].
    pub channel: String,
    /// A purpose, or [`ANY`].
    pub purpose: String,
    pub limit: i64,
    /// `7d`, `24h`, `30m`: sliding. `calendar day`, `calendar week`, `calendar month`: in the shop's zone.
    pub window: String,
}

/// How many messages of a rule stand where. `intended` is counted on its own and equals the sum of the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub intended: i64,
    pub pending: i64,
    pub stopped: i64,
    pub sending: i64,
    pub sent: i64,
    pub refused: i64,
    pub unknown: i64,
}

impl Counts {
    /// The count of a status.
    pub fn of(&mut self, status: Status) -> &mut i64 {
        match status {
            Status::Pending => &mut self.pending,
            Status::Stopped => &mut self.stopped,
            Status::Sending => &mut self.sending,
            Status::Sent => &mut self.sent,
            Status::Refused => &mut self.refused,
            Status::Unknown => &mut self.unknown,
        }
    }
    /// Whether the books balance.
    pub fn balance(&self) -> bool {
        self.intended == self.pending + self.stopped + self.sending + self.sent + self.refused + self.unknown
    }
}

/// One message as the outbox keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub id: i64,
    /// Rule, person at entry and entering event; unique.
    pub key: String,
    pub rule_id: i64,
    /// The person at entry; resolve it to learn who that is today.
    pub profile_id: i64,
    /// The entering event's seq, 0 if the clock and no event brought the person in.
    pub event_seq: i64,
    pub event_id: String,
    pub channel: String,
    pub purpose: String,
    pub status: Status,
    pub reason: String,
    /// JSON of the gate's lines, empty before the first decision.
    pub why: String,
    /// The address chosen at the last decision, empty before it.
    pub address: String,
    pub subject: String,
    pub template_id: i64,
    /// The version that was rendered last, 0 before that.
    pub template_version: i64,
    pub attempts: i64,
    pub intended_at: Timestamp,
    pub first_attempt_at: Timestamp,
    /// Pending: when it is tried. Sending: when its lease ends. Else 0.
    pub due_at: Timestamp,
    pub settled_at: Option<Timestamp>,
}

/// A step of a message's life, to be appended to the log as an ordinary event about the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derived {
    /// Unique per step, so that the log's border drops a repetition.
    pub message_id: String,
    pub profile_id: i64,
    /// `Message Sent`, `Message Failed` or `Message Suppressed`.
    pub name: &'static str,
    /// JSON object.
    pub properties: String,
    pub timestamp: Timestamp,
}

/// Who speaks, in which zone and language, and how patient the outbox is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shop {
    pub name: String,
    /// IANA name. Calendar caps and quiet hours use it; one that nobody knows counts as UTC.
    pub time_zone: String,
    pub currency: String,
    /// `uk`, `en-GB`, …
    pub locale: String,
    pub country: String,
    /// Where this program is reached from outside, without a slash at its end; links of mails begin with it.
    pub public_url: String,
    /// What follows the `@` in `Message-ID`: the sender's domain.
    pub mail_domain: String,
    /// No marketing in these hours; `None` allows every hour.
    pub quiet_hours: Option<QuietHours>,
}

/// Hours of the day in which no marketing goes out, in minutes since midnight; `from` > `to` spans midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietHours {
    pub from_minute: u16,
    pub to_minute: u16,
}
