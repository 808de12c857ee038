//! What gets in between: alerts, power cuts, curfews, closed territories, a hand on the switch.
//!
//! All of it is advice. An alert holds while its feed confirms it, and at most as long as the policy says; what is not known is
//! not there. Territories are named by uids as the feeds name them; a place lists its own from the community up to the region,
//! so that an alert for any of them is an alert for the place. A city that is a region of its own lists itself only.
use super::hours::{Hours, Span, moment};
use base::{DAY_US, HOUR_US, MINUTE_US};
use jiff::tz::TimeZone;

/// Why a place stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseKind {
    /// Somebody said so.
    Hand,
    /// The territory is closed.
    Closed,
    /// An air-raid alert.
    Alert,
    /// No power.
    Blackout,
    /// A curfew.
    Curfew,
}

/// A stretch of time in which a place stands still: `from_us` is in it, `until_us` is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// Begin.
    pub from_us: i64,
    /// End, as far as it is known or assumed.
    pub until_us: i64,
    /// Why.
    pub kind: PauseKind,
    /// Whether the end is an assumption.
    pub assumed: bool,
}

/// An alert as a feed tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Where.
    pub territory: String,
    /// Since when.
    pub began_us: i64,
    /// When the feed last said that it goes on.
    pub confirmed_us: i64,
    /// When it ended, once it has.
    pub ended_us: Option<i64>,
}

/// A power cut of a queue, from a published schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blackout {
    /// The queue, as in `3.2`.
    pub queue: String,
    /// Begin.
    pub from_us: i64,
    /// End.
    pub until_us: i64,
}

/// A daily curfew; over midnight when `until` is not greater than `from`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Curfew {
    /// Where.
    pub territory: String,
    /// Minute of the day when it begins.
    pub from: u16,
    /// Minute of the day when it ends.
    pub until: u16,
}

/// A territory where nothing works and to which nothing goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closure {
    /// Where.
    pub territory: String,
    /// Begin.
    pub from_us: i64,
    /// End, if one is known.
    pub until_us: Option<i64>,
}

/// A switch that a person turned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandSwitch {
    /// The place.
    pub place: String,
    /// Begin.
    pub from_us: i64,
    /// End, if they said one.
    pub until_us: Option<i64>,
}

/// What is assumed where nobody knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// An alert ends so long after its feed last confirmed it.
    pub stale_us: i64,
    /// No alert counts longer than this, whatever a feed says.
    pub alert_max_us: i64,
    /// How long an alert mostly lasts: what promises reckon with while one goes on.
    pub alert_usual_us: i64,
    /// After an alert, so much until work goes on.
    pub resume_us: i64,
}

impl Default for Policy {
    fn default() -> Self {
        Self { stale_us: 20 * MINUTE_US, alert_max_us: 12 * HOUR_US, alert_usual_us: HOUR_US, resume_us: 5 * MINUTE_US }
    }
}

/// What a place is, for disruptions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its id, for hand switches.
    pub id: String,
    /// Its zone, for curfews.
    pub zone: TimeZone,
    /// Its territories, from the smallest to the largest.
    pub territories: Vec<String>,
    /// Its queue of power cuts.
    pub queue: Option<String>,
    /// It has its own power.
    pub own_power: bool,
    /// It works through alerts: a shelter, a parcel locker.
    pub works_in_alerts: bool,
}

/// All that is known to get in between.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Disruptions {
    /// Alerts, going on and past.
    pub alerts: Vec<Alert>,
    /// Power cuts.
    pub blackouts: Vec<Blackout>,
    /// Curfews.
    pub curfews: Vec<Curfew>,
    /// Closed territories.
    pub closures: Vec<Closure>,
    /// Switches.
    pub hands: Vec<HandSwitch>,
}

