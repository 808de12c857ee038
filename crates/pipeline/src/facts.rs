//! What the gate wants to know, from the rooms that own it.
use crate::preparer::Preparer;
use customers::profiles::Profiles;
use db::{DbError, Tx, log};
use messaging::{GateFacts, PersonFacts};
use segments::runtime::definitions;

/// Facts read in the transaction that decides.
pub struct Facts<'a> {
    pub preparer: &'a Preparer,
}

impl GateFacts for Facts<'_> {
    fn membership(&mut self, tx: &mut Tx, segment_id: i64, person_id: i64) -> Result<bool, DbError> {
        Ok(segments::runtime::read_person(tx, person_id)?.iter().any(|m| m.segment_id == segment_id))
    }

    fn person(&mut self, tx: &mut Tx, profile_id: i64) -> Result<Option<PersonFacts>, DbError> {
        let compiled = definitions::current(tx)?;
        let counters = compiled.counters.clone();
        let Some(view) = customers::person(tx, profile_id, &counters)? else { return Ok(None) };
        let members: Vec<i64> = view.members.iter().map(|m| m.profile_id).collect();
        let mut traits = serde_json::Map::new();
        for (name, json, _) in view.state.traits.iter() {
            if let Ok(value) = serde_json::from_str(json) {
                traits.insert(name.to_string(), value);
            }
        }
        if let Some(name) = view.state.display_name() {
            traits.entry("name").or_insert(serde_json::Value::String(name));
        }
        // As in conditions, what the shop computes goes before what was sent under the same name.
        for (one, answer) in segments::runtime::computed::values(&compiled, &view.state, tx.now()) {
            match segments::computed::json(&answer.values) {
                Some(value) => traits.insert(one.name.clone(), value),
                None => traits.remove(&one.name),
            };
        }
        // The address that was used last is the one that is read.
        let mut emails: Vec<_> = view.identifiers.iter().filter(|i| &*i.kind == "email").collect();
        emails.sort_by_key(|i| std::cmp::Reverse(i.seen.last));
        let emails = emails.into_iter().map(|i| i.value.to_string()).collect();
        let mut unsubscribed = false;
        for member in &members {
            let address = customers::consent::profile_address(*member);
            let standing = customers::consent::consent_state(tx, &[], "*", &address, "marketing")?;
            unsubscribed |= standing.is_some_and(|s| !s.granted);
        }
        Ok(Some(PersonFacts { person_id: view.person_id, members, traits, emails, unsubscribed }))
    }

    fn members(&mut self, tx: &mut Tx, profile_id: i64) -> Result<Vec<i64>, DbError> {
        let Some(person) = tx.get::<Profiles>(profile_id)?.map(|row| row.person) else { return Ok(Vec::new()) };
        customers::commands::members_of(tx, person)
    }

    fn consent(&mut self, tx: &mut Tx, channel: &str, address: &str, purpose: &str) -> Result<Option<bool>, DbError> {
        Ok(customers::consent::consent_state(tx, &[], channel, address, purpose)?.map(|s| s.granted))
    }

    fn event_properties(&mut self, tx: &mut Tx, seq: i64) -> Result<Option<String>, DbError> {
        let Some(row) = log::find(tx.engine(), seq)? else { return Ok(None) };
        let stored = crate::timeline::stored_event(self.preparer, &row, seq)?;
        Ok(stored.and_then(|e| e.properties))
    }

    fn segment_exists(&mut self, tx: &mut Tx, segment_id: i64) -> Result<bool, DbError> {
        Ok(definitions::current(tx)?.find(segment_id).is_some())
    }
}
