//! Tables as people arranged them: one's own, and those that everybody sees.
use db::{DbError, Engine, Row, Tx};

/// Views of one page that somebody sees, at most.
pub const MAX: i64 = 200;

/// A view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedView {
    pub id: i64,
    /// The page that it is of, as the console names it.
    pub page: String,
    pub name: String,
    /// Who made it, as the audit names them.
    pub owner: String,
    /// Whether everybody sees it.
    pub shared: bool,
    /// JSON that the console understands.
    pub state: String,
    pub version: i64,
}

/// Whether somebody may change a view: its owner, and of shared ones whoever looks after the shop.
pub fn may_change(view: &SavedView, actor: &str, keeps_shop: bool) -> bool {
    view.owner == actor || (view.shared && keeps_shop)
}

const COLUMNS: &str = "id, page, name, owner, shared, state, version";

fn read(row: &Row) -> Result<SavedView, DbError> {
    Ok(SavedView {
        id: row.int(0)?,
        page: row.text(1)?.into(),
        name: row.text(2)?.into(),
        owner: row.text(3)?.into(),
        shared: row.int(4)? != 0,
        state: row.text(5)?.into(),
        version: row.int(6)?,
    })
}

/// Views of a page that somebody sees, oldest first.
pub fn list(db: &mut Engine, page: &str, actor: &str) -> Result<Vec<SavedView>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM saved_views WHERE page = $1 AND (shared = 1 OR owner = $2) ORDER BY id LIMIT {MAX}"
    );
    db.rows(&sql, &[page.into(), actor.into()])?.iter().map(read).collect()
}

/// A view by number.
pub fn find(tx: &mut Tx, id: i64) -> Result<Option<SavedView>, DbError> {
    tx.first(&format!("SELECT {COLUMNS} FROM saved_views WHERE id = $1"), &[id.into()])?.map(|r| read(&r)).transpose()
}

/// Writes a view, new or changed.
pub fn put(tx: &mut Tx, view: &SavedView) -> Result<(), DbError> {
    let now = tx.now().micros();
    let sql = "INSERT INTO saved_views (id, page, name, owner, shared, state, version, updated_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
               ON CONFLICT (id) DO UPDATE SET name = excluded.name, shared = excluded.shared, state = excluded.state, \
               version = excluded.version, updated_at = excluded.updated_at";
    let params = [
        view.id.into(),
        (&view.page).into(),
        (&view.name).into(),
        (&view.owner).into(),
        i64::from(view.shared).into(),
        (&view.state).into(),
        view.version.into(),
        now.into(),
    ];
    tx.execute(sql, &params).map(drop)
}

/// Forgets a view.
pub fn delete(tx: &mut Tx, id: i64) -> Result<(), DbError> {
    tx.execute("DELETE FROM saved_views WHERE id = $1", &[id.into()]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ones_own_views_are_ones_own() {
        let view = |shared| SavedView {
            id: 1,
            page: "customers".into(),
            name: "Loyal".into(),
            owner: "a".into(),
            shared,
            state: "{}".into(),
            version: 1,
        };
        assert!(may_change(&view(false), "a", false) && may_change(&view(true), "a", false));
        assert!(!may_change(&view(false), "b", true), "not even an owner changes what only one person sees");
        assert!(may_change(&view(true), "b", true) && !may_change(&view(true), "b", false));
    }
}
