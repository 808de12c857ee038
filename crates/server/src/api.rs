//! The admin API: routes and their documentation, made together.
pub mod accounts;
pub mod api_keys;
pub mod approvals;
pub mod audit;
pub mod computed;
pub mod configuration;
pub mod consultations;
pub mod customers;
pub mod edits;
pub mod erp;
pub mod events;
pub mod exports;
pub mod home;
pub mod identity;
pub mod imports;
pub mod invitations;
pub mod jobs;
pub mod live;
pub mod mappings;
pub mod messages;
pub mod oidc;
pub mod orders;
pub mod parallel_run;
pub mod plans;
pub mod prices;
pub mod privacy;
pub mod products;
pub mod profile_settings;
pub mod promotions;
pub mod quality;
pub mod replay;
pub mod returns;
pub mod reveal;
pub mod reviews;
pub mod rollout;
pub mod saved_views;
pub mod segment_fields;
pub mod segments;
pub mod session;
pub mod setup;
pub mod sign_in;
pub mod sources;
pub mod stock;
pub mod table_downloads;
pub mod waiting;
pub mod webhooks;
pub mod wire;

use crate::app::App;
use crate::problem::{METHOD_NOT_ALLOWED, NOT_FOUND};
use crate::{assets, border, input};
use axum::extract::DefaultBodyLimit;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref, ResponseBuilder, ServerBuilder,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What things cost.
fn prices() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(prices::list_price_lists, prices::create_price_list))
        .routes(routes!(prices::get_price_list, prices::update_price_list))
        .routes(routes!(prices::end_price_list))
        .routes(routes!(prices::price_list_versions))
        .routes(routes!(prices::set_list_prices))
        .routes(routes!(prices::preview_list_prices))
        .routes(routes!(prices::list_price_changes))
        .routes(routes!(prices::roll_back_prices))
        .routes(routes!(prices::explain::explain_price))
        .routes(routes!(prices::explain::price_differences))
        .routes(routes!(promotions::list_promotions))
        .routes(routes!(promotions::get_promotion, promotions::put_promotion, promotions::archive_promotion))
        .routes(routes!(promotions::promotion_versions))
        .routes(routes!(promotions::restore_promotion))
        .routes(routes!(promotions::get_promotion_policy, promotions::put_promotion_policy))
        .routes(routes!(promotions::get_law, promotions::put_law))
        .routes(routes!(promotions::price_basket))
}

