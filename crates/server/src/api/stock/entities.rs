//! Legal entities, their places, and papers between them.
use super::wire::Amount;
use super::{place, place_id, places_of, refused};
use crate::access::Act;
use crate::app::App;
use crate::caller::{ReadStock, WriteSettings};
use crate::change::Done;
use crate::input::{Id, Input, List, Page, Params, cursor, limit, place as place_in};
use crate::problem::{BAD_INPUT, BAD_QUERY, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use stock::commands;
use stock::entities::{self, Entity, EntityInput, EntityKind};

/// A place of an entity, and when it was its.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct EntityPlace {
    location_id: String,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

/// A legal entity.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct EntityShown {
    id: String,
    /// `company`, `sole_trader` or `franchisee`.
    kind: String,
    name: String,
    /// EDRPOU or RNOKPP.
    code: String,
    /// Whether it pays value added tax.
    vat: bool,
    vat_code: String,
    iban: String,
    address: String,
    /// What it adds to the cost of goods that it sells to another entity of the shop.
    markup_permille: i64,
    places: Vec<EntityPlace>,
    version: i64,
}

fn shown(e: &Entity, places: Vec<EntityPlace>) -> EntityShown {
    EntityShown {
        id: e.id.to_string(),
        kind: e.kind.as_str().into(),
        name: e.name.to_string(),
        code: e.code.to_string(),
        vat: e.vat,
        vat_code: e.vat_code.to_string(),
        iban: e.iban.to_string(),
        address: e.address.to_string(),
        markup_permille: e.markup_permille,
        places,
        version: e.version,
    }
}

/// Lists legal entities with their places.
#[utoipa::path(get, path = "/api/v1/legal-entities", tag = "stock",
    responses((status = 200, body = inline(List<EntityShown>))))]
pub async fn list_entities(State(app): State<Arc<App>>, _: ReadStock) -> Result<Json<List<EntityShown>>, Problem> {
    let (all, owners, places) =
        app.query(|db| Ok((entities::list(db)?, entities::owners(db)?, places_of(db)?))).await?;
    let mut of: HashMap<i64, Vec<EntityPlace>> = HashMap::new();
    for owned in owners {
        let location_id = place_id(&places, owned.location_no);
        let place = EntityPlace { location_id, since: owned.since, until: owned.until };
        of.entry(owned.entity_no).or_default().push(place);
    }
    Ok(Json(List::whole(all.iter().map(|e| shown(e, of.remove(&e.no).unwrap_or_default())).collect())))
}

/// A legal entity to make or change.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EntityBody {
    kind: String,
    name: String,
    /// EDRPOU of 8 digits, or RNOKPP of 10 for a sole trader; checked.
    #[serde(default)]
    code: String,
    #[serde(default)]
    vat: bool,
    #[serde(default)]
    vat_code: String,
    #[serde(default)]
    iban: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    markup_permille: i64,
}

/// Makes a legal entity, or changes the one with this id.
#[utoipa::path(put, path = "/api/v1/legal-entities/{id}", tag = "stock", params(("id" = String, Path)),
    request_body = EntityBody, responses((status = 200, body = EntityShown), (status = 201, body = EntityShown)))]
pub async fn put_entity(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    Path(id): Path<String>,
    input: Input<EntityBody>,
) -> Result<Response, Problem> {
    let given = input.value;
    let kind = EntityKind::parse(&given.kind);
    let new = EntityInput {
        id,
        kind: kind.ok_or_else(|| BAD_INPUT.at("/kind", "company, sole_trader or franchisee"))?,
        name: given.name,
        code: given.code,
        vat: given.vat,
        vat_code: given.vat_code,
        iban: given.iban,
        address: given.address,
        markup_permille: given.markup_permille,
    };
    app.change(&caller, input.request, move |tx| {
        let (before, after) = entities::put(tx, &new, None).map_err(|e| refused(tx, e))?;
        let noted = |e: &Entity| json!(shown(e, vec![]));
        let line = (before.as_ref().map(noted), Some(noted(&after)));
        let (done, action) = match before {
            Some(_) => (Done::ok(shown(&after, vec![])), "update"),
            None => (Done::created(shown(&after, vec![])), "create"),
        };
        Ok(done.versioned(after.version).noted((action, "legal_entity"), &after.id, line.0, line.1))
    })
    .await
}

/// A place for an entity.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignBody {
    location_id: String,
    /// From when on; now without it. What was before stays with whom it was.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
}

/// Says that a place belongs to an entity from a moment on.
#[utoipa::path(post, path = "/api/v1/legal-entities/{id}/locations", tag = "stock", params(("id" = String, Path)),
    request_body = AssignBody, responses((status = 204, description = "Done")))]
pub async fn assign_entity(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    Path(id): Path<String>,
    input: Input<AssignBody>,
) -> Result<Response, Problem> {
    let given = input.value;
    app.change(&caller, input.request, move |tx| {
        let entity = entities::find(tx, &id)?;
        let entity = entity.ok_or_else(|| NOT_FOUND.because(format!("there is no legal entity {id:.60}")))?;
        let location_no = place(&*commands::places(tx)?, "/location_id", &given.location_id)?;
        let since = given.since.unwrap_or_else(|| tx.now());
        entities::assign(tx, location_no, entity.no, since).map_err(|e| refused(tx, e))?;
        let after = json!({"location_id": given.location_id, "since": since});
        Ok(Done::nothing().noted(("update", "legal_entity"), &id, None, Some(after)))
    })
    .await
}

