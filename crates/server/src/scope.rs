//! Customers of somebody's own stores: a person is of a store when it is their home store or one of their newest events
//! happened there (`properties.store_id`). Everybody else is not there, but for whom was found by an exact look-up.
use crate::app::App;
use crate::caller::Caller;
use crate::problem::{NOT_FOUND, Problem};
use base::{HOUR_US, MINUTE_US, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Newest events in which a store is looked for. A person with more since then is one of other stores.
pub const EVENTS: usize = 200;
/// How long somebody may serve a person whom they found by an exact phone, e-mail or card.
const SERVED_US: i64 = HOUR_US;
/// Answers that are remembered, at most.
const KNOWN_MAX: usize = 50_000;
/// Traits that name the home store.
const HOME: [&str; 3] = ["home_store_id", "home_store", "store_id"];

/// What was found out lately: by actor and person, whether they may, until when that holds.
#[derive(Debug, Default)]
pub struct Known(Mutex<HashMap<(String, i64), (bool, Timestamp)>>);

impl Known {
    fn get(&self, actor: &str, person: i64, now: Timestamp) -> Option<bool> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&(actor.to_string(), person)).filter(|(_, until)| *until > now).map(|(may, _)| *may)
    }
    fn set(&self, actor: &str, person: i64, may: bool, until: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert((actor.to_string(), person), (may, until));
    }
    /// Lets somebody serve a person whom they could name.
    pub fn serve(&self, caller: &Caller, person: i64, now: Timestamp) {
        self.set(&caller.actor, person, true, now.plus(SERVED_US));
    }
    /// Forgets everything, after stores were given or taken.
    pub fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Refuses a person of another store, as if there were none.
pub async fn check(app: &Arc<App>, caller: &Caller, person: i64) -> Result<(), Problem> {
    if visible(app, caller, person).await? {
        return Ok(());
    }
    Err(NOT_FOUND.because(format!("nobody has the id {person}")))
}

/// Whether a person is of the caller's stores.
pub async fn visible(app: &Arc<App>, caller: &Caller, person: i64) -> Result<bool, Problem> {
    let Some(stores) = caller.stores.clone() else { return Ok(true) };
    let now = app.now();
    if let Some(may) = app.known.get(&caller.actor, person, now) {
        return Ok(may);
    }
    let may = !stores.is_empty() && belongs(app, person, &stores).await?;
    // Who is not of the store may walk in any moment.
    let until = if may { 10 * MINUTE_US } else { MINUTE_US / 4 };
    app.known.set(&caller.actor, person, may, now.plus(until));
    Ok(may)
}

async fn belongs(app: &Arc<App>, person: i64, stores: &Arc<[String]>) -> Result<bool, Problem> {
    let counters = app.domain.preparer().current().counters;
    let own = stores.clone();
    let found = app
        .read(move |tx| {
            let Some(view) = customers::person(tx, person, &counters)? else { return Ok(None) };
            let traits = &view.state.traits;
            let home = HOME.iter().filter_map(|t| traits.text(t)).any(|t| own.contains(&t));
            let members = customers::commands::members_of(tx, view.person_id)?;
            let page = customers::timeline::page(tx, &members, &customers::timeline::Ask::newest(EVENTS))?;
            Ok(Some((home, page.entries.iter().map(|e| e.seq).collect::<Vec<i64>>())))
        })
        .await?;
    let Some((home, seqs)) = found else { return Ok(false) };
    if home || seqs.is_empty() {
        return Ok(home);
    }
    let (preparer, stores) = (app.domain.preparer().clone(), stores.clone());
    app.query(move |db| {
        let events = pipeline::timeline::events_of(db, &preparer, &seqs)?;
        Ok(events.iter().any(|e| e.properties.as_deref().is_some_and(|p| happened_at(p, &stores))))
    })
    .await
}

/// Whether an event's properties name one of some stores.
fn happened_at(properties: &str, stores: &[String]) -> bool {
    if !properties.contains("\"store_id\"") {
        return false;
    }
    #[derive(serde::Deserialize)]
    struct Place {
        store_id: serde_json::Value,
    }
    match serde_json::from_str::<Place>(properties).map(|p| p.store_id) {
        Ok(serde_json::Value::String(id)) => stores.contains(&id),
        Ok(serde_json::Value::Number(id)) => stores.contains(&id.to_string()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_happened_where_it_says() {
        let stores = ["lviv-1".to_string(), "7".to_string()];
        assert!(happened_at(r#"{"total":1,"store_id":"lviv-1"}"#, &stores));
        assert!(happened_at(r#"{"store_id":7}"#, &stores));
        for elsewhere in [r#"{"store_id":"kyiv-1"}"#, r#"{"x":"\"store_id\""}"#, r#"{"a":{"store_id":"lviv-1"}}"#, "{"]
        {
            assert!(!happened_at(elsewhere, &stores), "{elsewhere}");
        }
    }
}
