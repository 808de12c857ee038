//! The catalogue beside requests: its search index, its pictures, the threads that follow it.
pub mod files;
pub mod media;
pub mod stock;

use crate::app::App;
use crate::domain::Domain;
use crate::problem::{INTERNAL, Problem, internal};
use base::SECOND_US;
use catalog::feeds;
use connect::objects::{Objects, Place};
use db::jobs::{self, Job};
use db::{DbError, Tx};
use loyalty::law::Earlier;
use search::{Follower, Index, SearchError};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What requests share of the catalogue.
pub struct Goods {
    /// The search index; `None` when its folder cannot be written, which the log says.
    pub index: Option<Arc<Index>>,
    /// Pictures and documents.
    pub media: media::Media,
}

impl Goods {
    /// Opens what lies in a shop's folder, and the place of pictures.
    pub fn open(folder: &Path, media_url: &str) -> Result<Self, Problem> {
        let wrong = |error: &dyn std::error::Error| INTERNAL.because(format!("media.url: {error}"));
        let place = Place::parse(media_url).map_err(|e| wrong(&e))?;
        let media = media::Media::new(Objects::open(&place, folder).map_err(|e| wrong(&e))?);
        let index = Index::open(&folder.join("search")).map(Arc::new);
        if let Err(error) = &index {
            tracing::error!(%error, "products cannot be searched");
        }
        Ok(Self { index: index.ok(), media })
    }
}

/// A search that failed, as a problem.
pub fn search_problem(error: SearchError) -> Problem {
    match error {
        SearchError::Store(error) => error.into(),
        other => internal(&other),
    }
}

/// Follows the catalogue into the search index; a thread of its own.
pub fn follow_search(app: &App, stop: &AtomicBool) {
    let Some(index) = app.goods.index.clone() else { return };
    match Follower::new(index) {
        Ok(follower) => {
            follower.run(app.domain.store().location(), app.domain.store().sync(), &*app.clock, stop);
        }
        Err(error) => tracing::error!(%error, "products cannot be searched"),
    }
}

/// Follows the catalogue into the feeds; a thread of its own that brings pieces as commands.
pub fn follow_feeds(app: &App, stop: &AtomicBool) {
    let media = media_address(app);
    while !stop.load(Ordering::Relaxed) && app.domain.store().is_alive() {
        let behind = app.domain.store().query(feeds::waiting).unwrap_or_default();
        let mut worked = false;
        for feed in behind {
            let media = media.clone();
            let country = app.domain.settings().country.code.to_string();
            let done = app.domain.store().write(move |tx| {
                let days = lowest_days(tx, &country)?;
                feeds::advance(tx, feed, &media, &mut |tx, feed, channel, _, variant| {
                    feeds::follow::shown_offer(tx, feed, channel, variant, days)
                })
            });
            match done {
                Ok(pace) => worked |= pace.products > 0,
                Err(error) => tracing::warn!(feed, %error, "a feed does not follow the catalogue"),
            }
        }
        if !worked {
            std::thread::sleep(Duration::from_micros(SECOND_US as u64 / 4));
        }
    }
}

/// For how many days back the law of a country wants the lowest price beside a reduced one; `None` where the one just before is enough.
fn lowest_days(tx: &mut Tx, country: &str) -> Result<Option<i64>, DbError> {
    let now = tx.now();
    let rules = loyalty::rules::rules(tx)?;
    let earlier = rules.law(country).and_then(|law| law.earlier_price(law.day(now)));
    Ok(match earlier {
        Some(Earlier::Lowest { days }) => Some(days),
        _ => None,
    })
}

/// Where pictures are fetched from.
pub fn media_address(app: &App) -> String {
    format!("{}/media", app.public_url.trim_end_matches('/'))
}

/// Drives the open jobs of a kind until it is told to end. A job that cannot go on fails with its reason, or is tried again where the
/// store was away.
fn serve_jobs(
    domain: &Domain,
    (kind, what): (&str, &str),
    stop: &AtomicBool,
    drive: &dyn Fn(&Job) -> Result<(), files::FileError>,
) {
    const PAUSE: Duration = Duration::from_millis(200);
    while !stop.load(Ordering::Relaxed) && domain.store().is_alive() {
        let kind = kind.to_string();
        let waiting = domain.store().read(move |tx: &mut Tx| {
            let id = jobs::open(tx)?.iter().find(|w| w.kind == kind).map(|w| w.id);
            id.map_or(Ok(None), |id| jobs::find(tx, id))
        });
        let Ok::<_, DbError>(Some(job)) = waiting else {
            std::thread::sleep(PAUSE);
            continue;
        };
        if let Err(error) = drive(&job) {
            tracing::warn!(job = job.id, %error, "an import of {what} cannot go on");
            let (id, reason, passing) = (job.id, error.to_string(), matches!(error, files::FileError::Store(_)));
            let _ = domain.store().write(move |tx: &mut Tx| jobs::fail(tx, id, &reason, passing));
            std::thread::sleep(PAUSE);
        }
    }
}
