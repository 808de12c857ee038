//! Files of products: rows become products as `POST /api/v1/products` takes them. Pure.
//!
//! Three layouts: Braid's own (a column a field, every other column an attribute by its key), Shopify's product CSV, and
//! WooCommerce's. Rows of one product follow each other; a row that says nothing of the product adds a variant.
use crate::rows::{Bad, Row};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Whose layout a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    Braid,
    ShopifyProducts,
    WoocommerceProducts,
}

impl Layout {
    /// By its columns.
    pub fn detect(columns: &[String]) -> Self {
        let has = |name: &str| columns.iter().any(|c| c.eq_ignore_ascii_case(name));
        if has("Handle") && has("Variant SKU") {
            Self::ShopifyProducts
        } else if has("Type") && has("Regular price") && has("SKU") {
            Self::WoocommerceProducts
        } else {
            Self::Braid
        }
    }
    /// As it is stored and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Braid => "braid",
            Self::ShopifyProducts => "shopify-products",
            Self::WoocommerceProducts => "woocommerce-products",
        }
    }
    /// The inverse of [`Layout::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Braid, Self::ShopifyProducts, Self::WoocommerceProducts].into_iter().find(|l| l.as_str() == text)
    }
}

/// Columns of Braid's own layout; every other one is an attribute's key.
pub const COLUMNS: [&str; 17] = [
    "id",
    "name",
    "state",
    "family",
    "brand",
    "tax_class",
    "categories",
    "axes",
    "media",
    "sku",
    "gtin",
    "price",
    "currency",
    "tracked",
    "lots",
    "weight_g",
    "archived",
];

/// A product made of rows, with the line of the first.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    pub line: u64,
    pub rows: u64,
    /// As `POST /api/v1/products` takes it.
    pub product: Value,
}

/// Makes products of rows.
pub struct Reader {
    layout: Layout,
    at: HashMap<String, usize>,
    columns: Vec<String>,
    currency: String,
    /// Columns of attributes of Braid's own layout: place and key.
    attributes: Vec<(usize, String)>,
    waiting: Vec<Row>,
    key: String,
    /// WooCommerce: the product of an SKU that was seen.
    parents: HashMap<String, String>,
}

impl Reader {
    /// A reader of a file with these columns; `currency` for prices that do not say theirs. Says which column is missing.
    pub fn new(layout: Layout, columns: &[String], currency: &str) -> Result<Self, String> {
        let at: HashMap<String, usize> = columns.iter().enumerate().map(|(at, c)| (c.to_lowercase(), at)).collect();
        let wanted: &[&str] = match layout {
            Layout::Braid => &["id"],
            Layout::ShopifyProducts => &["Handle", "Title"],
            Layout::WoocommerceProducts => &["Type", "Name"],
        };
        if let Some(missing) = wanted.iter().find(|c| !at.contains_key(&c.to_lowercase())) {
            return Err(format!("the file has no column {missing:?}"));
        }
        let own = |c: &&String| !COLUMNS.contains(&c.to_lowercase().as_str());
        let attributes = match layout {
            Layout::Braid => columns.iter().filter(own).map(|c| (at[&c.to_lowercase()], c.clone())).collect(),
            _ => Vec::new(),
        };
        let columns = columns.to_vec();
        Ok(Self {
            layout,
            at,
            columns,
            currency: currency.into(),
            attributes,
            waiting: Vec::new(),
            key: String::new(),
            parents: HashMap::new(),
        })
    }

