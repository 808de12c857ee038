//! What lies where, and every movement.
use super::wire::{Amount, BrokenClaim};
use super::{check_place, place, place_id, places_of, refused, skus, variant};
use crate::app::App;
use crate::caller::{ReadStock, WriteStock};
use crate::change::Done;
use crate::hub::Topic;
use crate::input::Params;
use crate::input::{Id, Input, List, cursor, limit, place as place_in};
use crate::problem::{BAD_INPUT, BAD_QUERY, NOT_FOUND, Problem};
use crate::sse;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::{Quantity, Timestamp};
use catalog::variants;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use stock::availability::{at_the_till, available, claimed, for_channel};
use stock::commands::{self, Posted, Shortage};
use stock::lists::{self, Movements};
use stock::model::{CUSTOMER, Condition, Document, DocumentKind, Move, NEVER, SUPPLIER};

/// A movement to write down.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MovementBody {
    sku: String,
    /// A location; `supplier`, `customer` and `loss` always exist.
    from: String,
    to: String,
    quantity: Amount,
    reason: String,
    /// Your own id of the paper: told twice, it counts once.
    document: Option<String>,
    /// `sellable` without it; or `display`, `damaged`, `quarantine`.
    from_condition: Option<String>,
    to_condition: Option<String>,
    /// Batch or serial number.
    #[serde(default)]
    lot: String,
    /// When it happened; now without it.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

/// A paper with its movements, as a till or an ERP tells it.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentBody {
    /// Who tells it, such as `till:Lviv-1`.
    source: String,
    /// The teller's id of it: told twice, it counts once.
    external_id: String,
    /// `receipt`, `sale`, `return`, `adjustment`, `condition`, `supplier_return` or `movement`.
    kind: String,
    /// When it happened; may be long ago.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[serde(default)]
    reference: String,
    #[serde(default)]
    note: String,
    /// It has happened, whatever the books say: what they lack is written down as found, and claims that cannot be served any
    /// more are broken and told. Otherwise it is refused.
    #[serde(default)]
    happened: bool,
    lines: Vec<DocumentLine>,
}

/// A line of a paper. `from` and `to` follow from the kind where they are left out: a sale goes to `customer`, a receipt comes
/// from `supplier`.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentLine {
    sku: String,
    quantity: Amount,
    from: Option<String>,
    to: Option<String>,
    from_condition: Option<String>,
    to_condition: Option<String>,
    /// Batch or serial number.
    #[serde(default)]
    lot: String,
    /// The last day on which this lot may be sold, `YYYY-MM-DD`, where it is not known yet.
    expires_on: Option<String>,
    #[serde(default)]
    reason: String,
}

/// What a paper did.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PostedBody {
    document_id: Id,
    /// It was told before; nothing happened.
    repeated: bool,
    /// What moved although the books did not have it.
    found: Vec<FoundBody>,
    /// Claims that cannot be served any more.
    broken: Vec<BrokenClaim>,
}

/// What moved although the books did not have it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct FoundBody {
    sku: String,
    location_id: Option<String>,
    moved: Amount,
    on_the_books: Amount,
}

fn condition(pointer: &str, text: Option<&str>) -> Result<Condition, Problem> {
    let Some(text) = text else { return Ok(Condition::Sellable) };
    Condition::parse(text).ok_or_else(|| BAD_INPUT.at(pointer, "sellable, display, damaged or quarantine"))
}

fn posted(tx: &mut db::Tx, posted: Posted) -> Result<PostedBody, Problem> {
    let places = commands::places(tx)?;
    let numbers = posted.found.iter().map(|f| f.variant_no).chain(posted.broken.iter().map(|b| b.variant_no));
    let names = skus(tx, numbers.collect::<Vec<_>>())?;
    let name = |no: i64| names.get(&no).cloned().unwrap_or_default();
    Ok(PostedBody {
        document_id: Id(posted.document_no),
        repeated: posted.repeated,
        found: posted
            .found
            .iter()
            .map(|f| FoundBody {
                sku: name(f.variant_no),
                location_id: f.location_no.map(|no| place_id(&places, no)),
                moved: Amount(f.wanted),
                on_the_books: Amount(f.available),
            })
            .collect(),
        broken: posted
            .broken
            .iter()
            .map(|b| BrokenClaim::of(b, name(b.variant_no), place_id(&places, b.location_no)))
            .collect(),
    })
}

