use super::*;
use proptest::prelude::*;

fn change(segment_id: i64, person_id: i64, entered: bool, at: i64, cause: Cause) -> Change {
    Change { segment_id, person_id, entered, at: Timestamp::from_micros(at), leaves_at_us: 0, cause }
}

#[test]
fn a_first_filling_and_a_corrected_beginning_are_no_news() {
    let now = 1_000 * base::MINUTE_US;
    let told = |changes: &[Change]| -> Vec<(&str, i64, String)> {
        let facts = of_segments(7, Timestamp::from_micros(now), changes, &|id| Some(format!("S{id}")));
        facts.into_iter().map(|f| (f.kind, f.profile_id, f.key)).collect()
    };
    assert_eq!(told(&[change(4, 1, true, now, Cause::Initial)]), []);
    let entered = (kinds::SEGMENT_ENTERED, 1, "segment/7/0".to_string());
    assert_eq!(told(&[change(4, 1, true, now - 1, Cause::Event)]), std::slice::from_ref(&entered));
    // A timer that came late is an entry all the same.
    assert_eq!(told(&[change(4, 1, true, now - base::HOUR_US, Cause::Timer)]), [entered]);
    // Two in the segment become one: the second leaves under its old id, the first has been in since earlier.
    let joined = [change(4, 2, false, now, Cause::Merge), change(4, 1, true, now - base::HOUR_US, Cause::Event)];
    assert_eq!(told(&joined), [(kinds::SEGMENT_LEFT, 2, "segment/7/0".to_string())]);
}

#[test]
fn an_erasure_tells_ids_and_nothing_that_was_searched_for() {
    let job = Job {
        id: 9,
        kind: "erase".into(),
        subject: 17,
        state: db::jobs::State::Queued,
        position: 0,
        total: 0,
        payload: r#"{"profiles": [17, 23], "needles": {"values": ["ann@example.com"]}, "upto_seq": 4}"#.into(),
        bookmark: String::new(),
        note: String::new(),
        reason: String::new(),
        retryable: false,
        result: String::new(),
        pieces: 0,
        created_at: 5,
        updated_at: 5,
        started_at: 0,
        started_from: 0,
        finished_at: 0,
        not_before: 0,
        actor: String::new(),
    };
    let fact = of_erasure(&job);
    assert_eq!(fact.data, json!({"erasure_id": "9", "person_id": "17", "profile_ids": ["17", "23"]}));
    assert!(!fact.body().contains("ann"));
    let done = of_erasure(&Job { payload: String::new(), ..job });
    assert_eq!(done.data["profile_ids"], json!(["17"]), "also when the search is over");
}

proptest! {
    #[test]
    fn a_body_is_json_of_a_bearable_size(name in ".{0,40}", texts in proptest::collection::vec(".{0,3000}", 0..30)) {
        let data = json!({"seq": 1, "event": name, "properties": texts, "person_id": "17"});
        let body = body(kinds::EVENT, Timestamp::from_micros(1), data.clone());
        prop_assert!(body.len() <= BODY_MAX, "{}", body.len());
        let read: Value = serde_json::from_str(&body).expect("JSON");
        prop_assert_eq!(&read["type"], kinds::EVENT);
        prop_assert_eq!(&read["data"]["event"], &data["event"]);
        let whole = read["data"]["properties"] == data["properties"];
        prop_assert!(whole || read["data"]["left_out"] == json!(["properties"]));
    }
}
