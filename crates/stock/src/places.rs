//! All places and sales channels, in the writer's memory: there are thousands, not millions, and every claim asks.
use crate::model::{CUSTOMER, LOSS, Location, LocationKind, LocationState, SUPPLIER, TRANSIT};
use base::Quantity;
use db::{DbError, Engine, Memory, Row};
use hashbrown::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

/// Who sells: the site, the app, a marketplace, the call centre. The till of a shop needs none: it sells what lies there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    pub id: Box<str>,
    pub name: Box<str>,
    /// How long a cart holds goods.
    pub hold_seconds: i64,
    /// Kept back at each place.
    pub buffer: Quantity,
    /// Kinds of places that serve it.
    pub kinds: Vec<LocationKind>,
    /// Only these, if any are named.
    pub only: Vec<i64>,
    pub excluded: Vec<i64>,
    pub version: i64,
    /// The places that serve it now, made from the rest.
    pub serving: HashSet<i64>,
}

impl Channel {
    /// Work inside the shop; see `commands::ANY_CHANNEL`.
    pub(crate) fn inside() -> Self {
        Channel {
            id: "".into(),
            name: "".into(),
            hold_seconds: 900,
            buffer: Quantity::ZERO,
            kinds: vec![],
            only: vec![],
            excluded: vec![],
            version: 0,
            serving: HashSet::new(),
        }
    }
    /// Whether a place serves the channel now.
    pub fn serves(&self, location_no: i64) -> bool {
        self.serving.contains(&location_no)
    }
}

/// The places and channels of a shop.
#[derive(Debug, Clone, Default)]
pub struct Places {
    by_no: HashMap<i64, Arc<Location>>,
    by_id: HashMap<Box<str>, i64>,
    channels: HashMap<Box<str>, Arc<Channel>>,
}

impl Places {
    pub fn get(&self, no: i64) -> Option<&Arc<Location>> {
        self.by_no.get(&no)
    }
    pub fn find(&self, id: &str) -> Option<&Arc<Location>> {
        self.by_no.get(self.by_id.get(id)?)
    }
    pub fn channel(&self, id: &str) -> Option<&Arc<Channel>> {
        self.channels.get(id)
    }
    /// All places by number.
    pub fn all(&self) -> Vec<Arc<Location>> {
        let mut out: Vec<_> = self.by_no.values().cloned().collect();
        out.sort_by_key(|location| location.no);
        out
    }
    /// All channels by id.
    pub fn channels(&self) -> Vec<Arc<Channel>> {
        let mut out: Vec<_> = self.channels.values().cloned().collect();
        out.sort_by(|a, b| a.id.cmp(&b.id));
        out
    }
    /// With a place as it is from now on.
    pub(crate) fn put(&mut self, location: Location) {
        self.by_id.insert(location.id.clone(), location.no);
        self.by_no.insert(location.no, Arc::new(location));
        self.connect();
    }
    pub(crate) fn put_channel(&mut self, channel: Channel) {
        self.channels.insert(channel.id.clone(), Arc::new(channel));
        self.connect();
    }
    /// Finds anew who serves whom.
    fn connect(&mut self) {
        for channel in self.channels.values_mut() {
            let serves = |location: &&Arc<Location>| {
                location.kind.sells()
                    && location.state == LocationState::Open
                    && channel.kinds.contains(&location.kind)
                    && (channel.only.is_empty() || channel.only.contains(&location.no))
                    && !channel.excluded.contains(&location.no)
            };
            let serving = self.by_no.values().filter(serves).map(|location| location.no).collect();
            if channel.serving != serving {
                Arc::make_mut(channel).serving = serving;
            }
        }
    }
    /// What every shop has.
    fn begin() -> Self {
        let mut out = Places::default();
        for (no, id, kind, name) in [
            (SUPPLIER, "supplier", LocationKind::Supplier, "Suppliers"),
            (CUSTOMER, "customer", LocationKind::Customer, "Customers"),
            (LOSS, "loss", LocationKind::Loss, "Lost and found"),
            (TRANSIT, "transit", LocationKind::Transit, "On the way"),
        ] {
            out.put(Location {
                no,
                id: id.into(),
                kind,
                name: name.into(),
                address: "".into(),
                lat_lon_e7: None,
                time_zone: "".into(),
                entity: "".into(),
                state: LocationState::Open,
                state_why: "".into(),
                version: 0,
            });
        }
        // What a shop begins with, until somebody says otherwise: everything sells everywhere, carts hold for a quarter of an hour.
        for (id, name) in [("site", "Site"), ("app", "App"), ("phone", "Call centre"), ("marketplace", "Marketplaces")]
        {
            out.put_channel(Channel {
                id: id.into(),
                name: name.into(),
                hold_seconds: 900,
                buffer: Quantity::ZERO,
                kinds: vec![
                    LocationKind::Store,
                    LocationKind::Warehouse,
                    LocationKind::MicroFulfilment,
                    LocationKind::Partner,
                ],
                only: vec![],
                excluded: vec![],
                version: 0,
                serving: HashSet::new(),
            });
        }
        out
    }
}

