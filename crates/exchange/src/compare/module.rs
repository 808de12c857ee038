//! What can be compared, module by module.
use crate::mapping::Kind;
use serde::{Deserialize, Serialize};

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Module {
    /// Orders one by one: number, day, total.
    Orders,
    /// Receipts of tills one by one: number, day, total.
    Receipts,
    /// Returned orders one by one: number, day, amount.
    Refunds,
    /// Completed orders' totals by day, returns taken off.
    Revenue,
    /// Customers one by one, by e-mail address or phone; as totals, new customers by day.
    Customers,
    /// Contact points that may be messaged, one by one; as totals, grants by day.
    OptIns,
    /// Messages sent, by day and channel.
    Sends,
    /// People in each segment now.
    Segments,
}

impl Module {
    /// All modules.
    pub const ALL: [Module; 8] = [
        Self::Orders,
        Self::Receipts,
        Self::Refunds,
        Self::Revenue,
        Self::Customers,
        Self::OptIns,
        Self::Sends,
        Self::Segments,
    ];
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Receipts => "receipts",
            Self::Refunds => "refunds",
            Self::Revenue => "revenue",
            Self::Customers => "customers",
            Self::OptIns => "opt_ins",
            Self::Sends => "sends",
            Self::Segments => "segments",
        }
    }
    /// The inverse of [`Module::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.as_str() == text)
    }
    /// Whether a value is an amount in minor units; else it is a count.
    pub fn is_money(self) -> bool {
        matches!(self, Self::Orders | Self::Receipts | Self::Refunds | Self::Revenue)
    }
    /// What the rows of an export must be; `None`: only totals can be compared.
    pub fn kind(self) -> Option<Kind> {
        match self {
            Self::Orders | Self::Receipts | Self::Refunds | Self::Revenue => Some(Kind::Orders),
            Self::Customers | Self::OptIns => Some(Kind::Customers),
            Self::Sends | Self::Segments => None,
        }
    }
    /// Whether Braid's side is read from the log of events.
    pub fn is_of_events(self) -> bool {
        self.is_money()
    }
    /// Whether things have no day of their own.
    pub fn is_of_now(self) -> bool {
        self == Self::Segments
    }
}
