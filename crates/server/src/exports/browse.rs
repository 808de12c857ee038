//! One snapshot of the store, gone through page by page.
use super::kinds::Kind;
use super::spec::{Filter, Spec};
use super::spool::Row;
use super::{events, people, tables};
use crate::moving::back::{BackError, Reader};
use base::Timestamp;
use customers::counters::CounterSet;
use db::{DbError, Dialect, Location, Sync, Tx};
use exchange::table::Cell;
use pipeline::{Preparer, Settings, step};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Bytes of rows that a reader keeps in memory.
const CACHE: usize = 64 << 20;
/// People whose contacts are remembered between rows.
const CONTACTS_MAX: usize = 50_000;

/// How a person is reached, for rows of events and orders that do not say it.
#[derive(Debug, Clone, Default)]
pub struct Contacts {
    pub user_id: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub name: Option<String>,
    /// All of the person's profiles.
    pub profiles: Vec<i64>,
}

/// A snapshot with what reading it needs.
pub struct Browse {
    pub tx: Tx,
    pub preparer: Arc<Preparer>,
    pub counters: Arc<CounterSet>,
    pub now: Timestamp,
    /// Names of sources.
    pub sources: HashMap<i64, String>,
    /// Names of segments.
    pub segments: HashMap<i64, String>,
    /// Profiles that are not their own person.
    absorbed: HashMap<i64, i64>,
    contacts: HashMap<i64, Arc<Contacts>>,
    /// The people of the segment that narrows the export.
    pub members: Option<HashSet<i64>>,
    pub filter: Filter,
    back: Option<Reader>,
}

/// A page of rows, and where the next one begins; `None` when there is none.
pub type Page = (Vec<Row>, Option<i64>);

impl Browse {
    /// Begins a snapshot. What waits in the writer's memory must have been written before.
    pub fn open(
        location: &Location,
        sync: Sync,
        settings: Arc<Settings>,
        spec: &Spec,
        now: Timestamp,
    ) -> Result<Self, DbError> {
        let mut engine = location.open(sync, true)?;
        engine.batch(match engine.dialect() {
            Dialect::Sqlite => "BEGIN",
            Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        })?;
        let mut tx = Tx::for_reading(engine, now)?;
        let preparer = Arc::new(Preparer::new(settings, step::current(&mut tx)?));
        preparer.follow(&mut tx)?;
        let counters = preparer.current().counters;
        let mut absorbed = HashMap::new();
        tx.engine().each(
            "SELECT profile_id, person FROM profile_list WHERE person <> profile_id",
            &[],
            &mut |row| {
                absorbed.insert(row.int(0)?, row.int(1)?);
                Ok(true)
            },
        )?;
        let names = |tx: &mut Tx, sql: &str| -> Result<HashMap<i64, String>, DbError> {
            tx.rows(sql, &[])?.iter().map(|r| Ok((r.int(0)?, r.text(1)?.to_string()))).collect()
        };
        let sources = names(&mut tx, "SELECT id, name FROM sources")?;
        let segments = names(&mut tx, "SELECT id, name FROM segments")?;
        let members = match spec.filter.segment_id {
            None => None,
            Some(segment) => {
                let sql = "SELECT person_id FROM memberships WHERE segment_id = $1";
                let mut found = HashSet::new();
                tx.engine().each(sql, &[segment.into()], &mut |row| {
                    found.insert(row.int(0)?);
                    Ok(true)
                })?;
                Some(found)
            }
        };
        let (filter, back) = (spec.filter.clone(), spec.chosen.format().map(Reader::new));
        let contacts = HashMap::new();
        Ok(Self { tx, preparer, counters, now, sources, segments, absorbed, contacts, members, filter, back })
    }

    /// The person of a profile; 0 for nobody and for who was erased.
    pub fn person_of(&self, profile: i64) -> i64 {
        self.absorbed.get(&profile).copied().unwrap_or(profile)
    }

    /// How a person is reached.
    pub fn contacts(&mut self, person: i64) -> Result<Arc<Contacts>, DbError> {
        if let Some(known) = self.contacts.get(&person) {
            return Ok(known.clone());
        }
        if self.contacts.len() >= CONTACTS_MAX {
            self.contacts.clear();
        }
        let view = customers::person(self.tx.engine(), person, &self.counters)?;
        let found = view.map_or_else(Contacts::default, |view| people::contacts(&view));
        let found = Arc::new(found);
        self.contacts.insert(person, found.clone());
        Ok(found)
    }

    /// The next page of a section after a place, 0 at first.
    pub fn page(&mut self, kind: Kind, after: i64, spec: &Spec) -> Result<Page, DbError> {
        self.tx.make_room(CACHE);
        match kind {
            Kind::Customers => people::page(self, after, &spec.chosen),
            Kind::Events | Kind::Derived | Kind::Orders => events::page(self, kind, after),
            Kind::Members => tables::members(self, after),
            Kind::WayBack => self.back(after),
            Kind::Everything => Ok((Vec::new(), None)),
            table => tables::page(self, table, after),
        }
    }

    /// The next rows of an old tool's file.
    fn back(&mut self, after: i64) -> Result<Page, DbError> {
        let Some(reader) = &mut self.back else { return Ok((Vec::new(), None)) };
        let (rows, next) = match reader.page(self.tx.engine(), &self.preparer, after) {
            Ok(page) => page,
            Err(BackError::Store(error)) => return Err(error),
            Err(error) => return Err(DbError::damaged("an export's job", error)),
        };
        let row =
            |(people, cells): (Vec<i64>, Vec<String>)| Row::of(&people, cells.into_iter().map(Cell::text).collect());
        Ok((rows.into_iter().map(row).collect(), next))
    }
}
