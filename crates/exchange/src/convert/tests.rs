use super::*;
use crate::groups::{Groups, Next};
use crate::presets::{PRESETS, Preset, guess};
use crate::rows::Layout;
use std::collections::HashSet;
use std::path::PathBuf;

fn context() -> Context {
    Context {
        zone: TimeZone::get("Europe/Kyiv").expect("it is known"),
        country: Country::find("UA"),
        currency: "UAH".into(),
        file_time: Timestamp::from_civil(2026, 11, 1, 9, 0, 0),
        now: Timestamp::from_civil(2026, 11, 22, 12, 0, 0),
        source: "a test".into(),
    }
}

fn read(preset: &Preset, bytes: &[u8], name: &str) -> (Plan, Out) {
    let layout = Layout::detect(bytes, name).expect("it has a layout");
    let plan = Plan::new(preset.mapping(&layout.columns), &layout.columns).expect("the preset fits its own file");
    let rows = layout.rows(Box::new(std::io::Cursor::new(bytes.to_vec()))).expect("it is read");
    let mut groups = Groups::new(rows, &plan);
    let mut out = Out::default();
    while let Some(next) = groups.next_group().expect("memory can be read") {
        match next {
            Next::Group(rows) => convert(&plan, &context(), &rows, &mut out),
            Next::Bad(bad) => out.bad.push((bad, false)),
        }
    }
    drop(groups);
    (plan, out)
}

fn fixture(preset: &Preset) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata")).join(format!("{}.csv", preset.id))
}

fn golden(out: &Out) -> String {
    let mut text: String = out.made.iter().map(|m| format!("{}\n", m.json)).collect();
    for (bad, kept) in &out.bad {
        text.push_str(&format!(
            "# line {} {:?}: {} ({:?}{})\n",
            bad.line,
            bad.column,
            bad.reason,
            bad.value,
            if *kept { ", rest taken" } else { "" }
        ));
    }
    text
}

#[test]
fn every_preset_reads_its_systems_file_as_it_always_did() {
    for preset in PRESETS {
        let path = fixture(preset);
        let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let (plan, out) = read(preset, &bytes, "f.csv");
        let said = golden(&out);
        let kept = path.with_extension("golden");
        if std::env::var_os("BRAID_BLESS").is_some() {
            std::fs::write(&kept, &said).expect("the golden file can be written");
        }
        assert_eq!(
            said,
            std::fs::read_to_string(&kept).unwrap_or_default(),
            "{}: BRAID_BLESS=1 if it is meant",
            preset.id
        );
        assert!(!out.made.is_empty(), "{} has rows", preset.id);
        let (_, again) = read(preset, &bytes, "f.csv");
        assert_eq!(again, out, "the same file says the same");
        let ids: HashSet<&str> = out.made.iter().map(|m| m.message_id.as_str()).collect();
        assert_eq!(ids.len(), out.made.len(), "{}: every message has an id of its own", preset.id);
        assert_eq!(guess(&plan.columns, None).map(|p| p.id), Some(preset.id), "its columns give it away");
    }
}

#[test]
fn a_preset_is_a_mapping_of_real_meanings() {
    let mut ids = HashSet::new();
    for preset in PRESETS {
        assert!(ids.insert(preset.id), "{} twice", preset.id);
        let columns: Vec<String> = preset.columns.iter().map(|(c, _)| (*c).to_string()).collect();
        Plan::new(preset.mapping(&columns), &columns).unwrap_or_else(|e| panic!("{}: {e}", preset.id));
    }
}

fn customers(text: &str) -> Out {
    let columns = "id,email,phone,phone 2,name,birthday,updated,marketing,bonus";
    let preset = Preset {
        id: "t",
        system: "t",
        kind: Kind::Customers,
        delimiter: ',',
        columns: &[
            ("id", "user_id"),
            ("email", "email"),
            ("phone", "phone"),
            ("phone 2", "phone"),
            ("name", "name"),
            ("birthday", "birthday"),
            ("updated", "updated_at"),
            ("marketing", "consent:email"),
            ("bonus", "money:bonus"),
        ],
        constants: &[],
        statuses: &[],
        note: "",
    };
    read(&preset, format!("{columns}\n{text}").as_bytes(), "f.csv").1
}

