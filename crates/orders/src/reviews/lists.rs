//! Lists of reviews, read beside the writer.
use super::Review;
use super::commands::{COLUMNS, review};
use db::{DbError, Engine, Tx};

/// Which ones. Empty texts and zeros ask for all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Which {
    pub state: String,
    pub source: String,
    /// So many stars.
    pub rating: i64,
    pub product_no: i64,
    /// Only those without an answer of ours.
    pub unanswered: bool,
}

/// A review with the words around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub review: Review,
    pub raised: bool,
    pub product_id: String,
    pub product_name: String,
    /// As the customer knows it; empty: written elsewhere.
    pub order_number: String,
    /// The variant's; empty: none.
    pub sku: String,
}

/// Reviews after a place: those first that are negative and unanswered, then the newest.
pub fn reviews(db: &mut Engine, which: &Which, after: (i64, i64), limit: i64) -> Result<Vec<Item>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS}, r.raised, COALESCE(p.id, ''), COALESCE(p.name, ''), COALESCE(o.number, ''), COALESCE(v.sku, '') FROM product_reviews r \
         LEFT JOIN products p ON p.no = r.product_no LEFT JOIN orders o ON o.no = r.order_no AND r.order_no > 0 \
         LEFT JOIN variants v ON v.no = r.variant_no \
         WHERE (r.raised < $1 OR (r.raised = $1 AND r.no < $2)) AND (CAST($3 AS TEXT) = '' OR r.state = $3) \
         AND (CAST($4 AS TEXT) = '' OR r.source = $4) AND (CAST($5 AS BIGINT) = 0 OR r.rating = $5) \
         AND (CAST($6 AS BIGINT) = 0 OR r.product_no = $6) AND (CAST($7 AS BIGINT) = 0 OR r.answer = '') \
         ORDER BY r.raised DESC, r.no DESC LIMIT $8"
    );
    let rows = db.rows(
        &sql,
        &[
            after.0.into(),
            after.1.into(),
            (&which.state).into(),
            (&which.source).into(),
            which.rating.into(),
            which.product_no.into(),
            i64::from(which.unanswered).into(),
            limit.into(),
        ],
    )?;
    rows.iter()
        .map(|row| {
            Ok(Item {
                review: review(row)?,
                raised: row.int(21)? == 1,
                product_id: row.text(22)?.into(),
                product_name: row.text(23)?.into(),
                order_number: row.text(24)?.into(),
                sku: row.text(25)?.into(),
            })
        })
        .collect()
}

/// A review with the words around it, as a transaction sees it.
pub fn item(tx: &mut Tx, review: &Review) -> Result<Item, DbError> {
    let sql = "SELECT r.raised, COALESCE(p.id, ''), COALESCE(p.name, ''), COALESCE(v.sku, '') FROM product_reviews r \
               LEFT JOIN products p ON p.no = r.product_no LEFT JOIN variants v ON v.no = r.variant_no WHERE r.no = $1";
    let row = tx.first(sql, &[review.no.into()])?;
    let row = row.ok_or_else(|| DbError::damaged("product_reviews", format!("no {}", review.no)))?;
    let order = match review.bought {
        Some((no, _)) => tx.get::<crate::OrderTable>(no)?.map(|order| order.body.number.clone()),
        None => None,
    };
    Ok(Item {
        review: review.clone(),
        raised: row.int(0)? == 1,
        product_id: row.text(1)?.into(),
        product_name: row.text(2)?.into(),
        order_number: order.unwrap_or_default(),
        sku: row.text(3)?.into(),
    })
}

/// What everybody sees of a product, the newest first: before a number, and with a text only where that is asked for.
pub fn published(
    db: &mut Engine,
    product_no: i64,
    before: i64,
    with_text: bool,
    limit: i64,
) -> Result<Vec<Review>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM product_reviews r WHERE r.product_no = $1 AND r.state = 'published' AND r.no < $2 \
         AND (CAST($3 AS BIGINT) = 0 OR r.text <> '') ORDER BY r.no DESC LIMIT $4"
    );
    let rows = db.rows(&sql, &[product_no.into(), before.into(), i64::from(with_text).into(), limit.into()])?;
    rows.iter().map(review).collect()
}
