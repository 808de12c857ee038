//! Every documented route: nobody, the wrong role, garbage, the right role. A route that is missing here fails.
use super::harness::{Shop, shops};
use crate::access::{Act, Area, Role, allows};
use serde_json::{Value, json};

mod catalog;
mod erp;
mod front;
mod goods;
mod orders;
mod prices;
mod returns;
mod stock;

/// What a route is asked with by somebody who may, and what it needs.
struct Case {
    path: String,
    body: Option<Value>,
    /// What it takes.
    act: Act,
}

/// Routes for people who are not signed in yet.
const OPEN: [&str; 5] =
    ["sign_in", "accept_invitation", "sign_in_ways", "begin_provider_sign_in", "finish_provider_sign_in"];
/// Routes that want a person, where a key, such as this matrix has, gets a clean refusal.
const PERSONAL: [&str; 8] = [
    "decide_compared",
    "decide_rollout",
    "end_session",
    "change_password",
    "begin_second_factor",
    "confirm_second_factor",
    "remove_second_factor",
    "decide_export_approval",
];

/// A number that was not given before, for names that must be new.
fn fresh() -> u64 {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

fn user(shop: &Shop) -> String {
    let body =
        json!({"email": format!("m{}@example.com", fresh()), "name": "M", "role": "agent", "password": "long enough"});
    let made = shop.owner("POST", "/api/v1/users").json(&body).send().json();
    made["id"].as_str().unwrap_or_default().to_string()
}

fn invitation() -> Value {
    json!({"email": format!("i{}@example.com", fresh()), "name": "I", "role": "shop_assistant", "stores": ["lviv-1"]})
}

fn computed() -> Value {
    json!({"name": format!("t{}", fresh()), "expression": "count(\"A\")", "kind": "number"})
}

fn made(shop: &Shop) -> String {
    let made = shop.owner("POST", "/api/v1/computed-traits").json(&computed()).send().json();
    made["id"].as_str().unwrap_or_default().to_string()
}

/// Nobody is there: what is sent fails, and the state of the endpoint is what counts here.
fn receiver() -> Value {
    json!({"name": "R", "url": "https://receiver.invalid/hooks", "types": ["event.tracked"]})
}

fn webhook(shop: &Shop) -> String {
    let items = shop.owner("GET", "/api/v1/webhooks").send().json();
    if let Some(id) = items["items"].as_array().filter(|i| i.len() > 20).and_then(|i| i[0]["id"].as_str()) {
        shop.owner("DELETE", &format!("/api/v1/webhooks/{id}")).send();
    }
    let made = shop.owner("POST", "/api/v1/webhooks").json(&receiver()).send().json();
    made["id"].as_str().unwrap_or_default().to_string()
}

/// A delivery that waits, and that no attempt is under way for.
fn delivery(shop: &Shop) -> String {
    let id = webhook(shop);
    let made = shop.owner("POST", &format!("/api/v1/webhooks/{id}/test")).json(&json!({})).send().json();
    shop.owner("POST", &format!("/api/v1/webhooks/{id}/state")).json(&json!({"state": "paused"})).send();
    let delivery = made["id"].as_str().unwrap_or_default().to_string();
    for _ in 0..200 {
        let now = shop.owner("GET", &format!("/api/v1/webhook-deliveries/{delivery}")).send().json();
        if now["state"] != "delivering" {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    delivery
}

fn case(shop: &Shop, id: &str) -> Case {
    let find = |list: &str| {
        let items = shop.owner("GET", list).send().json();
        items["items"][0]["id"].as_str().unwrap_or("0").to_string()
    };
    let (segment, template, rule) =
        (find("/api/v1/segments"), find("/api/v1/templates"), find("/api/v1/message-rules"));
    let text = json!({"name": "T", "channel": "email", "subject": "s", "body_html": "<p>x</p>", "body_text": "x"});
    let rule_body = json!({"segment_id": segment, "template_id": template, "channel": "email", "purpose": "marketing", "once": true, "enabled": true});
    let purpose = json!({"purpose": "P", "ground": "G", "categories": "C", "retention": "R", "recipients": "None"});
    let condition = json!({"name": format!("S {id} {}", fresh()), "expression": "count(\"A\") >= 1"});
    let view = json!({"page": "customers", "name": "V", "shared": true, "state": {"sort": "orders"}});
    let edit = json!({"title": "E", "rows": [{"person_id": "1", "traits": {"tier": fresh()}}]});
    let (path, body, act): (String, Option<Value>, Act) = match id {
        "sign_in" => {
            ("session".into(), Some(json!({"email": "owner@example.com", "password": shop.keys.password})), Act::Own)
        }
        "sign_in_ways" => ("session/ways".into(), None, Act::Own),
        // No provider is set here: the right role gets a clean refusal.
        "begin_provider_sign_in" => ("session/provider".into(), Some(json!({"return_to": "/"})), Act::Own),
        "finish_provider_sign_in" => ("session/provider/code".into(), Some(json!({"code": "123456"})), Act::Own),
        "get_sign_in_settings" => ("settings/sign-in".into(), None, Act::Read(Area::Accounts)),
        "put_sign_in_settings" => (
            "settings/sign-in".into(),
            Some(json!({"enabled": false, "issuer": "", "client_id": "", "label": "", "role": "agent"})),
            Act::Write(Area::Accounts),
        ),
        "check_sign_in_settings" => (
            "settings/sign-in/check".into(),
            Some(json!({"issuer": "nowhere", "client_id": "c"})),
            Act::Write(Area::Accounts),
        ),
        "current_session" | "sign_out" => ("session".into(), None, Act::Own),
        "list_users" => ("users".into(), None, Act::Read(Area::Accounts)),
        "create_user" => (
            "users".into(),
            Some(
                json!({"email": format!("n{}@example.com", fresh()), "name": "N", "role": "analyst", "password": "long enough"}),
            ),
            Act::Write(Area::Accounts),
        ),
        "list_api_keys" => ("api-keys".into(), None, Act::Read(Area::Accounts)),
        "create_api_key" => {
            ("api-keys".into(), Some(json!({"name": "N", "role": "analyst"})), Act::Write(Area::Accounts))
        }
        "delete_api_key" => {
            let made =
                shop.owner("POST", "/api/v1/api-keys").json(&json!({"name": "Gone", "role": "analyst"})).send().json();
            (format!("api-keys/{}", made["id"].as_str().unwrap_or_default()), None, Act::Write(Area::Accounts))
        }
        "list_sessions" => ("sessions".into(), None, Act::Own),
        "end_session" => (format!("sessions/{}", "0".repeat(32)), None, Act::Own),
        "change_password" => (
            "session/password".into(),
            Some(json!({"password": "long enough", "new_password": "long enough"})),
            Act::Own,
        ),
        "begin_second_factor" | "remove_second_factor" => {
            ("session/second-factor".into(), Some(json!({"password": "long enough"})), Act::Own)
        }
        "confirm_second_factor" => ("session/second-factor/confirm".into(), Some(json!({"code": "123456"})), Act::Own),
        "update_user" => {
            let body = json!({"name": "N", "role": "agent", "stores": [], "active": true});
            (format!("users/{}", user(shop)), Some(body), Act::Write(Area::Accounts))
        }
        "reset_user" => {
            (format!("users/{}/reset", user(shop)), Some(json!({"what": "sessions"})), Act::Write(Area::Accounts))
        }
        "list_invitations" => ("invitations".into(), None, Act::Read(Area::Accounts)),
        "create_invitation" => ("invitations".into(), Some(invitation()), Act::Write(Area::Accounts)),
        "delete_invitation" => {
            let made = shop.owner("POST", "/api/v1/invitations").json(&invitation()).send().json();
            let id = made["id"].as_str().unwrap_or_default().to_string();
            (format!("invitations/{id}"), None, Act::Write(Area::Accounts))
        }
        "accept_invitation" => {
            let made = shop.owner("POST", "/api/v1/invitations").json(&invitation()).send().json();
            let token = made["link"].as_str().and_then(|l| l.split('#').nth(1)).unwrap_or_default().to_string();
            let body = json!({"token": token, "password": "long enough"});
            ("invitations/accept".into(), Some(body), Act::Own)
        }
        "export_audit" => ("audit/export".into(), None, Act::Read(Area::Audit)),
        "list_views" => ("audit/views/1".into(), None, Act::Read(Area::Audit)),
        "list_view_alarms" => ("view-alarms".into(), None, Act::Read(Area::Audit)),
        "close_view_alarm" => ("view-alarms/1/close".into(), None, Act::Write(Area::Audit)),
        "list_export_approvals" => ("export-approvals".into(), None, Act::Write(Area::Exports)),
        "request_export_approval" => (
            "export-approvals".into(),
            Some(json!({"what": "customers", "rows": 1000, "reason": "a list for the printer"})),
            Act::Write(Area::Exports),
        ),
        "decide_export_approval" => {
            ("export-approvals/1/decide".into(), Some(json!({"approve": true})), Act::ApproveExport)
        }
        "list_exports" => ("exports".into(), None, Act::Read(Area::Exports)),
        "list_export_kinds" => ("exports/kinds".into(), None, Act::Read(Area::Exports)),
        "preview_export" => ("exports/preview".into(), Some(harmless_export()), Act::Write(Area::Exports)),
        "create_export" => ("exports".into(), Some(harmless_export()), Act::Write(Area::Exports)),
        "get_export" | "delete_export" => (format!("exports/{}", exported(shop)), None, Act::Write(Area::Exports)),
        "link_export" => (format!("exports/{}/link", exported(shop)), None, Act::Write(Area::Exports)),
        "download_export" => {
            let id = exported(shop);
            let link = shop.owner("POST", &format!("/api/v1/exports/{id}/link")).send().json();
            let url = link["url"].as_str().unwrap_or_default().trim_start_matches("/api/v1/").to_string();
            (url, None, Act::Write(Area::Exports))
        }
        "reveal_contacts" => {
            ("customers/1/reveal".into(), Some(json!({"reason": "asked to be called"})), Act::RevealContact)
        }
        "setup" => ("setup".into(), None, Act::Read(Area::Home)),
        "get_shop_settings" => ("settings/shop".into(), None, Act::Read(Area::Settings)),
        "put_shop_settings" => {
            let body = json!({"name": "Shop", "stores": [{"id": "lviv-1", "name": "Львів"}]});
            ("settings/shop".into(), Some(body), Act::Write(Area::Settings))
        }
        "get_configuration" => ("configuration".into(), None, Act::Write(Area::Settings)),
        "push_configuration" => ("configuration".into(), Some(json!({"items": []})), Act::Write(Area::Settings)),
        "get_security_settings" => ("settings/security".into(), None, Act::Read(Area::Settings)),
        "put_security_settings" => {
            let body = serde_json::to_value(crate::policy::Policy::default()).expect("serializes");
            ("settings/security".into(), Some(body), Act::Write(Area::Settings))
        }
        "list_audit" => ("audit".into(), None, Act::Read(Area::Audit)),
        "list_sources" => ("sources".into(), None, Act::Read(Area::Sources)),
        "create_source" => (
            "sources".into(),
            Some(json!({"name": format!("New {}", fresh()), "kind": "server"})),
            Act::Write(Area::Sources),
        ),
        "rotate_source_key" => {
            let made = shop
                .owner("POST", "/api/v1/sources")
                .json(&json!({"name": format!("Old {}", fresh()), "kind": "server"}))
                .send()
                .json();
            (format!("sources/{}/rotate", made["id"].as_str().unwrap_or_default()), None, Act::Write(Area::Sources))
        }
        "home" | "health" => (id.into(), None, Act::Read(Area::Home)),
        "live" => (id.into(), None, Act::Read(Area::Events)),
        "list_customers" => ("customers?query=ann".into(), None, Act::Read(Area::Customers)),
        "lookup_customer" => ("customers/lookup?user_id=u".into(), None, Act::Read(Area::Customers)),
        "trait_history" => ("customers/1/traits/name/history".into(), None, Act::Read(Area::Customers)),
        "get_profile_settings" => ("profile-settings".into(), None, Act::Read(Area::Settings)),
        "put_profile_settings" => (
            "profile-settings".into(),
            Some(
                json!({"new_days": 30, "at_risk_days": 90, "lapsed_days": 180, "loyal_orders": 5, "service_hour_minor": 0}),
            ),
            Act::Write(Area::Settings),
        ),
        "list_derived_traits" => ("derived-traits".into(), None, Act::Read(Area::Customers)),
        "get_customer" => ("customers/1".into(), None, Act::Read(Area::Customers)),
        "customer_stream" => ("customers/1/stream".into(), None, Act::Read(Area::Customers)),
        "customer_timeline" => ("customers/1/timeline?kind=views,cart".into(), None, Act::Read(Area::Customers)),
        "timeline_counts" => ("customers/1/timeline/counts".into(), None, Act::Read(Area::Customers)),
        "list_segment_fields" => ("segment-fields".into(), None, Act::Read(Area::Segments)),
        "list_computed_traits" => ("computed-traits".into(), None, Act::Read(Area::Settings)),
        "create_computed_trait" => ("computed-traits".into(), Some(computed()), Act::Write(Area::Settings)),
        "preview_computed_trait" => {
            let body = json!({"expression": "count(\"A\")", "kind": "number"});
            ("computed-traits/preview".into(), Some(body), Act::Write(Area::Settings))
        }
        "get_computed_trait" => (format!("computed-traits/{}", made(shop)), None, Act::Read(Area::Settings)),
        "computed_trait_versions" => {
            (format!("computed-traits/{}/versions", made(shop)), None, Act::Read(Area::Settings))
        }
        "update_computed_trait" => {
            (format!("computed-traits/{}", made(shop)), Some(computed()), Act::Write(Area::Settings))
        }
        "archive_computed_trait" => (format!("computed-traits/{}", made(shop)), None, Act::Write(Area::Settings)),
        "customer_household" => ("customers/1/household".into(), None, Act::Read(Area::Customers)),
        "say_household" => {
            let body = json!({"person_id": "2", "together": true});
            ("customers/1/household".into(), Some(body), Act::Write(Area::Customers))
        }
        "get_household_settings" => ("household-settings".into(), None, Act::Read(Area::Settings)),
        "put_household_settings" => {
            ("household-settings".into(), Some(json!({"on": true})), Act::Write(Area::Settings))
        }
        "customer_page" => ("customer-page".into(), None, Act::Read(Area::Customers)),
        "customer_identity" => ("customers/1/identity".into(), None, Act::Read(Area::Identity)),
        "customer_messages" => ("customers/1/messages".into(), None, Act::Read(Area::Messages)),
        "unmerge_customer" => {
            // A person of its own, so that what one role took apart is whole for the next.
            let email = format!("cut{}@example.com", fresh());
            let body = json!({"userId": format!("cut-{email}"), "messageId": email, "traits": {"email": email}});
            assert_eq!(shop.track("/v1/identify", &body).status, 200);
            let found = shop.owner("GET", &format!("/api/v1/customers/lookup?email={email}")).send().json();
            (
                format!("customers/{}/unmerge", found["person_id"].as_str().unwrap_or_default()),
                Some(json!({"detach": {"kind": "email", "value": email}})),
                Act::Write(Area::Identity),
            )
        }
        "record_consent" => (
            "consents".into(),
            Some(
                json!({"channel": "email", "address": "ann@example.com", "purpose": "marketing", "state": "granted", "wording": "yes"}),
            ),
            Act::Write(Area::Consents),
        ),
        "erase_customer" => {
            let email = format!("gone{}@example.com", fresh());
            let body = json!({"userId": format!("gone-{email}"), "messageId": email, "traits": {"email": email}});
            assert_eq!(shop.track("/v1/identify", &body).status, 200);
            let found = shop.owner("GET", &format!("/api/v1/customers/lookup?email={email}")).send().json();
            (
                format!("customers/{}/erasure", found["person_id"].as_str().unwrap_or_default()),
                Some(json!({"reason": "asked for it"})),
                Act::Write(Area::Privacy),
            )
        }
        "list_erasures" => ("privacy/erasures".into(), None, Act::Read(Area::Privacy)),
        "list_privacy_requests" => ("privacy/requests?state=received".into(), None, Act::Read(Area::Privacy)),
        "create_privacy_request" => (
            "privacy/requests".into(),
            Some(json!({"kind": "access", "who": "Ann", "contact": "ann@example.com"})),
            Act::Write(Area::Privacy),
        ),
        "advance_privacy_request" => {
            let body = json!({"kind": "objection", "who": "Ann", "contact": "by phone"});
            let made = shop.owner("POST", "/api/v1/privacy/requests").json(&body).send().json();
            let id = made["id"].as_str().unwrap_or_default();
            (format!("privacy/requests/{id}"), Some(json!({"state": "verified"})), Act::Write(Area::Privacy))
        }
        // No customer belongs to the request, so the right role gets a clean conflict.
        "erase_for_request" => {
            let body = json!({"kind": "erasure", "who": "Ann", "contact": "by phone"});
            let made = shop.owner("POST", "/api/v1/privacy/requests").json(&body).send().json();
            let id = made["id"].as_str().unwrap_or_default();
            (format!("privacy/requests/{id}/erasure"), Some(json!({})), Act::Write(Area::Privacy))
        }
        "export_customer" => ("customers/1/export?format=html".into(), None, Act::Write(Area::Privacy)),
        "list_suppressions" => ("suppressions?query=a".into(), None, Act::Read(Area::Messages)),
        "add_suppression" => (
            "suppressions".into(),
            Some(json!({"channel": "email", "address": "gone@example.com", "reason": "asked by phone"})),
            Act::Write(Area::Messages),
        ),
        "lift_suppression" => {
            let body = json!({"channel": "email", "address": "gone@example.com", "reason": "asked by phone"});
            shop.owner("POST", "/api/v1/suppressions").json(&body).send();
            ("suppressions/lift".into(), Some(body), Act::Write(Area::Messages))
        }
        "import_suppressions" => (
            "suppressions/import".into(),
            Some(json!({"text": "a@example.com", "reason": "the old tool's list"})),
            Act::Write(Area::Messages),
        ),
        "get_quiet_hours" => ("quiet-hours".into(), None, Act::Read(Area::Messages)),
        "put_quiet_hours" => ("quiet-hours".into(), Some(json!({"hours": null})), Act::Write(Area::Messages)),
        "get_preferences" => ("customers/1/preferences".into(), None, Act::Read(Area::Consents)),
        "put_preferences" => {
            let body = json!({"items": [{"channel": "*", "topic": "news", "wanted": false}]});
            ("customers/1/preferences".into(), Some(body), Act::Write(Area::Consents))
        }
        "get_retention" => ("privacy/retention".into(), None, Act::Read(Area::Privacy)),
        "put_retention" | "preview_retention" => {
            let rule = json!({"kind": "rejects", "days": 30, "ground": "nobody looks later", "enabled": true});
            let body = Some(json!({"rules": [rule], "documents": []}));
            match id {
                "put_retention" => ("privacy/retention".into(), body, Act::Write(Area::Privacy)),
                _ => ("privacy/retention/preview".into(), body, Act::Read(Area::Privacy)),
            }
        }
        "run_retention" => ("privacy/retention/run".into(), Some(json!({"confirm": true})), Act::Write(Area::Privacy)),
        "adopt_purposes" => {
            ("privacy/purposes/adopt".into(), Some(json!({"presets": true})), Act::Write(Area::Privacy))
        }
        "list_wordings" => ("privacy/wordings".into(), None, Act::Read(Area::Consents)),
        "list_purposes" => ("privacy/purposes".into(), None, Act::Read(Area::Privacy)),
        "create_purpose" => ("privacy/purposes".into(), Some(purpose), Act::Write(Area::Privacy)),
        "update_purpose" => {
            let made = shop.owner("POST", "/api/v1/privacy/purposes").json(&purpose).send().json();
            let id = made["id"].as_str().unwrap_or_default();
            (format!("privacy/purposes/{id}"), Some(purpose), Act::Write(Area::Privacy))
        }
        "list_segments" => ("segments".into(), None, Act::Read(Area::Segments)),
        "create_segment" => ("segments".into(), Some(condition), Act::Write(Area::Segments)),
        "preview_segment" => {
            ("segments/preview".into(), Some(json!({"expression": "count(\"A\") >= 1"})), Act::Read(Area::Segments))
        }
        "get_segment" => (format!("segments/{segment}"), None, Act::Read(Area::Segments)),
        "update_segment" => (format!("segments/{segment}"), Some(condition), Act::Write(Area::Segments)),
        "archive_segment" | "restore_segment" => {
            let made = shop.owner("POST", "/api/v1/segments").json(&condition).send().json();
            let made = made["id"].as_str().unwrap_or_default().to_string();
            if id == "archive_segment" {
                (format!("segments/{made}"), None, Act::Write(Area::Segments))
            } else {
                shop.owner("DELETE", &format!("/api/v1/segments/{made}")).send();
                (format!("segments/{made}/restore"), None, Act::Write(Area::Segments))
            }
        }
        "segment_members" => (format!("segments/{segment}/members"), None, Act::Read(Area::Segments)),
        "segment_changes" => (format!("segments/{segment}/changes"), None, Act::Read(Area::Segments)),
        "segment_stream" => (format!("segments/{segment}/stream"), None, Act::Read(Area::Segments)),
        "list_events" => ("events?status=accepted".into(), None, Act::Read(Area::Events)),
        "get_event" => ("events/1".into(), None, Act::Read(Area::Events)),
        "get_source" => (format!("sources/{}", find("/api/v1/sources")), None, Act::Read(Area::Sources)),
        "observe_source" => (
            format!("sources/{}/observe", find("/api/v1/sources")),
            Some(json!({"observe_only": fresh().is_multiple_of(2)})),
            Act::Write(Area::Sources),
        ),
        "get_plan" | "plan_versions" | "learned_events" | "list_drift" => {
            let part = match id {
                "get_plan" => "plan",
                "plan_versions" => "plan/versions",
                "learned_events" => "learned",
                _ => "drift?all=true",
            };
            (format!("sources/{}/{part}", find("/api/v1/sources")), None, Act::Read(Area::Events))
        }
        "put_plan" => (
            format!("sources/{}/plan", find("/api/v1/sources")),
            Some(json!({"text": "event \"A\" warn"})),
            Act::Write(Area::Events),
        ),
        // Nothing drifts and nothing was refused here, so the right role gets a clean "no such".
        "resolve_drift" => {
            (format!("sources/{}/drift/1/resolve", find("/api/v1/sources")), None, Act::Write(Area::Events))
        }
        "replay_reject" => ("rejects/1/replay".into(), None, Act::Write(Area::Events)),
        "replay_rejects" => {
            ("rejects/replay".into(), Some(json!({"source_id": find("/api/v1/sources")})), Act::Write(Area::Events))
        }
        "reject_hours" => ("rejects/hours?hours=2".into(), None, Act::Read(Area::Events)),
        "list_rejects" => ("rejects".into(), None, Act::Read(Area::Events)),
        "reject_summary" => ("rejects/summary".into(), None, Act::Read(Area::Events)),
        "create_upload" => ("uploads".into(), Some(json!({"name": "a.csv", "size": 12})), Act::Write(Area::Imports)),
        "get_upload" | "delete_upload" | "append_upload" => {
            let new = json!({"name": "a.csv", "size": 12});
            let made = shop.owner("POST", "/api/v1/uploads").json(&new).send().json();
            let (what, id) = (id, made["id"].as_str().unwrap_or_default());
            match what {
                "get_upload" => (format!("uploads/{id}"), None, Act::Read(Area::Imports)),
                "delete_upload" => (format!("uploads/{id}"), None, Act::Write(Area::Imports)),
                _ => (format!("uploads/{id}?offset=0"), None, Act::Write(Area::Imports)),
            }
        }
        "list_webhook_types" => ("webhook-types".into(), None, Act::Read(Area::Settings)),
        "list_webhooks" => ("webhooks".into(), None, Act::Read(Area::Settings)),
        "create_webhook" => {
            // As many as there may be are soon made here.
            let items = shop.owner("GET", "/api/v1/webhooks").send().json();
            for made in items["items"].as_array().into_iter().flatten().filter_map(|w| w["id"].as_str()) {
                shop.owner("DELETE", &format!("/api/v1/webhooks/{made}")).send();
            }
            ("webhooks".into(), Some(receiver()), Act::Write(Area::Settings))
        }
        "get_webhook" => (format!("webhooks/{}", webhook(shop)), None, Act::Read(Area::Settings)),
        "update_webhook" => (format!("webhooks/{}", webhook(shop)), Some(receiver()), Act::Write(Area::Settings)),
        "delete_webhook" => (format!("webhooks/{}", webhook(shop)), None, Act::Write(Area::Settings)),
        "set_webhook_state" => {
            (format!("webhooks/{}/state", webhook(shop)), Some(json!({"state": "paused"})), Act::Write(Area::Settings))
        }
        "rotate_webhook_secret" => {
            (format!("webhooks/{}/rotate", webhook(shop)), Some(json!({"grace_hours": 1})), Act::Write(Area::Settings))
        }
        "test_webhook" => (format!("webhooks/{}/test", webhook(shop)), None, Act::Write(Area::Settings)),
        "replay_webhook" => (
            format!("webhooks/{}/replay", webhook(shop)),
            Some(json!({"since": "2026-01-01T00:00:00Z"})),
            Act::Write(Area::Settings),
        ),
        "list_webhook_deliveries" => {
            (format!("webhooks/{}/deliveries?state=dead", webhook(shop)), None, Act::Read(Area::Settings))
        }
        "get_webhook_delivery" => (format!("webhook-deliveries/{}", delivery(shop)), None, Act::Read(Area::Settings)),
        "replay_webhook_delivery" => {
            (format!("webhook-deliveries/{}/replay", delivery(shop)), None, Act::Write(Area::Settings))
        }
        "list_import_presets" => ("imports/presets".into(), None, Act::Read(Area::Imports)),
        "look_at_import" => ("imports/look".into(), Some(json!({"upload": upload(shop)})), Act::Write(Area::Imports)),
        "begin_import" => {
            let layout = json!({"format": "csv", "columns": ["email", "name"]});
            let mapping = json!({"kind": "customers", "columns": {"email": "email", "name": "name"}});
            let body = json!({"upload": upload(shop), "layout": layout, "mapping": mapping, "source": "Old shop"});
            ("imports".into(), Some(body), Act::Write(Area::Imports))
        }
        "import_report" => (format!("imports/{}/report", imported(shop)), None, Act::Read(Area::Imports)),
        "list_mappings" => ("imports/mappings".into(), None, Act::Read(Area::Imports)),
        "save_mapping" => ("imports/mappings".into(), Some(saved_mapping(fresh())), Act::Write(Area::Imports)),
        "mapping_versions" | "delete_mapping" => {
            let made = shop.owner("POST", "/api/v1/imports/mappings").json(&saved_mapping(fresh())).send().json();
            let act = if id == "mapping_versions" { Act::Read(Area::Imports) } else { Act::Write(Area::Imports) };
            (format!("imports/mappings/{}", made["id"].as_str().unwrap_or_default()), None, act)
        }
        "quality_report" => ("quality".into(), None, Act::Read(Area::Imports)),
        "begin_quality_report" => ("quality".into(), None, Act::Write(Area::Imports)),
        "quality_people" => ("quality/no_phone".into(), None, Act::Read(Area::Imports)),
        "get_contact_settings" => ("settings/contacts".into(), None, Act::Read(Area::Settings)),
        "put_contact_settings" => {
            let resolve = json!({"file_from": 0.5, "join_from": null, "at_most": 100});
            let body = json!({"blocked_services": "stop", "resolve": resolve});
            ("settings/contacts".into(), Some(body), Act::Write(Area::Settings))
        }
        "list_rollout" => ("rollout".into(), None, Act::Read(Area::Imports)),
        "decide_rollout" => (
            "rollout/orders/decisions".into(),
            Some(json!({"go": false, "reason": "not yet"})),
            Act::Write(Area::Imports),
        ),
        "read_quality_report" => {
            reported(shop);
            ("quality/read".into(), None, Act::Write(Area::Imports))
        }
        "list_compared" => ("parallel-run".into(), None, Act::Read(Area::Imports)),
        "create_compared" => {
            let body = json!({"name": format!("Compared {}", fresh()), "module": "customers"});
            ("parallel-run".into(), Some(body), Act::Write(Area::Imports))
        }
        "get_compared"
        | "update_compared"
        | "begin_comparison"
        | "list_differences"
        | "explain_differences"
        | "decide_compared" => {
            let new = json!({"name": "C", "module": "customers"});
            let made = shop.owner("POST", "/api/v1/parallel-run").json(&new).send().json();
            let path = format!("parallel-run/{}", made["id"].as_str().unwrap_or_default());
            match id {
                "get_compared" => (path, None, Act::Read(Area::Imports)),
                "update_compared" => {
                    (path, Some(json!({"name": "D", "settings": made["settings"]})), Act::Write(Area::Imports))
                }
                "begin_comparison" => {
                    (format!("{path}/comparisons"), Some(json!({"upload": upload(shop)})), Act::Write(Area::Imports))
                }
                "list_differences" => (format!("{path}/differences?open=true"), None, Act::Read(Area::Imports)),
                "explain_differences" => (
                    format!("{path}/differences"),
                    Some(json!({"ids": ["1"], "note": "a test order"})),
                    Act::Write(Area::Imports),
                ),
                _ => (
                    format!("{path}/decisions"),
                    Some(json!({"decision": "no_go", "reason": "not yet"})),
                    Act::Write(Area::Imports),
                ),
            }
        }
        "list_jobs" => ("jobs?state=done".into(), None, Act::Read(Area::Jobs)),
        // The job that filled the segment, which nobody stops by itself: the right role gets a clean conflict.
        "get_job" => (format!("jobs/{}", find("/api/v1/jobs")), None, Act::Read(Area::Jobs)),
        "stop_job" => (format!("jobs/{}/stop", find("/api/v1/jobs")), Some(json!({})), Act::Write(Area::Jobs)),
        "resume_job" => (format!("jobs/{}/resume", find("/api/v1/jobs")), Some(json!({})), Act::Write(Area::Jobs)),
        "list_templates" => ("templates".into(), None, Act::Read(Area::Messages)),
        "create_template" => ("templates".into(), Some(text), Act::Write(Area::Messages)),
        "preview_template" => (
            "templates/preview".into(),
            Some(json!({"subject": "s", "body_html": "<p>x</p>", "body_text": "", "person_id": "1"})),
            Act::Read(Area::Messages),
        ),
        "get_template" => (format!("templates/{template}"), None, Act::Read(Area::Messages)),
        "update_template" => (format!("templates/{template}"), Some(text), Act::Write(Area::Messages)),
        "list_message_rules" => ("message-rules".into(), None, Act::Read(Area::Messages)),
        "create_message_rule" => ("message-rules".into(), Some(rule_body), Act::Write(Area::Messages)),
        "get_message_rule" => (format!("message-rules/{rule}"), None, Act::Read(Area::Messages)),
        "update_message_rule" => (format!("message-rules/{rule}"), Some(rule_body), Act::Write(Area::Messages)),
        "delete_message_rule" => {
            let made = shop.owner("POST", "/api/v1/message-rules").json(&rule_body).send().json();
            (format!("message-rules/{}", made["id"].as_str().unwrap_or_default()), None, Act::Write(Area::Messages))
        }
        "get_caps" => ("caps".into(), None, Act::Read(Area::Messages)),
        "put_caps" => (
            "caps".into(),
            Some(json!({"items": [{"channel": "email", "purpose": "marketing", "limit": 3, "window": "7d"}]})),
            Act::Write(Area::Messages),
        ),
        "list_messages" => ("messages?status=pending".into(), None, Act::Read(Area::Messages)),
        // No message is unknown here, so the right role gets a clean "no such message".
        "settle_message" => ("messages/1/settle".into(), Some(json!({"as": "sent"})), Act::Write(Area::Messages)),
        "get_identity_rules" => ("identity/rules".into(), None, Act::Read(Area::Identity)),
        "put_identity_rules" | "preview_identity_rules" => {
            let now = shop.owner("GET", "/api/v1/identity/rules").send().json();
            let body = json!({"kinds": now["kinds"], "hubs": now["hubs"], "stitch": now["stitch"]});
            if id == "put_identity_rules" {
                ("identity/rules".into(), Some(body), Act::Write(Area::Identity))
            } else {
                ("identity/rules/preview".into(), Some(body), Act::Read(Area::Identity))
            }
        }
        "list_blocked_values" => ("identity/blocked".into(), None, Act::Read(Area::Identity)),
        "block_value" => (
            "identity/blocked".into(),
            Some(json!({"kind": "loyalty_card", "value": format!("desk-{}", fresh())})),
            Act::Write(Area::Identity),
        ),
        "unblock_value" => {
            let value = format!("gone-{}", fresh());
            shop.owner("POST", "/api/v1/identity/blocked").json(&json!({"kind": "card", "value": value})).send();
            (format!("identity/blocked?kind=card&value={value}"), None, Act::Write(Area::Identity))
        }
        "list_suspects" => ("identity/suspects".into(), None, Act::Read(Area::Identity)),
        "dismiss_suspect" => (
            "identity/suspects/dismiss".into(),
            Some(json!({"kind": "loyalty_card", "value": "family"})),
            Act::Write(Area::Identity),
        ),
        "list_review" => ("identity/review".into(), None, Act::Read(Area::Identity)),
        // No pair waits here, so the right role gets a clean "no such pair".
        "decide_review" => {
            ("identity/review/1-2".into(), Some(json!({"decision": "later"})), Act::Write(Area::Identity))
        }
        "decide_reviews" => (
            "identity/review".into(),
            Some(json!({"pairs": [{"a": "1", "b": "2"}], "decision": "later"})),
            Act::Write(Area::Identity),
        ),
        "list_saved_views" => ("views?page=customers".into(), None, Act::Own),
        "create_saved_view" => ("views".into(), Some(view), Act::Own),
        "update_saved_view" | "delete_saved_view" => {
            let made = shop.owner("POST", "/api/v1/views").json(&view).send().json();
            let path = format!("views/{}", made["id"].as_str().unwrap_or_default());
            (path, (id == "update_saved_view").then_some(view), Act::Own)
        }
        "list_notes" => ("customers/1/notes".into(), None, Act::Read(Area::Customers)),
        "create_note" => ("customers/1/notes".into(), Some(json!({"text": "N"})), Act::Write(Area::Customers)),
        "update_note" | "delete_note" => {
            let made = shop.owner("POST", "/api/v1/customers/1/notes").json(&json!({"text": "N"})).send().json();
            let path = format!("customers/1/notes/{}", made["id"].as_str().unwrap_or_default());
            (path, (id == "update_note").then(|| json!({"text": "M"})), Act::Write(Area::Customers))
        }
        "list_files" => ("customers/1/files".into(), None, Act::Read(Area::Customers)),
        "add_file" => (format!("customers/1/files?name=f{}.txt", fresh()), None, Act::Write(Area::Customers)),
        "get_file" | "delete_file" => {
            let path = format!("/api/v1/customers/1/files?name=f{}.txt", fresh());
            let made = shop.owner("POST", &path).header("content-type", "image/png").body(b"x").send().json();
            let path = format!("customers/1/files/{}", made["id"].as_str().unwrap_or_default());
            (path, None, if id == "get_file" { Act::Read(Area::Customers) } else { Act::Write(Area::Customers) })
        }
        "list_bulk_edits" => ("bulk-edits".into(), None, Act::Read(Area::Customers)),
        "preview_bulk_edit" => ("bulk-edits/preview".into(), Some(edit), Act::Write(Area::Customers)),
        "make_bulk_edit" => ("bulk-edits".into(), Some(edit), Act::Write(Area::Customers)),
        "undo_bulk_edit" => {
            let made = shop.owner("POST", "/api/v1/bulk-edits").json(&edit).send().json();
            (format!("bulk-edits/{}/undo", made["id"].as_str().unwrap_or_default()), None, Act::Write(Area::Customers))
        }
        "download_table" => {
            ("table-downloads".into(), Some(json!({"table": "customers", "rows": 3})), Act::Write(Area::Exports))
        }
        "list_identity_changes" => ("identity/changes".into(), None, Act::Read(Area::Identity)),
        "stitch_rate" => ("identity/stitch".into(), None, Act::Read(Area::Identity)),
        "preview_merge" | "merge_customers" => {
            let user = format!("merged-{}", fresh());
            let call = json!({"userId": user, "messageId": user, "traits": {"name": "Ann"}});
            assert_eq!(shop.track("/v1/identify", &call).status, 200);
            let path = format!("/api/v1/customers/lookup?user_id={user}");
            let other = json!({"with": shop.owner("GET", &path).send().json()["person_id"]});
            if id == "preview_merge" {
                ("customers/1/merge/preview".into(), Some(other), Act::Read(Area::Identity))
            } else {
                ("customers/1/merge".into(), Some(other), Act::Write(Area::Identity))
            }
        }
        other => stock::case(shop, other)
            .or_else(|| catalog::case(shop, other))
            .or_else(|| prices::case(shop, other))
            .or_else(|| orders::case(shop, other))
            .or_else(|| returns::case(shop, other))
            .or_else(|| front::case(shop, other))
            .or_else(|| erp::case(shop, other))
            .unwrap_or_else(|| panic!("the route {other} is documented, but not in this matrix")),
    };
    Case { path: format!("/api/v1/{path}"), body, act }
}

/// A mapping to be saved under a name of its own.
fn saved_mapping(number: u64) -> Value {
    let mapping = json!({"kind": "customers", "columns": {"email": "email"}});
    json!({"name": format!("Saved {number}"), "source": "Old", "layout": {"format": "csv", "columns": ["email"]}, "mapping": mapping})
}

/// A small file of customers that is here.
fn upload(shop: &Shop) -> String {
    let text = b"email,name\nann@example.com,Ann\nnobody,Bob\n";
    let new = json!({"name": "a.csv", "size": text.len()});
    let made = shop.owner("POST", "/api/v1/uploads").json(&new).send().json();
    let id = made["id"].as_str().unwrap_or_default().to_string();
    assert_eq!(shop.owner("PUT", &format!("/api/v1/uploads/{id}?offset=0")).body(text).send().status, 200);
    id
}

/// Waits for a report on the data's quality.
fn reported(shop: &Shop) {
    shop.owner("POST", "/api/v1/quality").send();
    for _ in 0..500 {
        if shop.owner("GET", "/api/v1/quality").send().json()["items"][0].is_object() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

/// An import that is done.
fn harmless_export() -> Value {
    json!({"kind": "segments", "format": "csv"})
}

/// A file that is there.
fn exported(shop: &Shop) -> String {
    let made = shop.owner("POST", "/api/v1/exports").json(&harmless_export()).send().json();
    let id = made["id"].as_str().unwrap_or_default().to_string();
    for _ in 0..500 {
        if shop.owner("GET", &format!("/api/v1/exports/{id}")).send().json()["state"] == "ready" {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    id
}

fn imported(shop: &Shop) -> String {
    let layout = json!({"format": "csv", "columns": ["email", "name"]});
    let mapping = json!({"kind": "customers", "columns": {"email": "email", "name": "name"}});
    let body = json!({"upload": upload(shop), "layout": layout, "mapping": mapping, "source": "Older shop"});
    let begun = shop.owner("POST", "/api/v1/imports").json(&body).send().json();
    let id = begun["job_id"].as_str().unwrap_or_default().to_string();
    for _ in 0..400 {
        if shop.owner("GET", &format!("/api/v1/jobs/{id}")).send().json()["state"] == "done" {
            return id;
        }
        std::thread::sleep(std::time::Duration::from_millis(25));
    }
    panic!("the import {id} is never done");
}

#[test]
fn every_documented_route_knows_who_may() {
    for shop in shops() {
        walk(&shop);
    }
}

fn walk(shop: &Shop) {
    let identify = json!({"userId": "u", "messageId": "1", "traits": {"name": "Ann", "email": "ann@example.com"}});
    assert_eq!(shop.track("/v1/identify", &identify).status, 200);
    let made = |path: &str, body: Value| {
        shop.owner("POST", path).json(&body).send().json()["id"].as_str().unwrap_or_default().to_string()
    };
    for (user, store) in [("u", "lviv-1"), ("other", "kyiv-1")] {
        let body = json!({"userId": user, "event": "Order Completed", "messageId": format!("o-{user}"), "properties": {"store_id": store}});
        assert_eq!(shop.track("/v1/track", &body).status, 200);
    }
    let segment = made("/api/v1/segments", json!({"name": "S", "expression": "count(\"A\") >= 1"}));
    let template = made(
        "/api/v1/templates",
        json!({"name": "T", "channel": "email", "subject": "s", "body_html": "<p>x</p>", "body_text": "x"}),
    );
    made(
        "/api/v1/message-rules",
        json!({"segment_id": segment, "template_id": template, "channel": "email", "purpose": "marketing"}),
    );
    let staff = Role::ALL.map(|role| (role, key_for(shop, role)));
    let document = serde_json::to_value(crate::api::document()).expect("serializes");
    let mut walked = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no operationId"));
            let case = case(shop, id);
            let method = method.to_uppercase();
            try_route(shop, id, &method, &case, &staff);
            walked.push((method, path.clone(), case.act));
        }
    }
    assert!(walked.len() > 45, "{}", walked.len());
    super::roles::check(&walked);
}

fn key_for(shop: &Shop, role: Role) -> String {
    let body = json!({"name": role.as_str(), "role": role, "stores": if role.keeps_to_stores() { vec!["lviv-1"] } else { vec![] }});
    let made = shop.owner("POST", "/api/v1/api-keys").json(&body).send().json();
    format!("Bearer {}", made["key"].as_str().unwrap_or_default())
}

/// Asks a route as nobody, as every role, with garbage and as it is meant.
fn try_route(shop: &Shop, id: &str, method: &str, case: &Case, staff: &[(Role, String)]) {
    let ask = |key: Option<&str>, body: Option<&[u8]>| {
        let ask = shop.ask(method, &case.path);
        let ask = key.map_or_else(|| shop.ask(method, &case.path), |k| ask.header("authorization", k));
        match body {
            Some(body) => ask.header("content-type", "application/json").body(body),
            None => ask,
        }
    };
    let valid = case.body.as_ref().map(Value::to_string);
    let valid = valid.as_ref().map(|b| b.as_bytes());
    let streams = id == "live" || id.ends_with("_stream");
    let reads = matches!(case.act, Act::Read(_));
    if !OPEN.contains(&id) {
        assert_eq!(ask(None, valid).send().code(), (401, "not_signed_in".into()), "{id} for nobody");
        for (role, key) in staff {
            if role.keeps_to_stores() && allows(*role, case.act) && case.path.contains("/customers/1") {
                // The second customer was only ever in Kyiv.
                let elsewhere = case.path.replace("/customers/1", "/customers/2");
                let ask = shop.ask(method, &elsewhere).header("authorization", key);
                let answer = match valid {
                    Some(body) => ask.header("content-type", "application/json").body(body).send(),
                    None => ask.send(),
                };
                assert_eq!(answer.code(), (404, "not_found".into()), "{id} for {role:?} of another store");
            }
            if !allows(*role, case.act) {
                let code = ask(Some(key), valid).send().code();
                // A customer of another store is not even there.
                let hidden = role.keeps_to_stores() && code == (404, "not_found".into());
                assert!(hidden || code == (403, "not_allowed".into()), "{id} for {role:?}: {code:?}");
            } else if reads && !streams {
                let status = ask(Some(key), valid).send().status;
                assert!((200..300).contains(&status), "{id} for {role:?}: {status}");
            } else if !streams && *role != Role::Owner {
                // What another role did before may be in the way of a change (a name is taken), but never a right.
                let status = ask(Some(key), valid).send().status;
                let person = PERSONAL.contains(&id) && status == 403;
                assert!(status < 500 && (person || ![401, 403].contains(&status)), "{id} for {role:?}: {status}");
            }
        }
    }
    let owner = format!("Bearer {}", shop.keys.api_key);
    if case.body.is_some() {
        for garbage in [&b"{"[..], b"[]", b"{\"nonsense\": 1}", b"\xff\xfe", b"null"] {
            let answer = ask(Some(&owner), Some(garbage)).send();
            assert!((400..500).contains(&answer.status), "{id} with {garbage:?}: {} {}", answer.status, answer.text);
            assert_eq!(answer.headers["content-type"], "application/problem+json");
        }
    }
    if streams {
        assert!(ask(Some(&owner), None).stream().any(|l| l == ": open"), "{id}");
    } else {
        let again = self::case(shop, id);
        let body = again.body.as_ref().map(Value::to_string);
        let answer = match &body {
            Some(body) => {
                shop.owner(method, &again.path).header("content-type", "application/json").body(body.as_bytes())
            }
            None => shop.owner(method, &again.path),
        };
        let answer = answer.send();
        let fine = (200..300).contains(&answer.status)
            || (matches!(
                id,
                "settle_message" | "decide_review" | "decide_reviews" | "resolve_drift" | "replay_reject"
            ) && answer.status == 404)
            || (matches!(id, "stop_job" | "resume_job" | "erase_for_request") && answer.status == 409)
            || (matches!(id, "stop_job" | "resume_job") && answer.status == 409)
            || (matches!(id, "add_file" | "keep_media") && answer.status == 422)
            || (id == "close_view_alarm" && answer.status == 404)
            || (id == "begin_provider_sign_in" && answer.status == 403)
            || (id == "finish_provider_sign_in" && answer.status == 401)
            || (PERSONAL.contains(&id) && [403, 404, 409].contains(&answer.status));
        assert!(fine, "{id} for the owner: {} {}", answer.status, answer.text);
    }
}

#[test]
fn ids_that_are_none_are_not_found() {
    let shop = Shop::new();
    for path in [
        "customers/0",
        "customers/999",
        "customers/x",
        "customers/-1",
        "customers/1e3",
        "segments/7",
        "templates/7",
        "message-rules/7",
        "events/99999999999999999999",
    ] {
        assert_eq!(shop.owner("GET", &format!("/api/v1/{path}")).send().code(), (404, "not_found".into()), "{path}");
    }
    assert_eq!(shop.owner("GET", "/api/v1/customers/lookup").send().code(), (400, "bad_query".into()));
    assert_eq!(
        shop.owner("GET", "/api/v1/customers/lookup?email=a@b.co&phone=1").send().code(),
        (400, "bad_query".into())
    );
    let large = vec![b' '; (1 << 20) + 1];
    let answer = shop.owner("POST", "/api/v1/segments").header("content-type", "application/json").body(&large).send();
    assert_eq!(answer.code(), (413, "too_large".into()));
}

#[test]
fn the_committed_document_is_the_present_one() {
    let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/../../console/openapi.json");
    let fresh = crate::api::document_text();
    // As `cargo xtask openapi` does, without building the program; the client is made from it by `npm run generate`.
    if std::env::var_os("BRAID_BLESS").is_some() {
        std::fs::write(committed, &fresh).expect("the document is written");
    }
    // The console's folder may be absent, for instance in a package of this crate alone.
    let Ok(committed) = std::fs::read_to_string(committed) else { return };
    let differs = committed.lines().zip(fresh.lines()).position(|(a, b)| a != b);
    assert!(committed == fresh, "first in line {:?}; run: cargo xtask openapi", differs.map(|n| n + 1));
}
