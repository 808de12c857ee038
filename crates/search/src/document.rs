//! A product as the index sees it.
use crate::index::{Fields, channel_path};
use crate::text::{article, sound, stem, words};
use base::Timestamp;
use catalog::model::{Product, ProductState};
use catalog::prices::model::{Ask, Entry};
use catalog::prices::select::Lists;
use catalog::prices::shown::shown;
use catalog::schema::{Kind, Schema};
use catalog::units;
use catalog::values::Key;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use tantivy::TantivyDocument;
use tantivy::schema::OwnedValue;

/// Between a facet's kind and its value.
pub const MARK: char = '\u{1}';
/// Values of one product that are counted.
const FACETS_MAX: usize = 400;
/// Characters of a value that is counted.
const FACET_MAX: usize = 120;

/// Kinds of facets that are no attributes.
pub const CATEGORY: &str = "@category";
pub const BRAND: &str = "@brand";
pub const FAMILY: &str = "@family";
pub const STATE: &str = "@state";
pub const FULL: &str = "@complete";

/// A facet's term.
pub fn term(kind: &str, value: &str) -> String {
    format!("{kind}{MARK}{value}")
}

/// What a document is made with.
pub struct Selling {
    pub schema: Schema,
    pub lists: Lists,
    /// The moment whose prices it shows.
    pub at: Timestamp,
}

/// Makes the document of a product; `prices` are the entries of its variants, in their order.
pub fn of(fields: &Fields, selling: &Selling, p: &Product, prices: &[Vec<Entry>]) -> TantivyDocument {
    let schema = &selling.schema;
    let mut doc = TantivyDocument::default();
    doc.add_i64(fields.no, p.no);
    doc.add_i64(fields.made, p.no);
    let (mut title, mut body): (Vec<String>, Vec<String>) = (words(&p.name), Vec::new());
    if let Some(brand) = schema.brand(p.brand_no) {
        title.extend(words(&brand.name));
        brand.aliases.iter().for_each(|alias| title.extend(words(alias)));
    }
    for no in &p.categories {
        for category in schema.path(*no) {
            category.labels.values().for_each(|label| body.extend(words(label)));
        }
    }
    let mut facets: BTreeSet<String> = BTreeSet::new();
    let levels = p.levels.values().flatten();
    let all =
        p.values.iter().chain(levels).chain(p.variants.iter().filter(|v| !v.archived).flat_map(|v| v.values.iter()));
    for (key, value) in all {
        let code = Key::parse(key).code;
        let Some(attribute) = schema.attribute(code) else { continue };
        let into = if code == "name" { &mut title } else { &mut body };
        said(attribute.kind, value, &mut |text| into.extend(words(text)));
        if attribute.facet {
            counted(attribute.kind, attribute.unit_family.as_deref(), value, &mut |text| {
                facets.insert(term(code, &text));
            });
        }
    }
    let mut exact: BTreeSet<String> = BTreeSet::from([article(&p.id)]);
    for v in p.variants.iter().filter(|v| !v.archived) {
        exact.insert(article(&v.sku));
        body.extend(words(&v.sku));
        if let Some(gtin) = &v.gtin {
            exact.insert(gtin.as_str().to_string());
            exact.insert(gtin.printed().to_string());
        }
    }
    for no in &p.categories {
        facets.extend(schema.path(*no).iter().map(|c| term(CATEGORY, &c.code)));
    }
    facets.extend(schema.brand(p.brand_no).map(|b| term(BRAND, &b.name)));
    facets.extend(schema.family(p.family_no).map(|f| term(FAMILY, &f.code)));
    facets.insert(term(STATE, p.state.as_str()));
    for (place, (filled, required)) in &p.complete {
        facets.insert(term(FULL, &format!("{place}{}", if filled == required { "" } else { "!" })));
    }
    if p.state == ProductState::Archived {
        // What is no longer offered is found by its number only.
        title.clear();
        body.clear();
    }
    let join = |list: &[String], by: fn(&str) -> String| {
        list.iter().map(|w| by(w)).filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")
    };
    doc.add_text(fields.title, join(&title, stem));
    doc.add_text(fields.body, join(&body, stem));
    doc.add_text(fields.sound, join(&title, sound));
    exact.iter().filter(|e| !e.is_empty()).for_each(|e| doc.add_text(fields.exact, e));
    facets.iter().take(FACETS_MAX).for_each(|f| doc.add_text(fields.facet, f));
    // Without a channel, in the currency that the first of its variants is priced in.
    let own = p.variants.iter().filter_map(|v| v.price.as_ref()).map(|price| price.currency.as_str()).next();
    let first = schema.channels.first().and_then(|c| c.currencies.first()).map(String::as_str);
    let lowest = own.or(first).and_then(|currency| least(selling, p, prices, None, currency));
    doc.add_i64(fields.price, lowest.unwrap_or(i64::MAX));
    let mut by_channel = BTreeMap::new();
    for channel in &schema.channels {
        let currency = channel.currencies.first().map(String::as_str);
        let minor = currency.and_then(|currency| least(selling, p, prices, Some(channel.code.clone()), currency));
        by_channel.insert(channel_path(channel.no), OwnedValue::I64(minor.unwrap_or(i64::MAX)));
    }
    doc.add_object(fields.prices, by_channel);
    doc
}

