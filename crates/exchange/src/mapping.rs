//! What each column of a file means: a mapping as data, and the plan that is compiled from it.
use crate::values::DateOrder;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the rows of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Customers,
    Orders,
    Events,
    /// Consents, opt-outs and blacklists.
    Consents,
}

impl Kind {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Orders => "orders",
            Self::Events => "events",
            Self::Consents => "consents",
        }
    }
    /// The inverse of [`Kind::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Customers, Self::Orders, Self::Events, Self::Consents].into_iter().find(|k| k.as_str() == text)
    }
}

/// What the columns mean. Kept by name, so that the next file of the same system needs no thought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    pub kind: Kind,
    /// Column → meaning; a column that is not named is left out.
    pub columns: BTreeMap<String, String>,
    /// Meaning → value for every row, where the file has no column for it (`channel`: `email`).
    #[serde(default)]
    pub constants: BTreeMap<String, String>,
    /// Order status → `completed`, `cancelled`, `refunded` or `skip`, beside the usual words.
    #[serde(default)]
    pub statuses: BTreeMap<String, String>,
    #[serde(default)]
    pub date_order: DateOrder,
}

/// Meanings of a kind; those with a colon take a name of one's own after it.
pub fn meanings(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Customers => &[
            "user_id",
            "email",
            "phone",
            "external:",
            "first_name",
            "last_name",
            "patronymic",
            "name",
            "birthday",
            "gender",
            "language",
            "company",
            "website",
            "tags",
            "address.street",
            "address.city",
            "address.state",
            "address.postalCode",
            "address.country",
            "created_at",
            "updated_at",
            "consent:",
            "consent_at",
            "purpose",
            "trait:",
            "money:",
            "bool:",
        ],
        Kind::Orders => &[
            "order_id",
            "user_id",
            "email",
            "phone",
            "external:",
            "first_name",
            "last_name",
            "patronymic",
            "name",
            "time",
            "status",
            "total",
            "subtotal",
            "shipping",
            "tax",
            "discount",
            "currency",
            "coupon",
            "affiliation",
            "store_id",
            "payment_method",
            "shipping_method",
            "line.sku",
            "line.product_id",
            "line.name",
            "line.quantity",
            "line.price",
            "line.category",
            "lines",
            "address.city",
            "property:",
        ],
        Kind::Events => &[
            // A whole message of the tracking API as JSON text, as an export of events has it; what else stands in the
            // row is then not looked at, but for `message_id` and `time`.
            "message",
            "event",
            "message_id",
            "user_id",
            "anonymous_id",
            "email",
            "phone",
            "external:",
            "time",
            "currency",
            "revenue",
            "property:",
            "money:",
        ],
        Kind::Consents => &["channel", "address", "email", "phone", "user_id", "purpose", "state", "time", "wording"],
    }
}

/// Meanings of which one column is enough and two contradict each other.
fn is_single(meaning: &str) -> bool {
    !matches!(meaning, "phone" | "tags") && !meaning.contains(':')
}

/// Why a mapping cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    #[error("the file has no column {0:?}")]
    NoColumn(String),
    #[error("{1:?} of column {0:?} is no meaning of {2}")]
    NoMeaning(String, String, &'static str),
    #[error("the columns {0:?} and {1:?} both mean {2}")]
    Twice(String, String, String),
    #[error("no column means {0}; {1} need one")]
    Missing(&'static str, &'static str),
    #[error("{0:?} is none of completed, cancelled, refunded, skip")]
    Status(String),
}

/// A mapping over the columns of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub mapping: Mapping,
    pub columns: Vec<String>,
    /// Columns with a meaning: number and meaning.
    pub meant: Vec<(usize, String)>,
}

impl Plan {
    /// Checks a mapping against a file's columns.
    pub fn new(mapping: Mapping, columns: &[String]) -> Result<Self, MappingError> {
        let kind = mapping.kind;
        let known = |meaning: &str| {
            meanings(kind).iter().any(|m| match m.strip_suffix(':') {
                Some(family) => meaning.strip_prefix(family).is_some_and(|r| r.len() > 1 && r.starts_with(':')),
                None => *m == meaning,
            })
        };
        let mut meant: Vec<(usize, String)> = Vec::new();
        for (column, meaning) in &mapping.columns {
            let at = columns.iter().position(|c| c == column).ok_or_else(|| MappingError::NoColumn(column.clone()))?;
            if !known(meaning) {
                return Err(MappingError::NoMeaning(column.clone(), meaning.clone(), kind.as_str()));
            }
            if let Some((other, _)) = meant.iter().find(|(_, m)| m == meaning && is_single(m)) {
                return Err(MappingError::Twice(columns[*other].clone(), column.clone(), meaning.clone()));
            }
            meant.push((at, meaning.clone()));
        }
        if let Some(meaning) = mapping.constants.keys().find(|m| !known(m)) {
            return Err(MappingError::NoMeaning("(constant)".into(), meaning.clone(), kind.as_str()));
        }
        for word in mapping.statuses.values() {
            if !["completed", "cancelled", "refunded", "skip"].contains(&word.as_str()) {
                return Err(MappingError::Status(word.clone()));
            }
        }
        meant.sort();
        let plan = Self { mapping, columns: columns.to_vec(), meant };
        plan.needs()?;
        Ok(plan)
    }

