//! The schema of a database as text, so that a test can keep it and see what changed.
use crate::{Dialect, Engine};

/// The schema, one line a column, index or constraint, in an order that does not depend on how it came to be.
pub fn schema(db: &mut Engine) -> String {
    let sql = match db.dialect() {
        Dialect::Sqlite => {
            "SELECT m.name || '.' || c.name || ' ' || c.type || CASE WHEN c.\"notnull\" = 1 THEN ' NOT NULL' ELSE '' END \
             || COALESCE(' DEFAULT ' || c.dflt_value, '') || CASE WHEN c.pk > 0 THEN ' KEY ' || c.pk ELSE '' END \
             FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' \
             UNION ALL SELECT COALESCE(sql, name || ' ON ' || tbl_name) FROM sqlite_master \
             WHERE type NOT IN ('table') AND name NOT LIKE 'sqlite_%' \
             UNION ALL SELECT 'TABLE ' || name || CASE WHEN sql LIKE '%WITHOUT ROWID%' THEN ' WITHOUT ROWID' ELSE '' END \
             FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        }
        Dialect::Postgres => {
            "SELECT c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) \
             || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END || COALESCE(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '') \
             FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r' \
             JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public' \
             LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE a.attnum > 0 AND NOT a.attisdropped \
             UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' \
             UNION ALL SELECT 'TABLE ' || tablename FROM pg_tables WHERE schemaname = 'public'"
        }
    };
    let rows = db.rows(sql, &[]).expect("the engine knows its schema");
    let mut lines: Vec<String> =
        rows.iter().map(|row| row.text(0).expect("a text").split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    lines.sort();
    lines.join("\n") + "\n"
}
