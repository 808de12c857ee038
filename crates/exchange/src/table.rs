//! Rows with typed columns on their way out: what a column is, and what stands in it.
use base::{Decimal, Timestamp};
use serde::{Deserialize, Serialize};

/// What stands in a column. Every column may be empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    Text,
    /// A whole number of 64 bits.
    Int,
    /// A decimal number with nine places; amounts in major units.
    Decimal,
    Bool,
    /// A moment, UTC, with microseconds.
    Time,
    /// A JSON list or object.
    Json,
}

impl Type {
    /// As documents and manifests name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Type::Text => "text",
            Type::Int => "int",
            Type::Decimal => "decimal",
            Type::Bool => "bool",
            Type::Time => "time",
            Type::Json => "json",
        }
    }
}

/// A column of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: Type,
    /// What it means, for whoever gets the file.
    pub doc: String,
}

impl Column {
    /// A column.
    pub fn new(name: impl Into<String>, kind: Type, doc: impl Into<String>) -> Self {
        Self { name: name.into(), kind, doc: doc.into() }
    }
}

/// A value of a row. A writer takes [`Cell::None`] in every column, and else the kind of its column; a value of another kind
/// is written as text, or left out where the format cannot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Cell {
    #[default]
    None,
    Text(String),
    Int(i64),
    Decimal(Decimal),
    Bool(bool),
    Time(Timestamp),
    /// JSON text, valid.
    Json(String),
}

impl Cell {
    /// A text; an empty one is none.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Cell::None } else { Cell::Text(text) }
    }
    /// A text that may be missing.
    pub fn maybe(text: Option<impl Into<String>>) -> Self {
        text.map_or(Cell::None, Cell::text)
    }
    /// A moment in microseconds; 0 is none.
    pub fn moment(micros: i64) -> Self {
        if micros == 0 { Cell::None } else { Cell::Time(Timestamp::from_micros(micros)) }
    }
    /// A JSON value; empty lists and objects stay.
    pub fn json(value: &serde_json::Value) -> Self {
        if value.is_null() { Cell::None } else { Cell::Json(value.to_string()) }
    }
    /// As text: what CSV and XLSX show.
    pub fn shown(&self) -> String {
        match self {
            Cell::None => String::new(),
            Cell::Text(text) | Cell::Json(text) => text.clone(),
            Cell::Int(n) => n.to_string(),
            Cell::Decimal(n) => n.to_string(),
            Cell::Bool(b) => b.to_string(),
            Cell::Time(at) => at.to_string(),
        }
    }
    /// Bytes, roughly.
    pub fn weight(&self) -> usize {
        match self {
            Cell::Text(text) | Cell::Json(text) => text.len() + 24,
            _ => 16,
        }
    }
}

/// JSON without blanks between its values; texts stay as they are.
pub fn compact(json: &str) -> String {
    let (mut out, mut inside, mut escaped) = (String::with_capacity(json.len()), false, false);
    for c in json.chars() {
        if inside {
            out.push(c);
            (inside, escaped) = (escaped || c != '"', !escaped && c == '\\');
        } else if !c.is_ascii_whitespace() {
            inside = c == '"';
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn blanks_go_and_texts_stay() {
        assert_eq!(compact("{ \"a b\" :\n [1, \"x\\\" y\" ] }"), r#"{"a b":[1,"x\" y"]}"#);
    }

    proptest! {
        #[test]
        fn compact_json_means_the_same(texts in proptest::collection::vec(any::<String>(), 0..5)) {
            let value = serde_json::json!({"a": texts, "b": {"c": 1.5}});
            let pretty = serde_json::to_string_pretty(&value).expect("it is JSON");
            prop_assert_eq!(compact(&pretty), value.to_string());
        }
    }
}
