//! The one transaction in which somebody of the provider comes in: who they are, their link, the audit, their session.
use super::decide::{Decision, Known, address, decide};
use super::links;
use super::refusal::{Reason, Refusal};
use super::settings::Settings;
use crate::accounts::{self, NewUser, Origin, User, Via};
use crate::invitations;
use crate::problem::Problem;
use connect::oidc::Claims;
use db::{DbError, Tx};
use serde_json::json;

/// How far somebody came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entered {
    /// In.
    In {
        /// Who they are.
        user: User,
        /// Their session's token.
        token: String,
    },
    /// Their second factor is asked for first; nothing was changed.
    Code(User),
    /// Not at all.
    Refused(Refusal),
}

/// Somebody at the door.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The provider.
    pub issuer: String,
    /// What it told.
    pub claims: Claims,
    /// From where they come.
    pub from: Origin,
    /// The user whose second factor was shown just now.
    pub proven: Option<i64>,
    /// The attempt, where it is to be used up together with the entry, and until when it is good.
    pub attempt: Option<(String, base::Timestamp)>,
}

/// Finds out who somebody is here, without changing anything.
pub fn who(
    tx: &mut Tx,
    settings: &Settings,
    issuer: &str,
    claims: &Claims,
) -> Result<Result<Decision, Refusal>, DbError> {
    let linked = match links::find(tx, issuer, &claims.subject)? {
        Some(link) => accounts::find_user(tx, link.user)?,
        None => None,
    };
    let mut known = Known { linked, ..Known::default() };
    if known.linked.is_none()
        && let Some(email) = address(claims)
    {
        known.by_email = accounts::find_by_email(tx, &email)?;
        if let Some(user) = &known.by_email {
            known.linked_elsewhere = links::of_user(tx, user.id, issuer)?.is_some();
        }
        known.invited = invitations::find_for(tx, &email)?;
    }
    Ok(decide(settings, claims, known))
}

/// Lets somebody in, or says why not. Decides everything before the first write.
pub fn enter(tx: &mut Tx, settings: &Settings, days: i64, visitor: &Visitor) -> Result<Entered, Problem> {
    let Visitor { issuer, claims, from, .. } = visitor;
    let decision = match who(tx, settings, issuer, claims)? {
        Ok(decision) => decision,
        Err(refusal) => return Ok(Entered::Refused(refusal)),
    };
    if let Decision::Enter(user) | Decision::Link(user) = &decision
        && user.totp
        && !settings.provider_second_factor
        && visitor.proven != Some(user.id)
    {
        return Ok(Entered::Code(user.clone()));
    }
    let new = matches!(decision, Decision::Join(_) | Decision::Create { .. });
    if new && accounts::count(tx)? >= accounts::USERS_MAX {
        return Ok(Entered::Refused(Refusal::new(Reason::Full, "there are as many users as there may be")));
    }
    if let Some((attempt, until)) = &visitor.attempt
        && !links::use_up(tx, attempt, *until)?
    {
        return Ok(Entered::Refused(Refusal::new(Reason::Replayed, "this attempt to sign in came back before")));
    }
    let email = address(claims);
    let key = (issuer.as_str(), claims.subject.as_str());
    let link = |tx: &mut Tx, user: &User| -> Result<(), Problem> {
        links::add(tx, key, user.id, email.as_deref().unwrap_or_default())?;
        let after = json!({"issuer": issuer, "subject": claims.subject, "email": email});
        Ok(note(tx, user, "link", &after)?)
    };
    let user = match decision {
        Decision::Enter(user) => {
            links::touch(tx, key, email.as_deref())?;
            user
        }
        Decision::Link(user) => {
            link(tx, &user)?;
            user
        }
        Decision::Join(invitation) => {
            let user = add(tx, &invitation.email, &invitation.name, invitation.role, invitation.stores)?;
            invitations::mark_used(tx, invitation.id)?;
            let after = json!({"email": user.email, "role": user.role, "invited_by": invitation.created_by});
            note(tx, &user, "join", &after)?;
            link(tx, &user)?;
            user
        }
        Decision::Create { email, name } => {
            let user = add(tx, &email, &name, settings.role, Vec::new())?;
            note(tx, &user, "create", &json!({"email": user.email, "name": user.name, "role": user.role}))?;
            link(tx, &user)?;
            user
        }
    };
    let token = base::random_token();
    accounts::add_session(tx, user.id, &token, days, from)?;
    note(tx, &user, "sign_in", &json!({"address": from.address, "agent": from.agent, "via": Via::Provider.as_str()}))?;
    Ok(Entered::In { user, token })
}

fn note(tx: &mut Tx, user: &User, action: &str, after: &serde_json::Value) -> Result<(), DbError> {
    crate::audit::note(tx, &user.email, (action, "user"), &user.id.to_string(), None, Some(after))
}

/// Adds somebody who has no password: they sign in at the provider.
fn add(tx: &mut Tx, email: &str, name: &str, role: crate::access::Role, stores: Vec<String>) -> Result<User, Problem> {
    let (email, name) = (email.to_string(), name.chars().take(200).collect());
    let new = NewUser { email, name, role, stores, password: String::new(), own_password: false };
    // The rule has looked: nobody has the address.
    accounts::add_user(tx, &new)?.ok_or_else(|| DbError::damaged("users", "an address appeared meanwhile").into())
}

/// Notes that somebody was refused.
pub fn note_refusal(tx: &mut Tx, refusal: &Refusal, from: &Origin) -> Result<(), DbError> {
    let actor = refusal.email.as_deref().unwrap_or("identity provider");
    let subject = refusal.user.map(|u| u.to_string()).unwrap_or_default();
    let after = json!({
        "reason": refusal.reason.as_str(),
        "detail": refusal.detail,
        "address": from.address,
        "agent": from.agent,
    });
    crate::audit::note(tx, actor, ("refuse_sign_in", "user"), &subject, None, Some(&after))
}
