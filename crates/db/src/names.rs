//! Numbers for names of events, so that packed indexes need few bytes.
use crate::tx::Memory;
use crate::{Bulk, DbError, Engine, Tx};
use hashbrown::HashMap;

/// Names beyond this many share number 0: a client that makes names up cannot fill memory.
pub const NAMES_MAX: usize = 20_000;

/// All names and their numbers.
#[derive(Debug, Default)]
pub struct Names {
    numbers: HashMap<Box<str>, u32>,
    fresh: Vec<Box<str>>,
    next: u32,
}

impl Memory for Names {
    fn load(db: &mut Engine) -> Result<Self, DbError> {
        let mut out = Self::default();
        for row in db.rows("SELECT id, name FROM event_names", &[])? {
            let number = u32::try_from(row.int(0)?).map_err(|e| DbError::damaged("event_names", e))?;
            out.next = out.next.max(number);
            out.numbers.insert(row.text(1)?.into(), number);
        }
        Ok(out)
    }
    fn commit(&mut self) {
        self.fresh.clear();
    }
    fn rollback(&mut self) {
        for name in self.fresh.drain(..) {
            self.numbers.remove(&name);
            self.next -= 1;
        }
    }
}

static NAMES: Bulk = Bulk { table: "event_names", columns: &[("id", 'i'), ("name", 't')], key: 1, insert_only: true };

/// The number of a name, given to it now if it is new.
pub fn number(tx: &mut Tx, name: &str) -> Result<u32, DbError> {
    let names = tx.memory::<Names>()?;
    if let Some(found) = names.numbers.get(name) {
        return Ok(*found);
    }
    if names.numbers.len() >= NAMES_MAX {
        return Ok(0);
    }
    names.next += 1;
    let number = names.next;
    names.numbers.insert(name.into(), number);
    names.fresh.push(name.into());
    tx.append(&NAMES, vec![i64::from(number).into(), name.into()]);
    Ok(number)
}

/// The number of a name that was seen before.
pub fn find_number(tx: &mut Tx, name: &str) -> Result<Option<u32>, DbError> {
    Ok(tx.memory::<Names>()?.numbers.get(name).copied())
}

/// All names by number, read from the database.
pub fn all(db: &mut Engine) -> Result<HashMap<u32, Box<str>>, DbError> {
    let rows = db.rows("SELECT id, name FROM event_names", &[])?;
    rows.iter().map(|r| Ok((r.int(0)? as u32, r.text(1)?.into()))).collect()
}

/// The present name of an event: names of the first ecommerce specification become those of the second (CONVENTIONS 2).
/// Case-sensitive; other names stay as they are.
pub fn canonical(name: &str) -> &str {
    match name {
        "Viewed Product Category" => "Product List Viewed",
        "Viewed Product" => "Product Viewed",
        "Clicked Product" => "Product Clicked",
        "Added Product" => "Product Added",
        "Removed Product" => "Product Removed",
        "Completed Order" => "Order Completed",
        "Viewed Promotion" => "Promotion Viewed",
        "Clicked Promotion" => "Promotion Clicked",
        other => other,
    }
}
