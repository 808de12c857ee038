//! `/identity/review`: pairs of people that somebody must look at.
use super::shown;
use crate::api::customers::row::{self, CustomerRow};
use crate::app::App;
use crate::caller::{Caller, ReadIdentity, WriteIdentity};
use crate::change::Done;
use crate::input::{Id, Input, Params, cursor, limit, place};
use crate::problem::{BAD_INPUT, CONFLICT, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::Timestamp;
use customers::joins::JoinError;
use customers::review::{self, Decision, Item, Which};
use db::Tx;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// Which pairs.
#[derive(Debug, Clone, Copy, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReviewState {
    /// Those that wait for a look.
    #[default]
    Open,
    /// Those that were decided.
    Closed,
}

/// Which page.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReviewQuery {
    #[param(inline)]
    state: Option<ReviewState>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// A pair to look at.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ReviewItem {
    /// Both profiles; together they name the pair in addresses: `{a}-{b}`.
    a: Id,
    b: Id,
    /// Who asks: `same_event` and `alias` where an event says that two are one whom somebody took apart, `resolve` for lists
    /// without a shared key.
    rule: String,
    /// The identifier of that event.
    kind: Option<String>,
    value: Option<String>,
    message_id: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// That both are one, where it is known.
    probability: Option<f64>,
    /// What speaks for it, in words.
    evidence: String,
    /// Both people; null for one that is gone.
    person_a: Option<CustomerRow>,
    person_b: Option<CustomerRow>,
    /// `join` or `keep_apart`, once it was decided.
    decision: Option<String>,
    actor: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Timestamp>,
}

/// A page of pairs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ReviewList {
    items: Vec<ReviewItem>,
    next_cursor: Option<String>,
    /// How many wait for a look.
    open: i64,
}

/// Lists pairs to look at, the newest first.
#[utoipa::path(get, path = "/api/v1/identity/review", tag = "identity", params(ReviewQuery),
    responses((status = 200, body = ReviewList)))]
pub async fn list_review(
    State(app): State<Arc<App>>,
    ReadIdentity(caller): ReadIdentity,
    Params(q): Params<ReviewQuery>,
) -> Result<Json<ReviewList>, Problem> {
    let (limit, now, after) = (limit(q.limit)?, app.now(), place::<3>(q.cursor.as_deref())?);
    let which = match q.state.unwrap_or_default() {
        ReviewState::Open => Which::Open,
        ReviewState::Closed => Which::Closed,
    };
    let (mut items, open) =
        app.query(move |db| Ok((review::list(db, which, now, after, limit + 1)?, review::open(db, now)?))).await?;
    let more = items.len() as i64 > limit;
    items.truncate(limit as usize);
    let next_cursor = items.last().filter(|_| more).map(|i| cursor(&[i.at.micros(), i.a, i.b]));
    let counters = app.domain.preparer().current().counters;
    let items = app
        .read(move |tx| {
            let mut out = Vec::with_capacity(items.len());
            for item in items {
                let a = row::of_ids(tx, &[item.a], &counters)?.into_iter().next();
                let b = row::of_ids(tx, &[item.b], &counters)?.into_iter().next();
                out.push(body(&caller, item, a, b));
            }
            Ok(out)
        })
        .await?;
    Ok(Json(ReviewList { items, next_cursor, open }))
}

fn body(caller: &Caller, item: Item, person_a: Option<CustomerRow>, person_b: Option<CustomerRow>) -> ReviewItem {
    let said = |text: String| Some(text).filter(|t| !t.is_empty());
    ReviewItem {
        a: Id(item.a),
        b: Id(item.b),
        rule: item.rule,
        value: said(shown(caller, &item.kind, &item.value)),
        kind: said(item.kind),
        message_id: said(item.message_id),
        at: item.at,
        probability: item.probability,
        evidence: item.evidence,
        person_a,
        person_b,
        decision: said(item.decision),
        actor: said(item.actor),
        closed_at: item.closed_at,
    }
}

/// What is decided.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReviewDecision {
    /// Both are one person; undone by removing the edge.
    Join,
    /// They are not, and nothing joins them any more.
    KeepApart,
    /// Asked again in a week.
    Later,
}

impl ReviewDecision {
    fn meant(self) -> Decision {
        match self {
            Self::Join => Decision::Join,
            Self::KeepApart => Decision::KeepApart,
            Self::Later => Decision::Later,
        }
    }
}

/// A decision.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewDecisionInput {
    decision: ReviewDecision,
}

