//! What can be asked of reviews: write, bring from elsewhere, publish, reject, answer. The sums of a product move in the same transaction.
use super::{REASON_MAX, Rating, Review, Source, TEXT_MAX, Written, check, is_raised, is_trusted, some_lines};
use crate::commands::{order_of, settings};
use crate::error::OrderError;
use crate::model::Order;
use crate::settings::Settings;
use crate::states::line::Line as LineState;
use crate::states::reviews::{Action, Guard, Review as State};
use crate::states::step;
use crate::told::{self, Told};
use base::Timestamp;
use catalog::variants;
use db::{DbError, Engine, Row, Tx};
use serde_json::json;

pub(super) const COLUMNS: &str = "r.no, r.product_no, r.variant_no, r.order_no, r.line, r.source, r.source_id, r.state, r.reason, r.rating, \
     r.title, r.text, r.name, r.lang, r.answer, r.answered_by, r.answered_at, r.decided_by, r.written_at, r.updated_at, r.version";
const BY_NO: &str = "SELECT r.no, r.product_no, r.variant_no, r.order_no, r.line, r.source, r.source_id, r.state, r.reason, r.rating, \
     r.title, r.text, r.name, r.lang, r.answer, r.answered_by, r.answered_at, r.decided_by, r.written_at, r.updated_at, r.version \
     FROM product_reviews r WHERE r.no = $1";
const OF_ORDER: &str = "SELECT r.no, r.product_no, r.variant_no, r.order_no, r.line, r.source, r.source_id, r.state, r.reason, r.rating, \
     r.title, r.text, r.name, r.lang, r.answer, r.answered_by, r.answered_at, r.decided_by, r.written_at, r.updated_at, r.version \
     FROM product_reviews r WHERE r.order_no = $1 AND r.order_no > 0 ORDER BY r.line";
const PUT: &str = "INSERT INTO product_reviews (no, product_no, variant_no, order_no, line, source, source_id, state, reason, rating, title, text, \
     name, lang, answer, answered_by, answered_at, decided_by, written_at, updated_at, version, raised) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22) \
     ON CONFLICT (no) DO UPDATE SET state = excluded.state, reason = excluded.reason, rating = excluded.rating, title = excluded.title, \
     text = excluded.text, name = excluded.name, lang = excluded.lang, answer = excluded.answer, answered_by = excluded.answered_by, \
     answered_at = excluded.answered_at, decided_by = excluded.decided_by, updated_at = excluded.updated_at, version = excluded.version, \
     raised = excluded.raised";

pub(super) fn review(row: &Row) -> Result<Review, DbError> {
    let damaged = |what: &str| DbError::damaged("product_reviews", what);
    let line = row.int(4)?;
    Ok(Review {
        no: row.int(0)?,
        product_no: row.int(1)?,
        variant_no: row.int(2)?,
        bought: usize::try_from(line).ok().map(|line| Ok::<_, DbError>((row.int(3)?, line))).transpose()?,
        source: Source::parse(row.text(5)?).ok_or_else(|| damaged("an unknown source"))?,
        source_id: row.text(6)?.into(),
        state: State::parse(row.text(7)?).ok_or_else(|| damaged("an unknown state"))?,
        reason: row.text(8)?.into(),
        written: Written {
            rating: row.int(9)?,
            title: row.text(10)?.into(),
            text: row.text(11)?.into(),
            name: row.text(12)?.into(),
            lang: row.text(13)?.into(),
        },
        answer: row.text(14)?.into(),
        answered_by: row.text(15)?.into(),
        answered_at: Timestamp::from_micros(row.int(16)?),
        decided_by: row.text(17)?.into(),
        written_at: Timestamp::from_micros(row.int(18)?),
        updated_at: Timestamp::from_micros(row.int(19)?),
        version: row.int(20)?,
    })
}

