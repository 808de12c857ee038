use super::rule::{Because, Keys, keys_of, together};
use super::{of_person, say, set_on};
use crate::model::{State, Traits};
use crate::tests::harness::{Shop, counters, event};
use serde_json::{Value, json};

fn traits(of: Value) -> Traits {
    let text = json!({"type": "identify", "userId": "u", "traits": of}).to_string();
    let mut state = State::default();
    crate::state::fold_state(&mut state, &event(&text), &counters(), 1);
    state.traits
}

fn keys(of: Value) -> Keys {
    keys_of(&traits(of))
}

#[test]
fn one_address_and_surname_is_one_household_however_it_is_written() {
    let plain = keys(json!({"lastName": "Ковальська", "address": "м. Київ, вул. Січових Стрільців, буд. 12, кв. 4"}));
    assert!(plain.home.is_some());
    for other in [
        json!({"lastName": "Ковальський", "address": "Київ, Січових Стрільців 12, 4"}),
        json!({"last_name": "Kovalskyi", "address": {"city": "Київ", "street": "вул. Січових Стрільців", "house": "12", "apartment": 4}}),
        json!({"lastName": "КОВАЛЬСЬКА", "street": "Січових Стрільців", "house": 12, "apartment": "4", "city": "Київ"}),
    ] {
        assert_eq!(together(&plain, &keys(other.clone()), None), Some(Because::Home), "{other}");
    }
    for other in [
        json!({"lastName": "Ковальська", "address": "Київ, Січових Стрільців 12, 5"}),
        json!({"lastName": "Шевченко", "address": "Київ, Січових Стрільців 12, 4"}),
        json!({"lastName": "Ковальська", "address": "Київ"}),
        json!({"lastName": "Ковальська", "address": "01001, Київ"}),
        json!({"address": "Київ, Січових Стрільців 12, 4"}),
    ] {
        assert_eq!(together(&plain, &keys(other.clone()), None), None, "{other}");
    }
}

#[test]
fn what_people_say_goes_before_what_is_declared_and_that_before_the_address() {
    let home = |id: Option<&str>| Keys { home: Some("x".into()), declared: id.map(str::to_string) };
    assert_eq!(together(&home(None), &home(None), None), Some(Because::Home));
    assert_eq!(together(&home(Some("a")), &home(Some("a")), None), Some(Because::Declared));
    assert_eq!(together(&home(Some("a")), &home(Some("b")), None), None);
    assert_eq!(together(&home(Some("a")), &home(None), None), Some(Because::Home));
    assert_eq!(together(&home(Some("a")), &home(Some("b")), Some(true)), Some(Because::Said));
    assert_eq!(together(&home(Some("a")), &home(Some("a")), Some(false)), None);
    let nothing = Keys::default();
    assert_eq!(together(&nothing, &nothing, None), None, "who says nothing lives alone");
    for (a, b) in [(home(Some("a")), home(None)), (home(None), nothing)] {
        for said in [None, Some(true), Some(false)] {
            assert_eq!(together(&a, &b, said), together(&b, &a, said), "both sides say the same");
        }
    }
}

#[test]
fn a_household_is_a_view_that_follows_who_moves() {
    for shop in Shop::each() {
        let lives = |user: &str, n: u32, surname: &str, address: &str| {
            let text = json!({"type": "identify", "messageId": format!("{user}{n}"), "userId": user,
                "timestamp": format!("2026-05-0{n}T00:00:00Z"), "traits": {"lastName": surname, "address": address}});
            let placed = shop.send(&text.to_string());
            let (id, event) = (placed.profile_id, event(&text.to_string()));
            shop.write(move |tx| super::note(tx, id, &event));
            id
        };
        let of = |person: i64| {
            shop.read(move |tx| {
                let members = of_person(tx, person, &counters())?;
                Ok(members.iter().map(|m| (m.person_id, m.because)).collect::<Vec<_>>())
            })
        };
        let before = lives("olena", 1, "Гудзь", "Львів, Городоцька 5, 2");
        assert_eq!(of(before), [(before, Because::Self_)]);
        let rows = || shop.read(|tx| Ok(tx.rows("SELECT key FROM household_keys", &[])?.len()));
        assert_eq!(rows(), 0, "nothing is written where nobody asked for it");
        shop.write(|tx| set_on(tx, true));
        let olena = lives("olena", 2, "Гудзь", "Львів, Городоцька 5, 2");
        let taras = lives("taras", 2, "Gudz", "Lviv, Horodotska 5/2");
        let roman = lives("roman", 2, "Бойко", "Львів, Городоцька 5, 2");
        assert_eq!(of(olena), [(olena, Because::Self_), (taras, Because::Home)]);
        assert_eq!(of(roman), [(roman, Because::Self_)]);
        // By hand, in both directions, and seen from both sides.
        shop.write(move |tx| say(tx, roman, olena, true, "somebody"));
        shop.write(move |tx| say(tx, olena, taras, false, "somebody"));
        assert_eq!(of(olena), [(olena, Because::Self_), (roman, Because::Said)]);
        assert_eq!(of(taras), [(taras, Because::Self_)]);
        assert_eq!(of(roman), [(roman, Because::Self_), (olena, Because::Said)]);
        shop.write(move |tx| say(tx, olena, taras, true, "somebody"));
        // Who moves away leaves what an address said, but not what a person said.
        let petro = lives("petro", 2, "Гудзь", "Львів, Городоцька 5, 2");
        assert!(of(olena).contains(&(petro, Because::Home)));
        lives("petro", 3, "Гудзь", "Київ, Хрещатик 1, 1");
        assert!(!of(olena).iter().any(|(person, _)| *person == petro));
        shop.write(move |tx| super::forget(tx, taras));
        assert!(!of(olena).iter().any(|(_, because)| *because == Because::Home && petro == 0));
        assert_eq!(shop.findings(), []);
    }
}
