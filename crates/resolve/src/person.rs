//! From cells as people write them to values that can be compared.
use crate::address;
use crate::field::{Field, SECOND_PHONE, VALUES};
use crate::value::Value;
use base::{Country, names};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Column {
    Given,
    Patronymic,
    Surname,
    /// Given name, surname and patronymic in one, in any order.
    Name,
    Email,
    Phone,
    Birth,
    Address1,
    Address2,
    Street,
    House,
    Flat,
    City,
    Region,
    Postcode,
    Id,
}

/// Number of kinds of columns.
pub const COLUMNS: usize = 16;

impl Column {
    /// The names that a column of this kind is known by, the first being its own.
    pub const KNOWN: [(Column, &'static [&'static str]); COLUMNS] = [
        (Column::Given, &["given_name", "first_name", "firstname", "імя", "имя"]),
        (Column::Patronymic, &["patronymic", "middle_name", "по_батькові", "отчество"]),
        (Column::Surname, &["surname", "last_name", "lastname", "family_name", "прізвище", "фамилия"]),
        (Column::Name, &["name", "full_name", "fullname", "піб", "фио"]),
        (Column::Email, &["email", "e_mail", "email_address", "пошта"]),
        (Column::Phone, &["phone", "phone_number", "telephone", "mobile", "телефон"]),
        (
            Column::Birth,
            &["birth_date", "date_of_birth", "dob", "birthday", "birthdate", "дата_народження", "дата_рождения"],
        ),
        (Column::Address1, &["address_1", "address", "address1", "адреса", "адрес"]),
        (Column::Address2, &["address_2", "address2"]),
        (Column::Street, &["street", "вулиця", "улица"]),
        (Column::House, &["house", "street_number", "house_number", "будинок", "дом"]),
        (Column::Flat, &["flat", "apartment", "квартира"]),
        (Column::City, &["city", "suburb", "town", "місто", "город"]),
        (Column::Region, &["region", "state", "oblast", "область"]),
        (Column::Postcode, &["postcode", "postal_code", "zip", "індекс", "индекс"]),
        (Column::Id, &["soc_sec_id", "ssn", "tax_id", "passport", "рнокпп", "іпн"]),
    ];

    /// The kind of column that a name is known for; case and blanks around it do not matter.
    pub fn find(name: &str) -> Option<Column> {
        let name = name
            .trim()
            .trim_start_matches('\u{feff}')
            .to_lowercase()
            .replace([' ', '-'], "_")
            .replace(['\'', '’', 'ʼ'], "");
        Column::KNOWN.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(column, _)| *column)
    }
}

/// One row: the text of each kind of column, empty where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Raw {
    cells: [String; COLUMNS],
}

impl Raw {
    /// The text of a column.
    pub fn get(&self, column: Column) -> &str {
        &self.cells[column as usize]
    }
    /// Puts a text into a column; several texts of one kind stand apart by `;`.
    pub fn put(&mut self, column: Column, text: &str) {
        let cell = &mut self.cells[column as usize];
        if !cell.is_empty() && !text.is_empty() {
            cell.push(';');
        }
        cell.push_str(text);
    }
    /// Empties all columns.
    pub fn clear(&mut self) {
        self.cells.iter_mut().for_each(String::clear);
    }
}

/// The normalised text of each field, words apart by single blanks.
pub type Texts = [Option<String>; VALUES];

/// A person ready for comparing.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// By [`Field`], the second phone last.
    pub values: [Option<Value>; VALUES],
}

impl Person {
    /// Reads one row. National phone numbers are read as those of `country`.
    pub fn read(raw: &Raw, country: Country) -> Person {
        Self::of(&read(raw, country))
    }
    /// A person of what was read before.
    pub fn of(texts: &Texts) -> Person {
        Person { values: std::array::from_fn(|at| texts[at].as_ref().map(|text| Value::new(field_of(at), text))) }
    }
}

/// The field of a place among the values.
pub fn field_of(at: usize) -> Field {
    if at == SECOND_PHONE { Field::Phone } else { crate::field::FIELDS[at] }
}

/// Reads one row into normalised texts.
pub fn read(raw: &Raw, country: Country) -> Texts {
    let mut out: Texts = Default::default();
    read_names(raw, &mut out);
    let mut set = |field: Field, text: Option<String>| out[field as usize] = text.filter(|t| !t.is_empty());
    set(Field::Birth, crate::birth::read(given(raw, Column::Birth)));
    set(Field::Email, email(given(raw, Column::Email)));
    set(Field::Id, Some(names::words(given(raw, Column::Id)).concat()).filter(|id| !is_filler(id)));
    let mut phones = phones(given(raw, Column::Phone), country).into_iter();
    set(Field::Phone, phones.next());
    out[SECOND_PHONE] = phones.next();
    address::read(raw, &mut out);
    out
}

/// The text of a column, without words that stand for nothing.
pub fn given(raw: &Raw, column: Column) -> &str {
    let text = raw.get(column).trim();
    let nothing = [
        "null",
        "none",
        "n/a",
        "na",
        "nan",
        "-",
        "--",
        "?",
        ".",
        "unknown",
        "undefined",
        "нет",
        "немає",
        "невідомо",
        "неизвестно",
        "test",
    ];
    if text.len() <= 20 && nothing.contains(&text.to_lowercase().as_str()) { "" } else { text }
}

