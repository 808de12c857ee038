//! `/computed-traits`: what the shop computes of each customer itself.
use crate::api::customers::known::value_of;
use crate::api::customers::row::{self, CustomerRow};
use crate::api::segments::bad_expression;
use crate::app::App;
use crate::caller::{ReadSettings, WriteSettings};
use crate::change::{Done, check_version, with_version};
use crate::input::{Id, Input, List, Nothing, if_match};
use crate::problem::{ALREADY_EXISTS, BAD_EXPRESSION, BAD_INPUT, CONFLICT, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use base::Timestamp;
use customers::counters::Kind;
use db::Tx;
use segments::runtime::computed::{self, ComputedError, Wanted};
use segments::runtime::definitions::{self, kind_text};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// The type of a computed trait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TraitType {
    /// Nine decimal places.
    Number,
    /// Text.
    Text,
    /// True or false.
    Bool,
}

impl From<TraitType> for Kind {
    fn from(t: TraitType) -> Self {
        match t {
            TraitType::Number => Kind::Number,
            TraitType::Text => Kind::Text,
            TraitType::Bool => Kind::Bool,
        }
    }
}

impl From<Kind> for TraitType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Number => TraitType::Number,
            Kind::Text => TraitType::Text,
            Kind::Bool => TraitType::Bool,
        }
    }
}

/// Whether a trait knows the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TraitState {
    /// Its past is still being counted; it has no values yet.
    Filling,
    /// It follows every event.
    Live,
}

/// A computed trait.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ComputedTrait {
    id: Id,
    /// As a condition names it: `trait.` and this.
    name: String,
    title: String,
    expression: String,
    kind: TraitType,
    state: TraitState,
    /// From 0 to 1.
    progress: f64,
    version: i64,
    /// Segments that ask for it.
    segments: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// What a person writes.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ComputedInput {
    /// Small letters, digits and `_`.
    name: String,
    /// As people call it.
    #[serde(default)]
    title: String,
    /// `sum("Order Completed".total in last 90 days)`; see docs/traits.md.
    expression: String,
    kind: TraitType,
}

impl From<ComputedInput> for Wanted {
    fn from(input: ComputedInput) -> Self {
        let ComputedInput { name, title, expression, kind } = input;
        let plain = |text: String| text.trim().replace('\0', "\u{fffd}");
        Wanted { name: plain(name), title: plain(title), expression: plain(expression), kind: kind.into() }
    }
}

fn refused(error: ComputedError) -> Problem {
    match error {
        ComputedError::Expression(e) => bad_expression(&e),
        ComputedError::Type(e) => BAD_EXPRESSION.at("/kind", e.to_string()),
        ComputedError::Name => BAD_INPUT.at("/name", error.to_string()),
        ComputedError::Title => BAD_INPUT.at("/title", error.to_string()),
        ComputedError::Taken(_) => ALREADY_EXISTS.at("/name", error.to_string()),
        ComputedError::Sent(_) => CONFLICT.at("/name", error.to_string()),
        ComputedError::Needed(_) | ComputedError::TooMany => CONFLICT.because(error.to_string()),
        ComputedError::NotFound(_) => NOT_FOUND.because(error.to_string()),
        ComputedError::Store(error) => error.into(),
    }
}

fn body(tx: &mut Tx, one: &definitions::ComputedTrait) -> Result<ComputedTrait, Problem> {
    let compiled = definitions::current(tx)?;
    let asks = compiled.segments.iter().filter(|s| s.plan().dependencies().computed.contains(&*one.name));
    Ok(ComputedTrait {
        id: Id(one.id),
        name: one.name.clone(),
        title: one.title.clone(),
        expression: one.expression.clone(),
        kind: one.kind.into(),
        state: if one.live { TraitState::Live } else { TraitState::Filling },
        progress: computed::progress(tx, one)?,
        version: one.version,
        segments: asks.map(|s| s.name.clone()).collect(),
        created_at: Timestamp::from_micros(one.created_at_us),
        updated_at: Timestamp::from_micros(one.updated_at_us),
    })
}

fn found(tx: &mut Tx, id: i64) -> Result<definitions::ComputedTrait, Problem> {
    let found = definitions::current(tx)?.find_computed(id).cloned();
    found.ok_or_else(|| NOT_FOUND.because(format!("there is no computed trait {id}")))
}

fn noted(one: &definitions::ComputedTrait) -> Option<Value> {
    let kind = kind_text(one.kind);
    Some(
        json!({"name": one.name, "title": one.title, "expression": one.expression, "kind": kind, "version": one.version}),
    )
}

/// Lists the computed traits by name.
#[utoipa::path(get, path = "/api/v1/computed-traits", tag = "customers",
    responses((status = 200, body = inline(List<ComputedTrait>))))]
pub async fn list_computed_traits(
    State(app): State<Arc<App>>,
    _: ReadSettings,
) -> Result<Json<List<ComputedTrait>>, Problem> {
    let items = app
        .read(|tx| {
            let compiled = definitions::current(tx)?;
            compiled.computed.iter().map(|one| body(tx, one)).collect()
        })
        .await?;
    Ok(Json(List::whole(items)))
}

/// Defines a computed trait; a job counts its past.
#[utoipa::path(post, path = "/api/v1/computed-traits", tag = "customers", request_body = ComputedInput,
    responses((status = 201, body = ComputedTrait)))]
pub async fn create_computed_trait(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    input: Input<ComputedInput>,
) -> Result<Response, Problem> {
    let wanted = Wanted::from(input.value);
    let preparer = app.domain.preparer().clone();
    app.change(&caller, input.request, move |tx| {
        let one = computed::create(tx, &wanted).map_err(refused)?;
        preparer.follow(tx)?;
        let done = Done::created(body(tx, &one)?).versioned(one.version);
        Ok(done.noted(("create", "computed trait"), one.id, None, noted(&one)))
    })
    .await
}

