//! Places and sales channels.
use crate::error::StockError;
use crate::model::{Location, LocationKind, LocationState};
use crate::places::{Channel, Places, PlacesMemory};
use base::Quantity;
use db::{DbError, Notice, Tx, Value};
use std::sync::Arc;

/// Places of one shop.
const LOCATIONS_MAX: usize = 20_000;
const CHANNELS_MAX: usize = 200;

/// The places and channels as this transaction sees them.
pub fn places(tx: &mut Tx) -> Result<Arc<Places>, DbError> {
    Ok(tx.memory::<PlacesMemory>()?.now())
}

/// The places for threads beside the writer, kept up to date.
pub fn places_cell(tx: &mut Tx) -> Result<crate::PlacesCell, DbError> {
    Ok(tx.memory::<PlacesMemory>()?.cell())
}

/// A place as somebody describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocationInput {
    pub id: String,
    pub kind: LocationKind,
    pub name: String,
    pub address: String,
    /// Degrees × 10⁷.
    pub lat_lon_e7: Option<(i64, i64)>,
    /// IANA name.
    pub time_zone: String,
    pub entity: String,
}

/// Makes a place, or changes one. `version` is the one that was read, `None` for whoever does not mind. Gives it before and after.
pub fn put_location(
    tx: &mut Tx,
    input: &LocationInput,
    version: Option<i64>,
) -> Result<(Option<Arc<Location>>, Arc<Location>), StockError> {
    check_id("/id", &input.id)?;
    check_text("/name", &input.name, 200, true)?;
    check_text("/address", &input.address, 500, false)?;
    check_text("/entity", &input.entity, 100, false)?;
    if let Some((lat, lon)) = input.lat_lon_e7
        && (lat.abs() > 900_000_000 || lon.abs() > 1_800_000_000)
    {
        return Err(StockError::field("/lat", "latitude goes from -90 to 90, longitude from -180 to 180"));
    }
    if jiff::tz::TimeZone::get(&input.time_zone).is_err() {
        return Err(StockError::field("/time_zone", "name a time zone such as Europe/Kyiv"));
    }
    let all = places(tx)?;
    let before = all.find(&input.id).cloned();
    if before.as_ref().is_some_and(|b| b.no < 0) {
        return Err(StockError::field("/id", "every shop has this place, and it cannot be changed"));
    }
    if !input.kind.sells() {
        return Err(StockError::field("/kind", "supplier, customer, loss and transit exist already"));
    }
    if let (Some(known), Some(read)) = (&before, version)
        && known.version != read
    {
        return Err(StockError::Changed { what: "location", id: input.id.clone() });
    }
    if before.is_none() && all.all().len() >= LOCATIONS_MAX {
        return Err(StockError::field("/id", format!("a shop has at most {LOCATIONS_MAX} places")));
    }
    let (no, known) = match &before {
        Some(known) => (known.no, known.version),
        None => (tx.next_id(), 0),
    };
    let after = Location {
        no,
        id: input.id.as_str().into(),
        kind: input.kind,
        name: input.name.trim().into(),
        address: input.address.trim().into(),
        lat_lon_e7: input.lat_lon_e7,
        time_zone: input.time_zone.as_str().into(),
        entity: input.entity.as_str().into(),
        state: before.as_ref().map_or(LocationState::Open, |b| b.state),
        state_why: before.as_ref().map_or("".into(), |b| b.state_why.clone()),
        version: known + 1,
    };
    store(tx, &after)?;
    Ok((before, Arc::new(after)))
}

/// Opens, pauses or closes a place. Claims that it has stay; new ones go elsewhere.
pub fn set_state(
    tx: &mut Tx,
    id: &str,
    state: LocationState,
    why: &str,
) -> Result<(Arc<Location>, Arc<Location>), StockError> {
    check_text("/why", why, 500, false)?;
    let before = places(tx)?.find(id).cloned();
    let before = before.filter(|location| location.no > 0);
    let before = before.ok_or_else(|| StockError::Unknown { what: "location", id: id.into() })?;
    let after = Location { state, state_why: why.trim().into(), version: before.version + 1, ..(*before).clone() };
    store(tx, &after)?;
    Ok((before, Arc::new(after)))
}

fn store(tx: &mut Tx, location: &Location) -> Result<(), DbError> {
    let now = tx.now().micros();
    let sql = "INSERT INTO locations (no, id, kind, name, address, lat_e7, lon_e7, time_zone, entity, state, state_why, version, \
               created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13) \
               ON CONFLICT (no) DO UPDATE SET kind = excluded.kind, name = excluded.name, address = excluded.address, \
               lat_e7 = excluded.lat_e7, lon_e7 = excluded.lon_e7, time_zone = excluded.time_zone, entity = excluded.entity, \
               state = excluded.state, state_why = excluded.state_why, version = excluded.version, updated_at = excluded.updated_at";
    let values: [Value<'_>; 13] = [
        location.no.into(),
        (&*location.id).into(),
        location.kind.as_str().into(),
        (&*location.name).into(),
        (&*location.address).into(),
        location.lat_lon_e7.map(|(lat, _)| lat).into(),
        location.lat_lon_e7.map(|(_, lon)| lon).into(),
        (&*location.time_zone).into(),
        (&*location.entity).into(),
        location.state.as_str().into(),
        (&*location.state_why).into(),
        location.version.into(),
        now.into(),
    ];
    tx.execute(sql, &values)?;
    tx.memory::<PlacesMemory>()?.change().put(location.clone());
    tx.notify(Notice::Changed { what: "locations" });
    Ok(())
}

