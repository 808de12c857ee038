//! `/views`: tables as people arranged them.
use super::accounts::named;
use crate::access::{Act, Area};
use crate::app::App;
use crate::caller::{Caller, SignedIn};
use crate::change::{Done, check_version};
use crate::input::{Id, Input, List, Nothing, Params, if_match};
use crate::problem::{BAD_INPUT, BAD_QUERY, CONFLICT, NOT_FOUND, Problem};
use crate::saved_views::{self, MAX, SavedView};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Bytes of a view's state.
const STATE_MAX: usize = 16 << 10;

/// Of which page.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ViewsQuery {
    /// As the console names it, such as `customers`.
    page: String,
}

/// A table as somebody arranged it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = SavedView)]
pub struct ViewBody {
    id: Id,
    page: String,
    name: String,
    owner: String,
    /// Whether everybody sees it.
    shared: bool,
    /// Whether it is the caller's to change.
    may_change: bool,
    /// Filter, sorting and columns, as the console keeps them.
    state: BTreeMap<String, Value>,
    version: i64,
}

/// A view to keep.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SavedViewInput)]
pub struct ViewInput {
    page: String,
    name: String,
    #[serde(default)]
    shared: bool,
    state: BTreeMap<String, Value>,
}

fn keeps_shop(caller: &Caller) -> bool {
    caller.may(Act::Write(Area::Settings))
}

fn body(view: SavedView, caller: &Caller) -> ViewBody {
    ViewBody {
        may_change: saved_views::may_change(&view, &caller.actor, keeps_shop(caller)),
        id: Id(view.id),
        page: view.page,
        name: view.name,
        owner: view.owner,
        shared: view.shared,
        state: serde_json::from_str(&view.state).unwrap_or_default(),
        version: view.version,
    }
}

fn page_name(page: &str) -> bool {
    !page.is_empty() && page.len() <= 64 && page.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

fn checked(input: &ViewInput) -> Result<(String, String), Problem> {
    if !page_name(&input.page) {
        return Err(BAD_INPUT.at("/page", "the name of a page of the console"));
    }
    let name = named(&input.name)?;
    let state = serde_json::to_string(&input.state).unwrap_or_default().replace("\\u0000", "\u{fffd}");
    if state.len() > STATE_MAX {
        return Err(BAD_INPUT.at("/state", format!("a view has at most {} KiB", STATE_MAX >> 10)));
    }
    Ok((name, state))
}

/// Lists the views of a page: one's own and the shared ones.
#[utoipa::path(get, path = "/api/v1/views", tag = "views", params(ViewsQuery),
    responses((status = 200, body = inline(List<ViewBody>))))]
pub async fn list_saved_views(
    State(app): State<Arc<App>>,
    SignedIn(caller): SignedIn,
    Params(q): Params<ViewsQuery>,
) -> Result<Json<List<ViewBody>>, Problem> {
    if !page_name(&q.page) {
        return Err(BAD_QUERY.because("page is the name of a page of the console"));
    }
    let actor = caller.actor.clone();
    let found = app.query(move |db| Ok(saved_views::list(db, &q.page, &actor)?)).await?;
    Ok(Json(List::whole(found.into_iter().map(|v| body(v, &caller)).collect())))
}

/// Keeps a view.
#[utoipa::path(post, path = "/api/v1/views", tag = "views", request_body = ViewInput,
    responses((status = 201, body = ViewBody)))]
pub async fn create_saved_view(
    State(app): State<Arc<App>>,
    SignedIn(caller): SignedIn,
    input: Input<ViewInput>,
) -> Result<Response, Problem> {
    let (name, state) = checked(&input.value)?;
    let (new, who) = (input.value, caller.clone());
    app.change(&caller, input.request, move |tx| {
        let own = saved_views::list(tx.engine(), &new.page, &who.actor)?;
        if own.len() as i64 >= MAX {
            return Err(CONFLICT.because(format!("a page has at most {MAX} views; delete some")));
        }
        let view = SavedView {
            id: tx.next_id(),
            page: new.page.clone(),
            name: name.clone(),
            owner: who.actor.clone(),
            shared: new.shared,
            state: state.clone(),
            version: 1,
        };
        saved_views::put(tx, &view)?;
        let (id, after) = (view.id, json!({"page": view.page, "name": view.name, "shared": view.shared}));
        Ok(Done::created(body(view, &who)).versioned(1).noted(("create", "view"), id, None, Some(after)))
    })
    .await
}

/// A view that the caller sees and may change.
fn own(tx: &mut db::Tx, id: i64, who: &Caller) -> Result<SavedView, Problem> {
    let gone = || NOT_FOUND.because(format!("there is no view {id}"));
    let view = saved_views::find(tx, id)?.filter(|v| v.shared || v.owner == who.actor).ok_or_else(gone)?;
    if saved_views::may_change(&view, &who.actor, keeps_shop(who)) {
        return Ok(view);
    }
    Err(CONFLICT.because(format!("the view {:?} is {}'s; save your own", view.name, view.owner)))
}

/// Changes a view.
#[utoipa::path(put, path = "/api/v1/views/{id}", tag = "views", params(("id" = String, Path)),
    request_body = ViewInput, responses((status = 200, body = ViewBody)))]
pub async fn update_saved_view(
    State(app): State<Arc<App>>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<ViewInput>,
) -> Result<Response, Problem> {
    let (id, wanted) = (Id::in_path(&id)?, if_match(&headers)?);
    let (name, state) = checked(&input.value)?;
    let (new, who) = (input.value, caller.clone());
    app.change(&caller, input.request, move |tx| {
        let known = own(tx, id, &who)?;
        check_version(wanted, known.version)?;
        let before = json!({"name": known.name, "shared": known.shared});
        let view = SavedView {
            name: name.clone(),
            shared: new.shared,
            state: state.clone(),
            version: known.version + 1,
            ..known
        };
        saved_views::put(tx, &view)?;
        let (version, after) = (view.version, json!({"name": view.name, "shared": view.shared}));
        let done = Done::ok(body(view, &who)).versioned(version);
        Ok(done.noted(("update", "view"), id, Some(before), Some(after)))
    })
    .await
}

/// Forgets a view.
#[utoipa::path(delete, path = "/api/v1/views/{id}", tag = "views", params(("id" = String, Path)),
    responses((status = 204)))]
pub async fn delete_saved_view(
    State(app): State<Arc<App>>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let (id, who) = (Id::in_path(&id)?, caller.clone());
    app.change(&caller, input.request, move |tx| {
        let known = own(tx, id, &who)?;
        saved_views::delete(tx, id)?;
        let before = json!({"page": known.page, "name": known.name, "shared": known.shared});
        Ok(Done::nothing().noted(("delete", "view"), id, Some(before), None))
    })
    .await
}
