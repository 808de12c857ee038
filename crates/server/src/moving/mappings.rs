//! Saved mappings: what the columns of a system's files mean, by name, every version kept; found again by the columns' names.
use base::Timestamp;
use db::{DbError, Engine, Tx};
use exchange::mapping::{Kind, Mapping};
use exchange::rows::Layout;
use exchange::suggest::plain;
use sha2::{Digest, Sha256};

/// Saved mappings, at most.
pub const SAVED_MAX: i64 = 500;

/// The same for the same columns, whatever their order, case and signs.
pub fn fingerprint(columns: &[String]) -> String {
    let mut names: Vec<String> = columns.iter().map(|c| plain(c)).collect();
    names.sort();
    names.dedup();
    crate::secrets::hex(&Sha256::digest(names.join("\n"))[..16])
}

/// A saved mapping in its newest version.
#[derive(Debug, Clone, PartialEq)]
pub struct Saved {
    pub id: i64,
    pub name: String,
    pub kind: Kind,
    /// The source that its files are of.
    pub source: String,
    pub version: i64,
    pub fingerprint: String,
    pub layout: Layout,
    pub mapping: Mapping,
    pub actor: String,
    pub created_at: Timestamp,
}

const COLUMNS: &str = "m.id, m.name, m.source, m.version, v.fingerprint, v.layout, v.mapping, v.actor, v.created_at";
const FROM: &str = "saved_mappings m JOIN saved_mapping_versions v ON v.mapping_id = m.id";

fn saved(r: &db::Row) -> Result<Saved, DbError> {
    let damaged = |e: serde_json::Error| DbError::damaged("saved_mapping_versions", e);
    let mapping: Mapping = serde_json::from_str(r.text(6)?).map_err(damaged)?;
    Ok(Saved {
        id: r.int(0)?,
        name: r.text(1)?.into(),
        kind: mapping.kind,
        source: r.text(2)?.into(),
        version: r.int(3)?,
        fingerprint: r.text(4)?.into(),
        layout: serde_json::from_str(r.text(5)?).map_err(damaged)?,
        mapping,
        actor: r.text(7)?.into(),
        created_at: Timestamp::from_micros(r.int(8)?),
    })
}

/// The newest versions, by name.
pub fn list(db: &mut Engine) -> Result<Vec<Saved>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM {FROM} AND v.version = m.version WHERE m.archived_at = 0 ORDER BY m.name, m.id LIMIT $1"
    );
    db.rows(&sql, &[SAVED_MAX.into()])?.iter().map(saved).collect()
}

/// One in its newest version.
pub fn find(db: &mut Engine, id: i64) -> Result<Option<Saved>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM {FROM} AND v.version = m.version WHERE m.id = $1 AND m.archived_at = 0");
    db.first(&sql, &[id.into()])?.as_ref().map(saved).transpose()
}

/// All versions of one, the newest first; `version` is each one's own.
pub fn versions(db: &mut Engine, id: i64) -> Result<Vec<Saved>, DbError> {
    let sql = format!(
        "SELECT {} FROM {FROM} WHERE m.id = $1 ORDER BY v.version DESC LIMIT 200",
        COLUMNS.replace("m.version", "v.version")
    );
    db.rows(&sql, &[id.into()])?.iter().map(saved).collect()
}

/// Those whose files had the same columns; then those whose columns a file has nearly all.
pub fn fitting(all: Vec<Saved>, columns: &[String]) -> Vec<(Saved, bool)> {
    let own = fingerprint(columns);
    let fits = |saved: &Saved| {
        let needed = saved.mapping.columns.len();
        let there = saved.mapping.columns.keys().filter(|c| columns.contains(c)).count();
        needed > 0 && there * 10 >= needed * 8
    };
    let mut out: Vec<(Saved, bool)> = all
        .into_iter()
        .filter(|s| s.fingerprint == own || fits(s))
        .map(|s| (s.fingerprint == own, s))
        .map(|(e, s)| (s, e))
        .collect();
    out.sort_by_key(|(saved, exact)| (!*exact, std::cmp::Reverse(saved.created_at)));
    out
}

/// A mapping to be saved.
#[derive(Debug, Clone)]
pub struct New {
    pub name: String,
    pub source: String,
    pub layout: Layout,
    pub mapping: Mapping,
}

/// Saves a mapping: a new name begins with version 1, a known one gets its next version unless nothing changed.
pub fn save(tx: &mut Tx, new: &New, actor: &str) -> Result<Saved, DbError> {
    let damaged = |e: serde_json::Error| DbError::damaged("saved_mapping_versions", e);
    let (layout, mapping) =
        (serde_json::to_string(&new.layout).map_err(damaged)?, serde_json::to_string(&new.mapping).map_err(damaged)?);
    let now = tx.now().micros();
    let kind = new.mapping.kind.as_str();
    let known = tx.first("SELECT id, version FROM saved_mappings WHERE name = $1", &[(&new.name).into()])?;
    let (id, version) = match known {
        None => {
            let id = tx.next_id();
            let sql = "INSERT INTO saved_mappings (id, name, kind, source, version, archived_at) VALUES ($1, $2, $3, $4, 1, 0)";
            tx.execute(sql, &[id.into(), (&new.name).into(), kind.into(), (&new.source).into()])?;
            (id, 1)
        }
        Some(row) => {
            let (id, version) = (row.int(0)?, row.int(1)?);
            if let Some(newest) = find(tx.engine(), id)?
                && newest.layout == new.layout
                && newest.mapping == new.mapping
                && newest.source == new.source
            {
                return Ok(newest);
            }
            let sql = "UPDATE saved_mappings SET kind = $2, source = $3, version = $4, archived_at = 0 WHERE id = $1";
            tx.execute(sql, &[id.into(), kind.into(), (&new.source).into(), (version + 1).into()])?;
            (id, version + 1)
        }
    };
    let print = fingerprint(&new.layout.columns);
    let sql = "INSERT INTO saved_mapping_versions (mapping_id, version, fingerprint, layout, mapping, actor, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let row =
        [id.into(), version.into(), (&print).into(), (&layout).into(), (&mapping).into(), actor.into(), now.into()];
    tx.execute(sql, &row)?;
    find(tx.engine(), id)?.ok_or_else(|| DbError::damaged("saved_mappings", "a new row is gone"))
}

/// Puts one away; its versions stay.
pub fn archive(tx: &mut Tx, id: i64) -> Result<bool, DbError> {
    let now = tx.now().micros();
    let sql = "UPDATE saved_mappings SET archived_at = $2 WHERE id = $1 AND archived_at = 0";
    Ok(tx.execute(sql, &[id.into(), now.into()])? == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_known_again_in_any_order_and_dress() {
        let names = |text: &str| text.split(',').map(str::to_string).collect::<Vec<_>>();
        let one = fingerprint(&names("E-mail,First Name,Phone"));
        assert_eq!(one, fingerprint(&names("phone,email,first_name")));
        assert_ne!(one, fingerprint(&names("phone,email")));
    }
}
