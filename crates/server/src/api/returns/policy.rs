//! What the shop promises about returns, beyond the law.
use super::refused;
use crate::app::App;
use crate::caller::{ReadOrders, WriteSettings};
use crate::change::Done;
use crate::input::Input;
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use orders::after::commands;
use orders::after::policy::{Policy, ShippingBack};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the shop promises. Where the law gives more, the law holds.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnPolicyBody {
    /// Days to return goods without a fault.
    days: i64,
    /// Days to complain of a fault.
    fault_days: i64,
    /// Days within which the customer gets an answer.
    answer_days: i64,
    /// Days for which an approved return waits for its goods.
    bring_days: i64,
    /// Days after delivery until somebody asks how it went; 0: nobody does.
    check_in_days: i64,
    /// Months of guarantee of goods that name none.
    warranty_months: i64,
    /// Whether goods come back by a receipt alone, for store credit.
    without_order: bool,
    /// Whether what the rules allow needs no person.
    approve_by_rule: bool,
    /// When delivery is paid back: `never`, `our_fault` (all came back and some was our fault) or `all_back`.
    shipping: String,
    /// The attribute in which products name the class that the law speaks of.
    class_attribute: String,
    /// The class of all goods of a category, by the category's code.
    class_of_category: BTreeMap<String, String>,
    /// The attribute by which sizes are told apart.
    size_attribute: String,
    /// The attribute that holds the months of guarantee.
    warranty_attribute: String,
}

const SHIPPING: [(ShippingBack, &str); 3] =
    [(ShippingBack::Never, "never"), (ShippingBack::OurFault, "our_fault"), (ShippingBack::AllBack, "all_back")];

fn shown(p: Policy) -> ReturnPolicyBody {
    let shipping = SHIPPING.iter().find(|(rule, _)| *rule == p.shipping).map_or("", |(_, word)| word);
    ReturnPolicyBody {
        days: p.days,
        fault_days: p.fault_days,
        answer_days: p.answer_days,
        bring_days: p.bring_days,
        check_in_days: p.check_in_days,
        warranty_months: p.warranty_months,
        without_order: p.without_order,
        approve_by_rule: p.approve_by_rule,
        shipping: shipping.into(),
        class_attribute: p.class_attribute,
        class_of_category: p.class_of_category,
        size_attribute: p.size_attribute,
        warranty_attribute: p.warranty_attribute,
    }
}

/// Shows what the shop promises about returns.
#[utoipa::path(get, path = "/api/v1/returns/policy", tag = "returns",
    responses((status = 200, body = ReturnPolicyBody)))]
pub async fn get_return_policy(State(app): State<Arc<App>>, _: ReadOrders) -> Result<Json<ReturnPolicyBody>, Problem> {
    Ok(Json(shown(app.read(|tx| Ok(commands::policy(tx)?)).await?)))
}

/// Changes what the shop promises about returns.
#[utoipa::path(put, path = "/api/v1/returns/policy", tag = "returns", request_body = ReturnPolicyBody,
    responses((status = 200, body = ReturnPolicyBody)))]
pub async fn put_return_policy(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    input: Input<ReturnPolicyBody>,
) -> Result<Response, Problem> {
    let g = input.value;
    let rule = |text: &str| SHIPPING.iter().find(|(_, word)| *word == text).map(|(rule, _)| *rule);
    let policy = Policy {
        shipping: super::word("/shipping", &g.shipping, rule, "never, our_fault, all_back")?,
        days: g.days,
        fault_days: g.fault_days,
        answer_days: g.answer_days,
        bring_days: g.bring_days,
        check_in_days: g.check_in_days,
        warranty_months: g.warranty_months,
        without_order: g.without_order,
        approve_by_rule: g.approve_by_rule,
        class_attribute: g.class_attribute,
        class_of_category: g.class_of_category,
        size_attribute: g.size_attribute,
        warranty_attribute: g.warranty_attribute,
    };
    app.change(&caller, input.request, move |tx| {
        let before = serde_json::to_value(commands::policy(tx)?).ok();
        commands::put_policy(tx, &policy).map_err(|e| refused(tx, e))?;
        let after = serde_json::to_value(&policy).ok();
        Ok(Done::ok(shown(policy.clone())).noted(("update", "return_policy"), "shop", before, after))
    })
    .await
}
