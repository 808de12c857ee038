//! Files of stock: how many pieces of which SKU lie where, in the layouts of well-known systems. Pure.
//!
//! Shopify's inventory file has a row a variant and location (`On hand (new)` over `On hand (current)`), its older form a column a
//! location; WooCommerce's product file has one number, `Stock`, for the whole shop. Braid's own is `sku, location, quantity`.
use crate::rows::{Bad, Row, short};
use base::Quantity;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Whose layout a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    BraidStock,
    ShopifyInventory,
    WoocommerceStock,
}

/// Columns of Shopify's inventory file, in its order.
pub const SHOPIFY: [&str; 18] = [
    "Handle",
    "Title",
    "Option1 Name",
    "Option1 Value",
    "Option2 Name",
    "Option2 Value",
    "Option3 Name",
    "Option3 Value",
    "SKU",
    "HS Code",
    "COO",
    "Location",
    "Bin name",
    "Incoming (not editable)",
    "Unavailable (not editable)",
    "Committed (not editable)",
    "Available (not editable)",
    "On hand (current)",
];
/// What a person fills in there.
pub const SHOPIFY_NEW: &str = "On hand (new)";
/// Columns of WooCommerce's product file by which its importer sets stock of what it knows by SKU.
pub const WOOCOMMERCE: [&str; 3] = ["SKU", "In stock?", "Stock"];
/// Columns of Braid's own.
pub const BRAID: [&str; 5] = ["sku", "location", "quantity", "reserved", "available"];

impl Layout {
    const ALL: [(Layout, &'static str); 3] = [
        (Layout::BraidStock, "braid-stock"),
        (Layout::ShopifyInventory, "shopify-inventory"),
        (Layout::WoocommerceStock, "woocommerce-stock"),
    ];
    /// By its columns.
    pub fn detect(columns: &[String]) -> Self {
        let has = |name: &str| columns.iter().any(|c| c.eq_ignore_ascii_case(name));
        if has("Handle") && has("SKU") {
            Self::ShopifyInventory
        } else if has("Stock") && has("SKU") {
            Self::WoocommerceStock
        } else {
            Self::BraidStock
        }
    }
    /// As it is stored and on the wire.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(l, _)| *l == self).map_or("", |(_, name)| name)
    }
    /// The inverse of [`Layout::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(l, _)| *l)
    }
}

/// How many pieces lie somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    pub line: u64,
    pub sku: String,
    /// As the file calls it; empty where it names none.
    pub location: String,
    /// May be less than nothing.
    pub quantity: Quantity,
}

/// Reads rows.
pub struct Reader {
    layout: Layout,
    at: HashMap<String, usize>,
    /// Columns that are locations, in Shopify's older form.
    places: Vec<(usize, String)>,
}

impl Reader {
    /// A reader of a file with these columns. Says which column is missing.
    pub fn new(layout: Layout, columns: &[String]) -> Result<Self, String> {
        let at: HashMap<String, usize> =
            columns.iter().enumerate().map(|(at, c)| (c.trim().to_lowercase(), at)).collect();
        let wanted: &[&str] = match layout {
            Layout::BraidStock => &["sku", "quantity"],
            Layout::ShopifyInventory => &["SKU"],
            Layout::WoocommerceStock => &["SKU", "Stock"],
        };
        if let Some(missing) = wanted.iter().find(|c| !at.contains_key(&c.to_lowercase())) {
            return Err(format!("the file has no column {missing:?}"));
        }
        let mut places = Vec::new();
        if layout == Layout::ShopifyInventory && !at.contains_key("location") {
            let own =
                |c: &str| SHOPIFY.iter().any(|s| s.eq_ignore_ascii_case(c)) || c.eq_ignore_ascii_case(SHOPIFY_NEW);
            let named = columns.iter().enumerate().filter(|(_, c)| !c.trim().is_empty() && !own(c.trim()));
            places = named.map(|(at, c)| (at, c.trim().to_string())).collect();
            if places.is_empty() {
                return Err("the file has neither a column \"Location\" nor a column a location".into());
            }
        }
        Ok(Self { layout, at, places })
    }

