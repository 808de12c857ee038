//! A profile's row as bytes: varints, times as differences, kinds that everybody has as one byte.
//!
//! The first byte is the version; a new one is added beside the old, and rows are rewritten as they are flushed.
use crate::counters::Counters;
use crate::facts::Facts;
use crate::model::{Amounts, Currency, Evidence, Identifiers, Key, Profile, Seen, Stamp, State, Totals, Trait, Traits};
use base::Timestamp;
use db::DbError;
use db::index;
use db::pack::{Reader, put_bytes, put_i64, put_u64};
use std::sync::Arc;

const VERSION: u8 = 2;
/// Rows of the first release: without standing facts.
const WITHOUT_FACTS: u8 = 1;

/// Kinds with a byte of their own; others are written out after byte 0. Only ever add at the end.
const KINDS: [&str; 8] = [
    "user_id",
    "email",
    "phone",
    "anonymous_id",
    "loyalty_card",
    "android.push_token",
    "ios.push_token",
    "ga_client_id",
];

/// Writes a row; `folded_to` has a column of its own.
pub fn encode(profile: &Profile, out: &mut Vec<u8>) {
    out.push(VERSION);
    let base = profile.created_at.micros();
    put_i64(out, base);
    put_u64(out, profile.person as u64);
    let members = profile.members.as_deref().unwrap_or_default();
    put_u64(out, members.len() as u64);
    for member in members {
        put_u64(out, *member as u64);
    }
    encode_identifiers(&profile.state.identifiers, base, out);
    encode_traits(&profile.state.traits, base, out);
    encode_totals(&profile.state.totals, base, out);
    profile.state.counters.encode(out);
    profile.state.facts.encode(base, out);
    profile.tail.encode(out);
}

/// The inverse of [`encode`].
pub fn decode(bytes: &[u8], folded_to: i64) -> Result<Profile, DbError> {
    let mut reader = Reader::new(bytes);
    let reader = &mut reader;
    let version = reader.u8()?;
    if version != VERSION && version != WITHOUT_FACTS {
        return Err(DbError::damaged("a profile", format!("its version is {version}")));
    }
    let base = reader.i64()?;
    let person = reader.u64()? as i64;
    let members = list(reader, |r| Ok(r.u64()? as i64))?;
    let state = State {
        identifiers: decode_identifiers(reader, base)?,
        traits: decode_traits(reader, base)?,
        totals: decode_totals(reader, base)?,
        counters: Counters::decode(reader)?,
        facts: if version == WITHOUT_FACTS { Facts::default() } else { Facts::decode(base, reader)? },
    };
    let tail = index::unpack(reader)?.into();
    if !reader.is_empty() {
        return Err(DbError::damaged("a profile", "bytes follow its end"));
    }
    let members = (!members.is_empty()).then(|| members.into());
    Ok(Profile { person, members, created_at: Timestamp::from_micros(base), folded_to, state, tail })
}

