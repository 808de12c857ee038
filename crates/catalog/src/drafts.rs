//! Changes that wait for a second person, and versions to go back to.
use crate::commands::put_products_by;
use crate::document::{self, Difference};
use crate::model::{Product, ProductInput, Rejection};
use crate::schema::{Schema, json, text_of};
use crate::{check, products};
use base::Timestamp;
use db::{DbError, Engine, Row, Tx};

/// Where a draft is in its life.
///
/// draft → submitted → approved | rejected; a rejected one may be written anew and is a draft again; draft and submitted may
/// be withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftState {
    Draft,
    Submitted,
    Approved,
    Rejected,
    Withdrawn,
}

impl DraftState {
    const ALL: [DraftState; 5] = [Self::Draft, Self::Submitted, Self::Approved, Self::Rejected, Self::Withdrawn];
    /// As it is stored and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }
    /// The inverse of [`DraftState::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// What somebody does with a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftStep {
    /// Writes it anew.
    Edit,
    Submit,
    Approve,
    Reject,
    Withdraw,
}

/// The state after a step, or why it cannot be. Nobody decides on what they wrote themselves.
pub fn next(state: DraftState, step: DraftStep, own: bool) -> Result<DraftState, &'static str> {
    use DraftState::{Approved, Draft, Rejected, Submitted, Withdrawn};
    match (state, step) {
        (Draft | Rejected, DraftStep::Edit) => Ok(Draft),
        (Draft, DraftStep::Submit) => Ok(Submitted),
        (Submitted, DraftStep::Approve | DraftStep::Reject) if own => {
            Err("somebody else decides on a change than who wrote it")
        }
        (Submitted, DraftStep::Approve) => Ok(Approved),
        (Submitted, DraftStep::Reject) => Ok(Rejected),
        (Draft | Submitted | Rejected, DraftStep::Withdraw) => Ok(Withdrawn),
        (Submitted, DraftStep::Edit) => Err("it is submitted: withdraw it to write another"),
        (Submitted, DraftStep::Submit) => Err("it is submitted already"),
        (Approved, _) => Err("it is approved and part of the product"),
        (Withdrawn, _) => Err("it was withdrawn"),
        (Draft, DraftStep::Approve | DraftStep::Reject) => Err("it is not submitted yet"),
        (Rejected, DraftStep::Submit | DraftStep::Approve | DraftStep::Reject) => {
            Err("it was rejected: write it anew first")
        }
    }
}

/// A change that waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    pub no: i64,
    /// 0 = a product that is not there yet.
    pub product_no: i64,
    /// The product's version when it was written.
    pub base_version: i64,
    pub state: DraftState,
    pub change: ProductInput,
    pub note: String,
    pub author: String,
    pub created_at: Timestamp,
    pub decided_by: String,
    pub decided_at: Timestamp,
    pub reason: String,
}

