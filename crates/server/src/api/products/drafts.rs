//! Versions of products, what is missing of them, and changes that wait for a second person.
use super::wire::ProductBody;
use super::wire::ProductWire;
use crate::app::App;
use crate::caller::{ReadCatalog, WriteCatalog};
use crate::change::Done;
use crate::input::{Id, Input, List, Params, cursor, limit, place};
use crate::problem::{BAD_INPUT, BAD_QUERY, CONFLICT, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use catalog::document::Difference;
use catalog::drafts::{self, Draft, DraftError, DraftState, DraftStep};
use catalog::schema::Schema;
use catalog::{completeness, document, products};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

fn problem(error: DraftError) -> Problem {
    match error {
        DraftError::NotFound(_) | DraftError::NoProduct(_) | DraftError::NoVersion(..) => {
            NOT_FOUND.because(error.to_string())
        }
        DraftError::Step(why) => CONFLICT.because(why),
        DraftError::Refused(r) => BAD_INPUT.at(&r.pointer, r.detail),
        DraftError::Store(error) => error.into(),
    }
}

/// One difference.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = ProductDifference)]
pub struct DifferenceWire {
    /// Such as `name`, `attributes/colour`, `variants/TEE-S/price`.
    pub path: String,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

impl DifferenceWire {
    fn of(d: Difference) -> Self {
        Self { path: d.path, before: d.before, after: d.after }
    }
}

/// A step of a product's history.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ProductVersion {
    /// The version that was left; the product can go back to it.
    version: i64,
    #[schema(value_type = String, format = DateTime)]
    at: base::Timestamp,
    actor: String,
    /// What the change after it did.
    changes: Vec<DifferenceWire>,
}

/// What became of a product, newest first; the 50 newest versions are kept.
#[utoipa::path(get, path = "/api/v1/products/{id}/history", tag = "catalog", params(("id" = String, Path)),
    responses((status = 200, body = inline(List<ProductVersion>))))]
pub async fn product_history(
    State(app): State<Arc<App>>,
    _: ReadCatalog,
    Path(id): Path<String>,
) -> Result<Json<List<ProductVersion>>, Problem> {
    let items = app
        .query(move |db| {
            let now =
                products::by_id(db, &id)?.ok_or_else(|| NOT_FOUND.because(format!("there is no product {id:.60}")))?;
            let schema = Schema::load(db)?;
            let mut after = document::of(&schema, &now);
            let mut out = Vec::new();
            for past in drafts::history(db, now.no, drafts::VERSIONS_MAX)? {
                let changes = document::differences(Some(&past.document), &after).into_iter().map(DifferenceWire::of);
                out.push(ProductVersion {
                    version: past.version,
                    at: past.at,
                    actor: past.actor,
                    changes: changes.collect(),
                });
                after = past.document;
            }
            Ok(out)
        })
        .await?;
    Ok(Json(List::whole(items)))
}

/// To which version.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RollBack {
    version: i64,
}

/// Makes a product what it was in a version.
#[utoipa::path(post, path = "/api/v1/products/{id}/roll-back", tag = "catalog", params(("id" = String, Path)),
    request_body = RollBack, responses((status = 200, body = ProductWire)))]
pub async fn roll_back_product(
    State(app): State<Arc<App>>,
    WriteCatalog(caller): WriteCatalog,
    Path(id): Path<String>,
    input: Input<RollBack>,
) -> Result<Response, Problem> {
    let (version, actor) = (input.value.version, caller.actor.clone());
    app.change(&caller, input.request, move |tx| {
        let product = drafts::roll_back(tx, &id, version, &actor).map_err(problem)?;
        let schema = catalog::schema::held(tx)?;
        let newest = product.version;
        let (before, after) = (json!(newest - 1), json!({"back_to": version, "version": newest}));
        let done = Done::ok(ProductWire::of(product, &schema)).versioned(newest);
        Ok(done.noted(("roll_back", "product"), &id, Some(before), Some(after)))
    })
    .await
}

/// What a channel wants of a product and does not find.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ProductGaps {
    channel: String,
    locale: String,
    filled: i64,
    required: i64,
    percent: i64,
    missing: Vec<Gap>,
}

/// A value that is missing.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Gap {
    attribute: String,
    /// Where one variant lacks it; null: the product does.
    sku: Option<String>,
}

/// How full a product is, and what is missing, by channel and language.
#[utoipa::path(get, path = "/api/v1/products/{id}/completeness", tag = "catalog", params(("id" = String, Path)),
    responses((status = 200, body = inline(List<ProductGaps>))))]
pub async fn product_completeness(
    State(app): State<Arc<App>>,
    _: ReadCatalog,
    Path(id): Path<String>,
) -> Result<Json<List<ProductGaps>>, Problem> {
    let items = app
        .query(move |db| {
            let p =
                products::by_id(db, &id)?.ok_or_else(|| NOT_FOUND.because(format!("there is no product {id:.60}")))?;
            let schema = Schema::load(db)?;
            let mut out = Vec::new();
            for channel in &schema.channels {
                for locale in &channel.locales {
                    let full = completeness::of(&schema, &p, channel, locale);
                    let gap = |m: &completeness::Missing| Gap { attribute: m.attribute.clone(), sku: m.sku.clone() };
                    out.push(ProductGaps {
                        channel: channel.code.clone(),
                        locale: locale.clone(),
                        filled: full.filled,
                        required: full.required,
                        percent: full.percent(),
                        missing: full.missing.iter().map(gap).collect(),
                    });
                }
            }
            Ok(out)
        })
        .await?;
    Ok(Json(List::whole(items)))
}

