//! Checks of the books of prices.
use super::model::Entry;
use super::store::{VariantPrices, load_lists};
use db::{DbError, Engine, Table};

/// Something that is not as it should be: which variant, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub subject: String,
    pub detail: String,
}

const VARIANTS: i64 = 1000;

/// Checks all prices: of one variant, list, currency and quantity no two hold at the same time, no time is upside down, every
/// list and change that an entry names is there.
pub fn check(db: &mut Engine) -> Result<Vec<Finding>, DbError> {
    let lists = load_lists(db)?;
    let mut out = Vec::new();
    let mut after = i64::MIN;
    loop {
        let sql = "SELECT DISTINCT variant_no FROM price_entries WHERE variant_no > $1 ORDER BY variant_no LIMIT $2";
        let rows = db.rows(sql, &[after.into(), VARIANTS.into()])?;
        let variants: Vec<i64> = rows.iter().map(|r| r.int(0)).collect::<Result<_, _>>()?;
        let Some(last) = variants.last() else { break };
        after = *last;
        for (variant, entries) in VariantPrices::load_many(db, &variants)? {
            let known = |id: i64| id == super::model::BASE || lists.find(id).is_some();
            out.extend(of_variant(variant, &entries.unwrap_or_default(), &known));
        }
    }
    let sql = "SELECT e.id FROM price_entries e LEFT JOIN price_changes c ON c.id = e.change_id WHERE c.id IS NULL ORDER BY e.id LIMIT 100";
    for row in db.rows(sql, &[])? {
        let subject = format!("price entry {}", row.int(0)?);
        out.push(Finding { subject, detail: "nothing says who set it".into() });
    }
    Ok(out)
}

/// What is wrong with the entries of one variant.
pub fn of_variant(variant: i64, entries: &[Entry], known: &dyn Fn(i64) -> bool) -> Vec<Finding> {
    let mut out = Vec::new();
    let mut found = |detail: String| out.push(Finding { subject: format!("variant {variant}"), detail });
    for (nth, entry) in entries.iter().enumerate() {
        if entry.starts_at > entry.ends_at {
            found(format!("price entry {} ends before it begins", entry.id));
        }
        if !known(entry.list) {
            found(format!("price entry {} names the list {}, which is not there", entry.id, entry.list));
        }
        let live = |e: &&Entry| e.starts_at < e.ends_at;
        for other in entries[nth + 1..].iter().filter(live).filter(|_| live(&entry)) {
            if other.key() == entry.key() && other.starts_at < entry.ends_at && entry.starts_at < other.ends_at {
                found(format!("price entries {} and {} hold at the same time", entry.id, other.id));
            }
        }
    }
    out
}