/// Why a draft does not do what it is told.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    #[error("there is no draft {0}")]
    NotFound(i64),
    #[error("there is no product {0:?}")]
    NoProduct(String),
    #[error("product {0:?} has no version {1}")]
    NoVersion(String, i64),
    #[error("{0}")]
    Step(&'static str),
    #[error("{}", .0.detail)]
    Refused(Rejection),
    #[error(transparent)]
    Store(#[from] DbError),
}

const READ: &str = "SELECT no, product_no, base_version, state, change, note, author, created_at, decided_by, decided_at, reason FROM product_drafts WHERE no = $1";
const LIST: &str = "SELECT no, product_no, base_version, state, change, note, author, created_at, decided_by, decided_at, reason FROM product_drafts WHERE ($1 = '' OR state = $1) AND ($2 = 0 OR product_no = $2) AND ($3 = 0 OR no < $3) ORDER BY no DESC LIMIT $4";
const WRITE: &str = "INSERT INTO product_drafts (no, product_no, base_version, state, change, note, author, created_at, decided_by, decided_at, reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (no) DO UPDATE SET product_no = excluded.product_no, base_version = excluded.base_version, state = excluded.state, change = excluded.change, note = excluded.note, decided_by = excluded.decided_by, decided_at = excluded.decided_at, reason = excluded.reason";

fn draft(r: &Row) -> Result<Draft, DbError> {
    let state = DraftState::parse(r.text(3)?).ok_or_else(|| DbError::damaged("product_drafts", "an unknown state"))?;
    Ok(Draft {
        no: r.int(0)?,
        product_no: r.int(1)?,
        base_version: r.int(2)?,
        state,
        change: json(r, 4, "product_drafts")?,
        note: r.text(5)?.into(),
        author: r.text(6)?.into(),
        created_at: Timestamp::from_micros(r.int(7)?),
        decided_by: r.text(8)?.into(),
        decided_at: Timestamp::from_micros(r.int(9)?),
        reason: r.text(10)?.into(),
    })
}

fn write(tx: &mut Tx, d: &Draft) -> Result<(), DbError> {
    let change = text_of(&d.change);
    tx.execute(
        WRITE,
        &[
            d.no.into(),
            d.product_no.into(),
            d.base_version.into(),
            d.state.as_str().into(),
            (&change).into(),
            (&d.note).into(),
            (&d.author).into(),
            d.created_at.micros().into(),
            (&d.decided_by).into(),
            d.decided_at.micros().into(),
            (&d.reason).into(),
        ],
    )
    .map(drop)
}

/// A draft by number.
pub fn find(db: &mut Engine, no: i64) -> Result<Option<Draft>, DbError> {
    db.first(READ, &[no.into()])?.as_ref().map(draft).transpose()
}

/// Drafts, newest first; `state` empty and `product_no` 0 = all.
pub fn list(db: &mut Engine, state: &str, product_no: i64, before: i64, limit: i64) -> Result<Vec<Draft>, DbError> {
    db.rows(LIST, &[state.into(), product_no.into(), before.into(), limit.into()])?.iter().map(draft).collect()
}

/// Keeps a change as a draft. It is checked as if it were made now.
pub fn create(tx: &mut Tx, author: &str, mut change: ProductInput, note: &str) -> Result<Draft, DraftError> {
    let known = checked(tx, &mut change)?;
    let draft = Draft {
        no: tx.next_id(),
        product_no: known.as_ref().map_or(0, |p| p.no),
        base_version: known.map_or(0, |p| p.version),
        state: DraftState::Draft,
        change,
        note: note.into(),
        author: author.into(),
        created_at: tx.now(),
        decided_by: String::new(),
        decided_at: Timestamp::default(),
        reason: String::new(),
    };
    write(tx, &draft)?;
    Ok(draft)
}

fn checked(tx: &mut Tx, change: &mut ProductInput) -> Result<Option<Product>, DraftError> {
    let refused = |(pointer, detail)| DraftError::Refused(Rejection { index: 0, pointer, detail });
    check::shape(change).map_err(refused)?;
    Ok(products::by_id(tx, &change.id)?)
}

/// Writes a draft anew; only its author does.
pub fn edit(tx: &mut Tx, no: i64, who: &str, mut change: ProductInput, note: &str) -> Result<Draft, DraftError> {
    let mut draft = find(tx.engine(), no)?.ok_or(DraftError::NotFound(no))?;
    if draft.author != who {
        return Err(DraftError::Step("only its author writes it anew"));
    }
    draft.state = next(draft.state, DraftStep::Edit, true).map_err(DraftError::Step)?;
    let known = checked(tx, &mut change)?;
    draft.product_no = known.as_ref().map_or(0, |p| p.no);
    draft.base_version = known.map_or(0, |p| p.version);
    draft.change = change;
    draft.note = note.into();
    write(tx, &draft)?;
    Ok(draft)
}

/// Moves a draft on. An approved one is put into the product in the same transaction, in the name of its author.
pub fn decide(tx: &mut Tx, no: i64, step: DraftStep, who: &str, reason: &str) -> Result<Draft, DraftError> {
    let mut draft = find(tx.engine(), no)?.ok_or(DraftError::NotFound(no))?;
    let own = draft.author == who;
    draft.state = next(draft.state, step, own).map_err(DraftError::Step)?;
    if step == DraftStep::Approve {
        let (accepted, rejected) = put_products_by(tx, &draft.author, std::slice::from_ref(&draft.change))?;
        if let Some(first) = rejected.into_iter().next() {
            return Err(DraftError::Refused(first));
        }
        draft.product_no = accepted.first().map_or(draft.product_no, |a| a.product_no);
    }
    if matches!(step, DraftStep::Approve | DraftStep::Reject | DraftStep::Withdraw) {
        draft.decided_by = who.into();
        draft.decided_at = tx.now();
        draft.reason = reason.into();
    }
    write(tx, &draft)?;
    Ok(draft)
}

/// What a draft would change of the product as it is now; values that cannot be are left out, approving says why.
pub fn preview(db: &mut Engine, schema: &Schema, draft: &Draft) -> Result<Vec<Difference>, DbError> {
    let known = products::by_id(db, &draft.change.id)?;
    let before = known.as_ref().map(|p| document::of(schema, p));
    let mut after =
        before.clone().unwrap_or_else(|| ProductInput { id: draft.change.id.clone(), ..Default::default() });
    overlay(&mut after, &draft.change);
    Ok(document::differences(before.as_ref(), &after))
}

/// Lays an input over a whole document as [`check::apply`] does over a product.
fn overlay(whole: &mut ProductInput, change: &ProductInput) {
    fn over<T: Clone>(whole: &mut Option<T>, change: &Option<T>) {
        if change.is_some() {
            whole.clone_from(change);
        }
    }
    over(&mut whole.name, &change.name);
    over(&mut whole.state, &change.state);
    over(&mut whole.family, &change.family);
    over(&mut whole.brand, &change.brand);
    over(&mut whole.tax_class, &change.tax_class);
    over(&mut whole.categories, &change.categories);
    over(&mut whole.axes, &change.axes);
    over(&mut whole.media, &change.media);
    whole.attributes.extend(change.attributes.clone());
    for (level, values) in &change.levels {
        whole.levels.entry(level.clone()).or_default().extend(values.clone());
    }
    for given in &change.variants {
        let at = whole.variants.iter().position(|v| v.sku == given.sku).unwrap_or_else(|| {
            whole.variants.push(crate::model::VariantInput { sku: given.sku.clone(), ..Default::default() });
            whole.variants.len() - 1
        });
        let v = &mut whole.variants[at];
        over(&mut v.gtin, &given.gtin);
        over(&mut v.price, &given.price);
        over(&mut v.tracked, &given.tracked);
        over(&mut v.lots, &given.lots);
        over(&mut v.weight_g, &given.weight_g);
        over(&mut v.archived, &given.archived);
        v.attributes.extend(given.attributes.clone());
    }
}

/// One step of a product's history: what made `version + 1` out of `version`.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    /// The version that was left.
    pub version: i64,
    pub at: Timestamp,
    pub actor: String,
    pub document: ProductInput,
}

