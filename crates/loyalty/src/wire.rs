//! The JSON of `braid price` (docs/formats): reading a basket and promotions, writing what came out.
//!
//! What cannot be read is refused with line and column, what makes no sense with a JSON pointer.
mod basket;
mod priced;

pub use basket::{BasketDocument, read_basket};
pub use priced::{LineDocument, PricedDocument, priced};

use crate::Compiled;
use crate::law::Law;
use crate::model::Promotions;
use crate::price::compile::Invalid;

/// Why a document is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WireError {
    /// It is no JSON, or not of this shape.
    #[error("line {line}, column {column}: {what}")]
    Shape { line: usize, column: usize, what: String },
    /// A value makes no sense.
    #[error("at {0}")]
    Value(#[from] Invalid),
}

impl WireError {
    fn value(pointer: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Value(Invalid { pointer: pointer.into(), what: what.into() })
    }
}

impl From<serde_json::Error> for WireError {
    fn from(e: serde_json::Error) -> Self {
        let text = e.to_string();
        let what = text.rsplit_once(" at line ").map_or(&*text, |(what, _)| what).to_string();
        Self::Shape { line: e.line(), column: e.column(), what }
    }
}

/// Which law a document means by a country.
pub type Laws<'a> = &'a dyn Fn(&str) -> Option<Law>;

/// Reads promotions and makes them ready.
pub fn read_promotions(text: &str) -> Result<(Promotions, Compiled), WireError> {
    let promotions: Promotions = serde_json::from_str(text)?;
    let compiled = Compiled::new(promotions.clone())?;
    Ok((promotions, compiled))
}

#[cfg(test)]
mod tests;
