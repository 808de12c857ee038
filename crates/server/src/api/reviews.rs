//! `/reviews`: what customers wrote of products, here and elsewhere; the unanswered negative ones first (P3, AA5).
use crate::api::orders::refused;
use crate::app::App;
use crate::caller::{ReadReviews, WriteReviews};
use crate::change::{Done, check_version, with_version};
use crate::input::{Id, Input, List, Params, cursor, if_match, limit, place as place_in};
use crate::problem::{BAD_INPUT, BAD_QUERY, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use base::Timestamp;
use catalog::products;
use db::{Engine, Tx};
use orders::reviews::commands::{self, Brought, Deed};
use orders::reviews::lists::{self, Which};
use orders::reviews::{Rating, Review, Source, Written};
use orders::states::reviews::Review as ReviewState;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Reviews that are brought at once.
const BROUGHT_MAX: usize = 500;

/// The routes of reviews.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_reviews, bring_reviews))
        .routes(routes!(get_review))
        .routes(routes!(step_review))
        .routes(routes!(product_rating))
}

/// Which ones.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReviewsQuery {
    /// `awaiting`, `published` or `rejected`.
    state: Option<String>,
    /// `own`, `import` or `marketplace`.
    source: Option<String>,
    /// 1 to 5 stars.
    rating: Option<i64>,
    /// The shop's own id of a product.
    product_id: Option<String>,
    /// Only those without an answer.
    unanswered: Option<bool>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// A review.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ReviewBody {
    id: Id,
    product_id: String,
    product_name: String,
    sku: String,
    /// The order that it was bought with; null: written elsewhere.
    order_number: Option<String>,
    /// `own`, `import` or `marketplace`.
    source: String,
    /// By what its source knows it.
    source_id: String,
    /// `awaiting`, `published` or `rejected`.
    state: String,
    /// Why it is rejected.
    reason: String,
    rating: i64,
    title: String,
    text: String,
    /// As it is shown.
    name: String,
    lang: String,
    /// Whoever wrote it bought it here.
    verified: bool,
    /// It is negative and nobody answered.
    raised: bool,
    answer: String,
    answered_by: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    answered_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    written_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    version: i64,
}

impl ReviewBody {
    fn of(item: lists::Item) -> Self {
        let r = item.review;
        Self {
            id: Id(r.no),
            product_id: item.product_id,
            product_name: item.product_name,
            sku: item.sku,
            order_number: Some(item.order_number).filter(|n| !n.is_empty()),
            source: r.source.as_str().into(),
            source_id: r.source_id,
            state: r.state.as_str().into(),
            reason: r.reason,
            rating: r.written.rating,
            title: r.written.title,
            text: r.written.text,
            name: r.written.name,
            lang: r.written.lang,
            verified: r.bought.is_some(),
            raised: item.raised,
            answer: r.answer,
            answered_by: r.answered_by,
            answered_at: Some(r.answered_at).filter(|at| at.micros() > 0),
            written_at: r.written_at,
            updated_at: r.updated_at,
            version: r.version,
        }
    }
}

/// Sums of a product's published reviews.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ProductRating {
    count: i64,
    /// To two decimals, such as `4.67`; null of none.
    mean: Option<String>,
    /// How many of one to five stars.
    stars: Vec<i64>,
}

impl ProductRating {
    fn of(rating: &Rating) -> Self {
        Self { count: rating.count(), mean: rating.mean(), stars: rating.stars.to_vec() }
    }
}

fn product_no(db: &mut dyn products::Read, id: &str) -> Result<i64, Problem> {
    let found = products::by_id(db, id)?;
    Ok(found.ok_or_else(|| NOT_FOUND.because(format!("there is no product {id:.60}")))?.no)
}

impl ReviewsQuery {
    fn which(&self, db: &mut Engine) -> Result<Which, Problem> {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let (state, source) = (text(&self.state), text(&self.source));
        if !state.is_empty() && ReviewState::parse(&state).is_none() {
            return Err(BAD_QUERY.because("state is awaiting, published or rejected"));
        }
        if !source.is_empty() && Source::parse(&source).is_none() {
            return Err(BAD_QUERY.because("source is own, import or marketplace"));
        }
        if self.rating.is_some_and(|rating| !(1..=5).contains(&rating)) {
            return Err(BAD_QUERY.because("rating is 1 to 5"));
        }
        let product_no = match text(&self.product_id).as_str() {
            "" => 0,
            id => product_no(db, id)?,
        };
        let unanswered = self.unanswered.unwrap_or_default();
        Ok(Which { state, source, rating: self.rating.unwrap_or(0), product_no, unanswered })
    }
}

/// Lists reviews: the negative ones that nobody answered first, then the newest.
#[utoipa::path(get, path = "/api/v1/reviews", tag = "reviews", params(ReviewsQuery),
    responses((status = 200, body = inline(List<ReviewBody>))))]
pub async fn list_reviews(
    State(app): State<Arc<App>>,
    _: ReadReviews,
    Params(query): Params<ReviewsQuery>,
) -> Result<Json<List<ReviewBody>>, Problem> {
    let limit = limit(query.limit)?;
    let after = place_in::<2>(query.cursor.as_deref())?.map_or((2, 0), |[raised, no]| (raised, no));
    let rows = app
        .query(move |db| {
            let which = query.which(db)?;
            Ok(lists::reviews(db, &which, after, limit + 1)?)
        })
        .await?;
    let page = List::page(rows, limit, |row| cursor(&[i64::from(row.raised), row.review.no]));
    let items = page.items.into_iter().map(ReviewBody::of).collect();
    Ok(Json(List { items, next_cursor: page.next_cursor }))
}

