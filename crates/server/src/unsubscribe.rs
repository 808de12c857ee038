//! `/u/TOKEN`: one-click unsubscribing (RFC 8058). `GET` shows a page and changes nothing, since scanners open every link;
//! `POST` takes the consent back, answers 200 and never leads elsewhere.
use crate::api::messages::refused;
use crate::app::App;
use crate::assets::guard;
use crate::problem::Problem;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use messaging::unsubscribe;
use segments::runtime::Cause;
use std::sync::Arc;

/// Shows what would be taken back.
pub async fn page(State(app): State<Arc<App>>, Path(token): Path<String>) -> Response {
    let found = app.read(move |tx| unsubscribe::find(tx, &token).map_err(refused)).await;
    answer(&app, found.map(|_| true))
}

/// Takes the consent back.
pub async fn take(State(app): State<Arc<App>>, Path(token): Path<String>) -> Response {
    let preparer = app.domain.preparer().clone();
    let done = app.write(move |tx| {
        let revocation = unsubscribe::unsubscribe(tx, &token).map_err(refused)?;
        let at = tx.now();
        let row = customers::consent::NewConsent {
            channel: revocation.channel.as_str().into(),
            address: revocation.address.as_str().into(),
            purpose: revocation.purpose.as_str().into(),
            granted: false,
            at,
            claimed_at: at,
            wording: revocation.wording.into(),
            wording_version: "".into(),
            profile_id: revocation.profile_id,
            message_id: format!("message:{}", revocation.message_id).into(),
            source: 0,
            actor: "".into(),
            imported: false,
        };
        customers::consent::record_consent(tx, &row)?;
        let person = customers::commands::person_of(tx, revocation.profile_id)?;
        let moved = segments::runtime::reevaluate(tx, &[person], Cause::Event, &[])?;
        let appended = pipeline::step::moved(tx, &preparer, &moved, "unsubscribe")?;
        pipeline::append_derived(tx, &preparer, appended)?;
        Ok(())
    });
    let done = done.await;
    answer(&app, done.map(|()| false))
}

/// `Ok(true)` asks, `Ok(false)` has done it.
fn answer(app: &App, asks: Result<bool, Problem>) -> Response {
    let ukrainian = app.config.locale.starts_with("uk");
    let (status, title, text, button) = match (&asks, ukrainian) {
        (Ok(true), true) => (200, "Відписатися", "Більше не надсилати вам таких листів?", "Відписатися"),
        (Ok(true), false) => (200, "Unsubscribe", "Stop sending you mail of this kind?", "Unsubscribe"),
        (Ok(false), true) => (200, "Готово", "Ми більше не надсилатимемо вам таких листів.", ""),
        (Ok(false), false) => (200, "Done", "You will not get mail of this kind any more.", ""),
        (Err(p), true) if p.code.status < 500 => {
            (404, "Посилання не працює", "Відкрийте посилання з листа ще раз.", "")
        }
        (Err(p), false) if p.code.status < 500 => {
            (404, "This link does not work", "Open the link in the mail again.", "")
        }
        (Err(_), true) => (503, "Спробуйте згодом", "Зараз не вийшло. Спробуйте за хвилину.", ""),
        (Err(_), false) => (503, "Try again later", "It did not work just now. Please try again in a minute.", ""),
    };
    let form = if button.is_empty() {
        String::new()
    } else {
        format!(
            "<form method=\"post\"><input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\"><button style=\"font:inherit;padding:.6rem 1.2rem\">{button}</button></form>"
        )
    };
    let language = if ukrainian { "uk" } else { "en" };
    let html = format!(
        "<!doctype html><html lang=\"{language}\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"robots\" content=\"noindex\"><title>{title}</title>\
         <body style=\"font-family:system-ui;max-width:32rem;margin:15vh auto;padding:0 1rem\"><h1>{title}</h1><p>{text}</p>{form}"
    );
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    let mut response = (status, kind, html).into_response();
    guard(response.headers_mut());
    response
}