const LOCATIONS: &str = "SELECT no, id, kind, name, address, lat_e7, lon_e7, time_zone, entity, state, state_why, version \
                         FROM locations ORDER BY no";
const CHANNELS: &str = "SELECT id, name, hold_seconds, buffer, kinds, only_locations, excluded_locations, version \
                        FROM stock_channels ORDER BY id";

fn location(row: &Row) -> Result<Location, DbError> {
    let unknown = |what: &str| DbError::damaged("locations", format!("{what:?} is not known"));
    Ok(Location {
        no: row.int(0)?,
        id: row.text(1)?.into(),
        kind: LocationKind::parse(row.text(2)?).ok_or_else(|| unknown(row.text(2).unwrap_or("")))?,
        name: row.text(3)?.into(),
        address: row.text(4)?.into(),
        lat_lon_e7: row.opt_int(5)?.zip(row.opt_int(6)?),
        time_zone: row.text(7)?.into(),
        entity: row.text(8)?.into(),
        state: LocationState::parse(row.text(9)?).ok_or_else(|| unknown(row.text(9).unwrap_or("")))?,
        state_why: row.text(10)?.into(),
        version: row.int(11)?,
    })
}

fn numbers(text: &str) -> Result<Vec<i64>, DbError> {
    let number = |t: &str| t.parse().map_err(|_| DbError::damaged("stock_channels", format!("{t:?} is no place")));
    text.split(',').filter(|t| !t.is_empty()).map(number).collect()
}

fn channel(row: &Row) -> Result<Channel, DbError> {
    Ok(Channel {
        id: row.text(0)?.into(),
        name: row.text(1)?.into(),
        hold_seconds: row.int(2)?,
        buffer: Quantity::from_milli(row.int(3)?),
        kinds: row.text(4)?.split(',').filter_map(LocationKind::parse).collect(),
        only: numbers(row.text(5)?)?,
        excluded: numbers(row.text(6)?)?,
        version: row.int(7)?,
        serving: HashSet::new(),
    })
}

impl Places {
    /// Reads all places and channels.
    pub fn read(db: &mut Engine) -> Result<Self, DbError> {
        let mut out = Places::begin();
        for row in db.rows(LOCATIONS, &[])? {
            let location = location(&row)?;
            out.by_id.insert(location.id.clone(), location.no);
            out.by_no.insert(location.no, Arc::new(location));
        }
        for row in db.rows(CHANNELS, &[])? {
            let channel = channel(&row)?;
            out.channels.insert(channel.id.clone(), Arc::new(channel));
        }
        out.connect();
        Ok(out)
    }
}

/// [`Places`] of the writer: what a group changes goes if the group is undone.
pub(crate) struct PlacesMemory {
    committed: Arc<Places>,
    changed: Option<Arc<Places>>,
    shared: Option<PlacesCell>,
}

/// The places and channels as they were committed last, for threads beside the writer.
#[derive(Debug, Clone, Default)]
pub struct PlacesCell(Arc<RwLock<Arc<Places>>>);

impl PlacesCell {
    pub fn get(&self) -> Arc<Places> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
    fn set(&self, places: Arc<Places>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = places;
    }
}

impl PlacesMemory {
    pub(crate) fn now(&self) -> Arc<Places> {
        self.changed.as_ref().unwrap_or(&self.committed).clone()
    }
    pub(crate) fn cell(&mut self) -> PlacesCell {
        let committed = &self.committed;
        let cell = self.shared.get_or_insert_with(|| {
            let cell = PlacesCell::default();
            cell.set(committed.clone());
            cell
        });
        cell.clone()
    }
    pub(crate) fn change(&mut self) -> &mut Places {
        let committed = &self.committed;
        Arc::make_mut(self.changed.get_or_insert_with(|| committed.clone()))
    }
}

impl Memory for PlacesMemory {
    fn load(db: &mut Engine) -> Result<Self, DbError> {
        Ok(Self { committed: Arc::new(Places::read(db)?), changed: None, shared: None })
    }
    fn reload(&mut self, db: &mut Engine) -> Result<(), DbError> {
        self.changed = None;
        self.committed = Arc::new(Places::read(db)?);
        if let Some(cell) = &self.shared {
            cell.set(self.committed.clone());
        }
        Ok(())
    }
    fn commit(&mut self) {
        if let Some(changed) = self.changed.take() {
            self.committed = changed;
            if let Some(cell) = &self.shared {
                cell.set(self.committed.clone());
            }
        }
    }
    fn rollback(&mut self) {
        self.changed = None;
    }
}
