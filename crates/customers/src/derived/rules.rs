//! What a shop decides about derived traits.
use crate::model::Currency;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// Numbers that a shop can set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Thresholds {
    /// Days after the first order in which a customer is new.
    pub new_days: i64,
    /// Days without an order after which a customer is at risk, where their own rhythm is not known yet.
    pub at_risk_days: i64,
    /// Days without an order after which a customer has lapsed, where their own rhythm is not known yet.
    pub lapsed_days: i64,
    /// Orders from which a customer is loyal.
    pub loyal_orders: i64,
    /// What an hour of the staff's time costs, in minor units of the shop's currency; 0 = not known.
    pub service_hour_minor: i64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { new_days: 30, at_risk_days: 90, lapsed_days: 180, loyal_orders: 5, service_hour_minor: 0 }
    }
}

/// Why thresholds are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct BadRules {
    pub field: &'static str,
    pub detail: String,
}

impl Thresholds {
    /// Refuses what makes no sense together.
    pub fn check(&self) -> Result<(), BadRules> {
        let within = |field, value: i64, from: i64, to: i64| match value {
            v if (from..=to).contains(&v) => Ok(()),
            v => Err(BadRules { field, detail: format!("{field} is {v}: write a number from {from} to {to}") }),
        };
        within("new_days", self.new_days, 1, 3_650)?;
        within("at_risk_days", self.at_risk_days, 1, 3_650)?;
        within("lapsed_days", self.lapsed_days, 2, 3_650)?;
        within("loyal_orders", self.loyal_orders, 2, 10_000)?;
        within("service_hour_minor", self.service_hour_minor, 0, 1_000_000_000)?;
        if self.lapsed_days <= self.at_risk_days {
            let detail = "lapsed_days must be more than at_risk_days: at risk comes before lapsed".to_string();
            return Err(BadRules { field: "lapsed_days", detail });
        }
        Ok(())
    }
}

/// What functions of derived traits know of the shop.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The shop's.
    pub zone: TimeZone,
    /// The shop's; income in other currencies is not added up.
    pub currency: Currency,
    pub thresholds: Thresholds,
}

impl Default for Rules {
    /// A shop in Ukraine.
    fn default() -> Self {
        let zone = TimeZone::get("Europe/Kyiv").unwrap_or(TimeZone::UTC);
        Self { zone, currency: Currency(*b"UAH"), thresholds: Thresholds::default() }
    }
}