#[test]
fn one_phone_written_twice_is_one_value_and_a_second_is_kept() {
    // [A6] the same phone in two forms ends up as one value.
    let out = customers("1,A@B.co,067 123 45 67,+380671234567,Ann,,,,\n2,,0671234567,0501112233,Bob,,,,\n");
    assert!(out.bad.is_empty(), "{:?}", out.bad);
    assert!(
        out.made[0].json.contains(r#""email":"a@b.co""#) && !out.made[0].json.contains("externalIds"),
        "{}",
        out.made[0].json
    );
    assert!(
        out.made[1].json.contains(r#""phone":"+380671234567""#) && out.made[1].json.contains(r#""id":"+380501112233""#)
    );
}

#[test]
fn what_is_wrong_in_a_row_is_told_and_the_rest_is_taken() {
    let out = customers(
        "1,not an address,0671234567,,x,01.01.2050,,maybe,12x%\n,,123,,x,,,,\n3,a@b.co,,,x,,01.01.20000,,\n4,a@b.co,,,x,,01.01.2027,,\n",
    );
    let told: Vec<(u64, &str, bool)> = out.bad.iter().map(|(b, kept)| (b.line, b.column.as_str(), *kept)).collect();
    assert_eq!(
        told,
        [
            (2, "email", true),
            (2, "birthday", true),
            (2, "bonus", true),
            (3, "phone", true),
            (3, "", false),
            (4, "updated", false),
            (5, "updated", false),
        ],
        "{:#?}",
        out.bad
    );
    assert_eq!(out.made.len(), 1);
}

#[test]
fn a_row_is_as_old_as_it_says_or_as_the_file() {
    let out = customers("1,a@b.co,,,x,,2026-10-01 10:00:00,yes,\n2,c@d.co,,,y,,,,\n");
    assert_eq!(out.made[0].time, Timestamp::from_civil(2026, 10, 1, 7, 0, 0));
    assert_eq!(out.made[1].time, out.made[0].time, "the consent is of the row's time too");
    assert!(out.made[1].json.contains("Consent Granted"));
    assert_eq!(out.made[2].time, context().file_time);
    let changed = customers("1,a@b.co,,,z,,2026-10-01 10:00:00,yes,\n");
    assert_ne!(changed.made[0].message_id, out.made[0].message_id, "other content is another event");
    assert_eq!(changed.made[1].message_id, out.made[1].message_id, "and the consent is the same");
}

#[test]
fn states_of_consents_in_the_words_of_exports() {
    for (text, expected) in [
        ("Subscribed", Some(State::Granted)),
        ("так", Some(State::Granted)),
        ("unsubscribed", Some(State::Revoked)),
        ("hard_bounce", Some(State::Blocked)),
        ("Blacklisted", Some(State::Blocked)),
        ("pending", Some(State::Unsaid)),
        ("maybe", None),
    ] {
        assert_eq!(state(text), expected, "{text}");
    }
}

#[test]
fn rows_of_an_order_that_stand_apart_are_not_counted_wrong() {
    let preset = crate::presets::find("shopify-orders").expect("it is there");
    let text = "Name,Email,Created at,Total,Lineitem name,Lineitem quantity,Lineitem price\n#1,a@b.co,2026-01-01,30,A,1,10\n#1,,,,B,2,10\n#2,a@b.co,2026-01-01,5,A,1,5\n#1,,,,C,1,1\n";
    let (_, out) = read(preset, text.as_bytes(), "f.csv");
    assert_eq!(out.made.len(), 2);
    assert!(out.made[0].json.contains(r#""name":"B""#));
    assert_eq!(out.bad.len(), 1);
    assert_eq!(out.bad[0].0.line, 5);
}

/// [issue 3, 7] A whole message of an export goes in as it was; an export's canary does not.
#[test]
fn messages_of_an_export_go_in_as_they_are() {
    let columns: Vec<String> = ["message", "message_id", "time", "email"].map(str::to_string).to_vec();
    let mapping = crate::mapping::Mapping {
        kind: Kind::Events,
        columns: columns.iter().map(|c| (c.clone(), c.clone())).collect(),
        constants: Default::default(),
        statuses: Default::default(),
        date_order: Default::default(),
    };
    let plan = Plan::new(mapping, &columns).expect("a message is enough");
    let context = Context {
        zone: TimeZone::UTC,
        country: Country::find("UA"),
        currency: "UAH".into(),
        file_time: Timestamp::parse("2026-01-01T00:00:00Z").expect("a time"),
        now: Timestamp::parse("2026-06-01T00:00:00Z").expect("a time"),
        source: "f".into(),
    };
    let mut out = Out::default();
    for (message, id, time, email) in [
        (
            r#"{"type":"alias","userId":"b","previousId":"a","writeKey":"k","person_id":"7"}"#,
            "m1",
            "2026-02-01T00:00:00Z",
            "",
        ),
        (r#"{"type":"track","event":"A"}"#, "m2", "2027-01-01T00:00:00Z", ""),
        (r#"{"type":"batch"}"#, "m3", "2026-02-01T00:00:00Z", ""),
        (r#"{"type":"track","event":"A"}"#, "", "2026-02-01T00:00:00Z", ""),
        ("[]", "m5", "2026-02-01T00:00:00Z", ""),
        (r#"{"type":"identify","userId":"x"}"#, "m6", "2026-02-01T00:00:00Z", "c0123@canary.invalid"),
    ] {
        convert(&plan, &context, &[Row::of(1, [message, id, time, email])], &mut out);
    }
    let made: Vec<&str> = out.made.iter().map(|m| m.message_id.as_str()).collect();
    assert_eq!(made, ["m1"]);
    let first: Value = serde_json::from_str(&out.made[0].json).expect("JSON");
    assert_eq!(
        first,
        json!({"type": "alias", "userId": "b", "previousId": "a", "messageId": "m1", "timestamp": "2026-02-01T00:00:00.000000Z"})
    );
    let said: Vec<&str> = out.bad.iter().map(|(b, _)| b.reason.as_str()).collect();
    assert_eq!(
        said,
        [
            "it lies in the future",
            "its type is no call of the tracking API",
            "it has no messageId",
            "this is no JSON object",
            "this row marks an export and is nobody"
        ]
    );
}