/// A review by number.
pub fn review_of(tx: &mut Tx, no: i64) -> Result<Review, OrderError> {
    let row = tx.first(BY_NO, &[no.into()])?;
    let found = row.as_ref().map(review).transpose()?;
    found.ok_or_else(|| OrderError::Unknown { what: "review", id: no.to_string() })
}

/// Reviews of an order's lines, in their order.
pub fn of_order(tx: &mut Tx, order_no: i64) -> Result<Vec<Review>, DbError> {
    tx.rows(OF_ORDER, &[order_no.into()])?.iter().map(review).collect()
}

/// Which lines of an order may be reviewed: those of which something is with the customer.
pub fn reviewable(order: &Order) -> Vec<usize> {
    let delivered = |line: &usize| order.body.parts.iter().any(|p| p.line == *line && p.state == LineState::Delivered);
    (0..order.body.lines.len()).filter(delivered).collect()
}

const RATING: &str = "SELECT stars_1, stars_2, stars_3, stars_4, stars_5 FROM product_ratings WHERE product_no = $1";

fn rating(row: Option<Row>) -> Result<Rating, DbError> {
    let Some(row) = row else { return Ok(Rating::default()) };
    Ok(Rating { stars: [row.int(0)?, row.int(1)?, row.int(2)?, row.int(3)?, row.int(4)?] })
}

/// What is published of a product.
pub fn rating_of(tx: &mut Tx, product_no: i64) -> Result<Rating, DbError> {
    rating(tx.first(RATING, &[product_no.into()])?)
}

/// The same over a connection of one's own.
pub fn read_rating(db: &mut Engine, product_no: i64) -> Result<Rating, DbError> {
    rating(db.first(RATING, &[product_no.into()])?)
}

/// Writes a review, and moves the sums of its product from what it was to what it is.
fn put(tx: &mut Tx, settings: &Settings, before: Option<&Review>, after: &Review) -> Result<(), DbError> {
    let raised = is_raised(&settings.reviews, after);
    let w = &after.written;
    let (order_no, line) = after.bought.map_or((0, -1), |(order_no, line)| (order_no, line as i64));
    tx.execute(
        PUT,
        &[
            after.no.into(),
            after.product_no.into(),
            after.variant_no.into(),
            order_no.into(),
            line.into(),
            after.source.as_str().into(),
            (&after.source_id).into(),
            after.state.as_str().into(),
            (&after.reason).into(),
            w.rating.into(),
            (&w.title).into(),
            (&w.text).into(),
            (&w.name).into(),
            (&w.lang).into(),
            (&after.answer).into(),
            (&after.answered_by).into(),
            after.answered_at.micros().into(),
            (&after.decided_by).into(),
            after.written_at.micros().into(),
            after.updated_at.micros().into(),
            after.version.into(),
            i64::from(raised).into(),
        ],
    )?;
    let counts = |r: &&Review| r.state == State::Published;
    let (was, is) = (before.filter(counts), Some(after).filter(counts));
    if was.map(|r| r.written.rating) == is.map(|r| r.written.rating) {
        return Ok(());
    }
    let mut sums = rating_of(tx, after.product_no)?;
    for (review, by) in [(was, -1), (is, 1)] {
        sums = review.map_or(sums, |r| sums.moved(r.written.rating, by));
    }
    let [one, two, three, four, five] = sums.stars;
    let sql = "INSERT INTO product_ratings (product_no, stars_1, stars_2, stars_3, stars_4, stars_5) VALUES ($1, $2, $3, $4, $5, $6) \
               ON CONFLICT (product_no) DO UPDATE SET stars_1 = excluded.stars_1, stars_2 = excluded.stars_2, stars_3 = excluded.stars_3, \
               stars_4 = excluded.stars_4, stars_5 = excluded.stars_5";
    let values = [after.product_no.into(), one.into(), two.into(), three.into(), four.into(), five.into()];
    tx.execute(sql, &values).map(drop)
}