/// A sales channel as somebody describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelInput {
    pub id: String,
    pub name: String,
    pub hold_seconds: i64,
    pub buffer: Quantity,
    pub kinds: Vec<LocationKind>,
    /// Ids of places.
    pub only: Vec<String>,
    pub excluded: Vec<String>,
}

/// Makes a sales channel, or changes one. Gives it before and after.
pub fn put_channel(
    tx: &mut Tx,
    input: &ChannelInput,
    version: Option<i64>,
) -> Result<(Option<Arc<Channel>>, Arc<Channel>), StockError> {
    check_id("/id", &input.id)?;
    check_text("/name", &input.name, 200, true)?;
    if !(30..=86_400).contains(&input.hold_seconds) {
        return Err(StockError::field("/hold_seconds", "a cart holds goods from 30 seconds to a day"));
    }
    if input.buffer.is_negative() || input.buffer > Quantity::MAX {
        return Err(StockError::field("/buffer", "what is kept back is nothing or more"));
    }
    if input.kinds.is_empty() || input.kinds.iter().any(|kind| !kind.sells()) {
        return Err(StockError::field("/kinds", "name at least one kind of place that sells"));
    }
    let all = places(tx)?;
    let find = |pointer: &str, ids: &[String]| -> Result<Vec<i64>, StockError> {
        ids.iter()
            .enumerate()
            .map(|(at, id)| {
                let found = all.find(id).filter(|location| location.no > 0).map(|location| location.no);
                found.ok_or_else(|| StockError::field(format!("{pointer}/{at}"), format!("there is no place {id:?}")))
            })
            .collect()
    };
    let (only, excluded) = (find("/only", &input.only)?, find("/excluded", &input.excluded)?);
    let before = all.channel(&input.id).cloned();
    if let (Some(known), Some(read)) = (&before, version)
        && known.version != read
    {
        return Err(StockError::Changed { what: "channel", id: input.id.clone() });
    }
    if before.is_none() && all.channels().len() >= CHANNELS_MAX {
        return Err(StockError::field("/id", format!("a shop has at most {CHANNELS_MAX} channels")));
    }
    let after = Channel {
        id: input.id.as_str().into(),
        name: input.name.trim().into(),
        hold_seconds: input.hold_seconds,
        buffer: input.buffer,
        kinds: input.kinds.clone(),
        only,
        excluded,
        version: before.as_ref().map_or(0, |b| b.version) + 1,
        serving: hashbrown::HashSet::new(),
    };
    let joined = |list: &[i64]| list.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
    let kinds = after.kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(",");
    let (only, excluded) = (joined(&after.only), joined(&after.excluded));
    let now = tx.now().micros();
    let sql = "INSERT INTO stock_channels (id, name, hold_seconds, buffer, kinds, only_locations, excluded_locations, version, \
               updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO UPDATE SET name = excluded.name, \
               hold_seconds = excluded.hold_seconds, buffer = excluded.buffer, kinds = excluded.kinds, \
               only_locations = excluded.only_locations, excluded_locations = excluded.excluded_locations, \
               version = excluded.version, updated_at = excluded.updated_at";
    let values: [Value<'_>; 9] = [
        (&*after.id).into(),
        (&*after.name).into(),
        after.hold_seconds.into(),
        after.buffer.milli().into(),
        (&kinds).into(),
        (&only).into(),
        (&excluded).into(),
        after.version.into(),
        now.into(),
    ];
    tx.execute(sql, &values)?;
    tx.memory::<PlacesMemory>()?.change().put_channel(after.clone());
    tx.notify(Notice::Changed { what: "channels" });
    let after = places(tx)?.channel(&after.id).cloned().unwrap_or_else(|| Arc::new(after));
    Ok((before, after))
}

fn check_id(pointer: &str, id: &str) -> Result<(), StockError> {
    let fine = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    if id.is_empty() || id.len() > 100 || !id.chars().all(fine) {
        let detail = "an id is up to 100 bytes of letters, digits and - _ . :";
        return Err(StockError::field(pointer, detail));
    }
    Ok(())
}

fn check_text(pointer: &str, text: &str, most: usize, needed: bool) -> Result<(), StockError> {
    if needed && text.trim().is_empty() {
        return Err(StockError::field(pointer, "it is empty"));
    }
    if text.len() > most || text.chars().any(char::is_control) {
        return Err(StockError::field(pointer, format!("at most {most} bytes on one line are allowed")));
    }
    Ok(())
}
