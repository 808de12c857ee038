//! `/users`: who signs in, what they may, and getting them in again.
use crate::access::Role;
use crate::accounts::{self, NewUser, User};
use crate::api::invitations::{InvitationLink, send_link};
use crate::app::App;
use crate::caller::{ReadAccounts, WriteAccounts};
use crate::change::Done;
use crate::input::{Id, Input, List};
use crate::invitations::Invitation;
use crate::oidc::links;
use crate::problem::{ALREADY_EXISTS, BAD_INPUT, CONFLICT, INTERNAL, NOT_FOUND, Problem};
use crate::secrets;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// Stores of one user or key, at most.
const STORES_MAX: usize = 1000;

/// Somebody who signs in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = User)]
pub struct UserBody {
    id: Id,
    email: String,
    name: String,
    role: Role,
    /// Ids of the stores that they serve; means something for shop assistants.
    stores: Vec<String>,
    /// Whether they may sign in.
    active: bool,
    /// Whether they have a second factor.
    second_factor: bool,
    /// Whether they set their own password.
    own_password: bool,
    /// Whether they have a password at all.
    has_password: bool,
    /// Who they are at the shop's identity provider.
    linked: Option<LinkBody>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When they last did something, as far as a session of theirs is open.
    #[schema(value_type = Option<String>, format = DateTime)]
    seen_at: Option<Timestamp>,
}

impl UserBody {
    fn new(u: User, seen_at: Option<Timestamp>) -> Self {
        Self {
            id: Id(u.id),
            email: u.email,
            name: u.name,
            role: u.role,
            stores: u.stores.to_vec(),
            active: u.active,
            second_factor: u.totp,
            own_password: u.password_at.micros() > 0,
            has_password: u.has_password,
            linked: None,
            created_at: u.created_at,
            seen_at,
        }
    }
}

/// Who a user is at the identity provider.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = ProviderLink)]
pub struct LinkBody {
    /// The address that the provider told last; may be empty.
    email: String,
    #[schema(value_type = String, format = DateTime)]
    linked_at: Timestamp,
    /// When they last signed in so.
    #[schema(value_type = String, format = DateTime)]
    used_at: Timestamp,
}

/// Somebody new, with a password that is given to them. Better invite them: then nobody else knows it.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUserBody {
    email: String,
    name: String,
    role: Role,
    password: String,
    #[serde(default)]
    stores: Vec<String>,
}

/// What a user is from now on.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    name: String,
    role: Role,
    #[serde(default)]
    stores: Vec<String>,
    active: bool,
}

/// What is to be reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A link for a new password.
    Password,
    /// The second factor is taken away.
    SecondFactor,
    /// They are signed out everywhere.
    Sessions,
    /// They are nobody at the identity provider any more, and are signed out where they came in so.
    Link,
}

/// A reset.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserReset {
    #[schema(inline)]
    what: What,
}

fn audited(u: &User) -> Value {
    json!({"email": u.email, "name": u.name, "role": u.role, "stores": *u.stores, "active": u.active})
}

/// Lists the users.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", responses((status = 200, body = inline(List<UserBody>))))]
pub async fn list_users(State(app): State<Arc<App>>, _: ReadAccounts) -> Result<Json<List<UserBody>>, Problem> {
    let known = app.accounts();
    let issuer = known.oidc.issuer.clone();
    let (users, links) = app.query(move |db| Ok((accounts::users(db)?, links::of_issuer(db, &issuer)?))).await?;
    let link = |l: links::Link| (l.user, LinkBody { email: l.email, linked_at: l.linked_at, used_at: l.used_at });
    let mut links: HashMap<i64, LinkBody> = links.into_iter().map(link).collect();
    let seen = |id: i64| known.sessions_of(id).iter().map(|s| app.touches.session_at(s)).max();
    let body = |u: User| UserBody { linked: links.remove(&u.id), ..UserBody::new(u.clone(), seen(u.id)) };
    Ok(Json(List::whole(users.into_iter().map(body).collect())))
}

/// Adds a user.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", request_body = NewUserBody,
    responses((status = 201, body = UserBody)))]
pub async fn create_user(
    State(app): State<Arc<App>>,
    WriteAccounts(caller): WriteAccounts,
    input: Input<NewUserBody>,
) -> Result<Response, Problem> {
    let NewUserBody { email, name, role, password, stores } = input.value;
    let (email, name, stores) = (address(&email)?, named(&name)?, stores_of(stores)?);
    let password = hashed(password, "/password").await?;
    let new = NewUser { email, name, role, stores, password, own_password: false };
    let answer = app.change(&caller, input.request, move |tx| {
        let Some(user) = accounts::add_user(tx, &new)? else {
            return Err(ALREADY_EXISTS.at("/email", "somebody has this address already"));
        };
        let (id, after) = (user.id, audited(&user));
        Ok(Done::created(UserBody::new(user, None)).noted(("create", "user"), id, None, Some(after)))
    });
    let answer = answer.await?;
    app.reload_accounts().await?;
    Ok(answer)
}

