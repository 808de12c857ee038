//! Rules and caps: when something is sent, and how often at most.
use super::refused;
use crate::app::App;
use crate::caller::{ReadMessages, WriteMessages};
use crate::change::{Done, with_version};
use crate::input::{Id, Input, List, Nothing, if_match};
use crate::problem::{NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use messaging::model::{Counts, Rule, RuleDraft};
use messaging::{commands, lists};
use pipeline::facts::Facts;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How many messages of a rule stand where.
#[derive(Debug, Clone, Copy, Default, Serialize, utoipa::ToSchema)]
pub struct RuleCounts {
    intended: i64,
    pending: i64,
    stopped: i64,
    sending: i64,
    sent: i64,
    refused: i64,
    unknown: i64,
}

impl From<Counts> for RuleCounts {
    fn from(c: Counts) -> Self {
        Self {
            intended: c.intended,
            pending: c.pending,
            stopped: c.stopped,
            sending: c.sending,
            sent: c.sent,
            refused: c.refused,
            unknown: c.unknown,
        }
    }
}

/// "On entering this segment, send this template."
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct MessageRule {
    id: Id,
    name: Option<String>,
    segment_id: Id,
    template_id: Id,
    channel: String,
    purpose: String,
    /// What its messages are about, as customers choose it.
    topic: Option<String>,
    once: bool,
    enabled: bool,
    counts: RuleCounts,
}

fn body(rule: &Rule, counts: Counts) -> MessageRule {
    MessageRule {
        id: Id(rule.id),
        name: Some(rule.name.clone()).filter(|n| !n.is_empty()),
        segment_id: Id(rule.segment_id),
        template_id: Id(rule.template_id),
        channel: rule.channel.clone(),
        purpose: rule.purpose.clone(),
        topic: Some(rule.topic.clone()).filter(|t| !t.is_empty()),
        once: rule.once,
        enabled: rule.enabled,
        counts: counts.into(),
    }
}

/// What a person writes.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageRuleInput {
    name: Option<String>,
    segment_id: Id,
    template_id: Id,
    channel: String,
    purpose: String,
    /// What its messages are about, as customers choose it: small letters, digits, `-` and `_`.
    topic: Option<String>,
    #[serde(default = "yes")]
    once: bool,
    #[serde(default = "yes")]
    enabled: bool,
}

fn yes() -> bool {
    true
}

impl From<MessageRuleInput> for RuleDraft {
    fn from(r: MessageRuleInput) -> Self {
        Self {
            name: r.name.unwrap_or_default(),
            segment_id: r.segment_id.0,
            template_id: r.template_id.0,
            channel: r.channel,
            purpose: r.purpose,
            topic: r.topic.unwrap_or_default(),
            once: r.once,
            enabled: r.enabled,
        }
    }
}

/// Lists the rules.
#[utoipa::path(get, path = "/api/v1/message-rules", tag = "message-rules",
    responses((status = 200, body = inline(List<MessageRule>))))]
pub async fn list_message_rules(
    State(app): State<Arc<App>>,
    _: ReadMessages,
) -> Result<Json<List<MessageRule>>, Problem> {
    let rules = app.query(|db| Ok(lists::rules(db, false)?)).await?;
    Ok(Json(List::whole(rules.iter().map(|(r, c)| body(r, *c)).collect())))
}

/// Makes a rule. It speaks to who enters from now on.
#[utoipa::path(post, path = "/api/v1/message-rules", tag = "message-rules", request_body = MessageRuleInput,
    responses((status = 201, body = MessageRule)))]
pub async fn create_message_rule(
    State(app): State<Arc<App>>,
    WriteMessages(caller): WriteMessages,
    input: Input<MessageRuleInput>,
) -> Result<Response, Problem> {
    let (draft, preparer) = (RuleDraft::from(input.value), app.domain.preparer().clone());
    app.change(&caller, input.request, move |tx| {
        let rule = commands::create_rule(tx, &mut Facts { preparer: &preparer }, &draft).map_err(refused)?.after;
        let after = serde_json::to_value(&rule).ok();
        let done = Done::created(body(&rule, Counts::default())).versioned(rule.version);
        Ok(done.noted(("create", "message_rule"), rule.id, None, after))
    })
    .await
}

