//! `/invitations`: one-time links by which people come in and choose their own password.
use crate::access::Role;
use crate::accounts::{self, NewUser};
use crate::api::accounts::{address, hashed, named, stores_of};
use crate::app::App;
use crate::caller::{Caller, ReadAccounts, WriteAccounts};
use crate::change::Done;
use crate::input::{Id, Input, List, Nothing, RequestKey};
use crate::invitations::{self, Invitation};
use crate::problem::{ALREADY_EXISTS, NOT_FOUND, Problem, TOO_MANY_ATTEMPTS};
use crate::staff_mail;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// A link that waits to be used.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Invitation)]
pub struct InvitationBody {
    id: Id,
    email: String,
    name: String,
    role: Role,
    stores: Vec<String>,
    /// Whether it is for the new password of somebody who is there.
    for_new_password: bool,
    created_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

impl From<Invitation> for InvitationBody {
    fn from(i: Invitation) -> Self {
        Self {
            id: Id(i.id),
            email: i.email,
            name: i.name,
            role: i.role,
            stores: i.stores,
            for_new_password: i.user != 0,
            created_by: i.created_by,
            created_at: i.created_at,
            expires_at: i.expires_at,
        }
    }
}

/// Somebody to invite.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    email: String,
    name: String,
    role: Role,
    #[serde(default)]
    stores: Vec<String>,
}

/// A link, shown once.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct InvitationLink {
    id: Id,
    email: String,
    /// What to give to them; absent in the answer to a repeat.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    /// Whether it was mailed to them as well.
    mailed: bool,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Somebody comes in by a link.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptInvitation {
    /// What stands behind `#` in the link.
    token: String,
    password: String,
    /// Another name than the invitation's.
    name: Option<String>,
}

/// Lists the links that wait.
#[utoipa::path(get, path = "/api/v1/invitations", tag = "users",
    responses((status = 200, body = inline(List<InvitationBody>))))]
pub async fn list_invitations(
    State(app): State<Arc<App>>,
    _: ReadAccounts,
) -> Result<Json<List<InvitationBody>>, Problem> {
    let now = app.now();
    let open = app.query(move |db| Ok(invitations::open(db, now)?)).await?;
    Ok(Json(List::whole(open.into_iter().map(InvitationBody::from).collect())))
}

/// Invites somebody: gives a link that is shown once, good for a week, and mailed where mail is set.
#[utoipa::path(post, path = "/api/v1/invitations", tag = "users", request_body = NewInvitation,
    responses((status = 201, body = InvitationLink)))]
pub async fn create_invitation(
    State(app): State<Arc<App>>,
    WriteAccounts(caller): WriteAccounts,
    input: Input<NewInvitation>,
) -> Result<Response, Problem> {
    let NewInvitation { email, name, role, stores } = input.value;
    let new = Invitation {
        id: 0,
        user: 0,
        email: address(&email)?,
        name: named(&name)?,
        role,
        stores: stores_of(stores)?,
        created_by: caller.actor.clone(),
        created_at: app.now(),
        expires_at: app.now(),
        used_at: None,
    };
    send_link(&app, &caller, input.request, new, ("invite", "user")).await
}

/// Makes a link, mails it where mail is set, and answers with it.
pub async fn send_link(
    app: &Arc<App>,
    caller: &Caller,
    request: RequestKey,
    new: Invitation,
    what: (&'static str, &'static str),
) -> Result<Response, Problem> {
    let token = base::random_token();
    // Behind the # it reaches no server and no server's log.
    let link = format!("{}/join#{token}", app.public_url);
    let mails = !app.config.smtp_url.is_empty();
    let (email, text) = (new.email.clone(), format!("{}\n\n{link}\n", greeting(&app.config.locale, new.user != 0)));
    let answer = app.change(caller, request, move |tx| {
        let taken = tx.first("SELECT id FROM users WHERE email = $1", &[(&new.email).into()])?;
        if new.user == 0 && taken.is_some() {
            return Err(ALREADY_EXISTS.at("/email", "somebody has this address already"));
        }
        let made = invitations::add(tx, &new, &token)?;
        let body = |link| InvitationLink {
            id: Id(made.id),
            email: made.email.clone(),
            link,
            mailed: mails,
            expires_at: made.expires_at,
        };
        let after =
            json!({"email": made.email, "role": made.role, "stores": made.stores, "expires_at": made.expires_at});
        let subject = if made.user == 0 { made.id } else { made.user };
        let kept = serde_json::to_value(body(None)).ok();
        let done = Done::created(body(Some(link.clone()))).noted(what, subject, None, Some(after));
        Ok(Done { kept, ..done })
    });
    let answer = answer.await?;
    // A repeat was answered from memory and has no link to send; its first time has sent it.
    if mails && !answer.headers().contains_key("idempotent-replayed") {
        let app = app.clone();
        tokio::spawn(async move { staff_mail::send(&app, &email, "Braid", &text).await });
    }
    Ok(answer)
}

