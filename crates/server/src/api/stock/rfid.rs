//! Tags that readers and robots saw.
use super::wire::Amount;
use super::{check_place, place, place_id, places_of, refused, skus};
use crate::app::App;
use crate::caller::{ReadStock, WriteStock};
use crate::change::Done;
use crate::input::{Id, Input, List, Nothing, Page, Params, cursor, limit, place as place_in};
use crate::problem::{BAD_INPUT, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use stock::rfid::{self, Batch, Device, Session};
use stock::{Places, commands};

/// Reads of one walk through a place: late, twice and in any order.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadsBody {
    /// Who tells it, such as `gate-2`.
    source: String,
    /// Its own name of the walk.
    session: String,
    /// `reader`, `handheld` or `robot`.
    device: String,
    location_id: String,
    reads: Vec<TagRead>,
}

/// A tag that was seen.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TagRead {
    /// SGTIN-96 in 24 hexadecimal digits, or as a URI.
    epc: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// What became of reads.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ReadsTaken {
    session_id: Id,
    /// Tags that could be read, each once.
    tags: i64,
    /// Those that came after the session had become a count; they do not change it.
    late: i64,
    refused: Vec<ReadRefused>,
}

/// A read that was refused.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ReadRefused {
    /// Its place in the batch, from 0.
    index: i64,
    why: String,
}

/// Takes reads of tags in. They change no stock: a session is a proposal for a count.
#[utoipa::path(post, path = "/api/v1/stock/rfid-reads", tag = "stock", request_body = ReadsBody,
    responses((status = 200, body = ReadsTaken)))]
pub async fn post_rfid_reads(
    State(app): State<Arc<App>>,
    WriteStock(caller): WriteStock,
    input: Input<ReadsBody>,
) -> Result<Response, Problem> {
    let given = input.value;
    let device = Device::parse(&given.device);
    let device = device.ok_or_else(|| BAD_INPUT.at("/device", "reader, handheld or robot"))?;
    let reads: Vec<(String, Timestamp)> = given.reads.into_iter().map(|read| (read.epc, read.at)).collect();
    let by = caller.clone();
    app.change(&caller, input.request, move |tx| {
        let places = commands::places(tx)?;
        let location_no = place(&places, "/location_id", &given.location_id)?;
        check_place(&by, &places, location_no)?;
        let (source, external_id) = (given.source.clone(), given.session.clone());
        let batch = Batch { source, external_id, device, location_no, reads: reads.clone() };
        let taken = rfid::take(tx, &batch, &by.actor).map_err(|e| refused(tx, e))?;
        let refused = taken.refused.into_iter().map(|(at, why)| ReadRefused { index: at as i64, why });
        Ok(Done::ok(ReadsTaken {
            session_id: Id(taken.session_no),
            tags: taken.tags as i64,
            late: taken.late as i64,
            refused: refused.collect(),
        }))
    })
    .await
}

/// A walk through a place.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SessionShown {
    id: Id,
    source: String,
    session: String,
    device: String,
    location_id: String,
    #[schema(value_type = String, format = DateTime)]
    first_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_at: Timestamp,
    /// The count that was made of it.
    count_id: Option<Id>,
    created_by: String,
}

fn session(s: &Session, places: &Places) -> SessionShown {
    SessionShown {
        id: Id(s.no),
        source: s.source.to_string(),
        session: s.external_id.to_string(),
        device: s.device.as_str().into(),
        location_id: place_id(places, s.location_no),
        first_at: s.first_at,
        last_at: s.last_at,
        count_id: Some(Id(s.count_no)).filter(|id| id.0 != 0),
        created_by: s.created_by.to_string(),
    }
}

/// Lists sessions of tag reads, newest first.
#[utoipa::path(get, path = "/api/v1/rfid-sessions", tag = "stock", params(Page),
    responses((status = 200, body = inline(List<SessionShown>))))]
pub async fn list_rfid_sessions(
    State(app): State<Arc<App>>,
    _: ReadStock,
    Params(page): Params<Page>,
) -> Result<Json<List<SessionShown>>, Problem> {
    let limit = limit(page.limit)?;
    let before = place_in::<1>(page.cursor.as_deref())?.map_or(i64::MAX, |[no]| no);
    let (rows, places) = app.query(move |db| Ok((rfid::list(db, before, limit + 1)?, places_of(db)?))).await?;
    let page = List::page(rows, limit, |row| cursor(&[row.no]));
    let items = page.items.iter().map(|s| session(s, &places)).collect();
    Ok(Json(List { items, next_cursor: page.next_cursor }))
}

/// What a session says beside the books.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ProposalShown {
    session: SessionShown,
    lines: Vec<ProposalLine>,
    /// GTINs that the catalogue does not know.
    unknown: Vec<UnknownTag>,
}

/// An SKU of a proposal.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ProposalLine {
    sku: String,
    /// Pieces whose tags were seen.
    seen: Amount,
    /// Sellable goods that this makes.
    sellable: Amount,
    /// Sellable goods on the books as of the last read.
    book: Amount,
    difference: Amount,
}

/// Tags of a GTIN that the catalogue does not know.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct UnknownTag {
    gtin: String,
    tags: i64,
}

/// Shows a session of tag reads beside the books.
#[utoipa::path(get, path = "/api/v1/rfid-sessions/{id}", tag = "stock", params(("id" = String, Path)),
    responses((status = 200, body = ProposalShown)))]
pub async fn get_rfid_session(
    State(app): State<Arc<App>>,
    _: ReadStock,
    Path(id): Path<String>,
) -> Result<Json<ProposalShown>, Problem> {
    let no = Id::in_path(&id)?;
    let body = app
        .write(move |tx| {
            let found = rfid::get(tx, no).map_err(|e| refused(tx, e))?;
            let proposal = rfid::proposal(tx, &found).map_err(|e| refused(tx, e))?;
            let places = commands::places(tx)?;
            let names = skus(tx, proposal.lines.iter().map(|l| l.variant_no).collect::<Vec<_>>())?;
            let lines = proposal.lines.iter().map(|line| ProposalLine {
                sku: names.get(&line.variant_no).cloned().unwrap_or_default(),
                seen: Amount(line.seen),
                sellable: Amount(line.sellable),
                book: Amount(line.book),
                difference: Amount(line.difference()),
            });
            let unknown = proposal.unknown.into_iter().map(|(gtin, tags)| UnknownTag { gtin, tags });
            Ok(ProposalShown { session: session(&found, &places), lines: lines.collect(), unknown: unknown.collect() })
        })
        .await?;
    Ok(Json(body))
}

/// The count that was made.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SessionCounted {
    count_id: Id,
}

/// Makes a blind count of a session: what agrees with the books is settled, every difference waits for a person.
#[utoipa::path(post, path = "/api/v1/rfid-sessions/{id}/count", tag = "stock", params(("id" = String, Path)),
    responses((status = 201, body = SessionCounted)))]
pub async fn count_rfid_session(
    State(app): State<Arc<App>>,
    WriteStock(caller): WriteStock,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let no = Id::in_path(&id)?;
    let by = caller.clone();
    app.change(&caller, input.request, move |tx| {
        let found = rfid::get(tx, no).map_err(|e| refused(tx, e))?;
        check_place(&by, &*commands::places(tx)?, found.location_no)?;
        let count = rfid::count(tx, no, &by.actor).map_err(|e| refused(tx, e))?;
        let after = json!({"session_id": no.to_string(), "lines": count.lines.len()});
        let made = SessionCounted { count_id: Id(count.no) };
        Ok(Done::created(made).noted(("create", "stock_count"), count.no, None, Some(after)))
    })
    .await
}
