//! `/customers`: finding people, and everything about one of them.
pub mod consents;
pub mod counter;
pub mod files;
pub mod history;
pub mod household;
pub mod identity;
pub mod known;
pub mod merge;
pub mod notes;
pub mod person;
pub mod row;
pub mod timeline;

use crate::app::App;
use crate::caller::ReadCustomers;
use crate::hub::Topic;
use crate::input::{Id, List, Params, cursor, limit, place};
use crate::problem::{BAD_QUERY, NOT_FOUND, Problem};
use crate::sse;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use customers::search::{self, Position, Sort};
use person::{Found, Person};
use row::CustomerRow;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What a list of customers is sorted by.
#[derive(Debug, Clone, Copy, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SortBy {
    /// Who was seen last comes first.
    #[default]
    LastSeen,
    /// Who brought most comes first.
    Revenue,
    /// Who ordered most often comes first.
    Orders,
}

/// Which customers.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CustomersQuery {
    /// Any identifier in any spelling, its beginning, or the beginnings of words of a name.
    query: Option<String>,
    /// Members of a segment only; with `query` those of them who fit.
    segment_id: Option<String>,
    #[param(inline)]
    sort: Option<SortBy>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// A page of customers.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CustomerList {
    items: Vec<CustomerRow>,
    next_cursor: Option<String>,
    /// How many there are, where that is known cheaply.
    total: Option<i64>,
}

/// Lists customers.
#[utoipa::path(get, path = "/api/v1/customers", tag = "customers", params(CustomersQuery),
    responses((status = 200, body = CustomerList)))]
pub async fn list_customers(
    State(app): State<Arc<App>>,
    ReadCustomers(caller): ReadCustomers,
    Params(q): Params<CustomersQuery>,
) -> Result<Json<CustomerList>, Problem> {
    let limit = limit(q.limit)?;
    let counters = app.domain.preparer().current().counters;
    let written = q.query.as_deref().map(str::trim).filter(|t| !t.is_empty()).map(str::to_string);
    let (ids, next_cursor, total) = match (written, q.segment_id) {
        (Some(text), segment) => {
            let after = place::<1>(q.cursor.as_deref())?.map(|[id]| id);
            let sees = caller.may(crate::access::Act::SeeContacts);
            let matching = if sees { search::Matching::Beginnings } else { search::Matching::Whole };
            let (country, rules) = (app.domain.settings().country, app.domain.preparer().current().rules);
            app.settle().await?;
            let found = app
                .query(move |db| {
                    Ok(search::find_people(db, &text, (&rules, country, matching), after, limit as usize)?)
                })
                .await?;
            let next = found.next.map(|id| cursor(&[id]));
            match segment {
                None => (found.people, next, found.total.map(|t| t as i64)),
                // Of those who fit, the members; a page may be short of some, the cursor goes on all the same.
                Some(segment) => (members(&app, found.people, Id::in_path(&segment)?).await?, next, None),
            }
        }
        (None, Some(segment)) => {
            let segment = Id::in_path(&segment)?;
            let after = place::<1>(q.cursor.as_deref())?.map_or(0, |[id]| id);
            let page = crate::api::segments::member_page(&app, segment, after, limit).await?;
            let ids: Vec<i64> = page.items.iter().map(|m| m.0).collect();
            (ids, page.next_cursor, Some(page.count))
        }
        (None, None) => {
            let sort = match q.sort.unwrap_or_default() {
                SortBy::LastSeen => Sort::LastSeen,
                SortBy::Revenue => Sort::Revenue,
                SortBy::Orders => Sort::Orders,
            };
            let after = place::<2>(q.cursor.as_deref())?.map(|[value, person_id]| Position { value, person_id });
            app.settle().await?;
            let (page, more) = app.query(move |db| Ok(search::list_people(db, sort, after, limit as usize)?)).await?;
            let next = page.last().filter(|_| more).map(|p| cursor(&[p.value, p.person_id]));
            let total = app
                .read(|tx| {
                    let c = tx.counts();
                    Ok(c.profiles - c.absorbed)
                })
                .await?;
            (page.into_iter().map(|p| p.person_id).collect(), next, Some(total))
        }
    };
    let items = app.read(move |tx| Ok(row::of_ids(tx, &ids, &counters)?)).await?;
    Ok(Json(CustomerList { items, next_cursor, total }))
}

/// The members of a segment among some people.
async fn members(app: &App, people: Vec<i64>, segment: i64) -> Result<Vec<i64>, Problem> {
    app.read(move |tx| {
        let mut out = Vec::with_capacity(people.len());
        for person in people {
            let all = segments::runtime::read_person(tx, person)?;
            if all.iter().any(|m| m.segment_id == segment) {
                out.push(person);
            }
        }
        Ok(out)
    })
    .await
}

