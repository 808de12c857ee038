//! How full a product is per channel and language (DOMAIN 4.11a): filled wanted values of all wanted values. A pure rule.
use crate::model::{Product, ProductVariant};
use crate::schema::{Channel, Family, Schema};
use crate::values::{self, Key};
use std::collections::BTreeMap;

/// A wanted value that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    pub attribute: String,
    /// SKU, where one variant lacks it; none: the product does.
    pub sku: Option<String>,
}

/// Filled and wanted values of a product in a channel and language, and what is missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fullness {
    pub filled: i64,
    pub required: i64,
    pub missing: Vec<Missing>,
}

impl Fullness {
    /// 0 to 100, rounded down, so that 100 means everything; a product of which nothing is wanted is full.
    pub fn percent(&self) -> i64 {
        if self.required == 0 { 100 } else { self.filled * 100 / self.required }
    }
}

/// Whether a family wants an attribute in a channel.
fn wants(family: &Family, channel: &Channel) -> Vec<String> {
    let in_channel = |required: &[String]| required.iter().any(|c| c == "*" || *c == channel.code);
    family.attributes.iter().filter(|a| in_channel(&a.required)).map(|a| a.code.clone()).collect()
}

/// How full a product is. An attribute counts once: it is filled when the product has it, or all of its variants do, each
/// by itself, by its level or by the product (a value of the model counts for its variants).
pub fn of(schema: &Schema, product: &Product, channel: &Channel, locale: &str) -> Fullness {
    let Some(family) = schema.family(product.family_no) else { return Fullness::default() };
    let mut out = Fullness::default();
    let offered: Vec<&ProductVariant> = product.variants.iter().filter(|v| !v.archived).collect();
    for code in wants(family, channel) {
        let Some(attribute) = schema.attribute(&code) else { continue };
        out.required += 1;
        // What differs by language has to be there in this one; what differs by channel may be said for all of them.
        let there = |get: &dyn Fn(&str) -> bool| {
            let (channel, locale) = (Some(channel.code.as_str()), Some(locale).filter(|_| attribute.localisable));
            let at = |channel, locale| get(&Key { code: &code, channel, locale }.text());
            (attribute.scopable && at(channel, locale)) || at(None, locale)
        };
        let own = (code == "name" && !attribute.localisable) || there(&|key| product.values.contains_key(key));
        if own {
            out.filled += 1;
            continue;
        }
        let lacking = |v: &&&ProductVariant| !there(&|key| product.value_of(v, key).is_some());
        let lacks: Vec<&&ProductVariant> = offered.iter().filter(lacking).collect();
        if offered.is_empty() || lacks.len() == offered.len() {
            out.missing.push(Missing { attribute: code, sku: None });
        } else if lacks.is_empty() {
            out.filled += 1;
        } else {
            out.missing.extend(lacks.iter().map(|v| Missing { attribute: code.clone(), sku: Some(v.sku.clone()) }));
        }
    }
    out
}

/// Filled and wanted values by `channel/language`, as they are kept with the product. Only where something is wanted.
pub fn all(schema: &Schema, product: &Product) -> BTreeMap<String, (i64, i64)> {
    let mut out = BTreeMap::new();
    if product.family_no == 0 {
        return out;
    }
    for channel in &schema.channels {
        for locale in &channel.locales {
            let full = of(schema, product, channel, locale);
            if full.required > 0 {
                out.insert(format!("{}/{locale}", channel.code), (full.filled, full.required));
            }
        }
    }
    out
}

/// The text by which a product is named in a language: the value of its family's label attribute, or its name.
pub fn label<'a>(schema: &Schema, product: &'a Product, channel: Option<&str>, locale: Option<&str>) -> &'a str {
    let family = schema.family(product.family_no);
    let code = family.map(|f| f.label_attribute.as_str()).filter(|c| !c.is_empty()).unwrap_or("name");
    let found = values::nearest(&|key| product.values.get(key), code, channel, locale);
    found.and_then(serde_json::Value::as_str).unwrap_or(&product.name)
}

#[cfg(test)]
mod tests;