fn shown(tx: &mut Tx, review: &Review) -> Result<ReviewBody, Problem> {
    let found = lists::item(tx, review)?;
    Ok(ReviewBody::of(found))
}

/// Shows a review.
#[utoipa::path(get, path = "/api/v1/reviews/{id}", tag = "reviews", params(("id" = String, Path)),
    responses((status = 200, body = ReviewBody)))]
pub async fn get_review(
    State(app): State<Arc<App>>,
    _: ReadReviews,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let no = Id::in_path(&id)?;
    let found = app
        .read(move |tx| {
            let review = commands::review_of(tx, no).map_err(|e| refused(tx, e))?;
            shown(tx, &review)
        })
        .await?;
    let version = found.version;
    Ok(with_version(found, version))
}

/// What is done with a review.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum ReviewStep {
    /// Shows it.
    Publish,
    /// Hides it; its writer sees why.
    Reject { reason: String },
    /// Answers it, shown below it; nothing takes the answer back.
    Answer { text: String },
}

/// Publishes, rejects or answers a review.
#[utoipa::path(post, path = "/api/v1/reviews/{id}/steps", tag = "reviews", params(("id" = String, Path)),
    request_body = ReviewStep, responses((status = 200, body = ReviewBody)))]
pub async fn step_review(
    State(app): State<Arc<App>>,
    WriteReviews(caller): WriteReviews,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<ReviewStep>,
) -> Result<Response, Problem> {
    let (no, given, wanted, actor) = (Id::in_path(&id)?, input.value, if_match(&headers)?, caller.actor.clone());
    app.change(&caller, input.request, move |tx| {
        let known = commands::review_of(tx, no).map_err(|e| refused(tx, e))?;
        check_version(wanted, known.version)?;
        let (deed, what) = match &given {
            ReviewStep::Publish => (Deed::Publish, "publish"),
            ReviewStep::Reject { reason } => (Deed::Reject(reason.clone()), "reject"),
            ReviewStep::Answer { text } => (Deed::Answer(text.clone()), "answer"),
        };
        let (before, after) = commands::act(tx, no, &deed, &actor).map_err(|e| refused(tx, e))?;
        let state = |r: &Review| json!({"state": r.state.as_str(), "answered": !r.answer.is_empty()});
        let done = Done::ok(shown(tx, &after)?).versioned(after.version);
        Ok(done.noted((what, "review"), no, Some(state(&before)), Some(state(&after))))
    })
    .await
}

/// A review that was written elsewhere.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BroughtReview {
    /// The shop's own id.
    product_id: String,
    /// `import` or `marketplace`.
    source: String,
    /// By what its source knows it: brought again, it is changed.
    source_id: String,
    rating: i64,
    #[serde(default)]
    title: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    lang: String,
    /// What was answered there.
    #[serde(default)]
    answer: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    written_at: Option<Timestamp>,
}

/// Reviews of elsewhere.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BroughtReviews {
    /// Up to 500.
    reviews: Vec<BroughtReview>,
}

/// What came of them.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ReviewsTaken {
    taken: i64,
}

/// Takes reviews from elsewhere, all of them or none.
#[utoipa::path(post, path = "/api/v1/reviews", tag = "reviews", request_body = BroughtReviews,
    responses((status = 200, body = ReviewsTaken)))]
pub async fn bring_reviews(
    State(app): State<Arc<App>>,
    WriteReviews(caller): WriteReviews,
    input: Input<BroughtReviews>,
) -> Result<Response, Problem> {
    let (given, actor) = (input.value.reviews, caller.actor.clone());
    if given.is_empty() || given.len() > BROUGHT_MAX {
        return Err(BAD_INPUT.at("/reviews", format!("1 to {BROUGHT_MAX} reviews at once")));
    }
    app.change(&caller, input.request, move |tx| {
        for (at, one) in given.iter().enumerate() {
            let place = |pointer: &str| format!("/reviews/{at}{pointer}");
            let no = product_no(tx, &one.product_id).map_err(|_| {
                BAD_INPUT.at(&place("/product_id"), format!("there is no product {:.60}", one.product_id))
            })?;
            let source = Source::parse(&one.source);
            let source = source.ok_or_else(|| BAD_INPUT.at(&place("/source"), "import or marketplace"))?;
            let brought = Brought {
                product_no: no,
                source,
                source_id: one.source_id.clone(),
                written: Written {
                    rating: one.rating,
                    title: one.title.clone(),
                    text: one.text.clone(),
                    name: one.name.clone(),
                    lang: one.lang.clone(),
                },
                written_at: one.written_at.unwrap_or(tx.now()),
                answer: one.answer.clone(),
            };
            commands::bring(tx, &brought, &actor).map_err(|e| match e {
                orders::OrderError::Field { pointer, detail } => BAD_INPUT.at(&place(&pointer), detail),
                other => refused(tx, other),
            })?;
        }
        let taken = ReviewsTaken { taken: given.len() as i64 };
        Ok(Done::ok(taken).noted(("bring", "review"), "", None, Some(json!({"reviews": given.len()}))))
    })
    .await
}

/// Shows what is published of a product, in sums.
#[utoipa::path(get, path = "/api/v1/products/{id}/rating", tag = "reviews", params(("id" = String, Path)),
    responses((status = 200, body = ProductRating)))]
pub async fn product_rating(
    State(app): State<Arc<App>>,
    _: ReadReviews,
    Path(id): Path<String>,
) -> Result<Json<ProductRating>, Problem> {
    let found = app.query(move |db| {
        let no = product_no(db, &id)?;
        Ok(ProductRating::of(&commands::read_rating(db, no)?))
    });
    Ok(Json(found.await?))
}
