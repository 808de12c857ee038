use crate::compare::compare;
use crate::field::{Field, level};
use crate::generate::{Plain, Row, Ukraine, plain, ukraine};
use crate::measure::pair_score;
use crate::person::{self, Column, Person, Raw};
use crate::{Options, Resolution, Table, defaults, resolve};
use base::Country;
use proptest::prelude::*;

mod learning;
mod reading;

fn ua() -> Country {
    Country::find("UA")
}

fn raw(cells: &[(Column, &str)]) -> Raw {
    let mut raw = Raw::default();
    cells.iter().for_each(|(column, text)| raw.put(*column, text));
    raw
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::default();
    rows.iter().for_each(|row| table.push(&person::read(&row.raw, ua())));
    table
}

fn quick() -> Options {
    Options { threads: 1, ..Options::default() }
}

fn solve(rows: &[Row], options: &Options) -> Resolution {
    resolve(&mut table(rows), options, &|_, _, _| {})
}

fn f1(rows: &[Row], options: &Options) -> f64 {
    let truth: Vec<u32> = rows.iter().map(|row| row.person).collect();
    pair_score(&solve(rows, options).entity, &truth).f1()
}

#[test]
fn a_list_in_the_style_of_febrl_is_resolved() {
    let rows = plain(&Plain { people: 300, repeats: 450, repeats_max: 5, seed: 11 });
    let found = f1(&rows, &quick());
    assert!(found >= 0.995, "pair F1 {found}");
}

#[test]
fn a_ukrainian_list_in_two_alphabets_is_resolved() {
    let rows = ukraine(&Ukraine { people: 700, seed: 5, ..Ukraine::default() });
    let found = f1(&rows, &quick());
    assert!(found >= 0.95, "pair F1 {found}");
}

#[test]
fn the_order_of_rows_and_the_threads_change_nothing_but_numbers() {
    let rows = ukraine(&Ukraine { people: 150, seed: 8, ..Ukraine::default() });
    let mut backwards = table(&rows);
    let order: Vec<u32> = (0..rows.len() as u32).rev().collect();
    backwards.reorder(&order);
    let reversed: Vec<Row> = rows.iter().rev().cloned().collect();
    let again = resolve(&mut backwards, &Options { threads: 3, ..quick() }, &|_, _, _| {});
    assert_eq!(solve(&reversed, &quick()).entity, again.entity);
    assert_eq!(solve(&rows, &quick()), solve(&rows, &Options { threads: 2, ..quick() }));
}

#[test]
fn a_stranger_joins_nobody_and_moves_nobody() {
    let mut rows = plain(&Plain { people: 80, repeats: 60, repeats_max: 2, seed: 4 });
    let before = solve(&rows, &quick());
    let stranger =
        raw(&[(Column::Given, "Zbigniew"), (Column::Surname, "Brzęczyszczykiewicz"), (Column::Birth, "1931-02-03")]);
    rows.push(Row { raw: stranger, person: u32::MAX });
    let after = solve(&rows, &quick());
    assert_eq!(before.entity, after.entity[..before.entity.len()]);
    let last = after.entity.len() - 1;
    assert_eq!((after.entity[last], after.score[last]), (last as u32, 1.0));
}

#[test]
fn families_and_namesakes_stay_apart() {
    let mut rows = ukraine(&Ukraine { people: 300, seed: 21, ..Ukraine::default() });
    let first = rows.len();
    let home =
        [(Column::Phone, "0671112233"), (Column::Street, "вул. Тиха"), (Column::House, "7"), (Column::City, "Київ")];
    let mut add = |given: &str, birth: &str, home: &[(Column, &str)]| {
        let mut all = vec![(Column::Given, given), (Column::Surname, "Нагірний"), (Column::Birth, birth)];
        all.extend_from_slice(home);
        rows.push(Row { raw: raw(&all), person: u32::MAX });
    };
    add("Петро", "1961-05-04", &home);
    add("Оксана", "1964-09-30", &home);
    add("Роман", "1990-01-17", &home);
    // The namesake of the first, elsewhere and of another age.
    add("Петро", "1988-11-23", &[(Column::Phone, "0509998877"), (Column::City, "Суми")]);
    let found = solve(&rows, &quick());
    for (at, row) in rows.iter().enumerate().skip(first) {
        assert_eq!(found.entity[at], at as u32, "{:?}", row.raw);
    }
}

