//! What can be said of products at all: attributes, families, categories, brands, channels. Few rows, held whole in memory.
use crate::assortment::Rule;
use crate::values::is_code;
use db::{Bulk, DbError, Engine, Memory, Row, Tx, Value};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Attributes that a shop has at most: a file with a column for everything does not fill memory.
pub const ATTRIBUTES_MAX: usize = 2_000;
/// Categories, brands and families that a shop has at most.
pub const THINGS_MAX: usize = 50_000;

/// Texts by language.
pub type Labels = BTreeMap<String, String>;

/// What an attribute's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Text,
    Number,
    Boolean,
    Select,
    MultiSelect,
    Date,
    Money,
    Image,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 8] = [
        Kind::Text,
        Kind::Number,
        Kind::Boolean,
        Kind::Select,
        Kind::MultiSelect,
        Kind::Date,
        Kind::Money,
        Kind::Image,
    ];
    /// As it is stored and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Number => "number",
            Kind::Boolean => "boolean",
            Kind::Select => "select",
            Kind::MultiSelect => "multi_select",
            Kind::Date => "date",
            Kind::Money => "money",
            Kind::Image => "image",
        }
    }
    /// The inverse of [`Kind::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == text)
    }
}

/// One value that a select attribute may have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    pub code: String,
    #[serde(default)]
    pub labels: Labels,
}

/// What can be said of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    pub no: i64,
    pub code: String,
    pub kind: Kind,
    pub labels: Labels,
    /// The heading under which it stands.
    pub part: String,
    /// For numbers with a unit.
    pub unit_family: Option<String>,
    /// Differs by language.
    pub localisable: bool,
    /// Differs by channel.
    pub scopable: bool,
    /// No two products have the same.
    pub unique: bool,
    /// Offered as a filter beside a search.
    pub facet: bool,
    /// Shown when products are compared.
    pub compared: bool,
    /// What a select may be; none: anything.
    pub options: Vec<Choice>,
    pub position: i64,
    /// Made by itself from what came in.
    pub learned: bool,
    /// Some product had a value of it once, so that its kind stays.
    pub used: bool,
    pub version: i64,
}

/// An attribute of a family, and the channels that want it filled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FamilyAttribute {
    pub code: String,
    /// Codes of channels; `*` = every channel.
    #[serde(default)]
    pub required: Vec<String>,
}

/// A kind of products.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    pub no: i64,
    pub code: String,
    pub labels: Labels,
    /// The attribute whose value names a product; `name` if empty.
    pub label_attribute: String,
    pub attributes: Vec<FamilyAttribute>,
    /// By what variants differ, if a product does not say.
    pub axes: Vec<String>,
    pub version: i64,
}

/// A node of a tree of categories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    pub no: i64,
    pub code: String,
    /// 0 = the root of a tree.
    pub parent_no: i64,
    pub labels: Labels,
    pub position: i64,
    pub archived: bool,
    pub version: i64,
}

/// A brand; aliases are other ways to write it, for searches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brand {
    pub no: i64,
    pub code: String,
    pub name: String,
    pub aliases: Vec<String>,
    pub version: i64,
}

/// What kind of place a channel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    Site,
    App,
    Marketplace,
    /// Stores of one format.
    Store,
    Other,
}

impl ChannelKind {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::App => "app",
            Self::Marketplace => "marketplace",
            Self::Store => "store",
            Self::Other => "other",
        }
    }
    fn parse(text: &str) -> Self {
        let all = [Self::Site, Self::App, Self::Marketplace, Self::Store];
        all.into_iter().find(|k| k.as_str() == text).unwrap_or(Self::Other)
    }
}

/// Where products are shown and sold: a tree of categories, languages, currencies, and which products (L6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    pub no: i64,
    pub code: String,
    pub kind: ChannelKind,
    pub labels: Labels,
    /// The root of its categories; 0 = all.
    pub root_no: i64,
    pub locales: Vec<String>,
    pub currencies: Vec<String>,
    pub assortment: Vec<Rule>,
    pub version: i64,
}

