//! Notes about a customer: what the next colleague should know.
use super::resolve;
use crate::access::{Act, Area};
use crate::app::App;
use crate::caller::{Caller, ReadCustomers, WriteCustomers};
use crate::change::Done;
use crate::input::{Id, Input, List, Nothing};
use crate::notes::{self, Note};
use crate::problem::{BAD_INPUT, CONFLICT, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// Letters of a note.
const TEXT_MAX: usize = 5000;

/// What somebody wrote about a customer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Note)]
pub struct NoteBody {
    id: Id,
    text: String,
    author: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    changed_at: Option<Timestamp>,
    /// Whether the caller may change or delete it.
    may_change: bool,
}

/// A note to write.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteInput {
    /// 1 to 5000 letters.
    text: String,
}

/// Whoever wrote it, and whoever looks after the shop.
fn may_change(note: &Note, caller: &Caller) -> bool {
    caller.may(Act::Write(Area::Customers)) && (note.author == caller.actor || caller.may(Act::Write(Area::Settings)))
}

fn body(note: Note, caller: &Caller) -> NoteBody {
    NoteBody {
        may_change: may_change(&note, caller),
        id: Id(note.id),
        text: note.body,
        author: note.author,
        created_at: Timestamp::from_micros(note.created_at),
        changed_at: (note.updated_at != note.created_at).then(|| Timestamp::from_micros(note.updated_at)),
    }
}

fn text(input: &NoteInput) -> Result<String, Problem> {
    let text = input.text.trim().replace('\0', "\u{fffd}");
    if text.is_empty() || text.chars().count() > TEXT_MAX {
        return Err(BAD_INPUT.at("/text", format!("a note has 1 to {TEXT_MAX} letters")));
    }
    Ok(text)
}

/// Lists the notes about a customer, newest first.
#[utoipa::path(get, path = "/api/v1/customers/{person_id}/notes", tag = "customers",
    params(("person_id" = String, Path)), responses((status = 200, body = inline(List<NoteBody>))))]
pub async fn list_notes(
    State(app): State<Arc<App>>,
    ReadCustomers(caller): ReadCustomers,
    Path(id): Path<String>,
) -> Result<Json<List<NoteBody>>, Problem> {
    let (_, members) = resolve(&app, &id).await?;
    let found = app.query(move |db| Ok(notes::list(db, &members)?)).await?;
    Ok(Json(List::whole(found.into_iter().map(|n| body(n, &caller)).collect())))
}

/// Writes a note about a customer.
#[utoipa::path(post, path = "/api/v1/customers/{person_id}/notes", tag = "customers",
    params(("person_id" = String, Path)), request_body = NoteInput, responses((status = 201, body = NoteBody)))]
pub async fn create_note(
    State(app): State<Arc<App>>,
    WriteCustomers(caller): WriteCustomers,
    Path(person): Path<String>,
    input: Input<NoteInput>,
) -> Result<Response, Problem> {
    let (person, _) = resolve(&app, &person).await?;
    let (said, who) = (text(&input.value)?, caller.clone());
    app.change(&caller, input.request, move |tx| {
        let now = tx.now().micros();
        let note = Note {
            id: tx.next_id(),
            profile_id: person,
            body: said.clone(),
            author: who.actor.clone(),
            created_at: now,
            updated_at: now,
            deleted_at: 0,
        };
        notes::put(tx, &note)?;
        // What was written stays out of the audit: it would outlive the person there.
        let after = json!({"note": note.id.to_string(), "letters": note.body.chars().count()});
        Ok(Done::created(body(note, &who)).noted(("write_note", "customer"), person, None, Some(after)))
    })
    .await
}

/// The note of a person, whether it stands or not, for somebody who may change it.
fn own(tx: &mut db::Tx, id: i64, members: &[i64], who: &Caller) -> Result<Note, Problem> {
    let gone = || NOT_FOUND.because(format!("there is no note {id} about this customer"));
    let note = notes::find(tx, id)?.filter(|n| members.contains(&n.profile_id)).ok_or_else(gone)?;
    if may_change(&note, who) {
        return Ok(note);
    }
    Err(CONFLICT.because(format!("{} wrote this note; write your own", note.author)))
}

/// Changes a note; a deleted one stands again.
#[utoipa::path(put, path = "/api/v1/customers/{person_id}/notes/{id}", tag = "customers",
    params(("person_id" = String, Path), ("id" = String, Path)), request_body = NoteInput,
    responses((status = 200, body = NoteBody)))]
pub async fn update_note(
    State(app): State<Arc<App>>,
    WriteCustomers(caller): WriteCustomers,
    Path((person, id)): Path<(String, String)>,
    input: Input<NoteInput>,
) -> Result<Response, Problem> {
    let (person, members) = resolve(&app, &person).await?;
    let (id, said, who) = (Id::in_path(&id)?, text(&input.value)?, caller.clone());
    app.change(&caller, input.request, move |tx| {
        let known = own(tx, id, &members, &who)?;
        let note = Note { body: said.clone(), updated_at: tx.now().micros(), deleted_at: 0, ..known };
        notes::put(tx, &note)?;
        let after = json!({"note": id.to_string(), "letters": note.body.chars().count()});
        Ok(Done::ok(body(note, &who)).noted(("change_note", "customer"), person, None, Some(after)))
    })
    .await
}

/// Deletes a note.
#[utoipa::path(delete, path = "/api/v1/customers/{person_id}/notes/{id}", tag = "customers",
    params(("person_id" = String, Path), ("id" = String, Path)), responses((status = 204)))]
pub async fn delete_note(
    State(app): State<Arc<App>>,
    WriteCustomers(caller): WriteCustomers,
    Path((person, id)): Path<(String, String)>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let (person, members) = resolve(&app, &person).await?;
    let (id, who) = (Id::in_path(&id)?, caller.clone());
    app.change(&caller, input.request, move |tx| {
        let known = own(tx, id, &members, &who)?;
        let note = Note { deleted_at: tx.now().micros(), ..known };
        notes::put(tx, &note)?;
        let after = json!({"note": id.to_string()});
        Ok(Done::nothing().noted(("delete_note", "customer"), person, None, Some(after)))
    })
    .await
}
