use super::*;

fn load(file: &str, environment: &[(&str, &str)]) -> Result<Effective, ConfigError> {
    let environment = environment.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    Effective::load(Some(file), &environment, &[])
}

fn value(effective: &Effective, section: &str, name: &str) -> (String, String) {
    let entry = effective.entries().iter().find(|e| e.section == section && e.name == name).expect("known");
    (entry.value.clone(), entry.origin.to_string())
}

#[test]
fn later_layers_win_and_say_where_they_come_from() {
    let file = "[http]\nlisten = \"0.0.0.0:80\"\n[collect]\ndedup_days = 7\nclock_tolerance = \"250ms\"\n";
    let flags = [("http", "listen", "--listen", "127.0.0.1:0".to_string())];
    let environment = HashMap::from([("BRAID_COLLECT_DEDUP_DAYS".to_string(), "9".to_string())]);
    let effective = Effective::load(Some(file), &environment, &flags).expect("valid");
    assert_eq!(value(&effective, "http", "listen"), ("127.0.0.1:0".into(), "--listen".into()));
    assert_eq!(value(&effective, "collect", "dedup_days"), ("9".into(), "BRAID_COLLECT_DEDUP_DAYS".into()));
    assert_eq!(value(&effective, "collect", "clock_tolerance"), ("250ms".into(), "braid.toml line 5".into()));
    assert_eq!(value(&effective, "shop", "country"), ("UA".into(), "default".into()));
    let config = effective.config(Path::new("/shop"));
    assert_eq!((config.clock_tolerance_us, config.dedup_days, config.max_body), (250_000, 9, 512_000));
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let cases = [
        (
            "[http]\nlisen = \"x\"\n",
            "braid.toml line 2: http.lisen is not a key that Braid knows (did you mean listen?)",
        ),
        ("\n[htp]\n", "braid.toml line 2: htp is not a key that Braid knows"),
        ("dedup_days = 3\n", "braid.toml line 1: dedup_days is not a key that Braid knows"),
        (
            "[collect]\nclock_tolerance = 60\n",
            "braid.toml line 2: collect.clock_tolerance = \"60\" is not a duration with its unit, such as \"250ms\", \"60s\" or \"1h\"",
        ),
        (
            "[shop]\ntime_zone = \"Kyiv\"\n",
            "braid.toml line 2: shop.time_zone = \"Kyiv\" is not a time zone such as Europe/Kyiv",
        ),
        (
            "[database]\nurl = \"mysql://u:secret@h\"\n",
            "braid.toml line 2: database.url = \"…\" is not sqlite:FILE or postgres://…",
        ),
        (
            "[collect]\ndedup_days = true\n",
            "braid.toml line 2: collect.dedup_days = \"a boolean\" is not a whole number",
        ),
    ];
    for (file, said) in cases {
        assert_eq!(load(file, &[]).expect_err(file).to_string(), said);
    }
    assert!(matches!(load("[http\n", &[]), Err(ConfigError::Syntax { line: 1, .. })));
}

#[test]
fn passwords_are_not_shown() {
    let effective = load("", &[("BRAID_DATABASE_URL", "postgres://braid:hunter2@db/shop")]).expect("valid");
    let entry = &effective.entries()[0];
    assert!(!Effective::shown(entry).contains("hunter2"), "{}", Effective::shown(entry));
}

#[test]
fn a_new_file_is_read_back() {
    let shop = ShopSettings {
        time_zone: "Europe/London".into(),
        currency: "GBP".into(),
        locale: "en".into(),
        country: "GB".into(),
    };
    let text = new_file(Some("postgres://a@b/c"), &shop);
    let config = load(&text, &[]).expect("valid").config(Path::new("."));
    assert_eq!((config.currency.as_str(), config.database_url.as_str()), ("GBP", "postgres://a@b/c"));
}
