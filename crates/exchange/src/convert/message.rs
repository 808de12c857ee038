//! A row that holds a whole message of the tracking API, as an export of events has it: it goes in as it stands, so that a
//! shop that is filled from an export has the same people, consents and counts.
use super::{Context, Out, moment, push};
use crate::mapping::Plan;
use crate::rows::Row;
use base::Timestamp;
use serde_json::{Map, Value};

/// Calls of the tracking API.
const CALLS: [&str; 6] = ["track", "identify", "page", "screen", "group", "alias"];
/// What an export adds to a message, or a client sent that means nothing in a file.
const NOT_OURS: [&str; 6] = ["writeKey", "profile_id", "person_id", "receivedAt", "sentAt", "originalTimestamp"];

pub(super) fn convert(plan: &Plan, context: &Context, row: &Row, out: &mut Out) {
    let text = plan.value(row, "message");
    let Ok(mut message) = serde_json::from_str::<Map<String, Value>>(text) else {
        return out.refuse(plan, row, "message", "this is no JSON object");
    };
    if !message.get("type").and_then(Value::as_str).is_some_and(|t| CALLS.contains(&t)) {
        return out.refuse(plan, row, "message", "its type is no call of the tracking API");
    }
    let own = |name: &str| message.get(name).and_then(Value::as_str).unwrap_or_default().to_string();
    let column = plan.value(row, "message_id");
    let id = if column.is_empty() { own("messageId") } else { column.to_string() };
    if id.is_empty() {
        return out.refuse(plan, row, "message", "it has no messageId");
    }
    let Ok(time) = moment(plan, context, row, "time", out) else { return };
    let Some(time) = time.or_else(|| Timestamp::parse(&own("timestamp")).ok()) else {
        return out.refuse(plan, row, "message", "it has no time");
    };
    if time > context.now {
        return out.refuse(plan, row, "message", "it lies in the future");
    }
    NOT_OURS.iter().for_each(|name| drop(message.remove(*name)));
    push(out, message, id, time);
}
