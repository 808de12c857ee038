//! What happened, as it will be told: the type, what it is about, and the data.
use super::filter::About;
use super::kinds;
use base::Timestamp;
use customers::changes::ChangeRow;
use db::event::Origin;
use db::jobs::Job;
use pipeline::timeline::StoredEvent;
use segments::runtime::Cause;
use segments::runtime::changes::Change;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// Bytes of a body, at most; Standard Webhooks asks for less than 20 KB. What does not fit is left out and named in
/// `data.left_out`, and can be read by its id.
pub const BODY_MAX: usize = 20_000;

/// Something that may go out.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// The type.
    pub kind: &'static str,
    /// What it is about, for ever: `event/12`, `job/7/done/…`. Nothing is queued twice under one key.
    pub key: String,
    /// When it happened.
    pub at: Timestamp,
    /// When Braid knew: endpoints get what was known since they began.
    pub known_at: Timestamp,
    /// Whose it is; 0 = nobody's. An erasure goes by this.
    pub profile_id: i64,
    /// For the filter.
    pub event: String,
    /// For the filter; 0 = none.
    pub segment_id: i64,
    /// For the filter.
    pub imported: bool,
    /// The data.
    pub data: Value,
}

impl Fact {
    /// What a filter asks about.
    pub fn about(&self) -> About<'_> {
        About { kind: self.kind, event: &self.event, segment_id: self.segment_id, imported: self.imported }
    }
    /// The body as it is stored, signed and sent: the same bytes at every attempt.
    pub fn body(&self) -> String {
        body(self.kind, self.at, self.data.clone())
    }
    /// A fact that is about no person, event or segment, known when it happened.
    pub fn about_nobody(kind: &'static str, key: String, at: Timestamp, data: Value) -> Self {
        Self { kind, key, at, known_at: at, profile_id: 0, event: String::new(), segment_id: 0, imported: false, data }
    }
}

/// A body of Standard Webhooks: type, timestamp, data.
pub fn body(kind: &str, at: Timestamp, mut data: Value) -> String {
    let text = |data: &Value| json!({"type": kind, "timestamp": at, "data": data}).to_string();
    let whole = text(&data);
    if whole.len() <= BODY_MAX {
        return whole;
    }
    let mut left_out = Vec::new();
    for part in ["context", "traits", "properties", "before", "after"] {
        if data.get_mut(part).map(Value::take).is_some() {
            left_out.push(part);
        }
        data["left_out"] = json!(left_out);
        let shorter = text(&data);
        if shorter.len() <= BODY_MAX {
            return shorter;
        }
    }
    let data = json!({"left_out": ["everything"]});
    text(&data)
}

fn id(id: i64) -> Value {
    if id > 0 { Value::String(id.to_string()) } else { Value::Null }
}

fn object(text: Option<&String>) -> Value {
    text.and_then(|t| serde_json::from_str::<Box<RawValue>>(t).ok())
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or(Value::Null)
}

/// An event of the log; `None` for calls that are no event (identify, group, alias) and for what Braid writes about
/// itself beside messages.
pub fn of_event(event: &StoredEvent, person: i64) -> Option<Fact> {
    let kind = match event.origin {
        Origin::Derived => kinds::of_message(&event.name)?,
        _ if event.name.is_empty() => return None,
        _ => kinds::EVENT,
    };
    let data = json!({
        "seq": event.seq,
        "message_id": event.message_id,
        "event": event.name,
        "kind": event.kind.as_str(),
        "timestamp": event.timestamp,
        "received_at": event.received_at,
        "source_id": id(event.source),
        "person_id": id(person),
        "profile_id": id(event.profile_id),
        "properties": object(event.properties.as_ref()),
    });
    let mut fact = Fact::about_nobody(kind, format!("event/{}", event.seq), event.timestamp, data);
    fact.known_at = event.received_at;
    fact.profile_id = event.profile_id;
    fact.event.clone_from(&event.name);
    fact.imported = event.origin == Origin::Import;
    Some(fact)
}

/// People who became one or several; `None` for alarms, which stand in the same list.
pub fn of_identity(change: &ChangeRow) -> Option<Fact> {
    let kind = match &*change.kind {
        "merged" => kinds::PERSON_MERGED,
        "split" => kinds::PERSON_SPLIT,
        _ => return None,
    };
    // The evidence may hold the value by which people were joined; ids are enough to follow.
    let data =
        json!({"change_id": id(change.id), "cause": change.cause, "before": change.before, "after": change.after});
    Some(Fact::about_nobody(kind, format!("identity/{}", change.id), change.at, data))
}

