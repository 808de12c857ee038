//! Reading and deleting many rows by key: one statement on PostgreSQL, where each is a round trip; one prepared statement run
//! in the order of the keys on SQLite, where it is none.
use super::{
    Bulk, ColumnCode, Dialect, Engine, Inner, PgArray, Row, Sync2, Value, bind, column, postgres_error, sqlite_error,
};
use super::{Column, postgres_value, sqlite_row};
use crate::DbError;

/// What many keys are looked up in.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Lookup {
    pub table: &'static str,
    /// The columns that make a key, with their types as in [`Bulk`].
    pub keys: &'static [(&'static str, ColumnCode)],
    /// What is read, comma-separated.
    pub columns: &'static str,
    /// The order of the rows of one key; empty where there is one row at most.
    pub order: &'static str,
}

/// What a text made of a description is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Use {
    Write,
    Delete,
    Read,
}

impl Engine {
    /// Reads the rows of many keys; `visit` gets the position of the key with each row.
    pub fn lookup(
        &mut self,
        lookup: &'static Lookup,
        keys: &[&[Value<'_>]],
        visit: &mut dyn FnMut(usize, Row) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        if keys.is_empty() {
            return Ok(());
        }
        self.ran += 1;
        let dialect = self.dialect();
        let place = (std::ptr::from_ref(lookup) as usize, Use::Read);
        let sql = self.bulk_sql.entry(place).or_insert_with(|| read_text(lookup, dialect).into()).clone();
        if let Inner::Sqlite(c) = &self.inner {
            let mut statement = c.prepare_cached(&sql).map_err(|e| sqlite_error(&e, &sql))?;
            for (at, key) in keys.iter().enumerate() {
                bind(&mut statement, key).map_err(|e| sqlite_error(&e, &sql))?;
                let width = statement.column_count();
                let mut rows = statement.raw_query();
                while let Some(row) = rows.next().map_err(|e| sqlite_error(&e, &sql))? {
                    visit(at, sqlite_row(row, width, &sql)?)?;
                }
            }
            return Ok(());
        }
        let statement = self.prepare(&sql)?;
        let arrays = gather(lookup.keys, keys);
        let refs: Vec<&(dyn postgres::types::ToSql + Sync2)> = arrays.iter().map(PgArray::as_sql).collect();
        let Inner::Postgres(c) = &mut self.inner else { unreachable!() };
        for row in c.query(&statement, &refs).map_err(|e| postgres_error(&e, &sql))? {
            let at = match postgres_value(&row, 0, &sql)? {
                super::Owned::Int(at) => at as usize - 1,
                _ => return Err(DbError::damaged(lookup.table, "a key's position is no number")),
            };
            let values = (1..row.len()).map(|at| postgres_value(&row, at, &sql)).collect::<Result<Vec<_>, _>>()?;
            visit(at, Row(values))?;
        }
        Ok(())
    }

    /// Deletes the rows of many keys.
    pub fn delete_many(&mut self, bulk: &'static Bulk, keys: &[&[Value<'_>]]) -> Result<(), DbError> {
        if keys.is_empty() {
            return Ok(());
        }
        self.ran += 1;
        let dialect = self.dialect();
        let place = (std::ptr::from_ref(bulk) as usize, Use::Delete);
        let sql = self.bulk_sql.entry(place).or_insert_with(|| delete_text(bulk, dialect).into()).clone();
        if let Inner::Sqlite(c) = &self.inner {
            let mut statement = c.prepare_cached(&sql).map_err(|e| sqlite_error(&e, &sql))?;
            for key in keys {
                bind(&mut statement, key).map_err(|e| sqlite_error(&e, &sql))?;
                statement.raw_execute().map_err(|e| sqlite_error(&e, &sql))?;
            }
            return Ok(());
        }
        let statement = self.prepare(&sql)?;
        let arrays = gather(&bulk.columns[..bulk.key], keys);
        let refs: Vec<&(dyn postgres::types::ToSql + Sync2)> = arrays.iter().map(PgArray::as_sql).collect();
        let Inner::Postgres(c) = &mut self.inner else { unreachable!() };
        c.execute(&statement, &refs).map(drop).map_err(|e| postgres_error(&e, &sql))
    }
}

fn gather<'a>(columns: &[(&str, ColumnCode)], keys: &[&[Value<'a>]]) -> Vec<PgArray<'a>> {
    columns.iter().enumerate().map(|(at, (_, code))| PgArray::gather(keys, at, column(*code))).collect()
}

/// `unnest` over one array a column, as a table `k` with the given names.
fn unnest(columns: &[(&str, ColumnCode)]) -> String {
    let array = |(at, (_, code)): (usize, &(&str, ColumnCode))| {
        let kind = match column(*code) {
            Column::Int => "BIGINT",
            Column::Text => "TEXT",
            Column::Blob => "BYTEA",
        };
        format!("${}::{kind}[]", at + 1)
    };
    columns.iter().enumerate().map(array).collect::<Vec<_>>().join(", ")
}

