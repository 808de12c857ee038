//! What tests of every crate need: stores on both engines, in folders and databases of their own.
pub mod cluster;
pub mod prepared;
pub mod proxy;
pub mod schema;
pub mod texts;
pub mod vfs;

use crate::engine::{Engine, Sync};
use crate::store::Location;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

/// A place for one test's store; gone when dropped.
pub struct Place {
    pub location: Location,
    pub folder: PathBuf,
    drop_database: Option<(String, String)>,
    /// Of whose file connections are put aside.
    kept_open: Option<String>,
}

static COUNTER: AtomicU64 = AtomicU64::new(0);

fn unique() -> String {
    format!("{}_{}", std::process::id(), COUNTER.fetch_add(1, Ordering::SeqCst))
}

impl Place {
    /// A fresh SQLite file.
    pub fn sqlite() -> Self {
        let folder = std::env::temp_dir().join(format!("braid_test_{}", unique()));
        std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
        Self {
            location: Location::Sqlite { path: folder.join("braid.db"), vfs: None },
            folder,
            drop_database: None,
            kept_open: None,
        }
    }

    /// A fresh PostgreSQL database in the cluster that `BRAID_TEST_POSTGRES` names; `None` without one, which
    /// `cargo xtask test` never leaves out.
    pub fn postgres() -> Option<Self> {
        let url = std::env::var("BRAID_TEST_POSTGRES").ok()?;
        let name = format!("braid_test_{}", unique());
        let (head, _) = url.rsplit_once('/')?;
        let mut engine = Engine::open_postgres(&url, Sync::UnsafeFast).expect("the test cluster answers");
        engine
            .batch(&format!("CREATE DATABASE {name} TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C' ENCODING 'UTF8'"))
            .expect("the test cluster makes databases");
        let folder = std::env::temp_dir().join(&name);
        std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
        let location = Location::Postgres { url: format!("{head}/{name}") };
        Some(Self { location, folder, drop_database: Some((url, name)), kept_open: None })
    }

    /// Both engines, or SQLite alone where no cluster runs.
    pub fn all() -> Vec<Self> {
        [Some(Self::sqlite()), Self::postgres()].into_iter().flatten().collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(kept) = &self.kept_open {
            crate::engine::connect::keep_open(kept, false);
        }
        let _ = std::fs::remove_dir_all(&self.folder);
        if let Some((url, name)) = self.drop_database.take()
            && let Ok(mut engine) = Engine::open_postgres(&url, Sync::UnsafeFast)
        {
            let _ = engine.batch(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}