/// Numbers typed to get past a form: `0000000`, `9999`.
fn is_filler(text: &str) -> bool {
    let mut chars = text.chars();
    let first = chars.next();
    text.chars().count() >= 4 && chars.all(|c| Some(c) == first)
}

fn email(text: &str) -> Option<String> {
    let one = text.split([',', ';', ' ']).find(|t| t.contains('@')).unwrap_or(text);
    base::normalise_email(one).or_else(|| {
        let text = one.to_lowercase();
        (text.len() >= 5 && text.contains('@')).then_some(text)
    })
}

/// The telephone numbers of a cell, as digits with country code where it is known.
fn phones(text: &str, country: Country) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for piece in text.split([',', ';', '|']) {
        let whole = base::normalise_phone(piece, country);
        let numbers = match whole {
            Some(number) => vec![number],
            None => piece
                .split('/')
                .filter_map(|p| base::normalise_phone(p, country).or_else(|| Some(p.to_string())))
                .collect(),
        };
        for number in numbers {
            let digits: String = number.chars().filter(char::is_ascii_digit).collect();
            let tail = &digits[digits.len().saturating_sub(9)..];
            if digits.len() >= 5 && !is_filler(tail) && !out.contains(&digits) {
                out.push(digits);
            }
        }
    }
    out
}

const TITLES: &[&str] = &["mr", "mrs", "ms", "miss", "dr", "пан", "пані", "г-н", "г-жа"];

/// Names of a cell: split at blanks, commas and full stops; a double name is one, its parts apart by a blank.
fn pieces(text: &str) -> Vec<String> {
    text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '.' | ';' | '/' | '(' | ')'))
        .map(|piece| names::words(piece).join(" "))
        .filter(|piece| !piece.is_empty() && !TITLES.contains(&piece.as_str()))
        .collect()
}

fn is_patronymic(piece: &str) -> bool {
    names::patronymic(piece).is_some()
}

fn is_given(piece: &str) -> bool {
    let first = piece.split(' ').next().unwrap_or(piece);
    names::given(&names::skeleton(first)).is_known()
}

fn read_names(raw: &Raw, out: &mut Texts) {
    let mut first = pieces(given(raw, Column::Given));
    let mut last = pieces(given(raw, Column::Surname));
    let mut middle = pieces(given(raw, Column::Patronymic));
    let whole = pieces(given(raw, Column::Name));
    if first.is_empty() && last.is_empty() && !whole.is_empty() {
        let split = split_whole(whole);
        (first, last) = (split.first, split.last);
        if middle.is_empty() {
            middle = split.middle;
        }
    } else if first.is_empty() && last.len() >= 2
        || last.is_empty() && first.len() >= 2 && first.iter().any(|p| !is_given(p))
    {
        // All of it stands in one column.
        let all = if first.is_empty() { last } else { first };
        let split = split_whole(all);
        (first, last) = (split.first, split.last);
        if middle.is_empty() {
            middle = split.middle;
        }
    }
    for cell in [&mut first, &mut last] {
        // `Марія Іванівна` in the column of given names.
        if middle.is_empty() && cell.len() >= 2 && cell.last().is_some_and(|p| is_patronymic(p)) {
            middle.extend(cell.pop());
        }
    }
    let join = |pieces: Vec<String>| Some(pieces.join(" ")).filter(|t| !t.is_empty());
    out[Field::Given as usize] = join(first);
    out[Field::Surname as usize] = join(last);
    out[Field::Patronymic as usize] = join(middle);
}

#[derive(Default)]
struct Split {
    first: Vec<String>,
    middle: Vec<String>,
    last: Vec<String>,
}

/// Tells the roles of the names in one text: a patronymic by its ending, a given name by our list, an initial by its length; else
/// the given name is taken to stand first in Latin letters and last in Cyrillic.
fn split_whole(mut all: Vec<String>) -> Split {
    let mut split = Split::default();
    if all.len() >= 2
        && let Some(at) = all.iter().rposition(|p| is_patronymic(p)).filter(|at| *at > 0 || all.len() > 2)
        && (all.len() > 2 || is_given(&all[0]))
    {
        split.middle.push(all.remove(at));
        // The given name stands before its patronymic.
        if at > 0 {
            split.first.push(all.remove(at - 1));
            split.last = all;
            return split;
        }
    }
    if all.len() == 1 {
        if is_given(&all[0]) {
            split.first = all
        } else {
            split.last = all
        }
        return split;
    }
    let initials = all.iter().filter(|p| p.chars().count() == 1).count();
    if initials == all.len() {
        split.first = all;
    } else if initials > 0 {
        let (short, long): (Vec<_>, Vec<_>) = all.into_iter().partition(|p| p.chars().count() == 1);
        let mut short = short.into_iter();
        split.first.extend(short.next());
        split.middle.extend(short);
        split.last = long;
    } else {
        let known: Vec<bool> = all.iter().map(|p| is_given(p)).collect();
        let cyrillic = all[0].chars().any(names::is_cyrillic);
        let at = match (known.iter().position(|k| *k), known.iter().filter(|k| **k).count()) {
            (Some(at), 1) => at,
            _ if cyrillic => 1,
            _ => 0,
        };
        split.first.push(all.remove(at));
        split.last = all;
    }
    split
}
