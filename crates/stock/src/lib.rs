//! Stock: where goods are, who has a claim on them, and every movement between places.
//!
//! Start at [`commands`]: everything that can be asked. [`availability`] says how much can be promised, and is the one answer
//! that product pages, reservations and reports share; [`choice`] decides from which places a claim is served.
//!
//! Invariants: what lies somewhere is the sum of the movements, and never less than nothing; claims that are alive never
//! exceed what is sellable (less what may be sold ahead); a hold that has ended never counts, swept or not. [`doctor`]
//! checks them. Deliberately absent: what goods are called or cost (`catalog`), why somebody wants them (`orders`), HTTP.
pub mod ahead;
pub mod availability;
pub mod choice;
pub mod commands;
pub mod cost;
pub mod counting;
pub mod doctor;
pub mod entities;
pub mod epc;
mod error;
pub mod incoming;
pub mod lists;
pub mod lots;
pub mod model;
mod places;
pub mod purchasing;
pub mod rfid;
mod tables;
pub mod ticking;
pub mod transfers;
pub mod waiting;

pub use error::{Short, StockError};
pub use places::{Channel, Places, PlacesCell};
pub use tables::{ReservationTable, StockTable};

/// The tables of this crate.
pub const MIGRATIONS: db::Migrations = db::Migrations {
    owner: "stock",
    steps: &[
        ("0001_stock", include_str!("../migrations/0001_stock.sql")),
        ("0002_work", include_str!("../migrations/0002_work.sql")),
        ("0003_lots", include_str!("../migrations/0003_lots.sql")),
        ("0004_waiting", include_str!("../migrations/0004_waiting.sql")),
        ("0005_incoming", include_str!("../migrations/0005_incoming.sql")),
        ("0006_cost", include_str!("../migrations/0006_cost.sql")),
        ("0007_entities", include_str!("../migrations/0007_entities.sql")),
        ("0008_promises", include_str!("../migrations/0008_promises.sql")),
        ("0009_claims", include_str!("../migrations/0009_claims.sql")),
    ],
};

#[cfg(test)]
mod tests;
