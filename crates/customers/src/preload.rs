//! Reading what a group of events will ask for all at once, before the first of them is placed.
use crate::profiles::{IdentifierTable, Owner, Profiles};
use db::event::{Event, Identifier};
use db::{DbError, Lookup, Tx, Value};

static OWNERS: Lookup =
    Lookup { table: "identifiers", keys: &[("kind", 't'), ("value", 't')], columns: "profile_id, seq", order: "" };

/// Brings the owners of the events' identifiers, their profiles and the people of those into memory; gives the people's ids.
pub fn people<'e>(tx: &mut Tx, events: impl Iterator<Item = &'e Event>) -> Result<Vec<i64>, DbError> {
    let mut absent: Vec<&Identifier> = Vec::new();
    let mut profiles: Vec<i64> = Vec::new();
    for event in events {
        profiles.extend(event.profile_id);
        for identifier in &event.identifiers {
            match tx.peek::<IdentifierTable>(identifier.hash).copied() {
                Some(owner) => profiles.push(owner.profile_id),
                None if tx.holds::<IdentifierTable>(identifier.hash) => {}
                None => absent.push(identifier),
            }
        }
    }
    owners(tx, absent, &mut profiles)?;
    tidy(&mut profiles);
    tx.preload::<Profiles>(&profiles)?;
    let mut people: Vec<i64> = Vec::with_capacity(profiles.len());
    people.extend(profiles.iter().filter_map(|id| tx.peek::<Profiles>(*id).map(|p| p.person)));
    tidy(&mut people);
    // Joined ones: the row of the person, and then of all its profiles, since evaluation sees them together.
    tx.preload::<Profiles>(&people)?;
    let mut members: Vec<i64> = Vec::new();
    for person in &people {
        if let Some(all) = tx.peek::<Profiles>(*person).and_then(|p| p.members.clone()) {
            members.extend(all.iter());
        }
    }
    tidy(&mut members);
    tx.preload::<Profiles>(&members)?;
    Ok(people)
}

fn owners(tx: &mut Tx, mut absent: Vec<&Identifier>, profiles: &mut Vec<i64>) -> Result<(), DbError> {
    // In the order of the key, so that neighbours share a page.
    absent.sort_unstable_by(|a, b| (&a.kind, &a.value).cmp(&(&b.kind, &b.value)));
    absent.dedup_by_key(|i| i.hash);
    let keys: Vec<[Value<'_>; 2]> = absent.iter().map(|i| [(&*i.kind).into(), (&*i.value).into()]).collect();
    let refs: Vec<&[Value<'_>]> = keys.iter().map(|k| &k[..]).collect();
    let mut found: Vec<Option<Owner>> = vec![None; absent.len()];
    tx.lookup(&OWNERS, &refs, &mut |at, row| {
        let owner = Owner { profile_id: row.int(0)?, seq: row.int(1)? };
        profiles.push(owner.profile_id);
        found[at] = Some(owner);
        Ok(())
    })?;
    tx.read_beforehand::<IdentifierTable>(absent.iter().map(|i| i.hash).zip(found));
    Ok(())
}

fn tidy(ids: &mut Vec<i64>) {
    ids.sort_unstable();
    ids.dedup();
}