/// What came of a decision.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ReviewResult {
    a: Id,
    b: Id,
    decision: String,
    /// The person that both are now, if they were joined.
    person_id: Option<Id>,
    /// What joined them; removing it separates them again.
    edge: Option<Id>,
}

fn decide(
    tx: &mut Tx,
    app: &App,
    (a, b): (i64, i64),
    decision: Decision,
    actor: &str,
) -> Result<ReviewResult, Problem> {
    let item = review::find(tx, a, b)?.ok_or_else(|| NOT_FOUND.because(format!("no such pair waits: {a}-{b}")))?;
    if item.closed_at.is_some() {
        return Err(CONFLICT.because(format!("{a}-{b} was decided already: {}", item.decision)));
    }
    let joined = pipeline::joins::decide(tx, app.domain.preparer(), &item, decision, actor).map_err(refused)?;
    let (person_id, edge) = joined.map_or((None, None), |j| (Some(Id(j.person_id)), Some(Id(j.edge))));
    Ok(ReviewResult { a: Id(item.a), b: Id(item.b), decision: decision.as_str().into(), person_id, edge })
}

/// What stands in the way of a join.
pub fn refused(error: JoinError) -> Problem {
    match error {
        JoinError::NoPerson(_) => NOT_FOUND.because(error.to_string()),
        JoinError::SamePerson | JoinError::TooMany(_) => CONFLICT.because(error.to_string()),
        JoinError::Store(error) => error.into(),
    }
}

/// Decides about a pair.
#[utoipa::path(post, path = "/api/v1/identity/review/{pair}", tag = "identity", params(("pair" = String, Path)),
    request_body = ReviewDecisionInput, responses((status = 200, body = ReviewResult)))]
pub async fn decide_review(
    State(app): State<Arc<App>>,
    WriteIdentity(caller): WriteIdentity,
    Path(pair): Path<String>,
    input: Input<ReviewDecisionInput>,
) -> Result<Response, Problem> {
    let (a, b) = pair.split_once('-').ok_or_else(|| NOT_FOUND.because("a pair is {a}-{b}"))?;
    let pair = (Id::in_path(a)?, Id::in_path(b)?);
    let (decision, actor, own) = (input.value.decision.meant(), caller.actor.clone(), app.clone());
    app.change(&caller, input.request, move |tx| {
        let done = decide(tx, &own, pair, decision, &actor)?;
        let after = json!({"decision": decision.as_str(), "person_id": done.person_id});
        let subject = format!("{}-{}", pair.0, pair.1);
        Ok(Done::ok(done).noted(("decide", "review"), subject, None, Some(after)))
    })
    .await
}

/// A pair of a bulk decision.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewPair {
    a: Id,
    b: Id,
}

/// One decision about many pairs.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewBulk {
    pairs: Vec<ReviewPair>,
    decision: ReviewDecision,
}

/// What came of each.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ReviewBulkResult {
    items: Vec<ReviewResult>,
}

/// Pairs in one bulk decision.
const BULK_MAX: usize = 200;

/// Decides about many pairs at once; none is changed if one of them was decided already or is not there.
#[utoipa::path(post, path = "/api/v1/identity/review", tag = "identity", request_body = ReviewBulk,
    responses((status = 200, body = ReviewBulkResult)))]
pub async fn decide_reviews(
    State(app): State<Arc<App>>,
    WriteIdentity(caller): WriteIdentity,
    input: Input<ReviewBulk>,
) -> Result<Response, Problem> {
    let ReviewBulk { pairs, decision } = input.value;
    if pairs.is_empty() || pairs.len() > BULK_MAX {
        return Err(BAD_INPUT.at("/pairs", format!("name 1 to {BULK_MAX} pairs")));
    }
    let (decision, actor, own) = (decision.meant(), caller.actor.clone(), app.clone());
    app.change(&caller, input.request, move |tx| {
        for (at, pair) in pairs.iter().enumerate() {
            match review::find(tx, pair.a.0, pair.b.0)? {
                Some(item) if item.closed_at.is_none() => {}
                Some(_) => return Err(CONFLICT.at(&format!("/pairs/{at}"), "this pair was decided already")),
                None => return Err(NOT_FOUND.at(&format!("/pairs/{at}"), "no such pair waits")),
            }
        }
        let mut items = Vec::with_capacity(pairs.len());
        for pair in &pairs {
            items.push(decide(tx, &own, (pair.a.0, pair.b.0), decision, &actor)?);
        }
        let subject = format!("{} pairs", items.len());
        let after = json!({"decision": decision.as_str(), "pairs": items.len()});
        Ok(Done::ok(ReviewBulkResult { items }).noted(("decide", "review"), subject, None, Some(after)))
    })
    .await
}