/// Changes a user's name, role and stores, or whether they may sign in. Who may not is signed out at once.
#[utoipa::path(put, path = "/api/v1/users/{id}", tag = "users", params(("id" = String, Path)), request_body = UserChange,
    responses((status = 200, body = UserBody)))]
pub async fn update_user(
    State(app): State<Arc<App>>,
    WriteAccounts(caller): WriteAccounts,
    Path(id): Path<String>,
    input: Input<UserChange>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    let UserChange { name, role, stores, active } = input.value;
    let (name, stores) = (named(&name)?, stores_of(stores)?);
    let answer = app.change(&caller, input.request, move |tx| {
        let before = accounts::find_user(tx, id)?.ok_or_else(nobody)?;
        let was_owner = before.role == Role::Owner && before.active && before.has_password;
        let stays_owner = role == Role::Owner && active;
        if was_owner && !stays_owner && accounts::other_owners(tx, id)? == 0 {
            return Err(CONFLICT.because("this is the last owner with a password; make somebody else an owner first"));
        }
        let after = User { name: name.clone(), role, stores: stores.clone().into(), active, ..before.clone() };
        accounts::change_user(tx, &after)?;
        let states = (Some(audited(&before)), Some(audited(&after)));
        Ok(Done::ok(UserBody::new(after, None)).noted(("update", "user"), id, states.0, states.1))
    });
    let answer = answer.await?;
    app.reload_accounts().await?;
    Ok(answer)
}

/// Resets a user's password (gives a one-time link), second factor, sessions or link with the identity provider.
#[utoipa::path(post, path = "/api/v1/users/{id}/reset", tag = "users", params(("id" = String, Path)), request_body = UserReset,
    responses((status = 200, body = InvitationLink), (status = 204, description = "Done")))]
pub async fn reset_user(
    State(app): State<Arc<App>>,
    WriteAccounts(caller): WriteAccounts,
    Path(id): Path<String>,
    input: Input<UserReset>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    let what = input.value.what;
    let user = app.accounts().user(id).cloned().ok_or_else(nobody)?;
    if what == What::Password {
        let link = Invitation {
            id: 0,
            user: id,
            email: user.email,
            name: user.name,
            role: user.role,
            stores: user.stores.to_vec(),
            created_by: caller.actor.clone(),
            created_at: app.now(),
            expires_at: app.now(),
            used_at: None,
        };
        return send_link(&app, &caller, input.request, link, ("reset_password", "user")).await;
    }
    let answer = app.change(&caller, input.request, move |tx| {
        let user = accounts::find_user(tx, id)?.ok_or_else(nobody)?;
        let action = match what {
            What::SecondFactor => {
                accounts::end_sessions(tx, id, None)?;
                crate::second_factor::remove(tx, id)?;
                "reset_second_factor"
            }
            What::Link => {
                links::remove(tx, id)?;
                "unlink"
            }
            What::Sessions | What::Password => {
                accounts::end_sessions(tx, id, None)?;
                "end_sessions"
            }
        };
        Ok(Done::nothing().noted((action, "user"), id, Some(json!({"email": user.email})), None))
    });
    let answer = answer.await?;
    app.reload_accounts().await?;
    Ok(answer)
}

fn nobody() -> Problem {
    NOT_FOUND.because("there is no such user")
}

/// An address in its one form.
pub fn address(email: &str) -> Result<String, Problem> {
    base::normalise_email(email).ok_or_else(|| BAD_INPUT.at("/email", "this is no e-mail address"))
}

/// A password's hash; made on a thread of its own, for it takes tens of milliseconds on purpose.
pub async fn hashed(password: String, pointer: &str) -> Result<String, Problem> {
    if !(8..=1024).contains(&password.len()) {
        return Err(BAD_INPUT.at(pointer, "a password has at least 8 characters"));
    }
    let hash = tokio::task::spawn_blocking(move || secrets::hash_password(&password)).await.ok().flatten();
    hash.ok_or_else(|| INTERNAL.because("the password could not be hashed"))
}

/// Ids of stores: few, short, each once.
pub fn stores_of(mut stores: Vec<String>) -> Result<Vec<String>, Problem> {
    let odd = |s: &String| s.is_empty() || s.len() > 100 || s.contains(char::is_control);
    if stores.len() > STORES_MAX || stores.iter().any(odd) {
        return Err(BAD_INPUT.at("/stores", format!("at most {STORES_MAX} ids of 1 to 100 characters")));
    }
    stores.sort_unstable();
    stores.dedup();
    Ok(stores)
}

/// A name as people give them: trimmed, not empty, of a bearable length.
pub fn named(name: &str) -> Result<String, Problem> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 200 || name.contains('\0') {
        return Err(BAD_INPUT.at("/name", "a name has 1 to 200 characters"));
    }
    Ok(name.to_string())
}