/// A customer writes about a line of their order, or changes what they wrote. Only what was delivered, once a line.
pub fn write(tx: &mut Tx, order_no: i64, line: usize, written: &Written) -> Result<Review, OrderError> {
    let written = check(written)?;
    let order = order_of(tx, order_no)?;
    let Some(of) = order.body.lines.get(line) else {
        return Err(OrderError::field("/line", format!("the order has {} lines, from 0", order.body.lines.len())));
    };
    if !reviewable(&order).contains(&line) {
        return Err(OrderError::field("/line", "only what was delivered can be reviewed"));
    }
    let variant = variants::get(tx, of.variant_no)?;
    let product_no = variant.map(|v| v.product_no);
    let product_no = product_no.ok_or_else(|| OrderError::field("/line", "it is not in the catalogue any more"))?;
    let (_, settings) = settings(tx)?;
    let now = tx.now();
    let trusted: &[Guard] = if is_trusted(&settings.reviews, written.rating) { &[Guard::Trusted] } else { &[] };
    let known = of_order(tx, order_no)?.into_iter().find(|r| r.bought == Some((order_no, line)));
    if known.as_ref().is_some_and(|r| r.written == written) {
        return Ok(known.expect("it was just seen"));
    }
    let after = match &known {
        Some(before) => Review {
            state: step(before.state, Action::Rewrite, trusted)?,
            reason: String::new(),
            written,
            updated_at: now,
            version: before.version + 1,
            ..before.clone()
        },
        None => Review {
            no: tx.next_id(),
            product_no,
            variant_no: of.variant_no,
            bought: Some((order_no, line)),
            source: Source::Own,
            source_id: String::new(),
            state: if trusted.is_empty() { State::Awaiting } else { State::Published },
            reason: String::new(),
            written,
            answer: String::new(),
            answered_by: String::new(),
            answered_at: Timestamp::default(),
            decided_by: String::new(),
            written_at: now,
            updated_at: now,
            version: 1,
        },
    };
    put(tx, &settings, known.as_ref(), &after)?;
    let sql = "SELECT id FROM products WHERE no = $1";
    let product = tx.first(sql, &[product_no.into()])?.map(|r| r.text(0).map(String::from)).transpose()?;
    let properties = json!({
        "product_id": product.unwrap_or_default(),
        "sku": of.sku,
        "review_id": after.no.to_string(),
        "review_body": after.written.text,
        "rating": after.written.rating,
        "order_id": order.body.number,
    });
    told::tell(tx, Told { order_no, name: "Product Reviewed", properties })?;
    tx.notify(db::Notice::Changed { what: "reviews" });
    Ok(after)
}

/// A review that was written elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    pub product_no: i64,
    pub source: Source,
    /// By what its source knows it: brought again, it is changed.
    pub source_id: String,
    pub written: Written,
    pub written_at: Timestamp,
    /// What was answered there.
    pub answer: String,
}