/// A consent, as the ledger holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Number.
    pub id: i64,
    /// `email`, `sms`, …, or `*`.
    pub channel: String,
    /// The contact point.
    pub address: String,
    /// What for.
    pub purpose: String,
    /// Yes or no.
    pub granted: bool,
    /// By the server's clock.
    pub at: Timestamp,
    /// Whose, where it is known; else 0.
    pub profile_id: i64,
    /// Whether a file brought it.
    pub imported: bool,
}

/// Somebody agreed or refused.
pub fn of_consent(consent: &Consent) -> Fact {
    let data = json!({
        "consent_id": id(consent.id),
        "channel": consent.channel,
        "purpose": consent.purpose,
        "state": if consent.granted { "granted" } else { "denied" },
        // A consent for everything that reaches a profile names the profile, not a contact point.
        "address": (consent.channel != "*").then_some(&consent.address),
        "profile_id": id(consent.profile_id),
        "at": consent.at,
    });
    let mut fact = Fact::about_nobody(kinds::CONSENT_CHANGED, format!("consent/{}", consent.id), consent.at, data);
    fact.profile_id = consent.profile_id;
    fact.imported = consent.imported;
    fact
}

fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::Event => "event",
        Cause::Timer => "timer",
        Cause::Initial => "initial",
        Cause::Merge => "merge",
        Cause::Unmerge => "unmerge",
    }
}

/// How much older than its group a beginning is that a join only corrected, at least.
const CORRECTED_US: i64 = base::MINUTE_US;

/// What a group of the writer changed in segments. Left out: what a new or changed segment found at its first filling
/// (nothing happened to those people), and beginnings that a join only set back (they were in before).
pub fn of_segments(group: i64, at: Timestamp, changes: &[Change], name: &dyn Fn(i64) -> Option<String>) -> Vec<Fact> {
    let joined =
        |segment: i64| changes.iter().any(|c| c.segment_id == segment && !c.entered && c.cause == Cause::Merge);
    let corrected = |c: &Change| c.entered && c.at.micros() + CORRECTED_US < at.micros() && joined(c.segment_id);
    let told = changes.iter().enumerate().filter(|(_, c)| c.cause != Cause::Initial && !corrected(c));
    told.map(|(index, c)| {
        let data = json!({
            "segment_id": id(c.segment_id),
            "segment": name(c.segment_id),
            "person_id": id(c.person_id),
            "at": c.at,
            "cause": cause(c.cause),
        });
        let kind = if c.entered { kinds::SEGMENT_ENTERED } else { kinds::SEGMENT_LEFT };
        let mut fact = Fact::about_nobody(kind, format!("segment/{group}/{index}"), c.at, data);
        fact.known_at = at;
        fact.segment_id = c.segment_id;
        fact.profile_id = c.person_id;
        fact
    })
    .collect()
}

/// An erasure that began. What is searched for stands in the same payload and is not told.
pub fn of_erasure(job: &Job) -> Fact {
    let payload: Value = serde_json::from_str(&job.payload).unwrap_or_default();
    let profiles = payload["profiles"].as_array().into_iter().flatten().filter_map(Value::as_i64);
    let mut profiles: Vec<String> = profiles.map(|p| p.to_string()).collect();
    if profiles.is_empty() {
        profiles.push(job.subject.to_string());
    }
    let data = json!({"erasure_id": id(job.id), "person_id": id(job.subject), "profile_ids": profiles});
    Fact::about_nobody(
        kinds::PERSON_ERASED,
        format!("erasure/{}", job.id),
        Timestamp::from_micros(job.created_at),
        data,
    )
}

/// A job that ended.
pub fn of_job(job: &Job) -> Fact {
    let kind = if job.kind == crate::imports::spec::KIND { kinds::IMPORT_FINISHED } else { kinds::JOB_FINISHED };
    let data = json!({
        "job_id": id(job.id),
        "kind": job.kind,
        "state": job.state.as_str(),
        "subject": id(job.subject),
        "done": job.position,
        "total": job.total,
        "reason": job.reason,
    });
    // A job that is resumed ends once more.
    let key = format!("job/{}/{}", job.id, job.finished_at);
    Fact::about_nobody(kind, key, Timestamp::from_micros(job.finished_at), data)
}

#[cfg(test)]
mod tests;
