//! One customer with everything that is known.
use super::known::{self, ComputedValue, DerivedTrait, StandingFacts};
use super::row::{newest, seen};
use crate::api::wire::{Money, Object, SourceName, money};
use crate::input::Id;
use crate::sources::Snapshot;
use base::Timestamp;
use customers::PersonView;
use customers::consent::{ConsentRow, rows_of_person};
use db::{DbError, Tx};
use segments::runtime::definitions;
use serde::Serialize;

/// An identifier of a person, with the event that brought it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Identifier {
    kind: String,
    value: String,
    profile_id: Id,
    #[schema(value_type = String, format = DateTime)]
    first_seen: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_seen: Timestamp,
    message_id: String,
    /// What is odd about the value: `email_blocked_service`, `email_disposable`, `email_mistyped_domain`, `email_invalid`.
    flaw: Option<String>,
}

/// Which event set a trait.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TraitOrigin {
    name: String,
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    message_id: String,
    /// The source's name.
    source: String,
    source_id: Id,
}

/// Sums over a person's events.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PersonTotals {
    events: i64,
    orders: i64,
    refunds: i64,
    revenue: Vec<Money>,
    refunded: Vec<Money>,
    average_order: Vec<Money>,
    #[schema(value_type = String, format = DateTime)]
    first_seen: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_seen: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_order_at: Option<Timestamp>,
}

/// A membership.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PersonSegment {
    id: Id,
    name: String,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    leaves_at: Option<Timestamp>,
}

/// Whether something may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentState {
    /// It may.
    Granted,
    /// It may not.
    Denied,
}

/// What a row of the consent ledger says.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Consent {
    /// `email`, `sms`, …
    pub channel: String,
    /// The contact point.
    pub address: String,
    /// `marketing`, `service`.
    pub purpose: String,
    /// What was said.
    pub state: ConsentState,
    /// When it was recorded.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What the person agreed to, in the words that they saw.
    pub wording: String,
    /// The event that said it, if one did.
    pub message_id: Option<String>,
}

impl From<ConsentRow> for Consent {
    fn from(row: ConsentRow) -> Self {
        let state = if row.granted { ConsentState::Granted } else { ConsentState::Denied };
        let message_id = Some(row.message_id).filter(|m| !m.is_empty());
        Self {
            channel: row.channel,
            address: row.address,
            purpose: row.purpose,
            state,
            at: row.at,
            wording: row.wording,
            message_id,
        }
    }
}

/// A customer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Person {
    person_id: Id,
    profile_ids: Vec<Id>,
    identifiers: Vec<Identifier>,
    #[schema(value_type = HashMap<String, Value>)]
    traits: Object,
    trait_origins: Vec<TraitOrigin>,
    totals: PersonTotals,
    segments: Vec<PersonSegment>,
    consents: Vec<Consent>,
    /// What follows from the facts now.
    derived: Vec<DerivedTrait>,
    /// What the shop computes itself.
    computed: Vec<ComputedValue>,
    facts: StandingFacts,
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
}

/// A customer as a look-up gives it: who it is and what was said of them, without what has to be evaluated.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Found {
    person_id: Id,
    profile_ids: Vec<Id>,
    identifiers: Vec<Identifier>,
    #[schema(value_type = HashMap<String, Value>)]
    traits: Object,
    trait_origins: Vec<TraitOrigin>,
    totals: PersonTotals,
    segments: Vec<PersonSegment>,
    /// Whether marketing and service may go to each address, where anything was said about it.
    consents: Vec<FoundConsent>,
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
}

/// What decides now for an address.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct FoundConsent {
    channel: String,
    address: String,
    purpose: String,
    state: ConsentState,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// What a look-up says of a person: all of it from rows that are held in memory by key, so that it takes no query.
pub fn brief(tx: &mut Tx, view: &PersonView, sources: &Snapshot) -> Result<Found, DbError> {
    let (traits, trait_origins) = traits(view, sources);
    let members: Vec<i64> = view.members.iter().map(|m| m.profile_id).collect();
    let mut consents = Vec::new();
    for identifier in &view.identifiers {
        let channels: &[&str] = match &*identifier.kind {
            "email" => &["email"],
            "phone" => &["sms", "viber"],
            _ => &[],
        };
        for (channel, purpose) in channels.iter().flat_map(|c| [(*c, "marketing"), (*c, "service")]) {
            let said = customers::consent::consent_state(tx, &members, channel, &identifier.value, purpose)?;
            consents.extend(said.map(|said| FoundConsent {
                channel: channel.into(),
                address: identifier.value.to_string(),
                purpose: purpose.into(),
                state: if said.granted { ConsentState::Granted } else { ConsentState::Denied },
                at: said.at,
            }));
        }
    }
    Ok(Found {
        segments: memberships(tx, view)?,
        consents,
        person_id: Id(view.person_id),
        profile_ids: view.members.iter().map(|m| Id(m.profile_id)).collect(),
        identifiers: view.identifiers.iter().map(identifier).collect(),
        traits,
        trait_origins,
        totals: totals(view),
        as_of: tx.now(),
    })
}

