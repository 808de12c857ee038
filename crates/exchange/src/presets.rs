//! Exports of well-known systems: which of their columns mean what. Files only; no system is asked for anything.
//!
//! Column names are those of the systems' exports and of the records of their APIs, as the fact sheets give them. Where a system
//! lets its users choose the columns (Yespo, SendPulse, SalesDrive), the usual names of both are known.
mod braid;

use crate::mapping::{Kind, Mapping};
use crate::suggest::plain;
use crate::values::DateOrder;
use serde::Serialize;
use std::collections::BTreeMap;

/// A system's export of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Preset {
    /// `system-kind`.
    pub id: &'static str,
    /// As people call the system.
    pub system: &'static str,
    pub kind: Kind,
    /// Between the fields when Braid writes such a file.
    #[serde(skip)]
    pub delimiter: char,
    /// Column and meaning, in the order of the system's file; an empty meaning is a column that is left out.
    #[serde(skip)]
    pub columns: &'static [(&'static str, &'static str)],
    #[serde(skip)]
    pub constants: &'static [(&'static str, &'static str)],
    #[serde(skip)]
    pub statuses: &'static [(&'static str, &'static str)],
    /// What a person should know.
    pub note: &'static str,
}

impl Preset {
    /// Whether its files are Braid's own exports.
    pub fn is_own(&self) -> bool {
        self.id.starts_with("braid-")
    }
}

const NO_NOTE: &str = "";

