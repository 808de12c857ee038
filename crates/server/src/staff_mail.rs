//! Mail to the shop's own people: invitations, new passwords, alarms. Where no mail server is set there is none, and what it
//! would say stands on the console.
use crate::app::App;
use connect::{Mail, Mailbox};
use std::sync::Arc;

/// Sends a plain text; says in the log what became of it, without the address. `true` where it was taken.
pub async fn send(app: &Arc<App>, to: &str, subject: &str, text: &str) -> bool {
    let Some((client, from)) = crate::mailer::client(app) else { return false };
    let Ok(to) = Mailbox::parse_address(to) else { return false };
    let domain = from.address.rsplit('@').next().unwrap_or("localhost").to_string();
    let mail = Mail {
        from,
        bounce_to: None,
        to,
        subject: subject.into(),
        text: text.into(),
        html: None,
        message_id: format!("<staff-{}@{domain}>", base::random_token()),
        headers: Vec::new(),
        date_us: app.now().micros(),
    };
    match client.send(&mail).await {
        connect::Outcome::Sent { .. } => true,
        other => {
            tracing::warn!(outcome = ?std::mem::discriminant(&other), "a mail to staff was not taken");
            false
        }
    }
}
