//! SQL of products and variants: rows to the model and back.
use crate::gtin::Gtin;
use crate::model::{Lots, Price, Product, ProductState, ProductVariant};
use crate::schema::{json, text_of};
use crate::variants::{Skus, Variant, Variants, hash};
use base::Timestamp;
use db::{Bulk, DbError, Engine, Lookup, Row, Tx, Value};

static BY_ID: Lookup = Lookup {
    table: "products",
    keys: &[("id", 't')],
    columns: "no, id, name, state, family_no, brand_no, tax_class, categories, axes, vals, levels, media, complete, version, change, created_at, changed_at",
    order: "",
};
static BY_NO: Lookup = Lookup {
    table: "products",
    keys: &[("no", 'i')],
    columns: "no, id, name, state, family_no, brand_no, tax_class, categories, axes, vals, levels, media, complete, version, change, created_at, changed_at",
    order: "",
};
static OF_PRODUCT: Lookup = Lookup {
    table: "variants",
    keys: &[("product_no", 'i')],
    columns: "no, position, sku, gtin, price_minor, currency, tracked, lots, weight_g, state, vals, product_no",
    order: "position, no",
};
static BY_GTIN: Lookup = Lookup { table: "variants", keys: &[("gtin", 't')], columns: "no", order: "no" };
static PRODUCT_OF: Lookup = Lookup { table: "variants", keys: &[("no", 'i')], columns: "product_no", order: "" };

static PRODUCTS: Bulk = Bulk {
    table: "products",
    columns: &[
        ("no", 'i'),
        ("id", 't'),
        ("name", 't'),
        ("state", 't'),
        ("family_no", 'i'),
        ("brand_no", 'i'),
        ("tax_class", 't'),
        ("categories", 't'),
        ("axes", 't'),
        ("vals", 't'),
        ("levels", 't'),
        ("media", 't'),
        ("complete", 't'),
        ("version", 'i'),
        ("change", 'i'),
        ("created_at", 'i'),
        ("changed_at", 'i'),
    ],
    key: 1,
    insert_only: false,
};

static VARIANTS: Bulk = Bulk {
    table: "variants",
    columns: &[
        ("no", 'i'),
        ("product_no", 'i'),
        ("position", 'i'),
        ("sku", 't'),
        ("gtin", 't'),
        ("price_minor", 'i'),
        ("currency", 't'),
        ("tracked", 'i'),
        ("lots", 'i'),
        ("weight_g", 'i'),
        ("state", 't'),
        ("vals", 't'),
    ],
    key: 1,
    insert_only: false,
};

fn product(r: &Row) -> Result<Product, DbError> {
    let state = ProductState::parse(r.text(3)?).ok_or_else(|| DbError::damaged("products", "an unknown state"))?;
    Ok(Product {
        no: r.int(0)?,
        id: r.text(1)?.into(),
        name: r.text(2)?.into(),
        state,
        family_no: r.int(4)?,
        brand_no: r.int(5)?,
        tax_class: r.text(6)?.into(),
        categories: json(r, 7, "products")?,
        axes: json(r, 8, "products")?,
        values: json(r, 9, "products")?,
        levels: json(r, 10, "products")?,
        media: json(r, 11, "products")?,
        complete: json(r, 12, "products")?,
        version: r.int(13)?,
        change: r.int(14)?,
        created_at: Timestamp::from_micros(r.int(15)?),
        changed_at: Timestamp::from_micros(r.int(16)?),
        variants: Vec::new(),
    })
}

fn variant(r: &Row) -> Result<ProductVariant, DbError> {
    let currency = r.text(5)?;
    let minor = r.int(4)?;
    Ok(ProductVariant {
        no: r.int(0)?,
        position: r.int(1)?,
        sku: r.text(2)?.into(),
        gtin: Gtin::parse(r.text(3)?).ok(),
        price: (!currency.is_empty()).then(|| Price { minor, currency: currency.into() }),
        tracked: r.int(6)? == 1,
        lots: Lots::from_code(r.int(7)?),
        weight_g: r.int(8)?,
        archived: r.text(9)? == "archived",
        values: json(r, 10, "variants")?,
    })
}

fn refs<'a, 'b, const N: usize>(rows: &'b [[Value<'a>; N]]) -> Vec<&'b [Value<'a>]> {
    rows.iter().map(|row| &row[..]).collect()
}

