//! `/erp`: connections with accounting systems, what their words mean here, what came over them.
pub mod told;

use crate::app::App;
use crate::border::Cleared;
use crate::caller::{ReadSettings, WriteSettings};
use crate::change::{Done, check_version, with_version};
use crate::erp::connections::{self, Connection, Kind, Settings};
use crate::erp::folder::Folder;
use crate::erp::goods::Tally;
use crate::erp::journal::{self, Level};
use crate::erp::maps::{self, MapKind};
use crate::erp::vanish::{Vanished, deactivate};
use crate::erp::{CONNECTIONS_MAX, work};
use crate::input::{Id, Input, List, Nothing, Page, Params, cursor, if_match, limit, place as place_in};
use crate::problem::{BAD_INPUT, CONFLICT, NOT_FOUND, Problem};
use crate::secrets::new_key;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use base::Timestamp;
use db::Tx;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of ERPs. Nothing in them is about people: orders and documents go by number.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_erp_connections, create_erp_connection))
        .routes(routes!(get_erp_connection, update_erp_connection, delete_erp_connection))
        .routes(routes!(list_erp_mappings, put_erp_mapping))
        .routes(routes!(list_erp_exchanges))
        .routes(routes!(confirm_erp_exchange))
        .routes(routes!(list_erp_journal))
        .routes(routes!(told::list_erp_events, told::tell_erp_events))
        .routes(routes!(told::acknowledge_erp_events))
        .routes(routes!(told::compare_erp_stock))
        .routes(routes!(told::list_erp_differences))
        .layer(axum::middleware::map_response(async |mut response: Response| {
            response.extensions_mut().insert(Cleared);
            response
        }))
}

/// A connection with an accounting system.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErpConnection {
    id: Id,
    /// In addresses.
    name: String,
    #[schema(inline)]
    kind: Kind,
    /// What is entered there; for REST an API key is used instead.
    login: String,
    /// What is entered there as the address of the site.
    address: String,
    #[schema(inline)]
    settings: Settings,
    /// The last of our events that it acknowledged.
    acknowledged: Id2,
    version: i64,
    created_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// Only in the answer that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

/// A place in the events, as text; `0` before the first.
#[derive(Debug, Clone, Copy)]
pub struct Id2(pub i64);

impl Serialize for Id2 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
impl utoipa::PartialSchema for Id2 {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        String::schema()
    }
}
impl utoipa::ToSchema for Id2 {}

impl ErpConnection {
    fn of(app: &App, c: Connection) -> Self {
        let root = app.public_url.trim_end_matches('/');
        let address = match c.kind {
            Kind::Commerceml => format!("{root}/exchange/1c/{}", c.name),
            Kind::Rest => format!("{root}/api/v1/erp/{}", c.name),
        };
        Self {
            id: Id(c.id),
            name: c.name,
            kind: c.kind,
            login: c.login,
            address,
            settings: c.settings,
            acknowledged: Id2(c.acked),
            version: c.version,
            created_by: c.created_by,
            created_at: c.created_at,
            updated_at: c.updated_at,
            password: None,
        }
    }
}

/// A connection to be made.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ErpConnectionInput {
    /// Small letters, digits, `-`; cannot be changed.
    name: String,
    #[schema(inline)]
    kind: Kind,
    #[serde(default)]
    #[schema(inline)]
    settings: Settings,
}

/// What of a connection can be changed.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ErpConnectionChange {
    #[schema(inline)]
    settings: Settings,
    /// Makes a new password; the old one is not taken any more.
    #[serde(default)]
    new_password: bool,
}

fn check(settings: &Settings) -> Result<(), Problem> {
    settings.wrong().map_or(Ok(()), |(pointer, what)| Err(BAD_INPUT.at(pointer, what)))
}

/// The connection of a name.
pub(crate) fn named(tx: &mut Tx, name: &str) -> Result<Connection, Problem> {
    connections::find(tx.engine(), name)?.ok_or_else(missing)
}