/// Takes a review from elsewhere; one that was brought before is changed, with what was decided here kept.
pub fn bring(tx: &mut Tx, brought: &Brought, actor: &str) -> Result<Review, OrderError> {
    let written = check(&brought.written)?;
    if brought.source == Source::Own {
        return Err(OrderError::field("/source", "import or marketplace: own reviews are written from an order"));
    }
    let id = brought.source_id.trim();
    if id.is_empty() || id.len() > 200 {
        return Err(OrderError::field("/source_id", "1 to 200 bytes by which its source knows it"));
    }
    let answer = some_lines("/answer", &brought.answer, TEXT_MAX)?;
    let (_, settings) = settings(tx)?;
    let now = tx.now();
    let sql = "SELECT no FROM product_reviews WHERE source = $1 AND source_id = $2";
    let known = tx.first(sql, &[brought.source.as_str().into(), id.into()])?.map(|r| r.int(0)).transpose()?;
    let known = known.map(|no| review_of(tx, no)).transpose()?;
    let answered_at = if answer.is_empty() { Timestamp::default() } else { now };
    let after = match &known {
        Some(before) if before.product_no != brought.product_no => {
            return Err(OrderError::field("/product_id", "it was brought as a review of another product"));
        }
        Some(before) if answer.is_empty() || answer == before.answer => {
            Review { written, updated_at: now, version: before.version + 1, ..before.clone() }
        }
        Some(before) => Review {
            written,
            answer,
            answered_by: actor.into(),
            answered_at,
            updated_at: now,
            version: before.version + 1,
            ..before.clone()
        },
        None => Review {
            no: tx.next_id(),
            product_no: brought.product_no,
            variant_no: 0,
            bought: None,
            source: brought.source,
            source_id: id.into(),
            state: if is_trusted(&settings.reviews, written.rating) { State::Published } else { State::Awaiting },
            reason: String::new(),
            written,
            answered_by: if answer.is_empty() { String::new() } else { actor.into() },
            answer,
            answered_at,
            decided_by: String::new(),
            written_at: brought.written_at.min(now),
            updated_at: now,
            version: 1,
        },
    };
    put(tx, &settings, known.as_ref(), &after)?;
    tx.notify(db::Notice::Changed { what: "reviews" });
    Ok(after)
}

/// What somebody of the shop does with a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    Publish,
    /// With the reason.
    Reject(String),
    /// An empty one takes the answer back.
    Answer(String),
}

/// Publishes, rejects or answers a review; gives it before and after.
pub fn act(tx: &mut Tx, no: i64, deed: &Deed, actor: &str) -> Result<(Review, Review), OrderError> {
    let before = review_of(tx, no)?;
    let (_, settings) = settings(tx)?;
    let now = tx.now();
    let mut after = Review { updated_at: now, version: before.version + 1, ..before.clone() };
    match deed {
        Deed::Publish => {
            after.state = step(before.state, Action::Publish, &[])?;
            (after.reason, after.decided_by) = (String::new(), actor.into());
        }
        Deed::Reject(reason) => {
            let reason = some_lines("/reason", reason, REASON_MAX)?;
            let given: &[Guard] = if reason.is_empty() { &[] } else { &[Guard::Reason] };
            after.state = step(before.state, Action::Reject, given)?;
            (after.reason, after.decided_by) = (reason, actor.into());
        }
        Deed::Answer(text) => {
            after.answer = some_lines("/text", text, TEXT_MAX)?;
            let said = !after.answer.is_empty();
            after.answered_by = if said { actor.into() } else { String::new() };
            after.answered_at = if said { now } else { Timestamp::default() };
        }
    }
    put(tx, &settings, Some(&before), &after)?;
    tx.notify(db::Notice::Changed { what: "reviews" });
    Ok((before, after))
}

/// Products whose sums are not those of what is published: which, what stands there, what it should be.
pub fn recounted(db: &mut Engine) -> Result<Vec<(i64, Rating, Rating)>, DbError> {
    let mut counted: std::collections::BTreeMap<i64, Rating> = std::collections::BTreeMap::new();
    let sql = "SELECT product_no, rating, CAST(COUNT(*) AS BIGINT) FROM product_reviews WHERE state = 'published' \
               GROUP BY product_no, rating ORDER BY product_no, rating";
    for row in db.rows(sql, &[])? {
        let of = counted.entry(row.int(0)?).or_default();
        *of = of.moved(row.int(1)?, row.int(2)?);
    }
    let mut out = Vec::new();
    let sql = "SELECT stars_1, stars_2, stars_3, stars_4, stars_5, product_no FROM product_ratings ORDER BY product_no";
    for row in db.rows(sql, &[])? {
        let product_no = row.int(5)?;
        let (stored, counted) = (rating(Some(row))?, counted.remove(&product_no).unwrap_or_default());
        if stored != counted {
            out.push((product_no, stored, counted));
        }
    }
    out.extend(counted.into_iter().map(|(product_no, counted)| (product_no, Rating::default(), counted)));
    Ok(out)
}
