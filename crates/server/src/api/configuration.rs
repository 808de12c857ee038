//! `/configuration`: all settings as a list, and bringing such a list in.
use crate::app::App;
use crate::border::Cleared;
use crate::caller::{
    WriteEvents, WriteIdentity, WriteMessages, WritePrivacy, WriteSegments, WriteSettings, WriteSources,
};
use crate::change::Done;
use crate::declared::{self, Action, Setting, SettingKind, Wanted};
use crate::input::Input;
use crate::problem::{INTERNAL, Problem};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::{Arc, Mutex, PoisonError};

/// The largest list that can be brought in: templates are long.
pub const BODY_MAX: usize = 16 << 20;

/// A setting as it stands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StandingSetting {
    kind: SettingKind,
    /// Empty for kinds of which there is one.
    name: String,
    /// The fields of its kind, see docs/config.md.
    #[schema(value_type = Object)]
    value: Map<String, Value>,
    /// Names this state of it; sent back as its base.
    hash: String,
}

/// All settings.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Configuration {
    items: Vec<StandingSetting>,
    /// Things that share their name with another of their kind, and are left out for that.
    doubles: Vec<SettingName>,
}

/// What names a setting.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SettingName {
    kind: SettingKind,
    name: String,
}

/// Shows all settings that live in the database, without secrets and without data of people. Settings that are as in a new
/// shop are left out.
#[utoipa::path(get, path = "/api/v1/configuration", tag = "settings", responses((status = 200, body = Configuration)))]
pub async fn get_configuration(State(app): State<Arc<App>>, _: WriteSettings) -> Result<Response, Problem> {
    let found = app.read(|tx| Ok(declared::read(tx)?)).await?;
    let standing = |s: Setting| StandingSetting { hash: s.hash(), kind: s.kind, name: s.name, value: s.value };
    let items = found.items.into_iter().map(standing).collect();
    let doubles = found.doubles.into_iter().map(|(kind, name)| SettingName { kind, name }).collect();
    let mut answer = Json(Configuration { items, doubles }).into_response();
    // Addresses in templates and purposes are the shop's own; masked they would come back as stars.
    answer.extensions_mut().insert(Cleared);
    Ok(answer)
}

/// What stood in the shop when a setting was written down.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingBase {
    kind: SettingKind,
    #[serde(default)]
    name: String,
    hash: String,
}

/// Settings to bring in.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigurationInput {
    items: Vec<Setting>,
    /// Settings that differ from the shop's and have no base, or another one than the shop, are a conflict.
    #[serde(default)]
    base: Vec<SettingBase>,
    /// Everything is tried and nothing kept.
    #[serde(default)]
    dry_run: bool,
    /// Conflicts are written over.
    #[serde(default)]
    force: bool,
    /// Segments, templates, rules and purposes that the list does not name are archived.
    #[serde(default)]
    prune: bool,
}

/// What became of a setting.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SettingStep {
    kind: SettingKind,
    name: String,
    action: Action,
}

/// What became of all.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ConfigurationOutcome {
    items: Vec<SettingStep>,
    /// Not with `dry_run`.
    applied: bool,
}

/// Makes the shop as the list says: all of it in one transaction, or nothing. What the list does not name stays, unless
/// `prune` says otherwise.
#[utoipa::path(post, path = "/api/v1/configuration", tag = "settings", request_body = ConfigurationInput,
    responses((status = 200, body = ConfigurationOutcome)))]
#[allow(clippy::too_many_arguments, reason = "one right for each area that it may change")]
pub async fn push_configuration(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    _: WriteSegments,
    _: WriteMessages,
    _: WriteSources,
    _: WriteEvents,
    _: WriteIdentity,
    _: WritePrivacy,
    input: Input<ConfigurationInput>,
) -> Result<Response, Problem> {
    let ConfigurationInput { items, base, dry_run, force, prune } = input.value;
    let base = base.into_iter().map(|b| ((b.kind, b.name), b.hash)).collect();
    let wanted = Wanted { items, base, force, prune, actor: caller.actor.clone() };
    let preparer = app.domain.preparer().clone();
    // A dry run ends by a refusal, which undoes it; what it found goes past the refusal.
    let tried: Arc<Mutex<Option<ConfigurationOutcome>>> = Arc::default();
    let found = tried.clone();
    let answer = app
        .change(&caller, input.request, move |tx| {
            let (actions, gone, lines) = declared::apply(tx, &wanted, &preparer)?;
            let step = |(s, action): (&Setting, Action)| SettingStep { kind: s.kind, name: s.name.clone(), action };
            let gone = gone.into_iter().map(|(kind, name)| SettingStep { kind, name, action: Action::Archive });
            let items = wanted.items.iter().zip(actions).map(step).chain(gone).collect();
            let outcome = ConfigurationOutcome { items, applied: !dry_run };
            if dry_run {
                *found.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
                return Err(INTERNAL.because("a dry run"));
            }
            Ok(Done { audit: lines, ..Done::ok(outcome) })
        })
        .await;
    if let Some(outcome) = tried.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Ok(Json(outcome).into_response());
    }
    let answer = answer?;
    app.reload_accounts().await?;
    app.reload_sources().await?;
    let preparer = app.domain.preparer().clone();
    app.read(move |tx| Ok(preparer.follow(tx)?)).await?;
    Ok(answer)
}
