//! What can be taken out, and the columns of each: the one list that files, the API and docs/formats come from.
use crate::access::Area;
use exchange::back;
use exchange::presets::Preset;
use exchange::table::{Column, Type};
use serde::{Deserialize, Serialize};

/// What the rows of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ExportKind)]
pub enum Kind {
    /// One row a person.
    Customers,
    /// One row an event that came from outside.
    Events,
    /// One row an event of an order: placed, cancelled, refunded.
    Orders,
    /// The ledger of consents.
    Consents,
    /// Who is in which segment.
    Members,
    /// What was sent, or why not.
    Messages,
    /// What was not accepted.
    Rejected,
    /// Events that Braid wrote itself.
    Derived,
    /// What joins profiles to people.
    Joins,
    /// Addresses that get nothing any more.
    Suppressions,
    /// Conditions of segments.
    Segments,
    /// Where events come from.
    Sources,
    /// Customers, orders or opt-outs in an old tool's own format.
    WayBack,
    /// All of these, as one archive.
    Everything,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 14] = [
        Kind::Customers,
        Kind::Events,
        Kind::Orders,
        Kind::Consents,
        Kind::Members,
        Kind::Messages,
        Kind::Rejected,
        Kind::Derived,
        Kind::Joins,
        Kind::Suppressions,
        Kind::Segments,
        Kind::Sources,
        Kind::WayBack,
        Kind::Everything,
    ];
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Customers => "customers",
            Kind::Events => "events",
            Kind::Orders => "orders",
            Kind::Consents => "consents",
            Kind::Members => "members",
            Kind::Messages => "messages",
            Kind::Rejected => "rejected",
            Kind::Derived => "derived",
            Kind::Joins => "joins",
            Kind::Suppressions => "suppressions",
            Kind::Segments => "segments",
            Kind::Sources => "sources",
            Kind::WayBack => "way_back",
            Kind::Everything => "everything",
        }
    }
    /// The inverse of [`Kind::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == text)
    }
    /// What a file of it consists of.
    pub fn sections(self) -> Vec<Kind> {
        match self {
            Kind::Everything => {
                Self::ALL.into_iter().filter(|k| !matches!(k, Kind::Everything | Kind::WayBack)).collect()
            }
            one => vec![one],
        }
    }
    /// The area that one must be able to read, besides exports.
    pub fn area(self) -> Area {
        match self {
            Kind::Customers | Kind::WayBack | Kind::Everything => Area::Customers,
            Kind::Events | Kind::Orders | Kind::Rejected | Kind::Derived => Area::Events,
            Kind::Consents => Area::Consents,
            Kind::Members | Kind::Segments => Area::Segments,
            Kind::Messages | Kind::Suppressions => Area::Messages,
            Kind::Joins => Area::Identity,
            Kind::Sources => Area::Sources,
        }
    }
    /// Whether a segment may narrow it.
    pub fn takes_segment(self) -> bool {
        matches!(self, Kind::Customers | Kind::Events | Kind::Orders | Kind::Members)
    }
    /// Whether times may narrow it.
    pub fn takes_times(self) -> bool {
        matches!(self, Kind::Customers | Kind::Events | Kind::Orders | Kind::Derived)
    }
    /// Whether rows may be about anybody without saying whom: such a file goes with any erasure.
    pub fn is_about_anybody(self) -> bool {
        matches!(self, Kind::Rejected | Kind::Suppressions | Kind::WayBack)
    }
    /// The column in which the row that marks a file has its address.
    pub fn canary_column(self) -> Option<&'static str> {
        match self {
            Kind::Customers | Kind::Events | Kind::Orders | Kind::Members => Some("email"),
            Kind::Consents | Kind::Messages | Kind::Suppressions => Some("address"),
            _ => None,
        }
    }
    /// What it is, in a sentence.
    pub fn doc(self) -> &'static str {
        match self {
            Kind::Customers => "One row a person: identifiers, traits, what follows from them, consents, segments.",
            Kind::Events => "One row an event that came from outside, with the whole message as it was accepted.",
            Kind::Orders => "One row an Order Completed, Order Cancelled or Order Refunded.",
            Kind::Consents => "Every row of the ledger of consents, oldest first.",
            Kind::Members => "One row a person and segment.",
            Kind::Messages => "One row a message that a rule intended, with what became of it.",
            Kind::Rejected => "Items that were not accepted and are still kept, with the reason.",
            Kind::Derived => "Events that Braid wrote itself: messages sent, segments entered.",
            Kind::Joins => "The edges between profiles, removed ones too, each with its evidence.",
            Kind::Suppressions => "Addresses that get nothing any more, whatever they agreed to.",
            Kind::Segments => "Segments with their conditions.",
            Kind::Sources => "Where events come from; no keys.",
            Kind::WayBack => "Customers, orders or opt-outs as a file that an old tool reads; no mark stands in it.",
            Kind::Everything => "A zip archive with a file of each kind, manifest.json and README.md.",
        }
    }
}

