//! The old system's numbers: from its own export, row by row, or from a file of daily totals.
use super::module::Module;
use super::{Item, Rejected};
use crate::convert::{self, Context, Out};
use crate::groups::Next;
use crate::mapping::Plan;
use crate::rows::{Bad, Row};
use crate::suggest::plain;
use crate::values::{self, DateOrder};
use base::{Decimal, Money, Timestamp};
use jiff::tz::TimeZone;
use serde_json::Value;
use std::collections::BTreeMap;

/// What a file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct There {
    pub items: Vec<Item>,
    pub rejected: Vec<Rejected>,
    pub rows: u64,
}

/// The shop's day of a moment.
pub fn day_of(at: Timestamp, zone: &TimeZone) -> String {
    jiff::Timestamp::from_microsecond(at.micros())
        .map(|t| t.to_zoned(zone.clone()).date().to_string())
        .unwrap_or_default()
}

/// The columns of a file of totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    pub day: Option<usize>,
    /// A channel or a segment's name.
    pub name: Option<usize>,
    pub value: usize,
}

const DAY: &[&str] = &["day", "date", "дата", "день", "період"];
const NAME: &[&str] = &["segment", "channel", "name", "key", "group", "сегмент", "канал", "назва", "назвасегмента"];

fn value_names(module: Module) -> &'static [&'static str] {
    match module {
        Module::Revenue => {
            &["value", "revenue", "sales", "total", "sum", "amount", "виручка", "дохід", "оборот", "сума"]
        }
        Module::Sends => &["value", "sends", "sent", "count", "messages", "відправлено", "надіслано", "кількість"],
        Module::Segments => {
            &["value", "size", "count", "members", "contacts", "people", "кількість", "контактів", "розмір"]
        }
        Module::Customers => &["value", "customers", "new", "newcustomers", "count", "клієнти", "нові", "кількість"],
        Module::OptIns => &["value", "optins", "subscribed", "newsubscribers", "count", "підписки", "кількість"],
        Module::Orders | Module::Receipts | Module::Refunds => {
            &["value", "count", "orders", "receipts", "refunds", "замовлень", "чеків", "кількість"]
        }
    }
}

impl Totals {
    /// The columns of a file of totals, if it is one: a day (or a segment's name) and a value, and no order's number or contact.
    pub fn find(module: Module, columns: &[String]) -> Option<Self> {
        let names: Vec<String> = columns.iter().map(|c| plain(c)).collect();
        let find = |known: &[&str]| known.iter().find_map(|k| names.iter().position(|n| n == k));
        let (day, name) = (find(DAY), find(NAME));
        let value = find(value_names(module))?;
        let things = ["email", "phone", "orderid", "ordernumber", "number", "externalorderid", "телефон", "пошта"];
        let of_things = names.iter().enumerate().any(|(at, n)| at != value && things.contains(&n.as_str()));
        let told = if module.is_of_now() { name.is_some() } else { day.is_some() };
        (told && !of_things && names.len() <= 8).then_some(Self { day, name, value })
    }

    /// The totals of a row.
    pub fn read(&self, module: Module, row: &Row, context: &Context, order: DateOrder) -> Result<Item, Rejected> {
        let text = self.day.map_or("", |at| row.get(at));
        let day = match text.split([' ', 'T']).next().unwrap_or_default() {
            "" if module.is_of_now() => day_of(context.now, &context.zone),
            other => values::date(other, order).map(|d| d.to_string()).unwrap_or_default(),
        };
        let bad =
            |reason: &str| Rejected { key: String::new(), day: day.clone(), line: row.line, reason: reason.into() };
        if day.is_empty() {
            return Err(bad("this is no day"));
        }
        let amount = values::money(row.get(self.value)).ok_or_else(|| bad("this is no number"))?;
        let value = if module == Module::Revenue { minor(amount, &context.currency) } else { whole(amount) };
        let value = value.ok_or_else(|| bad("this number is too large, or no whole number"))?;
        let name = self.name.map_or("", |at| row.get(at)).trim();
        let key = total_key(module, &day, name);
        Ok(Item { key, day, at_us: 0, value, place: format!("line {}", row.line) })
    }
}

/// The key of a total: a segment's name, or day and channel.
pub fn total_key(module: Module, day: &str, name: &str) -> String {
    match (module.is_of_now(), name) {
        (true, name) => name.to_string(),
        (false, "") => day.to_string(),
        (false, name) => format!("{day} {}", name.to_lowercase()),
    }
}

fn whole(amount: Decimal) -> Option<i64> {
    amount.to_string().parse().ok()
}

/// Minor units of an amount.
pub fn minor(amount: Decimal, currency: &str) -> Option<i64> {
    Money::parse(&amount.to_string(), currency).ok().map(|m| m.minor)
}

/// Collects what the rows of an export say, as Braid would take them.
pub struct Reader<'a> {
    module: Module,
    plan: &'a Plan,
    context: &'a Context,
    out: There,
    /// Revenue by day.
    days: BTreeMap<String, i64>,
}

impl<'a> Reader<'a> {
    /// A reader of an export.
    pub fn new(module: Module, plan: &'a Plan, context: &'a Context) -> Self {
        Self { module, plan, context, out: There::default(), days: BTreeMap::new() }
    }

