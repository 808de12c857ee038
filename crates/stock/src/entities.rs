//! Legal entities: which company or trader a place belongs to, and what goods that go from one to another mean on paper.
//!
//! A place belongs to one entity at a time, with dates; what it did before stays with the one that it belonged to then. Goods that
//! leave a place of one entity for a place of another are sold: the seller and the buyer have a paper each ([`transferred`]).
pub mod codes;
pub mod needed;

use crate::commands;
use crate::cost;
use crate::error::StockError;
use crate::model::NEVER;
use base::{DAY_US, Quantity, Timestamp};
use db::{DbError, Engine, Row, Tx};

/// What an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntityKind {
    Company,
    SoleTrader,
    /// Somebody else's company that sells under our name.
    Franchisee,
}

impl EntityKind {
    pub const ALL: [(EntityKind, &'static str); 3] = [
        (EntityKind::Company, "company"),
        (EntityKind::SoleTrader, "sole_trader"),
        (EntityKind::Franchisee, "franchisee"),
    ];
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(kind, _)| *kind)
    }
}

/// A legal entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    pub no: i64,
    pub id: Box<str>,
    pub kind: EntityKind,
    pub name: Box<str>,
    /// EDRPOU of 8 digits, or RNOKPP of 10; empty where it is of another country.
    pub code: Box<str>,
    /// Whether it pays value added tax.
    pub vat: bool,
    /// Its number as a payer.
    pub vat_code: Box<str>,
    pub iban: Box<str>,
    pub address: Box<str>,
    /// What it adds to the cost of goods that it sells to another entity of the shop.
    pub markup_permille: i64,
    pub version: i64,
}

/// A legal entity as somebody describes it.
#[derive(Debug, Clone)]
pub struct EntityInput {
    pub id: String,
    pub kind: EntityKind,
    pub name: String,
    pub code: String,
    pub vat: bool,
    pub vat_code: String,
    pub iban: String,
    pub address: String,
    pub markup_permille: i64,
}

/// Legal entities of one shop.
const ENTITIES_MAX: usize = 1000;

fn entity(row: &Row) -> Result<Entity, DbError> {
    let kind = EntityKind::parse(row.text(2)?);
    Ok(Entity {
        no: row.int(0)?,
        id: row.text(1)?.into(),
        kind: kind.ok_or_else(|| DbError::damaged("legal_entities", "its kind is unknown"))?,
        name: row.text(3)?.into(),
        code: row.text(4)?.into(),
        vat: row.int(5)? == 1,
        vat_code: row.text(6)?.into(),
        iban: row.text(7)?.into(),
        address: row.text(8)?.into(),
        markup_permille: row.int(9)?,
        version: row.int(10)?,
    })
}

/// All entities by id.
pub fn list(db: &mut Engine) -> Result<Vec<Entity>, DbError> {
    let sql = "SELECT no, id, kind, name, code, vat, vat_code, iban, address, markup_permille, version FROM legal_entities \
               ORDER BY id LIMIT 1000";
    db.rows(sql, &[])?.iter().map(entity).collect()
}

/// An entity by its id.
pub fn find(tx: &mut Tx, id: &str) -> Result<Option<Entity>, DbError> {
    let sql = "SELECT no, id, kind, name, code, vat, vat_code, iban, address, markup_permille, version FROM legal_entities \
               WHERE id = $1";
    tx.first(sql, &[id.into()])?.as_ref().map(entity).transpose()
}

fn by_no(tx: &mut Tx, no: i64) -> Result<Option<Entity>, DbError> {
    let sql = "SELECT no, id, kind, name, code, vat, vat_code, iban, address, markup_permille, version FROM legal_entities \
               WHERE no = $1";
    tx.first(sql, &[no.into()])?.as_ref().map(entity).transpose()
}

