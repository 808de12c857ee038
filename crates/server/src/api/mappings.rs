//! `/imports/mappings`: saved mappings by name, their versions, and which of them fit a file.
use crate::app::App;
use crate::caller::{ReadImports, WriteImports};
use crate::change::Done;
use crate::input::{Id, Input, List, Nothing};
use crate::moving::mappings::{self, New, Saved};
use crate::problem::{BAD_INPUT, CONFLICT, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::Timestamp;
use exchange::mapping::{Mapping, Plan};
use exchange::rows::Layout;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// A saved mapping.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = SavedMapping)]
pub struct MappingBody {
    id: Id,
    name: String,
    kind: String,
    /// The source that its files are of.
    source: String,
    version: i64,
    /// How its files are written.
    #[schema(value_type = Object)]
    layout: Layout,
    #[schema(value_type = Object)]
    mapping: Mapping,
    /// Who saved this version, and when.
    actor: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// On the wire.
pub fn body(s: Saved) -> MappingBody {
    MappingBody {
        id: Id(s.id),
        name: s.name,
        kind: s.kind.as_str().into(),
        source: s.source,
        version: s.version,
        layout: s.layout,
        mapping: s.mapping,
        actor: s.actor,
        created_at: s.created_at,
    }
}

/// Lists saved mappings in their newest version.
#[utoipa::path(get, path = "/api/v1/imports/mappings", tag = "imports",
    responses((status = 200, body = inline(List<MappingBody>))))]
pub async fn list_mappings(State(app): State<Arc<App>>, _: ReadImports) -> Result<Json<List<MappingBody>>, Problem> {
    let rows = app.query(|db| Ok(mappings::list(db)?)).await?;
    Ok(Json(List::whole(rows.into_iter().map(body).collect())))
}

/// A mapping to be saved.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMapping {
    /// A known name gets its next version.
    name: String,
    /// The source that its files are of.
    source: String,
    #[schema(value_type = Object)]
    layout: Layout,
    #[schema(value_type = Object)]
    mapping: Mapping,
}

/// Saves a mapping; under a known name it is that one's next version.
#[utoipa::path(post, path = "/api/v1/imports/mappings", tag = "imports", request_body = NewMapping,
    responses((status = 201, body = MappingBody)))]
pub async fn save_mapping(
    State(app): State<Arc<App>>,
    WriteImports(caller): WriteImports,
    input: Input<NewMapping>,
) -> Result<Response, Problem> {
    let ask = input.value;
    let new = New {
        name: super::accounts::named(&ask.name)?,
        source: super::accounts::named(&ask.source).map_err(|p| BAD_INPUT.at("/source", p.detail))?,
        layout: ask.layout,
        mapping: ask.mapping,
    };
    Plan::new(new.mapping.clone(), &new.layout.columns).map_err(|e| BAD_INPUT.at("/mapping", e.to_string()))?;
    let actor = caller.actor.clone();
    app.change(&caller, input.request, move |tx| {
        if mappings::list(tx.engine())?.len() as i64 >= mappings::SAVED_MAX {
            return Err(CONFLICT.because("there are too many saved mappings; delete some"));
        }
        let saved = mappings::save(tx, &new, &actor)?;
        let after = json!({"name": saved.name, "version": saved.version, "mapping": saved.mapping});
        let id = saved.id;
        Ok(Done::created(body(saved)).noted(("save", "import_mapping"), id, None, Some(after)))
    })
    .await
}

/// All versions of a saved mapping, the newest first.
#[utoipa::path(get, path = "/api/v1/imports/mappings/{id}", tag = "imports", params(("id" = String, Path)),
    responses((status = 200, body = inline(List<MappingBody>))))]
pub async fn mapping_versions(
    State(app): State<Arc<App>>,
    _: ReadImports,
    Path(id): Path<String>,
) -> Result<Json<List<MappingBody>>, Problem> {
    let id = Id::in_path(&id)?;
    let rows = app.query(move |db| Ok(mappings::versions(db, id)?)).await?;
    if rows.is_empty() {
        return Err(gone());
    }
    Ok(Json(List::whole(rows.into_iter().map(body).collect())))
}

/// Puts a saved mapping away; what was imported with it stays.
#[utoipa::path(delete, path = "/api/v1/imports/mappings/{id}", tag = "imports", params(("id" = String, Path)),
    responses((status = 204)))]
pub async fn delete_mapping(
    State(app): State<Arc<App>>,
    WriteImports(caller): WriteImports,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    app.change(&caller, input.request, move |tx| {
        if !mappings::archive(tx, id)? {
            return Err(gone());
        }
        Ok(Done::nothing().noted(("delete", "import_mapping"), id, None, None))
    })
    .await
}

fn gone() -> Problem {
    NOT_FOUND.because("there is no such saved mapping")
}
