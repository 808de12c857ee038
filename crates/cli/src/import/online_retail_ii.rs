//! The preset `online-retail-ii`: lines of invoices of a British shop (Chen 2012, doi 10.24432/C5CG6D) become orders.
//!
//! One invoice is one `Order Completed`, one whose number begins with `C` one `Order Refunded`. Lines without a positive
//! price are reported and left out; an invoice with no line left makes no event. An invoice is as old as its earliest line.
use base::{Decimal, Timestamp};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::value::RawValue;

/// The columns, in the order in which the file has them.
pub const COLUMNS: [&str; 8] =
    ["invoice", "stock_code", "description", "quantity", "invoice_date", "price", "customer_id", "country"];
/// Where the shop is.
pub const ZONE: &str = "Europe/London";
/// What it is paid in.
pub const CURRENCY: &str = "GBP";

/// One line of an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Article number.
    pub stock_code: String,
    /// As the shop typed it.
    pub description: String,
    /// Pieces; below zero for what comes back.
    pub quantity: i64,
    /// Of one piece, as written.
    pub price: String,
    /// Quantity times price, in pence, rounded half away from zero.
    pub total_minor: i64,
    /// When it was written.
    pub at: Timestamp,
}

/// One invoice with the lines that count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    /// Its number, with the `C` of a cancellation.
    pub number: String,
    /// Who bought; nobody in particular without.
    pub customer_id: Option<String>,
    /// Where the customer lives.
    pub country: String,
    /// In the order of the file.
    pub lines: Vec<Line>,
}

/// A row, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which invoice it belongs to.
    pub invoice: String,
    /// Who bought.
    pub customer_id: Option<String>,
    /// Where the customer lives.
    pub country: String,
    /// What was bought.
    pub line: Line,
}

/// Reads a row, or says why it does not count.
pub fn row(fields: &csv::StringRecord, zone: &TimeZone, now: Timestamp) -> Result<Row, String> {
    let field = |at: usize| fields.get(at).unwrap_or_default().trim();
    let invoice = field(0);
    if invoice.is_empty() {
        return Err("the row has no invoice".into());
    }
    let quantity: i64 = field(3).parse().map_err(|_| format!("{:?} is no quantity", field(3)))?;
    let at = moment(field(4), zone).ok_or_else(|| format!("{:?} is no date and time", field(4)))?;
    if at > now {
        return Err("the row lies in the future".into());
    }
    let price = Decimal::parse(field(5)).ok_or_else(|| format!("{:?} is no price", field(5)))?;
    if price <= Decimal::ZERO {
        return Err("the price is not above zero".into());
    }
    let total = price.billionths().checked_mul(i128::from(quantity)).map(Decimal::from_billionths);
    let total_minor = total.and_then(|t| t.to_minor(2)).ok_or_else(|| "the amount is too large".to_string())?;
    let line = Line {
        stock_code: field(1).into(),
        description: field(2).into(),
        quantity,
        price: field(5).into(),
        total_minor,
        at,
    };
    let customer_id = Some(field(6).to_string()).filter(|c| !c.is_empty());
    Ok(Row { invoice: invoice.into(), customer_id, country: field(7).into(), line })
}

/// A time of the shop's own clock; in the hour that an autumn night has twice, the first of the two.
fn moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let time = DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()?;
    let zoned = time.to_zoned(zone.clone()).ok()?;
    Some(Timestamp::from_micros(zoned.timestamp().as_microsecond()))
}

impl Invoice {
    /// Whether goods came back.
    pub fn is_refund(&self) -> bool {
        self.number.starts_with('C')
    }
    /// The order's number: the invoice's, without the `C`.
    pub fn order_id(&self) -> &str {
        self.number.strip_prefix('C').unwrap_or(&self.number)
    }
    /// The id that makes an import of the same file again a repeat.
    pub fn message_id(&self, source: &str) -> String {
        format!("import:{source}:{}", self.number)
    }
    /// The event, in the format of the tracking API; `None` when no line counts.
    pub fn event(&self, source: &str) -> Option<String> {
        let at = self.lines.iter().map(|l| l.at).min()?;
        // What comes back is told in positive numbers, as the name of the event says what it is.
        let sign = if self.is_refund() { -1 } else { 1 };
        let total: i64 = self.lines.iter().map(|l| l.total_minor * sign).sum();
        let event = Event {
            kind: "track",
            event: if self.is_refund() { "Order Refunded" } else { "Order Completed" },
            message_id: self.message_id(source),
            user_id: self.customer_id.as_deref(),
            timestamp: at,
            properties: Properties {
                order_id: self.order_id(),
                original_order: self.is_refund().then_some(()),
                total: major(total),
                currency: CURRENCY,
                country: &self.country,
                products: self.lines.iter().map(|l| product(l, sign)).collect(),
            },
        };
        serde_json::to_string(&event).ok()
    }
}

fn product(line: &Line, sign: i64) -> Product<'_> {
    let name = Some(line.description.as_str()).filter(|d| !d.is_empty());
    Product {
        product_id: &line.stock_code,
        sku: &line.stock_code,
        name,
        quantity: line.quantity * sign,
        price: price(&line.price),
    }
}

/// A price as a number, or as the text that was written when a number of pence cannot hold it.
fn price(text: &str) -> Box<RawValue> {
    let decimals = text.split_once('.').map_or(0, |(_, d)| d.trim_end_matches('0').len());
    let plain = Decimal::parse(text).map(|d| d.to_string()).unwrap_or_default();
    let json = if decimals > 2 { serde_json::Value::String(text.into()).to_string() } else { plain };
    RawValue::from_string(json).unwrap_or_default()
}

/// Pence as pounds, exactly.
fn major(minor: i64) -> Box<RawValue> {
    let sign = if minor < 0 { "-" } else { "" };
    let text = format!("{sign}{}.{:02}", minor.unsigned_abs() / 100, minor.unsigned_abs() % 100);
    RawValue::from_string(text).unwrap_or_default()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    event: &'static str,
    message_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
    timestamp: Timestamp,
    properties: Properties<'a>,
}

#[derive(Serialize)]
struct Properties<'a> {
    order_id: &'a str,
    /// The file does not say which order a cancellation is of: null then.
    #[serde(skip_serializing_if = "Option::is_none")]
    original_order: Option<()>,
    total: Box<RawValue>,
    currency: &'static str,
    country: &'a str,
    products: Vec<Product<'a>>,
}

#[derive(Serialize)]
struct Product<'a> {
    product_id: &'a str,
    sku: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    quantity: i64,
    price: Box<RawValue>,
}
