//! Tables whose rows are texts: each row is looked at once, and emptied where it names the person.
use super::Work;
use customers::privacy::needles::Needles;
use db::{DbError, Tx};

/// Rows that one piece looks at.
pub const ROWS: i64 = 500;

/// A table with texts.
pub(super) struct Table {
    /// The crate that makes it; a store without that room has no such table.
    owner: &'static str,
    /// Key and texts of the rows after a key, `$1`, at most `$2`.
    read: &'static str,
    /// Empties the row of a key.
    empty: &'static str,
}

pub(super) const TABLES: [Table; 28] = [
    Table {
        owner: "db",
        read: "SELECT id, raw, detail, envelope, message_id, event FROM rejects WHERE id > $1 ORDER BY id LIMIT $2",
        empty: "UPDATE rejects SET raw = '', detail = 'erased', envelope = '', message_id = '', event = '', whole = 0 WHERE id = $1",
    },
    Table {
        owner: "server",
        read: "SELECT id, COALESCE(before, ''), COALESCE(after, ''), subject FROM audit WHERE id > $1 AND chain = '' ORDER BY id LIMIT $2",
        // What was done, when and by whom stays: that is what the audit is for. Lines of the chain are the server's sweep.
        empty: "UPDATE audit SET before = NULL, after = NULL, \
                subject = CASE WHEN subject_kind = 'customer' THEN subject ELSE 'erased' END WHERE id = $1",
    },
    Table {
        owner: "customers",
        read: "SELECT id, who, contact, note FROM privacy_requests WHERE id > $1 ORDER BY id LIMIT $2",
        empty: "UPDATE privacy_requests SET who = 'erased', contact = '', note = '' WHERE id = $1",
    },
    Table {
        owner: "server",
        read: "SELECT id, item, there, here, why, note FROM compare_differences WHERE id > $1 ORDER BY id LIMIT $2",
        // That there was a difference, and of which kind, stays.
        empty: "UPDATE compare_differences SET item = 'erased', there = '', here = '', why = '', note = '' WHERE id = $1",
    },
    // That somebody decided, what and when, stays; reasons may name people.
    Table {
        owner: "server",
        read: "SELECT id, reason FROM compare_decisions WHERE id > $1 ORDER BY id LIMIT $2",
        empty: "UPDATE compare_decisions SET reason = 'erased' WHERE id = $1",
    },
    Table {
        owner: "server",
        read: "SELECT id, reason FROM rollout_decisions WHERE id > $1 ORDER BY id LIMIT $2",
        empty: "UPDATE rollout_decisions SET reason = 'erased' WHERE id = $1",
    },
    // What goes out to other systems: texts about others may name the person too.
    Table {
        owner: "server",
        read: "SELECT id, body FROM webhook_messages WHERE id > $1 ORDER BY id LIMIT $2",
        empty: "UPDATE webhook_messages SET body = '' WHERE id = $1",
    },
    Table {
        owner: "server",
        read: "SELECT id, answer, error FROM webhook_attempts WHERE id > $1 ORDER BY id LIMIT $2",
        empty: "UPDATE webhook_attempts SET answer = '', error = 'erased' WHERE id = $1",
    },
    Table {
        owner: "server",
        // Notes about others that name the person; those about the person went at once ([`forget_staff`]).
        read: "SELECT id, body FROM notes WHERE id > $1 ORDER BY id LIMIT $2",
        empty: "UPDATE notes SET body = 'erased' WHERE id = $1",
    },
    Table {
        owner: "server",
        read: "SELECT id, state, name FROM saved_views WHERE id > $1 ORDER BY id LIMIT $2",
        empty: "DELETE FROM saved_views WHERE id = $1",
    },
    Table {
        owner: "server",
        read: "SELECT id, title FROM bulk_edits WHERE id > $1 ORDER BY id LIMIT $2",
        empty: "UPDATE bulk_edits SET title = 'erased' WHERE id = $1",
    },
    // What people wrote beside goods; that goods moved, and who moved them, stays.
    Table {
        owner: "stock",
        read: "SELECT no, note FROM stock_documents WHERE no > $1 AND note <> '' ORDER BY no LIMIT $2",
        empty: "UPDATE stock_documents SET note = '' WHERE no = $1",
    },
    Table {
        owner: "stock",
        read: "SELECT no, note FROM transfers WHERE no > $1 ORDER BY no LIMIT $2",
        empty: "UPDATE transfers SET note = '' WHERE no = $1",
    },
    Table {
        owner: "stock",
        read: "SELECT no, note FROM stock_counts WHERE no > $1 ORDER BY no LIMIT $2",
        empty: "UPDATE stock_counts SET note = '' WHERE no = $1",
    },
    Table {
        owner: "stock",
        read: "SELECT no, note FROM purchase_orders WHERE no > $1 ORDER BY no LIMIT $2",
        empty: "UPDATE purchase_orders SET note = '' WHERE no = $1",
    },
    // For whom goods are kept, in the words of whoever asked.
    Table {
        owner: "stock",
        read: "SELECT no, owner FROM reservations WHERE no > $1 AND line = 0 ORDER BY no LIMIT $2",
        empty: "UPDATE reservations SET owner = 'erased' WHERE no = $1",
    },
    // Nobody is left to tell: they wait no more, and what is kept for them goes on when its time is over.
    Table {
        owner: "stock",
        read: "SELECT no, contact FROM waiting WHERE no > $1 AND contact <> '' ORDER BY no LIMIT $2",
        empty: "UPDATE waiting SET contact = '', state = CASE WHEN state IN ('waiting', 'told') THEN 'left' ELSE state END \
                WHERE no = $1",
    },
    // What came back, and what money went back, stays; what was said beside it goes. What belongs to an order of the person is theirs, whatever
    // it says: so these go before the orders, which still say whose they are.
    Table {
        owner: "orders",
        read: "SELECT r.no, r.email, r.phone, r.name, r.note, r.answer, r.receipt, r.photos, COALESCE(o.email, ''), COALESCE(o.phone, ''), \
               COALESCE(o.user_id, ''), COALESCE(o.anonymous_id, '') FROM returns r LEFT JOIN orders o ON o.no = r.order_no \
               WHERE r.no > $1 ORDER BY r.no LIMIT $2",
        empty: "UPDATE returns SET email = '', phone = '', name = '', note = '', answer = '', receipt = '', photos = '[]' WHERE no = $1",
    },
    Table {
        owner: "orders",
        read: "SELECT c.no, c.note, c.answer, c.photos, COALESCE(o.email, ''), COALESCE(o.phone, ''), COALESCE(o.user_id, ''), \
               COALESCE(o.anonymous_id, '') FROM claims c LEFT JOIN orders o ON o.no = c.order_no WHERE c.no > $1 ORDER BY c.no LIMIT $2",
        empty: "UPDATE claims SET note = '', answer = '', photos = '[]' WHERE no = $1",
    },
    Table {
        owner: "orders",
        read: "SELECT a.no, a.note, a.outcome, COALESCE(o.email, ''), COALESCE(o.phone, ''), COALESCE(o.user_id, ''), \
               COALESCE(o.anonymous_id, '') FROM after_sale a LEFT JOIN orders o ON o.no = a.order_no WHERE a.no > $1 ORDER BY a.no LIMIT $2",
        empty: "UPDATE after_sale SET note = '', outcome = '' WHERE no = $1",
    },
    Table {
        owner: "orders",
        read: "SELECT f.no, f.why, COALESCE(o.email, ''), COALESCE(o.phone, ''), COALESCE(o.user_id, ''), COALESCE(o.anonymous_id, '') \
               FROM refunds f LEFT JOIN orders o ON o.no = f.order_no WHERE f.no > $1 ORDER BY f.no LIMIT $2",
        empty: "UPDATE refunds SET why = '' WHERE no = $1",
    },
    Table {
        owner: "orders",
        read: "SELECT n.no, n.note, COALESCE(c.email, ''), COALESCE(c.phone, ''), COALESCE(c.user_id, ''), COALESCE(c.anonymous_id, '') \
               FROM consultations n LEFT JOIN carts c ON c.no = n.cart_no WHERE n.no > $1 ORDER BY n.no LIMIT $2",
        empty: "UPDATE consultations SET note = '' WHERE no = $1",
    },
    // The stars stay, what was said goes, and nobody has to answer it any more.
    Table {
        owner: "orders",
        read: "SELECT w.no, w.name, w.title, w.text, w.answer, w.reason, COALESCE(o.email, ''), COALESCE(o.phone, ''), COALESCE(o.user_id, ''), \
               COALESCE(o.anonymous_id, '') FROM product_reviews w LEFT JOIN orders o ON o.no = w.order_no AND w.order_no > 0 \
               WHERE w.no > $1 ORDER BY w.no LIMIT $2",
        empty: "UPDATE product_reviews SET name = '', title = '', text = '', answer = '', reason = '', raised = 0 WHERE no = $1",
    },
    // Of orders of the person, what people wrote goes; of others, what names the person.
    Table {
        owner: "orders",
        read: "SELECT h.no, h.detail, CASE WHEN h.what = 'noted' THEN COALESCE(o.email, '') ELSE '' END, \
               CASE WHEN h.what = 'noted' THEN COALESCE(o.phone, '') ELSE '' END, \
               CASE WHEN h.what = 'noted' THEN COALESCE(o.user_id, '') ELSE '' END \
               FROM order_history h LEFT JOIN orders o ON o.no = h.order_no WHERE h.no > $1 ORDER BY h.no LIMIT $2",
        empty: "UPDATE order_history SET detail = '' WHERE no = $1",
    },
    // What was ordered and paid is a document of tax; who ordered it goes.
    Table {
        owner: "orders",
        read: "SELECT no, email, phone, name, address, user_id, anonymous_id FROM carts WHERE no > $1 ORDER BY no LIMIT $2",
        empty: "UPDATE carts SET email = '', phone = '', name = '', address = '', user_id = '', anonymous_id = '', person_id = 0 WHERE no = $1",
    },
    Table {
        owner: "orders",
        read: "SELECT no, email, phone, name, address, user_id, anonymous_id FROM orders WHERE no > $1 ORDER BY no LIMIT $2",
        empty: "UPDATE orders SET email = '', phone = '', name = '', address = '', user_id = '', anonymous_id = '', person_id = 0 WHERE no = $1",
    },
    // Who has the code can still pay with it.
    Table {
        owner: "orders",
        read: "SELECT no, email, phone FROM credit_accounts WHERE no > $1 ORDER BY no LIMIT $2",
        empty: "UPDATE credit_accounts SET email = '', phone = '' WHERE no = $1",
    },
    Table {
        owner: "orders",
        read: "SELECT no, why FROM credit_postings WHERE no > $1 ORDER BY no LIMIT $2",
        empty: "UPDATE credit_postings SET why = '' WHERE no = $1",
    },
];