fn names(columns: &[(&'static str, ColumnCode)]) -> String {
    columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

pub(super) fn read_text(lookup: &Lookup, dialect: Dialect) -> String {
    let Lookup { table, keys, columns, order } = lookup;
    let order = if order.is_empty() { String::new() } else { format!(" ORDER BY {order}") };
    let on = |value: &dyn Fn(usize, &str) -> String| -> String {
        keys.iter().enumerate().map(|(at, (name, _))| value(at, name)).collect::<Vec<_>>().join(" AND ")
    };
    match dialect {
        Dialect::Sqlite => {
            let on = on(&|at, name| format!("{name} = ?{}", at + 1));
            format!("SELECT {columns} FROM {table} WHERE {on}{order}")
        }
        Dialect::Postgres => {
            // OFFSET 0 keeps the planner from turning the look-ups into a scan of the table when it misjudges their number.
            let on = on(&|_, name| format!("{table}.{name} = k.{name}"));
            format!(
                "SELECT k.at_, t.* FROM unnest({}) WITH ORDINALITY AS k ({}, at_) \
                 CROSS JOIN LATERAL (SELECT {columns} FROM {table} WHERE {on}{order} OFFSET 0) AS t",
                unnest(keys),
                names(keys)
            )
        }
    }
}

pub(super) fn delete_text(bulk: &Bulk, dialect: Dialect) -> String {
    let keys = &bulk.columns[..bulk.key];
    let table = bulk.table;
    match dialect {
        Dialect::Sqlite => {
            let on: Vec<String> = keys.iter().enumerate().map(|(at, (n, _))| format!("{n} = ?{}", at + 1)).collect();
            format!("DELETE FROM {table} WHERE {}", on.join(" AND "))
        }
        Dialect::Postgres => {
            let on: Vec<String> = keys.iter().map(|(n, _)| format!("{table}.{n} = k.{n}")).collect();
            format!(
                "DELETE FROM {table} USING unnest({}) AS k ({}) WHERE {}",
                unnest(keys),
                names(keys),
                on.join(" AND ")
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Place;
    use crate::{Bulk, Engine, Lookup, Sync, Value};

    static PAIRS: Bulk =
        Bulk { table: "pairs", columns: &[("a", 't'), ("b", 'i'), ("c", 'b')], key: 2, insert_only: false };
    static OF_A: Lookup = Lookup { table: "pairs", keys: &[("a", 't')], columns: "b, c", order: "b" };
    static ONE: Lookup = Lookup { table: "pairs", keys: &[("a", 't'), ("b", 'i')], columns: "c", order: "" };

    fn read(db: &mut Engine, lookup: &'static Lookup, keys: &[&[Value<'_>]]) -> Vec<(usize, crate::Row)> {
        let mut out = Vec::new();
        db.lookup(lookup, keys, &mut |at, row| {
            out.push((at, row));
            Ok(())
        })
        .expect("the rows are read");
        out.sort_by_key(|(at, _)| *at);
        out
    }

    #[test]
    fn many_keys_are_read_and_deleted_alike_on_both_engines() {
        let mut answers = Vec::new();
        for place in Place::all() {
            let mut db = place.location.open(Sync::UnsafeFast, false).expect("it opens");
            db.batch("CREATE TABLE pairs (a TEXT NOT NULL, b BIGINT NOT NULL, c BYTEA NOT NULL, PRIMARY KEY (a, b))")
                .expect("the table is made");
            let rows: Vec<(String, i64, Vec<u8>)> =
                (0..300).map(|n| (format!("a{}", n % 100), n, vec![n as u8; 3])).collect();
            let values: Vec<[Value<'_>; 3]> = rows.iter().map(|(a, b, c)| [a.into(), (*b).into(), c.into()]).collect();
            let refs: Vec<&[Value<'_>]> = values.iter().map(|v| &v[..]).collect();
            db.bulk(&PAIRS, &refs).expect("the rows are written");
            // Twice the same key, one that is absent, an order within a key.
            let several = read(&mut db, &OF_A, &[&["a7".into()], &["no".into()], &["a3".into()], &["a7".into()]]);
            assert_eq!(several.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0, 0, 0, 2, 2, 2, 3, 3, 3]);
            assert_eq!(several[0].1.int(0).expect("a number"), 7);
            assert_eq!(several[2].1.int(0).expect("a number"), 207);
            let before = db.statements_run();
            let one = read(&mut db, &ONE, &[&["a7".into(), 107.into()], &["a7".into(), 108.into()]]);
            assert_eq!(one.len(), 1);
            assert_eq!(db.statements_run(), before + 1);
            db.delete_many(&PAIRS, &[&["a7".into(), 107.into()], &["a3".into(), 3.into()], &["a3".into(), 4.into()]])
                .expect("rows are deleted");
            let rest = read(&mut db, &OF_A, &[&["a7".into()], &["a3".into()]]);
            assert_eq!(rest.len(), 4);
            answers.push((several, one, rest));
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    }
}