/// Writes down a movement of goods from a place to a place.
#[utoipa::path(post, path = "/api/v1/stock/movements", tag = "stock", request_body = MovementBody,
    responses((status = 201, body = PostedBody)))]
pub async fn post_movement(
    State(app): State<Arc<App>>,
    WriteStock(caller): WriteStock,
    input: Input<MovementBody>,
) -> Result<Response, Problem> {
    let given = input.value;
    let (from_condition, to_condition) = (
        condition("/from_condition", given.from_condition.as_deref())?,
        condition("/to_condition", given.to_condition.as_deref())?,
    );
    let by = caller.clone();
    app.change(&caller, input.request, move |tx| {
        let places = commands::places(tx)?;
        let (from_no, to_no) = (place(&places, "/from", &given.from)?, place(&places, "/to", &given.to)?);
        for no in [from_no, to_no].into_iter().filter(|no| *no > 0) {
            check_place(&by, &places, no)?;
        }
        let movement = Move {
            variant_no: variant(tx, "/sku", &given.sku)?,
            from_no,
            from_condition,
            to_no,
            to_condition,
            lot: given.lot.as_str().into(),
            quantity: given.quantity.0,
            reason: given.reason.as_str().into(),
        };
        let document = Document {
            kind: DocumentKind::Movement,
            source: "api".into(),
            external_id: given.document.as_deref().unwrap_or_default().into(),
            reference: "".into(),
            note: "".into(),
            actor: by.actor.as_str().into(),
            at: given.at.unwrap_or_else(|| tx.now()),
            moves: vec![movement],
        };
        let done = commands::post(tx, &document, Shortage::Refuse).map_err(|e| {
            let problem = refused(tx, e);
            // There is one line only: its fields stand at the top.
            let errors = problem.errors.into_iter().map(|mut e| {
                e.pointer = e.pointer.replace("/lines/0", "");
                e
            });
            Problem { errors: errors.collect(), ..problem }
        })?;
        let (id, repeated) = (done.document_no, done.repeated);
        let done = Done::created(posted(tx, done)?);
        let after = json!({"sku": given.sku, "from": given.from, "to": given.to, "quantity": given.quantity, "reason": given.reason});
        Ok(if repeated { done } else { done.noted(("create", "stock_document"), id, None, Some(after)) })
    })
    .await
}

/// Writes down a paper of a till, a warehouse or an ERP: late, repeated or out of order.
#[utoipa::path(post, path = "/api/v1/stock/documents", tag = "stock", request_body = DocumentBody,
    responses((status = 201, body = PostedBody)))]