fn missing() -> Problem {
    NOT_FOUND.because("there is no such connection")
}

/// Lists connections.
#[utoipa::path(get, path = "/api/v1/erp", tag = "erp", responses((status = 200, body = inline(List<ErpConnection>))))]
pub async fn list_erp_connections(
    State(app): State<Arc<App>>,
    _: ReadSettings,
) -> Result<Json<List<ErpConnection>>, Problem> {
    let found = app.query(|db| Ok(connections::list(db)?)).await?;
    Ok(Json(List::whole(found.into_iter().map(|c| ErpConnection::of(&app, c)).collect())))
}

/// Makes a connection; its password is shown once.
#[utoipa::path(post, path = "/api/v1/erp", tag = "erp", request_body = ErpConnectionInput,
    responses((status = 201, body = ErpConnection)))]
pub async fn create_erp_connection(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    input: Input<ErpConnectionInput>,
) -> Result<Response, Problem> {
    let wanted = input.value;
    if !connections::is_name(&wanted.name) {
        return Err(BAD_INPUT.at("/name", "1 to 40 small letters, digits and -, not beginning with -"));
    }
    check(&wanted.settings)?;
    let key = new_key("erp");
    let (shared, actor) = (app.clone(), caller.actor.clone());
    app.change(&caller, input.request, move |tx| {
        if connections::find(tx.engine(), &wanted.name)?.is_some() {
            return Err(CONFLICT.because("there is a connection of this name already"));
        }
        let count = tx.first("SELECT COUNT(*) FROM erp_connections", &[])?.map_or(Ok(0), |r| r.int(0))?;
        if count >= CONNECTIONS_MAX {
            return Err(CONFLICT.because(format!("there are {CONNECTIONS_MAX} connections already; delete one first")));
        }
        let what = (wanted.name.as_str(), wanted.kind, wanted.name.as_str());
        let made = connections::add(tx, what, &wanted.settings, &key.hash, &actor)?;
        let (id, after, version) = (made.id, made.audited(), made.version);
        let mut body = ErpConnection::of(&shared, made);
        let kept = serde_json::to_value(&body).ok();
        body.password = (wanted.kind == Kind::Commerceml).then(|| key.key.clone());
        let done = Done::created(body).noted(("create", "erp_connection"), id, None, Some(after)).versioned(version);
        Ok(Done { kept, ..done })
    })
    .await
}

/// One connection.
#[utoipa::path(get, path = "/api/v1/erp/{connection}", tag = "erp", params(("connection" = String, Path)),
    responses((status = 200, body = ErpConnection)))]
pub async fn get_erp_connection(
    State(app): State<Arc<App>>,
    _: ReadSettings,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let found = app.query(move |db| connections::find(db, &name)?.ok_or_else(missing)).await?;
    let version = found.version;
    Ok(with_version(ErpConnection::of(&app, found), version))
}

/// Changes how a connection works.
#[utoipa::path(put, path = "/api/v1/erp/{connection}", tag = "erp", params(("connection" = String, Path)),
    request_body = ErpConnectionChange, responses((status = 200, body = ErpConnection)))]
pub async fn update_erp_connection(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    Path(name): Path<String>,
    headers: HeaderMap,
    input: Input<ErpConnectionChange>,
) -> Result<Response, Problem> {
    let (wanted, version) = (input.value, if_match(&headers)?);
    check(&wanted.settings)?;
    let key = wanted.new_password.then(|| new_key("erp"));
    let shared = app.clone();
    app.change(&caller, input.request, move |tx| {
        let before = named(tx, &name)?;
        check_version(version, before.version)?;
        let after = connections::update(tx, &before, &wanted.settings, key.as_ref().map(|k| k.hash.as_str()))?;
        let (id, states, version) = (after.id, (before.audited(), after.audited()), after.version);
        let mut body = ErpConnection::of(&shared, after);
        let kept = serde_json::to_value(&body).ok();
        body.password = key.as_ref().map(|k| k.key.clone());
        let done =
            Done::ok(body).noted(("update", "erp_connection"), id, Some(states.0), Some(states.1)).versioned(version);
        Ok(Done { kept, ..done })
    })
    .await
}

