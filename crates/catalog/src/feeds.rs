//! Lists of goods for others to fetch, kept item by item: a changed product costs its own items and nothing else.
//!
//! An item is rendered once and kept as text ([`follow`]); the file is the items of a feed one after the other between a head
//! and a foot, so that nothing has to be assembled when one of them changes. [`render`] is pure. A feed shows the prices of its
//! channel and follows their changes beside those of the catalogue. (ADR 0031, 0040)
pub mod follow;
pub mod render;

use base::Timestamp;
use db::{DbError, Engine, Row, Tx};

pub use follow::{Pace, advance, waiting};
pub use render::{Format, Item};

/// A list of goods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    pub no: i64,
    pub name: String,
    pub format: Format,
    /// Whose assortment, languages and categories it shows.
    pub channel_no: i64,
    pub locale: String,
    pub currency: String,
    /// The region of the channel for which prices are asked; empty = none.
    pub region: String,
    /// Address of a product's page: `{id}`, `{sku}` are filled in.
    pub link: String,
    /// By what whoever fetches it knows it.
    pub token: String,
    pub active: bool,
    /// The change up to which its items follow the catalogue.
    pub position: i64,
    /// The change of prices up to which they do.
    pub priced_to: i64,
    pub followed_at: Timestamp,
    pub version: i64,
}

const READ: &str = "SELECT no, name, format, channel_no, locale, currency, link, token, active, position, followed_at, version, region, priced_to FROM feeds WHERE ($1 = 0 OR no = $1) AND ($2 = '' OR token = $2) ORDER BY no LIMIT 200";
const WRITE: &str = "INSERT INTO feeds (no, name, format, channel_no, locale, currency, link, token, active, position, followed_at, version, region, priced_to) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (no) DO UPDATE SET name = excluded.name, format = excluded.format, channel_no = excluded.channel_no, locale = excluded.locale, currency = excluded.currency, link = excluded.link, token = excluded.token, active = excluded.active, position = excluded.position, followed_at = excluded.followed_at, version = excluded.version, region = excluded.region, priced_to = excluded.priced_to";

fn feed(r: &Row) -> Result<Feed, DbError> {
    Ok(Feed {
        no: r.int(0)?,
        name: r.text(1)?.into(),
        format: Format::parse(r.text(2)?).ok_or_else(|| DbError::damaged("feeds", "an unknown format"))?,
        channel_no: r.int(3)?,
        locale: r.text(4)?.into(),
        currency: r.text(5)?.into(),
        link: r.text(6)?.into(),
        token: r.text(7)?.into(),
        active: r.int(8)? == 1,
        position: r.int(9)?,
        followed_at: Timestamp::from_micros(r.int(10)?),
        version: r.int(11)?,
        region: r.text(12)?.into(),
        priced_to: r.int(13)?,
    })
}

/// All feeds.
pub fn list(db: &mut Engine) -> Result<Vec<Feed>, DbError> {
    db.rows(READ, &[0i64.into(), "".into()])?.iter().map(feed).collect()
}

/// A feed by number.
pub fn find(db: &mut Engine, no: i64) -> Result<Option<Feed>, DbError> {
    db.first(READ, &[no.into(), "".into()])?.as_ref().map(feed).transpose()
}

/// The active feed that a token names.
pub fn by_token(db: &mut Engine, token: &str) -> Result<Option<Feed>, DbError> {
    if token.is_empty() {
        return Ok(None);
    }
    Ok(db.first(READ, &[0i64.into(), token.into()])?.as_ref().map(feed).transpose()?.filter(|f| f.active))
}

/// Writes a feed; one that shows something else begins anew.
pub fn put(tx: &mut Tx, f: &Feed) -> Result<(), DbError> {
    tx.execute(
        WRITE,
        &[
            f.no.into(),
            (&f.name).into(),
            f.format.as_str().into(),
            f.channel_no.into(),
            (&f.locale).into(),
            (&f.currency).into(),
            (&f.link).into(),
            (&f.token).into(),
            i64::from(f.active).into(),
            f.position.into(),
            f.followed_at.micros().into(),
            f.version.into(),
            (&f.region).into(),
            f.priced_to.into(),
        ],
    )
    .map(drop)
}

/// Takes a feed away with its items.
pub fn delete(tx: &mut Tx, no: i64) -> Result<(), DbError> {
    tx.execute("DELETE FROM feed_items WHERE feed_no = $1", &[no.into()])?;
    tx.execute("DELETE FROM feeds WHERE no = $1", &[no.into()]).map(drop)
}

/// How many items a feed shows and leaves out.
pub fn counts(db: &mut Engine, no: i64) -> Result<(i64, i64), DbError> {
    let sql = "SELECT CAST(COALESCE(SUM(CASE WHEN why_not = '' THEN 1 ELSE 0 END), 0) AS BIGINT), CAST(COUNT(*) AS BIGINT) FROM feed_items WHERE feed_no = $1";
    let row = db.first(sql, &[no.into()])?;
    row.map_or(Ok((0, 0)), |r| Ok((r.int(0)?, r.int(1)? - r.int(0)?)))
}

/// Reasons for which items are left out, with how many and one SKU each.
pub fn left_out(db: &mut Engine, no: i64) -> Result<Vec<(String, i64, String)>, DbError> {
    let sql = "SELECT i.why_not, CAST(COUNT(*) AS BIGINT), MIN(v.sku) FROM feed_items i JOIN variants v ON v.no = i.variant_no WHERE i.feed_no = $1 AND i.why_not <> '' GROUP BY i.why_not ORDER BY i.why_not LIMIT 50";
    let rows = db.rows(sql, &[no.into()])?;
    rows.iter().map(|r| Ok((r.text(0)?.to_string(), r.int(1)?, r.text(2)?.to_string()))).collect()
}

/// The next rendered items after a variant, in order.
pub fn items(db: &mut Engine, no: i64, after: i64, limit: i64) -> Result<Vec<(i64, String)>, DbError> {
    let sql = "SELECT variant_no, item FROM feed_items WHERE feed_no = $1 AND variant_no > $2 AND why_not = '' ORDER BY variant_no LIMIT $3";
    let rows = db.rows(sql, &[no.into(), after.into(), limit.into()])?;
    rows.iter().map(|r| Ok((r.int(0)?, r.text(1)?.to_string()))).collect()
}
