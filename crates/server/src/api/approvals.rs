//! `/export-approvals`: large exports wait for a second person.
use crate::access::Act;
use crate::app::App;
use crate::approvals::{self, Approval, State as Standing};
use crate::caller::{ApproveExport, WriteExports};
use crate::change::Done;
use crate::input::{Id, Input, List, Page, Params, cursor, limit, place};
use crate::problem::{BAD_INPUT, CONFLICT, NOT_ALLOWED, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// Somebody wants to export many rows.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ExportApproval)]
pub struct ApprovalBody {
    id: Id,
    what: String,
    rows: i64,
    reason: String,
    requested_by: String,
    #[schema(value_type = String, format = DateTime)]
    requested_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    decided_by: Option<String>,
    #[schema(inline)]
    state: Standing,
    /// Whether the one who asks may decide it.
    may_decide: bool,
}

impl ApprovalBody {
    fn new(a: Approval, caller: &crate::caller::Caller, now: Timestamp) -> Self {
        let state = a.state(now);
        Self {
            may_decide: state == Standing::Waiting && caller.may(Act::ApproveExport) && a.requested_by != caller.actor,
            id: Id(a.id),
            what: a.what,
            rows: a.rows,
            reason: a.reason,
            requested_by: a.requested_by,
            requested_at: a.requested_at,
            expires_at: a.expires_at,
            decided_by: Some(a.decided_by).filter(|d| !d.is_empty()),
            state,
        }
    }
}

/// What one wants to export.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApproval {
    /// The export, as its route names it: `customers`, `segment/12`.
    what: String,
    /// Rows, at most.
    rows: i64,
    reason: String,
}

/// A decision.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    approve: bool,
}

fn audited(a: &Approval) -> Value {
    json!({"what": a.what, "rows": a.rows, "reason": a.reason, "requested_by": a.requested_by, "decided_by": a.decided_by,
        "approved": a.approved})
}

/// Lists requests, newest first: owners see all, others their own.
#[utoipa::path(get, path = "/api/v1/export-approvals", tag = "exports", params(Page),
    responses((status = 200, body = inline(List<ApprovalBody>))))]
pub async fn list_export_approvals(
    State(app): State<Arc<App>>,
    WriteExports(caller): WriteExports,
    Params(page): Params<Page>,
) -> Result<Json<List<ApprovalBody>>, Problem> {
    let limit = limit(page.limit)?;
    let before = place::<1>(page.cursor.as_deref())?.map_or(i64::MAX, |[id]| id);
    let rows = app.query(move |db| Ok(approvals::list(db, before, limit + 1)?)).await?;
    let now = app.now();
    let all = caller.may(Act::ApproveExport);
    let next = (rows.len() as i64 > limit).then(|| cursor(&[rows[limit as usize - 1].id]));
    let shown = rows.into_iter().take(limit as usize).filter(|a| all || a.requested_by == caller.actor);
    let items = shown.map(|a| ApprovalBody::new(a, &caller, now)).collect();
    Ok(Json(List { items, next_cursor: next }))
}

/// Asks for the approval of an export.
#[utoipa::path(post, path = "/api/v1/export-approvals", tag = "exports", request_body = NewApproval,
    responses((status = 201, body = ApprovalBody)))]
pub async fn request_export_approval(
    State(app): State<Arc<App>>,
    WriteExports(caller): WriteExports,
    input: Input<NewApproval>,
) -> Result<Response, Problem> {
    let new = input.value;
    let reason = reason(&new.reason)?;
    if new.what.is_empty() || new.what.len() > 200 || new.what.contains(char::is_control) {
        return Err(BAD_INPUT.at("/what", "names an export, such as segment/12"));
    }
    if !(1..=1_000_000_000).contains(&new.rows) {
        return Err(BAD_INPUT.at("/rows", "a number of rows"));
    }
    let who = caller.clone();
    app.change(&caller, input.request, move |tx| {
        let made = approvals::add(tx, &who.actor, &new.what, new.rows, &reason)?;
        let (id, after) = (made.id, audited(&made));
        let body = ApprovalBody::new(made, &who, tx.now());
        Ok(Done::created(body).noted(("request", "export_approval"), id, None, Some(after)))
    })
    .await
}

/// Approves or refuses somebody else's export.
#[utoipa::path(post, path = "/api/v1/export-approvals/{id}/decide", tag = "exports", params(("id" = String, Path)),
    request_body = Decision, responses((status = 200, body = ApprovalBody)))]
pub async fn decide_export_approval(
    State(app): State<Arc<App>>,
    ApproveExport(caller): ApproveExport,
    Path(id): Path<String>,
    input: Input<Decision>,
) -> Result<Response, Problem> {
    let (id, approve, who) = (Id::in_path(&id)?, input.value.approve, caller.clone());
    app.change(&caller, input.request, move |tx| {
        let before = approvals::find(tx, id)?.ok_or_else(|| NOT_FOUND.because("there is no such request"))?;
        // A key is not a person, least of all a second one.
        if who.user.is_none() {
            return Err(NOT_ALLOWED.because("a person approves, not a key"));
        }
        if before.requested_by == who.actor {
            return Err(NOT_ALLOWED.because("nobody approves their own export"));
        }
        if before.state(tx.now()) != Standing::Waiting {
            return Err(CONFLICT.because("this was decided already, or is too old"));
        }
        approvals::decide(tx, id, &who.actor, approve)?;
        let after =
            Approval { decided_by: who.actor.clone(), decided_at: Some(tx.now()), approved: approve, ..before.clone() };
        let states = (Some(audited(&before)), Some(audited(&after)));
        let action = if approve { "approve" } else { "refuse" };
        let body = ApprovalBody::new(after, &who, tx.now());
        Ok(Done::ok(body).noted((action, "export_approval"), id, states.0, states.1))
    })
    .await
}

/// A reason as people give them: three letters at least, or it is none.
pub fn reason(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if !(3..=500).contains(&text.chars().count()) || text.contains('\0') {
        return Err(BAD_INPUT.at("/reason", "a reason has 3 to 500 characters"));
    }
    Ok(text.to_string())
}
