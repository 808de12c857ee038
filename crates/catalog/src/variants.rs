//! Variants as rooms above know them: a small row by number, and the number by SKU, both held in memory.
use crate::model::{Lots, ProductState};
use crate::values::clean;
use db::{DbError, Engine, Lookup, Row, Table, Tx, Value};
use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::Hasher;

/// Characters of an SKU.
pub const SKU_MAX: usize = 100;

/// What stock, orders and prices have to know of a variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    pub no: i64,
    pub product_no: i64,
    pub sku: Box<str>,
    /// Whether pieces are counted; what is not tracked is always there.
    pub tracked: bool,
    pub lots: Lots,
    /// Grams; 0 = unknown.
    pub weight_g: i64,
    /// The base price in minor units; see `currency`.
    pub price_minor: i64,
    /// Empty = no base price.
    pub currency: Box<str>,
    /// How the product is taxed, such as `standard`.
    pub tax_class: Box<str>,
    /// The product's state, or archived where the variant is.
    pub state: ProductState,
}

/// The form in which SKUs are compared: trimmed, U+0000 made readable, otherwise as they are. `None` where it cannot be one.
pub fn normalise_sku(sku: &str) -> Option<String> {
    let sku = clean(sku);
    (!sku.is_empty() && (sku.len() <= SKU_MAX || sku.chars().count() <= SKU_MAX)).then_some(sku)
}

/// Small rows of variants by number. Whoever puts one writes it too, in the same transaction.
pub struct Variants;

const READ: &str = "SELECT v.no, v.product_no, v.sku, v.tracked, v.lots, v.weight_g, v.price_minor, v.currency, v.state, p.tax_class, p.state FROM variants v JOIN products p ON p.no = v.product_no WHERE v.no = $1";
static BY_NO: Lookup = Lookup {
    table: "variants",
    keys: &[("no", 'i')],
    columns: "no, product_no, sku, tracked, lots, weight_g, price_minor, currency, state, (SELECT p.tax_class FROM products p WHERE p.no = variants.product_no), (SELECT p.state FROM products p WHERE p.no = variants.product_no)",
    order: "",
};
static BY_SKU: Lookup = Lookup { table: "variants", keys: &[("sku", 't')], columns: "no", order: "" };

fn variant(r: &Row) -> Result<Variant, DbError> {
    let archived = r.text(8)? == "archived";
    let product = ProductState::parse(r.text(10)?).ok_or_else(|| DbError::damaged("products", "an unknown state"))?;
    Ok(Variant {
        no: r.int(0)?,
        product_no: r.int(1)?,
        sku: r.text(2)?.into(),
        tracked: r.int(3)? == 1,
        lots: Lots::from_code(r.int(4)?),
        weight_g: r.int(5)?,
        price_minor: r.int(6)?,
        currency: r.text(7)?.into(),
        tax_class: r.text(9)?.into(),
        state: if archived { ProductState::Archived } else { product },
    })
}

impl Table for Variants {
    type Key = i64;
    type Row = Variant;
    const NAME: &'static str = "variants";
    const LAZY: bool = false;

    fn slice(key: i64) -> i64 {
        key >> 10
    }
    fn weight(row: &Variant) -> usize {
        size_of::<Variant>() + row.sku.len() + row.currency.len() + row.tax_class.len()
    }
    fn load(db: &mut Engine, key: i64) -> Result<Option<Variant>, DbError> {
        db.first(READ, &[key.into()])?.as_ref().map(variant).transpose()
    }
    fn load_many(db: &mut Engine, keys: &[i64]) -> Result<Vec<(i64, Option<Variant>)>, DbError> {
        let ids: Vec<[Value<'_>; 1]> = keys.iter().map(|k| [(*k).into()]).collect();
        let refs: Vec<&[Value<'_>]> = ids.iter().map(|v| &v[..]).collect();
        let mut out: Vec<(i64, Option<Variant>)> = keys.iter().map(|k| (*k, None)).collect();
        db.lookup(&BY_NO, &refs, &mut |at, row| {
            out[at].1 = Some(variant(&row)?);
            Ok(())
        })?;
        Ok(out)
    }
    fn flush(_: &mut Engine, _: &[(i64, &Variant)], _: i64) -> Result<(), DbError> {
        Ok(())
    }
}

/// The number of a variant by the keyed hash of its SKU; 0 = nobody has it. That nobody has it is held too.
pub struct Skus;

impl Table for Skus {
    type Key = u128;
    type Row = i64;
    const NAME: &'static str = "variants_by_sku";
    const LAZY: bool = false;

    fn slice(_: u128) -> i64 {
        0
    }
    fn weight(_: &i64) -> usize {
        size_of::<i64>()
    }
    fn load(_: &mut Engine, _: u128) -> Result<Option<i64>, DbError> {
        // A hash cannot be turned back: rows are read by SKU, see `find`.
        Err(DbError::damaged("variants", "a row was asked for by hash alone"))
    }
    fn flush(_: &mut Engine, _: &[(u128, &i64)], _: i64) -> Result<(), DbError> {
        Ok(())
    }
}

/// The key of an SKU in memory: SipHash-1-3-128 with the store's own key, so that nobody can make two SKUs collide.
pub fn hash(key: (u64, u64), sku: &str) -> u128 {
    let mut hasher = SipHasher13::new_with_keys(key.0, key.1);
    hasher.write(b"sku\0");
    hasher.write(sku.as_bytes());
    hasher.finish128().as_u128()
}

/// The number of the variant with this SKU, which is trimmed first.
pub fn find(tx: &mut Tx, sku: &str) -> Result<Option<i64>, DbError> {
    let Some(sku) = normalise_sku(sku) else { return Ok(None) };
    let key = hash(tx.hash_key(), &sku);
    let read = |db: &mut Engine| {
        let row = db.first("SELECT no FROM variants WHERE sku = $1", &[(&sku).into()])?;
        row.map(|r| r.int(0)).transpose()
    };
    Ok(tx.get_with::<Skus>(key, read)?.copied().filter(|no| *no != 0))
}

/// The numbers of many variants by SKU, in the order of the SKUs, with one statement for those that memory does not know.
pub fn find_many(tx: &mut Tx, skus: &[String]) -> Result<Vec<Option<i64>>, DbError> {
    let key = tx.hash_key();
    let hashes: Vec<u128> = skus.iter().map(|sku| hash(key, sku)).collect();
    let absent: Vec<usize> = (0..skus.len()).filter(|at| !tx.holds::<Skus>(hashes[*at])).collect();
    if !absent.is_empty() {
        let keys: Vec<[Value<'_>; 1]> = absent.iter().map(|at| [skus[*at].as_str().into()]).collect();
        let refs: Vec<&[Value<'_>]> = keys.iter().map(|v| &v[..]).collect();
        let mut found: Vec<(u128, Option<i64>)> = absent.iter().map(|at| (hashes[*at], None)).collect();
        tx.lookup(&BY_SKU, &refs, &mut |at, row| {
            found[at].1 = Some(row.int(0)?);
            Ok(())
        })?;
        tx.read_beforehand::<Skus>(found);
    }
    Ok(hashes.iter().map(|hash| tx.peek::<Skus>(*hash).copied().filter(|no| *no != 0)).collect())
}

/// A variant by number.
pub fn get(tx: &mut Tx, variant_no: i64) -> Result<Option<Variant>, DbError> {
    Ok(tx.get::<Variants>(variant_no)?.cloned())
}