fn memberships(tx: &mut Tx, view: &PersonView) -> Result<Vec<PersonSegment>, DbError> {
    let compiled = definitions::current(tx)?;
    let mut memberships = Vec::new();
    for m in segments::runtime::read_person(tx, view.person_id)? {
        if let Some(segment) = compiled.find(m.segment_id) {
            memberships.push(PersonSegment {
                id: Id(segment.id),
                name: segment.name.clone(),
                since: Timestamp::from_micros(m.since_us),
                leaves_at: crate::api::wire::moment(m.leaves_at_us),
            });
        }
    }
    Ok(memberships)
}

fn identifier(i: &customers::model::OwnIdentifier) -> Identifier {
    Identifier {
        kind: i.kind.to_string(),
        value: i.value.to_string(),
        profile_id: Id(i.profile_id),
        first_seen: i.seen.first,
        last_seen: i.seen.last,
        message_id: i.evidence.message_id.to_string(),
        flaw: (&*i.kind == "email")
            .then(|| exchange::quality::email_flaw(&i.value))
            .flatten()
            .map(|f| f.as_str().into()),
    }
}

/// Values of traits, and which event set each.
fn traits(view: &PersonView, sources: &Snapshot) -> (Object, Vec<TraitOrigin>) {
    let (mut traits, mut trait_origins) = (Object::new(), Vec::new());
    for (name, json, stamp) in view.state.traits.iter() {
        if let Ok(value) = serde_json::from_str(json) {
            traits.insert(name.to_string(), value);
        }
        trait_origins.push(TraitOrigin {
            name: name.to_string(),
            timestamp: stamp.timestamp,
            message_id: stamp.message_id.to_string(),
            source: SourceName::of(sources, stamp.source).name,
            source_id: Id(stamp.source),
        });
    }
    if let Some(name) = view.state.display_name() {
        traits.entry("name".into()).or_insert(name.into());
    }
    (traits, trait_origins)
}

/// Everything about a person.
pub fn of(tx: &mut Tx, view: &PersonView, sources: &Snapshot) -> Result<Person, DbError> {
    let segments = memberships(tx, view)?;
    let compiled = definitions::current(tx)?;
    let rules = compiled.rules.clone();
    let members: Vec<i64> = view.members.iter().map(|m| m.profile_id).collect();
    let mut granted: Vec<(&'static str, Option<bool>)> = Vec::new();
    for channel in customers::derived::ALL.iter().flat_map(|d| d.consents) {
        granted.push((channel, customers::consent::person_consent(tx, &members, channel, "marketing")?));
    }
    let consent = |channel: &str, _: &str| granted.iter().find(|(c, _)| *c == channel).and_then(|(_, g)| *g);
    let derived = known::derived_of(&view.state, &rules, tx.now(), &consent);
    let (traits, trait_origins) = traits(view, sources);
    Ok(Person {
        person_id: Id(view.person_id),
        profile_ids: view.members.iter().map(|m| Id(m.profile_id)).collect(),
        identifiers: view.identifiers.iter().map(identifier).collect(),
        traits,
        trait_origins,
        totals: totals(view),
        segments,
        consents: consents(tx, view)?,
        derived,
        computed: known::computed_of(&compiled, &view.state, tx.now()),
        facts: known::facts_of(&view.state, &rules, tx.now()),
        as_of: tx.now(),
    })
}

fn totals(view: &PersonView) -> PersonTotals {
    let totals = &view.state.totals;
    let (first_seen, last_seen) = seen(view);
    let revenue = money(&totals.revenue);
    let share = |m: &Money| Money { minor: m.minor / totals.orders.max(1), currency: m.currency.clone() };
    let average_order = if totals.orders > 0 { revenue.iter().map(share).collect() } else { Vec::new() };
    PersonTotals {
        events: totals.events,
        orders: totals.orders,
        refunds: totals.refunds,
        revenue,
        refunded: money(&totals.refunded),
        average_order,
        first_seen,
        last_seen,
        last_order_at: totals.last_order_at,
    }
}

/// What decides now for each contact point and purpose of a person.
fn consents(tx: &mut Tx, view: &PersonView) -> Result<Vec<Consent>, DbError> {
    let members: Vec<i64> = view.members.iter().map(|m| m.profile_id).collect();
    let addresses: Vec<&str> = view.identifiers.iter().map(|i| &*i.value).collect();
    let mut rows = rows_of_person(tx, &members, &addresses)?;
    rows.sort_by(|a, b| {
        let key = |r: &ConsentRow| (r.channel.clone(), r.address.clone(), r.purpose.clone());
        key(a).cmp(&key(b)).then_with(|| b.rank().cmp(&a.rank()))
    });
    rows.dedup_by(|a, b| (&a.channel, &a.address, &a.purpose) == (&b.channel, &b.address, &b.purpose));
    Ok(rows.into_iter().map(Consent::from).collect())
}

/// A name and an address to show beside a person's id.
pub fn caption(view: &PersonView) -> (Option<String>, Option<String>) {
    (view.state.display_name(), newest(view, "email"))
}
