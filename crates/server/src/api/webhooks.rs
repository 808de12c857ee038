//! `/webhooks`: who is told what happens here.
pub mod deliveries;

use crate::access::{Act, Area};
use crate::api::accounts::named;
use crate::app::App;
use crate::caller::{Caller, ReadSettings, WriteSettings};
use crate::change::{Done, check_version, with_version};
use crate::input::{Id, Input, List, Nothing, RequestKey, if_match};
use crate::problem::{BAD_INPUT, CONFLICT, NOT_FOUND, Problem, internal};
use crate::webhooks::endpoints::{self, Endpoint, State as Standing, Wanted, shown_url};
use crate::webhooks::filter::{Filter, LISTED_MAX};
use crate::webhooks::{ENDPOINTS_MAX, Waiting, deliveries as rows, kinds, send};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use base::{HOUR_US, SECOND_US, Timestamp};
use connect::webhook::{Secret, check_url};
use db::Tx;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Results of the newest deliveries that a list shows.
const LATELY: i64 = 30;
/// The longest address.
const URL_MAX: usize = 2_000;

/// Somebody who is told.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Webhook {
    id: Id,
    name: String,
    /// Without what stands behind `?` for those who may not change it.
    url: String,
    types: Vec<String>,
    /// Of `event.tracked`; empty: every name.
    event_names: Vec<String>,
    /// Of `segment.…`; empty: every segment.
    segment_ids: Vec<Id>,
    /// Whether events that a file brought in are told too.
    imported: bool,
    #[schema(inline)]
    state: Standing,
    /// Why it is disabled: `gone`, `failing`, `overflow`.
    reason: Option<String>,
    /// Attempts in a row that failed.
    failures: i64,
    #[schema(value_type = Option<String>, format = DateTime)]
    failing_since: Option<Timestamp>,
    /// Until when nobody asks it.
    #[schema(value_type = Option<String>, format = DateTime)]
    blocked_until: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_at: Option<Timestamp>,
    /// HTTP status of the last answer; null where there was none.
    last_status: Option<i64>,
    /// Why there was none.
    last_error: Option<String>,
    /// Deliveries that wait, as counted some seconds ago.
    waiting: i64,
    /// Age of the oldest that waits, in seconds.
    oldest_s: Option<i64>,
    /// The newest deliveries that were tried, newest first: whether each arrived.
    lately: Vec<bool>,
    /// Until when the secret before signs too.
    #[schema(value_type = Option<String>, format = DateTime)]
    old_secret_until: Option<Timestamp>,
    version: i64,
    created_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// Only in the answer that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

struct Around<'a> {
    caller: &'a Caller,
    waiting: Waiting,
    lately: Vec<bool>,
    now: Timestamp,
}

impl Webhook {
    fn new(e: Endpoint, around: Around<'_>) -> Self {
        let Around { caller, waiting, lately, now } = around;
        Self {
            id: Id(e.id),
            url: if caller.may(Act::Write(Area::Settings)) { e.url } else { shown_url(&e.url) },
            name: e.name,
            types: e.filter.types,
            event_names: e.filter.event_names,
            segment_ids: e.filter.segment_ids.into_iter().map(Id).collect(),
            imported: e.filter.imported,
            state: e.state,
            reason: Some(e.reason).filter(|r| !r.is_empty()),
            failures: e.failures,
            failing_since: e.failing_since,
            blocked_until: Some(e.blocked_until).filter(|b| *b > now),
            last_at: e.last_at,
            last_status: Some(e.last_status).filter(|s| *s > 0),
            last_error: Some(e.last_error).filter(|r| !r.is_empty()),
            waiting: waiting.count,
            oldest_s: (waiting.count > 0).then(|| ((now.micros() - waiting.oldest_us) / SECOND_US).max(0)),
            lately,
            old_secret_until: Some(e.old_until).filter(|u| *u > now),
            version: e.version,
            created_by: e.created_by,
            created_at: e.created_at,
            updated_at: e.updated_at,
            secret: None,
        }
    }
    fn fresh(e: Endpoint, caller: &Caller, now: Timestamp) -> Self {
        Self::new(e, Around { caller, waiting: Waiting::default(), lately: Vec::new(), now })
    }
}

