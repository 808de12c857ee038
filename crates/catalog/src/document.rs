//! A product as one whole input: what is kept of older versions, exported, compared, and put back.
use crate::model::{Product, ProductInput, VariantInput};
use crate::schema::Schema;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The whole product as an input: put into an empty shop it makes the same product.
pub fn of(schema: &Schema, p: &Product) -> ProductInput {
    ProductInput {
        id: p.id.clone(),
        name: Some(p.name.clone()),
        state: Some(p.state),
        family: Some(schema.family(p.family_no).map(|f| f.code.clone()).unwrap_or_default()),
        brand: Some(schema.brand(p.brand_no).map(|b| b.name.clone()).unwrap_or_default()),
        tax_class: Some(p.tax_class.clone()),
        categories: Some(p.categories.iter().filter_map(|c| schema.category(*c)).map(|c| c.code.clone()).collect()),
        axes: Some(p.axes.clone()),
        attributes: p.values.clone(),
        levels: p.levels.clone(),
        media: Some(p.media.clone()),
        variants: p
            .variants
            .iter()
            .map(|v| VariantInput {
                sku: v.sku.clone(),
                gtin: Some(v.gtin.as_ref().map(|g| g.printed().to_string()).unwrap_or_default()),
                price: v.price.clone(),
                tracked: Some(v.tracked),
                lots: Some(v.lots),
                weight_g: Some(v.weight_g),
                archived: Some(v.archived),
                attributes: v.values.clone(),
            })
            .collect(),
    }
}

/// What has to be put so that the product is again as a document says. Values that came since go; a variant that came since
/// is archived, since what was sold names it; a base price that came since stays, since taking it away says nothing.
pub fn back_to(document: &ProductInput, now: &Product) -> ProductInput {
    let mut out = document.clone();
    without(&mut out.attributes, &now.values);
    for (level, values) in &now.levels {
        without(out.levels.entry(level.clone()).or_default(), values);
    }
    for v in &now.variants {
        match out.variants.iter_mut().find(|d| d.sku == v.sku) {
            Some(kept) => without(&mut kept.attributes, &v.values),
            None => {
                let gone = VariantInput { sku: v.sku.clone(), archived: Some(true), ..VariantInput::default() };
                out.variants.push(gone);
            }
        }
    }
    out
}

fn without(wanted: &mut BTreeMap<String, Value>, now: &BTreeMap<String, Value>) {
    for key in now.keys() {
        wanted.entry(key.clone()).or_insert(Value::Null);
    }
}

/// One difference between two documents.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Such as `name`, `attributes/colour`, `variants/TEE-S/price`.
    pub path: String,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

/// What differs between two documents, by path.
pub fn differences(before: Option<&ProductInput>, after: &ProductInput) -> Vec<Difference> {
    let old = before.map(flat).unwrap_or_default();
    let new = flat(after);
    let mut paths: Vec<&String> = old.keys().chain(new.keys()).collect();
    paths.sort();
    paths.dedup();
    let of = |path: &String| Difference {
        path: path.clone(),
        before: old.get(path).cloned(),
        after: new.get(path).cloned(),
    };
    paths.into_iter().map(of).filter(|d| d.before != d.after).collect()
}

fn flat(document: &ProductInput) -> BTreeMap<String, Value> {
    let mut out = BTreeMap::new();
    let whole = serde_json::to_value(document).unwrap_or_default();
    for (field, value) in whole.as_object().into_iter().flatten() {
        match (field.as_str(), value) {
            ("id", _) => {}
            ("attributes" | "levels", Value::Object(map)) => {
                put_all(&mut out, field, map);
            }
            ("variants", Value::Array(list)) => {
                for variant in list {
                    let sku = variant["sku"].as_str().unwrap_or_default();
                    let Some(map) = variant.as_object() else { continue };
                    out.insert(format!("variants/{sku}"), Value::Bool(true));
                    for (field, value) in map.iter().filter(|(f, _)| *f != "sku") {
                        match value {
                            Value::Object(inner) if field == "attributes" => {
                                put_all(&mut out, &format!("variants/{sku}/attributes"), inner);
                            }
                            value => {
                                out.insert(format!("variants/{sku}/{field}"), value.clone());
                            }
                        }
                    }
                }
            }
            (_, value) => {
                out.insert(field.clone(), value.clone());
            }
        }
    }
    out.retain(|_, v| {
        !matches!(v, Value::Null) && v.as_str() != Some("") && v.as_array().is_none_or(|a| !a.is_empty())
    });
    out
}

fn put_all(out: &mut BTreeMap<String, Value>, under: &str, map: &serde_json::Map<String, Value>) {
    for (key, value) in map {
        out.insert(format!("{under}/{key}"), value.clone());
    }
}