/// Takes back what waits to be told about profiles to other systems, and forgets what was told. What is on its way at this
/// moment arrives.
pub fn webhooks(tx: &mut Tx, profiles: &[i64]) -> Result<(), DbError> {
    if !has(tx, "server")? {
        return Ok(());
    }
    let now = tx.now().micros();
    for profile in profiles {
        for sql in [
            "UPDATE webhook_attempts SET answer = '' WHERE answer <> '' AND delivery_id IN (SELECT d.id \
             FROM webhook_messages m JOIN webhook_deliveries d ON d.message_id = m.id WHERE m.profile_id = $1 AND m.profile_id > 0)",
            "UPDATE webhook_messages SET body = '' WHERE profile_id = $1 AND profile_id > 0",
        ] {
            tx.execute(sql, &[(*profile).into()])?;
        }
        stop_empty(tx, *profile, now)?;
    }
    Ok(())
}

/// Deliveries of emptied messages are over. An attempt that is under way is settled by its answer, and is not repeated.
fn stop_empty(tx: &mut Tx, profile: i64, now: i64) -> Result<(), DbError> {
    tx.execute(
        "UPDATE webhook_deliveries SET state = 'dead', next_at = 0, last_error = 'erased', settled_at = $2 \
         WHERE next_at > 0 AND message_id IN (SELECT id FROM webhook_messages WHERE profile_id = $1 AND profile_id > 0)",
        &[profile.into(), now.into()],
    )
    .map(drop)
}