fn greeting(locale: &str, again: bool) -> &'static str {
    match (locale.starts_with("uk"), again) {
        (true, false) => {
            "Вас запросили до Braid. Відкрийте посилання і придумайте собі пароль. Воно діє тиждень і лише раз."
        }
        (true, true) => "Відкрийте посилання і придумайте новий пароль для Braid. Воно діє добу і лише раз.",
        (false, false) => {
            "You are invited to Braid. Open the link and choose your password. It is good for a week, and once."
        }
        (false, true) => "Open the link and choose a new password for Braid. It is good for a day, and once.",
    }
}

/// Takes a link back.
#[utoipa::path(delete, path = "/api/v1/invitations/{id}", tag = "users", params(("id" = String, Path)),
    responses((status = 204, description = "Done")))]
pub async fn delete_invitation(
    State(app): State<Arc<App>>,
    WriteAccounts(caller): WriteAccounts,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    app.change(&caller, input.request, move |tx| {
        let found = invitations::remove(tx, id)?.ok_or_else(|| NOT_FOUND.because("no such link waits"))?;
        Ok(Done::nothing().noted(("delete", "invitation"), id, Some(json!({"email": found.email})), None))
    })
    .await
}

/// Comes in by a link: chooses a password. Signing in follows.
#[utoipa::path(post, path = "/api/v1/invitations/accept", tag = "session", request_body = AcceptInvitation,
    responses((status = 204, description = "Done; sign in now")))]
pub async fn accept_invitation(
    State(app): State<Arc<App>>,
    from: crate::caller::From,
    input: Input<AcceptInvitation>,
) -> Result<Response, Problem> {
    let AcceptInvitation { token, password, name } = input.value;
    let (now, from) = (app.now(), from.text());
    if let Err(seconds) = app.logins.check("#link", &from, now) {
        return Err(TOO_MANY_ATTEMPTS.because("too many wrong links").retry_after(seconds));
    }
    app.logins.note("#link", &from, now);
    let name = name.map(|n| named(&n)).transpose()?;
    let hash = hashed(password, "/password").await?;
    let found = token.clone();
    let link = app.write(move |tx| Ok(invitations::find(tx, &found)?)).await?;
    let actor = link.map(|l| l.email).ok_or_else(gone)?;
    let caller = Caller::of_role(&actor, Role::Planner);
    let answer = app.change(&caller, input.request, move |tx| {
        let link = invitations::find(tx, &token)?.ok_or_else(gone)?;
        let id = if link.user == 0 {
            let new = NewUser {
                email: link.email.clone(),
                name: name.clone().unwrap_or(link.name),
                role: link.role,
                stores: link.stores,
                password: hash.clone(),
                own_password: true,
            };
            let made = accounts::add_user(tx, &new)?;
            made.ok_or_else(|| ALREADY_EXISTS.because("somebody has this address already"))?.id
        } else {
            accounts::set_password(tx, link.user, &hash, None)?;
            link.user
        };
        invitations::mark_used(tx, link.id)?;
        let after = json!({"email": link.email, "role": link.role, "invited_by": link.created_by});
        Ok(Done::nothing().noted(("join", "user"), id, None, Some(after)))
    });
    let answer = answer.await?;
    app.logins.forget("#link", &from);
    app.reload_accounts().await?;
    Ok(answer)
}

fn gone() -> Problem {
    NOT_FOUND.because("this link was used, taken back or is too old; ask for a new one")
}