    fn needs(&self) -> Result<(), MappingError> {
        let has = |meaning: &str| self.has(meaning);
        let person = has("user_id")
            || has("email")
            || has("phone")
            || self.meant.iter().any(|(_, m)| m.starts_with("external:"));
        match self.mapping.kind {
            Kind::Customers if !person => Err(MappingError::Missing("user_id, email or phone", "customers")),
            Kind::Orders if !has("order_id") => Err(MappingError::Missing("order_id", "orders")),
            Kind::Orders if !has("time") => Err(MappingError::Missing("time", "orders")),
            Kind::Events if has("message") => Ok(()),
            Kind::Events if !has("event") => Err(MappingError::Missing("event", "events")),
            Kind::Events if !has("time") => Err(MappingError::Missing("time", "events")),
            Kind::Events if !person && !has("anonymous_id") => {
                Err(MappingError::Missing("user_id, email, phone or anonymous_id", "events"))
            }
            Kind::Consents if !has("email") && !has("phone") && !has("address") => {
                Err(MappingError::Missing("email, phone or address", "consents"))
            }
            Kind::Consents if !has("state") => Err(MappingError::Missing("state", "consents")),
            _ => Ok(()),
        }
    }

    /// Whether a column or a constant has a meaning.
    pub fn has(&self, meaning: &str) -> bool {
        self.meant.iter().any(|(_, m)| m == meaning) || self.mapping.constants.contains_key(meaning)
    }
    /// Whether rows may bring consents to be messaged: then opt-outs and blacklists come first.
    pub fn brings_grants(&self) -> bool {
        match self.mapping.kind {
            Kind::Customers => self.meant.iter().any(|(_, m)| m.starts_with("consent:")),
            _ => false,
        }
    }
    /// The column of a meaning.
    pub fn column(&self, meaning: &str) -> Option<usize> {
        self.meant.iter().find(|(_, m)| m == meaning).map(|(at, _)| *at)
    }
    /// The value of a meaning in a row, or its constant.
    pub fn value<'a>(&'a self, row: &'a crate::rows::Row, meaning: &str) -> &'a str {
        let own = self.column(meaning).map_or("", |at| row.get(at));
        if own.is_empty() { self.mapping.constants.get(meaning).map_or("", String::as_str) } else { own }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(kind: Kind, columns: &[(&str, &str)]) -> Result<Plan, MappingError> {
        let names: Vec<String> = columns.iter().map(|(c, _)| (*c).to_string()).collect();
        let columns = columns.iter().map(|(c, m)| ((*c).to_string(), (*m).to_string())).collect();
        let mapping = Mapping {
            kind,
            columns,
            constants: BTreeMap::new(),
            statuses: BTreeMap::new(),
            date_order: DateOrder::default(),
        };
        Plan::new(mapping, &names)
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        assert!(plan(Kind::Customers, &[("E", "email"), ("X", "trait:size"), ("P", "phone"), ("P2", "phone")]).is_ok());
        let said =
            |kind, columns: &[(&str, &str)]| plan(kind, columns).map_err(|e| e.to_string()).err().unwrap_or_default();
        assert_eq!(
            said(Kind::Customers, &[("X", "trait:size")]),
            "no column means user_id, email or phone; customers need one"
        );
        assert_eq!(said(Kind::Customers, &[("E", "mail")]), "\"mail\" of column \"E\" is no meaning of customers");
        assert_eq!(said(Kind::Customers, &[("E", "trait:")]), "\"trait:\" of column \"E\" is no meaning of customers");
        assert_eq!(
            said(Kind::Customers, &[("E", "email"), ("F", "email")]),
            "the columns \"E\" and \"F\" both mean email"
        );
        assert_eq!(said(Kind::Orders, &[("N", "order_id")]), "no column means time; orders need one");
    }
}
