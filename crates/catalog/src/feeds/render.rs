//! One item of a feed as text, and what stands around them. Pure.
//!
//! Google Merchant: RSS 2.0 with the namespace `g` (support.google.com/merchants/answer/7052112). YML: `yml_catalog`, as Rozetka,
//! Prom and Hotline read it (yandex.ru/support/partnermarket/export/yml.html gave it its name).
use super::Feed;
use crate::assortment::{Sold, sells};
use crate::model::{Price, Product, ProductVariant};
use crate::schema::{Channel, Kind, Schema, label};
use crate::values::{self, Key};
use crate::{completeness, units};
use serde_json::Value;
use std::fmt::Write;

/// How a feed is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    GoogleMerchant,
    Yml,
}

impl Format {
    /// As it is stored and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GoogleMerchant => "google_merchant",
            Self::Yml => "yml",
        }
    }
    /// The inverse of [`Format::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::GoogleMerchant, Self::Yml].into_iter().find(|f| f.as_str() == text)
    }
}

/// An item, or why a feed does not show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    Text(String),
    /// A code; the console has words for it.
    Not(&'static str),
}

/// What rooms above know of a variant in a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub price: Option<Price>,
    /// The price before, above [`Offer::price`]: what it costs now is a sale price.
    pub before: Option<i64>,
    pub available: bool,
}

/// Renders the item of a variant.
pub fn item(
    schema: &Schema,
    channel: &Channel,
    feed: &Feed,
    media: &str,
    product: &Product,
    variant: &ProductVariant,
    offer: &Offer,
) -> Item {
    match sells(schema, channel, product, variant) {
        Sold::Yes => {}
        Sold::NotOffered => return Item::Not("not_offered"),
        Sold::OtherTree => return Item::Not("other_category"),
        Sold::Rule(_) => return Item::Not("assortment"),
    }
    let Some(price) = offer.price.as_ref().filter(|p| p.currency == feed.currency) else {
        return Item::Not("no_price");
    };
    let pictures = pictures(product, variant, media);
    if feed.format == Format::GoogleMerchant && pictures.is_empty() {
        return Item::Not("no_picture");
    }
    let facts = Facts { schema, channel, feed, product, variant };
    let text = match feed.format {
        Format::GoogleMerchant => google(&facts, (price, offer.before), offer.available, &pictures),
        Format::Yml => yml(&facts, (price, offer.before), offer.available, &pictures),
    };
    Item::Text(text)
}

/// What stands before the items.
pub fn head(schema: &Schema, channel: &Channel, feed: &Feed, shop: &str, at: &str) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let link = origin(&feed.link);
    match feed.format {
        Format::GoogleMerchant => {
            out.push_str("<rss version=\"2.0\" xmlns:g=\"http://base.google.com/ns/1.0\">\n<channel>\n");
            tag(&mut out, "title", &feed.name);
            tag(&mut out, "link", &link);
            tag(&mut out, "description", shop);
        }
        Format::Yml => {
            let _ = writeln!(out, "<yml_catalog date=\"{}\">\n<shop>", escaped(at));
            tag(&mut out, "name", shop);
            tag(&mut out, "company", shop);
            tag(&mut out, "url", &link);
            let _ = writeln!(out, "<currencies><currency id=\"{}\" rate=\"1\"/></currencies>", escaped(&feed.currency));
            out.push_str("<categories>\n");
            let shown = if channel.root_no == 0 { None } else { Some(schema.below(channel.root_no)) };
            for c in schema.categories.iter().filter(|c| shown.as_ref().is_none_or(|s| s.contains(&c.no))) {
                let parent = if c.parent_no == 0 || shown.as_ref().is_some_and(|s| !s.contains(&c.parent_no)) {
                    String::new()
                } else {
                    format!(" parentId=\"{}\"", c.parent_no)
                };
                let _ = writeln!(
                    out,
                    "<category id=\"{}\"{parent}>{}</category>",
                    c.no,
                    escaped(label(&c.labels, &c.code, &feed.locale))
                );
            }
            out.push_str("</categories>\n<offers>\n");
        }
    }
    out
}

/// What stands after the items.
pub fn foot(format: Format) -> &'static str {
    match format {
        Format::GoogleMerchant => "</channel>\n</rss>\n",
        Format::Yml => "</offers>\n</shop>\n</yml_catalog>\n",
    }
}

struct Facts<'a> {
    schema: &'a Schema,
    channel: &'a Channel,
    feed: &'a Feed,
    product: &'a Product,
    variant: &'a ProductVariant,
}