    fn get<'a>(&self, row: &'a Row, column: &str) -> &'a str {
        self.at.get(&column.to_lowercase()).map_or("", |at| row.get(*at))
    }

    /// What a row says; nothing where it says that nothing is kept there.
    pub fn take(&self, row: &Row) -> Result<Vec<Counted>, Bad> {
        if row.is_empty() {
            return Ok(Vec::new());
        }
        // Programs put an apostrophe before numbers so that spreadsheets leave them alone.
        let sku = self.get(row, "sku").trim_start_matches('\'');
        let cells: Vec<(&str, &str, &str)> = match self.layout {
            Layout::BraidStock => vec![("quantity", self.get(row, "location"), self.get(row, "quantity"))],
            Layout::WoocommerceStock => vec![("Stock", "", self.get(row, "Stock"))],
            Layout::ShopifyInventory if !self.places.is_empty() => {
                self.places.iter().map(|(at, name)| (name.as_str(), name.as_str(), row.get(*at))).collect()
            }
            Layout::ShopifyInventory => {
                let columns = [SHOPIFY_NEW, "On hand (current)", "On hand"];
                let found = columns.into_iter().find(|c| !self.get(row, c).is_empty()).unwrap_or("On hand (current)");
                vec![(found, self.get(row, "Location"), self.get(row, found))]
            }
        };
        let mut out = Vec::with_capacity(cells.len());
        for (column, location, text) in cells {
            // What is not counted there has no number.
            if text.is_empty() || text.eq_ignore_ascii_case("not stocked") {
                continue;
            }
            let bad = |reason: String| Bad { line: row.line, column: column.into(), reason, value: short(text) };
            if sku.is_empty() {
                return Err(Bad { column: "SKU".into(), ..bad("a quantity needs its SKU".into()) });
            }
            let quantity = crate::commerceml::quantity(text).map_err(bad)?;
            out.push(Counted { line: row.line, sku: sku.into(), location: location.into(), quantity });
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Layout as Text;
    use std::io::Cursor;

    fn read(layout: Layout, text: &'static str) -> Vec<Result<Counted, String>> {
        let found = Text::detect(text.as_bytes(), "a.csv").expect("a layout");
        assert_eq!(Layout::detect(&found.columns), layout);
        let reader = Reader::new(layout, &found.columns).expect("a reader");
        let mut rows = found.rows(Box::new(Cursor::new(text.as_bytes()))).expect("rows");
        let mut out = Vec::new();
        while let Some(row) = rows.next_row().expect("read") {
            match reader.take(&row.expect("a row")) {
                Ok(all) => out.extend(all.into_iter().map(Ok)),
                Err(bad) => out.push(Err(format!("{}: {}: {}", bad.line, bad.column, bad.reason))),
            }
        }
        out
    }

    fn counted(line: u64, sku: &str, location: &str, milli: i64) -> Result<Counted, String> {
        Ok(Counted { line, sku: sku.into(), location: location.into(), quantity: Quantity::from_milli(milli) })
    }

    #[test]
    fn shopify_says_a_row_a_location_and_the_new_number_wins() {
        let text = "Handle,Title,Option1 Name,Option1 Value,SKU,HS Code,COO,Location,Bin name,Incoming (not editable),\
                    Unavailable (not editable),Committed (not editable),Available (not editable),On hand (current),On hand (new)\n\
                    shoe,Khmara,Size,41,'HM-41,,UA,Lviv,A-1,0,0,1,4,5,\n\
                    shoe,Khmara,Size,42,HM-42,,UA,Lviv,,0,0,0,2,2,7\n\
                    shoe,Khmara,Size,43,HM-43,,UA,Lviv,,0,0,0,0,not stocked,\n\
                    shoe,Khmara,Size,44,,,UA,Lviv,,0,0,0,0,3,\n\
                    shoe,Khmara,Size,45,HM-45,,UA,Lviv,,0,0,0,0,many,\n";
        let found = read(Layout::ShopifyInventory, text);
        let wanted = [
            counted(2, "HM-41", "Lviv", 5_000),
            counted(3, "HM-42", "Lviv", 7_000),
            Err("5: SKU: a quantity needs its SKU".into()),
            Err("6: On hand (current): \"many\" is no quantity".into()),
        ];
        assert_eq!(found, wanted);
    }

    #[test]
    fn shopifys_older_form_has_a_column_a_location() {
        let text = "Handle,Title,Option1 Name,Option1 Value,SKU,HS Code,COO,Hub,Lviv\nshoe,Khmara,Size,41,HM-41,,,3,not stocked\n\
                    shoe,Khmara,Size,42,HM-42,,,-1,2\n";
        let found = read(Layout::ShopifyInventory, text);
        assert_eq!(
            found,
            [counted(2, "HM-41", "Hub", 3_000), counted(3, "HM-42", "Hub", -1_000), counted(3, "HM-42", "Lviv", 2_000)]
        );
    }

    #[test]
    fn woocommerce_has_one_number_and_none_where_stock_is_not_managed() {
        let text = "ID,Type,SKU,Name,In stock?,Stock,Regular price\n1,simple,CR-1,Cream,1,12,100\n2,variable,,Boots,1,,\n3,variation,HM-41,Boots,0,0,\n";
        assert_eq!(read(Layout::WoocommerceStock, text), [counted(2, "CR-1", "", 12_000), counted(4, "HM-41", "", 0)]);
    }

    #[test]
    fn own_files_are_read_and_a_missing_column_is_named() {
        let found = read(Layout::BraidStock, "sku;location;quantity\nA;Hub;1,5\n");
        assert_eq!(found, [counted(2, "A", "Hub", 1_500)]);
        let missing = |layout, columns: &[&str]| {
            let columns: Vec<String> = columns.iter().map(|c| (*c).to_string()).collect();
            Reader::new(layout, &columns).err()
        };
        assert_eq!(missing(Layout::BraidStock, &["sku"]).as_deref(), Some("the file has no column \"quantity\""));
        assert!(missing(Layout::ShopifyInventory, &["Handle", "SKU"]).is_some_and(|m| m.contains("Location")));
        assert_eq!(Layout::parse(Layout::ShopifyInventory.as_str()), Some(Layout::ShopifyInventory));
    }
}
