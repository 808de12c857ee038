//! Which channel sells what (L6): rules of a channel, the first that fits a product decides; without one it is sold.
use crate::model::{Product, ProductState, ProductVariant};
use crate::schema::{Channel, Schema};
use serde::{Deserialize, Serialize};

/// One rule. Every part that is given has to fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Whether what fits is sold.
    pub sell: bool,
    /// Codes of categories; those below them fit too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub brands: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub families: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skus: Vec<String>,
    /// Code of an attribute and the values of it that fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<(String, Vec<String>)>,
}

/// Whether a channel sells a variant, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sold {
    Yes,
    /// The product or variant is not offered at all.
    NotOffered,
    /// It is in none of the channel's categories.
    OtherTree,
    /// The rule of this position (from 0) says no.
    Rule(usize),
}

/// Whether a channel sells a variant. Every part of Braid that shows or sells goods asks here.
pub fn sells(schema: &Schema, channel: &Channel, product: &Product, variant: &ProductVariant) -> Sold {
    if product.state != ProductState::Active || variant.archived {
        return Sold::NotOffered;
    }
    let within = |root: i64| product.categories.iter().any(|c| schema.path(*c).iter().any(|p| p.no == root));
    if channel.root_no != 0 && !within(channel.root_no) {
        return Sold::OtherTree;
    }
    let fits = |rule: &Rule| {
        let category = |code: &String| schema.category_of(code).is_some_and(|c| within(c.no));
        let brand =
            || schema.brand(product.brand_no).is_some_and(|b| rule.brands.iter().any(|n| *n == b.code || *n == b.name));
        let family = || schema.family(product.family_no).is_some_and(|f| rule.families.contains(&f.code));
        let attribute = |(code, values): &(String, Vec<String>)| {
            let has = |value: &serde_json::Value| match value {
                serde_json::Value::String(text) => values.contains(text),
                serde_json::Value::Array(list) => {
                    list.iter().any(|v| v.as_str().is_some_and(|t| values.iter().any(|x| x == t)))
                }
                other => values.contains(&other.to_string()),
            };
            product.value_of(variant, code).is_some_and(has)
        };
        (rule.categories.is_empty() || rule.categories.iter().any(category))
            && (rule.brands.is_empty() || brand())
            && (rule.families.is_empty() || family())
            && (rule.skus.is_empty() || rule.skus.contains(&variant.sku))
            && rule.attribute.as_ref().is_none_or(attribute)
    };
    match channel.assortment.iter().position(fits) {
        Some(at) if !channel.assortment[at].sell => Sold::Rule(at),
        _ => Sold::Yes,
    }
}
