//! What was sent to an endpoint, what became of it, and trying it again.
use super::found;
use crate::app::App;
use crate::caller::{ReadSettings, WriteSettings};
use crate::change::Done;
use crate::input::{Id, Input, List, Nothing, Params, cursor, limit, place};
use crate::problem::{CONFLICT, NOT_FOUND, Problem};
use crate::webhooks::deliveries::{self, Attempt, Delivery, State as Standing};
use crate::webhooks::endpoints::{self, Endpoint, State as EndpointState};
use crate::webhooks::facts::Fact;
use crate::webhooks::{kinds, queue, send};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// A message on its way to one endpoint.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct WebhookDelivery {
    id: Id,
    webhook_id: Id,
    /// What the header `webhook-id` says, at every attempt.
    message_id: String,
    #[serde(rename = "type")]
    kind: String,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    #[schema(inline)]
    state: Standing,
    attempts: i64,
    /// When it is tried next.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_at: Option<Timestamp>,
    /// HTTP status of the last answer; null where there was none.
    last_status: Option<i64>,
    /// Why there was none; `erased` where the person was.
    last_error: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it arrived, or nobody tried any more.
    #[schema(value_type = Option<String>, format = DateTime)]
    settled_at: Option<Timestamp>,
}

impl WebhookDelivery {
    fn new(app: &App, d: &Delivery) -> Self {
        Self {
            id: Id(d.id),
            webhook_id: Id(d.endpoint),
            message_id: send::message_id(app.domain.store().hash_key(), d.message),
            kind: d.kind.clone(),
            timestamp: d.at,
            state: d.state,
            attempts: d.attempts,
            next_at: d.next_at.filter(|_| d.state != Standing::Delivering),
            last_status: Some(d.last_status).filter(|s| *s > 0),
            last_error: Some(d.last_error.clone()).filter(|e| !e.is_empty()),
            created_at: d.created_at,
            settled_at: d.settled_at,
        }
    }
}

/// One attempt.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct WebhookAttempt {
    /// Which, from 1.
    attempt: i64,
    /// When its answer came.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    duration_ms: i64,
    /// HTTP status; null where nothing answered.
    status: Option<i64>,
    /// Why not.
    error: Option<String>,
    /// The beginning of the answer.
    answer: Option<String>,
}

impl WebhookAttempt {
    fn new(a: Attempt) -> Self {
        Self {
            attempt: a.attempt,
            at: a.at,
            duration_ms: a.duration_ms,
            status: Some(a.status).filter(|s| *s > 0),
            error: Some(a.error).filter(|e| !e.is_empty()),
            answer: Some(a.answer).filter(|t| !t.is_empty()),
        }
    }
}

/// A delivery with everything that is known of it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct WebhookDeliveryDetails {
    #[serde(flatten)]
    delivery: WebhookDelivery,
    /// The body as it is sent; null once the person was erased.
    #[schema(value_type = Option<Object>)]
    payload: Option<Value>,
    /// The newest attempts, newest first.
    attempt_log: Vec<WebhookAttempt>,
}

/// Which deliveries.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeliveriesQuery {
    limit: Option<i64>,
    cursor: Option<String>,
    #[param(inline)]
    state: Option<Standing>,
    /// A type.
    r#type: Option<String>,
}

/// Lists deliveries of an endpoint, newest first.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}/deliveries", tag = "webhooks",
    params(("id" = String, Path), DeliveriesQuery), responses((status = 200, body = inline(List<WebhookDelivery>))))]