pub async fn post_document(
    State(app): State<Arc<App>>,
    WriteStock(caller): WriteStock,
    input: Input<DocumentBody>,
) -> Result<Response, Problem> {
    let given = input.value;
    let kind = DocumentKind::parse(&given.kind)
        .filter(|kind| !matches!(kind, DocumentKind::TransferIn | DocumentKind::TransferOut | DocumentKind::Count));
    let kind = kind.ok_or_else(|| {
        let detail = "receipt, sale, return, adjustment, condition, supplier_return or movement; transfers and counts have \
                      addresses of their own";
        BAD_INPUT.at("/kind", detail)
    })?;
    if given.source.is_empty() || given.external_id.is_empty() || given.external_id.starts_with('#') {
        return Err(BAD_INPUT.at("/external_id", "say who tells it and under which id, so that it counts once"));
    }
    let zone = &app.domain.settings().zone;
    let mut ends = Vec::new();
    for (at, line) in given.lines.iter().enumerate() {
        if let Some(day) = &line.expires_on {
            let end = super::lots::end_of(&format!("/lines/{at}/expires_on"), day, zone)?;
            let far = end > app.now().plus(100 * 365 * base::DAY_US) || end.micros() <= 0;
            if line.lot.trim().is_empty() || far {
                let detail = "it is the last day of a lot that the line names, within a hundred years";
                return Err(BAD_INPUT.at(&format!("/lines/{at}/expires_on"), detail));
            }
            ends.push((line.sku.clone(), line.lot.clone(), end));
        }
    }
    let (by, shared) = (caller.clone(), app.clone());
    app.change(&caller, input.request, move |tx| {
        let places = commands::places(tx)?;
        let mut moves = Vec::with_capacity(given.lines.len());
        for (at, line) in given.lines.iter().enumerate() {
            let pointer = |field: &str| format!("/lines/{at}/{field}");
            let usual = match kind {
                DocumentKind::Receipt => (Some(SUPPLIER), None),
                DocumentKind::Sale => (None, Some(CUSTOMER)),
                DocumentKind::Return => (Some(CUSTOMER), None),
                DocumentKind::SupplierReturn => (None, Some(SUPPLIER)),
                _ => (None, None),
            };
            let end = |id: Option<&str>, usual: Option<i64>, field: &str| match (id, usual) {
                (Some(id), _) => place(&places, &pointer(field), id),
                (None, Some(no)) => Ok(no),
                (None, None) => Err(BAD_INPUT.at(&pointer(field), "say which location")),
            };
            let from_no = end(line.from.as_deref(), usual.0, "from")?;
            let to_no = end(line.to.as_deref(), usual.1, "to")?;
            for no in [from_no, to_no].into_iter().filter(|no| *no > 0) {
                check_place(&by, &places, no)?;
            }
            moves.push(Move {
                variant_no: variant(tx, &pointer("sku"), &line.sku)?,
                from_no,
                from_condition: condition(&pointer("from_condition"), line.from_condition.as_deref())?,
                to_no,
                to_condition: condition(&pointer("to_condition"), line.to_condition.as_deref())?,
                lot: line.lot.as_str().into(),
                quantity: line.quantity.0,
                reason: line.reason.as_str().into(),
            });
        }
        let document = Document {
            kind,
            source: given.source.as_str().into(),
            external_id: given.external_id.as_str().into(),
            reference: given.reference.as_str().into(),
            note: given.note.as_str().into(),
            actor: by.actor.as_str().into(),
            at: given.at,
            moves,
        };
        let shortage = if given.happened { Shortage::Record } else { Shortage::Refuse };
        let mut done = commands::post(tx, &document, shortage).map_err(|e| refused(tx, e))?;
        for (sku, lot, end) in ends.iter().filter(|_| !done.repeated) {
            let no = variant(tx, "/lines", sku)?;
            let known = stock::lots::find(tx, no, lot)?;
            // A paper says what nobody said before; whoever looked at the goods knows better.
            if known.as_ref().is_some_and(|known| known.expires_at.is_some()) {
                continue;
            }
            let quarantined = known.is_some_and(|known| known.state == stock::lots::LotState::Quarantined);
            let new = stock::lots::LotInput { expires_at: Some(*end), quarantined, why: String::new() };
            let (_, _, broken) = stock::lots::put(tx, no, lot, &new, &by.actor).map_err(|e| refused(tx, e))?;
            done.broken.extend(broken);
        }
        crate::api::orders::claims_lost(tx, &shared, &done.broken, &by.actor)?;
        let (id, repeated) = (done.document_no, done.repeated);
        let done = Done::created(posted(tx, done)?);
        let after = json!({"source": given.source, "external_id": given.external_id, "kind": given.kind, "lines": given.lines.len()});
        Ok(if repeated { done } else { done.noted(("create", "stock_document"), id, None, Some(after)) })
    })
    .await
}