/// The last column of every file.
pub const MARK: &str = "export_mark";

/// Traits and computed traits that a file of customers has in columns of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    /// Columns of the kind; none: all.
    pub columns: Vec<String>,
    /// Traits; columns `trait.NAME`.
    pub traits: Vec<String>,
    /// Computed traits; columns `computed.NAME`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub computed: Vec<Computed>,
    /// The old tool's format, for the way back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
}

/// A computed trait with a column of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Computed {
    pub name: String,
    /// `number`, `text` or `bool`; found when the export begins.
    #[serde(default)]
    pub kind: String,
}

impl Computed {
    /// By name; the type is found later.
    pub fn named(name: String) -> Self {
        Self { name, kind: String::new() }
    }
    fn column(&self) -> Column {
        let kind = match self.kind.as_str() {
            "number" => Type::Decimal,
            "bool" => Type::Bool,
            _ => Type::Text,
        };
        Column::new(format!("computed.{}", self.name), kind, "A computed trait.")
    }
}

impl Chosen {
    /// As it was asked for: without the types that were found.
    pub fn asked(&self) -> Self {
        let computed = self.computed.iter().map(|c| Computed::named(c.name.clone())).collect();
        Self { computed, ..self.clone() }
    }
    /// The old tool's format.
    pub fn format(&self) -> Option<&'static Preset> {
        back::find(self.preset.as_deref()?)
    }
}

/// Every column of a kind, without the chosen traits and the mark.
pub fn all_columns(kind: Kind) -> Vec<Column> {
    let list: &[(&str, Type, &str)] = match kind {
        Kind::Customers => super::people::COLUMNS,
        Kind::Events | Kind::Derived => super::events::COLUMNS,
        Kind::Orders => super::events::ORDER_COLUMNS,
        Kind::Everything | Kind::WayBack => &[],
        table => super::tables::of(table).columns,
    };
    list.iter().map(|(name, kind, doc)| Column::new(*name, *kind, *doc)).collect()
}

/// The columns of a file, with the mark.
pub fn columns(kind: Kind, chosen: &Chosen) -> Vec<Column> {
    if kind == Kind::WayBack {
        let names = chosen.format().map(back::header).unwrap_or_default();
        // The old tool would take another column for its own.
        return names.into_iter().map(|name| Column::new(name, Type::Text, "As the old tool names it.")).collect();
    }
    let wanted = |c: &Column| chosen.columns.is_empty() || chosen.columns.contains(&c.name);
    let mut out: Vec<Column> = all_columns(kind).into_iter().filter(wanted).collect();
    if kind == Kind::Customers {
        let own = |t: &String| Column::new(format!("trait.{t}"), Type::Text, "A trait, as it was sent.");
        out.extend(chosen.traits.iter().map(own));
        out.extend(chosen.computed.iter().map(Computed::column));
    }
    out.push(Column::new(MARK, Type::Text, "Leads back to the line in the audit about this export."));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_and_columns_are_told_apart() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
            let columns = columns(kind, &Chosen::default());
            let mut names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), columns.len(), "{kind:?}");
            let canary = kind.canary_column();
            assert!(canary.is_none_or(|c| names.contains(&c)), "{kind:?}");
            assert!(columns.iter().all(|c| c.doc.len() > 5), "{kind:?}");
        }
        assert_eq!(Kind::Everything.sections().len(), Kind::ALL.len() - 2);
    }

    /// docs/formats/exports.md lists every column as the program has it. `BRAID_BLESS=1` writes it.
    #[test]
    fn the_documentation_lists_every_column() {
        let mut text = String::from(
            "# Columns of exports\n\nWritten by a test from the program's own list; docs/exports.md says how to get the files. Types: \
             text, int (64 bits), decimal (nine places, major units), bool, time (UTC, microseconds), json. How each looks in \
             CSV, NDJSON, Parquet and XLSX stands in docs/exports.md.\n",
        );
        for kind in Kind::Everything.sections() {
            text.push_str(&format!(
                "\n## {}\n\n{}\n\n| column | type | meaning |\n|---|---|---|\n",
                kind.as_str(),
                kind.doc()
            ));
            for column in columns(kind, &Chosen::default()) {
                text.push_str(&format!(
                    "| `{}` | {} | {} |\n",
                    column.name,
                    column.kind.as_str(),
                    column.doc.replace('|', "\\|")
                ));
            }
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/formats/exports.md");
        if std::env::var_os("BRAID_BLESS").is_some() {
            std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/formats")).expect("a folder");
            std::fs::write(path, &text).expect("can be written");
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(kept == text, "docs/formats/exports.md is not up to date: run the test with BRAID_BLESS=1");
    }
}