/// All presets.
pub const PRESETS: &[Preset] = &[
    braid::CUSTOMERS,
    braid::ORDERS,
    braid::EVENTS,
    braid::CONSENTS,
    Preset {
        id: "shopify-customers",
        system: "Shopify",
        kind: Kind::Customers,
        delimiter: ',',
        columns: &[
            ("Customer ID", "external:shopify_id"),
            ("First Name", "first_name"),
            ("Last Name", "last_name"),
            ("Email", "email"),
            ("Accepts Email Marketing", "consent:email"),
            ("Default Address Company", "company"),
            ("Default Address Address1", "address.street"),
            ("Default Address City", "address.city"),
            ("Default Address Province Code", "address.state"),
            ("Default Address Country Code", "address.country"),
            ("Default Address Zip", "address.postalCode"),
            ("Phone", "phone"),
            ("Accepts SMS Marketing", "consent:sms"),
            ("Total Spent", ""),
            ("Total Orders", ""),
            ("Note", "trait:note"),
            ("Tax Exempt", ""),
            ("Tags", "tags"),
        ],
        constants: &[],
        statuses: &[],
        note: NO_NOTE,
    },
    Preset {
        id: "shopify-orders",
        system: "Shopify",
        kind: Kind::Orders,
        delimiter: ',',
        columns: &[
            ("Name", "order_id"),
            ("Email", "email"),
            ("Financial Status", "status"),
            ("Fulfillment Status", ""),
            ("Currency", "currency"),
            ("Subtotal", "subtotal"),
            ("Shipping", "shipping"),
            ("Taxes", "tax"),
            ("Total", "total"),
            ("Discount Code", "coupon"),
            ("Discount Amount", "discount"),
            ("Shipping Method", "shipping_method"),
            ("Created at", "time"),
            ("Lineitem quantity", "line.quantity"),
            ("Lineitem name", "line.name"),
            ("Lineitem price", "line.price"),
            ("Lineitem sku", "line.sku"),
            ("Phone", "phone"),
            ("Payment Method", "payment_method"),
            ("Source", "affiliation"),
        ],
        constants: &[],
        statuses: &[],
        note: NO_NOTE,
    },
    Preset {
        id: "woocommerce-customers",
        system: "WooCommerce",
        kind: Kind::Customers,
        delimiter: ',',
        columns: &[
            ("id", "external:woocommerce_id"),
            ("first_name", "first_name"),
            ("last_name", "last_name"),
            ("email", "email"),
            ("username", "trait:username"),
            ("date_created_gmt", "created_at"),
            ("date_modified_gmt", "updated_at"),
            ("billing.phone", "phone"),
            ("billing.company", "company"),
            ("billing.address_1", "address.street"),
            ("billing.city", "address.city"),
            ("billing.state", "address.state"),
            ("billing.postcode", "address.postalCode"),
            ("billing.country", "address.country"),
        ],
        constants: &[],
        statuses: &[],
        note: "Columns or JSON of /wp-json/wc/v3/customers, one customer a row.",
    },
    Preset {
        id: "woocommerce-orders",
        system: "WooCommerce",
        kind: Kind::Orders,
        delimiter: ',',
        columns: &[
            ("number", "order_id"),
            ("status", "status"),
            ("currency", "currency"),
            ("date_created_gmt", "time"),
            ("discount_total", "discount"),
            ("shipping_total", "shipping"),
            ("total", "total"),
            ("total_tax", "tax"),
            ("customer_id", ""),
            ("billing.first_name", "first_name"),
            ("billing.last_name", "last_name"),
            ("billing.email", "email"),
            ("billing.phone", "phone"),
            ("payment_method_title", "payment_method"),
            ("line_items", "lines"),
        ],
        constants: &[],
        statuses: &[("pending", "skip")],
        note: "Columns or JSON of /wp-json/wc/v3/orders; dates in GMT need the zone UTC in the file (…Z).",
    },
    Preset {
        id: "yespo-contacts",
        system: "Yespo (eSputnik)",
        kind: Kind::Customers,
        delimiter: ';',
        columns: &[
            ("externalCustomerId", "user_id"),
            ("id", "external:yespo_id"),
            ("email", "email"),
            ("sms", "phone"),
            ("firstName", "first_name"),
            ("lastName", "last_name"),
            ("address.region", "address.state"),
            ("address.town", "address.city"),
            ("address.address", "address.street"),
            ("address.postcode", "address.postalCode"),
            ("languageCode", "language"),
            ("groups", "tags"),
            ("emailStatus", "consent:email"),
            ("smsStatus", "consent:sms"),
            ("created", "created_at"),
        ],
        constants: &[],
        statuses: &[],
        note: "Export the unsubscribed first and import them as yespo-unsubscribed.",
    },
    Preset {
        id: "yespo-unsubscribed",
        system: "Yespo (eSputnik)",
        kind: Kind::Consents,
        delimiter: ';',
        columns: &[("email", "email"), ("date", "time"), ("reason", "wording")],
        constants: &[("channel", "email"), ("state", "unsubscribed")],
        statuses: &[],
        note: NO_NOTE,
    },
    Preset {
        id: "yespo-orders",
        system: "Yespo (eSputnik)",
        kind: Kind::Orders,
        delimiter: ';',
        columns: &[
            ("externalOrderId", "order_id"),
            ("externalCustomerId", "user_id"),
            ("totalCost", "total"),
            ("status", "status"),
            ("date", "time"),
            ("currency", "currency"),
            ("email", "email"),
            ("phone", "phone"),
            ("firstName", "first_name"),
            ("lastName", "last_name"),
            ("shipping", "shipping"),
            ("discount", "discount"),
            ("taxes", "tax"),
            ("storeId", "store_id"),
            ("source", "affiliation"),
            ("deliveryMethod", "shipping_method"),
            ("paymentMethod", "payment_method"),
            ("items", "lines"),
        ],
        constants: &[],
        statuses: &[
            ("INITIALIZED", "completed"),
            ("IN_PROGRESS", "completed"),
            ("DELIVERED", "completed"),
            ("ABANDONED_SHOPPING_CART", "skip"),
        ],
        note: NO_NOTE,
    },
    Preset {
        id: "sendpulse-emails",
        system: "SendPulse",
        kind: Kind::Customers,
        delimiter: ',',
        columns: &[
            ("email", "email"),
            ("phone", "phone"),
            ("status_explain", "consent:email"),
            ("name", "name"),
            ("status", ""),
            ("added", "created_at"),
        ],
        constants: &[],
        statuses: &[],
        note: "Import the blacklist first as sendpulse-blacklist.",
    },
    Preset {
        id: "sendpulse-blacklist",
        system: "SendPulse",
        kind: Kind::Consents,
        delimiter: ',',
        columns: &[("email", "email"), ("comment", "wording"), ("date", "time")],
        constants: &[("channel", "email"), ("state", "blacklisted")],
        statuses: &[],
        note: NO_NOTE,
    },
    Preset {
        id: "keycrm-buyers",
        system: "KeyCRM",
        kind: Kind::Customers,
        delimiter: ',',
        columns: &[
            ("id", "external:keycrm_id"),
            ("full_name", "name"),
            ("email", "email"),
            ("phone", "phone"),
            ("birthday", "birthday"),
            ("note", "trait:note"),
            ("created_at", "created_at"),
            ("updated_at", "updated_at"),
        ],
        constants: &[],
        statuses: &[],
        note: NO_NOTE,
    },
    Preset {
        id: "keycrm-orders",
        system: "KeyCRM",
        kind: Kind::Orders,
        delimiter: ',',
        columns: &[
            ("id", "property:keycrm_id"),
            ("source_uuid", "order_id"),
            ("ordered_at", "time"),
            ("grand_total", "total"),
            ("status", "status"),
            ("promocode", "coupon"),
            ("buyer.full_name", "name"),
            ("buyer.email", "email"),
            ("buyer.phone", "phone"),
            ("shipping.shipping_service", "shipping_method"),
            ("products", "lines"),
        ],
        constants: &[],
        statuses: &[],
        note: "source_uuid is the order's number in the shop; an order made by hand has none and is reported.",
    },
    Preset {
        id: "retailcrm-customers",
        system: "RetailCRM (Simla)",
        kind: Kind::Customers,
        delimiter: ';',
        columns: &[
            ("externalId", "user_id"),
            ("id", "external:retailcrm_id"),
            ("firstName", "first_name"),
            ("lastName", "last_name"),
            ("patronymic", "patronymic"),
            ("email", "email"),
            ("phone", "phone"),
            ("birthday", "birthday"),
            ("sex", "gender"),
            ("createdAt", "created_at"),
            ("address.city", "address.city"),
            ("address.region", "address.state"),
        ],
        constants: &[],
        statuses: &[],
        note: NO_NOTE,
    },
    Preset {
        id: "retailcrm-orders",
        system: "RetailCRM (Simla)",
        kind: Kind::Orders,
        delimiter: ';',
        columns: &[
            ("number", "order_id"),
            ("externalId", "property:external_id"),
            ("createdAt", "time"),
            ("status", "status"),
            ("site", "affiliation"),
            ("firstName", "first_name"),
            ("lastName", "last_name"),
            ("phone", "phone"),
            ("email", "email"),
            ("totalSumm", "total"),
            ("summ", "subtotal"),
            ("delivery.cost", "shipping"),
            ("delivery.code", "shipping_method"),
            ("items", "lines"),
        ],
        constants: &[],
        statuses: &[("cancel-other", "cancelled"), ("no-call", "cancelled"), ("no-product", "cancelled")],
        note: NO_NOTE,
    },
    Preset {
        id: "salesdrive-orders",
        system: "SalesDrive",
        kind: Kind::Orders,
        delimiter: ';',
        columns: &[
            ("id", "order_id"),
            ("externalId", "property:external_id"),
            ("orderTime", "time"),
            ("statusId", "status"),
            ("paymentAmount", "total"),
            ("discountAmount", "discount"),
            ("shipping_costs", "shipping"),
            ("shipping_method", "shipping_method"),
            ("payment_method", "payment_method"),
            ("primaryContact.lName", "last_name"),
            ("primaryContact.fName", "first_name"),
            ("primaryContact.phone", "phone"),
            ("primaryContact.email", "email"),
            ("products", "lines"),
        ],
        constants: &[("currency", "UAH")],
        statuses: &[],
        note: "statusId is a number of your own; say in the mapping which mean cancelled or refunded.",
    },
    Preset {
        id: "poster-clients",
        system: "Poster",
        kind: Kind::Customers,
        delimiter: ',',
        columns: &[
            ("client_id", "external:poster_id"),
            ("firstname", "first_name"),
            ("lastname", "last_name"),
            ("patronymic", "patronymic"),
            ("phone", "phone"),
            ("email", "email"),
            ("birthday", "birthday"),
            ("card_number", "external:loyalty_card"),
            ("city", "address.city"),
        ],
        constants: &[],
        statuses: &[],
        note: NO_NOTE,
    },
    Preset {
        id: "prom-orders",
        system: "Prom.ua",
        kind: Kind::Orders,
        delimiter: ',',
        columns: &[
            ("id", "order_id"),
            ("date_created", "time"),
            ("client_first_name", "first_name"),
            ("client_last_name", "last_name"),
            ("client_id", "external:prom_id"),
            ("email", "email"),
            ("phone", "phone"),
            ("full_price", "total"),
            ("delivery_cost", "shipping"),
            ("status", "status"),
            ("source", "affiliation"),
            ("payment_option.name", "payment_method"),
            ("delivery_option.name", "shipping_method"),
            ("products", "lines"),
        ],
        constants: &[("currency", "UAH")],
        statuses: &[],
        note: NO_NOTE,
    },
    Preset {
        id: "rozetka-orders",
        system: "Rozetka",
        kind: Kind::Orders,
        delimiter: ',',
        columns: &[
            ("id", "order_id"),
            ("created", "time"),
            ("amount_with_discount", "total"),
            ("status_group", "status"),
            ("user_phone", "phone"),
            ("user_title.full_name", "name"),
            ("purchases", "lines"),
        ],
        constants: &[("currency", "UAH"), ("affiliation", "Rozetka")],
        statuses: &[("1", "completed"), ("2", "completed"), ("3", "cancelled")],
        note: "Rozetka gives no e-mail addresses.",
    },
    Preset {
        id: "mindbox-customers",
        system: "Mindbox",
        kind: Kind::Customers,
        delimiter: ';',
        columns: &[
            ("ids:websiteID", "user_id"),
            ("ids:mindboxId", "external:mindbox_id"),
            ("email", "email"),
            ("mobilePhone", "phone"),
            ("firstName", "first_name"),
            ("lastName", "last_name"),
            ("middleName", "patronymic"),
            ("birthDate", "birthday"),
            ("sex", "gender"),
            ("discountCard", "external:loyalty_card"),
            ("subscriptions.Email", "consent:email"),
            ("subscriptions.Sms", "consent:sms"),
            ("subscriptions.Viber", "consent:viber"),
            ("changeDateTimeUtc", "updated_at"),
        ],
        constants: &[],
        statuses: &[],
        note: "From files only: Braid never connects to Mindbox. Take its opt-outs first.",
    },
];