/// What lies of a variant at a place.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct StockItem {
    location_id: String,
    /// Sellable goods that lie there.
    on_hand: Amount,
    /// What others have a claim on.
    reserved: Amount,
    /// What can still be promised.
    available: Amount,
    /// What the place's own till may still sell.
    at_the_till: Amount,
    display: Amount,
    damaged: Amount,
    quarantine: Amount,
    /// Kept back from every channel but the place's own till.
    safety: Amount,
    #[schema(value_type = Option<String>, format = DateTime)]
    counted_at: Option<Timestamp>,
}

/// Goods that are ordered and did not come yet.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct IncomingItem {
    purchase_order_id: Id,
    location_id: String,
    quantity: Amount,
    #[schema(value_type = Option<String>, format = DateTime)]
    expected_at: Option<Timestamp>,
}

/// A line of a claim that is alive.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ClaimItem {
    reservation_id: Id,
    /// `cart`, `in_store`, `try_on`, `order` or `transfer`.
    kind: String,
    owner: String,
    sku: String,
    location_id: String,
    quantity: Amount,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it ends by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

impl ClaimItem {
    pub(super) fn of(claimed: &lists::Claimed, sku: &str, location_id: String) -> Self {
        ClaimItem {
            reservation_id: Id(claimed.no),
            kind: claimed.kind.as_str().into(),
            owner: claimed.owner.clone(),
            sku: sku.into(),
            location_id,
            quantity: Amount(claimed.quantity),
            created_at: claimed.created_at,
            expires_at: Some(claimed.expires_at).filter(|at| *at != NEVER),
        }
    }
}

/// What can be had through a channel.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ChannelAvailable {
    channel: String,
    available: Amount,
}

/// Stock of a variant.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct StockBody {
    sku: String,
    name: String,
    items: Vec<StockItem>,
    /// Over all places.
    available: Amount,
    /// On the way between places.
    in_transit: Amount,
    channels: Vec<ChannelAvailable>,
    incoming: Vec<IncomingItem>,
    claims: Vec<ClaimItem>,
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
}

/// Shows where a variant lies, who has a claim on it, what is coming and what each channel can promise.
#[utoipa::path(get, path = "/api/v1/stock/{sku}", tag = "stock", params(("sku" = String, Path)),
    responses((status = 200, body = StockBody)))]
pub async fn get_stock(
    State(app): State<Arc<App>>,
    _: ReadStock,
    Path(sku): Path<String>,
) -> Result<Json<StockBody>, Problem> {
    let (no, mut body, places) = app
        .read(move |tx| {
            let no =
                variants::find(tx, &sku)?.ok_or_else(|| NOT_FOUND.because(format!("there is no SKU {sku:.60}")))?;
            let places = commands::places(tx)?;
            let now = tx.now();
            let stock = commands::stock(tx, no)?.unwrap_or_default();
            let none = Quantity::ZERO;
            let counted = stock.positions.iter().filter(|p| p.location_no > 0);
            let items: Vec<StockItem> = counted
                .map(|p| {
                    let [on_hand, display, damaged, quarantine] = p.on_hand.map(Amount);
                    StockItem {
                        location_id: place_id(&places, p.location_no),
                        on_hand,
                        reserved: Amount(claimed(p, now)),
                        available: Amount(available(p, none, now)),
                        at_the_till: Amount(at_the_till(p, now)),
                        display,
                        damaged,
                        quarantine,
                        safety: Amount(p.safety),
                        counted_at: Some(p.counted_at).filter(|at| at.micros() > 0),
                    }
                })
                .collect();
            let total = items.iter().map(|item| item.available.0).sum();
            let in_transit = stock.at(stock::model::TRANSIT).map_or(none, |p| p.sellable());
            let channels = places.channels();
            let channels = channels.iter().map(|c| ChannelAvailable {
                channel: c.id.to_string(),
                available: Amount(for_channel(&stock, c, now)),
            });
            let body = StockBody {
                sku,
                name: String::new(),
                items,
                available: Amount(total),
                in_transit: Amount(in_transit),
                channels: channels.collect(),
                incoming: vec![],
                claims: vec![],
                as_of: now,
            };
            Ok((no, body, places))
        })
        .await?;
    let (now, sku) = (body.as_of, body.sku.clone());
    let (incoming, claims, name) = app
        .query(move |db| {
            let sql = "SELECT p.name FROM variants v JOIN products p ON p.no = v.product_no WHERE v.no = $1";
            let name = db.first(sql, &[no.into()])?.map(|row| row.text(0).map(str::to_string)).transpose()?;
            Ok((stock::purchasing::incoming(db, no)?, lists::claims(db, no, now)?, name.unwrap_or_default()))
        })
        .await?;
    body.name = name;
    body.incoming = incoming
        .iter()
        .map(|i| IncomingItem {
            purchase_order_id: Id(i.purchase_order_no),
            location_id: place_id(&places, i.location_no),
            quantity: Amount(i.quantity),
            expected_at: Some(i.expected_at).filter(|at| at.micros() > 0),
        })
        .collect();
    body.claims = claims.iter().map(|c| ClaimItem::of(c, &sku, place_id(&places, c.location_no))).collect();
    Ok(Json(body))
}

