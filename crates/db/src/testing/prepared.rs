//! A store that was prepared once, and is begun with many times: making every table anew costs more than a short life.
use super::{Place, unique};
use crate::Dialect;
use crate::engine::{Engine, Sync, connect};
use crate::store::Location;
use std::path::PathBuf;

/// A prepared store. One caller at a time uses what it gives: on PostgreSQL that is one database, made what it was before.
pub struct Prepared {
    place: Place,
    /// SQLite: the file. PostgreSQL: the statements that bring the database back.
    restore: Restore,
}

enum Restore {
    File(Vec<u8>),
    Statements(String),
}

/// Where rows stand that a database begins with.
const KEPT: &str = "kept";

impl Prepared {
    /// Keeps what is in a place, which nobody has open.
    pub fn new(place: Place) -> Self {
        let restore = match &place.location {
            Location::Sqlite { path, .. } => Restore::File(std::fs::read(path).expect("the store's file is read")),
            Location::Postgres { url } => {
                let mut engine = Engine::open_postgres(url, Sync::UnsafeFast).expect("the database answers");
                Restore::Statements(keep(&mut engine))
            }
        };
        Self { place, restore }
    }

    /// The store as it was prepared. With `kept_open` connections are not closed but put aside, with the statements that they
    /// know, for the next who connects; what a lost connection leaves behind is undone all the same.
    pub fn begin(&self, kept_open: bool) -> Place {
        let folder = std::env::temp_dir().join(format!("braid_test_{}", unique()));
        std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
        let mut kept = None;
        let location = match (&self.place.location, &self.restore) {
            (Location::Sqlite { .. }, Restore::File(bytes)) => {
                let path: PathBuf = folder.join("braid.db");
                std::fs::write(&path, bytes).expect("the store's file is written");
                if kept_open {
                    let url = format!("sqlite:{}", path.display());
                    connect::keep_open(&url, true);
                    kept = Some(url);
                }
                Location::Sqlite { path, vfs: None }
            }
            (Location::Postgres { url }, Restore::Statements(sql)) => {
                connect::keep_open(url, kept_open);
                let mut engine = Engine::open_postgres(url, Sync::UnsafeFast).expect("the database answers");
                engine.batch(sql).expect("the database is emptied");
                Location::Postgres { url: url.clone() }
            }
            _ => unreachable!("what is kept is of the place's engine"),
        };
        Place { location, folder, drop_database: None, kept_open: kept }
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        if let Location::Postgres { url } = &self.place.location {
            connect::keep_open(url, false);
        }
    }
}

/// Copies all rows into tables beside; gives the statements that bring them back.
fn keep(engine: &mut Engine) -> String {
    assert_eq!(engine.dialect(), Dialect::Postgres);
    let sql = "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
    let names: Vec<String> = engine
        .rows(sql, &[])
        .expect("tables are listed")
        .iter()
        .map(|row| row.text(0).expect("a name").to_string())
        .collect();
    let mut restore = format!("BEGIN; TRUNCATE {};", names.join(", "));
    engine.batch(&format!("CREATE SCHEMA {KEPT}")).expect("a schema is made");
    for name in &names {
        let row = engine.first(&format!("SELECT COUNT(*) FROM {name}"), &[]).expect("rows are counted").expect("a row");
        if row.int(0).expect("a number") > 0 {
            engine.batch(&format!("CREATE TABLE {KEPT}.{name} AS TABLE {name}")).expect("rows are kept");
            restore.push_str(&format!(" INSERT INTO {name} SELECT * FROM {KEPT}.{name};"));
        }
    }
    restore + " COMMIT"
}
