//! What belongs together: accompanying goods, spare parts, substitutes; and sets with what they consist of.
use crate::{commands, products};
use db::{Bulk, DbError, Engine, Row, Tx, Value};
use std::collections::BTreeMap;

/// Kinds of associations, as they are stored and on the wire.
pub const KINDS: [&str; 5] = ["accompanying", "spare_part", "substitute", "upsell", "pack"];
/// Associations of one product; parts of one set.
pub const LINKS_MAX: usize = 200;
/// Sets within sets.
const DEPTH_MAX: usize = 8;

/// Something that belongs to a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Association {
    pub kind: String,
    pub other_no: i64,
    pub quantity: i64,
}

/// So many pieces of a variant in one set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    pub variant_no: i64,
    pub quantity: i64,
}

/// Why links are not written.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error("{0}")]
    Wrong(String),
    #[error(transparent)]
    Store(#[from] DbError),
}

fn wrong<T>(detail: impl Into<String>) -> Result<T, LinkError> {
    Err(LinkError::Wrong(detail.into()))
}

static ASSOCIATIONS: Bulk = Bulk {
    table: "associations",
    columns: &[("product_no", 'i'), ("kind", 't'), ("other_no", 'i'), ("quantity", 'i')],
    key: 3,
    insert_only: false,
};
static PARTS: Bulk = Bulk {
    table: "bundle_parts",
    columns: &[("bundle_no", 'i'), ("part_no", 'i'), ("quantity", 'i')],
    key: 2,
    insert_only: false,
};

/// What belongs to a product.
pub fn associations(db: &mut Engine, product_no: i64) -> Result<Vec<Association>, DbError> {
    let sql = "SELECT kind, other_no, quantity FROM associations WHERE product_no = $1 ORDER BY kind, other_no";
    let read = |r: &Row| Ok(Association { kind: r.text(0)?.into(), other_no: r.int(1)?, quantity: r.int(2)? });
    db.rows(sql, &[product_no.into()])?.iter().map(read).collect()
}

/// Says what belongs to a product, all of it; what went in both directions is said on both sides.
pub fn associate(tx: &mut Tx, product_no: i64, list: &[Association]) -> Result<(), LinkError> {
    if list.len() > LINKS_MAX {
        return wrong(format!("at most {LINKS_MAX} products belong to one"));
    }
    for a in list {
        if !KINDS.contains(&a.kind.as_str()) {
            return wrong(format!("{:?} is none of {}", a.kind, KINDS.join(", ")));
        }
        if a.other_no == product_no {
            return wrong("a product does not belong to itself");
        }
        if !(1..=10_000).contains(&a.quantity) {
            return wrong("a quantity is 1 to 10,000");
        }
    }
    let others: Vec<i64> = list.iter().map(|a| a.other_no).collect();
    if products::by_nos(tx, &others)?.iter().any(Option::is_none) {
        return wrong("one of the products is not there");
    }
    tx.execute("DELETE FROM associations WHERE product_no = $1", &[product_no.into()])?;
    let rows: Vec<[Value<'_>; 4]> =
        list.iter().map(|a| [product_no.into(), (&a.kind).into(), a.other_no.into(), a.quantity.into()]).collect();
    tx.upsert_many(&ASSOCIATIONS, &rows.iter().map(|r| &r[..]).collect::<Vec<_>>())?;
    Ok(commands::touch(tx, &[product_no])?)
}

/// What a set consists of; nothing for what is no set.
pub fn parts(db: &mut Engine, bundle_no: i64) -> Result<Vec<Part>, DbError> {
    let sql = "SELECT part_no, quantity FROM bundle_parts WHERE bundle_no = $1 ORDER BY part_no";
    let rows = db.rows(sql, &[bundle_no.into()])?;
    rows.iter().map(|r| Ok(Part { variant_no: r.int(0)?, quantity: r.int(1)? })).collect()
}

/// Says what a set consists of; no parts: it is no set. A set may be part of another, never of itself.
pub fn put_parts(tx: &mut Tx, bundle_no: i64, list: &[Part]) -> Result<(), LinkError> {
    if list.len() > LINKS_MAX {
        return wrong(format!("a set has at most {LINKS_MAX} parts"));
    }
    if list.iter().any(|p| !(1..=100_000).contains(&p.quantity)) {
        return wrong("a quantity is 1 to 100,000");
    }
    let nos: Vec<i64> = list.iter().map(|p| p.variant_no).collect();
    if products::products_of(tx, &nos)?.iter().any(Option::is_none) {
        return wrong("one of the parts is no variant");
    }
    for part in list {
        if part.variant_no == bundle_no || holds(tx.engine(), part.variant_no, bundle_no, DEPTH_MAX)? {
            return wrong("a set cannot be a part of itself");
        }
    }
    let bundle = products::products_of(tx, &[bundle_no])?;
    tx.execute("DELETE FROM bundle_parts WHERE bundle_no = $1", &[bundle_no.into()])?;
    let rows: Vec<[Value<'_>; 3]> =
        list.iter().map(|p| [bundle_no.into(), p.variant_no.into(), p.quantity.into()]).collect();
    tx.upsert_many(&PARTS, &rows.iter().map(|r| &r[..]).collect::<Vec<_>>())?;
    Ok(commands::touch(tx, &bundle.into_iter().flatten().collect::<Vec<_>>())?)
}

/// Whether a set holds a variant somewhere; too deep a set counts as if it did.
fn holds(db: &mut Engine, bundle_no: i64, wanted: i64, depth: usize) -> Result<bool, DbError> {
    if depth == 0 {
        return Ok(true);
    }
    for part in parts(db, bundle_no)? {
        if part.variant_no == wanted || holds(db, part.variant_no, wanted, depth - 1)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How much of each variant a number of lines needs: sets are taken apart, and what several lines need of one variant is
/// summed before anybody looks whether it is there (DOMAIN 4.6). `parts_of` gives a set's parts. A pure rule.
pub fn demand(lines: &[(i64, i64)], parts_of: &dyn Fn(i64) -> Vec<Part>) -> BTreeMap<i64, i64> {
    fn take(out: &mut BTreeMap<i64, i64>, no: i64, quantity: i64, parts_of: &dyn Fn(i64) -> Vec<Part>, depth: usize) {
        let parts = parts_of(no);
        if parts.is_empty() || depth == 0 {
            let sum = out.entry(no).or_insert(0);
            *sum = sum.saturating_add(quantity);
            return;
        }
        for part in parts {
            take(out, part.variant_no, quantity.saturating_mul(part.quantity), parts_of, depth - 1);
        }
    }
    let mut out = BTreeMap::new();
    lines.iter().for_each(|(no, quantity)| take(&mut out, *no, *quantity, parts_of, DEPTH_MAX));
    out
}

/// How many sets can be made: the least over its parts of what there is, divided by what one set needs (DOMAIN 4.6).
pub fn makes(parts: &[Part], available: &dyn Fn(i64) -> i64) -> i64 {
    parts.iter().map(|p| available(p.variant_no).max(0) / p.quantity).min().unwrap_or(0)
}