/// One identifier.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LookupQuery {
    email: Option<String>,
    phone: Option<String>,
    user_id: Option<String>,
    anonymous_id: Option<String>,
    /// Any kind of identifier, with `value`: `loyalty_card`, `telegram`, …
    kind: Option<String>,
    value: Option<String>,
}

/// Finds a customer by one identifier in any spelling.
#[utoipa::path(get, path = "/api/v1/customers/lookup", tag = "customers", params(LookupQuery),
    responses((status = 200, body = Found)))]
pub async fn lookup_customer(
    State(app): State<Arc<App>>,
    _: ReadCustomers,
    Params(q): Params<LookupQuery>,
) -> Result<Json<Found>, Problem> {
    let given = [("email", q.email), ("phone", q.phone), ("user_id", q.user_id), ("anonymous_id", q.anonymous_id)];
    let mut given: Vec<(String, String)> =
        given.into_iter().filter_map(|(kind, value)| Some((kind.to_string(), value?))).collect();
    match (q.kind, q.value) {
        (Some(kind), Some(value)) => given.push((kind, value)),
        (None, None) => {}
        _ => return Err(BAD_QUERY.because("kind and value go together")),
    }
    if given.len() != 1 {
        return Err(BAD_QUERY.because("name exactly one of email, phone, user_id, anonymous_id, or kind with value"));
    }
    let (kind, value) = given.remove(0);
    let (country, asked) = (app.domain.settings().country, kind.clone());
    let (counters, keys) = (app.domain.preparer().current().counters, app.sources());
    let found = app.read(move |tx| {
        let Some((person, _)) = customers::lookup(tx, &asked, &value, country)? else { return Ok(None) };
        let view = customers::person(tx, person, &counters)?;
        Ok(view.map(|view| person::brief(tx, &view, keys.sources())).transpose()?)
    });
    found.await?.map(Json).ok_or_else(|| NOT_FOUND.because(format!("nobody has this {kind}")))
}

/// Lists the derived traits: what each is called, means, and can be.
#[utoipa::path(get, path = "/api/v1/derived-traits", tag = "customers", responses((status = 200, body = inline(List<known::DerivedKind>))))]
pub async fn list_derived_traits(_: ReadCustomers) -> Json<List<known::DerivedKind>> {
    Json(List::whole(known::registry()))
}

async fn find_person(app: &App, id: i64) -> Result<Person, Problem> {
    let (counters, keys) = (app.domain.preparer().current().counters, app.sources());
    app.read(move |tx| match customers::person(tx, id, &counters)? {
        Some(view) => Ok(person::of(tx, &view, keys.sources())?),
        None => Err(NOT_FOUND.because(format!("nobody has the id {id}"))),
    })
    .await
}

/// Shows a customer. The id of any of its profiles leads to it.
#[utoipa::path(get, path = "/api/v1/customers/{person_id}", tag = "customers", params(("person_id" = String, Path)),
    responses((status = 200, body = Person)))]
pub async fn get_customer(
    State(app): State<Arc<App>>,
    _: ReadCustomers,
    Path(id): Path<String>,
) -> Result<Json<Person>, Problem> {
    find_person(&app, Id::in_path(&id)?).await.map(Json)
}

/// The person that an id belongs to, with all its profiles.
pub async fn resolve(app: &App, id: &str) -> Result<(i64, Vec<i64>), Problem> {
    let id = Id::in_path(id)?;
    app.read(move |tx| {
        let Some(profile) = tx.get::<customers::profiles::Profiles>(id)? else {
            return Err(NOT_FOUND.because(format!("nobody has the id {id}")));
        };
        let person = profile.person;
        if person == 0 {
            return Err(NOT_FOUND.because(format!("nobody has the id {id} any more: the person was erased")));
        }
        Ok((person, customers::commands::members_of(tx, person)?))
    })
    .await
}

/// Tells what happens to a customer while it happens.
#[utoipa::path(get, path = "/api/v1/customers/{person_id}/stream", tag = "customers", params(("person_id" = String, Path)),
    responses((status = 200, body = String, content_type = "text/event-stream")))]
pub async fn customer_stream(
    State(app): State<Arc<App>>,
    ReadCustomers(caller): ReadCustomers,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (person, _) = resolve(&app, &id).await?;
    // Who may not see every kind of events is told that something happened, and asks for what there is to see.
    let whole = timeline::sees_all(&caller);
    sse::stream(&app.hub, if whole { Topic::Person(person) } else { Topic::PersonBriefly(person) })
}
