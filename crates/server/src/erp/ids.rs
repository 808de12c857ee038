//! Which of the other side's goods and offers are which here.
use db::{Bulk, DbError, Lookup, Tx, Value};
use std::collections::HashMap;

/// Goods, or what is sold of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IdKind {
    Product,
    Variant,
}

impl IdKind {
    fn as_str(self) -> &'static str {
        match self {
            IdKind::Product => "product",
            IdKind::Variant => "variant",
        }
    }
}

/// How an id stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdState {
    Live,
    /// Archived: marked there, or vanished.
    Gone,
    /// `X` that became `X#Y`.
    Moved,
}

impl IdState {
    fn as_str(self) -> &'static str {
        match self {
            IdState::Live => "live",
            IdState::Gone => "gone",
            IdState::Moved => "moved",
        }
    }
    fn parse(text: &str) -> Self {
        [IdState::Live, IdState::Moved].into_iter().find(|s| s.as_str() == text).unwrap_or(IdState::Gone)
    }
}

/// An id there with what it is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub kind: IdKind,
    pub external_id: String,
    pub catalogue: String,
    pub product_id: String,
    /// 0 for goods.
    pub variant_no: i64,
    pub article: String,
    pub barcode: String,
    /// Whether it is a service, of which nothing lies anywhere.
    pub service: bool,
    pub state: IdState,
    pub seen_at: i64,
}

static IDS: Bulk = Bulk {
    table: "erp_ids",
    columns: &[
        ("connection_id", 'i'),
        ("kind", 't'),
        ("external_id", 't'),
        ("catalogue", 't'),
        ("product_id", 't'),
        ("variant_no", 'i'),
        ("article", 't'),
        ("barcode", 't'),
        ("service", 'i'),
        ("state", 't'),
        ("seen_at", 'i'),
    ],
    key: 3,
    insert_only: false,
};

static BY_ID: Lookup = Lookup {
    table: "erp_ids",
    keys: &[("connection_id", 'i'), ("kind", 't'), ("external_id", 't')],
    columns: "catalogue, product_id, variant_no, article, barcode, service, state, seen_at",
    order: "",
};

/// What is known, by kind and id there.
pub type All = HashMap<(IdKind, String), Known>;

/// Reads ids.
pub fn find(tx: &mut Tx, connection: i64, wanted: &[(IdKind, &str)]) -> Result<All, DbError> {
    let mut ask = wanted.to_vec();
    ask.sort_unstable();
    ask.dedup();
    let keys: Vec<[Value<'_>; 3]> =
        ask.iter().map(|(k, id)| [connection.into(), k.as_str().into(), (*id).into()]).collect();
    let refs: Vec<&[Value<'_>]> = keys.iter().map(|k| &k[..]).collect();
    let mut out = All::with_capacity(ask.len());
    if refs.is_empty() {
        return Ok(out);
    }
    tx.lookup(&BY_ID, &refs, &mut |at, row| {
        let (kind, external_id) = (ask[at].0, ask[at].1.to_string());
        let known = Known {
            kind,
            external_id: external_id.clone(),
            catalogue: row.text(0)?.into(),
            product_id: row.text(1)?.into(),
            variant_no: row.int(2)?,
            article: row.text(3)?.into(),
            barcode: row.text(4)?.into(),
            service: row.int(5)? != 0,
            state: IdState::parse(row.text(6)?),
            seen_at: row.int(7)?,
        };
        out.insert((kind, external_id), known);
        Ok(())
    })?;
    Ok(out)
}

/// Writes ids.
pub fn put<'a>(tx: &mut Tx, connection: i64, all: impl IntoIterator<Item = &'a Known>) -> Result<(), DbError> {
    let rows: Vec<[Value<'_>; 11]> = all
        .into_iter()
        .map(|k| {
            [
                connection.into(),
                k.kind.as_str().into(),
                (&k.external_id).into(),
                (&k.catalogue).into(),
                (&k.product_id).into(),
                k.variant_no.into(),
                (&k.article).into(),
                (&k.barcode).into(),
                i64::from(k.service).into(),
                k.state.as_str().into(),
                k.seen_at.into(),
            ]
        })
        .collect();
    if rows.is_empty() { Ok(()) } else { tx.upsert_many(&IDS, &rows.iter().map(|r| &r[..]).collect::<Vec<_>>()) }
}

/// The ids there of variants here, live ones.
pub fn of_variants(tx: &mut Tx, connection: i64, variants: &[i64]) -> Result<HashMap<i64, String>, DbError> {
    static BY_VARIANT: Lookup = Lookup {
        table: "erp_ids",
        keys: &[("connection_id", 'i'), ("variant_no", 'i')],
        columns: "external_id, state",
        order: "external_id",
    };
    let mut ask: Vec<i64> = variants.iter().copied().filter(|no| *no != 0).collect();
    ask.sort_unstable();
    ask.dedup();
    let keys: Vec<[Value<'_>; 2]> = ask.iter().map(|no| [connection.into(), (*no).into()]).collect();
    let refs: Vec<&[Value<'_>]> = keys.iter().map(|k| &k[..]).collect();
    let mut out = HashMap::new();
    if refs.is_empty() {
        return Ok(out);
    }
    tx.lookup(&BY_VARIANT, &refs, &mut |at, row| {
        if row.text(1)? != "moved" {
            out.entry(ask[at]).or_insert(row.text(0)?.to_string());
        }
        Ok(())
    })?;
    Ok(out)
}