/// Where products are read from: the writer's transaction, or a connection beside it.
pub trait Read {
    /// As [`Engine::lookup`].
    fn look(
        &mut self,
        lookup: &'static Lookup,
        keys: &[&[Value<'_>]],
        visit: &mut dyn FnMut(usize, Row) -> Result<(), DbError>,
    ) -> Result<(), DbError>;
}

impl Read for Tx {
    fn look(
        &mut self,
        lookup: &'static Lookup,
        keys: &[&[Value<'_>]],
        visit: &mut dyn FnMut(usize, Row) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        self.lookup(lookup, keys, visit)
    }
}

impl Read for Engine {
    fn look(
        &mut self,
        lookup: &'static Lookup,
        keys: &[&[Value<'_>]],
        visit: &mut dyn FnMut(usize, Row) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        self.lookup(lookup, keys, visit)
    }
}

/// Products by the shop's own ids, in their order.
pub fn by_ids(db: &mut dyn Read, ids: &[&str]) -> Result<Vec<Option<Product>>, DbError> {
    let keys: Vec<[Value<'_>; 1]> = ids.iter().map(|id| [(*id).into()]).collect();
    read(db, &BY_ID, &refs(&keys))
}

/// Products by number, in the order of the numbers.
pub fn by_nos(db: &mut dyn Read, nos: &[i64]) -> Result<Vec<Option<Product>>, DbError> {
    let keys: Vec<[Value<'_>; 1]> = nos.iter().map(|no| [(*no).into()]).collect();
    read(db, &BY_NO, &refs(&keys))
}

/// One product by number.
pub fn by_no(db: &mut dyn Read, no: i64) -> Result<Option<Product>, DbError> {
    Ok(by_nos(db, &[no])?.pop().flatten())
}

/// One product by the shop's own id.
pub fn by_id(db: &mut dyn Read, id: &str) -> Result<Option<Product>, DbError> {
    Ok(by_ids(db, &[id])?.pop().flatten())
}

/// Products below a number, newest first; `before` 0 = from the newest.
pub fn page(db: &mut Engine, before: i64, limit: i64) -> Result<Vec<Product>, DbError> {
    let sql = "SELECT no FROM products WHERE ($1 = 0 OR no < $1) ORDER BY no DESC LIMIT $2";
    let nos: Vec<i64> =
        db.rows(sql, &[before.into(), limit.into()])?.iter().map(|r| r.int(0)).collect::<Result<_, _>>()?;
    Ok(by_nos(db, &nos)?.into_iter().flatten().collect())
}

/// Products that changed after a position, the oldest change first; with the position that covers them.
pub fn changed(db: &mut Engine, after: i64, limit: i64) -> Result<Vec<(i64, i64)>, DbError> {
    let sql = "SELECT change, no FROM products WHERE change > $1 ORDER BY change, no LIMIT $2";
    db.rows(sql, &[after.into(), limit.into()])?.iter().map(|r| Ok((r.int(0)?, r.int(1)?))).collect()
}

/// Further products of one change, after a number.
pub fn of_change(db: &mut Engine, change: i64, after: i64) -> Result<Vec<i64>, DbError> {
    let sql = "SELECT no FROM products WHERE change = $1 AND no > $2 ORDER BY no";
    db.rows(sql, &[change.into(), after.into()])?.iter().map(|r| r.int(0)).collect()
}

fn read(db: &mut dyn Read, lookup: &'static Lookup, keys: &[&[Value<'_>]]) -> Result<Vec<Option<Product>>, DbError> {
    let mut out: Vec<Option<Product>> = keys.iter().map(|_| None).collect();
    db.look(lookup, keys, &mut |at, row| {
        out[at] = Some(product(&row)?);
        Ok(())
    })?;
    let places: Vec<usize> = (0..out.len()).filter(|at| out[*at].is_some()).collect();
    let nos: Vec<[Value<'_>; 1]> = places.iter().map(|at| [out[*at].as_ref().map_or(0, |p| p.no).into()]).collect();
    let mut found: Vec<Vec<ProductVariant>> = nos.iter().map(|_| Vec::new()).collect();
    db.look(&OF_PRODUCT, &refs(&nos), &mut |at, row| {
        found[at].push(variant(&row)?);
        Ok(())
    })?;
    for (at, variants) in places.into_iter().zip(found) {
        if let Some(product) = &mut out[at] {
            product.variants = variants;
        }
    }
    Ok(out)
}

/// Numbers of the variants that have each of these GTINs (14 digits).
pub fn owners_of_gtins(tx: &mut Tx, gtins: &[&str]) -> Result<Vec<Option<i64>>, DbError> {
    let keys: Vec<[Value<'_>; 1]> = gtins.iter().map(|g| [(*g).into()]).collect();
    let mut out: Vec<Option<i64>> = gtins.iter().map(|_| None).collect();
    tx.lookup(&BY_GTIN, &refs(&keys), &mut |at, row| {
        out[at].get_or_insert(row.int(0)?);
        Ok(())
    })?;
    Ok(out)
}

/// The product of each of these variants.
pub fn products_of(db: &mut dyn Read, variants: &[i64]) -> Result<Vec<Option<i64>>, DbError> {
    let keys: Vec<[Value<'_>; 1]> = variants.iter().map(|no| [(*no).into()]).collect();
    let mut out: Vec<Option<i64>> = variants.iter().map(|_| None).collect();
    db.look(&PRODUCT_OF, &refs(&keys), &mut |at, row| {
        out[at] = Some(row.int(0)?);
        Ok(())
    })?;
    Ok(out)
}

/// Writes whole products with all their variants, and tells memory of them.
pub fn write(tx: &mut Tx, products: &[Product]) -> Result<(), DbError> {
    struct Texts {
        categories: String,
        axes: String,
        values: String,
        levels: String,
        media: String,
        complete: String,
    }
    let texts: Vec<Texts> = products
        .iter()
        .map(|p| Texts {
            categories: text_of(&p.categories),
            axes: text_of(&p.axes),
            values: text_of(&p.values),
            levels: text_of(&p.levels),
            media: text_of(&p.media),
            complete: text_of(&p.complete),
        })
        .collect();
    let rows: Vec<[Value<'_>; 17]> = products
        .iter()
        .zip(&texts)
        .map(|(p, t)| {
            [
                p.no.into(),
                (&p.id).into(),
                (&p.name).into(),
                p.state.as_str().into(),
                p.family_no.into(),
                p.brand_no.into(),
                (&p.tax_class).into(),
                (&t.categories).into(),
                (&t.axes).into(),
                (&t.values).into(),
                (&t.levels).into(),
                (&t.media).into(),
                (&t.complete).into(),
                p.version.into(),
                p.change.into(),
                p.created_at.micros().into(),
                p.changed_at.micros().into(),
            ]
        })
        .collect();
    tx.upsert_many(&PRODUCTS, &refs(&rows))?;
    let all: Vec<(i64, &ProductVariant)> =
        products.iter().flat_map(|p| p.variants.iter().map(move |v| (p.no, v))).collect();
    let values: Vec<String> = all.iter().map(|(_, v)| text_of(&v.values)).collect();
    let rows: Vec<[Value<'_>; 12]> = all
        .iter()
        .zip(&values)
        .map(|((product_no, v), values)| {
            [
                v.no.into(),
                (*product_no).into(),
                v.position.into(),
                (&v.sku).into(),
                v.gtin.as_ref().map_or("", Gtin::as_str).into(),
                v.price.as_ref().map_or(0, |p| p.minor).into(),
                v.price.as_ref().map_or("", |p| p.currency.as_str()).into(),
                i64::from(v.tracked).into(),
                v.lots.code().into(),
                v.weight_g.into(),
                if v.archived { "archived" } else { "active" }.into(),
                values.into(),
            ]
        })
        .collect();
    tx.upsert_many(&VARIANTS, &refs(&rows))?;
    remember(tx, products);
    Ok(())
}

/// Puts the small rows of variants into memory, as they are after this transaction.
fn remember(tx: &mut Tx, products: &[Product]) {
    let key = tx.hash_key();
    for product in products {
        for v in &product.variants {
            let small = Variant {
                no: v.no,
                product_no: product.no,
                sku: v.sku.as_str().into(),
                tracked: v.tracked,
                lots: v.lots,
                weight_g: v.weight_g,
                price_minor: v.price.as_ref().map_or(0, |p| p.minor),
                currency: v.price.as_ref().map_or("", |p| p.currency.as_str()).into(),
                tax_class: product.tax_class.as_str().into(),
                state: if v.archived { ProductState::Archived } else { product.state },
            };
            tx.put::<Skus>(hash(key, &v.sku), v.no);
            tx.put::<Variants>(v.no, small);
        }
    }
}