/// Looks at the next rows of a table; gives where to go on, `None` at its end.
pub fn table(tx: &mut Tx, work: &Work, at: usize, position: i64) -> Result<Option<i64>, DbError> {
    let Some(table) = TABLES.get(at) else { return Ok(None) };
    if !has(tx, table.owner)? {
        return Ok(None);
    }
    if at == 0 && position == 0 && has(tx, "server")? {
        answers(tx, &work.needles)?;
    }
    let mut next = None;
    for row in tx.rows(table.read, &[position.into(), ROWS.into()])? {
        let id = row.int(0)?;
        next = Some(id);
        let mut hit = false;
        for column in 1..row.0.len() {
            hit |= work.needles.hit(row.text(column)?);
        }
        if hit {
            tx.execute(table.empty, &[id.into()])?;
            forget_in_memory(tx, table.read, id)?;
        }
    }
    if table.read.contains("webhook_messages") {
        // Whatever was emptied just now has nothing to send.
        let now = tx.now().micros();
        tx.execute(
            "UPDATE webhook_deliveries SET state = 'dead', next_at = 0, last_error = 'erased', settled_at = $1 \
             WHERE next_at > 0 AND message_id IN (SELECT id FROM webhook_messages WHERE body = '')",
            &[now.into()],
        )?;
    }
    Ok(next)
}