/// Makes an entity, or changes one. Gives it before and after.
pub fn put(tx: &mut Tx, input: &EntityInput, version: Option<i64>) -> Result<(Option<Entity>, Entity), StockError> {
    let fine = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if input.id.is_empty() || input.id.len() > 100 || !input.id.chars().all(fine) {
        return Err(StockError::field("/id", "an id is up to 100 bytes of letters, digits and - _ ."));
    }
    if input.name.trim().is_empty() || input.name.len() > 200 || input.name.chars().any(char::is_control) {
        return Err(StockError::field("/name", "an entity has a name of at most 200 bytes"));
    }
    if input.address.len() > 500 || input.address.chars().any(char::is_control) {
        return Err(StockError::field("/address", "at most 500 bytes on one line are allowed"));
    }
    if !(0..=1000).contains(&input.markup_permille) {
        return Err(StockError::field("/markup_permille", "from 0 to 1000 thousandths"));
    }
    let wrong = |pointer: &str, e: codes::CodeError| StockError::field(pointer, e.to_string());
    match (input.code.len(), input.kind) {
        (0, _) => {}
        (10, EntityKind::SoleTrader | EntityKind::Franchisee) => {
            codes::rnokpp(&input.code).map_err(|e| wrong("/code", e))?;
        }
        (_, EntityKind::SoleTrader) => {
            return Err(StockError::field("/code", "a sole trader has an RNOKPP of 10 digits"));
        }
        _ => codes::edrpou(&input.code).map_err(|e| wrong("/code", e))?,
    }
    let numbered = matches!(input.vat_code.len(), 10 | 12) && input.vat_code.bytes().all(|b| b.is_ascii_digit());
    if !input.vat_code.is_empty() && (!input.vat || !numbered) {
        let detail = "a payer of value added tax has a number of 12 digits, a sole trader one of 10";
        return Err(StockError::field("/vat_code", detail));
    }
    let iban = match input.iban.trim() {
        "" => String::new(),
        text => codes::iban(text).map_err(|e| wrong("/iban", e))?,
    };
    let before = find(tx, &input.id)?;
    if let (Some(known), Some(read)) = (&before, version)
        && known.version != read
    {
        return Err(StockError::Changed { what: "legal entity", id: input.id.clone() });
    }
    let count = "SELECT COUNT(*) FROM legal_entities";
    if before.is_none() && tx.first(count, &[])?.map_or(Ok(0), |row| row.int(0))? >= ENTITIES_MAX as i64 {
        return Err(StockError::field("/id", format!("a shop has at most {ENTITIES_MAX} entities")));
    }
    let after = Entity {
        no: before.as_ref().map_or_else(|| tx.next_id(), |b| b.no),
        id: input.id.as_str().into(),
        kind: input.kind,
        name: input.name.trim().into(),
        code: input.code.as_str().into(),
        vat: input.vat,
        vat_code: input.vat_code.as_str().into(),
        iban: iban.as_str().into(),
        address: input.address.trim().into(),
        markup_permille: input.markup_permille,
        version: before.as_ref().map_or(0, |b| b.version) + 1,
    };
    let sql = "INSERT INTO legal_entities (no, id, kind, name, code, vat, vat_code, iban, address, markup_permille, version, updated_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (no) DO UPDATE SET kind = excluded.kind, \
               name = excluded.name, code = excluded.code, vat = excluded.vat, vat_code = excluded.vat_code, iban = excluded.iban, \
               address = excluded.address, markup_permille = excluded.markup_permille, version = excluded.version, \
               updated_at = excluded.updated_at";
    let now = tx.now().micros();
    tx.execute(
        sql,
        &[
            after.no.into(),
            (&*after.id).into(),
            after.kind.as_str().into(),
            (&*after.name).into(),
            (&*after.code).into(),
            i64::from(after.vat).into(),
            (&*after.vat_code).into(),
            (&*after.iban).into(),
            (&*after.address).into(),
            after.markup_permille.into(),
            after.version.into(),
            now.into(),
        ],
    )?;
    tx.notify(db::Notice::Changed { what: "legal_entities" });
    Ok((before, after))
}