    fn get<'a>(&self, row: &'a Row, column: &str) -> &'a str {
        self.at.get(&column.to_lowercase()).map_or("", |at| row.get(*at))
    }

    /// Takes the next row; gives the product before it, if that one is whole.
    pub fn push(&mut self, row: Row) -> Option<Result<Made, Bad>> {
        if row.is_empty() {
            return None;
        }
        let key = match self.layout {
            Layout::Braid => self.get(&row, "id").to_string(),
            Layout::ShopifyProducts => self.get(&row, "Handle").to_string(),
            // Each row of WooCommerce stands for itself; a variation names its parent.
            Layout::WoocommerceProducts => row.line.to_string(),
        };
        if key.is_empty() && !self.waiting.is_empty() && self.layout != Layout::Braid {
            self.waiting.push(row);
            return None;
        }
        let done = if key == self.key || self.waiting.is_empty() { None } else { self.finish() };
        self.key = key;
        self.waiting.push(row);
        done
    }

    /// The last product.
    pub fn finish(&mut self) -> Option<Result<Made, Bad>> {
        let rows = std::mem::take(&mut self.waiting);
        let first = rows.first()?;
        let (line, count) = (first.line, rows.len() as u64);
        let product = match self.layout {
            Layout::Braid => self.own(&rows),
            Layout::ShopifyProducts => self.shopify(&rows),
            Layout::WoocommerceProducts => self.woocommerce(&rows[0]),
        };
        Some(product.map(|product| Made { line, rows: count, product }))
    }

    fn bad(&self, row: &Row, column: &str, reason: impl Into<String>) -> Bad {
        Bad {
            line: row.line,
            column: column.into(),
            reason: reason.into(),
            value: crate::rows::short(self.get(row, column)),
        }
    }

    fn price(&self, row: &Row, column: &str, currency: &str) -> Result<Option<Value>, Bad> {
        let text: String = self.get(row, column).chars().filter(|c| !c.is_whitespace()).collect();
        if text.is_empty() {
            return Ok(None);
        }
        let currency = if currency.is_empty() { self.currency.as_str() } else { currency };
        let text =
            if text.contains(',') && !text.contains('.') { text.replace(',', ".") } else { text.replace(',', "") };
        match base::Money::parse(&text, currency) {
            Ok(money) => Ok(Some(json!({"minor": money.minor, "currency": money.currency}))),
            Err(error) => Err(self.bad(row, column, format!("this is no price: {error}"))),
        }
    }

    fn number(&self, row: &Row, column: &str, scale: f64) -> Result<Option<i64>, Bad> {
        let text = self.get(row, column).replace(',', ".");
        if text.is_empty() {
            return Ok(None);
        }
        match text.parse::<f64>() {
            Ok(n) if n.is_finite() && (0.0..1e9).contains(&n) => Ok(Some((n * scale).round() as i64)),
            _ => Err(self.bad(row, column, "this is no number")),
        }
    }

    /// Braid's own layout. What rows of one product say alike is the product's; what they say differently, and the axes, is the
    /// variant's.
    fn own(&self, rows: &[Row]) -> Result<Value, Bad> {
        let first = &rows[0];
        let mut out = Map::new();
        out.insert("id".into(), self.get(first, "id").into());
        for field in ["name", "state", "family", "brand", "tax_class"] {
            let text = rows.iter().map(|r| self.get(r, field)).find(|t| !t.is_empty()).unwrap_or_default();
            if !text.is_empty() {
                out.insert(field.into(), text.into());
            }
        }
        let list = |field: &str| -> Vec<String> {
            let all = rows.iter().flat_map(|r| self.get(r, field).split(';'));
            let mut out: Vec<String> = Vec::new();
            for text in all.map(str::trim).filter(|t| !t.is_empty()) {
                if !out.iter().any(|o| o == text) {
                    out.push(text.to_string());
                }
            }
            out
        };
        for field in ["categories", "axes"] {
            let texts = list(field);
            if !texts.is_empty() {
                out.insert(field.into(), json!(texts));
            }
        }
        let media: Vec<Value> = list("media").into_iter().map(|m| json!({"hash": m})).collect();
        if !media.is_empty() {
            out.insert("media".into(), media.into());
        }
        let axes = list("axes");
        let mut shared = Map::new();
        let mut apart: Vec<&(usize, String)> = Vec::new();
        for attribute in &self.attributes {
            let (at, key) = attribute;
            let text = first.get(*at);
            let alike = rows.iter().all(|r| r.get(*at) == text);
            if !alike || (axes.contains(key) && !self.get(first, "sku").is_empty()) {
                apart.push(attribute);
            } else if !text.is_empty() {
                shared.insert(key.clone(), text.into());
            }
        }
        out.insert("attributes".into(), shared.into());
        let mut variants = Vec::new();
        for row in rows.iter().filter(|r| !self.get(r, "sku").is_empty()) {
            let mut v = Map::new();
            v.insert("sku".into(), self.get(row, "sku").into());
            if !self.get(row, "gtin").is_empty() {
                v.insert("gtin".into(), self.get(row, "gtin").into());
            }
            if let Some(price) = self.price(row, "price", self.get(row, "currency"))? {
                v.insert("price".into(), price);
            }
            if let Some(grams) = self.number(row, "weight_g", 1.0)? {
                v.insert("weight_g".into(), grams.into());
            }
            for field in ["tracked", "archived"] {
                match self.get(row, field).to_lowercase().as_str() {
                    "" => {}
                    "true" | "yes" | "1" | "так" => drop(v.insert(field.into(), true.into())),
                    "false" | "no" | "0" | "ні" => drop(v.insert(field.into(), false.into())),
                    _ => return Err(self.bad(row, field, "this is neither yes nor no")),
                }
            }
            if !self.get(row, "lots").is_empty() {
                v.insert("lots".into(), self.get(row, "lots").into());
            }
            let own: Map<String, Value> = apart
                .iter()
                .filter(|(at, _)| !row.get(*at).is_empty())
                .map(|(at, key)| (key.clone(), row.get(*at).into()))
                .collect();
            v.insert("attributes".into(), own.into());
            variants.push(Value::Object(v));
        }
        out.insert("variants".into(), variants.into());
        Ok(out.into())
    }

    /// help.shopify.com/manual/products/import-export/using-csv
    fn shopify(&self, rows: &[Row]) -> Result<Value, Bad> {
        let first = &rows[0];
        let of = |column: &str| rows.iter().map(|r| self.get(r, column)).find(|t| !t.is_empty()).unwrap_or_default();
        let axes: Vec<String> = (1..=3)
            .map(|n| of(&format!("Option{n} Name")).to_string())
            .filter(|name| !name.is_empty() && name != "Title")
            .collect();
        let mut attributes = Map::new();
        for (column, key) in [
            ("Body (HTML)", "description"),
            ("Type", "product_type"),
            ("SEO Title", "seo_title"),
            ("SEO Description", "seo_description"),
        ] {
            let text = if key == "description" { plain(of(column)) } else { of(column).to_string() };
            if !text.is_empty() {
                attributes.insert(key.into(), text.into());
            }
        }
        let tags: Vec<&str> = of("Tags").split(',').map(str::trim).filter(|t| !t.is_empty()).collect();
        if !tags.is_empty() {
            attributes.insert("tags".into(), json!(tags));
        }
        let state = match (of("Status").to_lowercase().as_str(), of("Published").to_lowercase().as_str()) {
            ("archived", _) => "archived",
            ("draft", _) | ("", "false") => "draft",
            _ => "active",
        };
        let mut media: Vec<Value> = Vec::new();
        for row in rows.iter().filter(|r| !self.get(r, "Image Src").is_empty()) {
            let mut link = json!({"hash": self.get(row, "Image Src")});
            if !self.get(row, "Image Alt Text").is_empty() {
                link["alt"] = json!({"en": self.get(row, "Image Alt Text")});
            }
            media.push(link);
        }
        let mut variants = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            let options: Map<String, Value> = (1..=3)
                .filter_map(|n| {
                    let (name, value) = (of(&format!("Option{n} Name")), self.get(row, &format!("Option{n} Value")));
                    (!name.is_empty() && name != "Title" && !value.is_empty()).then(|| (name.to_string(), value.into()))
                })
                .collect();
            // A row with a picture and nothing else is no variant.
            let told = ["Variant Price", "Variant SKU", "Option1 Value"].iter().any(|c| !self.get(row, c).is_empty());
            if !told {
                continue;
            }
            let sku = match self.get(row, "Variant SKU") {
                "" => format!("{}-{}", self.get(first, "Handle"), at + 1),
                sku => sku.trim_start_matches('\'').to_string(),
            };
            let mut v = json!({"sku": sku, "attributes": options, "tracked": !self.get(row, "Variant Inventory Tracker").is_empty()});
            if let Some(price) = self.price(row, "Variant Price", "")? {
                v["price"] = price;
            }
            if let Some(grams) = self.number(row, "Variant Grams", 1.0)? {
                v["weight_g"] = grams.into();
            }
            let gtin = self.get(row, "Variant Barcode").trim_start_matches('\'');
            if !gtin.is_empty() {
                v["gtin"] = gtin.into();
            }
            variants.push(v);
        }
        let mut out = json!({"id": self.get(first, "Handle"), "name": of("Title"), "state": state, "axes": axes, "attributes": attributes, "variants": variants, "media": media});
        if !of("Vendor").is_empty() {
            out["brand"] = of("Vendor").into();
        }
        if !of("Product Category").is_empty() {
            out["categories"] = json!([of("Product Category")]);
        }
        if axes.is_empty() {
            drop(out.as_object_mut().and_then(|o| o.remove("axes")));
        }
        Ok(out)
    }

    /// github.com/woocommerce/woocommerce/wiki/Product-CSV-Import-Schema
    fn woocommerce(&mut self, row: &Row) -> Result<Value, Bad> {
        let get = |column: &str| self.get(row, column);
        let kind = get("Type").to_lowercase();
        let (id, sku) = (get("ID").to_string(), get("SKU").to_string());
        let mut own = Map::new();
        let mut axes: Vec<String> = Vec::new();
        for n in 1..=50 {
            let (name, values) = (get(&format!("Attribute {n} name")), get(&format!("Attribute {n} value(s)")));
            if name.is_empty() {
                if n > 3 && !self.at.contains_key(&format!("attribute {n} name")) {
                    break;
                }
                continue;
            }
            let list: Vec<&str> = values.split(',').map(str::trim).filter(|v| !v.is_empty()).collect();
            if kind.contains("variable") {
                // What a variable product lists are the choices of its variations.
                axes.push(name.to_string());
            } else if list.len() > 1 {
                own.insert(name.into(), json!(list));
            } else if let Some(one) = list.first() {
                own.insert(name.into(), (*one).into());
            }
        }
        let key = |id: &str, sku: &str| if sku.is_empty() { format!("woo-{id}") } else { sku.to_string() };
        let variation = kind.contains("variation");
        let product_id = if variation {
            let parent = get("Parent");
            match parent.strip_prefix("id:") {
                Some(id) => self.parents.get(id.trim()).cloned().unwrap_or_else(|| format!("woo-{}", id.trim())),
                None if parent.is_empty() => return Err(self.bad(row, "Parent", "a variation names its parent")),
                None => parent.to_string(),
            }
        } else {
            key(&id, &sku)
        };
        let mut out = json!({"id": product_id});
        if !variation {
            out["name"] = get("Name").into();
            out["state"] =
                if get("Published") == "1" || get("Published").is_empty() { "active" } else { "draft" }.into();
            let mut attributes = own.clone();
            for (column, key) in [("Description", "description"), ("Short description", "short_description")] {
                let text = plain(get(column));
                if !text.is_empty() {
                    attributes.insert(key.into(), text.into());
                }
            }
            out["attributes"] = attributes.into();
            let categories: Vec<&str> = get("Categories").split(',').map(str::trim).filter(|c| !c.is_empty()).collect();
            if !categories.is_empty() {
                out["categories"] = json!(categories);
            }
            let brand = get("Brands").split(',').next().unwrap_or_default().trim();
            if !brand.is_empty() {
                out["brand"] = brand.into();
            }
            if !axes.is_empty() {
                out["axes"] = json!(axes);
            }
        }
        let media: Vec<Value> = get("Images")
            .split(',')
            .map(str::trim)
            .filter(|i| i.starts_with("http"))
            .map(|i| json!({"hash": i}))
            .collect();
        if !media.is_empty() && !variation {
            out["media"] = media.into();
        }
        if !kind.contains("variable") && !kind.contains("grouped") {
            let own_sku = if sku.is_empty() { format!("woo-{id}") } else { sku.clone() };
            let mut v = json!({"sku": own_sku, "attributes": if variation { own } else { Map::new() }});
            if let Some(price) = self.price(row, "Regular price", "")? {
                v["price"] = price;
            }
            if let Some(grams) = self.number(row, "Weight (kg)", 1000.0)? {
                v["weight_g"] = grams.into();
            } else if let Some(grams) = self.number(row, "Weight (g)", 1.0)? {
                v["weight_g"] = grams.into();
            }
            let gtin = get("GTIN, UPC, EAN, or ISBN");
            if !gtin.is_empty() {
                v["gtin"] = gtin.into();
            }
            out["variants"] = json!([v]);
        }
        if !variation && !id.is_empty() {
            self.parents.insert(id, product_id);
        }
        Ok(out)
    }

    /// The column that a place in a product came from, for the report.
    pub fn column_of(&self, pointer: &str) -> String {
        let name =
            pointer.rsplit('/').find(|p| !p.is_empty() && !p.bytes().all(|b| b.is_ascii_digit())).unwrap_or_default();
        let wanted: &[&str] = match (self.layout, name) {
            (Layout::ShopifyProducts, "sku") => &["Variant SKU"],
            (Layout::ShopifyProducts, "gtin") => &["Variant Barcode"],
            (Layout::ShopifyProducts, "name") => &["Title"],
            (Layout::ShopifyProducts, "id") => &["Handle"],
            (Layout::WoocommerceProducts, "gtin") => &["GTIN, UPC, EAN, or ISBN"],
            _ => &[],
        };
        let fits = |c: &&String| wanted.contains(&c.as_str()) || (wanted.is_empty() && c.eq_ignore_ascii_case(name));
        self.columns.iter().find(fits).cloned().unwrap_or_else(|| pointer.to_string())
    }
}

/// A text without the marks of HTML; line breaks where blocks end.
pub fn plain(html: &str) -> String {
    if !html.contains('<') && !html.contains('&') {
        return html.trim().to_string();
    }
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        let Some(end) = rest[at..].find('>') else { break };
        let name: String =
            rest[at + 1..at + end].trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        if matches!(
            name.to_ascii_lowercase().as_str(),
            "p" | "br" | "div" | "li" | "tr" | "h1" | "h2" | "h3" | "h4" | "ul" | "ol"
        ) {
            out.push('\n');
        }
        rest = &rest[at + end + 1..];
    }
    if !rest.starts_with('<') {
        out.push_str(rest);
    }
    let named = [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    let out = named.iter().fold(out, |text, (from, to)| text.replace(from, to));
    let lines: Vec<&str> = out.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests;