/// Memory would write again what was emptied.
fn forget_in_memory(tx: &mut Tx, read: &str, id: i64) -> Result<(), DbError> {
    use std::sync::Arc;
    if read.contains("FROM reservations") {
        if let Some(row) = tx.get_mut::<stock::ReservationTable>(id)? {
            Arc::make_mut(row).owner = "erased".into();
        }
    } else if read.contains("FROM consultations") {
        if let Some(row) = tx.get_mut::<::orders::showroom::ConsultationTable>(id)? {
            Arc::make_mut(row).note.clear();
        }
    } else if read.contains("FROM carts") {
        if let Some(row) = tx.get_mut::<::orders::CartTable>(id)? {
            Arc::make_mut(row).contact = Default::default();
        }
    } else if read.contains("FROM orders") {
        if let Some(row) = tx.get_mut::<::orders::OrderTable>(id)? {
            Arc::make_mut(row).contact = Default::default();
        }
    } else {
        forget_after_sale(tx, read, id)?;
    }
    Ok(())
}

fn forget_after_sale(tx: &mut Tx, read: &str, id: i64) -> Result<(), DbError> {
    use ::orders::after::{CaseTable, ClaimTable, CreditTable, RefundTable, ReturnTable};
    use std::sync::Arc;
    if read.contains("FROM returns") {
        if let Some(row) = tx.get_mut::<ReturnTable>(id)? {
            let row = Arc::make_mut(row);
            row.contact = Default::default();
            (row.note, row.answer, row.receipt) = Default::default();
            row.photos.clear();
        }
    } else if read.contains("FROM claims") {
        if let Some(row) = tx.get_mut::<ClaimTable>(id)? {
            let row = Arc::make_mut(row);
            (row.note, row.answer) = Default::default();
            row.photos.clear();
        }
    } else if read.contains("FROM after_sale") {
        if let Some(row) = tx.get_mut::<CaseTable>(id)? {
            let row = Arc::make_mut(row);
            (row.note, row.outcome) = Default::default();
        }
    } else if read.contains("FROM refunds") {
        if let Some(row) = tx.get_mut::<RefundTable>(id)? {
            Arc::make_mut(row).why.clear();
        }
    } else if read.contains("FROM credit_accounts")
        && let Some(row) = tx.get_mut::<CreditTable>(id)?
    {
        let row = Arc::make_mut(row);
        (row.email, row.phone) = Default::default();
    }
    Ok(())
}