/// Takes a connection away with its journal. Goods, prices and stock stay.
#[utoipa::path(delete, path = "/api/v1/erp/{connection}", tag = "erp", params(("connection" = String, Path)),
    responses((status = 204, description = "Done")))]
pub async fn delete_erp_connection(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    Path(name): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let shop = app.folder.clone();
    app.change(&caller, input.request, move |tx| {
        let before = named(tx, &name)?;
        connections::remove(tx, before.id)?;
        // Files that nobody will ask for any more; one that cannot be removed harms nobody.
        let _ = std::fs::remove_dir_all(Folder::of_connection(&shop, before.id));
        Ok(Done::nothing().noted(("delete", "erp_connection"), before.id, Some(before.audited()), None))
    })
    .await
}

/// What a warehouse or a kind of price there is here.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ErpMapping {
    #[schema(inline)]
    kind: MapKind,
    /// Empty for a warehouse: quantities that name none.
    external_id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    currency: String,
    /// A location; `base` or the number of a price list. Empty: nobody has said yet, and what comes waits.
    target: String,
}

/// Lists warehouses and kinds of prices of the other side.
#[utoipa::path(get, path = "/api/v1/erp/{connection}/mappings", tag = "erp", params(("connection" = String, Path)),
    responses((status = 200, body = inline(List<ErpMapping>))))]
pub async fn list_erp_mappings(
    State(app): State<Arc<App>>,
    _: ReadSettings,
    Path(name): Path<String>,
) -> Result<Json<List<ErpMapping>>, Problem> {
    let found = app
        .query(move |db| {
            let connection = connections::find(db, &name)?.ok_or_else(missing)?;
            Ok(maps::all(db, connection.id)?)
        })
        .await?;
    let shown = found.into_iter().map(|m| ErpMapping {
        kind: m.kind,
        external_id: m.external_id,
        name: m.name,
        currency: m.currency,
        target: m.target,
    });
    Ok(Json(List::whole(shown.collect())))
}

/// Says what a warehouse or a kind of price is here. What came of it before is used from then on, by a job.
#[utoipa::path(put, path = "/api/v1/erp/{connection}/mappings", tag = "erp", params(("connection" = String, Path)),
    request_body = ErpMapping, responses((status = 200, body = ErpMapping)))]
pub async fn put_erp_mapping(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    Path(name): Path<String>,
    input: Input<ErpMapping>,
) -> Result<Response, Problem> {
    let wanted = input.value;
    app.change(&caller, input.request, move |tx| {
        let connection = named(tx, &name)?;
        let known = maps::all(tx.engine(), connection.id)?;
        let known = known.into_iter().find(|m| m.kind == wanted.kind && m.external_id == wanted.external_id);
        let known = known.ok_or_else(|| BAD_INPUT.at("/external_id", "the other side has not named it yet"))?;
        let sound = wanted.target.is_empty()
            || match wanted.kind {
                MapKind::Warehouse => stock::commands::places(tx)?.find(&wanted.target).is_some_and(|l| l.kind.sells()),
                MapKind::PriceType if wanted.target == "base" => true,
                MapKind::PriceType => {
                    let id = wanted.target.parse::<i64>().unwrap_or(0);
                    id > 0 && catalog::prices::store::lists(tx)?.find(id).is_some()
                }
            };
        if !sound {
            let what = match wanted.kind {
                MapKind::Warehouse => "there is no such location, or nothing is sold from there",
                MapKind::PriceType => "`base`, or the number of a price list that is there",
            };
            return Err(BAD_INPUT.at("/target", what));
        }
        if maps::point(tx, connection.id, wanted.kind, &wanted.external_id, &wanted.target)?
            && !wanted.target.is_empty()
        {
            work::ask_to_settle(tx, connection.id)?;
        }
        let states = (json!({"target": known.target}), json!({"target": wanted.target}));
        let subject = format!("{}/{}/{}", connection.name, wanted.kind.as_str(), wanted.external_id);
        let body = ErpMapping { name: known.name, currency: known.currency, ..wanted.clone() };
        Ok(Done::ok(body).noted(("set", "erp_mapping"), subject, Some(states.0), Some(states.1)))
    })
    .await
}

