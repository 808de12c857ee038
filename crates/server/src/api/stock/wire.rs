//! Stock on the wire.
use base::Quantity;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use stock::choice::Chosen;
use stock::commands::Broken;

/// A quantity: a number of at most three decimals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount(pub Quantity);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let milli = self.0.milli();
        if milli % 1000 == 0 {
            return serializer.serialize_i64(milli / 1000);
        }
        // Three decimals of a number below 10¹² are exact in the shortest text of a double.
        serializer.serialize_f64(milli as f64 / 1000.0)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        Quantity::parse(&number.to_string()).map(Amount).map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Amount {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        f64::schema()
    }
}

impl utoipa::ToSchema for Amount {}

/// A claim that cannot be served any more.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct BrokenClaim {
    pub reservation_id: crate::input::Id,
    pub owner: String,
    pub sku: String,
    pub location_id: String,
    pub quantity: Amount,
}

impl BrokenClaim {
    pub fn of(broken: &Broken, sku: String, location_id: String) -> Self {
        Self {
            reservation_id: crate::input::Id(broken.reservation_no),
            owner: broken.owner.to_string(),
            sku,
            location_id,
            quantity: Amount(broken.quantity),
        }
    }
}

/// From where a line is served.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ServedFrom {
    /// The line's place among what was asked for, from 0.
    pub line: i64,
    pub sku: String,
    pub location_id: String,
    pub quantity: Amount,
}

impl ServedFrom {
    pub fn of(chosen: &Chosen, sku: String, location_id: String) -> Self {
        Self { line: chosen.line as i64, sku, location_id, quantity: Amount(chosen.quantity) }
    }
}