impl Alert {
    /// The pause that an alert makes, seen at `now_us`.
    ///
    /// Ended: as it was, and the time to resume. Going on: until it usually ends, at least until now and the time to resume.
    /// Not confirmed for longer than the policy allows: it ended then.
    pub fn pause(&self, now_us: i64, policy: &Policy) -> Pause {
        let most = self.began_us.saturating_add(policy.alert_max_us);
        let stale = self.confirmed_us.max(self.began_us).saturating_add(policy.stale_us);
        let (end, assumed) = match self.ended_us {
            Some(ended) => (ended, false),
            None if stale.min(most) <= now_us => (stale.min(most), true),
            None => ((self.began_us + policy.alert_usual_us).max(now_us).min(most), true),
        };
        let until_us = end.max(self.began_us).min(most).saturating_add(policy.resume_us);
        Pause { from_us: self.began_us, until_us, kind: PauseKind::Alert, assumed }
    }
    /// Whether it goes on at `now_us`.
    pub fn goes_on(&self, now_us: i64, policy: &Policy) -> bool {
        self.ended_us.is_none_or(|end| end > now_us)
            && self.began_us <= now_us
            && now_us < self.confirmed_us.max(self.began_us) + policy.stale_us
            && now_us < self.began_us + policy.alert_max_us
    }
}

impl Disruptions {
    /// The pauses of one place from `now_us` back a day and on over `days` days, by their begin.
    pub fn of(&self, place: &Place, now_us: i64, days: u16, policy: &Policy) -> Vec<Pause> {
        let end = now_us.saturating_add(i64::from(days) * DAY_US);
        let here = |territory: &String| place.territories.contains(territory);
        let mut out = Vec::new();
        let mut add = |from_us: i64, until_us: i64, kind: PauseKind, assumed: bool| {
            if until_us > now_us - DAY_US && from_us < end {
                out.push(Pause { from_us, until_us, kind, assumed });
            }
        };
        for hand in self.hands.iter().filter(|h| h.place == place.id) {
            add(hand.from_us, hand.until_us.unwrap_or(i64::MAX), PauseKind::Hand, hand.until_us.is_none());
        }
        for closure in self.closures.iter().filter(|c| here(&c.territory)) {
            add(closure.from_us, closure.until_us.unwrap_or(i64::MAX), PauseKind::Closed, closure.until_us.is_none());
        }
        if !place.works_in_alerts {
            for alert in self.alerts.iter().filter(|a| here(&a.territory)) {
                let pause = alert.pause(now_us, policy);
                add(pause.from_us, pause.until_us, pause.kind, pause.assumed);
            }
        }
        if !place.own_power {
            for cut in self.blackouts.iter().filter(|b| place.queue.as_ref() == Some(&b.queue)) {
                add(cut.from_us, cut.until_us, PauseKind::Blackout, false);
            }
        }
        for curfew in self.curfews.iter().filter(|c| here(&c.territory)) {
            for (from, until) in curfew.nights(&place.zone, now_us - DAY_US, end) {
                add(from, until, PauseKind::Curfew, false);
            }
        }
        out.sort_unstable_by_key(|p| (p.from_us, p.until_us, p.kind));
        out
    }

    /// Whether nothing goes to any of these territories at a moment.
    pub fn closed(&self, territories: &[String], at_us: i64) -> bool {
        let holds = |c: &&Closure| c.from_us <= at_us && c.until_us.is_none_or(|until| at_us < until);
        self.closures.iter().filter(holds).any(|c| territories.contains(&c.territory))
    }
}

impl Curfew {
    fn nights(&self, zone: &TimeZone, from_us: i64, until_us: i64) -> Vec<(i64, i64)> {
        let hours = Hours::always(zone.clone());
        let (mut day, _) = hours.local(from_us - DAY_US);
        let (last, _) = hours.local(until_us);
        let mut out = Vec::new();
        while day <= last {
            let Ok(tomorrow) = day.tomorrow() else { break };
            let end_day = if self.until > self.from { day } else { tomorrow };
            out.push((moment(zone, day, self.from), moment(zone, end_day, self.until)));
            day = tomorrow;
        }
        out.retain(|(from, until)| from < until);
        out
    }
    /// The curfew as spans of a day.
    pub fn spans(&self) -> Vec<Span> {
        if self.until > self.from {
            return vec![Span { from: self.from, until: self.until }];
        }
        let late = Span { from: self.from, until: 1440 };
        let early = Span { from: 0, until: self.until };
        [early, late].into_iter().filter(|s| s.from < s.until).collect()
    }
}