/// A preset by its id.
pub fn find(id: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|p| p.id == id)
}

/// The preset of a kind that knows most of a file's columns, if it knows most of its own.
pub fn guess(columns: &[String], kind: Option<Kind>) -> Option<&'static Preset> {
    let names: Vec<String> = columns.iter().map(|c| plain(c)).collect();
    let score = |p: &&Preset| {
        let known = p.columns.iter().filter(|(c, _)| names.contains(&plain(c))).count();
        (known * 10 >= p.columns.len() * 6 && known > 2).then_some(known)
    };
    let of_kind = PRESETS.iter().filter(|p| kind.is_none_or(|k| p.kind == k));
    of_kind
        .filter_map(|p| Some((score(&p)?, p)))
        .max_by_key(|(known, p)| (*known, std::cmp::Reverse(p.id)))
        .map(|(_, p)| p)
}

impl Preset {
    /// The preset over the columns that a file has.
    pub fn mapping(&self, columns: &[String]) -> Mapping {
        let mut found = BTreeMap::new();
        for (name, meaning) in self.columns.iter().filter(|(_, m)| !m.is_empty()) {
            let same = columns.iter().find(|c| plain(c) == plain(name) && !found.contains_key(*c));
            if let Some(column) = same {
                found.insert(column.clone(), (*meaning).to_string());
            }
        }
        let pairs = |list: &[(&str, &str)]| list.iter().map(|(a, b)| ((*a).to_string(), (*b).to_string())).collect();
        Mapping {
            kind: self.kind,
            columns: found,
            constants: pairs(self.constants),
            statuses: pairs(self.statuses),
            date_order: DateOrder::DayFirst,
        }
    }
}