/// Every documented route.
fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(base_document())
        .routes(routes!(session::sign_in, session::current_session, session::sign_out))
        .routes(routes!(oidc::sign_in_ways))
        .routes(routes!(oidc::begin_provider_sign_in))
        .routes(routes!(oidc::finish_provider_sign_in))
        .routes(routes!(session::list_sessions))
        .routes(routes!(session::end_session))
        .routes(routes!(session::change_password))
        .routes(routes!(session::begin_second_factor, session::remove_second_factor))
        .routes(routes!(session::confirm_second_factor))
        .routes(routes!(accounts::list_users, accounts::create_user))
        .routes(routes!(accounts::update_user))
        .routes(routes!(accounts::reset_user))
        .routes(routes!(invitations::list_invitations, invitations::create_invitation))
        .routes(routes!(invitations::delete_invitation))
        .routes(routes!(invitations::accept_invitation))
        .routes(routes!(api_keys::list_api_keys, api_keys::create_api_key))
        .routes(routes!(api_keys::delete_api_key))
        .routes(routes!(audit::list_audit))
        .routes(routes!(audit::export_audit))
        .routes(routes!(audit::list_views))
        .routes(routes!(audit::list_view_alarms))
        .routes(routes!(audit::close_view_alarm))
        .routes(routes!(approvals::list_export_approvals, approvals::request_export_approval))
        .routes(routes!(approvals::decide_export_approval))
        .routes(routes!(reveal::reveal_contacts))
        .routes(routes!(setup::setup))
        .routes(routes!(setup::get_shop_settings, setup::put_shop_settings))
        .routes(routes!(setup::get_security_settings, setup::put_security_settings))
        .routes(routes!(sign_in::get_sign_in_settings, sign_in::put_sign_in_settings))
        .routes(routes!(sign_in::check_sign_in_settings))
        .merge(configuration())
        .merge(prices())
        .merge(orders::routes())
        .routes(routes!(sources::list_sources, sources::create_source))
        .routes(routes!(sources::rotate_source_key))
        .routes(routes!(home::home))
        .routes(routes!(home::health))
        .routes(routes!(live::live))
        .routes(routes!(customers::list_customers))
        .routes(routes!(customers::lookup_customer))
        .routes(routes!(customers::get_customer))
        .routes(routes!(customers::list_derived_traits))
        .routes(routes!(customers::history::trait_history))
        .routes(routes!(profile_settings::get_profile_settings, profile_settings::put_profile_settings))
        .routes(routes!(customers::customer_stream))
        .routes(routes!(customers::timeline::customer_timeline))
        .routes(routes!(customers::timeline::timeline_counts))
        .routes(routes!(customers::household::customer_household, customers::household::say_household))
        .routes(routes!(customers::household::get_household_settings, customers::household::put_household_settings))
        .routes(routes!(customers::timeline::customer_page))
        .routes(routes!(customers::identity::customer_identity))
        .routes(routes!(customers::identity::unmerge_customer))
        .routes(routes!(customers::merge::merge_customers))
        .routes(routes!(customers::merge::preview_merge))
        .routes(routes!(identity::rules::get_identity_rules, identity::rules::put_identity_rules))
        .routes(routes!(identity::rules::preview_identity_rules))
        .routes(routes!(
            identity::listed::list_blocked_values,
            identity::listed::block_value,
            identity::listed::unblock_value
        ))
        .routes(routes!(identity::suspects::list_suspects))
        .routes(routes!(identity::suspects::dismiss_suspect))
        .routes(routes!(identity::review::list_review, identity::review::decide_reviews))
        .routes(routes!(identity::review::decide_review))
        .routes(routes!(identity::changes::list_identity_changes))
        .routes(routes!(identity::stitch::stitch_rate))
        .routes(routes!(customers::consents::record_consent))
        .routes(routes!(customers::notes::list_notes, customers::notes::create_note))
        .routes(routes!(customers::notes::update_note, customers::notes::delete_note))
        .merge(files())
        .merge(products::routes())
        .routes(routes!(customers::files::get_file, customers::files::delete_file))
        .routes(routes!(edits::list_bulk_edits, edits::make_bulk_edit))
        .routes(routes!(edits::preview_bulk_edit))
        .routes(routes!(edits::undo_bulk_edit))
        .routes(routes!(saved_views::list_saved_views, saved_views::create_saved_view))
        .routes(routes!(saved_views::update_saved_view, saved_views::delete_saved_view))
        .routes(routes!(table_downloads::download_table))
        .routes(routes!(privacy::erase_customer))
        .routes(routes!(privacy::list_erasures))
        .routes(routes!(privacy::export::export_customer))
        .routes(routes!(privacy::requests::list_privacy_requests, privacy::requests::create_privacy_request))
        .routes(routes!(privacy::requests::advance_privacy_request))
        .routes(routes!(privacy::requests::erase_for_request))
        .routes(routes!(privacy::purposes::list_purposes, privacy::purposes::create_purpose))
        .routes(routes!(privacy::purposes::update_purpose))
        .routes(routes!(computed::list_computed_traits, computed::create_computed_trait))
        .routes(routes!(computed::preview_computed_trait))
        .routes(routes!(
            computed::get_computed_trait,
            computed::update_computed_trait,
            computed::archive_computed_trait
        ))
        .routes(routes!(computed::computed_trait_versions))
        .routes(routes!(segment_fields::list_segment_fields))
        .routes(routes!(privacy::purposes::adopt_purposes))
        .routes(routes!(privacy::wordings::list_wordings))
        .routes(routes!(privacy::retention::get_retention, privacy::retention::put_retention))
        .routes(routes!(privacy::retention::preview_retention))
        .routes(routes!(privacy::retention::run_retention))
        .routes(routes!(segments::list_segments, segments::create_segment))
        .routes(routes!(segments::preview_segment))
        .routes(routes!(segments::get_segment, segments::update_segment, segments::archive_segment))
        .routes(routes!(segments::restore_segment))
        .routes(routes!(segments::segment_members))
        .routes(routes!(segments::segment_changes))
        .routes(routes!(segments::segment_stream))
        .routes(routes!(events::list_events))
        .routes(routes!(events::get_event))
        .routes(routes!(events::list_rejects))
        .routes(routes!(events::reject_summary))
        .routes(routes!(replay::reject_hours))
        .routes(routes!(replay::replay_reject))
        .routes(routes!(replay::replay_rejects))
        .routes(routes!(plans::get_source))
        .routes(routes!(plans::observe_source))
        .routes(routes!(plans::get_plan, plans::put_plan))
        .routes(routes!(plans::plan_versions))
        .routes(routes!(plans::learned_events))
        .routes(routes!(plans::list_drift))
        .routes(routes!(plans::resolve_drift))
        .routes(routes!(imports::create_upload))
        .merge(uploads())
        .routes(routes!(imports::list_import_presets))
        .routes(routes!(imports::look_at_import))
        .routes(routes!(mappings::list_mappings, mappings::save_mapping))
        .routes(routes!(mappings::mapping_versions, mappings::delete_mapping))
        .routes(routes!(parallel_run::list_compared, parallel_run::create_compared))
        .routes(routes!(parallel_run::get_compared, parallel_run::update_compared))
        .routes(routes!(parallel_run::begin_comparison))
        .routes(routes!(parallel_run::list_differences, parallel_run::explain_differences))
        .routes(routes!(parallel_run::decide_compared))
        .routes(routes!(rollout::list_rollout))
        .routes(routes!(rollout::decide_rollout))
        .routes(routes!(rollout::read_quality_report))
        .routes(routes!(quality::quality_report, quality::begin_quality_report))
        .routes(routes!(quality::quality_people))
        .routes(routes!(quality::get_contact_settings, quality::put_contact_settings))
        .routes(routes!(imports::begin_import))
        .routes(routes!(imports::import_report))
        .routes(routes!(exports::list_exports, exports::create_export))
        .routes(routes!(exports::list_export_kinds))
        .routes(routes!(exports::preview_export))
        .routes(routes!(exports::get_export, exports::delete_export))
        .routes(routes!(exports::download::link_export))
        .routes(routes!(exports::download::download_export))
        .routes(routes!(jobs::list_jobs))
        .routes(routes!(jobs::get_job))
        .routes(routes!(jobs::stop_job))
        .routes(routes!(jobs::resume_job))
        .routes(routes!(messages::templates::list_templates, messages::templates::create_template))
        .routes(routes!(messages::templates::preview_template))
        .routes(routes!(messages::templates::get_template, messages::templates::update_template))
        .routes(routes!(messages::rules::list_message_rules, messages::rules::create_message_rule))
        .routes(routes!(
            messages::rules::get_message_rule,
            messages::rules::update_message_rule,
            messages::rules::delete_message_rule
        ))
        .routes(routes!(messages::rules::get_caps, messages::rules::put_caps))
        .routes(routes!(messages::limits::list_suppressions, messages::limits::add_suppression))
        .routes(routes!(messages::limits::lift_suppression))
        .routes(routes!(messages::limits::import_suppressions))
        .routes(routes!(messages::limits::get_quiet_hours, messages::limits::put_quiet_hours))
        .routes(routes!(messages::limits::get_preferences, messages::limits::put_preferences))
        .routes(routes!(messages::outbox::list_messages))
        .routes(routes!(messages::outbox::settle_message))
        .routes(routes!(messages::outbox::customer_messages))
        .merge(stock::routes())
        .merge(waiting::routes())
        .merge(erp::routes())
        .merge(returns::routes())
        .merge(consultations::routes())
        .merge(reviews::routes())
        .routes(routes!(customers::counter::customer_counter))
        .routes(routes!(webhooks::list_webhook_types))
        .routes(routes!(webhooks::list_webhooks, webhooks::create_webhook))
        .routes(routes!(webhooks::get_webhook, webhooks::update_webhook, webhooks::delete_webhook))
        .routes(routes!(webhooks::set_webhook_state))
        .routes(routes!(webhooks::rotate_webhook_secret))
        .routes(routes!(webhooks::deliveries::test_webhook))
        .routes(routes!(webhooks::deliveries::replay_webhook))
        .routes(routes!(webhooks::deliveries::list_webhook_deliveries))
        .routes(routes!(webhooks::deliveries::get_webhook_delivery))
        .routes(routes!(webhooks::deliveries::replay_webhook_delivery))
}

