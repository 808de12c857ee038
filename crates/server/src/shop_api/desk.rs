//! What promises are answered from: one compiled book for all requests, made anew when settings or places change, and every hour.
use crate::app::App;
use crate::problem::{Problem, internal};
use base::{HOUR_US, SECOND_US, Timestamp};
use orders::commands::alerts::Feed;
use orders::offers::Desk;
use orders::promise::Taken;
use orders::settings::{AlertFeed, Settings};
use std::sync::{Arc, PoisonError, RwLock};
use stock::Places;

/// The book with what it was made of, and the settings as they are now.
#[derive(Default)]
pub struct DeskCell {
    made: RwLock<Option<Made>>,
    feed: RwLock<Known>,
    settings: RwLock<(i64, Arc<Settings>)>,
    taken: RwLock<(Timestamp, Arc<Taken>)>,
    busy: tokio::sync::Mutex<()>,
}

/// The book, the places that it was made of, and how often alerts of ours had changed by then.
type Made = (Arc<Desk>, Arc<Places>, u64);

/// What the feed of alerts says, and how often that became something else in a territory of ours.
#[derive(Default)]
struct Known {
    feed: Arc<Feed>,
    times: u64,
}

/// How old the count of what places have to do may be.
const TAKEN_US: i64 = 5 * SECOND_US;

impl DeskCell {
    /// Takes over settings.
    pub fn put(&self, version: i64, settings: Arc<Settings>) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = (version, settings);
    }
    /// The settings with their version.
    pub fn settings(&self) -> (i64, Arc<Settings>) {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
    /// Takes over what the feed of alerts says. A book is made anew only when an alert began or ended in a territory of a place of
    /// ours: that the feed goes on saying the same is no news.
    pub fn put_feed(&self, feed: Arc<Feed>) {
        let settings = self.settings().1;
        let of_ours = |feed: &Feed| {
            let ours = |territory: &String| settings.places.values().any(|place| place.territories.contains(territory));
            let told = |alert: &orders::calendar::Alert| (alert.territory.clone(), alert.began_us, alert.ended_us);
            feed.alerts.iter().filter(|alert| ours(&alert.territory)).map(told).collect::<Vec<_>>()
        };
        let mut known = self.feed.write().unwrap_or_else(PoisonError::into_inner);
        if of_ours(&known.feed) != of_ours(&feed) {
            known.times += 1;
        }
        known.feed = feed;
    }
    fn alerts(&self) -> (Arc<Feed>, u64) {
        let known = self.feed.read().unwrap_or_else(PoisonError::into_inner);
        (known.feed.clone(), known.times)
    }
    fn known(&self, places: &Arc<Places>, now: Timestamp) -> Option<Arc<Desk>> {
        let made = self.made.read().unwrap_or_else(PoisonError::into_inner);
        let (desk, of, times) = made.as_ref()?;
        let fresh = desk.version == self.settings().0
            && Arc::ptr_eq(of, places)
            && *times == self.alerts().1
            && now < desk.good_until;
        fresh.then(|| desk.clone())
    }
}

/// The book as it is now.
pub async fn desk(app: &Arc<App>) -> Result<Arc<Desk>, Problem> {
    let (now, places) = (app.now(), app.board.places());
    if let Some(known) = app.desk.known(&places, now) {
        return Ok(known);
    }
    // One request makes it; the others wait for it.
    let _guard = app.desk.busy.lock().await;
    if let Some(known) = app.desk.known(&places, now) {
        return Ok(known);
    }
    let (version, settings) = app.desk.settings();
    let (feed, times) = app.desk.alerts();
    let of = places.clone();
    let compile = move || {
        let alerts = if settings.alerts.feed == AlertFeed::Off { &[][..] } else { &feed.alerts[..] };
        Desk::compile(settings.clone(), version, &places, alerts, now)
    };
    let made = tokio::task::spawn_blocking(compile).await;
    let desk = Arc::new(made.map_err(|e| internal(&e))?.map_err(|e| internal(&e))?);
    *app.desk.made.write().unwrap_or_else(PoisonError::into_inner) = Some((desk.clone(), of, times));
    Ok(desk)
}

/// Orders that places have to prepare, by place and hour; a few seconds old at most.
pub async fn taken(app: &Arc<App>, desk: &Desk) -> Result<Arc<Taken>, Problem> {
    if desk.settings.places.values().all(|place| place.per_hour.is_none()) {
        return Ok(Arc::default());
    }
    let now = app.now();
    {
        let known = app.desk.taken.read().unwrap_or_else(PoisonError::into_inner);
        if known.0.micros() > 0 && now.micros() - known.0.micros() < TAKEN_US {
            return Ok(known.1.clone());
        }
    }
    let rows = app
        .query(|db| {
            let sql = "SELECT location_no, due_at FROM fulfilments WHERE state IN ('open', 'in_progress') AND ready_at = 0 \
                       ORDER BY location_no LIMIT 100000";
            let rows = db.rows(sql, &[])?;
            rows.iter().map(|row| Ok((row.int(0)?, row.int(1)?))).collect::<Result<Vec<_>, Problem>>()
        })
        .await?;
    let mut taken = Taken::default();
    for (place, due) in rows {
        if let Some(position) = desk.position(place) {
            *taken.0.entry((position, due.max(now.micros()).div_euclid(HOUR_US))).or_default() += 1;
        }
    }
    let taken = Arc::new(taken);
    *app.desk.taken.write().unwrap_or_else(PoisonError::into_inner) = (now, taken.clone());
    Ok(taken)
}
