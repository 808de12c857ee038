//! Habits: on what, by which channel, at what hour; and channels that are lost (A9, B3).
use super::{Answer, Asked, Derived, Kind, Window, count, next_period, tallies};
use crate::facts::{Act, Channel, Device, Lost, Reason, WEEK_HOURS};
use base::Decimal;
use db::event::Scalar;

macro_rules! habit {
    ($const:ident, $name:literal, $kind:ident, $unit:literal, $options:expr, $by_time:literal, $doc:literal, $function:expr) => {
        pub(super) const $const: Derived = Derived {
            name: $name,
            kind: Kind::$kind,
            unit: $unit,
            options: $options,
            doc: $doc,
            consents: &[],
            traits: &[],
            by_time: $by_time,
            function: $function,
        };
    };
}

const DEVICES: &[&str] = &["desktop", "mobile", "tablet"];
const ANSWERS: &[&str] = &["answers", "opens", "ignores", "switched off", "lost"];

habit!(
    SEARCHES_ON,
    "habits.searches_on",
    Text,
    "",
    DEVICES,
    false,
    "The device on which the customer searches and looks most.",
    |asked| main_device(asked, &LOOKING, "searches and looks")
);
habit!(BUYS_ON, "habits.buys_on", Text, "", DEVICES, false, "The device on which the customer buys most.", |asked| {
    main_device(asked, &[Act::Ordered], "orders")
});
habit!(
    CROSS_DEVICE,
    "habits.cross_device",
    Bool,
    "",
    &[],
    false,
    "Searches on one device and buys on another.",
    cross_device
);
habit!(
    EMAIL,
    "habits.email",
    Text,
    "",
    ANSWERS,
    true,
    "How the customer takes e-mail: answers (clicks, writes back), opens, \
    ignores (3 sent, nothing opened), switched off, lost.",
    |asked| taking(asked, Channel::Email)
);
habit!(SMS, "habits.sms", Text, "", ANSWERS, true, "The same for SMS.", |asked| taking(asked, Channel::Sms));
habit!(PUSH, "habits.push", Text, "", ANSWERS, true, "The same for push messages.", |asked| taking(
    asked,
    Channel::Push
));
habit!(MESSENGER, "habits.messenger", Text, "", ANSWERS, true, "The same for messengers.", |asked| taking(
    asked,
    Channel::Messenger
));
habit!(PHONE, "habits.phone", Text, "", ANSWERS, true, "The same for calls.", |asked| taking(asked, Channel::Phone));
habit!(
    BEST_HOUR,
    "habits.best_hour",
    Number,
    "hour",
    &[],
    false,
    "The hour of the shop's day at which the customer is most active, from 5 acts on.",
    best_hour
);
habit!(
    BEST_WEEKDAY,
    "habits.best_weekday",
    Text,
    "",
    &WEEKDAYS,
    false,
    "The weekday on which the customer is most active, from 5 acts on.",
    best_weekday
);
habit!(
    APP_LOOKS_ONLY,
    "app_looks_only",
    Bool,
    "",
    &[],
    true,
    "Looks often in the app (5 times), buys nowhere and takes no notice of pushes (3 sent, none tapped): ordering in the app \
     is inconvenient, another way should be offered.",
    app_looks_only
);
habit!(
    LOST_CHANNELS,
    "lost_channels",
    List,
    "",
    &["app", "email", "messenger", "sms", "push", "phone"],
    false,
    "Channels that are lost at the provider: the bot blocked, the token gone, a hard bounce, a complaint.",
    lost_channels
);

const LOOKING: [Act; 2] = [Act::Searched, Act::Viewed];
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
/// Acts from which a habit is one.
const HABIT_MIN: u64 = 3;
/// Acts from which an hour or a weekday is a habit.
const TIME_MIN: u64 = 5;

fn on_device(asked: &Asked<'_>, acts: &[Act]) -> Option<(Device, u64)> {
    let of = |device: Device| -> u64 {
        let wanted = tallies(asked, true).filter(|t| t.device() == device && acts.contains(&Act::from_code(t.act)));
        wanted.map(|t| u64::from(t.count)).sum()
    };
    let all = [Device::Desktop, Device::Mobile, Device::Tablet].map(|d| (of(d), d));
    let (most, device) = all.into_iter().max_by_key(|(count, d)| (*count, std::cmp::Reverse(*d)))?;
    (most > 0).then_some((device, most))
}

fn main_device(asked: &Asked<'_>, acts: &[Act], what: &str) -> Answer {
    match on_device(asked, acts) {
        Some((device, times)) => {
            Answer::text(device.as_str(), Window::Ever, times).because(asked, || format!("{times} {what} on it"))
        }
        None => Answer::none(Window::Ever).because(asked, || format!("no {what} on a known device")),
    }
}

fn cross_device(asked: &Asked<'_>) -> Answer {
    let (looks, buys) = (on_device(asked, &LOOKING), on_device(asked, &[Act::Ordered]));
    let (Some((looks, looked)), Some((buys, bought))) = (looks, buys) else {
        return Answer::none(Window::Ever).because(asked, || "no searches and orders on known devices".into());
    };
    let is = looks != buys && looked >= HABIT_MIN;
    Answer::of(Scalar::Bool(is), Window::Ever, looked + bought).because(asked, || {
        format!("{looked} searches and looks on {}, {bought} orders on {}", looks.as_str(), buys.as_str())
    })
}