/// Shows a computed trait.
#[utoipa::path(get, path = "/api/v1/computed-traits/{id}", tag = "customers", params(("id" = String, Path)),
    responses((status = 200, body = ComputedTrait)))]
pub async fn get_computed_trait(
    State(app): State<Arc<App>>,
    _: ReadSettings,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    let one = app
        .read(move |tx| {
            let one = found(tx, id)?;
            body(tx, &one)
        })
        .await?;
    let version = one.version;
    Ok(with_version(one, version))
}

/// Changes a computed trait; a changed expression counts the past anew, for segments that ask for it as well.
#[utoipa::path(put, path = "/api/v1/computed-traits/{id}", tag = "customers", params(("id" = String, Path)),
    request_body = ComputedInput, responses((status = 200, body = ComputedTrait)))]
pub async fn update_computed_trait(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<ComputedInput>,
) -> Result<Response, Problem> {
    let (id, version) = (Id::in_path(&id)?, if_match(&headers)?);
    let wanted = Wanted::from(input.value);
    let preparer = app.domain.preparer().clone();
    app.change(&caller, input.request, move |tx| {
        let old = found(tx, id)?;
        check_version(version, old.version)?;
        let one = computed::update(tx, id, &wanted).map_err(refused)?;
        preparer.follow(tx)?;
        let done = Done::ok(body(tx, &one)?).versioned(one.version);
        Ok(done.noted(("update", "computed trait"), id, noted(&old), noted(&one)))
    })
    .await
}

/// Archives a computed trait: nothing more is counted for it.
#[utoipa::path(delete, path = "/api/v1/computed-traits/{id}", tag = "customers", params(("id" = String, Path)),
    responses((status = 204, description = "Done")))]
pub async fn archive_computed_trait(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    let preparer = app.domain.preparer().clone();
    app.change(&caller, input.request, move |tx| {
        let old = found(tx, id)?;
        computed::archive(tx, id).map_err(refused)?;
        preparer.follow(tx)?;
        Ok(Done::nothing().noted(("archive", "computed trait"), id, noted(&old), None))
    })
    .await
}

/// What a computed trait was in a version.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TraitVersion {
    version: i64,
    expression: String,
    /// `number`, `text`, `bool`.
    kind: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// Lists what a computed trait was, the newest version first.
#[utoipa::path(get, path = "/api/v1/computed-traits/{id}/versions", tag = "customers", params(("id" = String, Path)),
    responses((status = 200, body = inline(List<TraitVersion>))))]
pub async fn computed_trait_versions(
    State(app): State<Arc<App>>,
    _: ReadSettings,
    Path(id): Path<String>,
) -> Result<Json<List<TraitVersion>>, Problem> {
    let id = Id::in_path(&id)?;
    let items = app
        .read(move |tx| {
            found(tx, id)?;
            let one = |(version, expression, kind, at)| TraitVersion { version, expression, kind, at };
            Ok(computed::versions(tx, id)?.into_iter().map(one).collect())
        })
        .await?;
    Ok(Json(List::whole(items)))
}

/// What is to be tried.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewInput {
    expression: String,
    kind: TraitType,
}

/// A value and how many people have it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct FrequentValue {
    #[schema(value_type = Value)]
    value: Option<Value>,
    people: i64,
}

/// A person and what the trait would be.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SampleValue {
    customer: CustomerRow,
    #[schema(value_type = Value)]
    value: Option<Value>,
}

/// What a computed trait would be, over everybody.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TraitPreview {
    /// The expression in its one normal text.
    expression: String,
    /// All people.
    of: i64,
    /// People of whom it would be known.
    known: i64,
    /// Of the numbers.
    least: Option<f64>,
    greatest: Option<f64>,
    average: Option<f64>,
    /// Most frequent first, ten at most.
    frequent: Vec<FrequentValue>,
    sample: Vec<SampleValue>,
}

/// Shows what a computed trait would be, over everybody and for some; nothing is kept.
#[utoipa::path(post, path = "/api/v1/computed-traits/preview", tag = "customers", request_body = PreviewInput,
    responses((status = 200, body = TraitPreview)))]
pub async fn preview_computed_trait(
    State(app): State<Arc<App>>,
    _: WriteSettings,
    input: Input<PreviewInput>,
) -> Result<Json<TraitPreview>, Problem> {
    let PreviewInput { expression, kind } = input.value;
    let definition = computed::read(&expression, kind.into()).map_err(refused)?;
    let expression = definition.formula.to_string();
    app.settle().await?;
    let found = crate::preview::values(&app, definition, 10).await?;
    let ids: Vec<i64> = found.sample.iter().map(|(person, _)| *person).collect();
    let counters = app.domain.preparer().current().counters;
    let rows = app.read(move |tx| Ok(row::of_ids(tx, &ids, &counters)?)).await?;
    let mut values: Vec<_> = found.sample.into_iter().map(|(_, values)| value_of(&values, false)).collect();
    values.resize(rows.len(), None);
    let average = (found.known > 0 && found.least.is_some()).then(|| found.sum.to_f64() / found.known as f64);
    Ok(Json(TraitPreview {
        expression,
        of: found.of,
        known: found.known,
        least: found.least.map(base::Decimal::to_f64),
        greatest: found.greatest.map(base::Decimal::to_f64),
        average,
        frequent: found
            .frequent
            .into_iter()
            .map(|(value, people)| FrequentValue { value: value_of(&[value], false), people })
            .collect(),
        sample: rows.into_iter().zip(values).map(|(customer, value)| SampleValue { customer, value }).collect(),
    }))
}