/// A place belongs to an entity from a moment on. The moment lies after the last change; what was before stays as it was.
pub fn assign(tx: &mut Tx, location_no: i64, entity_no: i64, since: Timestamp) -> Result<(), StockError> {
    if !commands::places(tx)?.get(location_no).is_some_and(|location| location.kind.sells()) {
        return Err(StockError::field("/location_id", "this place belongs to nobody"));
    }
    if by_no(tx, entity_no)?.is_none() {
        return Err(StockError::Unknown { what: "legal entity", id: entity_no.to_string() });
    }
    if since.micros() <= 0 || since > tx.now().plus(3650 * DAY_US) {
        return Err(StockError::field("/since", "the moment is out of range"));
    }
    let last =
        "SELECT since_at, entity_no FROM location_entities WHERE location_no = $1 ORDER BY since_at DESC LIMIT 1";
    if let Some(row) = tx.first(last, &[location_no.into()])? {
        let known = Timestamp::from_micros(row.int(0)?);
        if row.int(1)? == entity_no {
            return Ok(());
        }
        if since <= known {
            let detail = format!("it belongs to its entity since {known}: the past stays as it was");
            return Err(StockError::field("/since", detail));
        }
        let end = "UPDATE location_entities SET until_at = $3 WHERE location_no = $1 AND since_at = $2";
        tx.execute(end, &[location_no.into(), known.micros().into(), since.micros().into()])?;
    }
    let sql = "INSERT INTO location_entities (location_no, since_at, until_at, entity_no) VALUES ($1, $2, $3, $4)";
    let values = [location_no.into(), since.micros().into(), NEVER.micros().into(), entity_no.into()];
    tx.execute(sql, &values)?;
    tx.notify(db::Notice::Changed { what: "legal_entities" });
    Ok(())
}

/// The entity of a place at a moment.
pub fn owner(tx: &mut Tx, location_no: i64, at: Timestamp) -> Result<Option<Entity>, DbError> {
    let sql = "SELECT entity_no FROM location_entities WHERE location_no = $1 AND since_at <= $2 AND until_at > $2";
    match tx.first(sql, &[location_no.into(), at.micros().into()])? {
        Some(row) => by_no(tx, row.int(0)?),
        None => Ok(None),
    }
}

/// A time in which a place belonged to an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owned {
    pub location_no: i64,
    pub entity_no: i64,
    pub since: Timestamp,
    /// `None`: it still does.
    pub until: Option<Timestamp>,
}

/// Which places belong to which entity, all of their times, by place.
pub fn owners(db: &mut Engine) -> Result<Vec<Owned>, DbError> {
    let sql = "SELECT location_no, entity_no, since_at, until_at FROM location_entities ORDER BY location_no, since_at LIMIT 50000";
    let read = |row: &Row| -> Result<Owned, DbError> {
        Ok(Owned {
            location_no: row.int(0)?,
            entity_no: row.int(1)?,
            since: Timestamp::from_micros(row.int(2)?),
            until: Some(Timestamp::from_micros(row.int(3)?)).filter(|at| *at != NEVER),
        })
    };
    db.rows(sql, &[])?.iter().map(read).collect()
}

/// Goods left a place of one entity for a place of another: a sale, with a paper of each side. At cost by moving average and the
/// seller's mark-up, in the shop's currency; without an amount where the cost is not known. Called with the paper of the
/// movement, in the same transaction; does nothing within one entity.
pub(crate) fn transferred(
    tx: &mut Tx,
    (from_no, to_no): (i64, i64),
    lines: &[(i64, Quantity)],
    (document_no, reference): (i64, &str),
    at: Timestamp,
) -> Result<(), StockError> {
    let (Some(seller), Some(buyer)) = (owner(tx, from_no, at)?, owner(tx, to_no, at)?) else { return Ok(()) };
    if seller.no == buyer.no {
        return Ok(());
    }
    between(tx, (&seller, &buyer), lines, (document_no, reference), at)
}