/// Pieces of files are larger than other bodies.
fn uploads() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(imports::get_upload, imports::append_upload, imports::delete_upload))
        .layer(DefaultBodyLimit::max(crate::imports::uploads::PIECE_MAX))
}

/// All settings at once are larger as well.
fn configuration() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(configuration::get_configuration, configuration::push_configuration))
        .layer(DefaultBodyLimit::max(configuration::BODY_MAX))
}

/// Files of customers are larger than other bodies.
fn files() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(customers::files::list_files, customers::files::add_file))
        .layer(DefaultBodyLimit::max(customers::files::SIZE_MAX))
}

fn base_document() -> OpenApi {
    let license = LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build();
    let info = InfoBuilder::new().title("Braid admin API").version("1.0.0").license(Some(license)).build();
    OpenApiBuilder::new().info(info).servers(Some([ServerBuilder::new().url("/").build()])).build()
}

/// The document of the admin API (OpenAPI 3.1).
pub fn document() -> OpenApi {
    let mut document = routes().into_openapi();
    let components = document.components.get_or_insert_default();
    let cookie = ApiKey::Cookie(ApiKeyValue::new(crate::caller::COOKIE));
    components.add_security_scheme("cookie", SecurityScheme::ApiKey(cookie));
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    let schema = <crate::problem::ProblemBody as utoipa::PartialSchema>::schema();
    components.schemas.insert("Problem".into(), schema);
    let schema = <crate::problem::FieldError as utoipa::PartialSchema>::schema();
    components.schemas.insert("FieldError".into(), schema);
    let schema = <crate::problem::ShortLine as utoipa::PartialSchema>::schema();
    components.schemas.insert("ShortLine".into(), schema);
    // What can go wrong is the same everywhere, so that no handler repeats it.
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let problem = ResponseBuilder::new()
        .description("A problem (RFC 9457); `type` leads to a page about it")
        .content("application/problem+json", content)
        .build();
    for item in document.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.post, &mut item.put, &mut item.delete].into_iter().flatten() {
            operation.responses.responses.insert("default".into(), problem.clone().into());
        }
    }
    document
}

