//! Consents that a member of staff enters.
use super::person::{Consent, ConsentState};
use crate::app::App;
use crate::caller::WriteConsents;
use crate::change::Done;
use crate::input::Input;
use crate::problem::{BAD_INPUT, Problem};
use axum::extract::State;
use axum::response::Response;
use segments::runtime::Cause;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// What somebody said about being written to.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewConsent {
    channel: String,
    address: String,
    purpose: String,
    /// `granted` where nothing is said.
    #[serde(default = "granted")]
    state: ConsentState,
    wording: String,
    wording_version: Option<String>,
}

fn granted() -> ConsentState {
    ConsentState::Granted
}

/// Longest wording, in characters.
const WORDING_MAX: usize = 10_000;

/// Records a consent or its withdrawal.
#[utoipa::path(post, path = "/api/v1/consents", tag = "consents", request_body = NewConsent,
    responses((status = 201, body = Consent)))]
pub async fn record_consent(
    State(app): State<Arc<App>>,
    WriteConsents(caller): WriteConsents,
    input: Input<NewConsent>,
) -> Result<Response, Problem> {
    let new = input.value;
    let word =
        |text: &str| !text.is_empty() && text.len() <= 64 && !text.contains(|c: char| c.is_control() || c == '#');
    if !word(&new.channel) {
        return Err(BAD_INPUT.at("/channel", "name a channel, such as email"));
    }
    if !word(&new.purpose) {
        return Err(BAD_INPUT.at("/purpose", "name a purpose, such as marketing"));
    }
    if new.wording.trim().is_empty() || new.wording.chars().count() > WORDING_MAX {
        return Err(BAD_INPUT.at("/wording", "say in which words it was asked: that is the proof"));
    }
    let country = app.domain.settings().country;
    let address = customers::prepare::address(&new.channel, &new.address, country)
        .ok_or_else(|| BAD_INPUT.at("/address", format!("this is no address of the channel {}", new.channel)))?;
    let (actor, preparer) = (caller.actor.clone(), app.domain.preparer().clone());
    let clean = |text: &str| text.replace('\0', "\u{fffd}");
    let (wording, version) = (clean(&new.wording), clean(new.wording_version.as_deref().unwrap_or("")));
    app.change(&caller, input.request, move |tx| {
        let at = tx.now();
        let granted = new.state == ConsentState::Granted;
        let kind = customers::prepare::address_kind(&new.channel).to_string();
        let known = customers::lookup(tx, &kind, &address, country)?;
        let row = customers::consent::NewConsent {
            channel: new.channel.as_str().into(),
            address: address.clone(),
            purpose: new.purpose.as_str().into(),
            granted,
            at,
            claimed_at: at,
            wording: wording.as_str().into(),
            wording_version: version.as_str().into(),
            profile_id: known.map_or(0, |(_, profile)| profile),
            message_id: "".into(),
            source: 0,
            actor: actor.as_str().into(),
            imported: false,
        };
        let id = customers::consent::record_consent(tx, &row)?;
        if let Some((person_id, _)) = known {
            let moved = segments::runtime::reevaluate(tx, &[person_id], Cause::Event, &[])?;
            let appended = pipeline::step::moved(tx, &preparer, &moved, "consent")?;
            pipeline::append_derived(tx, &preparer, appended)?;
            tx.notify(db::Notice::Person { person_id });
        }
        let body = Consent {
            channel: new.channel.clone(),
            address: address.to_string(),
            purpose: new.purpose.clone(),
            state: new.state,
            at,
            wording: wording.clone(),
            message_id: None,
        };
        let after = json!({"channel": new.channel, "purpose": new.purpose, "granted": granted});
        Ok(Done::created(body).noted(("record", "consent"), id, None, Some(after)))
    })
    .await
}