async fn find(app: &App, id: i64) -> Result<(Rule, Counts), Problem> {
    let found = app.query(move |db| Ok(lists::rule(db, id)?)).await?;
    found.filter(|(r, _)| !r.archived).ok_or_else(|| NOT_FOUND.because(format!("there is no rule {id}")))
}

/// Shows a rule.
#[utoipa::path(get, path = "/api/v1/message-rules/{id}", tag = "message-rules", params(("id" = String, Path)),
    responses((status = 200, body = MessageRule)))]
pub async fn get_message_rule(
    State(app): State<Arc<App>>,
    _: ReadMessages,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (rule, counts) = find(&app, Id::in_path(&id)?).await?;
    Ok(with_version(body(&rule, counts), rule.version))
}

/// Changes a rule; messages that wait are decided by it as it stands then.
#[utoipa::path(put, path = "/api/v1/message-rules/{id}", tag = "message-rules", params(("id" = String, Path)),
    request_body = MessageRuleInput, responses((status = 200, body = MessageRule)))]
pub async fn update_message_rule(
    State(app): State<Arc<App>>,
    WriteMessages(caller): WriteMessages,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<MessageRuleInput>,
) -> Result<Response, Problem> {
    let (id, wanted) = (Id::in_path(&id)?, if_match(&headers)?);
    let (_, counts) = find(&app, id).await?;
    let (draft, preparer) = (RuleDraft::from(input.value), app.domain.preparer().clone());
    app.change(&caller, input.request, move |tx| {
        let changed =
            commands::update_rule(tx, &mut Facts { preparer: &preparer }, id, &draft, wanted).map_err(refused)?;
        let before = changed.before.and_then(|r| serde_json::to_value(&r).ok());
        let after = serde_json::to_value(&changed.after).ok();
        let done = Done::ok(body(&changed.after, counts)).versioned(changed.after.version);
        Ok(done.noted(("update", "message_rule"), id, before, after))
    })
    .await
}

/// Takes a rule out of use; what it has sent stays to be seen.
#[utoipa::path(delete, path = "/api/v1/message-rules/{id}", tag = "message-rules", params(("id" = String, Path)),
    responses((status = 204, description = "Done")))]
pub async fn delete_message_rule(
    State(app): State<Arc<App>>,
    WriteMessages(caller): WriteMessages,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    app.change(&caller, input.request, move |tx| {
        let changed = commands::archive_rule(tx, id).map_err(refused)?;
        let before = changed.before.and_then(|r| serde_json::to_value(&r).ok());
        Ok(Done::nothing().noted(("archive", "message_rule"), id, before, None))
    })
    .await
}

/// At most so many messages to one person within a window.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Cap {
    channel: String,
    purpose: String,
    limit: i64,
    window: String,
}

/// All caps.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Caps {
    items: Vec<Cap>,
}

fn caps_body(caps: Vec<messaging::model::Cap>) -> Caps {
    let cap =
        |c: messaging::model::Cap| Cap { channel: c.channel, purpose: c.purpose, limit: c.limit, window: c.window };
    Caps { items: caps.into_iter().map(cap).collect() }
}

/// Shows how often a person may be written to.
#[utoipa::path(get, path = "/api/v1/caps", tag = "caps", responses((status = 200, body = Caps)))]
pub async fn get_caps(State(app): State<Arc<App>>, _: ReadMessages) -> Result<Json<Caps>, Problem> {
    Ok(Json(caps_body(app.query(|db| Ok(lists::caps(db)?)).await?)))
}

/// Sets how often a person may be written to.
#[utoipa::path(put, path = "/api/v1/caps", tag = "caps", request_body = Caps, responses((status = 200, body = Caps)))]
pub async fn put_caps(
    State(app): State<Arc<App>>,
    WriteMessages(caller): WriteMessages,
    input: Input<Caps>,
) -> Result<Response, Problem> {
    let cap =
        |c: Cap| messaging::model::Cap { channel: c.channel, purpose: c.purpose, limit: c.limit, window: c.window };
    let caps: Vec<_> = input.value.items.into_iter().map(cap).collect();
    app.change(&caller, input.request, move |tx| {
        let changed = commands::put_caps(tx, &caps).map_err(refused)?;
        let before = changed.before.and_then(|c| serde_json::to_value(&c).ok());
        let after = serde_json::to_value(&changed.after).ok();
        Ok(Done::ok(caps_body(changed.after)).noted(("update", "caps"), "", before, after))
    })
    .await
}