/// The document as it is committed: pretty, with a line break at its end.
pub fn document_text() -> String {
    let mut text = document().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// All routes but the tracking API.
pub fn router(app: Arc<App>) -> axum::Router {
    let (admin, _) = routes().split_for_parts();
    let text: Arc<str> = document_text().into();
    let admin = admin
        .route(
            "/api/v1/openapi.json",
            get(move || {
                let text = text.to_string();
                async move { ([(header::CONTENT_TYPE, "application/json")], text) }
            }),
        )
        .route(
            "/api/v1/imports/pieces",
            axum::routing::post(crate::imports::take).layer(DefaultBodyLimit::max(crate::imports::PIECE_MAX)),
        )
        .layer(axum::middleware::from_fn_with_state(app.clone(), border::around))
        .layer(DefaultBodyLimit::max(input::BODY_MAX));
    axum::Router::new()
        .merge(admin)
        .merge(crate::shop_api::routes(&app))
        .merge(crate::erp::exchange::routes())
        .route("/api/{*rest}", axum::routing::any(unknown))
        .route("/braid.js", get(assets::script))
        .route("/braid.mjs", get(assets::script))
        .route("/docs/problems/{code}", get(assets::problem_page))
        .route("/feed/{token}", get(products::feeds::fetch_feed))
        .route("/media/{hash}", get(products::files::fetch_media))
        .route("/media/{hash}/{side}", get(products::files::fetch_thumbnail))
        .route("/u/{token}", get(crate::unsubscribe::page).post(crate::unsubscribe::take))
        .route(crate::oidc::CALLBACK, get(oidc::callback))
        .route("/healthz", get(crate::health::alive))
        .route("/readyz", get(crate::health::ready))
        .route("/metrics", get(crate::health::metrics))
        .fallback(get(assets::console))
        .method_not_allowed_fallback(wrong_method)
        .with_state(app)
}

async fn unknown() -> Response {
    NOT_FOUND.because("there is no such address; see /api/v1/openapi.json").into_response()
}

async fn wrong_method() -> Response {
    METHOD_NOT_ALLOWED.because("see /api/v1/openapi.json for the methods of this address").into_response()
}
