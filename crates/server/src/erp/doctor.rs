//! Whether the books of exchanges agree.
use db::{DbError, Location, Sync};

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub check: &'static str,
    /// Of what.
    pub subject: String,
    /// How.
    pub detail: &'static str,
}

/// Rows told of one kind.
const TOLD: i64 = 20;

const RULES: [(&str, &str, &str); 5] = [
    (
        "erp.ids",
        "SELECT i.external_id FROM erp_ids i WHERE i.kind = 'variant' AND i.state <> 'moved' \
         AND NOT EXISTS (SELECT 1 FROM variants v WHERE v.no = i.variant_no) ORDER BY i.external_id LIMIT $1",
        "its variant is missing",
    ),
    (
        "erp.ids",
        "SELECT i.external_id FROM erp_ids i WHERE i.kind = 'product' \
         AND NOT EXISTS (SELECT 1 FROM products p WHERE p.id = i.product_id) ORDER BY i.external_id LIMIT $1",
        "its product is missing",
    ),
    (
        "erp.ids",
        "SELECT MIN(external_id) FROM erp_ids WHERE kind = 'variant' AND state = 'live' GROUP BY connection_id, variant_no \
         HAVING COUNT(*) > 1 ORDER BY MIN(external_id) LIMIT $1",
        "several offers are one variant",
    ),
    (
        "erp.exchanges",
        "SELECT CAST(id AS TEXT) FROM erp_exchanges e WHERE NOT EXISTS (SELECT 1 FROM erp_connections c WHERE c.id = e.connection_id) \
         ORDER BY id LIMIT $1",
        "its connection is missing",
    ),
    (
        "erp.orders",
        "SELECT name FROM erp_connections WHERE told_upto > sent_upto OR acked < 0 ORDER BY name LIMIT $1",
        "more was confirmed than was sent",
    ),
];

/// Looks at everything; a few findings of each kind.
pub fn check(location: &Location) -> Result<Vec<Finding>, DbError> {
    let mut db = location.open(Sync::UnsafeFast, true)?;
    let mut out = Vec::new();
    for (check, sql, detail) in RULES {
        for row in db.rows(sql, &[TOLD.into()])? {
            out.push(Finding { check, subject: row.text(0)?.to_string(), detail });
        }
    }
    Ok(out)
}
