//! What can be refused, by what the caller can do about it.
use db::DbError;

/// One thing that is wrong with what a person wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// JSON pointer into what was sent.
    pub pointer: String,
    /// What is wrong, and what to write instead.
    pub detail: String,
    /// Line in the field's text, from 1, for templates.
    pub line: Option<u32>,
    /// Column in that line in characters, from 1.
    pub column: Option<u32>,
}

impl FieldError {
    /// An error about a field as a whole.
    pub fn new(pointer: &str, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.to_string(), detail: detail.into(), line: None, column: None }
    }
}

/// Why a command of this crate was refused. Nothing was changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MessagingError {
    /// What was sent cannot be kept; every field that is wrong is listed.
    #[error("the {what} cannot be saved: {}", summary(.errors))]
    Invalid { what: &'static str, errors: Vec<FieldError> },
    /// There is no such thing.
    #[error("there is no {what} with the id {id}")]
    NotFound { what: &'static str, id: i64 },
    /// Somebody else changed it since it was read.
    #[error(
        "the {what} {id} has version {current} by now, the change was made to version {expected}: read it again and repeat the change"
    )]
    Stale { what: &'static str, id: i64, expected: i64, current: i64 },
    /// Something still needs it.
    #[error("the template {id} is used by {count} rules, for instance {rule:?}: delete or change them first")]
    InUse { id: i64, count: i64, rule: String },
    /// Only a message whose fate is unknown can be settled by hand.
    #[error("the message {id} is {status}, and only an unknown message can be settled by hand")]
    NotUnknown { id: i64, status: &'static str },
    /// An unsubscribe link that this program did not make.
    #[error("this unsubscribe link is damaged or was not made here: open the one in the mail again")]
    BadToken,
    /// The database failed.
    #[error("the message store cannot be read or written")]
    Store(#[from] DbError),
}

impl MessagingError {
    /// The stable code on the wire.
    pub fn code(&self) -> &'static str {
        match self {
            MessagingError::Invalid { what: "template", .. } => "bad_template",
            MessagingError::Invalid { what: "rule", .. } => "bad_message_rule",
            MessagingError::Invalid { what: "caps", .. } => "bad_caps",
            MessagingError::Invalid { .. } => "bad_setting",
            MessagingError::NotFound { .. } => "not_found",
            MessagingError::Stale { .. } => "version_conflict",
            MessagingError::InUse { .. } => "template_in_use",
            MessagingError::NotUnknown { .. } => "message_not_unknown",
            MessagingError::BadToken => "bad_unsubscribe_link",
            MessagingError::Store(_) => "store",
        }
    }
    /// The fields that are wrong, if that is the matter.
    pub fn errors(&self) -> &[FieldError] {
        match self {
            MessagingError::Invalid { errors, .. } => errors,
            _ => &[],
        }
    }
}

fn summary(errors: &[FieldError]) -> String {
    match errors {
        [] => "no reason".into(),
        [one] => format!("{}: {}", one.pointer, one.detail),
        [first, rest @ ..] => format!("{}: {} (and {} more)", first.pointer, first.detail, rest.len()),
    }
}