/// A file of an exchange.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErpFile {
    name: String,
    bytes: i64,
    /// Null before it was asked to be taken in.
    job_id: Option<Id>,
    #[schema(inline)]
    tally: Tally,
}

/// An exchange.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErpExchange {
    id: Id,
    /// `catalog` or `sale`.
    direction: String,
    /// `open` or `done`.
    state: String,
    /// Whether a whole list of goods came; null where none or changes only did.
    whole: Option<bool>,
    /// Where somebody has to confirm: how many goods of how many would be archived.
    asked: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    begun_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    heard_at: Timestamp,
    files: Vec<ErpFile>,
}

/// Lists exchanges of a connection, newest first.
#[utoipa::path(get, path = "/api/v1/erp/{connection}/exchanges", tag = "erp",
    params(("connection" = String, Path), Page), responses((status = 200, body = inline(List<ErpExchange>))))]
pub async fn list_erp_exchanges(
    State(app): State<Arc<App>>,
    _: ReadSettings,
    Path(name): Path<String>,
    Params(page): Params<Page>,
) -> Result<Json<List<ErpExchange>>, Problem> {
    let (limit, before) = (limit(page.limit)?, place_in::<1>(page.cursor.as_deref())?.map_or(i64::MAX, |[id]| id));
    let found = app
        .query(move |db| {
            let connection = connections::find(db, &name)?.ok_or_else(missing)?;
            let sql = "SELECT id, direction, state, whole, asked, begun_at, heard_at FROM erp_exchanges WHERE connection_id = $1 \
                       AND id < $2 ORDER BY id DESC LIMIT $3";
            let rows = db.rows(sql, &[connection.id.into(), before.into(), (limit + 1).into()])?;
            let mut out = Vec::with_capacity(rows.len());
            for row in &rows {
                let whole = row.int(3)?;
                out.push(ErpExchange {
                    id: Id(row.int(0)?),
                    direction: row.text(1)?.into(),
                    state: row.text(2)?.into(),
                    whole: (whole != 0).then_some(whole > 0),
                    asked: Some(row.text(4)?.to_string()).filter(|a| !a.is_empty()),
                    begun_at: Timestamp::from_micros(row.int(5)?),
                    heard_at: Timestamp::from_micros(row.int(6)?),
                    files: Vec::new(),
                });
            }
            let (Some(last), Some(first)) = (out.last().map(|e| e.id.0), out.first().map(|e| e.id.0)) else {
                return Ok(out);
            };
            let sql = "SELECT f.exchange_id, f.name, f.bytes, f.job_id, f.tally FROM erp_files f JOIN erp_exchanges e \
                       ON e.id = f.exchange_id WHERE e.connection_id = $1 AND f.exchange_id >= $2 AND f.exchange_id <= $3 \
                       AND f.job_id > 0 ORDER BY f.exchange_id, f.name LIMIT 5000";
            for row in db.rows(sql, &[connection.id.into(), last.into(), first.into()])? {
                let exchange = Id(row.int(0)?);
                let file = ErpFile {
                    name: row.text(1)?.into(),
                    bytes: row.int(2)?,
                    job_id: Some(row.int(3)?).filter(|j| *j > 0).map(Id),
                    tally: serde_json::from_str(row.text(4)?).unwrap_or_default(),
                };
                if let Some(of) = out.iter_mut().find(|e| e.id == exchange) {
                    of.files.push(file);
                }
            }
            Ok(out)
        })
        .await?;
    Ok(Json(List::page(found, limit, |e| cursor(&[e.id.0]))))
}

