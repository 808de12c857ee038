//! Why profiles are one person, and taking them apart.
use crate::app::App;
use crate::caller::{ReadIdentity, WriteIdentity};
use crate::change::Done;
use crate::input::{Id, Input};
use crate::problem::{BAD_INPUT, CONFLICT, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::Timestamp;
use customers::cuts::{CutError, cannot_links_of, edges_of};
use pipeline::cuts::Cut;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// An identifier value.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KindValue {
    kind: String,
    value: String,
}

impl KindValue {
    /// A value with its kind.
    pub fn new(kind: &str, value: impl Into<String>) -> Self {
        Self { kind: kind.into(), value: value.into() }
    }
}

/// A profile of a person.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct IdentityProfile {
    profile_id: Id,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    identifiers: Vec<KindValue>,
    source: Option<String>,
}

/// Evidence that two profiles are one person.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct IdentityEdge {
    id: Id,
    a: Id,
    b: Id,
    rule: String,
    message_id: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    evidence: Option<KindValue>,
    /// The same in words, for a page that draws the graph.
    why: String,
    /// Who made it by hand.
    actor: Option<String>,
}

fn why(edge: &customers::cuts::EdgeRow) -> String {
    match edge.rule.as_str() {
        "same_event" => format!("one event carried both, by {}", edge.kind),
        "alias" => format!("an alias call named the former {}", edge.kind),
        "bypass" => "both were joined to a profile that was taken out from between them".into(),
        "manual" => format!("{} joined them by hand", edge.actor),
        "review" => format!("{} joined them in the review queue", edge.actor),
        "resolve" => "two lists without a shared key were found to name one person".into(),
        other => other.into(),
    }
}

/// Two profiles that somebody said are not one person.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CannotLink {
    id: Id,
    a: Id,
    b: Id,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    actor: String,
}

/// What a person is made of.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Identity {
    profiles: Vec<IdentityProfile>,
    edges: Vec<IdentityEdge>,
    cannot_link: Vec<CannotLink>,
}

/// Shows why profiles are one person.
#[utoipa::path(get, path = "/api/v1/customers/{person_id}/identity", tag = "customers",
    params(("person_id" = String, Path)), responses((status = 200, body = Identity)))]
pub async fn customer_identity(
    State(app): State<Arc<App>>,
    _: ReadIdentity,
    Path(id): Path<String>,
) -> Result<Json<Identity>, Problem> {
    let id = Id::in_path(&id)?;
    let (counters, keys) = (app.domain.preparer().current().counters, app.sources());
    let identity = app.read(move |tx| {
        let view = customers::person(tx, id, &counters)?;
        let view = view.ok_or_else(|| NOT_FOUND.because(format!("nobody has the id {id}")))?;
        let members: Vec<i64> = view.members.iter().map(|m| m.profile_id).collect();
        let identifiers = |profile: i64| {
            let own = view.identifiers.iter().filter(|i| i.profile_id == profile);
            own.map(|i| KindValue { kind: i.kind.to_string(), value: i.value.to_string() }).collect()
        };
        let profile = |m: &customers::model::Member| IdentityProfile {
            profile_id: Id(m.profile_id),
            created_at: m.created_at,
            identifiers: identifiers(m.profile_id),
            source: m.source.and_then(|s| keys.sources().get(s)).map(|s| s.name.clone()),
        };
        let profiles = view.members.iter().map(profile).collect();
        let edge = |e: customers::cuts::EdgeRow| IdentityEdge {
            why: why(&e),
            actor: Some(e.actor).filter(|a| !a.is_empty()),
            id: Id(e.id),
            a: Id(e.a),
            b: Id(e.b),
            rule: e.rule,
            message_id: e.message_id,
            at: e.at,
            evidence: (!e.kind.is_empty()).then_some(KindValue { kind: e.kind, value: e.value }),
        };
        let edges = edges_of(tx, &members)?.into_iter().map(edge).collect();
        let link = |c: customers::cuts::CannotLinkRow| CannotLink {
            id: Id(c.id),
            a: Id(c.a),
            b: Id(c.b),
            at: c.at,
            actor: c.actor,
        };
        let cannot_link = cannot_links_of(tx, &members)?.into_iter().map(link).collect();
        Ok(Identity { profiles, edges, cannot_link })
    });
    identity.await.map(Json)
}

/// What to cut: edges, or values that get a profile of their own.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Unmerge {
    #[schema(value_type = Option<Vec<String>>)]
    edges: Option<Vec<Id>>,
    detach: Option<Detach>,
}

/// One value, or several that belong together.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum Detach {
    /// One.
    One(KindValue),
    /// Several.
    Many(Vec<KindValue>),
}

/// A person that a cut left.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PersonProfiles {
    person_id: Id,
    profile_ids: Vec<Id>,
}

/// The people that a cut left.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct UnmergeResult {
    people: Vec<PersonProfiles>,
}

/// Takes a person apart.
#[utoipa::path(post, path = "/api/v1/customers/{person_id}/unmerge", tag = "customers",
    params(("person_id" = String, Path)), request_body = Unmerge, responses((status = 200, body = UnmergeResult)))]
pub async fn unmerge_customer(
    State(app): State<Arc<App>>,
    WriteIdentity(caller): WriteIdentity,
    Path(id): Path<String>,
    input: Input<Unmerge>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    let pair = |v: KindValue| (v.kind, v.value);
    let cut = match (input.value.edges, input.value.detach) {
        (Some(edges), None) if !edges.is_empty() => Cut::Edges(edges.into_iter().map(|e| e.0).collect()),
        (None, Some(Detach::One(value))) => Cut::Detach(vec![pair(value)]),
        (None, Some(Detach::Many(values))) if !values.is_empty() => Cut::Detach(values.into_iter().map(pair).collect()),
        _ => return Err(BAD_INPUT.because("say either which edges to remove or which value to detach")),
    };
    let (preparer, actor) = (app.domain.preparer().clone(), caller.actor.clone());
    app.change(&caller, input.request, move |tx| {
        let pieces = pipeline::cuts::cut(tx, &preparer, id, &cut, &actor).map_err(refused)?;
        let people: Vec<PersonProfiles> = pieces
            .into_iter()
            .map(|p| PersonProfiles {
                person_id: Id(p.person_id),
                profile_ids: p.profile_ids.into_iter().map(Id).collect(),
            })
            .collect();
        let after = serde_json::to_value(&people).ok();
        let before = match &cut {
            Cut::Edges(edges) => json!({"edges": edges}),
            Cut::Detach(values) => json!({"detach": values.iter().map(|(kind, _)| kind).collect::<Vec<_>>()}),
        };
        Ok(Done::ok(UnmergeResult { people }).noted(("unmerge", "person"), id, Some(before), after))
    })
    .await
}

fn refused(error: CutError) -> Problem {
    match error {
        CutError::NoPerson(_) => NOT_FOUND.because(error.to_string()),
        CutError::NoEdge(_) => BAD_INPUT.at("/edges", error.to_string()),
        CutError::NoValue { .. } => BAD_INPUT.at("/detach", error.to_string()),
        CutError::SeveralProfiles | CutError::NothingElse => CONFLICT.because(error.to_string()),
        CutError::Store(error) => error.into(),
    }
}
