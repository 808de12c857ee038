//! Products side by side by their characteristics (L5). A pure rule.
use crate::feeds::render::shown;
use crate::model::Product;
use crate::schema::{Kind, Schema, label};
use crate::units;
use crate::values::Key;
use serde_json::Value;

/// One characteristic of several products.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub attribute: String,
    pub label: String,
    pub part: String,
    /// As people read them, in the products' order; what variants differ in is listed.
    pub values: Vec<Option<String>>,
    /// Whether the products differ in it; 1 kg and 1000 g do not.
    pub differs: bool,
}

/// What products say of themselves, side by side: attributes that are compared and that at least one of them has, in the order
/// of the attributes. Numbers are shown in one unit, the first product's.
pub fn rows(schema: &Schema, products: &[Product], channel: Option<&str>, locale: &str) -> Vec<Row> {
    let mut out = Vec::new();
    for attribute in schema.attributes.iter().filter(|a| a.compared && a.kind != Kind::Image) {
        let raw: Vec<Vec<&Value>> = products.iter().map(|p| all(p, &attribute.code, channel, locale)).collect();
        if raw.iter().all(Vec::is_empty) {
            continue;
        }
        let unit = raw.iter().flatten().find_map(|v| v.get("unit")?.as_str()).map(str::to_string);
        let text = |v: &&Value| {
            let same = unit.as_deref().and_then(|u| in_unit(v, attribute.unit_family.as_deref()?, u));
            shown(attribute, same.as_ref().unwrap_or(v), locale)
        };
        let values: Vec<Option<String>> = raw
            .iter()
            .map(|list| {
                let mut texts: Vec<String> = list.iter().filter_map(text).collect();
                texts.dedup();
                (!texts.is_empty()).then(|| texts.join(", "))
            })
            .collect();
        out.push(Row {
            attribute: attribute.code.clone(),
            label: label(&attribute.labels, &attribute.code, locale).to_string(),
            part: attribute.part.clone(),
            differs: values.windows(2).any(|w| w[0] != w[1]),
            values,
        });
    }
    out
}

/// The values of a product and its variants, each once.
fn all<'a>(p: &'a Product, code: &str, channel: Option<&str>, locale: &str) -> Vec<&'a Value> {
    let locale = Some(locale).filter(|l| !l.is_empty());
    let keys = [(channel, locale), (None, locale), (channel, None), (None, None)];
    let keys: Vec<String> = keys.into_iter().map(|(channel, locale)| Key { code, channel, locale }.text()).collect();
    let mut out: Vec<&Value> = Vec::new();
    for v in p.variants.iter().filter(|v| !v.archived) {
        if let Some(found) = keys.iter().find_map(|key| p.value_of(v, key))
            && !out.contains(&found)
        {
            out.push(found);
        }
    }
    if out.is_empty() {
        out.extend(keys.iter().find_map(|key| p.values.get(key)));
    }
    out
}

fn in_unit(value: &Value, family: &str, unit: &str) -> Option<Value> {
    let amount = units::Amount::parse(value.get("amount")?.as_str()?)?;
    let from = units::find(family, value.get("unit")?.as_str()?)?;
    let to = units::find(family, unit)?;
    Some(serde_json::json!({"amount": units::convert(amount, from, to)?.text(), "unit": to.code}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;
    use crate::model::ProductInput;
    use crate::schema;
    use base::Timestamp;
    use serde_json::json;
    use std::sync::Arc;

    #[test]
    fn products_stand_side_by_side_in_one_unit() {
        // [L5] two or more products by characteristics.
        let mut known = Schema::default();
        for (no, code, kind) in [(1, "weight", Kind::Number), (2, "colour", Kind::Text), (3, "name", Kind::Text)] {
            let mut a = schema::learned(no, code, &Value::Null).expect("a code");
            a.kind = kind;
            a.unit_family = (kind == Kind::Number).then(|| "mass".into());
            known.attributes.push(Arc::new(a));
        }
        known.reindex();
        let product = |input: Value| {
            let input: ProductInput = serde_json::from_value(input).expect("an input");
            check::apply(&known, None, &input, Timestamp::default()).expect("sound")
        };
        let a = product(
            json!({"id": "a", "name": "A", "attributes": {"weight": "1 кг"}, "variants": [{"sku": "1", "attributes": {"colour": "red"}}, {"sku": "2", "attributes": {"colour": "blue"}}]}),
        );
        let b = product(json!({"id": "b", "name": "B", "attributes": {"weight": "1000 g", "colour": "red"}}));
        let rows = rows(&known, &[a, b], None, "uk");
        let texts: Vec<(&str, Vec<Option<&str>>, bool)> = rows
            .iter()
            .map(|r| (r.attribute.as_str(), r.values.iter().map(Option::as_deref).collect(), r.differs))
            .collect();
        assert_eq!(
            texts,
            [
                ("weight", vec![Some("1 kg"), Some("1 kg")], false),
                ("colour", vec![Some("red, blue"), Some("red")], true)
            ]
        );
    }
}