impl Facts<'_> {
    fn value(&self, code: &str) -> Option<&Value> {
        let get = |key: &str| self.product.value_of(self.variant, key);
        // The reference outlives the closure: it is the product's.
        let (channel, locale) = (Some(self.channel.code.as_str()), Some(self.feed.locale.as_str()));
        let keys = [(channel, locale), (None, locale), (channel, None), (None, None)];
        keys.into_iter().find_map(|(channel, locale)| get(&Key { code, channel, locale }.text()))
    }
    fn title(&self) -> String {
        let named = self.value("name").and_then(Value::as_str);
        let base = named.unwrap_or_else(|| {
            completeness::label(self.schema, self.product, Some(&self.channel.code), Some(&self.feed.locale))
        });
        let axes: Vec<String> = self.product.axes.iter().filter_map(|a| self.shown(a)).map(|(_, text)| text).collect();
        if axes.is_empty() || self.product.variants.len() < 2 {
            base.to_string()
        } else {
            format!("{base}, {}", axes.join(", "))
        }
    }
    fn description(&self) -> String {
        self.value("description").and_then(Value::as_str).map(str::to_string).unwrap_or_else(|| self.title())
    }
    fn link(&self) -> String {
        self.feed.link.replace("{id}", &encoded(&self.product.id)).replace("{sku}", &encoded(&self.variant.sku))
    }
    /// Name and text of an attribute, as people read it.
    fn shown(&self, code: &str) -> Option<(String, String)> {
        let attribute = self.schema.attribute(code)?;
        let text = shown(attribute, self.value(code)?, &self.feed.locale)?;
        Some((label(&attribute.labels, &attribute.code, &self.feed.locale).to_string(), text))
    }
    /// Everything that is said of the variant, once each, in the order of the attributes.
    fn params(&self) -> Vec<(String, String)> {
        let own = |a: &&std::sync::Arc<crate::schema::Attribute>| {
            !matches!(a.code.as_str(), "name" | "description") && a.kind != Kind::Image
        };
        self.schema.attributes.iter().filter(own).filter_map(|a| self.shown(&a.code)).collect()
    }
}

/// A value as people read it in a language.
pub fn shown(attribute: &crate::schema::Attribute, value: &Value, locale: &str) -> Option<String> {
    let choice = |code: &str| -> String {
        let option = attribute.options.iter().find(|o| o.code == code);
        option.map_or(code, |o| label(&o.labels, &o.code, locale)).to_string()
    };
    Some(match (attribute.kind, value) {
        (Kind::Select, Value::String(code)) => choice(code),
        (Kind::MultiSelect, Value::Array(list)) => {
            list.iter().filter_map(Value::as_str).map(choice).collect::<Vec<_>>().join(", ")
        }
        (Kind::Number, Value::Object(map)) => {
            let (amount, unit) = (map.get("amount")?.as_str()?, map.get("unit")?.as_str()?);
            format!("{amount} {unit}")
        }
        (Kind::Money, Value::Object(map)) => money(map.get("minor")?.as_i64()?, map.get("currency")?.as_str()?),
        (Kind::Boolean, Value::Bool(yes)) => match (locale, yes) {
            ("uk", true) => "так".into(),
            ("uk", false) => "ні".into(),
            ("ru", true) => "да".into(),
            ("ru", false) => "нет".into(),
            (_, true) => "yes".into(),
            (_, false) => "no".into(),
        },
        (_, Value::String(text)) => text.clone(),
        (_, Value::Number(n)) => n.to_string(),
        _ => return None,
    })
}

/// `129.90 UAH`.
pub fn money(minor: i64, currency: &str) -> String {
    format!("{} {currency}", decimal(minor, currency))
}