/// What somebody decided about goods that a whole exchange no longer had.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ErpConfirmation {
    /// Archives them; else they stay.
    archive: bool,
}

/// What was archived.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErpConfirmed {
    archived: i64,
}

/// Confirms that goods which vanished are to be archived, or that they stay.
#[utoipa::path(post, path = "/api/v1/erp/{connection}/exchanges/{id}/confirm", tag = "erp",
    params(("connection" = String, Path), ("id" = String, Path)), request_body = ErpConfirmation,
    responses((status = 200, body = ErpConfirmed)))]
pub async fn confirm_erp_exchange(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    Path((name, id)): Path<(String, String)>,
    input: Input<ErpConfirmation>,
) -> Result<Response, Problem> {
    let (id, wanted) = (Id::in_path(&id)?, input.value);
    app.change(&caller, input.request, move |tx| {
        let connection = named(tx, &name)?;
        let sql = "SELECT asked, begun_at FROM erp_exchanges WHERE id = $1 AND connection_id = $2";
        let row = tx.first(sql, &[id.into(), connection.id.into()])?;
        let row = row.ok_or_else(|| NOT_FOUND.because("there is no such exchange"))?;
        if row.text(0)?.is_empty() {
            return Err(CONFLICT.because("nothing is asked in this exchange"));
        }
        let archived = if wanted.archive {
            match deactivate(tx, &connection, id, row.int(1)?, true)? {
                Vanished::Archived(count) => count,
                _ => 0,
            }
        } else {
            tx.execute("UPDATE erp_exchanges SET asked = '' WHERE id = $1", &[id.into()])?;
            0
        };
        let after = json!({"archive": wanted.archive, "archived": archived});
        Ok(Done::ok(ErpConfirmed { archived }).noted(("confirm", "erp_exchange"), id, None, Some(after)))
    })
    .await
}

/// A line of the journal.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErpJournalLine {
    id: Id,
    exchange_id: Option<Id>,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[schema(inline)]
    level: Level,
    file: String,
    /// Place of the item in the file, from 1; 0 where there is none.
    row: i64,
    /// The id there, or the number of an order.
    subject: String,
    what: String,
}

/// Which lines.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct JournalQuery {
    /// Of one exchange.
    #[param(value_type = Option<String>)]
    exchange: Option<Id>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Lists what was done and refused, newest first.
#[utoipa::path(get, path = "/api/v1/erp/{connection}/journal", tag = "erp",
    params(("connection" = String, Path), JournalQuery), responses((status = 200, body = inline(List<ErpJournalLine>))))]
pub async fn list_erp_journal(
    State(app): State<Arc<App>>,
    _: ReadSettings,
    Path(name): Path<String>,
    Params(query): Params<JournalQuery>,
) -> Result<Json<List<ErpJournalLine>>, Problem> {
    let (limit, before) = (limit(query.limit)?, place_in::<1>(query.cursor.as_deref())?.map_or(i64::MAX, |[id]| id));
    let exchange = query.exchange.map_or(0, |id| id.0);
    let found = app
        .query(move |db| {
            let connection = connections::find(db, &name)?.ok_or_else(missing)?;
            Ok(journal::page(db, connection.id, exchange, before, limit + 1)?)
        })
        .await?;
    let shown = found.into_iter().map(|l| ErpJournalLine {
        id: Id(l.id),
        exchange_id: Some(l.exchange_id).filter(|id| *id > 0).map(Id),
        at: l.at,
        level: l.level,
        file: l.file,
        row: l.row,
        subject: l.subject,
        what: l.what,
    });
    Ok(Json(List::page(shown.collect(), limit, |l| cursor(&[l.id.0]))))
}
