//! What the other side's words mean here: warehouses and kinds of prices by a person's choice, groups and properties by name.
use db::{Bulk, DbError, Engine, Lookup, Row, Tx, Value};
use std::collections::{BTreeMap, HashMap};

/// What is matched by a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ErpMapKind)]
pub enum MapKind {
    /// A warehouse there; its target is a location here.
    Warehouse,
    /// A kind of price there; its target is `base` or the number of a price list.
    PriceType,
}

impl MapKind {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            MapKind::Warehouse => "warehouse",
            MapKind::PriceType => "price_type",
        }
    }
    fn parse(text: &str) -> Self {
        if text == "warehouse" { MapKind::Warehouse } else { MapKind::PriceType }
    }
}

/// One of the other side's warehouses or kinds of prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    pub kind: MapKind,
    pub external_id: String,
    pub name: String,
    pub currency: String,
    /// Empty: nobody has said yet.
    pub target: String,
}

fn read(row: &Row) -> Result<Mapped, DbError> {
    Ok(Mapped {
        kind: MapKind::parse(row.text(0)?),
        external_id: row.text(1)?.into(),
        name: row.text(2)?.into(),
        currency: row.text(3)?.into(),
        target: row.text(4)?.into(),
    })
}

/// All of a connection.
pub fn all(db: &mut Engine, connection: i64) -> Result<Vec<Mapped>, DbError> {
    let sql = "SELECT kind, external_id, name, currency, target FROM erp_maps WHERE connection_id = $1 ORDER BY kind, external_id LIMIT 10000";
    db.rows(sql, &[connection.into()])?.iter().map(read).collect()
}

/// Notes that the other side has one; what it means here stays as it was.
pub fn heard(tx: &mut Tx, connection: i64, mapped: &Mapped) -> Result<(), DbError> {
    let sql = "INSERT INTO erp_maps (connection_id, kind, external_id, name, currency, target) VALUES ($1, $2, $3, $4, $5, '') \
               ON CONFLICT (connection_id, kind, external_id) DO UPDATE SET \
               name = CASE WHEN excluded.name = '' THEN erp_maps.name ELSE excluded.name END, \
               currency = CASE WHEN excluded.currency = '' THEN erp_maps.currency ELSE excluded.currency END";
    let row = [
        connection.into(),
        mapped.kind.as_str().into(),
        (&mapped.external_id).into(),
        (&mapped.name).into(),
        (&mapped.currency).into(),
    ];
    tx.execute(sql, &row).map(drop)
}

/// Says what one means here. What came before and was not used, or was used elsewhere, waits to be used.
pub fn point(tx: &mut Tx, connection: i64, kind: MapKind, external: &str, target: &str) -> Result<bool, DbError> {
    let sql =
        "UPDATE erp_maps SET target = $4 WHERE connection_id = $1 AND kind = $2 AND external_id = $3 AND target <> $4";
    let key = [connection.into(), kind.as_str().into(), external.into(), target.into()];
    let changed = tx.execute(sql, &key)? > 0;
    if changed {
        let again = match kind {
            MapKind::Warehouse => "UPDATE erp_stock SET applied = 0 WHERE connection_id = $1 AND warehouse = $2",
            MapKind::PriceType => "UPDATE erp_prices SET applied = 0 WHERE connection_id = $1 AND price_type = $2",
        };
        tx.execute(again, &[connection.into(), external.into()])?;
        tx.notify(db::Notice::Changed { what: "erp" });
    }
    Ok(changed)
}

static NAMES: Bulk = Bulk {
    table: "erp_names",
    columns: &[("connection_id", 'i'), ("kind", 't'), ("external_id", 't'), ("parent", 't'), ("name", 't')],
    key: 3,
    insert_only: false,
};

/// A group, a property, or a value of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    pub kind: &'static str,
    pub external_id: String,
    pub parent: String,
    pub name: String,
}

/// Keeps names; the last of an id counts.
pub fn keep_names(tx: &mut Tx, connection: i64, names: &[Name]) -> Result<(), DbError> {
    let last: BTreeMap<(&str, &str), &Name> = names.iter().map(|n| ((n.kind, n.external_id.as_str()), n)).collect();
    let rows: Vec<[Value<'_>; 5]> = last
        .values()
        .map(|n| [connection.into(), n.kind.into(), (&n.external_id).into(), (&n.parent).into(), (&n.name).into()])
        .collect();
    if rows.is_empty() { Ok(()) } else { tx.upsert_many(&NAMES, &rows.iter().map(|r| &r[..]).collect::<Vec<_>>()) }
}

static BY_ID: Lookup = Lookup {
    table: "erp_names",
    keys: &[("connection_id", 'i'), ("kind", 't'), ("external_id", 't')],
    columns: "parent, name",
    order: "",
};

/// Names by kind and id, with what they lie in.
pub type Names = HashMap<(&'static str, String), (String, String)>;

/// Reads names; groups with all that they lie in.
pub fn names(tx: &mut Tx, connection: i64, wanted: Vec<(&'static str, String)>) -> Result<Names, DbError> {
    let mut found = Names::new();
    let mut ask = wanted;
    // Groups lie in groups; the reader of files gives at most 32 levels.
    for _ in 0..40 {
        ask.retain(|key| !found.contains_key(key));
        ask.sort_unstable();
        ask.dedup();
        if ask.is_empty() {
            break;
        }
        let keys: Vec<[Value<'_>; 3]> = ask.iter().map(|(k, id)| [connection.into(), (*k).into(), id.into()]).collect();
        let refs: Vec<&[Value<'_>]> = keys.iter().map(|k| &k[..]).collect();
        let mut rows: Vec<(usize, String, String)> = Vec::new();
        tx.lookup(&BY_ID, &refs, &mut |at, row| {
            rows.push((at, row.text(0)?.into(), row.text(1)?.into()));
            Ok(())
        })?;
        let mut next = Vec::new();
        for (at, parent, name) in rows {
            if ask[at].0 == "group" && !parent.is_empty() {
                next.push(("group", parent.clone()));
            }
            found.insert(ask[at].clone(), (parent, name));
        }
        ask = next;
    }
    Ok(found)
}

/// The path of a group, as categories are written: `Clothes > Shoes`. `None` where nobody told of it.
pub fn path(names: &Names, group: &str) -> Option<String> {
    let mut out: Vec<&str> = Vec::new();
    let mut at = group.to_string();
    while !at.is_empty() && out.len() < 40 {
        let (parent, name) = names.get(&("group", at.clone()))?;
        out.push(name);
        at.clone_from(parent);
    }
    out.reverse();
    Some(out.iter().map(|n| n.replace('>', "›")).collect::<Vec<_>>().join(" > ")).filter(|p| !p.is_empty())
}
