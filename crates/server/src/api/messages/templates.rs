//! Templates: each save is a new version.
use super::{refused, shop};
use crate::app::App;
use crate::caller::{ReadMessages, WriteMessages};
use crate::change::{Done, with_version};
use crate::input::{Id, Input, List, if_match};
use crate::problem::{NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use base::Timestamp;
use messaging::commands;
use messaging::lists;
use messaging::model::TemplateDraft;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};
use std::sync::Arc;

/// What can be said on a channel.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Template {
    id: Id,
    name: String,
    channel: String,
    subject: String,
    body_html: String,
    body_text: String,
    version: i64,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<messaging::model::Template> for Template {
    fn from(t: messaging::model::Template) -> Self {
        Self {
            id: Id(t.id),
            name: t.name,
            channel: t.channel,
            subject: t.subject,
            body_html: t.body_html,
            body_text: t.body_text,
            version: t.version,
            updated_at: t.updated_at,
        }
    }
}

/// What a person writes.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateInput {
    name: String,
    channel: String,
    subject: String,
    #[serde(default)]
    body_html: String,
    #[serde(default)]
    body_text: String,
}

impl From<TemplateInput> for TemplateDraft {
    fn from(t: TemplateInput) -> Self {
        Self { name: t.name, channel: t.channel, subject: t.subject, body_html: t.body_html, body_text: t.body_text }
    }
}

/// Lists the templates.
#[utoipa::path(get, path = "/api/v1/templates", tag = "templates",
    responses((status = 200, body = inline(List<Template>))))]
pub async fn list_templates(State(app): State<Arc<App>>, _: ReadMessages) -> Result<Json<List<Template>>, Problem> {
    let templates = app.query(|db| Ok(lists::templates(db, false)?)).await?;
    Ok(Json(List::whole(templates.into_iter().map(Template::from).collect())))
}

/// Makes a template.
#[utoipa::path(post, path = "/api/v1/templates", tag = "templates", request_body = TemplateInput,
    responses((status = 201, body = Template)))]
pub async fn create_template(
    State(app): State<Arc<App>>,
    WriteMessages(caller): WriteMessages,
    input: Input<TemplateInput>,
) -> Result<Response, Problem> {
    let draft = TemplateDraft::from(input.value);
    app.change(&caller, input.request, move |tx| {
        let made = commands::create_template(tx, &draft).map_err(refused)?.after;
        let (id, version, after) = (made.id, made.version, serde_json::to_value(&made).ok());
        Ok(Done::created(Template::from(made)).versioned(version).noted(("create", "template"), id, None, after))
    })
    .await
}

/// Shows a template.
#[utoipa::path(get, path = "/api/v1/templates/{id}", tag = "templates", params(("id" = String, Path)),
    responses((status = 200, body = Template)))]
pub async fn get_template(
    State(app): State<Arc<App>>,
    _: ReadMessages,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    let found = app.query(move |db| Ok(lists::template(db, id)?)).await?;
    let found = found.filter(|t| !t.archived).ok_or_else(|| NOT_FOUND.because(format!("there is no template {id}")))?;
    let version = found.version;
    Ok(with_version(Template::from(found), version))
}

/// Saves a new version of a template.
#[utoipa::path(put, path = "/api/v1/templates/{id}", tag = "templates", params(("id" = String, Path)),
    request_body = TemplateInput, responses((status = 200, body = Template)))]
pub async fn update_template(
    State(app): State<Arc<App>>,
    WriteMessages(caller): WriteMessages,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<TemplateInput>,
) -> Result<Response, Problem> {
    let (id, wanted) = (Id::in_path(&id)?, if_match(&headers)?);
    let draft = TemplateDraft::from(input.value);
    app.change(&caller, input.request, move |tx| {
        let changed = commands::update_template(tx, id, &draft, wanted).map_err(refused)?;
        let before = changed.before.and_then(|t| serde_json::to_value(&t).ok());
        let (version, after) = (changed.after.version, serde_json::to_value(&changed.after).ok());
        let done = Done::ok(Template::from(changed.after)).versioned(version);
        Ok(done.noted(("update", "template"), id, before, after))
    })
    .await
}

/// A text to try.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplatePreviewInput {
    subject: String,
    #[serde(default)]
    body_html: String,
    #[serde(default)]
    body_text: String,
    person_id: Option<String>,
}

/// What somebody would read.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TemplatePreview {
    subject: String,
    html: String,
    text: String,
    warnings: Vec<String>,
}

/// Shows what a person would read, without saving or sending anything.
#[utoipa::path(post, path = "/api/v1/templates/preview", tag = "templates", request_body = TemplatePreviewInput,
    responses((status = 200, body = TemplatePreview)))]
pub async fn preview_template(
    State(app): State<Arc<App>>,
    _: ReadMessages,
    input: Input<TemplatePreviewInput>,
) -> Result<Json<TemplatePreview>, Problem> {
    let value = input.value;
    let mut traits = Map::new();
    if let Some(person) = &value.person_id {
        let (person, _) = crate::api::customers::resolve(&app, person).await?;
        let counters = app.domain.preparer().current().counters;
        traits = app
            .read(move |tx| {
                let view = customers::person(tx, person, &counters)?;
                let view = view.ok_or_else(|| NOT_FOUND.because(format!("nobody has the id {person}")))?;
                let mut traits = Map::new();
                for (name, json, _) in view.state.traits.iter() {
                    traits.insert(name.to_string(), serde_json::from_str(json).unwrap_or_default());
                }
                if let Some(name) = view.state.display_name() {
                    traits.entry("name").or_insert(json!(name));
                }
                Ok(traits)
            })
            .await?;
    }
    let draft = TemplateDraft {
        name: "preview".into(),
        channel: messaging::model::EMAIL.into(),
        subject: value.subject,
        body_html: value.body_html,
        body_text: value.body_text,
    };
    let shop = shop(&app);
    let made = tokio::task::spawn_blocking(move || commands::preview(&draft, &traits, None, &shop)).await;
    let made = made.map_err(|e| crate::problem::internal(&e))?.map_err(refused)?;
    let warnings = made.warnings.into_iter().map(|w| format!("{}: {}", w.pointer, w.detail)).collect();
    let r = made.rendered;
    Ok(Json(TemplatePreview { subject: r.subject, html: r.html.unwrap_or_default(), text: r.text, warnings }))
}
