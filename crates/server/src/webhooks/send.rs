//! The sender: claim in one transaction, speak HTTP outside of any, settle in another.
use super::settle::{self, Claimed, Outcome, Settled};
use super::{AT_ONCE, endpoints};
use crate::access::Role;
use crate::app::App;
use crate::problem::Problem;
use crate::secrets::{hash_key, hex};
use base::SECOND_US;
use connect::webhook::{Post, Reach, Verdict, WebhookClient, WebhookOptions, judge, sign};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{self, JoinSet};

/// How often the queues are looked at, where anybody listens.
const EVERY: Duration = Duration::from_millis(250);
/// Where nobody does.
const IDLE: Duration = Duration::from_secs(600);
/// How long attempts that are under way may take at the stop; what has no answer then is tried again at the next start.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// How far webhooks reach, by the settings.
pub fn reach(setting: &str) -> Reach {
    match setting {
        "loopback" => Reach::Loopback,
        "private" => Reach::Private,
        _ => Reach::Public,
    }
}

/// `webhook-id`: the message's number behind some letters of the store, so that two shops may share a receiver.
pub fn message_id(store: (u64, u64), message: i64) -> String {
    let store = hash_key(&format!("webhooks/{}/{}", store.0, store.1));
    format!("msg_{}{message}", hex(&store[..4]))
}

/// Sends until the server stops.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    match app.write(|tx| Ok(settle::end_leases(tx)?)).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "webhooks whose answers an earlier run did not see are sent again"),
        Err(problem) => tracing::error!(detail = %problem.detail, "leases of an earlier run could not be ended"),
    }
    let options = WebhookOptions { reach: reach(&app.config.webhooks_reach), ..WebhookOptions::default() };
    let lease_us = options.send_max().as_micros() as i64 + 60 * SECOND_US;
    let client = match WebhookClient::new(options) {
        Ok(client) => client,
        Err(error) => return tracing::error!(%error, "webhooks cannot be sent"),
    };
    let mut under_way: JoinSet<()> = JoinSet::new();
    let mut busy: HashMap<task::Id, i64> = HashMap::new();
    loop {
        let pause = if app.webhooks.wanted() || !under_way.is_empty() { EVERY } else { IDLE };
        tokio::select! {
            _ = stop.wait_for(|s| *s) => break,
            Some(ended) = under_way.join_next_with_id() => done(&mut busy, ended),
            () = app.webhooks.sender_wakes.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
        while let Some(ended) = under_way.try_join_next_with_id() {
            done(&mut busy, ended);
        }
        if !app.webhooks.wanted() {
            continue;
        }
        match claim(&app, &busy, lease_us).await {
            Ok(claimed) => {
                for delivery in claimed {
                    let endpoint = delivery.endpoint.id;
                    let (app, client) = (app.clone(), client.clone());
                    let task = under_way.spawn(async move { attempt(&app, &client, delivery).await });
                    busy.insert(task.id(), endpoint);
                }
            }
            Err(problem) => {
                tracing::warn!(code = problem.code.code, detail = %problem.detail, "queues of webhooks could not be read");
                tokio::time::sleep(EVERY).await;
            }
        }
    }
    let all = async { while under_way.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_PATIENCE, all).await.is_err() {
        tracing::warn!("some webhooks had no answer at the stop; they are sent again at the next start");
    }
}

/// Gives an attempt's place back, however it ended.
fn done(busy: &mut HashMap<task::Id, i64>, ended: Result<(task::Id, ()), task::JoinError>) {
    let id = match ended {
        Ok((id, ())) => id,
        Err(error) => {
            tracing::error!(%error, "an attempt broke off; it is made again when its lease ends");
            error.id()
        }
    };
    busy.remove(&id);
}

