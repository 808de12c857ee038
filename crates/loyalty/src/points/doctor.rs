//! Checks of the books of points.
use db::{DbError, Engine};

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub subject: String,
    pub detail: String,
}

const SHOWN: i64 = 100;

/// Checks that lines of every posting sum to zero, that what is left in a lot is what its lines say, and that postings have lines.
pub fn check(db: &mut Engine) -> Result<Vec<Finding>, DbError> {
    let mut out = Vec::new();
    let mut each = |sql: &str, what: &str, detail: &dyn Fn(i64, i64) -> String| -> Result<(), DbError> {
        for row in db.rows(sql, &[SHOWN.into()])? {
            let (id, amount, other) = (row.int(0)?, row.int(1)?, row.int(2)?);
            out.push(Finding { subject: format!("{what} {id}"), detail: detail(amount, other) });
        }
        Ok(())
    };
    let sql = "SELECT posting_id, CAST(SUM(points) AS BIGINT), CAST(COUNT(*) AS BIGINT) FROM points_lines GROUP BY posting_id HAVING SUM(points) <> 0 ORDER BY posting_id LIMIT $1";
    each(sql, "posting of points", &|sum, _| format!("its lines sum to {sum}, not to zero"))?;
    let sql = "SELECT o.id, o.remaining, CAST(COALESCE(SUM(l.points), 0) AS BIGINT) FROM points_lots o LEFT JOIN points_lines l ON l.lot_id = o.id GROUP BY o.id, o.remaining HAVING o.remaining <> COALESCE(SUM(l.points), 0) ORDER BY o.id LIMIT $1";
    each(sql, "lot of points", &|left, moved| format!("{left} points are left, its lines sum to {moved}"))?;
    let sql = "SELECT p.id, p.points, p.at FROM points_postings p LEFT JOIN points_lines l ON l.posting_id = p.id WHERE l.posting_id IS NULL ORDER BY p.id LIMIT $1";
    each(sql, "posting of points", &|points, _| format!("it moved {points} points without a line"))?;
    Ok(out)
}
