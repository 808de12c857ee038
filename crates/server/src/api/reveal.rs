//! `/customers/{id}/reveal`: one customer's contacts, shown to somebody who otherwise sees none, for a reason.
use crate::api::approvals::reason;
use crate::app::App;
use crate::border::Cleared;
use crate::caller::RevealContact;
use crate::change::Done;
use crate::input::{Id, Input};
use crate::problem::{NOT_FOUND, Problem};
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// Why somebody needs to see it.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reveal {
    reason: String,
}

/// A phone or an address.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = RevealedContact)]
pub struct Contact {
    kind: String,
    value: String,
}

/// A customer's contacts.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Contacts {
    #[serde(rename = "person_id")]
    person_id: Id,
    contacts: Vec<Contact>,
}

/// Shows one customer's phones and e-mails, with a reason that stands in the audit. The values themselves do not.
#[utoipa::path(post, path = "/api/v1/customers/{person_id}/reveal", tag = "customers", params(("person_id" = String, Path)),
    request_body = Reveal, responses((status = 200, body = Contacts)))]
pub async fn reveal_contacts(
    State(app): State<Arc<App>>,
    RevealContact(caller): RevealContact,
    Path(id): Path<String>,
    input: Input<Reveal>,
) -> Result<Response, Problem> {
    let (id, reason) = (Id::in_path(&id)?, reason(&input.value.reason)?);
    crate::scope::check(&app, &caller, id).await?;
    let counters = app.domain.preparer().current().counters;
    let answer = app.change(&caller, input.request, move |tx| {
        let Some(view) = customers::person(tx, id, &counters)? else {
            return Err(NOT_FOUND.because(format!("nobody has the id {id}")));
        };
        let own = view.identifiers.iter().filter(|i| matches!(&*i.kind, "phone" | "email"));
        let contacts: Vec<Contact> =
            own.map(|i| Contact { kind: i.kind.to_string(), value: i.value.to_string() }).collect();
        let after = json!({"reason": reason, "contacts": contacts.len()});
        let person_id = Id(view.person_id);
        let kept = Some(json!({"person_id": person_id, "contacts": []}));
        let done = Done::ok(Contacts { person_id, contacts });
        Ok(Done { kept, ..done.noted(("reveal", "person"), view.person_id, None, Some(after)) })
    });
    let mut answer = answer.await?;
    app.views.note(&caller, &[id], app.now());
    answer.extensions_mut().insert(Cleared);
    Ok(answer)
}