pub async fn list_webhook_deliveries(
    State(app): State<Arc<App>>,
    _: ReadSettings,
    Path(id): Path<String>,
    Params(q): Params<DeliveriesQuery>,
) -> Result<Json<List<WebhookDelivery>>, Problem> {
    let (id, limit) = (Id::in_path(&id)?, limit(q.limit)?);
    let before = place::<1>(q.cursor.as_deref())?.map_or(i64::MAX, |[id]| id);
    let rows = app
        .query(move |db| {
            found(endpoints::find(db, id)?)?;
            Ok(deliveries::list(db, id, (q.state, q.r#type.as_deref()), before, limit + 1)?)
        })
        .await?;
    let items: Vec<_> = rows.iter().map(|d| WebhookDelivery::new(&app, d)).collect();
    Ok(Json(List::page(items, limit, |d| cursor(&[d.id.0]))))
}

fn no_delivery() -> Problem {
    NOT_FOUND.because("there is no such delivery; those that arrived are kept for seven days, dead ones for thirty")
}

/// One delivery with its body and attempts.
#[utoipa::path(get, path = "/api/v1/webhook-deliveries/{id}", tag = "webhooks", params(("id" = String, Path)),
    responses((status = 200, body = WebhookDeliveryDetails)))]
pub async fn get_webhook_delivery(
    State(app): State<Arc<App>>,
    _: ReadSettings,
    Path(id): Path<String>,
) -> Result<Json<WebhookDeliveryDetails>, Problem> {
    let id = Id::in_path(&id)?;
    let (delivery, attempts) = app
        .query(move |db| {
            let delivery = deliveries::find(db, id)?.ok_or_else(no_delivery)?;
            Ok((delivery, deliveries::attempts(db, id)?))
        })
        .await?;
    Ok(Json(WebhookDeliveryDetails {
        delivery: WebhookDelivery::new(&app, &delivery),
        payload: serde_json::from_str(&delivery.body).ok(),
        attempt_log: attempts.into_iter().map(WebhookAttempt::new).collect(),
    }))
}

/// Refuses an endpoint to which nothing goes.
fn goes(endpoint: &Endpoint) -> Result<(), Problem> {
    match endpoint.state {
        EndpointState::Disabled => Err(CONFLICT.because("this webhook is disabled; let it go on first")),
        _ => Ok(()),
    }
}

/// Tries one delivery again, whatever became of it, with the same `webhook-id`.
#[utoipa::path(post, path = "/api/v1/webhook-deliveries/{id}/replay", tag = "webhooks", params(("id" = String, Path)),
    responses((status = 200, body = WebhookDelivery)))]
pub async fn replay_webhook_delivery(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let (id, shared) = (Id::in_path(&id)?, app.clone());
    let answer = app.change(&caller, input.request, move |tx| {
        let before = deliveries::find(tx.engine(), id)?.ok_or_else(no_delivery)?;
        goes(&found(endpoints::find(tx.engine(), before.endpoint)?)?)?;
        if before.body.is_empty() {
            return Err(CONFLICT.because("the person was erased, and with them what this delivery said"));
        }
        if !deliveries::replay(tx, id)? {
            return Err(CONFLICT.because("an attempt is under way"));
        }
        let after = deliveries::find(tx.engine(), id)?.ok_or_else(no_delivery)?;
        let states = (Some(json!({"state": before.state})), Some(json!({"state": after.state})));
        let body = WebhookDelivery::new(&shared, &after);
        Ok(Done::ok(body).noted(("replay", "webhook_delivery"), id, states.0, states.1))
    });
    let answer = answer.await?;
    app.webhooks.wake();
    Ok(answer)
}

/// Which deliveries to try again.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplaySince {
    /// Queued at this moment or later.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// Also those that arrived, for a receiver that lost them.
    #[serde(default)]
    delivered: bool,
}

/// How many are tried again.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct Replayed {
    deliveries: u64,
}

/// Tries everything again that is dead or waits after a failure since a moment.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/replay", tag = "webhooks", params(("id" = String, Path)),
    request_body = ReplaySince, responses((status = 200, body = Replayed)))]
pub async fn replay_webhook(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    Path(id): Path<String>,
    input: Input<ReplaySince>,
) -> Result<Response, Problem> {
    let (id, ReplaySince { since, delivered }) = (Id::in_path(&id)?, input.value);
    let answer = app.change(&caller, input.request, move |tx| {
        goes(&found(endpoints::find(tx.engine(), id)?)?)?;
        let count = deliveries::replay_since(tx, id, since, delivered)?;
        let after = json!({"since": since, "delivered": delivered, "deliveries": count});
        Ok(Done::ok(Replayed { deliveries: count }).noted(("replay", "webhook"), id, None, Some(after)))
    });
    let answer = answer.await?;
    app.webhooks.wake();
    Ok(answer)
}

/// Sends a test to one endpoint, whatever it wants otherwise.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/test", tag = "webhooks", params(("id" = String, Path)),
    responses((status = 201, body = WebhookDelivery)))]
pub async fn test_webhook(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let (id, shared) = (Id::in_path(&id)?, app.clone());
    let answer = app.change(&caller, input.request, move |tx| {
        let endpoint = found(endpoints::find(tx.engine(), id)?)?;
        if endpoint.state != EndpointState::Active {
            return Err(CONFLICT.because("nothing goes there now; let it go on first"));
        }
        let (now, number) = (tx.now(), tx.next_id());
        let data = json!({"webhook_id": id.to_string(), "name": endpoint.name, "says": "this is a test"});
        let fact = Fact::about_nobody(kinds::TEST, format!("test/{number}"), now, data);
        let delivery = queue::add(tx, &fact, &[id]).first().copied().unwrap_or_default();
        let made = deliveries::find_new(tx, delivery)?.ok_or_else(no_delivery)?;
        let body = WebhookDelivery::new(&shared, &made);
        Ok(Done::created(body).noted(("test", "webhook"), id, None, None))
    });
    let answer = answer.await?;
    app.webhooks.wake();
    Ok(answer)
}
