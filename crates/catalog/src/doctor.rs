//! What `doctor` checks of the catalogue.
use crate::gtin::Gtin;
use crate::schema::Schema;
use crate::{products, recount};
use db::{DbError, Engine};

/// Products read at once.
const PAGE: i64 = 1_000;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub check: &'static str,
    pub subject: String,
    pub detail: String,
}

fn finding(check: &'static str, subject: impl ToString, detail: impl Into<String>) -> Finding {
    Finding { check, subject: subject.to_string(), detail: detail.into() }
}

/// Checks the catalogue of a store.
pub fn check(db: &mut Engine) -> Result<Vec<Finding>, DbError> {
    let mut out = Vec::new();
    orphans(db, &mut out)?;
    gtins(db, &mut out)?;
    sets(db, &mut out)?;
    counted(db, &mut out)?;
    Ok(out)
}

fn orphans(db: &mut Engine, out: &mut Vec<Finding>) -> Result<(), DbError> {
    let sql = "SELECT v.no, v.sku FROM variants v LEFT JOIN products p ON p.no = v.product_no WHERE p.no IS NULL ORDER BY v.no LIMIT 200";
    for row in db.rows(sql, &[])? {
        out.push(finding("catalog.orphan", row.text(1)?, format!("variant {} belongs to no product", row.int(0)?)));
    }
    Ok(())
}

fn gtins(db: &mut Engine, out: &mut Vec<Finding>) -> Result<(), DbError> {
    let sql = "SELECT gtin, CAST(COUNT(*) AS BIGINT) FROM variants WHERE gtin <> '' GROUP BY gtin HAVING COUNT(*) > 1 ORDER BY gtin LIMIT 200";
    for row in db.rows(sql, &[])? {
        out.push(finding("catalog.gtin", row.text(0)?, format!("{} variants have one GTIN", row.int(1)?)));
    }
    let mut after = 0i64;
    loop {
        let sql = "SELECT sku, gtin, no FROM variants WHERE gtin <> '' AND no > $1 ORDER BY no LIMIT $2";
        let rows = db.rows(sql, &[after.into(), PAGE.into()])?;
        for row in &rows {
            if Gtin::parse(row.text(1)?).is_err() {
                out.push(finding("catalog.gtin", row.text(0)?, format!("{:?} is no GTIN", row.text(1)?)));
            }
        }
        match rows.last() {
            Some(last) if rows.len() as i64 == PAGE => after = last.int(2)?,
            _ => return Ok(()),
        }
    }
}

/// Sets that hold themselves, and parts that are no variants.
fn sets(db: &mut Engine, out: &mut Vec<Finding>) -> Result<(), DbError> {
    let sql = "SELECT b.bundle_no, b.part_no FROM bundle_parts b LEFT JOIN variants v ON v.no = b.part_no WHERE v.no IS NULL ORDER BY b.bundle_no, b.part_no LIMIT 200";
    for row in db.rows(sql, &[])? {
        out.push(finding("catalog.set", row.int(0)?, format!("its part {} is no variant", row.int(1)?)));
    }
    let mut parts: std::collections::BTreeMap<i64, Vec<i64>> = std::collections::BTreeMap::new();
    for row in db.rows("SELECT bundle_no, part_no FROM bundle_parts ORDER BY bundle_no, part_no", &[])? {
        parts.entry(row.int(0)?).or_default().push(row.int(1)?);
    }
    for bundle in parts.keys() {
        let (mut seen, mut at) = (vec![*bundle], 0);
        while at < seen.len() {
            for part in parts.get(&seen[at]).into_iter().flatten() {
                if part == bundle {
                    out.push(finding("catalog.set", bundle, "the set is a part of itself"));
                    at = seen.len();
                    break;
                }
                if !seen.contains(part) {
                    seen.push(*part);
                }
            }
            at += 1;
        }
    }
    Ok(())
}

/// Completeness that is not what the rule says, unless a job counts it anew just now.
fn counted(db: &mut Engine, out: &mut Vec<Finding>) -> Result<(), DbError> {
    let open = "SELECT id FROM jobs WHERE kind = $1 AND state IN ('queued', 'running', 'stopped') LIMIT 1";
    if db.first(open, &[recount::KIND.into()])?.is_some() {
        return Ok(());
    }
    let schema = Schema::load(db)?;
    if schema.families.is_empty() {
        return Ok(());
    }
    let mut after = 0i64;
    loop {
        let sql = "SELECT no FROM products WHERE no > $1 ORDER BY no LIMIT $2";
        let nos: Vec<i64> =
            db.rows(sql, &[after.into(), PAGE.into()])?.iter().map(|r| r.int(0)).collect::<Result<_, _>>()?;
        for product in products::by_nos(db, &nos)?.into_iter().flatten() {
            if recount::disagrees(&schema, &product) {
                out.push(finding("catalog.completeness", &product.id, "completeness is not what the family wants"));
            }
        }
        match nos.last() {
            Some(last) if nos.len() as i64 == PAGE => after = *last,
            _ => return Ok(()),
        }
    }
}
