//! Numbers on the wire.
use base::Decimal;
use serde_json::Value;

/// An amount as a JSON number.
pub fn number(amount: Decimal) -> Value {
    serde_json::from_str(&amount.to_string()).unwrap_or(Value::Null)
}

/// A value of a column of one's own: numbers and yes or no as what they are, the rest as text. What begins with a zero or a plus
/// is a code, not a number.
pub fn scalar(text: &str) -> Value {
    let code = text.len() > 1 && text.starts_with('0') && !text.starts_with("0.") || text.starts_with('+');
    match text {
        "true" | "TRUE" | "True" => Value::Bool(true),
        "false" | "FALSE" | "False" => Value::Bool(false),
        _ if code || text.len() > 15 => text.into(),
        _ => match Decimal::parse(text) {
            Some(number) if text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-') => self::number(number),
            _ => text.into(),
        },
    }
}