fn decimal(minor: i64, currency: &str) -> String {
    let scale = base::currency_exponent(currency);
    let text = units::Amount { units: i128::from(minor), scale };
    let digits = format!("{:0>width$}", text.units.abs(), width = scale as usize + 1);
    let (whole, part) = digits.split_at(digits.len() - scale as usize);
    let sign = if minor < 0 { "-" } else { "" };
    if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

/// Addresses of the pictures that show a variant, ten at most.
fn pictures(product: &Product, variant: &ProductVariant, media: &str) -> Vec<String> {
    let own = product.media.iter().filter(|m| m.skus.is_empty() || m.skus.contains(&variant.sku));
    let address = |hash: &str| if values::is_hash(hash) { format!("{media}/{hash}") } else { hash.to_string() };
    own.map(|m| address(&m.hash)).take(10).collect()
}

fn google(f: &Facts<'_>, (price, before): (&Price, Option<i64>), available: bool, pictures: &[String]) -> String {
    let mut out = String::from("<item>\n");
    let mut put = |name: &str, text: &str| tag(&mut out, name, text);
    put("g:id", &f.variant.sku);
    put("g:title", &shortened(&f.title(), 150));
    put("g:description", &shortened(&f.description(), 5_000));
    put("g:link", &f.link());
    for (at, picture) in pictures.iter().enumerate() {
        put(if at == 0 { "g:image_link" } else { "g:additional_image_link" }, picture);
    }
    put("g:availability", if available { "in_stock" } else { "out_of_stock" });
    put("g:price", &money(before.unwrap_or(price.minor), &price.currency));
    if before.is_some() {
        put("g:sale_price", &money(price.minor, &price.currency));
    }
    put("g:condition", "new");
    if let Some(brand) = f.schema.brand(f.product.brand_no) {
        put("g:brand", &brand.name);
    }
    match f.variant.gtin.as_ref().filter(|g| !g.in_store()) {
        Some(gtin) => put("g:gtin", gtin.printed()),
        None => put("g:mpn", &f.variant.sku),
    }
    if f.product.variants.len() > 1 {
        put("g:item_group_id", &f.product.id);
    }
    if let Some(no) = f.product.categories.first() {
        put("g:product_type", &f.schema.path_text(*no, &f.feed.locale));
    }
    for (name, codes) in
        [("g:color", ["colour", "color"]), ("g:size", ["size", "розмір"]), ("g:material", ["material", "матеріал"])]
    {
        if let Some((_, text)) = codes.iter().find_map(|code| f.shown(code)) {
            put(name, &shortened(&text, 100));
        }
    }
    if f.variant.weight_g > 0 {
        put("g:shipping_weight", &format!("{} g", f.variant.weight_g));
    }
    out.push_str("</item>\n");
    out
}

fn yml(f: &Facts<'_>, (price, before): (&Price, Option<i64>), available: bool, pictures: &[String]) -> String {
    let group = if f.product.variants.len() > 1 { format!(" group_id=\"{}\"", f.product.no) } else { String::new() };
    let mut out = format!("<offer id=\"{}\" available=\"{available}\"{group}>\n", escaped(&f.variant.sku));
    let mut put = |name: &str, text: &str| tag(&mut out, name, text);
    put("url", &f.link());
    put("price", &decimal(price.minor, &price.currency));
    if let Some(before) = before {
        put("oldprice", &decimal(before, &price.currency));
    }
    put("currencyId", &price.currency);
    if let Some(no) = f.product.categories.first() {
        put("categoryId", &no.to_string());
    }
    pictures.iter().for_each(|p| put("picture", p));
    put("name", &f.title());
    if let Some(brand) = f.schema.brand(f.product.brand_no) {
        put("vendor", &brand.name);
    }
    put("vendorCode", &f.variant.sku);
    if let Some(gtin) = f.variant.gtin.as_ref().filter(|g| !g.in_store()) {
        put("barcode", gtin.printed());
    }
    put("description", &f.description());
    for (name, text) in f.params() {
        let _ = writeln!(out, "<param name=\"{}\">{}</param>", escaped(&name), escaped(&text));
    }
    if f.variant.weight_g > 0 {
        let kilograms = units::Amount { units: i128::from(f.variant.weight_g), scale: 3 };
        tag(&mut out, "weight", &format!("{}.{:03}", kilograms.units / 1000, kilograms.units % 1000));
    }
    out.push_str("</offer>\n");
    out
}

fn tag(out: &mut String, name: &str, text: &str) {
    let _ = writeln!(out, "<{name}>{}</{name}>", escaped(text));
}

/// A text within XML 1.0: marks escaped, characters that it cannot hold left out.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\t' | '\n' | '\r' => out.push(c),
            c if (c as u32) < 0x20 || matches!(c as u32, 0xfffe | 0xffff) => {}
            c => out.push(c),
        }
    }
    out
}

fn shortened(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// A text within an address.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Scheme and host of an address.
fn origin(link: &str) -> String {
    let Some((scheme, rest)) = link.split_once("://") else { return String::new() };
    format!("{scheme}://{}", rest.split('/').next().unwrap_or_default())
}