    /// Takes the next rows.
    pub fn take(&mut self, next: &Next) {
        let rows = match next {
            Next::Group(rows) => rows,
            Next::Bad(bad) => {
                self.out.rows += 1;
                return self.reject(bad, String::new(), String::new());
            }
        };
        self.out.rows += rows.len() as u64;
        let Some(first) = rows.first() else { return };
        let mut made = Out::default();
        convert::convert(self.plan, self.context, rows, &mut made);
        if let Some((bad, _)) = made.bad.iter().find(|(_, kept)| !kept) {
            let key = self.key_of(first);
            let time = values::moment(self.plan.value(first, "time"), self.plan.mapping.date_order, &self.context.zone);
            let day = time.map(|at| day_of(at, &self.context.zone)).unwrap_or_default();
            return self.reject(bad, key, day);
        }
        for message in &made.made {
            let Ok(told) = serde_json::from_str::<Value>(&message.json) else { continue };
            self.message(&told, message.time, first.line);
        }
    }

    fn reject(&mut self, bad: &Bad, key: String, day: String) {
        self.out.rejected.push(Rejected { key, day, line: bad.line, reason: bad.reason.clone() });
    }

    fn key_of(&self, row: &Row) -> String {
        match self.module {
            Module::Orders | Module::Receipts | Module::Refunds => {
                self.plan.value(row, "order_id").trim_start_matches('#').to_string()
            }
            _ => String::new(),
        }
    }

    fn message(&mut self, told: &Value, at: Timestamp, line: u64) {
        let day = day_of(at, &self.context.zone);
        let place = format!("line {line}");
        let said = |pointer: &str| told.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        match self.module {
            Module::Customers => {
                if said("/type") == "identify" {
                    let contact = [said("/traits/email"), said("/traits/phone"), said("/userId")];
                    let Some(key) = contact.iter().find(|c| !c.is_empty()) else { return };
                    let key = (*key).to_string();
                    self.out.items.push(Item { key, day: String::new(), at_us: 0, value: 1, place });
                }
            }
            Module::OptIns => {
                let granted = said("/event") == "Consent Granted";
                if (granted || said("/event") == "Consent Revoked") && said("/properties/purpose") == "marketing" {
                    let key = opt_in_key(said("/properties/channel"), said("/properties/address"));
                    self.out.items.push(Item { key, day: String::new(), at_us: 0, value: i64::from(granted), place });
                }
            }
            module => {
                let event = said("/event");
                // A file that is compared as receipts holds receipts; in Braid they are told from orders by the till's fields.
                let sign = match (module, event) {
                    (Module::Receipts, "Order Completed") => Some(1),
                    _ => sign(module, event, told.pointer("/properties")),
                };
                let Some(sign) = sign else { return };
                let properties = told.pointer("/properties").unwrap_or(&Value::Null);
                let value = amount(properties, &self.context.currency).unwrap_or(0);
                if module == Module::Revenue {
                    *self.days.entry(day).or_default() += sign * value;
                } else if let Some(key) = order_key(module, properties) {
                    self.out.items.push(Item { key, day, at_us: at.micros(), value, place });
                }
            }
        }
    }

    /// All that was said.
    pub fn finish(mut self) -> There {
        for (day, value) in self.days {
            self.out.items.push(Item { key: day.clone(), day, at_us: 0, value, place: String::new() });
        }
        self.out
    }
}

/// How a contact point is named where opt-ins are compared.
pub fn opt_in_key(channel: &str, address: &str) -> String {
    format!("{channel}:{address}")
}

/// Whether an event counts in a module of orders: 1, -1 for what is taken off, or not at all. Braid's own events and the old
/// system's rows go through the same rule.
pub fn sign(module: Module, event: &str, properties: Option<&Value>) -> Option<i64> {
    let has = |name: &str| properties.and_then(|p| p.get(name)).is_some_and(|v| !v.is_null());
    match (module, event) {
        (Module::Orders | Module::Revenue, "Order Completed") => Some(1),
        (Module::Revenue, "Order Refunded") => Some(-1),
        (Module::Refunds, "Order Refunded") => Some(1),
        (Module::Receipts, "Order Completed") if has("receipt_id") || has("register_id") || has("store_id") => Some(1),
        _ => None,
    }
}

/// What an order is worth in minor units: `total`, or else `revenue`, in its currency or the shop's, as profiles count it.
pub fn amount(properties: &Value, shop_currency: &str) -> Option<i64> {
    let named = properties.get("currency").and_then(Value::as_str).map(str::trim).filter(|c| !c.is_empty());
    let text = ["total", "revenue"].iter().find_map(|name| match properties.get(*name)? {
        Value::String(text) => Decimal::parse(text.trim()),
        Value::Number(number) => Decimal::parse(&number.to_string()),
        _ => None,
    });
    minor(text?, named.unwrap_or(shop_currency)).and_then(i64::checked_abs)
}

/// The number by which an order or receipt is compared.
pub fn order_key(module: Module, properties: &Value) -> Option<String> {
    let text = |name: &str| match properties.get(name) {
        Some(Value::String(s)) if !s.is_empty() => Some(s.clone()),
        Some(Value::Number(n)) => Some(n.to_string()),
        _ => None,
    };
    let receipt = (module == Module::Receipts).then(|| text("receipt_id")).flatten();
    receipt.or_else(|| text("order_id"))
}