/// What a person says of an endpoint.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookInput {
    name: String,
    url: String,
    /// At least one, of `/webhook-types`.
    types: Vec<String>,
    #[serde(default)]
    event_names: Vec<String>,
    #[serde(default)]
    segment_ids: Vec<Id>,
    #[serde(default)]
    imported: bool,
}

fn wanted(app: &App, input: WebhookInput) -> Result<Wanted, Problem> {
    let reach = send::reach(&app.config.webhooks_reach);
    let url = input.url.trim();
    if url.len() > URL_MAX {
        return Err(BAD_INPUT.at("/url", format!("at most {URL_MAX} characters")));
    }
    let url = check_url(reach, url).map_err(|e| BAD_INPUT.at("/url", e.to_string()))?;
    if input.types.is_empty() {
        return Err(BAD_INPUT.at("/types", "choose at least one type; /api/v1/webhook-types lists them"));
    }
    for (at, name) in input.types.iter().enumerate() {
        if kinds::find(name).is_none() {
            return Err(BAD_INPUT.at(&format!("/types/{at}"), format!("there is no type {name:.60}")));
        }
    }
    for (list, count) in [("/event_names", input.event_names.len()), ("/segment_ids", input.segment_ids.len())] {
        if count > LISTED_MAX {
            return Err(BAD_INPUT.at(list, format!("at most {LISTED_MAX}")));
        }
    }
    for (at, name) in input.event_names.iter().enumerate() {
        if name.is_empty() || name.chars().count() > 200 || name.contains(char::is_control) {
            return Err(BAD_INPUT.at(&format!("/event_names/{at}"), "a name of an event has 1 to 200 characters"));
        }
    }
    let filter = Filter {
        types: input.types,
        event_names: input.event_names,
        segment_ids: input.segment_ids.iter().map(|id| id.0).collect(),
        imported: input.imported,
    };
    Ok(Wanted { name: named(&input.name)?, url: url.to_string(), filter: filter.tidied() })
}

fn check_segments(tx: &mut Tx, wanted: &Wanted) -> Result<(), Problem> {
    if wanted.filter.segment_ids.is_empty() {
        return Ok(());
    }
    let rows = tx.rows("SELECT id FROM segments ORDER BY id LIMIT 10000", &[])?;
    for id in &wanted.filter.segment_ids {
        if !rows.iter().any(|r| r.int(0).is_ok_and(|found| found == *id)) {
            return Err(BAD_INPUT.at("/segment_ids", format!("there is no segment {id}")));
        }
    }
    Ok(())
}

/// Refuses an endpoint that is not there.
fn found(endpoint: Option<Endpoint>) -> Result<Endpoint, Problem> {
    endpoint.ok_or_else(|| NOT_FOUND.because("there is no such webhook"))
}

/// Lets reader and sender know after a change.
async fn told(app: &App) -> Result<(), Problem> {
    let any = app.query(|db| Ok(endpoints::any(db)?)).await?;
    app.webhooks.touch(any);
    Ok(())
}

/// A type of webhook.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct WebhookType {
    name: String,
    says: String,
    /// An example of `data`.
    #[schema(value_type = Object)]
    example: serde_json::Value,
}

/// Lists what can be told.
#[utoipa::path(get, path = "/api/v1/webhook-types", tag = "webhooks",
    responses((status = 200, body = inline(List<WebhookType>))))]
pub async fn list_webhook_types(_: ReadSettings) -> Json<List<WebhookType>> {
    let shown = kinds::KINDS.iter().map(|k| WebhookType {
        name: k.name.into(),
        says: k.says.into(),
        example: serde_json::from_str(k.example).unwrap_or_default(),
    });
    Json(List::whole(shown.collect()))
}

/// Lists who is told.
#[utoipa::path(get, path = "/api/v1/webhooks", tag = "webhooks",
    responses((status = 200, body = inline(List<Webhook>))))]