#[test]
fn two_people_at_hand_are_weighed_in_words() {
    let model = defaults::model();
    let read = |cells: &[(Column, &str)]| Person::read(&raw(cells), ua());
    let site = read(&[(Column::Name, "Сергій Щербак"), (Column::Phone, "067 123 45 67"), (Column::City, "Київ")]);
    let till = read(&[(Column::Name, "Shcherbak Sergey"), (Column::Phone, "+380671234567"), (Column::City, "Lviv")]);
    let wife = read(&[(Column::Name, "Олена Щербак"), (Column::Phone, "+380671234567"), (Column::City, "Київ")]);
    let same = model.explain(&compare(&site.side(), &till.side()));
    let other = model.explain(&compare(&site.side(), &wife.side()));
    assert!(same.probability > 0.95 && other.probability < 0.5, "{} {}", same.probability, other.probability);
    let words: Vec<&str> = same.evidence.iter().map(|e| e.words.as_str()).collect();
    for said in [
        "phone: the same",
        "surname: the same, spelt differently",
        "given name: the same in another language",
        "city: different",
    ] {
        assert!(words.contains(&said), "{said} in {words:?}");
    }
    let keys = crate::keys::keys(&site.side());
    assert!(crate::keys::keys(&till.side()).iter().any(|key| keys.contains(key)));
}

#[test]
fn stored_keys_stay_what_they_are() {
    let person = Person::read(&raw(&[(Column::Phone, "0671234567")]), ua());
    // Changing how keys are made makes stored ones worthless: then a job has to make them anew.
    assert_eq!(crate::keys::keys(&person.side()), [crate::text::stable_hash(&[&[4], b"671234567"])]);
}

#[test]
fn lists_of_nothing_and_of_one() {
    assert_eq!(solve(&[], &quick()).entity, [0u32; 0]);
    let one = Row { raw: raw(&[(Column::Surname, "Бойко")]), person: 0 };
    let found = solve(std::slice::from_ref(&one), &quick());
    assert_eq!((found.entity, found.score), (vec![0], vec![1.0]));
    let empty = Row { raw: Raw::default(), person: 0 };
    assert_eq!(solve(&[empty.clone(), empty], &quick()).entity, [0, 1]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn comparing_is_symmetric(seed in 0u64..1000) {
        let rows = ukraine(&Ukraine { people: 8, seed, ..Ukraine::default() });
        let people: Vec<Person> = rows.iter().map(|row| Person::read(&row.raw, ua())).collect();
        for a in &people {
            for b in &people {
                let (there, back) = (compare(&a.side(), &b.side()), compare(&b.side(), &a.side()));
                for field in [Field::Birth, Field::Phone, Field::Email, Field::City, Field::Street, Field::Patronymic] {
                    prop_assert_eq!(there.levels[field as usize], back.levels[field as usize], "{:?}", field);
                }
            }
            let same = compare(&a.side(), &a.side());
            prop_assert!(same.levels.iter().all(|l| *l == level::SAME || *l == level::MISSING));
        }
    }

    #[test]
    fn any_cells_are_read(cells in proptest::collection::vec("\\PC{0,30}", crate::person::COLUMNS)) {
        let mut row = Raw::default();
        Column::KNOWN.iter().zip(&cells).for_each(|((column, _), cell)| row.put(*column, cell));
        let person = Person::read(&row, ua());
        let compared = compare(&person.side(), &person.side());
        prop_assert!(defaults::model().logit(&compared).is_finite());
        crate::keys::keys(&person.side());
    }
}