/// The lowest price that everybody is asked for one of its variants.
fn least(
    selling: &Selling,
    p: &Product,
    prices: &[Vec<Entry>],
    channel: Option<String>,
    currency: &str,
) -> Option<i64> {
    let sold = p.variants.iter().zip(prices).filter(|(v, _)| !v.archived);
    sold.filter_map(|(v, entries)| {
        let ask = Ask {
            variant: v.no,
            currency: currency.to_string(),
            quantity: 1000,
            channel: channel.clone(),
            at: selling.at,
            ..Ask::default()
        };
        shown(&selling.lists, entries, &ask, v.price.as_ref(), None).map(|shown| shown.minor)
    })
    .min()
}

/// The texts of a value that words are looked for in.
fn said(kind: Kind, value: &Value, with: &mut dyn FnMut(&str)) {
    match (kind, value) {
        (Kind::Text | Kind::Select, Value::String(text)) => with(text),
        (Kind::MultiSelect, Value::Array(list)) => list.iter().filter_map(Value::as_str).for_each(with),
        _ => {}
    }
}

/// The texts of a value by which it is filtered and counted. Numbers with a unit are brought to the family's base unit.
pub fn counted(kind: Kind, unit_family: Option<&str>, value: &Value, with: &mut dyn FnMut(String)) {
    let short = |text: &str| text.chars().count() <= FACET_MAX;
    match (kind, value) {
        (Kind::Text | Kind::Select | Kind::Date, Value::String(text)) if short(text) => with(text.clone()),
        (Kind::MultiSelect, Value::Array(list)) => {
            list.iter().filter_map(Value::as_str).filter(|t| short(t)).for_each(|t| with(t.to_string()));
        }
        (Kind::Boolean, Value::Bool(yes)) => with(yes.to_string()),
        (Kind::Number, Value::Number(n)) => with(n.to_string()),
        (Kind::Number, Value::Object(map)) => {
            let amount = map.get("amount").and_then(Value::as_str).and_then(units::Amount::parse);
            let unit = map.get("unit").and_then(Value::as_str);
            if let (Some(amount), Some(unit), Some(family)) = (amount, unit, unit_family)
                && let (Some(from), Some(to)) = (units::find(family, unit), units::find(family, units::base_of(family)))
                && let Some(base) = units::convert(amount, from, to)
            {
                with(format!("{} {}", base.text(), to.code));
            }
        }
        _ => {}
    }
}