/// A change that waits.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ProductDraft)]
pub struct DraftWire {
    id: Id,
    product_id: String,
    state: String,
    note: String,
    author: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: base::Timestamp,
    decided_by: Option<String>,
    reason: Option<String>,
    /// What it would change of the product as it is now.
    changes: Vec<DifferenceWire>,
}

impl DraftWire {
    fn of(d: Draft, changes: Vec<Difference>) -> Self {
        Self {
            id: Id(d.no),
            product_id: d.change.id,
            state: d.state.as_str().into(),
            note: d.note,
            author: d.author,
            created_at: d.created_at,
            decided_by: Some(d.decided_by).filter(|t| !t.is_empty()),
            reason: Some(d.reason).filter(|t| !t.is_empty()),
            changes: changes.into_iter().map(DifferenceWire::of).collect(),
        }
    }
}

/// Which drafts.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DraftsQuery {
    /// draft, submitted, approved, rejected, withdrawn; all without it.
    state: Option<String>,
    /// A product's id.
    product: Option<String>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Lists changes that wait or waited, newest first.
#[utoipa::path(get, path = "/api/v1/product-drafts", tag = "catalog", params(DraftsQuery),
    responses((status = 200, body = inline(List<DraftWire>))))]
pub async fn list_product_drafts(
    State(app): State<Arc<App>>,
    _: ReadCatalog,
    Params(q): Params<DraftsQuery>,
) -> Result<Json<List<DraftWire>>, Problem> {
    let limit = limit(q.limit)?.min(100);
    let before = place::<1>(q.cursor.as_deref())?.map_or(0, |[no]| no);
    let state = q.state.unwrap_or_default();
    if !state.is_empty() && DraftState::parse(&state).is_none() {
        return Err(BAD_QUERY.because("state is draft, submitted, approved, rejected or withdrawn"));
    }
    let items = app
        .query(move |db| {
            let schema = Schema::load(db)?;
            let product = match &q.product {
                None => 0,
                Some(id) => products::by_id(db, id)?.map_or(-1, |p| p.no),
            };
            let mut out = Vec::new();
            for draft in drafts::list(db, &state, product, before, limit + 1)? {
                let changes = drafts::preview(db, &schema, &draft)?;
                out.push(DraftWire::of(draft, changes));
            }
            Ok(out)
        })
        .await?;
    Ok(Json(List::page(items, limit, |d| cursor(&[d.id.0]))))
}

/// A change to keep.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftInput {
    change: ProductBody,
    /// Why, for whoever decides.
    #[serde(default)]
    note: String,
}

fn noted(note: &str) -> Result<String, Problem> {
    let note = note.trim().replace('\0', "\u{fffd}");
    if note.chars().count() > 2_000 {
        Err(BAD_INPUT.at("/note", "a note has at most 2,000 characters"))
    } else {
        Ok(note)
    }
}

/// Keeps a change as a draft.
#[utoipa::path(post, path = "/api/v1/product-drafts", tag = "catalog", request_body = DraftInput,
    responses((status = 201, body = DraftWire)))]
pub async fn create_product_draft(
    State(app): State<Arc<App>>,
    WriteCatalog(caller): WriteCatalog,
    input: Input<DraftInput>,
) -> Result<Response, Problem> {
    let (note, actor) = (noted(&input.value.note)?, caller.actor.clone());
    let change: catalog::model::ProductInput = input.value.change.into();
    app.change(&caller, input.request, move |tx| {
        let draft = drafts::create(tx, &actor, change.clone(), &note).map_err(problem)?;
        let schema = catalog::schema::held(tx)?;
        let changes = drafts::preview(tx.engine(), &schema, &draft)?;
        let (no, after) = (draft.no, json!({"product": draft.change.id}));
        Ok(Done::created(DraftWire::of(draft, changes)).noted(("create", "product draft"), no, None, Some(after)))
    })
    .await
}

/// What to do with a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DraftDecision {
    Submit,
    Approve,
    Reject,
    Withdraw,
}

/// A step of a draft.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideDraft {
    step: DraftDecision,
    #[serde(default)]
    reason: String,
}

/// Moves a draft on: submitted, approved by somebody else than its author and put into the product at once, rejected, withdrawn.
#[utoipa::path(post, path = "/api/v1/product-drafts/{id}", tag = "catalog", params(("id" = String, Path)),
    request_body = DecideDraft, responses((status = 200, body = DraftWire)))]
pub async fn decide_product_draft(
    State(app): State<Arc<App>>,
    WriteCatalog(caller): WriteCatalog,
    Path(id): Path<String>,
    input: Input<DecideDraft>,
) -> Result<Response, Problem> {
    let (id, reason, actor) = (Id::in_path(&id)?, noted(&input.value.reason)?, caller.actor.clone());
    let step = match input.value.step {
        DraftDecision::Submit => DraftStep::Submit,
        DraftDecision::Approve => DraftStep::Approve,
        DraftDecision::Reject => DraftStep::Reject,
        DraftDecision::Withdraw => DraftStep::Withdraw,
    };
    app.change(&caller, input.request, move |tx| {
        let draft = drafts::decide(tx, id, step, &actor, &reason).map_err(problem)?;
        let schema = catalog::schema::held(tx)?;
        let changes = drafts::preview(tx.engine(), &schema, &draft)?;
        let after = json!({"product": draft.change.id, "state": draft.state.as_str()});
        Ok(Done::ok(DraftWire::of(draft, changes)).noted(("decide", "product draft"), id, None, Some(after)))
    })
    .await
}
