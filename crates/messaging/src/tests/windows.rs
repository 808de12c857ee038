//! Windows of caps and quiet hours, over the nights on which clocks change.
use crate::model::QuietHours;
use crate::windows::{Window, quiet_until};
use base::{DAY_US, HOUR_US, MINUTE_US, Timestamp};

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

#[test]
fn parses_windows_and_says_what_can_be_written() {
    for (text, window) in [
        ("7d", Window::Sliding(7 * DAY_US)),
        (" 24h ", Window::Sliding(24 * HOUR_US)),
        ("30m", Window::Sliding(30 * MINUTE_US)),
        ("calendar day", Window::CalendarDay),
        ("calendar  week", Window::CalendarWeek),
        ("calendar month", Window::CalendarMonth),
    ] {
        assert_eq!(Window::parse(text), Ok(window), "{text}");
    }
    for text in ["", "d", "7", "7w", "0d", "-1d", "401d", "99999999999999999999d", "calendar year", "7.5d", "٧d"] {
        assert!(Window::parse(text).is_err(), "{text}");
    }
}

#[test]
fn sliding_windows_ignore_clocks_and_calendar_ones_follow_them() {
    // [CONTRACTS 2] caps slide 7 × 24 h unless they say calendar. Kyiv's clocks went back on 2026-10-25.
    let now = at("2026-10-26T10:00:00Z");
    let check = |window: &str, after: &str| {
        let found = Window::parse(window).expect("a window").after(now, "Europe/Kyiv");
        assert_eq!(found, at(after).plus(if window.starts_with("calendar") { -1 } else { 0 }), "{window}");
    };
    check("7d", "2026-10-19T10:00:00Z");
    check("calendar day", "2026-10-25T22:00:00Z");
    check("calendar week", "2026-10-25T22:00:00Z");
    check("calendar month", "2026-09-30T21:00:00Z");
}

#[test]
fn quiet_hours_end_on_the_wall_clock() {
    // [LESSONS 27]
    let quiet = QuietHours { from_minute: 21 * 60, to_minute: 9 * 60 };
    let until = |now: &str| quiet_until(quiet, at(now), "Europe/Kyiv").map(|t| t.to_string());
    assert_eq!(until("2026-11-22T18:59:59Z"), None);
    assert_eq!(until("2026-11-22T19:00:00Z").as_deref(), Some("2026-11-23T07:00:00.000000Z"));
    assert_eq!(until("2026-11-23T06:59:59Z").as_deref(), Some("2026-11-23T07:00:00.000000Z"));
    assert_eq!(until("2026-11-23T07:00:00Z"), None);
    // The night of 2026-10-25 has 25 hours, that of 2026-03-29 has 23; people see nine o'clock both times.
    assert_eq!(until("2026-10-24T18:00:00Z").as_deref(), Some("2026-10-25T07:00:00.000000Z"));
    assert_eq!(until("2026-03-28T19:00:00Z").as_deref(), Some("2026-03-29T06:00:00.000000Z"));
    let noon = QuietHours { from_minute: 12 * 60, to_minute: 13 * 60 };
    assert_eq!(quiet_until(noon, at("2026-11-22T10:30:00Z"), "Europe/Kyiv"), Some(at("2026-11-22T11:00:00Z")));
    assert_eq!(quiet_until(noon, at("2026-11-22T12:30:00Z"), "No/Where"), Some(at("2026-11-22T13:00:00Z")));
    let never = QuietHours { from_minute: 60, to_minute: 60 };
    assert_eq!(quiet_until(never, at("2026-11-22T23:00:00Z"), "UTC"), None);
}