/// Goods of an order went to its customer from places of several entities, or of another than the one that took the order: writes
/// the papers between entities, and gives every paper that is needed, receipts too. Called with the paper of the movement, in the
/// same transaction. Nothing for goods at places that belong to nobody.
///
/// `lines` are the order's lines with place, variant, quantity and what the customer pays; `taker_no` is the place that took the
/// order, `None`: whoever owns the goods.
pub fn sold(
    tx: &mut Tx,
    lines: &[SoldLine],
    (taker_no, chain): (Option<i64>, needed::Chain),
    (document_no, reference): (i64, &str),
    at: Timestamp,
) -> Result<Vec<needed::Needed>, StockError> {
    let mut owned: Vec<(Entity, &SoldLine)> = Vec::with_capacity(lines.len());
    for line in lines {
        if let Some(entity) = owner(tx, line.location_no, at)? {
            owned.push((entity, line));
        }
    }
    let Some((first, _)) = owned.first() else { return Ok(vec![]) };
    let taker = match taker_no {
        Some(no) => owner(tx, no, at)?,
        None => None,
    };
    let taker = taker.unwrap_or_else(|| first.clone());
    let asked = |(entity, line): &(Entity, &SoldLine)| needed::Line {
        line: line.line,
        owner_no: entity.no,
        price_minor: line.price_minor,
        cost_minor: 0,
    };
    let asked: Vec<needed::Line> = owned.iter().map(asked).collect();
    let papers = needed::documents(&asked, taker.no, chain);
    for paper in &papers {
        let needed::Needed::Between { seller_no, lines: numbers, .. } = paper else { continue };
        let own = owned.iter().filter(|(entity, line)| entity.no == *seller_no && numbers.contains(&line.line));
        let goods: Vec<(i64, Quantity)> = own.map(|(_, line)| (line.variant_no, line.quantity)).collect();
        let seller = owned.iter().find(|(entity, _)| entity.no == *seller_no).map(|(entity, _)| entity.clone());
        if let Some(seller) = seller {
            between(tx, (&seller, &taker), &goods, (document_no, reference), at)?;
        }
    }
    Ok(papers)
}

/// What of a line of an order left a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SoldLine {
    pub line: i64,
    pub location_no: i64,
    pub variant_no: i64,
    pub quantity: Quantity,
    /// What the customer pays for so much, with tax.
    pub price_minor: i64,
}

/// The two papers of a sale from one entity to another.
fn between(
    tx: &mut Tx,
    (seller, buyer): (&Entity, &Entity),
    lines: &[(i64, Quantity)],
    (document_no, reference): (i64, &str),
    at: Timestamp,
) -> Result<(), StockError> {
    let (mut net, mut priced, mut quantity, mut in_currency) = (0i64, true, Quantity::ZERO, None::<String>);
    for (variant_no, moved) in lines.iter().filter(|(_, moved)| moved.is_positive()) {
        quantity += *moved;
        match cost::unit(tx, *variant_no)? {
            Some((_, _, currency)) if in_currency.as_ref().is_some_and(|known| *known != currency) => priced = false,
            Some((amount, of, currency)) => {
                in_currency = Some(currency);
                let cost = cost::replay::share(amount, *moved, of);
                net += cost + cost::replay::share(cost, Quantity::from_milli(seller.markup_permille), Quantity::ONE);
            }
            None => priced = false,
        }
    }
    if quantity.is_zero() {
        return Ok(());
    }
    let sql = "INSERT INTO entity_documents (no, document_no, side, entity_no, other_no, reference, quantity, currency, net_minor, \
               priced, seller_vat, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    let currency = in_currency.filter(|_| priced).unwrap_or_default();
    for (side, own, other) in [("sale", seller.no, buyer.no), ("purchase", buyer.no, seller.no)] {
        let no = tx.next_id();
        let values = [
            no.into(),
            document_no.into(),
            side.into(),
            own.into(),
            other.into(),
            reference.into(),
            quantity.milli().into(),
            (&currency).into(),
            (if priced { net } else { 0 }).into(),
            i64::from(priced).into(),
            i64::from(seller.vat).into(),
            at.micros().into(),
        ];
        tx.execute(sql, &values)?;
    }
    Ok(())
}

/// A paper of an entity about goods that went to or came from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityDocument {
    pub no: i64,
    pub document_no: i64,
    /// Whether it is the seller's paper.
    pub sale: bool,
    pub entity_no: i64,
    pub other_no: i64,
    pub reference: String,
    pub quantity: Quantity,
    pub currency: String,
    /// Without tax; `None` where the cost of the goods was not known.
    pub net_minor: Option<i64>,
    /// Whether the seller pays value added tax, and adds it.
    pub seller_vat: bool,
    pub at: Timestamp,
}