/// Everything that can be said of products.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    pub attributes: Vec<Arc<Attribute>>,
    pub families: Vec<Arc<Family>>,
    pub categories: Vec<Arc<Category>>,
    pub brands: Vec<Arc<Brand>>,
    pub channels: Vec<Arc<Channel>>,
    by_code: HashMap<String, usize>,
    family_at: HashMap<i64, usize>,
    category_at: HashMap<i64, usize>,
    category_of: HashMap<String, usize>,
    brand_at: HashMap<i64, usize>,
    brand_of: HashMap<String, usize>,
}

/// A brand's code: its name in small letters, so that writing it otherwise does not make a second one.
pub fn brand_code(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

impl Schema {
    /// Reads it.
    pub fn load(db: &mut Engine) -> Result<Self, DbError> {
        let mut out = Self {
            attributes: each(db, READ_ATTRIBUTES, attribute)?,
            families: each(db, READ_FAMILIES, family)?,
            categories: each(db, READ_CATEGORIES, category)?,
            brands: each(db, READ_BRANDS, brand)?,
            channels: each(db, READ_CHANNELS, channel)?,
            ..Self::default()
        };
        out.reindex();
        Ok(out)
    }
    /// Puts its look-ups in order after its lists changed.
    pub fn reindex(&mut self) {
        self.by_code = self.attributes.iter().enumerate().map(|(at, a)| (a.code.clone(), at)).collect();
        self.family_at = self.families.iter().enumerate().map(|(at, f)| (f.no, at)).collect();
        self.category_at = self.categories.iter().enumerate().map(|(at, c)| (c.no, at)).collect();
        self.category_of = self.categories.iter().enumerate().map(|(at, c)| (c.code.clone(), at)).collect();
        self.brand_at = self.brands.iter().enumerate().map(|(at, b)| (b.no, at)).collect();
        self.brand_of = self.brands.iter().enumerate().map(|(at, b)| (b.code.clone(), at)).collect();
    }
    /// An attribute by code.
    pub fn attribute(&self, code: &str) -> Option<&Arc<Attribute>> {
        self.by_code.get(code).map(|at| &self.attributes[*at])
    }
    /// A family by number.
    pub fn family(&self, no: i64) -> Option<&Arc<Family>> {
        self.family_at.get(&no).map(|at| &self.families[*at])
    }
    /// A family by code.
    pub fn family_of(&self, code: &str) -> Option<&Arc<Family>> {
        self.families.iter().find(|f| f.code == code)
    }
    /// A category by number.
    pub fn category(&self, no: i64) -> Option<&Arc<Category>> {
        self.category_at.get(&no).map(|at| &self.categories[*at])
    }
    /// A category by code.
    pub fn category_of(&self, code: &str) -> Option<&Arc<Category>> {
        self.category_of.get(code).map(|at| &self.categories[*at])
    }
    /// A brand by number.
    pub fn brand(&self, no: i64) -> Option<&Arc<Brand>> {
        self.brand_at.get(&no).map(|at| &self.brands[*at])
    }
    /// A brand by its name, however it is written.
    pub fn brand_of(&self, name: &str) -> Option<&Arc<Brand>> {
        self.brand_of.get(&brand_code(name)).map(|at| &self.brands[*at])
    }
    /// A channel by code.
    pub fn channel(&self, code: &str) -> Option<&Arc<Channel>> {
        self.channels.iter().find(|c| c.code == code)
    }
    /// The category and those above it, from itself to the root; ends at a loop, which `doctor` reports.
    pub fn path(&self, no: i64) -> Vec<&Arc<Category>> {
        let (mut out, mut at): (Vec<&Arc<Category>>, i64) = (Vec::new(), no);
        while let Some(found) = self.category(at) {
            if out.iter().any(|c| c.no == found.no) {
                break;
            }
            out.push(found);
            at = found.parent_no;
        }
        out
    }
    /// The category and all below it.
    pub fn below(&self, no: i64) -> Vec<i64> {
        let mut out = vec![no];
        let mut at = 0;
        while at < out.len() {
            let parent = out[at];
            let children = self.categories.iter().filter(|c| c.parent_no == parent && c.parent_no != 0).map(|c| c.no);
            for child in children {
                if !out.contains(&child) {
                    out.push(child);
                }
            }
            at += 1;
        }
        out
    }
    /// The text of a category's path in a language: `Clothes > Shoes`.
    pub fn path_text(&self, no: i64, locale: &str) -> String {
        let names: Vec<&str> = self.path(no).iter().rev().map(|c| label(&c.labels, &c.code, locale)).collect();
        names.join(" > ")
    }
}

/// The text of a thing in a language, in any language, or its code.
pub fn label<'a>(labels: &'a Labels, code: &'a str, locale: &str) -> &'a str {
    labels.get(locale).or_else(|| labels.values().next()).map_or(code, String::as_str)
}

fn each<T>(db: &mut Engine, sql: &'static str, read: fn(&Row) -> Result<T, DbError>) -> Result<Vec<Arc<T>>, DbError> {
    db.rows(sql, &[])?.iter().map(|row| read(row).map(Arc::new)).collect()
}

const READ_ATTRIBUTES: &str = "SELECT no, code, kind, labels, part, unit_family, localisable, scopable, is_unique, facet, compared, options, position, learned, used, version FROM attributes ORDER BY position, no";
const READ_FAMILIES: &str =
    "SELECT no, code, labels, label_attribute, attributes, axes, version FROM families ORDER BY no";
const READ_CATEGORIES: &str =
    "SELECT no, code, parent_no, labels, position, archived, version FROM categories ORDER BY position, no";
const READ_BRANDS: &str = "SELECT no, code, name, aliases, version FROM brands ORDER BY code";
const READ_CHANNELS: &str =
    "SELECT no, code, kind, labels, root_no, locales, currencies, assortment, version FROM sales_channels ORDER BY no";

/// Reads a column of JSON that this program wrote.
pub(crate) fn json<T: serde::de::DeserializeOwned>(row: &Row, at: usize, table: &str) -> Result<T, DbError> {
    serde_json::from_str(row.text(at)?).map_err(|e| DbError::damaged(table, e))
}

/// JSON for a column.
pub(crate) fn text_of(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn attribute(r: &Row) -> Result<Attribute, DbError> {
    let kind = Kind::parse(r.text(2)?).ok_or_else(|| DbError::damaged("attributes", "an unknown kind"))?;
    Ok(Attribute {
        no: r.int(0)?,
        code: r.text(1)?.into(),
        kind,
        labels: json(r, 3, "attributes")?,
        part: r.text(4)?.into(),
        unit_family: Some(r.text(5)?.to_string()).filter(|f| !f.is_empty()),
        localisable: r.int(6)? == 1,
        scopable: r.int(7)? == 1,
        unique: r.int(8)? == 1,
        facet: r.int(9)? == 1,
        compared: r.int(10)? == 1,
        options: json(r, 11, "attributes")?,
        position: r.int(12)?,
        learned: r.int(13)? == 1,
        used: r.int(14)? == 1,
        version: r.int(15)?,
    })
}

fn family(r: &Row) -> Result<Family, DbError> {
    Ok(Family {
        no: r.int(0)?,
        code: r.text(1)?.into(),
        labels: json(r, 2, "families")?,
        label_attribute: r.text(3)?.into(),
        attributes: json(r, 4, "families")?,
        axes: json(r, 5, "families")?,
        version: r.int(6)?,
    })
}

fn category(r: &Row) -> Result<Category, DbError> {
    Ok(Category {
        no: r.int(0)?,
        code: r.text(1)?.into(),
        parent_no: r.int(2)?,
        labels: json(r, 3, "categories")?,
        position: r.int(4)?,
        archived: r.int(5)? == 1,
        version: r.int(6)?,
    })
}

fn brand(r: &Row) -> Result<Brand, DbError> {
    Ok(Brand {
        no: r.int(0)?,
        code: r.text(1)?.into(),
        name: r.text(2)?.into(),
        aliases: json(r, 3, "brands")?,
        version: r.int(4)?,
    })
}

fn channel(r: &Row) -> Result<Channel, DbError> {
    Ok(Channel {
        no: r.int(0)?,
        code: r.text(1)?.into(),
        kind: ChannelKind::parse(r.text(2)?),
        labels: json(r, 3, "sales_channels")?,
        root_no: r.int(4)?,
        locales: json(r, 5, "sales_channels")?,
        currencies: json(r, 6, "sales_channels")?,
        assortment: json(r, 7, "sales_channels")?,
        version: r.int(8)?,
    })
}

static ATTRIBUTES: Bulk = Bulk {
    table: "attributes",
    columns: &[
        ("no", 'i'),
        ("code", 't'),
        ("kind", 't'),
        ("labels", 't'),
        ("part", 't'),
        ("unit_family", 't'),
        ("localisable", 'i'),
        ("scopable", 'i'),
        ("is_unique", 'i'),
        ("facet", 'i'),
        ("compared", 'i'),
        ("options", 't'),
        ("position", 'i'),
        ("learned", 'i'),
        ("used", 'i'),
        ("version", 'i'),
    ],
    key: 1,
    insert_only: false,
};
static FAMILIES: Bulk = Bulk {
    table: "families",
    columns: &[
        ("no", 'i'),
        ("code", 't'),
        ("labels", 't'),
        ("label_attribute", 't'),
        ("attributes", 't'),
        ("axes", 't'),
        ("version", 'i'),
    ],
    key: 1,
    insert_only: false,
};
static CATEGORIES: Bulk = Bulk {
    table: "categories",
    columns: &[
        ("no", 'i'),
        ("code", 't'),
        ("parent_no", 'i'),
        ("labels", 't'),
        ("position", 'i'),
        ("archived", 'i'),
        ("version", 'i'),
    ],
    key: 1,
    insert_only: false,
};
static BRANDS: Bulk = Bulk {
    table: "brands",
    columns: &[("no", 'i'), ("code", 't'), ("name", 't'), ("aliases", 't'), ("version", 'i')],
    key: 1,
    insert_only: false,
};
static CHANNELS: Bulk = Bulk {
    table: "sales_channels",
    columns: &[
        ("no", 'i'),
        ("code", 't'),
        ("kind", 't'),
        ("labels", 't'),
        ("root_no", 'i'),
        ("locales", 't'),
        ("currencies", 't'),
        ("assortment", 't'),
        ("version", 'i'),
    ],
    key: 1,
    insert_only: false,
};

/// The writer's copy, as the running group sees it.
#[derive(Debug, Default)]
pub struct Held {
    now: Arc<Schema>,
    before: Option<Arc<Schema>>,
}

impl Memory for Held {
    fn load(db: &mut Engine) -> Result<Self, DbError> {
        Ok(Self { now: Arc::new(Schema::load(db)?), before: None })
    }
    fn commit(&mut self) {
        self.before = None;
    }
    fn rollback(&mut self) {
        if let Some(before) = self.before.take() {
            self.now = before;
        }
    }
}

/// The schema as this transaction sees it.
pub fn held(tx: &mut Tx) -> Result<Arc<Schema>, DbError> {
    Ok(tx.memory::<Held>()?.now.clone())
}

/// A thing of the schema to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thing {
    Attribute(Attribute),
    Family(Family),
    Category(Category),
    Brand(Brand),
    Channel(Channel),
}

/// Writes things, new or changed, and takes them into the transaction's schema.
pub fn put(tx: &mut Tx, things: &[Thing]) -> Result<(), DbError> {
    if things.is_empty() {
        return Ok(());
    }
    let flag = |b: bool| i64::from(b);
    for thing in things {
        match thing {
            Thing::Attribute(a) => {
                let (labels, options) = (text_of(&a.labels), text_of(&a.options));
                let row: [Value<'_>; 16] = [
                    a.no.into(),
                    (&a.code).into(),
                    a.kind.as_str().into(),
                    (&labels).into(),
                    (&a.part).into(),
                    a.unit_family.as_deref().unwrap_or_default().into(),
                    flag(a.localisable).into(),
                    flag(a.scopable).into(),
                    flag(a.unique).into(),
                    flag(a.facet).into(),
                    flag(a.compared).into(),
                    (&options).into(),
                    a.position.into(),
                    flag(a.learned).into(),
                    flag(a.used).into(),
                    a.version.into(),
                ];
                tx.upsert_many(&ATTRIBUTES, &[&row])?;
            }
            Thing::Family(f) => {
                let (labels, attributes, axes) = (text_of(&f.labels), text_of(&f.attributes), text_of(&f.axes));
                let row: [Value<'_>; 7] = [
                    f.no.into(),
                    (&f.code).into(),
                    (&labels).into(),
                    (&f.label_attribute).into(),
                    (&attributes).into(),
                    (&axes).into(),
                    f.version.into(),
                ];
                tx.upsert_many(&FAMILIES, &[&row])?;
            }
            Thing::Category(c) => {
                let labels = text_of(&c.labels);
                let row: [Value<'_>; 7] = [
                    c.no.into(),
                    (&c.code).into(),
                    c.parent_no.into(),
                    (&labels).into(),
                    c.position.into(),
                    flag(c.archived).into(),
                    c.version.into(),
                ];
                tx.upsert_many(&CATEGORIES, &[&row])?;
            }
            Thing::Brand(b) => {
                let aliases = text_of(&b.aliases);
                let row: [Value<'_>; 5] =
                    [b.no.into(), (&b.code).into(), (&b.name).into(), (&aliases).into(), b.version.into()];
                tx.upsert_many(&BRANDS, &[&row])?;
            }
            Thing::Channel(c) => {
                let (labels, locales) = (text_of(&c.labels), text_of(&c.locales));
                let (currencies, assortment) = (text_of(&c.currencies), text_of(&c.assortment));
                let row: [Value<'_>; 9] = [
                    c.no.into(),
                    (&c.code).into(),
                    c.kind.as_str().into(),
                    (&labels).into(),
                    c.root_no.into(),
                    (&locales).into(),
                    (&currencies).into(),
                    (&assortment).into(),
                    c.version.into(),
                ];
                tx.upsert_many(&CHANNELS, &[&row])?;
            }
        }
    }
    let memory = tx.memory::<Held>()?;
    let old = memory.now.clone();
    let fresh = Arc::make_mut(&mut memory.now);
    for thing in things.iter().cloned() {
        match thing {
            Thing::Attribute(a) => {
                place(&mut fresh.attributes, a, |a| a.no);
                fresh.attributes.sort_by_key(|a| (a.position, a.no));
            }
            Thing::Family(f) => place(&mut fresh.families, f, |f| f.no),
            Thing::Category(c) => {
                place(&mut fresh.categories, c, |c| c.no);
                fresh.categories.sort_by_key(|c| (c.position, c.no));
            }
            Thing::Brand(b) => place(&mut fresh.brands, b, |b| b.no),
            Thing::Channel(c) => place(&mut fresh.channels, c, |c| c.no),
        }
    }
    fresh.reindex();
    memory.before.get_or_insert(old);
    Ok(())
}

fn place<T>(list: &mut Vec<Arc<T>>, thing: T, no: impl Fn(&T) -> i64) {
    match list.iter().position(|known| no(known) == no(&thing)) {
        Some(at) => list[at] = Arc::new(thing),
        None => list.push(Arc::new(thing)),
    }
}

/// An attribute for values that nobody described: its kind is what the first value looks like, and it differs by language
/// or channel if its first key does.
pub fn learned(no: i64, key: &str, first: &serde_json::Value) -> Option<Attribute> {
    let key = crate::values::Key::parse(key);
    let code = key.code;
    if !is_code(code) {
        return None;
    }
    let kind = match first {
        serde_json::Value::Bool(_) => Kind::Boolean,
        serde_json::Value::Number(_) => Kind::Number,
        serde_json::Value::Array(_) => Kind::MultiSelect,
        _ => Kind::Text,
    };
    let spoken = matches!(code, "name" | "description" | "short_description");
    Some(Attribute {
        no,
        code: code.into(),
        kind,
        labels: Labels::new(),
        part: String::new(),
        unit_family: None,
        localisable: spoken || key.locale.is_some(),
        scopable: spoken || key.channel.is_some(),
        unique: false,
        facet: kind != Kind::Text || !spoken,
        compared: !spoken,
        options: Vec::new(),
        position: no,
        learned: true,
        used: true,
        version: 1,
    })
}

/// A learned attribute that has to differ by more than it did, by a key that came in; `None` where nothing has to change.
pub fn widened(known: &Attribute, key: &str) -> Option<Attribute> {
    let key = crate::values::Key::parse(key);
    let (localisable, scopable) = (known.localisable || key.locale.is_some(), known.scopable || key.channel.is_some());
    let more = known.learned && !known.unique && (localisable, scopable) != (known.localisable, known.scopable);
    more.then(|| Attribute { localisable, scopable, version: known.version + 1, ..known.clone() })
}
