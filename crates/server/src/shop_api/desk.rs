//! What promises are answered from: one compiled book for all requests, made anew when settings or places change, and every hour.
use crate::app::App;
use crate::problem::{Problem, internal};
use base::{HOUR_US, SECOND_US, Timestamp};
use orders::offers::Desk;
use orders::promise::Taken;
use orders::settings::Settings;
use std::sync::{Arc, PoisonError, RwLock};
use stock::Places;

/// The book with what it was made of, and the settings as they are now.
#[derive(Default)]
pub struct DeskCell {
    made: RwLock<Option<(Arc<Desk>, Arc<Places>)>>,
    settings: RwLock<(i64, Arc<Settings>)>,
    taken: RwLock<(Timestamp, Arc<Taken>)>,
    busy: tokio::sync::Mutex<()>,
}

/// How long a book is used: pauses that somebody only assumes move on.
const USED_US: i64 = HOUR_US;
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
    fn known(&self, places: &Arc<Places>, now: Timestamp) -> Option<Arc<Desk>> {
        let made = self.made.read().unwrap_or_else(PoisonError::into_inner);
        let (desk, of) = made.as_ref()?;
        let fresh = desk.version == self.settings().0
            && Arc::ptr_eq(of, places)
            && now.micros() - desk.made_at.micros() < USED_US;
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
    let of = places.clone();
    let made = tokio::task::spawn_blocking(move || Desk::compile(settings, version, &places, &[], now)).await;
    let desk = Arc::new(made.map_err(|e| internal(&e))?.map_err(|e| internal(&e))?);
    *app.desk.made.write().unwrap_or_else(PoisonError::into_inner) = Some((desk.clone(), of));
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