/// The newest papers before a number.
pub fn documents(db: &mut Engine, before: i64, limit: i64) -> Result<Vec<EntityDocument>, DbError> {
    let sql = "SELECT no, document_no, side, entity_no, other_no, reference, quantity, currency, net_minor, priced, seller_vat, \
               at FROM entity_documents WHERE no < $1 ORDER BY no DESC LIMIT $2";
    let read = |row: &Row| -> Result<EntityDocument, DbError> {
        let net = row.int(8)?;
        Ok(EntityDocument {
            no: row.int(0)?,
            document_no: row.int(1)?,
            sale: row.text(2)? == "sale",
            entity_no: row.int(3)?,
            other_no: row.int(4)?,
            reference: row.text(5)?.into(),
            quantity: Quantity::from_milli(row.int(6)?),
            currency: row.text(7)?.into(),
            net_minor: (row.int(9)? == 1).then_some(net),
            seller_vat: row.int(10)? == 1,
            at: Timestamp::from_micros(row.int(11)?),
        })
    };
    db.rows(sql, &[before.into(), limit.into()])?.iter().map(read).collect()
}

/// What an entity did in a time; `entity_no` 0: places that belonged to none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntityFigures {
    pub entity_no: i64,
    /// Goods by kind of end: from suppliers, to customers, back from customers, found less lost.
    pub received: Quantity,
    pub sold: Quantity,
    pub returned: Quantity,
    pub corrected: Quantity,
    /// Sales to other entities and purchases from them, without tax.
    pub sold_between_minor: i64,
    pub bought_between_minor: i64,
}

const FIGURES: &str = "SELECT COALESCE(e.entity_no, 0), \
     CAST(SUM(CASE WHEN m.from_no = -1 THEN m.quantity WHEN m.to_no = -1 THEN -m.quantity ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN m.to_no = -2 THEN m.quantity ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN m.from_no = -2 THEN m.quantity ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN m.from_no = -3 THEN m.quantity WHEN m.to_no = -3 THEN -m.quantity ELSE 0 END) AS BIGINT) \
     FROM stock_moves m LEFT JOIN location_entities e ON e.location_no = CASE WHEN m.from_no > 0 THEN m.from_no ELSE m.to_no END \
     AND e.since_at <= m.at AND e.until_at > m.at \
     WHERE m.at >= $1 AND m.at < $2 AND (m.from_no IN (-1, -2, -3) OR m.to_no IN (-1, -2, -3)) \
     GROUP BY COALESCE(e.entity_no, 0) ORDER BY COALESCE(e.entity_no, 0)";

/// What each entity did from a moment up to another. Their sum is the shop's: what one sold to another is the other's purchase.
/// Costs a read of the movements of that time.
pub fn figures(db: &mut Engine, from: Timestamp, until: Timestamp) -> Result<Vec<EntityFigures>, DbError> {
    let between = [from.micros().into(), until.micros().into()];
    let mut out = Vec::new();
    for row in db.rows(FIGURES, &between)? {
        let quantity = |at: usize| row.int(at).map(Quantity::from_milli);
        out.push(EntityFigures {
            entity_no: row.int(0)?,
            received: quantity(1)?,
            sold: quantity(2)?,
            returned: quantity(3)?,
            corrected: quantity(4)?,
            ..EntityFigures::default()
        });
    }
    let papers = "SELECT entity_no, CAST(SUM(CASE WHEN side = 'sale' THEN net_minor ELSE 0 END) AS BIGINT), \
                  CAST(SUM(CASE WHEN side = 'sale' THEN 0 ELSE net_minor END) AS BIGINT) FROM entity_documents \
                  WHERE at >= $1 AND at < $2 GROUP BY entity_no ORDER BY entity_no";
    for row in db.rows(papers, &between)? {
        let entity_no = row.int(0)?;
        let at = out.iter().position(|f| f.entity_no == entity_no).unwrap_or_else(|| {
            out.push(EntityFigures { entity_no, ..EntityFigures::default() });
            out.len() - 1
        });
        out[at].sold_between_minor = row.int(1)?;
        out[at].bought_between_minor = row.int(2)?;
    }
    out.sort_by_key(|f| f.entity_no);
    Ok(out)
}
