//! What an input makes of a product: a pure rule. Says what is wrong and where, or gives the product as it will be.
use crate::gtin::Gtin;
use crate::model::{Lots, Product, ProductInput, ProductState, ProductVariant, VariantInput};
use crate::schema::Schema;
use crate::values::{self, Key, Values, clean, is_currency};
use crate::variants::normalise_sku;
use base::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

/// Characters of a product's id.
pub const ID_MAX: usize = 200;
/// Characters of a name.
pub const NAME_MAX: usize = 1_000;
/// Variants of one product.
pub const VARIANTS_MAX: usize = 2_000;
/// Values of one product or variant.
pub const VALUES_MAX: usize = 1_000;
/// Categories and media of one product.
pub const LINKS_MAX: usize = 200;

/// Where something is wrong, and what.
pub type Wrong = (String, String);

fn wrong(pointer: impl Into<String>, detail: impl Into<String>) -> Wrong {
    (pointer.into(), detail.into())
}

/// What can be said without knowing anything: lengths, SKUs, GTINs, prices. Trims ids and SKUs in place.
pub fn shape(input: &mut ProductInput) -> Result<(), Wrong> {
    input.id = clean(&input.id);
    if input.id.is_empty() || input.id.chars().count() > ID_MAX {
        return Err(wrong("/id", format!("a product's id has 1 to {ID_MAX} characters")));
    }
    if let Some(name) = &mut input.name {
        *name = clean(name);
        if name.is_empty() || name.chars().count() > NAME_MAX {
            return Err(wrong("/name", format!("a name has 1 to {NAME_MAX} characters")));
        }
    }
    for (field, text) in
        [("family", &mut input.family), ("brand", &mut input.brand), ("tax_class", &mut input.tax_class)]
    {
        if let Some(text) = text {
            *text = clean(text);
            if text.chars().count() > 200 {
                return Err(wrong(format!("/{field}"), format!("{field} has at most 200 characters")));
            }
        }
    }
    if input.variants.len() > VARIANTS_MAX {
        return Err(wrong("/variants", format!("a product has at most {VARIANTS_MAX} variants")));
    }
    if input.categories.as_ref().is_some_and(|c| c.len() > LINKS_MAX)
        || input.media.as_ref().is_some_and(|m| m.len() > LINKS_MAX)
    {
        return Err(wrong("", format!("a product has at most {LINKS_MAX} categories and as many pictures")));
    }
    let mut seen: Vec<&str> = Vec::with_capacity(input.variants.len());
    for (at, variant) in input.variants.iter_mut().enumerate() {
        let Some(sku) = normalise_sku(&variant.sku) else {
            let detail = format!("an SKU has 1 to {} characters", crate::variants::SKU_MAX);
            return Err(wrong(format!("/variants/{at}/sku"), detail));
        };
        variant.sku = sku;
        variant_shape(variant).map_err(|(p, d)| (format!("/variants/{at}{p}"), d))?;
    }
    for (at, variant) in input.variants.iter().enumerate() {
        if seen.contains(&variant.sku.as_str()) {
            return Err(wrong(format!("/variants/{at}/sku"), format!("{:?} stands here twice", variant.sku)));
        }
        seen.push(&variant.sku);
    }
    Ok(())
}

fn variant_shape(variant: &VariantInput) -> Result<(), Wrong> {
    if let Some(gtin) = variant.gtin.as_deref().filter(|g| !g.trim().is_empty()) {
        Gtin::parse(gtin).map_err(|e| wrong("/gtin", e.to_string()))?;
    }
    if let Some(price) = &variant.price {
        if price.minor < 0 || price.minor > 1_000_000_000_000_000 {
            return Err(wrong("/price/minor", "a price is 0 or more and below 10^15 minor units"));
        }
        if !is_currency(&price.currency) {
            return Err(wrong("/price/currency", "a currency has three capital letters, such as UAH"));
        }
    }
    match variant.weight_g {
        Some(g) if !(0..=100_000_000).contains(&g) => Err(wrong("/weight_g", "a weight is 0 to 100,000,000 g")),
        _ => Ok(()),
    }
}

