//! Messages: where each stands, and why.
use super::refused;
use crate::app::App;
use crate::caller::{ReadMessages, WriteMessages};
use crate::change::Done;
use crate::input::{Id, Input, List, Page, Params, cursor, limit, place};
use crate::problem::Problem;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::Timestamp;
use customers::counters::CounterSet;
use db::Tx;
use messaging::gate::GateLine;
use messaging::lists::{self, MessageFilter, MessageItem};
use messaging::outbox::SettleAs;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageStatus {
    /// It waits for its turn at the gate.
    Pending,
    /// The gate stopped it.
    Stopped,
    /// It is on its way.
    Sending,
    /// The mail server took it.
    Sent,
    /// The mail server refused it.
    Refused,
    /// Nobody knows.
    Unknown,
}

impl From<messaging::Status> for MessageStatus {
    fn from(s: messaging::Status) -> Self {
        match s {
            messaging::Status::Pending => MessageStatus::Pending,
            messaging::Status::Stopped => MessageStatus::Stopped,
            messaging::Status::Sending => MessageStatus::Sending,
            messaging::Status::Sent => MessageStatus::Sent,
            messaging::Status::Refused => MessageStatus::Refused,
            messaging::Status::Unknown => MessageStatus::Unknown,
        }
    }
}

impl From<MessageStatus> for messaging::Status {
    fn from(s: MessageStatus) -> Self {
        match s {
            MessageStatus::Pending => messaging::Status::Pending,
            MessageStatus::Stopped => messaging::Status::Stopped,
            MessageStatus::Sending => messaging::Status::Sending,
            MessageStatus::Sent => messaging::Status::Sent,
            MessageStatus::Refused => messaging::Status::Refused,
            MessageStatus::Unknown => messaging::Status::Unknown,
        }
    }
}

/// One question of the gate and its answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Gate {
    gate: String,
    passed: bool,
    detail: String,
}

/// A message.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Message {
    id: Id,
    rule_id: Option<Id>,
    rule_name: Option<String>,
    template_name: Option<String>,
    person_id: Id,
    person_name: Option<String>,
    channel: String,
    address: Option<String>,
    status: MessageStatus,
    reason: Option<String>,
    why: Vec<Gate>,
    #[schema(value_type = String, format = DateTime)]
    intended_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    settled_at: Option<Timestamp>,
    attempts: i64,
    subject: Option<String>,
}

fn body(tx: &mut Tx, item: MessageItem, counters: &CounterSet) -> Result<Message, Problem> {
    let m = item.message;
    let view = customers::person(tx, m.profile_id, counters)?;
    let text = |t: String| Some(t).filter(|t| !t.is_empty());
    let lines: Vec<GateLine> = serde_json::from_str(&m.why).unwrap_or_default();
    Ok(Message {
        id: Id(m.id),
        rule_id: (m.rule_id != 0).then_some(Id(m.rule_id)),
        rule_name: text(item.rule_name),
        template_name: text(item.template_name),
        person_id: Id(view.as_ref().map_or(m.profile_id, |v| v.person_id)),
        person_name: view.and_then(|v| v.state.display_name()),
        channel: m.channel,
        address: text(m.address),
        status: m.status.into(),
        reason: text(m.reason),
        why: lines.into_iter().map(|l| Gate { gate: l.gate, passed: l.passed, detail: l.detail }).collect(),
        intended_at: m.intended_at,
        settled_at: m.settled_at,
        attempts: m.attempts,
        subject: text(m.subject),
    })
}

/// Which messages.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MessagesQuery {
    person_id: Option<String>,
    rule_id: Option<String>,
    #[param(inline)]
    status: Option<MessageStatus>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Lists messages, newest first.
#[utoipa::path(get, path = "/api/v1/messages", tag = "messages", params(MessagesQuery),
    responses((status = 200, body = inline(List<Message>))))]
pub async fn list_messages(
    State(app): State<Arc<App>>,
    _: ReadMessages,
    Params(q): Params<MessagesQuery>,
) -> Result<Json<List<Message>>, Problem> {
    let profiles = match &q.person_id {
        Some(person) => crate::api::customers::resolve(&app, person).await?.1,
        None => Vec::new(),
    };
    let filter = MessageFilter {
        profiles,
        rule_id: q.rule_id.as_deref().map(Id::in_path).transpose()?,
        status: q.status.map(messaging::Status::from),
        before: place::<1>(q.cursor.as_deref())?.map(|[id]| id),
    };
    page(&app, filter, limit(q.limit)?).await.map(Json)
}

/// Lists the messages of a customer, newest first.
#[utoipa::path(get, path = "/api/v1/customers/{person_id}/messages", tag = "customers",
    params(("person_id" = String, Path), Page), responses((status = 200, body = inline(List<Message>))))]
pub async fn customer_messages(
    State(app): State<Arc<App>>,
    _: ReadMessages,
    Path(person): Path<String>,
    Params(q): Params<Page>,
) -> Result<Json<List<Message>>, Problem> {
    let (_, profiles) = crate::api::customers::resolve(&app, &person).await?;
    let before = place::<1>(q.cursor.as_deref())?.map(|[id]| id);
    page(&app, MessageFilter { profiles, before, ..MessageFilter::default() }, limit(q.limit)?).await.map(Json)
}

async fn page(app: &App, filter: MessageFilter, limit: i64) -> Result<List<Message>, Problem> {
    let found = app.query(move |db| Ok(lists::messages(db, &filter, limit as usize)?)).await?;
    let counters = app.domain.preparer().current().counters;
    let next_cursor = found.next.map(|id| cursor(&[id]));
    let items = app.read(move |tx| found.items.into_iter().map(|item| body(tx, item, &counters)).collect()).await?;
    Ok(List { items, next_cursor })
}

/// What became of a message, by a person's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SettledAs {
    /// The recipient has it.
    Sent,
    /// The recipient never got it.
    Refused,
}

/// Settles an unknown message.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Settle {
    #[serde(rename = "as")]
    how: SettledAs,
}

/// Settles a message of which nobody knows whether it arrived.
#[utoipa::path(post, path = "/api/v1/messages/{id}/settle", tag = "messages", params(("id" = String, Path)),
    request_body = Settle, responses((status = 200, body = Message)))]
pub async fn settle_message(
    State(app): State<Arc<App>>,
    WriteMessages(caller): WriteMessages,
    Path(id): Path<String>,
    input: Input<Settle>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    let how = input.value.how;
    let preparer = app.domain.preparer().clone();
    app.change(&caller, input.request, move |tx| {
        let settle = if how == SettledAs::Sent { SettleAs::Sent } else { SettleAs::Refused };
        let (message, derived) = messaging::outbox::settle_unknown(tx, id, settle).map_err(refused)?;
        let events = derived.into_iter().map(pipeline::step::new_event).collect();
        pipeline::append_derived(tx, &preparer, events)?;
        let item = MessageItem { message, rule_name: String::new(), template_name: String::new() };
        let counters = preparer.current().counters;
        let after = json!({"status": item.message.status.as_str()});
        let body = body(tx, item, &counters)?;
        Ok(Done::ok(body).noted(("settle", "message"), id, Some(json!({"status": "unknown"})), Some(after)))
    })
    .await
}
