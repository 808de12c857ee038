//! What can be asked of the catalogue.
use crate::check::{self, Wrong};
use crate::drafts::VERSIONS_MAX;
use crate::model::{Accepted, Outcome, Product, ProductInput, Rejection};
use crate::schema::{self, ATTRIBUTES_MAX, Attribute, Brand, Category, Labels, Schema, THINGS_MAX, Thing, brand_code};
use crate::values::{Key, is_code};
use crate::{completeness, products, unique, variants};
use db::{Bulk, DbError, Tx, Value};
use hashbrown::{HashMap, HashSet};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Creates and changes products: those that can be taken are, and each of the others says why not.
///
/// Attributes that nobody described, brands and paths of categories are made. Inputs count in their order: a second one
/// for the same product changes what the first one made. One change number is given per call.
pub fn put_products(tx: &mut Tx, inputs: &[ProductInput]) -> Result<(Vec<Accepted>, Vec<Rejection>), DbError> {
    put_products_by(tx, "", inputs)
}

/// As [`put_products`], naming who does it in the history of what changes.
pub fn put_products_by(
    tx: &mut Tx,
    actor: &str,
    inputs: &[ProductInput],
) -> Result<(Vec<Accepted>, Vec<Rejection>), DbError> {
    let mut rejections = Vec::new();
    let mut sound: Vec<(usize, ProductInput)> = Vec::with_capacity(inputs.len());
    for (index, input) in inputs.iter().enumerate() {
        let mut input = input.clone();
        match check::shape(&mut input) {
            Ok(()) => sound.push((index, input)),
            Err(wrong) => rejections.push(rejection(index, wrong)),
        }
    }
    let schema = prepare_schema(tx, &sound)?;
    let mut batch = Batch::read(tx, &sound)?;
    let now = tx.now();
    let mut accepted = Vec::with_capacity(sound.len());
    let mut changed: Vec<usize> = Vec::new();
    let mut originals: Vec<Product> = Vec::new();
    for (index, input) in &sound {
        let at = batch.place[input.id.as_str()];
        let known = batch.products[at].as_ref();
        let fresh = match batch.owned(known, input).and_then(|()| check::apply(&schema, known, input, now)) {
            Ok(mut fresh) => {
                fresh.complete = completeness::all(&schema, &fresh);
                fresh
            }
            Err(wrong) => {
                rejections.push(rejection(*index, wrong));
                continue;
            }
        };
        let outcome = match known {
            None => Outcome::Created,
            Some(old) if *old == fresh => Outcome::Same,
            Some(_) => Outcome::Changed,
        };
        if let Err(wrong) = batch.unique(tx, &schema, &fresh)? {
            rejections.push(rejection(*index, wrong));
            continue;
        }
        let fresh = if outcome == Outcome::Same { fresh } else { numbered(tx, fresh) };
        accepted.push(Accepted { index: *index, product_no: fresh.no, outcome });
        if outcome != Outcome::Same {
            batch.own(&schema, &fresh, outcome == Outcome::Changed);
            let before = batch.products[at].replace(fresh);
            batch.free(&schema, before.as_ref(), at);
            if !batch.touched[at] {
                batch.touched[at] = true;
                changed.push(at);
                originals.extend(before);
            }
        }
    }
    if !changed.is_empty() {
        let change = tx.next_id();
        let mut out: Vec<Product> = Vec::with_capacity(changed.len());
        for at in changed {
            if let Some(mut product) = batch.products[at].take() {
                product.version += 1;
                product.change = change;
                product.changed_at = now;
                out.push(product);
            }
        }
        note_used(tx, &schema, &out)?;
        products::write(tx, &out)?;
        unique::write(tx, &schema, &originals, &out)?;
        keep_versions(tx, &schema, actor, &originals)?;
        tx.notify(db::Notice::Changed { what: "products" });
    }
    rejections.sort_by_key(|r| r.index);
    Ok((accepted, rejections))
}

