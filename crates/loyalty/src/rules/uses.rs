//! How often promotions were used, by order: what limits need.
use db::{DbError, Tx};
use std::collections::BTreeMap;

/// Notes that an order used promotions; a repeat changes nothing. `account` 0: nobody known.
pub fn note(tx: &mut Tx, document: &str, account: i64, promotions: &[String]) -> Result<(), DbError> {
    let now = tx.now().micros();
    for promotion in promotions {
        let sql = "SELECT promotion FROM promotion_uses WHERE promotion = $1 AND document = $2";
        if tx.first(sql, &[promotion.into(), document.into()])?.is_some() {
            continue;
        }
        tx.execute(
            "INSERT INTO promotion_uses (promotion, document, account, at) VALUES ($1, $2, $3, $4)",
            &[promotion.into(), document.into(), account.into(), now.into()],
        )?;
        count(tx, promotion, 1)?;
    }
    Ok(())
}

/// Promotions that an order used.
pub fn of_document(tx: &mut Tx, document: &str) -> Result<Vec<String>, DbError> {
    let rows =
        tx.rows("SELECT promotion FROM promotion_uses WHERE document = $1 ORDER BY promotion", &[document.into()])?;
    rows.iter().map(|r| Ok(r.text(0)?.to_string())).collect()
}

/// Gives back the uses of an order that was called off.
pub fn release(tx: &mut Tx, document: &str) -> Result<Vec<String>, DbError> {
    let used = of_document(tx, document)?;
    if used.is_empty() {
        return Ok(used);
    }
    tx.execute("DELETE FROM promotion_uses WHERE document = $1", &[document.into()])?;
    for promotion in &used {
        count(tx, promotion, -1)?;
    }
    Ok(used)
}

fn count(tx: &mut Tx, promotion: &str, by: i64) -> Result<(), DbError> {
    let sql = "INSERT INTO promotion_totals (promotion, used) VALUES ($1, $2) ON CONFLICT (promotion) DO UPDATE SET used = promotion_totals.used + excluded.used";
    tx.execute(sql, &[promotion.into(), by.into()]).map(drop)
}

/// Uses in all of these promotions: those that have a limit.
pub fn totals(tx: &mut Tx, promotions: &[String]) -> Result<BTreeMap<String, i64>, DbError> {
    let mut out = BTreeMap::new();
    for promotion in promotions {
        let sql = "SELECT used FROM promotion_totals WHERE promotion = $1";
        if let Some(row) = tx.first(sql, &[promotion.into()])? {
            out.insert(promotion.clone(), row.int(0)?);
        }
    }
    Ok(out)
}

/// Uses of a person, whose accounts these are, by promotion.
pub fn of_person(tx: &mut Tx, accounts: &[i64]) -> Result<BTreeMap<String, i64>, DbError> {
    let mut out = BTreeMap::new();
    for account in accounts {
        let sql = "SELECT promotion, CAST(COUNT(*) AS BIGINT) FROM promotion_uses WHERE account = $1 GROUP BY promotion ORDER BY promotion LIMIT 10000";
        for row in tx.rows(sql, &[(*account).into()])? {
            *out.entry(row.text(0)?.to_string()).or_insert(0) += row.int(1)?;
        }
    }
    Ok(out)
}