/// What staff wrote about a person and put to it: rows of the server that name a profile.
pub fn forget_staff(tx: &mut Tx, profiles: &[i64]) -> Result<(), DbError> {
    if tx.first("SELECT name FROM migrations WHERE owner = 'server' AND name = '0008_views'", &[])?.is_none() {
        return Ok(());
    }
    for profile in profiles {
        for table in ["notes", "customer_files", "bulk_edit_rows"] {
            tx.execute(&format!("DELETE FROM {table} WHERE profile_id = $1"), &[(*profile).into()])?;
        }
    }
    Ok(())
}

/// Prices that were somebody's alone hold for nobody from now on: a list a time, by its number.
pub fn price_lists(tx: &mut Tx, erasing: &super::Erasing<'_>, after: i64) -> Result<Option<i64>, DbError> {
    if !has(tx, "prices")? {
        return Ok(None);
    }
    let ids: Vec<String> = erasing.profiles.iter().map(i64::to_string).collect();
    // Ids stand as whole JSON texts, as the search for them wants it.
    let is_theirs =
        |text: &str| ids.iter().any(|id| id == text) || erasing.needles.hit(&serde_json::Value::from(text).to_string());
    catalog::prices::commands::forget_customer(tx, after, &is_theirs).map_err(|error| match error {
        catalog::prices::commands::PriceError::Store(error) => error,
        other => DbError::damaged("price_lists", other),
    })
}

fn has(tx: &mut Tx, owner: &str) -> Result<bool, DbError> {
    Ok(tx.first("SELECT step FROM migrations WHERE owner = $1 LIMIT 1", &[owner.into()])?.is_some())
}

/// Answers kept for repeats of requests: a day's worth at most, so all are looked at at once.
fn answers(tx: &mut Tx, needles: &Needles) -> Result<(), DbError> {
    let sql = "SELECT key, body FROM idempotency ORDER BY created_at DESC LIMIT 100000";
    for row in tx.rows(sql, &[])? {
        if needles.hit(row.text(1)?) {
            tx.execute("DELETE FROM idempotency WHERE key = $1", &[row.text(0)?.into()])?;
        }
    }
    Ok(())
}

/// Suppressed addresses of the person, whether or not a consent named them.
pub fn suppressed(tx: &mut Tx, needles: &Needles) -> Result<Vec<(String, String)>, DbError> {
    let mut out = Vec::new();
    for address in needles.addresses() {
        for row in tx.rows("SELECT channel, address FROM suppressions WHERE channel IN ('email', 'sms', 'viber', 'whatsapp', 'call') AND address IN ($1, $2)", &[address.into(), (&format!("+{address}")).into()])? {
            out.push((row.text(0)?.to_string(), row.text(1)?.to_string()));
        }
    }
    for account in needles.accounts() {
        for row in tx.rows("SELECT channel, address FROM suppressions WHERE channel IN ('viber', 'whatsapp', 'telegram', 'instagram', 'facebook') AND address = $1", &[account.into()])? {
            out.push((row.text(0)?.to_string(), row.text(1)?.to_string()));
        }
    }
    Ok(out)
}

/// Goes on suppressing an address that nobody can read any more.
pub fn hide_suppression(tx: &mut Tx, channel: &str, address: &str) -> Result<(), DbError> {
    let hidden = db::erase::hidden_address(tx.hash_key(), channel, address);
    tx.execute("DELETE FROM suppressions WHERE channel = $1 AND address = $2", &[channel.into(), (&hidden).into()])?;
    tx.execute(
        "UPDATE suppressions SET address = $3 WHERE channel = $1 AND address = $2",
        &[channel.into(), address.into(), (&hidden).into()],
    )
    .map(drop)
}
