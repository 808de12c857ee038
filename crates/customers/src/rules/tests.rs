use super::*;

#[test]
fn the_defaults_are_those_of_the_conventions() {
    let rules = Rules::default();
    let mut kinds = ["zoo", "anonymous_id", "phone", "card", "email", "user_id"];
    kinds.sort_by_key(|k| rules.priority(k));
    assert_eq!(kinds, ["user_id", "email", "phone", "card", "zoo", "anonymous_id"]);
    let limits = |kind: &str| -> Vec<(usize, Option<i64>)> {
        rules.limits(kind).iter().map(|l| (l.count, l.window_us.map(|w| w / DAY_US))).collect()
    };
    assert_eq!(limits("user_id"), [(1, None)]);
    assert_eq!(limits("anonymous_id"), [(20, Some(365)), (5, Some(7))]);
    for kind in ["email", "phone", "loyalty_card", "android.id"] {
        assert_eq!(limits(kind), [(5, Some(365))], "{kind}");
    }
    assert_eq!(RulesData::default().check(), Ok(()));
}

#[test]
fn values_are_kept_out_by_value_pattern_and_demotion() {
    let listed = [
        ("phone".into(), "+380800500500".into(), Mode::Block),
        ("*".into(), "kiosk".into(), Mode::Block),
        ("email".into(), "*@shop.ua".into(), Mode::Pattern),
        ("anonymous_id".into(), "tablet".into(), Mode::Demote),
    ];
    let rules = Rules::new(&RulesData::default(), listed, 3);
    let cases = [
        ("phone", "+380800500500", true),
        ("phone", "+380800500501", false),
        ("card", "kiosk", true),
        ("email", "till@shop.ua", true),
        ("card", "till@shop.ua", false),
        ("email", "a@b.c", false),
        ("card", "000-0", true),
        ("anonymous_id", "tablet", false),
    ];
    for (kind, value, wanted) in cases {
        assert_eq!(rules.is_blocked(kind, value), wanted, "{kind} {value}");
    }
    assert!(rules.is_demoted("anonymous_id", "tablet") && !rules.is_demoted("card", "tablet"));
}

#[test]
fn values_are_brought_to_the_form_of_their_kind() {
    let mut data = RulesData::default();
    let other = data.kinds.iter().find(|k| k.kind == "*").cloned().expect("there is one");
    data.kinds.push(KindRule { kind: "card".into(), form: Form::Compact, ..other.clone() });
    data.kinds.push(KindRule { kind: "login".into(), form: Form::Lower, ..other });
    let rules = Rules::new(&data, [], 1);
    let cases = [
        ("card", " 1234-5678 ab ", Some("12345678ab")),
        ("card", "--", None),
        ("login", "Olena ", Some("olena")),
        ("zoo", "Olena ", Some("Olena")),
        ("email", "A@B.c", Some("a@b.c")),
        ("phone", "8 067 123 45 67", Some("+380671234567")),
    ];
    for (kind, written, wanted) in cases {
        assert_eq!(rules.normalise(kind, written, Country::find("UA")).as_deref(), wanted, "{kind} {written}");
    }
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let broken = |change: fn(&mut RulesData)| {
        let mut data = RulesData::default();
        change(&mut data);
        data.check().expect_err("it is wrong").pointer
    };
    assert_eq!(broken(|d| d.kinds.retain(|k| k.kind != "*")), "/kinds");
    assert_eq!(broken(|d| d.kinds[1].kind = "user_id".into()), "/kinds/1/kind");
    assert_eq!(broken(|d| d.kinds[2].kind = " ".into()), "/kinds/2/kind");
    assert_eq!(broken(|d| d.kinds[0].priority = 0), "/kinds/0/priority");
    assert_eq!(broken(|d| d.kinds[1].form = Form::Exact), "/kinds/1/form");
    assert_eq!(broken(|d| d.kinds[0].limits[0].count = 0), "/kinds/0/limits/0");
    assert_eq!(broken(|d| d.hubs.demote_at = 2), "/hubs");
    assert_eq!(broken(|d| d.hubs.window_days = 0), "/hubs/window_days");
    assert_eq!(broken(|d| d.stitch.alarm_factor = 1.0), "/stitch/alarm_factor");
    assert_eq!(broken(|d| d.stitch.known_within_days = 31), "/stitch/known_within_days");
}