fn taking(asked: &Asked<'_>, channel: Channel) -> Answer {
    let of = |acts: &[Act]| count(asked, false, |a, c| c == channel && acts.contains(&a));
    let (sent, opened) = (of(&[Act::Sent]), of(&[Act::Opened]));
    let (answered, off) = (of(&[Act::Clicked, Act::Contacted]), of(&[Act::SwitchedOff]));
    let lost = lost_of(asked).any(|l| l.channel == channel as u8);
    let word = if lost {
        "lost"
    } else if off > 0 && answered == 0 {
        "switched off"
    } else if answered > 0 {
        "answers"
    } else if opened > 0 {
        "opens"
    } else if sent >= HABIT_MIN {
        "ignores"
    } else {
        return Answer::none(Window::Periods)
            .until(next_period(asked))
            .because(asked, || format!("{sent} sent, no answer: fewer than {HABIT_MIN} say nothing"));
    };
    Answer::text(word, Window::Periods, sent + opened + answered + off)
        .until(next_period(asked))
        .because(asked, || format!("{sent} sent, {opened} opened, {answered} answered, {off} times switched off"))
}

/// How often, by hour of the week in the shop's zone as it was at the newest event: asking later changes nothing.
pub(super) fn local_hours(asked: &Asked<'_>) -> [u64; WEEK_HOURS as usize] {
    let newest = asked.state.totals.last_seen.unwrap_or_default();
    let moment = jiff::Timestamp::from_microsecond(newest.micros()).unwrap_or_default();
    let shift = i64::from(asked.rules.zone.to_offset(moment).seconds()).div_euclid(3_600);
    let mut out = [0; WEEK_HOURS as usize];
    for (slot, times) in &asked.state.facts.hours {
        let local = (i64::from(slot % WEEK_HOURS) + shift).rem_euclid(i64::from(WEEK_HOURS));
        out[local as usize] += u64::from(*times);
    }
    out
}

fn best_hour(asked: &Asked<'_>) -> Answer {
    let mut hours = [0u64; 24];
    local_hours(asked).iter().enumerate().for_each(|(slot, times)| hours[slot % 24] += times);
    match best(&hours) {
        Some((hour, times, total)) => Answer::of(Scalar::Number(Decimal::from_int(hour as i64)), Window::Ever, total)
            .because(asked, || format!("{times} of {total} acts in this hour")),
        None => too_few(asked),
    }
}

fn best_weekday(asked: &Asked<'_>) -> Answer {
    let mut days = [0u64; 7];
    local_hours(asked).iter().enumerate().for_each(|(slot, times)| days[slot / 24] += times);
    match best(&days) {
        Some((day, times, total)) => Answer::text(WEEKDAYS[day], Window::Ever, total)
            .because(asked, || format!("{times} of {total} acts on this day")),
        None => too_few(asked),
    }
}

/// The fullest place, the earliest of equals, with its number and the sum.
fn best(counts: &[u64]) -> Option<(usize, u64, u64)> {
    let total: u64 = counts.iter().sum();
    let (place, times) = counts.iter().enumerate().max_by_key(|(at, n)| (**n, std::cmp::Reverse(*at)))?;
    (total >= TIME_MIN).then_some((place, *times, total))
}

fn too_few(asked: &Asked<'_>) -> Answer {
    Answer::none(Window::Ever).because(asked, || format!("fewer than {TIME_MIN} acts"))
}

fn app_looks_only(asked: &Asked<'_>) -> Answer {
    let looks = count(asked, false, |a, c| c == Channel::App && matches!(a, Act::Viewed | Act::Searched | Act::Added));
    let orders = count(asked, false, |a, _| a == Act::Ordered);
    let sent = count(asked, false, |a, c| c == Channel::Push && a == Act::Sent);
    let tapped = count(asked, false, |a, c| c == Channel::Push && matches!(a, Act::Clicked | Act::Opened));
    let off = count(asked, false, |a, c| c == Channel::Push && a == Act::SwitchedOff);
    let deaf = off > 0 || (sent >= HABIT_MIN && tapped == 0);
    Answer::of(Scalar::Bool(looks >= TIME_MIN && orders == 0 && deaf), Window::Periods, looks + sent)
        .until(next_period(asked))
        .because(asked, || format!("{looks} looks in the app, {orders} orders, {tapped} of {sent} pushes tapped"))
}

/// Losses that hold: nothing was heard by that channel since. A complaint holds until it is taken back by hand.
pub fn lost_of<'a>(asked: &Asked<'a>) -> impl Iterator<Item = &'a Lost> {
    let state = asked.state;
    state.facts.rare().lost.iter().filter(move |l| {
        let heard = state.facts.spans.iter().find(|s| s.channel == l.channel).map(|s| s.last);
        l.reason == Reason::Complaint as u8 || heard.is_none_or(|last| last <= l.at)
    })
}

fn lost_channels(asked: &Asked<'_>) -> Answer {
    let mut channels: Vec<&str> = lost_of(asked).map(|l| Channel::from_code(l.channel).as_str()).collect();
    channels.dedup();
    let times = lost_of(asked).count() as u64;
    let values = channels.into_iter().map(|c| Scalar::Text(c.into())).collect();
    Answer { values, ..Answer::none(Window::Ever) }
        .because(asked, || {
            let reasons: Vec<String> = lost_of(asked)
                .map(|l| {
                    let channel = Channel::from_code(l.channel).as_str();
                    format!("{channel}: {} on {}", Reason::from_code(l.reason).as_str(), l.at)
                })
                .collect();
            if reasons.is_empty() { "none is known to be lost".into() } else { reasons.join("; ") }
        })
        .counted(times)
}

impl Answer {
    fn counted(mut self, count: u64) -> Self {
        self.count = count;
        self
    }
}
