//! Who lives with a customer.
use crate::api::wire::Money;
use crate::app::App;
use crate::caller::{ReadCustomers, ReadSettings, WriteCustomers, WriteSettings};
use crate::change::Done;
use crate::input::{Id, Input};
use crate::problem::{BAD_INPUT, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::Timestamp;
use customers::households::{self, Member};
use db::Tx;
use segments::runtime::definitions;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Somebody of a household.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct HouseholdMember {
    person_id: Id,
    name: Option<String>,
    /// `self`, `said` by a person, `declared` by `household_id`, or `home`: surname and address.
    because: &'static str,
    orders: i64,
    revenue: Vec<Money>,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_order_at: Option<Timestamp>,
}

/// A household: a view, nothing of the people is joined.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Household {
    /// The customer first. Those of other stores are left out for who sees one store only.
    items: Vec<HouseholdMember>,
    /// How many people, the customer included.
    members: i64,
    orders: i64,
    /// What they bought together.
    revenue: Vec<Money>,
    /// Whether the shop looks for households by address; what people said holds anyway.
    on: bool,
}

fn read(tx: &mut Tx, person: i64) -> Result<Household, Problem> {
    let counters = definitions::current(tx)?.counters.clone();
    let members = households::of_person(tx, person, &counters)?;
    let mut items = Vec::with_capacity(members.len());
    for Member { person_id, because, orders, revenue, last_order_at } in &members {
        let view = customers::person(tx, *person_id, &counters)?;
        items.push(HouseholdMember {
            person_id: Id(*person_id),
            name: view.and_then(|view| view.state.display_name()),
            because: because.as_str(),
            orders: *orders,
            revenue: crate::api::wire::money(revenue),
            last_order_at: *last_order_at,
        });
    }
    Ok(summed(items, households::is_on(tx)?))
}

fn summed(items: Vec<HouseholdMember>, on: bool) -> Household {
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for money in items.iter().flat_map(|member| &member.revenue) {
        let sum = sums.entry(&money.currency).or_default();
        *sum = sum.saturating_add(money.minor);
    }
    Household {
        members: items.len() as i64,
        orders: items.iter().map(|m| m.orders).sum(),
        revenue: sums.into_iter().map(|(currency, minor)| Money { minor, currency: currency.into() }).collect(),
        items,
        on,
    }
}

/// Shows who lives with a customer.
#[utoipa::path(get, path = "/api/v1/customers/{person_id}/household", tag = "customers",
    params(("person_id" = String, Path)), responses((status = 200, body = Household)))]
pub async fn customer_household(
    State(app): State<Arc<App>>,
    ReadCustomers(caller): ReadCustomers,
    Path(id): Path<String>,
) -> Result<Json<Household>, Problem> {
    let (person, _) = super::resolve(&app, &id).await?;
    let found = app.read(move |tx| read(tx, person)).await?;
    // Sums say nothing either of people whom the caller may not see.
    let mut seen = Vec::with_capacity(found.items.len());
    for member in found.items {
        if crate::scope::visible(&app, &caller, member.person_id.0).await? {
            seen.push(member);
        }
    }
    Ok(Json(summed(seen, found.on)))
}

/// What somebody knows of a household.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HouseholdInput {
    /// The other customer.
    person_id: Id,
    /// Whether the two live together; what is said here goes before address and declaration.
    together: bool,
}

/// Says that two customers live together, or that they do not.
#[utoipa::path(post, path = "/api/v1/customers/{person_id}/household", tag = "customers",
    params(("person_id" = String, Path)), request_body = HouseholdInput, responses((status = 200, body = Household)))]
pub async fn say_household(
    State(app): State<Arc<App>>,
    WriteCustomers(caller): WriteCustomers,
    Path(id): Path<String>,
    input: Input<HouseholdInput>,
) -> Result<Response, Problem> {
    let (person, _) = super::resolve(&app, &id).await?;
    let HouseholdInput { person_id: Id(other), together } = input.value;
    // Who keeps to some stores can name only people of theirs.
    if !crate::scope::visible(&app, &caller, other).await? {
        return Err(NOT_FOUND.at("/person_id", format!("nobody has the id {other}")));
    }
    let actor = caller.actor.clone();
    app.change(&caller, input.request, move |tx| {
        let found = tx.get::<customers::profiles::Profiles>(other)?.map(|row| row.person).filter(|p| *p != 0);
        let other = found.ok_or_else(|| NOT_FOUND.at("/person_id", format!("nobody has the id {other}")))?;
        if other == person {
            return Err(BAD_INPUT.at("/person_id", "this is the same customer"));
        }
        households::say(tx, person, other, together, &actor)?;
        let after = json!({"person_id": other.to_string(), "together": together});
        Ok(Done::ok(read(tx, person)?).noted(("household", "customer"), person, None, Some(after)))
    })
    .await
}

/// Whether the shop looks for households.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HouseholdSettings {
    /// By surname and address, and by the trait `household_id`.
    on: bool,
}

/// Shows whether the shop looks for households.
#[utoipa::path(get, path = "/api/v1/household-settings", tag = "customers",
    responses((status = 200, body = HouseholdSettings)))]
pub async fn get_household_settings(
    State(app): State<Arc<App>>,
    _: ReadSettings,
) -> Result<Json<HouseholdSettings>, Problem> {
    app.read(|tx| Ok(Json(HouseholdSettings { on: households::is_on(tx)? }))).await
}

/// Switches it; switched on, a job notes where everybody lives.
#[utoipa::path(put, path = "/api/v1/household-settings", tag = "customers", request_body = HouseholdSettings,
    responses((status = 200, body = HouseholdSettings)))]
pub async fn put_household_settings(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    input: Input<HouseholdSettings>,
) -> Result<Response, Problem> {
    let wanted = input.value;
    app.change(&caller, input.request, move |tx| {
        let before = HouseholdSettings { on: households::is_on(tx)? };
        pipeline::households::switch(tx, wanted.on)?;
        let as_json = |s: HouseholdSettings| serde_json::to_value(s).ok();
        Ok(Done::ok(wanted).noted(("update", "household settings"), "", as_json(before), as_json(wanted)))
    })
    .await
}