pub(crate) fn list<T>(
    reader: &mut Reader<'_>,
    mut read: impl FnMut(&mut Reader<'_>) -> Result<T, DbError>,
) -> Result<Vec<T>, DbError> {
    let count = reader.u64()?;
    // A damaged count must not take memory before its items turn out to be missing.
    let mut out = Vec::with_capacity(count.min(1024) as usize);
    for _ in 0..count {
        out.push(read(reader)?);
    }
    Ok(out)
}

pub(crate) fn put_time(out: &mut Vec<u8>, time: Timestamp, base: i64) {
    put_i64(out, time.micros().wrapping_sub(base));
}

pub(crate) fn time(reader: &mut Reader<'_>, base: i64) -> Result<Timestamp, DbError> {
    Ok(Timestamp::from_micros(reader.i64()?.wrapping_add(base)))
}

fn encode_identifiers(identifiers: &Identifiers, base: i64, out: &mut Vec<u8>) {
    put_u64(out, identifiers.keys.len() as u64);
    for (key, seen) in identifiers.keys.iter().zip(&identifiers.seen) {
        let known = KINDS.iter().position(|k| **k == *key.kind);
        out.push(known.map_or(0, |at| at as u8 + 1));
        if known.is_none() {
            put_bytes(out, key.kind.as_bytes());
        }
        put_bytes(out, key.value.as_bytes());
        put_time(out, seen.first, base);
        put_time(out, seen.last, seen.first.micros());
        match &key.evidence {
            // A seq is never 0.
            None => put_u64(out, 0),
            Some(evidence) => {
                put_u64(out, evidence.seq as u64);
                put_bytes(out, evidence.message_id.as_bytes());
                put_time(out, evidence.at, seen.first.micros());
            }
        }
    }
}

fn decode_identifiers(reader: &mut Reader<'_>, base: i64) -> Result<Identifiers, DbError> {
    let pairs = list(reader, |r| {
        let kind = match r.u8()? {
            0 => r.str()?,
            known => KINDS.get(known as usize - 1).ok_or_else(|| DbError::damaged("a profile", "a kind is unknown"))?,
        };
        let value = r.str()?;
        let first = time(r, base)?;
        let last = time(r, first.micros())?;
        let evidence = match r.u64()? {
            0 => None,
            seq => Some(Evidence { seq: seq as i64, message_id: r.str()?.into(), at: time(r, first.micros())? }),
        };
        Ok((Key { kind: kind.into(), value: value.into(), evidence }, Seen { first, last }))
    })?;
    let (keys, seen) = pairs.into_iter().unzip();
    Ok(Identifiers { keys: Arc::new(keys), seen })
}

fn encode_traits(traits: &Traits, base: i64, out: &mut Vec<u8>) {
    let mut stamps: Vec<&Stamp> = traits.0.iter().map(|t| &*t.stamp).collect();
    stamps.sort_unstable();
    stamps.dedup();
    put_u64(out, stamps.len() as u64);
    for stamp in &stamps {
        put_time(out, stamp.timestamp, base);
        put_bytes(out, stamp.message_id.as_bytes());
        put_i64(out, stamp.source);
    }
    put_u64(out, traits.0.len() as u64);
    for one in traits.0.iter() {
        put_bytes(out, one.name.as_bytes());
        let stamp = stamps.partition_point(|s| **s < *one.stamp) as u64;
        put_u64(out, stamp << 1 | u64::from(one.value.is_some()));
        if let Some(value) = &one.value {
            put_bytes(out, value.as_bytes());
        }
    }
}

fn decode_traits(reader: &mut Reader<'_>, base: i64) -> Result<Traits, DbError> {
    let stamps = list(reader, |r| {
        let timestamp = time(r, base)?;
        Ok(Arc::new(Stamp { timestamp, message_id: r.str()?.into(), source: r.i64()? }))
    })?;
    let traits = list(reader, |r| {
        let name = r.str()?.into();
        let head = r.u64()?;
        let stamp =
            stamps.get((head >> 1) as usize).ok_or_else(|| DbError::damaged("a profile", "a trait has no stamp"))?;
        let value = if head & 1 == 1 { Some(r.str()?.into()) } else { None };
        Ok(Trait { name, value, stamp: stamp.clone() })
    })?;
    Ok(Traits(Arc::new(traits)))
}

fn encode_totals(totals: &Totals, base: i64, out: &mut Vec<u8>) {
    let put_optional = |out: &mut Vec<u8>, time: Option<Timestamp>| match time {
        None => out.push(0),
        Some(time) => {
            out.push(1);
            put_time(out, time, base);
        }
    };
    put_u64(out, totals.events as u64);
    put_optional(out, totals.first.map(|(t, _)| t));
    if let Some((_, source)) = totals.first {
        put_i64(out, source);
    }
    put_optional(out, totals.last_seen);
    put_u64(out, totals.orders as u64);
    put_u64(out, totals.refunds as u64);
    for amounts in [&totals.revenue, &totals.refunded] {
        put_u64(out, amounts.0.len() as u64);
        for (currency, minor) in &amounts.0 {
            out.extend_from_slice(&currency.0);
            put_i64(out, *minor);
        }
    }
    put_optional(out, totals.last_order_at);
}

fn decode_totals(reader: &mut Reader<'_>, base: i64) -> Result<Totals, DbError> {
    let optional = |r: &mut Reader<'_>| if r.u8()? == 0 { Ok(None) } else { time(r, base).map(Some) };
    let amounts = |r: &mut Reader<'_>| {
        let pairs = list(r, |r| Ok((Currency([r.u8()?, r.u8()?, r.u8()?]), r.i64()?)))?;
        Ok::<_, DbError>(Amounts(pairs))
    };
    let events = reader.u64()? as i64;
    let first = match optional(reader)? {
        Some(time) => Some((time, reader.i64()?)),
        None => None,
    };
    Ok(Totals {
        events,
        first,
        last_seen: optional(reader)?,
        orders: reader.u64()? as i64,
        refunds: reader.u64()? as i64,
        revenue: amounts(reader)?,
        refunded: amounts(reader)?,
        last_order_at: optional(reader)?,
    })
}