/// Which stock.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StockQuery {
    /// The place.
    location: String,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// What lies of a variant at a place.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LyingItem {
    sku: String,
    name: String,
    on_hand: Amount,
    reserved: Amount,
    available: Amount,
    display: Amount,
    damaged: Amount,
    quarantine: Amount,
    safety: Amount,
    #[schema(value_type = Option<String>, format = DateTime)]
    counted_at: Option<Timestamp>,
}

/// Lists what lies at a place.
#[utoipa::path(get, path = "/api/v1/stock", tag = "stock", params(StockQuery),
    responses((status = 200, body = inline(List<LyingItem>))))]
pub async fn list_stock(
    State(app): State<Arc<App>>,
    _: ReadStock,
    Params(q): Params<StockQuery>,
) -> Result<Json<List<LyingItem>>, Problem> {
    let limit = limit(q.limit)?;
    let after = place_in::<1>(q.cursor.as_deref())?.map_or(0, |[no]| no);
    let now = app.now();
    let rows = app
        .query(move |db| {
            let places = places_of(db)?;
            let found = places.find(&q.location).map(|l| l.no);
            let no = found.ok_or_else(|| BAD_QUERY.because(format!("there is no location {:.60}", q.location)))?;
            Ok(lists::lying(db, no, after, limit + 1, now)?)
        })
        .await?;
    let page = List::page(rows, limit, |row| cursor(&[row.variant_no]));
    let items = page.items.into_iter().map(|row| {
        let [on_hand, display, damaged, quarantine] = row.on_hand;
        LyingItem {
            available: Amount((on_hand - row.reserved - row.safety).or_none()),
            sku: row.sku,
            name: row.name,
            on_hand: Amount(on_hand),
            reserved: Amount(row.reserved),
            display: Amount(display),
            damaged: Amount(damaged),
            quarantine: Amount(quarantine),
            safety: Amount(row.safety),
            counted_at: Some(row.counted_at).filter(|at| at.micros() > 0),
        }
    });
    Ok(Json(List { items: items.collect(), next_cursor: page.next_cursor }))
}

/// Which movements.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MovementsQuery {
    sku: Option<String>,
    document: Option<String>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// A movement with its paper.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct MovementItem {
    id: Id,
    sku: String,
    from: String,
    from_condition: String,
    to: String,
    to_condition: String,
    lot: String,
    quantity: Amount,
    reason: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
    document_id: Id,
    kind: String,
    source: String,
    external_id: String,
    reference: String,
    actor: String,
}