/// Versions kept of one product.
pub const VERSIONS_MAX: i64 = 50;

const PAST: &str =
    "SELECT version, at, actor, document FROM product_versions WHERE product_no = $1 ORDER BY version DESC LIMIT $2";

/// Older versions of a product, newest first.
pub fn history(db: &mut Engine, product_no: i64, limit: i64) -> Result<Vec<Past>, DbError> {
    let rows = db.rows(PAST, &[product_no.into(), limit.into()])?;
    let past = |r: &Row| {
        Ok(Past {
            version: r.int(0)?,
            at: Timestamp::from_micros(r.int(1)?),
            actor: r.text(2)?.into(),
            document: json(r, 3, "product_versions")?,
        })
    };
    rows.iter().map(past).collect()
}

/// Makes a product what it was in a version, in one step; that is a new version again.
pub fn roll_back(tx: &mut Tx, id: &str, version: i64, who: &str) -> Result<Product, DraftError> {
    let now = products::by_id(tx, id)?.ok_or_else(|| DraftError::NoProduct(id.into()))?;
    let past = history(tx.engine(), now.no, VERSIONS_MAX)?.into_iter().find(|p| p.version == version);
    let past = past.ok_or_else(|| DraftError::NoVersion(id.into(), version))?;
    let input = document::back_to(&past.document, &now);
    let (_, rejected) = put_products_by(tx, who, &[input])?;
    if let Some(first) = rejected.into_iter().next() {
        return Err(DraftError::Refused(first));
    }
    products::by_no(tx, now.no)?.ok_or_else(|| DraftError::NoProduct(id.into()))
}
