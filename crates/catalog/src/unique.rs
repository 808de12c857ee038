//! Values that only one product or variant of the shop may have.
use crate::model::Product;
use crate::schema::Schema;
use db::{Bulk, DbError, Lookup, Tx, Value};

static UNIQUE: Bulk = Bulk {
    table: "unique_values",
    columns: &[("attribute_no", 'i'), ("value", 't'), ("owner", 'i')],
    key: 2,
    insert_only: false,
};
static OWNER: Lookup =
    Lookup { table: "unique_values", keys: &[("attribute_no", 'i'), ("value", 't')], columns: "owner", order: "" };

/// Attribute, value, owner.
pub type Entry = (i64, String, i64);

/// The unique values of a product and its variants; the owner is the number of either, 0 for a new one.
pub fn of(schema: &Schema, product: &Product) -> Vec<Entry> {
    let mut out = Vec::new();
    for attribute in schema.attributes.iter().filter(|a| a.unique) {
        let mut add = |value: Option<&serde_json::Value>, owner| {
            if let Some(text) = value.and_then(serde_json::Value::as_str) {
                out.push((attribute.no, text.to_string(), owner));
            }
        };
        add(product.values.get(&attribute.code), product.no);
        for variant in &product.variants {
            add(variant.values.get(&attribute.code), variant.no);
        }
    }
    out
}

fn rows(entries: &[Entry]) -> Vec<[Value<'_>; 3]> {
    entries.iter().map(|(attribute, value, owner)| [(*attribute).into(), value.into(), (*owner).into()]).collect()
}

/// Who has each of these values, by what is stored.
pub fn owners(tx: &mut Tx, entries: &[Entry]) -> Result<Vec<Option<i64>>, DbError> {
    let mut out = vec![None; entries.len()];
    let all = rows(entries);
    let keys: Vec<&[Value<'_>]> = all.iter().map(|r| &r[..2]).collect();
    tx.lookup(&OWNER, &keys, &mut |at, row| {
        out[at] = Some(row.int(0)?);
        Ok(())
    })?;
    Ok(out)
}

/// Brings the table from what the products were to what they are.
pub fn write(tx: &mut Tx, schema: &Schema, before: &[Product], after: &[Product]) -> Result<(), DbError> {
    if !schema.attributes.iter().any(|a| a.unique) {
        return Ok(());
    }
    let all = |list: &[Product]| list.iter().flat_map(|p| of(schema, p)).collect::<Vec<_>>();
    let (old, new) = (all(before), all(after));
    for (attribute, value, _) in old.iter().filter(|e| !new.contains(e)) {
        let sql = "DELETE FROM unique_values WHERE attribute_no = $1 AND value = $2";
        tx.execute(sql, &[(*attribute).into(), value.into()])?;
    }
    let new = rows(&new);
    tx.upsert_many(&UNIQUE, &new.iter().map(|r| &r[..]).collect::<Vec<_>>())
}
