//! Sending mail: claim in one transaction, talk to the mail server outside of any, settle in another.
use crate::api::messages::shop;
use crate::app::App;
use crate::problem::Problem;
use base::SECOND_US;
use connect::{Mail, Mailbox, Options, SmtpClient, SmtpUrl};
use messaging::outbox::{self, ClaimOptions, Claimed, Outcome};
use pipeline::facts::Facts;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How often the outbox is looked at.
const EVERY: Duration = Duration::from_millis(200);
/// Mails under way at once.
const AT_ONCE: usize = 8;
/// How long mails that are under way may take at the stop; what has no answer then is `unknown`, never repeated.
const STOP_PATIENCE: Duration = Duration::from_secs(8);
/// Leases ended in one transaction at the start.
const LEASES: i64 = 500;

/// Sends until the server stops. Without a mail server messages wait.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    if let Err(problem) = end_leases(&app).await {
        tracing::error!(detail = %problem.detail, "leases of an earlier run could not be ended");
    }
    let Some((client, from)) = client(&app) else { return };
    let lease_us = client.timeouts().send_max().as_micros() as i64 + 60 * SECOND_US;
    let client = Arc::new(client);
    let mut under_way: JoinSet<()> = JoinSet::new();
    loop {
        tokio::select! {
            _ = stop.wait_for(|s| *s) => break,
            Some(ended) = under_way.join_next() => if let Err(error) = ended {
                tracing::error!(%error, "sending a mail broke off; it becomes unknown when its lease ends");
            },
            () = tokio::time::sleep(EVERY) => {}
        }
        while under_way.len() < AT_ONCE {
            let room = (AT_ONCE - under_way.len()) as i64;
            match claim(&app, room, lease_us).await {
                Ok(claimed) if claimed.is_empty() => break,
                Ok(claimed) => {
                    for message in claimed {
                        under_way.spawn(send(app.clone(), client.clone(), from.clone(), message));
                    }
                }
                Err(problem) => {
                    tracing::warn!(code = problem.code.code, detail = %problem.detail, "the outbox could not be read");
                    break;
                }
            }
        }
    }
    let all = async { while under_way.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_PATIENCE, all).await.is_err() {
        tracing::warn!("some mails had no answer at the stop; they become unknown");
    }
}

/// Whatever was under way when the program ended is unknown now: nobody else can hold a lease.
async fn end_leases(app: &App) -> Result<(), Problem> {
    while app.write(|tx| Ok(outbox::expire_all(tx, LEASES)?)).await? == LEASES {}
    Ok(())
}

/// The way to the mail server, and who sends; none where no server is set.
pub fn client(app: &App) -> Option<(SmtpClient, Mailbox)> {
    let config = &app.config;
    if config.smtp_url.is_empty() {
        tracing::info!("no mail server is set (mail.smtp_url): messages wait");
        return None;
    }
    let url = config
        .smtp_url
        .parse::<SmtpUrl>()
        .inspect_err(|e| tracing::error!(error = %e, "mail.smtp_url cannot be used"))
        .ok()?;
    let from = config
        .mail_from
        .parse::<Mailbox>()
        .inspect_err(|e| tracing::error!(error = %e, "mail.from cannot be used"))
        .ok()?;
    let options = Options { pool_size: AT_ONCE, ..Options::default() };
    let client =
        SmtpClient::new(url, options).inspect_err(|e| tracing::error!(error = %e, "mail cannot be sent")).ok()?;
    Some((client, from))
}

async fn claim(app: &Arc<App>, limit: i64, lease_us: i64) -> Result<Vec<Claimed>, Problem> {
    let now = app.now();
    // A look costs the writer nothing but a read; a transaction follows only when something is due.
    let due = app.read(|tx| Ok(outbox::next_due(tx)?)).await?;
    if due.is_none_or(|due| due > now) {
        return Ok(Vec::new());
    }
    let (shop, preparer) = (shop(app), app.domain.preparer().clone());
    app.write(move |tx| {
        let quiet_hours = messaging::commands::load_quiet_hours(tx)?;
        let shop = messaging::model::Shop { quiet_hours, ..shop.clone() };
        let options = ClaimOptions { shop: &shop, limit, lease_us };
        let batch = outbox::claim_due(tx, &mut Facts { preparer: &preparer }, options)?;
        pipeline::append_derived(tx, &preparer, batch.derived.into_iter().map(pipeline::step::new_event).collect())?;
        Ok(batch.claimed)
    })
    .await
}

async fn send(app: Arc<App>, client: Arc<SmtpClient>, from: Mailbox, claimed: Claimed) {
    let (id, attempt) = (claimed.message_id, claimed.attempt);
    let outcome = match Mailbox::parse_address(&claimed.to) {
        Ok(to) => {
            let mail = Mail {
                from,
                bounce_to: None,
                to,
                subject: claimed.subject,
                text: claimed.text,
                html: claimed.html,
                message_id: claimed.message_id_header,
                headers: claimed.headers,
                date_us: app.now().micros(),
            };
            outcome(client.send(&mail).await, id, attempt)
        }
        Err(error) => Outcome::Refused { reason: error.to_string() },
    };
    // The answer must not be lost: the database may be away for a moment.
    for wait in [1, 2, 5, 10, 30] {
        match settle(&app, id, attempt, outcome.clone()).await {
            Ok(()) => return,
            Err(problem) => tracing::warn!(message.id = id, detail = %problem.detail, "an outcome could not be noted"),
        }
        tokio::time::sleep(Duration::from_secs(wait)).await;
    }
    tracing::error!(message.id = id, "an outcome could not be noted; the message becomes unknown when its lease ends");
}

fn outcome(outcome: connect::Outcome, id: i64, attempt: i64) -> Outcome {
    match outcome {
        connect::Outcome::Sent { reply } => Outcome::Sent { reply },
        connect::Outcome::Retry { reason, .. } => {
            let wait = connect::backoff::delay(u32::try_from(attempt).unwrap_or(1), id as u64);
            Outcome::Retry { reason, after_us: wait.as_micros() as i64 }
        }
        connect::Outcome::Refused { reason, .. } => Outcome::Refused { reason },
        connect::Outcome::Unknown { reason } => Outcome::Unknown { reason },
    }
}

async fn settle(app: &Arc<App>, id: i64, attempt: i64, outcome: Outcome) -> Result<(), Problem> {
    let preparer = app.domain.preparer().clone();
    app.write(move |tx| {
        let (_, derived) = outbox::settle(tx, id, attempt, &outcome)?;
        pipeline::append_derived(tx, &preparer, derived.into_iter().map(pipeline::step::new_event).collect())?;
        Ok(())
    })
    .await
}
