//! What is counted of orders, by place and channel: how fast they are ready, whether promises hold, how many are fetched.
//! Each number is made of orders that can be opened.
use crate::calendar::lost_us;
use crate::commands::pauses::read_pauses;
use base::{DAY_US, MINUTE_US, Timestamp};
use db::{DbError, Engine};
use std::collections::BTreeMap;

/// Figures of a place and a channel.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// What the place was asked for.
    pub asked: i64,
    /// Declined, or taken from it.
    pub declined: i64,
    /// Made ready.
    pub ready: i64,
    /// Minutes from the order to ready, of those that are ready; the median. Minutes in which the place stood still do not count.
    pub ready_minutes_median: Option<f64>,
    /// Of those that are ready, ready within 30 minutes of the order.
    pub ready_within_30: i64,
    /// To be fetched.
    pub pick_up: i64,
    /// Of these, fetched.
    pub fetched: i64,
    /// Of these, nobody came.
    pub unclaimed: i64,
    /// Orders with a promise that were given.
    pub promised: i64,
    /// Of these, within or before the promise.
    pub kept: i64,
}

/// One fulfilment, as the figures count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served<'a> {
    pub kind: &'a str,
    pub state: &'a str,
    pub placed_at: i64,
    pub ready_at: i64,
    /// Of the time from placed to ready, while the place stood still.
    pub paused: i64,
    pub given_at: i64,
    pub promised_until: i64,
    pub unclaimed: bool,
}

/// Counts fulfilments.
pub fn count<'a>(served: impl Iterator<Item = Served<'a>>) -> Figures {
    let mut out = Figures::default();
    let mut minutes: Vec<i64> = Vec::new();
    for s in served {
        out.asked += 1;
        out.declined += i64::from(s.state == "cancelled" && !s.unclaimed);
        if s.ready_at > 0 {
            out.ready += 1;
            let took = (s.ready_at - s.placed_at - s.paused).max(0);
            out.ready_within_30 += i64::from(took <= 30 * MINUTE_US);
            minutes.push(took);
        }
        if s.kind == "pick_up" {
            out.pick_up += 1;
            out.fetched += i64::from(s.state == "closed");
            out.unclaimed += i64::from(s.unclaimed);
        }
        if s.promised_until > 0 && s.given_at > 0 {
            out.promised += 1;
            out.kept += i64::from(s.given_at <= s.promised_until);
        }
    }
    minutes.sort_unstable();
    let middle = minutes.len() / 2;
    out.ready_minutes_median = match minutes.len() {
        0 => None,
        n if n % 2 == 1 => Some(minutes[middle] as f64 / MINUTE_US as f64),
        _ => Some((minutes[middle - 1] + minutes[middle]) as f64 / 2.0 / MINUTE_US as f64),
    };
    out
}

/// Rows that are counted at once, at most.
const ROWS_MAX: i64 = 200_000;
const SERVED: &str = "SELECT f.location_no, o.channel, f.kind, f.state, f.placed_at, f.ready_at, o.given_at, o.promised_until, \
                      o.unclaimed FROM fulfilments f JOIN orders o ON o.no = f.order_no \
                      WHERE o.placed_at >= $1 AND o.placed_at < $2 AND f.asked_at > 0 ORDER BY f.order_no, f.no LIMIT $3";

/// Figures by place and channel.
pub type ByPlace = BTreeMap<(i64, String), Figures>;

/// Figures of the orders of a period by place and channel, and whether there were more orders than can be counted at once.
pub fn figures(db: &mut Engine, from: Timestamp, to: Timestamp) -> Result<(ByPlace, bool), DbError> {
    let rows = db.rows(SERVED, &[from.micros().into(), to.micros().into(), ROWS_MAX.into()])?;
    // What was placed at the end of the period was ready later.
    let pauses = read_pauses(db, from, to.plus(30 * DAY_US))?;
    let mut by: BTreeMap<(i64, String), Vec<Served<'_>>> = BTreeMap::new();
    for row in &rows {
        let (place, placed_at, ready_at) = (row.int(0)?, row.int(4)?, row.int(5)?);
        let own = pauses.get(&place).map_or(&[][..], Vec::as_slice);
        by.entry((row.int(0)?, row.text(1)?.to_string())).or_default().push(Served {
            kind: row.text(2)?,
            state: row.text(3)?,
            placed_at,
            ready_at,
            paused: lost_us(own, placed_at, ready_at),
            given_at: row.int(6)?,
            promised_until: row.int(7)?,
            unclaimed: row.int(8)? != 0,
        });
    }
    let more = rows.len() as i64 == ROWS_MAX;
    Ok((by.into_iter().map(|(key, served)| (key, count(served.into_iter()))).collect(), more))
}

const TROUBLE: &str = "SELECT h.what, COUNT(*) FROM order_history h WHERE h.at >= $1 AND h.at < $2 \
                       AND h.what IN ('short', 'goods gone', 'parked', 'declined', 'not collected', 'cancelled') \
                       GROUP BY h.what ORDER BY h.what";

/// How often something went wrong in a period: a place missed goods (`short`), a till sold them (`goods gone`), nobody had them
/// (`parked`: demand that was not served), a place declined, nobody came.
pub fn trouble(db: &mut Engine, from: Timestamp, to: Timestamp) -> Result<Vec<(String, i64)>, DbError> {
    let rows = db.rows(TROUBLE, &[from.micros().into(), to.micros().into()])?;
    rows.iter().map(|row| Ok((row.text(0)?.to_string(), row.int(1)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(minutes: i64) -> Served<'static> {
        Served {
            kind: "pick_up",
            state: "closed",
            placed_at: 1_000,
            ready_at: 1_000 + minutes * MINUTE_US,
            paused: 0,
            given_at: 50 * MINUTE_US,
            promised_until: 60 * MINUTE_US,
            unclaimed: false,
        }
    }

    #[test]
    fn the_median_and_the_share_are_of_what_is_ready() {
        // [N5, N12, P11]
        let waiting = Served { ready_at: 0, state: "in_progress", given_at: 0, ..ready(0) };
        let late = Served { given_at: 61 * MINUTE_US, ..ready(31) };
        let gone = Served { state: "cancelled", unclaimed: true, given_at: 0, ..ready(30) };
        let figures = count([ready(10), late, gone, waiting].into_iter());
        assert_eq!((figures.asked, figures.ready, figures.ready_within_30), (4, 3, 2));
        assert_eq!(figures.ready_minutes_median, Some(30.0));
        assert_eq!((figures.pick_up, figures.fetched, figures.unclaimed, figures.declined), (4, 2, 1, 0));
        assert_eq!((figures.promised, figures.kept), (2, 1));
        let paused = Served { paused: 25 * MINUTE_US, ..ready(45) };
        let of_alert = count([paused].into_iter());
        assert_eq!(
            (of_alert.ready_within_30, of_alert.ready_minutes_median),
            (1, Some(20.0)),
            "an alert is nobody's fault"
        );
        assert_eq!(count([ready(10), ready(20)].into_iter()).ready_minutes_median, Some(15.0));
        assert_eq!(count(std::iter::empty()).ready_minutes_median, None);
    }
}
