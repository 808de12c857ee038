//! What a whole exchange no longer has: archived here, never deleted, and not without asking where it is much.
use super::connections::Connection;
use super::journal::{Level, Place, note};
use super::source;
use catalog::commands::put_products_by;
use catalog::model::{ProductInput, ProductState};
use db::{DbError, Tx};

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vanished {
    /// So many were archived.
    Archived(i64),
    /// So many of so many would be: somebody has to say so first.
    Asked(i64, i64),
    /// No whole list of goods was seen to its end.
    NotWhole,
}

/// Archives goods of a connection that were not seen since a moment. `confirmed`: somebody said so, however many they are.
pub fn deactivate(
    tx: &mut Tx,
    connection: &Connection,
    exchange: i64,
    since_us: i64,
    confirmed: bool,
) -> Result<Vanished, DbError> {
    let sql = "SELECT whole FROM erp_exchanges WHERE id = $1 AND connection_id = $2";
    let whole = tx.first(sql, &[exchange.into(), connection.id.into()])?.map(|r| r.int(0)).transpose()?;
    if whole != Some(1) {
        return Ok(Vanished::NotWhole);
    }
    let sql = "SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN seen_at < $2 THEN 1 ELSE 0 END), 0) AS BIGINT) FROM erp_ids \
               WHERE connection_id = $1 AND kind = 'product' AND state = 'live'";
    let row = tx.first(sql, &[connection.id.into(), since_us.into()])?;
    let (all, gone) = row.map_or(Ok((0, 0)), |r| Ok::<_, DbError>((r.int(0)?, r.int(1)?)))?;
    let place = Place { connection_id: connection.id, exchange_id: exchange, file: String::new() };
    if !confirmed && gone * 100 > all * connection.settings.vanish_percent {
        let asked = format!("{gone} of {all}");
        let sql = "UPDATE erp_exchanges SET asked = $2 WHERE id = $1";
        tx.execute(sql, &[exchange.into(), (&asked).into()])?;
        let what =
            format!("{gone} of {all} goods are not in the whole list any more: confirm that they are to be archived");
        note(tx, &place, Level::Failed, 0, "goods", &what);
        tx.notify(db::Notice::Changed { what: "erp" });
        return Ok(Vanished::Asked(gone, all));
    }
    let actor = source(connection);
    let mut archived = 0;
    loop {
        let sql = "SELECT external_id, product_id FROM erp_ids WHERE connection_id = $1 AND kind = 'product' AND state = 'live' \
                   AND seen_at < $2 ORDER BY external_id LIMIT 1000";
        let rows = tx.rows(sql, &[connection.id.into(), since_us.into()])?;
        if rows.is_empty() {
            break;
        }
        let mut inputs = Vec::with_capacity(rows.len());
        for row in &rows {
            let (id, state) = (row.text(1)?.to_string(), Some(ProductState::Archived));
            inputs.push(ProductInput { id, state, ..ProductInput::default() });
            note(tx, &place, Level::Note, 0, row.text(0)?, "not in the whole list any more: archived");
        }
        put_products_by(tx, &actor, &inputs)?;
        let last = rows.last().map(|r| r.text(0)).transpose()?.unwrap_or_default().to_string();
        let sql = "UPDATE erp_ids SET state = 'gone' WHERE connection_id = $1 AND kind = 'product' AND state = 'live' \
                   AND seen_at < $2 AND external_id <= $3";
        tx.execute(sql, &[connection.id.into(), since_us.into(), (&last).into()])?;
        archived += rows.len() as i64;
    }
    tx.execute("UPDATE erp_exchanges SET asked = '' WHERE id = $1", &[exchange.into()])?;
    Ok(Vanished::Archived(archived))
}
