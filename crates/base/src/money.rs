//! Amounts of money in minor units.
use crate::Decimal;
use serde::{Deserialize, Serialize};

/// An amount: whole minor units (kopecks, pence) of an ISO 4217 currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Minor units, negative for what goes back.
    pub minor: i64,
    /// ISO 4217 code in capitals.
    pub currency: String,
}

/// Why a text is no amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The amount is no decimal number or does not fit.
    #[error("{0:?} is not an amount of money")]
    Amount(String),
    /// The currency is not three letters.
    #[error("{0:?} is not a currency code of three letters")]
    Currency(String),
}

/// Decimal places of a currency's minor unit (ISO 4217): 2 unless it is one of the few with none or three.
pub fn currency_exponent(code: &str) -> u32 {
    match code {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND" | "VUV"
        | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

impl Money {
    /// Parses an amount in major units from its decimal text; extra decimals are rounded half away from zero.
    pub fn parse(amount: &str, currency: &str) -> Result<Self, MoneyError> {
        let code = currency.trim();
        if code.len() != 3 || !code.bytes().all(|b| b.is_ascii_alphabetic()) {
            return Err(MoneyError::Currency(code.chars().take(16).collect()));
        }
        let code = code.to_ascii_uppercase();
        let minor = Decimal::parse(amount.trim())
            .and_then(|d| d.to_minor(currency_exponent(&code)))
            .ok_or_else(|| MoneyError::Amount(amount.chars().take(64).collect()))?;
        Ok(Self { minor, currency: code })
    }
}