pub async fn list_webhooks(
    State(app): State<Arc<App>>,
    ReadSettings(caller): ReadSettings,
) -> Result<Json<List<Webhook>>, Problem> {
    let found = app
        .query(|db| {
            let all = endpoints::list(db)?;
            let with = all.into_iter().map(|e| Ok((rows::lately(db, e.id, LATELY)?, e)));
            with.collect::<Result<Vec<_>, Problem>>()
        })
        .await?;
    let (waiting, now) = (app.webhooks.waiting(), app.now());
    let shown = found.into_iter().map(|(lately, e)| {
        let waiting = waiting.get(&e.id).copied().unwrap_or_default();
        Webhook::new(e, Around { caller: &caller, waiting, lately, now })
    });
    Ok(Json(List::whole(shown.collect())))
}

/// Makes an endpoint; its secret is shown once.
#[utoipa::path(post, path = "/api/v1/webhooks", tag = "webhooks", request_body = WebhookInput,
    responses((status = 201, body = Webhook)))]
pub async fn create_webhook(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    input: Input<WebhookInput>,
) -> Result<Response, Problem> {
    let wanted = wanted(&app, input.value)?;
    let secret = Secret::new(base::random_bytes());
    let (shared, who) = (app.clone(), caller.clone());
    let answer = app.change(&caller, input.request, move |tx| {
        check_segments(tx, &wanted)?;
        let count = tx.first("SELECT CAST(COUNT(*) AS BIGINT) FROM webhook_endpoints", &[])?;
        if count.map_or(Ok(0), |r| r.int(0))? >= ENDPOINTS_MAX {
            return Err(CONFLICT.because(format!("there are {ENDPOINTS_MAX} webhooks already; delete one first")));
        }
        let sealed = |id| endpoints::seal(&shared.vault, id, &secret);
        let made = endpoints::add(tx, &wanted, &who.actor, &sealed)?.map_err(|e| internal(&e))?;
        let (id, after, version) = (made.id, made.audited(), made.version);
        let mut body = Webhook::fresh(made, &who, tx.now());
        let kept = serde_json::to_value(&body).ok();
        body.secret = Some(secret.reveal());
        let done = Done::created(body).noted(("create", "webhook"), id, None, Some(after)).versioned(version);
        Ok(Done { kept, ..done })
    });
    let answer = answer.await?;
    told(&app).await?;
    Ok(answer)
}

/// One endpoint.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}", tag = "webhooks", params(("id" = String, Path)),
    responses((status = 200, body = Webhook)))]
pub async fn get_webhook(
    State(app): State<Arc<App>>,
    ReadSettings(caller): ReadSettings,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    let (endpoint, lately) = app
        .query(move |db| {
            let endpoint = found(endpoints::find(db, id)?)?;
            Ok((endpoint, rows::lately(db, id, LATELY)?))
        })
        .await?;
    let waiting = app.webhooks.waiting().get(&id).copied().unwrap_or_default();
    let version = endpoint.version;
    let around = Around { caller: &caller, waiting, lately, now: app.now() };
    Ok(with_version(Webhook::new(endpoint, around), version))
}

/// Changes where and what.
#[utoipa::path(put, path = "/api/v1/webhooks/{id}", tag = "webhooks", params(("id" = String, Path)),
    request_body = WebhookInput, responses((status = 200, body = Webhook)))]
pub async fn update_webhook(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<WebhookInput>,
) -> Result<Response, Problem> {
    let (id, version, wanted) = (Id::in_path(&id)?, if_match(&headers)?, wanted(&app, input.value)?);
    changed(&app, caller, input.request, id, "update", move |tx, before| {
        check_version(version, before.version)?;
        check_segments(tx, &wanted)?;
        Ok(endpoints::update(tx, before, &wanted)?)
    })
    .await
}