/// A paper of an entity about goods that went to another, or came from it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct EntityPaper {
    id: Id,
    /// The movement's paper.
    document_id: Id,
    /// `sale` of the seller, or `purchase` of the buyer.
    side: String,
    entity_id: String,
    other_id: String,
    reference: String,
    quantity: Amount,
    currency: String,
    /// Without tax; null where the cost of the goods was not known, or for who may not see costs.
    net_minor: Option<i64>,
    /// Whether the seller adds value added tax.
    seller_vat: bool,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

fn names(all: &[Entity]) -> HashMap<i64, String> {
    all.iter().map(|e| (e.no, e.id.to_string())).collect()
}

/// Lists papers between entities, newest first.
#[utoipa::path(get, path = "/api/v1/legal-entities/documents", tag = "stock", params(Page),
    responses((status = 200, body = inline(List<EntityPaper>))))]
pub async fn list_entity_documents(
    State(app): State<Arc<App>>,
    ReadStock(caller): ReadStock,
    Params(page): Params<Page>,
) -> Result<Json<List<EntityPaper>>, Problem> {
    let limit = limit(page.limit)?;
    let before = place_in::<1>(page.cursor.as_deref())?.map_or(i64::MAX, |[no]| no);
    let (rows, all) =
        app.query(move |db| Ok((entities::documents(db, before, limit + 1)?, entities::list(db)?))).await?;
    let (names, sees) = (names(&all), caller.may(Act::SeeCosts));
    let name = |no: i64| names.get(&no).cloned().unwrap_or_default();
    let page = List::page(rows, limit, |row| cursor(&[row.no]));
    let items = page.items.into_iter().map(|p| EntityPaper {
        id: Id(p.no),
        document_id: Id(p.document_no),
        side: if p.sale { "sale" } else { "purchase" }.into(),
        entity_id: name(p.entity_no),
        other_id: name(p.other_no),
        reference: p.reference,
        quantity: Amount(p.quantity),
        currency: p.currency,
        net_minor: p.net_minor.filter(|_| sees),
        seller_vat: p.seller_vat,
        at: p.at,
    });
    Ok(Json(List { items: items.collect(), next_cursor: page.next_cursor }))
}

/// Which time.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReportQuery {
    #[param(value_type = String, format = DateTime)]
    from: Timestamp,
    #[param(value_type = String, format = DateTime)]
    until: Timestamp,
}

/// What an entity did in a time.
#[derive(Debug, Clone, Default, Serialize, utoipa::ToSchema)]
pub struct EntityReport {
    /// Null for places that belonged to none, and for the sum.
    entity_id: Option<String>,
    received: Amount,
    sold: Amount,
    returned: Amount,
    /// Found less lost.
    corrected: Amount,
    /// Null for who may not see costs.
    sold_between_minor: Option<i64>,
    bought_between_minor: Option<i64>,
}

/// What entities did in a time, and the shop as a whole.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct EntitiesReport {
    items: Vec<EntityReport>,
    total: EntityReport,
}

/// Shows what each legal entity did in a time, and their sum.
#[utoipa::path(get, path = "/api/v1/legal-entities/report", tag = "stock", params(ReportQuery),
    responses((status = 200, body = EntitiesReport)))]
pub async fn entities_report(
    State(app): State<Arc<App>>,
    ReadStock(caller): ReadStock,
    Params(q): Params<ReportQuery>,
) -> Result<Json<EntitiesReport>, Problem> {
    if q.from >= q.until || q.until.micros() - q.from.micros() > 1100 * base::DAY_US {
        return Err(BAD_QUERY.because("ask for a time of at most three years that ends after it begins"));
    }
    let (figures, all) =
        app.query(move |db| Ok((entities::figures(db, q.from, q.until)?, entities::list(db)?))).await?;
    let (names, sees) = (names(&all), caller.may(Act::SeeCosts));
    let mut total = EntityReport {
        sold_between_minor: sees.then_some(0),
        bought_between_minor: sees.then_some(0),
        ..EntityReport::default()
    };
    let mut items = Vec::with_capacity(figures.len());
    for f in figures {
        for (sum, part) in [
            (&mut total.received, f.received),
            (&mut total.sold, f.sold),
            (&mut total.returned, f.returned),
            (&mut total.corrected, f.corrected),
        ] {
            sum.0 += part;
        }
        total.sold_between_minor = total.sold_between_minor.map(|sum| sum + f.sold_between_minor);
        total.bought_between_minor = total.bought_between_minor.map(|sum| sum + f.bought_between_minor);
        items.push(EntityReport {
            entity_id: names.get(&f.entity_no).cloned(),
            received: Amount(f.received),
            sold: Amount(f.sold),
            returned: Amount(f.returned),
            corrected: Amount(f.corrected),
            sold_between_minor: sees.then_some(f.sold_between_minor),
            bought_between_minor: sees.then_some(f.bought_between_minor),
        });
    }
    Ok(Json(EntitiesReport { items, total }))
}