/// Notes which attributes products have values of, so that their kinds stay.
fn note_used(tx: &mut Tx, schema: &Schema, products: &[Product]) -> Result<(), DbError> {
    let fresh: Vec<&str> = schema.attributes.iter().filter(|a| !a.used).map(|a| a.code.as_str()).collect();
    if fresh.is_empty() {
        return Ok(());
    }
    let mut found: HashSet<&str> = HashSet::new();
    for product in products {
        let levels = product.levels.values().flat_map(|v| v.keys());
        let own = product.values.keys().chain(levels).chain(product.variants.iter().flat_map(|v| v.values.keys()));
        found.extend(own.map(|key| Key::parse(key).code).filter(|code| fresh.contains(code)));
    }
    let used = |code: &str| {
        schema.attribute(code).map(|a| Thing::Attribute(schema::Attribute { used: true, ..(**a).clone() }))
    };
    let things: Vec<Thing> = found.into_iter().filter_map(used).collect();
    schema::put(tx, &things)
}

static VERSIONS: Bulk = Bulk {
    table: "product_versions",
    columns: &[("product_no", 'i'), ("version", 'i'), ("at", 'i'), ("actor", 't'), ("document", 't')],
    key: 2,
    insert_only: true,
};

/// Keeps products as they were before this change, and forgets the oldest.
fn keep_versions(tx: &mut Tx, schema: &Schema, actor: &str, originals: &[Product]) -> Result<(), DbError> {
    if originals.is_empty() {
        return Ok(());
    }
    let at = tx.now().micros();
    let texts: Vec<String> = originals.iter().map(|p| schema::text_of(&crate::document::of(schema, p))).collect();
    let rows: Vec<[Value<'_>; 5]> = originals
        .iter()
        .zip(&texts)
        .map(|(p, text)| [p.no.into(), p.version.into(), at.into(), actor.into(), text.into()])
        .collect();
    tx.upsert_many(&VERSIONS, &rows.iter().map(|r| &r[..]).collect::<Vec<_>>())?;
    for product in originals.iter().filter(|p| p.version > VERSIONS_MAX) {
        let sql = "DELETE FROM product_versions WHERE product_no = $1 AND version <= $2";
        tx.execute(sql, &[product.no.into(), (product.version - VERSIONS_MAX).into()])?;
    }
    Ok(())
}

fn rejection(index: usize, (pointer, detail): Wrong) -> Rejection {
    Rejection { index, pointer, detail }
}

fn numbered(tx: &mut Tx, mut product: Product) -> Product {
    if product.no == 0 {
        product.no = tx.next_id();
    }
    for variant in &mut product.variants {
        if variant.no == 0 {
            variant.no = tx.next_id();
        }
    }
    product
}

/// What the inputs of a call touch, read at once.
struct Batch {
    products: Vec<Option<Product>>,
    /// Place of a product by its id.
    place: HashMap<String, usize>,
    /// Variant by SKU and by GTIN.
    skus: HashMap<String, i64>,
    gtins: HashMap<String, i64>,
    /// Owner of a unique value, given in this call.
    uniques: HashMap<(i64, String), i64>,
    /// Unique values that were given up in this call.
    freed: HashSet<(i64, String)>,
    touched: Vec<bool>,
}

impl Batch {
    fn read(tx: &mut Tx, sound: &[(usize, ProductInput)]) -> Result<Self, DbError> {
        let mut place: HashMap<String, usize> = HashMap::with_capacity(sound.len());
        let mut ids: Vec<&str> = Vec::with_capacity(sound.len());
        for (_, input) in sound {
            if !place.contains_key(&input.id) {
                place.insert(input.id.clone(), ids.len());
                ids.push(&input.id);
            }
        }
        let found = products::by_ids(tx, &ids)?;
        let wanted: Vec<String> = sound.iter().flat_map(|(_, p)| p.variants.iter().map(|v| v.sku.clone())).collect();
        let owners = variants::find_many(tx, &wanted)?;
        let skus = wanted.into_iter().zip(owners).filter_map(|(sku, no)| Some((sku, no?))).collect();
        let given = sound.iter().flat_map(|(_, p)| p.variants.iter().filter_map(|v| v.gtin.as_deref()));
        let wanted: Vec<String> =
            given.filter_map(|g| crate::gtin::Gtin::parse(g).ok()).map(|g| g.as_str().to_string()).collect();
        let owners = products::owners_of_gtins(tx, &wanted.iter().map(String::as_str).collect::<Vec<_>>())?;
        let gtins = wanted.into_iter().zip(owners).filter_map(|(gtin, no)| Some((gtin, no?))).collect();
        let touched = vec![false; found.len()];
        Ok(Self { products: found, place, skus, gtins, uniques: HashMap::new(), freed: HashSet::new(), touched })
    }
    /// Refuses SKUs and GTINs of other variants.
    fn owned(&self, known: Option<&Product>, input: &ProductInput) -> Result<(), Wrong> {
        for (at, given) in input.variants.iter().enumerate() {
            let own = known.and_then(|p| p.variants.iter().find(|v| v.sku == given.sku)).map(|v| v.no);
            if self.skus.get(&given.sku).is_some_and(|no| Some(*no) != own) {
                let detail = format!("the SKU {:?} belongs to another product", given.sku);
                return Err((format!("/variants/{at}/sku"), detail));
            }
            let Some(gtin) = given.gtin.as_deref().and_then(|g| crate::gtin::Gtin::parse(g).ok()) else { continue };
            let twice = input.variants[..at]
                .iter()
                .any(|v| v.gtin.as_deref().and_then(|g| crate::gtin::Gtin::parse(g).ok()) == Some(gtin));
            if twice || self.gtins.get(gtin.as_str()).is_some_and(|no| Some(*no) != own) {
                let detail = format!("the GTIN {} belongs to another variant", gtin.printed());
                return Err((format!("/variants/{at}/gtin"), detail));
            }
        }
        Ok(())
    }
    /// Refuses values that only one may have and another has.
    fn unique(&self, tx: &mut Tx, schema: &Schema, fresh: &Product) -> Result<Result<(), Wrong>, DbError> {
        let wanted = unique::of(schema, fresh);
        if wanted.is_empty() {
            return Ok(Ok(()));
        }
        let owners = unique::owners(tx, &wanted)?;
        for (at, ((attribute, value, own), owner)) in wanted.iter().zip(owners).enumerate() {
            let entry = (*attribute, value.clone());
            let owner = self.uniques.get(&entry).copied().or(owner.filter(|_| !self.freed.contains(&entry)));
            let twice = wanted[..at].iter().any(|(a, v, _)| (a, v) == (attribute, value));
            if twice || owner.is_some_and(|o| o != *own) {
                let code = schema.attributes.iter().find(|a| a.no == *attribute).map_or("", |a| a.code.as_str());
                let detail = format!("{code} is unique, and something else has {value:?} already");
                return Ok(Err((format!("/attributes/{}", check::escaped(code)), detail)));
            }
        }
        Ok(Ok(()))
    }
    /// Notes which unique values a product gave up.
    fn free(&mut self, schema: &Schema, before: Option<&Product>, at: usize) {
        let now = self.products[at].as_ref().map(|p| unique::of(schema, p)).unwrap_or_default();
        for (attribute, value, owner) in before.map(|p| unique::of(schema, p)).unwrap_or_default() {
            if !now.contains(&(attribute, value.clone(), owner)) {
                if self.uniques.get(&(attribute, value.clone())) == Some(&owner) {
                    self.uniques.remove(&(attribute, value.clone()));
                }
                self.freed.insert((attribute, value));
            }
        }
    }
    /// Notes whose SKUs and GTINs these are now.
    fn own(&mut self, schema: &Schema, product: &Product, known: bool) {
        for (attribute, value, owner) in unique::of(schema, product) {
            self.uniques.insert((attribute, value), owner);
        }
        for v in &product.variants {
            if known {
                self.gtins.retain(|_, no| *no != v.no);
            }
            self.skus.insert(v.sku.clone(), v.no);
            if let Some(gtin) = &v.gtin {
                self.gtins.insert(gtin.as_str().into(), v.no);
            }
        }
    }
}

/// The schema with what these inputs name and nobody made yet: attributes, brands, categories by path.
fn prepare_schema(tx: &mut Tx, sound: &[(usize, ProductInput)]) -> Result<Arc<Schema>, DbError> {
    let schema = schema::held(tx)?;
    let mut things: Vec<Thing> = Vec::new();
    let mut seen: HashSet<String> = HashSet::new();
    let (mut made, mut widened) = (BTreeMap::<String, Attribute>::new(), BTreeMap::<String, Attribute>::new());
    for (_, input) in sound {
        let levels = input.levels.values().flat_map(|v| v.iter());
        let own = input.attributes.iter().chain(levels).chain(input.variants.iter().flat_map(|v| v.attributes.iter()));
        for (text, value) in own {
            let code = Key::parse(text).code;
            if value.is_null() {
                continue;
            }
            let count = schema.attributes.len() + made.len();
            match schema.attribute(code) {
                Some(known) => widen(&mut widened, known, text),
                None => match made.get_mut(code) {
                    Some(known) => {
                        if let Some(wider) = schema::widened(known, text) {
                            *known = wider;
                        }
                    }
                    None if count < ATTRIBUTES_MAX && is_code(code) => {
                        made.extend(schema::learned(tx.next_id(), text, value).map(|a| (code.to_string(), a)));
                    }
                    None => {}
                },
            }
        }
    }
    things.extend(made.into_values().chain(widened.into_values()).map(Thing::Attribute));
    seen.clear();
    for name in sound.iter().filter_map(|(_, p)| p.brand.as_deref()).filter(|b| !b.is_empty()) {
        let code = brand_code(name);
        if schema.brand_of(name).is_none() && seen.insert(code.clone()) && schema.brands.len() + seen.len() < THINGS_MAX
        {
            let brand = Brand { no: tx.next_id(), code, name: name.into(), aliases: Vec::new(), version: 1 };
            things.push(Thing::Brand(brand));
        }
    }
    let mut made: HashMap<String, i64> = HashMap::new();
    for text in sound.iter().filter_map(|(_, p)| p.categories.as_ref()).flatten() {
        paths(tx, &schema, &check::category_code(text), &mut made, &mut things);
    }
    if things.is_empty() {
        return Ok(schema);
    }
    drop(schema);
    schema::put(tx, &things)?;
    schema::held(tx)
}

fn widen(widened: &mut BTreeMap<String, Attribute>, known: &Attribute, key: &str) {
    let now = widened.get(&known.code).unwrap_or(known);
    if let Some(wider) = schema::widened(now, key) {
        widened.insert(known.code.clone(), wider);
    }
}

/// Makes what is missing of a path of categories.
fn paths(tx: &mut Tx, schema: &Schema, code: &str, made: &mut HashMap<String, i64>, things: &mut Vec<Thing>) {
    let mut parent_no = 0;
    let mut path = String::new();
    for name in code.split(" > ").filter(|n| !n.is_empty()) {
        if !path.is_empty() {
            path.push_str(" > ");
        }
        path.push_str(name);
        let known = schema.category_of(&path).map(|c| c.no).or_else(|| made.get(&path).copied());
        parent_no = match known {
            Some(no) => no,
            None if schema.categories.len() + made.len() >= THINGS_MAX || path.chars().count() > 500 => return,
            None => {
                let no = tx.next_id();
                let labels = Labels::from([("".into(), name.to_string())]);
                let category =
                    Category { no, code: path.clone(), parent_no, labels, position: no, archived: false, version: 1 };
                things.push(Thing::Category(category));
                made.insert(path.clone(), no);
                no
            }
        };
    }
}

/// Says that something outside the product's own rows changed what a search or a feed shows of these products: a price, stock.
pub fn touch(tx: &mut Tx, products: &[i64]) -> Result<(), DbError> {
    if products.is_empty() {
        return Ok(());
    }
    let change = tx.next_id();
    for no in products {
        tx.execute("UPDATE products SET change = $2 WHERE no = $1", &[(*no).into(), change.into()])?;
    }
    Ok(())
}