async fn claim(app: &Arc<App>, busy: &HashMap<task::Id, i64>, lease_us: i64) -> Result<Vec<Claimed>, Problem> {
    let now = app.now();
    // A look costs the writer nothing; a transaction follows only when something is due and has a place.
    let due = app.query(move |db| Ok(settle::due(db, now)?)).await?;
    let free = |id: i64| AT_ONCE.saturating_sub(busy.values().filter(|e| **e == id).count());
    let room: Vec<(i64, usize)> = due.into_iter().map(|id| (id, free(id))).filter(|(_, free)| *free > 0).collect();
    if room.is_empty() {
        return Ok(Vec::new());
    }
    app.write(move |tx| Ok(settle::claim(tx, &room, lease_us)?)).await
}

async fn attempt(app: &Arc<App>, client: &WebhookClient, claimed: Claimed) {
    let outcome = speak(app, client, &claimed).await;
    let (id, number, endpoint) = (claimed.id, claimed.attempt, claimed.endpoint.id);
    let arrived = usize::from(outcome.verdict != Verdict::Delivered);
    app.webhooks.attempts[arrived].fetch_add(1, Ordering::Relaxed);
    let chance = u64::from_le_bytes(base::random_bytes());
    // The answer must not be lost: the database may be away for a moment.
    for wait in [0, 1, 2, 5, 10] {
        tokio::time::sleep(Duration::from_secs(wait)).await;
        let outcome = outcome.clone();
        match app.write(move |tx| Ok(settle::settle(tx, (id, number), &outcome, chance)?)).await {
            Ok(Settled::Disabled(reason)) => return alarm(app, endpoint, reason).await,
            Ok(_) => return,
            Err(problem) => {
                tracing::warn!(webhook.delivery = id, detail = %problem.detail, "an answer could not be noted");
            }
        }
    }
    tracing::error!(webhook.delivery = id, "an answer could not be noted; it is sent again when its lease ends");
}

async fn speak(app: &Arc<App>, client: &WebhookClient, claimed: &Claimed) -> Outcome {
    let now = app.now();
    let failed = |error: String| Outcome {
        verdict: judge(None, None),
        status: 0,
        error,
        answer: String::new(),
        took: Duration::ZERO,
    };
    let secrets = match claimed.endpoint.secrets(&app.vault, now) {
        Ok(secrets) => secrets,
        Err(error) => return failed(error.to_string()),
    };
    let id = message_id(app.domain.store().hash_key(), claimed.message);
    let timestamp_s = now.micros().div_euclid(SECOND_US);
    let signature = sign::signatures(&secrets, &id, timestamp_s, claimed.body.as_bytes());
    let body = claimed.body.clone();
    let post = Post { url: &claimed.endpoint.url, id: &id, timestamp_s, signature: &signature, body };
    match client.send(post, now.micros()).await {
        Ok(answer) => Outcome {
            verdict: judge(Some(answer.status), answer.retry_after),
            status: answer.status,
            error: String::new(),
            answer: answer.text,
            took: answer.took,
        },
        Err(failure) => failed(failure.to_string()),
    }
}

/// Tells the owners that an endpoint gets nothing any more: by mail, where mail is set up; in the log in any case.
pub async fn alarm(app: &Arc<App>, endpoint: i64, reason: &str) {
    let found = app.query(move |db| Ok((endpoints::find(db, endpoint)?, endpoints::any(db)?))).await;
    let Ok((Some(found), any)) = found else { return };
    app.webhooks.touch(any);
    tracing::warn!(webhook.endpoint = endpoint, reason, "an endpoint of webhooks was disabled");
    let why = match reason {
        "gone" => "it answered 410 Gone, which says that nobody wants webhooks there any more",
        "overflow" => "more than 100,000 deliveries waited for it",
        _ => "every attempt of five days failed",
    };
    let text = format!(
        "The webhook endpoint \"{}\" ({}) was disabled: {why}.\n\nNothing is queued for it until somebody enables it again on \
         {}/webhooks; what had waited is kept.\n",
        found.name,
        endpoints::shown_url(&found.url),
        app.public_url
    );
    for user in app.accounts().users().filter(|u| u.role == Role::Owner && u.active) {
        crate::staff_mail::send(app, &user.email, "A webhook endpoint was disabled", &text).await;
    }
}
