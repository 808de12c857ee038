//! The register of processing purposes (GDPR art. 30): what is done with data, on which ground, for how long.
use db::{Bulk, DbError, Engine, Owned, Tx};

/// A purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purpose {
    pub id: i64,
    pub purpose: String,
    /// The legal ground.
    pub ground: String,
    /// Categories of people and data.
    pub categories: String,
    pub retention: String,
    pub recipients: String,
    pub version: i64,
    /// 0 = in force.
    pub archived_at: i64,
}

/// What a shop that runs Braid does in any case; a shop changes the words to its own.
pub const PRESETS: [[&str; 5]; 5] = [
    [
        "Fulfilment of orders",
        "Contract (GDPR art. 6.1.b)",
        "Buyers: name, contacts, address, order",
        "3 years after the order",
        "Carriers, payment services",
    ],
    [
        "Bookkeeping and taxes",
        "Legal duty (GDPR art. 6.1.c; Tax Code of Ukraine, art. 44.3)",
        "Buyers: receipts and amounts",
        "1095 days after the document",
        "Tax office",
    ],
    [
        "Marketing messages",
        "Consent (GDPR art. 6.1.a)",
        "Subscribers: contacts, purchases, visits",
        "Until the consent is withdrawn",
        "Mail service",
    ],
    [
        "Service of customers",
        "Legitimate interest (GDPR art. 6.1.f)",
        "Customers: contacts, conversations, purchases",
        "3 years after the last contact",
        "None",
    ],
    [
        "Statistics of the shop",
        "Legitimate interest (GDPR art. 6.1.f)",
        "Visitors: events without contacts",
        "13 months",
        "None",
    ],
];

static PURPOSES: Bulk = Bulk {
    table: "privacy_purposes",
    columns: &[
        ("id", 'i'),
        ("purpose", 't'),
        ("ground", 't'),
        ("categories", 't'),
        ("retention", 't'),
        ("recipients", 't'),
        ("version", 'i'),
        ("archived_at", 'i'),
    ],
    key: 1,
    insert_only: false,
};

/// Writes a purpose, new or changed.
pub fn put(tx: &mut Tx, p: &Purpose) {
    let text = |t: &str| Owned::Text(t.to_string());
    tx.append(
        &PURPOSES,
        vec![
            p.id.into(),
            text(&p.purpose),
            text(&p.ground),
            text(&p.categories),
            text(&p.retention),
            text(&p.recipients),
            p.version.into(),
            p.archived_at.into(),
        ],
    );
}

/// Presets as purposes, for a shop that has none yet. They have no number: the first change of the register gives them one.
pub fn presets() -> Vec<Purpose> {
    let own = |t: &str| t.to_string();
    PRESETS
        .iter()
        .map(|[purpose, ground, categories, retention, recipients]| Purpose {
            id: 0,
            purpose: own(purpose),
            ground: own(ground),
            categories: own(categories),
            retention: own(retention),
            recipients: own(recipients),
            version: 1,
            archived_at: 0,
        })
        .collect()
}

/// Writes the presets down where nothing stands yet, before the register is first changed.
pub fn ensure(tx: &mut Tx) -> Result<(), DbError> {
    if tx.first("SELECT id FROM privacy_purposes LIMIT 1", &[])?.is_some() {
        return Ok(());
    }
    for preset in presets() {
        let id = tx.next_id();
        put(tx, &Purpose { id, ..preset });
    }
    Ok(())
}

const ALL: &str = "SELECT id, purpose, ground, categories, retention, recipients, version, archived_at FROM privacy_purposes \
                   ORDER BY id LIMIT 1000";

/// The register, archived purposes included; the presets where nothing was written yet.
pub fn list(db: &mut Engine) -> Result<Vec<Purpose>, DbError> {
    let found: Vec<Purpose> = db
        .rows(ALL, &[])?
        .iter()
        .map(|r| {
            Ok(Purpose {
                id: r.int(0)?,
                purpose: r.text(1)?.into(),
                ground: r.text(2)?.into(),
                categories: r.text(3)?.into(),
                retention: r.text(4)?.into(),
                recipients: r.text(5)?.into(),
                version: r.int(6)?,
                archived_at: r.int(7)?,
            })
        })
        .collect::<Result<_, DbError>>()?;
    Ok(if found.is_empty() { presets() } else { found })
}
