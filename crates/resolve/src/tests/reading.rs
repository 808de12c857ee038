//! Cells as people write them.
use super::{raw, ua};
use crate::field::{Field, SECOND_PHONE, level};
use crate::person::{Column, Person, read};

fn texts(cells: &[(Column, &str)], field: Field) -> String {
    read(&raw(cells), ua())[field as usize].clone().unwrap_or_default()
}

#[test]
fn names_find_their_roles() {
    for (name, wanted) in [
        ("Щербак Сергій Іванович", ["сергій", "іванович", "щербак"]),
        ("Сергій Іванович Щербак", ["сергій", "іванович", "щербак"]),
        ("Сергій Щербак", ["сергій", "", "щербак"]),
        ("Щербак Сергій", ["сергій", "", "щербак"]),
        ("Shcherbak, Serhii", ["serhii", "", "shcherbak"]),
        ("Щербак С.І.", ["с", "і", "щербак"]),
        ("Марія Петренко-Шевчук", ["марія", "", "петренко шевчук"]),
        ("Mr. John Smith", ["john", "", "smith"]),
        ("Оля", ["оля", "", ""]),
    ] {
        let cells = [(Column::Name, name)];
        let found = [Field::Given, Field::Patronymic, Field::Surname].map(|field| texts(&cells, field));
        assert_eq!(found, wanted, "{name}");
    }
    let both = [(Column::Given, "Марія Іванівна"), (Column::Surname, "Бойко")];
    assert_eq!([texts(&both, Field::Given), texts(&both, Field::Patronymic)], ["марія", "іванівна"]);
}

#[test]
fn dates_in_many_forms() {
    for text in [
        "1985-03-12",
        "12.03.1985",
        "12/03/1985",
        "19850312",
        "12031985",
        "1985-03-12T00:00:00Z",
        "12 березня 1985",
        "March 12, 1985",
        "12.3.85",
    ] {
        assert_eq!(texts(&[(Column::Birth, text)], Field::Birth), "19850312", "{text}");
    }
    assert_eq!(texts(&[(Column::Birth, "03/25/1985")], Field::Birth), "19850325");
    for nothing in ["", "n/a", "1900-01-01", "someday", "0000-00-00"] {
        assert_eq!(texts(&[(Column::Birth, nothing)], Field::Birth), "", "{nothing}");
    }
}

#[test]
fn phones_and_mail() {
    for text in ["+38 (067) 123-45-67", "0671234567", "380671234567", "67 123 45 67"] {
        assert_eq!(texts(&[(Column::Phone, text)], Field::Phone), "380671234567", "{text}");
    }
    let two = read(&raw(&[(Column::Phone, "0671234567, 050 111 22 33")]), ua());
    assert_eq!(two[SECOND_PHONE].as_deref(), Some("380501112233"));
    assert_eq!(texts(&[(Column::Phone, "0000000000")], Field::Phone), "");
    assert_eq!(texts(&[(Column::Email, " Olha@Example.COM ")], Field::Email), "olha@example.com");
}

#[test]
fn addresses_in_one_line_and_in_columns() {
    let fields = [Field::Street, Field::House, Field::Flat, Field::City];
    for (line, wanted) in [
        ("м. Київ, вул. Шевченка, буд. 12а, кв. 5", ["шевченка", "12a", "5", "київ"]),
        ("вул. Шевченка, 12-А, кв. 5", ["шевченка", "12a", "5", ""]),
        ("Шевченка 12/5", ["шевченка", "12", "5", ""]),
        ("12 Main Street", ["main street", "12", "", ""]),
        ("вул. 8 Березня, 3", ["8 березня", "3", "", ""]),
    ] {
        assert_eq!(fields.map(|f| texts(&[(Column::Address1, line)], f)), wanted, "{line}");
    }
    let columns = [
        (Column::Street, "вулиця Лесі Українки"),
        (Column::House, "7 Б"),
        (Column::Flat, "кв. 31"),
        (Column::City, "м. Львів"),
    ];
    assert_eq!(fields.map(|f| texts(&columns, f)), ["лесі українки", "7b", "31", "львів"]);
    let second = [(Column::Address1, "Франка 4"), (Column::Address2, "кв. 9")];
    assert_eq!([texts(&second, Field::Flat), texts(&second, Field::Locality)], ["9", ""]);
}

#[test]
fn levels_of_pairs() {
    use Field::{Birth, City, Email, Given, Patronymic, Phone, Street, Surname};
    for (column, field, a, b, wanted) in [
        (Column::Surname, Surname, "Щербак", "Shcherbak", level::SPELLING),
        (Column::Surname, Surname, "Ковальський", "Ковальська", level::VARIANT),
        (Column::Surname, Surname, "Петренко", "Петернко", level::CLOSE),
        (Column::Surname, Surname, "Петренко", "Петренко-Бойко", level::PART),
        (Column::Surname, Surname, "Петренко", "Мороз", level::DIFFERENT),
        (Column::Given, Given, "Сергій", "Sergey", level::VARIANT),
        (Column::Given, Given, "Олександр", "Саша", level::PART),
        (Column::Given, Given, "О.", "Олена", level::INITIAL),
        (Column::Given, Given, "Марина", "Марія", level::DIFFERENT),
        (Column::Patronymic, Patronymic, "Сергійович", "Сергеевич", level::VARIANT),
        (Column::Birth, Birth, "1985-03-12", "1985-12-03", level::PART),
        (Column::Birth, Birth, "1985-03-12", "1985-03-13", level::CLOSE),
        (Column::Phone, Phone, "0671234567", "0671234576", level::CLOSE),
        (Column::Email, Email, "olha.b@ukr.net", "olha.b@gmail.com", level::VARIANT),
        (Column::City, City, "Київ", "Kiev", level::VARIANT),
        (Column::Street, Street, "вул. Шевченка", "vul. Shevchenka", level::SPELLING),
    ] {
        let person = |text: &str| Person::read(&raw(&[(column, text)]), ua());
        let found = crate::compare::compare(&person(a).side(), &person(b).side());
        assert_eq!(found.levels[field as usize], wanted, "{a} and {b}");
    }
    let swapped =
        |first: &str, last: &str| Person::read(&raw(&[(Column::Given, first), (Column::Surname, last)]), ua());
    let found = crate::compare::compare(&swapped("Таня", "Завадська").side(), &swapped("Завадская", "Тетяна").side());
    let order = found.levels[Field::Order as usize];
    assert_eq!((found.levels[0], found.levels[1], order), (level::PART, level::SPELLING, level::DIFFERENT));
}
