//! What can be told, by type. Types are what receivers switch on: they are never renamed.

/// A type with what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// `[a-z_]` in parts, with dots between.
    pub name: &'static str,
    /// One sentence for whoever chooses.
    pub says: &'static str,
    /// What its `data` holds; an example.
    pub example: &'static str,
}

/// A customer's action; the event's own name stands in `data.event`.
pub const EVENT: &str = "event.tracked";
/// A mail or other message left.
pub const MESSAGE_SENT: &str = "message.sent";
/// It could not be sent.
pub const MESSAGE_FAILED: &str = "message.failed";
/// The gate held it back.
pub const MESSAGE_SUPPRESSED: &str = "message.suppressed";
/// Several people became one.
pub const PERSON_MERGED: &str = "person.merged";
/// One person fell apart.
pub const PERSON_SPLIT: &str = "person.split";
/// A person was erased: receivers erase too.
pub const PERSON_ERASED: &str = "person.erased";
/// A person came into a segment.
pub const SEGMENT_ENTERED: &str = "segment.entered";
/// A person is no longer in a segment.
pub const SEGMENT_LEFT: &str = "segment.left";
/// Somebody agreed or refused.
pub const CONSENT_CHANGED: &str = "consent.changed";
/// A file was brought in, or could not be.
pub const IMPORT_FINISHED: &str = "import.finished";
/// Other long work ended.
pub const JOB_FINISHED: &str = "job.finished";
/// Asked for by a person; goes to the one endpoint that is tried.
pub const TEST: &str = "webhook.test";

/// Everything that an endpoint may want.
pub const KINDS: [Kind; 12] = [
    Kind {
        name: EVENT,
        says: "An event of the log, such as a purchase; choose by name which ones.",
        example: r#"{"seq": 1042, "message_id": "m-1", "event": "Order Completed", "kind": "track", "timestamp": "2026-03-01T10:00:00Z", "received_at": "2026-03-01T10:00:01Z", "source_id": "1", "person_id": "17", "profile_id": "17", "properties": {"order_id": "A-7", "total": 129.9, "currency": "UAH"}}"#,
    },
    Kind {
        name: MESSAGE_SENT,
        says: "A message left the house.",
        example: r#"{"seq": 1050, "message_id": "x", "event": "Message Sent", "person_id": "17", "profile_id": "17", "properties": {"channel": "email"}}"#,
    },
    Kind {
        name: MESSAGE_FAILED,
        says: "A message could not be sent.",
        example: r#"{"seq": 1051, "message_id": "x", "event": "Message Failed", "person_id": "17", "profile_id": "17", "properties": {"channel": "email", "reason": "refused"}}"#,
    },
    Kind {
        name: MESSAGE_SUPPRESSED,
        says: "A message was held back: no consent, quiet hours, a cap.",
        example: r#"{"seq": 1052, "message_id": "x", "event": "Message Suppressed", "person_id": "17", "profile_id": "17", "properties": {"channel": "email", "reason": "consent"}}"#,
    },
    Kind {
        name: PERSON_MERGED,
        says: "Several people turned out to be one: ids that you keep lead to another now.",
        example: r#"{"change_id": "88", "cause": "event", "before": [{"person_id": "17", "profile_ids": ["17"]}, {"person_id": "23", "profile_ids": ["23"]}], "after": [{"person_id": "17", "profile_ids": ["17", "23"]}]}"#,
    },
    Kind {
        name: PERSON_SPLIT,
        says: "One person was taken apart into several.",
        example: r#"{"change_id": "89", "cause": "unmerge", "before": [{"person_id": "17", "profile_ids": ["17", "23"]}], "after": [{"person_id": "17", "profile_ids": ["17"]}, {"person_id": "23", "profile_ids": ["23"]}]}"#,
    },
    Kind {
        name: PERSON_ERASED,
        says: "A person asked to be forgotten: erase them too.",
        example: r#"{"erasure_id": "90", "person_id": "17", "profile_ids": ["17", "23"]}"#,
    },
    Kind {
        name: SEGMENT_ENTERED,
        says: "A person came into a segment; choose which ones.",
        example: r#"{"segment_id": "4", "segment": "At risk", "person_id": "17", "at": "2026-03-01T10:00:00Z", "cause": "timer"}"#,
    },
    Kind {
        name: SEGMENT_LEFT,
        says: "A person is no longer in a segment; choose which ones.",
        example: r#"{"segment_id": "4", "segment": "At risk", "person_id": "17", "at": "2026-03-01T10:00:00Z", "cause": "event"}"#,
    },
    Kind {
        name: CONSENT_CHANGED,
        says: "Somebody agreed to be written to, or no longer does.",
        example: r#"{"consent_id": "91", "channel": "email", "purpose": "marketing", "state": "denied", "address": "ann@example.com", "profile_id": "17", "at": "2026-03-01T10:00:00Z"}"#,
    },
    Kind {
        name: IMPORT_FINISHED,
        says: "A file was brought in, was stopped or failed.",
        example: r#"{"job_id": "92", "kind": "import", "state": "done", "subject": "1", "done": 1200, "total": 1200, "reason": ""}"#,
    },
    Kind {
        name: JOB_FINISHED,
        says: "Other long work ended, such as filling a segment.",
        example: r#"{"job_id": "93", "kind": "segment_fill", "state": "done", "subject": "4", "done": 500, "total": 500, "reason": ""}"#,
    },
];

/// A kind by its name.
pub fn find(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|k| k.name == name)
}

/// The type of an event that Braid wrote about a message.
pub fn of_message(event: &str) -> Option<&'static str> {
    match event {
        "Message Sent" => Some(MESSAGE_SENT),
        "Message Failed" => Some(MESSAGE_FAILED),
        "Message Suppressed" => Some(MESSAGE_SUPPRESSED),
        _ => None,
    }
}
