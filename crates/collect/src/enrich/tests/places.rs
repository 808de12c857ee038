//! Tables of addresses, and cities by coordinates.
use crate::enrich::place::{Places, nearest};

#[test]
fn tables_of_three_makes_are_read() {
    let ours = "start,end,country,region,city\n192.0.2.0,192.0.2.127,UA,\"L'viv Oblast\",Lviv\n192.0.2.128,192.0.2.255,UA,Kyiv City,Kiev\n\
                198.51.100.0,198.51.100.255,GB,England,London\n2001:db8::,2001:db8:ffff:ffff:ffff:ffff:ffff:ffff,UA,Odes'ka Oblast',Odessa\n";
    let dbip = "192.0.2.0,192.0.2.255,EU,UA,Kharkivska,Kharkiv,49.98,36.25\n";
    let ip2location = "\"3221225984\",\"3221226239\",\"UA\",\"Ukraine\",\"Dnipropetrovska oblast\",\"Dnipro\"\n";
    let find = |table: &str, ip: &str| {
        let places = Places::read(table.as_bytes(), "UA").expect("a table");
        places.find(ip.parse().expect("an address")).map(|p| format!("{} {} {}", p.country, p.region_code, p.city))
    };
    assert_eq!(find(ours, "192.0.2.5").as_deref(), Some("UA UA-46 Львів"));
    assert_eq!(find(ours, "192.0.2.200").as_deref(), Some("UA UA-30 Київ"));
    // Of other countries only the country is kept.
    assert_eq!(find(ours, "198.51.100.7").as_deref(), Some("GB  "));
    assert_eq!(find(ours, "2001:db8:5::1").as_deref(), Some("UA UA-51 Одеса"));
    assert_eq!(find(ours, "::ffff:192.0.2.5").as_deref(), Some("UA UA-46 Львів"));
    assert_eq!(find(ours, "203.0.113.1"), None);
    assert_eq!(find(dbip, "192.0.2.5").as_deref(), Some("UA UA-63 Харків"));
    assert_eq!(find(ip2location, "192.0.2.5").as_deref(), Some("UA UA-12 Дніпро"));
}

#[test]
fn what_is_no_table_is_refused_with_its_line() {
    let cases = [
        ("192.0.2.0,192.0.2.9,UA\n", "line 1: it has 3 columns"),
        ("192.0.2.0,192.0.2.9,UA,a,b\nx,192.0.2.9,UA,a,b\n", "line 2: the first column is no address"),
        ("192.0.2.9,192.0.2.0,UA,a,b\n", "line 1: the range ends"),
        ("192.0.2.0,192.0.2.9,UA,a,b\n192.0.2.5,192.0.2.12,UA,a,b\n", "two ranges overlap"),
    ];
    for (table, said) in cases {
        let error = Places::read(table.as_bytes(), "UA").expect_err(table).to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn neighbours_of_one_place_become_one_range() {
    let table: String = (0..256u32).rev().map(|n| format!("10.0.{n}.0,10.0.{n}.255,PL,r{n},c{n}\n")).collect();
    let places = Places::read(table.as_bytes(), "UA").expect("a table");
    assert_eq!(places.len(), (1, 1));
    assert!(places.find([10, 0, 255, 255].into()).is_some() && places.find([10, 1, 0, 0].into()).is_none());
}

#[test]
fn coordinates_belong_to_the_nearest_city() {
    let at = |lat, lon| nearest((lat, lon)).map(|p| format!("{}|{}", p.region_code, p.city));
    assert_eq!(at(50.4501, 30.5234).as_deref(), Some("UA-30|Київ"));
    assert_eq!(at(48.9226, 24.7111).as_deref(), Some("UA-26|Івано-Франківськ"));
    // Between towns the oblast is known, the city is not.
    assert_eq!(at(49.55, 23.30).as_deref(), Some("UA-46|"));
    assert_eq!(at(0.0, 0.0), None);
    assert_eq!(at(52.52, 13.40), None);
}
