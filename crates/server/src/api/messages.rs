//! `/templates`, `/message-rules`, `/caps`, `/messages`: what is said to whom.
pub mod limits;
pub mod outbox;
pub mod rules;
pub mod templates;

use crate::app::App;
use crate::problem::{BAD_INPUT, BAD_TEMPLATE, CHANGED_MEANWHILE, CONFLICT, FieldError, NOT_FOUND, Problem};
use messaging::MessagingError;
use messaging::model::Shop;

/// Why a command of messaging was refused, as a problem.
pub fn refused(error: MessagingError) -> Problem {
    let code = match &error {
        MessagingError::Invalid { what: "template", .. } => BAD_TEMPLATE,
        MessagingError::Invalid { .. } => BAD_INPUT,
        MessagingError::NotFound { .. } | MessagingError::BadToken => NOT_FOUND,
        MessagingError::Stale { .. } => CHANGED_MEANWHILE,
        MessagingError::InUse { .. } | MessagingError::NotUnknown { .. } => CONFLICT,
        MessagingError::Store(error) => return error.clone().into(),
    };
    let place = |e: &messaging::FieldError| FieldError {
        pointer: e.pointer.clone(),
        detail: e.detail.clone(),
        offset: None,
        line: e.line.map(i64::from),
    };
    Problem { errors: error.errors().iter().map(place).collect(), ..code.because(error.to_string()) }
}

/// The shop as messages know it.
pub fn shop(app: &App) -> Shop {
    let config = &app.config;
    let domain = config.mail_from.rsplit_once('@').map(|(_, d)| d.trim_end_matches('>').trim().to_string());
    let name = config.mail_from.split('<').next().unwrap_or_default().trim().trim_matches('"').to_string();
    Shop {
        name: Some(name).filter(|n| !n.is_empty() && !n.contains('@')).unwrap_or_else(|| "Braid".into()),
        time_zone: config.time_zone.clone(),
        currency: config.currency.clone(),
        locale: config.locale.clone(),
        country: config.country.clone(),
        public_url: app.public_url.clone(),
        mail_domain: domain.filter(|d| !d.is_empty()).unwrap_or_else(|| "localhost".into()),
        quiet_hours: None,
    }
}