/// The product as the input makes it. `known`: as it is; brand, categories and attributes have to be in the schema.
/// New variants get number 0, a new product too. Version and change are as they were.
pub fn apply(schema: &Schema, known: Option<&Product>, input: &ProductInput, now: Timestamp) -> Result<Product, Wrong> {
    let mut out = known.cloned().unwrap_or_else(|| empty(&input.id, now));
    match (&input.name, known) {
        (Some(name), _) => out.name.clone_from(name),
        (None, None) => return Err(wrong("/name", "a new product needs a name")),
        (None, Some(_)) => {}
    }
    if let Some(state) = input.state {
        out.state = state;
    }
    if let Some(code) = &input.family {
        out.family_no = match code.as_str() {
            "" => 0,
            code => schema
                .family_of(code)
                .map(|f| f.no)
                .ok_or_else(|| wrong("/family", format!("there is no family {code:?}")))?,
        };
    }
    if let Some(name) = &input.brand {
        out.brand_no = if name.is_empty() { 0 } else { schema.brand_of(name).map_or(0, |b| b.no) };
    }
    if let Some(class) = &input.tax_class {
        out.tax_class = if class.is_empty() { "standard".into() } else { class.clone() };
    }
    if let Some(codes) = &input.categories {
        out.categories.clear();
        for (at, text) in codes.iter().enumerate() {
            let code = category_code(text);
            let found = schema
                .category_of(&code)
                .ok_or_else(|| wrong(format!("/categories/{at}"), format!("there is no category {text:?}")))?;
            out.categories.push(found.no);
        }
        out.categories.sort_unstable();
        out.categories.dedup();
    }
    if let Some(axes) = &input.axes {
        for (at, code) in axes.iter().enumerate() {
            if schema.attribute(code).is_none() {
                return Err(wrong(format!("/axes/{at}"), format!("there is no attribute {code:?}")));
            }
        }
        out.axes.clone_from(axes);
    } else if known.is_none()
        && let Some(family) = schema.family(out.family_no)
    {
        out.axes.clone_from(&family.axes);
    }
    set(schema, &mut out.values, &input.attributes).map_err(|(p, d)| (format!("/attributes{p}"), d))?;
    for (level, given) in &input.levels {
        let at = format!("/levels/{}", escaped(level));
        let values = out.levels.entry(level.clone()).or_default();
        set(schema, values, given).map_err(|(p, d)| (format!("{at}{p}"), d))?;
    }
    out.levels.retain(|_, values| !values.is_empty());
    if let Some(media) = &input.media {
        for (at, link) in media.iter().enumerate() {
            if !values::is_hash(&link.hash) && !link.hash.starts_with("https://") && !link.hash.starts_with("http://") {
                return Err(wrong(format!("/media/{at}/hash"), "the hash of a file that was put here, or an address"));
            }
        }
        out.media.clone_from(media);
    }
    for (at, given) in input.variants.iter().enumerate() {
        variant(schema, &mut out, given).map_err(|(p, d)| (format!("/variants/{at}{p}"), d))?;
    }
    if out.variants.len() > VARIANTS_MAX {
        return Err(wrong("/variants", format!("a product has at most {VARIANTS_MAX} variants")));
    }
    distinct(&out)?;
    Ok(out)
}

fn empty(id: &str, now: Timestamp) -> Product {
    Product {
        no: 0,
        id: id.into(),
        name: String::new(),
        state: ProductState::Active,
        family_no: 0,
        brand_no: 0,
        tax_class: "standard".into(),
        categories: Vec::new(),
        axes: Vec::new(),
        values: Values::new(),
        levels: BTreeMap::new(),
        media: Vec::new(),
        complete: BTreeMap::new(),
        version: 0,
        change: 0,
        created_at: now,
        changed_at: now,
        variants: Vec::new(),
    }
}

fn variant(schema: &Schema, product: &mut Product, given: &VariantInput) -> Result<(), Wrong> {
    let at = match product.variants.iter().position(|v| v.sku == given.sku) {
        Some(at) => at,
        None => {
            let position = product.variants.iter().map(|v| v.position + 1).max().unwrap_or(0);
            product.variants.push(ProductVariant {
                no: 0,
                position,
                sku: given.sku.clone(),
                gtin: None,
                price: None,
                tracked: true,
                lots: Lots::None,
                weight_g: 0,
                archived: false,
                values: Values::new(),
            });
            product.variants.len() - 1
        }
    };
    let out = &mut product.variants[at];
    if let Some(text) = given.gtin.as_deref().map(str::trim) {
        out.gtin =
            if text.is_empty() { None } else { Some(Gtin::parse(text).map_err(|e| wrong("/gtin", e.to_string()))?) };
    }
    if given.price.is_some() {
        out.price.clone_from(&given.price);
    }
    out.tracked = given.tracked.unwrap_or(out.tracked);
    out.lots = given.lots.unwrap_or(out.lots);
    out.weight_g = given.weight_g.unwrap_or(out.weight_g);
    out.archived = given.archived.unwrap_or(out.archived);
    set(schema, &mut out.values, &given.attributes).map_err(|(p, d)| (format!("/attributes{p}"), d))
}

/// Two variants of a product that nobody can tell apart are one mistake.
fn distinct(product: &Product) -> Result<(), Wrong> {
    if product.axes.is_empty() {
        return Ok(());
    }
    let mut seen: BTreeMap<Vec<String>, &str> = BTreeMap::new();
    for v in product.variants.iter().filter(|v| !v.archived) {
        let axis = |code: &String| v.values.get(code).map(Value::to_string).unwrap_or_default();
        let place: Vec<String> = product.axes.iter().map(axis).collect();
        if place.iter().any(String::is_empty) {
            continue;
        }
        if let Some(other) = seen.insert(place, &v.sku) {
            let detail = format!("{:?} and {other:?} have the same {}", v.sku, product.axes.join(" and "));
            return Err(wrong("/variants", detail));
        }
    }
    Ok(())
}

/// Sets values; null and empty ones go.
fn set(schema: &Schema, values: &mut Values, given: &BTreeMap<String, Value>) -> Result<(), Wrong> {
    for (text, value) in given {
        let at = || format!("/{}", escaped(text));
        let key = Key::parse(text);
        let attribute =
            schema.attribute(key.code).ok_or_else(|| wrong(at(), format!("there is no attribute {:?}", key.code)))?;
        values::check_key(key, attribute, schema).map_err(|detail| wrong(at(), detail))?;
        match values::check(attribute, value).map_err(|detail| wrong(at(), detail))? {
            Some(value) => {
                values.insert(text.clone(), value);
            }
            None => {
                values.remove(text);
            }
        }
    }
    if values.len() > VALUES_MAX {
        return Err(wrong("", format!("at most {VALUES_MAX} values")));
    }
    Ok(())
}

/// A path (`Clothes > Shoes`) as the code of a category: names joined by ` > `, without blanks around them.
pub fn category_code(text: &str) -> String {
    let parts: Vec<String> = text.split('>').map(clean).filter(|p| !p.is_empty()).collect();
    parts.join(" > ")
}

/// A name in a JSON Pointer.
pub fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