/// Lists movements, newest first.
#[utoipa::path(get, path = "/api/v1/stock/movements", tag = "stock", params(MovementsQuery),
    responses((status = 200, body = inline(List<MovementItem>))))]
pub async fn list_movements(
    State(app): State<Arc<App>>,
    _: ReadStock,
    Params(q): Params<MovementsQuery>,
) -> Result<Json<List<MovementItem>>, Problem> {
    let limit = limit(q.limit)?;
    let before = place_in::<1>(q.cursor.as_deref())?.map_or(i64::MAX, |[no]| no);
    let document = q.document.as_deref().map(Id::in_path).transpose()?;
    let of = match (q.sku, document) {
        (Some(sku), None) => {
            let found = app.read(move |tx| Ok(variants::find(tx, &sku)?)).await?;
            Movements::Variant(found.unwrap_or(0))
        }
        (None, Some(no)) => Movements::Document(no),
        (None, None) => Movements::All,
        (Some(_), Some(_)) => return Err(BAD_QUERY.because("ask for an sku or for a document")),
    };
    let (rows, places) =
        app.query(move |db| Ok((lists::movements(db, of, before, limit + 1)?, places_of(db)?))).await?;
    let page = List::page(rows, limit, |row| cursor(&[row.no]));
    let items = page.items.into_iter().map(|m| MovementItem {
        id: Id(m.no),
        sku: m.sku,
        from: place_id(&places, m.from_no),
        from_condition: m.from_condition.as_str().into(),
        to: place_id(&places, m.to_no),
        to_condition: m.to_condition.as_str().into(),
        lot: m.lot,
        quantity: Amount(m.quantity),
        reason: m.reason,
        at: m.at,
        recorded_at: m.recorded_at,
        document_id: Id(m.document_no),
        kind: m.kind,
        source: m.source,
        external_id: m.external_id,
        reference: m.reference,
        actor: m.actor,
    });
    Ok(Json(List { items: items.collect(), next_cursor: page.next_cursor }))
}

/// What is kept back at a place.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SafetyBody {
    location_id: String,
    /// Less than nothing lets so much be sold before it is there.
    quantity: Amount,
}

/// Keeps some of a variant back at a place from every channel but the place's own till.
#[utoipa::path(put, path = "/api/v1/stock/{sku}/safety", tag = "stock", params(("sku" = String, Path)),
    request_body = SafetyBody, responses((status = 204, description = "Done")))]
pub async fn put_safety_stock(
    State(app): State<Arc<App>>,
    WriteStock(caller): WriteStock,
    Path(sku): Path<String>,
    input: Input<SafetyBody>,
) -> Result<Response, Problem> {
    let given = input.value;
    let by = caller.clone();
    app.change(&caller, input.request, move |tx| {
        let no = variants::find(tx, &sku)?.ok_or_else(|| NOT_FOUND.because(format!("there is no SKU {sku:.60}")))?;
        let places = commands::places(tx)?;
        let location_no = place(&places, "/location_id", &given.location_id)?;
        check_place(&by, &places, location_no)?;
        let before = commands::set_safety(tx, no, location_no, given.quantity.0).map_err(|e| refused(tx, e))?;
        let noted = |quantity: Amount| Some(json!({"location_id": given.location_id, "safety": quantity}));
        Ok(Done::nothing().noted(("update", "stock"), &sku, noted(Amount(before)), noted(given.quantity)))
    })
    .await
}

/// Says which SKUs can be had more or less of than before, as it happens: a message `stock` a second at most a variant, with what
/// each channel can promise.
#[utoipa::path(get, path = "/api/v1/stock/stream", tag = "stock",
    responses((status = 200, body = String, content_type = "text/event-stream")))]
pub async fn stock_stream(State(app): State<Arc<App>>, _: ReadStock) -> Result<Response, Problem> {
    sse::stream(&app.hub, Topic::Stock)
}
