//! The tracking plan of a source: what its events are called in the standard, which events and properties are expected, and
//! what happens to others. A person writes it as a text ([`Plan::parse`]); [`Compiled`] is what events are held against.
//!
//! ```text
//! unknown events warn
//! required missing over 5 %
//! preset ga4
//! alias "kupivka" = "Order Completed"
//! rename "Order Completed" transaction_id -> order_id
//! rename * items -> products
//! rename * products[].item_id -> products[].product_id
//! set "Order Completed" currency = "UAH"
//! divide "Order Completed" total by 100
//! lift "Product Viewed" products
//! event "Order Completed" block
//!   order_id text required
//!   total number required
//! ```
mod compiled;
mod presets;
mod text;
mod tree;

pub use compiled::{Compiled, Found};
pub use presets::PRESETS;
pub use text::PlanError;

use std::collections::BTreeMap;

/// What happens when something does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Nothing; it is learned.
    #[default]
    Observe,
    /// It is taken, and told.
    Warn,
    /// It is refused, and kept in the debugger.
    Block,
}

impl Mode {
    /// The word of the text.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Observe => "observe",
            Mode::Warn => "warn",
            Mode::Block => "block",
        }
    }
    /// The inverse of [`Mode::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Mode::Observe, Mode::Warn, Mode::Block].into_iter().find(|m| m.as_str() == text)
    }
}

/// What a property holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Text,
    Number,
    Bool,
    List,
    Object,
    Any,
}

impl Kind {
    /// All kinds that a value can be, in the order of their bits.
    pub const OF_VALUES: [Kind; 5] = [Kind::Text, Kind::Number, Kind::Bool, Kind::List, Kind::Object];

    /// The word of the text.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Number => "number",
            Kind::Bool => "bool",
            Kind::List => "list",
            Kind::Object => "object",
            Kind::Any => "any",
        }
    }
    /// The inverse of [`Kind::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Kind::OF_VALUES.into_iter().chain([Kind::Any]).find(|k| k.as_str() == text)
    }
    /// The kind of a JSON text; `None` for null.
    pub fn of(json: &str) -> Option<Self> {
        Some(match json.as_bytes().first()? {
            b'"' => Kind::Text,
            b't' | b'f' => Kind::Bool,
            b'[' => Kind::List,
            b'{' => Kind::Object,
            b'n' => return None,
            _ => Kind::Number,
        })
    }
}

/// An expected property, by its outermost name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    pub name: String,
    pub kind: Kind,
    pub required: bool,
}

/// An expected event, by its standard name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventPlan {
    pub mode: Mode,
    pub properties: Vec<Expected>,
}

/// What a rule does to the properties of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// A property is called otherwise. Up to the last `[]` both paths are the same.
    Rename { from: Path, to: Path },
    /// A property that is missing gets this JSON value.
    Set { path: Path, value: String },
    /// A number is in units of which `by` (10, 100 or 1000) make one.
    Divide { path: Path, by: u16 },
    /// A list of one: its element's fields count as the event's own, too.
    Lift { path: Path },
}

/// A rule for the events of one standard name, or for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// `None` for every event.
    pub event: Option<String>,
    pub action: Action,
}

/// A step of a path: a field, and whether every element of the list in it is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    pub name: String,
    pub each: bool,
}

/// A path into properties: `products[].price`.
pub type Path = Vec<Segment>;

/// A tracking plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What happens to events that the plan does not name. Only of meaning once it names some.
    pub unknown: Mode,
    /// A warning comes when a required property is missing in more than so many per cent of an event.
    pub missing_percent: u8,
    /// Names of [`PRESETS`].
    pub presets: Vec<String>,
    /// The source's names to standard ones.
    pub aliases: BTreeMap<String, String>,
    /// In the order of the text.
    pub rules: Vec<Rule>,
    pub events: BTreeMap<String, EventPlan>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            unknown: Mode::Observe,
            missing_percent: 5,
            presets: Vec::new(),
            aliases: BTreeMap::new(),
            rules: Vec::new(),
            events: BTreeMap::new(),
        }
    }
}

impl Plan {
    /// Whether two plans give events the same meaning: only then history needs no reading again.
    pub fn means_the_same(&self, other: &Plan) -> bool {
        (&self.presets, &self.aliases, &self.rules) == (&other.presets, &other.aliases, &other.rules)
    }
}

#[cfg(test)]
mod tests;