async fn changed(
    app: &Arc<App>,
    caller: Caller,
    request: RequestKey,
    id: i64,
    action: &'static str,
    mut f: impl FnMut(&mut Tx, &Endpoint) -> Result<Endpoint, Problem> + Send + 'static,
) -> Result<Response, Problem> {
    let who = caller.clone();
    let answer = app.change(&caller, request, move |tx| {
        let before = found(endpoints::find(tx.engine(), id)?)?;
        let after = f(tx, &before)?;
        let (version, states) = (after.version, (Some(before.audited()), Some(after.audited())));
        let body = Webhook::fresh(after, &who, tx.now());
        Ok(Done::ok(body).noted((action, "webhook"), id, states.0, states.1).versioned(version))
    });
    let answer = answer.await?;
    told(app).await?;
    Ok(answer)
}

/// Takes an endpoint away with everything that waits for it.
#[utoipa::path(delete, path = "/api/v1/webhooks/{id}", tag = "webhooks", params(("id" = String, Path)),
    responses((status = 204, description = "Done")))]
pub async fn delete_webhook(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    let answer = app.change(&caller, input.request, move |tx| {
        let before = found(endpoints::find(tx.engine(), id)?)?;
        endpoints::remove(tx, id)?;
        Ok(Done::nothing().noted(("delete", "webhook"), id, Some(before.audited()), None))
    });
    let answer = answer.await?;
    told(&app).await?;
    Ok(answer)
}

/// Whether an endpoint gets anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WantedState {
    /// It does.
    Active,
    /// What happens is queued and waits.
    Paused,
}

/// What it is to be.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookStateInput {
    #[schema(inline)]
    state: WantedState,
}

/// Pauses an endpoint, or lets it go on; a disabled one begins anew with the present.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/state", tag = "webhooks", params(("id" = String, Path)),
    request_body = WebhookStateInput, responses((status = 200, body = Webhook)))]
pub async fn set_webhook_state(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    Path(id): Path<String>,
    input: Input<WebhookStateInput>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    let (state, action) = match input.value.state {
        WantedState::Active => (Standing::Active, "resume"),
        WantedState::Paused => (Standing::Paused, "pause"),
    };
    changed(&app, caller, input.request, id, action, move |tx, before| {
        if before.state == Standing::Disabled && state == Standing::Paused {
            return Err(CONFLICT.because("it is disabled; let it go on first"));
        }
        Ok(endpoints::set_state(tx, before, state)?)
    })
    .await
}

/// How long both secrets are good.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateInput {
    /// Hours for which the present secret signs too, 0 to 720; 24 without it. 0: it got out and must not.
    grace_hours: Option<i64>,
}

/// A new secret.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct WebhookSecret {
    /// `whsec_…`; shown once. Null in the answer to a repeat.
    secret: Option<String>,
    /// Until when the secret before signs too.
    #[schema(value_type = Option<String>, format = DateTime)]
    old_secret_until: Option<Timestamp>,
}

/// Gives an endpoint a new secret; it is shown once.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/rotate", tag = "webhooks", params(("id" = String, Path)),
    request_body = RotateInput, responses((status = 200, body = WebhookSecret)))]
pub async fn rotate_webhook_secret(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    Path(id): Path<String>,
    input: Input<RotateInput>,
) -> Result<Response, Problem> {
    let (id, hours) = (Id::in_path(&id)?, input.value.grace_hours.unwrap_or(24));
    if !(0..=720).contains(&hours) {
        return Err(BAD_INPUT.at("/grace_hours", "a number from 0 to 720"));
    }
    let (shared, secret) = (app.clone(), Secret::new(base::random_bytes()));
    app.change(&caller, input.request, move |tx| {
        let before = found(endpoints::find(tx.engine(), id)?)?;
        let sealed = endpoints::seal(&shared.vault, id, &secret).map_err(|e| internal(&e))?;
        let until = tx.now().plus(hours * HOUR_US);
        endpoints::rotate(tx, &before, &sealed, until)?;
        let old_secret_until = Some(until).filter(|_| hours > 0);
        let after = serde_json::json!({"grace_hours": hours});
        let kept = serde_json::to_value(WebhookSecret { secret: None, old_secret_until }).ok();
        let body = WebhookSecret { secret: Some(secret.reveal()), old_secret_until };
        Ok(Done { kept, ..Done::ok(body).noted(("rotate", "webhook"), id, None, Some(after)) })
    })
    .await
}
